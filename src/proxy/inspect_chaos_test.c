/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Anything in any order, inside TLS: clients that trust the gate or do not, the notary, images and
 * keys do what they like. No memory is misused (the sanitizer build looks), every connection ends,
 * and the record is whole. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/gen.h"
#include "lib/proxy_tls.h"
#include "lib/test.h"
#include "os/sock.h"
#include "proxy/proxy_impl.h"

enum { RUNS = 60, STEPS = 150, CLIENTS = 6 };

static const char *const targets[] = {
    "a.test:%O",   "b.test:%O",     "games.test:443", "games.test:%O", "bank.test:%O",
    "bad.test:%O", "lodge.test:80", "127.0.0.1:%O",   "six.test:%O",   "nowhere.invalid:443",
};
static const char *const names[] = {"a.test",   "b.test",     "games.test", "bank.test",
                                    "bad.test", "lodge.test", "127.0.0.1"};
static const char *const said[] = {
    "GET / HTTP/1.1\r\nHost: a.test:%O\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: games.test\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: games.test:%O\r\n\r\n",
    "GET /sealed HTTP/1.1\r\nHost: bad.test:%O\r\n\r\n",
    "GET /proxy.pac HTTP/1.1\r\nHost: lodge.test:80\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a.test:%O\r\nContent-Length: 10\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: b.test:%O\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    "GET /ws HTTP/1.1\r\nHost: a.test:%O\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "CONNECT a.test:%O HTTP/1.1\r\nHost: a.test:%O\r\n\r\n",
    "GET / HTT",
    "0123456789",
    "broken\r\n\r\n",
};
static const char *const groups[] = {"visitors", "open", "pupils-ks2", "staff"};
static const char *const plain[] = {"\x16\x03\x01", "SSH-2.0-x\r\n", "\x17\x03\x03\x01",
                                    "GET http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n\r\n"};

struct chaos {
    struct rig_tls tls;
    struct gen *gen;
    struct tls_end ends[CLIENTS];
};

static void drop(struct chaos *chaos, struct tls_end *end)
{
    if (gen_chance(chaos->gen, 30)) {
        sock_set_reset(end->fd);
    }
    if (end->session != NULL && tls_is_established(end->session) && gen_chance(chaos->gen, 30)) {
        tls_shut(end->session);
    }
    tls_session_free(end->session);
    close(end->fd);
    *end = (struct tls_end){.fd = -1};
}

/* CONNECT, and a session that begins without waiting for the answer to it. */
static void begin(struct chaos *chaos, struct tls_end *end)
{
    struct rig *rig = &chaos->tls.rig;
    char request[200];
    struct host host;
    snprintf(request, sizeof(request), "CONNECT %s HTTP/1.1\r\nHost: x\r\n\r\n",
             GEN_PICK(chaos->gen, targets));
    end->fd = rig_ask(rig, request);
    char head[512];
    ssize_t n = recv(end->fd, head, sizeof(head), MSG_DONTWAIT);
    if (n < 12 || memcmp(head, "HTTP/1.1 200", 12) != 0) {
        drop(chaos, end); /* it is still being dialled, or refused */
        return;
    }
    assert_ok(host_parse(str_from(GEN_PICK(chaos->gen, names)), &host));
    end_begin(&chaos->tls, end, &host, gen_chance(chaos->gen, 96));
}

static void step_client(struct chaos *chaos)
{
    struct tls_end *end = &chaos->ends[gen_below(chaos->gen, CLIENTS)];
    char bytes[4096];
    size_t n = 0;
    if (end->fd < 0) {
        begin(chaos, end);
        return;
    }
    bool is_open = tls_is_established(end->session);
    switch (gen_below(chaos->gen, 12)) {
    case 0:
        drop(chaos, end);
        break;
    case 1:
        rig_say(&chaos->tls.rig, end->fd, GEN_PICK(chaos->gen, plain));
        break;
    case 2:
    case 3:
        if (is_open) {
            (void)!tls_read(end->session, bytes, sizeof(bytes), &n);
        }
        break;
    case 4:
    case 5:
    case 6:
    case 7:
        for (int i = 0; i < 3 && !tls_is_established(end->session); i++) {
            (void)!tls_handshake(end->session);
            rig_settle(&chaos->tls.rig);
            if (gen_chance(chaos->gen, 50)) {
                rig_tls_sign(&chaos->tls);
            }
        }
        break;
    default:
        if (is_open) {
            end_say(&chaos->tls, end, GEN_PICK(chaos->gen, said));
        }
        break;
    }
    rig_settle(&chaos->tls.rig);
}

