/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/dump.h"

#include "lib/store.h"
#include "store/dump_impl.h"

static enum err put(void *to, struct str bytes)
{
    buf_append(to, bytes);
    return buf_err(to);
}

static enum err get(void *from, void *bytes, size_t n)
{
    struct str *rest = from;
    if (rest->len < n) {
        return ERR_TRUNCATED;
    }
    memcpy(bytes, rest->p, n);
    *rest = str_skip(*rest, n);
    return ERR_OK;
}

static void add_schools(struct store *store, size_t n)
{
    assert_ok(store_begin(store, STR(""), STORE_WRITE));
    for (size_t i = 0; i < n; i++) {
        char id[32];
        snprintf(id, sizeof(id), "s%zu", i);
        const struct store_value values[] = {store_text(str_from(id)),
                                             store_text(STR("\xc3\x89"
                                                            "cole")),
                                             store_text(STR("primary")), store_text(STR("")),
                                             store_number(INT64_MIN + (int64_t)i)};
        assert_ok(store_run(store, STATEMENT_SCHOOL_ADD, values, 5, NULL));
    }
    assert_ok(store_commit(store));
}

static void dump(struct store *store, struct buf *text, struct dump_report *report)
{
    const struct dump_to to = {.put = put, .to = text};
    struct buf why;
    buf_init(&why, 1024);
    buf_init(text, 1 << 24);
    enum err err = store_dump(store, &to, report, &why);
    if (err != ERR_OK) {
        fail_msg("ERR_%s: %.*s", err_name(err), STR_ARG(buf_str(&why)));
    }
    buf_fini(&why);
}

/* Into a new place; the store where that went well. */
static enum err load(const struct test_store *at, struct str text, struct store **ret_store,
                     const char *words)
{
    static struct dump_report report;
    const struct dump_from from = {.get = get, .from = &text};
    struct buf why;
    buf_init(&why, 1024);
    enum err err = store_load(at->place, &from, ret_store, &report, &why);
    if (words != NULL && strstr(buf_cstr(&why), words) == NULL) {
        fail_msg("ERR_%s: %s", err_name(err), buf_cstr(&why));
    }
    buf_fini(&why);
    return err;
}

static const struct dump_table *table_of(const struct dump_report *report, const char *name)
{
    for (size_t i = 0; i < report->n_tables; i++) {
        if (strcmp(report->tables[i].name, name) == 0) {
            return &report->tables[i];
        }
    }
    fail_msg("no table %s", name);
    return NULL;
}

TEST(S4_what_is_dumped_loads_as_the_same_store)
{
    static struct dump_report first;
    static struct dump_report second;
    struct test_store from;
    struct test_store to;
    struct buf text;
    struct buf again;
    test_store_open(&from);
    add_schools(from.store, 1201);
    dump(from.store, &text, &first);
    assert_int_equal(table_of(&first, "school")->rows, 1201);
    test_store_place(&to);
    assert_ok(load(&to, buf_str(&text), &to.store, NULL));
    dump(to.store, &again, &second);
    assert_int_equal(first.n_tables, second.n_tables);
    assert_memory_equal(first.tables, second.tables, first.n_tables * sizeof(first.tables[0]));
    assert_err(load(&to, buf_str(&text), NULL, "there is a store already"), ERR_CONFLICT);
    buf_fini(&text);
    buf_fini(&again);
    test_store_close(&to);
    test_store_close(&from);
}

TEST(a_row_that_changed_or_is_missing_changes_the_digest)
{
    static struct dump_report first;
    static struct dump_report second;
    struct test_store at;
    struct buf text;
    const struct store_value values[] = {store_text(STR("s1")),
                                         store_text(STR("\xc3\x89"
                                                        "cole")),
                                         store_text(STR("primary")), store_text(STR("1"))};
    test_store_open(&at);
    add_schools(at.store, 3);
    dump(at.store, &text, &first);
    buf_fini(&text);
    assert_ok(store_begin(at.store, STR("s1"), STORE_WRITE));
    assert_ok(store_run(at.store, STATEMENT_SCHOOL_CHANGE, values, 4, NULL));
    assert_ok(store_commit(at.store));
    dump(at.store, &text, &second);
    assert_memory_not_equal(table_of(&first, "school")->digest, table_of(&second, "school")->digest,
                            SHA256_BYTES);
    buf_fini(&text);
    test_store_close(&at);
}

