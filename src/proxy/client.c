/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clients: taken from a listener, read for requests, closed. */
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "http/h2.h"
#include "proxy/proxy_impl.h"

enum {
    ACCEPT_AT_ONCE = 64,
    /* A head under way, and what one read brought behind it. */
    CLIENT_IN_MAX = LIMIT_HTTP_HEAD_LEN + SCRATCH_BYTES,
    EXCHANGES_KEPT = 64,
    HEAD_KEPT = 16384,
    LINGER_MS = 2000,
    LINGER_READS = 16,
    /* Requests answered by pages in one go, before others have their turn. */
    REQUESTS_AT_ONCE = 32,
};

/* --- the list of those without a request, longest first ------------------------------------------
 */

static void idle_add(struct client *client)
{
    struct proxy *proxy = client->proxy;
    if (client->idle) {
        return;
    }
    client->idle = true;
    client->idle_next = NULL;
    client->idle_prev = proxy->idle_last;
    *(proxy->idle_last != NULL ? &proxy->idle_last->idle_next : &proxy->idle_first) = client;
    proxy->idle_last = client;
}

static void idle_remove(struct client *client)
{
    struct proxy *proxy = client->proxy;
    if (!client->idle) {
        return;
    }
    client->idle = false;
    struct client *prev = client->idle_prev;
    struct client *next = client->idle_next;
    *(prev != NULL ? &prev->idle_next : &proxy->idle_first) = next;
    *(next != NULL ? &next->idle_prev : &proxy->idle_last) = prev;
}

void client_idle(struct client *client, bool idle)
{
    idle_remove(client);
    if (idle) {
        idle_add(client);
    }
}

bool client_evict(struct proxy *proxy)
{
    if (proxy->idle_first == NULL) {
        return false;
    }
    client_close(proxy->idle_first);
    return true;
}

/* --- birth and end
 * ---------------------------------------------------------------------------------- */

static void on_io(struct loop_io *io, uint32_t events)
{
    struct client *client =
        (struct client *)(void *)((char *)io - offsetof(struct client, conn.io));
    http_conn_note(&client->conn, events);
    if (stages[client->stage].client != NULL) {
        stages[client->stage].client(client);
    }
}

static void on_timer(struct loop_timer *timer)
{
    struct client *client =
        (struct client *)(void *)((char *)timer - offsetof(struct client, timer));
    if (stages[client->stage].late != NULL) {
        stages[client->stage].late(client);
    }
}

static struct client *of_defer(struct loop_defer *defer)
{
    return (struct client *)(void *)((char *)defer - offsetof(struct client, defer));
}

static void go_on(struct loop_defer *defer)
{
    struct client *client = of_defer(defer);
    if (stages[client->stage].client != NULL) {
        stages[client->stage].client(client);
    }
}

static void free_now(struct loop_defer *defer)
{
    free(of_defer(defer));
}

void client_again(struct client *client)
{
    loop_defer_add(client->proxy->loop, &client->defer);
}

void client_timer_set(struct client *client, int64_t ms)
{
    struct loop *loop = client->proxy->loop;
    loop_timer_set(loop, &client->timer, loop_mono_ms(loop) + ms);
}

/* Among the proxy's clients, from now on until it is closed. */
static void client_add(struct proxy *proxy, struct client *client)
{
    client->proxy = proxy;
    client->timer.fn = on_timer;
    client->defer.fn = go_on;
    client->stage = STAGE_HEAD;
    client->next = proxy->clients;
    if (proxy->clients != NULL) {
        proxy->clients->prev = client;
    }
    proxy->clients = client;
    proxy->n_clients++;
}

static enum err client_new(struct proxy *proxy, int fd, const struct sock_addr *peer,
                           struct client **ret_client)
{
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        close(fd);
        return ERR_MEMORY;
    }
    http_conn_init(&client->conn, CLIENT_IN_MAX);
    enum err err = http_conn_open(&client->conn, proxy->loop, fd, on_io, true);
    if (err != ERR_OK) {
        free(client);
        return err;
    }
    memcpy(client->addr.bytes, peer->ip, sizeof(client->addr.bytes));
    client_add(proxy, client);
    proxy->counts.clients++;
    *ret_client = client;
    return ERR_OK;
}

struct client *client_new_stream(struct client *parent, int32_t id)
{
    struct proxy *proxy = parent->proxy;
    struct client *client = calloc(1, sizeof(*client));
    if (client == NULL) {
        return NULL;
    }
    http_conn_init(&client->conn, CLIENT_IN_MAX);
    if (h2_stream_open(parent->front->h2, id, &client->conn, on_io) != ERR_OK) {
        free(client);
        return NULL;
    }
    client_add(proxy, client);
    client->addr = parent->addr;
    client->inside = parent->inside;
    client->inside->refs++;
    client->parent = parent;
    client->stream_next = parent->front->streams;
    if (client->stream_next != NULL) {
        client->stream_next->stream_prev = client;
    }
    parent->front->streams = client;
    client_timer_set(client, proxy->options.head_timeout_ms);
    return client;
}

