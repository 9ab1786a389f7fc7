/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of a school's records its gate is told. */
#include "records/publish.h"

#include "base/clock.h"
#include "lib/policy.h"
#include "lib/put.h"
#include "lib/store.h"
#include "policy/decide.h"

#define MEMBERS                                                                \
    ",'members':[{'group':'ks1','kind':'pupil','years':['1','2']},"            \
    "{'group':'ks2','kind':'pupil'},{'group':'teachers','roles':['teacher']}," \
    "{'group':'visitors','kind':'visitor'}]"

enum { TEXT_MAX = 1 << 20 };

struct school {
    struct test_store at;
    struct buf policy;
    struct published published;
    struct state *state; /* of what was published last */
    struct policy *parsed;
};

static const struct str SCHOOL = STR_INIT("school-1");

static void begin(struct school *school)
{
    assert_ok(store_begin(school->at.store, SCHOOL, STORE_WRITE));
}

static void put(struct school *school, const char *name, const char *id, const char *state,
                const char *fields)
{
    begin(school);
    test_put(school->at.store, SCHOOL, name, id, state, fields);
    assert_ok(store_commit(school->at.store));
}

static void put_account(struct school *school, const char *person, const char *log_on,
                        bool one_time)
{
    const struct store_value values[] = {
        store_text(str_from(log_on)), store_text(SCHOOL),           store_text(str_from(person)),
        store_text(STR("")),          store_text(str_from(log_on)), store_text(str_from(log_on)),
        store_text(STR("$hash$")),    store_number(one_time),       store_number(1),
        store_text(STR("maker"))};
    begin(school);
    assert_ok(store_run(school->at.store, STATEMENT_ACCOUNT_ADD, values, 10, NULL));
    assert_ok(store_commit(school->at.store));
}

static void set_account(struct school *school, const char *id, const char *state)
{
    const struct store_value values[] = {store_text(SCHOOL), store_text(str_from(id)),
                                         store_text(str_from(state)), store_number(2),
                                         store_text(STR("maker"))};
    begin(school);
    assert_ok(store_run(school->at.store, STATEMENT_ACCOUNT_SET_STATE, values, 5, NULL));
    assert_ok(store_commit(school->at.store));
}

static void add_school(struct store *store, const char *id, const char *name)
{
    const struct store_value values[] = {store_text(str_from(id)), store_text(str_from(name)),
                                         store_text(STR("primary")), store_text(STR("")),
                                         store_number(1)};
    assert_ok(store_begin(store, STR(""), STORE_WRITE));
    assert_ok(store_run(store, STATEMENT_SCHOOL_ADD, values, 5, NULL));
    assert_ok(store_commit(store));
}

static void open_school(struct school *school)
{
    *school = (struct school){0};
    test_store_open(&school->at);
    add_school(school->at.store, "school-1", "St Invented");
    buf_init(&school->policy, TEXT_MAX);
    test_document(&(struct test_policy){.more = MEMBERS}, &school->policy);
    const struct store_value values[] = {
        store_text(SCHOOL), store_number(1),     store_text(buf_str(&school->policy)),
        store_number(1),    store_text(STR("")), store_text(STR("the first"))};
    begin(school);
    assert_ok(store_run(school->at.store, STATEMENT_POLICY_ADD, values, 6, NULL));
    assert_ok(store_commit(school->at.store));
}

static int64_t utc(const char *text)
{
    struct civil civil;
    assert_ok(civil_parse(str_from(text), &civil));
    return civil_to_ms(&civil);
}

/* A class log-on that an adult runs on a device, and is called as this is; the account as they are.
 */
static void supervise(struct school *school, const char *person, const char *group,
                      const char *device, const char *until)
{
    const struct store_value values[] = {store_text(SCHOOL),           store_text(str_from(device)),
                                         store_text(str_from(group)),  store_text(str_from(person)),
                                         store_text(str_from(person)), store_number(1),
                                         store_number(utc(until))};
    const struct store_value held[] = {store_text(SCHOOL), store_text(str_from(device)),
                                       store_text(str_from(device))};
    put_account(school, person, person, false);
    begin(school);
    assert_ok(store_run(school->at.store, STATEMENT_SUPERVISION_ADD, values, 7, NULL));
    assert_ok(store_run(school->at.store, STATEMENT_SUPERVISION_DEVICE_ADD, held, 3, NULL));
    assert_ok(store_commit(school->at.store));
}

