/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Requests: read within their bounds, checked, and handed on. */
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "crypto/secret.h"
#include "proc/front_impl.h"
#include "web/page.h"

enum {
    IN_MAX = LIMIT_HTTP_HEAD_LEN + FRONT_SCRATCH,
    PIECE = 64 * 1024, /* of an answer, written at once */
    LINGER_READS = 16,
    TURNS = 32, /* requests answered in one go, before others have their turn */
};

/* ---- birth and end ---- */

static struct visit *of_timer(struct loop_timer *timer)
{
    return (struct visit *)(void *)((char *)timer - offsetof(struct visit, timer));
}

static struct visit *of_defer(struct loop_defer *defer)
{
    return (struct visit *)(void *)((char *)defer - offsetof(struct visit, defer));
}

static void wait_for(struct visit *visit, int64_t ms)
{
    struct loop *loop = visit->peer->front->loop;
    loop_timer_set(loop, &visit->timer, loop_mono_ms(loop) + ms);
}

static const struct conf *conf_of(const struct visit *visit)
{
    return &visit->peer->front->child->conf;
}

static void on_late(struct loop_timer *timer)
{
    struct visit *visit = of_timer(timer);
    switch (visit->stage) {
    case VISIT_HEAD:
    case VISIT_BODY:
        if (visit->begun) {
            visit->last = true;
            visit->unread = true;
            reply_trouble(visit, 408,
                          "The request did not arrive in time. Check the connection and try "
                          "again.");
            visit_run(visit);
        } else {
            visit_close(visit);
        }
        return;
    case VISIT_DESK:
        visit_lost(visit);
        return;
    case VISIT_WRITE:
    case VISIT_LINGER:
    case VISIT_OVER:
        visit_close(visit);
        return;
    }
}

static void go_on(struct loop_defer *defer)
{
    struct visit *visit = of_defer(defer);
    if (visit->stage != VISIT_OVER) {
        visit_run(visit);
    }
}

static void free_now(struct loop_defer *defer)
{
    free(of_defer(defer));
}

struct visit *visit_new(struct peer *peer, struct http_conn *conn)
{
    struct visit *visit = calloc(1, sizeof(*visit));
    if (visit == NULL) {
        return NULL;
    }
    visit->peer = peer;
    visit->conn = conn != NULL ? conn : &visit->own;
    visit->timer.fn = on_late;
    visit->defer.fn = go_on;
    visit->stage = VISIT_HEAD;
    buf_init(&visit->head, LIMIT_HTTP_HEAD_LEN);
    wait_for(visit, conf_of(visit)->head_timeout_ms);
    return visit;
}

static void on_stream_io(struct loop_io *io, uint32_t events)
{
    struct visit *visit = (struct visit *)(void *)((char *)io - offsetof(struct visit, own.io));
    http_conn_note(&visit->own, events);
    visit_run(visit);
}

struct visit *visit_new_stream(struct peer *peer, int32_t id)
{
    struct visit *visit = visit_new(peer, NULL);
    if (visit == NULL) {
        return NULL;
    }
    http_conn_init(&visit->own, IN_MAX);
    if (h2_stream_open(peer->h2, id, &visit->own, on_stream_io) != ERR_OK) {
        loop_timer_clear(&visit->timer);
        free(visit);
        return NULL;
    }
    visit->next = peer->streams;
    if (visit->next != NULL) {
        visit->next->prev = visit;
    }
    peer->streams = visit;
    return visit;
}

/* What the request at hand holds; it may have been a password. */
static void drop_request(struct visit *visit)
{
    struct front *front = visit->peer->front;
    front_forget(front, visit);
    front->held -= visit->data.len;
    if (visit->data.p != NULL) {
        secret_wipe(visit->data.p, visit->data.cap);
    }
    buf_fini(&visit->data);
    buf_fini(&visit->head);
    buf_fini(&visit->made);
    file_map_fini(&visit->answer);
    visit->answer = (struct file_map){.bytes = {NULL, 0}};
    visit->request = (struct web_request){.method = WEB_METHOD_UNSET};
    visit->rest = str_make(NULL, 0);
}

void visit_close(struct visit *visit)
{
    struct peer *peer = visit->peer;
    if (visit->stage == VISIT_OVER) {
        return;
    }
    visit->stage = VISIT_OVER;
    drop_request(visit);
    loop_timer_clear(&visit->timer);
    visit->defer.fn = free_now;
    loop_defer_add(peer->front->loop, &visit->defer);
    if (visit->conn == &peer->conn) {
        peer->visit = NULL;
        peer_close(peer);
        return;
    }
    http_conn_close(&visit->own);
    *(visit->prev != NULL ? &visit->prev->next : &peer->streams) = visit->next;
    if (visit->next != NULL) {
        visit->next->prev = visit->prev;
    }
    peer_left(peer);
}

