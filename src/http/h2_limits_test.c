/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What one peer can make us hold or do: floods of each kind of frame, header lists that unfold,
 * readers that do not read. */
#include "http/h2.h"

#include <malloc.h>

#include "lib/h2_rig.h"

#define GET                \
    "\x82\x87\x84\x01\x09" \
    "a.example"
#define POST               \
    "\x83\x87\x84\x01\x09" \
    "a.example"

enum {
    ALL = NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS,
    HEAD = NGHTTP2_FLAG_END_HEADERS,
    CALM = 256 + NGHTTP2_ENHANCE_YOUR_CALM,
    MANY = 20000,
    MIB = 1024 * 1024,
};

#ifdef LODGE_SANITIZED
/* A sanitizer's malloc does not say. */
static int64_t held(void)
{
    return 0;
}
#else
static int64_t held(void)
{
    struct mallinfo2 info = mallinfo2();
    return (int64_t)(info.uordblks + info.hblkhd);
}
#endif

static void begin(struct rig *rig, const struct h2_limits *limits)
{
    rig_front(rig, limits);
    rig_bytes(rig, STR(NGHTTP2_CLIENT_MAGIC));
    rig_frame(rig, NGHTTP2_SETTINGS, 0, 0, STR(""));
}

struct flood {
    const char *name;
    uint8_t type, flags;
    int32_t id;
    struct str payload;
};

static const struct flood floods[] = {
    {"PING", NGHTTP2_PING, 0, 0, STR_INIT("12345678")},
    {"PING that acknowledges", NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, STR_INIT("12345678")},
    {"SETTINGS", NGHTTP2_SETTINGS, 0, 0, STR_INIT("")},
    {"PRIORITY", NGHTTP2_PRIORITY, 0, 1, STR_INIT("\0\0\0\0\x10")},
    {"WINDOW_UPDATE", NGHTTP2_WINDOW_UPDATE, 0, 1, STR_INIT("\0\0\0\x01")},
    {"empty DATA", NGHTTP2_DATA, 0, 1, STR_INIT("")},
    {"DATA of padding", NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, 1, STR_INIT("\x04\0\0\0\0")},
};

TEST(a_flood_of_frames_that_move_nothing_ends_the_connection)
{
    for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++) {
        const struct flood *flood = &floods[i];
        struct rig rig;
        begin(&rig, NULL);
        rig_frame(&rig, NGHTTP2_HEADERS, HEAD, 1, STR(POST));
        for (unsigned k = 0; k < MANY; k++) {
            rig_frame(&rig, flood->type, flood->flags, flood->id, flood->payload);
        }
        int verdict = rig_verdict(&rig);
        if (verdict != CALM || rig.ended != 1) {
            fail_msg("%s: %d", flood->name, verdict);
        }
        rig_free(&rig);
    }
}

static const struct flood from_origin[] = {
    {"HEADERS of a stream that is over", NGHTTP2_HEADERS, HEAD, 1,
     STR_INIT("\x08\x03"
              "103")},
    {"GOAWAY", NGHTTP2_GOAWAY, 0, 0, STR_INIT("\x7f\xff\xff\xff\0\0\0\0")},
};

