/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/h2_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SETTLE_TURNS = 20000, QUIET_TURNS = 6, FRAME_HEAD = 9, MUCH = 64 * 1024 * 1024 };

/* A body that nghttp2's end sends. */
struct said {
    struct said *next;
    char *body;
    char *trailer;
    size_t at, len;
};

/* --- the end under test
 * -------------------------------------------------------------------------------- */

static void read_stream(struct rig_stream *stream)
{
    struct http_scratch scratch = {stream->rig->scratch, RIG_SCRATCH};
    struct str view;
    while (stream->last == HTTP_READ_SOME && !stream->paused) {
        enum http_read result = http_conn_read(&stream->conn, &scratch, &view);
        if (result == HTTP_READ_NONE) {
            return;
        }
        if (result == HTTP_READ_SOME) {
            buf_append(&stream->text, view);
            assert_ok(http_conn_keep(&stream->conn, str_make(NULL, 0)));
        } else {
            stream->last = result;
        }
    }
}

static void on_stream_io(struct loop_io *io, uint32_t events)
{
    struct rig_stream *stream =
        (struct rig_stream *)(void *)((char *)io - offsetof(struct rig_stream, conn.io));
    http_conn_note(&stream->conn, events);
    stream->events |= events;
    read_stream(stream);
    if (http_conn_is_open(&stream->conn)) {
        (void)!http_conn_flush(&stream->conn);
    }
}

static struct rig_stream *next_stream(struct rig *rig)
{
    assert_true(rig->n_streams < RIG_STREAMS);
    struct rig_stream *stream = &rig->streams[rig->n_streams++];
    *stream = (struct rig_stream){.rig = rig, .last = HTTP_READ_SOME, .paused = rig->paused};
    http_conn_init(&stream->conn, 100000);
    buf_init(&stream->text, MUCH);
    return stream;
}

static void on_h2_stream(struct h2 *h2, int32_t id, void *context)
{
    struct rig *rig = context;
    if (!rig->refuse) {
        struct rig_stream *stream = next_stream(rig);
        stream->id = id;
        assert_ok(h2_stream_open(h2, id, &stream->conn, on_stream_io));
    }
}

static void on_ended(struct h2 *h2, void *context)
{
    struct rig *rig = context;
    (void)h2;
    rig->ended++;
}

static void on_conn(struct loop_io *io, uint32_t events)
{
    struct rig *rig = (struct rig *)(void *)((char *)io - offsetof(struct rig, conn.io));
    http_conn_note(&rig->conn, events);
    (void)!h2_run(rig->h2);
}

static void rig_new(struct rig *rig)
{
    int fds[2];
    *rig = (struct rig){.fd = -1, .goaway = UINT32_MAX};
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    rig->fd = fds[1];
    buf_init(&rig->said, MUCH);
    assert_ok(loop_new(&rig->loop));
    http_conn_init(&rig->conn, 100000);
    assert_ok(http_conn_open(&rig->conn, rig->loop, fds[0], on_conn, true));
}

void rig_front(struct rig *rig, const struct h2_limits *limits)
{
    rig_new(rig);
    struct http_scratch scratch = {rig->scratch, RIG_SCRATCH};
    struct h2_owner owner = {.stream = on_h2_stream, .ended = on_ended, .context = rig};
    assert_ok(h2_front_new(&rig->conn, rig->loop, &scratch, limits != NULL ? limits : &H2_LIMITS,
                           &owner, &rig->h2));
}

void rig_origin(struct rig *rig, const struct h2_limits *limits)
{
    rig_new(rig);
    struct http_scratch scratch = {rig->scratch, RIG_SCRATCH};
    struct h2_owner owner = {.ended = on_ended, .context = rig};
    assert_ok(h2_origin_new(&rig->conn, rig->loop, &scratch, limits != NULL ? limits : &H2_LIMITS,
                            &owner, &rig->h2));
}

void rig_free(struct rig *rig)
{
    for (size_t i = 0; i < rig->n_streams; i++) {
        http_conn_close(&rig->streams[i].conn);
        buf_fini(&rig->streams[i].text);
    }
    h2_free(rig->h2);
    http_conn_close(&rig->conn);
    assert_ok(loop_turn(rig->loop, 0));
    assert_ok(loop_turn(rig->loop, 0));
    loop_free(rig->loop);
    nghttp2_session_del(rig->peer);
    for (size_t i = 0; i < rig->n_answers; i++) {
        buf_fini(&rig->answers[i].fields);
        buf_fini(&rig->answers[i].body);
    }
    while (rig->bodies != NULL) {
        struct said *said = rig->bodies;
        rig->bodies = said->next;
        free(said->body);
        free(said->trailer);
        free(said);
    }
    buf_fini(&rig->said);
    if (rig->fd >= 0) {
        close(rig->fd);
    }
}

