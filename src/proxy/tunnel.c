/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tunnels. The order for CONNECT: host decided on, origin dialled, 200, the client's first bytes
 * examined and decided on, and only then forwarded. Nothing the client says reaches the origin
 * before.
 *
 * Where the first bytes may be anything (a setting of the group), a tunnel may also be silent at
 * first, or let the origin speak first; elsewhere a ClientHello must come in time.
 */
#include <stdlib.h>

#include "base/check.h"
#include "proxy/proxy_impl.h"

static const struct str ESTABLISHED = STR_INIT("HTTP/1.1 200 Connection established\r\n\r\n");

/* --- birth
 * -------------------------------------------------------------------------------------------- */

static char *copy(struct str s)
{
    char *to = malloc(s.len + 1);
    if (to != NULL) {
        if (s.len != 0) {
            memcpy(to, s.p, s.len);
        }
        to[s.len] = '\0';
    }
    return to;
}

/* Path and query one behind the other. */
static char *copy_target(const struct url *url)
{
    char *to = malloc(url->path.len + url->query.len + 1);
    if (to != NULL) {
        memcpy(to, url->path.p, url->path.len);
        if (url->query.len != 0) {
            memcpy(to + url->path.len, url->query.p, url->query.len);
        }
    }
    return to;
}

static struct tunnel *tunnel_new(struct exchange *exchange)
{
    struct tunnel *tunnel = calloc(1, sizeof(*tunnel));
    if (tunnel == NULL) {
        return NULL;
    }
    struct str method = str_sub(exchange_method(exchange), 0, sizeof(tunnel->method));
    tunnel->upgraded = !exchange->connect;
    tunnel->secure = tunnel->upgraded && exchange->client->inside != NULL;
    tunnel->id = exchange->id;
    tunnel->host = exchange->url.host;
    tunnel->port = exchange->url.port;
    tunnel->status = (uint16_t)exchange->status;
    tunnel->began_ms = exchange->began_ms;
    tunnel->method_len = (uint8_t)method.len;
    memcpy(tunnel->method, method.p, method.len);
    bool whole = true;
    if (exchange->person_len != 0) {
        tunnel->person = copy(exchange_person(exchange));
        tunnel->credential = exchange->credential;
        whole = tunnel->person != NULL && who_own(&exchange->who) == ERR_OK;
    }
    if (tunnel->upgraded) {
        tunnel->path = copy_target(&exchange->url);
        tunnel->path_len = (uint16_t)exchange->url.path.len;
        tunnel->query_len = (uint16_t)exchange->url.query.len;
        tunnel->has_query = exchange->url.has_query;
        whole = whole && tunnel->path != NULL;
    }
    if (!whole) {
        free(tunnel->person);
        free(tunnel->path);
        free(tunnel);
        return NULL;
    }
    tunnel->who = exchange->who;
    exchange->who = (struct who){0};
    tunnel->verdict = exchange->verdict;
    return tunnel;
}

/* From exchange to tunnel: from here on only the tunnel's functions know of the origin. */
static bool convert(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct tunnel *tunnel = tunnel_new(exchange);
    if (tunnel == NULL) {
        record_close(exchange, EVENT_END_ERROR);
        client_close(client);
        return false;
    }
    tunnel->origin = exchange->origin;
    struct http_conn *near = &client->conn;
    struct http_conn *far = &tunnel->origin->conn;
    tunnel->up = (struct way){.from = near, .to = far, .other = &tunnel->down};
    tunnel->down = (struct way){.from = far, .to = near, .other = &tunnel->up};
    tunnel->active_ms = loop_mono_ms(client->proxy->loop);
    exchange->origin = NULL;
    exchange->opened = false; /* the tunnel writes its end */
    exchange_free(exchange);
    client->tunnel = tunnel;
    client->proxy->counts.tunnels++;
    verdict_watch(client->proxy, &tunnel->verdict);
    return true;
}

/* Bytes that were read before the tunnel was one go first. */
static bool send_first(struct client *client, struct str rest)
{
    struct tunnel *tunnel = client->tunnel;
    struct proxy *proxy = client->proxy;
    struct str said = http_conn_unused(&client->conn);
    tunnel->up.bytes = said.len;
    tunnel->down.bytes = rest.len;
    return http_conn_write(&client->conn, buf_str(&proxy->line), rest) == ERR_OK &&
           http_conn_keep(&tunnel->origin->conn, str_make(NULL, 0)) == ERR_OK &&
           http_conn_write(&tunnel->origin->conn, said, str_make(NULL, 0)) == ERR_OK &&
           http_conn_keep(&client->conn, str_make(NULL, 0)) == ERR_OK;
}

