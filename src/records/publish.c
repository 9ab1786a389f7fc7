/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a school's records to its gate: reading, and what holds for people. Devices are in
 * publish_devices.c. */
#include "records/publish.h"

#include <stdlib.h>

#include "base/clock.h"
#include "crypto/secret.h"
#include "policy/state.h"
#include "records/actor.h"
#include "records/publish_impl.h"
#include "store/attempt.h"
#include "wire/addr.h"

enum { WHY_MAX = 64 * 1024, DAY_CHARS = 10, RETRY_MS = MS_PER_HOUR };

void published_init(struct published *published)
{
    *published = (struct published){.faults = json_array()};
    buf_init(&published->policy, PUBLISH_BYTES_MAX);
    buf_init(&published->state, PUBLISH_BYTES_MAX);
    buf_init(&published->passwords, PUBLISH_BYTES_MAX);
}

void published_fini(struct published *published)
{
    if (published->passwords.p != NULL) {
        secret_wipe(published->passwords.p, published->passwords.cap);
    }
    buf_fini(&published->policy);
    buf_fini(&published->state);
    buf_fini(&published->passwords);
    json_decref(published->faults);
    published->faults = NULL;
}

enum err publish_school(struct store *store, struct arena *arena, struct str name,
                        struct str *ret_school)
{
    struct store_rows *rows;
    struct str only = {0};
    struct str named = {0};
    size_t n = 0;
    enum err err;
    ERR_TRY(store_query(store, STATEMENT_SCHOOLS, NULL, 0, &rows));
    while (store_rows_next(rows, &err)) {
        only = arena_dup(arena, store_rows_bytes(rows, 0));
        named = str_eq(store_rows_bytes(rows, 1), name) ? only : named;
        n++;
    }
    store_rows_free(rows);
    ERR_TRY(err);
    *ret_school = n == 1 ? only : named;
    return ret_school->len != 0 ? ERR_OK : arena->failed ? ERR_MEMORY : ERR_NOT_FOUND;
}

void publish_fault(struct publishing *publishing, const char *of, struct str record,
                   struct str person, const char *words)
{
    publish_add(publishing, publishing->published->faults,
                json_pack("{s:s, s:o, s:o, s:s}", "register", of, "record", publish_text(record),
                          "person", publish_text(person), "words", words));
}

json_t *publish_text(struct str text)
{
    return json_stringn(text.p != NULL ? text.p : "", text.len);
}

void publish_put(struct publishing *publishing, json_t *object, struct str key, json_t *value)
{
    bool put = json_object_setn_new(object, key.p != NULL ? key.p : "", key.len, value) == 0;
    publishing->short_of_memory = publishing->short_of_memory || !put;
}

void publish_add(struct publishing *publishing, json_t *array, json_t *value)
{
    bool added = json_array_append_new(array, value) == 0;
    publishing->short_of_memory = publishing->short_of_memory || !added;
}

json_t *publish_day_end(struct publishing *publishing, struct str day)
{
    struct civil civil;
    char text[CIVIL_TEXT_MAX];
    if (civil_parse(day, &civil) != ERR_OK) {
        return NULL;
    }
    int64_t days = civil_days(civil.year, civil.month, civil.day);
    size_t len = civil_print_utc(policy_day_begin(publishing->policy, days + 1), text);
    json_t *end = json_stringn(text, len);
    publishing->short_of_memory = publishing->short_of_memory || end == NULL;
    return end;
}

/* Calls take for each row of a statement that reads the school and its day. */
static enum err each_row(struct publishing *publishing, enum store_statement statement, bool by_day,
                         void (*take)(struct publishing *publishing, struct store_rows *rows))
{
    const struct store_value values[] = {store_text(publishing->school),
                                         store_text(publishing->today)};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(publishing->store, statement, values, by_day ? 2 : 1, &rows));
    while (store_rows_next(rows, &err)) {
        take(publishing, rows);
    }
    store_rows_free(rows);
    return err != ERR_OK ? err : publishing->short_of_memory ? ERR_MEMORY : ERR_OK;
}

static void take_post(struct publishing *publishing, struct store_rows *rows)
{
    struct str person = store_rows_bytes(rows, 0);
    json_t *roles = json_object_getn(publishing->roles, person.p, person.len);
    if (roles == NULL) {
        roles = json_array();
        publish_put(publishing, publishing->roles, person, roles);
    }
    publish_add(publishing, roles, publish_text(store_rows_bytes(rows, 1)));
}