/* ---- heads ---- */

/* The value of a header that may stand once; false: it stands twice. */
static bool find_once(const struct http1_head *head, struct str name, struct str *ret_value)
{
    bool found = false;
    for (size_t i = 0; i < head->n_headers; i++) {
        if (str_eq_nocase(head->headers[i].name, name)) {
            if (found) {
                return false;
            }
            found = true;
            *ret_value = head->headers[i].value;
        }
    }
    return true;
}

static bool take_headers(const struct http1_head *head, struct web_request *request)
{
    const struct {
        struct str name;
        struct str *value;
    } rows[] = {
        {STR("Host"), &request->host},
        {STR("Cookie"), &request->cookie},
        {STR("Accept"), &request->accept},
        {STR("Content-Type"), &request->content_type},
        {STR("Origin"), &request->origin},
        {STR("Sec-Fetch-Site"), &request->fetch_site},
        {STR("User-Agent"), &request->user_agent},
        {STR("X-CSRF-Token"), &request->csrf},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!find_once(head, rows[i].name, rows[i].value) || rows[i].value->len > DESK_HEADER_MAX) {
            return false;
        }
    }
    return true;
}

static void refuse_head(struct visit *visit, unsigned status, const char *sentence)
{
    visit->last = true;
    visit->unread = true;
    reply_trouble(visit, status, sentence);
}

/* Files come in forms of their own type; everything else is small. */
static size_t body_max(const struct web_request *request)
{
    struct str type = str_sub(request->content_type, 0, str_index(request->content_type, ';'));
    return str_eq_nocase(str_trim(type), STR("multipart/form-data")) ? DESK_FILE_MAX
                                                                     : DESK_FORM_MAX;
}

/* True: this request may go on. */
static bool check_head(struct visit *visit, const struct http1_head *head)
{
    struct front *front = visit->peer->front;
    struct web_request *request = &visit->request;
    bool sign_in = request->method == WEB_POST && (str_starts(request->path, STR("/sign-in")) ||
                                                   str_starts(request->path, STR("/gate/sign-in")));
    int64_t after_s = 0;
    if (!front_names_has(&front->names, request->host, &visit->peer->dialled)) {
        refuse_head(visit, 421,
                    "The console is not reached under this name. Use the address that the "
                    "technician gave you; a new name is added by the option console-name.");
        return false;
    }
    if (!front_rates_take(&front->rates, request->client, sign_in, loop_mono_ms(front->loop),
                          &after_s)) {
        visit->last = true;
        visit->unread = true;
        reply_trouble_after(visit, 429,
                            "There were too many tries from this computer. Wait a moment, then "
                            "try again.",
                            after_s);
        return false;
    }
    if (request->method == WEB_METHOD_UNSET) {
        refuse_head(visit, 405, "This address is not used that way. Go back and try again.");
        return false;
    }
    if (head->body == HTTP1_BODY_LENGTH && head->length > visit->body_max) {
        refuse_head(visit, 413,
                    "What you sent is too big: a form may have 1 MB, a file 12 MB. Send a smaller "
                    "one.");
        return false;
    }
    return true;
}

static enum web_method method_of(const struct http1_head *head)
{
    return head->method == HTTP1_GET || head->method == HTTP1_HEAD ? WEB_GET
           : head->method == HTTP1_POST                            ? WEB_POST
                                                                   : WEB_METHOD_UNSET;
}

static void hand_on(struct visit *visit)
{
    struct front *front = visit->peer->front;
    visit->request.body = buf_str(&visit->data);
    if (front->draining || !front_ask(front, visit)) {
        reply_trouble_after(visit, 503,
                            "The console is starting, or has very much to do. Nothing was saved. "
                            "Try again in a moment.",
                            2);
        return;
    }
    visit->stage = VISIT_DESK;
    wait_for(visit, FRONT_DESK_MS);
}

static void begin_body(struct visit *visit, const struct http1_head *head)
{
    struct loop *loop = visit->peer->front->loop;
    http_body_init(&visit->body, head);
    buf_init(&visit->data, visit->body_max);
    if (visit->body.done) {
        hand_on(visit);
        return;
    }
    visit->stage = VISIT_BODY;
    visit->body_until_ms = loop_mono_ms(loop) + FRONT_BODY_WHOLE_MS;
    wait_for(visit, conf_of(visit)->body_timeout_ms);
    if (head->expect_continue && http_conn_write(visit->conn, STR("HTTP/1.1 100 Continue\r\n\r\n"),
                                                 str_make(NULL, 0)) != ERR_OK) {
        visit_close(visit);
    }
}

