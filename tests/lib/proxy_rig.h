/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A proxy in a test: with a small school of its own, in one process and one loop with its clients
 * and origins, all on the loopback. Everything is non-blocking; what a test waits for turns the
 * loop.
 *
 * Every name ends in .test and leads to 127.0.0.1 (hosts of the rig). The school: visitors
 * (unknown; any tunnel may be opened by the group `open`), pupils-ks1, pupils-ks2, staff. Closed
 * for all: games.test (a harmless category), sad.test (a sensitive one), bad.test/sealed (a sealed
 * URL). A lifeline: help.test. Never inspected: bank.test. Inspected, where there is a leaf key:
 * open and pupils-ks2.
 * pupils-ks2 may not have programs.
 */
#ifndef LODGE_TESTS_PROXY_RIG_H
#define LODGE_TESTS_PROXY_RIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "event/event.h"
#include "event/spool.h"
#include "os/loop.h"
#include "proxy/proxy.h"

enum { RIG_EVENTS_MAX = 512, RIG_TICKETS_MAX = 16 };

struct rig_event {
    enum event_kind kind;
    struct event_id id;
    enum action action;
    enum reason reason;
    enum event_end end;
    unsigned status;
    uint64_t bytes_up, bytes_down;
    char host[64];
    char path[64];
    char scheme[16];
    char method[16];
    char person[32];
    char rule[64];
    char search[64];
    bool sealed;
    bool inspected;
    bool ech;
};

struct rig {
    struct loop *loop;
    struct proxy *proxy;
    struct proxy_options options;
    char folder[64];
    struct spool_writer *spool;
    struct spool_reader *reader;
    struct policy_images images;
    int listen_fd;
    int origin_fd; /* an origin's listener */
    uint16_t port;
    uint16_t origin_port;
    struct rig_event events[RIG_EVENTS_MAX];
    size_t n_events;
    struct buf got; /* what rig_read got */
    uint64_t tickets[RIG_TICKETS_MAX];
    size_t n_tickets;
    bool auth_busy;
    unsigned sealed_rung;
    struct str extra_roots; /* PEM, for rig_start; or empty */
    proxy_leaf_fn *leaf;    /* for rig_start; NULL: nothing is inspected */
    proxy_trust_fn *trust;
    void *tls_context;
};

/* As in production, with short times where a test says so: change rig->options between the two. */
void rig_prepare(struct rig *rig);
void rig_start(struct rig *rig);
/* Both. */
void rig_new(struct rig *rig);
void rig_free(struct rig *rig);

/* Replaces the policy by one whose unknown group is this one. */
void rig_set_unknown(struct rig *rig, const char *group);
/* Replaces the state by this document. */
void rig_set_state(struct rig *rig, const char *json);

/* Turns the loop a few times, until nothing more happens at once. */
void rig_settle(struct rig *rig);

/* A client's connection. */
int rig_client(struct rig *rig);
/* A client that has said this already; %O in text stands for the origin's port. */
int rig_ask(struct rig *rig, const char *text);
void rig_say(struct rig *rig, int fd, const char *text);
void rig_say_bytes(struct rig *rig, int fd, struct str bytes);
/* The next connection that came to the origin; fails where none comes. */
int rig_origin(struct rig *rig);
/* True where one comes. */
bool rig_origin_comes(struct rig *rig, int *ret_fd);
/* Reads from fd until `until` is in it (or, empty, until the end); all that came is in rig->got. */
struct str rig_read(struct rig *rig, int fd, const char *until);
/* All that came up to the end of the connection. */
struct str rig_read_end(struct rig *rig, int fd);
/* True where the peer has closed (all that it sent before is thrown away). */
bool rig_is_closed(struct rig *rig, int fd);
/* Nothing to be read now, and not closed. */
bool rig_is_quiet(struct rig *rig, int fd);

bool rig_has(struct str text, const char *part);
#define assert_has(text, part)                                        \
    do {                                                              \
        struct str text_ = (text);                                    \
        if (!rig_has(text_, part)) {                                  \
            fail_msg("\"%s\" is not in: %.*s", part, STR_ARG(text_)); \
        }                                                             \
    } while (0)
#define assert_lacks(text, part)                                  \
    do {                                                          \
        struct str text_ = (text);                                \
        if (rig_has(text_, part)) {                               \
            fail_msg("\"%s\" is in: %.*s", part, STR_ARG(text_)); \
        }                                                         \
    } while (0)

/* Reads what is new in the spool into rig->events. */
void rig_events(struct rig *rig);
/* The last event; fails where there is none. */
const struct rig_event *rig_last(struct rig *rig);

#endif