static void step_worker(struct chaos *chaos)
{
    struct rig *rig = &chaos->tls.rig;
    struct addr addr = {{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}};
    int fd = -1;
    struct sock_addr peer;
    switch (gen_below(chaos->gen, 12)) {
    case 0:
        rig_set_unknown(rig, GEN_PICK(chaos->gen, groups));
        break;
    case 1:
        rig_tls_new_key(&chaos->tls);
        break;
    case 2:
        rig_tls_refuse(&chaos->tls);
        break;
    case 3:
        rig->proxy->next_until_ms = 0; /* a time has come */
        loop_timer_set(rig->loop, &rig->proxy->tick, 1);
        break;
    case 4:
        chaos->tls.busy = gen_chance(chaos->gen, 20);
        break;
    case 5:
        proxy_set_enrolled(rig->proxy, &addr, gen_chance(chaos->gen, 80));
        break;
    case 6:
        (void)!client_evict(rig->proxy);
        break;
    case 7:
    case 8:
        if (sock_accept(rig->origin_fd, &fd, &peer) == ERR_OK) {
            close(fd);
        }
        break;
    default:
        rig_tls_sign(&chaos->tls);
        break;
    }
    rig_settle(rig);
}

/* Each id has a whole story; how many of the events are from inside. */
static size_t check_record(struct chaos *chaos)
{
    size_t inside = 0;
    struct rig *rig = &chaos->tls.rig;
    rig_events(rig);
    for (size_t i = 0; i < rig->n_events; i++) {
        unsigned kinds[EVENT_CLOSE + 1] = {0};
        for (size_t j = 0; j < rig->n_events; j++) {
            if (memcmp(&rig->events[i].id, &rig->events[j].id, sizeof(rig->events[i].id)) == 0) {
                kinds[rig->events[j].kind]++;
            }
        }
        bool one = kinds[EVENT_REQUEST] == 1 && kinds[EVENT_OPEN] + kinds[EVENT_CLOSE] == 0;
        bool pair = kinds[EVENT_REQUEST] == 0 && kinds[EVENT_OPEN] == 1 && kinds[EVENT_CLOSE] == 1;
        assert_run(*chaos->gen, one || pair);
        inside += strcmp(rig->events[i].scheme, "https") == 0;
    }
    return inside;
}

TEST(whatever_happens_inside_every_connection_ends_and_the_record_is_whole)
{
    size_t inside = 0;
    GEN_RUNS(gen, RUNS)
    {
        struct chaos chaos = {.gen = &gen};
        struct rig *rig = &chaos.tls.rig;
        rig_tls_new(&chaos.tls, GEN_PICK(&gen, groups));
        for (size_t i = 0; i < CLIENTS; i++) {
            chaos.ends[i].fd = -1;
        }
        for (unsigned i = 0; i < STEPS; i++) {
            if (gen_chance(&gen, 70)) {
                step_client(&chaos);
            } else {
                step_worker(&chaos);
            }
        }
        for (size_t i = 0; i < CLIENTS; i++) {
            if (chaos.ends[i].fd >= 0) {
                drop(&chaos, &chaos.ends[i]);
            }
        }
        proxy_drain(rig->proxy);
        rig->proxy->drain_due_ms = 0;
        assert_ok(loop_run(rig->loop));
        assert_run(gen, rig->proxy->n_clients == 0 && rig->proxy->clients == NULL);
        inside += check_record(&chaos);
        rig_tls_free(&chaos.tls);
    }
    assert_true(inside >= RUNS); /* it came that far */
}

TESTS_MAIN(unit(whatever_happens_inside_every_connection_ends_and_the_record_is_whole))
