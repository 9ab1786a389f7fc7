/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Anything in any order: clients, origins, auth and images do what they like. Whatever happens, no
 * memory is misused (the sanitizer build looks), every connection ends, and the record is whole:
 * each id has one event of kind request, or one opening and one close. */
#include <sys/socket.h>
#include <unistd.h>

#include "lib/gen.h"
#include "lib/proxy_rig.h"
#include "lib/test.h"
#include "os/sock.h"
#include "proxy/proxy_impl.h"

enum { RUNS = 200, STEPS = 120, CLIENTS = 6, ORIGINS = 12 };

static const char *const said_by_clients[] = {
    "GET http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "GET http://b.test:%O/x?y HTTP/1.1\r\nHost: b.test\r\nConnection: close\r\n\r\n",
    "HEAD http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "GET http://games.test/ HTTP/1.1\r\nHost: games.test\r\n\r\n",
    "GET http://lodge.test/proxy.pac HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET http://nowhere.invalid/ HTTP/1.0\r\n\r\n",
    "POST http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\nContent-Length: 10\r\n\r\n",
    "POST http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "0123456789",
    "CONNECT a.test:%O HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "CONNECT games.test:443 HTTP/1.1\r\nHost: a.test\r\n\r\n",
    "GET http://a.test:%O/ws HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\n"
    "Upgrade: websocket\r\n\r\n",
    "GET http://a.test:%O/ HTTP/1.1\r\nHost: a.test\r\n"
    "Proxy-Authorization: Basic cC0xOnNlY3JldA==\r\n\r\n",
    "GET http://a.test:%O/ HTT",
    "P/1.1\r\nHost: a.test\r\n\r\n",
    "\r\n",
    "broken\r\n\r\n",
    "plain words in a tunnel",
};

static const char *const said_by_origins[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel",
    "lo",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "5\r\nhello\r\n",
    "0\r\n\r\n",
    "HTTP/1.0 200 OK\r\n\r\nuntil the end",
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    "HTTP/1.1 401 No\r\nWWW-Authenticate: NTLM\r\nContent-Length: 0\r\n\r\n",
    "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
    "HTTP/1.1 2",
    "00 OK\r\nContent-Length: 0\r\n\r\n",
    "no http",
    "words from the other side",
};

static const char *const groups[] = {"visitors", "open", "pupils-ks1", "signers", "staff"};

struct chaos {
    struct rig rig;
    struct gen *gen;
    int clients[CLIENTS];
    int origins[ORIGINS];
};

static void end_one(struct chaos *chaos, int *fd)
{
    switch (gen_below(chaos->gen, 3)) {
    case 0:
        shutdown(*fd, SHUT_WR);
        return;
    case 1:
        sock_set_reset(*fd);
        break;
    }
    close(*fd);
    *fd = -1;
}

static void drink(int fd)
{
    char bytes[4096];
    while (recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0) {
    }
}

static void step_client(struct chaos *chaos)
{
    int *fd = &chaos->clients[gen_below(chaos->gen, CLIENTS)];
    if (*fd < 0) {
        *fd = rig_client(&chaos->rig);
    } else if (gen_chance(chaos->gen, 80)) {
        rig_say(&chaos->rig, *fd, GEN_PICK(chaos->gen, said_by_clients));
    } else if (gen_chance(chaos->gen, 50)) {
        drink(*fd);
    } else {
        end_one(chaos, fd);
    }
}

static void step_origin(struct chaos *chaos)
{
    int *fd = &chaos->origins[gen_below(chaos->gen, ORIGINS)];
    struct sock_addr peer;
    if (*fd < 0) {
        if (sock_accept(chaos->rig.origin_fd, fd, &peer) != ERR_OK) {
            *fd = -1;
        }
    } else if (gen_chance(chaos->gen, 80)) {
        drink(*fd);
        rig_say(&chaos->rig, *fd, GEN_PICK(chaos->gen, said_by_origins));
    } else {
        end_one(chaos, fd);
    }
}

static void step_worker(struct chaos *chaos)
{
    struct rig *rig = &chaos->rig;
    switch (gen_below(chaos->gen, 4)) {
    case 0:
        rig_set_unknown(rig, GEN_PICK(chaos->gen, groups));
        break;
    case 1:
        if (rig->n_tickets != 0) {
            proxy_auth_answer(rig->proxy, rig->tickets[--rig->n_tickets],
                              gen_chance(chaos->gen, 50));
        }
        break;
    case 2:
        rig->proxy->next_until_ms = 0; /* a time has come */
        loop_timer_set(rig->loop, &rig->proxy->tick, 1);
        break;
    default:
        rig_settle(rig);
        break;
    }
}

/* Each id has a whole story. */
static void check_record(struct chaos *chaos)
{
    struct rig *rig = &chaos->rig;
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
    }
}

TEST(whatever_happens_every_connection_ends_and_the_record_is_whole)
{
    GEN_RUNS(gen, RUNS)
    {
        struct chaos chaos = {.gen = &gen};
        rig_new(&chaos.rig);
        rig_set_unknown(&chaos.rig, gen_chance(&gen, 50) ? "open" : "visitors");
        memset(chaos.clients, -1, sizeof(chaos.clients));
        memset(chaos.origins, -1, sizeof(chaos.origins));
        for (unsigned i = 0; i < STEPS; i++) {
            size_t what = gen_below(&gen, 20);
            if (what < 10) {
                step_client(&chaos);
            } else if (what < 19) {
                step_origin(&chaos);
            } else {
                step_worker(&chaos);
            }
        }
        for (size_t i = 0; i < CLIENTS; i++) {
            if (chaos.clients[i] >= 0) {
                close(chaos.clients[i]);
            }
        }
        for (size_t i = 0; i < ORIGINS; i++) {
            if (chaos.origins[i] >= 0) {
                close(chaos.origins[i]);
            }
        }
        proxy_drain(chaos.rig.proxy);
        chaos.rig.proxy->drain_due_ms = 0;
        assert_ok(loop_run(chaos.rig.loop));
        assert_run(gen, chaos.rig.proxy->n_clients == 0 && chaos.rig.proxy->clients == NULL);
        check_record(&chaos);
        rig_free(&chaos.rig);
    }
}

TESTS_MAIN(unit(whatever_happens_every_connection_ends_and_the_record_is_whole))