/* The membership that began last counts. */
static void take_network(struct publishing *publishing, struct store_rows *rows)
{
    struct str person = store_rows_bytes(rows, 0);
    struct str group = store_rows_bytes(rows, 1);
    unsigned index;
    if (policy_group_find(publishing->policy, group, &index) == ERR_OK) {
        publish_put(publishing, publishing->network, person, publish_text(group));
        return;
    }
    struct str id = store_rows_bytes(rows, 2);
    if (json_object_getn(publishing->told, id.p, id.len) == NULL) {
        publish_put(publishing, publishing->told, id, json_true());
        publish_fault(publishing, "group", id, store_rows_bytes(rows, 3),
                      "The policy has no group of this name. Correct \"Its name in the policy\".");
    }
}

/* In the order of their ends: the last one counts. */
static void take_agreement(struct publishing *publishing, struct store_rows *rows)
{
    struct str person = store_rows_bytes(rows, 0);
    json_t *until = publish_day_end(publishing, store_rows_bytes(rows, 2));
    if (until == NULL) {
        return;
    }
    bool current = str_compare(store_rows_bytes(rows, 2), publishing->today) >= 0;
    bool parent = store_rows_number(rows, 1) == 1;
    publish_put(publishing, publishing->agreements, person,
                json_pack("{s:b, s:b, s:b, s:o}", "signed", 1, "current", current ? 1 : 0, "parent",
                          parent ? 1 : 0, "until", until));
}

/* ---- people ---- */

/* The id of the group that somebody is in today; NULL: none. A reference of its own. */
static json_t *place(struct publishing *publishing, struct str person, struct str kind,
                     struct str year)
{
    struct str roles[POSTS_MAX];
    const json_t *held = json_object_getn(publishing->roles, person.p, person.len);
    json_t *network = json_object_getn(publishing->network, person.p, person.len);
    struct policy_member member = {.kind = kind, .year = year, .roles = roles};
    unsigned group = 0;
    if (network != NULL) {
        return json_incref(network);
    }
    for (size_t i = 0; i < json_array_size(held) && i < POSTS_MAX; i++) {
        const json_t *role = json_array_get(held, i);
        roles[member.n_roles++] = str_make(json_string_value(role), json_string_length(role));
    }
    if (policy_place(publishing->policy, &member, &group) != ERR_OK) {
        return NULL;
    }
    json_t *placed = publish_text(policy_group_id(publishing->policy, group));
    publishing->short_of_memory = publishing->short_of_memory || placed == NULL;
    return placed;
}

/* Takes the account's log-on and hash; false where there is none or the gate cannot have it. */
static bool take_log_on(struct publishing *publishing, struct store_rows *rows, json_t *person)
{
    struct str id = store_rows_bytes(rows, 0);
    struct str log_on = store_rows_bytes(rows, 3);
    struct str hash = store_rows_bytes(rows, 4);
    if (log_on.len == 0) {
        return false;
    }
    /* One that looks like an id could be somebody else's. */
    if (!state_log_on_is_valid(log_on) || record_id_is_valid(log_on)) {
        publish_fault(publishing, "person", id, store_rows_bytes(rows, 5),
                      "Their user name cannot be used on the network: take letters, digits and "
                      "signs, no spaces and no colon.");
        return false;
    }
    publish_put(publishing, person, STR("log_on"), publish_text(log_on));
    publish_put(publishing, person, STR("credential"), json_integer(store_rows_number(rows, 6)));
    if (hash.len != 0) {
        publish_put(publishing, publishing->hashes, log_on, publish_text(hash));
    }
    return true;
}

static void take_person(struct publishing *publishing, struct store_rows *rows)
{
    struct str id = store_rows_bytes(rows, 0);
    if (json_object_getn(publishing->placed, id.p, id.len) != NULL) {
        return; /* a second account: the first one is the gate's */
    }
    json_t *group = place(publishing, id, store_rows_bytes(rows, 1), store_rows_bytes(rows, 2));
    if (group == NULL) {
        return;
    }
    json_t *person = json_pack("{s:o, s:o}", "id", publish_text(id), "group", group);
    json_t *agreement = json_object_getn(publishing->agreements, id.p, id.len);
    (void)take_log_on(publishing, rows, person);
    if (agreement != NULL) {
        publish_put(publishing, person, STR("agreement"), json_incref(agreement));
    }
    publish_put(publishing, publishing->placed, id, json_true());
    publish_add(publishing, publishing->people, person);
}

