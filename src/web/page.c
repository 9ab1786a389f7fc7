/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers: a document as a page or as itself, redirects, troubles, bytes. */
#include "web/page.h"

#include "base/check.h"
#include "base/num.h"
#include "wire/form.h"
#include "wire/utf8.h"
#include "web/views.h"
#include "web/web_impl.h"

enum { PATH_MAX_BYTES = 2048, LINE_MAX_BYTES = 2048, FILE_NAME_MAX = 200 };

void web_header(struct web_exchange *exchange, struct str name, struct str value)
{
    CHECK(str_index(value, '\r') == value.len && str_index(value, '\n') == value.len);
    buf_append(&exchange->headers, name);
    buf_append(&exchange->headers, STR(": "));
    buf_append(&exchange->headers, value);
    buf_append(&exchange->headers, STR("\r\n"));
}

static int put_json(const char *bytes, size_t n, void *context)
{
    struct buf *to = context;
    buf_append(to, str_make(bytes, n));
    return buf_err(to) == ERR_OK ? 0 : -1;
}

static void begin(struct web_exchange *exchange, unsigned status, struct str type)
{
    exchange->status = status;
    exchange->type = type;
    buf_clear(&exchange->body);
}

/* ---- pages ---- */

static json_t *text_or_null(struct str text)
{
    return text.len == 0 ? json_null() : json_stringn(text.p, text.len);
}

static json_t *role_labels(const struct actor *actor)
{
    json_t *labels = json_array();
    for (int role = 0; role < ROLE_COUNT; role++) {
        if (actor_has(actor, (enum role)role)) {
            struct str label = role_label((enum role)role);
            json_array_append_new(labels, json_stringn(label.p, label.len));
        }
    }
    return labels;
}

static enum err read_school_name(struct web_exchange *exchange, struct str *ret_name)
{
    enum { COLUMNS = 4 };
    struct store *store = exchange->web->options.store;
    const struct store_value id[] = {store_text(exchange->actor.school)};
    struct store_value columns[COLUMNS];
    ERR_TRY(store_begin(store, exchange->actor.school, STORE_READ));
    enum err err = store_row(store, STATEMENT_SCHOOL_GET, id, 1, exchange->arena, columns, COLUMNS);
    store_rollback(store);
    if (err == ERR_OK) {
        *ret_name = columns[0].bytes;
    }
    return err;
}

/* Of the only school that there is. ERR_NOT_FOUND. */
static enum err read_lone_school(struct web_exchange *exchange, struct str *ret_name)
{
    struct store *store = exchange->web->options.store;
    struct store_rows *rows = NULL;
    struct str name = {NULL, 0};
    size_t n = 0;
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    enum err err = store_query(store, STATEMENT_SCHOOLS, NULL, 0, &rows);
    while (err == ERR_OK && n < 2 && store_rows_next(rows, &err)) {
        name = arena_dup(exchange->arena, store_rows_bytes(rows, 1));
        n++;
    }
    store_rows_free(rows);
    store_rollback(store);
    if (err == ERR_OK && n == 1) {
        *ret_name = name;
        return ERR_OK;
    }
    return err == ERR_OK ? ERR_NOT_FOUND : err;
}

struct str page_school(struct web_exchange *exchange)
{
    struct str name = {NULL, 0};
    bool known = exchange->actor.school.len != 0;
    enum err err = exchange->gone ? ERR_GONE
                   : known        ? read_school_name(exchange, &name)
                                  : read_lone_school(exchange, &name);
    return err == ERR_OK && name.len != 0 ? name : STR("Lodge");
}

/* Crumbs lead to where the page belongs; the page itself is none. */
static void end_crumbs(const struct web_exchange *exchange, json_t *crumbs)
{
    size_t n = json_array_size(crumbs);
    const char *href = json_string_value(json_object_get(json_array_get(crumbs, n - 1), "href"));
    if (n > 1 && (href == NULL || str_eq(str_from(href), exchange->request->path))) {
        (void)json_array_remove(crumbs, n - 1);
    }
}

