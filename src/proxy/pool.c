/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections to origins that are between two exchanges: found by host, port and whether over TLS,
 * closed when unused for long, when they say anything, and oldest first when they are too many. The
 * host is part of the key, so that an origin never sees two sites' requests on one connection. */
#include "base/check.h"
#include "crypto/fasthash.h"
#include "proxy/proxy_impl.h"

static unsigned bucket_of(struct str host, uint16_t port, bool secure)
{
    return (unsigned)(fasthash64(host, (uint64_t)port << 1 | secure) % POOL_BUCKETS);
}

void pool_remove(struct origin *origin)
{
    struct pool *pool = &origin->proxy->pool;
    CHECK(origin->pooled);
    struct origin *prev = origin->pool_prev;
    struct origin *next = origin->pool_next;
    *(prev != NULL ? &prev->pool_next : &pool->buckets[origin->bucket]) = next;
    if (next != NULL) {
        next->pool_prev = prev;
    }
    struct origin *older = origin->age_prev;
    struct origin *newer = origin->age_next;
    *(older != NULL ? &older->age_next : &pool->oldest) = newer;
    *(newer != NULL ? &newer->age_prev : &pool->newest) = older;
    origin->pooled = false;
    pool->n--;
}

static struct origin *find(const struct pool *pool, struct str host, uint16_t port, bool secure)
{
    struct origin *origin = pool->buckets[bucket_of(host, port, secure)];
    while (origin != NULL && !(origin->addr.port == port && origin->secure == secure &&
                               str_eq(str_make(origin->host, origin->host_len), host))) {
        origin = origin->pool_next;
    }
    return origin;
}

/* Asks the socket, which may know more than the loop has said. */
static bool is_silent(struct origin *origin)
{
    if (!origin->secure) {
        return http_conn_is_quiet(&origin->conn);
    }
    origin->conn.ready |= EPOLLIN;
    return origin_is_quiet(origin);
}

struct origin *pool_take(struct client *client, struct str host, uint16_t port, bool secure)
{
    struct pool *pool = &client->proxy->pool;
    struct origin *origin = NULL;
    while (pool->n != 0 && (origin = find(pool, host, port, secure)) != NULL) {
        if (is_silent(origin)) {
            pool_remove(origin);
            origin->client = client;
            return origin;
        }
        /* It spoke unasked, which the loop would have told a moment later. */
        origin_close(origin);
    }
    return NULL;
}

void pool_put(struct origin *origin)
{
    struct proxy *proxy = origin->proxy;
    struct pool *pool = &proxy->pool;
    CHECK(!origin->pooled);
    if (pool->n >= POOL_MAX) {
        origin_close(pool->oldest);
    }
    origin->client = NULL;
    origin->reused = true;
    origin->pooled = true;
    origin->idle_since_ms = loop_mono_ms(proxy->loop);
    origin->bucket =
        bucket_of(str_make(origin->host, origin->host_len), origin->addr.port, origin->secure);
    struct origin *next = pool->buckets[origin->bucket];
    origin->pool_prev = NULL;
    origin->pool_next = next;
    if (next != NULL) {
        next->pool_prev = origin;
    }
    pool->buckets[origin->bucket] = origin;
    origin->age_next = NULL;
    origin->age_prev = pool->newest;
    *(pool->newest != NULL ? &pool->newest->age_next : &pool->oldest) = origin;
    pool->newest = origin;
    pool->n++;
}

void pool_sweep(struct proxy *proxy, bool all)
{
    int64_t before = loop_mono_ms(proxy->loop) - POOL_IDLE_MS;
    struct pool *pool = &proxy->pool;
    trunk_sweep(proxy, all);
    while (pool->oldest != NULL && (all || pool->oldest->idle_since_ms <= before)) {
        origin_close(pool->oldest);
    }
}
