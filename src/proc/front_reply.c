/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What front answers: the desk's answers under its own head, the assets, and its own troubles. */
#include "base/check.h"
#include "proc/front_impl.h"
#include "web/assets.h"
#include "web/page.h"

enum { HEAD_MAX = 32 * 1024, PAGE_MAX = 64 * 1024 };

/* On each answer, whoever made it. Styles and scripts are files of ours: nothing inline, nothing
 * from elsewhere. The referrer stays within the console, since without one a browser says no Origin
 * either. */
#define SECURITY_HEADERS                                                                 \
    "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; " \
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "    \
    "frame-ancestors 'none'; base-uri 'none'\r\n"                                        \
    "X-Content-Type-Options: nosniff\r\n"                                                \
    "X-Frame-Options: DENY\r\n"                                                          \
    "Referrer-Policy: same-origin\r\n"                                                   \
    "Cross-Origin-Opener-Policy: same-origin\r\n"                                        \
    "Cross-Origin-Resource-Policy: same-origin\r\n"                                      \
    "Permissions-Policy: camera=(), microphone=(), geolocation=()\r\n"                   \
    "X-Robots-Tag: noindex\r\n"

#define NOT_KEPT STR("Cache-Control: no-store\r\n")

struct head {
    unsigned status;
    struct str type;  /* empty: none */
    struct str extra; /* whole lines */
    size_t length;
    bool no_body; /* 304 */
};

static void print_head(struct visit *visit, const struct head *head, struct buf *to)
{
    const struct front *front = visit->peer->front;
    http1_print_status_line(to, head->status, http1_reason(head->status));
    if (head->type.len != 0) {
        http1_print_header(to, STR("Content-Type"), head->type);
    }
    if (!head->no_body) {
        buf_append(to, STR("Content-Length: "));
        buf_append_u64(to, head->length);
        buf_append(to, STR("\r\n"));
    }
    buf_append(to, head->extra);
    buf_append(to, STR(SECURITY_HEADERS));
    if (front->certificate.from == CERTIFICATE_SCHOOLS) {
        /* Only where browsers trust the certificate: with one that they warn of, they would then
         * allow no exception any more. */
        buf_append(to, STR("Strict-Transport-Security: max-age=31536000\r\n"));
    }
    buf_append(to, visit->last ? STR("Connection: close\r\n\r\n")
                               : STR("Connection: keep-alive\r\n\r\n"));
}

/* Writes the head; the body follows as the connection takes it. */
static void begin(struct visit *visit, const struct head *head, struct str body)
{
    struct buf text;
    struct front *front = visit->peer->front;
    visit->last = visit->last || visit->unread || front->draining;
    buf_init(&text, HEAD_MAX);
    print_head(visit, head, &text);
    visit->rest = visit->is_head || head->no_body ? str_make(NULL, 0) : body;
    visit->stage = VISIT_WRITE;
    loop_timer_set(front->loop, &visit->timer, loop_mono_ms(front->loop) + FRONT_WRITE_MS);
    enum err err = buf_err(&text);
    if (err == ERR_OK) {
        err = http_conn_write(visit->conn, buf_str(&text), str_make(NULL, 0));
    }
    buf_fini(&text);
    if (err != ERR_OK) {
        visit_close(visit);
    }
}

/* ---- troubles ---- */

void reply_trouble_after(struct visit *visit, unsigned status, const char *sentence,
                         int64_t after_s)
{
    struct buf extra;
    buf_init(&extra, HEAD_MAX);
    buf_init(&visit->made, PAGE_MAX);
    struct str type =
        page_trouble_print(&visit->made, visit->wants_json, status,
                           conf_str(&visit->peer->front->child->conf.school), str_from(sentence));
    buf_append(&extra, NOT_KEPT);
    if (after_s != 0) {
        buf_append(&extra, STR("Retry-After: "));
        buf_append_i64(&extra, after_s);
        buf_append(&extra, STR("\r\n"));
    }
    struct head head = {
        .status = status,
        .type = type,
        .extra = buf_str(&extra),
        .length = visit->made.len,
    };
    begin(visit, &head, buf_str(&visit->made));
    buf_fini(&extra);
}

void reply_trouble(struct visit *visit, unsigned status, const char *sentence)
{
    reply_trouble_after(visit, status, sentence, 0);
}

/* ---- assets ---- */

/* The list of If-None-Match (RFC 9110 section 13.1.2); a weak tag compares as a strong one. */
static bool has_tag(struct str list, struct str tag)
{
    while (list.len != 0) {
        struct str one;
        str_cut(list, ',', &one, &list);
        one = str_trim(one);
        one = str_starts(one, STR("W/")) ? str_skip(one, 2) : one;
        if (str_eq(one, tag) || str_eq(one, STR("*"))) {
            return true;
        }
    }
    return false;
}

/* A page of another version of the program asks for it. */
static void reply_moved(struct visit *visit, const struct web_asset *asset)
{
    struct buf extra;
    buf_init(&extra, HEAD_MAX);
    http1_print_header(&extra, STR("Location"), asset->address);
    buf_append(&extra, NOT_KEPT);
    struct head head = {.status = 302, .extra = buf_str(&extra)};
    begin(visit, &head, STR(""));
    buf_fini(&extra);
}

void reply_asset(struct visit *visit, struct str path, struct str if_none_match)
{
    bool moved = false;
    const struct web_asset *asset = web_asset_find(path, &moved);
    struct buf extra;
    if (asset == NULL) {
        reply_trouble(visit, 404, "There is no such file. Check the address.");
        return;
    }
    if (moved) {
        reply_moved(visit, asset);
        return;
    }
    bool same = has_tag(if_none_match, asset->etag);
    buf_init(&extra, HEAD_MAX);
    http1_print_header(&extra, STR("ETag"), asset->etag);
    buf_append(&extra, STR("Cache-Control: public, max-age=31536000, immutable\r\n"));
    struct head head = {
        .status = same ? 304 : 200,
        .type = same ? STR("") : asset->type,
        .extra = buf_str(&extra),
        .length = asset->bytes.len,
        .no_body = same,
    };
    begin(visit, &head, asset->bytes);
    buf_fini(&extra);
}

/* ---- the desk's ---- */

void reply_from_desk(struct visit *visit, const struct desk_answer *answer)
{
    struct buf extra;
    if (answer->status == 503 && answer->body.len == 0) {
        reply_trouble_after(visit, 503,
                            "The school's records cannot be reached. Nothing was saved. Try again "
                            "in a few minutes; if it goes on, tell the technician.",
                            5);
        return;
    }
    buf_init(&extra, HEAD_MAX);
    buf_append(&extra, NOT_KEPT);
    buf_append(&extra, answer->headers);
    struct head head = {
        .status = answer->status,
        .type = answer->type,
        .extra = buf_str(&extra),
        .length = answer->body.len,
    };
    begin(visit, &head, answer->body);
    buf_fini(&extra);
}