/* What the frame around a view shows. */
static json_t *frame(struct web_exchange *exchange, json_t *document)
{
    json_t *title = json_object_get(document, "title");
    json_t *crumbs = json_object_get(document, "crumbs");
    json_t *page = json_object();
    end_crumbs(exchange, crumbs);
    json_object_set_new(page, "title", title != NULL ? json_incref(title) : json_null());
    json_object_set_new(page, "crumbs", crumbs != NULL ? json_incref(crumbs) : json_array());
    json_object_set_new(page, "path", text_or_null(exchange->request->path));
    json_object_set_new(page, "school", text_or_null(page_school(exchange)));
    json_object_set_new(page, "signed_in", json_boolean(exchange->session.stage == SESSION_WHOLE));
    json_object_set_new(page, "name", text_or_null(exchange->actor.name));
    json_object_set_new(page, "roles", role_labels(&exchange->actor));
    json_object_set_new(page, "nav", web_nav(exchange));
    json_object_set_new(page, "csrf", text_or_null(str_from(exchange->session.csrf)));
    json_t *flash = web_flash_take(exchange);
    json_object_set_new(page, "flash", flash != NULL ? flash : json_null());
    return page;
}

enum web_next page_answer(struct web_exchange *exchange, unsigned status, web_view *view,
                          json_t *document)
{
    enum err err = ERR_MEMORY;
    if (json_is_object(document) &&
        json_object_set_new(document, "page", frame(exchange, document)) == 0) {
        if (exchange->wants_json) {
            begin(exchange, status, STR("application/json"));
            err = json_dump_callback(document, put_json, &exchange->body, JSON_COMPACT) == 0
                      ? ERR_OK
                      : ERR_LIMIT;
        } else {
            begin(exchange, status, STR("text/html; charset=utf-8"));
            view(&exchange->body, document);
            err = buf_err(&exchange->body);
        }
    }
    json_decref(document);
    return err == ERR_OK ? WEB_DONE
                         : page_trouble(exchange, 500,
                                        STR("This page is too long to be shown. Ask for less "
                                            "of it, or tell the technician."));
}

static enum web_next answer_object(struct web_exchange *exchange, unsigned status, const char *name,
                                   struct str text)
{
    json_t *document = json_pack("{s:o?}", name, json_stringn(text.p, text.len));
    begin(exchange, status, STR("application/json"));
    (void)json_dump_callback(document, put_json, &exchange->body, JSON_COMPACT);
    json_decref(document);
    return WEB_DONE;
}

enum web_next page_redirect(struct web_exchange *exchange, struct str path)
{
    CHECK(str_starts(path, STR("/")) && !str_starts(path, STR("//")));
    if (exchange->wants_json) {
        return answer_object(exchange, 200, "location", path);
    }
    begin(exchange, 303, STR("text/plain; charset=utf-8"));
    web_header(exchange, STR("Location"), path);
    return WEB_DONE;
}

/* ---- troubles ---- */

static struct str trouble_title(unsigned status)
{
    static const struct {
        unsigned status;
        struct str title;
    } rows[] = {
        {400, STR_INIT("That could not be read")},
        {401, STR_INIT("Sign in first")},
        {403, STR_INIT("You may not do that")},
        {404, STR_INIT("Page not found")},
        {405, STR_INIT("Page not found")},
        {409, STR_INIT("Somebody else changed it")},
        {408, STR_INIT("That took too long")},
        {413, STR_INIT("That is too big")},
        {415, STR_INIT("That could not be read")},
        {429, STR_INIT("Too many tries")},
        {503, STR_INIT("Not available for a moment")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].status == status) {
            return rows[i].title;
        }
    }
    return STR("Something went wrong");
}

static void print_json_trouble(struct buf *to, struct str sentence)
{
    json_t *document = json_pack("{s:s%, s:{}}", "error", sentence.p, sentence.len, "faults");
    (void)json_dump_callback(document, put_json, to, JSON_COMPACT);
    json_decref(document);
}

