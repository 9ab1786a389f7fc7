/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge catalog update: lists from where a school gets them, looked at, compiled, put in place.
 *
 * Each address is fetched once, into quarantine, by the fetcher process; an archive is unpacked by
 * the unpacker process. A version that is empty, halved or doubled is held: the old one stays until
 * a person accepts the new one. Then a manifest of accepted versions is compiled and the image is
 * replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/clock.h"
#include "catalog/build.h"
#include "cmd/cmd.h"
#include "os/file.h"
#include "outbound/library.h"
#include "outbound/sources.h"
#include "proc/fetcher.h"

static const char command[] = "catalog update";

enum {
    SOURCES_BYTES_MAX = 1024 * 1024,
    FETCH_TIMEOUT_MS = 30 * 60 * 1000,
    UNPACK_FILES_MAX = 2000
};
static const uint64_t fetch_bytes_max = UINT64_C(1) << 30;
static const uint64_t unpack_bytes_max = UINT64_C(4) << 30;

struct update {
    const char *data;
    const char *sources_path;
    const char *output;
    const char *accept; /* an address to accept though it would be held; "all" */
    bool quiet;
    bool terminal;
    struct library library;
    struct sources sources;
    struct fetcher fetcher;
    size_t changed;
    size_t held;
    size_t failed;  /* not fetched this time; an older version serves */
    size_t missing; /* never had */
};

static void say(const struct update *update, const char *format, ...) PRINTF_LIKE(2, 3);

static void say(const struct update *update, const char *format, ...)
{
    va_list arguments;
    if (update->quiet) {
        return;
    }
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
    fflush(stdout);
}

static void show_progress(void *context, uint64_t now, uint64_t total)
{
    const struct update *update = context;
    if (!update->terminal || update->quiet) {
        return;
    }
    if (total != 0) {
        fprintf(stderr, "\r\033[K  %" PRIu64 " of %" PRIu64 " KiB", now >> 10, total >> 10);
    } else {
        fprintf(stderr, "\r\033[K  %" PRIu64 " KiB", now >> 10);
    }
}

static void end_progress(const struct update *update)
{
    if (update->terminal && !update->quiet) {
        fputs("\r\033[K", stderr);
    }
}

/* True where this row names the same address as an earlier one, which has been dealt with. */
static bool is_repeated(const struct update *update, size_t i)
{
    const struct source *rows = update->sources.rows;
    for (size_t j = 0; j < i; j++) {
        if (rows[j].remote && str_eq(rows[j].address, rows[i].address)) {
            return true;
        }
    }
    return false;
}

static bool is_accepted_by_hand(const struct update *update, struct str address)
{
    return update->accept != NULL &&
           (strcmp(update->accept, "all") == 0 || str_eq(str_from(update->accept), address));
}

/* Compares one row's lines; false where the version must wait (said why). */
static enum err compare_row(struct update *update, const struct source *row, const char *key,
                            bool archive, bool *ret_good)
{
    struct lines before = {0};
    struct lines after = {0};
    struct lines_change change = {0};
    struct library_list list = {key, archive, row->member, row->format, row->sealed};
    enum err err = library_lines(&update->library, false, &list, &before);
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        err = library_lines(&update->library, true, &list, &after);
    }
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        lines_compare(&before, &after, &change);
        err = ERR_OK;
    }
    lines_fini(&before);
    lines_fini(&after);
    if (err != ERR_OK) {
        return err;
    }
    const char *hold = lines_hold(&change);
    *ret_good = hold == NULL || (change.after != 0 && is_accepted_by_hand(update, row->address));
    if (row->sealed) {
        say(update, "%.*s (sealed): %s", STR_ARG(row->category),
            change.added + change.removed != 0 ? "changed" : "unchanged");
    } else {
        say(update, "%.*s: %zu lines, were %zu: %zu more, %zu fewer (%.*s%s%.*s)",
            STR_ARG(row->category), change.after, change.before, change.added, change.removed,
            STR_ARG(row->address), row->member.len != 0 ? "#" : "", STR_ARG(row->member));
    }
    if (!*ret_good) {
        say(update, "  HELD, since %s; the old version stays.%s", hold,
            change.after != 0 ? " Look at it, then run again with --accept ADDRESS." : "");
    }
    return ERR_OK;
}

