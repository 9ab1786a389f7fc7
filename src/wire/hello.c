/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TLS ClientHello, read twice: records into one message, the message into its parts.
 *
 * Every length is checked against what is left of the part that holds it, and a part that is not
 * used up is as wrong as one that is too short: two readers must not see two server names.
 */
#include "wire/hello.h"

#include "base/limits.h"

enum {
    RECORD_HEADER_LEN = 5,
    RECORD_HANDSHAKE = 22,
    RECORD_LEN_MAX = 16384, /* RFC 8446 section 5.1 */
    MESSAGE_HEADER_LEN = 4,
    MESSAGE_CLIENT_HELLO = 1,
    VERSION_MAJOR = 3,
    RANDOM_LEN = 32,
    SESSION_ID_MAX = 32,
    NAME_TYPE_HOST = 0,
};

/* RFC 6066 section 3, RFC 7301, RFC 8446 section 4.2.1, draft-ietf-tls-esni. */
enum extension {
    EXTENSION_SERVER_NAME = 0,
    EXTENSION_ALPN = 16,
    EXTENSION_SUPPORTED_VERSIONS = 43,
    EXTENSION_ECH = 0xfe0d,
};

/* --- parts ------------------------------------------------------------------------------------ */

/* A big-endian number of n bytes off the front of *from. */
static enum err take_number(struct str *from, size_t n, size_t *ret_value)
{
    size_t value = 0;
    if (from->len < n) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < n; i++) {
        value = value << 8 | (uint8_t)from->p[i];
    }
    *from = str_skip(*from, n);
    *ret_value = value;
    return ERR_OK;
}

static enum err take_bytes(struct str *from, size_t n, struct str *ret_bytes)
{
    if (from->len < n) {
        return ERR_INVALID;
    }
    *ret_bytes = str_sub(*from, 0, n);
    *from = str_skip(*from, n);
    return ERR_OK;
}

/* A vector (RFC 8446 section 3.4): a length of n bytes, then min to max bytes. */
static enum err take_vector(struct str *from, size_t n, size_t min, size_t max,
                            struct str *ret_bytes)
{
    size_t len = 0;
    ERR_TRY(take_number(from, n, &len));
    if (len < min || len > max) {
        return ERR_INVALID;
    }
    return take_bytes(from, len, ret_bytes);
}

/* A vector that is all of `from`. */
static enum err whole_vector(struct str from, size_t n, size_t min, size_t max,
                             struct str *ret_bytes)
{
    struct str bytes = {0};
    ERR_TRY(take_vector(&from, n, min, max, &bytes));
    if (from.len != 0) {
        return ERR_INVALID;
    }
    *ret_bytes = bytes;
    return ERR_OK;
}

/* --- extensions ------------------------------------------------------------------------------- */

/* RFC 6066 section 3: letters, digits and hyphens as they go into DNS; '_' occurs. What a URL's
 * host may hold beyond that (escapes, Unicode) is no server name. */
static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' && c != '.' && c != '_') {
            return false;
        }
    }
    return true;
}

static enum err server_name(struct str data, struct hello *hello)
{
    struct str list = {0};
    struct str name = {0};
    size_t type = 0;
    ERR_TRY(whole_vector(data, 2, 1, UINT16_MAX, &list));
    ERR_TRY(take_number(&list, 1, &type));
    if (type != NAME_TYPE_HOST) {
        return ERR_INVALID;
    }
    /* The whole of the list: a second name would be somebody else's choice. */
    ERR_TRY(whole_vector(list, 2, 1, UINT16_MAX, &name));
    if (!is_name(name)) {
        return ERR_INVALID;
    }
    ERR_TRY(host_parse(name, &hello->sni));
    if (hello->sni.kind != HOST_NAME) {
        return ERR_INVALID;
    }
    hello->has_sni = true;
    return ERR_OK;
}

static enum err alpn(struct str data, struct hello *hello)
{
    struct str list = {0};
    ERR_TRY(whole_vector(data, 2, 2, UINT16_MAX, &list));
    while (list.len != 0) {
        struct str name = {0};
        ERR_TRY(take_vector(&list, 1, 1, UINT8_MAX, &name));
        if (hello->n_alpn < HELLO_ALPN_MAX && name.len <= HELLO_ALPN_LEN) {
            memcpy(hello->alpn[hello->n_alpn].text, name.p, name.len);
            hello->alpn[hello->n_alpn++].len = (uint8_t)name.len;
        }
    }
    return ERR_OK;
}

/* The highest TLS version offered; what is not 3.x is GREASE (RFC 8701) or a draft. */
static enum err supported_versions(struct str data, struct hello *hello)
{
    struct str list = {0};
    size_t highest = 0;
    ERR_TRY(whole_vector(data, 1, 2, UINT8_MAX - 1, &list));
    while (list.len != 0) {
        size_t version = 0;
        ERR_TRY(take_number(&list, 2, &version));
        if (version >> 8 == VERSION_MAJOR && version > highest) {
            highest = version;
        }
    }
    if (highest == 0) {
        return ERR_INVALID;
    }
    hello->version = (uint16_t)highest;
    return ERR_OK;
}

static enum err ech(struct str data, struct hello *hello)
{
    (void)data;
    hello->has_ech = true;
    return ERR_OK;
}

static const struct {
    enum extension id;
    enum err (*parse)(struct str data, struct hello *hello);
} known[] = {
    {EXTENSION_SERVER_NAME, server_name},
    {EXTENSION_ALPN, alpn},
    {EXTENSION_SUPPORTED_VERSIONS, supported_versions},
    {EXTENSION_ECH, ech},
};

