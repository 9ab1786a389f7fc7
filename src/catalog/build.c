/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/build.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/check.h"
#include "os/file.h"
#include "wire/suffix.h"
#include "catalog/category.h"
#include "catalog/manifest.h"

enum {
    SHOWN_LINES = 3, /* bad lines of a list that are shown; the rest are counted */
    NOTE_MAX = 1024,
    INCLUDES_MAX = 10000,
    WIDE_MAX = 10, /* bytes of a public suffix that is looked for: "school.nz" */
    NAMES_ARENA = 256 * 1024 * 1024,
};

/* One more list that a v2fly list includes. */
struct include {
    struct str path;
    struct str attributes;
};

struct build {
    const struct build_watch *watch;
    struct compile *compile;
    struct arena arena; /* names of files, popular names */
    const char *manifest;
    const char *folder; /* of the manifest, with its slash; "" for none */
    struct manifest_row *rows;
    size_t n_rows;
    struct build_totals totals;
    uint64_t told_entries;
    /* The file that is read now. */
    const char *file;
    bool sealed;
    size_t shown;
    uint64_t faults[LIST_FAULT_COUNT];
    /* v2fly's includes of the row that is read now. */
    struct include *includes;
    size_t n_includes;
    struct str attributes;
    struct str include_folder;
    const struct manifest_row *row;
};

static void note(struct build *build, enum build_note kind, const char *format, ...)
    PRINTF_LIKE(3, 4);

