/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pages of the policy share; private to policy.c, policy_show.c and policy_change.c. */
#ifndef LODGE_WEB_POLICY_IMPL_H
#define LODGE_WEB_POLICY_IMPL_H

#include "records/school_policy.h"
#include "web/page.h"
#include "web/web_impl.h"

struct engine policy_engine(const struct web_exchange *exchange);

/* A text member; empty for all else. */
struct str policy_member(const json_t *object, const char *key);
json_t *policy_text(struct str text);
/* The label of an item of the document's list, or its id. */
struct str policy_label(const json_t *document, const char *list, struct str id);

/* A document with title and crumbs: Start, The policy, and where one is ("" for the policy itself).
 */
json_t *policy_page(struct str title, struct str here);

/* {"number", "when", "by", "words", "last"} of a version, for views. */
json_t *policy_head(const json_t *version);

/* Adds "groups", "rows" and "times" as people read them. change: with links to where each is
 * changed. */
void policy_show_table(struct web_exchange *exchange, const json_t *document, bool change,
                       json_t *to);
/* A named time in words: "School days, 08:00 to 16:30". */
json_t *policy_time_words(const json_t *document, const json_t *time);

/* What of the records could not be published, of that which this person can put right, with "href"
 * to where: [{"register", "record", "words", "noted_ms", "href"}]. */
MUST_USE enum err policy_faults(struct web_exchange *exchange, json_t **ret_faults);

/* Whether this person may change the policy here: their role, and no --policy FILE. */
bool policy_may_change(const struct web_exchange *exchange, enum verb verb);

#endif
