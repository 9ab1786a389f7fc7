/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/desk_line.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/test.h"

static const struct web_request request = {
    .method = WEB_POST,
    .path = STR_INIT("/records/people"),
    .query = STR_INIT("page=2"),
    .host = STR_INIT("localhost:8443"),
    .cookie = STR_INIT("__Host-lodge=abc"),
    .accept = STR_INIT("text/html"),
    .content_type = STR_INIT("application/x-www-form-urlencoded"),
    .origin = STR_INIT("https://localhost:8443"),
    .fetch_site = STR_INIT("same-origin"),
    .user_agent = STR_INIT("Browser"),
    .csrf = STR_INIT("token"),
    .body = STR_INIT("a=b\0c"),
    .client = {1, 2, 3},
};

static const struct desk_answer answer = {
    .status = 303,
    .type = STR_INIT("text/html; charset=utf-8"),
    .headers = STR_INIT("Location: /\r\nSet-Cookie: a=b; Secure\r\n"),
    .body = STR_INIT("<p>\r\n\0</p>"),
};

static void pack(const struct web_request *from, struct buf *to)
{
    buf_clear(to);
    assert_ok(desk_pack_request(from, to));
}

TEST(a_request_comes_as_it_was_sent)
{
    struct buf frame;
    struct web_request got;
    buf_init(&frame, DESK_FRAME_MAX);
    pack(&request, &frame);
    assert_ok(desk_read_request(buf_str(&frame), &got));
    assert_int_equal(got.method, WEB_POST);
    assert_memory_equal(got.client, request.client, sizeof(got.client));
    assert_str_eq(got.path, request.path);
    assert_str_eq(got.query, request.query);
    assert_str_eq(got.host, request.host);
    assert_str_eq(got.cookie, request.cookie);
    assert_str_eq(got.accept, request.accept);
    assert_str_eq(got.content_type, request.content_type);
    assert_str_eq(got.origin, request.origin);
    assert_str_eq(got.fetch_site, request.fetch_site);
    assert_str_eq(got.user_agent, request.user_agent);
    assert_str_eq(got.csrf, request.csrf);
    assert_str_eq(got.body, request.body);
    buf_fini(&frame);
}

TEST(an_answer_comes_as_it_was_sent)
{
    struct buf frame;
    struct desk_answer got;
    buf_init(&frame, DESK_FRAME_MAX);
    assert_ok(desk_pack_answer(&answer, &frame));
    assert_ok(desk_read_answer(buf_str(&frame), &got));
    assert_int_equal(got.status, 303);
    assert_str_eq(got.type, answer.type);
    assert_str_eq(got.headers, answer.headers);
    assert_str_eq(got.body, answer.body);
    buf_fini(&frame);
}

TEST(every_cut_and_every_byte_more_is_refused)
{
    struct buf frame;
    struct web_request got;
    struct desk_answer got_answer;
    buf_init(&frame, DESK_FRAME_MAX);
    pack(&request, &frame);
    for (size_t n = 0; n < frame.len; n++) {
        assert_err(desk_read_request(str_sub(buf_str(&frame), 0, n), &got), ERR_INVALID);
    }
    buf_append_byte(&frame, 'x');
    assert_err(desk_read_request(buf_str(&frame), &got), ERR_INVALID);
    buf_clear(&frame);
    assert_ok(desk_pack_answer(&answer, &frame));
    for (size_t n = 0; n < frame.len; n++) {
        assert_err(desk_read_answer(str_sub(buf_str(&frame), 0, n), &got_answer), ERR_INVALID);
    }
    buf_append_byte(&frame, 'x');
    assert_err(desk_read_answer(buf_str(&frame), &got_answer), ERR_INVALID);
    buf_fini(&frame);
}

