/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The texts of all statements. */
#include "store/statement.h"

#include "base/check.h"
#include "store/store_impl.h"

static const struct {
    const char *name;
    const char *text;
} statements[] = {
    [STATEMENT_UNSET] = {"made", ""},
#define STATEMENT(name, text) [STATEMENT_##name] = {#name, text},
#include "store/statement.def"
#undef STATEMENT
};

const char *store_statement_name(enum store_statement statement)
{
    CHECK(statement < STATEMENT_COUNT);
    return statements[statement].name;
}

const char *store_statement_text(const struct store *store, enum store_statement statement)
{
    CHECK(statement < STATEMENT_COUNT);
    return statement == STATEMENT_UNSET ? store->made : statements[statement].text;
}
