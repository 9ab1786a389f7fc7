/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <dirent.h>
#include <string.h>

#include "lib/records.h"
#include "os/file.h"
#include "records/account_impl.h"
#include "records/audit.h"
#include "records/glass.h"
#include "records/outbox.h"
#include "records/session.h"

static enum err dispose(struct school *at, const struct actor *actor, const char *name,
                        struct record_id id, uint64_t version, const char *reason,
                        json_t **ret_faults)
{
    return engine_dispose(&at->engine, actor, school_register(name), school_id(&id), version,
                          str_from(reason), ret_faults);
}

/* How many files of the store's folder hold these bytes. */
static int files_with(const struct school *at, const char *bytes)
{
    int found = 0;
    DIR *folder = opendir(at->store.in.path);
    assert_non_null(folder);
    for (const struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        struct buf content;
        buf_init(&content, 64 << 20);
        if (file_read(at->store.folder, entry->d_name, &content) == ERR_OK) {
            found += str_find(buf_str(&content), str_from(bytes)) < content.len;
        }
        buf_fini(&content);
    }
    closedir(folder);
    return found;
}

static bool chain_is_whole(const struct school *at)
{
    struct audit_verdict verdict;
    assert_ok(store_begin(at->store.store, at->id, STORE_READ));
    assert_ok(audit_verify(at->store.store, at->id, 0, STR(""), &verdict));
    assert_ok(store_commit(at->store.store));
    return verdict.whole;
}

TEST(what_is_disposed_of_is_nowhere_and_the_chain_still_verifies)
{
    static const char *const words[] = {"xylophagous", "quixotically", "zymurgy", "brachiosaur"};
    struct school at;
    school_open(&at);
    struct actor dsl = school_person(&at, "Dora Slade", "staff", "dsl");
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    struct record_id file;
    assert_ok(engine_file_keep(&at.engine, &dsl, school_register("concern"), STR("no"),
                               STR("brachiosaur.txt"), STR("text/plain"), STR("zymurgy"), &file));
    struct record_id id = school_make(
        &at, &dsl, "concern",
        school_json("{'child': '%s', 'summary': 'Xylophagous', 'kind': 'home', 'evidence': '%s',"
                    " 'happened': '2026-05-20', 'facts': 'quixotically'}",
                    ada.text, file.text));
    json_t *input = school_json("{'summary': 'xylophagous twice'}");
    assert_ok(engine_change(&at.engine, &dsl, school_register("concern"), school_id(&id), 1, input,
                            STR("quixotically"), NULL));
    json_decref(input);
    assert_ok(dispose(&at, &dsl, "concern", id, 2, "mistake", NULL));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(files_with(&at, words[i]), 0);
    }
    json_t *record = NULL;
    assert_err(engine_get(&at.engine, &dsl, school_register("concern"), school_id(&id), &record),
               ERR_NOT_FOUND);
    struct buf sealed;
    buf_init(&sealed, 1024);
    assert_err(keys_seal(at.keys, school_id(&id), STR("facts"), STR("a"), &sealed), ERR_NOT_FOUND);
    assert_err(keys_seal(at.keys, school_id(&file), STR("name"), STR("a"), &sealed), ERR_NOT_FOUND);
    buf_fini(&sealed);
    assert_true(chain_is_whole(&at));
    school_close(&at);
}

TEST(the_search_for_words_in_files_finds_what_is_there)
{
    struct school at;
    school_open(&at);
    if (store_kind(at.store.store) == STORE_SQLITE) {
        (void)school_add(&at, "device", school_json("{'tag': 'xylophagous', 'kind': 'laptop'}"));
        assert_true(files_with(&at, "xylophagous") > 0);
    }
    school_close(&at);
}

