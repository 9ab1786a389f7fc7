/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy document's nominated lists and its table. */
#include <stdlib.h>

#include "policy/parse_impl.h"

static const struct str level_words[] = {
    [LEVEL_ACCEPTABLE] = STR_INIT("acceptable"), [LEVEL_CERTAIN_TIMES] = STR_INIT("certain-times"),
    [LEVEL_NOMINATED] = STR_INIT("nominated"),   [LEVEL_UNACCEPTABLE] = STR_INIT("unacceptable"),
    [LEVEL_ILLEGAL] = STR_INIT("illegal"),
};

enum { N_LEVELS = sizeof(level_words) / sizeof(level_words[0]), PEOPLE_MAX = 100000 };

static int compare_strs(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static void parse_people(struct jread *reader, const struct place *item, struct nominated *list)
{
    struct place people = jread_member(item, "people");
    size_t n = jread_count(reader, &people, PEOPLE_MAX);
    struct str *ids = arena_array(reader->arena, n, sizeof(*ids));
    for (size_t i = 0; i < n && ids != NULL; i++) {
        struct place person = jread_item(&people, i);
        ids[i] = jread_id_value(reader, &person);
    }
    if (n != 0 && ids != NULL) {
        qsort(ids, n, sizeof(*ids), compare_strs);
    }
    list->n_people = ids != NULL ? n : 0;
    list->people = ids;
}

static unsigned find_nominated(const struct policy *policy, struct str id)
{
    unsigned i = 0;
    while (i < policy->n_nominated && !str_eq(policy->nominated[i].id, id)) {
        i += 1;
    }
    return i;
}

void parse_nominated(struct jread *reader, const struct place *root, struct policy *policy)
{
    struct place list = jread_member(root, "nominated");
    size_t n = jread_count(reader, &list, POLICY_NOMINATED_MAX);
    policy->nominated = arena_array(reader->arena, n, sizeof(*policy->nominated));
    for (size_t i = 0; i < n && policy->nominated != NULL; i++) {
        struct place item = jread_item(&list, i);
        if (!jread_object(reader, &item, "id label people groups")) {
            continue;
        }
        struct nominated made = {
            .id = jread_id(reader, &item, "id"),
            .label = jread_text_or(reader, &item, "label", STR("")),
            .groups = parse_group_set(reader, &item, "groups", policy, 0),
        };
        parse_people(reader, &item, &made);
        if (find_nominated(policy, made.id) < policy->n_nominated) {
            jread_complain(reader, &item, "this id is there twice; rename one");
        }
        policy->nominated[policy->n_nominated++] = made;
    }
}

/* None is no error: nothing is open then, and the checker says so (R162, T6). */
static uint64_t parse_cell_times(struct jread *reader, const struct place *at,
                                 const struct calendar *calendar)
{
    struct place list = jread_member(at, "times");
    size_t n = jread_count(reader, &list, CALENDAR_TIMES_MAX);
    uint64_t set = 0;
    for (size_t i = 0; i < n; i++) {
        struct place item = jread_item(&list, i);
        struct str id = jread_id_value(reader, &item);
        size_t t = 0;
        while (t < calendar->n_times && !str_eq(calendar->times[t].id, id)) {
            t += 1;
        }
        if (t == calendar->n_times) {
            jread_complain(reader, &item, "no time has the id \"%.*s\"; add it to \"times\"",
                           STR_ARG(id));
        } else {
            set |= UINT64_C(1) << t;
        }
    }
    return set;
}

static unsigned parse_cell_list(struct jread *reader, const struct place *at,
                                const struct policy *policy)
{
    struct str id = jread_id(reader, at, "nominated");
    unsigned index = find_nominated(policy, id);
    if (index == policy->n_nominated) {
        jread_complain(reader, at,
                       "level \"nominated\" needs \"nominated\": the id of a list there; "
                       "\"%.*s\" is none",
                       STR_ARG(id));
        return 0;
    }
    return index;
}

static void refuse_member(struct jread *reader, const struct place *at, const char *key,
                          const char *level)
{
    if (jread_member(at, key).value != NULL) {
        jread_complain(reader, at,
                       "\"%s\" belongs to level \"%s\" only; remove it or mend the level", key,
                       level);
    }
}

static enum outcome level_outcome(enum level level)
{
    static const enum outcome outcomes[] = {
        [LEVEL_ACCEPTABLE] = OUTCOME_ALLOW,    [LEVEL_CERTAIN_TIMES] = OUTCOME_TIMES,
        [LEVEL_NOMINATED] = OUTCOME_NOMINATED, [LEVEL_UNACCEPTABLE] = OUTCOME_BLOCK,
        [LEVEL_ILLEGAL] = OUTCOME_BLOCK,
    };
    return outcomes[level];
}

static void parse_cell(struct jread *reader, const struct place *at, const struct row *row,
                       const struct policy *policy, struct cell *cell)
{
    if (!jread_object(reader, at, "level times nominated")) {
        return;
    }
    struct place level = jread_member(at, "level");
    size_t word = jread_word(reader, &level, jread_value(reader, &level), level_words, N_LEVELS);
    if (word == N_LEVELS) {
        return;
    }
    cell->level = (enum level)word;
    cell->outcome = level_outcome(cell->level);
    cell->reason = REASON_TABLE;
    if (cell->level == LEVEL_CERTAIN_TIMES) {
        cell->times = parse_cell_times(reader, at, &policy->calendar);
    } else {
        refuse_member(reader, at, "times", "certain-times");
    }
    if (cell->level == LEVEL_NOMINATED) {
        cell->nominated = parse_cell_list(reader, at, policy);
    } else {
        refuse_member(reader, at, "nominated", "nominated");
    }
    char name[3 * LIMIT_ID_LEN + 16];
    int len = snprintf(name, sizeof(name), "table/%.*s/%s", STR_ARG(row->id), at->key);
    cell->name =
        arena_dup(reader->arena, str_make(name, (size_t)len < sizeof(name) ? (size_t)len : 0));
}

static void parse_cells(struct jread *reader, const struct place *item, struct row *row,
                        struct policy *policy)
{
    struct place cells = jread_member(item, "cells");
    if (!json_is_object(cells.value)) {
        jread_complain(reader, &cells, "must be an object: a group's id and its cell");
        return;
    }
    row->first_cell = policy->n_cells;
    for (void *iter = json_object_iter(cells.value); iter != NULL;
         iter = json_object_iter_next(cells.value, iter)) {
        struct place at = {json_object_iter_value(iter), &cells, json_object_iter_key(iter), 0};
        struct cell cell = {0};
        if (policy_group_find(policy, str_from(at.key), &cell.group) != ERR_OK) {
            jread_complain(reader, &at, "no group has this id; add it to \"groups\" or mend it");
            continue;
        }
        parse_cell(reader, &at, row, policy, &cell);
        policy->cells[policy->n_cells++] = cell;
    }
    row->n_cells = policy->n_cells - row->first_cell;
}

void parse_categories(struct jread *reader, const struct place *list, struct catset *categories)
{
    size_t n = jread_count(reader, list, LIMIT_CATEGORIES);
    for (size_t i = 0; i < n; i++) {
        struct place name = jread_item(list, i);
        struct str text = jread_value(reader, &name);
        unsigned number = 0;
        if (category_find(text, &number) != ERR_OK) {
            jread_complain(reader, &name,
                           "no category is called \"%.*s\"; `lodge catalog info` "
                           "lists them",
                           text.len < LIMIT_ID_LEN ? (int)text.len : (int)LIMIT_ID_LEN, text.p);
            continue;
        }
        catset_add(categories, number);
    }
}

static void parse_row_categories(struct jread *reader, const struct place *item, struct row *row)
{
    struct place list = jread_member(item, "categories");
    parse_categories(reader, &list, &row->categories);
    if (row->enforced && catset_is_empty(&row->categories)) {
        jread_complain(reader, item,
                       "names no category, so no filter can enforce it; name one under "
                       "\"categories\", or say \"enforced\": false");
    }
}

static int compare_rows(const void *a_any, const void *b_any)
{
    const struct row *a = a_any;
    const struct row *b = b_any;
    return str_compare(a->id, b->id);
}

static void check_row_ids(struct jread *reader, const struct place *list,
                          const struct policy *policy)
{
    for (size_t i = 1; i < policy->n_rows; i++) {
        if (str_eq(policy->rows[i].id, policy->rows[i - 1].id)) {
            jread_complain(reader, list, "the id \"%.*s\" is there twice; rename one",
                           STR_ARG(policy->rows[i].id));
        }
    }
}

/* Cells in the order of their rows, so that nothing rests on the order of the document. */
static void sort_cells(struct jread *reader, struct policy *policy)
{
    struct cell *sorted = arena_array(reader->arena, policy->n_cells, sizeof(*sorted));
    size_t n = 0;
    for (size_t r = 0; r < policy->n_rows && sorted != NULL; r++) {
        struct row *row = &policy->rows[r];
        size_t first = n;
        for (size_t i = 0; i < row->n_cells; i++) {
            sorted[n] = policy->cells[row->first_cell + i];
            sorted[n].row = (unsigned)r;
            n += 1;
        }
        row->first_cell = first;
    }
    policy->cells = sorted;
}

/* At most those of the document: so many have room in policy->cells. */
static size_t count_cells(const struct place *list)
{
    size_t n = 0;
    for (size_t i = 0; i < json_array_size(list->value); i++) {
        n += json_object_size(json_object_get(json_array_get(list->value, i), "cells"));
    }
    return n;
}

void parse_table(struct jread *reader, const struct place *root, struct policy *policy)
{
    struct place list = jread_member(root, "table");
    size_t n = jread_count(reader, &list, POLICY_ROWS_MAX);
    if (n == 0) {
        jread_complain(reader, &list, "has no rows; a policy is its table");
    }
    policy->rows = arena_array(reader->arena, n, sizeof(*policy->rows));
    policy->cells = arena_array(reader->arena, count_cells(&list), sizeof(*policy->cells));
    for (size_t i = 0; i < n && !reader->arena->failed; i++) {
        struct place item = jread_item(&list, i);
        if (!jread_object(reader, &item,
                          "id label section source note law categories enforced cells")) {
            continue;
        }
        struct row row = {
            .id = jread_id(reader, &item, "id"),
            .label = jread_text(reader, &item, "label"),
            .section = jread_text_or(reader, &item, "section", STR("")),
            .source = jread_text_or(reader, &item, "source", STR("")),
            .note = jread_text_or(reader, &item, "note", STR("")),
            .law = jread_text_or(reader, &item, "law", STR("")),
            .enforced = jread_bool(reader, &item, "enforced", true),
        };
        parse_row_categories(reader, &item, &row);
        parse_cells(reader, &item, &row, policy);
        policy->rows[policy->n_rows++] = row;
    }
    if (policy->n_rows != 0) {
        qsort(policy->rows, policy->n_rows, sizeof(*policy->rows), compare_rows);
    }
    check_row_ids(reader, &list, policy);
    sort_cells(reader, policy);
}