struct rig_stream *rig_open(struct rig *rig)
{
    struct rig_stream *stream = next_stream(rig);
    assert_ok(h2_stream_open(rig->h2, 0, &stream->conn, on_stream_io));
    return stream;
}

void rig_say(struct rig_stream *stream, struct str text)
{
    assert_ok(http_conn_write(&stream->conn, text, str_make(NULL, 0)));
}

/* --- nghttp2's end
 * ------------------------------------------------------------------------------------- */

struct rig_answer *rig_heard(struct rig *rig, int32_t id)
{
    for (size_t i = 0; i < rig->n_answers; i++) {
        if (rig->answers[i].id == id) {
            return &rig->answers[i];
        }
    }
    assert_true(rig->n_answers < RIG_STREAMS);
    struct rig_answer *answer = &rig->answers[rig->n_answers++];
    *answer = (struct rig_answer){.id = id};
    buf_init(&answer->fields, MUCH);
    buf_init(&answer->body, MUCH);
    return answer;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *context)
{
    (void)session;
    (void)flags;
    struct buf *to = &rig_heard(context, frame->hd.stream_id)->fields;
    buf_append(to, str_make((const char *)name, name_len));
    buf_append(to, STR(": "));
    buf_append(to, str_make((const char *)value, value_len));
    buf_append(to, STR("\n"));
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *context)
{
    (void)session;
    (void)flags;
    buf_append(&rig_heard(context, id)->body, str_make((const char *)bytes, len));
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    (void)session;
    struct rig *rig = context;
    bool carries = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (carries && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        rig_heard(rig, frame->hd.stream_id)->ended = true;
    }
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        rig->goaway = frame->goaway.error_code;
    }
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t code, void *context)
{
    (void)session;
    struct rig_answer *answer = rig_heard(context, id);
    answer->closed = true;
    answer->code = code;
    return 0;
}

void rig_peer(struct rig *rig)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    assert_int_equal(nghttp2_session_callbacks_new(&callbacks), 0);
    assert_int_equal(nghttp2_option_new(&option), 0);
    /* The peer says what it is told to, however wrong. */
    nghttp2_option_set_no_http_messaging(option, 1);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    if (h2_may_open(rig->h2)) {
        nghttp2_settings_entry entry = {NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1};
        assert_int_equal(nghttp2_session_server_new2(&rig->peer, callbacks, rig, option), 0);
        assert_int_equal(nghttp2_submit_settings(rig->peer, 0, &entry, 1), 0);
    } else {
        assert_int_equal(nghttp2_session_client_new2(&rig->peer, callbacks, rig, option), 0);
        assert_int_equal(nghttp2_submit_settings(rig->peer, 0, NULL, 0), 0);
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    rig_settle(rig);
}

static ssize_t give(nghttp2_session *session, int32_t id, uint8_t *to, size_t room, uint32_t *flags,
                    nghttp2_data_source *source, void *context)
{
    (void)context;
    struct said *said = source->ptr;
    size_t n = said->len - said->at;
    n = n < room ? n : room;
    memcpy(to, said->body + said->at, n);
    said->at += n;
    if (said->at == said->len) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (said->trailer != NULL) {
            nghttp2_nv nv = {(uint8_t *)(uintptr_t) "x-trailer", (uint8_t *)said->trailer, 9,
                             strlen(said->trailer), 0};
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            assert_int_equal(nghttp2_submit_trailer(session, id, &nv, 1), 0);
        }
    }
    return (ssize_t)n;
}

static size_t to_nv(const char *const *headers, nghttp2_nv nv[RIG_HEADERS])
{
    size_t n = 0;
    for (; headers[2 * n] != NULL; n++) {
        assert_true(n < RIG_HEADERS);
        nv[n] = (nghttp2_nv){(uint8_t *)(uintptr_t)headers[2 * n],
                             (uint8_t *)(uintptr_t)headers[2 * n + 1], strlen(headers[2 * n]),
                             strlen(headers[2 * n + 1]), 0};
    }
    return n;
}

static nghttp2_data_provider provider(struct rig *rig, const char *body, const char *trailer)
{
    struct said *said = calloc(1, sizeof(*said));
    assert_non_null(said);
    said->body = strdup(body);
    said->trailer = trailer != NULL ? strdup(trailer) : NULL;
    said->len = strlen(body);
    said->next = rig->bodies;
    rig->bodies = said;
    return (nghttp2_data_provider){.source.ptr = said, .read_callback = give};
}

int32_t rig_ask(struct rig *rig, const char *const *headers, const char *body, const char *trailer)
{
    nghttp2_nv nv[RIG_HEADERS];
    size_t n = to_nv(headers, nv);
    nghttp2_data_provider data = {0};
    if (body != NULL) {
        data = provider(rig, body, trailer);
    }
    int32_t id = nghttp2_submit_request(rig->peer, NULL, nv, n, body != NULL ? &data : NULL, NULL);
    assert_true(id > 0);
    return id;
}

