/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/category.h"

#include "base/limits.h"
#include "lib/test.h"

TEST(every_row_is_found_by_its_name_and_by_its_number)
{
    unsigned count = 0;
    for (unsigned i = 0; i < LIMIT_CATEGORIES + 2; i++) {
        const struct category_row *row = category_row(i);
        if (row != NULL) {
            unsigned number = 0;
            assert_ok(category_find(row->name, &number));
            assert_int_equal(number, i);
            count++;
        }
    }
    assert_true(count >= 50);
    assert_null(category_row(CATEGORY_UNSET));
}

TEST(a_name_that_this_build_does_not_know_is_not_found)
{
    unsigned number = 7;
    assert_err(category_find(STR("gambl"), &number), ERR_NOT_FOUND);
    assert_err(category_find(STR(""), &number), ERR_NOT_FOUND);
    assert_int_equal(number, 7);
}

TEST(each_category_is_in_the_set_of_its_tier_alone)
{
    static const enum tier tiers[] = {TIER_SEALED, TIER_HARMFUL, TIER_ORDINARY, TIER_LEARNING,
                                      TIER_INFRASTRUCTURE};
    for (unsigned i = 1; i < LIMIT_CATEGORIES; i++) {
        const struct category_row *row = category_row(i);
        for (size_t t = 0; t < sizeof(tiers) / sizeof(tiers[0]); t++) {
            struct catset set = category_tier_set(tiers[t]);
            assert_true(catset_has(&set, i) == (row != NULL && row->tier == tiers[t]));
        }
    }
}

TEST(F4_to_F16_have_a_category_that_is_closed_unless_the_school_says_otherwise)
{
    static const char *const names[] = {"discrimination", "drugs",   "extremism",   "gambling",
                                        "hate-speech",    "malware", "hacking",     "vpn-proxy",
                                        "disinformation", "piracy",  "pornography", "self-harm",
                                        "violence",       "misogyny"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        unsigned number = 0;
        assert_ok(category_find(str_from(names[i]), &number));
        assert_int_equal(category_row(number)->tier, TIER_HARMFUL);
    }
}

TEST(tiers_have_names)
{
    assert_string_equal(tier_name(TIER_SEALED), "sealed");
    assert_string_equal(tier_name(TIER_INFRASTRUCTURE), "infrastructure");
}

TESTS_MAIN(unit(every_row_is_found_by_its_name_and_by_its_number),
           unit(a_name_that_this_build_does_not_know_is_not_found),
           unit(each_category_is_in_the_set_of_its_tier_alone),
           unit(F4_to_F16_have_a_category_that_is_closed_unless_the_school_says_otherwise),
           unit(tiers_have_names))
