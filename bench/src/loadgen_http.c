/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "loadgen_http.h"

#include <string.h>
#include <strings.h>

void response_start(struct response *response, bool is_connect)
{
    response->state = RESPONSE_HEAD;
    response->headless_body = is_connect;
    response->head_length = 0;
    response->status = 0;
    response->left = 0;
    response->line_length = 0;
}

static bool head_has(const char *head, const char *field)
{
    return strcasestr(head, field) != NULL;
}

static unsigned status_of(const char *head)
{
    unsigned status = 0;
    for (size_t i = 9; i < 12 && head[i] >= '0' && head[i] <= '9'; i++) {
        status = status * 10 + (unsigned)(head[i] - '0');
    }
    return status;
}

static uint64_t decimal_at(const char *p)
{
    uint64_t value = 0;
    while (*p == ' ') {
        p++;
    }
    for (; *p >= '0' && *p <= '9'; p++) {
        value = value * 10 + (uint64_t)(*p - '0');
    }
    return value;
}

/* Reads the finished head and chooses how the body will end (RFC 9112, section 6.3). */
static enum response_state head_done(struct response *response)
{
    static const char length_field[] = "\r\ncontent-length:";
    const char *head = response->head;
    if (strncmp(head, "HTTP/1.", 7) != 0 || strlen(head) < 12) {
        return RESPONSE_BROKEN;
    }
    response->status = status_of(head);
    bool old = head[7] == '0';
    bool keeps = old ? head_has(head, "connection: keep-alive")
                     : !head_has(head, "connection: close");
    const char *length = strcasestr(head, length_field);
    response->keeps = keeps;
    if ((response->headless_body && response->status == 200) || response->status == 204 ||
        response->status == 304) {
        return RESPONSE_COMPLETE;
    }
    if (head_has(head, "\r\ntransfer-encoding: chunked")) {
        return RESPONSE_CHUNK_SIZE;
    }
    if (length != NULL) {
        response->left = decimal_at(length + sizeof length_field - 1);
        return response->left == 0 ? RESPONSE_COMPLETE : RESPONSE_COUNTED;
    }
    response->keeps = false;
    return RESPONSE_UNTIL_CLOSE;
}

/* Adds bytes to the head; returns how many it used. */
static size_t feed_head(struct response *response, const char *data, size_t length)
{
    size_t before = response->head_length;
    size_t room = RESPONSE_HEAD_ROOM - before;
    size_t taken = length < room ? length : room;
    memcpy(response->head + before, data, taken);
    response->head_length += taken;
    response->head[response->head_length] = '\0';
    /* The blank line may have begun up to three bytes before what is new. */
    const char *end = strstr(response->head + (before < 3 ? 0 : before - 3), "\r\n\r\n");
    if (end == NULL) {
        if (response->head_length == RESPONSE_HEAD_ROOM) {
            response->state = RESPONSE_BROKEN;
        }
        return taken;
    }
    size_t head_length = (size_t)(end - response->head) + 4;
    response->head[head_length - 2] = '\0';
    response->state = head_done(response);
    return head_length - before;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One byte of what stands between the data of chunks. */
static enum response_state feed_chunk_framing(struct response *response, char c)
{
    int digit = hex_value(c);
    switch (response->state) {
    case RESPONSE_CHUNK_SIZE:
        if (digit >= 0) {
            response->left = response->left * 16 + (unsigned)digit;
            return RESPONSE_CHUNK_SIZE;
        }
        return c == '\n' ? RESPONSE_BROKEN : RESPONSE_CHUNK_SKIP;
    case RESPONSE_CHUNK_SKIP:
        if (c != '\n') {
            return RESPONSE_CHUNK_SKIP;
        }
        return response->left > 0 ? RESPONSE_CHUNK_DATA : RESPONSE_TRAILER;
    case RESPONSE_CHUNK_END: return c == '\n' ? RESPONSE_CHUNK_SIZE : RESPONSE_CHUNK_END;
    case RESPONSE_TRAILER:
        if (c == '\n') {
            bool blank = response->line_length == 0;
            response->line_length = 0;
            return blank ? RESPONSE_COMPLETE : RESPONSE_TRAILER;
        }
        response->line_length += c != '\r';
        return RESPONSE_TRAILER;
    default: return RESPONSE_BROKEN;
    }
}

static size_t feed_counted(struct response *response, size_t length)
{
    size_t taken = length < response->left ? length : (size_t)response->left;
    response->left -= taken;
    if (response->left == 0) {
        response->state =
            response->state == RESPONSE_COUNTED ? RESPONSE_COMPLETE : RESPONSE_CHUNK_END;
    }
    return taken;
}

enum response_state response_feed(struct response *response, const char *data, size_t length)
{
    while (length > 0 && response->state != RESPONSE_COMPLETE &&
           response->state != RESPONSE_BROKEN) {
        size_t used = 1;
        if (response->state == RESPONSE_HEAD) {
            used = feed_head(response, data, length);
        } else if (response->state == RESPONSE_UNTIL_CLOSE) {
            used = length;
        } else if (response->state == RESPONSE_COUNTED || response->state == RESPONSE_CHUNK_DATA) {
            used = feed_counted(response, length);
        } else {
            response->state = feed_chunk_framing(response, *data);
        }
        data += used;
        length -= used;
    }
    return response->state;
}

enum response_state response_skip(struct response *response, uint64_t length)
{
    response->left = length < response->left ? response->left - length : 0;
    if (response->left == 0) {
        response->state = RESPONSE_COMPLETE;
    }
    return response->state;
}

enum response_state response_end(struct response *response)
{
    response->state =
        response->state == RESPONSE_UNTIL_CLOSE ? RESPONSE_COMPLETE : RESPONSE_BROKEN;
    return response->state;
}

bool base64_print(char *into, size_t room, const char *text)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t length = strlen(text);
    size_t out = 0;
    if ((length + 2) / 3 * 4 + 1 > room) {
        return false;
    }
    for (size_t i = 0; i < length; i += 3) {
        uint32_t group = 0;
        for (size_t k = 0; k < 3; k++) {
            group = group << 8 | (i + k < length ? (uint8_t)text[i + k] : 0u);
        }
        for (size_t k = 0; k < 4; k++) {
            into[out++] = i + k > length ? '=' : digits[group >> (18 - 6 * k) & 63u];
        }
    }
    into[out] = '\0';
    return true;
}
