/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What TLS costs: handshakes of either side, cold and resumed, and bulk data, in CPU time of the
 * side that is measured alone, over pipes in memory. Beside it a bare OpenSSL server whose context
 * holds its one certificate, as the floor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/ssl.h>

#include "base/check.h"
#include "tls/authority.h"
#include "tls/client.h"
#include "tls/key_impl.h"
#include "tls/leaf_impl.h"
#include "tls/server.h"

enum { ROUNDS = 2000, PIPE = 1 << 18, BULK_MIB = 256, RECORD = 16384 };

static const int64_t NOW_MS = INT64_C(1795348800) * 1000;

struct pipe {
    size_t from, to;
    char bytes[PIPE];
};

static struct pipe up, down;

struct end {
    struct pipe *in, *out;
};

static int take(void *context, char *to, size_t room)
{
    struct pipe *pipe = ((struct end *)context)->in;
    size_t n = pipe->to - pipe->from;
    n = n < room ? n : room;
    if (n == 0) {
        return TLS_LOWER_AGAIN;
    }
    memcpy(to, pipe->bytes + pipe->from, n);
    pipe->from += n;
    if (pipe->from == pipe->to) {
        pipe->from = pipe->to = 0;
    }
    return (int)n;
}

static int give(void *context, const char *bytes, size_t n)
{
    struct pipe *pipe = ((struct end *)context)->out;
    n = n < PIPE - pipe->to ? n : PIPE - pipe->to;
    if (n == 0) {
        return TLS_LOWER_AGAIN;
    }
    memcpy(pipe->bytes + pipe->to, bytes, n);
    pipe->to += n;
    return (int)n;
}

static struct end server_end = {&up, &down};
static struct end client_end = {&down, &up};
static const struct tls_lower server_lower = {&server_end, take, give};
static const struct tls_lower client_lower = {&client_end, take, give};

static struct tls_server *server;
static struct tls_client *client;
static struct tls_leaf *leaf;
static struct tls_key *key;
static struct authority *authority;
static struct host host;

static int64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void start(void)
{
    struct buf ca_key, ca, chain, der;
    struct buf *all[] = {&ca_key, &ca, &chain, &der};
    const char *why = NULL;
    for (size_t i = 0; i < 4; i++) {
        buf_init(all[i], 8192);
    }
    CHECK(host_parse(STR("a.example"), &host) == ERR_OK);
    CHECK(authority_make(STR("Bench"), NOW_MS, &ca_key, &ca) == ERR_OK);
    CHECK(authority_open(buf_str(&ca_key), buf_str(&ca), NOW_MS, &authority, &why) == ERR_OK);
    CHECK(authority_chain(authority, &chain) == ERR_OK);
    CHECK(tls_key_make(&key) == ERR_OK);
    CHECK(authority_sign(authority, &host, key, NOW_MS, &der) == ERR_OK);
    CHECK(tls_leaf_new(buf_str(&der), buf_str(&chain), key, &leaf) == ERR_OK);
    CHECK(tls_server_new(&server) == ERR_OK);
    CHECK(tls_client_new(buf_str(&ca), STR(""), &client, &why) == ERR_OK);
    for (size_t i = 0; i < 4; i++) {
        buf_fini(all[i]);
    }
}

struct cost {
    int64_t server_ns, client_ns;
};

static struct tls_session *of_server, *of_client;

static void open_both(struct cost *cost)
{
    up.from = up.to = down.from = down.to = 0;
    int64_t t0 = cpu_ns();
    CHECK(tls_accept(server, leaf, host_str(&host), true, &server_lower, &of_server) == ERR_OK);
    int64_t t1 = cpu_ns();
    CHECK(tls_connect(client, &host, 443, true, NOW_MS, &client_lower, &of_client) == ERR_OK);
    CHECK(tls_handshake(of_client) == TLS_WANT_READ);
    int64_t t2 = cpu_ns();
    CHECK(tls_handshake(of_server) == TLS_WANT_READ);
    int64_t t3 = cpu_ns();
    CHECK(tls_handshake(of_client) == TLS_DONE);
    int64_t t4 = cpu_ns();
    CHECK(tls_handshake(of_server) == TLS_DONE);
    int64_t t5 = cpu_ns();
    CHECK(tls_peek(of_client) == TLS_WANT_READ);
    int64_t t6 = cpu_ns();
    cost->server_ns += t1 - t0 + t3 - t2 + t5 - t4;
    cost->client_ns += t2 - t1 + t4 - t3 + t6 - t5;
}

static void close_both(struct cost *cost)
{
    int64_t t0 = cpu_ns();
    tls_session_free(of_server);
    int64_t t1 = cpu_ns();
    tls_session_free(of_client);
    int64_t t2 = cpu_ns();
    cost->server_ns += t1 - t0;
    cost->client_ns += t2 - t1;
}