static void forget(struct school *school)
{
    state_free(school->state);
    policy_free(school->parsed);
    published_fini(&school->published);
    school->state = NULL;
    school->parsed = NULL;
}

static void close_school(struct school *school)
{
    forget(school);
    buf_fini(&school->policy);
    test_store_close(&school->at);
}

/* Publishes, and opens what was published as the gate does. */
static void publish(struct school *school, const char *when)
{
    struct buf why = {0};
    forget(school);
    published_init(&school->published);
    assert_ok(publish_read(school->at.store, SCHOOL, STR(""), utc(when), &school->published));
    buf_init(&why, TEXT_MAX);
    assert_ok(policy_parse(buf_str(&school->published.policy), &school->parsed, &why));
    buf_fini(&why);
    for (size_t i = 0; i < school->published.state.len; i++) {
        assert_int_not_equal(school->published.state.p[i], '\'');
    }
    school->state = test_state(buf_cstr(&school->published.state));
}

/* The group of a person by id at the gate; empty: nobody. */
static struct str group_of(const struct school *school, const char *person)
{
    struct policy_images images = {.policy = school->parsed, .state = school->state};
    struct policy_subject subject;
    return policy_identify_person(&images, str_from(person), utc("2026-11-23T10:00Z"), &subject)
               ? policy_group_id(school->parsed, subject.group)
               : STR("");
}

static bool has_fault(const struct school *school, const char *record, const char *words)
{
    size_t i;
    json_t *fault;
    json_array_foreach(school->published.faults, i, fault)
    {
        const char *told = json_string_value(json_object_get(fault, "words"));
        if (strcmp(json_string_value(json_object_get(fault, "record")), record) == 0 &&
            strstr(told, words) != NULL) {
            return true;
        }
    }
    return false;
}

TEST(R162_people_are_in_the_group_of_their_kind_year_and_role)
{
    struct school school;
    open_school(&school);
    put(&school, "person", "p-ks1", "here", "kind=pupil year=2 name=A");
    put(&school, "person", "p-ks2", "here", "kind=pupil year=5 name=B looked_after=1");
    put(&school, "person", "p-staff", "here", "kind=staff name=C");
    put(&school, "person", "p-other", "here", "kind=staff name=D");
    put(&school, "person", "p-left", "left", "kind=pupil year=2 name=E");
    put(&school, "person", "p-parent", "here", "kind=parent name=F");
    put(&school, "post", "po-1", "", "person=p-staff role=teacher from=2026-09-01");
    publish(&school, "2026-11-23T10:00Z");
    assert_str_eq(group_of(&school, "p-ks1"), STR("ks1"));
    assert_str_eq(group_of(&school, "p-ks2"), STR("ks2"));
    assert_str_eq(group_of(&school, "p-staff"), STR("teachers"));
    assert_str_eq(group_of(&school, "p-other"), STR("")); /* no post */
    assert_str_eq(group_of(&school, "p-left"), STR(""));
    assert_str_eq(group_of(&school, "p-parent"), STR(""));
    /* Nothing that reveals a need, a family or a name leaves the records. */
    assert_int_equal(str_find(buf_str(&school.published.state), STR("looked")),
                     school.published.state.len);
    assert_int_equal(str_find(buf_str(&school.published.state), STR("name")),
                     school.published.state.len);
    close_school(&school);
}

