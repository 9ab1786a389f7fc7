/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/audit.h"

#include <string.h>

#include "event/spool.h"
#include "lib/folder.h"
#include "lib/store.h"
#include "records/audit_event.h"
#include "records/register.h"

struct rig {
    struct test_store at;
    struct keys *keys;
    struct arena arena;
};

static const struct actor head = {
    .school = STR_INIT("oak"),
    .person = STR_INIT("head"),
    .account = STR_INIT("account"),
    .session = STR_INIT("session"),
    .client = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 7},
    .now_ms = 1795000000000};

static void add_school(struct store *store, const char *id)
{
    const struct store_value values[] = {store_text(str_from(id)), store_text(STR("A school")),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1)};
    assert_ok(store_run(store, STATEMENT_SCHOOL_ADD, values, 5, NULL));
}

static void add_person(struct store *store, const char *id, const char *kind)
{
    const struct register_def *def = register_find(STR("person"));
    const struct register_field *last = &def->fields[def->n_fields - 1];
    struct store_value values[64] = {
        store_text(str_from(id)), store_text(STR("oak")), store_number(1),
        store_text(STR("")),      store_null(),           store_number(1),
        store_text(STR("")),      store_number(1),        store_text(STR(""))};
    values[def->fields[register_field_find(def, STR("kind"))].column] = store_text(str_from(kind));
    assert_ok(
        store_run(store, def->statements->insert, values, last->column + last->n_columns, NULL));
}

static void rig_open(struct rig *rig)
{
    struct buf why;
    buf_init(&why, 1024);
    arena_init(&rig->arena, 1 << 16);
    test_store_open(&rig->at);
    assert_ok(keys_open(rig->at.folder, &rig->keys, &why));
    buf_fini(&why);
    assert_ok(store_begin(rig->at.store, STR(""), STORE_WRITE));
    add_school(rig->at.store, "oak");
    add_school(rig->at.store, "elm");
    add_person(rig->at.store, "ann", "pupil");
    add_person(rig->at.store, "teacher", "staff");
}

static void rig_close(struct rig *rig)
{
    store_rollback(rig->at.store);
    keys_close(rig->keys);
    arena_fini(&rig->arena);
    test_store_close(&rig->at);
}

static int64_t act(struct rig *rig, const char *school, const char *words)
{
    struct actor actor = head;
    actor.school = str_from(school);
    const struct act_entry entry = {
        .act = ACT_changed, .area = STR("person"), .record = STR("ann"), .words = str_from(words)};
    int64_t seq = 0;
    assert_ok(audit_append(rig->at.store, NULL, &actor, &entry, &seq));
    return seq;
}

TEST(U18_each_school_has_a_chain_of_its_own_that_verifies)
{
    struct rig rig;
    struct audit_verdict verdict;
    rig_open(&rig);
    for (int64_t i = 1; i <= 5; i++) {
        assert_int_equal(act(&rig, "oak", "A new telephone number"), i);
    }
    assert_int_equal(act(&rig, "elm", "Moved"), 1);
    assert_ok(audit_verify(rig.at.store, STR("oak"), 0, STR(""), &verdict));
    assert_true(verdict.whole);
    assert_int_equal(verdict.acts, 5);
    assert_int_equal(verdict.broken_seq, 0);
    assert_ok(audit_verify(rig.at.store, STR("elm"), 0, STR(""), &verdict));
    assert_true(verdict.whole && verdict.acts == 1);
    rig_close(&rig);
}

TEST(an_act_goes_with_the_transaction_that_it_tells_of)
{
    struct rig rig;
    int64_t seq;
    uint8_t hash[AUDIT_HASH_BYTES];
    rig_open(&rig);
    assert_int_equal(act(&rig, "oak", "Kept"), 1);
    assert_ok(store_commit(rig.at.store));
    assert_ok(store_begin(rig.at.store, STR("oak"), STORE_WRITE));
    assert_int_equal(act(&rig, "oak", "Lost"), 2);
    store_rollback(rig.at.store);
    assert_ok(store_begin(rig.at.store, STR("oak"), STORE_WRITE));
    assert_ok(audit_head(rig.at.store, STR("oak"), &seq, hash));
    assert_int_equal(seq, 1);
    assert_int_equal(act(&rig, "oak", "Next"), 2);
    rig_close(&rig);
}

