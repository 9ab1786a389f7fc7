/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which mails are made, what they say and to whom they go. */
#include "base/check.h"
#include "base/clock.h"
#include "crypto/hash.h"
#include "records/account_impl.h"
#include "records/audit.h"
#include "records/outbox.h"
#include "records/outbox_impl.h"
#include "records/restored.h"
#include "store/attempt.h"

enum {
    ARENA_BYTES = 1 << 20,
    TEXT_MAX = 16 * 1024,
    SWEEP_DAYS = 90,
    NEWS_DAYS = 1, /* what waits longer was there before mail was set up */
    PARTS_MAX = 8,
};

_Static_assert((int)AUDIT_HASH_BYTES == (int)SHA256_BYTES, "printed as SHA-256 is");

static const struct {
    struct str name, subject, body;
} kinds[MAIL_COUNT] = {
#define MAIL(name, subject, body) \
    [MAIL_##name] = {STR_INIT(#name), STR_INIT(subject), STR_INIT(body)},
#include "records/mail.def"
#undef MAIL
};

struct str mail_kind_name(enum mail_kind kind)
{
    CHECK(kind > MAIL_UNSET && kind < MAIL_COUNT);
    return kinds[kind].name;
}

/* What stands for a {word}. */
struct part {
    const char *name; /* NULL: the last */
    struct str value;
};

/* A school, and all that making its mails needs. */
struct making {
    struct store *store;
    struct arena *arena;
    struct str school;
    int64_t now_ms;
    struct part parts[PARTS_MAX];
};

/* ---- texts ---- */

static struct str value_of(const struct part *parts, struct str name)
{
    while (parts->name != NULL && !str_eq(str_from(parts->name), name)) {
        parts++;
    }
    CHECK(parts->name != NULL);
    return parts->value;
}

static struct str fill(const struct making *making, struct str text)
{
    struct buf to;
    buf_init(&to, TEXT_MAX);
    while (text.len != 0) {
        struct str head, word;
        bool more = str_cut(text, '{', &head, &text);
        buf_append(&to, head);
        if (more) {
            CHECK(str_cut(text, '}', &word, &text));
            buf_append(&to, value_of(making->parts, word));
        }
    }
    making->arena->failed = making->arena->failed || buf_err(&to) != ERR_OK;
    struct str made = arena_dup(making->arena, buf_str(&to));
    buf_fini(&to);
    return made;
}

static enum err add(const struct making *making, enum mail_kind kind, struct str person,
                    int64_t due_ms)
{
    struct record_id id;
    struct str subject = fill(making, kinds[kind].subject);
    struct str body = fill(making, kinds[kind].body);
    record_id_make(&id);
    const struct store_value values[] = {
        store_text(str_from(id.text)), store_text(making->school),
        store_text(kinds[kind].name),  store_text(person),
        store_text(subject),           store_text(body),
        store_number(making->now_ms),  store_number(due_ms),
    };
    return making->arena->failed ? ERR_MEMORY
                                 : store_run(making->store, STATEMENT_OUTBOX_ADD, values, 8, NULL);
}

/* The newest to this person; ERR_NOT_FOUND. */
struct last {
    bool waiting;
    int64_t made_ms;
    int64_t due_ms;
};

static enum err find_last(const struct making *making, enum mail_kind kind, struct str person,
                          struct last *ret_last)
{
    const struct store_value values[] = {store_text(making->school), store_text(person),
                                         store_text(kinds[kind].name)};
    struct store_value columns[3];
    ERR_TRY(store_row(making->store, STATEMENT_OUTBOX_LAST, values, 3, making->arena, columns, 3));
    *ret_last = (struct last){
        .waiting = str_eq(columns[0].bytes, STR("waiting")),
        .made_ms = columns[1].number,
        .due_ms = columns[2].number,
    };
    return ERR_OK;
}

/* ---- people ---- */

typedef enum err (*to_person)(const struct making *making, struct str person);

enum { PEOPLE_MAX = 256 };

static enum err each_holder(const struct making *making, enum role role, to_person visit)
{
    char day[DAY_TEXT_MAX];
    struct str today = day_print(clock_british_day(making->now_ms), day);
    const struct store_value values[] = {store_text(making->school), store_text(role_name(role)),
                                         store_text(today)};
    struct str *people = arena_array(making->arena, PEOPLE_MAX, sizeof(*people));
    struct store_rows *rows;
    size_t n = 0;
    enum err err;
    if (people == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(store_query(making->store, STATEMENT_OUTBOX_HOLDERS, values, 3, &rows));
    while (n < PEOPLE_MAX && store_rows_next(rows, &err)) {
        people[n++] = arena_dup(making->arena, store_rows_bytes(rows, 0));
    }
    store_rows_free(rows);
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        err = making->arena->failed ? ERR_MEMORY : visit(making, people[i]);
    }
    return err;
}

/* ---- where the acts end ---- */

static enum err mail_head(const struct making *making, struct str person)
{
    struct last last;
    enum err err = find_last(making, MAIL_audit_head, person, &last);
    if (err == ERR_OK && clock_british_day(last.made_ms) == clock_british_day(making->now_ms)) {
        return ERR_OK;
    }
    return err == ERR_OK || err == ERR_NOT_FOUND
               ? add(making, MAIL_audit_head, person, making->now_ms)
               : err;
}

static enum err read_school_name(const struct making *making, struct str *ret_name)
{
    const struct store_value id = store_text(making->school);
    struct store_value name;
    ERR_TRY(store_row(making->store, STATEMENT_OUTBOX_SCHOOL, &id, 1, making->arena, &name, 1));
    *ret_name = name.bytes;
    return ERR_OK;
}

static enum err sweep(const struct making *making)
{
    const struct store_value values[] = {
        store_text(making->school),
        store_number(making->now_ms - SWEEP_DAYS * (int64_t)MS_PER_DAY)};
    return store_run(making->store, STATEMENT_OUTBOX_SWEEP, values, 2, NULL);
}

static enum err daily_of(struct making *making)
{
    uint8_t hash[AUDIT_HASH_BYTES];
    char digits[SHA256_TEXT_MAX];
    char number[24];
    char day[DAY_TEXT_MAX];
    struct str name;
    int64_t seq;
    ERR_TRY(audit_head(making->store, making->school, &seq, hash));
    ERR_TRY(read_school_name(making, &name));
    sha256_print(hash, digits);
    int n = snprintf(number, sizeof(number), "%lld", (long long)seq);
    const struct part parts[] = {
        {"school", name},
        {"id", making->school},
        {"day", day_print(clock_british_day(making->now_ms), day)},
        {"number", str_make(number, (size_t)n)},
        {"hash", str_from(digits)},
        {NULL, STR("")},
    };
    memcpy(making->parts, parts, sizeof(parts));
    if (seq != 0) {
        ERR_TRY(each_holder(making, ROLE_head, mail_head));
    }
    return sweep(making);
}

/* ---- what waits ---- */

static enum err mail_waiting(const struct making *making, struct str person)
{
    const struct store_value values[] = {store_text(making->school), store_text(person)};
    struct store_value accounts;
    struct last last;
    ERR_TRY(store_row(making->store, STATEMENT_OUTBOX_MAY_SIGN_IN, values, 2, making->arena,
                      &accounts, 1));
    if (accounts.number == 0) {
        return ERR_OK;
    }
    enum err err = find_last(making, MAIL_waiting, person, &last);
    if (err == ERR_NOT_FOUND) {
        return add(making, MAIL_waiting, person, making->now_ms);
    }
    if (err != ERR_OK || last.waiting) {
        return err; /* the one that has not gone yet says it */
    }
    int64_t earliest = last.due_ms + OUTBOX_BUNDLE_MS;
    return add(making, MAIL_waiting, person, earliest > making->now_ms ? earliest : making->now_ms);
}

static enum err announce_one(const struct making *making, struct str id, struct str kind,
                             struct str about, int64_t made_ms)
{
    const struct store_value values[] = {store_text(id), store_text(making->school),
                                         store_number(making->now_ms)};
    unsigned roles = 0;
    bool mailed = making->now_ms - made_ms < NEWS_DAYS * (int64_t)MS_PER_DAY &&
                  notice_is_mailed(kind, &roles);
    enum err err = ERR_OK;
    for (enum role role = 0; mailed && err == ERR_OK && role < ROLE_COUNT; role++) {
        if ((roles & 1U << role) != 0) {
            err = each_holder(making, role, mail_waiting);
        }
    }
    if (err == ERR_OK && mailed && about.len != 0) {
        err = mail_waiting(making, about);
    }
    return err == ERR_OK ? store_run(making->store, STATEMENT_NOTICE_MAILED, values, 3, NULL) : err;
}

struct news {
    struct str id, kind, about;
    int64_t made_ms;
};
enum { NEWS_MAX = 256 }; /* the rest is announced by the next call */

static enum err announce_of(struct making *making)
{
    const struct store_value school = store_text(making->school);
    struct news *news = arena_array(making->arena, NEWS_MAX, sizeof(*news));
    struct store_rows *rows;
    size_t n = 0;
    enum err err;
    if (news == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(read_school_name(making, &making->parts[0].value));
    ERR_TRY(store_query(making->store, STATEMENT_NOTICE_UNMAILED, &school, 1, &rows));
    while (n < NEWS_MAX && store_rows_next(rows, &err)) {
        news[n++] = (struct news){arena_dup(making->arena, store_rows_bytes(rows, 0)),
                                  arena_dup(making->arena, store_rows_bytes(rows, 1)),
                                  arena_dup(making->arena, store_rows_bytes(rows, 2)),
                                  store_rows_number(rows, 3)};
    }
    store_rows_free(rows);
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        err = announce_one(making, news[i].id, news[i].kind, news[i].about, news[i].made_ms);
    }
    return err == ERR_OK && making->arena->failed ? ERR_MEMORY : err;
}

/* ---- all schools ---- */

static enum err make_of(struct making *making, struct str school,
                        enum err (*make)(struct making *making))
{
    struct store_attempt attempt = store_attempt(making->store, school, STORE_WRITE);
    struct arena arena;
    arena_init(&arena, ARENA_BYTES);
    making->school = school;
    making->arena = &arena;
    while (store_attempt_begin(&attempt)) {
        arena_reset(&arena);
        store_attempt_end(&attempt, make(making));
    }
    arena_fini(&arena);
    return attempt.err;
}

enum err outbox_daily(struct store *store, int64_t now_ms)
{
    struct making making = {.store = store, .now_ms = now_ms};
    struct arena arena;
    struct str *schools;
    size_t n;
    arena_init(&arena, ARENA_BYTES);
    enum err err = restored_schools(store, &arena, &schools, &n);
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        err = make_of(&making, schools[i], daily_of);
    }
    arena_fini(&arena);
    return err;
}