void rig_answer(struct rig *rig, int32_t id, const char *const *headers, const char *body,
                const char *trailer)
{
    nghttp2_nv nv[RIG_HEADERS];
    size_t n = to_nv(headers, nv);
    nghttp2_data_provider data = {0};
    if (headers[1][0] == '1') {
        assert_int_equal(nghttp2_submit_headers(rig->peer, 0, id, NULL, nv, n, NULL), 0);
        return;
    }
    if (body != NULL) {
        data = provider(rig, body, trailer);
    }
    assert_int_equal(nghttp2_submit_response(rig->peer, id, nv, n, body != NULL ? &data : NULL), 0);
}

/* --- the wire
 * ------------------------------------------------------------------------------------------ */

void rig_turn(struct rig *rig)
{
    assert_ok(loop_turn(rig->loop, 0));
}

static bool peer_writes(struct rig *rig)
{
    const uint8_t *bytes = NULL;
    ssize_t n = 0;
    while (rig->peer != NULL && (n = nghttp2_session_mem_send(rig->peer, &bytes)) > 0) {
        buf_append(&rig->said, str_make((const char *)bytes, (size_t)n));
    }
    size_t len = rig->step != 0 && rig->said.len > rig->step ? rig->step : rig->said.len;
    if (len == 0 || rig->fd < 0) {
        return false;
    }
    ssize_t written = send(rig->fd, rig->said.p, len, MSG_NOSIGNAL);
    if (written > 0) {
        buf_consume(&rig->said, (size_t)written);
    }
    return written > 0;
}

static bool peer_reads(struct rig *rig)
{
    uint8_t bytes[16384];
    if (rig->peer == NULL || rig->deaf || rig->fd < 0) {
        return false;
    }
    ssize_t n = recv(rig->fd, bytes,
                     rig->step != 0 && rig->step < sizeof(bytes) ? rig->step : sizeof(bytes), 0);
    if (n > 0) {
        assert_int_equal(nghttp2_session_mem_recv(rig->peer, bytes, (size_t)n), n);
    }
    rig->closed |= n == 0 || (n < 0 && errno != EAGAIN);
    return n > 0;
}

void rig_settle(struct rig *rig)
{
    unsigned quiet = 0;
    for (unsigned i = 0; i < SETTLE_TURNS && quiet < QUIET_TURNS; i++) {
        rig_turn(rig);
        bool moved = peer_writes(rig);
        moved = peer_reads(rig) || moved;
        quiet = moved ? 0 : quiet + 1;
    }
}

void rig_bytes(struct rig *rig, struct str bytes)
{
    buf_append(&rig->said, bytes);
    assert_ok(buf_err(&rig->said));
}

void rig_frame(struct rig *rig, uint8_t type, uint8_t flags, int32_t id, struct str payload)
{
    char head[FRAME_HEAD] = {
        (char)(payload.len >> 16),
        (char)(payload.len >> 8),
        (char)payload.len,
        (char)type,
        (char)flags,
        (char)(id >> 24),
        (char)(id >> 16),
        (char)(id >> 8),
        (char)id,
    };
    rig_bytes(rig, str_make(head, sizeof(head)));
    rig_bytes(rig, payload);
}

/* A big-endian number. */
static uint32_t number(struct str s)
{
    uint32_t value = 0;
    for (size_t i = 0; i < s.len; i++) {
        value = value << 8 | (uint8_t)s.p[i];
    }
    return value;
}

int rig_verdict(struct rig *rig)
{
    struct buf heard;
    char bytes[16384];
    int verdict = -1;
    buf_init(&heard, MUCH);
    rig_settle(rig);
    ssize_t n = 0;
    while ((n = recv(rig->fd, bytes, sizeof(bytes), 0)) > 0) {
        buf_append(&heard, str_make(bytes, (size_t)n));
        rig_settle(rig);
    }
    for (struct str rest = buf_str(&heard); rest.len >= FRAME_HEAD && verdict < 0;) {
        size_t len = number(str_sub(rest, 0, 3));
        struct str payload = str_sub(rest, FRAME_HEAD, len);
        uint8_t type = (uint8_t)rest.p[3];
        if (type == NGHTTP2_RST_STREAM && number(payload) != 0) {
            verdict = (int)number(payload);
        } else if (type == NGHTTP2_GOAWAY && number(str_sub(payload, 4, 4)) != 0) {
            verdict = 256 + (int)number(str_sub(payload, 4, 4));
        }
        rest = str_skip(rest, FRAME_HEAD + len);
    }
    buf_fini(&heard);
    return verdict < 0 && rig->ended != 0 ? -2 : verdict;
}
