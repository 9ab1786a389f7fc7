/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge audit export: the acts of a school, for the police or governors (U18). The export is an act
 * itself, so that it stands in the next one. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "base/clock.h"
#include "cmd/audit_impl.h"
#include "crypto/hash.h"
#include "records/audit.h"
#include "records/audit_list.h"
#include "store/attempt.h"
#include "wire/csv.h"
#include "wire/json.h"

enum { ARENA_MAX = 1 << 22, ROW_MAX = 1 << 22, N_COLUMNS = 18 };

static const char details[] =
    "Days are days in Britain, both included; without them all acts are printed. Values stand in "
    "no\n"
    "act: fields are names with digests. Words that were sealed (a reason that somebody typed) "
    "are\n"
    "left out but for --private-words, which needs the keys of the data folder; those of a record\n"
    "that was disposed of are gone. A cell that a spreadsheet would take for a formula has an\n"
    "apostrophe in front. The hash of each act is there, so that whoever gets the file can make "
    "the\n"
    "chain again (docs/audit.md).\n"
    "\n"
    "Exit codes: 0 printed; 1 refused or failed; 2 the command line was wrong.";

/* In the order of STATEMENT_ACTS_BETWEEN. */
static const struct column {
    const char *name;
    enum { PLAIN, NUMBER, TIME, SEALED, HASH } kind;
} columns[N_COLUMNS] = {
    {"number", NUMBER},    {"when", TIME},        {"act", PLAIN},         {"actor", PLAIN},
    {"account", PLAIN},    {"session", PLAIN},    {"address", PLAIN},     {"area", PLAIN},
    {"record", PLAIN},     {"about", PLAIN},      {"hidden_from", PLAIN}, {"version", NUMBER},
    {"fields", PLAIN},     {"words", PLAIN},      {"private", SEALED},    {"hash", HASH},
    {"actor_name", PLAIN}, {"about_name", PLAIN},
};

enum { COLUMN_RECORD = 8 };

struct acts_export {
    struct place place;
    struct str school;
    int64_t from_ms, until_ms;
    bool json;
    bool private_words;
    struct buf row, cell;
};

/* What was sealed, or why it cannot be said. */
static void open_private(struct acts_export *out, const struct store_rows *rows, struct str sealed)
{
    buf_clear(&out->cell);
    if (sealed.len == 0) {
        return;
    }
    if (!out->private_words) {
        buf_append(&out->cell, STR("(sealed)"));
        return;
    }
    struct str record = store_rows_bytes(rows, COLUMN_RECORD);
    enum err err =
        keys_open_sealed(out->place.keys, record, AUDIT_SEALED_FIELD, sealed, &out->cell);
    if (err != ERR_OK) {
        buf_clear(&out->cell);
        buf_append(&out->cell, err == ERR_NOT_FOUND ? STR("(gone: the record was disposed of)")
                                                    : STR("(damaged)"));
    }
}

/* One value as text, into out->cell. */
static void print_value(struct acts_export *out, const struct store_rows *rows, size_t i)
{
    char digits[SHA256_TEXT_MAX];
    char when[CIVIL_TEXT_MAX];
    buf_clear(&out->cell);
    switch (columns[i].kind) {
    case PLAIN:
        buf_append(&out->cell, store_rows_bytes(rows, i));
        break;
    case NUMBER:
        buf_append_i64(&out->cell, store_rows_number(rows, i));
        break;
    case TIME:
        buf_append(&out->cell, str_make(when, civil_print_utc(store_rows_number(rows, i), when)));
        break;
    case SEALED:
        open_private(out, rows, store_rows_bytes(rows, i));
        break;
    case HASH:
        if (store_rows_bytes(rows, i).len == SHA256_BYTES) {
            sha256_print((const uint8_t *)store_rows_bytes(rows, i).p, digits);
            buf_append(&out->cell, str_from(digits));
        }
        break;
    }
}

static void print_json(struct acts_export *out, const struct store_rows *rows)
{
    json_open_object(&out->row);
    for (size_t i = 0; i < N_COLUMNS; i++) {
        json_name(&out->row, str_from(columns[i].name));
        if (columns[i].kind == NUMBER) {
            json_i64(&out->row, store_rows_number(rows, i));
        } else {
            print_value(out, rows, i);
            json_str(&out->row, buf_str(&out->cell));
        }
    }
    json_close_object(&out->row);
    buf_append_byte(&out->row, '\n');
}

static void print_csv(struct acts_export *out, const struct store_rows *rows)
{
    for (size_t i = 0; i < N_COLUMNS; i++) {
        print_value(out, rows, i);
        csv_put(&out->row, i == 0, buf_str(&out->cell));
    }
    csv_end_row(&out->row);
}

static enum err write_row(struct acts_export *out)
{
    ERR_TRY(buf_err(&out->cell));
    ERR_TRY(buf_err(&out->row));
    size_t put = fwrite(out->row.p, 1, out->row.len, stdout);
    enum err err = put == out->row.len ? ERR_OK : ERR_SYSTEM;
    buf_clear(&out->row);
    return err;
}

