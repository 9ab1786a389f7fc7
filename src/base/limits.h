/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every limit on what comes from outside, in one place, each with its reason.
 * Options of the operator (timeouts and the like) are in conf/schema.def instead.
 */
#ifndef LODGE_BASE_LIMITS_H
#define LODGE_BASE_LIMITS_H

enum {
    /* RFC 1035 section 2.3.4: 255 octets on the wire are 253 characters of text. */
    LIMIT_HOST_LEN = 253,
    LIMIT_LABEL_LEN = 63,

    /* RFC 9110 section 4.1 asks for at least 8000; browsers send no longer ones. */
    LIMIT_URL_LEN = 16384,

    /* A page that somebody goes on to after signing in: three times as long when it is escaped, and
     * in a cookie on the way. */
    LIMIT_PAGE_LEN = 1500,

    /* RFC 9112 section 3 asks for at least 8000 octets of request line. */
    LIMIT_HTTP_HEAD_LEN = 65536,
    LIMIT_HTTP_LINE_LEN = 16384,
    LIMIT_HTTP_HEADERS = 128,
    LIMIT_HTTP_METHOD_LEN = 32,
    /* Each is looked for among all headers; browsers send at most three. */
    LIMIT_HTTP_CONNECTION_OPTIONS = 32,
    /* A chunk-size line holds up to 16 hex digits and extensions nobody uses. */
    LIMIT_CHUNK_LINE_LEN = 4096,
    LIMIT_HTTP_TRAILER_LEN = 16384,

    /* One TLS handshake message; Chromium's with a post-quantum share has about 1,800 bytes. */
    LIMIT_HELLO_LEN = 16384,

    /* The ids that Lodge gives to people, devices, groups and rules. */
    LIMIT_ID_LEN = 64,

    /* Design section 3: up to 128 categories; nested groups, times and so on are far fewer. */
    LIMIT_CATEGORIES = 128,
    LIMIT_GROUPS = 64,
    LIMIT_POLICY_BYTES = 16 * 1024 * 1024,
    LIMIT_PASSWORD_LEN = 512,
};

#endif