TEST(a_head_that_was_noted_shows_a_chain_that_was_cut_or_written_anew)
{
    struct rig rig;
    struct audit_verdict verdict;
    uint8_t noted[AUDIT_HASH_BYTES];
    int64_t seq;
    rig_open(&rig);
    struct str hash = str_make((const char *)noted, sizeof(noted));
    act(&rig, "oak", "One");
    act(&rig, "oak", "Two");
    assert_ok(audit_head(rig.at.store, STR("oak"), &seq, noted));
    act(&rig, "oak", "Three");
    assert_ok(audit_verify(rig.at.store, STR("oak"), seq, hash, &verdict));
    assert_true(verdict.whole);
    assert_ok(audit_verify(rig.at.store, STR("oak"), 1, hash, &verdict));
    assert_false(verdict.whole);
    assert_int_equal(verdict.broken_seq, 1);
    assert_ok(audit_verify(rig.at.store, STR("oak"), 9, hash, &verdict));
    assert_false(verdict.whole);
    assert_int_equal(verdict.broken_seq, 4);
    assert_ok(audit_verify(rig.at.store, STR("elm"), 1, hash, &verdict));
    assert_false(verdict.whole);
    assert_int_equal(verdict.broken_seq, 1);
    rig_close(&rig);
}

/* Cut at 2, and grown to 3 since: an end that was noted before tells, the latest does not. */
TEST(every_end_that_was_noted_is_compared_not_the_latest_alone)
{
    struct rig rig;
    struct audit_verdict verdict;
    struct audit_head heads[3] = {{.noted = "the latest"}, {.noted = "the first"}, {.seq = 0}};
    rig_open(&rig);
    act(&rig, "oak", "One");
    assert_ok(audit_head(rig.at.store, STR("oak"), &heads[1].seq, heads[1].hash));
    act(&rig, "oak", "Two");
    act(&rig, "oak", "Three");
    assert_ok(audit_head(rig.at.store, STR("oak"), &heads[0].seq, heads[0].hash));
    assert_ok(audit_verify_against(rig.at.store, STR("oak"), heads, 2, &verdict));
    assert_true(verdict.whole && verdict.acts == 3);
    heads[2] = (struct audit_head){.seq = 2, .hash = {7}, .noted = "the spool"};
    assert_ok(audit_verify_against(rig.at.store, STR("oak"), heads, 3, &verdict));
    assert_false(verdict.whole);
    assert_int_equal(verdict.broken_seq, 2);
    assert_string_equal(verdict.noted, "the spool");
    heads[2] = (struct audit_head){.seq = 4, .hash = {7}, .noted = "a mail"};
    assert_ok(audit_verify_against(rig.at.store, STR("oak"), heads, 3, &verdict));
    assert_false(verdict.whole);
    assert_string_equal(verdict.noted, "the spool");
    heads[1] = heads[2];
    assert_ok(audit_verify_against(rig.at.store, STR("oak"), heads, 1, &verdict));
    assert_true(verdict.whole);
    rig_close(&rig);
}

