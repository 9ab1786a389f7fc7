/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of rights and the words of its rows. */
#include "records/permit.h"

#include "base/check.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

_Static_assert(ROLE_COUNT <= 32, "roles are or-ed into an unsigned");

static const struct {
    struct str name;
    struct str label;
    bool factor;
} roles[ROLE_COUNT] = {
#define ROLE(name, label, factor) [ROLE_##name] = {STR_INIT(#name), STR_INIT(label), factor},
#include "records/role.def"
#undef ROLE
};

static const struct {
    struct str name;
    struct str label;
} areas[AREA_COUNT] = {
#define AREA(name, label) [AREA_##name] = {STR_INIT(#name), STR_INIT(label)},
#include "records/area.def"
#undef AREA
};

static const struct str verbs[VERB_COUNT] = {
#define VERB(name, label) [VERB_##name] = STR_INIT(label),
#include "records/verb.def"
#undef VERB
};

/* Scopes by role, area and verb; a row that permit.def does not have is SCOPE_NONE. */
static const unsigned char scopes[ROLE_COUNT][AREA_COUNT][VERB_COUNT] = {
#define PERMIT(role, area, on_see, on_make, on_change, on_dispose, on_take, on_bring) \
    [ROLE_##role][AREA_##area] = {                                                    \
        [VERB_see] = SCOPE_##on_see,       [VERB_make] = SCOPE_##on_make,             \
        [VERB_change] = SCOPE_##on_change, [VERB_dispose] = SCOPE_##on_dispose,       \
        [VERB_take] = SCOPE_##on_take,     [VERB_bring] = SCOPE_##on_bring,           \
    },
#include "records/permit.def"
#undef PERMIT
};

enum pass_how { PASS_FIRST, PASS_ALSO };

static const struct pass_row {
    enum role role;
    enum role next;
    enum pass_how how;
} pass_rows[] = {
#define PASS(role, next, how) {ROLE_##role, ROLE_##next, PASS_##how},
#include "records/pass.def"
#undef PASS
};

enum scope permit_scope(enum role role, enum area area, enum verb verb)
{
    CHECK((unsigned)role < ROLE_COUNT && (unsigned)area < AREA_COUNT);
    CHECK(verb > VERB_UNSET && verb < VERB_COUNT);
    return (enum scope)scopes[role][area][verb];
}

enum scope permit_widest(unsigned held, enum area area, enum verb verb)
{
    enum scope widest = SCOPE_NONE;
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        if ((held & (1U << role)) != 0) {
            enum scope scope = permit_scope((enum role)role, area, verb);
            widest = scope > widest ? scope : widest;
        }
    }
    return widest;
}

unsigned permit_holders(unsigned held, enum area area, enum verb verb, enum scope at_least)
{
    unsigned holders = 0;
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        unsigned bit = 1U << role;
        if ((held & bit) != 0 && permit_scope((enum role)role, area, verb) >= at_least) {
            holders |= bit;
        }
    }
    return holders;
}

static unsigned bit_of(enum role role)
{
    return 1U << role;
}

/* Who holds the role, or stands in for it: the first of its next ones that is held. ROLE_COUNT:
 * nobody. *ret_behind: the rows behind it. */
static enum role stand_in(enum role role, unsigned held, size_t *ret_behind)
{
    *ret_behind = 0;
    if ((held & bit_of(role)) != 0) {
        return role;
    }
    for (size_t i = 0; i < LENGTH(pass_rows); i++) {
        if (pass_rows[i].role == role && (held & bit_of(pass_rows[i].next)) != 0) {
            *ret_behind = i + 1;
            return pass_rows[i].next;
        }
    }
    return ROLE_COUNT;
}

static bool find_pass(enum role role, unsigned mine, unsigned held, struct permit_pass *ret_pass)
{
    size_t from;
    unsigned before = 0;
    bool found = false;
    enum role holder = stand_in(role, held, &from);
    struct permit_pass pass = {.role = role, .holder = holder};
    if (holder != role && holder != ROLE_COUNT && (mine & bit_of(holder)) != 0) {
        *ret_pass = (struct permit_pass){.role = role, .holder = holder, .vacant = true};
        return true;
    }
    for (size_t i = from; i < LENGTH(pass_rows) && holder != ROLE_COUNT; i++) {
        bool mine_next = (mine & bit_of(pass_rows[i].next)) != 0;
        if (pass_rows[i].role != role) {
            continue;
        }
        if (mine_next && (!found || pass_rows[i].how == PASS_ALSO)) {
            pass.before = pass_rows[i].how == PASS_ALSO ? 0 : before;
            found = true;
        }
        before |= held & bit_of(pass_rows[i].next);
    }
    *ret_pass = pass;
    return found;
}

size_t permit_passes(unsigned mine, unsigned held, struct permit_pass ret_passes[ROLE_COUNT])
{
    size_t n = 0;
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        n += find_pass((enum role)role, mine, held, &ret_passes[n]);
    }
    return n;
}

bool permit_needs_factor(unsigned held)
{
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        if ((held & (1U << role)) != 0 && roles[role].factor) {
            return true;
        }
    }
    return false;
}

struct str role_label(enum role role)
{
    CHECK((unsigned)role < ROLE_COUNT);
    return roles[role].label;
}

struct str role_name(enum role role)
{
    CHECK((unsigned)role < ROLE_COUNT);
    return roles[role].name;
}

enum role role_find(struct str name)
{
    for (unsigned role = 0; role < ROLE_COUNT; role++) {
        if (str_eq(roles[role].name, name)) {
            return (enum role)role;
        }
    }
    return ROLE_COUNT;
}

struct str area_label(enum area area)
{
    CHECK(area > AREA_UNSET && area < AREA_COUNT);
    return areas[area].label;
}

struct str area_name(enum area area)
{
    CHECK(area > AREA_UNSET && area < AREA_COUNT);
    return areas[area].name;
}

struct str verb_label(enum verb verb)
{
    CHECK(verb > VERB_UNSET && verb < VERB_COUNT);
    return verbs[verb];
}
