/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A CONNECT that is answered by TLS of ours: since its site is inspected, or since it is refused
 * and the page that says so must be readable.
 *
 *   STAGE_FIRST  200 is said, the client's first bytes are awaited; nothing is dialled
 *   STAGE_LEAF   its ClientHello is decided on, a leaf for its name is on its way
 *   STAGE_TLS    the handshake
 *
 * and from there on requests as on any connection (STAGE_HEAD ...), each decided on by its URL. The
 * exchange of the CONNECT lives up to the ClientHello, struct inside from there to the end.
 */
#ifndef LODGE_PROXY_INSPECT_IMPL_H
#define LODGE_PROXY_INSPECT_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "event/event.h"
#include "proxy/proxy.h"
#include "proxy/verdict_impl.h"
#include "wire/hello.h"
#include "wire/host.h"

struct client;
struct proxy;
struct tls_leaf;

/* The inside of a tunnel. Shared by a connection and its streams of HTTP/2. */
struct inside {
    unsigned refs;
    /* Where all requests lead: the name that the ClientHello gave, and that the leaf is for; where
     * it gave none, the CONNECT's host. What is decided on, what is dialled, what the certificate
     * says and what Host must say is therefore one name. */
    struct host host;
    struct host connect_host;
    uint16_t port;
    struct hello hello;
    /* What is said to the ClientHello now; refused: of a page, the reason is its request's, but
     * `barred`: the way itself is refused, so no URL opens it. */
    struct verdict verdict;
    struct who who;
    bool barred;
    bool ready; /* the handshake is over */
    bool asked; /* a request came, so there is an event */
    uint8_t person_len;
    char person[LIMIT_ID_LEN]; /* of the CONNECT's credentials */
    int64_t credential;        /* policy_credential when they were accepted */
    struct event_id id;
    int64_t began_ms;
};

/* True where the gate holds what it takes to answer TLS. */
bool inspect_is_possible(const struct proxy *proxy);

/* An exchange of CONNECT that was decided on: true where it goes on from here. */
bool inspect_takes(struct client *client);
/* The same for one that is refused: true where its page is shown inside. */
bool inspect_shows(struct client *client);
/* The CONNECT goes on from here, whatever was decided. */
void inspect_begin(struct client *client);
/* A tunnel's ClientHello, which lies in the client's connection, was decided on: true where TLS is
 * answered here (its origin is closed then). */
bool inspect_takes_tunnel(struct client *client);

/* Rows of the table. */
void inspect_on_first(struct client *client);
void inspect_first_late(struct client *client);
void inspect_on_leaf(struct client *client);
void inspect_on_tls(struct client *client);
void inspect_late(struct client *client);

/* The leaf that the client waits for; NULL: there will be none. */
void inspect_leaf_came(struct client *client, const struct tls_leaf *leaf);

/* Images are new, or a time has come. */
void inspect_decide_again(struct client *client);
/* False where the next request must not be answered here any more: the site is to be tunnelled. */
bool inspect_still_holds(struct client *client);

/* The client's connection ends: records what has no event. */
void inspect_leave(struct client *client);

/* --- trust.c: which devices refuse the gate's certificates -------------------------------------
 */

enum { TRUST_SETS = 512, TRUST_WAYS = 4, TRUST_AGAIN_MS = 60 * 60 * 1000 };

struct trust_row {
    struct addr addr;
    uint64_t host;   /* of the refusal that was told last */
    int64_t used_ms; /* monotonic; 0: empty */
    enum proxy_trust told;
    int64_t told_ms; /* monotonic: when its acceptance was told last */
    bool left;       /* it left once right after it saw a certificate, and accepted none since */
    bool accepted;   /* a handshake since it was last said not to be enrolled */
    bool unknown_ca; /* not enrolled */
};

struct trust {
    struct trust_row rows[TRUST_SETS][TRUST_WAYS];
};

bool trust_is_enrolled(struct proxy *proxy, const struct addr *client);
void trust_accepted(struct proxy *proxy, const struct addr *client, const struct host *host);
/* A handshake failed. True: the device does not accept the gate's certificate; it said so, or it
 * left right after it saw one, twice in a row. Once, a browser does that too whose page was closed
 * or whose connection was opened in advance. */
bool trust_failed(struct proxy *proxy, const struct addr *client, const struct host *host,
                  const struct tls_session *session);

#endif
