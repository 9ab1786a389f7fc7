/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as the start of a TLS connection; what parses does so in other records too. */
#include "base/buf.h"
#include "base/check.h"
#include "base/limits.h"
#include "wire/hello.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The same handshake bytes in records of `piece`. */
static void cut_again(struct str bytes, size_t piece, struct buf *to)
{
    struct buf message;
    buf_init(&message, bytes.len);
    while (bytes.len >= 5 && bytes.p[0] == 22) {
        size_t len = (size_t)(uint8_t)bytes.p[3] << 8 | (uint8_t)bytes.p[4];
        buf_append(&message, str_sub(bytes, 5, len));
        bytes = str_skip(bytes, 5 + len);
    }
    for (size_t at = 0; at < message.len; at += piece) {
        struct str part = str_sub(buf_str(&message), at, piece);
        buf_append(to, STR("\x16\x03\x03"));
        buf_append_byte(to, (char)(part.len >> 8));
        buf_append_byte(to, (char)part.len);
        buf_append(to, part);
    }
    CHECK(buf_err(to) == ERR_OK);
    buf_fini(&message);
}

static void check(const struct hello *hello)
{
    CHECK(hello->version >> 8 == 3);
    CHECK(hello->n_alpn <= HELLO_ALPN_MAX);
    CHECK(hello->has_sni == (hello->sni.kind == HOST_NAME));
    if (hello->has_sni) {
        struct host host;
        CHECK(host_parse(host_str(&hello->sni), &host) == ERR_OK && host_eq(&host, &hello->sni));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_make((const char *)data, size);
    struct hello hello;
    struct hello again;
    enum err err = hello_parse(bytes, &hello);
    CHECK(err == ERR_OK || err == ERR_AGAIN || err == ERR_INVALID || err == ERR_LIMIT);
    if (err != ERR_OK) {
        return 0;
    }
    check(&hello);
    struct buf other;
    buf_init(&other, 6 * size);
    cut_again(bytes, 1 + size % 100, &other);
    err = hello_parse(buf_str(&other), &again);
    /* More headers may pass the limit; other handshake messages behind the hello are refused where
     * they now share its record. */
    if (err == ERR_OK) {
        CHECK(hello.version == again.version && hello.has_ech == again.has_ech);
        CHECK(hello.n_alpn == again.n_alpn && hello.has_sni == again.has_sni);
        CHECK(host_eq(&hello.sni, &again.sni));
    } else {
        CHECK(err == ERR_LIMIT || err == ERR_INVALID);
    }
    buf_fini(&other);
    return 0;
}
