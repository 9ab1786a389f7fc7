/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes behind the preface, by a client of HTTP/2, in pieces. Each stream is read as a client's
 * connection is, and answered; everything it says must be a request for our own parser, and its
 * body must end as its head said. */
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "http/body.h"
#include "http/h2.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STREAMS = 32, SCRATCH = 65536, TURNS = 8 };

struct reader {
    struct http_conn conn;
    struct http_body body;
    bool head, over;
};

static struct reader readers[STREAMS];
static size_t n_readers;
static struct http_conn conn;
static struct h2 *h2;
static bool ended;
static char bytes[SCRATCH];
static const struct http_scratch scratch = {bytes, SCRATCH};

static void answer(struct reader *reader)
{
    static const struct str text = STR_INIT(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n");
    reader->over = true;
    if (http_conn_write(&reader->conn, text, str_make(NULL, 0)) == ERR_OK) {
        http_conn_shut(&reader->conn);
    }
    http_conn_close(&reader->conn);
}

/* What was read, all of it; rest is what waits for more. */
static struct str use(struct reader *reader, struct str view)
{
    static struct http1_head head;
    size_t len = 0;
    enum http1_fault fault;
    if (!reader->head) {
        enum err err = http1_parse_request(view, &head, &len, &fault);
        CHECK(err != ERR_INVALID);
        if (err != ERR_OK) {
            return view;
        }
        reader->head = true;
        view = str_skip(view, len);
        http_body_init(&reader->body, &head);
        if (head.upgrade) {
            reader->body.kind = HTTP1_BODY_CLOSE;
            reader->body.done = false;
        }
    }
    CHECK(http_body_feed(&reader->body, view, &len, NULL) == ERR_OK);
    CHECK(len == view.len); /* nothing behind the end of a request */
    return str_make(NULL, 0);
}

static void on_stream_io(struct loop_io *io, uint32_t events)
{
    struct reader *reader =
        (struct reader *)(void *)((char *)io - offsetof(struct reader, conn.io));
    struct str view;
    http_conn_note(&reader->conn, events);
    while (!reader->over) {
        switch (http_conn_read(&reader->conn, &scratch, &view)) {
        case HTTP_READ_SOME:
            if (http_conn_keep(&reader->conn, use(reader, view)) != ERR_OK) {
                answer(reader);
            }
            break;
        case HTTP_READ_NONE:
            return;
        case HTTP_READ_END:
            CHECK(!reader->head || http_body_end(&reader->body) == ERR_OK);
            answer(reader);
            break;
        case HTTP_READ_BROKEN:
            answer(reader);
            break;
        }
    }
}

static void on_stream(struct h2 *of, int32_t id, void *context)
{
    (void)context;
    if (n_readers < STREAMS) {
        struct reader *reader = &readers[n_readers++];
        *reader = (struct reader){.over = false};
        http_conn_init(&reader->conn, 2 * SCRATCH);
        CHECK(h2_stream_open(of, id, &reader->conn, on_stream_io) == ERR_OK);
    }
}

static void on_ended(struct h2 *of, void *context)
{
    (void)of;
    (void)context;
    CHECK(!ended);
    ended = true;
}

static void on_conn(struct loop_io *io, uint32_t events)
{
    (void)io;
    http_conn_note(&conn, events);
    CHECK(h2_run(h2) != ended);
}

static void turn(struct loop *loop, int fd)
{
    char thrown[4096];
    CHECK(loop_turn(loop, 0) == ERR_OK);
    while (recv(fd, thrown, sizeof(thrown), 0) > 0) {
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    struct h2_owner owner = {.stream = on_stream, .ended = on_ended};
    struct loop *loop = NULL;
    int fds[2];
    n_readers = 0;
    ended = false;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    CHECK(loop_new(&loop) == ERR_OK);
    http_conn_init(&conn, SCRATCH);
    CHECK(http_conn_open(&conn, loop, fds[0], on_conn, true) == ERR_OK);
    CHECK(h2_front_new(&conn, loop, &scratch, &H2_LIMITS, &owner, &h2) == ERR_OK);
    (void)!send(fds[1], preface, sizeof(preface) - 1, MSG_NOSIGNAL);
    size_t piece = size != 0 ? 1 + data[0] * 16U : 1;
    for (size_t at = 1; at < size; at += piece) {
        (void)!send(fds[1], data + at, size - at < piece ? size - at : piece, MSG_NOSIGNAL);
        turn(loop, fds[1]);
    }
    for (unsigned i = 0; i < TURNS; i++) {
        turn(loop, fds[1]);
    }
    for (size_t i = 0; i < n_readers; i++) {
        http_conn_close(&readers[i].conn);
    }
    h2_free(h2);
    http_conn_close(&conn);
    turn(loop, fds[1]);
    turn(loop, fds[1]);
    loop_free(loop);
    close(fds[1]);
    return 0;
}
