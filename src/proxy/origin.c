/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Origins: names to addresses, each address decided on right before it is dialled, connections
 * raced (RFC 8305). The address that was checked is the address that is dialled: nothing is looked
 * up in between, so a name that changes its address gains nothing.
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "proxy/proxy_impl.h"

enum {
    DIAL_STAGGER_MS = 250, /* RFC 8305 section 5 */
    /* A head that is not whole yet, and what one read brought behind it. */
    ORIGIN_IN_MAX = LIMIT_HTTP_HEAD_LEN + SCRATCH_BYTES,
};

static void dial_next(struct client *client);

/* --- connections
 * ------------------------------------------------------------------------------------- */

void origin_on_io(struct loop_io *io, uint32_t events)
{
    struct origin *origin =
        (struct origin *)(void *)((char *)io - offsetof(struct origin, conn.io));
    struct client *client = origin->client;
    http_conn_note(&origin->conn, events);
    if (origin->h2 != NULL) {
        trunk_on_io(origin);
    } else if (client == NULL) {
        if (!origin_is_quiet(origin)) {
            origin_close(origin); /* unused, so whatever it says is the end of it */
        }
    } else if (stages[client->stage].origin != NULL) {
        stages[client->stage].origin(client, origin);
    }
}

static void free_now(struct loop_defer *defer)
{
    free((char *)defer - offsetof(struct origin, defer));
}

bool origin_is_quiet(struct origin *origin)
{
    static const uint32_t said = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
    struct str view;
    if (!origin->secure || (origin->conn.ready & said) == 0) {
        return (origin->conn.ready & said) == 0;
    }
    return http_conn_read(&origin->conn, &origin->proxy->scratch_down, &view) == HTTP_READ_NONE;
}

struct origin *origin_new(struct client *client, const struct sock_addr *addr, struct str host,
                          bool secure)
{
    CHECK(host.len <= LIMIT_HOST_LEN);
    struct origin *origin = calloc(1, sizeof(*origin) + host.len);
    if (origin == NULL) {
        return NULL;
    }
    http_conn_init(&origin->conn, ORIGIN_IN_MAX);
    origin->proxy = client->proxy;
    origin->client = client;
    origin->addr = *addr;
    origin->secure = secure;
    origin->host_len = (uint8_t)host.len;
    memcpy(origin->host, host.p, host.len);
    return origin;
}

enum err origin_connect(struct client *client, const struct sock_addr *addr, struct str host,
                        bool secure, struct origin **ret_origin)
{
    int fd = -1;
    struct origin *origin = origin_new(client, addr, host, secure);
    if (origin == NULL) {
        return ERR_MEMORY;
    }
    enum err err = sock_connect(addr, &fd);
    if (err == ERR_OK) {
        err = http_conn_open(&origin->conn, client->proxy->loop, fd, origin_on_io, false);
    }
    if (err != ERR_OK) {
        free(origin);
        return err;
    }
    *ret_origin = origin;
    return ERR_OK;
}

void origin_close(struct origin *origin)
{
    if (origin->pooled) {
        pool_remove(origin);
    }
    if (origin->h2 != NULL) {
        trunk_leave(origin);
    }
    http_conn_close(&origin->conn);
    origin->defer.fn = free_now;
    loop_defer_add(origin->proxy->loop, &origin->defer);
}

/* --- dialling
 * ---------------------------------------------------------------------------------------- */

static void close_tries(struct dial *dial)
{
    while (dial->tries != NULL) {
        struct origin *try = dial->tries;
        dial->tries = try->next_try;
        origin_close(try);
    }
}

void dial_cancel(struct exchange *exchange)
{
    dns_cancel(&exchange->dial.query);
    loop_timer_clear(&exchange->dial.stagger);
    close_tries(&exchange->dial);
}

/* The exchange has its connection. */
void dial_done(struct client *client, struct origin *origin)
{
    struct exchange *exchange = client->exchange;
    exchange->origin = origin;
    if (exchange->connect) {
        tunnel_begin(client, str_make(NULL, 0));
    } else {
        relay_begin(client);
    }
}

