/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The request up, the answer down, both at once.
 *
 * Each direction reads only while the other end has nothing pending, so an exchange holds at most
 * one scratch of bytes each way. Before the first byte of an answer goes out its event is written:
 * one of kind request where the whole answer is there already, else an opening, and a close at its
 * end.
 */
#include "base/check.h"
#include "http/conn_tls.h"
#include "http/h2.h"
#include "proxy/proxy_impl.h"

enum {
    ROUNDS = 16,     /* of both directions, before others have their turn */
    INTERIM_MAX = 8, /* 1xx answers to one request */
};

/* What a direction did. */
enum step {
    STEP_WAIT, /* nothing more now */
    STEP_MORE,
    STEP_OVER, /* the exchange is no more, or not in this stage */
};

static void progress(struct client *client)
{
    client_timer_set(client, client->proxy->options.body_timeout_ms);
}

/* Ends an exchange whose answer has begun, or whose client has gone: it can only be cut off. */
static enum step cut(struct client *client, enum event_end end)
{
    const struct exchange *exchange = client->exchange;
    bool to_the_end = exchange->decode || exchange->down.kind == HTTP1_BODY_CLOSE;
    if (exchange->sent && to_the_end && client->conn.io.fd >= 0) {
        sock_set_reset(client->conn.io.fd); /* a plain end would say that this was all */
    }
    record_left(client->exchange, end);
    client_close(client);
    return STEP_OVER;
}

/* Ends an exchange with a page, while that is possible. */
static enum step fail(struct client *client, unsigned status, const char *why, enum event_end end)
{
    if (client->exchange->begun) {
        return cut(client, end);
    }
    answer_trouble(client, status, why);
    return STEP_OVER;
}

/* --- the request
 * -------------------------------------------------------------------------------------- */

/* Sends what of the view belongs to the body, behind `head`. */
static enum step send_up(struct client *client, struct str head, struct str view)
{
    struct exchange *exchange = client->exchange;
    struct buf *data = exchange->keeps_words ? &client->proxy->data : NULL;
    size_t used = 0;
    buf_clear(&client->proxy->data);
    if (http_body_feed(&exchange->up, view, &used, data) != ERR_OK) {
        client->last = true;
        client->unread = true;
        return fail(client, 400, "The request's body is not valid", EVENT_END_CLIENT);
    }
    if (data != NULL) {
        searching_feed(exchange, buf_str(data));
    }
    exchange->bytes_up = exchange->up.bytes;
    if (http_conn_write(&exchange->origin->conn, head, str_sub(view, 0, used)) != ERR_OK) {
        exchange->stopped = true; /* it may have answered before it closed */
        exchange->origin->conn.ready |= EPOLLIN;
    }
    if (http_conn_keep(&client->conn, str_skip(view, used)) != ERR_OK) {
        return cut(client, EVENT_END_ERROR);
    }
    return STEP_MORE;
}

static enum step run_up(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct http_conn *to = &exchange->origin->conn;
    if (exchange->stopped) {
        return STEP_WAIT;
    }
    if (http_conn_pending(to)) {
        if (http_conn_flush(to) != ERR_OK) {
            exchange->stopped = true;
            to->ready |= EPOLLIN;
            return STEP_MORE;
        }
        if (http_conn_pending(to)) {
            return STEP_WAIT;
        }
        progress(client);
    }
    if (exchange->up.done) {
        return STEP_WAIT;
    }
    struct str view = http_conn_unused(&client->conn);
    if (view.len == 0) {
        switch (http_conn_read(&client->conn, &client->proxy->scratch_up, &view)) {
        case HTTP_READ_NONE:
            return STEP_WAIT;
        case HTTP_READ_END:
        case HTTP_READ_BROKEN:
            return cut(client, EVENT_END_CLIENT);
        case HTTP_READ_SOME:
            progress(client);
            break;
        }
    }
    return send_up(client, str_make(NULL, 0), view);
}

/* --- the answer's end
 * --------------------------------------------------------------------------------- */

static enum step finish(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct origin *origin = exchange->origin;
    record_close(exchange, EVENT_END_DONE);
    /* A head that came in pieces still lies in the connection, and is not the next answer. */
    if (exchange->keep_origin && exchange->up.done && !exchange->stopped &&
        !client->proxy->draining && http_conn_keep(&origin->conn, str_make(NULL, 0)) == ERR_OK &&
        origin_is_quiet(origin)) {
        exchange->origin = NULL;
        if (exchange->bound) {
            client->bound = origin;
        } else {
            pool_put(origin);
        }
    }
    if (!exchange->up.done) {
        client->last = true;
        client->unread = true;
    }
    exchange_free(exchange);
    client_next(client);
    return STEP_OVER;
}