/* A stream leaves its connection. */
static void leave_parent(struct client *client)
{
    struct client *prev = client->stream_prev;
    struct client *next = client->stream_next;
    *(prev != NULL ? &prev->stream_next : &client->parent->front->streams) = next;
    if (next != NULL) {
        next->stream_prev = prev;
    }
    front_left(client->parent);
}

void client_accept(struct listener *listener)
{
    struct proxy *proxy = listener->proxy;
    for (unsigned i = 0; i < ACCEPT_AT_ONCE; i++) {
        bool full = proxy->n_clients >= proxy->options.max_connections;
        if (full && proxy->idle_first == NULL) {
            proxy_accepting(proxy, false);
            return;
        }
        int fd = -1;
        struct sock_addr peer;
        enum err err = sock_accept(listener->io.fd, &fd, &peer);
        if (err == ERR_LIMIT) {
            pool_sweep(proxy, true);
            client_evict(proxy);
            proxy_accepting(proxy, false);
            return;
        }
        struct client *client = NULL;
        if (err != ERR_OK) {
            return;
        }
        if (full) {
            client_evict(proxy);
        }
        if (client_new(proxy, fd, &peer, &client) != ERR_OK) {
            return;
        }
        idle_add(client);
        client_timer_set(client, proxy->options.head_timeout_ms);
    }
}

void client_close(struct client *client)
{
    struct proxy *proxy = client->proxy;
    if (client->stage == STAGE_CLOSED) {
        return;
    }
    if (client->tunnel != NULL) {
        record_tunnel_close(client, EVENT_END_ERROR);
        tunnel_free(proxy, client->tunnel);
        client->tunnel = NULL;
    }
    if (client->exchange != NULL) {
        record_left(client->exchange, EVENT_END_ERROR);
        exchange_free(client->exchange);
    }
    dial_unbind(client);
    client->stage = STAGE_CLOSED;
    if (client->front != NULL) {
        front_leave(client);
    }
    if (client->inside != NULL) {
        inspect_leave(client);
    }
    outer_leave(client);
    idle_remove(client);
    loop_timer_clear(&client->timer);
    http_conn_close(&client->conn);
    if (client->parent != NULL) {
        leave_parent(client);
    }
    *(client->prev != NULL ? &client->prev->next : &proxy->clients) = client->next;
    if (client->next != NULL) {
        client->next->prev = client->prev;
    }
    proxy->n_clients--;
    client->defer.fn = free_now;
    loop_defer_add(proxy->loop, &client->defer);
    if (!proxy->accepting && !proxy->draining) {
        proxy_accepting(proxy, true);
    }
}

/* --- exchanges
 * -------------------------------------------------------------------------------------- */

struct exchange *exchange_new(struct client *client)
{
    struct proxy *proxy = client->proxy;
    CHECK(client->exchange == NULL);
    struct exchange *exchange = proxy->free_exchanges;
    if (exchange != NULL) {
        proxy->free_exchanges = exchange->next_free;
        proxy->n_free_exchanges--;
    } else {
        exchange = calloc(1, sizeof(*exchange));
        if (exchange == NULL) {
            return NULL;
        }
        buf_init(&exchange->head, EXCHANGE_HEAD_MAX);
        buf_init(&exchange->offered, 1024);
        arena_init(&exchange->arena, 4 * LIMIT_URL_LEN);
    }
    exchange->client = client;
    exchange->next_free = NULL;
    exchange->began_ms = loop_mono_ms(proxy->loop);
    record_new_id(proxy, &exchange->id);
    client->exchange = exchange;
    proxy->counts.requests++;
    return exchange;
}

/* Zeroes everything but what is worth keeping for the next. */
static void exchange_reset(struct exchange *exchange)
{
    struct buf head = exchange->head;
    struct buf offered = exchange->offered;
    struct arena arena = exchange->arena;
    if (head.cap > HEAD_KEPT) {
        buf_fini(&head);
    }
    buf_clear(&head);
    buf_clear(&offered);
    arena_reset(&arena);
    *exchange = (struct exchange){.head = head, .offered = offered, .arena = arena};
}

void exchange_free(struct exchange *exchange)
{
    struct client *client = exchange->client;
    struct proxy *proxy = client->proxy;
    identify_forget(exchange);
    dial_cancel(exchange);
    hold_free(exchange);
    if (exchange->origin != NULL) {
        origin_close(exchange->origin);
        exchange->origin = NULL;
    }
    who_fini(&exchange->who);
    buf_fini(&exchange->words);
    client->exchange = NULL;
    if (proxy->n_free_exchanges >= EXCHANGES_KEPT) {
        buf_fini(&exchange->head);
        buf_fini(&exchange->offered);
        arena_fini(&exchange->arena);
        free(exchange);
        return;
    }
    exchange_reset(exchange);
    exchange->next_free = proxy->free_exchanges;
    proxy->free_exchanges = exchange;
    proxy->n_free_exchanges++;
}

/* --- requests
 * ---------------------------------------------------------------------------------------- */

