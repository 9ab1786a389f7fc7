/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What handlers answer with. */
#ifndef LODGE_WEB_PAGE_H
#define LODGE_WEB_PAGE_H

#include "web/web.h"

/* A view: made by tools/templates.py from views/console/NAME.html. */
typedef void web_view(struct buf *to, const json_t *document);

/* Answers with the document (taken over, also on failure): its view in the console's frame, or
 * itself as JSON. The frame's own members ("page": {title, signed_in, name, roles, nav, csrf,
 * flash, crumbs}) are added here; the document names its title as "title". */
enum web_next page_answer(struct web_exchange *exchange, unsigned status, web_view *view,
                          json_t *document);
/* What the frame calls the place: the school of whoever is signed in, the only one that there is,
 * or "Lodge". */
struct str page_school(struct web_exchange *exchange);
/* 303 to a path of ours (built by web_path, never from input). For JSON: 200 and {"location"}. */
enum web_next page_redirect(struct web_exchange *exchange, struct str path);
/* An error as a page or as {"error", "faults"}: 403, 404, 409, 413, 429, 500, 503; says what to do.
 */
enum web_next page_trouble(struct web_exchange *exchange, unsigned status, struct str sentence);
/* Whether JSON rather than HTML answers this Accept (RFC 9110 section 12.5.1). sent_json: what was
 * sent is JSON, which decides between equals. */
bool web_accept_json(struct str accept, bool sent_json);
/* The same for whoever answers without us: appends the page or JSON; its Content-Type comes back.
 */
struct str page_trouble_print(struct buf *to, bool json, unsigned status, struct str school,
                              struct str sentence);
/* From an error of records/: NOT_FOUND 404, DENIED 403, CONFLICT 409, BUSY and GONE 503, else 500.
 */
enum web_next page_err(struct web_exchange *exchange, enum err err);
/* A note that the next page shows once ("Saved. Undo"). */
void page_flash(struct web_exchange *exchange, struct str kind, struct str text);
/* Something else than a page: bytes of a type, for a CSV, a file or a document. file_name: offered
 * for saving under this name (empty: shown). */
enum web_next page_bytes(struct web_exchange *exchange, struct str type, struct str file_name,
                         struct str bytes);
/* One response header; refuses CR and LF (a CHECK). */
void web_header(struct web_exchange *exchange, struct str name, struct str value);

/* A path of ours, in the arena: pattern with one '%' for each value, which is escaped
 * ("/records/%/%",
 * "/sign-in?next=%"). */
struct str web_path(struct web_exchange *exchange, const char *pattern, const struct str *values,
                    size_t n_values);
/* Whether a browser that is sent to this text stays here: one '/' first, nothing odd behind it. */
bool web_path_is_ours(struct str path);
/* Where to go on: the form's or the query's "next", where it is a path of ours; else "/". */
struct str web_next_path(const struct web_exchange *exchange);

/* A cookie that the browser sent; empty where there is none. */
struct str cookie_text(const struct web_exchange *exchange, struct str name);
/* Sets one: HttpOnly, Secure, SameSite=Lax, Path=/. max_age_s 0: until the browser is closed; below
 * 0: it goes. The value must be a cookie's (RFC 6265 section 4.1.1; a CHECK). */
void cookie_set(struct web_exchange *exchange, struct str name, struct str value, int max_age_s);

/* ---- forms ---- */

/* The first value of a field; empty where there is none. has: whether it was sent at all. */
struct str form_text(const struct web_exchange *exchange, struct str name);
bool form_has(const struct web_exchange *exchange, struct str name);
/* All fields as {name: text} but the token "csrf" (of several values the first); for JSON bodies
 * the object as it came, at most WEB_JSON_DEPTH deep. Owned by the exchange. */
const json_t *form_json(const struct web_exchange *exchange);
struct form_file {
    struct str name, type, bytes;
};
/* False where none was sent, and where the field was left empty. */
bool form_file(const struct web_exchange *exchange, struct str name, struct form_file *ret_file);
/* A parameter of the query, decoded into the arena; empty where there is none. */
struct str query_text(const struct web_exchange *exchange, struct str name);

#endif
