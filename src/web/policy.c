/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policy as people read it: the table, its history, the document itself. */
#include <stdlib.h>

#include "base/num.h"
#include "records/publish.h"
#include "web/policy_impl.h"
#include "web/views.h"

enum { DOCUMENT_MAX = 17 * 1024 * 1024, NAME_MAX_BYTES = 64 };

/* ---- the table ---- */

/* Whether this person can put a fault right, and where. Those who may change the policy are told of
 * all; a record that they may not see is no link. */
static bool add_fault(struct web_exchange *exchange, json_t *fault, json_t *to)
{
    unsigned roles = exchange->actor.roles;
    bool all = permit_widest(roles, AREA_policy, VERB_change) >= SCOPE_SCHOOL;
    const struct register_def *def = register_find(policy_member(fault, "register"));
    bool mends = def != NULL && permit_widest(roles, def->area, VERB_change) >= SCOPE_SCHOOL;
    if (!all && !mends) {
        return true;
    }
    if (def != NULL && permit_widest(roles, def->area, VERB_see) >= SCOPE_SCHOOL) {
        const struct str values[] = {def->plural, policy_member(fault, "record")};
        struct str href = web_path(exchange, "/records/%/%", values, 2);
        if (json_object_set_new(fault, "href", policy_text(href)) != 0) {
            return false;
        }
    }
    return json_array_append(to, fault) == 0;
}

enum err policy_faults(struct web_exchange *exchange, json_t **ret_faults)
{
    struct engine engine = policy_engine(exchange);
    json_t *faults = NULL;
    json_t *fault;
    size_t i;
    ERR_TRY(store_begin(engine.store, exchange->actor.school, STORE_READ));
    enum err err = publish_faults(engine.store, exchange->actor.school, &faults);
    store_rollback(engine.store);
    ERR_TRY(err);
    json_t *shown = json_array();
    bool fine = shown != NULL;
    json_array_foreach(faults, i, fault)
    {
        fine = fine && add_fault(exchange, fault, shown);
    }
    json_decref(faults);
    if (!fine) {
        json_decref(shown);
        return ERR_MEMORY;
    }
    *ret_faults = shown;
    return ERR_OK;
}

static enum err add_faults(struct web_exchange *exchange, json_t *to)
{
    json_t *faults = NULL;
    ERR_TRY(policy_faults(exchange, &faults));
    json_object_set_new(to, "faults", faults);
    return ERR_OK;
}

static enum err add_findings(struct web_exchange *exchange, const json_t *document, json_t *to)
{
    json_t *findings = NULL;
    ERR_TRY(school_policy_findings(document, exchange->request->now_ms, &findings));
    json_object_set_new(to, "findings", findings);
    return ERR_OK;
}

enum web_next web_policy(struct web_exchange *exchange)
{
    struct engine engine = policy_engine(exchange);
    const struct actor *actor = &exchange->actor;
    json_t *version = NULL;
    enum err err = school_policy_get(&engine, actor, 0, &version);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    bool change = policy_may_change(exchange, VERB_change);
    const json_t *document = json_object_get(version, "document");
    json_t *page = policy_page(STR("The policy"), STR(""));
    json_object_set_new(page, "version", policy_head(version));
    json_object_set_new(page, "fixed", json_boolean(exchange->web->options.policy_fixed));
    json_object_set_new(
        page, "may",
        json_pack("{s:b, s:b, s:b}", "change", change ? 1 : 0, "bring",
                  policy_may_change(exchange, VERB_bring) ? 1 : 0, "take",
                  permit_widest(actor->roles, AREA_policy, VERB_take) >= SCOPE_SCHOOL ? 1 : 0));
    policy_show_table(exchange, document, change, page);
    err = add_findings(exchange, document, page);
    json_decref(version);
    err = err == ERR_OK ? add_faults(exchange, page) : err;
    if (err != ERR_OK) {
        json_decref(page);
        return page_err(exchange, err);
    }
    return page_answer(exchange, 200, view_policy, page);
}

/* ---- versions ---- */

static int64_t number_of(const struct web_exchange *exchange)
{
    uint64_t number = 0;
    return parse_u64(exchange->parameters[0], 1, INT32_MAX, &number) == ERR_OK ? (int64_t)number
                                                                               : -1;
}

enum web_next web_policy_version(struct web_exchange *exchange)
{
    struct engine engine = policy_engine(exchange);
    json_t *version = NULL;
    enum err err = school_policy_get(&engine, &exchange->actor, number_of(exchange), &version);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_t *page = policy_page(STR("An earlier policy"), STR("version"));
    bool last = json_is_true(json_object_get(version, "last"));
    json_object_set_new(page, "version", policy_head(version));
    json_object_set_new(page, "restore",
                        json_boolean(!last && policy_may_change(exchange, VERB_change)));
    policy_show_table(exchange, json_object_get(version, "document"), false, page);
    json_decref(version);
    return page_answer(exchange, 200, view_policy_version, page);
}

enum web_next web_policy_history(struct web_exchange *exchange)
{
    struct engine engine = policy_engine(exchange);
    json_t *history = NULL;
    uint64_t before = 0;
    if (parse_u64(query_text(exchange, STR("before")), 1, INT32_MAX, &before) != ERR_OK) {
        before = 0;
    }
    enum err err = school_policy_history(&engine, &exchange->actor, (int64_t)before, &history);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    json_t *page = policy_page(STR("Changes of the policy"), STR("history"));
    json_t *shown = json_array();
    size_t i;
    json_t *item;
    json_array_foreach(json_object_get(history, "items"), i, item)
    {
        json_array_append_new(shown, policy_head(item));
    }
    json_object_set_new(page, "items", shown);
    json_object_set(page, "more", json_object_get(history, "more"));
    json_decref(history);
    return page_answer(exchange, 200, view_policy_history, page);
}

/* ---- the document ---- */

static enum web_next answer_document(struct web_exchange *exchange, int64_t number)
{
    struct engine engine = policy_engine(exchange);
    json_t *version = NULL;
    if (permit_widest(exchange->actor.roles, AREA_policy, VERB_take) < SCOPE_SCHOOL) {
        return page_err(exchange, ERR_DENIED);
    }
    enum err err = school_policy_get(&engine, &exchange->actor, number, &version);
    if (err != ERR_OK) {
        return page_err(exchange, err);
    }
    char name[NAME_MAX_BYTES];
    int len = snprintf(name, sizeof(name), "policy-%lld.json",
                       (long long)json_integer_value(json_object_get(version, "number")));
    char *text = json_dumps(json_object_get(version, "document"), JSON_INDENT(2) | JSON_SORT_KEYS);
    json_decref(version);
    if (text == NULL) {
        return page_err(exchange, ERR_MEMORY);
    }
    enum web_next next =
        page_bytes(exchange, STR("application/json"), str_make(name, (size_t)len), str_from(text));
    free(text);
    return next;
}

enum web_next web_policy_document(struct web_exchange *exchange)
{
    return answer_document(exchange, 0);
}

enum web_next web_policy_version_document(struct web_exchange *exchange)
{
    return answer_document(exchange, number_of(exchange));
}
