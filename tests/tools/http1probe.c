/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reads connections as the gate would, and prints what it saw; see probe.h. */
#include <stdlib.h>

#include "probe.h"
#include "wire/chunk.h"
#include "wire/http1.h"

static struct probe_text text;
static struct http1_head head;

static void add(struct str s)
{
    probe_add(&text, s.len != 0 ? s.p : "", s.len);
}

static void print_head(bool request)
{
    char line[32];
    text.len = 0;
    if (request) {
        add(head.method_text);
        add(STR(" "));
        add(head.target);
    }
    snprintf(line, sizeof(line), " %u 1.%u\n", head.status, head.minor);
    add(str_from(line));
    for (size_t i = 0; i < head.n_headers; i++) {
        add(head.headers[i].name);
        add(STR(":"));
        add(head.headers[i].value);
        add(STR("\n"));
    }
    probe_event('H', &text);
}

/* Adds the data of a chunked body to text; NULL when the body is whole, else why it is not. */
static const char *read_chunks(struct str *rest)
{
    struct chunk chunk;
    chunk_init(&chunk);
    while (!chunk.done && rest->len != 0) {
        size_t used = 0;
        struct str data = {0};
        if (chunk_feed(&chunk, *rest, &used, &data) != ERR_OK) {
            return "bad chunk";
        }
        add(data);
        *rest = str_skip(*rest, used);
    }
    return chunk.done ? NULL : "more";
}

/* Prints the body at the front of *rest; NULL when more messages may follow, else why not. */
static const char *read_body(struct str *rest)
{
    const char *why = NULL;
    size_t len = head.body == HTTP1_BODY_CLOSE ? rest->len : (size_t)head.length;
    text.len = 0;
    if (head.body == HTTP1_BODY_CHUNKED) {
        why = read_chunks(rest);
    } else if (len > rest->len) {
        why = "more";
    } else {
        add(str_sub(*rest, 0, len));
        *rest = str_skip(*rest, len);
    }
    if (why == NULL) {
        probe_event('B', &text);
    }
    return why;
}

static enum http1_method method_of(char kind)
{
    return kind == 'h' ? HTTP1_HEAD : kind == 'c' ? HTTP1_CONNECT : HTTP1_GET;
}

/* The bytes behind this message are not of the next one. */
static bool is_last(char kind)
{
    if (kind == 'q') {
        return head.method == HTTP1_CONNECT || head.upgrade || !head.keep_alive;
    }
    bool tunnel = kind == 'c' && head.status / 100 == 2;
    bool interim = head.status < 200 && head.status != 101;
    return head.status == 101 || tunnel || (!interim && !head.keep_alive);
}

/* One message off the front of *rest; NULL when another may follow. */
static const char *read_message(char kind, struct str *rest)
{
    static char why[200];
    size_t len = 0;
    enum http1_fault fault = HTTP1_FAULT_NONE;
    enum err err = kind == 'q' ? http1_parse_request(*rest, &head, &len, &fault)
                               : http1_parse_response(*rest, method_of(kind), &head, &len, &fault);
    if (err == ERR_AGAIN) {
        return "more";
    }
    if (err != ERR_OK) {
        snprintf(why, sizeof(why), "bad %s", http1_fault_text(fault));
        return why;
    }
    print_head(kind == 'q');
    *rest = str_skip(*rest, len);
    const char *end = read_body(rest);
    if (end == NULL && is_last(kind)) {
        return "stop";
    }
    return end;
}

int main(void)
{
    static struct probe_text bytes;
    char kind = 0;
    while (probe_next(&kind, &bytes)) {
        struct str rest = str_make(bytes.p, bytes.len);
        const char *end = NULL;
        while (end == NULL) {
            end = rest.len == 0 ? "end" : read_message(kind, &rest);
        }
        printf("end=%s\n", end);
    }
    return 0;
}