static enum err extension(size_t id, struct str data, struct hello *hello)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (known[i].id == id) {
            return known[i].parse(data, hello);
        }
    }
    return ERR_OK;
}

static enum err extensions(struct str list, struct hello *hello)
{
    uint64_t seen[(UINT16_MAX + 1) / 64] = {0};
    while (list.len != 0) {
        size_t id = 0;
        struct str data = {0};
        ERR_TRY(take_number(&list, 2, &id));
        ERR_TRY(take_vector(&list, 2, 0, UINT16_MAX, &data));
        uint64_t bit = UINT64_C(1) << id % 64;
        if ((seen[id / 64] & bit) != 0) {
            return ERR_INVALID;
        }
        seen[id / 64] |= bit;
        ERR_TRY(extension(id, data, hello));
    }
    return ERR_OK;
}

/* --- the message ------------------------------------------------------------------------------ */

static enum err message(struct str body, struct hello *hello)
{
    size_t version = 0;
    struct str part = {0};
    ERR_TRY(take_number(&body, 2, &version));
    if (version >> 8 != VERSION_MAJOR) {
        return ERR_INVALID;
    }
    hello->version = (uint16_t)version;
    ERR_TRY(take_bytes(&body, RANDOM_LEN, &part));
    ERR_TRY(take_vector(&body, 1, 0, SESSION_ID_MAX, &part));
    ERR_TRY(take_vector(&body, 2, 2, UINT16_MAX - 1, &part));
    if (part.len % 2 != 0) {
        return ERR_INVALID;
    }
    ERR_TRY(take_vector(&body, 1, 1, UINT8_MAX, &part));
    if (body.len == 0) {
        /* Before TLS 1.3 there may be none at all. */
        return ERR_OK;
    }
    ERR_TRY(whole_vector(body, 2, 0, UINT16_MAX, &part));
    return extensions(part, hello);
}

/* --- records ---------------------------------------------------------------------------------- */

/* The message being put together. */
struct joined {
    char bytes[LIMIT_HELLO_LEN];
    size_t len;
};

/* The length of the message with its header, once that is there, else 0. */
static enum err message_len(const struct joined *joined, size_t *ret_len)
{
    struct str header = str_make(joined->bytes, joined->len);
    size_t type = 0;
    size_t len = 0;
    *ret_len = 0;
    if (header.len == 0) {
        return ERR_OK;
    }
    ERR_TRY(take_number(&header, 1, &type));
    if (type != MESSAGE_CLIENT_HELLO) {
        return ERR_INVALID;
    }
    if (header.len < 3) {
        return ERR_OK;
    }
    ERR_TRY(take_number(&header, 3, &len));
    if (len > LIMIT_HELLO_LEN - RECORD_HEADER_LEN - MESSAGE_HEADER_LEN) {
        return ERR_LIMIT;
    }
    *ret_len = len + MESSAGE_HEADER_LEN;
    return ERR_OK;
}

/* The header of a record, as far as it is there: type, major version, length (RFC 8446
 * section 5.1). ERR_AGAIN where more is needed. */
static enum err record_header(struct str bytes, size_t *ret_len)
{
    if (bytes.len > 0 && (uint8_t)bytes.p[0] != RECORD_HANDSHAKE) {
        return ERR_INVALID;
    }
    if (bytes.len > 1 && bytes.p[1] != VERSION_MAJOR) {
        return ERR_INVALID;
    }
    if (bytes.len < RECORD_HEADER_LEN) {
        return ERR_AGAIN;
    }
    struct str field = str_sub(bytes, 3, 2);
    ERR_TRY(take_number(&field, 2, ret_len));
    return *ret_len != 0 && *ret_len <= RECORD_LEN_MAX ? ERR_OK : ERR_INVALID;
}

/* Joins what the records at the front of bytes hold until the message is whole. */
static enum err join(struct str bytes, struct joined *joined, struct str *ret_message)
{
    for (;;) {
        size_t len = 0;
        size_t wanted = 0;
        ERR_TRY(record_header(bytes, &len));
        struct str part = str_sub(bytes, RECORD_HEADER_LEN, len);
        if (part.len != 0) {
            memcpy(joined->bytes + joined->len, part.p, part.len);
        }
        joined->len += part.len;
        ERR_TRY(message_len(joined, &wanted));
        if (wanted != 0 && joined->len - part.len + len > wanted) {
            /* Something else behind it in its record: a client has nothing else to say yet. */
            return ERR_INVALID;
        }
        if (part.len < len) {
            return ERR_AGAIN;
        }
        if (joined->len == wanted && wanted != 0) {
            *ret_message = str_make(joined->bytes, joined->len);
            return ERR_OK;
        }
        bytes = str_skip(bytes, RECORD_HEADER_LEN + len);
    }
}

enum err hello_parse(struct str bytes, struct hello *ret_hello)
{
    struct joined joined;
    struct str whole = {0};
    struct hello hello = {0};
    joined.len = 0;
    /* Less than what joined holds, as each record has a header. */
    bytes = str_sub(bytes, 0, LIMIT_HELLO_LEN);
    enum err err = join(bytes, &joined, &whole);
    if (err == ERR_AGAIN && bytes.len == LIMIT_HELLO_LEN) {
        return ERR_LIMIT;
    }
    ERR_TRY(err);
    ERR_TRY(message(str_skip(whole, MESSAGE_HEADER_LEN), &hello));
    *ret_hello = hello;
    return ERR_OK;
}