/* No address is left. */
static void dial_failed(struct client *client)
{
    if (client->exchange->dial.refused) {
        answer_blocked(client);
    } else {
        answer_trouble(client, 502, "The site cannot be reached");
    }
}

static void on_stagger(struct loop_timer *timer)
{
    struct exchange *exchange =
        (struct exchange *)(void *)((char *)timer - offsetof(struct exchange, dial.stagger));
    dial_next(exchange->client);
}

/* True: this address may be dialled for this request. */
static bool may_dial(struct exchange *exchange, const struct sock_addr *addr)
{
    struct dial *dial = &exchange->dial;
    bool checked = dial->checked;
    dial->checked = false;
    if (proxy_is_self(exchange->client->proxy, addr)) {
        return false;
    }
    if (!checked && !verdict_exchange(exchange, addr)) {
        dial->refused = true;
        return false;
    }
    return true;
}

/* Dials the next address that may be, and sets the timer for the one after it. */
static void dial_next(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct dial *dial = &exchange->dial;
    while (dial->next < dial->n) {
        const struct sock_addr *addr = &dial->addrs[dial->next++];
        struct origin *origin = NULL;
        if (!may_dial(exchange, addr) ||
            origin_connect(client, addr, host_str(&exchange->url.host),
                           exchange_is_secure(exchange), &origin) != ERR_OK) {
            continue;
        }
        origin->next_try = dial->tries;
        dial->tries = origin;
        if (dial->next < dial->n) {
            struct loop *loop = client->proxy->loop;
            dial->stagger.fn = on_stagger;
            loop_timer_set(loop, &dial->stagger, loop_mono_ms(loop) + DIAL_STAGGER_MS);
        }
        return;
    }
    if (dial->tries == NULL) {
        dial_failed(client);
    }
}

static void remove_try(struct dial *dial, struct origin *origin)
{
    struct origin **at = &dial->tries;
    while (*at != origin) {
        CHECK(*at != NULL);
        at = &(*at)->next_try;
    }
    *at = origin->next_try;
    origin->next_try = NULL;
}

void dial_on_origin(struct client *client, struct origin *origin)
{
    struct exchange *exchange = client->exchange;
    struct dial *dial = &exchange->dial;
    uint32_t ready = origin->conn.ready;
    if (exchange->origin == origin) {
        secure_go(client);
        return;
    }
    bool failed = (ready & (EPOLLERR | EPOLLHUP)) != 0 && sock_error(origin->conn.io.fd) != 0;
    if (!failed && (ready & EPOLLOUT) == 0) {
        return;
    }
    remove_try(dial, origin);
    if (failed) {
        origin_close(origin);
        loop_timer_clear(&dial->stagger);
        dial_next(client);
        return;
    }
    origin->connected = true;
    dial_cancel(exchange);
    if (origin->secure) {
        secure_begin(client, origin);
    } else {
        dial_done(client, origin);
    }
}

void dial_late(struct client *client)
{
    answer_trouble(client, 504, "The site does not answer");
}

/* --- looking up
 * -------------------------------------------------------------------------------------- */

static void take_answer(struct exchange *exchange, const struct dns_answer *answer)
{
    struct dial *dial = &exchange->dial;
    dial->n = answer->n < DIAL_ADDRESSES ? answer->n : DIAL_ADDRESSES;
    dial->next = 0;
    for (size_t i = 0; i < dial->n; i++) {
        memcpy(dial->addrs[i].ip, answer->ip[i], sizeof(dial->addrs[i].ip));
        dial->addrs[i].port = exchange->url.port;
    }
}

static void lookup_failed(struct client *client, enum err err)
{
    if (err == ERR_NOT_FOUND || err == ERR_INVALID) {
        answer_trouble(client, 502, "There is no site of this name");
    } else {
        answer_trouble(client, 504, "The site's address cannot be looked up just now");
    }
}

static void on_answer(struct dns_query *query, const struct dns_answer *answer)
{
    struct exchange *exchange =
        (struct exchange *)(void *)((char *)query - offsetof(struct exchange, dial.query));
    struct client *client = exchange->client;
    if (answer->err != ERR_OK) {
        lookup_failed(client, answer->err);
        return;
    }
    take_answer(exchange, answer);
    dial_next(client);
}

