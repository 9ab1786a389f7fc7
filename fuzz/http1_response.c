/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a response head; the first byte chooses the method that is answered. */
#include "http1_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_and_parse(const struct http1_head *head, enum http1_method method)
{
    static struct http1_head again;
    struct buf buf;
    size_t len = 0;
    enum http1_fault fault;
    buf_init(&buf, 2 * LIMIT_HTTP_HEAD_LEN);
    http1_print_status_line(&buf, head->status, head->reason);
    print_headers(&buf, head);
    enum err err = http1_parse_response(buf_str(&buf), method, &again, &len, &fault);
    if (err == ERR_OK) {
        CHECK(len == buf.len);
        check_same(head, &again);
    } else {
        CHECK(err == ERR_LIMIT);
    }
    buf_fini(&buf);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http1_head head;
    if (size == 0) {
        return 0;
    }
    enum http1_method method = (enum http1_method)(HTTP1_GET + data[0] % HTTP1_OTHER);
    struct str bytes = str_make((const char *)data + 1, size - 1);
    size_t len = 0;
    enum http1_fault fault = HTTP1_FAULT_COUNT_;
    enum err err = http1_parse_response(bytes, method, &head, &len, &fault);
    check_outcome(err, fault, len, bytes);
    if (err == ERR_OK) {
        check_head(&head, bytes);
        CHECK(head.status >= 100 && head.status <= 999);
        if (head.minor == 1) {
            print_and_parse(&head, method);
        }
    }
    return 0;
}
