/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The addresses of the console (route.def) and how one is found. */
#ifndef LODGE_WEB_ROUTE_H
#define LODGE_WEB_ROUTE_H

#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/str.h"
#include "web/web.h"

enum web_guard {
    GUARD_UNSET,
    GUARD_OPEN,
    GUARD_SIGNING,
    GUARD_SIGNED,
    GUARD_FACTOR,
};

struct web_route {
    enum web_method method;
    struct str path; /* with its {places} */
    struct str name; /* the handler's, without "web_" */
    web_handler *handler;
    enum web_guard guard;
    struct str text;  /* what it does, for the OpenAPI document */
    struct str group; /* the same */
};

/* All of them, in the order of route.def. */
extern const struct web_route *const WEB_ROUTES;
extern const size_t N_WEB_ROUTES;

/* The first route that fits method and path (as sent: escapes are taken off segment by segment).
 * The places' texts go into ret_parameters in their order; they are never empty, and hold neither
 * '/' nor control characters. ERR_NOT_FOUND: no route; ERR_DENIED: one, but for the other method;
 * ERR_MEMORY. */
MUST_USE enum err web_route_find(const struct web_route *routes, size_t n_routes,
                                 enum web_method method, struct str path, struct arena *arena,
                                 const struct web_route **ret_route,
                                 struct str ret_parameters[WEB_PARAMETERS_MAX]);

#define ROUTE(method, path, name, guard, text, group) web_handler web_##name;
#include "web/route.def"
#undef ROUTE

#endif
