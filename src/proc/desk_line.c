/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frames between front and desk. */
#include "proc/desk_line.h"

#include <string.h>
#include <unistd.h>

enum { STATUS_MIN = 200, STATUS_MAX = 599, KEPT_MAX = 256 };

/* ---- numbers and texts ---- */

static void put_u32(struct buf *to, size_t n)
{
    uint32_t number = (uint32_t)n;
    buf_append(to, str_make((const char *)&number, sizeof(number)));
}

static void put_text(struct buf *to, struct str text)
{
    put_u32(to, text.len);
    buf_append(to, text);
}

static enum err take(struct str *rest, size_t n, struct str *ret_bytes)
{
    if (rest->len < n) {
        return ERR_INVALID;
    }
    *ret_bytes = str_sub(*rest, 0, n);
    *rest = str_skip(*rest, n);
    return ERR_OK;
}

static enum err take_u32(struct str *rest, uint32_t *ret_number)
{
    struct str bytes;
    ERR_TRY(take(rest, sizeof(*ret_number), &bytes));
    memcpy(ret_number, bytes.p, sizeof(*ret_number));
    return ERR_OK;
}

static enum err take_text(struct str *rest, size_t max, struct str *ret_text)
{
    uint32_t len;
    ERR_TRY(take_u32(rest, &len));
    return len <= max ? take(rest, len, ret_text) : ERR_INVALID;
}

