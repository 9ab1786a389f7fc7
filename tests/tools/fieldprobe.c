/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lets a test ask how what people write is read, one JSON value a line:
 *   fieldprobe csv < FILE          each row as an array of its cells, then "end" or {"bad": why}
 *   fieldprobe WORD < LINES        each line as a field of that type ("date", "upn"): its canonical
 *                                  text, null for nothing, or {"fault": sentence}
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/check.h"
#include "records/field.h"
#include "wire/csv.h"

enum { ROOM = CSV_BYTES_MAX, LINE_MAX_BYTES = 65536, TODAY = 20779 };

static void put(json_t *json)
{
    char *text = json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT);
    CHECK(text != NULL);
    puts(text);
    free(text);
    json_decref(json);
}

static int read_csv(void)
{
    static struct str cells[CSV_CELLS_MAX];
    struct buf bytes;
    struct csv csv;
    struct arena arena;
    size_t n = 0;
    enum csv_step step = CSV_UNSET;
    arena_init(&arena, ROOM);
    buf_init(&bytes, ROOM);
    for (int c = getchar(); c != EOF; c = getchar()) {
        buf_append_byte(&bytes, (char)c);
    }
    CHECK(csv_open(buf_str(&bytes), &csv) == ERR_OK);
    while ((step = csv_next(&csv, &arena, cells, &n)) == CSV_ROW) {
        json_t *row = json_array();
        for (size_t i = 0; i < n; i++) {
            json_array_append_new(row,
                                  json_stringn(cells[i].p != NULL ? cells[i].p : "", cells[i].len));
        }
        put(row);
    }
    put(step == CSV_END ? json_string("end") : json_pack("{s:s}", "bad", csv.why));
    csv_close(&csv);
    buf_fini(&bytes);
    arena_fini(&arena);
    return 0;
}

static struct register_field field_of(const char *word)
{
    static const struct {
        const char *word;
        enum field_type type;
    } types[] = {
#define FIELD_TYPE(name, word, column, text) {word, FIELD_##name},
#include "records/field_type.def"
#undef FIELD_TYPE
    };
    struct register_field field = {.name = STR("x"), .label = STR("It")};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (str_eq(str_from(types[i].word), str_from(word))) {
            field.type = types[i].type;
        }
    }
    CHECK(field.type != FIELD_UNSET);
    field.max = field.type <= FIELD_SEALED_TEXT ? 1000 : 0;
    return field;
}

static json_t *read_line(const struct register_field *field, struct str line, struct arena *arena)
{
    struct field_reader reader = {.arena = arena, .today = TODAY};
    struct field_value value = {0};
    struct str fault = {0};
    struct buf text;
    json_t *input = json_object();
    json_object_set_new(input, "x", json_stringn_nocheck(line.p, line.len));
    enum err err = field_read(field, input, &reader, &value, &fault);
    json_decref(input);
    if (err == ERR_INVALID) {
        return json_pack("{s:s%}", "fault", fault.p, fault.len);
    }
    CHECK(err == ERR_OK);
    buf_init(&text, LINE_MAX_BYTES);
    field_canonical(&value, &text);
    json_t *json = field_is_empty(&value) ? json_null() : json_stringn(text.p, text.len);
    buf_fini(&text);
    return json;
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    CHECK(argc == 2);
    if (str_eq(str_from(argv[1]), STR("csv"))) {
        return read_csv();
    }
    struct register_field field = field_of(argv[1]);
    struct arena arena;
    arena_init(&arena, ROOM);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        arena_reset(&arena);
        struct str text = str_from(line);
        put(read_line(&field, str_sub(text, 0, str_index(text, '\n')), &arena));
    }
    arena_fini(&arena);
    return 0;
}
