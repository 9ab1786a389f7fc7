/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP/2: bytes between a connection and nghttp2, and how both end.
 *
 * What is to be written is gathered and goes out at the end of the turn, so that streams that
 * answer in one turn share a record of TLS and a system call.
 */
#include "http/h2.h"

#include <stdlib.h>

#include "base/check.h"
#include "http/h2_impl.h"

enum {
    READS_AT_ONCE = 16,
    GATHERED = 32768,
    /* Frames that nghttp2 has made and nobody takes, but for DATA: a peer that asks and never
     * reads. */
    FRAMES_UNSENT_MAX = 2000,
};

const struct h2_limits H2_LIMITS = {
    .streams = 100,
    .header_list_bytes = LIMIT_HTTP_HEAD_LEN,
    .stream_window = 256 * 1024,
    .connection_window = 1024 * 1024,
    .resets_burst = 400,
    .resets_rate = 50,
    .frames_burst = 2000,
    .frames_rate = 500,
    .continuations = 8,
};

/* --- the end
 * ------------------------------------------------------------------------------------------- */

/* The connection is of no more use. Streams that are open are told; the owner, too. */
static void end(struct h2 *h2)
{
    if (h2->over) {
        return;
    }
    h2->over = true;
    struct h2_stream *next = NULL;
    for (struct h2_stream *stream = h2->streams; stream != NULL; stream = next) {
        next = stream->next;
        h2_stream_orphan(stream);
    }
    if (h2->owner.ended != NULL) {
        h2->owner.ended(h2, h2->owner.context);
    }
}

/* --- writing
 * ------------------------------------------------------------------------------------------- */

/* The next frames, as many as fit into `to`, and the first that does not fit. False: broken. */
static bool gather(struct h2 *h2, char to[GATHERED], size_t *ret_n, struct str *ret_last)
{
    size_t n = 0;
    *ret_last = str_make(NULL, 0);
    for (;;) {
        const uint8_t *bytes = NULL;
        h2->inside = true;
        ssize_t len = nghttp2_session_mem_send(h2->session, &bytes);
        h2->inside = false;
        if (len < 0) {
            return false;
        }
        struct str frame = str_make((const char *)bytes, (size_t)len);
        *ret_n = n;
        if (len == 0) {
            return true;
        }
        if (frame.len > GATHERED - n) {
            *ret_last = frame;
            return true;
        }
        memcpy(to + n, frame.p, frame.len);
        n += frame.len;
    }
}

/* Writes as far as the connection takes it. False: broken. */
static bool write_some(struct h2 *h2)
{
    char bytes[GATHERED];
    for (;;) {
        size_t n = 0;
        struct str last;
        if (http_conn_flush(h2->conn) != ERR_OK) {
            return false;
        }
        if (http_conn_pending(h2->conn)) {
            return nghttp2_session_get_outbound_queue_size(h2->session) <= FRAMES_UNSENT_MAX;
        }
        if (!gather(h2, bytes, &n, &last)) {
            return false;
        }
        if (n == 0 && last.len == 0) {
            return true;
        }
        if (http_conn_write(h2->conn, str_make(bytes, n), last) != ERR_OK) {
            return false;
        }
    }
}

/* --- reading
 * ------------------------------------------------------------------------------------------- */

/* Gives bytes to nghttp2. False: the connection must end, after what nghttp2 or we say of it. */
static bool take(struct h2 *h2, struct str bytes)
{
    h2->inside = true;
    ssize_t used = nghttp2_session_mem_recv(h2->session, (const uint8_t *)bytes.p, bytes.len);
    h2->inside = false;
    if (used >= 0) {
        return true;
    }
    uint32_t code = h2->code;
    if (code == NGHTTP2_NO_ERROR) {
        bool flood = used == NGHTTP2_ERR_FLOODED || used == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS ||
                     used == NGHTTP2_ERR_TOO_MANY_SETTINGS;
        code = flood ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_PROTOCOL_ERROR;
    }
    (void)nghttp2_session_terminate_session(h2->session, code);
    (void)write_some(h2);
    return false;
}

/* False: the connection has ended. */
static bool read_some(struct h2 *h2)
{
    struct str view = http_conn_unused(h2->conn);
    for (unsigned i = 0; i < READS_AT_ONCE; i++) {
        if (view.len != 0 &&
            (!take(h2, view) || http_conn_keep(h2->conn, str_make(NULL, 0)) != ERR_OK)) {
            return false;
        }
        view = str_make(NULL, 0);
        switch (http_conn_read(h2->conn, &h2->scratch, &view)) {
        case HTTP_READ_NONE:
            return true;
        case HTTP_READ_END:
        case HTTP_READ_BROKEN:
            return false;
        case HTTP_READ_SOME:
            break;
        }
    }
    if (view.len != 0 &&
        (!take(h2, view) || http_conn_keep(h2->conn, str_make(NULL, 0)) != ERR_OK)) {
        return false;
    }
    h2_later(h2);
    return true;
}

