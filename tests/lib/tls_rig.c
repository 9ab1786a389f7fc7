/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/tls_rig.h"

#include "lib/test.h"

void tls_rig_init(struct tls_rig *rig)
{
    const char *why = NULL;
    *rig = (struct tls_rig){.now_ms = TLS_RIG_NOW_MS};
    buf_init(&rig->ca_key, 4096);
    buf_init(&rig->ca, 4096);
    buf_init(&rig->chain, 4096);
    assert_ok(authority_make(STR("Lodge at test-primary"), rig->now_ms, &rig->ca_key, &rig->ca));
    assert_ok(authority_open(buf_str(&rig->ca_key), buf_str(&rig->ca), rig->now_ms, &rig->authority,
                             &why));
    assert_ok(authority_chain(rig->authority, &rig->chain));
    assert_ok(tls_key_make(&rig->key));
    assert_ok(tls_server_new(&rig->server));
    assert_ok(tls_client_new(buf_str(&rig->ca), STR(""), &rig->client, &why));
}

void tls_rig_fini(struct tls_rig *rig)
{
    tls_client_free(rig->client);
    tls_server_free(rig->server);
    tls_key_free(rig->key);
    authority_free(rig->authority);
    buf_fini(&rig->ca_key);
    buf_fini(&rig->ca);
    buf_fini(&rig->chain);
}

struct host tls_rig_host(const char *text)
{
    struct host host;
    assert_ok(host_parse(str_from(text), &host));
    return host;
}

struct tls_leaf *tls_rig_leaf(const struct tls_rig *rig, const char *host)
{
    struct buf der;
    struct tls_leaf *leaf = NULL;
    struct host name = tls_rig_host(host);
    buf_init(&der, 4096);
    assert_ok(authority_sign(rig->authority, &name, rig->key, rig->now_ms, &der));
    assert_ok(tls_leaf_new(buf_str(&der), buf_str(&rig->chain), rig->key, &leaf));
    buf_fini(&der);
    return leaf;
}

static int take(void *context, char *to, size_t room)
{
    struct tls_pipe *pipe = ((struct tls_end *)context)->in;
    size_t n = pipe->to - pipe->from;
    n = n < room ? n : room;
    n = pipe->chunk != 0 && pipe->chunk < n ? pipe->chunk : n;
    if (n == 0) {
        return pipe->ended ? TLS_LOWER_END : TLS_LOWER_AGAIN;
    }
    memcpy(to, pipe->bytes + pipe->from, n);
    pipe->from += n;
    pipe->moves++;
    if (pipe->from == pipe->to) {
        pipe->from = pipe->to = 0;
    }
    return (int)n;
}

static int give(void *context, const char *bytes, size_t n)
{
    struct tls_pipe *pipe = ((struct tls_end *)context)->out;
    size_t holds = pipe->room != 0 ? pipe->room : TLS_RIG_PIPE;
    size_t used = pipe->to - pipe->from;
    size_t left = used < holds ? holds - used : 0;
    left = left < TLS_RIG_PIPE - pipe->to ? left : TLS_RIG_PIPE - pipe->to;
    n = n < left ? n : left;
    if (n == 0) {
        return TLS_LOWER_AGAIN;
    }
    memcpy(pipe->bytes + pipe->to, bytes, n);
    pipe->to += n;
    pipe->moves++;
    return (int)n;
}

static void end_init(struct tls_end *end, struct tls_pipe *in, struct tls_pipe *out)
{
    *end = (struct tls_end){.in = in, .out = out};
    end->lower = (struct tls_lower){.context = end, .receive = take, .transmit = give};
}

void tls_pair_init(struct tls_pair *pair, const struct tls_rig *rig, const struct tls_leaf *leaf,
                   const char *host, const char *wanted, bool h2)
{
    struct host name = tls_rig_host(wanted);
    *pair = (struct tls_pair){.up = calloc(1, sizeof(struct tls_pipe)),
                              .down = calloc(1, sizeof(struct tls_pipe))};
    assert_non_null(pair->up);
    assert_non_null(pair->down);
    end_init(&pair->server_end, pair->up, pair->down);
    end_init(&pair->client_end, pair->down, pair->up);
    assert_ok(
        tls_accept(rig->server, leaf, str_from(host), h2, &pair->server_end.lower, &pair->server));
    assert_ok(tls_connect(rig->client, &name, 443, h2, rig->now_ms, &pair->client_end.lower,
                          &pair->client));
}

void tls_pair_fini(struct tls_pair *pair)
{
    tls_session_free(pair->server);
    tls_session_free(pair->client);
    free(pair->up);
    free(pair->down);
}

static bool waits(enum tls_result result)
{
    return result == TLS_WANT_READ || result == TLS_WANT_WRITE;
}

void tls_pair_shake(struct tls_pair *pair, enum tls_result *ret_server, enum tls_result *ret_client)
{
    size_t quiet = 0;
    *ret_server = *ret_client = TLS_WANT_READ;
    /* Turns without a byte moved: one side may need two to find that it is done. */
    while ((waits(*ret_server) || waits(*ret_client)) && quiet < 4) {
        size_t before = pair->up->moves + pair->down->moves;
        *ret_client = waits(*ret_client) ? tls_handshake(pair->client) : *ret_client;
        if (*ret_client == TLS_DONE && tls_peek(pair->client) != TLS_WANT_READ) {
            *ret_client = TLS_BROKEN; /* nothing but the server's ticket is due */
        }
        *ret_server = waits(*ret_server) ? tls_handshake(pair->server) : *ret_server;
        size_t after = pair->up->moves + pair->down->moves;
        quiet = before == after ? quiet + 1 : 0;
    }
}

void tls_pair_join(struct tls_pair *pair)
{
    enum tls_result server;
    enum tls_result client;
    tls_pair_shake(pair, &server, &client);
    if (server != TLS_DONE || client != TLS_DONE) {
        fail_msg("server %d (%s), client %d (%s)", server,
                 tls_trouble_text(tls_trouble(pair->server)), client,
                 tls_trouble_text(tls_trouble(pair->client)));
    }
}
