/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A head of HTTP/1.1 to fields of HTTP/2; the handshake of WebSockets, which only one of the two
 * has. */
#include "base/check.h"
#include "crypto/hash.h"
#include "http/h2_websocket_impl.h"
#include "wire/base64.h"

enum { SWITCHING = 101, NO_CONTENT = 204, STATUS_DIGITS = 3 };

enum err h2_websocket_accept(struct str key, char ret_accept[H2_ACCEPT_TEXT])
{
    uint8_t hash[SHA1_BYTES];
    struct buf text;
    buf_init(&text, 256);
    buf_append(&text, key);
    buf_append(&text, STR("258EAFA5-E914-47DA-95CA-C5AB0DC85B11"));
    sha1(buf_str(&text), hash);
    enum err err = buf_err(&text);
    buf_clear(&text);
    base64_encode(str_make((const char *)hash, sizeof(hash)), &text);
    err = err == ERR_OK ? buf_err(&text) : err;
    if (err == ERR_OK) {
        memcpy(ret_accept, text.p, H2_ACCEPT_TEXT);
    }
    buf_fini(&text);
    return err;
}

static const struct http1_header *find(const struct http1_head *head, struct str name)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        if (str_eq_nocase(head->headers[i].name, name)) {
            return &head->headers[i];
        }
    }
    return NULL;
}

/* Adds a field with its name in lower case. */
static void add_lower(struct buf *list, struct str name, struct str value)
{
    size_t at = list->len;
    h2_fields_add(list, name, value);
    if (buf_err(list) == ERR_OK) {
        char *to = list->p + (list->len - name.len - value.len);
        CHECK(list->len - at >= name.len + value.len);
        for (size_t i = 0; i < name.len; i++) {
            to[i] = ascii_lower(to[i]);
        }
    }
}

/* Of the handshake, or of the connection. */
static bool is_ours(const struct http1_header *header, bool websocket)
{
    return header->hop || header->id == HTTP1_NAME_HOST ||
           (websocket && (str_eq_nocase(header->name, STR("Sec-WebSocket-Key")) ||
                          str_eq_nocase(header->name, STR("Sec-WebSocket-Accept")) ||
                          header->id == HTTP1_NAME_CONTENT_LENGTH));
}

static void add_headers(struct buf *list, const struct http1_head *head, bool websocket)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct http1_header *header = &head->headers[i];
        if (!is_ours(header, websocket)) {
            add_lower(list, header->name, header->value);
        }
    }
}

static enum h2_body body_of(const struct http1_head *head)
{
    switch (head->body) {
    case HTTP1_BODY_LENGTH:
        return head->length != 0 ? H2_BODY_LENGTH : H2_BODY_NONE;
    case HTTP1_BODY_CHUNKED:
    case HTTP1_BODY_CLOSE:
        return H2_BODY_CHUNKED;
    case HTTP1_BODY_NONE:
    case HTTP1_BODY_UNSET:
        break;
    }
    return H2_BODY_NONE;
}

enum err h2_request_fields(const struct http1_head *head, struct buf *list,
                           struct h2_message *ret_message)
{
    const struct http1_header *host = http1_find(head, HTTP1_NAME_HOST);
    const struct http1_header *upgrade = http1_find(head, HTTP1_NAME_UPGRADE);
    const struct http1_header *key = find(head, STR("Sec-WebSocket-Key"));
    struct h2_message message = {
        .method = head->method,
        .body = body_of(head),
        .length = head->length,
        .websocket = head->upgrade && head->method == HTTP1_GET && key != NULL &&
                     key->value.len == H2_KEY_TEXT &&
                     str_eq_nocase(upgrade->value, STR("websocket")),
    };
    if (host == NULL || host->value.len == 0 ||
        (head->form != HTTP1_ORIGIN && head->form != HTTP1_ASTERISK)) {
        return ERR_INVALID;
    }
    h2_fields_add(list, STR(":method"), message.websocket ? STR("CONNECT") : head->method_text);
    if (message.websocket) {
        memcpy(message.key, key->value.p, H2_KEY_TEXT);
        message.body = H2_BODY_RAW;
        h2_fields_add(list, STR(":protocol"), STR("websocket"));
    }
    h2_fields_add(list, STR(":scheme"), STR("https"));
    h2_fields_add(list, STR(":authority"), host->value);
    h2_fields_add(list, STR(":path"), head->target);
    add_headers(list, head, message.websocket);
    ERR_TRY(buf_err(list));
    *ret_message = message;
    return ERR_OK;
}

/* RFC 6455 section 4.2.2: the answer belongs to our key. */
static bool is_switch(const struct http1_head *head, const struct h2_message *request)
{
    char accept[H2_ACCEPT_TEXT];
    const struct http1_header *said = find(head, STR("Sec-WebSocket-Accept"));
    const struct http1_header *upgrade = http1_find(head, HTTP1_NAME_UPGRADE);
    return request->websocket && head->upgrade && said != NULL &&
           str_eq_nocase(upgrade->value, STR("websocket")) &&
           h2_websocket_accept(str_make(request->key, H2_KEY_TEXT), accept) == ERR_OK &&
           str_eq(said->value, str_make(accept, H2_ACCEPT_TEXT));
}

enum err h2_response_fields(const struct http1_head *head, const struct h2_message *request,
                            struct buf *list, struct h2_message *ret_message)
{
    bool switched = head->status == SWITCHING;
    bool success = head->status / 100 == 2;
    if (switched ? !is_switch(head, request) : request->websocket && success) {
        return ERR_INVALID;
    }
    struct h2_message message = {
        .method = request->method,
        .status = head->status,
        .body = switched ? H2_BODY_RAW : body_of(head),
        .length = head->length,
        .websocket = switched,
    };
    unsigned status = switched ? 200 : head->status;
    char digits[STATUS_DIGITS] = {
        (char)('0' + status / 100),
        (char)('0' + status / 10 % 10),
        (char)('0' + status % 10),
    };
    h2_fields_add(list, STR(":status"), str_make(digits, STATUS_DIGITS));
    add_headers(list, head, switched);
    ERR_TRY(buf_err(list));
    *ret_message = message;
    return ERR_OK;
}

void h2_trailer_fields(struct str lines, struct buf *list)
{
    struct str line;
    while (str_cut(lines, '\n', &line, &lines)) {
        struct str name;
        struct str value;
        if (str_cut(line, ':', &name, &value)) {
            add_lower(list, name,
                      str_trim(str_sub(value, 0, value.len - str_ends(value, STR("\r")))));
        }
    }
}