/* Parses what has been read. True: it was a request (good or bad) and is being answered, perhaps is
 * already; what follows it was kept. */
static bool try_head(struct client *client, struct str view)
{
    struct proxy *proxy = client->proxy;
    size_t len = 0;
    enum http1_fault fault = HTTP1_FAULT_NONE;
    enum err err = http1_parse_request(view, &proxy->head, &len, &fault);
    if (err == ERR_AGAIN) {
        return false;
    }
    idle_remove(client);
    client->begun = false;
    if (err != ERR_OK) {
        request_malformed(client, err, fault);
    } else {
        request_begin(client, str_skip(view, len));
    }
    return true;
}

/* Reads once. *ret_parse: enough is new to try again; a head that comes byte by byte is parsed once
 * a line, not once a byte. False: nothing came, or the client is closed. */
static bool read_more(struct client *client, struct str *ret_view, bool *ret_parse)
{
    size_t before = http_conn_unused(&client->conn).len;
    struct str view;
    switch (http_conn_read(&client->conn, &client->proxy->scratch_up, &view)) {
    case HTTP_READ_NONE:
        return false;
    case HTTP_READ_END:
    case HTTP_READ_BROKEN:
        client_close(client);
        return false;
    case HTTP_READ_SOME:
        break;
    }
    if (!client->begun) {
        client->begun = true;
        client_timer_set(client, client->proxy->options.head_timeout_ms);
    }
    struct str fresh = str_skip(view, before);
    *ret_parse =
        before == 0 || view.len >= LIMIT_HTTP_LINE_LEN || str_index(fresh, '\n') < fresh.len;
    *ret_view = view;
    return true;
}

void client_run(struct client *client)
{
    if (client->running) {
        return;
    }
    client->running = true;
    struct str view = http_conn_unused(&client->conn);
    bool parse = view.len != 0;
    unsigned n = 0;
    while (client->stage == STAGE_HEAD) {
        if (parse && !client->met) {
            client->met = true;
            if (outer_takes(client, view)) {
                break;
            }
        }
        if (parse && try_head(client, view)) {
            view = http_conn_unused(&client->conn);
            parse = view.len != 0;
            if (++n >= REQUESTS_AT_ONCE && client->stage == STAGE_HEAD) {
                client_again(client);
                break;
            }
            continue;
        }
        if (parse && http_conn_keep(&client->conn, view) != ERR_OK) {
            client_close(client);
            break;
        }
        if (!read_more(client, &view, &parse)) {
            break;
        }
    }
    client->running = false;
}

void client_next(struct client *client)
{
    struct proxy *proxy = client->proxy;
    CHECK(client->exchange == NULL && client->tunnel == NULL);
    if (client->last || proxy->draining) {
        client_linger(client);
        return;
    }
    client->stage = STAGE_HEAD;
    client->begun = http_conn_unused(&client->conn).len != 0;
    if (client->begun) {
        client_timer_set(client, proxy->options.head_timeout_ms);
    } else {
        idle_add(client);
        client_timer_set(client, proxy->options.idle_timeout_ms);
    }
    /* Without a remembered edge there is nothing to read: the usual end of an answer. */
    if (client->begun || (client->conn.ready & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) != 0) {
        client_run(client);
    }
}

/* --- stages that wait, and the end
 * ------------------------------------------------------------------ */

void client_watch(struct client *client)
{
    if ((client->conn.ready & (EPOLLHUP | EPOLLERR)) != 0) {
        record_left(client->exchange, EVENT_END_CLIENT);
        client_close(client);
    }
}

void client_late(struct client *client)
{
    if (client->stage == STAGE_HEAD && client->begun) {
        client->begun = false;
        idle_remove(client);
        request_late(client);
    } else {
        client_close(client);
    }
}

void client_on_page(struct client *client)
{
    if (http_conn_flush(&client->conn) != ERR_OK) {
        client_close(client);
    } else if (!http_conn_pending(&client->conn)) {
        client_next(client);
    }
}

void client_linger(struct client *client)
{
    bool quiet = http_conn_unused(&client->conn).len == 0 && (client->conn.ready & EPOLLIN) == 0;
    if (quiet && !client->unread) {
        if (client->conn.transport != NULL) {
            http_conn_shut(&client->conn); /* over TLS an end is told, not only had */
        }
        client_close(client);
        return;
    }
    http_conn_shut(&client->conn);
    client->stage = STAGE_LINGER;
    client_timer_set(client, LINGER_MS);
    client_on_linger(client);
}

void client_on_linger(struct client *client)
{
    struct str view;
    if (http_conn_keep(&client->conn, str_make(NULL, 0)) != ERR_OK) {
        client_close(client);
        return;
    }
    for (unsigned i = 0; i < LINGER_READS; i++) {
        switch (http_conn_read(&client->conn, &client->proxy->scratch_up, &view)) {
        case HTTP_READ_SOME:
            break;
        case HTTP_READ_NONE:
            return;
        case HTTP_READ_END:
        case HTTP_READ_BROKEN:
            client_close(client);
            return;
        }
    }
    client_again(client); /* the timer ends it */
}
