/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records for tests, put into the store as they are: no permission is asked, no act is written.
 *
 *     test_put(store, school, "person", "p-1", "here", "kind=pupil year=2");
 */
#ifndef LODGE_TESTS_PUT_H
#define LODGE_TESTS_PUT_H

#include "base/num.h"
#include "lib/test.h"
#include "records/register.h"
#include "store/store.h"

enum { TEST_COLUMNS_MAX = 128 };

/* Fields: "name=value name=value", values without spaces; yes/no and numbers in digits. In the open
 * transaction. */
static inline void test_put(struct store *store, struct str school, const char *name,
                            const char *id, const char *state, const char *fields)
{
    const struct register_def *def = register_find(str_from(name));
    struct store_value values[TEST_COLUMNS_MAX] = {{0}};
    struct str rest = str_from(fields);
    assert_non_null(def);
    assert_true(def->n_columns <= TEST_COLUMNS_MAX);
    values[COLUMN_ID] = store_text(str_from(id));
    values[COLUMN_SCHOOL] = store_text(school);
    values[COLUMN_VERSION] = store_number(1);
    values[COLUMN_STATE] = store_text(str_from(state));
    values[COLUMN_MADE_MS] = store_number(1);
    values[COLUMN_MADE_BY] = store_text(STR("maker"));
    values[COLUMN_CHANGED_MS] = store_number(1);
    values[COLUMN_CHANGED_BY] = store_text(STR("maker"));
    for (struct str word = str_next_word(&rest); word.len != 0; word = str_next_word(&rest)) {
        struct str key;
        struct str value;
        uint64_t number = 0;
        assert_true(str_cut(word, '=', &key, &value));
        size_t at = register_field_find(def, key);
        assert_true(at < def->n_fields);
        const struct register_field *field = &def->fields[at];
        bool digits = field->type == FIELD_YES_NO || field->type == FIELD_NUMBER;
        if (digits) {
            assert_ok(parse_u64(value, 0, INT64_MAX, &number));
        }
        values[field->column] = digits ? store_number((int64_t)number) : store_text(value);
        if (field->keyed) {
            values[field->column + field->n_columns - 1] = store_text(value);
        }
    }
    assert_ok(store_run(store, def->statements->insert, values, def->n_columns, NULL));
}

#endif