/* All rows of an address; the new version is taken only if every one is good. */
static enum err judge(struct update *update, size_t first, const char *key, bool archive,
                      const struct library_meta *meta)
{
    bool all_good = true;
    const struct source *rows = update->sources.rows;
    for (size_t i = first; i < update->sources.n; i++) {
        bool good = true;
        if (!rows[i].remote || !str_eq(rows[i].address, rows[first].address)) {
            continue;
        }
        ERR_TRY(compare_row(update, &rows[i], key, archive, &good));
        all_good = all_good && good;
    }
    if (!all_good) {
        update->held++;
        update->missing += !library_has(&update->library, key);
        return ERR_OK; /* stays in quarantine, to be looked at */
    }
    update->changed++;
    return library_accept(&update->library, key, meta);
}

static enum err unpack(struct update *update, int dir, int raw, char why[FETCH_TEXT_MAX])
{
    struct unpack_limits limits = {.max_bytes = unpack_bytes_max, .max_files = UNPACK_FILES_MAX};
    struct unpack_result result = {.why = "the disk refused"};
    int files = -1;
    enum err err = ERR_SYSTEM;
    if (lseek(raw, 0, SEEK_SET) == 0 && mkdirat(dir, "files", 0700) == 0 &&
        file_open_dir(dir, "files", &files) == ERR_OK) {
        struct fetcher unpacker;
        err = fetcher_start("unpacker", &unpacker);
        if (err == ERR_OK) {
            err = fetcher_unpack(&unpacker, raw, files, &limits, &result);
            fetcher_stop(&unpacker);
        }
        close(files);
    }
    if (err == ERR_OK) {
        err = unlinkat(dir, "raw", 0) == 0 ? ERR_OK : ERR_SYSTEM;
        say(update, "  %zu files unpacked, %zu passed over", result.files, result.passed_over);
    }
    snprintf(why, FETCH_TEXT_MAX, "%.200s", result.why);
    return err;
}

/* Fetches an address into quarantine and unpacks it there. *ret_changed: there is something new. */
static enum err bring(struct update *update, const char *address, const char *key, bool archive,
                      struct library_meta *ret_meta, bool *ret_changed, char why[FETCH_TEXT_MAX])
{
    int dir = -1;
    int raw = -1;
    struct library_meta had;
    struct fetch_result result;
    library_meta_read(&update->library, key, &had);
    enum err err = library_quarantine(&update->library, key, &dir, &raw);
    if (err != ERR_OK) {
        snprintf(why, FETCH_TEXT_MAX, "%s", strerror(errno));
        return err;
    }
    struct fetch_job job = {
        .address = address,
        .etag = had.etag,
        .modified = had.modified,
        .out_fd = raw,
        .max_bytes = fetch_bytes_max,
        .timeout_ms = FETCH_TIMEOUT_MS,
        .progress = show_progress,
        .context = update,
    };
    err = fetcher_fetch(&update->fetcher, &job, &result);
    end_progress(update);
    snprintf(why, FETCH_TEXT_MAX, "%s", result.why);
    if (err == ERR_OK && !result.unchanged && archive) {
        err = unpack(update, dir, raw, why);
    }
    close(dir);
    close(raw);
    *ret_changed = !result.unchanged;
    memcpy(ret_meta->etag, result.etag, sizeof(ret_meta->etag));
    memcpy(ret_meta->modified, result.modified, sizeof(ret_meta->modified));
    return err;
}

static enum err update_address(struct update *update, size_t first)
{
    char key[LIBRARY_KEY_MAX];
    char address[FETCH_ADDRESS_MAX];
    char why[FETCH_TEXT_MAX] = "";
    const struct source *row = &update->sources.rows[first];
    bool archive = library_is_archive(row->address);
    bool changed = false;
    struct library_meta meta = {0};
    int n = snprintf(address, sizeof(address), "%.*s", STR_ARG(row->address));
    if (n < 0 || (size_t)n >= sizeof(address)) {
        return ERR_LIMIT;
    }
    library_key(row->address, key);
    enum err err = bring(update, address, key, archive, &meta, &changed, why);
    if (err != ERR_OK) {
        update->failed++;
        update->missing += !library_has(&update->library, key);
        say(update, "%s: not fetched: %s", address, why);
        library_drop(&update->library, key);
        return ERR_OK;
    }
    if (!changed) {
        say(update, "%s: unchanged", address);
        library_drop(&update->library, key);
        return ERR_OK;
    }
    return judge(update, first, key, archive, &meta);
}