/* text: the whole head, copied so that it outlives the bytes it came in. */
static void begin_request(struct visit *visit, struct str text)
{
    struct http1_head *head = &visit->peer->front->parsed;
    enum http1_fault fault;
    size_t len;
    struct str if_none_match = {NULL, 0};
    buf_append(&visit->head, text);
    if (buf_err(&visit->head) != ERR_OK ||
        http1_parse_request(buf_str(&visit->head), head, &len, &fault) != ERR_OK) {
        visit_close(visit);
        return;
    }
    struct web_request *request = &visit->request;
    visit->is_head = head->method == HTTP1_HEAD;
    visit->last = !head->keep_alive || head->minor == 0;
    request->method = method_of(head);
    memcpy(request->client, visit->peer->addr.ip, sizeof(request->client));
    bool good = head->form == HTTP1_ORIGIN && take_headers(head, request) &&
                find_once(head, STR("If-None-Match"), &if_none_match);
    str_cut(head->target, '?', &request->path, &request->query);
    visit->wants_json = web_accept_json(request->accept, false);
    visit->body_max = body_max(request);
    if (!good || request->path.len > DESK_PATH_MAX || request->query.len > DESK_PATH_MAX) {
        refuse_head(visit, 400, "The browser sent something that cannot be read. Try again.");
    } else if (check_head(visit, head)) {
        if (request->method == WEB_GET && head->body == HTTP1_BODY_NONE &&
            (str_starts(request->path, STR("/assets/")) ||
             str_eq(request->path, STR("/favicon.ico")))) {
            reply_asset(visit, request->path, if_none_match);
        } else {
            begin_body(visit, head);
        }
    }
}

/* Parses what has been read. True: it was a head, and what follows it was kept. */
static bool try_head(struct visit *visit, struct str view)
{
    struct http1_head *head = &visit->peer->front->parsed;
    enum http1_fault fault;
    size_t len = 0;
    enum err err = http1_parse_request(view, head, &len, &fault);
    if (err == ERR_AGAIN) {
        return false;
    }
    if (err != ERR_OK) {
        (void)!http_conn_keep(visit->conn, str_make(NULL, 0));
        refuse_head(visit, 400, "The browser sent something that cannot be read. Try again.");
        return true;
    }
    begin_request(visit, str_sub(view, 0, len));
    if (visit->stage != VISIT_OVER && http_conn_keep(visit->conn, str_skip(view, len)) != ERR_OK) {
        visit_close(visit);
    }
    return true;
}

/* False: nothing more now, or it is closed. */
static bool read_head(struct visit *visit)
{
    struct str view = http_conn_unused(visit->conn);
    size_t before = view.len;
    if (before != 0 && visit->begun == false) {
        visit->begun = true;
        if (try_head(visit, view)) {
            return visit->stage != VISIT_OVER;
        }
    }
    switch (http_conn_read(visit->conn, &visit->peer->front->scratch, &view)) {
    case HTTP_READ_NONE:
        return false;
    case HTTP_READ_END:
    case HTTP_READ_BROKEN:
        visit_close(visit);
        return false;
    case HTTP_READ_SOME:
        break;
    }
    if (!visit->begun) {
        visit->begun = true;
        wait_for(visit, conf_of(visit)->head_timeout_ms);
    }
    struct str fresh = str_skip(view, before);
    bool worth =
        before == 0 || view.len >= LIMIT_HTTP_LINE_LEN || str_index(fresh, '\n') < fresh.len;
    if (worth && try_head(visit, view)) {
        return visit->stage != VISIT_OVER;
    }
    if (http_conn_keep(visit->conn, view) != ERR_OK) {
        visit_close(visit);
        return false;
    }
    return true;
}

/* ---- bodies ---- */

static void refuse_body(struct visit *visit, enum err err)
{
    if (err == ERR_LIMIT) {
        refuse_head(visit, 413,
                    "What you sent is too big: a form may have 1 MB, a file 12 MB. Send a smaller "
                    "one.");
    } else if (err == ERR_MEMORY) {
        refuse_head(visit, 503, "The console has very much to do. Try again in a moment.");
    } else {
        refuse_head(visit, 400, "The browser sent something that cannot be read. Try again.");
    }
}

static void take_body(struct visit *visit, struct str view)
{
    struct front *front = visit->peer->front;
    size_t before = visit->data.len;
    size_t used = 0;
    enum err err = http_body_feed(&visit->body, view, &used, &visit->data);
    front->held += visit->data.len - before;
    if (err == ERR_OK && front->held > FRONT_HELD_MAX) {
        err = ERR_MEMORY;
    }
    if (http_conn_keep(visit->conn, str_skip(view, used)) != ERR_OK) {
        visit_close(visit);
    } else if (err != ERR_OK) {
        refuse_body(visit, err);
    } else if (visit->body.done) {
        hand_on(visit);
    }
}

