/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one worker has: struct proxy, and what all files of proxy/ use. The life of a request:
 *
 *   client.c    takes a connection, reads a head, hands it on; goes on with the next
 *   outer.c     TLS of the proxy's own port, where a client begins with it
 *   request.c   the head to an exchange: form, URL, credentials (identify.c), what is forwarded
 *   verdict.c   what the policy says, and what it says later
 *   origin.c    names to addresses, addresses checked and dialled; secure.c their TLS; pool.c
 *               keeps those unused, trunk.c those of HTTP/2 that many share
 *   relay.c     the request up, the answer down
 *   hold.c      the answer's beginning, held back while its readers look (reading.c, reader_*.c)
 *   tunnel.c    CONNECT and Upgrade (pipe.c)
 *   searching.c safe search in what goes up, search terms for the event
 *   inspect.c   CONNECT that is answered by TLS of ours, under a leaf (leaf.c) that the device may
 *               refuse (trust.c); front.c where it speaks HTTP/2 inside
 *   answer.c    pages of our own; gate.c those of the gate's own name; to_console.c from a closed
 *               page to the console's sign-in, and back
 *   record.c    the events of all that
 */
#ifndef LODGE_PROXY_PROXY_IMPL_H
#define LODGE_PROXY_PROXY_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "crypto/hash.h"
#include "http/conn.h"
#include "os/dns.h"
#include "os/loop.h"
#include "os/sock.h"
#include "proxy/client_impl.h"
#include "proxy/exchange_impl.h"
#include "proxy/front_impl.h"
#include "proxy/hold_impl.h"
#include "proxy/inspect_impl.h"
#include "proxy/leaf_impl.h"
#include "proxy/origin_impl.h"
#include "proxy/outer_impl.h"
#include "proxy/proxy.h"
#include "proxy/to_console_impl.h"
#include "proxy/trunk_impl.h"
#include "proxy/tunnel_impl.h"
#include "proxy/verdict_impl.h"
#include "tls/client.h"
#include "wire/http1.h"

enum {
    SCRATCH_BYTES = 65536,
    LISTENERS_MAX = 16,
    AUTH_BUCKETS = 256,
    RANDOM_BYTES = 4096,
    OWN_ROWS = 64,
};

struct listener {
    struct loop_io io;
    struct proxy *proxy;
    struct sock_addr addr;
};

/* Whether an address is the box's own, remembered for a while. */
struct own_row {
    uint8_t ip[16];
    bool own;
    int64_t until_ms; /* monotonic */
};

struct proxy {
    struct loop *loop;
    struct proxy_setup setup;
    struct proxy_options options;
    struct dns *dns;
    struct policy_images images;
    uint64_t catalog_generation, policy_generation, state_generation;
    int64_t base_utc_ms, base_mono_ms; /* when the images came: see proxy_now_ms */
    struct listener listeners[LISTENERS_MAX];
    size_t n_listeners;
    bool accepting, draining;
    struct loop_timer tick;
    int64_t drain_due_ms;  /* monotonic */
    int64_t next_until_ms; /* the earliest end of an open verdict, by proxy_now_ms */
    struct client *clients;
    struct client *idle_first, *idle_last; /* without a request for longest first */
    size_t n_clients;
    struct exchange *free_exchanges;
    size_t n_free_exchanges;
    struct tls_client *tls; /* to origins */
    struct pool pool;
    struct trunks trunks;
    struct leaves leaves;
    struct trust trust;
    struct pipes pipes;
    struct http_scratch scratch_up, scratch_down; /* read from clients; from origins */
    struct http1_head head;                       /* of the message in hand */
    struct buf page;                              /* a page being made */
    struct buf line;                              /* a head being made */
    struct buf data;                              /* a body without its chunks */
    struct buf gate_ca;                           /* the CA's certificate (DER); empty: none yet */
    struct auth_entry *auth[AUTH_BUCKETS];
    size_t n_auth;
    uint64_t last_ticket;
    struct own_row own[OWN_ROWS];
    uint8_t auth_key[HASH_KEY_BYTES];
    uint8_t random[RANDOM_BYTES];
    size_t random_at;
    struct proxy_counts counts;
};

