/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of routes, with their handlers. */
#include "web/route.h"

static const struct web_route routes[] = {
#define ROUTE(method, path, name, guard, text, group)            \
    {WEB_##method,  STR_INIT(path), STR_INIT(#name), web_##name, \
     GUARD_##guard, STR_INIT(text), STR_INIT(group)},
#include "web/route.def"
#undef ROUTE
    {WEB_METHOD_UNSET, {NULL, 0}, {NULL, 0}, NULL, GUARD_UNSET, {NULL, 0}, {NULL, 0}},
};

const struct web_route *const WEB_ROUTES = routes;
const size_t N_WEB_ROUTES = sizeof(routes) / sizeof(routes[0]) - 1;
