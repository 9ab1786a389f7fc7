/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Connections: taken, put under TLS, given to HTTP/1.1 or HTTP/2, closed. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/conn_tls.h"
#include "proc/front_impl.h"

enum {
    IN_MAX = LIMIT_HTTP_HEAD_LEN + FRONT_SCRATCH,
    ACCEPT_AT_ONCE = 64,
    HANDSHAKE_RECORD = 0x16,
    GOODBYE_MS = 2000,
};

/* What is not TLS gets a sentence; whoever sent it sent it in the clear. */
#define NOT_TLS                                                                           \
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\n"             \
    "X-Content-Type-Options: nosniff\r\nCache-Control: no-store\r\nConnection: close\r\n" \
    "\r\n"                                                                                \
    "This is the console of Lodge. Its address begins with https:// - put that in front.\n"

static struct peer *of_timer(struct loop_timer *timer)
{
    return (struct peer *)(void *)((char *)timer - offsetof(struct peer, timer));
}

static struct peer *of_defer(struct loop_defer *defer)
{
    return (struct peer *)(void *)((char *)defer - offsetof(struct peer, defer));
}

static void wait_for(struct peer *peer, int64_t ms)
{
    struct loop *loop = peer->front->loop;
    loop_timer_set(loop, &peer->timer, loop_mono_ms(loop) + ms);
}

static void free_now(struct loop_defer *defer)
{
    free(of_defer(defer));
}

void peer_close(struct peer *peer)
{
    struct front *front = peer->front;
    if (peer->over) {
        return;
    }
    peer->over = true;
    while (peer->streams != NULL) {
        visit_close(peer->streams);
    }
    if (peer->visit != NULL) {
        visit_close(peer->visit);
    }
    h2_free(peer->h2);
    peer->h2 = NULL;
    loop_timer_clear(&peer->timer);
    http_conn_close(&peer->conn);
    *(peer->prev != NULL ? &peer->prev->next : &front->peers) = peer->next;
    if (peer->next != NULL) {
        peer->next->prev = peer->prev;
    }
    front->n_peers--;
    peer->defer.fn = free_now;
    loop_defer_add(front->loop, &peer->defer);
    front_settle(front);
}

/* ---- HTTP/2 ---- */

static void on_stream(struct h2 *h2, int32_t id, void *context)
{
    struct peer *peer = context;
    (void)h2;
    if (peer->drained || peer->front->draining) {
        return;
    }
    struct visit *visit = visit_new_stream(peer, id);
    if (visit != NULL) {
        loop_timer_clear(&peer->timer);
        visit->own.ready |= EPOLLIN;
        /* At the end of the turn: what is being read now lies in the scratch that a visit reads
         * into.
         */
        loop_defer_add(peer->front->loop, &visit->defer);
    }
}

static void close_later(struct loop_defer *defer)
{
    peer_close(of_defer(defer));
}

static void on_ended(struct h2 *h2, void *context)
{
    struct peer *peer = context;
    (void)h2;
    if (!peer->over) {
        peer->defer.fn = close_later;
        loop_defer_add(peer->front->loop, &peer->defer);
    }
}

static enum err begin_h2(struct peer *peer)
{
    struct front *front = peer->front;
    struct h2_owner owner = {.stream = on_stream, .ended = on_ended, .context = peer};
    ERR_TRY(h2_front_new(&peer->conn, front->loop, &front->scratch, &H2_LIMITS, &owner, &peer->h2));
    wait_for(peer, peer->front->child->conf.idle_timeout_ms);
    (void)!h2_run(peer->h2); /* an end is told to on_ended */
    return ERR_OK;
}

void peer_left(struct peer *peer)
{
    if (!peer->over && peer->streams == NULL) {
        wait_for(peer, peer->drained ? GOODBYE_MS : peer->front->child->conf.idle_timeout_ms);
    }
    front_settle(peer->front);
}

void peer_drain(struct peer *peer)
{
    if (peer->h2 != NULL) {
        peer->drained = true;
        h2_drain(peer->h2);
        if (peer->streams == NULL) {
            wait_for(peer, GOODBYE_MS);
        }
    } else if (peer->visit == NULL || peer->visit->stage == VISIT_HEAD) {
        peer_close(peer);
    }
}

/* ---- TLS ---- */

static enum err make_session(void *context, const struct tls_lower *lower,
                             struct tls_session **ret_session)
{
    struct front *front = context;
    return tls_accept(front->tls, front->certificate.leaf, STR("console"), true, lower,
                      ret_session);
}

static enum err established(struct peer *peer)
{
    peer->established = true;
    peer->conn.ready |= EPOLLIN; /* a request may have come with the end of the handshake */
    loop_timer_clear(&peer->timer);
    if (tls_alpn(http_conn_tls(&peer->conn)) == TLS_ALPN_H2) {
        return begin_h2(peer);
    }
    peer->visit = visit_new(peer, &peer->conn);
    return peer->visit != NULL ? ERR_OK : ERR_MEMORY;
}

