/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One end of a connection.
 *
 * A short read means that the socket is drained (epoll(7)), unless the peer has ended: then the end
 * is still to be read. A short write means that it is full. Both save a system call that would only
 * say EAGAIN.
 */
#include "http/conn.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"
#include "http/conn_impl.h"

enum {
    /* How much is read at once behind bytes that are kept. */
    MORE_AT_ONCE = 16384,
    /* Bounded by the relay's rule (one scratch) and a page or head before it. */
    OUT_MAX = 1024 * 1024,
};

const uint32_t CONN_ENDED = EPOLLRDHUP | EPOLLHUP | EPOLLERR;

void http_conn_init(struct http_conn *conn, size_t max_in)
{
    *conn = (struct http_conn){.io = {.fd = -1}};
    buf_init(&conn->in, max_in);
    buf_init(&conn->out, OUT_MAX);
}

enum err http_conn_open(struct http_conn *conn, struct loop *loop, int fd, loop_io_fn *fn,
                        bool connected)
{
    CHECK(conn->io.fd == -1);
    conn->io.fn = fn;
    conn->ready = connected ? EPOLLOUT : 0;
    conn->watches_out = !connected;
    uint32_t events = EPOLLIN | EPOLLRDHUP | (connected ? 0 : EPOLLOUT);
    enum err err = loop_add(loop, &conn->io, fd, events);
    if (err != ERR_OK) {
        close(fd);
        conn->io.fd = -1;
    }
    return err;
}

void http_conn_close(struct http_conn *conn)
{
    if (conn->transport != NULL) {
        conn->transport->close(conn);
        conn->transport = NULL;
        conn->layer = NULL;
    }
    loop_close(&conn->io);
    buf_fini(&conn->in);
    buf_fini(&conn->out);
    conn->out_at = 0;
}

/* One recv; what it says is noted in ready. */
enum http_read conn_receive(struct http_conn *conn, char *to, size_t room, size_t *ret_n)
{
    if (conn->transport != NULL) {
        return conn->transport->receive(conn, to, room, ret_n);
    }
    ssize_t n = 0;
    do {
        n = recv(conn->io.fd, to, room, 0);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        if ((size_t)n < room && (conn->ready & CONN_ENDED) == 0) {
            conn->ready &= ~(uint32_t)EPOLLIN;
        }
        *ret_n = (size_t)n;
        return HTTP_READ_SOME;
    }
    if (n == 0) {
        return HTTP_READ_END;
    }
    if (errno == EAGAIN) {
        conn->ready &= ~(uint32_t)EPOLLIN;
        return HTTP_READ_NONE;
    }
    return HTTP_READ_BROKEN;
}

enum http_read http_conn_read(struct http_conn *conn, const struct http_scratch *scratch,
                              struct str *ret_view)
{
    if ((conn->ready & (EPOLLIN | CONN_ENDED)) == 0) {
        return HTTP_READ_NONE;
    }
    char *to = scratch->p;
    size_t room = scratch->size;
    bool kept = conn->in.len != 0;
    if (kept) {
        size_t left = conn->in.max - conn->in.len;
        room = left < MORE_AT_ONCE ? left : MORE_AT_ONCE;
        to = room != 0 ? buf_reserve(&conn->in, room) : NULL;
        if (to == NULL) {
            return HTTP_READ_BROKEN;
        }
    }
    size_t n = 0;
    enum http_read result = conn_receive(conn, to, room, &n);
    if (result != HTTP_READ_SOME) {
        return result;
    }
    if (kept) {
        buf_commit(&conn->in, n);
        *ret_view = buf_str(&conn->in);
    } else {
        *ret_view = str_make(to, n);
    }
    return HTTP_READ_SOME;
}