TEST(what_refers_to_a_record_is_emptied_or_stands_in_the_way)
{
    struct school at;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    struct record_id group =
        school_add(&at, "group", school_json("{'name': '2P', 'kind': 'class'}"));
    struct record_id device = school_add(
        &at, "device", school_json("{'tag': 'T1', 'kind': 'tablet', 'owner': '%s'}", ada.text));
    struct record_id member = school_add(
        &at, "membership",
        school_json("{'person': '%s', 'group': '%s', 'kind': 'member', 'from': '2025-09-01'}",
                    ada.text, group.text));
    json_t *faults = NULL;
    assert_err(dispose(&at, &head, "person", ada, 1, "due", &faults), ERR_INVALID);
    assert_str_eq(school_text(faults, ""), STR(""));
    assert_non_null(json_object_get(faults, ""));
    json_decref(faults);
    assert_ok(dispose(&at, &head, "membership", member, 1, "due", NULL));
    assert_ok(dispose(&at, &head, "person", ada, 1, "due", NULL));
    json_t *record = school_get(&at, &head, "device", device);
    assert_true(json_is_null(school_at(record, "fields.owner")));
    assert_true(json_is_null(school_at(record, "about")));
    assert_int_equal(json_integer_value(school_at(record, "version")), 2);
    json_decref(record);
    json_t *found = NULL;
    assert_ok(engine_search(&at.engine, &head, STR("ada"), &found));
    assert_int_equal(json_array_size(json_object_get(found, "groups")), 0);
    json_decref(found);
    assert_true(chain_is_whole(&at));
    school_close(&at);
}

TEST(with_a_person_go_their_accounts_and_sessions)
{
    struct school at;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    struct record_id account;
    struct account_fault fault;
    struct buf sealed;
    const struct account_new fresh = {
        .person = school_id(&ada), .log_on = STR("xylophagous"), .hash = STR("$argon2id$zymurgy")};
    assert_ok(account_make(&at.engine, &head, &fresh, &account, &fault));
    assert_ok(keys_make(at.keys, school_id(&account)));
    assert_ok(dispose(&at, &head, "person", ada, 1, "due", NULL));
    assert_int_equal(files_with(&at, "xylophagous") + files_with(&at, "zymurgy"), 0);
    buf_init(&sealed, 1024);
    assert_err(keys_seal(at.keys, school_id(&account), STR("a"), STR("a"), &sealed), ERR_NOT_FOUND);
    buf_fini(&sealed);
    assert_true(chain_is_whole(&at));
    school_close(&at);
}

TEST(with_a_person_go_their_sign_ins_at_the_gate_and_what_was_mailed_of_them)
{
    struct school at;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    struct record_id account;
    struct account_fault fault;
    const struct account_new fresh = {
        .person = school_id(&ada), .log_on = STR("ap"), .hash = STR("$argon2id$a")};
    assert_ok(account_make(&at.engine, &head, &fresh, &account, &fault));
    const struct store_value sign_in[] = {
        store_text(STR("s1")),           store_text(at.id),
        store_text(STR("d1")),           store_text(school_id(&ada)),
        store_text(school_id(&account)), store_text(STR("password")),
        store_text(STR("10.0.0.1")),     store_number(head.now_ms),
        store_number(head.now_ms + 1),
    };
    assert_ok(store_begin(at.store.store, at.id, STORE_WRITE));
    assert_ok(store_run(at.store.store, STATEMENT_GATE_SIGN_IN_ADD, sign_in, 9, NULL));
    assert_ok(notice_add(at.store.store, &head, NOTICE_password_reset, school_id(&ada),
                         school_id(&account), STR("")));
    assert_ok(store_commit(at.store.store));
    assert_ok(outbox_announce(at.store.store, STR(""), head.now_ms));
    assert_ok(dispose(&at, &head, "person", ada, 1, "due", NULL));
    school_close(&at);
}

/* "table.column" of SQLite's file where a text holds this one, with commas behind; to be freed. */
static char *places_of(const struct school *at, const char *text)
{
    static const char columns[] =
        "SELECT m.name || '.' || c.name || ',', 'SELECT EXISTS (SELECT 1 FROM \"' || m.name || "
        "'\" WHERE instr(CAST(\"' || c.name || '\" AS TEXT), ?1))' FROM sqlite_schema m "
        "JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1";
    struct buf places;
    sqlite3 *db;
    sqlite3_stmt *all;
    sqlite3_stmt *one;
    buf_init(&places, 1 << 16);
    assert_int_equal(sqlite3_open(at->store.place, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, columns, -1, &all, NULL), SQLITE_OK);
    while (sqlite3_step(all) == SQLITE_ROW) {
        const char *sql = (const char *)sqlite3_column_text(all, 1);
        assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &one, NULL), SQLITE_OK);
        assert_int_equal(sqlite3_bind_text(one, 1, text, -1, SQLITE_STATIC), SQLITE_OK);
        assert_int_equal(sqlite3_step(one), SQLITE_ROW);
        if (sqlite3_column_int(one, 0) != 0) {
            buf_append(&places, str_from((const char *)sqlite3_column_text(all, 0)));
        }
        assert_int_equal(sqlite3_finalize(one), SQLITE_OK);
    }
    assert_int_equal(sqlite3_finalize(all), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    char *found = strdup(places.len != 0 ? buf_cstr(&places) : "");
    buf_fini(&places);
    return found;
}