static void handshake(struct peer *peer)
{
    switch (http_conn_handshake(&peer->conn)) {
    case HTTP_HANDSHAKE_WAIT:
        return;
    case HTTP_HANDSHAKE_FAILED:
        peer_close(peer);
        return;
    case HTTP_HANDSHAKE_DONE:
        if (established(peer) != ERR_OK) {
            peer_close(peer);
        }
        return;
    }
}

/* The first byte says whether it is TLS at all. */
static void meet(struct peer *peer)
{
    struct str view;
    switch (http_conn_read(&peer->conn, &peer->front->scratch, &view)) {
    case HTTP_READ_NONE:
        return;
    case HTTP_READ_END:
    case HTTP_READ_BROKEN:
        peer_close(peer);
        return;
    case HTTP_READ_SOME:
        break;
    }
    peer->met = true;
    if ((uint8_t)view.p[0] != HANDSHAKE_RECORD) {
        (void)!http_conn_write(&peer->conn, STR(NOT_TLS), str_make(NULL, 0));
        http_conn_shut(&peer->conn);
        peer_close(peer);
        return;
    }
    if (http_conn_keep(&peer->conn, view) != ERR_OK ||
        http_conn_tls_open(&peer->conn, make_session, peer->front) != ERR_OK) {
        peer_close(peer);
        return;
    }
    handshake(peer);
}

static void on_io(struct loop_io *io, uint32_t events)
{
    struct peer *peer = (struct peer *)(void *)((char *)io - offsetof(struct peer, conn.io));
    http_conn_note(&peer->conn, events);
    if (!peer->met) {
        meet(peer);
    } else if (!peer->established) {
        handshake(peer);
    }
    if (peer->over || !peer->established) {
        return;
    }
    if (peer->h2 != NULL) {
        (void)!h2_run(peer->h2);
    } else if (peer->visit != NULL) {
        visit_run(peer->visit);
    }
}

static void on_late(struct loop_timer *timer)
{
    struct peer *peer = of_timer(timer);
    if (peer->h2 != NULL && !peer->drained) {
        peer->drained = true;
        h2_drain(peer->h2);
        wait_for(peer, GOODBYE_MS);
        return;
    }
    peer_close(peer);
}

/* ---- accepting ---- */

static bool is_of(const struct peer *peer, const struct sock_addr *addr)
{
    return addr == NULL || memcmp(peer->addr.ip, addr->ip, sizeof(addr->ip)) == 0;
}

/* Nothing of a request is there, and no stream. */
static bool rests(const struct peer *peer)
{
    if (peer->h2 != NULL) {
        return peer->streams == NULL;
    }
    return peer->visit == NULL || (peer->visit->stage == VISIT_HEAD && !peer->visit->begun);
}

/* The connection that came first of those that rest makes room; of this address (NULL: of any). */
static bool evict(struct front *front, const struct sock_addr *addr)
{
    struct peer *found = NULL;
    for (struct peer *peer = front->peers; peer != NULL; peer = peer->next) {
        found = is_of(peer, addr) && rests(peer) ? peer : found;
    }
    if (found != NULL) {
        peer_close(found);
    }
    return found != NULL;
}

static bool make_room(struct front *front, const struct sock_addr *addr)
{
    size_t n = 0;
    for (const struct peer *peer = front->peers; peer != NULL; peer = peer->next) {
        n += is_of(peer, addr) ? 1 : 0;
    }
    return n < FRONT_PEERS_OF_ONE || evict(front, addr);
}

static void add_peer(struct front *front, int fd, const struct sock_addr *addr)
{
    struct peer *peer = make_room(front, addr) ? calloc(1, sizeof(*peer)) : NULL;
    if (peer == NULL || sock_local(fd, &peer->dialled) != ERR_OK) {
        free(peer);
        close(fd);
        return;
    }
    peer->front = front;
    peer->addr = *addr;
    peer->timer.fn = on_late;
    http_conn_init(&peer->conn, IN_MAX);
    if (http_conn_open(&peer->conn, front->loop, fd, on_io, true) != ERR_OK) {
        free(peer);
        return;
    }
    peer->next = front->peers;
    if (peer->next != NULL) {
        peer->next->prev = peer;
    }
    front->peers = peer;
    front->n_peers++;
    wait_for(peer, FRONT_HANDSHAKE_MS);
}

void front_accept_all(struct front *front)
{
    for (unsigned i = 0; i < ACCEPT_AT_ONCE && front->listener.fd >= 0; i++) {
        struct sock_addr addr;
        int fd;
        if (front->n_peers >= FRONT_PEERS_MAX && !evict(front, NULL)) {
            front->accepting = false; /* until one ends */
            return;
        }
        enum err err = sock_accept(front->listener.fd, &fd, &addr);
        if (err == ERR_LIMIT) {
            front->accepting = false;
            (void)!evict(front, NULL);
            return;
        }
        if (err != ERR_OK) {
            return;
        }
        add_peer(front, fd, &addr);
    }
    (void)!loop_change(&front->listener, EPOLLIN); /* asks for the edge again */
}
