/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One end of HTTP/2 under test (http/h2.h) over a socket pair, and at the other end nghttp2's own
 * client or server, or bare frames. */
#ifndef LODGE_TESTS_H2_RIG_H
#define LODGE_TESTS_H2_RIG_H

#include <nghttp2/nghttp2.h>

#include "base/buf.h"
#include "http/h2.h"
#include "lib/test.h"

enum { RIG_STREAMS = 300, RIG_SCRATCH = 65536, RIG_HEADERS = 40 };

struct said;

/* A stream of the end under test, as its user sees it. */
struct rig_stream {
    struct http_conn conn;
    struct rig *rig;
    int32_t id;
    struct buf text;     /* read so far */
    enum http_read last; /* END, BROKEN, or SOME */
    uint32_t events;     /* all that were told */
    bool paused;         /* reads nothing */
};

/* What nghttp2's end heard of one stream. */
struct rig_answer {
    int32_t id;
    struct buf fields; /* "name: value\n", trailers too */
    struct buf body;
    bool ended, closed;
    uint32_t code; /* of its close */
};

struct rig {
    struct loop *loop;
    struct http_conn conn;
    struct h2 *h2;
    char scratch[RIG_SCRATCH];
    int fd; /* of the peer; -1: closed */
    struct rig_stream streams[RIG_STREAMS];
    size_t n_streams;
    bool refuse; /* opens no connection for a stream */
    bool paused; /* new streams are */
    unsigned ended;
    /* the peer: nghttp2 */
    nghttp2_session *peer;
    size_t step;     /* bytes that it writes and reads at once; 0: any */
    bool deaf;       /* it reads nothing */
    struct buf said; /* to be written */
    struct rig_answer answers[RIG_STREAMS];
    size_t n_answers;
    struct said *bodies; /* that it sends */
    uint32_t goaway;     /* its code; UINT32_MAX: none */
    bool closed;         /* the end under test has closed */
};

/* limits NULL: H2_LIMITS. */
void rig_front(struct rig *rig, const struct h2_limits *limits);
void rig_origin(struct rig *rig, const struct h2_limits *limits);
void rig_free(struct rig *rig);

/* Makes nghttp2's end: a client of rig_front, a server to rig_origin. */
void rig_peer(struct rig *rig);
/* Turns until nothing moves. */
void rig_settle(struct rig *rig);
/* One turn of the loop. */
void rig_turn(struct rig *rig);

/* A request by nghttp2's client: names and values by turns, NULL at the end; body NULL: none.
 * trailers: a field of that value, named "x-trailer", or NULL. */
int32_t rig_ask(struct rig *rig, const char *const *headers, const char *body, const char *trailer);
/* An answer of nghttp2's server, likewise. */
void rig_answer(struct rig *rig, int32_t id, const char *const *headers, const char *body,
                const char *trailer);
struct rig_answer *rig_heard(struct rig *rig, int32_t id);

/* Opens a stream on rig_origin. */
struct rig_stream *rig_open(struct rig *rig);
/* Writes text into a stream of the end under test. */
void rig_say(struct rig_stream *stream, struct str text);

/* Bare frames of a peer. */
void rig_bytes(struct rig *rig, struct str bytes);
void rig_frame(struct rig *rig, uint8_t type, uint8_t flags, int32_t id, struct str payload);
/* What the end under test says to bare frames: the code of the first RST_STREAM or GOAWAY that is
 * no NO_ERROR, 256 + the code for GOAWAY; -1: nothing of the kind, -2: nothing but a close. */
int rig_verdict(struct rig *rig);

#endif