static void take_suspension(struct publishing *publishing, struct store_rows *rows)
{
    struct str person = store_rows_bytes(rows, 1);
    json_t *until = publish_day_end(publishing, store_rows_bytes(rows, 2));
    if (until == NULL || json_object_getn(publishing->placed, person.p, person.len) == NULL) {
        json_decref(until);
        return;
    }
    publish_add(publishing, publishing->suspensions,
                json_pack("{s:o, s:o, s:o}", "id", publish_text(store_rows_bytes(rows, 0)),
                          "person", publish_text(person), "until", until));
}

/* ---- who uses a device ---- */

/* The last one of a device counts; where it had another address, it may be another's by now. */
static void take_sign_in(struct publishing *publishing, struct store_rows *rows)
{
    struct str device = store_rows_bytes(rows, 0);
    struct str person = store_rows_bytes(rows, 1);
    struct addr then;
    struct addr now;
    char until[CIVIL_TEXT_MAX];
    if (json_object_getn(publishing->signed_in, device.p, device.len) != NULL ||
        json_object_getn(publishing->placed, person.p, person.len) == NULL ||
        addr_parse(store_rows_bytes(rows, 3), &then) != ERR_OK ||
        addr_parse(store_rows_bytes(rows, 4), &now) != ERR_OK || !addr_eq(&then, &now)) {
        return;
    }
    size_t len = civil_print_utc(store_rows_number(rows, 2), until);
    publish_put(publishing, publishing->signed_in, device, json_true());
    publish_add(publishing, publishing->sign_ins,
                json_pack("{s:o, s:o, s:s%}", "device", publish_text(device), "person",
                          publish_text(person), "until", until, len));
}

static enum err read_sign_ins(struct publishing *publishing, int64_t now_ms)
{
    const struct store_value values[] = {store_text(publishing->school), store_number(now_ms)};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(publishing->store, STATEMENT_PUBLISH_SIGN_INS, values, 2, &rows));
    while (store_rows_next(rows, &err)) {
        take_sign_in(publishing, rows);
    }
    store_rows_free(rows);
    return err == ERR_OK && publishing->short_of_memory ? ERR_MEMORY : err;
}

/* ---- the whole ---- */

static enum err read_records(struct publishing *publishing)
{
    ERR_TRY(each_row(publishing, STATEMENT_PUBLISH_POSTS, true, take_post));
    ERR_TRY(each_row(publishing, STATEMENT_PUBLISH_NETWORK, true, take_network));
    ERR_TRY(each_row(publishing, STATEMENT_PUBLISH_AGREEMENTS, true, take_agreement));
    ERR_TRY(each_row(publishing, STATEMENT_PUBLISH_PEOPLE, false, take_person));
    ERR_TRY(each_row(publishing, STATEMENT_PUBLISH_DEVICES, false, publish_take_device));
    return each_row(publishing, STATEMENT_PUBLISH_SUSPENSIONS, true, take_suspension);
}

