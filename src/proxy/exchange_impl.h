/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One request and its answer: from request.c over identify.c, verdict.c and origin.c to relay.c,
 * tunnel.c or answer.c. */
#ifndef LODGE_PROXY_EXCHANGE_IMPL_H
#define LODGE_PROXY_EXCHANGE_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "event/event.h"
#include "http/body.h"
#include "os/dns.h"
#include "os/loop.h"
#include "os/sock.h"
#include "proxy/verdict_impl.h"
#include "wire/charset.h"
#include "wire/http1.h"
#include "wire/url.h"

struct auth_entry;
struct client;
struct hold;
struct origin;

enum { EXCHANGE_HEAD_MAX = LIMIT_HTTP_HEAD_LEN + 8192 };

enum { DIAL_ADDRESSES = 8 }; /* tried for one request, of those a name has */

/* The way to an origin: a look-up, then one or more connects (origin.c). */
struct dial {
    struct dns_query query;
    struct loop_timer stagger;
    struct origin *tries;
    size_t n, next;
    struct sock_addr addrs[DIAL_ADDRESSES];
    bool checked; /* addrs[next] has been decided on with the request */
    bool fresh;   /* do not take one from the pool: this is a second try */
    bool refused; /* the policy refused an address, and the verdict says why */
};

struct exchange {
    struct client *client;
    struct origin *origin;
    struct exchange *next_free;
    struct auth_entry *auth; /* whose answer is awaited */
    struct dial dial;
    /* the request */
    enum http1_method method;
    uint8_t method_len;
    char method_text[LIMIT_HTTP_METHOD_LEN];
    bool connect;     /* CONNECT: url has host and port only */
    bool established; /* CONNECT: 200 was said, so no page can be sent any more */
    bool late;        /* CONNECT: it was, and goes back to a tunnel */
    bool gate;        /* for the gate's own name */
    bool navigates;   /* a browser goes to a page */
    bool known_url;   /* url is valid */
    bool old;         /* HTTP/1.0 */
    bool form;        /* it carries a form */
    bool keeps_words; /* of a form: more of it is wanted in words */
    bool upgrade;     /* an Upgrade was passed on */
    bool repeatable;  /* may be sent again without harm */
    bool retried;
    bool http1;         /* the origin wants no HTTP/2 for this */
    bool bound;         /* signs in by the connection, which then serves no other client */
    struct url url;     /* slices in arena */
    struct arena arena; /* of url */
    struct buf head;    /* as forwarded */
    struct buf words;   /* the first bytes of a form (SEARCH_FORM_MAX) */
    enum charset words_charset;
    struct str terms;          /* what is searched for, in arena */
    struct buf offered;        /* the Upgrade tokens passed on */
    uint8_t person_len;        /* 0: no credentials */
    char person[LIMIT_ID_LEN]; /* of accepted credentials */
    int64_t credential;        /* policy_credential when they were accepted */
    struct http_body up, down;
    /* the answer */
    bool opened;   /* its event of kind open is written, that of its end is not */
    bool recorded; /* it has an event */
    bool begun;    /* a byte of the final answer, or of an interim one, went out */
    bool answered; /* the final head has come, and went out unless it is held */
    bool sent;     /* the final head went out */
    bool stopped;  /* the origin takes no more of the body */
    bool decode;   /* chunks are taken off for a client that knows none */
    bool keep_origin;
    struct hold *hold;     /* for readers of the body; NULL: nobody reads it */
    struct catset content; /* what readers have found it to be */
    unsigned status;
    unsigned interim;  /* 1xx answers so far */
    struct str policy; /* of a page of ours, in arena; empty: VIEWS_POLICY */
    /* the event */
    struct event_id id;
    struct who who;
    struct verdict verdict;
    int64_t began_ms; /* monotonic */
    uint64_t bytes_up, bytes_down;
};

static inline struct str exchange_method(const struct exchange *exchange)
{
    return str_make(exchange->method_text, exchange->method_len);
}

static inline struct str exchange_person(const struct exchange *exchange)
{
    return str_make(exchange->person, exchange->person_len);
}

/* True where the origin is reached by TLS of ours: a page of https that is inspected. */
static inline bool exchange_is_secure(const struct exchange *exchange)
{
    return !exchange->connect && str_eq(exchange->url.scheme, STR("https"));
}

/* NULL: out of memory. Belongs to the client from now on. */
struct exchange *exchange_new(struct client *client);
/* Gives back everything it holds; the origin is closed if it is still there. */
void exchange_free(struct exchange *exchange);

/* request.c: reads proxy->head into a new exchange and starts it; rest is what follows in the view.
 */
void request_begin(struct client *client, struct str rest);
/* A head that could not be read. */
void request_malformed(struct client *client, enum err err, enum http1_fault fault);
/* A head that did not come whole in time. */
void request_late(struct client *client);
/* Who asks is known: decides and acts. */
void request_go(struct client *client);

/* forward.c: the head that the origin gets. */
MUST_USE enum err forward_request(struct exchange *exchange, const struct http1_head *head,
                                  struct str target);
/* The head that the client gets for an answer of the origin (its status may be 1xx). */
void forward_response(struct buf *to, const struct exchange *exchange,
                      const struct http1_head *head, bool keep_alive);
/* "host" or "host:port", IPv6 in brackets. */
void forward_authority(struct buf *to, const struct url *url, uint16_t default_port);
/* True where this message has been through a Lodge already. */
bool forward_is_loop(const struct http1_head *head);
/* True where request or answer signs in the connection, not the request (RFC 4559 section 6). */
bool forward_is_bound(const struct http1_head *head);
/* How often an OPTIONS may still be forwarded (RFC 9110 section 7.6.2); UINT64_MAX: not said. */
uint64_t forward_times(const struct http1_head *head);

/* origin.c: finds a connection, from the pool or by dialling; relay or tunnel go on from there. */
void dial_begin(struct client *client);
/* Closes the connection that is bound to the client, if there is one. */
void dial_unbind(struct client *client);
void dial_cancel(struct exchange *exchange);
void dial_late(struct client *client);
void dial_on_origin(struct client *client, struct origin *origin);
/* The exchange has its connection, ready for a request: relay or tunnel. */
void dial_done(struct client *client, struct origin *origin);

/* secure.c: TLS on a connection that was made, under the dial's timeout; then dial_done. */
void secure_begin(struct client *client, struct origin *origin);
/* The origin has news. */
void secure_go(struct client *client);

/* searching.c. Of a head that is being read: whether a form follows. */
void searching_note(struct exchange *exchange, const struct http1_head *head);
/* While keeps_words: bytes of its body, without framing. */
void searching_feed(struct exchange *exchange, struct str data);
/* What is searched for, as far as it is known; empty where nothing is, or may be kept. */
struct str searching_terms(struct exchange *exchange);
/* Puts the printed head right before it goes out. ERR_INVALID: what would go out is refused, and
 * the verdict says why; others: it must not go out. */
MUST_USE enum err searching_apply(struct exchange *exchange);

/* relay.c */
void relay_begin(struct client *client);
void relay_on_client(struct client *client);
void relay_on_origin(struct client *client, struct origin *origin);
void relay_late(struct client *client);
/* Sends what was held back of an answer (hold_impl.h). */
void relay_release(struct client *client);
/* Ends an exchange under way as no longer allowed. */
void relay_refuse(struct client *client);

#endif
