/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the core of web/ is made of; private to web.c, guard.c, form.c, page.c and cookie.c. */
#ifndef LODGE_WEB_WEB_IMPL_H
#define LODGE_WEB_WEB_IMPL_H

#include "web/first_code.h"
#include "web/page.h"
#include "web/route.h"
#include "web/web.h"

struct web {
    struct web_options options;
    bool has_school; /* the first run is over, or there is none */
    struct first_code first_code;
};

enum {
    WEB_FORM_FIELDS_MAX = 2048,
    WEB_FORM_FILES_MAX = 8,
    WEB_JSON_DEPTH = 16,
    WEB_ANSWER_MAX = 32 * 1024 * 1024,
    WEB_HEADERS_MAX = 16 * 1024,
    WEB_FACTOR_MS = 10 * 60 * 1000, /* how long a shown factor opens what asks for it itself */
};

struct web_form {
    json_t *fields;
    size_t n_files;
    struct web_form_file {
        struct str field;
        struct form_file file;
    } files[WEB_FORM_FILES_MAX];
    struct str csrf; /* of a form's field */
};

/* Reads the body of a POST into exchange->form, which is empty where there is no body. ERR_INVALID:
 * broken; ERR_RANGE: of a type that is not taken; ERR_LIMIT; ERR_MEMORY. */
MUST_USE enum err web_form_read(struct web_exchange *exchange);

/* Fills session and actor from the cookie; ERR_GONE and the store's other errors. */
MUST_USE enum err web_guard_load(struct web_exchange *exchange);

/* Whether this request may reach this route's handler. True: it may; false: it was answered. */
MUST_USE bool web_guard_pass(struct web_exchange *exchange, const struct web_route *route);

/* Whether the first run is open: there is no school, and a code to make one. */
MUST_USE enum err web_first_run_open(struct web *web, bool *ret_open);

/* "a/b" of "a/b; c=d". */
struct str web_media_type(struct str content_type);

/* The note that page_flash left for this page, as {"kind", "text"}, or NULL; it is then gone. */
json_t *web_flash_take(struct web_exchange *exchange);

/* What the frame's navigation shows: [{"text", "href", "current"}]. */
json_t *web_nav(const struct web_exchange *exchange);

#endif
