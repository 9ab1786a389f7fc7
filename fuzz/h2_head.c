/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any list of fields as a request, an answer or trailers. What is made of it is one head for our
 * own parser, framed as the mapping says, and what the head says goes back to fields that make the
 * same head again. */
#include "base/check.h"
#include "http/h2_websocket_impl.h"
#include "wire/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIST_MAX = 1 << 20 };

static const uint8_t NONCE[H2_NONCE_BYTES] = "the sample nonce";

/* Names and values by turns, each ended by a byte that neither may hold: '\n'. */
static void make_list(struct buf *list, struct str bytes)
{
    buf_init(list, LIST_MAX);
    while (bytes.len != 0) {
        struct str name;
        struct str value;
        str_cut(bytes, '\n', &name, &bytes);
        str_cut(bytes, '\n', &value, &bytes);
        h2_fields_add(list, name, value);
    }
}

static void check_body(const struct http1_head *head, const struct h2_message *message)
{
    switch (message->body) {
    case H2_BODY_NONE:
        CHECK(head->body == HTTP1_BODY_NONE ||
              (head->body == HTTP1_BODY_LENGTH && head->length == 0));
        break;
    case H2_BODY_LENGTH:
        CHECK(head->body == HTTP1_BODY_LENGTH && head->length == message->length);
        break;
    case H2_BODY_CHUNKED:
        CHECK(head->body == HTTP1_BODY_CHUNKED);
        break;
    case H2_BODY_RAW:
        CHECK(head->upgrade && message->websocket && head->body == HTTP1_BODY_NONE);
        break;
    case H2_BODY_UNSET:
        CHECK(false);
    }
}

static void check_request(struct str list, bool ended)
{
    static struct http1_head head;
    struct h2_message message;
    struct h2_message back;
    struct buf text;
    struct buf fields;
    struct buf again;
    size_t len = 0;
    enum http1_fault fault;
    buf_init(&text, LIST_MAX);
    buf_init(&fields, LIST_MAX);
    buf_init(&again, LIST_MAX);
    if (h2_request_text(list, ended, NONCE, &text, &message) == ERR_OK) {
        enum err err = http1_parse_request(buf_str(&text), &head, &len, &fault);
        /* Limits are the parser's. */
        CHECK(err == ERR_OK || err == ERR_LIMIT);
        if (err == ERR_OK) {
            CHECK(len == text.len && head.method != HTTP1_CONNECT);
            CHECK(head.form == HTTP1_ORIGIN || head.form == HTTP1_ASTERISK);
            check_body(&head, &message);
            CHECK(h2_request_fields(&head, &fields, &back) == ERR_OK);
            bool empty = back.body == H2_BODY_NONE;
            CHECK(h2_request_text(buf_str(&fields), empty, NONCE, &again, &back) == ERR_OK);
            CHECK(http1_parse_request(buf_str(&again), &head, &len, &fault) != ERR_INVALID);
        }
    }
    buf_fini(&text);
    buf_fini(&fields);
    buf_fini(&again);
}

static void check_response(struct str list, bool ended, enum http1_method method, bool websocket)
{
    static struct http1_head head;
    struct h2_message request = {.method = method, .websocket = websocket};
    struct h2_message message;
    struct buf text;
    size_t len = 0;
    enum http1_fault fault;
    buf_init(&text, LIST_MAX);
    memset(request.key, 'x', sizeof(request.key));
    if (h2_response_text(list, ended, &request, &text, &message) == ERR_OK) {
        enum err err = http1_parse_response(buf_str(&text), method, &head, &len, &fault);
        CHECK(err == ERR_OK || err == ERR_LIMIT);
        if (err == ERR_OK) {
            CHECK(len == text.len && head.status == message.status);
            check_body(&head, &message);
        }
    }
    buf_fini(&text);
}

static void check_trailers(struct str list)
{
    struct buf text;
    struct buf again;
    struct chunk chunk;
    buf_init(&text, LIST_MAX);
    buf_init(&again, LIST_MAX);
    buf_append(&text, STR("0\r\n"));
    if (h2_trailer_text(list, &text) == ERR_OK) {
        h2_trailer_fields(str_skip(buf_str(&text), 3), &again);
        buf_append(&text, STR("\r\n"));
        chunk_init(&chunk);
        struct str rest = buf_str(&text);
        enum err err = ERR_OK;
        while (rest.len != 0 && err == ERR_OK) {
            struct str run;
            size_t used = 0;
            err = chunk_feed(&chunk, rest, &used, &run);
            rest = str_skip(rest, used);
        }
        CHECK(err == ERR_LIMIT || (err == ERR_OK && chunk.done));
    }
    buf_fini(&text);
    buf_fini(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf list;
    if (size == 0) {
        return 0;
    }
    uint8_t how = data[0];
    make_list(&list, str_make((const char *)data + 1, size - 1));
    bool ended = (how & 1) != 0;
    if ((how & 6) == 0) {
        check_request(buf_str(&list), ended);
    } else if ((how & 6) == 2) {
        check_response(buf_str(&list), ended, (how & 8) != 0 ? HTTP1_HEAD : HTTP1_GET,
                       (how & 16) != 0);
    } else {
        check_trailers(buf_str(&list));
    }
    buf_fini(&list);
    return 0;
}