TEST(a_dump_that_is_cut_or_damaged_is_refused_and_leaves_no_rows)
{
    static struct dump_report report;
    struct test_store from;
    struct buf text;
    test_store_open(&from);
    add_schools(from.store, 2);
    dump(from.store, &text, &report);
    size_t row = str_find(buf_str(&text), STR("\xc3\x89"
                                              "cole"));
    const struct {
        size_t at;
        char byte;
        size_t cut;
        enum err want;
    } cases[] = {
        {0, 'M', text.len - 1, ERR_TRUNCATED},
        {0, 'M', row, ERR_TRUNCATED},
        {0, 'X', text.len, ERR_INVALID},          /* neither migration nor table */
        {5, '\xff', text.len, ERR_INVALID},       /* another digest of a migration */
        {1, '\x63', text.len, ERR_INVALID},       /* a migration that there is not */
        {row + 4, 'a', text.len, ERR_INVALID},    /* a row that is not what the end says */
        {row, '\xff', text.len, ERR_INVALID},     /* no UTF-8 */
        {row - 5, '\x09', text.len, ERR_INVALID}, /* no kind of value */
        {text.len - 1, 'Y', text.len, ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_store to;
        char byte = text.p[cases[i].at];
        test_store_place(&to);
        text.p[cases[i].at] = cases[i].byte;
        enum err err = load(&to, str_sub(buf_str(&text), 0, cases[i].cut), &to.store, NULL);
        text.p[cases[i].at] = byte;
        if (err != cases[i].want) {
            fail_msg("case %zu: ERR_%s", i, err_name(err));
        }
        to.store = NULL;
        test_store_close(&to);
    }
    buf_fini(&text);
    test_store_close(&from);
}

static void put_name(struct buf *to, const char *name)
{
    dump_u32(to, (uint32_t)strlen(name));
    buf_append(to, str_from(name));
}

/* A dump of one school by somebody who can add up digests. */
static void forge(struct str migrations, struct str name, struct buf *to)
{
    static const char *const columns[] = {"id", "name", "kind", "urn", "made_ms"};
    const struct store_value values[] = {store_text(STR("oak")), store_text(name),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1)};
    struct dump_table table = {.rows = 0};
    struct buf row;
    buf_init(&row, 1024);
    buf_append(to, migrations);
    buf_append_byte(to, DUMP_TABLE);
    put_name(to, "school");
    dump_u32(to, 5);
    for (size_t i = 0; i < 5; i++) {
        put_name(to, columns[i]);
        dump_value(&row, &values[i]);
    }
    dump_add_row(&table, buf_str(&row));
    buf_append_byte(to, DUMP_ROW);
    buf_append(to, buf_str(&row));
    buf_append_byte(to, DUMP_TABLE_END);
    dump_u64(to, table.rows);
    buf_append(to, str_make((const char *)table.digest, sizeof(table.digest)));
    buf_append_byte(to, DUMP_END);
    buf_fini(&row);
}

TEST(a_text_that_is_none_is_refused_though_the_digests_fit)
{
    static struct dump_report report;
    static const struct {
        struct str name;
        enum err want;
    } cases[] = {{STR_INIT("Oak"), ERR_OK},
                 {STR_INIT("\xff"), ERR_INVALID},
                 {STR_INIT("a\0b"), ERR_INVALID}};
    struct test_store from;
    struct buf text;
    test_store_open(&from);
    dump(from.store, &text, &report);
    size_t n = 0;
    while (text.p[n] == DUMP_MIGRATION) {
        n += 1 + 4 + SHA256_BYTES;
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct test_store to;
        struct buf forged;
        buf_init(&forged, 1 << 20);
        forge(str_sub(buf_str(&text), 0, n), cases[i].name, &forged);
        test_store_place(&to);
        to.store = NULL;
        assert_err(load(&to, buf_str(&forged), &to.store, NULL), cases[i].want);
        test_store_close(&to);
        buf_fini(&forged);
    }
    buf_fini(&text);
    test_store_close(&from);
}

TEST(names_are_letters_digits_and_lines_below)
{
    static const struct {
        const char *name;
        bool fine;
    } cases[] = {{"reg_person", true}, {"f2", true},          {"_x", true},   {"", false},
                 {"2f", false},        {"Reg", false},        {"a b", false}, {"a\"", false},
                 {"a;b", false},       {"caf\xc3\xa9", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(dump_name_is_fine(str_from(cases[i].name)) == cases[i].fine);
    }
}

TESTS_MAIN(unit(S4_what_is_dumped_loads_as_the_same_store),
           unit(a_row_that_changed_or_is_missing_changes_the_digest),
           unit(a_dump_that_is_cut_or_damaged_is_refused_and_leaves_no_rows),
           unit(a_text_that_is_none_is_refused_though_the_digests_fit),
           unit(names_are_letters_digits_and_lines_below))
