/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One direction of a tunnel: bytes from one socket to another.
 *
 * Little is moved by read and write through the worker's scratch; a direction that fills it is
 * moved by splice(2), which copies nothing. A pipe is taken from the pool for a turn and goes back
 * when it is empty, so only directions that are blocked hold one, and a pipe with bytes in it never
 * serves another tunnel. Pipes begin with what the kernel gives (64 KiB) and grow for bulk; where
 * growing is refused (pipe-user-pages-soft counts all pipes of a user) they stay as they are.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "proxy/proxy_impl.h"

enum {
    MOVES = 8, /* in one turn, before others have theirs */
    PIPES_UNUSED_MAX = 16,
    PIPE_FIRST = 65536,
    PIPE_BIG = 1024 * 1024,
    PIPES_BIG_MAX = 16,       /* 16 MiB of the 64 MiB that one user may have by default */
    BULK_BYTES = 1024 * 1024, /* moved so far: worth a big pipe */
    BULK_TURN = 16384,        /* moved in a turn: worth going on with splice */
};

struct pipe {
    int in, out;
    size_t len; /* bytes in it */
    size_t size;
    struct pipe *next;
};

static void pipe_free(struct pipe *pipe)
{
    close(pipe->in);
    close(pipe->out);
    free(pipe);
}

static struct pipe *pipe_take(struct pipes *pipes)
{
    struct pipe *pipe = pipes->unused;
    if (pipe != NULL) {
        pipes->unused = pipe->next;
        pipes->n_unused--;
        return pipe;
    }
    int fds[2];
    pipe = calloc(1, sizeof(*pipe));
    if (pipe == NULL || pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) {
        free(pipe);
        return NULL;
    }
    *pipe = (struct pipe){.in = fds[1], .out = fds[0], .size = PIPE_FIRST};
    return pipe;
}

/* Back to the others, the big ones first in line; one with bytes in it is closed. */
static void pipe_drop(struct pipes *pipes, struct pipe *pipe)
{
    bool big = pipe->size >= PIPE_BIG;
    if (pipe->len != 0 || pipes->n_unused >= PIPES_UNUSED_MAX) {
        pipes->n_big -= big;
        pipe_free(pipe);
        return;
    }
    pipe->next = pipes->unused;
    pipes->unused = pipe;
    pipes->n_unused++;
}

void pipes_fini(struct pipes *pipes)
{
    while (pipes->unused != NULL) {
        struct pipe *pipe = pipes->unused;
        pipes->unused = pipe->next;
        pipe_free(pipe);
    }
}

static void pipe_grow(struct pipes *pipes, struct pipe *pipe)
{
    if (pipe->size >= PIPE_BIG || pipe->len != 0 || pipes->n_big >= PIPES_BIG_MAX) {
        return;
    }
    if (fcntl(pipe->in, F_SETPIPE_SZ, PIPE_BIG) >= PIPE_BIG) {
        pipe->size = PIPE_BIG;
        pipes->n_big++;
    } else {
        pipes->n_big = PIPES_BIG_MAX; /* the user's share is used up: not asked again */
    }
}

/* What one move did. */
enum move { MOVE_SOME, MOVE_BLOCKED, MOVE_BROKEN };

static enum move drain(struct proxy *proxy, struct way *way)
{
    struct pipe *pipe = way->pipe;
    while (pipe->len != 0) {
        ssize_t n = splice(pipe->out, NULL, way->to->io.fd, NULL, pipe->len,
                           SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0 && errno == EAGAIN) {
            return http_conn_full(way->to) == ERR_OK ? MOVE_BLOCKED : MOVE_BROKEN;
        }
        if (n <= 0) {
            return MOVE_BROKEN;
        }
        pipe->len -= (size_t)n;
    }
    way->pipe = NULL;
    pipe_drop(&proxy->pipes, pipe);
    return MOVE_SOME;
}

