/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The names of all statements: those written by hand (one *.sql.def for each area, listed in
 * statement.def) and those made from schema/ (register_statement.def, in the build folder). */
#ifndef LODGE_STORE_STATEMENT_H
#define LODGE_STORE_STATEMENT_H

enum store_statement {
    STATEMENT_UNSET,
#define STATEMENT(name, text) STATEMENT_##name,
#include "store/statement.def"
#undef STATEMENT
    STATEMENT_COUNT
};

#endif