static void begin_upgraded(struct client *client, struct str rest)
{
    client->tunnel->examined = true;
    client->stage = STAGE_TUNNEL;
    if (!send_first(client, rest)) {
        tunnel_end(client, EVENT_END_ERROR);
        return;
    }
    tunnel_on_client(client);
}

void tunnel_begin(struct client *client, struct str rest)
{
    struct exchange *exchange = client->exchange;
    bool connect = exchange->connect;
    bool established = exchange->established;
    exchange->status = connect ? 200 : 101;
    if (!record_open(exchange)) {
        answer_trouble(client, 503, "Lodge cannot write its record just now, so it refuses");
        return;
    }
    if (!convert(client)) {
        return;
    }
    if (!connect) {
        begin_upgraded(client, rest);
        return;
    }
    client->stage = STAGE_HELLO;
    client_timer_set(client, client->proxy->options.hello_timeout_ms);
    struct str said = established ? str_make(NULL, 0) : ESTABLISHED;
    if (http_conn_write(&client->conn, said, str_make(NULL, 0)) != ERR_OK) {
        tunnel_end(client, EVENT_END_CLIENT);
    } else if (http_conn_unused(&client->conn).len != 0 || (client->conn.ready & EPOLLIN) != 0) {
        tunnel_on_hello(client);
    }
}

/* --- end
 * ---------------------------------------------------------------------------------------------- */

void tunnel_free(struct proxy *proxy, struct tunnel *tunnel)
{
    way_fini(proxy, &tunnel->up);
    way_fini(proxy, &tunnel->down);
    origin_close(tunnel->origin);
    who_fini(&tunnel->who);
    free(tunnel->hello);
    free(tunnel->path);
    free(tunnel->person);
    free(tunnel);
}

void tunnel_end(struct client *client, enum event_end end)
{
    record_tunnel_close(client, end);
    tunnel_free(client->proxy, client->tunnel);
    client->tunnel = NULL;
    client_close(client);
}

/* --- the first bytes
 * ------------------------------------------------------------------------------------ */

/* Looks at what the client said first. True: known what it is. */
static bool examine(struct tunnel *tunnel, struct str said)
{
    struct hello hello;
    enum err err = hello_parse(said, &hello);
    if (err == ERR_AGAIN) {
        return false;
    }
    tunnel->raw = true;
    if (err == ERR_OK) {
        tunnel->hello = malloc(sizeof(hello));
        if (tunnel->hello != NULL) {
            *tunnel->hello = hello;
            tunnel->raw = false;
        }
    }
    tunnel->examined = true;
    return true;
}

/* The tunnel is decided on with what it proved to be, the view. */
static bool decide(struct client *client, struct str view)
{
    bool allowed = verdict_tunnel(client);
    if ((!allowed || client->tunnel->verdict.inspect) && !client->tunnel->raw) {
        if (http_conn_keep(&client->conn, view) != ERR_OK) {
            tunnel_end(client, EVENT_END_ERROR);
            return false;
        }
        if (inspect_takes_tunnel(client)) {
            return false;
        }
    }
    if (!allowed || client->tunnel->verdict.inspect) {
        tunnel_end(client, EVENT_END_POLICY);
        return false;
    }
    verdict_watch(client->proxy, &client->tunnel->verdict);
    client->stage = STAGE_TUNNEL;
    return true;
}

/* Would this tunnel be allowed without a ClientHello? Leaves its verdict alone where not. */
static bool may_be_raw(struct client *client)
{
    struct tunnel *tunnel = client->tunnel;
    struct verdict before = tunnel->verdict;
    tunnel->examined = true;
    tunnel->raw = true;
    if (verdict_tunnel(client)) {
        return true;
    }
    tunnel->examined = false;
    tunnel->raw = false;
    tunnel->verdict = before;
    return false;
}

