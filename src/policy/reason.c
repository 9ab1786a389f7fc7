/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reasons, levels, actions: the words of a decision. */
#include "policy/reason.h"

#include "base/check.h"
#include "policy/decide.h"
#include "policy/policy.h"

static const struct {
    struct str code;
    struct str text;
    unsigned step;
} rows[REASON_COUNT_] = {
#define REASON(id, code, step, staff) [REASON_##id] = {STR_INIT(code), STR_INIT(staff), step},
#include "policy/reason.def"
#undef REASON
};

struct str reason_code(enum reason reason)
{
    CHECK(reason > REASON_UNSET && reason < REASON_COUNT_);
    return rows[reason].code;
}

struct str reason_text(enum reason reason)
{
    CHECK(reason > REASON_UNSET && reason < REASON_COUNT_);
    return rows[reason].text;
}

unsigned reason_step(enum reason reason)
{
    CHECK(reason > REASON_UNSET && reason < REASON_COUNT_);
    return rows[reason].step;
}

struct str level_name(enum level level)
{
    static const struct str names[] = {
        [LEVEL_NONE] = STR_INIT("none"),
        [LEVEL_ACCEPTABLE] = STR_INIT("acceptable"),
        [LEVEL_CERTAIN_TIMES] = STR_INIT("certain-times"),
        [LEVEL_NOMINATED] = STR_INIT("nominated"),
        [LEVEL_UNACCEPTABLE] = STR_INIT("unacceptable"),
        [LEVEL_ILLEGAL] = STR_INIT("illegal"),
    };
    CHECK(level > LEVEL_UNSET && level <= LEVEL_ILLEGAL);
    return names[level];
}

struct str action_name(enum action action)
{
    static const struct str names[] = {
        [ACTION_ALLOW] = STR_INIT("allow"),
        [ACTION_BLOCK] = STR_INIT("block"),
        [ACTION_LIMITED] = STR_INIT("limited"),
    };
    CHECK(action > ACTION_UNSET && action <= ACTION_LIMITED);
    return names[action];
}
