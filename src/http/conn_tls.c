/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS as a transport.
 *
 * OpenSSL asks for a record's head and then for its body; a layer reads as much as there is at once
 * into memory that it holds only while something in it is not used. What the connection stood on
 * before is called with the connection as it was then.
 */
#include "http/conn_tls.h"

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "http/conn_impl.h"

enum {
    RECORD = 16384,           /* of plain text, at most (RFC 8446 section 5.1) */
    RAW = 4 * (RECORD + 512), /* what fills a scratch of a process */
    /* Read from below in one call, so that records without data hold nobody up. */
    BUDGET = 512 * 1024,
};

struct layer {
    struct http_conn *conn;
    struct tls_session *session;
    const struct http_transport *below;
    void *below_layer;
    char *raw; /* read from below and not used: from raw_at to raw_end; NULL where there is none */
    size_t raw_at;
    size_t raw_end;
    size_t budget;
};

/* --- what it stands on
 * --------------------------------------------------------------------------- */

static void swap_in(struct layer *layer)
{
    layer->conn->transport = layer->below;
    layer->conn->layer = layer->below_layer;
}

static enum http_read receive_below(struct layer *layer, char *to, size_t room, size_t *ret_n)
{
    const struct http_transport *own = layer->conn->transport;
    swap_in(layer);
    enum http_read result = conn_receive(layer->conn, to, room, ret_n);
    layer->conn->transport = own;
    layer->conn->layer = layer;
    return result;
}

static enum err transmit_below(struct layer *layer, struct str bytes, size_t *ret_n)
{
    const struct http_transport *own = layer->conn->transport;
    swap_in(layer);
    enum err err = conn_transmit(layer->conn, bytes, str_make(NULL, 0), ret_n);
    layer->conn->transport = own;
    layer->conn->layer = layer;
    return err;
}

static void shut_below(struct layer *layer)
{
    const struct http_transport *own = layer->conn->transport;
    swap_in(layer);
    conn_shut(layer->conn);
    layer->conn->transport = own;
    layer->conn->layer = layer;
}

/* Fills raw; 1, or a TLS_LOWER_. */
static int fill(struct layer *layer)
{
    size_t n = 0;
    if (layer->budget == 0 || (layer->conn->ready & (EPOLLIN | CONN_ENDED)) == 0) {
        return TLS_LOWER_AGAIN;
    }
    char *raw = malloc(RAW);
    if (raw == NULL) {
        return TLS_LOWER_BROKEN;
    }
    enum http_read result = receive_below(layer, raw, RAW, &n);
    if (result != HTTP_READ_SOME) {
        free(raw);
        return result == HTTP_READ_NONE  ? TLS_LOWER_AGAIN
               : result == HTTP_READ_END ? TLS_LOWER_END
                                         : TLS_LOWER_BROKEN;
    }
    layer->raw = raw;
    layer->raw_at = 0;
    layer->raw_end = n;
    layer->budget -= n < layer->budget ? n : layer->budget;
    return 1;
}

static int on_receive(void *context, char *to, size_t room)
{
    struct layer *layer = context;
    int filled = layer->raw != NULL ? 1 : fill(layer);
    if (filled <= 0) {
        return filled;
    }
    size_t left = layer->raw_end - layer->raw_at;
    size_t n = room < left ? room : left;
    memcpy(to, layer->raw + layer->raw_at, n);
    layer->raw_at += n;
    if (layer->raw_at == layer->raw_end) {
        free(layer->raw);
        layer->raw = NULL;
    }
    return (int)n;
}

static int on_transmit(void *context, const char *bytes, size_t n)
{
    struct layer *layer = context;
    size_t taken = 0;
    if ((layer->conn->ready & EPOLLOUT) == 0) {
        return TLS_LOWER_AGAIN;
    }
    if (transmit_below(layer, str_make(bytes, n), &taken) != ERR_OK) {
        return TLS_LOWER_BROKEN;
    }
    return taken != 0 ? (int)taken : TLS_LOWER_AGAIN;
}

/* --- the transport
 * ------------------------------------------------------------------------------- */

static enum http_read tls_receive(struct http_conn *conn, char *to, size_t room, size_t *ret_n)
{
    struct layer *layer = conn->layer;
    enum tls_result result = TLS_DONE;
    size_t got = 0;
    layer->budget = BUDGET;
    while (result == TLS_DONE && got < room) {
        size_t n = 0;
        result = tls_read(layer->session, to + got, room - got, &n);
        got += n;
    }
    if (result == TLS_WANT_WRITE && http_conn_full(conn) != ERR_OK) {
        return HTTP_READ_BROKEN;
    }
    if (result != TLS_WANT_READ) {
        conn->ready |= EPOLLIN; /* no edge tells of what was read from below already */
    }
    if (got != 0) {
        *ret_n = got;
        return HTTP_READ_SOME;
    }
    return result == TLS_END      ? HTTP_READ_END
           : result == TLS_BROKEN ? HTTP_READ_BROKEN
                                  : HTTP_READ_NONE;
}