static void assert_places(const struct school *at, const char *text, const char *want)
{
    if (store_kind(at->store.store) == STORE_SQLITE) {
        char *found = places_of(at, text);
        assert_string_equal(found, want);
        free(found);
    }
}

static void look_at(struct school *at, const struct actor *actor, struct record_id child)
{
    assert_ok(store_begin(at->store.store, at->id, STORE_WRITE));
    assert_ok(look_open(at->store.store, at->keys, actor, school_id(&child), STR("concern")));
    assert_ok(store_commit(at->store.store));
}

/* What other processes keep of a person: sign-ins at the gate, supervision, mails. */
static void add_rows(struct school *at, struct record_id person, struct record_id account)
{
    char sql[2048];
    bool postgres = store_kind(at->store.store) == STORE_POSTGRES;
    const char *a = account.text;
    const char *p = person.text;
    int n = snprintf(
        sql, sizeof(sql),
        "BEGIN; %s INSERT INTO gate_sign_in (id, school, device, person, account, how, client, "
        "begun_ms, until_ms) VALUES ('g', 'oak', 'd', '%s', '%s', 'password', '', 1, 2); "
        "INSERT INTO supervision (id, school, class_group, person, account, made_ms, until_ms) "
        "VALUES ('s', 'oak', 'c', '%s', '%s', 1, 2); "
        "INSERT INTO supervision_device (supervision, device, school) VALUES ('s', 'd', 'oak'); "
        "INSERT INTO outbox (id, school, kind, person, subject, body, made_ms, due_ms, state) "
        "VALUES ('o', 'oak', 'k', '%s', 'a', 'zymurgy', 1, 1, 'sent'); "
        "INSERT INTO notice (id, school, kind, about, record, words, made_ms) "
        "VALUES ('n', 'oak', 'k', '%s', '', '', 1); "
        "INSERT INTO notice_mailed (notice, school, mailed_ms) VALUES ('n', 'oak', 1); COMMIT",
        postgres ? "SET LOCAL lodge.school = '*';" : "", p, a, p, a, p, p);
    assert_true(n > 0 && n < (int)sizeof(sql));
    test_store_script(&at->store, sql);
}

/* Somebody who did all that leaves a trace; to be disposed of are the post and the person. */
static struct record_id busy_person(struct school *at, const struct actor *head,
                                    struct record_id *ret_post)
{
    struct record_id file;
    struct record_id account;
    struct session_token token;
    struct account_fault fault;
    struct record_id ben = school_somebody(at, "Ben Price", "pupil");
    struct record_id ada = school_somebody(at, "Xylophagous Price", "staff");
    *ret_post = school_add(
        at, "post",
        school_json("{'person': '%s', 'role': 'technician', 'from': '2020-09-01'}", ada.text));
    struct actor technician = school_actor(at, ada);
    const struct account_new own = {
        .person = school_id(&ada), .log_on = STR("zymurgy"), .hash = STR("$argon2id$first")};
    const struct account_new other = {
        .person = school_id(&ben), .log_on = STR("ben"), .hash = STR("$argon2id$first")};
    assert_ok(account_make(&at->engine, head, &own, &account, &fault));
    add_rows(at, ada, account);
    technician.account = school_id(&account);
    assert_ok(session_begin(&at->engine, &technician, SESSION_WHOLE, 0, &token));
    technician.account = STR("");
    assert_ok(account_make(&at->engine, &technician, &other, &account, &fault));
    assert_ok(account_reset_factors(&at->engine, &technician, school_id(&account)));
    assert_ok(glass_ask(&at->engine, &technician));
    look_at(at, &technician, ben);
    look_at(at, head, ada);
    assert_ok(engine_file_keep(&at->engine, &technician, school_register("contract"), STR("no"),
                               STR("a.txt"), STR("text/plain"), STR("letter"), &file));
    (void)school_make(at, &technician, "device", school_json("{'tag': 'T1', 'kind': 'laptop'}"));
    return ada;
}

