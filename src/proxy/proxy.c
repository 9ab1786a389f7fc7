/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One worker's proxy: its making and end, its listeners, its clock, its tick, and draining. */
#include "proxy/proxy.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/check.h"
#include "crypto/fasthash.h"
#include "crypto/random.h"
#include "proxy/proxy_impl.h"

enum {
    TICK_MS = 1000,
    DRAIN_TICK_MS = 100,
    /* While draining, a tunnel that moves nothing for so long is closed. */
    DRAIN_QUIET_MS = 500,
    /* Interfaces come and go, but not by the second. */
    OWN_MS = 5000,
    PAGE_BYTES_MAX = 65536,
    /* Each header may become a little longer (Host, Via, Connection). */
    HEAD_LINE_MAX = LIMIT_HTTP_HEAD_LEN + 8192,
    GATE_CA_MAX = 65536,
    BODY_DATA_MAX = SCRATCH_BYTES + LIMIT_HTTP_HEAD_LEN + 16384,
};

int64_t proxy_now_ms(const struct proxy *proxy)
{
    int64_t wall = loop_utc_ms(proxy->loop);
    int64_t counted = proxy->base_utc_ms + (loop_mono_ms(proxy->loop) - proxy->base_mono_ms);
    return wall > counted ? wall : counted;
}

bool proxy_is_own(struct proxy *proxy, const uint8_t ip[16])
{
    struct str bytes = str_make((const char *)ip, 16);
    struct own_row *row = &proxy->own[fasthash64(bytes, 0) % OWN_ROWS];
    int64_t now = loop_mono_ms(proxy->loop);
    if (row->until_ms <= now || memcmp(row->ip, ip, 16) != 0) {
        memcpy(row->ip, ip, 16);
        row->own = sock_is_own(ip);
        row->until_ms = now + OWN_MS;
    }
    return row->own;
}

bool proxy_is_self(const struct proxy *proxy, const struct sock_addr *addr)
{
    static const uint8_t any6[16] = {0};
    static const uint8_t any4[16] = {[10] = 0xff, [11] = 0xff};
    for (size_t i = 0; i < proxy->n_listeners; i++) {
        const struct sock_addr *ours = &proxy->listeners[i].addr;
        if (ours->port != addr->port) {
            continue;
        }
        bool any = memcmp(ours->ip, any6, 16) == 0 || memcmp(ours->ip, any4, 16) == 0;
        if (any ? sock_is_own(addr->ip) : memcmp(ours->ip, addr->ip, 16) == 0) {
            return true;
        }
    }
    return false;
}

static void drain_tick(struct proxy *proxy)
{
    int64_t now = loop_mono_ms(proxy->loop);
    bool late = now >= proxy->drain_due_ms;
    struct client *next = NULL;
    for (struct client *client = proxy->clients; client != NULL; client = next) {
        next = client->next;
        if (client->tunnel != NULL) {
            if (late || now - client->tunnel->active_ms >= DRAIN_QUIET_MS) {
                tunnel_end(client, EVENT_END_DRAIN);
            }
        } else if (late || (client->stage == STAGE_HEAD && !client->begun) ||
                   (client->front != NULL && client->front->streams == NULL)) {
            if (client->exchange != NULL) {
                record_left(client->exchange, EVENT_END_DRAIN);
            }
            client_close(client);
        }
    }
    if (proxy->clients == NULL) {
        loop_stop(proxy->loop);
    }
}

static void on_tick(struct loop_timer *timer)
{
    struct proxy *proxy = (struct proxy *)(void *)((char *)timer - offsetof(struct proxy, tick));
    pool_sweep(proxy, false);
    identify_sweep(proxy);
    if (proxy_now_ms(proxy) >= proxy->next_until_ms) {
        verdict_again(proxy, false);
    }
    if (proxy->draining) {
        drain_tick(proxy);
    } else if (!proxy->accepting && proxy->n_clients < proxy->options.max_connections) {
        proxy_accepting(proxy, true);
    }
    loop_timer_set(proxy->loop, timer,
                   loop_mono_ms(proxy->loop) + (proxy->draining ? DRAIN_TICK_MS : TICK_MS));
}

/* splice(2) has no MSG_NOSIGNAL, so the signal must be off for the whole process. */
static void ignore_sigpipe(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &action, NULL);
}

static enum err make_scratch(struct proxy *proxy)
{
    proxy->scratch_up = (struct http_scratch){malloc(SCRATCH_BYTES), SCRATCH_BYTES};
    proxy->scratch_down = (struct http_scratch){malloc(SCRATCH_BYTES), SCRATCH_BYTES};
    return proxy->scratch_up.p != NULL && proxy->scratch_down.p != NULL ? ERR_OK : ERR_MEMORY;
}

