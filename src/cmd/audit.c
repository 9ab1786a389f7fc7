/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge audit: whether the chains of acts are whole; and the acts, for the police or governors. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "cmd/audit_impl.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "records/audit.h"
#include "records/audit_event.h"
#include "records/audit_heads.h"

enum { ARENA_MAX = 1 << 22, FOLDER_MODE = 0700 };

static const char verify_details[] =
    "Each school's chain is made again from its acts. The first act that is missing, was changed "
    "or\n"
    "stands where another was noted is named. Ends are noted each day in DIR/audit/heads, in the\n"
    "event spool and, with --mail-server, in a mail to the head. Where the chain is whole, its "
    "end\n"
    "is printed and noted in that file; keep a copy where this machine cannot reach it. What\n"
    "stands in such a copy or in a mail is given with --head, to see a chain whose end was cut\n"
    "off, and file and spool with it.\n"
    "\n"
    "Exit codes: 0 all are whole; 1 one is broken, or could not be read; 2 the command line was\n"
    "wrong.";

int audit_schools(const char *command, struct place *place, const char *only, struct arena *arena,
                  struct school **ret_schools, size_t *ret_n)
{
    struct school *schools = arena_array(arena, SCHOOLS_MAX, sizeof(*schools));
    struct store_rows *rows;
    size_t n = 0;
    enum err err = schools == NULL ? ERR_MEMORY : store_begin(place->store, STR(""), STORE_READ);
    if (err == ERR_OK) {
        err = store_query(place->store, STATEMENT_SCHOOLS, NULL, 0, &rows);
    }
    while (err == ERR_OK && n < SCHOOLS_MAX && store_rows_next(rows, &err)) {
        struct str id = store_rows_bytes(rows, 0);
        if (only == NULL || str_eq(id, str_from(only))) {
            schools[n].id = arena_dup(arena, id);
            schools[n++].name = arena_dup(arena, store_rows_bytes(rows, 1));
        }
    }
    store_rollback(place->store);
    if (err != ERR_OK || arena->failed) {
        return cmd_fail(EXIT_REFUSED, command, "the records: %s", store_why(place->store));
    }
    if (n == 0 && only != NULL) {
        return cmd_fail(EXIT_REFUSED, command, "no school has the id %s", only);
    }
    *ret_schools = schools;
    *ret_n = n;
    return OPTIONS_GO_ON;
}

static int open_folder(struct place *place, int *ret_fd)
{
    if (file_make_dirs(place->data_fd, AUDIT_FOLDER, FOLDER_MODE) != ERR_OK ||
        file_open_dir(place->data_fd, AUDIT_FOLDER, ret_fd) != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "audit verify",
                        "the folder " AUDIT_FOLDER " cannot be made or opened");
    }
    return OPTIONS_GO_ON;
}

/* "17:12ab..." */
static int parse_head(const char *text, struct audit_head *ret_head)
{
    struct str number, hash;
    uint64_t seq;
    if (!str_cut(str_from(text), ':', &number, &hash) ||
        parse_u64(number, 1, INT64_MAX, &seq) != ERR_OK ||
        sha256_parse(hash, ret_head->hash) != ERR_OK) {
        return cmd_fail(EXIT_USAGE, "audit verify",
                        "--head takes NUMBER:HASH, as verify prints it");
    }
    ret_head->seq = (int64_t)seq;
    ret_head->noted = "--head";
    return OPTIONS_GO_ON;
}

/* All that was noted of a chain's end, in whichever place. */
static enum err read_ends(const struct place *place, int folder_fd, const struct school *school,
                          const struct audit_head *given, struct audit_ends *ends)
{
    int spool_fd;
    if (given->seq != 0) {
        ERR_TRY(audit_ends_add(ends, given));
    }
    ERR_TRY(audit_heads_read(folder_fd, school->id, ends));
    enum err err = file_open_dir(place->data_fd, "spool", &spool_fd);
    if (err == ERR_OK) {
        err = audit_event_read(spool_fd, school->id, ends);
    } else if (errno == ENOENT) {
        err = ERR_OK; /* the gate never ran here */
    }
    if (ends->damaged) {
        (void)cmd_fail(EXIT_REFUSED, "audit verify",
                       "a part of " AUDIT_FOLDER "/" AUDIT_HEADS_NAME
                       " or of the event spool is broken and was passed over");
    }
    return err;
}

