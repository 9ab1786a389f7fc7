/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The navigation of the console's frame: what this person's roles may see. */
#include "records/register.h"
#include "web/web_impl.h"

static bool may_see(const struct web_exchange *exchange, enum area area)
{
    return permit_widest(exchange->actor.roles, area, VERB_see) > SCOPE_NONE;
}

/* True for the path itself and what lies below it. */
static bool is_at(struct str path, struct str href)
{
    return str_eq(path, href) ||
           (href.len > 1 && str_starts(path, href) && path.p[href.len] == '/');
}

static void add(json_t *nav, const struct web_exchange *exchange, struct str text, struct str href)
{
    json_array_append_new(nav,
                          json_pack("{s:s%, s:s%, s:b}", "text", text.p, text.len, "href", href.p,
                                    href.len, "current", is_at(exchange->request->path, href)));
}

/* The registers stand together on one page: a menu of twenty is none. */
static bool has_register(const struct web_exchange *exchange)
{
    for (size_t i = 0; i < N_REGISTERS; i++) {
        if (may_see(exchange, REGISTERS[i]->area)) {
            return true;
        }
    }
    return false;
}

json_t *web_nav(const struct web_exchange *exchange)
{
    static const struct {
        enum area area;
        struct str text, href;
    } rows[] = {
        {AREA_policy, STR_INIT("Policy"), STR_INIT("/policy")},
        {AREA_accounts, STR_INIT("Accounts"), STR_INIT("/accounts")},
        {AREA_audit, STR_INIT("Audit"), STR_INIT("/audit")},
    };
    json_t *nav = json_array();
    if (exchange->session.stage != SESSION_WHOLE) {
        return nav;
    }
    add(nav, exchange, STR("Start"), STR("/"));
    if (has_register(exchange)) {
        add(nav, exchange, STR("Records"), STR("/records"));
    }
    add(nav, exchange, STR("Search"), STR("/search"));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (may_see(exchange, rows[i].area)) {
            add(nav, exchange, rows[i].text, rows[i].href);
        }
    }
    return nav;
}