/* Without control characters: what may stand in one line of a head. */
static bool is_line(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

/* ---- requests ---- */

/* The texts of a request but its body, in their order. */
static const struct text_row {
    size_t at;
    size_t max;
} request_rows[] = {
    {offsetof(struct web_request, path), DESK_PATH_MAX},
    {offsetof(struct web_request, query), DESK_PATH_MAX},
    {offsetof(struct web_request, host), DESK_HEADER_MAX},
    {offsetof(struct web_request, cookie), DESK_HEADER_MAX},
    {offsetof(struct web_request, accept), DESK_HEADER_MAX},
    {offsetof(struct web_request, content_type), DESK_HEADER_MAX},
    {offsetof(struct web_request, origin), DESK_HEADER_MAX},
    {offsetof(struct web_request, fetch_site), DESK_HEADER_MAX},
    {offsetof(struct web_request, user_agent), DESK_HEADER_MAX},
    {offsetof(struct web_request, csrf), DESK_HEADER_MAX},
};
enum { N_REQUEST_ROWS = sizeof(request_rows) / sizeof(request_rows[0]) };

static struct str *text_at(struct web_request *request, const struct text_row *row)
{
    return (struct str *)(void *)((char *)request + row->at);
}

enum err desk_pack_request(const struct web_request *request, struct buf *to)
{
    struct web_request copy = *request;
    put_u32(to, (size_t)request->method);
    buf_append(to, str_make((const char *)request->client, sizeof(request->client)));
    for (size_t i = 0; i < N_REQUEST_ROWS; i++) {
        struct str text = *text_at(&copy, &request_rows[i]);
        if (text.len > request_rows[i].max) {
            return ERR_LIMIT;
        }
        put_text(to, text);
    }
    if (request->body.len > DESK_FILE_MAX) {
        return ERR_LIMIT;
    }
    put_text(to, request->body);
    return buf_err(to);
}

enum err desk_read_request(struct str frame, struct web_request *ret_request)
{
    struct web_request request = {.method = WEB_METHOD_UNSET};
    struct str client;
    uint32_t method;
    ERR_TRY(take_u32(&frame, &method));
    if (method != WEB_GET && method != WEB_POST) {
        return ERR_INVALID;
    }
    request.method = (enum web_method)method;
    ERR_TRY(take(&frame, sizeof(request.client), &client));
    memcpy(request.client, client.p, sizeof(request.client));
    for (size_t i = 0; i < N_REQUEST_ROWS; i++) {
        struct str *text = text_at(&request, &request_rows[i]);
        ERR_TRY(take_text(&frame, request_rows[i].max, text));
        if (!is_line(*text)) {
            return ERR_INVALID;
        }
    }
    ERR_TRY(take_text(&frame, DESK_FILE_MAX, &request.body));
    if (frame.len != 0 || !str_starts(request.path, STR("/"))) {
        return ERR_INVALID;
    }
    *ret_request = request;
    return ERR_OK;
}

/* ---- answers ---- */

/* What an answer of the console may say beside its type; the rest of a head is front's. */
static bool is_passed_on(struct str name)
{
    static const struct str names[] = {
        STR_INIT("Set-Cookie"),      STR_INIT("Location"), STR_INIT("Content-Disposition"),
        STR_INIT("Retry-After"),     STR_INIT("Allow"),    STR_INIT("Content-Language"),
        STR_INIT("Clear-Site-Data"), STR_INIT("Refresh"),
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (str_eq(name, names[i])) {
            return true;
        }
    }
    return false;
}

static bool are_headers(struct str headers)
{
    while (headers.len != 0) {
        size_t n = str_find(headers, STR("\r\n"));
        struct str line = str_sub(headers, 0, n);
        struct str name;
        struct str value;
        if (n == headers.len || !str_cut(line, ':', &name, &value) || !is_passed_on(name) ||
            !is_line(value)) {
            return false;
        }
        headers = str_skip(headers, n + 2);
    }
    return true;
}

enum err desk_pack_answer(const struct desk_answer *answer, struct buf *to)
{
    put_u32(to, answer->status);
    put_text(to, answer->type);
    put_text(to, answer->headers);
    put_text(to, answer->body);
    return buf_err(to);
}

enum err desk_read_answer(struct str frame, struct desk_answer *ret_answer)
{
    struct desk_answer answer;
    uint32_t status;
    ERR_TRY(take_u32(&frame, &status));
    ERR_TRY(take_text(&frame, KEPT_MAX, &answer.type));
    ERR_TRY(take_text(&frame, DESK_HEADERS_MAX, &answer.headers));
    ERR_TRY(take_text(&frame, DESK_ANSWER_MAX, &answer.body));
    if (frame.len != 0 || status < STATUS_MIN || status > STATUS_MAX || answer.type.len == 0 ||
        !is_line(answer.type) || !are_headers(answer.headers)) {
        return ERR_INVALID;
    }
    answer.status = status;
    *ret_answer = answer;
    return ERR_OK;
}

/* ---- messages ---- */

struct ticket {
    uint32_t version;
    uint32_t zero;
    uint64_t ticket;
};

enum err desk_send(int fd, enum message type, uint64_t ticket, struct str frame)
{
    struct ipc_message message = {.type = type, .n_fds = 1};
    struct ticket head = {.version = DESK_LINE_VERSION, .ticket = ticket};
    ERR_TRY(file_memory("frame", frame, &message.fds[0]));
    memcpy(message.bytes, &head, sizeof(head));
    message.len = sizeof(head);
    enum err err = ipc_send(fd, &message);
    close(message.fds[0]);
    return err;
}

static enum err read_message(const struct ipc_message *message, enum message type,
                             struct ticket *ret_head, struct file_map *ret_frame)
{
    if (message->type != (uint32_t)type || message->len != sizeof(*ret_head)) {
        return ERR_INVALID;
    }
    memcpy(ret_head, message->bytes, sizeof(*ret_head));
    if (ret_head->version != DESK_LINE_VERSION || ret_head->zero != 0) {
        return ERR_INVALID;
    }
    enum err err = file_map_sealed(message->fds[0], DESK_FRAME_MAX, ret_frame);
    return err == ERR_LIMIT ? ERR_INVALID : err;
}

enum err desk_receive(int fd, enum message type, uint64_t *ret_ticket, struct file_map *ret_frame)
{
    struct ipc_message message;
    struct ticket head;
    ERR_TRY(message_receive(fd, &message));
    enum err err = read_message(&message, type, &head, ret_frame);
    ipc_message_fini(&message);
    if (err == ERR_OK) {
        *ret_ticket = head.ticket;
    }
    return err;
}
