/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an authenticator says. */
#include "wire/webauthn.h"

#include "wire/cbor.h"

enum {
    HEAD_BYTES = WEBAUTHN_HASH_BYTES + 1 + 4,
    AAGUID_BYTES = 16,
    POINT_BYTES = 32,
    RSA_BYTES_MIN = 256,
    RSA_BYTES_MAX = 512,
    EXPONENT_BYTES_MAX = 8,
};

static uint32_t number_at(struct str bytes, size_t at, size_t len)
{
    uint32_t number = 0;
    for (size_t i = 0; i < len; i++) {
        number = number << 8 | (unsigned char)bytes.p[at + i];
    }
    return number;
}

static enum err take_credential(struct str *rest, struct webauthn_data *data)
{
    if (rest->len < AAGUID_BYTES + 2) {
        return ERR_TRUNCATED;
    }
    size_t len = number_at(*rest, AAGUID_BYTES, 2);
    *rest = str_skip(*rest, AAGUID_BYTES + 2);
    if (len == 0 || len > WEBAUTHN_CREDENTIAL_MAX) {
        return ERR_INVALID;
    }
    if (rest->len < len) {
        return ERR_TRUNCATED;
    }
    data->credential = str_sub(*rest, 0, len);
    *rest = str_skip(*rest, len);
    struct str key = *rest;
    ERR_TRY(cbor_skip(rest));
    data->key = str_sub(key, 0, key.len - rest->len);
    return ERR_OK;
}

enum err webauthn_parse_data(struct str bytes, struct webauthn_data *ret_data)
{
    struct webauthn_data data = {0};
    if (bytes.len < HEAD_BYTES) {
        return ERR_TRUNCATED;
    }
    data.rp_hash = str_sub(bytes, 0, WEBAUTHN_HASH_BYTES);
    data.flags = (uint8_t)bytes.p[WEBAUTHN_HASH_BYTES];
    data.counter = number_at(bytes, WEBAUTHN_HASH_BYTES + 1, 4);
    struct str rest = str_skip(bytes, HEAD_BYTES);
    if ((data.flags & WEBAUTHN_CREDENTIAL) != 0) {
        ERR_TRY(take_credential(&rest, &data));
    }
    if ((data.flags & WEBAUTHN_EXTENSIONS) != 0) {
        ERR_TRY(cbor_skip(&rest));
    }
    if (rest.len != 0) {
        return ERR_INVALID;
    }
    *ret_data = data;
    return ERR_OK;
}

enum err webauthn_parse_attestation(struct str bytes, struct str *ret_data)
{
    struct cbor_item map;
    bool found = false;
    ERR_TRY(cbor_next(&bytes, &map));
    if (map.kind != CBOR_MAP) {
        return ERR_INVALID;
    }
    for (uint64_t i = 0; i < map.number; i++) {
        struct cbor_item name;
        struct cbor_item value;
        ERR_TRY(cbor_next(&bytes, &name));
        if (name.kind != CBOR_TEXT) {
            return ERR_INVALID;
        }
        if (!str_eq(name.bytes, STR("authData"))) {
            ERR_TRY(cbor_skip(&bytes));
            continue;
        }
        ERR_TRY(cbor_next(&bytes, &value));
        if (value.kind != CBOR_BYTES || found) {
            return ERR_INVALID;
        }
        *ret_data = value.bytes;
        found = true;
    }
    return found && bytes.len == 0 ? ERR_OK : ERR_INVALID;
}

/* ---- keys ---- */

/* RFC 9052 section 7.1 and RFC 9053 section 7: labels. Those below 0 differ by type of key. */
enum { LABEL_TYPE = 1, LABEL_ALGORITHM = 3, LABEL_1 = -1, LABEL_2 = -2, LABEL_3 = -3 };
enum { TYPE_OKP = 1, TYPE_EC2 = 2, TYPE_RSA = 3, CURVE_P256 = 1, CURVE_ED25519 = 6 };
enum { MEMBERS_MAX = 16 };

struct members {
    struct cbor_item type, algorithm, one, two, three;
};

static int64_t signed_of(const struct cbor_item *item)
{
    if (item->number > INT32_MAX) {
        return 0;
    }
    return item->kind == CBOR_NUMBER     ? (int64_t)item->number
           : item->kind == CBOR_NEGATIVE ? -1 - (int64_t)item->number
                                         : 0;
}

static struct cbor_item *place_of(struct members *members, int64_t label)
{
    return label == LABEL_TYPE        ? &members->type
           : label == LABEL_ALGORITHM ? &members->algorithm
           : label == LABEL_1         ? &members->one
           : label == LABEL_2         ? &members->two
           : label == LABEL_3         ? &members->three
                                      : NULL;
}

static enum err read_members(struct str bytes, struct members *members)
{
    struct cbor_item map;
    ERR_TRY(cbor_next(&bytes, &map));
    if (map.kind != CBOR_MAP || map.number > MEMBERS_MAX) {
        return ERR_INVALID;
    }
    for (uint64_t i = 0; i < map.number; i++) {
        struct cbor_item label;
        ERR_TRY(cbor_next(&bytes, &label));
        struct cbor_item *place = place_of(members, signed_of(&label));
        if (label.kind == CBOR_ARRAY || label.kind == CBOR_MAP) {
            return ERR_INVALID;
        }
        if (place == NULL) {
            ERR_TRY(cbor_skip(&bytes));
            continue;
        }
        if (place->kind != CBOR_UNSET) {
            return ERR_INVALID;
        }
        ERR_TRY(cbor_next(&bytes, place));
        if (place->kind == CBOR_ARRAY || place->kind == CBOR_MAP) {
            return ERR_INVALID;
        }
    }
    return bytes.len == 0 ? ERR_OK : ERR_INVALID;
}

static bool is_bytes(const struct cbor_item *item, size_t min, size_t max)
{
    return item->kind == CBOR_BYTES && item->bytes.len >= min && item->bytes.len <= max;
}

enum err cose_parse_key(struct str bytes, struct cose_key *ret_key)
{
    struct members members = {0};
    struct cose_key key = {0};
    ERR_TRY(read_members(bytes, &members));
    int64_t type = signed_of(&members.type);
    int64_t algorithm = signed_of(&members.algorithm);
    int64_t curve = signed_of(&members.one);
    if (type == TYPE_EC2 && algorithm == COSE_ES256 && curve == CURVE_P256 &&
        is_bytes(&members.two, POINT_BYTES, POINT_BYTES) &&
        is_bytes(&members.three, POINT_BYTES, POINT_BYTES)) {
        key = (struct cose_key){
            .algorithm = COSE_ES256, .x = members.two.bytes, .y = members.three.bytes};
    } else if (type == TYPE_OKP && algorithm == COSE_EDDSA && curve == CURVE_ED25519 &&
               is_bytes(&members.two, POINT_BYTES, POINT_BYTES)) {
        key = (struct cose_key){.algorithm = COSE_EDDSA, .x = members.two.bytes};
    } else if (type == TYPE_RSA && algorithm == COSE_RS256 &&
               is_bytes(&members.one, RSA_BYTES_MIN, RSA_BYTES_MAX) &&
               is_bytes(&members.two, 1, EXPONENT_BYTES_MAX)) {
        key = (struct cose_key){
            .algorithm = COSE_RS256, .n = members.one.bytes, .e = members.two.bytes};
    } else {
        return ERR_INVALID;
    }
    *ret_key = key;
    return ERR_OK;
}