enum err proxy_new(const struct proxy_setup *setup, struct proxy **ret_proxy)
{
    CHECK(setup->loop != NULL && setup->spool != NULL && setup->options.max_connections != 0);
    struct proxy *proxy = calloc(1, sizeof(*proxy));
    if (proxy == NULL) {
        return ERR_MEMORY;
    }
    ignore_sigpipe();
    proxy->loop = setup->loop;
    proxy->setup = *setup;
    proxy->options = setup->options;
    proxy->next_until_ms = INT64_MAX;
    proxy->accepting = true;
    proxy->random_at = RANDOM_BYTES;
    buf_init(&proxy->page, PAGE_BYTES_MAX);
    buf_init(&proxy->line, HEAD_LINE_MAX);
    buf_init(&proxy->data, BODY_DATA_MAX);
    buf_init(&proxy->gate_ca, GATE_CA_MAX);
    random_bytes(proxy->auth_key, sizeof(proxy->auth_key));
    enum err err = make_scratch(proxy);
    if (err == ERR_OK) {
        struct dns_options dns = {.servers = setup->options.dns_servers};
        err = dns_new(setup->loop, setup->hosts, &dns, &proxy->dns);
    }
    if (err == ERR_OK) {
        const char *why = NULL; /* roots were read before us, by whoever can tell the operator */
        err = tls_client_new(setup->roots, setup->extra_roots, &proxy->tls, &why);
    }
    if (err != ERR_OK) {
        proxy_free(proxy);
        return err;
    }
    proxy->tick.fn = on_tick;
    loop_timer_set(proxy->loop, &proxy->tick, loop_mono_ms(proxy->loop) + TICK_MS);
    *ret_proxy = proxy;
    return ERR_OK;
}

void proxy_free(struct proxy *proxy)
{
    if (proxy == NULL) {
        return;
    }
    proxy_accepting(proxy, false);
    while (proxy->clients != NULL) {
        client_close(proxy->clients);
    }
    pool_sweep(proxy, true);
    trunk_fini(proxy);
    /* What was closed is freed at the end of a turn; this one is over. */
    if (loop_turn(proxy->loop, 0) != ERR_OK) {
        /* Nothing waits in it that could be lost. */
    }
    loop_timer_clear(&proxy->tick);
    dns_free(proxy->dns);
    tls_client_free(proxy->tls);
    identify_fini(proxy);
    pipes_fini(&proxy->pipes);
    leaves_fini(proxy);
    while (proxy->free_exchanges != NULL) {
        struct exchange *exchange = proxy->free_exchanges;
        proxy->free_exchanges = exchange->next_free;
        buf_fini(&exchange->head);
        buf_fini(&exchange->offered);
        arena_fini(&exchange->arena);
        free(exchange);
    }
    buf_fini(&proxy->page);
    buf_fini(&proxy->line);
    buf_fini(&proxy->data);
    buf_fini(&proxy->gate_ca);
    free(proxy->scratch_up.p);
    free(proxy->scratch_down.p);
    free(proxy);
}

static void on_listener(struct loop_io *io, uint32_t events)
{
    (void)events;
    client_accept((struct listener *)(void *)((char *)io - offsetof(struct listener, io)));
}

enum err proxy_listen(struct proxy *proxy, int listen_fd)
{
    if (proxy->n_listeners == LISTENERS_MAX) {
        return ERR_LIMIT;
    }
    struct listener *listener = &proxy->listeners[proxy->n_listeners];
    ERR_TRY(sock_local(listen_fd, &listener->addr));
    listener->proxy = proxy;
    listener->io = (struct loop_io){.fd = -1, .fn = on_listener};
    ERR_TRY(loop_add(proxy->loop, &listener->io, listen_fd, EPOLLIN | EPOLLEXCLUSIVE));
    proxy->n_listeners++;
    return ERR_OK;
}

void proxy_accepting(struct proxy *proxy, bool accepting)
{
    if (accepting == proxy->accepting) {
        return;
    }
    proxy->accepting = accepting;
    for (size_t i = 0; i < proxy->n_listeners; i++) {
        struct listener *listener = &proxy->listeners[i];
        int fd = listener->io.fd;
        if (!accepting) {
            loop_remove(&listener->io);
            listener->io.fd = fd; /* kept for when we go on */
        } else {
            listener->io.fd = -1;
            if (loop_add(proxy->loop, &listener->io, fd, EPOLLIN | EPOLLEXCLUSIVE) != ERR_OK) {
                listener->io.fd = fd;
                proxy->accepting = false; /* the next tick tries again */
            }
        }
    }
}

void proxy_set_images(struct proxy *proxy, const struct policy_images *images)
{
    identify_new_images(proxy, images);
    if (verdict_let_go(proxy) != ERR_OK) {
        /* Memory for a few names is lacking: what is open cannot be kept. */
        while (proxy->clients != NULL) {
            client_close(proxy->clients);
        }
    }
    proxy->images = *images;
    proxy->catalog_generation = images->catalog != NULL ? catalog_generation(images->catalog) : 0;
    proxy->policy_generation = images->policy != NULL ? policy_generation(images->policy) : 0;
    proxy->state_generation = images->state != NULL ? state_generation(images->state) : 0;
    proxy->base_utc_ms = loop_utc_ms(proxy->loop);
    proxy->base_mono_ms = loop_mono_ms(proxy->loop);
    verdict_again(proxy, true);
}

void proxy_drain(struct proxy *proxy)
{
    if (proxy->draining) {
        return;
    }
    proxy_accepting(proxy, false);
    proxy->draining = true;
    for (struct client *client = proxy->clients; client != NULL; client = client->next) {
        if (client->front != NULL) {
            front_drain(client);
        }
    }
    proxy->drain_due_ms = loop_mono_ms(proxy->loop) + proxy->options.drain_timeout_ms;
    pool_sweep(proxy, true);
    loop_timer_set(proxy->loop, &proxy->tick, loop_mono_ms(proxy->loop));
}

void proxy_get_counts(const struct proxy *proxy, struct proxy_counts *ret_counts)
{
    *ret_counts = proxy->counts;
}
