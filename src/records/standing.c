/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Relationship before role, for one record and for lists. Whatever changes here changes the
 * conditions of the list statements too (standing.h), and the walk of all roles and relationships
 * shows where the two differ. */
#include "records/standing.h"

#include <string.h>

#include "base/buf.h"
#include "base/check.h"

#define BIT(role) (1U << ROLE_##role)

enum { GOVERN = BIT(governor) | BIT(safety_governor) | BIT(chair) | BIT(trust) };

struct kin {
    bool any;
    bool responsible;
    bool no_contact;
};

/* A register in which one's own child is seen with a parent's eyes, whatever one's role. */
static bool is_close(const struct register_def *def)
{
    return def->sensitive || def->area == AREA_family;
}

bool standing_hides(const struct register_def *def)
{
    for (size_t i = 0; i < def->n_fields; i++) {
        if (def->fields[i].hidden_from) {
            return true;
        }
    }
    return false;
}

static enum err kin_find(struct store *store, struct arena *arena, const struct actor *actor,
                         struct str child, struct kin *ret_kin)
{
    char day[DAY_TEXT_MAX];
    const struct store_value values[] = {store_text(actor->school), store_text(actor->person),
                                         store_text(child),
                                         store_text(day_print(actor->today, day))};
    struct store_value columns[3];
    ERR_TRY(store_row(store, STATEMENT_STANDING_KIN, values, 4, arena, columns, 3));
    ret_kin->any = columns[0].number != 0;
    ret_kin->responsible = columns[1].number != 0;
    ret_kin->no_contact = columns[2].number != 0;
    return ERR_OK;
}

static enum err is_in_class(struct store *store, struct arena *arena, const struct actor *actor,
                            struct str child, bool *ret_in)
{
    char day[DAY_TEXT_MAX];
    const struct store_value values[] = {store_text(actor->school), store_text(actor->person),
                                         store_text(child),
                                         store_text(day_print(actor->today, day))};
    struct store_value count;
    ERR_TRY(store_row(store, STATEMENT_STANDING_CLASS, values, 4, arena, &count, 1));
    *ret_in = count.number != 0;
    return ERR_OK;
}

static bool is_among(struct str person, const struct str *people, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (str_eq(person, people[i])) {
            return true;
        }
    }
    return false;
}

/* The roles that the subjects hold today. */
static enum err subjects_roles(struct store *store, const struct actor *actor,
                               const struct standing_facts *facts, unsigned *ret_roles)
{
    char day[DAY_TEXT_MAX];
    struct str today = day_print(actor->today, day);
    unsigned roles = 0;
    for (size_t i = 0; i < facts->n_hidden_from; i++) {
        const struct store_value values[] = {store_text(actor->school),
                                             store_text(facts->hidden_from[i]), store_text(today)};
        struct store_rows *rows;
        enum err err;
        ERR_TRY(store_query(store, STATEMENT_ACTOR_ROLES, values, 3, &rows));
        while (store_rows_next(rows, &err)) {
            enum role role = role_find(store_rows_bytes(rows, 0));
            roles |= role < ROLE_COUNT ? 1U << role : 0;
        }
        store_rows_free(rows);
        ERR_TRY(err);
    }
    *ret_roles = roles;
    return ERR_OK;
}

/* The roles that others than the subjects hold today. */
static enum err others_roles(struct store *store, const struct actor *actor,
                             const struct standing_facts *facts, unsigned *ret_roles)
{
    char day[DAY_TEXT_MAX];
    const struct store_value values[] = {store_text(actor->school),
                                         store_text(day_print(actor->today, day))};
    struct store_rows *rows;
    unsigned roles = 0;
    enum err err;
    ERR_TRY(store_query(store, STATEMENT_STANDING_HOLDERS, values, 2, &rows));
    while (store_rows_next(rows, &err)) {
        enum role role = role_find(store_rows_bytes(rows, 0));
        bool subject =
            is_among(store_rows_bytes(rows, 1), facts->hidden_from, facts->n_hidden_from);
        roles |= role < ROLE_COUNT && !subject ? 1U << role : 0;
    }
    store_rows_free(rows);
    *ret_roles = roles;
    return err;
}

