/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/attempt.h"

#include "lib/store.h"

static enum err add_school(struct store *store, const char *id)
{
    const struct store_value values[] = {store_text(str_from(id)), store_text(STR("Elm Primary")),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1)};
    return store_run(store, STATEMENT_SCHOOL_ADD, values, 5, NULL);
}

static size_t count_schools(struct store *store)
{
    struct store_rows *rows;
    enum err err;
    size_t n = 0;
    assert_ok(store_begin(store, STR(""), STORE_READ));
    assert_ok(store_query(store, STATEMENT_SCHOOLS, NULL, 0, &rows));
    while (store_rows_next(rows, &err)) {
        n++;
    }
    assert_ok(err);
    store_rows_free(rows);
    assert_ok(store_commit(store));
    return n;
}

/* Fails so often, each time behind a row that it wrote. */
static enum err write_then(struct store *store, enum err err, int fails, int *tries)
{
    assert_ok(add_school(store, "elm"));
    return (*tries)++ < fails ? err : ERR_OK;
}

TEST(what_was_in_another_s_way_is_tried_again_and_done_once)
{
    static const struct {
        enum err err;
        int fails, tries;
        enum err want;
        size_t schools;
    } cases[] = {
        {ERR_OK, 0, 1, ERR_OK, 1},          {ERR_BUSY, 1, 2, ERR_OK, 1},
        {ERR_BUSY, 3, 4, ERR_OK, 1},        {ERR_BUSY, 9, 4, ERR_BUSY, 0},
        {ERR_CONFLICT, 1, 1, ERR_CONFLICT}, {ERR_GONE, 1, 1, ERR_GONE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_store at;
        int tries = 0;
        test_store_open(&at);
        struct store_attempt attempt = store_attempt(at.store, STR("elm"), STORE_WRITE);
        while (store_attempt_begin(&attempt)) {
            store_attempt_end(&attempt, write_then(at.store, cases[i].err, cases[i].fails, &tries));
        }
        assert_err(attempt.err, cases[i].want);
        assert_int_equal(tries, cases[i].tries);
        assert_int_equal(count_schools(at.store), cases[i].schools);
        test_store_close(&at);
    }
}

static enum err in_part(struct store *store, enum err err, int fails, int *tries)
{
    struct store_attempt part = store_attempt(store, STR("elm"), STORE_WRITE);
    while (store_attempt_begin(&part)) {
        store_attempt_end(&part, write_then(store, err, fails, tries));
    }
    return part.err;
}

TEST(what_is_held_together_is_tried_again_as_a_whole)
{
    struct test_store at;
    int tries = 0;
    test_store_open(&at);
    struct store_attempt whole = store_attempt_hold(at.store);
    while (store_attempt_begin(&whole)) {
        store_attempt_end(&whole, in_part(at.store, ERR_BUSY, 2, &tries));
    }
    assert_ok(whole.err);
    assert_int_equal(tries, 3);
    assert_int_equal(count_schools(at.store), 1);
    test_store_close(&at);
}

TESTS_MAIN(unit(what_was_in_another_s_way_is_tried_again_and_done_once),
           unit(what_is_held_together_is_tried_again_as_a_whole))