/* Examines the view, and forwards it once it is decided on. */
static void take_first(struct client *client, struct str view)
{
    struct tunnel *tunnel = client->tunnel;
    if (!examine(tunnel, view)) {
        if (http_conn_keep(&client->conn, view) != ERR_OK) {
            tunnel_end(client, EVENT_END_ERROR);
        }
        return;
    }
    if (!decide(client, view)) {
        return;
    }
    tunnel->up.bytes = view.len;
    if (http_conn_write(&tunnel->origin->conn, view, str_make(NULL, 0)) != ERR_OK ||
        http_conn_keep(&client->conn, str_make(NULL, 0)) != ERR_OK) {
        tunnel_end(client, EVENT_END_ORIGIN);
        return;
    }
    tunnel_on_client(client);
}

void tunnel_on_hello(struct client *client)
{
    struct http_conn *conn = &client->conn;
    if (http_conn_flush(conn) != ERR_OK) {
        tunnel_end(client, EVENT_END_CLIENT);
        return;
    }
    struct str view = http_conn_unused(conn);
    if (view.len != 0 && !client->begun) {
        client->begun = true;
        take_first(client, view);
    }
    while (client->stage == STAGE_HELLO) {
        switch (http_conn_read(conn, &client->proxy->scratch_up, &view)) {
        case HTTP_READ_NONE:
            return;
        case HTTP_READ_END:
        case HTTP_READ_BROKEN:
            tunnel_end(client, EVENT_END_CLIENT);
            return;
        case HTTP_READ_SOME:
            if (client->tunnel->patient && !client->begun) {
                client_timer_set(client, client->proxy->options.hello_timeout_ms);
            }
            client->begun = true;
            take_first(client, view);
            break;
        }
    }
}

void tunnel_on_hello_origin(struct client *client, struct origin *origin)
{
    struct tunnel *tunnel = client->tunnel;
    if ((origin->conn.ready & (EPOLLHUP | EPOLLERR)) != 0) {
        tunnel_end(client, EVENT_END_ORIGIN);
        return;
    }
    if ((origin->conn.ready & (EPOLLIN | EPOLLRDHUP)) == 0 || tunnel->raw_refused ||
        client->begun) {
        return;
    }
    if (!may_be_raw(client)) {
        tunnel->raw_refused = true;
        return;
    }
    client->stage = STAGE_TUNNEL;
    tunnel_on_client(client);
}

void tunnel_hello_late(struct client *client)
{
    struct tunnel *tunnel = client->tunnel;
    if (client->begun || tunnel->patient || !may_be_raw(client)) {
        tunnel_end(client, EVENT_END_TIMEOUT);
        return;
    }
    /* It may be silent; whatever comes first is still examined. */
    tunnel->examined = false;
    tunnel->raw = false;
    tunnel->patient = true;
    client_timer_set(client, client->proxy->options.tunnel_timeout_ms);
}

/* --- both ways
 * ------------------------------------------------------------------------------------------ */

static void set_timer(struct client *client)
{
    const struct tunnel *tunnel = client->tunnel;
    const struct proxy_options *options = &client->proxy->options;
    bool half = tunnel->up.ended || tunnel->down.ended;
    bool shorter = half && options->body_timeout_ms < options->tunnel_timeout_ms;
    client_timer_set(client, shorter ? options->body_timeout_ms : options->tunnel_timeout_ms);
}

void tunnel_on_client(struct client *client)
{
    struct proxy *proxy = client->proxy;
    struct tunnel *tunnel = client->tunnel;
    size_t up_moved = 0;
    size_t down_moved = 0;
    enum way_result up = way_run(proxy, &tunnel->up, &proxy->scratch_up, &up_moved);
    enum way_result down = up != WAY_BROKEN
                               ? way_run(proxy, &tunnel->down, &proxy->scratch_down, &down_moved)
                               : WAY_BROKEN;
    if (up == WAY_BROKEN || down == WAY_BROKEN) {
        bool by_client = (client->conn.ready & (EPOLLHUP | EPOLLERR)) != 0;
        tunnel_end(client, by_client ? EVENT_END_CLIENT : EVENT_END_ORIGIN);
        return;
    }
    if (tunnel->up.done && tunnel->down.done) {
        tunnel_end(client, EVENT_END_DONE);
        return;
    }
    if (up == WAY_MORE || down == WAY_MORE) {
        client_again(client);
    }
    if (up_moved + down_moved != 0) {
        tunnel->active_ms = loop_mono_ms(proxy->loop);
    }
    set_timer(client);
}

void tunnel_on_origin(struct client *client, struct origin *origin)
{
    CHECK(client->tunnel->origin == origin);
    tunnel_on_client(client);
}

void tunnel_late(struct client *client)
{
    tunnel_end(client, EVENT_END_TIMEOUT);
}
