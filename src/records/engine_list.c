/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists and the search: the statements find what the actor may see (tools/schema_sql.py), here they
 * are chosen, bounded and printed. */
#include "records/engine_list_impl.h"

#include "base/check.h"

enum {
    VIEWER = 7,
    PER_PAGE = 25,
    PER_PAGE_MAX = 100,
    OFFSET_MAX = 10000, /* who looks further should search */
    FOUND_MAX = 5,      /* of each register, in the search over all */
    VALUES_MAX = VIEWER + 2 * WORDS_ASKED + 3,
};

/* ---- who asks for what ---- */

static size_t put_viewer(struct work *work, const struct listing *listing,
                         struct store_value values[VALUES_MAX])
{
    char day[DAY_TEXT_MAX];
    const struct actor *actor = work->actor;
    enum register_reach reach = listing->standing.reach;
    struct str today = arena_dup(&work->arena, day_print(actor->today, day));
    size_t n = 0;
    values[n++] = store_text(actor->school);
    values[n++] = store_text(actor->person);
    values[n++] = store_text(today);
    values[n++] = store_number(reach >= REACH_OWN);
    values[n++] = store_number(reach >= REACH_CLASS);
    values[n++] = store_text(listing->standing.kin);
    values[n++] = store_text(str_from(listing->standing.passed));
    for (size_t i = 0; i < 2 * WORDS_ASKED; i++) {
        values[n++] = listing->words[i];
    }
    return n;
}

static enum register_way way_of(const struct listing *listing)
{
    return listing->standing.reach == REACH_SCHOOL ? WAY_SCHOOL : WAY_NEAR;
}

static bool is_about(const struct listing *listing)
{
    return listing->query->about.len != 0;
}

static bool is_waiting(const struct listing *listing)
{
    return listing->query->waiting;
}

enum err listing_count(struct work *work, struct listing *listing)
{
    const struct register_statements *statements = work->def->statements;
    enum register_way way = way_of(listing);
    bool found = listing->n_words != 0 && way == WAY_SCHOOL;
    enum store_statement statement = is_waiting(listing) ? statements->count_waiting[way]
                                     : is_about(listing) ? statements->count_about[way]
                                     : found             ? statements->count_search
                                                         : statements->count[way];
    struct store_value values[VALUES_MAX];
    struct store_value total;
    if (!listing->standing.any) {
        return ERR_OK;
    }
    size_t n = put_viewer(work, listing, values);
    values[n++] = store_number(LISTING_COUNTED);
    if (is_about(listing)) {
        values[n++] = store_text(listing->query->about);
    }
    ERR_TRY(store_row(work->engine->store, statement, values, n, &work->arena, &total, 1));
    listing->total = total.number;
    return ERR_OK;
}

static void choose_order(const struct register_def *def, const struct engine_query *query,
                         struct listing *listing)
{
    size_t field = register_field_find(def, query->sort);
    bool fixed = query->about.len != 0 || query->waiting;
    bool sorted = field < def->n_fields && def->fields[field].sortable && !fixed;
    listing->field = sorted ? field : def->n_fields;
    listing->down = sorted ? query->down : !str_eq(query->sort, STR("changed")) || query->down;
    listing->down = listing->down || fixed;
}

enum err listing_start(struct work *work, const struct engine_query *query, enum verb verb,
                       struct listing *ret_listing)
{
    struct listing *listing = ret_listing;
    bool rare;
    *listing = (struct listing){.query = query};
    CHECK(!query->waiting || (query->about.len == 0 && work->def->waiting.len != 0));
    standing_list(work->actor, work->def, verb, &listing->standing);
    choose_order(work->def, query, listing);
    if (is_about(listing) && work->def->statements->about[way_of(listing)] == STATEMENT_UNSET) {
        listing->standing.any = false; /* nothing here is about anybody */
    }
    ERR_TRY(words_asked(work, query->search, listing->words, &listing->n_words, &rare));
    listing->narrow =
        rare && way_of(listing) == WAY_SCHOOL && !is_about(listing) && !is_waiting(listing);
    return ERR_OK;
}

enum err listing_rows(struct work *work, const struct listing *listing, size_t limit, size_t offset,
                      list_row *fn, void *context)
{
    const struct register_def *def = work->def;
    enum register_way way = way_of(listing);
    size_t at = way * (def->n_fields + 1) + listing->field;
    enum store_statement statement = is_waiting(listing) ? def->statements->waiting[way]
                                     : is_about(listing) ? def->statements->about[way]
                                     : listing->narrow
                                         ? def->statements->search[listing->field][listing->down]
                                         : def->statements->list[at][listing->down];
    struct store_value values[VALUES_MAX];
    struct store_value *row = arena_array(&work->arena, row_width(def), sizeof(*row));
    struct store_rows *rows;
    enum err err;
    if (!listing->standing.any) {
        return ERR_OK;
    }
    size_t n = put_viewer(work, listing, values);
    values[n++] = store_number((int64_t)limit);
    values[n++] = store_number((int64_t)offset);
    if (is_about(listing)) {
        values[n++] = store_text(listing->query->about);
    }
    if (row == NULL || work->arena.failed) {
        return ERR_MEMORY;
    }
    ERR_TRY(store_query(work->engine->store, statement, values, n, &rows));
    CHECK(store_rows_columns(rows) == row_width(def));
    enum err fault = ERR_OK;
    while (fault == ERR_OK && store_rows_next(rows, &err)) {
        for (size_t i = 0; i < row_width(def); i++) {
            row[i] = store_rows_value(rows, i);
        }
        fault = fn(work, row, context);
    }
    store_rows_free(rows);
    return fault != ERR_OK ? fault : err;
}