static int compare_lines(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static enum err write_passwords(const struct publishing *publishing)
{
    struct buf *to = &publishing->published->passwords;
    size_t n = json_object_size(publishing->hashes);
    struct str *names = calloc(n != 0 ? n : 1, sizeof(*names));
    const char *key;
    json_t *hash;
    size_t i = 0;
    if (names == NULL) {
        return ERR_MEMORY;
    }
    json_object_foreach(publishing->hashes, key, hash)
    {
        names[i++] = str_from(key);
    }
    qsort(names, n, sizeof(*names), compare_lines);
    for (i = 0; i < n; i++) {
        const json_t *value = json_object_getn(publishing->hashes, names[i].p, names[i].len);
        buf_append(to, names[i]);
        buf_append_byte(to, ':');
        buf_append(to, str_from(json_string_value(value)));
        buf_append_byte(to, '\n');
    }
    free(names);
    return buf_err(to);
}

static enum err write_state(const struct publishing *publishing)
{
    json_t *document =
        json_pack("{s:i, s:O, s:O, s:O, s:O, s:O, s:[], s:[], s:[]}", "lodge_state", 1, "people",
                  publishing->people, "devices", publishing->devices, "sign_ins",
                  publishing->sign_ins, "suspensions", publishing->suspensions, "isolated",
                  publishing->isolated, "grants", "filtering_off", "nominated");
    char *text = document != NULL ? json_dumps(document, JSON_COMPACT) : NULL;
    json_decref(document);
    if (text == NULL) {
        return ERR_MEMORY;
    }
    buf_append(&publishing->published->state, str_from(text));
    free(text);
    return buf_err(&publishing->published->state);
}

/* The policy in force: what was given, or the store's. */
static enum err read_policy(struct publishing *publishing, struct str fixed)
{
    const struct store_value values[] = {store_text(publishing->school)};
    struct buf *to = &publishing->published->policy;
    struct store_rows *rows;
    enum err err;
    buf_append(to, fixed);
    if (fixed.len != 0) {
        return buf_err(to);
    }
    ERR_TRY(store_query(publishing->store, STATEMENT_POLICY_LAST, values, 1, &rows));
    if (store_rows_next(rows, &err)) {
        buf_append(to, store_rows_bytes(rows, 1));
    }
    store_rows_free(rows);
    return err == ERR_OK ? buf_err(to) : err;
}

static enum err parse_policy(struct publishing *publishing)
{
    struct buf why;
    buf_init(&why, WHY_MAX);
    enum err err = policy_parse(buf_str(&publishing->published->policy), &publishing->policy, &why);
    buf_fini(&why);
    return err;
}

static enum err read_all(struct publishing *publishing, struct str fixed, int64_t now_ms)
{
    char day_text[CIVIL_TEXT_MAX];
    int64_t day;
    publishing->published->next_ms = now_ms + RETRY_MS;
    publishing->now_ms = now_ms;
    ERR_TRY(read_policy(publishing, fixed));
    if (publishing->published->policy.len == 0) {
        return ERR_OK;
    }
    ERR_TRY(parse_policy(publishing));
    policy_day(publishing->policy, now_ms, &day, &publishing->published->next_ms);
    (void)civil_print_utc(day * MS_PER_DAY, day_text);
    publishing->today = str_make(day_text, DAY_CHARS);
    ERR_TRY(read_records(publishing));
    ERR_TRY(read_sign_ins(publishing, now_ms));
    ERR_TRY(write_state(publishing));
    return write_passwords(publishing);
}

enum err publish_read(struct store *store, struct str school, struct str policy, int64_t now_ms,
                      struct published *published)
{
    struct publishing publishing = {.store = store, .school = school, .published = published};
    json_t **objects[] = {&publishing.roles,  &publishing.network,  &publishing.agreements,
                          &publishing.placed, &publishing.hashes,   &publishing.told,
                          &publishing.seen,   &publishing.signed_in};
    json_t **arrays[] = {&publishing.people, &publishing.devices, &publishing.suspensions,
                         &publishing.isolated, &publishing.sign_ins};
    bool made = published->faults != NULL;
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        *objects[i] = json_object();
        made = made && *objects[i] != NULL;
    }
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        *arrays[i] = json_array();
        made = made && *arrays[i] != NULL;
    }
    enum err err = made ? store_begin(store, school, STORE_READ) : ERR_MEMORY;
    if (err == ERR_OK) {
        err = read_all(&publishing, policy, now_ms);
        store_rollback(store);
    }
    for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        json_decref(*objects[i]);
    }
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        json_decref(*arrays[i]);
    }
    policy_free(publishing.policy);
    return err;
}

/* ---- one person ---- */

static enum err place_person(struct publishing *publishing, struct str person, bool *ret_placed)
{
    const struct store_value values[] = {store_text(publishing->school), store_text(person)};
    struct store_rows *rows;
    enum err err;
    bool placed = false;
    ERR_TRY(each_row(publishing, STATEMENT_PUBLISH_POSTS, true, take_post));
    ERR_TRY(each_row(publishing, STATEMENT_PUBLISH_NETWORK, true, take_network));
    ERR_TRY(store_query(publishing->store, STATEMENT_GATE_PERSON, values, 2, &rows));
    while (store_rows_next(rows, &err)) {
        json_t *group =
            place(publishing, person, store_rows_bytes(rows, 0), store_rows_bytes(rows, 1));
        placed = placed || group != NULL;
        json_decref(group);
    }
    store_rows_free(rows);
    *ret_placed = placed;
    return err == ERR_OK && publishing->short_of_memory ? ERR_MEMORY : err;
}

