/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/outbox.h"

#include <string.h>

#include "crypto/hash.h"
#include "lib/records.h"
#include "records/account_impl.h"
#include "records/audit.h"

struct rig {
    struct school at;
    struct store *store;
    struct record_id head;
    struct record_id chair;
    int64_t now_ms;
};

static struct record_id with_address(struct rig *rig, const char *name, const char *role,
                                     const char *address)
{
    struct record_id id =
        school_add(&rig->at, "person",
                   school_json("{'name': '%s', 'kind': 'staff', 'email': '%s'}", name, address));
    school_give_role(&rig->at, id, role);
    return id;
}

static void give_account(struct rig *rig, struct record_id person, const char *log_on)
{
    const struct actor operator= school_operator(&rig->at);
    const struct account_new fresh = {
        .log_on = str_from(log_on), .person = school_id(&person), .hash = STR("$argon2id$first")};
    struct account_fault fault = {0};
    struct record_id id;
    assert_ok(account_make(&rig->at.engine, &operator, & fresh, &id, &fault));
}

static void rig_open(struct rig *rig)
{
    school_open(&rig->at);
    rig->store = rig->at.store.store;
    rig->now_ms = rig->at.now_ms + 9 * MS_PER_HOUR;
    rig->head = with_address(rig, "Hanna Head", "head", "hanna@oak.example");
    rig->chair = with_address(rig, "Cora Chair", "chair", "cora@oak.example");
    give_account(rig, rig->head, "hanna");
    give_account(rig, rig->chair, "cora");
}

static void rig_close(struct rig *rig)
{
    school_close(&rig->at);
}

static void give_notice(struct rig *rig, enum notice notice, struct str about)
{
    struct actor actor = school_operator(&rig->at);
    actor.now_ms = rig->now_ms;
    assert_ok(store_begin(rig->store, rig->at.id, STORE_WRITE));
    assert_ok(notice_add(rig->store, &actor, notice, about, STR("x"), STR("")));
    assert_ok(store_commit(rig->store));
}

static bool next(struct rig *rig, struct outbox_mail *ret_mail)
{
    enum err err = outbox_next(rig->store, &rig->at.arena, rig->now_ms, ret_mail);
    assert_true(err == ERR_OK || err == ERR_NOT_FOUND);
    return err == ERR_OK;
}

static void settle(struct rig *rig, const struct outbox_mail *mail, enum outbox_result result)
{
    assert_ok(outbox_settle(rig->store, mail->school, mail->id, result, rig->now_ms));
}

/* Sends all that is due; how many. */
static size_t send_all(struct rig *rig)
{
    struct outbox_mail mail;
    size_t n = 0;
    while (next(rig, &mail)) {
        settle(rig, &mail, OUTBOX_SENT);
        n++;
    }
    return n;
}

static size_t notices(struct rig *rig, const char *kind)
{
    struct record_id ids[] = {rig->head, rig->chair};
    size_t found = 0;
    for (size_t i = 0; i < 2; i++) {
        struct actor actor = school_actor(&rig->at, ids[i]);
        json_t *document, *item;
        size_t at;
        actor.now_ms = rig->now_ms;
        assert_ok(notice_list(&rig->at.engine, &actor, &document));
        json_array_foreach(json_object_get(document, "items"), at, item)
        {
            found += str_eq(school_text(item, "kind"), str_from(kind));
        }
        json_decref(document);
    }
    return found;
}

static bool says(const struct outbox_mail *mail, const char *words)
{
    return str_find(mail->body, str_from(words)) < mail->body.len;
}

