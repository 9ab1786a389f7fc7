/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What in a policy contradicts itself or is left open (T6). A document with findings may be used;
 * one that must not be is refused by policy_parse. */
#ifndef LODGE_POLICY_CHECKER_H
#define LODGE_POLICY_CHECKER_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "policy/policy.h"

/* Appends a line for each finding: "WHERE: sentence [CODE, requirements]", and answers how many
 * there are. at_ms: the time at which review dates and terms are judged. A full buffer shows in
 * buf_err. */
size_t policy_check(const struct policy *policy, int64_t at_ms, struct buf *lines);

#endif