enum err http_conn_keep(struct http_conn *conn, struct str rest)
{
    if (conn->in.len == 0) {
        if (rest.len != 0) {
            buf_append(&conn->in, rest);
        }
        return buf_err(&conn->in);
    }
    CHECK(rest.len <= conn->in.len);
    if (rest.len == 0) {
        buf_fini(&conn->in);
    } else {
        buf_consume(&conn->in, conn->in.len - rest.len);
    }
    return ERR_OK;
}

static struct iovec part_of(struct str s)
{
    /* sendmsg does not write through it; the field has no const to say so. */
    return (struct iovec){.iov_base = (void *)(uintptr_t)s.p, .iov_len = s.len};
}

/* One sendmsg; *ret_n is 0 where the socket is full. */
enum err conn_transmit(struct http_conn *conn, struct str a, struct str b, size_t *ret_n)
{
    if (conn->transport != NULL) {
        return conn->transport->transmit(conn, a, b, ret_n);
    }
    struct iovec parts[2] = {part_of(a), part_of(b)};
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};
    struct str one = a.len != 0 ? a : b;
    ssize_t n = 0;
    do {
        n = a.len == 0 || b.len == 0 ? send(conn->io.fd, one.p, one.len, MSG_NOSIGNAL)
                                     : sendmsg(conn->io.fd, &message, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && errno != EAGAIN) {
        return ERR_SYSTEM;
    }
    *ret_n = n > 0 ? (size_t)n : 0;
    return ERR_OK;
}

enum err http_conn_full(struct http_conn *conn)
{
    conn->ready &= ~(uint32_t)EPOLLOUT;
    if (conn->watches_out || conn->io.fd < 0) {
        return ERR_OK;
    }
    conn->watches_out = true;
    return loop_change(&conn->io, EPOLLIN | EPOLLOUT | EPOLLRDHUP);
}

enum err http_conn_write(struct http_conn *conn, struct str a, struct str b)
{
    size_t sent = 0;
    if (!http_conn_is_open(conn) || conn->shut) {
        return ERR_SYSTEM;
    }
    if (!http_conn_pending(conn) && (conn->ready & EPOLLOUT) != 0 && a.len + b.len != 0) {
        ERR_TRY(conn_transmit(conn, a, b, &sent));
        if (sent < a.len + b.len) {
            ERR_TRY(http_conn_full(conn));
        }
    }
    if (sent < a.len + b.len) {
        buf_append(&conn->out, str_skip(a, sent));
        buf_append(&conn->out, str_skip(b, sent > a.len ? sent - a.len : 0));
    }
    return buf_err(&conn->out);
}

enum err http_conn_flush(struct http_conn *conn)
{
    if (!http_conn_pending(conn) || (conn->ready & EPOLLOUT) == 0) {
        return ERR_OK;
    }
    size_t n = 0;
    struct str rest = str_skip(buf_str(&conn->out), conn->out_at);
    ERR_TRY(conn_transmit(conn, rest, str_make(NULL, 0), &n));
    conn->out_at += n;
    if (n < rest.len) {
        return http_conn_full(conn);
    }
    buf_fini(&conn->out);
    conn->out_at = 0;
    return ERR_OK;
}

bool http_conn_is_quiet(const struct http_conn *conn)
{
    char byte;
    if (conn->transport != NULL) {
        return conn->in.len == 0 && conn->transport->is_quiet(conn);
    }
    return conn->in.len == 0 && conn->io.fd >= 0 &&
           recv(conn->io.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

void conn_shut(struct http_conn *conn)
{
    if (conn->transport != NULL) {
        conn->transport->shut(conn);
    } else {
        shutdown(conn->io.fd, SHUT_WR);
    }
}

void http_conn_shut_again(struct http_conn *conn)
{
    conn->shut_due = false;
    conn_shut(conn);
}

void http_conn_shut(struct http_conn *conn)
{
    CHECK(!http_conn_pending(conn));
    if (conn->shut || !http_conn_is_open(conn)) {
        return;
    }
    conn->shut = true;
    http_conn_shut_again(conn);
}