TEST(U18_each_day_the_head_is_mailed_where_the_chain_of_acts_ends)
{
    struct rig rig;
    struct outbox_mail mail;
    uint8_t hash[AUDIT_HASH_BYTES];
    char digits[SHA256_TEXT_MAX], want[256];
    int64_t seq, sent;
    rig_open(&rig);
    assert_ok(outbox_daily(rig.store, rig.now_ms));
    assert_ok(outbox_daily(rig.store, rig.now_ms + MS_PER_HOUR));
    assert_ok(store_begin(rig.store, rig.at.id, STORE_READ));
    assert_ok(audit_head(rig.store, rig.at.id, &seq, hash));
    assert_ok(outbox_last_sent(rig.store, rig.at.id, MAIL_audit_head, &sent));
    assert_int_equal(sent, 0);
    store_rollback(rig.store);
    assert_true(next(&rig, &mail));
    assert_str_eq(mail.address, STR("hanna@oak.example"));
    sha256_print(hash, digits);
    snprintf(want, sizeof(want), "--school oak --head %lld:%s\n", (long long)seq, digits);
    assert_true(says(&mail, want));
    assert_str_eq(mail.subject,
                  STR("Lodge at Oak Primary: where the record of acts ends, 2026-05-27"));
    assert_int_equal(send_all(&rig), 1);
    assert_ok(outbox_daily(rig.store, rig.now_ms));
    assert_int_equal(send_all(&rig), 0);
    rig.now_ms += MS_PER_DAY;
    assert_ok(outbox_daily(rig.store, rig.now_ms));
    assert_int_equal(send_all(&rig), 1);
    assert_ok(store_begin(rig.store, rig.at.id, STORE_READ));
    assert_ok(outbox_last_sent(rig.store, rig.at.id, MAIL_audit_head, &sent));
    store_rollback(rig.store);
    assert_int_equal(sent, rig.now_ms);
    rig_close(&rig);
}

TEST(a_school_without_acts_or_without_a_head_mails_nothing)
{
    struct rig rig;
    school_open(&rig.at);
    rig.store = rig.at.store.store;
    rig.now_ms = rig.at.now_ms;
    assert_ok(outbox_daily(rig.store, rig.now_ms));
    (void)with_address(&rig, "Cora Chair", "chair", "cora@oak.example");
    assert_ok(outbox_daily(rig.store, rig.now_ms));
    assert_int_equal(send_all(&rig), 0);
    rig_close(&rig);
}

/* The address is the register's of the moment: who has left between has none. */
TEST(nobody_who_has_left_or_has_no_address_is_written_to)
{
    struct rig rig;
    struct outbox_mail mail;
    int64_t due;
    rig_open(&rig);
    const struct actor operator= school_operator(&rig.at);
    struct record_id other =
        school_add(&rig.at, "person", school_json("{'name': 'Otto', 'kind': 'staff'}"));
    school_give_role(&rig.at, other, "head");
    assert_ok(outbox_daily(rig.store, rig.now_ms));
    json_t *faults = NULL;
    school_fail_faults(engine_move(&rig.at.engine, &operator, school_register("person"),
                                   school_id(&rig.head), 1, STR("leave"), NULL, STR("Retired"),
                                   &faults),
                       faults);
    assert_false(next(&rig, &mail));
    assert_ok(outbox_due(rig.store, &due));
    assert_true(due == INT64_MAX);
    rig.now_ms += MS_PER_DAY;
    assert_ok(outbox_daily(rig.store, rig.now_ms));
    assert_false(next(&rig, &mail));
    rig_close(&rig);
}

TEST(a_mail_is_tried_again_later_and_later_until_it_is_given_up)
{
    struct rig rig;
    struct outbox_mail mail;
    int64_t due, before = 0, start;
    size_t tries = 0;
    rig_open(&rig);
    assert_ok(outbox_daily(rig.store, rig.now_ms));
    start = rig.now_ms;
    assert_true(next(&rig, &mail));
    struct str id = mail.id;
    while (next(&rig, &mail)) {
        assert_str_eq(mail.id, id);
        settle(&rig, &mail, OUTBOX_LATER);
        assert_false(next(&rig, &mail));
        assert_ok(outbox_due(rig.store, &due));
        if (due == INT64_MAX) {
            break;
        }
        assert_true(due - rig.now_ms >= before && due - rig.now_ms <= MS_PER_HOUR);
        before = due - rig.now_ms;
        assert_true(tries > 0 || before == OUTBOX_FIRST_AGAIN_MS);
        rig.now_ms = due;
        tries++;
        assert_int_equal(notices(&rig, "mail_failed"), 0);
    }
    assert_true(rig.now_ms - start >= OUTBOX_GIVE_UP_MS);
    assert_true(tries > 50 && tries < 100);
    assert_int_equal(notices(&rig, "mail_failed"), 1);
    assert_ok(outbox_announce(rig.store, STR(""), rig.now_ms));
    assert_int_equal(send_all(&rig), 0);
    rig_close(&rig);
}