/* A path of the sources file, which is relative to that file. */
static void append_local_path(const struct update *update, struct str path, struct buf *to)
{
    const char *slash = strrchr(update->sources_path, '/');
    char whole[PATH_MAX];
    if (path.len != 0 && path.p[0] != '/') {
        char folder[PATH_MAX];
        snprintf(folder, sizeof(folder), "%.*s",
                 slash != NULL ? (int)(slash - update->sources_path) : 1,
                 slash != NULL ? update->sources_path : ".");
        if (realpath(folder[0] != '\0' ? folder : "/", whole) != NULL) {
            buf_append(to, str_from(whole));
            buf_append_byte(to, '/');
        }
    }
    buf_append(to, path);
}

static void append_row(const struct update *update, const struct source *row, struct buf *to)
{
    char key[LIBRARY_KEY_MAX];
    if (row->is_except) {
        buf_printf(to, "except %.*s ", STR_ARG(row->category));
        append_local_path(update, row->address, to);
        buf_append_byte(to, '\n');
        return;
    }
    buf_printf(to, "%.*s %s ", STR_ARG(row->category), list_format_name(row->format));
    if (!row->remote) {
        append_local_path(update, row->address, to);
    } else {
        library_key(row->address, key);
        if (library_is_archive(row->address)) {
            buf_printf(to, "%s/files/%.*s", key, STR_ARG(row->member));
        } else {
            buf_printf(to, "%s/raw", key);
        }
    }
    buf_append(to, row->sealed ? STR(" sealed\n") : STR("\n"));
    if (row->remote) {
        buf_printf(to, "unused %s/meta what the last fetch said of it\n", key);
    }
}

static void tell_note(void *ctx, enum build_note note, const char *line)
{
    const struct update *update = ctx;
    if (note == BUILD_ERROR || (note == BUILD_WARNING && !update->quiet)) {
        fprintf(stderr, "%s%s\n", note == BUILD_WARNING ? "warning: " : "", line);
    }
}

static int put_in_place(struct update *update, struct str image, const struct build_totals *totals)
{
    enum err err = file_write(AT_FDCWD, update->output, image, 0644);
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, command, "%s: %s", update->output, strerror(errno));
    }
    say(update, "%s: %" PRIu64 " names and URLs, %" PRIu64 " address prefixes, %" PRIu64 " sealed",
        update->output, totals->compiled.keys, totals->compiled.prefixes, totals->compiled.sealed);
    return EXIT_DONE;
}

static int compile(struct update *update)
{
    char path[PATH_MAX];
    struct buf text;
    struct build_totals totals;
    struct str image = {0};
    struct build_watch watch = {.ctx = update, .note = tell_note};
    buf_init(&text, SOURCES_BYTES_MAX * 4);
    for (size_t i = 0; i < update->sources.n; i++) {
        append_row(update, &update->sources.rows[i], &text);
    }
    enum err err = buf_err(&text);
    if (err == ERR_OK) {
        err = file_write(update->library.dir_fd, "manifest", buf_str(&text), 0600);
    }
    buf_fini(&text);
    int n = snprintf(path, sizeof(path), "%s/lists/manifest", update->data);
    if (err == ERR_OK && (n < 0 || (size_t)n >= sizeof(path))) {
        err = ERR_LIMIT;
    }
    if (err == ERR_OK) {
        err = catalog_build(path, NULL, &watch, &totals, &image);
    }
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, command, "nothing is compiled, the old image stays: %s",
                        err_text(err));
    }
    int code = put_in_place(update, image, &totals);
    free((void *)(uintptr_t)image.p);
    return code;
}

