/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Single sign-on by OpenID Connect (Core 1.0): the code flow with PKCE (RFC 7636), as a school's
 * Google or Microsoft offers it. Pure: texts in, texts and verdicts out; who fetches is outbound/
 * post.h, who asks is proc/signon.c.
 *
 * Only what OpenID Connect makes mandatory is used: discovery, RS256 or ES256, `none` never. Time
 * is an argument (UTC ms).
 */
#ifndef LODGE_OUTBOUND_OIDC_H
#define LODGE_OUTBOUND_OIDC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum {
    OIDC_PROVIDERS_MAX = 8,
    OIDC_NAME_MAX = 32, /* of a provider, in addresses: a-z, 0-9, '-' */
    OIDC_LABEL_MAX = 64,
    OIDC_TEXT_MAX = 512,   /* issuer, client id, endpoints, a subject, an address of mail */
    OIDC_SECRET_MAX = 256, /* the client's, and state, nonce, verifier */
    OIDC_CODE_MAX = 2048,
    OIDC_ADDRESS_MAX = 1536, /* where the browser is sent */
    OIDC_DOMAINS_MAX = 16,
    OIDC_ANSWER_MAX = 256 * 1024,
};

/* How somebody who signs in for the first time is matched with their account. */
enum oidc_link {
    OIDC_LINK_UNSET,
    OIDC_LINK_NONE,     /* never: a technician links them */
    OIDC_LINK_EMAIL,    /* by a verified address of mail in one of `domains` */
    OIDC_LINK_USERNAME, /* by preferred_username in one of `domains`; only with a provider that
                           serves this school alone (a tenant of its own), whose names nobody else
                           can choose */
};

struct oidc_provider {
    char name[OIDC_NAME_MAX + 1];
    char label[OIDC_LABEL_MAX + 1]; /* "Google": what the button says */
    char issuer[OIDC_TEXT_MAX];     /* https, exact */
    char client_id[OIDC_TEXT_MAX];
    char client_secret[OIDC_SECRET_MAX + 1];
    enum oidc_link link;
    char domains[OIDC_DOMAINS_MAX][OIDC_TEXT_MAX];
    size_t n_domains;
    bool trust_mfa; /* its `amr` "mfa" stands for the second factor */
};

struct oidc_config {
    struct oidc_provider providers[OIDC_PROVIDERS_MAX];
    size_t n_providers;
};

/* The operator's file (docs/running.md, "Single sign-on"): {"providers": [{...}]}. ERR_INVALID
 * with a sentence in *why; *ret_config is written only on success. The caller wipes it. */
MUST_USE enum err oidc_config_read(struct str json, struct oidc_config *ret_config,
                                   struct buf *why);

/* What discovery says (Discovery 1.0 section 4.3). */
struct oidc_endpoints {
    char authorize[OIDC_TEXT_MAX];
    char token[OIDC_TEXT_MAX];
    char keys[OIDC_TEXT_MAX];
    bool secret_in_body; /* client_secret_post; else client_secret_basic */
};

/* The address of an issuer's discovery document. */
void oidc_discovery_address(const struct oidc_provider *provider, struct buf *to);
/* ERR_INVALID where it is not this issuer's, an address is not https, or the code flow or both
 * client_secret ways are missing; *why (static) says which. */
MUST_USE enum err oidc_discovery_read(const struct oidc_provider *provider, struct str json,
                                      struct oidc_endpoints *ret_endpoints, const char **why);

/* One sign-in under way: made by the desk, kept with the browser's cookie, used once. */
struct oidc_attempt {
    char state[OIDC_SECRET_MAX + 1];
    char nonce[OIDC_SECRET_MAX + 1];
    char verifier[OIDC_SECRET_MAX + 1]; /* RFC 7636 section 4.1: 43 to 128 characters */
};
void oidc_attempt_make(struct oidc_attempt *ret_attempt);

/* Where the browser is sent. silent: prompt=none, for a device that is signed in already. */
void oidc_authorize_address(const struct oidc_provider *provider,
                            const struct oidc_endpoints *endpoints,
                            const struct oidc_attempt *attempt, struct str redirect, bool silent,
                            struct buf *to);
/* The form for the token endpoint; header gets a whole Authorization line or nothing. */
void oidc_token_form(const struct oidc_provider *provider, const struct oidc_endpoints *endpoints,
                     const struct oidc_attempt *attempt, struct str code, struct str redirect,
                     struct buf *form, struct buf *header);
/* The id_token of a token endpoint's answer, appended to `to`. ERR_INVALID. */
MUST_USE enum err oidc_token_read(struct str json, struct buf *to);

/* Who it is, once all holds. */
struct oidc_who {
    char subject[OIDC_TEXT_MAX];
    char match[OIDC_TEXT_MAX]; /* lower case; what `link` allows to match an account by, or empty */
    char name[OIDC_TEXT_MAX];  /* for a person to read, or empty */
    bool mfa;                  /* shown there, and trusted */
};

/* Core 1.0 section 3.1.3.7: signature by a key of the issuer (algorithm RS256 or ES256, key of that
 * kind, no `crit`), iss, aud and azp, exp, iat and nbf (a minute's grace), nonce. ERR_INVALID, with
 * the rule that failed in *why (static; no values); ERR_NOT_FOUND where no key has its `kid`: the
 * keys may have been changed, fetch them once more. */
MUST_USE enum err oidc_token_check(const struct oidc_provider *provider, struct str keys_json,
                                   struct str token, struct str nonce, int64_t now_ms,
                                   struct oidc_who *ret_who, const char **why);

#endif