/* An address in the request, or in the cache: what can be decided on at once, with the request. */
static bool find_now(struct exchange *exchange, struct dns_answer *ret_answer)
{
    const struct host *host = &exchange->url.host;
    if (host->kind == HOST_NAME) {
        return dns_find(exchange->client->proxy->dns, host_str(host), ret_answer);
    }
    ret_answer->err = ERR_OK;
    ret_answer->n = 1;
    memcpy(ret_answer->ip[0], host->addr.bytes, sizeof(ret_answer->ip[0]));
    return true;
}

void dial_unbind(struct client *client)
{
    if (client->bound != NULL) {
        origin_close(client->bound);
        client->bound = NULL;
    }
}

/* The connection on which this client signed in to the site, as long as it asks for that site. */
static bool dial_from_bound(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct origin *origin = client->bound;
    if (origin == NULL) {
        return false;
    }
    struct str host = str_make(origin->host, origin->host_len);
    if (!origin_is_quiet(origin) || exchange->connect || origin->addr.port != exchange->url.port ||
        origin->secure != exchange_is_secure(exchange) ||
        !str_eq(host, host_str(&exchange->url.host))) {
        dial_unbind(client);
        return false;
    }
    if (!verdict_exchange(exchange, &origin->addr)) {
        answer_blocked(client);
        return true;
    }
    client->bound = NULL;
    exchange->bound = true;
    dial_done(client, origin);
    return true;
}

/* The same over HTTP/2, for a connection that others use too. */
static bool dial_from_trunk(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct origin *trunk = NULL;
    if (!trunk_takes(client) || exchange->dial.fresh || (trunk = trunk_find(client)) == NULL) {
        return false;
    }
    if (!verdict_exchange(exchange, &trunk->addr)) {
        answer_blocked(client);
        return true;
    }
    struct origin *stream = trunk_open(client, trunk);
    if (stream != NULL) {
        dial_done(client, stream);
    }
    return stream != NULL;
}

/* A kept connection serves at once, where the request is allowed to go to its address. */
static bool dial_from_pool(struct client *client)
{
    struct exchange *exchange = client->exchange;
    if (exchange->connect || !exchange->repeatable || exchange->bound || exchange->dial.fresh) {
        return false;
    }
    struct origin *origin = pool_take(client, host_str(&exchange->url.host), exchange->url.port,
                                      exchange_is_secure(exchange));
    if (origin == NULL) {
        return false;
    }
    if (!verdict_exchange(exchange, &origin->addr)) {
        origin->client = NULL;
        pool_put(origin);
        answer_blocked(client);
        return true;
    }
    dial_done(client, origin);
    return true;
}

void dial_begin(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct dial *dial = &exchange->dial;
    struct dns_answer answer;
    if (dial_from_bound(client) || dial_from_trunk(client) || dial_from_pool(client)) {
        return;
    }
    bool found = find_now(exchange, &answer);
    if (found && answer.err == ERR_OK) {
        take_answer(exchange, &answer);
    }
    bool allowed = verdict_exchange(exchange, dial->n != 0 ? &dial->addrs[0] : NULL);
    if (allowed && inspect_takes(client)) {
        return;
    }
    /* Where only the address is to blame, another may do. */
    bool next_may = dial->n > 1 && exchange->verdict.reason == REASON_PRIVATE_ADDRESS;
    if (!allowed && !next_may) {
        answer_blocked(client);
        return;
    }
    if (found && answer.err != ERR_OK) {
        lookup_failed(client, answer.err);
        return;
    }
    dial->checked = allowed && dial->n != 0;
    dial->refused = !allowed;
    dial->next = allowed ? 0 : 1;
    client->stage = STAGE_DIAL;
    client_timer_set(client, client->proxy->options.connect_timeout_ms);
    client_watch(client); /* who had gone when its request was read is told of no more */
    if (client->stage != STAGE_DIAL) {
        return;
    }
    if (found) {
        dial_next(client);
    } else {
        dial->query.fn = on_answer;
        dns_start(client->proxy->dns, &dial->query, host_str(&exchange->url.host));
    }
}
