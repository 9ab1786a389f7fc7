/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/register.h"

#include "lib/test.h"

TEST(a_register_is_found_by_its_name_and_its_plural)
{
    const struct register_def *person = register_find(STR("people"));
    assert_non_null(person);
    assert_ptr_equal(person, register_find(STR("person")));
    assert_null(register_find(STR("persons")));
    assert_null(register_find(STR("")));
}

TEST(a_field_is_found_by_its_name)
{
    const struct register_def *def = register_find(STR("family"));
    size_t at = register_field_find(def, STR("no_contact"));
    assert_true(at < def->n_fields);
    assert_int_equal(def->fields[at].type, FIELD_YES_NO);
    assert_int_equal(register_field_find(def, STR("No_contact")), def->n_fields);
}

TEST(columns_follow_one_another_without_a_gap)
{
    for (size_t r = 0; r < N_REGISTERS; r++) {
        size_t column = COLUMN_FIELDS;
        for (size_t i = 0; i < REGISTERS[r]->n_fields; i++) {
            assert_int_equal(REGISTERS[r]->fields[i].column, column);
            column += REGISTERS[r]->fields[i].n_columns;
        }
        assert_int_equal(REGISTERS[r]->n_columns, column);
    }
}

TEST(R184_records_that_hide_from_their_subject_are_about_them)
{
    static const char *const names[] = {"allegation", "low_level_concern"};
    for (size_t i = 0; i < 2; i++) {
        const struct register_def *def = register_find(str_from(names[i]));
        assert_non_null(def);
        assert_true(def->about < def->n_fields);
        assert_true(def->fields[def->about].hidden_from);
        assert_true(def->sensitive);
    }
}

TEST(R10_outside_contacts_are_kept)
{
    const struct register_def *def = register_find(STR("contacts"));
    assert_non_null(def);
    assert_true(register_field_find(def, STR("phone")) < def->n_fields);
}

TESTS_MAIN(unit(a_register_is_found_by_its_name_and_its_plural), unit(a_field_is_found_by_its_name),
           unit(columns_follow_one_another_without_a_gap),
           unit(R184_records_that_hide_from_their_subject_are_about_them),
           unit(R10_outside_contacts_are_kept))
