/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Clients of HTTP/2: the connection, and its streams as clients. */
#include <stdlib.h>

#include "base/check.h"
#include "http/h2.h"
#include "proxy/proxy_impl.h"

enum { GOODBYE_MS = 2000 };

/* Room for one more client; the connection that asks is not the one that makes it. */
static bool make_room(struct client *client)
{
    struct proxy *proxy = client->proxy;
    if (proxy->n_clients < proxy->options.max_connections) {
        return true;
    }
    client_idle(client, false);
    return client_evict(proxy);
}

static void rest(struct client *client)
{
    client_idle(client, true);
    client_timer_set(client, client->proxy->options.idle_timeout_ms);
}

/* A request has come: without a client for it, it is refused in a way that says "again, on another
 * connection" (RFC 9113 section 8.7). */
static void on_stream(struct h2 *h2, int32_t id, void *context)
{
    struct client *client = context;
    struct front *front = client->front;
    (void)h2;
    if (client->proxy->draining || !inspect_still_holds(client)) {
        front_drain(client);
        return;
    }
    struct client *stream = make_room(client) ? client_new_stream(client, id) : NULL;
    if (stream != NULL) {
        client_idle(client, false);
        loop_timer_clear(&client->timer);
    } else if (front->streams == NULL) {
        rest(client);
    }
}

static void on_malformed(struct h2 *h2, void *context)
{
    (void)h2;
    record_malformed(context);
}

/* Streams that are open are told at the end of this turn, each for its own event; then we go. */
static void on_ended(struct h2 *h2, void *context)
{
    struct client *client = context;
    (void)h2;
    client->front->over = true;
    client_again(client);
}

void front_begin(struct client *client)
{
    struct proxy *proxy = client->proxy;
    struct h2_owner owner = {
        .stream = on_stream,
        .malformed = on_malformed,
        .ended = on_ended,
        .context = client,
    };
    client->stage = STAGE_FRONT;
    client->front = calloc(1, sizeof(*client->front));
    if (client->front == NULL || h2_front_new(&client->conn, proxy->loop, &proxy->scratch_up,
                                              &H2_LIMITS, &owner, &client->front->h2) != ERR_OK) {
        client_close(client);
        return;
    }
    rest(client);
    front_on_client(client);
}

void front_on_client(struct client *client)
{
    struct front *front = client->front;
    if (front->over) {
        client_close(client);
    } else if (!h2_run(front->h2)) {
        CHECK(front->over); /* and we come again */
    }
}

void front_drain(struct client *client)
{
    client->front->drained = true;
    h2_drain(client->front->h2);
}

void front_late(struct client *client)
{
    if (client->front->drained) {
        client_close(client);
        return;
    }
    front_drain(client);
    client_timer_set(client, GOODBYE_MS);
}

void front_left(struct client *parent)
{
    if (parent->front->streams == NULL && parent->stage == STAGE_FRONT) {
        rest(parent);
    }
}

void front_leave(struct client *client)
{
    struct front *front = client->front;
    while (front->streams != NULL) {
        client_close(front->streams);
    }
    h2_free(front->h2);
    client->front = NULL;
    free(front);
}
