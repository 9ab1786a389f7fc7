/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The operator's options: one table (schema.def) for the command line, DIR/lodge.conf and the
 * manual.
 *
 * A struct conf is a plain value without pointers, so it can be handed to another process as bytes.
 */
#ifndef LODGE_CONF_CONF_H
#define LODGE_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { CONF_TEXT_MAX = 4096, CONF_FILE_MAX = 1024 * 1024 };

struct conf_text {
    size_t len;
    char bytes[CONF_TEXT_MAX]; /* NUL-terminated behind len */
};

#define CONF_TYPE_TEXT struct conf_text
#define CONF_TYPE_NUMBER uint64_t
#define CONF_TYPE_TIME int64_t
#define CONF_TYPE_SIZE uint64_t
#define CONF_TYPE_FLAG bool

struct conf {
#define OPTION(field, name, type, value, min, max, word, help) CONF_TYPE_##type field;
#include "conf/schema.def"
#undef OPTION
};

enum {
#define OPTION(field, name, type, value, min, max, word, help) CONF_INDEX_##field,
#include "conf/schema.def"
#undef OPTION
    CONF_COUNT
};

/* A row as people see it; static memory. word is NULL for a flag. */
struct conf_row {
    const char *name;
    const char *word;
    const char *help;
    const char *value; /* the default, as text */
};

/* index below CONF_COUNT, in the order of schema.def. */
const struct conf_row *conf_row(size_t index);

static inline struct str conf_str(const struct conf_text *text)
{
    return (struct str){text->bytes, text->len};
}

/* All defaults. */
void conf_init(struct conf *conf);

/* Sets one option from text. ERR_NOT_FOUND for a name that is none, ERR_INVALID or ERR_RANGE for a
 * value; a sentence that says what is allowed goes to *why (an open buffer). */
MUST_USE enum err conf_set(struct conf *conf, struct str name, struct str value, struct buf *why);

/* Sets what a file holds: lines "name = value", comments after ';' or '#'; no sections. At the
 * first error "line N: ..." goes to *why and ERR_INVALID comes back; what stood before it is set.
 */
MUST_USE enum err conf_read(struct conf *conf, struct str text, struct buf *why);

#endif
