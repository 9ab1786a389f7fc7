/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who asked and what was decided, in the form that an open exchange or tunnel keeps: what its
 * events need, and what is replaced when it is decided again. */
#ifndef LODGE_PROXY_VERDICT_IMPL_H
#define LODGE_PROXY_VERDICT_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "os/sock.h"
#include "policy/decide.h"

struct client;
struct exchange;
struct proxy;

struct who {
    enum known known;
    unsigned group_number;
    struct str person, device, class_id, supervisor, group;
    char *own; /* where the slices point once the images they came from have gone; else NULL */
};

struct verdict {
    enum action action;
    enum level level;
    enum reason reason;
    struct str rule; /* in an image, or static */
    struct catset categories;
    unsigned category;
    bool sealed;
    bool lifeline;
    bool ech;
    enum safe_search safe_search;
    bool inspect;     /* its TLS is inspected, or would be */
    int64_t until_ms; /* by proxy_now_ms */
    uint64_t catalog_generation, policy_generation, state_generation;
};

/* Identifies and decides an exchange; addr may be NULL. True: allowed. */
bool verdict_exchange(struct exchange *exchange, const struct sock_addr *addr);

/* True where an answer that turns out to be of this category would be refused; changes nothing. */
bool verdict_would_refuse(struct exchange *exchange, unsigned category);

/* The same for a client's tunnel, by what is known of its first bytes. */
bool verdict_tunnel(struct client *client);

/* Decides a CONNECT as if its first bytes were no TLS; True: allowed. */
bool verdict_raw(struct exchange *exchange, struct verdict *ret_verdict);

/* Identifies and decides the inside of a client's tunnel by its ClientHello. */
void verdict_inside(struct client *client);

/* Decides open exchanges and tunnels again: all of them, or those whose time has come. What is no
 * longer allowed is closed. */
void verdict_again(struct proxy *proxy, bool all);

/* An answer or tunnel is open: it will be decided again at its end. */
void verdict_watch(struct proxy *proxy, const struct verdict *verdict);

/* Before images go: nothing may point into them but what verdict_again replaces. ERR_MEMORY. */
MUST_USE enum err verdict_let_go(struct proxy *proxy);

/* Copies what the slices point to. ERR_MEMORY. */
MUST_USE enum err who_own(struct who *who);
void who_fini(struct who *who);

#endif