TEST(a_membership_of_a_group_of_the_policy_comes_first_while_it_lasts)
{
    struct school school;
    open_school(&school);
    put(&school, "person", "p-1", "here", "kind=pupil year=5");
    put(&school, "person", "p-2", "here", "kind=pupil year=5");
    put(&school, "group", "g-1", "", "name=Net kind=network policy_group=ks1");
    put(&school, "group", "g-2", "", "name=Class kind=class policy_group=ks1");
    put(&school, "group", "g-3", "", "name=Wrong kind=network policy_group=nowhere");
    put(&school, "membership", "m-1", "",
        "person=p-1 group=g-1 kind=member from=2026-09-01 until=2026-11-23");
    put(&school, "membership", "m-2", "", "person=p-2 group=g-2 kind=member from=2026-09-01");
    put(&school, "membership", "m-3", "", "person=p-2 group=g-3 kind=member from=2026-09-01");
    publish(&school, "2026-11-23T23:59Z");
    assert_str_eq(group_of(&school, "p-1"), STR("ks1"));
    assert_str_eq(group_of(&school, "p-2"), STR("ks2"));
    assert_true(has_fault(&school, "g-3", "no group of this name"));
    assert_int_equal(school.published.next_ms, utc("2026-11-24T00:00Z"));
    publish(&school, "2026-11-24T00:00Z");
    assert_str_eq(group_of(&school, "p-1"), STR("ks2"));
    close_school(&school);
}

TEST(a_post_drops_out_at_the_schools_midnight)
{
    struct school school;
    open_school(&school);
    put(&school, "person", "p-1", "here", "kind=staff");
    put(&school, "post", "po-1", "", "person=p-1 role=teacher from=2026-07-01 until=2026-07-10");
    publish(&school, "2026-06-30T22:59Z");
    assert_str_eq(group_of(&school, "p-1"), STR(""));
    publish(&school, "2026-06-30T23:00Z"); /* summer time */
    assert_str_eq(group_of(&school, "p-1"), STR("teachers"));
    assert_int_equal(school.published.next_ms, utc("2026-07-01T23:00Z"));
    publish(&school, "2026-07-10T22:59Z");
    assert_str_eq(group_of(&school, "p-1"), STR("teachers"));
    publish(&school, "2026-07-10T23:00Z");
    assert_str_eq(group_of(&school, "p-1"), STR(""));
    close_school(&school);
}

TEST(log_ons_and_passwords_are_those_of_accounts_that_may_sign_in)
{
    struct school school;
    open_school(&school);
    put(&school, "person", "p-1", "here", "kind=pupil");
    put(&school, "person", "p-2", "here", "kind=pupil");
    put(&school, "person", "p-3", "here", "kind=pupil");
    put(&school, "person", "p-4", "here", "kind=pupil");
    put(&school, "person", "p-5", "left", "kind=pupil");
    put_account(&school, "p-1", "zoe", false);
    put_account(&school, "p-2", "amara", false);
    put_account(&school, "p-3", "fresh", true); /* a one-time password */
    put_account(&school, "p-4", "off", false);
    put_account(&school, "p-5", "gone", false);
    set_account(&school, "off", "disabled");
    publish(&school, "2026-11-23T10:00Z");
    assert_str_eq(buf_str(&school.published.passwords), STR("amara:$hash$\nzoe:$hash$\n"));
    assert_str_eq(group_of(&school, "amara"), STR("ks2"));
    assert_str_eq(group_of(&school, "off"), STR(""));
    assert_str_eq(group_of(&school, "p-4"), STR("ks2")); /* whose device is theirs still */
    assert_str_eq(group_of(&school, "gone"), STR(""));
    set_account(&school, "zoe", "compromised");
    publish(&school, "2026-11-23T10:00Z");
    assert_str_eq(buf_str(&school.published.passwords), STR("amara:$hash$\n"));
    close_school(&school);
}

TEST(a_log_on_like_an_id_is_left_out_and_told)
{
    struct school school;
    open_school(&school);
    put(&school, "person", "abcdefghijklmnopqrstuvwxyz", "here", "kind=pupil");
    put(&school, "person", "p-2", "here", "kind=pupil");
    put_account(&school, "p-2", "abcdefghijklmnopqrstuvwxyz", false);
    publish(&school, "2026-11-23T10:00Z");
    assert_int_equal(school.published.passwords.len, 0);
    assert_true(has_fault(&school, "p-2", "user name"));
    close_school(&school);
}

