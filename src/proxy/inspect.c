/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a CONNECT to requests inside its TLS.
 *
 * The client is told 200 before anything is dialled, since what it asks for is known only by its
 * ClientHello and the requests behind it. If the hello shows that the site is not to be inspected
 * after all (it was asked for by an address, say, and the name is one of those never inspected),
 * the way goes back to a tunnel: the origin is dialled then, by its name, and the hello, which is
 * still there, is passed on. What was refused never goes back.
 */
#include <stdlib.h>

#include "base/check.h"
#include "http/conn_tls.h"
#include "proxy/proxy_impl.h"

enum {
    /* Where the policy lets bytes pass that are no TLS, the other side may be the first to speak:
     * so long is waited for a ClientHello before the origin is dialled. */
    SILENCE_MS = 1000,
};

static const struct str ESTABLISHED = STR_INIT("HTTP/1.1 200 Connection established\r\n\r\n");

bool inspect_is_possible(const struct proxy *proxy)
{
    return proxy->leaves.key != NULL && proxy->setup.leaf != NULL;
}

bool inspect_takes(struct client *client)
{
    const struct exchange *exchange = client->exchange;
    if (!exchange->connect || exchange->late || exchange->verdict.action != ACTION_ALLOW ||
        !exchange->verdict.inspect || !inspect_is_possible(client->proxy)) {
        return false;
    }
    inspect_begin(client);
    return true;
}

/* Whether a device that is refused is shown a page inside: not at a port where something else than
 * TLS is likely to be spoken, and not a device that does not know the CA. Those get 403 to the
 * CONNECT, which Firefox explains as the proxy's refusal, to be taken up with whoever runs the
 * network, and Chromium as a site that cannot be reached. An alert of TLS, or an end inside, is
 * explained by both as a fault of the site's security, and tried again. */
static bool may_show(struct proxy *proxy, const struct client *client, const struct host *host,
                     uint16_t port)
{
    bool tls = proxy->options.allow_private ||
               policy_has_connect_port(proxy->images.policy, port) ||
               to_console_is(client, host, port);
    return tls && inspect_is_possible(proxy) && trust_is_enrolled(proxy, &client->addr);
}

bool inspect_shows(struct client *client)
{
    const struct exchange *exchange = client->exchange;
    if (!exchange->connect || exchange->late ||
        !may_show(client->proxy, client, &exchange->url.host, exchange->url.port)) {
        return false;
    }
    inspect_begin(client);
    return true;
}

/* --- the first bytes
 * ------------------------------------------------------------------------------------ */

/* Ends a CONNECT that was answered with 200: no page can be sent any more. */
static void end_first(struct client *client, enum event_end end)
{
    record_left(client->exchange, end);
    client_close(client);
}

static bool may_be_raw(struct exchange *exchange)
{
    struct verdict verdict;
    return exchange->verdict.action == ACTION_ALLOW && verdict_raw(exchange, &verdict);
}

void inspect_begin(struct client *client)
{
    struct exchange *exchange = client->exchange;
    int64_t patience = client->proxy->options.hello_timeout_ms;
    dial_unbind(client);
    dial_cancel(exchange);
    exchange->dial = (struct dial){0};
    if (patience > SILENCE_MS && may_be_raw(exchange)) {
        patience = SILENCE_MS;
    }
    client->stage = STAGE_FIRST;
    client_idle(client, true);
    client_timer_set(client, patience);
    exchange->status = 200;
    exchange->established = true;
    if (http_conn_write(&client->conn, ESTABLISHED, str_make(NULL, 0)) != ERR_OK) {
        end_first(client, EVENT_END_CLIENT);
    } else if (http_conn_unused(&client->conn).len != 0 || (client->conn.ready & EPOLLIN) != 0) {
        inspect_on_first(client);
    }
}

/* The name spoke for the address, so it is the name's site that is reached. */
static void lead_to_name(struct url *url, const struct hello *hello)
{
    if (url->host.kind != HOST_NAME && hello->has_sni) {
        url->host = hello->sni;
    }
}

/* Back to a tunnel. */
static void go_tunnel(struct client *client)
{
    client->exchange->late = true;
    client->begun = false;
    client_idle(client, false);
    dial_begin(client);
}

static void go_inside(struct client *client);

static struct inside *inside_new(const struct hello *hello, const struct host *connect_host,
                                 uint16_t port)
{
    struct inside *inside = calloc(1, sizeof(*inside));
    if (inside != NULL) {
        inside->refs = 1;
        inside->hello = *hello;
        inside->connect_host = *connect_host;
        inside->host = hello->has_sni ? hello->sni : *connect_host;
        inside->port = port;
    }
    return inside;
}