TEST(an_origin_that_talks_and_answers_nothing_is_left)
{
    for (size_t i = 0; i < sizeof(from_origin) / sizeof(from_origin[0]); i++) {
        const struct flood *flood = &from_origin[i];
        struct rig rig;
        rig_origin(&rig, NULL);
        rig_frame(&rig, NGHTTP2_SETTINGS, 0, 0, STR(""));
        for (unsigned k = 0; k < 2; k++) {
            rig_say(rig_open(&rig), STR("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        }
        rig_settle(&rig);
        http_conn_close(&rig.streams[0].conn); /* its client has left */
        rig_settle(&rig);
        for (unsigned k = 0; k < MANY; k++) {
            rig_frame(&rig, flood->type, flood->flags, flood->id, flood->payload);
        }
        int verdict = rig_verdict(&rig);
        /* A GOAWAY is not read by everyone who has more to say. */
        if ((verdict != CALM && verdict != -2) || rig.ended != 1) {
            fail_msg("%s: %d", flood->name, verdict);
        }
        rig_free(&rig);
    }
}

TEST(resets_beyond_the_limit_end_the_connection)
{
    struct rig rig;
    struct h2_limits limits = H2_LIMITS;
    limits.resets_burst = 50;
    limits.resets_rate = 0;
    begin(&rig, &limits);
    for (int32_t id = 1; id <= 199; id += 2) {
        rig_frame(&rig, NGHTTP2_HEADERS, ALL, id, STR(GET));
        rig_frame(&rig, NGHTTP2_RST_STREAM, 0, id, STR("\0\0\0\x08"));
    }
    assert_int_equal(rig_verdict(&rig), CALM);
    assert_int_equal(rig.n_streams, 51);
    for (size_t i = 0; i < rig.n_streams; i++) {
        assert_int_equal(rig.streams[i].last, HTTP_READ_BROKEN);
    }
    rig_free(&rig);
}

/* A peer that makes us reset its streams pays as if it had (CVE-2025-8671). */
TEST(resets_that_a_peer_provokes_count_as_its_own)
{
    static const struct str malformed[] = {
        STR_INIT("\x82\x87\x84"),       /* no authority: ours to see */
        STR_INIT(GET "\x00\x01X\x01y"), /* nghttp2's to see */
    };
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        struct h2_limits limits = H2_LIMITS;
        limits.resets_burst = 50;
        limits.resets_rate = 0;
        begin(&rig, &limits);
        for (int32_t id = 1; id <= 199; id += 2) {
            rig_frame(&rig, NGHTTP2_HEADERS, ALL, id, malformed[i]);
        }
        rig_settle(&rig);
        assert_int_equal(rig.ended, 1);
        assert_int_equal(rig.n_streams, 0);
        rig_free(&rig);
    }
}

TEST(continuations_without_end_end_the_connection)
{
    static const struct str parts[] = {STR_INIT(""), STR_INIT("\x00\x01x\x01y")};
    for (size_t i = 0; i < 2; i++) {
        struct rig rig;
        begin(&rig, NULL);
        rig_frame(&rig, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1, STR(GET));
        for (unsigned k = 0; k < 1000; k++) {
            rig_frame(&rig, NGHTTP2_CONTINUATION, 0, 1, parts[i]);
        }
        assert_int_equal(rig_verdict(&rig), CALM);
        assert_int_equal(rig.n_streams, 0);
        rig_free(&rig);
    }
}

/* A field of 4,000 bytes is put into HPACK's table, and named again and again by one byte. */
static void add_bomb(struct buf *block, size_t times)
{
    buf_append(block, STR(GET "\x40\x01x\x7f\xa1\x1e"));
    for (size_t i = 0; i < 4000; i++) {
        buf_append_byte(block, 'y');
    }
    for (size_t i = 0; i < times; i++) {
        buf_append_byte(block, (char)0xbe);
    }
}

TEST(a_header_list_that_unfolds_is_reset_and_a_monster_ends_the_connection)
{
    static const struct {
        size_t times;
        int verdict;
    } cases[] = {{10, -1}, {100, NGHTTP2_ENHANCE_YOUR_CALM}, {12000, CALM}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct rig rig;
        struct buf block;
        buf_init(&block, MIB);
        begin(&rig, NULL);
        rig_settle(&rig);
        int64_t before = held();
        add_bomb(&block, cases[i].times);
        rig_frame(&rig, NGHTTP2_HEADERS, ALL, 1, buf_str(&block));
        assert_int_equal(rig_verdict(&rig), cases[i].verdict);
        assert_int_equal(rig.n_streams, cases[i].verdict == -1);
        assert_true(held() < before + MIB);
        buf_fini(&block);
        rig_free(&rig);
    }
}

/* --- memory
 * -------------------------------------------------------------------------------------------- */

static const char *const UPLOAD[] = {":method",   "POST",  ":scheme", "https", ":authority",
                                     "a.example", ":path", "/",       NULL};

/* What h2.h promises: bodies that wait are bounded by the connection's window, whatever is sent,
 * and however many streams. */
TEST(bodies_that_nobody_reads_are_bounded_by_the_window)
{
    enum { STREAMS = 50 };
    struct rig rig;
    char *body = malloc(MIB + 1);
    assert_non_null(body);
    memset(body, 'x', MIB);
    body[MIB] = '\0';
    rig_front(&rig, NULL);
    rig_peer(&rig);
    for (unsigned i = 0; i < STREAMS; i++) {
        rig_ask(&rig, UPLOAD, "", NULL); /* warms what malloc keeps */
    }
    rig_settle(&rig);
    size_t opened = rig.n_streams;
    assert_int_equal(opened, STREAMS);
    for (size_t i = 0; i < opened; i++) {
        http_conn_close(&rig.streams[i].conn);
    }
    rig_settle(&rig);
    for (unsigned i = 0; i < STREAMS; i++) {
        rig_ask(&rig, UPLOAD, body, NULL);
    }
    /* Only what the end under test holds is counted: the peer's copies are made already. */
    int64_t before = held();
    rig.paused = true;
    rig_settle(&rig);
    assert_int_equal(rig.n_streams, 2 * STREAMS);
    int64_t most =
        2 * (int64_t)H2_LIMITS.connection_window + STREAMS * 8192 + (int64_t)rig.said.cap;
    if (held() > before + most) {
        fail_msg("holds %lld bytes more", (long long)(held() - before));
    }
    for (size_t k = opened; k < rig.n_streams; k++) {
        rig.streams[k].paused = false;
        rig.streams[k].conn.io.fn(&rig.streams[k].conn.io, EPOLLIN);
    }
    rig_settle(&rig);
    for (size_t k = opened; k < rig.n_streams; k++) {
        assert_int_equal(rig.streams[k].last, HTTP_READ_END);
        assert_true(rig.streams[k].text.len > MIB);
    }
    free(body);
    rig_free(&rig);
}

TEST(a_reader_that_does_not_read_takes_no_more_than_one_buffer)
{
    struct rig rig;
    struct str piece = {NULL, 65536};
    char *bytes = calloc(1, piece.len);
    assert_non_null(bytes);
    piece.p = bytes;
    rig_front(&rig, NULL);
    rig_peer(&rig);
    int32_t id = rig_ask(&rig, UPLOAD, NULL, NULL);
    rig_settle(&rig);
    rig.deaf = true;
    struct http_conn *conn = &rig.streams[0].conn;
    rig_say(&rig.streams[0], STR("HTTP/1.1 200 OK\r\nContent-Length: 6553600\r\n\r\n"));
    rig_settle(&rig);
    size_t taken = 0;
    while (!http_conn_pending(conn) && taken < 100 * piece.len) {
        assert_ok(http_conn_write(conn, piece, str_make(NULL, 0)));
        taken += piece.len;
        rig_settle(&rig);
    }
    /* the peer's first window, what waits for it, and what did not find room */
    assert_true(taken <= 65535 + 3 * 65536);
    rig.deaf = false;
    while (taken < 100 * piece.len) {
        rig_settle(&rig);
        assert_false(http_conn_pending(conn));
        assert_ok(http_conn_write(conn, piece, str_make(NULL, 0)));
        taken += piece.len;
    }
    rig_settle(&rig);
    assert_int_equal(rig_heard(&rig, id)->body.len, taken);
    assert_true(rig_heard(&rig, id)->ended);
    free(bytes);
    rig_free(&rig);
}

TEST(a_connection_and_a_stream_hold_what_is_stated)
{
    enum { STREAMS = 100, CONNECTION_BYTES = 65536, STREAM_BYTES = 4096 };
    struct rig rig;
    rig_front(&rig, NULL); /* libraries have allocated what they keep */
    rig_free(&rig);
    int64_t before = held();
    rig_front(&rig, NULL);
    rig_bytes(&rig, STR(NGHTTP2_CLIENT_MAGIC));
    rig_frame(&rig, NGHTTP2_SETTINGS, 0, 0, STR(""));
    rig_settle(&rig);
    int64_t connection = held() - before - (int64_t)rig.said.cap;
    for (int32_t i = 0; i < STREAMS; i++) {
        rig_frame(&rig, NGHTTP2_HEADERS, ALL, 2 * i + 1, STR(GET));
    }
    rig_settle(&rig);
    int64_t streams = 0;
    for (size_t i = 0; i < rig.n_streams; i++) {
        streams += (int64_t)rig.streams[i].text.cap; /* the test's own */
    }
    assert_int_equal(rig.n_streams, STREAMS);
    streams = held() - before - connection - (int64_t)rig.said.cap - streams;
    if (connection > CONNECTION_BYTES || streams > STREAMS * STREAM_BYTES) {
        fail_msg("a connection %lld, %d streams %lld", (long long)connection, (int)STREAMS,
                 (long long)streams);
    }
    rig_free(&rig);
}

TESTS_MAIN(unit(a_flood_of_frames_that_move_nothing_ends_the_connection),
           unit(an_origin_that_talks_and_answers_nothing_is_left),
           unit(resets_beyond_the_limit_end_the_connection),
           unit(resets_that_a_peer_provokes_count_as_its_own),
           unit(continuations_without_end_end_the_connection),
           unit(a_header_list_that_unfolds_is_reset_and_a_monster_ends_the_connection),
           unit(bodies_that_nobody_reads_are_bounded_by_the_window),
           unit(a_reader_that_does_not_read_takes_no_more_than_one_buffer),
           unit(a_connection_and_a_stream_hold_what_is_stated))
