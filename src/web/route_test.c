/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/route.h"

#include "lib/test.h"

static enum web_next nothing(struct web_exchange *exchange)
{
    (void)exchange;
    return WEB_DONE;
}

#define ROW(method, path, name)                                                 \
    {                                                                           \
        method, STR_INIT(path), STR_INIT(name), nothing, GUARD_OPEN, {NULL, 0}, \
        {                                                                       \
            NULL, 0                                                             \
        }                                                                       \
    }

static const struct web_route rows[] = {
    ROW(WEB_GET, "/", "start"),
    ROW(WEB_GET, "/records/{register}.csv", "csv"),
    ROW(WEB_GET, "/records/{register}", "list"),
    ROW(WEB_GET, "/records/{register}/new", "new"),
    ROW(WEB_POST, "/records/{register}/new", "make"),
    ROW(WEB_GET, "/records/{register}/{id}", "show"),
    ROW(WEB_GET, "/records/{register}/{id}/file/{field}", "file"),
};
enum { N_ROWS = sizeof(rows) / sizeof(rows[0]) };

/* "name first|second" or the error's name. */
static void find(enum web_method method, struct str path, struct buf *to)
{
    struct arena arena;
    const struct web_route *route;
    struct str parameters[WEB_PARAMETERS_MAX];
    arena_init(&arena, 4096);
    buf_clear(to);
    enum err err = web_route_find(rows, N_ROWS, method, path, &arena, &route, parameters);
    if (err != ERR_OK) {
        buf_append(to, str_from(err_name(err)));
    } else {
        buf_append(to, route->name);
        for (size_t i = 0; i < WEB_PARAMETERS_MAX && parameters[i].len != 0; i++) {
            buf_append_byte(to, i == 0 ? ' ' : '|');
            buf_append(to, parameters[i]);
        }
    }
    arena_fini(&arena);
}

TEST(the_first_route_that_fits_is_taken)
{
    static const struct {
        enum web_method method;
        struct str path, want;
    } cases[] = {
        {WEB_GET, STR_INIT("/"), STR_INIT("start")},
        {WEB_POST, STR_INIT("/"), STR_INIT("DENIED")},
        {WEB_GET, STR_INIT(""), STR_INIT("NOT_FOUND")},
        {WEB_GET, STR_INIT("//"), STR_INIT("NOT_FOUND")},
        {WEB_GET, STR_INIT("/records"), STR_INIT("NOT_FOUND")},
        {WEB_GET, STR_INIT("/records/"), STR_INIT("NOT_FOUND")},
        {WEB_GET, STR_INIT("/records/people"), STR_INIT("list people")},
        {WEB_GET, STR_INIT("/records/people.csv"), STR_INIT("csv people")},
        {WEB_GET, STR_INIT("/records/.csv"), STR_INIT("list .csv")},
        {WEB_GET, STR_INIT("/records/people/"), STR_INIT("NOT_FOUND")},
        {WEB_GET, STR_INIT("/records/people/new"), STR_INIT("new people")},
        {WEB_POST, STR_INIT("/records/people/new"), STR_INIT("make people")},
        {WEB_POST, STR_INIT("/records/people/abc"), STR_INIT("DENIED")},
        {WEB_GET, STR_INIT("/records/people/abc"), STR_INIT("show people|abc")},
        {WEB_GET, STR_INIT("/records/people/abc/file/photo"), STR_INIT("file people|abc|photo")},
        {WEB_GET, STR_INIT("/records/people/abc/file"), STR_INIT("NOT_FOUND")},
        {WEB_GET, STR_INIT("/Records/people"), STR_INIT("NOT_FOUND")},
    };
    struct buf got;
    buf_init(&got, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        find(cases[i].method, cases[i].path, &got);
        assert_str_eq(buf_str(&got), cases[i].want);
    }
    buf_fini(&got);
}

TEST(escapes_are_taken_off_behind_the_cut)
{
    static const struct {
        struct str path, want;
    } cases[] = {
        {STR_INIT("/records/a%20b+c"), STR_INIT("list a b+c")},
        {STR_INIT("/records/a%2Fb"), STR_INIT("NOT_FOUND")},
        {STR_INIT("/records/%2e%2e"), STR_INIT("NOT_FOUND")},
        {STR_INIT("/records/."), STR_INIT("NOT_FOUND")},
        {STR_INIT("/records/a%00"), STR_INIT("NOT_FOUND")},
        {STR_INIT("/records/a%0d%0aX:1"), STR_INIT("NOT_FOUND")},
        {STR_INIT("/records/%ff"), STR_INIT("NOT_FOUND")},
        {STR_INIT("/records/%"), STR_INIT("NOT_FOUND")},
        {STR_INIT("/%72ecords/people"), STR_INIT("NOT_FOUND")},
    };
    struct buf got;
    buf_init(&got, 4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        find(WEB_GET, cases[i].path, &got);
        assert_str_eq(buf_str(&got), cases[i].want);
    }
    buf_fini(&got);
}

TESTS_MAIN(unit(the_first_route_that_fits_is_taken), unit(escapes_are_taken_off_behind_the_cut))