TEST(R230_an_agreement_counts_with_its_date_and_the_parents)
{
    struct school school;
    open_school(&school);
    put(&school, "person", "p-1", "here", "kind=pupil");
    put(&school, "person", "p-2", "here", "kind=pupil");
    put(&school, "person", "p-3", "here", "kind=pupil");
    put(&school, "agreement", "a-1", "", "person=p-1 signed=2025-09-01 parent=0 until=2026-08-31");
    put(&school, "agreement", "a-2", "", "person=p-1 signed=2026-09-01 parent=1 until=2027-08-31");
    put(&school, "agreement", "a-3", "", "person=p-2 signed=2025-09-01 parent=1 until=2026-08-31");
    put(&school, "agreement", "a-4", "",
        "person=p-3 signed=2026-12-01 parent=1 until=2027-08-31"); /* not yet */
    publish(&school, "2026-11-23T10:00Z");
    const struct str state = buf_str(&school.published.state);
    assert_int_not_equal(
        str_find(state, STR("{\"id\":\"p-1\",\"group\":\"ks2\",\"agreement\":{\"signed\":true,"
                            "\"current\":true,\"parent\":true,\"until\":\"2027-08-31T23:00:00.000Z"
                            "\"}}")),
        state.len);
    assert_int_not_equal(str_find(state, STR("{\"id\":\"p-2\",\"group\":\"ks2\",\"agreement\":{"
                                             "\"signed\":true,\"current\":false")),
                         state.len);
    assert_int_not_equal(str_find(state, STR("{\"id\":\"p-3\",\"group\":\"ks2\"}")), state.len);
    close_school(&school);
}

TEST(R201_a_suspension_holds_on_its_days)
{
    struct school school;
    open_school(&school);
    put(&school, "person", "p-1", "here", "kind=pupil");
    put(&school, "person", "p-2", "left", "kind=pupil");
    put(&school, "suspension", "s-1", "", "person=p-1 from=2026-11-23 until=2026-11-24");
    put(&school, "suspension", "s-2", "", "person=p-2 from=2026-11-23 until=2026-11-24");
    publish(&school, "2026-11-22T23:59Z");
    const struct str none = STR("\"suspensions\":[]");
    assert_int_not_equal(str_find(buf_str(&school.published.state), none),
                         school.published.state.len);
    publish(&school, "2026-11-23T00:00Z");
    const struct str one = STR("\"suspensions\":[{\"id\":\"s-1\",\"person\":\"p-1\",\"until\":"
                               "\"2026-11-25T00:00:00.000Z\"}]");
    assert_int_not_equal(str_find(buf_str(&school.published.state), one),
                         school.published.state.len);
    close_school(&school);
}

TEST(devices_are_known_by_address_owner_and_class)
{
    static const struct {
        const char *address;
        enum known known;
        const char *group, *person;
    } cases[] = {
        {"192.0.2.1", KNOWN_OWNER, "ks2", "p-1"},
        {"192.0.2.2", KNOWN_CLASS, "ks1", ""},
        {"192.0.2.3", KNOWN_NOBODY, "visitors", ""}, /* whose owner has left */
        {"192.0.2.4", KNOWN_NOBODY, "visitors", ""}, /* lost */
    };
    struct school school;
    open_school(&school);
    put(&school, "person", "p-1", "here", "kind=pupil");
    put(&school, "person", "p-2", "left", "kind=pupil");
    put(&school, "person", "p-3", "here", "kind=staff");
    put(&school, "post", "po-1", "", "person=p-3 role=teacher from=2026-09-01");
    put(&school, "group", "g-1", "", "kind=network policy_group=ks1");
    put(&school, "device", "d-1", "in_use", "tag=1 address=192.0.2.1 owner=p-1");
    put(&school, "device", "d-2", "in_use",
        "tag=2 address=192.0.2.2 class_log_on=year-2 class_group=g-1");
    supervise(&school, "p-3", "g-1", "d-2", "2026-11-23T23:59:30Z");
    put(&school, "device", "d-3", "in_use", "tag=3 address=192.0.2.3 owner=p-2");
    put(&school, "device", "d-4", "lost", "tag=4 address=192.0.2.4 owner=p-1");
    put(&school, "device", "d-5", "isolated", "tag=5 address=192.0.2.5");
    publish(&school, "2026-11-23T10:00Z");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct policy_images images = {.policy = school.parsed, .state = school.state};
        struct policy_subject subject;
        struct addr addr;
        assert_ok(addr_parse(str_from(cases[i].address), &addr));
        (void)policy_identify(&images, STR(""), &addr, utc("2026-11-23T23:59Z"), &subject);
        assert_int_equal(subject.known, cases[i].known);
        assert_str_eq(policy_group_id(school.parsed, subject.group), str_from(cases[i].group));
        assert_str_eq(subject.person, str_from(cases[i].person));
    }
    const struct str isolated = STR("\"isolated\":[{\"id\":\"d-5\",\"device\":\"d-5\"");
    assert_int_not_equal(str_find(buf_str(&school.published.state), isolated),
                         school.published.state.len);
    assert_int_equal(json_array_size(school.published.faults), 0);
    close_school(&school);
}

