/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The parts of the policy's reader. Each takes the document's root and fills its part of the
 * policy; complaints go to the reader. The order matters: groups, then time, then nominated lists,
 * then the table and the lists. Private to policy/. */
#ifndef LODGE_POLICY_PARSE_IMPL_H
#define LODGE_POLICY_PARSE_IMPL_H

#include "policy/jread_impl.h"
#include "policy/model_impl.h"

void parse_groups(struct jread *reader, const struct place *root, struct policy *policy);
void parse_zone(struct jread *reader, const struct place *root, struct calendar *calendar);
void parse_calendar(struct jread *reader, const struct place *root, struct calendar *calendar);
void parse_nominated(struct jread *reader, const struct place *root, struct policy *policy);
void parse_members(struct jread *reader, const struct place *root, struct policy *policy);
void parse_table(struct jread *reader, const struct place *root, struct policy *policy);
void parse_lists(struct jread *reader, const struct place *root, struct policy *policy);

/* Adds the categories that a list names. */
void parse_categories(struct jread *reader, const struct place *list, struct catset *categories);

/* A list of group ids as a set that holds the groups within, too; an absent or empty list gives
 * `none`. */
uint64_t parse_group_set(struct jread *reader, const struct place *at, const char *key,
                         const struct policy *policy, uint64_t none);

#endif
