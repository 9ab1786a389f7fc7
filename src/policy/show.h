/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A policy as people read it. */
#ifndef LODGE_POLICY_SHOW_H
#define LODGE_POLICY_SHOW_H

#include "base/buf.h"
#include "policy/policy.h"

/* Appends the whole policy as text: groups, timetable, table, lists. */
void policy_show(const struct policy *policy, struct buf *to);

#endif