/* A stream that its origin did not look at: any request may go again, if no byte of its body is
 * gone. */
static bool was_refused(struct exchange *exchange)
{
    const struct origin *origin = exchange->origin;
    enum h2_refusal refusal = origin->stream ? h2_stream_refusal(&origin->conn) : H2_REFUSAL_NONE;
    exchange->http1 |= refusal == H2_REFUSAL_HTTP1;
    return refusal != H2_REFUSAL_NONE && exchange->up.done && exchange->up.bytes == 0;
}

/* A kept connection that was closed before it said a word: the request is sent once more (RFC 9110
 * section 9.2.2). */
static bool try_again(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct origin *origin = exchange->origin;
    bool silent = http_conn_unused(&origin->conn).len == 0 && exchange->interim == 0;
    bool may = (origin->reused && exchange->repeatable) || was_refused(exchange);
    if (!silent || !may || exchange->retried) {
        return false;
    }
    exchange->retried = true;
    exchange->stopped = false;
    exchange->origin = NULL;
    origin_close(origin);
    exchange->dial = (struct dial){.fresh = true};
    dial_begin(client);
    return true;
}

/* What a page says of an origin that ended before its answer. */
static const char *silence_text(const struct origin *origin)
{
    const struct tls_session *session = http_conn_tls(&origin->conn);
    enum tls_trouble trouble = session != NULL ? tls_trouble(session) : TLS_TROUBLE_NONE;
    if (trouble == TLS_TROUBLE_NONE || trouble == TLS_TROUBLE_TRUNCATED ||
        trouble == TLS_TROUBLE_SYSTEM) {
        return "The site closed the connection without an answer";
    }
    return tls_trouble_text(trouble);
}

/* --- the answer
 * ---------------------------------------------------------------------------------------- */

/* Writes what was held, then these. */
static enum step write_down(struct client *client, struct str head, struct str body)
{
    struct exchange *exchange = client->exchange;
    if (!exchange->sent && !(exchange->down.done && !exchange->opened ? record_request(exchange)
                                                                      : record_open(exchange))) {
        return fail(client, 503, "Lodge cannot write its record just now, so it refuses",
                    EVENT_END_ERROR);
    }
    exchange->begun = true;
    exchange->sent = true;
    if (exchange->hold != NULL) {
        struct str kept = hold_kept(exchange);
        head = kept.len != 0 ? kept : head;
    }
    if (http_conn_write(&client->conn, head, body) != ERR_OK) {
        return cut(client, EVENT_END_CLIENT);
    }
    if (exchange->hold != NULL) {
        hold_sent(exchange);
    }
    if (exchange->down.done && !http_conn_pending(&client->conn)) {
        return finish(client);
    }
    return STEP_MORE;
}

/* What readers of the body say to its next bytes, which are behind `head` and go out as `body`. */
static enum step read_down(struct client *client, struct str head, struct str body)
{
    struct exchange *exchange = client->exchange;
    bool apart = exchange->down.kind == HTTP1_BODY_CHUNKED;
    struct str data = apart ? buf_str(&client->proxy->data) : body;
    switch (hold_feed(exchange, data, exchange->down.done)) {
    case HOLD_GO:
        break;
    case HOLD_WAIT:
        if (!hold_keep(exchange, head, body)) {
            return fail(client, 502, "The site's answer is too long", EVENT_END_ORIGIN);
        }
        return STEP_MORE;
    case HOLD_REFUSED:
        relay_refuse(client);
        return STEP_OVER;
    }
    return write_down(client, head, body);
}

/* Takes what of `bytes` is body, behind `head`, and writes both, or holds them back. */
static enum step send_down(struct client *client, struct str head, struct str bytes)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    bool read = exchange->hold != NULL;
    bool apart = exchange->decode || (read && exchange->down.kind == HTTP1_BODY_CHUNKED);
    size_t used = 0;
    buf_clear(&proxy->data);
    if (http_body_feed(&exchange->down, bytes, &used, apart ? &proxy->data : NULL) != ERR_OK) {
        return fail(client, 502, "The site's answer is not valid", EVENT_END_ORIGIN);
    }
    if (used != bytes.len) {
        exchange->keep_origin = false; /* it says more than it was asked */
    }
    exchange->bytes_down = exchange->down.bytes;
    exchange->answered = true;
    struct str body = exchange->decode ? buf_str(&proxy->data) : str_sub(bytes, 0, used);
    return read ? read_down(client, head, body) : write_down(client, head, body);
}

