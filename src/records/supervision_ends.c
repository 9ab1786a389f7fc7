/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Until when a class log-on may run: by the timetable of the policy. */
#include "policy/place.h"
#include "records/supervision_impl.h"

enum { USUAL_MS = 20 * MS_PER_MINUTE };

static bool add(struct supervision_ends *ends, int64_t ms, struct str lesson)
{
    if (ends->n == SUPERVISION_ENDS_MAX) {
        return false;
    }
    ends->choices[ends->n++] = (struct supervision_choice){ms, lesson};
    return true;
}

/* The ends of what the timetable has for the rest of the day; the last of them, or 0. */
static int64_t add_lessons(const struct policy *policy, int64_t now_ms, int64_t midnight_ms,
                           struct supervision_ends *ends)
{
    int64_t day_end_ms = 0;
    int64_t at_ms = now_ms;
    int64_t until_ms;
    struct str id;
    while (at_ms < midnight_ms && policy_period(policy, at_ms, &id, &until_ms) == ERR_OK) {
        struct str label = policy_period_label(policy, id);
        bool near = until_ms - now_ms >= SUPERVISION_MS_MIN &&
                    until_ms - now_ms <= SUPERVISION_MS_MAX && until_ms <= midnight_ms;
        if (label.len != 0) {
            day_end_ms = until_ms < midnight_ms ? until_ms : midnight_ms;
        }
        if (label.len != 0 && near) {
            (void)add(ends, until_ms, label);
        }
        at_ms = until_ms;
    }
    return day_end_ms - now_ms >= SUPERVISION_MS_MIN ? day_end_ms : 0;
}

static void add_lengths(int64_t now_ms, struct supervision_ends *ends)
{
    static const int64_t lengths[] = {MS_PER_HOUR / 2, MS_PER_HOUR, 2 * MS_PER_HOUR,
                                      3 * MS_PER_HOUR};
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        int64_t ms = now_ms + lengths[i];
        if (ms <= ends->last_ms) {
            (void)add(ends, ms - ms % MS_PER_MINUTE, STR(""));
        }
    }
    if (ends->n == 0) {
        (void)add(ends, ends->last_ms, STR(""));
    }
}

void supervision_ends(const struct policy *policy, int64_t now_ms,
                      struct supervision_ends *ret_ends)
{
    struct supervision_ends ends = {0};
    int64_t day;
    int64_t midnight_ms;
    policy_day(policy, now_ms, &day, &midnight_ms);
    int64_t day_end_ms = add_lessons(policy, now_ms, midnight_ms, &ends);
    ends.outside = day_end_ms == 0;
    int64_t longest_ms = now_ms + (ends.outside ? SUPERVISION_MS_AFTER : SUPERVISION_MS_MAX);
    int64_t limit_ms = ends.outside ? midnight_ms : day_end_ms;
    ends.last_ms = longest_ms < limit_ms ? longest_ms : limit_ms;
    if (ends.n == 0) {
        add_lengths(now_ms, &ends);
    }
    while (ends.usual + 1 < ends.n && ends.choices[ends.usual].ms - now_ms < USUAL_MS) {
        ends.usual++;
    }
    *ret_ends = ends;
}
