/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TLS ClientHello (RFC 8446 section 4.1.2; records: section 5.1): server name, ALPN, ECH.
 *
 * Reads the first bytes of a connection, however they were cut into reads and records, up to
 * LIMIT_HELLO_LEN. It only looks; the caller keeps the bytes and passes them on.
 */
#ifndef LODGE_WIRE_HELLO_H
#define LODGE_WIRE_HELLO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "wire/host.h"

enum { HELLO_ALPN_MAX = 8, HELLO_ALPN_LEN = 32 };

struct hello {
    bool has_sni;
    struct host sni;  /* canonical; a name that is no host (or an address, RFC 6066 section 3) is
                         ERR_INVALID */
    bool has_ech;     /* the encrypted_client_hello extension (0xfe0d) is there, real or GREASE */
    uint16_t version; /* highest offered: supported_versions, else legacy_version */
    size_t n_alpn;    /* those kept; more or longer ones are dropped */
    struct {
        uint8_t len;
        char text[HELLO_ALPN_LEN];
    } alpn[HELLO_ALPN_MAX];
};

/* ERR_AGAIN while more bytes are needed; ERR_INVALID when the bytes are not a ClientHello (told by
 * the first byte where possible); ERR_LIMIT beyond LIMIT_HELLO_LEN. */
MUST_USE enum err hello_parse(struct str bytes, struct hello *ret_hello);

#endif