TEST(a_server_that_refuses_is_asked_seldom_and_somebody_is_told_once)
{
    struct rig rig;
    struct outbox_mail mail;
    int64_t due;
    rig_open(&rig);
    assert_ok(outbox_daily(rig.store, rig.now_ms));
    assert_true(next(&rig, &mail));
    settle(&rig, &mail, OUTBOX_REFUSED);
    assert_int_equal(notices(&rig, "mail_failed"), 1);
    assert_ok(outbox_due(rig.store, &due));
    assert_int_equal(due - rig.now_ms, OUTBOX_REFUSED_AGAIN_MS);
    rig.now_ms = due;
    assert_true(next(&rig, &mail));
    settle(&rig, &mail, OUTBOX_REFUSED);
    assert_int_equal(notices(&rig, "mail_failed"), 1);
    rig.now_ms += OUTBOX_GIVE_UP_MS;
    assert_true(next(&rig, &mail));
    settle(&rig, &mail, OUTBOX_SENT);
    settle(&rig, &mail, OUTBOX_LATER); /* it stays sent */
    assert_ok(outbox_due(rig.store, &due));
    assert_true(due == INT64_MAX);
    rig_close(&rig);
}

TEST(what_waits_is_announced_without_a_word_of_what_it_is_and_once_an_hour)
{
    struct rig rig;
    struct outbox_mail mail;
    rig_open(&rig);
    (void)with_address(&rig, "Dina Dale", "dsl", "dina@oak.example"); /* has no account */
    give_notice(&rig, NOTICE_broke_glass, STR(""));
    give_notice(&rig, NOTICE_sealed_glass, school_id(&rig.head));
    assert_ok(outbox_announce(rig.store, STR("https://lodge.oak.example"), rig.now_ms));
    assert_ok(outbox_announce(rig.store, STR("https://lodge.oak.example"), rig.now_ms));
    assert_true(next(&rig, &mail));
    assert_str_eq(mail.subject, STR("Something waits for you in Lodge"));
    assert_true(says(&mail, "Oak Primary. Sign in to read it at https://lodge.oak.example.\n"));
    assert_false(says(&mail, "credential") || says(&mail, "Hanna"));
    assert_int_equal(send_all(&rig), 2);
    rig.now_ms += MS_PER_MINUTE;
    give_notice(&rig, NOTICE_broke_glass, STR(""));
    assert_ok(outbox_announce(rig.store, STR(""), rig.now_ms));
    assert_int_equal(send_all(&rig), 0);
    rig.now_ms += OUTBOX_BUNDLE_MS;
    assert_int_equal(send_all(&rig), 2);
    rig_close(&rig);
}

TEST(a_notice_from_before_mail_was_set_up_is_not_announced)
{
    struct rig rig;
    rig_open(&rig);
    give_notice(&rig, NOTICE_broke_glass, STR(""));
    rig.now_ms += 2 * (int64_t)MS_PER_DAY;
    assert_ok(outbox_announce(rig.store, STR(""), rig.now_ms));
    assert_int_equal(send_all(&rig), 0);
    rig_close(&rig);
}

TESTS_MAIN(unit(U18_each_day_the_head_is_mailed_where_the_chain_of_acts_ends),
           unit(a_school_without_acts_or_without_a_head_mails_nothing),
           unit(nobody_who_has_left_or_has_no_address_is_written_to),
           unit(a_mail_is_tried_again_later_and_later_until_it_is_given_up),
           unit(a_server_that_refuses_is_asked_seldom_and_somebody_is_told_once),
           unit(what_waits_is_announced_without_a_word_of_what_it_is_and_once_an_hour),
           unit(a_notice_from_before_mail_was_set_up_is_not_announced))
