/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CBOR (RFC 8949 section 3). */
#include "wire/cbor.h"

#include "base/num.h"

/* RFC 8949 section 3: the argument's five bits. */
enum { ARGUMENT_BITS = 5, ARGUMENT_MASK = 31, ARGUMENT_1 = 24, ARGUMENT_8 = 27 };

static enum err take_argument(struct str *rest, unsigned low, uint64_t *ret_number)
{
    uint64_t number = 0;
    if (low < ARGUMENT_1) {
        *ret_number = low;
        return ERR_OK;
    }
    if (low > ARGUMENT_8) {
        return ERR_INVALID;
    }
    size_t len = (size_t)1 << (low - ARGUMENT_1);
    if (rest->len < len) {
        return ERR_TRUNCATED;
    }
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | (unsigned char)rest->p[i];
    }
    *rest = str_skip(*rest, len);
    *ret_number = number;
    return ERR_OK;
}

static enum err take_content(struct str *rest, struct cbor_item *item)
{
    if (item->number > rest->len) {
        return ERR_TRUNCATED;
    }
    item->bytes = str_sub(*rest, 0, (size_t)item->number);
    *rest = str_skip(*rest, (size_t)item->number);
    return ERR_OK;
}

enum err cbor_next(struct str *rest, struct cbor_item *ret_item)
{
    static const enum cbor_kind kinds[] = {CBOR_NUMBER, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT,
                                           CBOR_ARRAY,  CBOR_MAP,      CBOR_UNSET, CBOR_SIMPLE};
    struct str behind = *rest;
    struct cbor_item item = {0};
    if (behind.len == 0) {
        return ERR_TRUNCATED;
    }
    unsigned first = (unsigned char)behind.p[0];
    behind = str_skip(behind, 1);
    item.kind = kinds[first >> ARGUMENT_BITS];
    if (item.kind == CBOR_UNSET) {
        return ERR_INVALID;
    }
    if (item.kind == CBOR_SIMPLE && (first & ARGUMENT_MASK) >= ARGUMENT_1) {
        return ERR_INVALID; /* floats among them */
    }
    ERR_TRY(take_argument(&behind, first & ARGUMENT_MASK, &item.number));
    if (item.kind == CBOR_BYTES || item.kind == CBOR_TEXT) {
        ERR_TRY(take_content(&behind, &item));
    }
    *rest = behind;
    *ret_item = item;
    return ERR_OK;
}

enum err cbor_skip(struct str *rest)
{
    struct str behind = *rest;
    uint64_t open = 1;
    while (open > 0) {
        struct cbor_item item;
        ERR_TRY(cbor_next(&behind, &item));
        open--;
        /* Each item that is promised takes a byte at least, so the sum does not pass 64 bits. */
        if (item.kind == CBOR_ARRAY || item.kind == CBOR_MAP) {
            if (item.number > behind.len) {
                return ERR_TRUNCATED;
            }
            open += item.kind == CBOR_MAP ? 2 * item.number : item.number;
        }
    }
    *rest = behind;
    return ERR_OK;
}