/* docs/records.md says why each of these stays. */
TEST(of_a_person_nothing_stays_but_the_id_of_who_did_what)
{
    struct school at;
    struct record_id post;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct record_id ada = busy_person(&at, &head, &post);
    assert_ok(dispose(&at, &head, "post", post, 1, "due", NULL));
    assert_ok(dispose(&at, &head, "person", ada, 1, "due", NULL));
    assert_places(&at, "ylophagous", "");
    assert_places(&at, "zymurgy", "");
    assert_places(&at, ada.text,
                  "account.changed_by,account.made_by,act.about,act.actor,act.hidden_from,"
                  "act.record,glass.asked_by,past.person,reg_device.changed_by,"
                  "reg_device.made_by,");
    assert_int_equal(files_with(&at, "ylophagous") + files_with(&at, "zymurgy"), 0);
    school_close(&at);
}

TEST(a_disposal_needs_its_right_its_reason_and_the_version_that_was_seen)
{
    struct school at;
    school_open(&at);
    struct actor head = school_person(&at, "Hanna Dale", "staff", "head");
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    struct record_id ada = school_somebody(&at, "Ada Price", "pupil");
    struct record_id self;
    memcpy(self.text, head.person.p, RECORD_ID_CHARS + 1);
    json_t *faults = NULL;
    assert_err(dispose(&at, &office, "person", ada, 1, "due", NULL), ERR_DENIED);
    assert_err(dispose(&at, &head, "person", ada, 2, "due", NULL), ERR_CONFLICT);
    assert_err(dispose(&at, &head, "person", ada, 1, "Ada left us", &faults), ERR_INVALID);
    assert_non_null(json_object_get(faults, "reason"));
    json_decref(faults);
    assert_err(dispose(&at, &head, "person", self, 1, "due", NULL), ERR_INVALID);
    assert_ok(dispose(&at, &head, "person", ada, 1, "due", NULL));
    assert_err(dispose(&at, &head, "person", ada, 1, "due", NULL), ERR_NOT_FOUND);
    school_close(&at);
}

TEST(K9_no_file_is_taken_before_the_form_has_said_no)
{
    static const char *const answers[] = {"yes", "not_sure", "", "NO", "no "};
    struct school at;
    struct record_id id;
    school_open(&at);
    struct actor dsl = school_person(&at, "Dora Slade", "staff", "dsl");
    const struct register_def *def = school_register("concern");
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        assert_err(engine_file_keep(&at.engine, &dsl, def, str_from(answers[i]), STR("a.txt"),
                                    STR("text/plain"), STR("letter"), &id),
                   ERR_NOT_TAKEN);
    }
    struct store_value count;
    const struct store_value values[] = {store_text(at.id), store_number(INT64_MAX)};
    assert_ok(store_begin(at.store.store, at.id, STORE_READ));
    assert_err(store_row(at.store.store, STATEMENT_FILES_STALE, values, 2, &at.arena, &count, 1),
               ERR_NOT_FOUND);
    assert_ok(store_commit(at.store.store));
    school_close(&at);
}

