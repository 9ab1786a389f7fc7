/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a peer of either side may say: the first byte says which side we are and how much comes at
 * once, the rest comes over the transport. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tls/authority.h"
#include "tls/client.h"
#include "tls/server.h"

static const int64_t NOW_MS = INT64_C(1795348800) * 1000;

static struct tls_server *server;
static struct tls_client *client;
static struct tls_leaf *leaf;
static struct host host;

static void start(void)
{
    struct buf key, ca, chain, der;
    struct authority *authority = NULL;
    struct tls_key *leaf_key = NULL;
    const char *why = NULL;
    struct buf *all[] = {&key, &ca, &chain, &der};
    for (size_t i = 0; i < 4; i++) {
        buf_init(all[i], 8192);
    }
    CHECK(host_parse(STR("a.example"), &host) == ERR_OK);
    CHECK(authority_make(STR("Fuzz"), NOW_MS, &key, &ca) == ERR_OK);
    CHECK(authority_open(buf_str(&key), buf_str(&ca), NOW_MS, &authority, &why) == ERR_OK);
    CHECK(authority_chain(authority, &chain) == ERR_OK);
    CHECK(tls_key_make(&leaf_key) == ERR_OK);
    CHECK(authority_sign(authority, &host, leaf_key, NOW_MS, &der) == ERR_OK);
    CHECK(tls_leaf_new(buf_str(&der), buf_str(&chain), leaf_key, &leaf) == ERR_OK);
    CHECK(tls_server_new(&server) == ERR_OK);
    CHECK(tls_client_new(buf_str(&ca), STR(""), &client, &why) == ERR_OK);
    tls_key_free(leaf_key);
    authority_free(authority);
    for (size_t i = 0; i < 4; i++) {
        buf_fini(all[i]);
    }
}

struct input {
    const uint8_t *at;
    size_t left;
    size_t chunk;
};

static int take(void *context, char *to, size_t room)
{
    struct input *input = context;
    size_t n = input->left < room ? input->left : room;
    n = n < input->chunk ? n : input->chunk;
    if (n == 0) {
        return TLS_LOWER_END;
    }
    memcpy(to, input->at, n);
    input->at += n;
    input->left -= n;
    return (int)n;
}

static int swallow(void *context, const char *bytes, size_t n)
{
    (void)context;
    (void)bytes;
    return (int)n;
}

/* Nobody without the keys gets through a handshake, and every failure has a name. */
static void run(struct tls_session *session)
{
    enum tls_result result = TLS_WANT_READ;
    for (int i = 0; i < 4 && (result == TLS_WANT_READ || result == TLS_WANT_WRITE); i++) {
        result = tls_handshake(session);
    }
    CHECK(result == TLS_BROKEN && tls_trouble(session) != TLS_TROUBLE_NONE);
    CHECK(!tls_is_established(session));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    if (server == NULL) {
        start();
    }
    struct input input = {data + 1, size - 1, 1 + (data[0] >> 1)};
    struct tls_lower lower = {.context = &input, .receive = take, .transmit = swallow};
    struct tls_session *session = NULL;
    enum err err = (data[0] & 1) != 0
                       ? tls_accept(server, leaf, host_str(&host), true, &lower, &session)
                       : tls_connect(client, &host, 443, true, NOW_MS, &lower, &session);
    CHECK(err == ERR_OK);
    run(session);
    tls_session_free(session);
    return 0;
}
