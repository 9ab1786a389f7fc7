/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of the console as somebody of a small school gets them, past the guard (which has its own
 * tests): routed, with the form read, by the handler.
 *
 *     struct web_rig at;
 *     web_rig_open(&at);
 *     at.actor = school_person(&at.school, ...);
 *     struct str page = web_rig_get(&at, "/records/people?search=ada");
 *     web_rig_post(&at, "/records/people/new", "name=Ada&kind=pupil");
 *     web_rig_close(&at);
 *
 * at.exchange holds the answer until the next. With LODGE_PAGES set to a folder every page is kept
 * there, for tests/test_console_html.py. */
#ifndef LODGE_TESTS_WEB_H
#define LODGE_TESTS_WEB_H

#include <fcntl.h>
#include <unistd.h>

#include "lib/records.h"
#include "web/web_impl.h"

struct web_rig {
    struct school school;
    struct web *web;
    struct actor actor;
    struct arena arena; /* of the last request */
    struct web_request request;
    struct web_exchange exchange;
    char path[2048], body[8192], location[256];
    bool json;
};

static inline void web_rig_open(struct web_rig *at)
{
    *at = (struct web_rig){0};
    school_open(&at->school);
    const struct web_options options = {.store = at->school.store.store,
                                        .keys = at->school.keys,
                                        .data = "data",
                                        .school = STR("Oak Primary")};
    assert_ok(web_new(&options, &at->web));
    arena_init(&at->arena, 32 * 1024 * 1024);
}

static inline void web_rig_close(struct web_rig *at)
{
    web_exchange_fini(&at->exchange);
    arena_fini(&at->arena);
    web_free(at->web);
    school_close(&at->school);
}

static inline void web_rig_keep(const struct web_rig *at)
{
    static unsigned kept;
    char name[512];
    const char *folder = getenv("LODGE_PAGES");
    if (folder == NULL || !str_starts(at->exchange.type, STR("text/html"))) {
        return;
    }
    snprintf(name, sizeof(name), "%s/%03u.html", folder, kept++);
    int fd = open(name, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, at->exchange.body.p, at->exchange.body.len), at->exchange.body.len);
    close(fd);
}

static inline struct str web_rig_ask(struct web_rig *at, enum web_method method, const char *path,
                                     const char *body, const char *type)
{
    const struct web_route *route;
    web_exchange_fini(&at->exchange);
    arena_reset(&at->arena);
    snprintf(at->path, sizeof(at->path), "%s", path);
    snprintf(at->body, sizeof(at->body), "%s", body);
    at->request = (struct web_request){.method = method,
                                       .host = STR("console.example"),
                                       .content_type = str_from(type),
                                       .body = str_from(at->body),
                                       .now_ms = at->school.now_ms};
    (void)str_cut(str_from(at->path), '?', &at->request.path, &at->request.query);
    at->exchange = (struct web_exchange){
        .web = at->web,
        .request = &at->request,
        .arena = &at->arena,
        .actor = at->actor,
        .session = {.stage = SESSION_WHOLE, .school = at->school.id, .csrf = "token"},
        .wants_json = at->json,
        .status = 200,
    };
    buf_init(&at->exchange.headers, WEB_HEADERS_MAX);
    buf_init(&at->exchange.body, WEB_ANSWER_MAX);
    enum err err = web_route_find(WEB_ROUTES, N_WEB_ROUTES, method, at->request.path, &at->arena,
                                  &route, at->exchange.parameters);
    if (err != ERR_OK) {
        fail_msg("no route: %s", path);
    }
    if (method == WEB_POST) {
        assert_ok(web_form_read(&at->exchange));
    }
    assert_int_equal(route->handler(&at->exchange), WEB_DONE);
    web_rig_keep(at);
    return buf_str(&at->exchange.body);
}

static inline struct str web_rig_get(struct web_rig *at, const char *path)
{
    return web_rig_ask(at, WEB_GET, path, "", "");
}

static inline struct str web_rig_post(struct web_rig *at, const char *path, const char *body)
{
    return web_rig_ask(at, WEB_POST, path, body, "application/x-www-form-urlencoded");
}

/* Where the last answer leads; empty: nowhere. In at->location. */
static inline const char *web_rig_location(struct web_rig *at)
{
    struct str headers = buf_str(&at->exchange.headers);
    struct str name = STR("Location: ");
    size_t found = str_find(headers, name);
    struct str line = str_skip(headers, found + name.len);
    snprintf(at->location, sizeof(at->location), "%.*s",
             STR_ARG(str_sub(line, 0, str_index(line, '\r'))));
    return at->location;
}

static inline bool web_rig_says(const struct web_rig *at, const char *text)
{
    struct str body = buf_str(&at->exchange.body);
    return str_find(body, str_from(text)) < body.len;
}

#define assert_says(at, text)                                                                \
    do {                                                                                     \
        if (!web_rig_says(at, text)) {                                                       \
            fail_msg("does not say %s: %.*s", text, STR_ARG(buf_str(&(at)->exchange.body))); \
        }                                                                                    \
    } while (0)
#define assert_silent(at, text)                                                      \
    do {                                                                             \
        if (web_rig_says(at, text)) {                                                \
            fail_msg("says %s: %.*s", text, STR_ARG(buf_str(&(at)->exchange.body))); \
        }                                                                            \
    } while (0)

#endif