static void set_person(struct inside *inside, struct str person, int64_t credential)
{
    inside->credential = credential;
    inside->person_len = (uint8_t)(person.len < LIMIT_ID_LEN ? person.len : LIMIT_ID_LEN);
    if (inside->person_len != 0) {
        memcpy(inside->person, person.p, inside->person_len);
    }
}

/* What was refused, by its address say, is not open since its ClientHello is fine. */
static void bar(struct inside *inside, const struct verdict *before)
{
    if (before->action != ACTION_ALLOW && inside->verdict.action == ACTION_ALLOW) {
        inside->verdict = *before;
        inside->barred = true;
    }
}

/* The policy says that this is not to be inspected (any more). */
static bool is_over(const struct proxy *proxy, const struct inside *inside)
{
    return inside->verdict.action == ACTION_ALLOW && !inside->verdict.inspect &&
           !gate_is_host(proxy, &inside->host);
}

/* The ClientHello of an exchange is known: what does the policy say to it? */
static void take_hello(struct client *client, const struct hello *hello)
{
    struct exchange *exchange = client->exchange;
    struct inside *inside = inside_new(hello, &exchange->url.host, exchange->url.port);
    if (inside == NULL) {
        end_first(client, EVENT_END_ERROR);
        return;
    }
    set_person(inside, exchange_person(exchange), exchange->credential);
    inside->id = exchange->id;
    inside->began_ms = exchange->began_ms;
    client->inside = inside;
    verdict_inside(client);
    bar(inside, &exchange->verdict);
    if (is_over(client->proxy, inside)) {
        client->inside = NULL;
        who_fini(&inside->who);
        free(inside);
        lead_to_name(&exchange->url, hello);
        go_tunnel(client);
        return;
    }
    exchange_free(exchange);
    go_inside(client);
}

/* Bytes that are no ClientHello: a tunnel where any bytes may pass, else the end. */
static void take_raw(struct client *client)
{
    struct exchange *exchange = client->exchange;
    if (exchange->verdict.action == ACTION_ALLOW && verdict_raw(exchange, &exchange->verdict)) {
        go_tunnel(client);
    } else {
        end_first(client, EVENT_END_POLICY);
    }
}

static void take_first(struct client *client, struct str view)
{
    struct hello hello;
    enum err err = hello_parse(view, &hello);
    if (http_conn_keep(&client->conn, view) != ERR_OK) {
        end_first(client, EVENT_END_ERROR);
    } else if (err == ERR_OK) {
        take_hello(client, &hello);
    } else if (err != ERR_AGAIN) {
        take_raw(client);
    }
}

void inspect_on_first(struct client *client)
{
    struct http_conn *conn = &client->conn;
    if (http_conn_flush(conn) != ERR_OK) {
        end_first(client, EVENT_END_CLIENT);
        return;
    }
    struct str view = http_conn_unused(conn);
    if (view.len != 0 && !client->begun) {
        client->begun = true;
        take_first(client, view);
    }
    while (client->stage == STAGE_FIRST) {
        switch (http_conn_read(conn, &client->proxy->scratch_up, &view)) {
        case HTTP_READ_NONE:
            return;
        case HTTP_READ_END:
        case HTTP_READ_BROKEN:
            end_first(client, EVENT_END_CLIENT);
            return;
        case HTTP_READ_SOME:
            client->begun = true;
            take_first(client, view);
            break;
        }
    }
}

void inspect_first_late(struct client *client)
{
    if (!client->begun && may_be_raw(client->exchange)) {
        go_tunnel(client);
    } else {
        end_first(client, EVENT_END_TIMEOUT);
    }
}

bool inspect_takes_tunnel(struct client *client)
{
    struct proxy *proxy = client->proxy;
    struct tunnel *tunnel = client->tunnel;
    bool allowed = tunnel->verdict.action == ACTION_ALLOW;
    if (tunnel->hello == NULL || !inspect_is_possible(proxy) ||
        !(allowed ? tunnel->verdict.inspect
                  : may_show(proxy, client, &tunnel->host, tunnel->port))) {
        return false;
    }
    struct inside *inside = inside_new(tunnel->hello, &tunnel->host, tunnel->port);
    if (inside == NULL) {
        return false;
    }
    struct verdict before = tunnel->verdict;
    set_person(inside, str_from(tunnel->person), tunnel->credential);
    record_new_id(proxy, &inside->id);
    inside->began_ms = loop_mono_ms(proxy->loop);
    record_tunnel_close(client, allowed ? EVENT_END_DONE : EVENT_END_POLICY);
    tunnel_free(proxy, tunnel);
    client->tunnel = NULL;
    client->inside = inside;
    verdict_inside(client);
    bar(inside, &before);
    go_inside(client);
    return true;
}

/* --- the leaf and the handshake
 * ------------------------------------------------------------------------- */

