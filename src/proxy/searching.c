/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Searches on their way through: what goes to the site is held to safe search (F33), what was
 * searched for goes into the event (D13).
 *
 * The head was printed before it was known who asks, and so at which level; it is put right just
 * before it goes out. Doing that again, for a second try, changes nothing (policy/search.h).
 */
#include "policy/search.h"

#include "base/check.h"
#include "proxy/proxy_impl.h"

static struct str content_type(const struct http1_head *head)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        if (str_eq_nocase(head->headers[i].name, STR("Content-Type"))) {
            return head->headers[i].value;
        }
    }
    return str_make(NULL, 0);
}

void searching_note(struct exchange *exchange, const struct http1_head *head)
{
    if (head->body == HTTP1_BODY_NONE) {
        return;
    }
    struct str media = content_type(head);
    struct str type = str_trim(str_sub(media, 0, str_index(media, ';')));
    bool words = str_eq_nocase(type, STR("application/x-www-form-urlencoded"));
    exchange->form = words || str_eq_nocase(type, STR("multipart/form-data"));
    if (words) {
        buf_init(&exchange->words, SEARCH_FORM_MAX);
        exchange->keeps_words = true;
        exchange->words_charset = charset_of_type(media);
    }
}

void searching_feed(struct exchange *exchange, struct str data)
{
    buf_append(&exchange->words, str_sub(data, 0, SEARCH_FORM_MAX - exchange->words.len));
    exchange->keeps_words = exchange->words.len < SEARCH_FORM_MAX;
}

struct str searching_terms(struct exchange *exchange)
{
    const struct verdict *verdict = &exchange->verdict;
    const struct policy *policy = exchange->client->proxy->images.policy;
    bool kept = exchange->known_url && !exchange->connect && !exchange->gate && !verdict->sealed &&
                !verdict->lifeline;
    if (!kept || policy == NULL) {
        return str_make(NULL, 0);
    }
    if (exchange->terms.len == 0) {
        exchange->terms =
            search_terms(policy_search(policy), &exchange->url, buf_str(&exchange->words),
                         exchange->words_charset, &exchange->arena);
    }
    return exchange->terms;
}

/* One line of the head that is printed already, without its end; false at the empty one. */
static bool next_line(struct str *rest, struct str *ret_line)
{
    size_t end = str_find(*rest, STR("\r\n"));
    *ret_line = str_sub(*rest, 0, end);
    *rest = str_skip(*rest, end + 2);
    return ret_line->len != 0;
}

static void put_cookie(const struct search_edit *edit, struct str given, struct buf *to)
{
    size_t before = to->len;
    buf_append(to, STR("Cookie: "));
    size_t named = to->len;
    search_cookie(edit, given, to);
    if (to->len == named) {
        to->len = before;
        return;
    }
    buf_append(to, STR("\r\n"));
}

/* The head anew. Several Cookie fields, as HTTP/2 cuts them, are read as one. */
static void put_head(struct str head, const struct search_edit *edit, struct buf *cookies,
                     struct buf *to)
{
    struct str line = {0};
    bool edits_cookies = edit->cookies.len != 0 || edit->cookie.len != 0;
    (void)next_line(&head, &line);
    struct str method = str_sub(line, 0, str_index(line, ' '));
    http1_print_request_line(to, method, edit->target);
    while (next_line(&head, &line)) {
        struct str name = str_sub(line, 0, str_index(line, ':'));
        struct str value = str_trim(str_skip(line, name.len + 1));
        if (edits_cookies && str_eq_nocase(name, STR("Cookie"))) {
            buf_append(cookies, cookies->len != 0 ? STR("; ") : STR(""));
            buf_append(cookies, value);
        } else if (edit->header.len == 0 || !str_eq_nocase(name, edit->header)) {
            buf_append(to, line);
            buf_append(to, STR("\r\n"));
        }
    }
    if (edits_cookies) {
        put_cookie(edit, buf_str(cookies), to);
    }
    if (edit->header.len != 0) {
        http1_print_header(to, edit->header, edit->value);
    }
    buf_append(to, STR("\r\n"));
}

static enum err edit_head(struct exchange *exchange, const struct search_edit *edit)
{
    struct buf made;
    struct buf cookies;
    buf_init(&made, EXCHANGE_HEAD_MAX);
    buf_init(&cookies, EXCHANGE_HEAD_MAX);
    put_head(buf_str(&exchange->head), edit, &cookies, &made);
    enum err err = buf_err(&cookies) != ERR_OK ? buf_err(&cookies) : buf_err(&made);
    buf_fini(&cookies);
    if (err != ERR_OK) {
        buf_fini(&made);
        return err;
    }
    buf_fini(&exchange->head);
    exchange->head = made;
    return ERR_OK;
}

/* What goes out is decided on too, not only what was asked for. */
static enum err decide_rewritten(struct exchange *exchange, struct str target)
{
    struct url asked = exchange->url;
    ERR_TRY(url_parse_target(target, &exchange->arena, &exchange->url));
    bool allowed = verdict_exchange(exchange, &exchange->origin->addr);
    exchange->url = asked;
    return allowed ? ERR_OK : ERR_INVALID;
}

enum err searching_apply(struct exchange *exchange)
{
    struct search_edit edit;
    const struct policy *policy = exchange->client->proxy->images.policy;
    if (exchange->verdict.safe_search <= SAFE_SEARCH_OFF || policy == NULL) {
        return ERR_OK;
    }
    struct str line =
        str_sub(buf_str(&exchange->head), 0, str_find(buf_str(&exchange->head), STR("\r\n")));
    struct str target = str_skip(line, str_index(line, ' ') + 1);
    target = str_sub(target, 0, str_index(target, ' '));
    if (str_eq(target, STR("*"))) {
        return ERR_OK;
    }
    ERR_TRY(search_safe(policy_search(policy), &exchange->url, target,
                        exchange->verdict.safe_search, &exchange->arena, &edit));
    if (edit.rewritten) {
        ERR_TRY(decide_rewritten(exchange, edit.target));
    }
    bool any =
        edit.rewritten || edit.header.len != 0 || edit.cookies.len != 0 || edit.cookie.len != 0;
    return any ? edit_head(exchange, &edit) : ERR_OK;
}
