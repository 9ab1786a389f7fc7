/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/answer.h"

#include "lib/test.h"
#include "wire/http1.h"

TEST(a_head_says_all_that_a_page_needs)
{
    struct buf to;
    buf_init(&to, 4096);
    http_answer_print(&to, &(struct http_answer){
                               .status = 403,
                               .type = STR("text/html; charset=utf-8"),
                               .policy = STR("default-src 'none'"),
                               .extra = STR("X-More: 1\r\n"),
                               .length = 12,
                           });
    assert_str_eq(buf_str(&to), STR("HTTP/1.1 403 Forbidden\r\n"
                                    "Content-Type: text/html; charset=utf-8\r\n"
                                    "Content-Length: 12\r\n"
                                    "Cache-Control: no-store\r\n"
                                    "Content-Security-Policy: default-src 'none'\r\n"
                                    "X-Content-Type-Options: nosniff\r\n"
                                    "Referrer-Policy: no-referrer\r\n"
                                    "X-More: 1\r\n"
                                    "Connection: close\r\n\r\n"));
    buf_fini(&to);
}

TEST(a_head_is_read_back_as_it_was_meant)
{
    struct buf to;
    struct http1_head head;
    size_t len = 0;
    enum http1_fault fault;
    buf_init(&to, 4096);
    http_answer_print(&to, &(struct http_answer){
                               .status = 200,
                               .type = STR("text/plain"),
                               .length = 5,
                               .keep_alive = true,
                               .cacheable = true,
                           });
    assert_ok(http1_parse_response(buf_str(&to), HTTP1_GET, &head, &len, &fault));
    assert_int_equal(len, to.len);
    assert_int_equal(head.body, HTTP1_BODY_LENGTH);
    assert_int_equal(head.length, 5);
    assert_true(head.keep_alive);
    assert_true(str_find(buf_str(&to), STR("no-store")) == to.len);
    buf_fini(&to);
}

TESTS_MAIN(unit(a_head_says_all_that_a_page_needs), unit(a_head_is_read_back_as_it_was_meant))