/* The roles that the actor has for this record beside their own. */
static enum err passed_roles(struct store *store, const struct actor *actor,
                             const struct register_def *def, const struct standing_facts *facts,
                             unsigned *ret_roles)
{
    struct permit_pass passes[ROLE_COUNT];
    size_t n = standing_hides(def) ? permit_passes(actor->roles, actor->held, passes) : 0;
    unsigned subjects = 0;
    unsigned others = 0;
    unsigned roles = 0;
    if (n != 0) {
        ERR_TRY(subjects_roles(store, actor, facts, &subjects));
        ERR_TRY(others_roles(store, actor, facts, &others));
    }
    for (size_t i = 0; i < n; i++) {
        const struct permit_pass *pass = &passes[i];
        bool here = (subjects & (1U << pass->holder)) != 0 && (others & pass->before) == 0;
        roles |= pass->vacant || here ? 1U << pass->role : 0;
    }
    *ret_roles = roles;
    return ERR_OK;
}

static enum err nearest_scope(struct store *store, struct arena *arena, const struct actor *actor,
                              const struct standing_facts *facts, const struct kin *kin,
                              struct standing *standing)
{
    bool in_class = false;
    /* Who is named in a record about their own child is still its parent. */
    bool named = !standing->as_parent && is_among(actor->person, facts->named, facts->n_named);
    if (str_eq(facts->made_by, actor->person) || named) {
        standing->nearest = SCOPE_MADE;
        return ERR_OK;
    }
    if (standing->self || (kin->any && kin->responsible)) {
        standing->nearest = SCOPE_OWN;
        return ERR_OK;
    }
    if (facts->about.len != 0) {
        ERR_TRY(is_in_class(store, arena, actor, facts->about, &in_class));
    }
    standing->nearest = in_class ? SCOPE_CLASS : SCOPE_SCHOOL;
    return ERR_OK;
}

enum err standing_of(struct store *store, struct arena *arena, const struct actor *actor,
                     const struct register_def *def, const struct standing_facts *facts,
                     struct standing *ret_standing)
{
    struct standing standing = {.roles = actor->roles};
    struct kin kin = {0};
    unsigned passed = 0;
    if (actor->operator) {
        *ret_standing = (struct standing){.roles = (1U << ROLE_COUNT) - 1, .nearest = SCOPE_MADE};
        return ERR_OK;
    }
    if (actor->person.len == 0 ||
        is_among(actor->person, facts->hidden_from, facts->n_hidden_from)) {
        *ret_standing = (struct standing){0};
        return ERR_OK;
    }
    if (facts->about.len != 0) {
        ERR_TRY(kin_find(store, arena, actor, facts->about, &kin));
    }
    if (kin.no_contact) {
        *ret_standing = (struct standing){0};
        return ERR_OK;
    }
    ERR_TRY(passed_roles(store, actor, def, facts, &passed));
    standing.self = str_eq(facts->about, actor->person);
    standing.as_parent = kin.any && is_close(def);
    standing.roles = standing.as_parent ? BIT(parent) : standing.roles | passed;
    standing.roles &= kin.any ? ~(unsigned)GOVERN : ~0U;
    ERR_TRY(nearest_scope(store, arena, actor, facts, &kin, &standing));
    *ret_standing = standing;
    return ERR_OK;
}

/* Rule 4: where a right over others is none over oneself. */
static bool is_apart(enum area area, enum verb verb)
{
    bool acts = verb == VERB_make || verb == VERB_change || verb == VERB_dispose;
    return acts && (area == AREA_posts || area == AREA_accounts || area == AREA_safeguarding ||
                    area == AREA_allegations);
}