static enum move move_by_splice(struct proxy *proxy, struct way *way, size_t *ret_n)
{
    if (way->pipe == NULL) {
        way->pipe = pipe_take(&proxy->pipes);
        if (way->pipe == NULL) {
            way->bulk = false;
            return MOVE_SOME;
        }
    }
    if (way->bytes >= BULK_BYTES) {
        pipe_grow(&proxy->pipes, way->pipe);
    }
    ssize_t n = 0;
    do {
        n = splice(way->from->io.fd, NULL, way->pipe->in, NULL, way->pipe->size,
                   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    } while (n < 0 && errno == EINTR);
    if (n > 0) {
        way->pipe->len = (size_t)n;
        *ret_n = (size_t)n;
        return drain(proxy, way);
    }
    pipe_drop(&proxy->pipes, way->pipe);
    way->pipe = NULL;
    if (n == 0) {
        way->ended = true;
        return MOVE_SOME;
    }
    if (errno != EAGAIN) {
        return MOVE_BROKEN;
    }
    way->from->ready &= ~(uint32_t)EPOLLIN;
    return MOVE_BLOCKED;
}

static enum move move_by_copy(struct way *way, const struct http_scratch *scratch, size_t *ret_n)
{
    struct str view;
    switch (http_conn_read(way->from, scratch, &view)) {
    case HTTP_READ_NONE:
        return MOVE_BLOCKED;
    case HTTP_READ_END:
        way->ended = true;
        return MOVE_SOME;
    case HTTP_READ_BROKEN:
        return MOVE_BROKEN;
    case HTTP_READ_SOME:
        break;
    }
    *ret_n = view.len;
    way->bulk =
        view.len == scratch->size && way->from->transport == NULL && way->to->transport == NULL;
    return http_conn_write(way->to, view, str_make(NULL, 0)) == ERR_OK ? MOVE_SOME : MOVE_BROKEN;
}

/* Room at `to` for new bytes: what is under way has gone. */
static enum move clear_the_way(struct proxy *proxy, struct way *way)
{
    if (way->pipe != NULL) {
        return (way->to->ready & EPOLLOUT) != 0 ? drain(proxy, way) : MOVE_BLOCKED;
    }
    if (http_conn_pending(way->to)) {
        if (http_conn_flush(way->to) != ERR_OK) {
            return MOVE_BROKEN;
        }
        return http_conn_pending(way->to) ? MOVE_BLOCKED : MOVE_SOME;
    }
    return MOVE_SOME;
}

static bool may_read(const struct way *way)
{
    return (way->from->ready & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
}

/* One step: bytes under way, then the end, then new bytes. */
static enum move move_once(struct proxy *proxy, struct way *way, const struct http_scratch *scratch,
                           size_t *ret_n)
{
    enum move cleared = clear_the_way(proxy, way);
    if (cleared != MOVE_SOME) {
        return cleared;
    }
    if (way->ended) {
        if (!way->done) {
            if (!way->other->done) {
                http_conn_shut(way->to); /* else both are closed at once */
            }
            way->done = true;
        }
        return MOVE_BLOCKED;
    }
    if (!may_read(way)) {
        return MOVE_BLOCKED;
    }
    return way->bulk ? move_by_splice(proxy, way, ret_n) : move_by_copy(way, scratch, ret_n);
}

enum way_result way_run(struct proxy *proxy, struct way *way, const struct http_scratch *scratch,
                        size_t *ret_moved)
{
    size_t moved = 0;
    enum way_result result = WAY_MORE;
    for (unsigned i = 0; i < MOVES && result == WAY_MORE; i++) {
        size_t n = 0;
        switch (move_once(proxy, way, scratch, &n)) {
        case MOVE_SOME:
            break;
        case MOVE_BLOCKED:
            result = WAY_WAIT;
            break;
        case MOVE_BROKEN:
            result = WAY_BROKEN;
            break;
        }
        moved += n;
        way->bytes += n;
    }
    if (result == WAY_WAIT && moved < BULK_TURN) {
        way->bulk = false;
    }
    *ret_moved = moved;
    return result;
}

void way_fini(struct proxy *proxy, struct way *way)
{
    if (way->pipe != NULL) {
        pipe_drop(&proxy->pipes, way->pipe);
        way->pipe = NULL;
    }
}
