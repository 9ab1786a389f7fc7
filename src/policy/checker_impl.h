/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The checker's parts. Private to policy/. */
#ifndef LODGE_POLICY_CHECKER_IMPL_H
#define LODGE_POLICY_CHECKER_IMPL_H

#include "policy/checker.h"
#include "policy/model_impl.h"

struct checker {
    const struct policy *policy;
    int64_t at_ms;
    int64_t at_day; /* local */
    struct buf *lines;
    size_t findings;
};

/* One finding. where, then the sentence, then code and requirements. */
void finding_begin(struct checker *checker, struct str where);
void finding_end(struct checker *checker, const char *code, struct str requirements);

/* A whole finding whose sentence needs no parts. */
void finding_plain(struct checker *checker, struct str where, const char *sentence,
                   const char *code, struct str requirements);

/* A group that holds no other group: those that people are in. */
bool is_leaf(const struct policy *policy, unsigned group);

/* Some row that is enforced speaks of the group. */
bool has_cell(const struct policy *policy, unsigned group);

/* Appends the ids of a set of groups, with commas. */
void print_groups(struct buf *to, const struct policy *policy, uint64_t groups);

void check_table(struct checker *checker);
void check_lists(struct checker *checker);

#endif