static json_t *trouble(unsigned status, struct str sentence)
{
    struct str title = trouble_title(status);
    return json_pack("{s:s%, s:s%}", "title", title.p, title.len, "sentence", sentence.p,
                     sentence.len);
}

/* What was sent, to be sent again as it was: {"action", "fields": [{"name", "value"}], "files"}.
 * NULL: nothing, or a secret, which no page holds. */
static json_t *sent_again(const struct web_exchange *exchange)
{
    static const char *const secrets[] = {"password", "again", "old", "code", "answer"};
    const char *name;
    json_t *value;
    if (exchange->request->method != WEB_POST || exchange->session.stage != SESSION_WHOLE ||
        !json_is_object(form_json(exchange))) {
        return NULL;
    }
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        if (form_has(exchange, str_from(secrets[i]))) {
            return NULL;
        }
    }
    json_t *fields = json_array();
    json_object_foreach((json_t *)(uintptr_t)form_json(exchange), name, value)
    {
        if (json_is_string(value) && strcmp(name, "csrf") != 0) {
            json_array_append_new(fields, json_pack("{s:s, s:O}", "name", name, "value", value));
        }
    }
    return json_pack("{s:o, s:o, s:b}", "action", text_or_null(exchange->request->path), "fields",
                     fields, "files", exchange->form->n_files != 0);
}

static enum web_next answer_trouble(struct web_exchange *exchange, unsigned status,
                                    struct str sentence, json_t *again)
{
    if (exchange->wants_json) {
        json_decref(again);
        begin(exchange, status, STR("application/json"));
        print_json_trouble(&exchange->body, sentence);
        return WEB_DONE;
    }
    json_t *document = trouble(status, sentence);
    json_object_set_new(document, "again", again != NULL ? again : json_null());
    json_object_set_new(document, "page", frame(exchange, document));
    begin(exchange, status, STR("text/html; charset=utf-8"));
    view_trouble(&exchange->body, document);
    json_decref(document);
    return WEB_DONE;
}

enum web_next page_trouble(struct web_exchange *exchange, unsigned status, struct str sentence)
{
    return answer_trouble(exchange, status, sentence, NULL);
}

struct str page_trouble_print(struct buf *to, bool json, unsigned status, struct str school,
                              struct str sentence)
{
    if (json) {
        print_json_trouble(to, sentence);
        return STR("application/json");
    }
    json_t *document = trouble(status, sentence);
    json_object_set_new(document, "page",
                        json_pack("{s:s%}", "school", school.len != 0 ? school.p : "", school.len));
    view_trouble(to, document);
    json_decref(document);
    return STR("text/html; charset=utf-8");
}

enum web_next page_err(struct web_exchange *exchange, enum err err)
{
    static const struct {
        enum err err;
        unsigned status;
        struct str sentence;
    } rows[] = {
        {ERR_NOT_FOUND, 404,
         STR_INIT("There is nothing here that you may see. Check the address, or search for it.")},
        {ERR_DENIED, 403,
         STR_INIT("Your role does not allow this. Ask the technician if it should.")},
        {ERR_CONFLICT, 409,
         STR_INIT("Somebody else changed this while you were working on it. Go back, load the page "
                  "again and make your change once more.")},
        {ERR_BUSY, 503,
         STR_INIT("The school's records are busy. Nothing was saved. Try again in a moment.")},
        {ERR_FULL, 503,
         STR_INIT(
             "The disk of the school's records is full. Nothing was saved. Tell the technician "
             "now; records can still be read.")},
        {ERR_GONE, 503,
         STR_INIT("The school's records cannot be reached. Try again in a few minutes; if you sent "
                  "something, look first whether it was saved. If it goes on, tell the "
                  "technician.")},
    };
    exchange->gone = exchange->gone || err == ERR_GONE;
    exchange->failed = err == ERR_FULL ? err : exchange->failed;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].err == err) {
            if (rows[i].status == 503) {
                web_header(exchange, STR("Retry-After"), STR("5"));
            }
            return answer_trouble(exchange, rows[i].status, rows[i].sentence,
                                  rows[i].status == 503 ? sent_again(exchange) : NULL);
        }
    }
    exchange->failed = err;
    return answer_trouble(exchange, 500,
                          STR("It is not your mistake. Nothing was saved. Try again; if it goes "
                              "on, tell the technician the time at which it happened."),
                          sent_again(exchange));
}