static enum err places(struct publishing *publishing, struct str person, int64_t now_ms,
                       bool *ret_placed, int64_t *ret_next_ms)
{
    char day_text[CIVIL_TEXT_MAX];
    int64_t day;
    ERR_TRY(read_policy(publishing, STR("")));
    if (publishing->published->policy.len == 0) {
        *ret_placed = false;
        *ret_next_ms = now_ms;
        return ERR_OK;
    }
    ERR_TRY(parse_policy(publishing));
    policy_day(publishing->policy, now_ms, &day, ret_next_ms);
    (void)civil_print_utc(day * MS_PER_DAY, day_text);
    publishing->today = str_make(day_text, DAY_CHARS);
    return place_person(publishing, person, ret_placed);
}

enum err publish_places(struct store *store, struct str school, struct str person, int64_t now_ms,
                        bool *ret_placed, int64_t *ret_next_ms)
{
    struct published published;
    struct publishing publishing = {.store = store,
                                    .school = school,
                                    .published = &published,
                                    .roles = json_object(),
                                    .network = json_object(),
                                    .told = json_object()};
    published_init(&published);
    bool made = published.faults != NULL && publishing.roles != NULL &&
                publishing.network != NULL && publishing.told != NULL;
    enum err err = made ? places(&publishing, person, now_ms, ret_placed, ret_next_ms) : ERR_MEMORY;
    json_decref(publishing.roles);
    json_decref(publishing.network);
    json_decref(publishing.told);
    policy_free(publishing.policy);
    published_fini(&published);
    return err;
}

/* ---- faults ---- */

static struct str member_of(const json_t *fault, const char *key)
{
    const json_t *value = json_object_get(fault, key);
    return str_make(json_string_value(value), json_string_length(value));
}

static enum err note_all(struct store *store, struct str school, const json_t *faults,
                         int64_t now_ms)
{
    const struct store_value where[] = {store_text(school)};
    ERR_TRY(store_run(store, STATEMENT_PUBLISH_FAULTS_CLEAR, where, 1, NULL));
    for (size_t i = 0; i < json_array_size(faults); i++) {
        const json_t *fault = json_array_get(faults, i);
        const struct store_value values[] = {
            store_text(school),
            store_number((int64_t)i + 1),
            store_text(member_of(fault, "register")),
            store_text(member_of(fault, "record")),
            store_text(member_of(fault, "person")),
            store_text(member_of(fault, "words")),
            store_number(now_ms),
        };
        ERR_TRY(store_run(store, STATEMENT_PUBLISH_FAULT_ADD, values, 7, NULL));
    }
    return ERR_OK;
}

enum err publish_note(struct store *store, struct str school, const json_t *faults, int64_t now_ms)
{
    struct store_attempt attempt = store_attempt(store, school, STORE_WRITE);
    while (store_attempt_begin(&attempt)) {
        store_attempt_end(&attempt, note_all(store, school, faults, now_ms));
    }
    return attempt.err;
}

enum err publish_faults(struct store *store, struct str school, json_t **ret_faults)
{
    const struct store_value values[] = {store_text(school)};
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, STATEMENT_PUBLISH_FAULTS, values, 1, &rows));
    json_t *faults = json_array();
    while (store_rows_next(rows, &err)) {
        json_t *fault =
            json_pack("{s:o, s:o, s:o, s:I}", "register", publish_text(store_rows_bytes(rows, 0)),
                      "record", publish_text(store_rows_bytes(rows, 1)), "words",
                      publish_text(store_rows_bytes(rows, 3)), "noted_ms",
                      (json_int_t)store_rows_number(rows, 4));
        if (json_array_append_new(faults, fault) != 0) {
            err = ERR_MEMORY;
            break;
        }
    }
    store_rows_free(rows);
    if (err != ERR_OK) {
        json_decref(faults);
        return err;
    }
    *ret_faults = faults;
    return ERR_OK;
}