/* Who is at an address, at a time, and beside whom. */
static void assert_known(const struct school *school, const char *address, const char *when,
                         enum known known, const char *supervisor)
{
    struct policy_images images = {.policy = school->parsed, .state = school->state};
    struct policy_subject subject;
    struct addr addr;
    assert_ok(addr_parse(str_from(address), &addr));
    (void)policy_identify(&images, STR(""), &addr, utc(when), &subject);
    if (subject.known != known) {
        fail_msg("%s at %s: %d", address, when, (int)subject.known);
    }
    assert_str_eq(subject.supervisor, str_from(known == KNOWN_CLASS ? supervisor : ""));
}

TEST(R85_a_class_log_on_is_published_only_while_its_adult_is_there_and_may_sign_in)
{
    static const struct {
        const char *device, *person, *group;
        const char *account; /* its state */
        enum known known;
    } cases[] = {
        {"192.0.2.2", "p-2", "g-1", "active", KNOWN_CLASS},
        {"192.0.2.3", "p-3", "g-1", "disabled", KNOWN_NOBODY},
        {"192.0.2.4", "p-4", "g-1", "compromised", KNOWN_NOBODY},
        {"192.0.2.5", "p-5", "g-1", "active", KNOWN_NOBODY}, /* has left */
        {"192.0.2.6", "p-6", "g-2", "active", KNOWN_NOBODY}, /* the device went to another class */
        {"192.0.2.7", "p-7", "g-1", "active", KNOWN_NOBODY}, /* is no adult of the school's */
    };
    struct school school;
    open_school(&school);
    put(&school, "group", "g-1", "", "kind=class policy_group=ks1");
    put(&school, "group", "g-2", "", "kind=class policy_group=ks1");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char fields[128];
        char post[16];
        bool left = str_eq(str_from(cases[i].person), STR("p-5"));
        bool visitor = str_eq(str_from(cases[i].person), STR("p-7"));
        put(&school, "person", cases[i].person, left ? "left" : "here",
            visitor ? "kind=visitor" : "kind=staff");
        snprintf(post, sizeof(post), "post-%zu", i);
        snprintf(fields, sizeof(fields), "person=%s role=%s from=2026-09-01", cases[i].person,
                 visitor ? "governor" : "teacher");
        put(&school, "post", post, "", fields);
        snprintf(fields, sizeof(fields), "tag=%zu address=%s class_log_on=y2 class_group=g-1", i,
                 cases[i].device);
        put(&school, "device", cases[i].device, "in_use", fields);
        supervise(&school, cases[i].person, cases[i].group, cases[i].device, "2026-11-23T11:00Z");
        set_account(&school, cases[i].person, cases[i].account);
    }
    publish(&school, "2026-11-23T10:00Z");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_known(&school, cases[i].device, "2026-11-23T10:59Z", cases[i].known,
                     cases[i].person);
        assert_known(&school, cases[i].device, "2026-11-23T11:00Z", KNOWN_NOBODY, "");
    }
    publish(&school, "2026-11-23T11:00Z");
    const struct str class = STR("\"class\"");
    assert_int_equal(str_find(buf_str(&school.published.state), class), school.published.state.len);
    assert_int_equal(json_array_size(school.published.faults), 0);
    close_school(&school);
}

