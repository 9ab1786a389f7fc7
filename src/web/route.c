/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finding the route of a path. */
#include "web/route.h"

#include "base/check.h"
#include "wire/form.h"

enum fit { FIT_NO, FIT_YES, FIT_MEMORY };

/* What stands for a place: text that cannot be mistaken for another path or a line. */
static enum fit take_place(struct str text, struct arena *arena, struct str *ret_value)
{
    struct str value;
    enum err err = form_decode(text, false, arena, &value);
    if (err == ERR_MEMORY) {
        return FIT_MEMORY;
    }
    if (err != ERR_OK || value.len == 0 || str_eq(value, STR(".")) || str_eq(value, STR(".."))) {
        return FIT_NO;
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c < 0x20 || c == 0x7f || c == '/') {
            return FIT_NO;
        }
    }
    *ret_value = value;
    return FIT_YES;
}

static enum fit fit_segment(struct str pattern, struct str segment, struct arena *arena,
                            struct str *parameters, size_t *n)
{
    if (!str_starts(pattern, STR("{"))) {
        return str_eq(pattern, segment) ? FIT_YES : FIT_NO;
    }
    struct str tail = str_skip(pattern, str_index(pattern, '}') + 1);
    if (!str_ends(segment, tail)) {
        return FIT_NO;
    }
    CHECK(*n < WEB_PARAMETERS_MAX);
    enum fit fit = take_place(str_sub(segment, 0, segment.len - tail.len), arena, &parameters[*n]);
    *n += fit == FIT_YES ? 1 : 0;
    return fit;
}

static enum fit fit_path(struct str pattern, struct str path, struct arena *arena,
                         struct str *parameters)
{
    size_t n = 0;
    enum fit fit = FIT_YES;
    bool more = true;
    while (more && fit == FIT_YES) {
        struct str want;
        struct str got;
        more = str_cut(pattern, '/', &want, &pattern);
        if (str_cut(path, '/', &got, &path) != more) {
            return FIT_NO;
        }
        fit = fit_segment(want, got, arena, parameters, &n);
    }
    return fit;
}

enum err web_route_find(const struct web_route *routes, size_t n_routes, enum web_method method,
                        struct str path, struct arena *arena, const struct web_route **ret_route,
                        struct str ret_parameters[WEB_PARAMETERS_MAX])
{
    bool other_method = false;
    for (size_t i = 0; i < n_routes; i++) {
        struct str parameters[WEB_PARAMETERS_MAX] = {{NULL, 0}};
        enum fit fit = fit_path(routes[i].path, path, arena, parameters);
        if (fit == FIT_MEMORY) {
            return ERR_MEMORY;
        }
        if (fit == FIT_YES && routes[i].method == method) {
            memcpy(ret_parameters, parameters, sizeof(parameters));
            *ret_route = &routes[i];
            return ERR_OK;
        }
        other_method = other_method || fit == FIT_YES;
    }
    return other_method ? ERR_DENIED : ERR_NOT_FOUND;
}
