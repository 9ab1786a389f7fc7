/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections to origins that speak HTTP/2, shared. */
#include <stdlib.h>

#include "base/check.h"
#include "crypto/fasthash.h"
#include "http/h2.h"
#include "proxy/proxy_impl.h"

static struct origin **bucket_of(struct proxy *proxy, struct str host, uint16_t port)
{
    return &proxy->trunks.buckets[fasthash64(host, port) % TRUNK_BUCKETS];
}

static struct str host_of(const struct origin *origin)
{
    return str_make(origin->host, origin->host_len);
}

bool trunk_takes(const struct client *client)
{
    const struct exchange *exchange = client->exchange;
    return exchange_is_secure(exchange) && !exchange->upgrade && !exchange->bound &&
           !exchange->http1;
}

/* --- the connection
 * ----------------------------------------------------------------------------------- */

static void close_later(struct loop_defer *defer)
{
    origin_close((struct origin *)(void *)((char *)defer - offsetof(struct origin, defer)));
}

static void on_ended(struct h2 *h2, void *context)
{
    struct origin *trunk = context;
    (void)h2;
    trunk->doubted = true;
    trunk->defer.fn = close_later;
    loop_defer_add(trunk->proxy->loop, &trunk->defer);
}

void trunk_on_io(struct origin *trunk)
{
    (void)!h2_run(trunk->h2); /* where it is over, on_ended sees to it */
}

void trunk_leave(struct origin *trunk)
{
    struct proxy *proxy = trunk->proxy;
    struct origin *prev = trunk->trunk_prev;
    struct origin *next = trunk->trunk_next;
    *(prev != NULL ? &prev->trunk_next : bucket_of(proxy, host_of(trunk), trunk->addr.port)) = next;
    if (next != NULL) {
        next->trunk_prev = prev;
    }
    proxy->trunks.n--;
    h2_free(trunk->h2);
    trunk->h2 = NULL;
}

static void add(struct origin *trunk)
{
    struct proxy *proxy = trunk->proxy;
    struct origin **first = bucket_of(proxy, host_of(trunk), trunk->addr.port);
    trunk->doubted = proxy->trunks.n >= TRUNKS_MAX;
    trunk->client = NULL;
    trunk->idle_since_ms = 0;
    trunk->trunk_prev = NULL;
    trunk->trunk_next = *first;
    if (*first != NULL) {
        (*first)->trunk_prev = trunk;
    }
    *first = trunk;
    proxy->trunks.n++;
}

void trunk_begin(struct client *client)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    struct origin *trunk = exchange->origin;
    struct h2_owner owner = {.ended = on_ended, .context = trunk};
    if (h2_origin_new(&trunk->conn, proxy->loop, &proxy->scratch_down, &H2_LIMITS, &owner,
                      &trunk->h2) != ERR_OK) {
        answer_trouble(client, 502, "The site cannot be reached");
        return;
    }
    exchange->origin = NULL;
    add(trunk);
    struct origin *stream = trunk_open(client, trunk);
    if (stream == NULL) {
        answer_trouble(client, 502, "The site cannot be reached");
        return;
    }
    stream->reused = false;
    dial_done(client, stream);
}

/* --- its streams
 * -------------------------------------------------------------------------------------- */

struct origin *trunk_find(const struct client *client)
{
    const struct url *url = &client->exchange->url;
    struct origin *trunk = *bucket_of(client->proxy, host_str(&url->host), url->port);
    while (trunk != NULL &&
           (trunk->doubted || trunk->addr.port != url->port ||
            !str_eq(host_of(trunk), host_str(&url->host)) || !h2_may_open(trunk->h2))) {
        trunk = trunk->trunk_next;
    }
    return trunk;
}

struct origin *trunk_open(struct client *client, struct origin *trunk)
{
    struct origin *stream = origin_new(client, &trunk->addr, host_of(trunk), true);
    if (stream == NULL) {
        return NULL;
    }
    stream->stream = true;
    stream->connected = true;
    stream->reused = true; /* it may have gone since it was last heard of */
    trunk->idle_since_ms = 0;
    if (h2_stream_open(trunk->h2, 0, &stream->conn, origin_on_io) != ERR_OK) {
        origin_close(stream);
        return NULL;
    }
    return stream;
}

void trunk_doubt(struct client *client)
{
    const struct origin *stream = client->exchange->origin;
    if (stream == NULL || !stream->stream) {
        return;
    }
    struct origin *trunk = *bucket_of(client->proxy, host_of(stream), stream->addr.port);
    for (; trunk != NULL; trunk = trunk->trunk_next) {
        trunk->doubted |=
            trunk->addr.port == stream->addr.port && str_eq(host_of(trunk), host_of(stream));
    }
}

/* --- time
 * --------------------------------------------------------------------------------------------- */

static bool is_due(struct origin *trunk, bool all)
{
    int64_t now = loop_mono_ms(trunk->proxy->loop);
    if (h2_open_streams(trunk->h2) != 0) {
        trunk->idle_since_ms = 0;
        return false;
    }
    if (trunk->idle_since_ms == 0) {
        trunk->idle_since_ms = now;
    }
    return all || trunk->doubted || trunk->idle_since_ms <= now - POOL_IDLE_MS;
}

void trunk_sweep(struct proxy *proxy, bool all)
{
    for (size_t i = 0; proxy->trunks.n != 0 && i < TRUNK_BUCKETS; i++) {
        struct origin *next = NULL;
        for (struct origin *trunk = proxy->trunks.buckets[i]; trunk != NULL; trunk = next) {
            next = trunk->trunk_next;
            if (is_due(trunk, all)) {
                origin_close(trunk);
            }
        }
    }
}

void trunk_fini(struct proxy *proxy)
{
    for (size_t i = 0; i < TRUNK_BUCKETS; i++) {
        while (proxy->trunks.buckets[i] != NULL) {
            origin_close(proxy->trunks.buckets[i]);
        }
    }
}
