/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HTTP/1.1 heads, written: what is written is what is read, and nothing splits. */
#include "lib/test.h"

#include "wire/http1.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

TEST(lines_are_written)
{
    struct buf buf;
    buf_init(&buf, 1000);
    http1_print_request_line(&buf, STR("GET"), STR("/a?b"));
    http1_print_status_line(&buf, 403, http1_reason(403));
    http1_print_header(&buf, STR("A"), STR("b c"));
    http1_print_header(&buf, STR("Empty"), STR(""));
    assert_ok(buf_err(&buf));
    assert_str_eq(buf_str(&buf), STR("GET /a?b HTTP/1.1\r\nHTTP/1.1 403 Forbidden\r\nA: b c\r\n"
                                     "Empty: \r\n"));
    buf_fini(&buf);
}

TEST(nothing_that_would_split_a_head_is_written)
{
    static const struct str bad[] = {STR_INIT("a\rb"), STR_INIT("a\nb"), STR_INIT("a\0b"),
                                     STR_INIT("a\r\nX: y"), STR_INIT("\x7f")};
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct buf bufs[5];
        for (size_t j = 0; j < COUNT(bufs); j++) {
            buf_init(&bufs[j], 1000);
        }
        http1_print_request_line(&bufs[0], bad[i], STR("/"));
        http1_print_request_line(&bufs[1], STR("GET"), bad[i]);
        http1_print_status_line(&bufs[2], 200, bad[i]);
        http1_print_header(&bufs[3], bad[i], STR("a"));
        http1_print_header(&bufs[4], STR("a"), bad[i]);
        for (size_t j = 0; j < COUNT(bufs); j++) {
            assert_err(buf_err(&bufs[j]), ERR_INVALID);
            assert_int_equal(bufs[j].len, 0);
            buf_fini(&bufs[j]);
        }
    }
}

TEST(empty_names_and_targets_and_spaces_in_them_are_refused)
{
    struct buf buf;
    buf_init(&buf, 1000);
    http1_print_header(&buf, STR(""), STR("a"));
    assert_err(buf_err(&buf), ERR_INVALID);
    buf_clear(&buf);
    http1_print_header(&buf, STR("A:"), STR("a"));
    assert_err(buf_err(&buf), ERR_INVALID);
    buf_clear(&buf);
    http1_print_request_line(&buf, STR("GET"), STR("/a b"));
    assert_err(buf_err(&buf), ERR_INVALID);
    buf_clear(&buf);
    http1_print_request_line(&buf, STR("GET"), STR(""));
    assert_err(buf_err(&buf), ERR_INVALID);
    buf_fini(&buf);
}

TEST(end_to_end_headers_are_written_as_sent_but_for_those_skipped)
{
    struct buf buf;
    struct http1_head head;
    size_t len = 0;
    enum http1_fault fault;
    static const enum http1_name skip[] = {HTTP1_NAME_VIA, HTTP1_NAME_X_FORWARDED_FOR};
    buf_init(&buf, 1000);
    assert_ok(http1_parse_request(
        STR("GET / HTTP/1.1\r\nhost:a\r\nConnection: x-a, close\r\nX-A: 1\r\nVia: 1.1 b\r\n"
            "Accept:  */* \r\nTE: trailers\r\nX-Forwarded-For: ::1\r\nCOOKIE: c=d; e\r\n\r\n"),
        &head, &len, &fault));
    http1_print_end_to_end(&buf, &head, skip, COUNT(skip));
    assert_str_eq(buf_str(&buf), STR("host: a\r\nAccept: */*\r\nCOOKIE: c=d; e\r\n"));
    buf_clear(&buf);
    http1_print_end_to_end(&buf, &head, NULL, 0);
    assert_str_eq(buf_str(&buf), STR("host: a\r\nVia: 1.1 b\r\nAccept: */*\r\n"
                                     "X-Forwarded-For: ::1\r\nCOOKIE: c=d; e\r\n"));
    buf_fini(&buf);
}

TEST(a_full_buffer_fails_with_its_own_error)
{
    struct buf buf;
    buf_init(&buf, 10);
    http1_print_header(&buf, STR("Name"), STR("too long for it"));
    assert_err(buf_err(&buf), ERR_LIMIT);
    http1_print_header(&buf, STR("Name"), STR("\r"));
    assert_err(buf_err(&buf), ERR_LIMIT);
    buf_fini(&buf);
}

TEST(status_codes_have_their_usual_words)
{
    assert_str_eq(http1_reason(200), STR("OK"));
    assert_str_eq(http1_reason(407), STR("Proxy Authentication Required"));
    assert_str_eq(http1_reason(299), STR("Status"));
    assert_str_eq(http1_reason(0), STR("Status"));
    assert_str_eq(http1_reason(100000), STR("Status"));
}

TESTS_MAIN(unit(lines_are_written), unit(nothing_that_would_split_a_head_is_written),
           unit(empty_names_and_targets_and_spaces_in_them_are_refused),
           unit(end_to_end_headers_are_written_as_sent_but_for_those_skipped),
           unit(a_full_buffer_fails_with_its_own_error), unit(status_codes_have_their_usual_words))