/* Ends a connection whose TLS did not come about; a refusal keeps its own reason. */
static void end_inside(struct client *client, enum reason reason)
{
    struct verdict *verdict = &client->inside->verdict;
    if (verdict->action == ACTION_ALLOW) {
        verdict->action = ACTION_BLOCK;
        verdict->level = LEVEL_NONE;
        verdict->reason = reason;
        verdict->rule = reason_code(reason);
    }
    client_close(client);
}

struct make_context {
    struct client *client;
    const struct tls_leaf *leaf;
};

static enum err make_session(void *context, const struct tls_lower *lower,
                             struct tls_session **ret_session)
{
    const struct make_context *make = context;
    const struct client *client = make->client;
    bool offer_h2 = true;
    return tls_accept(client->proxy->leaves.server, make->leaf, host_str(&client->inside->host),
                      offer_h2, lower, ret_session);
}

static void begin_tls(struct client *client, const struct tls_leaf *leaf)
{
    struct make_context make = {client, leaf};
    client->stage = STAGE_TLS;
    client_timer_set(client, client->proxy->options.hello_timeout_ms);
    if (http_conn_tls_open(&client->conn, make_session, &make) != ERR_OK) {
        end_inside(client, REASON_DOUBT);
        return;
    }
    inspect_on_tls(client);
}

/* A leaf is had, or waited for. */
static void find_leaf(struct client *client)
{
    const struct tls_leaf *leaf = NULL;
    switch (leaf_find(client, &client->inside->host, &leaf)) {
    case LEAF_READY:
        begin_tls(client, leaf);
        break;
    case LEAF_WAIT:
        break;
    case LEAF_NONE:
        end_inside(client, REASON_DOUBT);
        break;
    }
}

static void go_inside(struct client *client)
{
    client->stage = STAGE_LEAF;
    client_timer_set(client, client->proxy->options.hello_timeout_ms);
    inspect_on_leaf(client);
}

void inspect_on_leaf(struct client *client)
{
    if ((client->conn.ready & (EPOLLHUP | EPOLLERR)) != 0 ||
        http_conn_flush(&client->conn) != ERR_OK) {
        client_close(client);
    } else if (!http_conn_pending(&client->conn) && client->leaf == NULL) {
        find_leaf(client);
    }
}

void inspect_leaf_came(struct client *client, const struct tls_leaf *leaf)
{
    if (leaf == NULL) {
        end_inside(client, REASON_DOUBT);
    } else {
        begin_tls(client, leaf);
    }
}

static void established(struct client *client)
{
    struct inside *inside = client->inside;
    inside->ready = true;
    client->last = false;
    client->begun = false;
    client_idle(client, false);
    verdict_watch(client->proxy, &inside->verdict);
    client->conn.ready |= EPOLLIN; /* a request may have come with the end of the handshake */
    if (tls_alpn(http_conn_tls(&client->conn)) == TLS_ALPN_H2) {
        front_begin(client);
    } else {
        client_next(client);
    }
}

static void failed(struct client *client)
{
    bool refused = trust_failed(client->proxy, &client->addr, &client->inside->host,
                                http_conn_tls(&client->conn));
    end_inside(client, refused ? REASON_TLS_REFUSED : REASON_TLS_FAILED);
}

void inspect_on_tls(struct client *client)
{
    switch (http_conn_handshake(&client->conn)) {
    case HTTP_HANDSHAKE_WAIT:
        break;
    case HTTP_HANDSHAKE_DONE:
        established(client);
        break;
    case HTTP_HANDSHAKE_FAILED:
        failed(client);
        break;
    }
}

void inspect_late(struct client *client)
{
    end_inside(client, client->stage == STAGE_LEAF ? REASON_DOUBT : REASON_TLS_FAILED);
}

/* --- later
 * ---------------------------------------------------------------------------------------------- */

bool inspect_still_holds(struct client *client)
{
    const struct proxy *proxy = client->proxy;
    if (client->inside->verdict.until_ms <= proxy_now_ms(proxy)) {
        verdict_inside(client);
    }
    return !is_over(proxy, client->inside);
}

void inspect_decide_again(struct client *client)
{
    verdict_inside(client);
    if (!is_over(client->proxy, client->inside)) {
        return;
    }
    if (client->front != NULL) {
        front_drain(client);
    } else if (client->stage == STAGE_HEAD && !client->begun) {
        client_close(client);
    } else {
        client->last = true;
    }
}

void inspect_leave(struct client *client)
{
    struct inside *inside = client->inside;
    leaf_forget(client);
    client->inside = NULL;
    if (--inside->refs != 0) {
        return;
    }
    /* A handshake that nothing was asked behind is no visit, unless the visit is refused. */
    if (!inside->asked && !(inside->ready && inside->verdict.action == ACTION_ALLOW)) {
        record_inside(client, inside);
    }
    who_fini(&inside->who);
    free(inside);
}
