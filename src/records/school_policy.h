/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A school's policy and its versions (docs/policy.md): the last one is in force. A document that
 * policy_parse refuses, or that names a kind, year or role that the records do not know, is never
 * kept. Each version is an act; none is ever changed, and an older one that is taken back is a new
 * version.
 */
#ifndef LODGE_RECORDS_SCHOOL_POLICY_H
#define LODGE_RECORDS_SCHOOL_POLICY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "records/engine.h"

/* One version: {"number", "made_ms", "by", "words", "last": bool, "document": {...}}. number 0: the
 * last. ERR_NOT_FOUND: there is none, or the actor may not see the policy. */
MUST_USE enum err school_policy_get(struct engine *engine, const struct actor *actor,
                                    int64_t number, json_t **ret_version);

/* The versions before a number (0: all), newest first: {"items": [{"number", "made_ms", "by",
 * "words"}], "more": bool}. */
MUST_USE enum err school_policy_history(struct engine *engine, const struct actor *actor,
                                        int64_t before, json_t **ret_history);

struct school_policy_change {
    enum verb verb; /* VERB_change for a part, VERB_bring for a whole document */
    const json_t *document;
    struct str text;  /* in place of document: as it came */
    struct str words; /* why; needed */
    int64_t seen;     /* the version that the person saw; 0: there was none */
    struct str field; /* which part, for the act: "table.games.cells.pupils" */
    struct str value; /* what it is now */
};
/* Keeps a new version. ERR_INVALID: *why, an open buffer, holds a sentence a line; ERR_CONFLICT:
 * somebody else made a version since; ERR_DENIED. */
MUST_USE enum err school_policy_keep(struct engine *engine, const struct actor *actor,
                                     const struct school_policy_change *change, int64_t *ret_number,
                                     struct buf *why);
/* The same in the open write transaction, asking no permission: for a school that is being made. */
MUST_USE enum err school_policy_keep_first(struct engine *engine, const struct actor *actor,
                                           struct str text, struct str words, struct buf *why);

/* Keeps a document that the operator gave from outside (--policy FILE) as a version, unless the
 * last one is the same; in a transaction of its own. */
MUST_USE enum err school_policy_keep_given(struct engine *engine, const struct actor *actor,
                                           struct str text, struct str words, struct buf *why);

/* What the checker says of a document that may be used: a list of sentences. */
MUST_USE enum err school_policy_findings(const json_t *document, int64_t now_ms,
                                         json_t **ret_findings);

/* ---- reading a document (school_policy_table.c) ---- */

/* A row's cell for a group: its own or that of the nearest group around it; NULL: none. *ret_own
 * tells whose id it stands under. */
const json_t *school_policy_cell(const json_t *document, const json_t *row, struct str group,
                                 struct str *ret_own);
/* An item of a list of the document ("groups", "table", "times", "nominated") by its id; NULL. */
json_t *school_policy_item(const json_t *document, const char *list, struct str id);
/* A cell in words: "Acceptable at certain times: lunch, outside contracted hours". NULL cell: what
 * holds without a row. Appended. */
void school_policy_words(const json_t *document, const json_t *cell, struct buf *to);

/* Changes a copy of a document's cell: level, times and nominated list as in docs/policy.md.
 * ERR_NOT_FOUND: no such row or group. */
MUST_USE enum err school_policy_set_cell(json_t *document, struct str row, struct str group,
                                         json_t *cell);

#endif
