/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page of a table that was tried; private to records_import*.c. */
#ifndef LODGE_WEB_RECORDS_IMPORT_IMPL_H
#define LODGE_WEB_RECORDS_IMPORT_IMPL_H

#include "web/records_impl.h"
#include "web/views.h"

struct records_import {
    const struct register_def *def;
    json_t *report;     /* of engine_import_csv; taken over */
    const json_t *plan; /* NULL: none */
    struct str csv;     /* is sent again when it is confirmed */
    bool good;          /* it may be taken */
    bool first;         /* nobody saw what its columns are taken for */
};
/* A document with what a table may have. */
json_t *records_import_document(struct web_exchange *exchange, const struct register_def *def);
/* What the columns are, what is missing, what is wrong, and what would become of each row. */
enum web_next records_import_show(struct web_exchange *exchange,
                                  const struct records_import *tried);

#endif
