/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/restored.h"

#include "lib/records.h"
#include "records/audit.h"

TEST(S4_each_restore_test_is_a_record_and_an_act_in_every_school)
{
    static const char *const schools[] = {"oak", "elm"};
    const struct restored test = {.backup = STR("lodge-20261122T101500Z.backup"),
                                  .whole = true,
                                  .rows = 12,
                                  .notes = STR("")};
    struct school at;
    school_open(&at);
    school_found(&at, "elm");
    assert_ok(restored_note(&at.engine, &test, at.now_ms));
    for (size_t i = 0; i < 2; i++) {
        struct actor actor = school_operator(&at);
        json_t *list = NULL;
        struct audit_verdict verdict;
        actor.school = str_from(schools[i]);
        assert_ok(engine_list(&at.engine, &actor, school_register("restore_test"),
                              &(struct engine_query){0}, &list));
        const json_t *item = json_array_get(json_object_get(list, "items"), 0);
        const json_t *fields = json_object_get(item, "fields");
        assert_int_equal(json_array_size(json_object_get(list, "items")), 1);
        assert_string_equal(json_string_value(json_object_get(fields, "result")), "whole");
        assert_string_equal(json_string_value(json_object_get(fields, "backup")), test.backup.p);
        json_decref(list);
        assert_ok(store_begin(at.store.store, actor.school, STORE_READ));
        assert_ok(audit_verify(at.store.store, actor.school, 0, STR(""), &verdict));
        assert_ok(store_commit(at.store.store));
        assert_true(verdict.whole);
        assert_int_equal(verdict.acts, 2);
    }
    school_close(&at);
}

TESTS_MAIN(unit(S4_each_restore_test_is_a_record_and_an_act_in_every_school))