/* whole: it said that this is the end (a FIN; over TLS close_notify, since anybody on the way can
 * send a FIN, RFC 8446 section 6.1). */
static enum step origin_ended(struct client *client, bool whole)
{
    struct exchange *exchange = client->exchange;
    exchange->keep_origin = false;
    if (exchange->answered) {
        if (!whole || http_body_end(&exchange->down) != ERR_OK) {
            return fail(client, 502, "The site closed the connection in the middle of its answer",
                        EVENT_END_ORIGIN);
        }
        return exchange->hold != NULL ? send_down(client, str_make(NULL, 0), str_make(NULL, 0))
                                      : finish(client);
    }
    if (!exchange->begun && try_again(client)) {
        return STEP_OVER;
    }
    return fail(client, 502, silence_text(exchange->origin), EVENT_END_ORIGIN);
}

/* RFC 9110 section 15.2.2: the origin may switch only to what was offered. */
static bool may_switch(const struct exchange *exchange, const struct http1_head *head)
{
    const struct http1_header *chosen = http1_find(head, HTTP1_NAME_UPGRADE);
    struct str rest = buf_str(&exchange->offered);
    struct str item;
    if (!exchange->upgrade || !head->upgrade || chosen == NULL) {
        return false;
    }
    while (rest.len != 0) {
        str_cut(rest, ',', &item, &rest);
        if (str_eq_nocase(str_trim(item), chosen->value)) {
            return true;
        }
    }
    return false;
}

static enum step send_interim(struct client *client)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    if (++exchange->interim > INTERIM_MAX) {
        return fail(client, 502, "The site's answer is not valid", EVENT_END_ORIGIN);
    }
    if (exchange->old) {
        return STEP_MORE; /* RFC 9110 section 15.2: not for HTTP/1.0 */
    }
    if (!record_open(exchange)) {
        return fail(client, 503, "Lodge cannot write its record just now, so it refuses",
                    EVENT_END_ERROR);
    }
    exchange->begun = true;
    buf_clear(&proxy->line);
    forward_response(&proxy->line, exchange, &proxy->head, true);
    if (buf_err(&proxy->line) != ERR_OK ||
        http_conn_write(&client->conn, buf_str(&proxy->line), str_make(NULL, 0)) != ERR_OK) {
        return cut(client, EVENT_END_CLIENT);
    }
    return STEP_MORE;
}

static enum step send_final(struct client *client, struct str rest)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    const struct http1_head *head = &proxy->head;
    if (head->status == 407) {
        /* Only we may ask for credentials to us. */
        return fail(client, 502, "The site's answer is not valid", EVENT_END_ORIGIN);
    }
    exchange->status = head->status;
    exchange->bound |= forward_is_bound(head);
    if (exchange->bound && client->parent != NULL) {
        /* Signing in by the connection needs one of its own (RFC 4559), up to the origin. */
        h2_stream_want_http1(&client->conn);
        return cut(client, EVENT_END_ORIGIN);
    }
    http_body_init(&exchange->down, head);
    exchange->decode = exchange->old && head->body == HTTP1_BODY_CHUNKED;
    exchange->keep_origin =
        head->keep_alive && head->body != HTTP1_BODY_CLOSE && !exchange->origin->stream;
    /* An answer before the request's end, or one that ends with the connection, is the last. */
    client->last |= !exchange->up.done || head->body == HTTP1_BODY_CLOSE;
    buf_clear(&proxy->line);
    forward_response(&proxy->line, exchange, head, !client->last && !proxy->draining);
    if (buf_err(&proxy->line) != ERR_OK) {
        return fail(client, 502, "The site's answer is too long", EVENT_END_ORIGIN);
    }
    if (!exchange->down.done && hold_begin(exchange, head) == HOLD_REFUSED) {
        relay_refuse(client);
        return STEP_OVER;
    }
    return send_down(client, buf_str(&proxy->line), rest);
}

static enum step switch_protocol(struct client *client, struct str rest)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    if (!may_switch(exchange, &proxy->head)) {
        return fail(client, 502, "The site's answer is not valid", EVENT_END_ORIGIN);
    }
    exchange->status = 101;
    buf_clear(&proxy->line);
    forward_response(&proxy->line, exchange, &proxy->head, true);
    if (buf_err(&proxy->line) != ERR_OK) {
        return fail(client, 502, "The site's answer is too long", EVENT_END_ORIGIN);
    }
    tunnel_begin(client, rest);
    return STEP_OVER;
}