static bool read_body(struct visit *visit)
{
    struct str view = http_conn_unused(visit->conn);
    struct loop *loop = visit->peer->front->loop;
    if (view.len == 0) {
        switch (http_conn_read(visit->conn, &visit->peer->front->scratch, &view)) {
        case HTTP_READ_NONE:
            return false;
        case HTTP_READ_END:
        case HTTP_READ_BROKEN:
            visit_close(visit);
            return false;
        case HTTP_READ_SOME:
            break;
        }
    }
    int64_t left = visit->body_until_ms - loop_mono_ms(loop);
    int64_t next = conf_of(visit)->body_timeout_ms;
    wait_for(visit, left < next ? left : next);
    take_body(visit, view);
    return visit->stage != VISIT_OVER;
}

/* ---- answers ---- */

static void linger(struct visit *visit)
{
    bool stream = visit->conn != &visit->peer->conn;
    http_conn_shut(visit->conn);
    if (stream && visit->unread) {
        visit->stage = VISIT_LINGER; /* its answer is out; the rest of its body is not wanted */
        wait_for(visit, FRONT_LINGER_MS);
        return;
    }
    if (stream || !visit->unread) {
        visit_close(visit);
        return;
    }
    visit->stage = VISIT_LINGER;
    wait_for(visit, FRONT_LINGER_MS);
}

static void next_request(struct visit *visit)
{
    drop_request(visit);
    if (visit->last || visit->conn != &visit->peer->conn || visit->peer->front->draining) {
        linger(visit);
        return;
    }
    visit->stage = VISIT_HEAD;
    visit->begun = false;
    visit->unread = false;
    visit->wants_json = false;
    buf_init(&visit->head, LIMIT_HTTP_HEAD_LEN);
    wait_for(visit, conf_of(visit)->idle_timeout_ms);
}

/* False: the connection takes no more now. */
static bool write_more(struct visit *visit)
{
    if (http_conn_flush(visit->conn) != ERR_OK) {
        visit_close(visit);
        return false;
    }
    while (visit->rest.len != 0 && !http_conn_pending(visit->conn)) {
        struct str piece = str_sub(visit->rest, 0, PIECE);
        visit->rest = str_skip(visit->rest, piece.len);
        if (http_conn_write(visit->conn, piece, str_make(NULL, 0)) != ERR_OK) {
            visit_close(visit);
            return false;
        }
        wait_for(visit, FRONT_WRITE_MS);
    }
    if (http_conn_pending(visit->conn)) {
        return false;
    }
    next_request(visit);
    return visit->stage != VISIT_OVER;
}

static bool read_to_nowhere(struct visit *visit)
{
    struct str view;
    if (http_conn_keep(visit->conn, str_make(NULL, 0)) != ERR_OK) {
        visit_close(visit);
        return false;
    }
    for (unsigned i = 0; i < LINGER_READS; i++) {
        switch (http_conn_read(visit->conn, &visit->peer->front->scratch, &view)) {
        case HTTP_READ_SOME:
            break;
        case HTTP_READ_NONE:
            return false;
        case HTTP_READ_END:
        case HTTP_READ_BROKEN:
            visit_close(visit);
            return false;
        }
    }
    loop_defer_add(visit->peer->front->loop, &visit->defer);
    return false;
}

/* Who went away while the desk works is not answered; what was asked is done all the same. */
static bool watch(struct visit *visit)
{
    if ((visit->conn->ready & (EPOLLHUP | EPOLLERR)) != 0) {
        visit_close(visit);
    }
    return false;
}

void visit_run(struct visit *visit)
{
    static bool (*const steps[])(struct visit * visit) = {
        [VISIT_HEAD] = read_head,   [VISIT_BODY] = read_body,         [VISIT_DESK] = watch,
        [VISIT_WRITE] = write_more, [VISIT_LINGER] = read_to_nowhere,
    };
    if (visit->running || visit->stage == VISIT_OVER) {
        return;
    }
    visit->running = true;
    unsigned turns = 0;
    while (visit->stage != VISIT_OVER && steps[visit->stage](visit)) {
        if (++turns == TURNS) {
            loop_defer_add(visit->peer->front->loop, &visit->defer);
            break;
        }
    }
    visit->running = false;
}

void visit_answered(struct visit *visit, struct file_map *frame)
{
    struct desk_answer answer;
    visit->answer = *frame;
    if (desk_read_answer(frame->bytes, &answer) != ERR_OK) {
        visit_lost(visit);
        return;
    }
    reply_from_desk(visit, &answer);
    visit_run(visit);
}

void visit_lost(struct visit *visit)
{
    front_forget(visit->peer->front, visit);
    reply_trouble_after(visit, 502,
                        "The console could not answer. Look whether your change was saved before "
                        "you make it again.",
                        2);
    visit_run(visit);
}