/* ---- bytes ---- */

/* Shown in the browser; whatever else somebody uploaded is only ever saved. */
static bool is_shown(struct str type)
{
    static const struct str rows[] = {
        STR_INIT("image/png"),        STR_INIT("image/jpeg"), STR_INIT("image/gif"),
        STR_INIT("image/webp"),       STR_INIT("text/plain"), STR_INIT("text/plain; charset=utf-8"),
        STR_INIT("application/json"),
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (str_eq(type, rows[i])) {
            return true;
        }
    }
    return false;
}

static bool is_line(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < 0x20 || text.p[i] > 0x7e) {
            return false;
        }
    }
    return text.len != 0 && text.len < FILE_NAME_MAX;
}

/* RFC 6266 section 4.3 and appendix D: plain for old programs, encoded for all others. */
static void offer(struct web_exchange *exchange, struct str name)
{
    struct buf line;
    struct str cut = utf8_head(name, FILE_NAME_MAX);
    buf_init(&line, LINE_MAX_BYTES);
    buf_append(&line, STR("attachment; filename=\""));
    for (size_t i = 0; i < cut.len; i++) {
        char c = cut.p[i];
        bool plain = ascii_is_alpha(c) || ascii_is_digit(c) || (c != '\0' && strchr(".-_ ", c));
        buf_append_byte(&line, plain ? c : '_');
    }
    buf_append(&line, STR("\"; filename*=UTF-8''"));
    form_encode(&line, cut);
    web_header(exchange, STR("Content-Disposition"), buf_str(&line));
    buf_fini(&line);
}

enum web_next page_bytes(struct web_exchange *exchange, struct str type, struct str file_name,
                         struct str bytes)
{
    if (!is_line(type)) {
        type = STR("application/octet-stream");
    }
    begin(exchange, 200, type);
    if (file_name.len != 0 || !is_shown(type)) {
        offer(exchange, file_name.len != 0 ? file_name : STR("file"));
    }
    buf_append(&exchange->body, bytes);
    return buf_err(&exchange->body) == ERR_OK
               ? WEB_DONE
               : page_trouble(exchange, 500, STR("This file is too big to be sent."));
}

/* ---- paths ---- */

struct str web_path(struct web_exchange *exchange, const char *pattern, const struct str *values,
                    size_t n_values)
{
    struct buf path;
    size_t used = 0;
    buf_init(&path, PATH_MAX_BYTES);
    for (const char *at = pattern; *at != '\0'; at++) {
        if (*at == '%') {
            CHECK(used < n_values);
            form_encode(&path, values[used++]);
        } else {
            buf_append_byte(&path, *at);
        }
    }
    CHECK(used == n_values);
    struct str made =
        buf_err(&path) == ERR_OK ? arena_dup(exchange->arena, buf_str(&path)) : str_make(NULL, 0);
    buf_fini(&path);
    return made.len != 0 ? made : STR("/");
}

bool web_path_is_ours(struct str path)
{
    bool ours = str_starts(path, STR("/")) && path.len < PATH_MAX_BYTES;
    for (size_t i = 0; i < path.len && ours; i++) {
        /* "//host" and what browsers read as such are another's. */
        ours = path.p[i] > 0x20 && path.p[i] < 0x7f && path.p[i] != '\\' &&
               !(i == 1 && path.p[i] == '/');
    }
    return ours;
}

struct str web_next_path(const struct web_exchange *exchange)
{
    struct str next = form_text(exchange, STR("next"));
    if (next.len == 0) {
        next = query_text(exchange, STR("next"));
    }
    return web_path_is_ours(next) ? next : STR("/");
}