/* UTC ms for decisions: the wall clock, but never earlier than the monotonic clock says since the
 * images came, so that a clock set back prolongs nothing (policy/state.h). */
int64_t proxy_now_ms(const struct proxy *proxy);

/* Stops or resumes to take clients. */
void proxy_accepting(struct proxy *proxy, bool accepting);

/* True where an address is of one of the box's interfaces. */
bool proxy_is_own(struct proxy *proxy, const uint8_t ip[16]);

/* True where an address and port are one of our own listeners. */
bool proxy_is_self(const struct proxy *proxy, const struct sock_addr *addr);

/* --- identify.c --------------------------------------------------------------------------------
 */

enum identify {
    IDENTIFY_DONE,    /* exchange->person is set, or there are no credentials */
    IDENTIFY_WAIT,    /* auth is asked; request_go follows */
    IDENTIFY_REFUSED, /* not a pair that is accepted */
    IDENTIFY_BUSY,    /* cannot be asked now */
    IDENTIFY_PLAIN,   /* they came unprotected, and the school takes none such */
};
/* Reads the credentials in proxy->head. */
MUST_USE enum identify identify_credentials(struct exchange *exchange);
/* STAGE_AUTH's timeout. */
void identify_late(struct client *client);
/* The exchange waits no longer. */
void identify_forget(struct exchange *exchange);
/* Drops the remembered pairs of people who are not as they were. */
void identify_new_images(struct proxy *proxy, const struct policy_images *images);
/* Drops what is too old. */
void identify_sweep(struct proxy *proxy);
void identify_fini(struct proxy *proxy);

/* --- answer.c, gate.c: the answer is a page of ours, recorded; the client goes on or is closed --
 */

/* What exchange->verdict refuses. */
void answer_blocked(struct client *client);
/* Trouble: 400, 405, 421, 431, 501, 502, 503, 504, 508; why is a sentence for the page. */
void answer_trouble(struct client *client, unsigned status, const char *why);
/* 407. */
void answer_sign_in(struct client *client);
/* How to set a device up that sends passwords unprotected. */
void answer_plain_password(struct client *client);
/* Sends proxy->page. */
void answer_send(struct client *client, unsigned status, struct str type, struct str extra);
void gate_answer(struct client *client);
/* The gate's own name, or the one below it that the check goes by. */
bool gate_is_host(const struct proxy *proxy, const struct host *host);
/* The certificate that devices are given from now on: the last of the chain. ERR_INVALID,
 * ERR_MEMORY. */
MUST_USE enum err gate_set_ca(struct proxy *proxy, struct str chain_der);

/* --- record.c ----------------------------------------------------------------------------------
 */

void record_new_id(struct proxy *proxy, struct event_id *ret_id);
/* The one event of an answer that is known whole. False: it cannot be written, so nothing may be
 * sent. */
MUST_USE bool record_request(struct exchange *exchange);
/* The opening of an answer that takes longer; once. */
MUST_USE bool record_open(struct exchange *exchange);
/* What a request that never came to a decision leaves in its event: refused for this reason. */
void record_undecided(struct exchange *exchange, enum reason reason);
/* It ends without a whole answer: its event is written if there is none yet, then its end. */
void record_left(struct exchange *exchange, enum event_end end);
/* Its end; nothing where it was never opened. */
void record_close(struct exchange *exchange, enum event_end end);
void record_tunnel_close(struct client *client, enum event_end end);
/* A CONNECT inside which nothing was asked. */
/* A request of HTTP/2 that could not be read. */
void record_malformed(struct client *client);
void record_inside(struct client *client, const struct inside *inside);

#endif