/* The clerk's events, written and read back; another writer's are no witness. */
TEST(U18_the_ends_in_the_event_spool_are_the_clerks)
{
    struct test_folder at;
    const struct audit_head oak = {.seq = 17, .hash = {1, 2, 3}};
    const struct audit_head elm = {.seq = 4, .hash = {9}};
    struct spool_writer *clerk, *other;
    struct audit_ends ends = {0};
    test_folder_open(&at);
    assert_ok(audit_event_read(dup(at.fd), STR("oak"), &ends));
    assert_int_equal(ends.n, 0);
    assert_ok(spool_writer_open(dup(at.fd), STR(AUDIT_EVENT_WRITER), SPOOL_SEGMENT_MIN, &clerk));
    assert_ok(spool_writer_open(dup(at.fd), STR("proxy-0"), SPOOL_SEGMENT_MIN, &other));
    assert_ok(audit_event_append(clerk, STR("gate"), STR("oak"), &oak, 1, 1));
    assert_ok(audit_event_append(clerk, STR("gate"), STR("elm"), &elm, 2, 2));
    assert_ok(audit_event_append(other, STR("gate"), STR("oak"), &elm, 3, 3));
    assert_ok(audit_event_read(dup(at.fd), STR("oak"), &ends));
    assert_false(ends.damaged);
    assert_int_equal(ends.n, 1);
    assert_int_equal(ends.at[0].seq, 17);
    assert_memory_equal(ends.at[0].hash, oak.hash, sizeof(oak.hash));
    audit_ends_fini(&ends);
    const struct event broken = {.kind = EVENT_AUDIT, .school = STR("oak"), .act = 3};
    assert_ok(spool_append(clerk, &broken));
    assert_ok(audit_event_read(dup(at.fd), STR("oak"), &ends));
    assert_true(ends.damaged && ends.n == 1);
    audit_ends_fini(&ends);
    spool_writer_free(clerk);
    spool_writer_free(other);
    test_folder_close(&at);
}

TEST(a_school_without_acts_is_whole)
{
    struct rig rig;
    struct audit_verdict verdict;
    rig_open(&rig);
    assert_ok(audit_verify(rig.at.store, STR("oak"), 0, STR(""), &verdict));
    assert_true(verdict.whole && verdict.acts == 0);
    rig_close(&rig);
}

/* The fields and sealed words of act `seq`, in the arena. */
static void read_act(struct rig *rig, int64_t seq, struct str *ret_fields, struct str *ret_private)
{
    struct store_value school = store_text(STR("oak"));
    struct store_rows *rows;
    enum err err;
    assert_ok(store_query(rig->at.store, STATEMENT_ACTS, &school, 1, &rows));
    while (store_rows_next(rows, &err)) {
        if (store_rows_number(rows, 0) == seq) {
            *ret_fields = arena_dup(&rig->arena, store_rows_bytes(rows, 12));
            *ret_private = arena_dup(&rig->arena, store_rows_bytes(rows, 14));
        }
    }
    store_rows_free(rows);
    assert_ok(err);
}

TEST(an_act_holds_names_of_fields_and_digests_never_values)
{
    const struct act_field fields[] = {{STR("phone"), false, STR("01632960001")},
                                       {STR("needs"), true, STR("a quiet room")}};
    struct act_entry entry = {.act = ACT_made,
                              .area = STR("person"),
                              .record = STR("ann"),
                              .fields = fields,
                              .n_fields = 2,
                              .private_words = STR("Her mother rang")};
    struct rig rig;
    struct str text[4];
    struct buf plain;
    rig_open(&rig);
    buf_init(&plain, 1024);
    assert_err(audit_append(rig.at.store, rig.keys, &head, &entry, NULL), ERR_NOT_FOUND);
    assert_ok(keys_make(rig.keys, STR("ann")));
    assert_ok(keys_make(rig.keys, STR("ben")));
    assert_ok(store_commit(rig.at.store));
    assert_ok(store_begin(rig.at.store, STR("oak"), STORE_WRITE));
    int64_t seq;
    assert_ok(audit_append(rig.at.store, rig.keys, &head, &entry, &seq));
    read_act(&rig, seq, &text[0], &text[1]);
    entry.record = STR("ben");
    assert_ok(audit_append(rig.at.store, rig.keys, &head, &entry, &seq));
    read_act(&rig, seq, &text[2], &text[3]);
    assert_int_equal(text[0].len, sizeof("phone: needs:") - 1 + 2 * 64);
    assert_true(str_starts(text[0], STR("phone:")));
    assert_false(str_eq(text[0], text[2]));
    assert_int_equal(str_find(text[1], STR("mother")), text[1].len);
    assert_ok(keys_open_sealed(rig.keys, STR("ben"), AUDIT_SEALED_FIELD, text[3], &plain));
    assert_str_eq(buf_str(&plain), STR("Her mother rang"));
    assert_ok(keys_destroy(rig.keys, STR("ben")));
    assert_err(keys_open_sealed(rig.keys, STR("ben"), AUDIT_SEALED_FIELD, text[3], &plain),
               ERR_NOT_FOUND);
    struct audit_verdict verdict;
    assert_ok(audit_verify(rig.at.store, STR("oak"), 0, STR(""), &verdict));
    assert_true(verdict.whole && verdict.acts == 2);
    buf_fini(&plain);
    rig_close(&rig);
}

