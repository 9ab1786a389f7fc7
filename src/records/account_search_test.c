/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Accounts are found alike on both databases, whatever letters their people's names have. */
#include "lib/records.h"
#include "records/account.h"
#include "records/session.h"

static struct record_id add_account(struct school *at, const char *name, const char *email,
                                    const char *log_on)
{
    struct record_id id;
    struct account_fault fault = {"", ""};
    const struct actor operator= school_operator(at);
    struct record_id person = school_add(
        at, "person", school_json("{'name': '%s', 'kind': 'staff', 'email': '%s'}", name, email));
    const struct account_new fresh = {
        .person = school_id(&person), .log_on = str_from(log_on), .hash = STR("$argon2id$a")};
    enum err err = account_make(&at->engine, &operator, & fresh, &id, &fault);
    if (err != ERR_OK) {
        fail_msg("%s", fault.why);
    }
    return id;
}

static size_t n_items(json_t *document)
{
    size_t n = json_array_size(json_object_get(document, "items"));
    json_decref(document);
    return n;
}

TEST(a_search_for_accounts_folds_case_and_marks)
{
    static const struct {
        const char *search;
        size_t want;
    } cases[] = {
        {"élodie", 1},  {"ÉLODIE", 1}, {"elodie", 1}, {"Łukasz", 1}, {"lukasz", 1},
        {"STRASSE", 1}, {"straße", 1}, {"odi", 1},    {"", 3},       {"%", 0},
        {"_", 0},       {"nobody", 0}, {"E.NOIR", 1}, {"\x01", 0},   {"\xff", 0},
    };
    struct school at;
    school_open(&at);
    (void)add_account(&at, "Élodie Noir", "elodie@example.org", "e.noir");
    (void)add_account(&at, "ŁUKASZ Nowak", "lukasz@example.org", "l.nowak");
    (void)add_account(&at, "Zoë Straße", "zoe@example.org", "z.strasse");
    (void)school_somebody(&at, "Ünal Élan", "staff");
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        json_t *document = NULL;
        assert_ok(account_list(&at.engine, &head, str_from(cases[i].search), 1, &document));
        assert_int_equal(n_items(document), cases[i].want);
    }
    json_t *without = NULL;
    assert_ok(account_people_without(&at.engine, &head, STR("unal é"), &without));
    assert_int_equal(n_items(without), 1);
    school_close(&at);
}

TEST(an_address_of_a_provider_is_one_person_s_or_nobody_s)
{
    static const struct {
        const char *address;
        const char *want; /* a log-on */
    } cases[] = {
        {"ann@example.org", "ann"},
        {"zoe@example.org", "zoe"},
        {"two@example.org", NULL},
        {"nobody@example.org", NULL},
        {"%@example.org", NULL},
        {"", NULL},
        {"\xff", NULL},
        {"zo\xc3\xab@example.org", NULL}, /* folded alike, but another mailbox */
    };
    struct school at;
    struct arena arena;
    school_open(&at);
    arena_init(&arena, 1 << 16);
    (void)add_account(&at, "Ann Wood", "Ann@Example.org", "ann");
    (void)add_account(&at, "Zoe Wood", "zoe@example.org", "zoe");
    (void)add_account(&at, "Two Wood", "two@example.org", "two");
    (void)add_account(&at, "Too Wood", "TWO@example.org", "too");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct account account;
        enum err err =
            account_find_match(at.store.store, &arena, str_from(cases[i].address), &account);
        assert_err(err, cases[i].want != NULL ? ERR_OK : ERR_NOT_FOUND);
        if (err == ERR_OK) {
            assert_str_eq(account.log_on, str_from(cases[i].want));
        }
    }
    arena_fini(&arena);
    school_close(&at);
}

/* SQLite has one writer; on PostgreSQL schools do not wait for each other. */
TEST(signing_in_waits_for_no_other_school)
{
    struct school at;
    struct session_token token;
    struct session session;
    school_open(&at);
    school_found(&at, "elm");
    struct record_id id = add_account(&at, "Ann Wood", "ann@example.org", "ann");
    struct actor actor = {.school = at.id, .account = school_id(&id), .now_ms = at.now_ms};
    struct store *other = test_store_again(&at.store);
    bool postgres = store_kind(other) == STORE_POSTGRES;
    assert_ok(store_begin(other, STR("elm"), postgres ? STORE_WRITE : STORE_READ));
    assert_ok(session_begin(&at.engine, &actor, SESSION_WHOLE, 0, &token));
    assert_ok(session_find(at.store.store, &at.arena, str_from(token.text), at.now_ms, &session));
    assert_int_equal(session.stage, SESSION_WHOLE);
    store_rollback(other);
    store_close(other);
    school_close(&at);
}

TESTS_MAIN(unit(a_search_for_accounts_folds_case_and_marks),
           unit(an_address_of_a_provider_is_one_person_s_or_nobody_s),
           unit(signing_in_waits_for_no_other_school))
