/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables as comma-separated text (RFC 4180), as spreadsheets and school systems write them, and as
 * they may safely open them.
 *
 * Read: UTF-8, UTF-16 with a byte order mark, else Windows-1252; delimiters `,` `;` and tab, the
 * one that the first row has most of, or what a line "sep=;" names; rows end with LF, CR LF or CR;
 * blank rows are left out. A quote inside of a cell that does not begin with one is a quote.
 *
 * Written: a cell that a spreadsheet would take for a formula (it begins with = + - @ tab or CR,
 * full-width ones too) gets an apostrophe in front; numbers below zero are left alone. Reading
 * takes it off again, so what was written is read as it was.
 */
#ifndef LODGE_WIRE_CSV_H
#define LODGE_WIRE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
    CSV_BYTES_MAX = 16 * 1024 * 1024,
    CSV_ROWS_MAX = 100000,
    CSV_CELLS_MAX = 200, /* in a row */
    CSV_CELL_MAX = 65536,
};

struct csv {
    struct buf text; /* UTF-8 */
    struct str rest; /* of it */
    char delimiter;
    size_t line; /* where the last row begins in the file, from 1: what a spreadsheet shows where no
                    cell has several lines */
    size_t next_line;
    size_t rows;
    const char *why; /* static: what is wrong and what to do, after CSV_BAD */
};

/* Decodes bytes, which need not outlast this. ERR_LIMIT: more than CSV_BYTES_MAX; ERR_MEMORY.
 * csv_close in any case. */
MUST_USE enum err csv_open(struct str bytes, struct csv *ret_csv);
void csv_close(struct csv *csv);

enum csv_step {
    CSV_UNSET,
    CSV_ROW,
    CSV_END,
    CSV_BAD, /* csv->why; nothing more is read */
};

/* The next row. Cells are without white space at their ends, valid UTF-8, and live as long as csv
 * and the arena. */
enum csv_step csv_next(struct csv *csv, struct arena *arena, struct str cells[CSV_CELLS_MAX],
                       size_t *ret_cells);

/* What a file begins with, so that spreadsheets know its encoding: a byte order mark. */
void csv_begin(struct buf *to);
/* The next cell of a row; first: of the row. */
void csv_put(struct buf *to, bool first, struct str cell);
void csv_end_row(struct buf *to);

#endif
