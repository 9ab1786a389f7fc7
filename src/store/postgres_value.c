/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Values in PostgreSQL's binary format: numbers with the highest byte first, texts and bytes as
 * they are. */
#include <limits.h>
#include <string.h>

#include "base/check.h"
#include "store/postgres_impl.h"

/* pg_type.dat */
enum { TYPE_BOOL = 16, TYPE_BYTES = 17, TYPE_INT8 = 20, TYPE_INT2 = 21, TYPE_INT4 = 23 };

static const struct type {
    Oid oid;
    enum store_value_kind kind;
    int bytes; /* of a number */
    int64_t min, max;
} types[] = {
    {TYPE_INT8, STORE_NUMBER, 8, INT64_MIN, INT64_MAX},
    {TYPE_INT4, STORE_NUMBER, 4, INT32_MIN, INT32_MAX},
    {TYPE_INT2, STORE_NUMBER, 2, INT16_MIN, INT16_MAX},
    {TYPE_BOOL, STORE_NUMBER, 1, 0, 1},
    {POSTGRES_TEXT, STORE_TEXT, 0, 0, 0},
    {TYPE_BYTES, STORE_BLOB, 0, 0, 0},
};

static const struct type *find(Oid oid)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].oid == oid) {
            return &types[i];
        }
    }
    return NULL;
}

bool postgres_type_is_known(Oid type)
{
    return find(type) != NULL;
}

bool postgres_type_takes(Oid oid)
{
    const struct type *type = find(oid);
    return type != NULL && (type->kind != STORE_NUMBER || type->max == INT64_MAX);
}

bool postgres_bind(Oid oid, const struct store_value *value, size_t i, struct postgres_values *to)
{
    const struct type *type = find(oid);
    to->formats[i] = 1;
    to->lengths[i] = 0;
    to->values[i] = NULL;
    if (value->kind == STORE_NULL) {
        return true;
    }
    if (type == NULL || type->kind != value->kind) {
        return false;
    }
    if (value->kind != STORE_NUMBER) {
        to->values[i] = value->bytes.p != NULL ? value->bytes.p : "";
        to->lengths[i] = (int)value->bytes.len;
        return value->bytes.len <= INT_MAX;
    }
    uint64_t rest = (uint64_t)value->number;
    for (int at = type->bytes; at-- > 0; rest >>= 8) {
        to->numbers[i][at] = (char)(rest & 0xff);
    }
    to->values[i] = to->numbers[i];
    to->lengths[i] = type->bytes;
    return value->number >= type->min && value->number <= type->max;
}

static int64_t number_of(const char *bytes, int n)
{
    /* Two's complement: the sign comes from the first byte. */
    uint64_t number = n > 1 && (signed char)bytes[0] < 0 ? UINT64_MAX : 0;
    for (int i = 0; i < n; i++) {
        number = number << 8 | (unsigned char)bytes[i];
    }
    return (int64_t)number;
}

struct store_value postgres_value(const PGresult *rows, int row, int column)
{
    const struct type *type = find(PQftype(rows, column));
    CHECK(type != NULL);
    if (PQgetisnull(rows, row, column) != 0) {
        return store_null();
    }
    const char *bytes = PQgetvalue(rows, row, column);
    int n = PQgetlength(rows, row, column);
    if (type->kind == STORE_NUMBER) {
        CHECK(n == type->bytes);
        return store_number(number_of(bytes, n));
    }
    struct str value = str_make(bytes, (size_t)n);
    return type->kind == STORE_TEXT ? store_text(value) : store_blob(value);
}
