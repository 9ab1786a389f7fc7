/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One direction of a tunnel, for any interleaving of what its two ends do. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/gen.h"
#include "lib/test.h"
#include "proxy/proxy_impl.h"

enum { SCRATCH = 4096, SMALL_BUFFER = 4608 };

struct bench {
    struct loop *loop;
    struct proxy *proxy; /* only its pipes are used */
    struct http_conn from, to;
    struct http_scratch scratch;
    struct way way, other;
    int source, sink;
};

static void on_io(struct loop_io *io, uint32_t events)
{
    http_conn_note((struct http_conn *)(void *)((char *)io - offsetof(struct http_conn, io)),
                   events);
}

static void open_end(struct bench *bench, struct http_conn *conn, int *ret_peer)
{
    int fds[2];
    int size = SMALL_BUFFER;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size)), 0);
    http_conn_init(conn, 1000);
    assert_ok(http_conn_open(conn, bench->loop, fds[0], on_io, true));
    *ret_peer = fds[1];
}

static void bench_new(struct bench *bench)
{
    *bench = (struct bench){.source = -1};
    assert_ok(loop_new(&bench->loop));
    bench->proxy = calloc(1, sizeof(*bench->proxy));
    bench->scratch = (struct http_scratch){malloc(SCRATCH), SCRATCH};
    assert_non_null(bench->proxy);
    open_end(bench, &bench->from, &bench->source);
    open_end(bench, &bench->to, &bench->sink);
    bench->way = (struct way){.from = &bench->from, .to = &bench->to, .other = &bench->other};
}

static void bench_free(struct bench *bench)
{
    way_fini(bench->proxy, &bench->way);
    pipes_fini(&bench->proxy->pipes);
    http_conn_close(&bench->from);
    http_conn_close(&bench->to);
    loop_free(bench->loop);
    if (bench->source >= 0) {
        close(bench->source);
    }
    close(bench->sink);
    free(bench->scratch.p);
    free(bench->proxy);
}

static char byte_at(size_t at)
{
    return (char)(at * 31 % 253);
}

/* Writes some of what is left; answers how much. */
static size_t write_some(struct gen *gen, int fd, size_t at, size_t total)
{
    static char block[40000];
    size_t n = 1 + gen_below(gen, sizeof(block));
    n = n < total - at ? n : total - at;
    for (size_t i = 0; i < n; i++) {
        block[i] = byte_at(at + i);
    }
    ssize_t done = write(fd, block, n);
    return done > 0 ? (size_t)done : 0;
}

TEST(all_bytes_arrive_in_order_and_then_the_end)
{
    GEN_RUNS(gen, 120)
    {
        struct bench bench;
        bench_new(&bench);
        size_t total = gen_below(&gen, 400000);
        size_t written = 0;
        size_t got = 0;
        bool ended = false;
        char block[50000];
        /* Splice from the start in half of the runs, or as the flow has it. */
        bench.way.bulk = gen_chance(&gen, 50);
        for (unsigned steps = 0; !ended; steps++) {
            assert_run(gen, steps < 200000);
            if (bench.source >= 0 && gen_chance(&gen, 50)) {
                written += write_some(&gen, bench.source, written, total);
                if (written == total) {
                    close(bench.source);
                    bench.source = -1;
                }
            }
            if (gen_chance(&gen, 40)) {
                ssize_t n = read(bench.sink, block, 1 + gen_below(&gen, sizeof(block)));
                for (ssize_t i = 0; i < n; i++) {
                    assert_run(gen, block[i] == byte_at(got + (size_t)i));
                }
                got += n > 0 ? (size_t)n : 0;
                ended = n == 0;
            }
            assert_ok(loop_turn(bench.loop, 0));
            size_t moved = 0;
            assert_run(gen, way_run(bench.proxy, &bench.way, &bench.scratch, &moved) != WAY_BROKEN);
        }
        assert_run(gen, got == total && bench.way.bytes == total && bench.way.done);
        assert_run(gen, bench.way.pipe == NULL);
        bench_free(&bench);
    }
}

TEST(a_pipe_with_bytes_in_it_is_not_given_to_others)
{
    struct bench bench;
    static char block[200000];
    bench_new(&bench);
    bench.way.bulk = true;
    for (int i = 0; i < 50; i++) {
        (void)!write(bench.source, block, sizeof(block));
        size_t moved = 0;
        assert_ok(loop_turn(bench.loop, 0));
        assert_int_not_equal(way_run(bench.proxy, &bench.way, &bench.scratch, &moved), WAY_BROKEN);
    }
    assert_non_null(bench.way.pipe);
    way_fini(bench.proxy, &bench.way);
    assert_int_equal(bench.proxy->pipes.n_unused, 0);
    bench_free(&bench);
}

TEST(a_sink_that_is_gone_breaks_the_way)
{
    struct bench bench;
    bench_new(&bench);
    close(bench.sink);
    bench.sink = open("/dev/null", 0);
    assert_int_equal(write(bench.source, "x", 1), 1);
    assert_ok(loop_turn(bench.loop, 1));
    size_t moved = 0;
    assert_int_equal(way_run(bench.proxy, &bench.way, &bench.scratch, &moved), WAY_BROKEN);
    bench_free(&bench);
}

TESTS_MAIN(unit(all_bytes_arrive_in_order_and_then_the_end),
           unit(a_pipe_with_bytes_in_it_is_not_given_to_others),
           unit(a_sink_that_is_gone_breaks_the_way))