unsigned listing_roles(const struct work *work, const struct store_value *row)
{
    unsigned own = 1U << ROLE_pupil | 1U << ROLE_parent;
    unsigned others = work->actor->roles & ~own;
    bool self = str_eq(row[COLUMN_ABOUT].bytes, work->actor->person);
    if (self) {
        return work->actor->roles & ~(1U << ROLE_parent);
    }
    /* Without another role, what a parent has is about their child. */
    return others != 0 ? others : work->actor->roles & (1U << ROLE_parent);
}

/* ---- a page of a list ---- */

struct paging {
    const struct engine_query *query;
    size_t page, per_page;
    json_t *items;
    bool more;
    json_t *document;
};

static enum err add_item(struct work *work, const struct store_value *row, void *context)
{
    struct paging *paging = context;
    json_t *record;
    if (json_array_size(paging->items) == paging->per_page) {
        paging->more = true;
        return ERR_OK;
    }
    ERR_TRY(row_json(work, row, listing_roles(work, row), true, &record));
    return json_array_append_new(paging->items, record) == 0 ? ERR_OK : ERR_MEMORY;
}

static bool may(const struct work *work, enum verb verb)
{
    return work->actor->operator||
           permit_widest(work->actor->roles, work->def->area, verb) != SCOPE_NONE;
}

static enum err fill_items(struct work *work, const struct listing *listing, struct paging *paging)
{
    size_t offset = (paging->page - 1) * paging->per_page;
    paging->more = false;
    json_decref(paging->items);
    paging->items = json_array();
    if (paging->items == NULL) {
        return ERR_MEMORY;
    }
    return offset <= OFFSET_MAX
               ? listing_rows(work, listing, paging->per_page + 1, offset, add_item, paging)
               : ERR_OK;
}

static enum err list_step(struct work *work, void *context)
{
    struct paging *paging = context;
    struct listing listing;
    ERR_TRY(listing_start(work, paging->query, VERB_see, &listing));
    ERR_TRY(listing_count(work, &listing));
    if (!listing.standing.any && !may(work, VERB_make)) {
        return ERR_NOT_FOUND;
    }
    ERR_TRY(fill_items(work, &listing, paging));
    bool least = listing.total == LISTING_COUNTED;
    struct str sort =
        listing.field < work->def->n_fields ? work->def->fields[listing.field].name : STR("");
    struct str search = paging->query->search;
    paging->document = json_pack(
        "{s:s%, s:O, s:I, s:I, s:b, s:I, s:b, s:s%, s:b, s:s%, s:{s:b, s:b, s:b}}", "register",
        work->def->name.p, work->def->name.len, "items", paging->items, "page",
        (json_int_t)paging->page, "per_page", (json_int_t)paging->per_page, "more", paging->more,
        "total", (json_int_t)(least ? LISTING_COUNTED - 1 : listing.total), "total_is_least", least,
        "sort", sort.p, sort.len, "down", listing.down, "search", text_of(search), search.len,
        "may", "make", may(work, VERB_make), "take", may(work, VERB_take), "bring",
        may(work, VERB_bring));
    return paging->document != NULL ? ERR_OK : ERR_MEMORY;
}

enum err engine_list(struct engine *engine, const struct actor *actor,
                     const struct register_def *def, const struct engine_query *query,
                     json_t **ret_document)
{
    size_t per_page = query->per_page != 0 ? query->per_page : PER_PAGE;
    struct paging paging = {
        .query = query,
        .page = query->page != 0 && query->page <= OFFSET_MAX + 1 ? query->page : 1,
        .per_page = per_page < PER_PAGE_MAX ? per_page : PER_PAGE_MAX,
    };
    enum err err = work_read(engine, actor, def, list_step, &paging);
    json_decref(paging.items);
    if (err == ERR_OK) {
        *ret_document = paging.document;
    }
    return err;
}

/* ---- the search over all registers ---- */

struct searching {
    struct str words;
    json_t *groups;
};

static enum err search_one(struct work *work, struct searching *searching)
{
    const struct engine_query query = {.search = searching->words};
    struct paging paging = {.query = &query, .page = 1, .per_page = FOUND_MAX};
    struct listing listing;
    const struct register_def *def = work->def;
    ERR_TRY(listing_start(work, &query, VERB_see, &listing));
    if (listing.n_words == 0) {
        return ERR_OK;
    }
    enum err err = fill_items(work, &listing, &paging);
    if (err == ERR_OK && json_array_size(paging.items) != 0) {
        json_t *group =
            json_pack("{s:s%, s:s%, s:s%, s:O, s:b}", "register", def->name.p, def->name.len,
                      "plural", def->plural.p, def->plural.len, "label", def->label_plural.p,
                      def->label_plural.len, "items", paging.items, "more", paging.more);
        err = json_array_append_new(searching->groups, group) == 0 ? ERR_OK : ERR_MEMORY;
    }
    json_decref(paging.items);
    return err;
}

static enum err search_step(struct work *work, void *context)
{
    struct searching *searching = context;
    json_decref(searching->groups);
    searching->groups = json_array();
    if (searching->groups == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < N_REGISTERS; i++) {
        work->def = REGISTERS[i];
        ERR_TRY(search_one(work, searching));
    }
    return ERR_OK;
}

enum err engine_search(struct engine *engine, const struct actor *actor, struct str words,
                       json_t **ret_document)
{
    struct searching searching = {.words = words};
    enum err err = work_read(engine, actor, NULL, search_step, &searching);
    json_t *document = err == ERR_OK ? json_pack("{s:O}", "groups", searching.groups) : NULL;
    json_decref(searching.groups);
    if (err == ERR_OK && document == NULL) {
        err = ERR_MEMORY;
    }
    if (err == ERR_OK) {
        *ret_document = document;
    }
    return err;
}