/* The next bytes behind `at` of a and b. A head and the body behind it make one record: two would
 * cost twice. */
static struct str next(struct str a, struct str b, size_t at, char room[RECORD])
{
    struct str rest = str_skip(a, at);
    if (rest.len == 0 || rest.len >= RECORD || b.len == 0) {
        return rest.len != 0 ? rest : str_skip(b, at - a.len);
    }
    struct str more = str_sub(b, 0, RECORD - rest.len);
    memcpy(room, rest.p, rest.len);
    memcpy(room + rest.len, more.p, more.len);
    return str_make(room, rest.len + more.len);
}

static enum err tls_transmit(struct http_conn *conn, struct str a, struct str b, size_t *ret_n)
{
    struct layer *layer = conn->layer;
    enum tls_result result = TLS_DONE;
    char room[RECORD];
    size_t sent = 0;
    while (result == TLS_DONE && sent < a.len + b.len) {
        size_t n = 0;
        result = tls_write(layer->session, next(a, b, sent, room), &n);
        sent += n;
    }
    if (result != TLS_DONE && result != TLS_WANT_WRITE) {
        return ERR_SYSTEM;
    }
    *ret_n = sent;
    return ERR_OK;
}

static bool tls_is_quiet(const struct http_conn *conn)
{
    struct layer *layer = conn->layer;
    layer->budget = BUDGET;
    layer->conn->ready |= EPOLLIN; /* the socket is asked, whatever the loop has said */
    return tls_is_established(layer->session) && tls_peek(layer->session) == TLS_WANT_READ;
}

static void tls_transport_shut(struct http_conn *conn)
{
    struct layer *layer = conn->layer;
    if (tls_shut(layer->session) != TLS_WANT_WRITE) {
        shut_below(layer);
        return;
    }
    /* Where it can be watched no more it is as good as gone. */
    conn->shut_due = http_conn_full(conn) == ERR_OK;
}

static void layer_free(struct layer *layer)
{
    tls_session_free(layer->session);
    free(layer->raw);
    free(layer);
}

static void tls_close(struct http_conn *conn)
{
    struct layer *layer = conn->layer;
    swap_in(layer);
    layer_free(layer);
    if (conn->transport != NULL) {
        conn->transport->close(conn);
    }
}

static const struct http_transport TLS = {
    .receive = tls_receive,
    .transmit = tls_transmit,
    .is_quiet = tls_is_quiet,
    .shut = tls_transport_shut,
    .close = tls_close,
};

/* --- from outside
 * -------------------------------------------------------------------------------- */

/* What was read before comes first. */
static bool take_read(struct layer *layer)
{
    struct str unused = http_conn_unused(layer->conn);
    if (unused.len == 0) {
        return true;
    }
    layer->raw = malloc(unused.len);
    if (layer->raw == NULL) {
        return false;
    }
    memcpy(layer->raw, unused.p, unused.len);
    layer->raw_end = unused.len;
    return true;
}

enum err http_conn_tls_open(struct http_conn *conn, http_conn_tls_make *make, void *context)
{
    CHECK(!http_conn_pending(conn) && http_conn_is_open(conn));
    struct layer *layer = calloc(1, sizeof(*layer));
    if (layer == NULL) {
        return ERR_MEMORY;
    }
    *layer = (struct layer){.conn = conn, .below = conn->transport, .below_layer = conn->layer};
    struct tls_lower lower = {.context = layer, .receive = on_receive, .transmit = on_transmit};
    enum err err = take_read(layer) ? make(context, &lower, &layer->session) : ERR_MEMORY;
    if (err != ERR_OK) {
        layer_free(layer);
        return err;
    }
    buf_fini(&conn->in);
    conn->transport = &TLS;
    conn->layer = layer;
    return ERR_OK;
}

enum http_handshake http_conn_handshake(struct http_conn *conn)
{
    CHECK(conn->transport == &TLS);
    struct layer *layer = conn->layer;
    layer->budget = BUDGET;
    switch (tls_handshake(layer->session)) {
    case TLS_DONE:
        conn->ready |= EPOLLIN; /* the first data may have come with the handshake's last */
        return HTTP_HANDSHAKE_DONE;
    case TLS_WANT_READ:
        return HTTP_HANDSHAKE_WAIT;
    case TLS_WANT_WRITE:
        return http_conn_full(conn) == ERR_OK ? HTTP_HANDSHAKE_WAIT : HTTP_HANDSHAKE_FAILED;
    case TLS_END:
    case TLS_BROKEN:
        break;
    }
    return HTTP_HANDSHAKE_FAILED;
}

struct tls_session *http_conn_tls(const struct http_conn *conn)
{
    return conn->transport == &TLS ? ((const struct layer *)conn->layer)->session : NULL;
}
