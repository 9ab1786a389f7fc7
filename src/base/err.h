/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors: one enum for the whole program, from err.def.
 *
 * A function that can fail returns enum err and must be looked at. Functions never log; only proc/
 * and cmd/ speak to people, with err_text and the place they know.
 */
#ifndef LODGE_BASE_ERR_H
#define LODGE_BASE_ERR_H

enum err {
    ERR_OK = 0,
#define ERR(name, text) ERR_##name,
#include "base/err.def"
#undef ERR
    ERR_COUNT_
};

#define MUST_USE __attribute__((warn_unused_result))
#define PRINTF_LIKE(at, first) __attribute__((format(printf, at, first)))

/* A sentence without a full stop; static memory. "no error" for ERR_OK. */
const char *err_text(enum err err);

/* The name as in err.def ("LIMIT"), for logs and tests; static memory. */
const char *err_name(enum err err);

/* Returns early with the error of an expression that yields enum err. */
#define ERR_TRY(expression)               \
    do {                                  \
        enum err err_try_ = (expression); \
        if (err_try_ != ERR_OK) {         \
            return err_try_;              \
        }                                 \
    } while (0)

#endif
