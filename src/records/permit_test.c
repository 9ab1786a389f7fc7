/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/permit.h"

#include "lib/test.h"

#define BIT(role) (1U << ROLE_##role)

TEST(R184_allegations_are_the_heads_alone)
{
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        enum scope scope = permit_scope((enum role)role, AREA_allegations, VERB_see);
        assert_true(role == ROLE_head ? scope == SCOPE_SCHOOL : scope <= SCOPE_MADE);
    }
}

TEST(R261_the_online_safety_lead_reads_no_allegation_of_others)
{
    assert_int_equal(permit_scope(ROLE_lead, AREA_allegations, VERB_see), SCOPE_MADE);
    assert_int_equal(permit_scope(ROLE_lead, AREA_allegations, VERB_take), SCOPE_NONE);
}

TEST(a_technician_sees_no_childs_record)
{
    static const enum area of_children[] = {AREA_members, AREA_family, AREA_safeguarding};
    for (size_t i = 0; i < sizeof(of_children) / sizeof(of_children[0]); i++) {
        assert_int_equal(permit_scope(ROLE_technician, of_children[i], VERB_see), SCOPE_NONE);
    }
    assert_int_equal(permit_scope(ROLE_technician, AREA_people, VERB_see), SCOPE_OWN);
}

TEST(R199_those_who_govern_read_no_names)
{
    static const enum role govern[] = {ROLE_governor, ROLE_safety_governor, ROLE_trust};
    static const enum area named[] = {AREA_groups, AREA_members,      AREA_family, AREA_devices,
                                      AREA_posts,  AREA_safeguarding, AREA_audit};
    for (size_t i = 0; i < sizeof(govern) / sizeof(govern[0]); i++) {
        assert_int_equal(permit_scope(govern[i], AREA_people, VERB_see), SCOPE_OWN);
        for (size_t k = 0; k < sizeof(named) / sizeof(named[0]); k++) {
            assert_int_equal(permit_scope(govern[i], named[k], VERB_see), SCOPE_NONE);
        }
    }
}

TEST(everybody_of_the_school_may_lodge_a_concern)
{
    unsigned inside = BIT(governor) | BIT(safety_governor) | BIT(chair) | BIT(trust);
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        enum scope scope = permit_scope((enum role)role, AREA_safeguarding, VERB_make);
        assert_true((inside & (1U << role)) != 0 ? scope == SCOPE_NONE : scope >= SCOPE_OWN);
    }
}

TEST(nobody_changes_what_nobody_with_that_role_may_see)
{
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        for (unsigned area = AREA_UNSET + 1; area < AREA_COUNT; area++) {
            enum scope see = permit_scope((enum role)role, (enum area)area, VERB_see);
            assert_true(permit_scope((enum role)role, (enum area)area, VERB_change) <= see);
            assert_true(permit_scope((enum role)role, (enum area)area, VERB_dispose) <= see);
            assert_true(permit_scope((enum role)role, (enum area)area, VERB_take) <= see);
        }
    }
}

TEST(the_widest_scope_of_several_roles_counts)
{
    assert_int_equal(permit_widest(BIT(parent) | BIT(teacher), AREA_people, VERB_see), SCOPE_CLASS);
    assert_int_equal(permit_widest(0, AREA_people, VERB_see), SCOPE_NONE);
    assert_int_equal(
        permit_holders(BIT(parent) | BIT(teacher) | BIT(head), AREA_people, VERB_see, SCOPE_CLASS),
        BIT(teacher) | BIT(head));
}

TEST(R184_the_heads_role_passes_to_the_chair_beside_the_trust_and_else_to_who_is_left)
{
    enum { SOME = BIT(head) | BIT(chair) | BIT(governor) | BIT(dsl) };
    static const struct {
        unsigned mine, held;
        bool gets, vacant;
        enum role holder;
        unsigned before;
    } cases[] = {
        {BIT(chair), SOME, true, false, ROLE_head, 0},
        {BIT(chair), SOME | BIT(trust), true, false, ROLE_head, 0},
        {BIT(trust), SOME | BIT(trust), true, false, ROLE_head, 0}, /* also */
        /* The lead: where the chair is the head too. */
        {BIT(dsl), SOME, true, false, ROLE_head, BIT(chair)},
        {BIT(dsl), SOME | BIT(trust), true, false, ROLE_head, BIT(chair) | BIT(trust)},
        {BIT(senior), SOME | BIT(senior), true, false, ROLE_head, BIT(chair) | BIT(dsl)},
        {BIT(governor) | BIT(teacher), SOME, false, false, ROLE_COUNT, 0},
        /* No head: the chair stands in, and where that is the subject the next. */
        {BIT(chair), SOME & ~BIT(head), true, true, ROLE_chair, 0},
        {BIT(dsl), SOME & ~BIT(head), true, false, ROLE_chair, 0},
        {BIT(dsl), BIT(dsl), true, true, ROLE_dsl, 0},
        {BIT(senior), BIT(senior) | BIT(dsl) | BIT(deputy_dsl), true, false, ROLE_dsl,
         BIT(deputy_dsl)},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct permit_pass passes[ROLE_COUNT];
        size_t n = permit_passes(cases[i].mine, cases[i].held, passes);
        const struct permit_pass *pass = NULL;
        for (size_t p = 0; p < n; p++) {
            pass = passes[p].role == ROLE_head ? &passes[p] : pass;
        }
        if ((pass != NULL) != cases[i].gets) {
            fail_msg("case %zu", i);
        }
        if (pass != NULL && (pass->vacant != cases[i].vacant || pass->holder != cases[i].holder ||
                             pass->before != cases[i].before)) {
            fail_msg("case %zu: %d %d %x", i, pass->vacant, pass->holder, pass->before);
        }
    }
}

TEST(S2_who_administers_shows_a_second_factor)
{
    static const enum role must[] = {ROLE_technician, ROLE_lead, ROLE_dsl, ROLE_deputy_dsl,
                                     ROLE_head};
    for (size_t i = 0; i < sizeof(must) / sizeof(must[0]); i++) {
        assert_true(permit_needs_factor(BIT(parent) | 1U << must[i]));
    }
    assert_false(permit_needs_factor(BIT(teacher) | BIT(parent) | BIT(pupil)));
}

TEST(roles_are_found_by_name)
{
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        assert_int_equal(role_find(role_name((enum role)role)), role);
        assert_true(role_label((enum role)role).len != 0);
    }
    assert_int_equal(role_find(STR("caretaker")), ROLE_COUNT);
    assert_str_eq(area_name(AREA_members), STR("members"));
    assert_str_eq(area_label(AREA_audit), STR("The audit"));
    assert_str_eq(verb_label(VERB_take), STR("export"));
}

TESTS_MAIN(unit(R184_allegations_are_the_heads_alone),
           unit(R261_the_online_safety_lead_reads_no_allegation_of_others),
           unit(a_technician_sees_no_childs_record), unit(R199_those_who_govern_read_no_names),
           unit(everybody_of_the_school_may_lodge_a_concern),
           unit(nobody_changes_what_nobody_with_that_role_may_see),
           unit(the_widest_scope_of_several_roles_counts),
           unit(R184_the_heads_role_passes_to_the_chair_beside_the_trust_and_else_to_who_is_left),
           unit(S2_who_administers_shows_a_second_factor), unit(roles_are_found_by_name))