TEST(a_request_that_front_would_not_send_is_refused)
{
    struct web_request rows[] = {request, request, request, request, request};
    struct buf frame;
    struct web_request got;
    rows[0].method = WEB_METHOD_UNSET;
    rows[1].path = STR("records");
    rows[2].cookie = STR("a=b\r\nX: y");
    rows[3].path = STR("");
    rows[4].query = STR("a\0b");
    buf_init(&frame, DESK_FRAME_MAX);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        pack(&rows[i], &frame);
        assert_err(desk_read_request(buf_str(&frame), &got), ERR_INVALID);
    }
    buf_fini(&frame);
}

TEST(an_answer_with_a_header_of_its_own_is_refused)
{
    static const struct str rows[] = {
        STR_INIT("Transfer-Encoding: chunked\r\n"),
        STR_INIT("Content-Length: 5\r\n"),
        STR_INIT("Location: /\r\n\r\nHTTP/1.1 200 OK\r\n"),
        STR_INIT("Location: /"),
        STR_INIT("Location: /\nX: y\r\n"),
        STR_INIT("Location\r\n"),
        STR_INIT("Content-Security-Policy: default-src *\r\n"),
    };
    struct buf frame;
    struct desk_answer got;
    buf_init(&frame, DESK_FRAME_MAX);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct desk_answer odd = answer;
        odd.headers = rows[i];
        buf_clear(&frame);
        assert_ok(desk_pack_answer(&odd, &frame));
        assert_err(desk_read_answer(buf_str(&frame), &got), ERR_INVALID);
    }
    struct desk_answer odd = answer;
    odd.status = 100;
    buf_clear(&frame);
    assert_ok(desk_pack_answer(&odd, &frame));
    assert_err(desk_read_answer(buf_str(&frame), &got), ERR_INVALID);
    buf_fini(&frame);
}

TEST(what_is_over_a_bound_is_not_sent)
{
    struct web_request big = request;
    struct buf frame;
    struct buf path;
    buf_init(&frame, DESK_FRAME_MAX);
    buf_init(&path, 1 << 20);
    for (int i = 0; i <= DESK_PATH_MAX; i++) {
        buf_append_byte(&path, '/');
    }
    big.path = buf_str(&path);
    assert_err(desk_pack_request(&big, &frame), ERR_LIMIT);
    buf_fini(&path);
    buf_fini(&frame);
}

TEST(a_frame_travels_in_sealed_memory_only)
{
    int pair[2];
    uint64_t ticket = 0;
    struct file_map frame;
    assert_ok(ipc_pair(pair));
    assert_ok(desk_send(pair[0], MESSAGE_ENQUIRY, 77, STR("a frame")));
    assert_ok(desk_receive(pair[1], MESSAGE_ENQUIRY, &ticket, &frame));
    assert_int_equal(ticket, 77);
    assert_str_eq(frame.bytes, STR("a frame"));
    file_map_fini(&frame);
    assert_err(desk_receive(pair[1], MESSAGE_ENQUIRY, &ticket, &frame), ERR_AGAIN);
    assert_ok(desk_send(pair[0], MESSAGE_REPLY, 1, STR("a frame")));
    assert_err(desk_receive(pair[1], MESSAGE_ENQUIRY, &ticket, &frame), ERR_INVALID);
    int open_fd = memfd_create("open", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    assert_ok(message_send(pair[0], MESSAGE_ENQUIRY, open_fd, -1));
    assert_err(desk_receive(pair[1], MESSAGE_ENQUIRY, &ticket, &frame), ERR_INVALID);
    close(open_fd);
    close(pair[0]);
    close(pair[1]);
}

TESTS_MAIN(unit(a_request_comes_as_it_was_sent), unit(an_answer_comes_as_it_was_sent),
           unit(every_cut_and_every_byte_more_is_refused),
           unit(a_request_that_front_would_not_send_is_refused),
           unit(an_answer_with_a_header_of_its_own_is_refused),
           unit(what_is_over_a_bound_is_not_sent), unit(a_frame_travels_in_sealed_memory_only))