static enum err update_all(struct update *update)
{
    ERR_TRY(fetcher_start("fetcher", &update->fetcher));
    for (size_t i = 0; i < update->sources.n; i++) {
        if (update->sources.rows[i].remote && !is_repeated(update, i)) {
            ERR_TRY(update_address(update, i));
        }
    }
    return ERR_OK;
}

static int finish(struct update *update)
{
    if (update->missing != 0) {
        return cmd_fail(EXIT_REFUSED, command,
                        "%zu lists were never had: nothing is compiled, the old image stays",
                        update->missing);
    }
    int code = compile(update);
    if (code == EXIT_DONE && update->held + update->failed != 0) {
        return cmd_fail(EXIT_REFUSED, command,
                        "%zu held, %zu not fetched: older versions serve for these", update->held,
                        update->failed);
    }
    return code;
}

static int run(struct update *update, struct arena *arena, struct buf *text, struct buf *why)
{
    enum err err = file_read(AT_FDCWD, update->sources_path, text);
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, command, "%s: %s", update->sources_path,
                        err == ERR_SYSTEM ? strerror(errno) : err_text(err));
    }
    if (sources_parse(buf_str(text), arena, &update->sources, why) != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, command, "%s:\n%.*s", update->sources_path,
                        STR_ARG(buf_str(why)));
    }
    err = library_open(update->data, &update->library);
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, command, "%s/lists: %s", update->data,
                        err == ERR_AGAIN ? "another update is running" : strerror(errno));
    }
    err = update_all(update);
    int why_errno = errno;
    fetcher_stop(&update->fetcher);
    int code = err == ERR_OK
                   ? finish(update)
                   : cmd_fail(EXIT_REFUSED, command, "%s (%s)", err_text(err), strerror(why_errno));
    library_close(&update->library);
    return code;
}

int catalog_update(int argc, char **argv)
{
    struct update update = {
        .terminal = isatty(STDERR_FILENO) == 1,
        .fetcher = {.fd = -1},
    };
    const struct option_row options[] = {
        {"sources", "FILE", "where the lists come from", &update.sources_path, NULL, true},
        {"data", "DIR", "the data folder; lists are kept below it", &update.data, NULL, true},
        {"o", "IMAGE", "where the image goes (DIR/images/catalog.img)", &update.output, NULL,
         false},
        {"accept", "ADDRESS", "take a version that would be held; \"all\"", &update.accept, NULL,
         false},
        {"quiet", NULL, "say nothing but errors", NULL, &update.quiet, false},
    };
    const struct usage usage = {
        .command = command,
        .synopsis = "--sources FILE --data DIR [-o IMAGE] [--accept ADDRESS]",
        .summary =
            "Fetches lists from where a school gets them, compiles them and puts the new image\n"
            "in place. A list that is empty, shrinks by half or doubles is held: its old\n"
            "version stays until it is accepted.",
        .details =
            "A line of the sources file is\n"
            "  CATEGORY FORMAT ADDRESS LICENCE [sealed]\n"
            "ADDRESS is http, https or a file's path; ADDRESS#FOLDER names a folder of an archive\n"
            "(.tar.gz, .zip ...). `except CATEGORY FILE` lines are as in a manifest.\n\n"
            "Exit codes: 0 all is new or unchanged; 1 something was held, not fetched or refused;\n"
            "2 wrong command line.",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
    };
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    char output[PATH_MAX];
    snprintf(output, sizeof(output), "%s/images/catalog.img", update.data);
    if (update.output == NULL) {
        char folder[PATH_MAX];
        snprintf(folder, sizeof(folder), "%.4000s/images", update.data);
        enum err err = file_make_dirs(AT_FDCWD, folder, 0755);
        if (err != ERR_OK) {
            return cmd_fail(EXIT_REFUSED, command, "%s: %s", folder, strerror(errno));
        }
        update.output = output;
    }
    struct arena arena;
    struct buf text;
    struct buf why;
    arena_init(&arena, SOURCES_BYTES_MAX);
    buf_init(&text, SOURCES_BYTES_MAX);
    buf_init(&why, SOURCES_BYTES_MAX);
    code = run(&update, &arena, &text, &why);
    arena_fini(&arena);
    buf_fini(&text);
    buf_fini(&why);
    return code;
}
