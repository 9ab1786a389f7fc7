/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Acts: every change that someone made and every look that someone took, in one hash chain per
 * school (design section 6, U8, U18, R119).
 *
 * An act is written in the transaction of what it tells of, or neither is. It holds names of fields
 * and digests of values (of sealed ones under the record's key), never the values; the words of a
 * reason are two: for the log (no names), and private ones, sealed under the record's key. hash =
 * BLAKE2b-256 over the hash before and the act's canonical bytes (docs/audit.md). Rows refuse
 * UPDATE and DELETE by trigger. The head of the chain is noted outside of it, so that a cut tail
 * shows.
 */
#ifndef LODGE_RECORDS_AUDIT_H
#define LODGE_RECORDS_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "store/keys.h"
#include "store/store.h"

enum act {
    ACT_UNSET,
#define ACT(name, label) ACT_##name,
#include "records/act.def"
#undef ACT
    ACT_COUNT
};

/* One field that a change touched. */
struct act_field {
    struct str name;
    bool sealed;      /* the digest is made under the record's key */
    struct str value; /* canonical text of the new value; only its digest is kept */
};

struct act_entry {
    enum act act;
    struct str area;        /* a register's name, "account", "policy", ... */
    struct str record;      /* id, or empty */
    struct str about;       /* the person whom it concerns, or empty */
    struct str hidden_from; /* the person who sees no trace of it, or empty */
    uint64_t version;       /* of the record, after it */
    const struct act_field *fields;
    size_t n_fields;
    struct str words;         /* for the log; no names of children */
    struct str private_words; /* sealed under the record's key; needs a record */
};

/* The name under which private words are sealed (keys.h). */
#define AUDIT_SEALED_FIELD STR("act")

/* Appends one act in the open write transaction, and takes the lock on the school's chain (so acts
 * of one school are one behind the other on both databases). keys may be NULL where nothing is
 * sealed. *ret_seq (may be NULL): its number in the school's chain, from 1. */
MUST_USE enum err audit_append(struct store *store, struct keys *keys, const struct actor *actor,
                               const struct act_entry *entry, int64_t *ret_seq);

enum { AUDIT_HASH_BYTES = 32 };

/* Where a school's chain ends now, for noting it elsewhere; 0 and zeros for one without acts. */
MUST_USE enum err audit_head(struct store *store, struct str school, int64_t *ret_seq,
                             uint8_t ret_hash[AUDIT_HASH_BYTES]);

struct str act_name(enum act act);
struct str act_label(enum act act);
/* ACT_UNSET for none. */
enum act act_find(struct str name);

/* ---- looks ---- */

enum { LOOK_MS = 30 * 60 * 1000 };

enum look_reason {
    LOOK_REASON_UNSET,
#define LOOK_REASON(name, label) LOOK_REASON_##name,
#include "records/look_reason.def"
#undef LOOK_REASON
    LOOK_REASON_COUNT
};
struct str look_reason_name(enum look_reason reason);
struct str look_reason_label(enum look_reason reason);

/* Typed reasons: at most this many bytes. */
enum { LOOK_WORDS_MAX = 500 };

/* Whether this actor has opened this child's sensitive records within the last LOOK_MS. */
MUST_USE enum err look_is_open(struct store *store, const struct actor *actor, struct str child,
                               bool *ret_open);
/* Opens them for LOOK_MS, as an act in the open write transaction with its reason: one of
 * look_reason.def's names, or typed words, which are sealed under the person's key (they may hold
 * names). The person looked at sees no trace of the act. Whether the actor may see anything of that
 * person is the caller's to ask first. ERR_INVALID: the reason is empty, too long or not UTF-8;
 * ERR_NOT_FOUND: no such person. */
MUST_USE enum err look_open(struct store *store, struct keys *keys, const struct actor *actor,
                            struct str child, struct str reason);

/* ---- verification ---- */

struct audit_verdict {
    bool whole;
    int64_t acts;
    int64_t broken_seq; /* the first broken row; 0: none */
    struct str why;     /* static */
    const char *noted;  /* what says otherwise, where an end that was noted does; else NULL */
};
/* Walks the chain of a school, in an open transaction. head_hash, where not empty (32 bytes), is
 * the head that was noted elsewhere with its number head_seq: a chain that ends before it, or that
 * has another act there, is broken ("cut"). */
MUST_USE enum err audit_verify(struct store *store, struct str school, int64_t head_seq,
                               struct str head_hash, struct audit_verdict *ret_verdict);

/* Where a chain ended once, as something outside of the database says. */
struct audit_head {
    int64_t seq; /* 0: none was noted */
    uint8_t hash[AUDIT_HASH_BYTES];
    const char *noted; /* where it stands: static words for the verdict, or NULL */
};
/* The same against every end that was ever noted: one that differs in the middle is a chain that
 * was cut and has grown since. The array is sorted by the call. */
MUST_USE enum err audit_verify_against(struct store *store, struct str school,
                                       struct audit_head *heads, size_t n_heads,
                                       struct audit_verdict *ret_verdict);

#endif
