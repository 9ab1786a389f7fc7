/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors: their names and texts, from err.def. */
#include "base/err.h"

#include "base/check.h"

static const struct {
    const char *name;
    const char *text;
} rows[ERR_COUNT_] = {
    [ERR_OK] = {"OK", "no error"},
#define ERR(name, text) [ERR_##name] = {#name, text},
#include "base/err.def"
#undef ERR
};

const char *err_text(enum err err)
{
    CHECK(err < ERR_COUNT_);
    return rows[err].text;
}

const char *err_name(enum err err)
{
    CHECK(err < ERR_COUNT_);
    return rows[err].name;
}