static enum err read_schools_with_news(struct store *store, struct arena *arena,
                                       struct str *schools, size_t *ret_n)
{
    struct store_rows *rows;
    size_t n = 0;
    enum err err;
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    err = store_query(store, STATEMENT_NOTICE_UNMAILED_SCHOOLS, NULL, 0, &rows);
    if (err == ERR_OK) {
        while (n < NEWS_MAX && store_rows_next(rows, &err)) {
            schools[n++] = arena_dup(arena, store_rows_bytes(rows, 0));
        }
        store_rows_free(rows);
    }
    store_rollback(store);
    *ret_n = n;
    return err == ERR_OK && arena->failed ? ERR_MEMORY : err;
}

enum err outbox_announce(struct store *store, struct str address, int64_t now_ms)
{
    struct making making = {.store = store, .now_ms = now_ms};
    struct arena arena;
    struct buf at;
    size_t n = 0;
    arena_init(&arena, ARENA_BYTES);
    buf_init(&at, TEXT_MAX);
    if (address.len != 0) {
        buf_append(&at, STR(" at "));
        buf_append(&at, address);
    }
    making.parts[0].name = "school";
    making.parts[1] = (struct part){"address", buf_str(&at)};
    struct str *schools = arena_array(&arena, NEWS_MAX, sizeof(*schools));
    enum err err =
        schools != NULL ? read_schools_with_news(store, &arena, schools, &n) : ERR_MEMORY;
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        err = make_of(&making, schools[i], announce_of);
    }
    buf_fini(&at);
    arena_fini(&arena);
    return err;
}