bool h2_run(struct h2 *h2)
{
    CHECK(!h2->inside);
    if (h2->over) {
        return false;
    }
    bool fine = read_some(h2) && write_some(h2);
    bool wanted = nghttp2_session_want_read(h2->session) != 0 ||
                  nghttp2_session_want_write(h2->session) != 0 || http_conn_pending(h2->conn);
    if (!fine || !wanted) {
        end(h2);
    }
    return !h2->over;
}

static void run_later(struct loop_defer *defer)
{
    struct h2 *h2 = (struct h2 *)(void *)((char *)defer - offsetof(struct h2, defer));
    (void)!h2_run(h2);
}

void h2_later(struct h2 *h2)
{
    if (!h2->over) {
        loop_defer_add(h2->loop, &h2->defer);
    }
}

/* --- birth and death
 * ----------------------------------------------------------------------------------- */

static void free_now(struct loop_defer *defer)
{
    free((char *)defer - offsetof(struct h2, defer));
}

void h2_free(struct h2 *h2)
{
    if (h2 == NULL) {
        return;
    }
    CHECK(!h2->inside);
    h2->owner = (struct h2_owner){0};
    end(h2);
    nghttp2_session_del(h2->session);
    buf_fini(&h2->fields);
    h2->defer.fn = free_now;
    loop_defer_add(h2->loop, &h2->defer);
}

static enum err open_h2(struct http_conn *conn, struct loop *loop,
                        const struct http_scratch *scratch, const struct h2_limits *limits,
                        const struct h2_owner *owner, bool server, struct h2 **ret_h2)
{
    struct h2 *h2 = calloc(1, sizeof(*h2));
    if (h2 == NULL) {
        return ERR_MEMORY;
    }
    *h2 = (struct h2){
        .conn = conn,
        .loop = loop,
        .scratch = *scratch,
        .limits = *limits,
        .owner = *owner,
        .defer = {.fn = run_later},
        .server = server,
    };
    CHECK(limits->header_list_bytes <= LIMIT_HTTP_HEAD_LEN);
    buf_init(&h2->fields, H2_TEXT_MAX);
    enum err err = h2_session_new(h2);
    if (err == ERR_OK && !write_some(h2)) {
        err = ERR_SYSTEM;
    }
    if (err != ERR_OK) {
        nghttp2_session_del(h2->session);
        free(h2);
        return err;
    }
    *ret_h2 = h2;
    return ERR_OK;
}

enum err h2_front_new(struct http_conn *conn, struct loop *loop, const struct http_scratch *scratch,
                      const struct h2_limits *limits, const struct h2_owner *owner,
                      struct h2 **ret_h2)
{
    return open_h2(conn, loop, scratch, limits, owner, true, ret_h2);
}

enum err h2_origin_new(struct http_conn *conn, struct loop *loop,
                       const struct http_scratch *scratch, const struct h2_limits *limits,
                       const struct h2_owner *owner, struct h2 **ret_h2)
{
    return open_h2(conn, loop, scratch, limits, owner, false, ret_h2);
}

/* --- what is asked of it
 * ------------------------------------------------------------------------------- */

void h2_drain(struct h2 *h2)
{
    if (h2->over || h2->draining) {
        return;
    }
    h2->draining = true;
    int32_t last = nghttp2_session_get_last_proc_stream_id(h2->session);
    (void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last, NGHTTP2_NO_ERROR, NULL, 0);
    h2_later(h2);
}

size_t h2_open_streams(const struct h2 *h2)
{
    return h2->n_streams;
}

bool h2_may_open(const struct h2 *h2)
{
    uint32_t theirs =
        nghttp2_session_get_remote_settings(h2->session, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    uint32_t most = theirs < h2->limits.streams ? theirs : h2->limits.streams;
    return !h2->server && !h2->over && !h2->draining && h2->n_streams < most &&
           nghttp2_session_check_request_allowed(h2->session) != 0;
}

bool h2_takes_websocket(const struct h2 *h2)
{
    return !h2->over && nghttp2_session_get_remote_settings(
                            h2->session, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL) == 1;
}