bool standing_may(const struct standing *standing, enum area area, enum verb verb)
{
    unsigned roles = standing->roles;
    if (standing->nearest == SCOPE_NONE) {
        return false;
    }
    if (standing->self && is_apart(area, verb)) {
        roles &= ~permit_holders(roles, area, verb, SCOPE_CLASS);
    }
    return permit_widest(roles, area, verb) >= standing->nearest;
}

/* ---- lists ---- */

static struct str kin_word(const struct actor *actor, const struct register_def *def,
                           enum verb verb)
{
    static const struct str words[] = {
        [SCOPE_NONE] = STR_INIT("none"),  [SCOPE_MADE] = STR_INIT("made"),
        [SCOPE_OWN] = STR_INIT("own"),    [SCOPE_CLASS] = STR_INIT("own"),
        [SCOPE_SCHOOL] = STR_INIT("own"), [SCOPE_TRUST] = STR_INIT("own"),
    };
    enum scope with = permit_widest(actor->roles, def->area, verb);
    enum scope without = permit_widest(actor->roles & ~(unsigned)GOVERN, def->area, verb);
    bool by_role = !is_close(def) && with <= without;
    return by_role ? STR("all") : words[permit_scope(ROLE_parent, def->area, verb)];
}

static void add_name(struct buf *to, enum role role)
{
    buf_append(to, role_name(role));
}

/* ",head,head<chair,"; every role of role.def fits, which a test holds to. */
static void print_passes(const struct permit_pass *passes, size_t n, struct standing_list *list)
{
    struct buf to;
    buf_init(&to, sizeof(list->passed) - 1);
    buf_append_byte(&to, ',');
    for (size_t i = 0; i < n; i++) {
        add_name(&to, passes[i].holder);
        buf_append_byte(&to, ',');
        for (unsigned role = 0; role < ROLE_COUNT; role++) {
            if ((passes[i].before & (1U << role)) != 0) {
                add_name(&to, passes[i].holder);
                buf_append_byte(&to, '<');
                add_name(&to, (enum role)role);
                buf_append_byte(&to, ',');
            }
        }
    }
    if (n == 0) {
        buf_append_byte(&to, ',');
    }
    CHECK(buf_err(&to) == ERR_OK);
    memcpy(list->passed, to.p, to.len);
    list->passed[to.len] = '\0';
    buf_fini(&to);
}

/* Those of the actor's passes that give the verb for the whole school; what they stand in for is
 * added to *scope. */
static size_t passes_for(const struct actor *actor, const struct register_def *def, enum verb verb,
                         struct permit_pass passes[ROLE_COUNT], enum scope *scope)
{
    size_t n = standing_hides(def) ? permit_passes(actor->roles, actor->held, passes) : 0;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        enum scope with = permit_scope(passes[i].role, def->area, verb);
        if (passes[i].vacant) {
            *scope = with > *scope ? with : *scope;
        } else if (with >= SCOPE_SCHOOL) {
            passes[kept++] = passes[i];
        }
    }
    return kept;
}

void standing_list(const struct actor *actor, const struct register_def *def, enum verb verb,
                   struct standing_list *ret_list)
{
    static const enum register_reach reaches[] = {
        [SCOPE_NONE] = REACH_MADE,   [SCOPE_MADE] = REACH_MADE,     [SCOPE_OWN] = REACH_OWN,
        [SCOPE_CLASS] = REACH_CLASS, [SCOPE_SCHOOL] = REACH_SCHOOL, [SCOPE_TRUST] = REACH_SCHOOL,
    };
    struct permit_pass passes[ROLE_COUNT];
    enum scope scope = SCOPE_NONE;
    size_t n = 0;
    if (actor->operator) {
        scope = SCOPE_SCHOOL;
    } else if (actor->person.len != 0) {
        scope = permit_widest(actor->roles, def->area, verb);
        n = passes_for(actor, def, verb, passes, &scope);
    }
    ret_list->any = scope != SCOPE_NONE || n != 0;
    ret_list->reach = reaches[scope];
    ret_list->kin = actor->operator? STR("all") : kin_word(actor, def, verb);
    print_passes(passes, n, ret_list);
}
