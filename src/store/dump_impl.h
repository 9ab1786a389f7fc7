/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What writing and reading a dump share. */
#ifndef LODGE_STORE_DUMP_IMPL_H
#define LODGE_STORE_DUMP_IMPL_H

#include <stdbool.h>

#include "store/dump.h"
#include "store/store_impl.h"

enum {
    DUMP_MIGRATION = 'M',
    DUMP_TABLE = 'T',
    DUMP_ROW = 'R',
    DUMP_TABLE_END = 'E',
    DUMP_END = 'Z',
    DUMP_ROW_MAX = 512 * 1024 * 1024,
    DUMP_PROGRESS_ROWS = 10000,
};

/* Of a table or column of ours: lower case, digits, '_', a letter first, shorter than
 * DUMP_NAME_BYTES. The only names that SQL is made with. */
bool dump_name_is_fine(struct str name);

/* Gives STATEMENT_UNSET this text. ERR_LIMIT. */
MUST_USE enum err dump_make(struct store *store, struct buf *text);

/* Names, rows and digests of all tables but the migrations', in the order in which they were made.
 * In an open transaction; to may be NULL: then only the report is made. */
MUST_USE enum err dump_tables(struct store *store, const struct dump_to *to,
                              struct dump_report *ret_report);
/* The names alone. */
MUST_USE enum err dump_list(struct store *store, struct dump_report *ret_report);

/* A row as it stands in the dump; its digest is of these bytes. */
void dump_value(struct buf *to, const struct store_value *value);
void dump_add_row(struct dump_table *table, struct str row);

void dump_u32(struct buf *to, uint32_t number);
void dump_u64(struct buf *to, uint64_t number);
/* The lowest byte first. */
uint64_t dump_number(const uint8_t *bytes, size_t n);

#endif
