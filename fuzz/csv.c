/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes tables: every cell is valid UTF-8, and a row that is written is read as the same row. */
#include "base/check.h"
#include "wire/csv.h"
#include "wire/utf8.h"

enum { ROOM = 1 << 24 };

static void check_utf8(struct str text)
{
    while (text.len != 0) {
        size_t len = utf8_length(text);
        CHECK(len != 0);
        text = str_skip(text, len);
    }
}

static void check_again(const struct str *cells, size_t n, struct arena *arena)
{
    static struct str again[CSV_CELLS_MAX];
    struct buf text;
    struct csv csv;
    size_t n_again = 0;
    buf_init(&text, ROOM);
    csv_begin(&text);
    for (size_t i = 0; i < n; i++) {
        csv_put(&text, i == 0, cells[i]);
    }
    csv_end_row(&text);
    CHECK(buf_err(&text) == ERR_OK);
    CHECK(csv_open(buf_str(&text), &csv) == ERR_OK);
    /* Another delimiter can win where the row has more of it, or the row begins with "sep=". */
    if (csv.delimiter == ',' && csv.rest.len + 3 == text.len) {
        CHECK(csv_next(&csv, arena, again, &n_again) == CSV_ROW && n_again == n);
        for (size_t i = 0; i < n; i++) {
            CHECK(str_eq(again[i], cells[i]));
        }
    }
    csv_close(&csv);
    buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct str cells[CSV_CELLS_MAX];
    struct csv csv;
    struct arena arena;
    size_t n = 0;
    enum csv_step step = CSV_UNSET;
    arena_init(&arena, ROOM);
    if (csv_open(str_make((const char *)data, size), &csv) == ERR_OK) {
        while ((step = csv_next(&csv, &arena, cells, &n)) == CSV_ROW) {
            CHECK(n != 0 && n <= CSV_CELLS_MAX);
            for (size_t i = 0; i < n; i++) {
                check_utf8(cells[i]);
            }
            check_again(cells, n, &arena);
        }
        CHECK(step == CSV_END || csv.why != NULL);
    }
    csv_close(&csv);
    arena_fini(&arena);
    return 0;
}
