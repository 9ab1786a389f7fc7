/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy/reason.h"

#include "lib/test.h"
#include "policy/decide.h"
#include "policy/policy.h"

TEST(every_reason_has_a_code_of_its_own_words_and_a_step)
{
    for (enum reason a = REASON_UNSET + 1; a < REASON_COUNT_; a++) {
        assert_true(reason_code(a).len != 0 && reason_text(a).len != 0);
        assert_true(reason_step(a) <= 10);
        for (enum reason b = REASON_UNSET + 1; b < a; b++) {
            assert_false(str_eq(reason_code(a), reason_code(b)));
        }
    }
    assert_str_eq(reason_code(REASON_TABLE), STR("table-row"));
    assert_int_equal(reason_step(REASON_TABLE), 9);
}

TEST(levels_and_actions_have_the_names_that_others_rely_on)
{
    static const char *const levels[] = {"none",      "acceptable",   "certain-times",
                                         "nominated", "unacceptable", "illegal"};
    static const char *const actions[] = {"allow", "block", "limited"};
    for (unsigned i = 0; i < 6; i++) {
        assert_str_eq(level_name((enum level)(LEVEL_NONE + i)), str_from(levels[i]));
    }
    for (unsigned i = 0; i < 3; i++) {
        assert_str_eq(action_name((enum action)(ACTION_ALLOW + i)), str_from(actions[i]));
    }
}

TESTS_MAIN(unit(every_reason_has_a_code_of_its_own_words_and_a_step),
           unit(levels_and_actions_have_the_names_that_others_rely_on))