static enum err verify(struct place *place, int folder_fd, const struct school *school,
                       const struct audit_head *given, struct audit_verdict *verdict,
                       struct audit_head *head)
{
    struct audit_ends ends = {0};
    enum err err = read_ends(place, folder_fd, school, given, &ends);
    if (err == ERR_OK) {
        err = store_begin(place->store, school->id, STORE_READ);
    }
    if (err == ERR_OK) {
        err = audit_verify_against(place->store, school->id, ends.at, ends.n, verdict);
    }
    audit_ends_fini(&ends);
    if (err == ERR_OK && verdict->whole) {
        err = audit_heads_note(place->store, folder_fd, school->id, clock_utc_ms());
    }
    if (err == ERR_OK) {
        err = audit_head(place->store, school->id, &head->seq, head->hash);
    }
    store_rollback(place->store);
    return err;
}

static int tell(const struct school *school, const struct audit_verdict *verdict,
                const struct audit_head *head)
{
    char digits[SHA256_TEXT_MAX];
    if (!verdict->whole) {
        const char *noted = verdict->noted;
        printf("%.*s (%.*s): BROKEN at act %lld: %.*s%s%s%s\n", STR_ARG(school->name),
               STR_ARG(school->id), (long long)verdict->broken_seq, STR_ARG(verdict->why),
               noted != NULL ? " (" : "", noted != NULL ? noted : "", noted != NULL ? ")" : "");
        return EXIT_REFUSED;
    }
    printf("%.*s (%.*s): whole, %lld acts", STR_ARG(school->name), STR_ARG(school->id),
           (long long)verdict->acts);
    if (head->seq != 0) {
        sha256_print(head->hash, digits);
        printf(", ends with %lld:%s", (long long)head->seq, digits);
    }
    putchar('\n');
    return EXIT_DONE;
}

static int verify_all(struct place *place, int folder_fd, const char *only,
                      const struct audit_head *given, struct arena *arena)
{
    struct school *schools;
    size_t n;
    int code = audit_schools("audit verify", place, only, arena, &schools, &n);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    code = EXIT_DONE;
    for (size_t i = 0; i < n; i++) {
        struct audit_verdict verdict;
        struct audit_head head;
        enum err err = verify(place, folder_fd, &schools[i], given, &verdict, &head);
        if (err != ERR_OK) {
            const char *why = store_why(place->store);
            return cmd_fail(EXIT_REFUSED, "audit verify", "%.*s: %s", STR_ARG(schools[i].id),
                            why[0] != '\0' ? why : err_text(err));
        }
        if (tell(&schools[i], &verdict, &head) != EXIT_DONE) {
            code = EXIT_REFUSED;
        }
    }
    return code;
}

static int audit_verify_command(int argc, char **argv)
{
    static const char *data, *database, *school, *head;
    static const struct option_row rows[] = {
        {.name = "data",
         .value = "DIR",
         .help = "the data folder",
         .text = &data,
         .required = true},
        {.name = "database", .value = "URI", .help = "PostgreSQL, as of serve", .text = &database},
        {.name = "school", .value = "ID", .help = "only this one", .text = &school},
        {.name = "head", .value = "NUMBER:HASH", .help = "an end noted before", .text = &head},
    };
    static const struct usage usage = {
        .command = "audit verify",
        .synopsis = "--data DIR [--database URI] [--school ID [--head NUMBER:HASH]]",
        .summary = "Says whether any act was changed, taken out or cut off.",
        .details = verify_details,
        .options = rows,
        .n_options = sizeof(rows) / sizeof(rows[0]),
    };
    struct audit_head given = {0};
    struct place place;
    struct arena arena;
    int first, folder_fd;
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON && head != NULL) {
        code = school != NULL ? parse_head(head, &given)
                              : cmd_fail(EXIT_USAGE, "audit verify", "--head needs --school");
    }
    code = code == OPTIONS_GO_ON ? place_open("audit verify", data, database, false, &place) : code;
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    arena_init(&arena, ARENA_MAX);
    code = open_folder(&place, &folder_fd);
    if (code == OPTIONS_GO_ON) {
        code = verify_all(&place, folder_fd, school, &given, &arena);
        close(folder_fd);
    }
    arena_fini(&arena);
    place_close(&place);
    return code;
}

int cmd_audit(int argc, char **argv)
{
    static const struct subcommand rows[] = {
        {"verify", audit_verify_command, "say whether the acts are as they were written"},
        {"export", audit_export, "print acts as CSV or JSON lines"},
    };
    return subcommand_run("audit", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