static enum err write_rows(struct acts_export *out)
{
    const struct store_value values[] = {store_text(out->school), store_number(out->from_ms),
                                         store_number(out->until_ms)};
    struct store_rows *rows;
    enum err err = ERR_OK;
    if (!out->json) {
        csv_begin(&out->row);
        for (size_t i = 0; i < N_COLUMNS; i++) {
            csv_put(&out->row, i == 0, str_from(columns[i].name));
        }
        csv_end_row(&out->row);
        ERR_TRY(write_row(out));
    }
    ERR_TRY(store_query(out->place.store, STATEMENT_ACTS_BETWEEN, values, 3, &rows));
    while (store_rows_next(rows, &err)) {
        if (out->json) {
            print_json(out, rows);
        } else {
            print_csv(out, rows);
        }
        err = write_row(out);
        if (err != ERR_OK) {
            break;
        }
    }
    store_rows_free(rows);
    return err;
}

/* Who exports notes it first: an export that fails half-way stands in the audit, too. */
static enum err note(struct acts_export *out)
{
    const struct actor at_machine = {
        .school = out->school, .operator= true, .now_ms = clock_utc_ms()};
    const struct act_entry entry = {
        .act = ACT_taken,
        .area = STR("audit"),
        .words =
            out->private_words ? STR("At the machine, with private words") : STR("At the machine"),
    };
    struct store_attempt attempt = store_attempt(out->place.store, out->school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt,
                          audit_append(out->place.store, NULL, &at_machine, &entry, NULL));
    }
    return attempt.err;
}

static int run(struct acts_export *out)
{
    buf_init(&out->row, ROW_MAX);
    buf_init(&out->cell, ROW_MAX);
    enum err err = note(out);
    if (err == ERR_OK) {
        err = store_begin(out->place.store, out->school, STORE_READ);
    }
    if (err == ERR_OK) {
        err = write_rows(out);
        store_rollback(out->place.store);
    }
    if (err == ERR_OK && fflush(stdout) != 0) {
        err = ERR_SYSTEM;
    }
    buf_fini(&out->row);
    buf_fini(&out->cell);
    const char *why = store_why(out->place.store);
    return err == ERR_OK
               ? EXIT_DONE
               : cmd_fail(EXIT_REFUSED, "audit export", "%s", why[0] != '\0' ? why : err_text(err));
}

/* The whole day `until` is in. */
static int read_days(const char *from, const char *until, struct acts_export *out)
{
    out->from_ms = 0;
    out->until_ms = INT64_MAX;
    if ((from != NULL && audit_day_ms(str_from(from), &out->from_ms) != ERR_OK) ||
        (until != NULL && audit_day_end_ms(str_from(until), &out->until_ms) != ERR_OK)) {
        return cmd_fail(EXIT_USAGE, "audit export", "a day is written as 2026-11-22");
    }
    return OPTIONS_GO_ON;
}

static int open_school(const char *only, struct acts_export *out, struct arena *arena)
{
    struct school *schools;
    size_t n;
    int code = audit_schools("audit export", &out->place, only, arena, &schools, &n);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    if (n != 1) {
        return cmd_fail(EXIT_USAGE, "audit export", "there are %zu schools here: say --school ID",
                        n);
    }
    out->school = schools[0].id;
    return OPTIONS_GO_ON;
}

int audit_export(int argc, char **argv)
{
    static const char *data, *database, *school, *from, *until;
    static bool json, private_words;
    static const struct option_row rows[] = {
        {.name = "data",
         .value = "DIR",
         .help = "the data folder",
         .text = &data,
         .required = true},
        {.name = "database", .value = "URI", .help = "PostgreSQL, as of serve", .text = &database},
        {.name = "school",
         .value = "ID",
         .help = "needed where there are several",
         .text = &school},
        {.name = "from", .value = "DAY", .help = "the first day, as 2026-11-22", .text = &from},
        {.name = "until", .value = "DAY", .help = "the last day", .text = &until},
        {.name = "json", .help = "JSON lines instead of CSV", .flag = &json},
        {.name = "private-words", .help = "what was sealed, too", .flag = &private_words},
    };
    static const struct usage usage = {
        .command = "audit export",
        .synopsis = "--data DIR [--school ID] [--from DAY] [--until DAY] [--json]",
        .summary = "Prints who did what and who looked, as CSV.",
        .details = details,
        .options = rows,
        .n_options = sizeof(rows) / sizeof(rows[0]),
    };
    struct acts_export out = {0};
    struct arena arena;
    int first;
    int code = options_read(&usage, argc, argv, &first);
    code = code == OPTIONS_GO_ON ? read_days(from, until, &out) : code;
    if (code == OPTIONS_GO_ON) {
        code = place_open("audit export", data, database, private_words, &out.place);
    }
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    out.json = json;
    out.private_words = private_words;
    arena_init(&arena, ARENA_MAX);
    code = open_school(school, &out, &arena);
    code = code == OPTIONS_GO_ON ? run(&out) : code;
    arena_fini(&arena);
    place_close(&out.place);
    return code;
}
