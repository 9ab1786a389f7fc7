/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which group of the policy a person of the school's records is in ("members" of the document), and
 * which day it is at the school. Pure, like all of policy/. */
#ifndef LODGE_POLICY_PLACE_H
#define LODGE_POLICY_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "policy/policy.h"

/* What the records say of a person on a day; words are theirs ("pupil", "2", "teacher"). */
struct policy_member {
    struct str kind;
    struct str year;         /* empty: none */
    const struct str *roles; /* held on that day */
    size_t n_roles;
};

/* The group of the first rule that fits. ERR_NOT_FOUND where none does: whoever the policy places
 * nowhere is nobody to the gate. */
MUST_USE enum err policy_place(const struct policy *policy, const struct policy_member *member,
                               unsigned *ret_group);

/* The words of the rules ("kind", "years" and "roles" alike), for whoever knows which there are:
 * calls fn for each. */
void policy_member_words(const struct policy *policy,
                         void (*fn)(void *context, struct str what, struct str word),
                         void *context);

/* The school's date at a time (days since 1970-01-01, by the policy's zone), and when the next one
 * begins. */
void policy_day(const struct policy *policy, int64_t utc_ms, int64_t *ret_day,
                int64_t *ret_next_ms);
/* The UTC time at which a date begins at the school. */
int64_t policy_day_begin(const struct policy *policy, int64_t day);

#endif