TEST(U8_a_look_is_open_for_half_an_hour_for_this_child_and_this_person)
{
    struct actor actor = head;
    struct rig rig;
    bool open = true;
    rig_open(&rig);
    assert_ok(look_is_open(rig.at.store, &actor, STR("ann"), &open));
    assert_false(open);
    assert_ok(look_open(rig.at.store, rig.keys, &actor, STR("ann"), STR("concern")));
    static const struct {
        const char *person, *child;
        int64_t later;
        bool open;
    } cases[] = {
        {"head", "ann", 0, true},        {"head", "ann", LOOK_MS - 1, true},
        {"head", "ann", LOOK_MS, false}, {"head", "teacher", 0, false},
        {"teacher", "ann", 0, false},    {"head", "ann", -1, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        actor.person = str_from(cases[i].person);
        actor.now_ms = head.now_ms + cases[i].later;
        assert_ok(look_is_open(rig.at.store, &actor, str_from(cases[i].child), &open));
        assert_int_equal(open, cases[i].open);
    }
    rig_close(&rig);
}

TEST(U8_every_look_has_a_reason_and_typed_ones_are_sealed)
{
    struct rig rig;
    struct str fields, sealed;
    char longest[LOOK_WORDS_MAX + 1];
    rig_open(&rig);
    memset(longest, 'a', sizeof(longest));
    assert_err(look_open(rig.at.store, rig.keys, &head, STR("ann"), STR("  ")), ERR_INVALID);
    assert_err(look_open(rig.at.store, rig.keys, &head, STR("ann"), STR("\xff")), ERR_INVALID);
    assert_err(
        look_open(rig.at.store, rig.keys, &head, STR("ann"), str_make(longest, sizeof(longest))),
        ERR_INVALID);
    assert_err(look_open(rig.at.store, rig.keys, &head, STR("zoe"), STR("concern")), ERR_NOT_FOUND);
    assert_ok(
        look_open(rig.at.store, rig.keys, &head, STR("ann"), str_make(longest, LOOK_WORDS_MAX)));
    assert_ok(look_open(rig.at.store, rig.keys, &head, STR("ann"), STR("Ann's aunt rang")));
    read_act(&rig, 2, &fields, &sealed);
    assert_true(sealed.len > sizeof("Ann's aunt rang"));
    assert_int_equal(str_find(sealed, STR("aunt")), sealed.len);
    rig_close(&rig);
}

TEST(acts_and_reasons_have_words)
{
    for (enum act i = ACT_UNSET + 1; i < ACT_COUNT; i++) {
        assert_int_equal(act_find(act_name(i)), i);
        assert_true(act_label(i).len != 0);
    }
    assert_int_equal(act_find(STR("forgotten")), ACT_UNSET);
    for (enum look_reason i = LOOK_REASON_UNSET + 1; i < LOOK_REASON_COUNT; i++) {
        assert_true(look_reason_name(i).len != 0 && look_reason_label(i).len != 0);
    }
}

TESTS_MAIN(unit(U18_each_school_has_a_chain_of_its_own_that_verifies),
           unit(an_act_goes_with_the_transaction_that_it_tells_of),
           unit(a_head_that_was_noted_shows_a_chain_that_was_cut_or_written_anew),
           unit(every_end_that_was_noted_is_compared_not_the_latest_alone),
           unit(U18_the_ends_in_the_event_spool_are_the_clerks),
           unit(a_school_without_acts_is_whole),
           unit(an_act_holds_names_of_fields_and_digests_never_values),
           unit(U8_a_look_is_open_for_half_an_hour_for_this_child_and_this_person),
           unit(U8_every_look_has_a_reason_and_typed_ones_are_sealed),
           unit(acts_and_reasons_have_words))