static void note(struct build *build, enum build_note kind, const char *format, ...)
{
    char line[NOTE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    build->watch->note(build->watch->ctx, kind, line);
}

/* Bytes of a file from outside, for a person: without control characters, and not endless. */
static const char *shown(struct str text, char to[80])
{
    size_t len = text.len < 76 ? text.len : 76;
    for (size_t i = 0; i < len; i++) {
        to[i] = text.p[i] >= ' ' && text.p[i] < 127 ? text.p[i] : '?';
    }
    memcpy(to + len, len < text.len ? "..." : "", len < text.len ? 4 : 1);
    return to;
}

static const char *join_path(struct build *build, struct str folder, struct str name)
{
    struct buf path;
    buf_init(&path, 2 * PATH_MAX);
    buf_append(&path, str_starts(name, STR("/")) ? STR("") : folder);
    buf_append(&path, name);
    struct str all =
        buf_err(&path) == ERR_OK ? arena_dup(&build->arena, buf_str(&path)) : str_make(NULL, 0);
    buf_fini(&path);
    return all.p;
}

/* Maps a file; an empty one is the empty slice. */
static enum err map_file(struct build *build, const char *path, struct file_map *ret_map)
{
    struct stat info;
    if (path == NULL) {
        return ERR_MEMORY;
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &info) != 0) {
        note(build, BUILD_ERROR, "%s: %s", path, strerror(errno));
    } else if (!S_ISREG(info.st_mode)) {
        note(build, BUILD_ERROR, "%s: is not a file; is the format right?", path);
    } else if (file_map_fd(fd, ret_map) == ERR_OK) {
        (void)close(fd);
        return ERR_OK;
    } else {
        note(build, BUILD_ERROR, "%s: %s", path, strerror(errno));
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return ERR_INVALID;
}

static void progress(struct build *build, size_t done, uint64_t entries)
{
    if (build->watch->progress != NULL) {
        build->watch->progress(build->watch->ctx, done, build->n_rows, entries);
    }
}

/* True for a whole "co.uk" on a list that closes. The look costs more than all else that is done to
 * a name, so only those are looked at that can be the suffix of a whole country: its two letters,
 * and a short label before them. */
static bool is_too_wide(const struct build *build, const struct list_entry *entry)
{
    const struct host *host = entry->host;
    enum tier tier = category_row(build->row->category)->tier;
    return entry->kind == LIST_ENTRY_HOST && (tier == TIER_HARMFUL || tier == TIER_SEALED) &&
           host->len > 3 && host->len <= WIDE_MAX && host->text[host->len - 3] == '.' &&
           host_is_public_suffix(host);
}

static void take_fault(void *ctx, enum list_fault fault, uint32_t line, struct str text);

static enum err take_entry(void *ctx, const struct list_entry *entry)
{
    enum { PROGRESS_ENTRIES = 1 << 18 };
    struct build *build = ctx;
    if (++build->told_entries % PROGRESS_ENTRIES == 0) {
        progress(build, (size_t)(build->row - build->rows), build->told_entries);
    }
    if (is_too_wide(build, entry)) {
        take_fault(build, LIST_FAULT_SUFFIX, entry->line, host_str(entry->host));
        return ERR_OK;
    }
    return compile_entry(build->compile, entry);
}

static void take_fault(void *ctx, enum list_fault fault, uint32_t line, struct str text)
{
    struct build *build = ctx;
    char words[80];
    build->faults[fault]++;
    if (list_fault_is_bad(fault) && build->shown < SHOWN_LINES) {
        build->shown++;
        note(build, BUILD_WARNING, "%s:%u: %s%s%s", build->file, line, list_fault_text(fault),
             build->sealed ? "" : ": ", build->sealed ? "" : shown(text, words));
    }
}

static void tell_faults(struct build *build)
{
    for (unsigned i = 0; i < LIST_FAULT_COUNT; i++) {
        enum list_fault fault = (enum list_fault)i;
        uint64_t n = build->faults[i];
        bool bad = list_fault_is_bad(fault);
        *(bad ? &build->totals.bad : &build->totals.skipped) += n;
        if (n != 0) {
            note(build, BUILD_INFO, "%s: %llu %s left out: %s", build->file, (unsigned long long)n,
                 n == 1 ? "line" : "lines", list_fault_text(fault));
        }
    }
}

static enum err take_include(void *ctx, struct str name, struct str attributes)
{
    struct build *build = ctx;
    struct str both;
    struct buf words;
    const char *path = join_path(build, build->include_folder, name);
    buf_init(&words, LIMIT_URL_LEN);
    buf_append(&words, str_trim_space(attributes));
    buf_append(&words, build->attributes.len != 0 ? STR(" ") : STR(""));
    buf_append(&words, build->attributes);
    both = arena_dup(&build->arena, buf_str(&words));
    buf_fini(&words);
    if (path == NULL || both.p == NULL) {
        return ERR_MEMORY;
    }
    struct include item = {str_from(path), both};
    for (size_t i = 0; i < build->n_includes; i++) {
        if (str_eq(build->includes[i].path, item.path) &&
            str_eq(build->includes[i].attributes, item.attributes)) {
            return ERR_OK;
        }
    }
    if (build->n_includes == INCLUDES_MAX || str_index(name, '/') < name.len) {
        note(build, BUILD_ERROR, "%s: too many lists are included, or one of another folder",
             build->file);
        return ERR_INVALID;
    }
    build->includes[build->n_includes++] = item;
    return ERR_OK;
}

static enum err read_file(struct build *build, enum list_format format, const char *path)
{
    struct file_map map = {{NULL, 0}};
    struct list_sink sink = {
        .ctx = build,
        .entry = take_entry,
        .fault = take_fault,
        .include = take_include,
        .attributes = build->attributes,
        .sealed = build->sealed,
    };
    ERR_TRY(map_file(build, path, &map));
    build->file = path;
    build->shown = 0;
    memset(build->faults, 0, sizeof(build->faults));
    enum err err = compile_list(build->compile, build->row->category, build->sealed, path);
    err = err == ERR_OK ? list_read(format, map.bytes, &sink) : err;
    tell_faults(build);
    file_map_fini(&map);
    return err;
}

/* The list and all that it includes, one after the other; each once for the same attributes. */
static enum err read_v2fly(struct build *build, const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t folder_len = slash != NULL ? (size_t)(slash - path) + 1 : 0;
    build->include_folder = str_make(path, folder_len);
    build->includes[0] = (struct include){str_from(path), STR("")};
    build->n_includes = 1;
    for (size_t i = 0; i < build->n_includes; i++) {
        build->attributes = build->includes[i].attributes;
        ERR_TRY(read_file(build, LIST_V2FLY, build->includes[i].path.p));
    }
    build->attributes = STR("");
    return ERR_OK;
}

static uint64_t count_lines(struct str bytes)
{
    uint64_t n = 0;
    for (struct str line; bytes.len != 0;) {
        (void)str_cut(bytes, '\n', &line, &bytes);
        n += str_trim_space(line).len != 0;
    }
    return n;
}

static enum err skip_expressions(struct build *build, const char *path)
{
    struct file_map map = {{NULL, 0}};
    ERR_TRY(map_file(build, path, &map));
    uint64_t n = count_lines(map.bytes);
    file_map_fini(&map);
    build->totals.skipped += n;
    note(build, BUILD_INFO, "%s: %llu left out: regular expressions", path, (unsigned long long)n);
    return ERR_OK;
}

static enum err read_ut1_file(struct build *build, const char *path, struct str name)
{
    enum list_format format = list_ut1_part(name);
    if (format != LIST_UNSET) {
        return read_file(build, format, path);
    }
    if (str_ends(name, STR("expressions")) || str_ends(name, STR("expression"))) {
        return skip_expressions(build, path);
    }
    if (!str_eq(name, STR("usage"))) {
        note(build, BUILD_WARNING, "%s: no part of a UT1 folder; not read", path);
    }
    return ERR_OK;
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static enum err read_ut1(struct build *build, const char *path)
{
    struct dirent **entries = NULL;
    enum err err = ERR_OK;
    int n = scandir(path, &entries, is_visible, alphasort);
    if (n < 0) {
        note(build, BUILD_ERROR, "%s: %s; a UT1 list is a folder", path, strerror(errno));
        return ERR_INVALID;
    }
    for (int i = 0; i < n; i++) {
        struct str name = str_from(entries[i]->d_name);
        char full[2 * PATH_MAX];
        snprintf(full, sizeof(full), "%s/%s", path, entries[i]->d_name);
        struct str kept = arena_dup(&build->arena, str_from(full));
        if (err == ERR_OK) {
            err = kept.p != NULL ? read_ut1_file(build, kept.p, name) : ERR_MEMORY;
        }
        free(entries[i]);
    }
    free(entries);
    return err;
}

static enum err read_list_row(struct build *build, const struct manifest_row *row)
{
    const char *path = join_path(build, str_from(build->folder), row->path);
    build->row = row;
    build->sealed = row->sealed;
    if (path == NULL) {
        return ERR_MEMORY;
    }
    switch (row->format) {
    case LIST_UT1:
        return read_ut1(build, path);
    case LIST_V2FLY:
        return read_v2fly(build, path);
    case LIST_DOMAINS:
    case LIST_HOSTS:
    case LIST_URLS:
    case LIST_CIDR:
    case LIST_HASHED:
        return read_file(build, row->format, path);
    case LIST_UNSET:
        break;
    }
    return ERR_INVALID;
}

struct except_file {
    struct build *build;
    const struct manifest_row *row;
    const char *path;
    uint32_t line;
    bool wrong;
};

static enum err take_exception(void *ctx, const struct list_entry *entry)
{
    struct except_file *file = ctx;
    struct list_entry here = *entry;
    here.line = file->line;
    return compile_except(file->build->compile, file->row->category, &here, file->path);
}

static void wrong_exception(void *ctx, enum list_fault fault, uint32_t line, struct str text)
{
    struct except_file *file = ctx;
    char words[80];
    (void)line;
    file->wrong = true;
    note(file->build, BUILD_ERROR, "%s:%u: %s: %s", file->path, file->line, list_fault_text(fault),
         shown(text, words));
}

static enum err read_exception(struct except_file *file, struct str line)
{
    struct str name;
    struct str reason;
    const struct list_sink sink = {.ctx = file, .entry = take_exception, .fault = wrong_exception};
    (void)str_cut(line, '#', &name, &reason);
    name = str_trim_space(name);
    if (name.len == 0) {
        return ERR_OK;
    }
    if (str_trim_space(reason).len == 0) {
        file->wrong = true;
        note(file->build, BUILD_ERROR, "%s:%u: the reason is missing: write it behind a '#'",
             file->path, file->line);
        return ERR_OK;
    }
    return list_read(LIST_URLS, name, &sink);
}

static enum err read_except_row(struct build *build, const struct manifest_row *row)
{
    struct except_file file = {
        .build = build,
        .row = row,
        .path = join_path(build, str_from(build->folder), row->path),
    };
    struct file_map map = {{NULL, 0}};
    enum err err = ERR_OK;
    ERR_TRY(map_file(build, file.path, &map));
    for (struct str rest = map.bytes, line; rest.len != 0 && err == ERR_OK;) {
        (void)str_cut(rest, '\n', &line, &rest);
        file.line++;
        err = read_exception(&file, line);
    }
    file_map_fini(&map);
    return err == ERR_OK && file.wrong ? ERR_INVALID : err;
}

static void tell_idle(void *ctx, const char *file, uint32_t line, struct str entry)
{
    char words[80];
    note(ctx, BUILD_WARNING, "%s:%u: no list of this category holds %s", file, line,
         shown(entry, words));
}

static bool row_covers(const struct manifest_row *row, struct str path)
{
    if (row->kind == MANIFEST_UNUSED && str_ends(row->path, STR("*"))) {
        return str_starts(path, str_sub(row->path, 0, row->path.len - 1));
    }
    return str_eq(row->path, path);
}

static bool is_mentioned(const struct build *build, struct str path)
{
    for (size_t i = 0; i < build->n_rows; i++) {
        if (row_covers(&build->rows[i], path)) {
            return true;
        }
    }
    return false;
}

static struct str parent_of(struct str path)
{
    while (path.len != 0 && path.p[path.len - 1] != '/') {
        path.len--;
    }
    return path;
}

static void tell_unmentioned_in(struct build *build, struct str folder)
{
    struct dirent **entries = NULL;
    const char *real = join_path(build, str_from(build->folder), folder);
    int n =
        real != NULL ? scandir(real[0] != '\0' ? real : ".", &entries, is_visible, alphasort) : -1;
    for (int i = 0; i < n; i++) {
        char path[2 * PATH_MAX];
        int len = snprintf(path, sizeof(path), "%.*s%s", STR_ARG(folder), entries[i]->d_name);
        if (!is_mentioned(build, str_make(path, (size_t)len))) {
            note(build, BUILD_WARNING,
                 "%s%s: no category uses it; name it in the manifest, or say \"unused %s REASON\"",
                 real, entries[i]->d_name, path);
        }
        free(entries[i]);
    }
    free(entries);
}

/* What lies beside the lists of the manifest and is not in it. What lies beside a list with a whole
 * path is somebody else's. */
static void tell_unmentioned(struct build *build)
{
    for (size_t i = 0; i < build->n_rows; i++) {
        struct str folder = parent_of(build->rows[i].path);
        bool first = build->rows[i].kind == MANIFEST_LIST && folder.len != 0 && folder.p[0] != '/';
        for (size_t j = 0; j < i && first; j++) {
            first = build->rows[j].kind != MANIFEST_LIST ||
                    !str_eq(parent_of(build->rows[j].path), folder);
        }
        if (first) {
            tell_unmentioned_in(build, folder);
        }
    }
}

struct names {
    struct build *build;
    struct str *p;
    size_t n;
    size_t cap;
};

static enum err take_popular(void *ctx, const struct list_entry *entry)
{
    struct names *names = ctx;
    if (names->n == names->cap) {
        size_t cap = names->cap != 0 ? names->cap * 2 : 1024;
        struct str *p = reallocarray(names->p, cap, sizeof(*p));
        if (p == NULL) {
            return ERR_MEMORY;
        }
        names->p = p;
        names->cap = cap;
    }
    struct str name = arena_dup(&names->build->arena, host_str(entry->host));
    names->p[names->n++] = name;
    return name.p != NULL ? ERR_OK : ERR_MEMORY;
}

static void tell_popular(void *ctx, const struct compile_hit *hit)
{
    char name[80];
    char entry[80];
    struct str category = category_row(hit->category)->name;
    if (hit->entry.len == 0) {
        /* What a sealed list holds is not said (F3), not even of a name that everybody knows. */
        note(ctx, BUILD_WARNING, "%s:%u: a sealed entry closes a popular name; ask who made it",
             hit->list, hit->line);
        return;
    }
    note(ctx, BUILD_WARNING, "%s:%u: %s gives the popular name %s the category %.*s", hit->list,
         hit->line, shown(hit->entry, entry), shown(hit->name, name), STR_ARG(category));
}

static enum err look_at_popular(struct build *build, const char *path)
{
    struct names names = {.build = build};
    const struct list_sink sink = {.ctx = &names, .entry = take_popular, .fault = take_fault};
    struct file_map map = {{NULL, 0}};
    if (path == NULL) {
        return ERR_OK;
    }
    ERR_TRY(map_file(build, path, &map));
    struct list_sink to = sink;
    build->file = path;
    build->shown = SHOWN_LINES;
    enum err err = list_read(LIST_DOMAINS, map.bytes, &to);
    if (err == ERR_OK) {
        err = compile_popular(build->compile, names.p, names.n, tell_popular, build);
    }
    free(names.p);
    file_map_fini(&map);
    return err;
}

static void tell_if_nothing(struct build *build, const struct manifest_row *row, bool nothing)
{
    if (nothing) {
        note(build, BUILD_WARNING,
             "%s: line %u: %.*s gives no entry; is it empty, or of another format?",
             build->manifest, row->line, STR_ARG(row->path));
    }
}

static enum err read_rows(struct build *build)
{
    enum err result = ERR_OK;
    for (size_t i = 0; i < build->n_rows; i++) {
        const struct manifest_row *row = &build->rows[i];
        enum err err = ERR_OK;
        if (row->kind == MANIFEST_LIST) {
            uint64_t before = build->told_entries;
            err = read_list_row(build, row);
            tell_if_nothing(build, row, err == ERR_OK && build->told_entries == before);
        } else if (row->kind == MANIFEST_EXCEPT) {
            err = read_except_row(build, row);
        }
        if (err != ERR_OK && err != ERR_INVALID) {
            return err;
        }
        result = err != ERR_OK ? err : result; /* go on, so that all mistakes are told at once */
        progress(build, i + 1, build->told_entries);
    }
    return result;
}

static bool has_list(const struct build *build)
{
    for (size_t i = 0; i < build->n_rows; i++) {
        if (build->rows[i].kind == MANIFEST_LIST) {
            return true;
        }
    }
    return false;
}

static enum err read_manifest(struct build *build, const char *path)
{
    struct file_map map = {{NULL, 0}};
    struct buf why;
    ERR_TRY(map_file(build, path, &map));
    struct str text = arena_dup(&build->arena, map.bytes);
    bool lost = text.p == NULL && map.bytes.len != 0;
    file_map_fini(&map);
    buf_init(&why, LIMIT_POLICY_BYTES);
    enum err err = lost ? ERR_MEMORY : manifest_parse(text, &why, &build->rows, &build->n_rows);
    struct str rest = buf_str(&why);
    for (struct str line; rest.len != 0;) {
        (void)str_cut(rest, '\n', &line, &rest);
        note(build, BUILD_ERROR, "%s: %.*s", path, STR_ARG(line));
    }
    buf_fini(&why);
    if (err == ERR_OK && !has_list(build)) {
        note(build, BUILD_ERROR, "%s: names no list; a line is CATEGORY FORMAT PATH [sealed]",
             path);
        err = ERR_INVALID;
    }
    struct str folder = arena_dup(&build->arena, parent_of(str_from(path)));
    build->folder = folder.p != NULL ? folder.p : "";
    return err;
}

static enum err run(struct build *build, const char *manifest, const char *popular,
                    struct str *ret_image)
{
    ERR_TRY(read_manifest(build, manifest));
    ERR_TRY(compile_new(&build->compile));
    build->includes = calloc(INCLUDES_MAX, sizeof(struct include));
    if (build->includes == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(read_rows(build));
    tell_unmentioned(build);
    ERR_TRY(compile_settle(build->compile, tell_idle, build));
    ERR_TRY(look_at_popular(build, popular));
    return compile_finish(build->compile, &build->totals.compiled, ret_image);
}

enum err catalog_build(const char *manifest, const char *popular, const struct build_watch *watch,
                       struct build_totals *ret_totals, struct str *ret_image)
{
    struct build build = {.watch = watch, .manifest = manifest, .folder = ""};
    arena_init(&build.arena, NAMES_ARENA);
    enum err err = run(&build, manifest, popular, ret_image);
    if (err == ERR_OK) {
        *ret_totals = build.totals;
    }
    compile_free(build.compile);
    free(build.includes);
    free(build.rows);
    arena_fini(&build.arena);
    return err;
}