TEST(a_device_that_the_gate_cannot_take_is_told_and_keeps_nothing_else_back)
{
    static const struct {
        const char *id, *fields, *want;
    } cases[] = {
        {"d-1", "tag=1 address=10.0.2", "address is none"},
        {"d-3", "tag=3 address=2001:db8:0::7", "same address"},
        {"d-4", "tag=4 owner=p-1 class_log_on=y2 class_group=g-1", "Keep one of them"},
        {"d-5", "tag=5 class_log_on=y/2 class_group=g-1", "letters, digits"},
        {"d-6", "tag=6 class_log_on=y2", "group of the policy"},
        {"d-7", "tag=7 class_log_on=y2 class_group=g-2", "group of pupils"},
    };
    struct school school;
    open_school(&school);
    put(&school, "person", "p-1", "here", "kind=pupil");
    put(&school, "group", "g-1", "", "kind=network policy_group=ks1");
    put(&school, "group", "g-2", "", "kind=class policy_group=teachers");
    put(&school, "device", "d-2", "in_use", "tag=2 address=2001:db8::7 owner=p-1");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        put(&school, "device", cases[i].id, "in_use", cases[i].fields);
    }
    publish(&school, "2026-11-23T10:00Z");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (!has_fault(&school, cases[i].id, cases[i].want)) {
            fail_msg("%s: no fault says \"%s\"", cases[i].id, cases[i].want);
        }
    }
    assert_int_equal(json_array_size(school.published.faults), sizeof(cases) / sizeof(cases[0]));
    assert_str_eq(group_of(&school, "p-1"), STR("ks2"));
    close_school(&school);
}

TEST(faults_are_kept_until_the_next_publishing)
{
    struct school school;
    json_t *faults = NULL;
    open_school(&school);
    put(&school, "device", "d-1", "in_use", "tag=1 address=10.0.2");
    publish(&school, "2026-11-23T10:00Z");
    for (int i = 0; i < 2; i++) { /* the second time they take the first ones' place */
        assert_ok(publish_note(school.at.store, SCHOOL, school.published.faults, 7));
    }
    assert_ok(store_begin(school.at.store, SCHOOL, STORE_READ));
    assert_ok(publish_faults(school.at.store, SCHOOL, &faults));
    assert_int_equal(json_array_size(faults), 1);
    assert_string_equal(json_string_value(json_object_get(json_array_get(faults, 0), "record")),
                        "d-1");
    json_decref(faults);
    store_rollback(school.at.store);
    close_school(&school);
}

TEST(without_a_policy_nothing_is_published_and_a_given_one_comes_first)
{
    struct school school;
    struct published published;
    open_school(&school);
    add_school(school.at.store, "school-2", "Another");
    published_init(&published);
    assert_ok(publish_read(school.at.store, STR("school-2"), STR(""), 0, &published));
    assert_int_equal(published.policy.len + published.state.len + published.passwords.len, 0);
    assert_ok(publish_read(school.at.store, STR("school-2"), buf_str(&school.policy),
                           utc("2026-11-23T10:00Z"), &published));
    assert_str_eq(buf_str(&published.policy), buf_str(&school.policy));
    assert_true(published.state.len != 0);
    published_fini(&published);
    close_school(&school);
}

/* ---- memory that runs out ---- */

static size_t n_left;

static void *scarce(size_t n)
{
    if (n_left == 0) {
        return NULL;
    }
    n_left--;
    return malloc(n);
}

static void put_some_of_all(struct school *school)
{
    put(school, "person", "p-1", "here", "kind=pupil year=5");
    put(school, "person", "p-2", "here", "kind=staff");
    put_account(school, "p-1", "ada", false);
    put_account(school, "p-2", "bad name", false);
    put(school, "post", "po-1", "", "person=p-2 role=teacher from=2026-09-01");
    put(school, "group", "g-1", "", "name=Net kind=network policy_group=ks1");
    put(school, "group", "g-2", "", "name=Wrong kind=network policy_group=nowhere");
    put(school, "membership", "m-1", "", "person=p-1 group=g-1 kind=member from=2026-09-01");
    put(school, "membership", "m-2", "", "person=p-1 group=g-2 kind=member from=2026-09-01");
    put(school, "agreement", "a-1", "", "person=p-1 signed=2026-09-01 until=2027-08-31 parent=1");
    put(school, "suspension", "s-1", "", "person=p-1 from=2026-11-01 until=2026-12-01");
    put(school, "device", "d-1", "in_use", "tag=1 kind=laptop address=10.0.2.17 owner=p-1");
    put(school, "device", "d-2", "isolated", "tag=2 kind=laptop address=nowhere");
    put(school, "device", "d-3", "in_use", "tag=3 kind=tablet class_log_on=year2 class_group=g-1");
    supervise(school, "p-2", "g-1", "d-3", "2026-11-23T11:00Z");
}

