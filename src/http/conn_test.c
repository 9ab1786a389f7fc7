/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "http/conn.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/gen.h"
#include "lib/test.h"

enum { SCRATCH = 64, SMALL_BUFFER = 4608 };

struct pair {
    struct loop *loop;
    struct http_conn conn;
    struct http_scratch scratch;
    char bytes[SCRATCH];
    int peer;
};

static void on_io(struct loop_io *io, uint32_t events)
{
    http_conn_note((struct http_conn *)(void *)((char *)io - offsetof(struct http_conn, io)),
                   events);
}

static void pair_new(struct pair *pair)
{
    int fds[2];
    int size = SMALL_BUFFER;
    *pair = (struct pair){.peer = -1};
    pair->scratch = (struct http_scratch){pair->bytes, SCRATCH};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    pair->peer = fds[1];
    assert_ok(loop_new(&pair->loop));
    http_conn_init(&pair->conn, 1000);
    assert_ok(http_conn_open(&pair->conn, pair->loop, fds[0], on_io, true));
}

static void pair_free(struct pair *pair)
{
    http_conn_close(&pair->conn);
    loop_free(pair->loop);
    if (pair->peer >= 0) {
        close(pair->peer);
    }
}

static void turn(struct pair *pair)
{
    assert_ok(loop_turn(pair->loop, 1));
}

TEST(a_quiet_connection_holds_no_memory)
{
    struct pair pair;
    struct str view;
    pair_new(&pair);
    turn(&pair);
    assert_int_equal(http_conn_read(&pair.conn, &pair.scratch, &view), HTTP_READ_NONE);
    assert_int_equal(write(pair.peer, "hello", 5), 5);
    turn(&pair);
    assert_int_equal(http_conn_read(&pair.conn, &pair.scratch, &view), HTTP_READ_SOME);
    assert_str_eq(view, STR("hello"));
    assert_ok(http_conn_keep(&pair.conn, str_skip(view, 5)));
    assert_null(pair.conn.in.p);
    assert_null(pair.conn.out.p);
    pair_free(&pair);
}

TEST(what_is_not_used_comes_before_what_is_new)
{
    struct pair pair;
    struct str view;
    pair_new(&pair);
    assert_int_equal(write(pair.peer, "abc", 3), 3);
    turn(&pair);
    assert_int_equal(http_conn_read(&pair.conn, &pair.scratch, &view), HTTP_READ_SOME);
    assert_ok(http_conn_keep(&pair.conn, str_skip(view, 1)));
    assert_str_eq(http_conn_unused(&pair.conn), STR("bc"));
    assert_int_equal(write(pair.peer, "def", 3), 3);
    turn(&pair);
    assert_int_equal(http_conn_read(&pair.conn, &pair.scratch, &view), HTTP_READ_SOME);
    assert_str_eq(view, STR("bcdef"));
    assert_ok(http_conn_keep(&pair.conn, str_make(NULL, 0)));
    assert_null(pair.conn.in.p);
    pair_free(&pair);
}

TEST(bytes_that_came_with_the_end_are_read_before_it)
{
    struct pair pair;
    struct str view;
    pair_new(&pair);
    assert_int_equal(write(pair.peer, "bye", 3), 3);
    close(pair.peer);
    pair.peer = -1;
    turn(&pair);
    assert_int_equal(http_conn_read(&pair.conn, &pair.scratch, &view), HTTP_READ_SOME);
    assert_str_eq(view, STR("bye"));
    assert_ok(http_conn_keep(&pair.conn, str_make(NULL, 0)));
    assert_int_equal(http_conn_read(&pair.conn, &pair.scratch, &view), HTTP_READ_END);
    pair_free(&pair);
}

TEST(more_unused_bytes_than_allowed_break_the_connection)
{
    struct pair pair;
    struct str view;
    char bytes[1200] = {0};
    pair_new(&pair);
    assert_int_equal(write(pair.peer, bytes, sizeof(bytes)), sizeof(bytes));
    turn(&pair);
    enum http_read result = HTTP_READ_SOME;
    for (int i = 0; i < 100 && result == HTTP_READ_SOME; i++) {
        result = http_conn_read(&pair.conn, &pair.scratch, &view);
        if (result == HTTP_READ_SOME) {
            assert_ok(http_conn_keep(&pair.conn, view));
        }
    }
    assert_int_equal(result, HTTP_READ_BROKEN);
    assert_int_equal(pair.conn.in.len, 1000);
    pair_free(&pair);
}

TEST(a_peer_that_is_gone_is_told_and_not_signalled)
{
    struct pair pair;
    pair_new(&pair);
    close(pair.peer);
    pair.peer = -1;
    assert_err(http_conn_write(&pair.conn, STR("x"), STR("")), ERR_SYSTEM);
    pair_free(&pair);
}

/* Whatever the sizes of writes and of the reader's reads: all arrives, in order. */
TEST(all_that_was_written_arrives_in_order)
{
    GEN_RUNS(gen, 60)
    {
        struct pair pair;
        pair_new(&pair);
        size_t total = 100000;
        size_t written = 0;
        size_t read_so_far = 0;
        char block[9000];
        while (read_so_far < total) {
            if (written < total && !http_conn_pending(&pair.conn) && gen_chance(&gen, 60)) {
                size_t n = 1 + gen_below(&gen, 6000);
                n = n < total - written ? n : total - written;
                for (size_t i = 0; i < n; i++) {
                    block[i] = (char)((written + i) * 7 % 251);
                }
                size_t cut = gen_below(&gen, n + 1);
                assert_ok(http_conn_write(&pair.conn, str_make(block, cut),
                                          str_make(block + cut, n - cut)));
                written += n;
            }
            ssize_t n = read(pair.peer, block, 1 + gen_below(&gen, sizeof(block)));
            for (ssize_t i = 0; i < n; i++) {
                assert_run(gen, block[i] == (char)((read_so_far + (size_t)i) * 7 % 251));
            }
            read_so_far += n > 0 ? (size_t)n : 0;
            turn(&pair);
            assert_ok(http_conn_flush(&pair.conn));
        }
        assert_run(gen, !http_conn_pending(&pair.conn) && pair.conn.out.p == NULL);
        pair_free(&pair);
    }
}

TESTS_MAIN(unit(a_quiet_connection_holds_no_memory),
           unit(what_is_not_used_comes_before_what_is_new),
           unit(bytes_that_came_with_the_end_are_read_before_it),
           unit(more_unused_bytes_than_allowed_break_the_connection),
           unit(a_peer_that_is_gone_is_told_and_not_signalled),
           unit(all_that_was_written_arrives_in_order))
