/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options by table. */
#include "conf/conf.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/num.h"

enum type { TYPE_UNSET, TYPE_TEXT, TYPE_NUMBER, TYPE_TIME, TYPE_SIZE, TYPE_FLAG };

/* A value's suffix and what it multiplies by. */
struct unit {
    const char *suffix;
    uint64_t factor;
};

static const struct unit time_units[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {NULL, 0}};
static const struct unit size_units[] = {
    {"K", 1024}, {"M", 1 << 20}, {"G", 1 << 30}, {"", 1}, {NULL, 0}};
static const struct unit plain[] = {{"", 1}, {NULL, 0}};

static const struct row {
    struct conf_row shown;
    enum type type;
    size_t offset;
    uint64_t min;
    uint64_t max;
} rows[CONF_COUNT] = {
#define OPTION(field, name, type, value, min, max, word, help) \
    {{name, word, help, value}, TYPE_##type, offsetof(struct conf, field), min, max},
#include "conf/schema.def"
#undef OPTION
};

const struct conf_row *conf_row(size_t index)
{
    CHECK(index < CONF_COUNT);
    return &rows[index].shown;
}

static enum err set_text(struct conf_text *text, const struct row *row, struct str value,
                         struct buf *why)
{
    if (value.len < row->min || value.len > row->max || value.len >= CONF_TEXT_MAX) {
        buf_printf(why, "%s takes %llu to %llu bytes", row->shown.name,
                   (unsigned long long)row->min, (unsigned long long)row->max);
        return ERR_RANGE;
    }
    if (memchr(value.p, '\0', value.len) != NULL) {
        buf_printf(why, "%s cannot hold a NUL", row->shown.name);
        return ERR_INVALID;
    }
    memset(text->bytes, 0, sizeof(text->bytes));
    memcpy(text->bytes, value.p, value.len);
    text->len = value.len;
    return ERR_OK;
}

static void print_amount(struct buf *to, uint64_t amount, const struct unit *units)
{
    const struct unit *best = NULL;
    for (const struct unit *unit = units; unit->suffix != NULL; unit++) {
        if (amount % unit->factor == 0 && (best == NULL || unit->factor > best->factor)) {
            best = unit;
        }
    }
    CHECK(best != NULL);
    buf_append_u64(to, amount / best->factor);
    buf_append(to, str_from(best->suffix));
}

static enum err explain(const struct row *row, const struct unit *units, enum err err,
                        struct buf *why)
{
    buf_printf(why, "%s takes a number", row->shown.name);
    for (const struct unit *unit = units; unit->suffix != NULL; unit++) {
        if (unit->suffix[0] != '\0') {
            buf_printf(why, "%s%s", unit == units ? " with " : ", ", unit->suffix);
        }
    }
    buf_append(why, STR(", from "));
    print_amount(why, row->min, units);
    buf_append(why, STR(" to "));
    print_amount(why, row->max, units);
    return err;
}

static enum err parse_amount(const struct row *row, const struct unit *units, struct str value,
                             struct buf *why, uint64_t *ret_amount)
{
    uint64_t amount;
    size_t digits = 0;
    while (digits < value.len && ascii_is_digit(value.p[digits])) {
        digits++;
    }
    struct str suffix = str_skip(value, digits);
    const struct unit *unit = units;
    while (unit->suffix != NULL && !str_eq(suffix, str_from(unit->suffix))) {
        unit++;
    }
    if (unit->suffix == NULL ||
        parse_u64(str_sub(value, 0, digits), 0, UINT64_MAX, &amount) != ERR_OK) {
        return explain(row, units, ERR_INVALID, why);
    }
    if (!size_mul(amount, unit->factor, &amount) || amount < row->min || amount > row->max) {
        return explain(row, units, ERR_RANGE, why);
    }
    *ret_amount = amount;
    return ERR_OK;
}

static enum err set_flag(bool *flag, const struct row *row, struct str value, struct buf *why)
{
    if (!str_eq(value, STR("yes")) && !str_eq(value, STR("no"))) {
        buf_printf(why, "%s takes yes or no", row->shown.name);
        return ERR_INVALID;
    }
    *flag = str_eq(value, STR("yes"));
    return ERR_OK;
}

static enum err set_row(struct conf *conf, const struct row *row, struct str value, struct buf *why)
{
    void *field = (char *)conf + row->offset;
    uint64_t amount = 0;
    switch (row->type) {
    case TYPE_TEXT:
        return set_text(field, row, value, why);
    case TYPE_NUMBER:
        return parse_amount(row, plain, value, why, field);
    case TYPE_SIZE:
        return parse_amount(row, size_units, value, why, field);
    case TYPE_TIME:
        ERR_TRY(parse_amount(row, time_units, value, why, &amount));
        *(int64_t *)field = (int64_t)amount;
        return ERR_OK;
    case TYPE_FLAG:
        return set_flag(field, row, value, why);
    case TYPE_UNSET:
        break;
    }
    CHECK(row->type != TYPE_UNSET);
    return ERR_INVALID;
}

enum err conf_set(struct conf *conf, struct str name, struct str value, struct buf *why)
{
    for (size_t i = 0; i < CONF_COUNT; i++) {
        if (str_eq(name, str_from(rows[i].shown.name))) {
            return set_row(conf, &rows[i], value, why);
        }
    }
    buf_append(why, STR("there is no option "));
    buf_append(why, str_sub(name, 0, 64));
    return ERR_NOT_FOUND;
}

void conf_init(struct conf *conf)
{
    struct buf why;
    buf_init(&why, 256);
    memset(conf, 0, sizeof(*conf));
    for (size_t i = 0; i < CONF_COUNT; i++) {
        CHECK(set_row(conf, &rows[i], str_from(rows[i].shown.value), &why) == ERR_OK);
    }
    buf_fini(&why);
}

/* ---- the file ---- */

struct reading {
    struct conf *conf;
    struct buf *why;
    bool failed; /* the library goes on after an error; only the first is told */
};

/* The library's callback: 0 is an error in this line. */
static int on_setting(void *user, const char *section, const char *name, const char *value)
{
    struct reading *reading = user;
    if (reading->failed) {
        return 0;
    }
    if (section[0] != '\0') {
        buf_append(reading->why, STR("there are no [sections] here"));
        reading->failed = true;
    } else {
        reading->failed =
            conf_set(reading->conf, str_from(name), str_from(value), reading->why) != ERR_OK;
    }
    return reading->failed ? 0 : 1;
}

enum err conf_read(struct conf *conf, struct str text, struct buf *why)
{
    struct buf copy;
    struct buf first;
    buf_init(&copy, CONF_FILE_MAX + 1);
    buf_init(&first, 1024);
    buf_append(&copy, text);
    const char *c_text = buf_cstr(&copy);
    enum err err = ERR_OK;
    if (c_text == NULL) {
        buf_append(why, STR("it holds a NUL or is too long"));
        err = ERR_INVALID;
    } else {
        struct reading reading = {.conf = conf, .why = &first};
        int line = ini_parse_string(c_text, on_setting, &reading);
        if (line != 0) {
            buf_printf(why, "line %d: ", line);
            buf_append(why, reading.failed ? buf_str(&first) : STR("not \"name = value\""));
            err = ERR_INVALID;
        }
    }
    buf_fini(&copy);
    buf_fini(&first);
    return err;
}