static void print(const char *what, int64_t ns, int64_t n)
{
    int64_t each = ns / n;
    printf("%-28s %8lld.%01lld us each %8lld a CPU second\n", what, (long long)(each / 1000),
           (long long)(each % 1000 / 100),
           (long long)(INT64_C(1000000000) / (each != 0 ? each : 1)));
}

static void handshakes(bool resumed)
{
    struct cost cost = {0, 0};
    for (int i = 0; i < ROUNDS; i++) {
        if (!resumed) {
            tls_client_forget(client);
        }
        open_both(&cost);
        CHECK(i == 0 || tls_is_resumed(of_server) == resumed);
        close_both(&cost);
    }
    print(resumed ? "accept, resumed" : "accept, cold", cost.server_ns, ROUNDS);
    print(resumed ? "connect, resumed" : "connect, cold", cost.client_ns, ROUNDS);
}

static void sign(void)
{
    struct buf der;
    buf_init(&der, 8192);
    int64_t t0 = cpu_ns();
    for (int i = 0; i < ROUNDS; i++) {
        buf_clear(&der);
        CHECK(authority_sign(authority, &host, key, NOW_MS, &der) == ERR_OK);
    }
    print("sign a leaf", cpu_ns() - t0, ROUNDS);
    buf_fini(&der);
}

static void bulk(void)
{
    static char block[RECORD];
    struct cost cost = {0, 0};
    int64_t write_ns = 0;
    int64_t read_ns = 0;
    open_both(&cost);
    for (int i = 0; i < BULK_MIB * 64; i++) {
        size_t n = 0;
        int64_t t0 = cpu_ns();
        CHECK(tls_write(of_server, str_make(block, RECORD), &n) == TLS_DONE && n == RECORD);
        int64_t t1 = cpu_ns();
        CHECK(tls_read(of_client, block, RECORD, &n) == TLS_DONE && n == RECORD);
        int64_t t2 = cpu_ns();
        write_ns += t1 - t0;
        read_ns += t2 - t1;
    }
    close_both(&cost);
    print("write 1 MiB", write_ns, BULK_MIB);
    print("read 1 MiB", read_ns, BULK_MIB);
}

/* --- the floor
 * ----------------------------------------------------------------------------------- */

static void bare(bool resumed)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    struct cost cost = {0, 0};
    int64_t ns = 0;
    CHECK(SSL_CTX_use_cert_and_key(ctx, leaf->credential->certificate, leaf->credential->key, NULL,
                                   1) == 1);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"x", 1);
    for (int i = 0; i < ROUNDS; i++) {
        up.from = up.to = down.from = down.to = 0;
        if (!resumed) {
            tls_client_forget(client);
        }
        CHECK(tls_connect(client, &host, 444, true, NOW_MS, &client_lower, &of_client) == ERR_OK);
        CHECK(tls_handshake(of_client) == TLS_WANT_READ);
        BIO *in = BIO_new_mem_buf(up.bytes, (int)up.to);
        BIO *out = BIO_new(BIO_s_mem());
        char *bytes = NULL;
        int64_t t0 = cpu_ns();
        SSL *ssl = SSL_new(ctx);
        SSL_set_bio(ssl, in, out);
        BIO_set_mem_eof_return(in, -1);
        SSL_set_accept_state(ssl);
        CHECK(SSL_do_handshake(ssl) == -1);
        ns += cpu_ns() - t0;
        long n = BIO_get_mem_data(out, &bytes);
        memcpy(down.bytes, bytes, (size_t)n);
        down.to = (size_t)n;
        up.from = up.to = 0;
        CHECK(tls_handshake(of_client) == TLS_DONE);
        in = BIO_new_mem_buf(up.bytes, (int)up.to);
        BIO_set_mem_eof_return(in, -1);
        SSL_set0_rbio(ssl, in);
        (void)BIO_reset(out);
        t0 = cpu_ns();
        CHECK(SSL_do_handshake(ssl) == 1);
        ns += cpu_ns() - t0;
        n = BIO_get_mem_data(out, &bytes);
        memcpy(down.bytes, bytes, (size_t)n);
        down.from = 0;
        down.to = (size_t)n;
        CHECK(tls_peek(of_client) == TLS_WANT_READ);
        CHECK(i == 0 || (SSL_session_reused(ssl) == 1) == resumed);
        t0 = cpu_ns();
        SSL_free(ssl);
        ns += cpu_ns() - t0;
        of_server = NULL;
        close_both(&cost);
    }
    SSL_CTX_free(ctx);
    print(resumed ? "bare accept, resumed" : "bare accept, cold", ns, ROUNDS);
}

int main(void)
{
    start();
    handshakes(false);
    bare(false);
    handshakes(true);
    bare(true);
    sign();
    bulk();
    tls_key_free(key);
    tls_leaf_free(leaf);
    authority_free(authority);
    tls_client_free(client);
    tls_server_free(server);
    return 0;
}
