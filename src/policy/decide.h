/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The decision: may this subject have this, now? (design section 3)
 *
 * policy_decide is a pure function of images, subject, request and time. The proxy, the resolver,
 * `lodge check`, the page that answers "why?" and the tests all call it and nothing else. It always
 * answers, always with the rule that decided and those it overruled.
 */
#ifndef LODGE_POLICY_DECIDE_H
#define LODGE_POLICY_DECIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "catalog/catalog.h"
#include "policy/policy.h"
#include "policy/reason.h"
#include "policy/search.h"
#include "policy/state.h"
#include "wire/addr.h"
#include "wire/hello.h"
#include "wire/url.h"

/* What a decision rests on. catalog and policy must be there; a NULL state is one in which nobody
 * and nothing is known. The images must outlive the answer. */
struct policy_images {
    const struct catalog *catalog;
    const struct policy *policy;
    const struct state *state;
};

/* How the person or device was known, best first (design section 3); event.def names them. */
enum known {
    KNOWN_UNSET,
    KNOWN_CREDENTIALS, /* on the connection */
    KNOWN_SIGN_IN,     /* bound to the device */
    KNOWN_OWNER,       /* the device's owner */
    KNOWN_CLASS,       /* the device's class log-on, beside a supervising adult's sign-in */
    KNOWN_NOBODY,      /* the unknown group */
    KNOWN_NOMINAL,     /* `check --group`: a member of a group, no person, signed, not nominated */
};

/* Who asks. Slices point into the state image or the caller's memory and must outlive the answer.
 */
struct policy_subject {
    enum known known;
    unsigned group;        /* the group whose cells decide (nesting is the policy's affair) */
    struct str person;     /* empty: none */
    struct str device;     /* empty: unknown device */
    struct str class_id;   /* of KNOWN_CLASS */
    struct str supervisor; /* of KNOWN_CLASS: the adult's id */
};

/* The subject of a connection at a time: credentials first (the log-on in them, already accepted by
 * auth, empty for none), then what the state knows of the device with this address. A person that
 * the state does not know is nobody (*ret_subject is then the unknown group, and the answer false).
 */
bool policy_identify(const struct policy_images *images, struct str log_on,
                     const struct addr *client, int64_t now_ms, struct policy_subject *ret_subject);
/* What is another number after each new password of a log-on; 0: the state says none. What a
 * password opened holds no longer than this stands as it was. */
int64_t policy_credential(const struct policy_images *images, struct str log_on);
/* `check --person`: by log-on, or else by id; false for a person that the state does not know. */
bool policy_identify_person(const struct policy_images *images, struct str person, int64_t now_ms,
                            struct policy_subject *ret_subject);
/* `check --group`. */
void policy_identify_group(unsigned group, struct policy_subject *ret_subject);

/* What a subject asks for. */
enum request_kind {
    REQUEST_UNSET,
    REQUEST_URL,     /* a URL whose path is known: plain HTTP, inspected HTTPS, `check` */
    REQUEST_CONNECT, /* a CONNECT, nothing of the tunnel seen yet: host and port */
    REQUEST_TLS,     /* the same, its ClientHello seen: url.host is the CONNECT's host, hello set */
    REQUEST_TUNNEL_RAW, /* the same, its first bytes are no ClientHello */
};

struct policy_request {
    enum request_kind kind;
    const struct url *url;        /* host and port always; path and query for REQUEST_URL */
    const struct hello *hello;    /* REQUEST_TLS only, else NULL */
    const struct addr *addr;      /* the address that will be dialled, or NULL before it is known */
    const struct catset *content; /* what the answer's body shows it to be (executables ...) besides
                                     what the site is; NULL before it is known */
    /* The path is seen (REQUEST_URL), or the gate can and would see it (REQUEST_CONNECT and
     * REQUEST_TLS: it holds a key for leaves). */
    bool inspected;
    bool form;        /* it carries a form (application/x-www-form-urlencoded or multipart) */
    bool allow_ports; /* serve --allow-private: any address and port */
};

enum action {
    ACTION_UNSET,
    ACTION_ALLOW,
    ACTION_BLOCK,
    ACTION_LIMITED, /* refused because access is limited until an agreement is signed: the page says
                       so */
};

struct str action_name(enum action action);

/* A rule that spoke: which, why, what it wanted. */
struct policy_rule {
    enum reason reason;
    enum level level;
    enum action action;
    /* Names the rule for people: "table/shopping/pupils-ks2", "list/deny/3", "grant/<id>",
     * "sealed", "lifeline/childline.org.uk", "tier/harmful/visitors", "uncategorised/visitors" ...
     * Points into an image or static memory. */
    struct str name;
};

enum { POLICY_OVERRULED_MAX = 16 };

struct policy_answer {
    enum action action;
    enum level level;
    enum reason reason;
    struct str rule;
    struct catset categories; /* of site and content; sealed ones included: show them only through
                                 policy_answer_* writers */
    bool sealed;   /* nothing of the request but the event may be kept; path and query never */
    bool lifeline; /* the visit stands in no live view, report, alert or chart */
    bool inspect;  /* TLS to this host is inspected for this subject, if it is allowed; where it is
                      refused, only the refused connection is (T5). Never for lifelines, the never
                      categories and the school's own never list, unless the host carries a sealed
                      URL */
    bool ech; /* the ClientHello's name stands for another that it encrypts (F20), as far as that
                 can be told from GREASE */
    enum safe_search safe_search; /* what search_safe is to hold the request to, where allowed */
    unsigned category;            /* the category that decided, or CATEGORY_UNSET */
    int64_t until_ms;   /* the answer may change at this time (a period's or a grant's end), by the
                           caller's clock; INT64_MAX for never */
    size_t n_overruled; /* at most POLICY_OVERRULED_MAX; the strictest are kept */
    struct policy_rule overruled[POLICY_OVERRULED_MAX];
};

/* See above. now_ms is UTC ms. Doubt is refusal: anything unset or inconsistent gives ACTION_BLOCK
 * with REASON_DOUBT. *ret_answer's overruled beyond n_overruled is not written. */
void policy_decide(const struct policy_images *images, const struct policy_subject *subject,
                   const struct policy_request *request, int64_t now_ms,
                   struct policy_answer *ret_answer);

#endif
