/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/proxy_tls.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/test.h"

enum { TURNS = 400 };

/* --- the notary
 * --------------------------------------------------------------------------------------- */

static bool on_leaf(void *context, const struct host *host)
{
    struct rig_tls *tls = context;
    if (tls->busy || tls->n_asked == RIG_LEAVES_MAX) {
        return false;
    }
    tls->asked[tls->n_asked++] = *host;
    tls->n_questions++;
    return true;
}

static void on_trust(void *context, const struct addr *client, const struct host *host,
                     enum proxy_trust trust)
{
    struct rig_tls *tls = context;
    assert_true(client != NULL && host->len != 0);
    tls->trust = trust;
    tls->n_trusts++;
}

void rig_tls_new_key(struct rig_tls *tls)
{
    static const uint8_t secret[TLS_TICKET_SECRET_BYTES] = {1};
    struct buf key;
    struct buf chain;
    buf_init(&key, 65536);
    buf_init(&chain, 65536);
    tls_key_free(tls->key);
    assert_ok(tls_key_make(&tls->key));
    assert_ok(tls_key_print(tls->key, &key));
    assert_ok(authority_chain(tls->authority, &chain));
    assert_ok(proxy_set_leaf_key(tls->rig.proxy, buf_str(&key), buf_str(&chain), secret));
    buf_fini(&key);
    buf_fini(&chain);
}

void rig_tls_sign(struct rig_tls *tls)
{
    while (tls->n_asked != 0) {
        struct host host = tls->asked[--tls->n_asked];
        struct buf der;
        buf_init(&der, 65536);
        assert_ok(
            authority_sign(tls->authority, &host, tls->key, loop_utc_ms(tls->rig.loop), &der));
        proxy_leaf_answer(tls->rig.proxy, &host, buf_str(&der));
        buf_fini(&der);
    }
    rig_settle(&tls->rig);
}

void rig_tls_refuse(struct rig_tls *tls)
{
    while (tls->n_asked != 0) {
        struct host host = tls->asked[--tls->n_asked];
        proxy_leaf_answer(tls->rig.proxy, &host, str_make(NULL, 0));
    }
    rig_settle(&tls->rig);
}

/* --- life
 * ------------------------------------------------------------------------------------------- */

void rig_tls_prepare(struct rig_tls *tls)
{
    *tls = (struct rig_tls){0};
    rig_prepare(&tls->rig);
    tls->rig.leaf = on_leaf;
    tls->rig.trust = on_trust;
    tls->rig.tls_context = tls;
}

void rig_tls_start(struct rig_tls *tls, const char *unknown)
{
    const char *why = NULL;
    struct buf key;
    rig_start(&tls->rig);
    rig_set_unknown(&tls->rig, unknown);
    buf_init(&key, 65536);
    buf_init(&tls->ca, 65536);
    int64_t now = loop_utc_ms(tls->rig.loop);
    assert_ok(authority_make(STR("Lodge at test"), now, &key, &tls->ca));
    assert_ok(authority_open(buf_str(&key), buf_str(&tls->ca), now, &tls->authority, &why));
    buf_fini(&key);
    assert_ok(tls_client_new(STR(""), buf_str(&tls->ca), &tls->trusting, &why));
    assert_ok(tls_client_new(STR(""), STR(""), &tls->strange, &why));
    rig_tls_new_key(tls);
}

void rig_tls_new(struct rig_tls *tls, const char *unknown)
{
    rig_tls_prepare(tls);
    rig_tls_start(tls, unknown);
}

void rig_tls_free(struct rig_tls *tls)
{
    rig_free(&tls->rig);
    tls_client_free(tls->trusting);
    tls_client_free(tls->strange);
    authority_free(tls->authority);
    tls_key_free(tls->key);
    buf_fini(&tls->ca);
}

/* --- a client's end
 * ------------------------------------------------------------------------------------ */

static int receive(void *context, char *to, size_t room)
{
    const struct tls_end *end = context;
    ssize_t n = recv(end->fd, to, room, 0);
    if (n < 0) {
        return errno == EAGAIN ? TLS_LOWER_AGAIN : TLS_LOWER_BROKEN;
    }
    return (int)n;
}