TEST(what_does_not_fit_into_memory_is_not_published_by_halves)
{
    struct school school;
    struct buf whole = {0};
    size_t at = 0;
    enum err err;
    open_school(&school);
    put_some_of_all(&school);
    publish(&school, "2026-11-23T10:00Z");
    buf_init(&whole, TEXT_MAX);
    buf_append(&whole, buf_str(&school.published.state));
    buf_append(&whole, buf_str(&school.published.passwords));
    size_t n_faults = json_array_size(school.published.faults);
    assert_int_not_equal(n_faults, 0);
    do {
        struct buf got = {0};
        forget(&school);
        n_left = at++;
        json_set_alloc_funcs(scarce, free);
        published_init(&school.published);
        err = publish_read(school.at.store, SCHOOL, STR(""), utc("2026-11-23T10:00Z"),
                           &school.published);
        json_set_alloc_funcs(malloc, free);
        buf_init(&got, TEXT_MAX);
        buf_append(&got, buf_str(&school.published.state));
        buf_append(&got, buf_str(&school.published.passwords));
        if (err == ERR_OK) {
            assert_str_eq(buf_str(&got), buf_str(&whole));
            assert_int_equal(json_array_size(school.published.faults), n_faults);
        }
        buf_fini(&got);
    } while (err != ERR_OK);
    assert_true(at > 100); /* it did run out */
    buf_fini(&whole);
    close_school(&school);
}

TEST(a_gate_serves_the_only_school_or_the_one_it_names)
{
    struct test_store at;
    struct arena arena;
    struct str id;
    test_store_open(&at);
    arena_init(&arena, 1 << 16);
    assert_ok(store_begin(at.store, STR(""), STORE_READ));
    assert_err(publish_school(at.store, &arena, STR("school"), &id), ERR_NOT_FOUND);
    store_rollback(at.store);
    add_school(at.store, "school-1", "St Invented");
    assert_ok(store_begin(at.store, STR(""), STORE_READ));
    assert_ok(publish_school(at.store, &arena, STR("school"), &id));
    assert_str_eq(id, STR("school-1"));
    store_rollback(at.store);
    add_school(at.store, "school-2", "Another");
    assert_ok(store_begin(at.store, STR(""), STORE_READ));
    assert_err(publish_school(at.store, &arena, STR("school"), &id), ERR_NOT_FOUND);
    assert_ok(publish_school(at.store, &arena, STR("Another"), &id));
    assert_str_eq(id, STR("school-2"));
    store_rollback(at.store);
    arena_fini(&arena);
    test_store_close(&at);
}

TESTS_MAIN(unit(R162_people_are_in_the_group_of_their_kind_year_and_role),
           unit(a_membership_of_a_group_of_the_policy_comes_first_while_it_lasts),
           unit(a_post_drops_out_at_the_schools_midnight),
           unit(log_ons_and_passwords_are_those_of_accounts_that_may_sign_in),
           unit(a_log_on_like_an_id_is_left_out_and_told),
           unit(R230_an_agreement_counts_with_its_date_and_the_parents),
           unit(R201_a_suspension_holds_on_its_days),
           unit(devices_are_known_by_address_owner_and_class),
           unit(R85_a_class_log_on_is_published_only_while_its_adult_is_there_and_may_sign_in),
           unit(a_device_that_the_gate_cannot_take_is_told_and_keeps_nothing_else_back),
           unit(faults_are_kept_until_the_next_publishing),
           unit(without_a_policy_nothing_is_published_and_a_given_one_comes_first),
           unit(what_does_not_fit_into_memory_is_not_published_by_halves),
           unit(a_gate_serves_the_only_school_or_the_one_it_names))
