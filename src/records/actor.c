/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ids, and who acts: the roles that a person holds today. */
#include "records/actor.h"

#include <stdio.h>

#include "base/check.h"
#include "base/clock.h"
#include "crypto/random.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";

void record_id_make(struct record_id *ret_id)
{
    unsigned char bytes[16];
    random_bytes(bytes, sizeof(bytes));
    unsigned bits = 0;
    unsigned n_bits = 0;
    size_t at = 0;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        bits = bits << 8 | bytes[i];
        n_bits += 8;
        while (n_bits >= 5) {
            n_bits -= 5;
            ret_id->text[at++] = alphabet[bits >> n_bits & 31];
        }
        bits &= (1U << n_bits) - 1;
    }
    ret_id->text[at++] = alphabet[bits << (5 - n_bits) & 31];
    CHECK(at == RECORD_ID_CHARS);
    ret_id->text[at] = '\0';
}

bool record_id_is_valid(struct str id)
{
    if (id.len != RECORD_ID_CHARS) {
        return false;
    }
    for (size_t i = 0; i < id.len; i++) {
        bool fits = (id.p[i] >= 'a' && id.p[i] <= 'z') || (id.p[i] >= '2' && id.p[i] <= '7');
        if (!fits) {
            return false;
        }
    }
    return true;
}

struct str day_print(int32_t day, char to[DAY_TEXT_MAX])
{
    struct civil civil;
    civil_from_ms((int64_t)day * MS_PER_DAY, &civil);
    int n = snprintf(to, DAY_TEXT_MAX, "%04d-%02d-%02d", civil.year % 10000, civil.month % 100,
                     civil.day % 100);
    CHECK(n == 10);
    return str_make(to, 10);
}

/* The roles that a statement's rows name, or-ed; names that this version does not know give none.
 */
static enum err take_roles(struct store *store, enum store_statement statement,
                           const struct store_value *values, size_t n_values, unsigned *ret_roles)
{
    struct store_rows *rows;
    unsigned roles = 0;
    enum err err;
    ERR_TRY(store_query(store, statement, values, n_values, &rows));
    while (store_rows_next(rows, &err)) {
        enum role role = role_find(store_rows_bytes(rows, 0));
        roles |= role < ROLE_COUNT && role != ROLE_pupil && role != ROLE_parent ? 1U << role : 0;
    }
    store_rows_free(rows);
    if (err == ERR_OK) {
        *ret_roles = roles;
    }
    return err;
}

static enum err is_parent(struct store *store, const struct store_value values[3], bool *ret_parent)
{
    struct store_rows *rows;
    enum err err;
    ERR_TRY(store_query(store, STATEMENT_ACTOR_CHILD, values, 3, &rows));
    bool found = store_rows_next(rows, &err);
    store_rows_free(rows);
    if (err == ERR_OK) {
        *ret_parent = found;
    }
    return err;
}

enum err actor_load(struct store *store, struct arena *arena, struct str person,
                    struct actor *actor)
{
    char day[DAY_TEXT_MAX];
    struct str today = day_print(actor->today, day);
    const struct store_value values[] = {store_text(actor->school), store_text(person),
                                         store_text(today)};
    const struct store_value of_school[] = {values[0], values[2]};
    struct store_value columns[3];
    unsigned roles;
    unsigned held;
    bool parent;
    struct str id = arena_dup(arena, person);
    ERR_TRY(store_row(store, STATEMENT_ACTOR_PERSON, values, 2, arena, columns, LENGTH(columns)));
    ERR_TRY(take_roles(store, STATEMENT_ACTOR_ROLES, values, LENGTH(values), &roles));
    ERR_TRY(take_roles(store, STATEMENT_ACTOR_ROLES_HELD, of_school, LENGTH(of_school), &held));
    ERR_TRY(is_parent(store, values, &parent));
    if (arena->failed) {
        return ERR_MEMORY;
    }
    roles |= parent ? 1U << ROLE_parent : 0;
    bool here = str_eq(columns[2].bytes, STR("here"));
    roles |= here && str_eq(columns[1].bytes, STR("pupil")) ? 1U << ROLE_pupil : 0;
    actor->person = id;
    actor->name = columns[0].bytes;
    actor->roles = roles;
    actor->held = held;
    return ERR_OK;
}