static int transmit(void *context, const char *bytes, size_t n)
{
    const struct tls_end *end = context;
    size_t len = end->step != 0 && end->step < n ? end->step : n;
    ssize_t sent = send(end->fd, bytes, len, MSG_NOSIGNAL);
    if (sent < 0) {
        return errno == EAGAIN ? TLS_LOWER_AGAIN : TLS_LOWER_BROKEN;
    }
    return (int)sent;
}

void end_open(struct rig_tls *tls, struct tls_end *end, const char *target, const char *name,
              bool trusts)
{
    char request[300];
    struct host host;
    assert_ok(host_parse(str_from(name), &host));
    snprintf(request, sizeof(request), "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n", target);
    *end = (struct tls_end){.fd = rig_ask(&tls->rig, request)};
    assert_str_eq(rig_read(&tls->rig, end->fd, "\r\n\r\n"),
                  STR("HTTP/1.1 200 Connection established\r\n\r\n"));
    end_begin(tls, end, &host, trusts);
}

void end_begin(struct rig_tls *tls, struct tls_end *end, const struct host *host, bool trusts)
{
    struct tls_lower lower = {end, receive, transmit};
    assert_ok(tls_connect(trusts ? tls->trusting : tls->strange, host, 443, false,
                          loop_utc_ms(tls->rig.loop), &lower, &end->session));
}

bool end_handshake(struct rig_tls *tls, struct tls_end *end)
{
    for (int i = 0; i < TURNS * 4; i++) {
        enum tls_result result = tls_handshake(end->session);
        if (result == TLS_DONE || result == TLS_BROKEN || result == TLS_END) {
            end->trouble = tls_trouble(end->session);
            rig_settle(&tls->rig);
            return result == TLS_DONE;
        }
        assert_ok(loop_turn(tls->rig.loop, 0));
        rig_tls_sign(tls);
    }
    return false;
}

void end_connect(struct rig_tls *tls, struct tls_end *end, const char *target, const char *name)
{
    end_open(tls, end, target, name, true);
    if (!end_handshake(tls, end)) {
        fail_msg("no TLS: %s", tls_trouble_text(end->trouble));
    }
}

void end_say(struct rig_tls *tls, struct tls_end *end, const char *text)
{
    struct buf out;
    struct str rest = str_from(text);
    buf_init(&out, 1 << 20);
    size_t at = 0;
    while ((at = str_find(rest, STR("%O"))) < rest.len) {
        buf_append(&out, str_sub(rest, 0, at));
        buf_append_u64(&out, tls->rig.origin_port);
        rest = str_skip(rest, at + 2);
    }
    buf_append(&out, rest);
    rest = buf_str(&out);
    while (rest.len != 0) {
        size_t n = 0;
        enum tls_result result = tls_write(end->session, rest, &n);
        if (result == TLS_BROKEN) {
            break; /* it is gone; a test that minds reads */
        }
        rest = result == TLS_DONE ? str_skip(rest, n) : rest;
        assert_ok(loop_turn(tls->rig.loop, 0));
    }
    rig_settle(&tls->rig);
    buf_fini(&out);
}

struct str end_read(struct rig_tls *tls, struct tls_end *end, const char *until)
{
    struct str want = str_from(until);
    struct buf *got = &tls->rig.got;
    buf_clear(got);
    for (int i = 0; i < TURNS; i++) {
        char bytes[16384];
        size_t n = 0;
        enum tls_result result = tls_read(end->session, bytes, sizeof(bytes), &n);
        if (result == TLS_DONE) {
            buf_append(got, str_make(bytes, n));
        }
        if (want.len != 0 && str_find(buf_str(got), want) < got->len) {
            return buf_str(got);
        }
        if (result == TLS_END || result == TLS_BROKEN) {
            end->trouble = tls_trouble(end->session);
            break;
        }
        assert_ok(loop_turn(tls->rig.loop, result == TLS_DONE ? 0 : 5));
    }
    if (want.len != 0) {
        fail_msg("\"%s\" did not come, but: %.*s", until, STR_ARG(buf_str(got)));
    }
    return buf_str(got);
}

void end_close(struct rig_tls *tls, struct tls_end *end)
{
    tls_session_free(end->session);
    end->session = NULL;
    close(end->fd);
    rig_settle(&tls->rig);
}