TEST(files_are_bounded_typed_by_their_bytes_and_no_programs)
{
    static const struct {
        const char *name, *type, *bytes, *want_name, *want_type;
    } cases[] = {
        {"C:\\fakepath\\letter.pdf", "text/html", "%PDF-1.4", "letter.pdf", "application/pdf"},
        {"../../etc/passwd", "text/html", "<script>", "passwd", "text/plain; charset=utf-8"},
        {"a\r\nb\".png", "image/png", "\x01\x02", "ab.png", "application/octet-stream"},
        {"", "", "x", "file", "text/plain; charset=utf-8"},
    };
    struct school at;
    struct record_id id;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    const struct register_def *def = school_register("contract");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str name;
        struct str type;
        struct buf bytes;
        buf_init(&bytes, 1024);
        assert_ok(engine_file_keep(&at.engine, &office, def, STR("no"), str_from(cases[i].name),
                                   str_from(cases[i].type), str_from(cases[i].bytes), &id));
        struct record_id record = school_make(
            &at, &office, "contract",
            school_json("{'name': 'Contract %zu', 'kind': 'app', 'document': '%s'}", i, id.text));
        assert_ok(engine_file_read(&at.engine, &office, def, school_id(&record), STR("document"),
                                   &at.arena, &name, &type, &bytes));
        assert_str_eq(name, str_from(cases[i].want_name));
        assert_str_eq(type, str_from(cases[i].want_type));
        assert_str_eq(buf_str(&bytes), str_from(cases[i].bytes));
        buf_fini(&bytes);
    }
    static char large[ENGINE_FILE_BYTES + 1];
    assert_err(engine_file_keep(&at.engine, &office, def, STR("no"), STR("a"), STR(""),
                                str_make(large, sizeof(large)), &id),
               ERR_LIMIT);
    assert_err(engine_file_keep(&at.engine, &office, def, STR("no"), STR("a.exe"), STR(""),
                                STR("MZ"), &id),
               ERR_INVALID);
    assert_err(
        engine_file_keep(&at.engine, &office, def, STR("no"), STR("a"), STR(""), STR(""), &id),
        ERR_INVALID);
    school_close(&at);
}

TEST(a_file_is_for_whoever_sent_it_and_for_one_record)
{
    struct school at;
    struct record_id id;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    struct actor technician = school_person(&at, "Theo Wren", "staff", "technician");
    const struct register_def *def = school_register("contract");
    assert_ok(engine_file_keep(&at.engine, &office, def, STR("no"), STR("a.txt"), STR(""),
                               STR("letter"), &id));
    const struct actor *actors[] = {&technician, &office, &office};
    const enum err wants[] = {ERR_INVALID, ERR_OK, ERR_INVALID};
    for (size_t i = 0; i < 3; i++) {
        struct record_id record;
        json_t *faults = NULL;
        json_t *input = school_json("{'name': 'C', 'kind': 'app', 'document': '%s'}", id.text);
        assert_err(engine_make(&at.engine, actors[i], def, input, &record, &faults), wants[i]);
        json_decref(input);
        json_decref(faults);
    }
    school_close(&at);
}

TEST(a_file_that_no_form_took_goes_after_a_day)
{
    struct school at;
    struct record_id first;
    struct record_id second;
    school_open(&at);
    struct actor office = school_person(&at, "Olga Finch", "staff", "office");
    const struct register_def *def = school_register("contract");
    assert_ok(engine_file_keep(&at.engine, &office, def, STR("no"), STR("a.txt"), STR(""),
                               STR("letter"), &first));
    office.now_ms += MS_PER_DAY + 1;
    assert_ok(engine_file_keep(&at.engine, &office, def, STR("no"), STR("b.txt"), STR(""),
                               STR("letter"), &second));
    struct buf sealed;
    buf_init(&sealed, 1024);
    assert_err(keys_seal(at.keys, school_id(&first), STR("name"), STR("a"), &sealed),
               ERR_NOT_FOUND);
    assert_ok(keys_seal(at.keys, school_id(&second), STR("name"), STR("a"), &sealed));
    buf_fini(&sealed);
    school_close(&at);
}

TESTS_MAIN(unit(what_is_disposed_of_is_nowhere_and_the_chain_still_verifies),
           unit(the_search_for_words_in_files_finds_what_is_there),
           unit(what_refers_to_a_record_is_emptied_or_stands_in_the_way),
           unit(with_a_person_go_their_accounts_and_sessions),
           unit(with_a_person_go_their_sign_ins_at_the_gate_and_what_was_mailed_of_them),
           unit(of_a_person_nothing_stays_but_the_id_of_who_did_what),
           unit(a_disposal_needs_its_right_its_reason_and_the_version_that_was_seen),
           unit(K9_no_file_is_taken_before_the_form_has_said_no),
           unit(files_are_bounded_typed_by_their_bytes_and_no_programs),
           unit(a_file_is_for_whoever_sent_it_and_for_one_record),
           unit(a_file_that_no_form_took_goes_after_a_day))
