/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Looks: a child's sensitive records are opened for half an hour, with a reason, as an act (U8). */
#include "records/audit.h"

#include "base/check.h"
#include "wire/utf8.h"

enum { ARENA_MAX = 4096 };

static const struct {
    struct str name;
    struct str label;
} reasons[LOOK_REASON_COUNT] = {
#define LOOK_REASON(name, label) [LOOK_REASON_##name] = {STR_INIT(#name), STR_INIT(label)},
#include "records/look_reason.def"
#undef LOOK_REASON
};

struct str look_reason_name(enum look_reason reason)
{
    CHECK(reason > LOOK_REASON_UNSET && reason < LOOK_REASON_COUNT);
    return reasons[reason].name;
}

struct str look_reason_label(enum look_reason reason)
{
    CHECK(reason > LOOK_REASON_UNSET && reason < LOOK_REASON_COUNT);
    return reasons[reason].label;
}

static enum look_reason find(struct str name)
{
    for (enum look_reason reason = LOOK_REASON_UNSET + 1; reason < LOOK_REASON_COUNT; reason++) {
        if (str_eq(reasons[reason].name, name)) {
            return reason;
        }
    }
    return LOOK_REASON_UNSET;
}

enum err look_is_open(struct store *store, const struct actor *actor, struct str child,
                      bool *ret_open)
{
    const struct store_value values[] = {store_text(actor->school), store_text(actor->person),
                                         store_text(child)};
    struct store_value columns[2];
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    enum err err = store_row(store, STATEMENT_LOOK_GET, values, 3, &arena, columns, 2);
    arena_fini(&arena);
    if (err == ERR_OK) {
        /* One that was opened later than now is of a clock that was set back. */
        *ret_open = columns[0].number <= actor->now_ms && actor->now_ms < columns[1].number;
    } else if (err == ERR_NOT_FOUND) {
        *ret_open = false;
        err = ERR_OK;
    }
    return err;
}

/* "look" at a child, "look_adult" at anybody else: that an adult was looked at stands open only to
 * those who handle allegations. */
static enum err area_of(struct store *store, const struct actor *actor, struct str person,
                        struct str *ret_area)
{
    const struct store_value values[] = {store_text(actor->school), store_text(person)};
    struct store_value columns[3];
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    enum err err = store_row(store, STATEMENT_ACTOR_PERSON, values, 2, &arena, columns, 3);
    if (err == ERR_OK) {
        *ret_area = str_eq(columns[1].bytes, STR("pupil")) ? STR("look") : STR("look_adult");
    }
    arena_fini(&arena);
    return err;
}

enum err look_open(struct store *store, struct keys *keys, const struct actor *actor,
                   struct str child, struct str reason)
{
    struct act_entry entry = {
        .act = ACT_looked, .record = child, .about = child, .hidden_from = child};
    struct str words = str_trim_space(reason);
    const struct store_value values[] = {store_text(actor->school), store_text(actor->person),
                                         store_text(child), store_number(actor->now_ms),
                                         store_number(actor->now_ms + LOOK_MS)};
    if (words.len == 0 || words.len > LOOK_WORDS_MAX || !utf8_is_text(words)) {
        return ERR_INVALID;
    }
    ERR_TRY(area_of(store, actor, child, &entry.area));
    enum look_reason known = find(words);
    if (known != LOOK_REASON_UNSET) {
        entry.words = reasons[known].label;
    } else {
        entry.words = STR("Another reason");
        entry.private_words = words;
        ERR_TRY(keys_make(keys, child));
    }
    ERR_TRY(store_run(store, STATEMENT_LOOK_OPEN, values, 5, NULL));
    return audit_append(store, keys, actor, &entry, NULL);
}
