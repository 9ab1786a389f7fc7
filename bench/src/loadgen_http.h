/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The little HTTP a load client needs: the end of a response, and whether it went well. */
#ifndef BENCH_LOADGEN_HTTP_H
#define BENCH_LOADGEN_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RESPONSE_HEAD_ROOM 8192

enum response_state {
    RESPONSE_HEAD,
    RESPONSE_COUNTED,     /* body of a known length */
    RESPONSE_UNTIL_CLOSE, /* body ends with the connection */
    RESPONSE_CHUNK_SIZE,
    RESPONSE_CHUNK_SKIP, /* rest of the line with the size: an extension, CR LF */
    RESPONSE_CHUNK_DATA,
    RESPONSE_CHUNK_END, /* CR LF after a chunk's data */
    RESPONSE_TRAILER,
    RESPONSE_COMPLETE,
    RESPONSE_BROKEN,
};

struct response {
    enum response_state state;
    bool headless_body;  /* set for CONNECT: no body follows a 200 */
    bool keeps;          /* the connection may carry another request */
    unsigned status;
    uint64_t left;       /* bytes of the body or chunk still to come */
    size_t line_length;  /* of the trailer line being read */
    size_t head_length;
    char head[RESPONSE_HEAD_ROOM + 1];
};

void response_start(struct response *response, bool is_connect);

/* Takes the next bytes of the connection and returns the state they lead to. */
enum response_state response_feed(struct response *response, const char *data, size_t length);

/* `length` bytes of a counted body were thrown away unread. */
enum response_state response_skip(struct response *response, uint64_t length);

/* The connection has ended. */
enum response_state response_end(struct response *response);

/* Base64 of text, NUL-terminated; false when it does not fit. */
bool base64_print(char *into, size_t room, const char *text);

#endif
