/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A table on its way in: what its columns are (engine_import_heads.c), its rows (engine_import.c).
 */
#ifndef LODGE_RECORDS_ENGINE_IMPORT_IMPL_H
#define LODGE_RECORDS_ENGINE_IMPORT_IMPL_H

#include "records/engine_impl.h"
#include "wire/csv.h"

enum {
    COLUMN_PASSED_OVER = -1, /* "State" and the like, and what is left out */
    COLUMN_OF_ID = -2,
    COLUMN_OF_PART = 64, /* and the part's index; below: a field's index */
};

struct import {
    const json_t *plan; /* NULL: none */
    struct str csv;
    bool dry; /* what was asked for */
    bool skips;
    bool trying;
    struct arena arena; /* of the rows */
    struct str heads[CSV_CELLS_MAX];
    int columns[CSV_CELLS_MAX];
    size_t n_columns;
    struct row_in *rows;
    size_t n_rows, room;
    size_t made, changed, same, refused;
    json_t *faults;
    json_t *preview;
};

/* One fault of the file; at most 100 are told. */
MUST_USE enum err import_fault(struct import *import, size_t line, struct str field,
                               struct str sentence);
/* What each column is: as the plan says, else by its heading. Without a plan a heading that is not
 * known is a fault; with one such a column is left out. */
MUST_USE enum err import_heads(struct import *import, const struct register_def *def,
                               const struct str *cells, size_t n);
/* The name of what a column is, as a plan has it: a field's, a part's, "record", or empty. */
struct str import_target(const struct register_def *def, int column);
bool import_takes(const struct register_field *field);

#endif
