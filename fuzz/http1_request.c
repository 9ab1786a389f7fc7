/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a request head; what parses is printed and must parse as the same. */
#include "http1_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Printed as HTTP/1.1: an HTTP/1.0 head may break rules that only 1.1 has. */
static void print_and_parse(const struct http1_head *head)
{
    static struct http1_head again;
    struct buf buf;
    size_t len = 0;
    enum http1_fault fault;
    buf_init(&buf, 2 * LIMIT_HTTP_HEAD_LEN);
    http1_print_request_line(&buf, head->method_text, head->target);
    print_headers(&buf, head);
    enum err err = http1_parse_request(buf_str(&buf), &again, &len, &fault);
    if (err == ERR_OK) {
        CHECK(len == buf.len);
        check_same(head, &again);
    } else {
        /* ": " is longer than ":" was. */
        CHECK(err == ERR_LIMIT);
    }
    buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http1_head head;
    struct str bytes = str_make((const char *)data, size);
    size_t len = 0;
    enum http1_fault fault = HTTP1_FAULT_COUNT_;
    enum err err = http1_parse_request(bytes, &head, &len, &fault);
    check_outcome(err, fault, len, bytes);
    if (err == ERR_OK) {
        check_head(&head, bytes);
        CHECK(head.form != HTTP1_FORM_UNSET && head.method != HTTP1_METHOD_UNSET);
        CHECK(http1_parse_request(str_sub(bytes, 0, len - 1), &head, &len, &fault) == ERR_AGAIN);
        CHECK(http1_parse_request(bytes, &head, &len, &fault) == ERR_OK);
        if (head.minor == 1) {
            print_and_parse(&head);
        }
    }
    return 0;
}