/* One head of the view; *view is then what follows it. */
static enum step take_head(struct client *client, struct str *view, bool *ret_partial)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    size_t len = 0;
    enum http1_fault fault = HTTP1_FAULT_NONE;
    enum err err = http1_parse_response(*view, exchange->method, &proxy->head, &len, &fault);
    if (err == ERR_AGAIN) {
        *ret_partial = true;
        return STEP_MORE;
    }
    if (err != ERR_OK) {
        exchange->repeatable = false;
        return fail(client, 502, "The site's answer is not valid", EVENT_END_ORIGIN);
    }
    *view = str_skip(*view, len);
    if (proxy->head.status == 101) {
        return switch_protocol(client, *view);
    }
    return proxy->head.status < 200 ? send_interim(client) : send_final(client, *view);
}

static enum step take_heads(struct client *client, struct str view)
{
    struct exchange *exchange = client->exchange;
    bool partial = false;
    while (!exchange->answered && !partial && view.len != 0) {
        if (take_head(client, &view, &partial) == STEP_OVER) {
            return STEP_OVER;
        }
    }
    /* What followed a final head went out with it. */
    struct str rest = exchange->answered ? str_make(NULL, 0) : view;
    if (http_conn_keep(&exchange->origin->conn, rest) != ERR_OK) {
        return fail(client, 502, "The site's answer is too long", EVENT_END_ORIGIN);
    }
    return STEP_MORE;
}

static enum step run_down(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct str view;
    if (http_conn_pending(&client->conn)) {
        if (http_conn_flush(&client->conn) != ERR_OK) {
            return cut(client, EVENT_END_CLIENT);
        }
        if (http_conn_pending(&client->conn)) {
            return STEP_WAIT;
        }
        progress(client);
        if (exchange->down.done) {
            return finish(client);
        }
    }
    switch (http_conn_read(&exchange->origin->conn, &client->proxy->scratch_down, &view)) {
    case HTTP_READ_NONE:
        return STEP_WAIT;
    case HTTP_READ_END:
        return origin_ended(client, true);
    case HTTP_READ_BROKEN:
        return origin_ended(client, false);
    case HTTP_READ_SOME:
        break;
    }
    progress(client);
    return exchange->answered ? send_down(client, str_make(NULL, 0), view)
                              : take_heads(client, view);
}

/* --- the stage
 * ------------------------------------------------------------------------------------------ */

static void relay_run(struct client *client)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        enum step up = run_up(client);
        if (up == STEP_OVER) {
            return;
        }
        enum step down = run_down(client);
        if (down == STEP_OVER || (up == STEP_WAIT && down == STEP_WAIT)) {
            return;
        }
    }
    client_again(client);
}

void relay_begin(struct client *client)
{
    struct exchange *exchange = client->exchange;
    client->stage = STAGE_RELAY;
    if ((client->conn.ready & (EPOLLHUP | EPOLLERR)) != 0) {
        cut(client, EVENT_END_CLIENT); /* it had gone when its request was read */
        return;
    }
    enum err err = searching_apply(exchange);
    if (err == ERR_INVALID) {
        relay_refuse(client);
        return;
    }
    if (err != ERR_OK) {
        fail(client, 414, "The address is too long", EVENT_END_ERROR);
        return;
    }
    verdict_watch(client->proxy, &exchange->verdict);
    progress(client);
    /* A site may have said something, or gone, before it was asked; no edge tells of it again. */
    bool early = (exchange->origin->conn.ready & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (send_up(client, buf_str(&exchange->head), http_conn_unused(&client->conn)) == STEP_MORE &&
        (!exchange->up.done || exchange->stopped || early)) {
        relay_run(client);
    }
}

void relay_on_client(struct client *client)
{
    if ((client->conn.ready & (EPOLLHUP | EPOLLERR)) != 0) {
        cut(client, EVENT_END_CLIENT);
        return;
    }
    relay_run(client);
}

void relay_on_origin(struct client *client, struct origin *origin)
{
    CHECK(client->exchange->origin == origin);
    relay_run(client);
}

void relay_late(struct client *client)
{
    trunk_doubt(client);
    fail(client, 504, "The site does not answer", EVENT_END_TIMEOUT);
}

void relay_release(struct client *client)
{
    (void)write_down(client, str_make(NULL, 0), str_make(NULL, 0));
}

void relay_refuse(struct client *client)
{
    if (client->exchange->begun) {
        cut(client, EVENT_END_POLICY);
    } else {
        answer_blocked(client);
    }
}
