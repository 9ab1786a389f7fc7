/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Why a request was decided as it was: codes for machines, words for people, from reason.def. */
#ifndef LODGE_POLICY_REASON_H
#define LODGE_POLICY_REASON_H

#include "base/str.h"

enum reason {
    REASON_UNSET,
#define REASON(id, code, step, staff) REASON_##id,
#include "policy/reason.def"
#undef REASON
    REASON_COUNT_
};

/* The code as `lodge check` prints it ("table-row"); static. */
struct str reason_code(enum reason reason);
/* A sentence for staff; static. */
struct str reason_text(enum reason reason);
/* The step of design section 3 (1..10; 0 for refusals in doubt and those before any step). */
unsigned reason_step(enum reason reason);

#endif
