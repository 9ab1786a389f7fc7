/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Frames as no client should send them (RFC 9113 sections 3 to 8, RFC 7541): what each must bring
 * back. The cases follow the sections, as h2spec's do. */
#include "http/h2.h"

#include "lib/h2_rig.h"

enum {
    DATA = NGHTTP2_DATA,
    HEADERS = NGHTTP2_HEADERS,
    PRIORITY = NGHTTP2_PRIORITY,
    RST = NGHTTP2_RST_STREAM,
    SETTINGS = NGHTTP2_SETTINGS,
    PUSH = NGHTTP2_PUSH_PROMISE,
    PING = NGHTTP2_PING,
    GOAWAY = NGHTTP2_GOAWAY,
    WINDOW = NGHTTP2_WINDOW_UPDATE,
    CONT = NGHTTP2_CONTINUATION,
    ANSWER = 0xfe, /* no frame: what was asked is answered with an empty 200 */
    LONG = 0xfd,   /* no frame: a payload of this type (flags) with 16385 bytes */
    FRAMES_MAX = 6,
    WANTED_MAX = 3,
};

enum {
    END = NGHTTP2_FLAG_END_STREAM,
    ACK = NGHTTP2_FLAG_ACK,
    HEAD = NGHTTP2_FLAG_END_HEADERS,
    PAD = NGHTTP2_FLAG_PADDED,
    PRIO = NGHTTP2_FLAG_PRIORITY,
    ALL = END | HEAD,
};

/* What rig_verdict says. */
#define ALIVE (-1)
#define GONE (-2)
#define STREAM(code) NGHTTP2_##code
#define CONNECTION(code) (256 + NGHTTP2_##code)

struct frame {
    uint8_t type, flags;
    int32_t id;
    struct str payload;
};

struct row {
    const char *name; /* NULL: the end of the table */
    struct frame frames[FRAMES_MAX];
    int wanted[WANTED_MAX]; /* any of them; 0: no more */
};

#define P(literal) STR_INIT(literal)
/* :method, :scheme https, :path /, :authority a.example */
#define AUTHORITY \
    "\x01\x09"    \
    "a.example"
#define GET "\x82\x87\x84" AUTHORITY
#define POST "\x83\x87\x84" AUTHORITY
#define NONE        \
    {               \
        0, 0, 0,    \
        {           \
            NULL, 0 \
        }           \
    }

static const struct row rows[] = {
    {"4.1 a frame of an unknown type is ignored", {{0x16, 0, 0, P("12345678")}}, {ALIVE}},
    {"4.1 flags without a meaning are ignored", {{PING, 0x16, 0, P("12345678")}}, {ALIVE}},
    {"4.1 the reserved bit is ignored", {{PING, 0, INT32_MIN, P("12345678")}}, {ALIVE}},
    {"4.2 DATA longer than a frame may be",
     {{HEADERS, HEAD, 1, P(POST)}, {LONG, DATA, 1, P("")}},
     {CONNECTION(FRAME_SIZE_ERROR), STREAM(FRAME_SIZE_ERROR)}},
    {"4.2 HEADERS longer than a frame may be",
     {{LONG, HEADERS, 1, P("")}},
     {CONNECTION(FRAME_SIZE_ERROR)}},
    {"4.3 a header block that is none",
     {{HEADERS, ALL, 1, P("\x82\x40")}},
     {CONNECTION(COMPRESSION_ERROR)}},
    {"4.3 PRIORITY between the parts of a header block",
     {{HEADERS, END, 1, P(GET)}, {PRIORITY, 0, 1, P("\0\0\0\0\x10")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"4.3 HEADERS of another stream between the parts of a header block",
     {{HEADERS, END, 1, P(GET)}, {HEADERS, ALL, 3, P(GET)}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"5.1 DATA on an idle stream", {{DATA, END, 1, P("x")}}, {CONNECTION(PROTOCOL_ERROR)}},
    {"5.1 RST_STREAM on an idle stream",
     {{RST, 0, 1, P("\0\0\0\x08")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"5.1 WINDOW_UPDATE on an idle stream",
     {{WINDOW, 0, 1, P("\0\0\0\x64")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"5.1 CONTINUATION on an idle stream", {{CONT, HEAD, 1, P(GET)}}, {CONNECTION(PROTOCOL_ERROR)}},
    {"5.1 DATA on a half closed stream",
     {{HEADERS, ALL, 1, P(GET)}, {DATA, END, 1, P("x")}},
     {STREAM(STREAM_CLOSED), CONNECTION(STREAM_CLOSED)}},
    {"5.1 HEADERS on a half closed stream",
     {{HEADERS, ALL, 1, P(GET)}, {HEADERS, ALL, 1, P(GET)}},
     {STREAM(STREAM_CLOSED), CONNECTION(STREAM_CLOSED)}},
    {"5.1 CONTINUATION on a half closed stream",
     {{HEADERS, ALL, 1, P(GET)}, {CONT, HEAD, 1, P(GET)}},
     {CONNECTION(STREAM_CLOSED), CONNECTION(PROTOCOL_ERROR)}},
    /* Where ALIVE will do: nghttp2 forgets a closed stream, and drops what comes for it. */
    {"5.1 DATA behind RST_STREAM",
     {{HEADERS, HEAD, 1, P(POST)}, {RST, 0, 1, P("\0\0\0\x08")}, {DATA, END, 1, P("x")}},
     {STREAM(STREAM_CLOSED), CONNECTION(STREAM_CLOSED), ALIVE}},
    {"5.1 HEADERS behind RST_STREAM",
     {{HEADERS, HEAD, 1, P(POST)}, {RST, 0, 1, P("\0\0\0\x08")}, {HEADERS, ALL, 1, P(GET)}},
     {STREAM(STREAM_CLOSED), CONNECTION(STREAM_CLOSED), ALIVE}},
    {"5.1 DATA on a closed stream",
     {{HEADERS, ALL, 1, P(GET)}, {ANSWER, 0, 0, P("")}, {DATA, END, 1, P("x")}},
     {STREAM(STREAM_CLOSED), CONNECTION(STREAM_CLOSED), ALIVE}},
    {"5.1 HEADERS on a closed stream",
     {{HEADERS, ALL, 1, P(GET)}, {ANSWER, 0, 0, P("")}, {HEADERS, ALL, 1, P(GET)}},
     {CONNECTION(STREAM_CLOSED), CONNECTION(PROTOCOL_ERROR), ALIVE}},
    {"5.1 PRIORITY and WINDOW_UPDATE on a closed stream",
     {{HEADERS, ALL, 1, P(GET)},
      {ANSWER, 0, 0, P("")},
      {PRIORITY, 0, 1, P("\0\0\0\0\x10")},
      {WINDOW, 0, 1, P("\0\0\0\x64")}},
     {ALIVE}},
    {"5.1.1 an even stream", {{HEADERS, ALL, 2, P(GET)}}, {CONNECTION(PROTOCOL_ERROR)}},
    {"5.1.1 a stream below one that was",
     {{HEADERS, ALL, 5, P(GET)}, {HEADERS, ALL, 3, P(GET)}},
     {CONNECTION(PROTOCOL_ERROR), CONNECTION(STREAM_CLOSED), ALIVE}},
    {"5.4.1 GOAWAY ends nothing that is open",
     {{HEADERS, ALL, 1, P(GET)}, {GOAWAY, 0, 0, P("\0\0\0\0\0\0\0\0")}},
     {ALIVE}},
    {"5.5 an unknown frame between the parts of a header block",
     {{HEADERS, END, 1, P(GET)}, {0x16, 0, 0, P("x")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.1 DATA on stream 0", {{DATA, END, 0, P("x")}}, {CONNECTION(PROTOCOL_ERROR)}},
    {"6.1 more padding than frame",
     {{HEADERS, HEAD, 1, P(POST)}, {DATA, END | PAD, 1, P("\x06test")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.2 HEADERS on stream 0", {{HEADERS, ALL, 0, P(GET)}}, {CONNECTION(PROTOCOL_ERROR)}},
    {"6.2 more padding than frame",
     {{HEADERS, ALL | PAD, 1, P("\xff" GET)}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.3 PRIORITY on stream 0",
     {{PRIORITY, 0, 0, P("\0\0\0\0\x10")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.3 PRIORITY of another length",
     {{HEADERS, HEAD, 1, P(POST)}, {PRIORITY, 0, 1, P("\0\0\0\x10")}},
     {STREAM(FRAME_SIZE_ERROR), CONNECTION(FRAME_SIZE_ERROR)}},
    {"6.4 RST_STREAM on stream 0", {{RST, 0, 0, P("\0\0\0\x08")}}, {CONNECTION(PROTOCOL_ERROR)}},
    {"6.4 RST_STREAM of another length",
     {{HEADERS, HEAD, 1, P(POST)}, {RST, 0, 1, P("\0\0\x08")}},
     {CONNECTION(FRAME_SIZE_ERROR)}},
    {"6.5 SETTINGS that acknowledge with a payload",
     {{SETTINGS, ACK, 0, P("\0\x03\0\0\0\x64")}},
     {CONNECTION(FRAME_SIZE_ERROR)}},
    {"6.5 SETTINGS of a stream",
     {{SETTINGS, 0, 1, P("\0\x03\0\0\0\x64")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.5 SETTINGS of another length",
     {{SETTINGS, 0, 0, P("\0\x03\0\0\0")}},
     {CONNECTION(FRAME_SIZE_ERROR)}},
    {"6.5.2 ENABLE_PUSH that is neither yes nor no",
     {{SETTINGS, 0, 0, P("\0\x02\0\0\0\x02")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.5.2 INITIAL_WINDOW_SIZE over the most",
     {{SETTINGS, 0, 0, P("\0\x04\x80\0\0\0")}},
     {CONNECTION(FLOW_CONTROL_ERROR)}},
    {"6.5.2 MAX_FRAME_SIZE under the least",
     {{SETTINGS, 0, 0, P("\0\x05\0\0\x3f\xff")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.5.2 MAX_FRAME_SIZE over the most",
     {{SETTINGS, 0, 0, P("\0\x05\x01\0\0\0")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.5.2 an unknown setting", {{SETTINGS, 0, 0, P("\x00\xff\0\0\0\x01")}}, {ALIVE}},
    {"6.7 PING that acknowledges", {{PING, ACK, 0, P("12345678")}}, {ALIVE}},
    {"6.7 PING of a stream", {{PING, 0, 1, P("12345678")}}, {CONNECTION(PROTOCOL_ERROR)}},
    {"6.7 PING of another length", {{PING, 0, 0, P("123456")}}, {CONNECTION(FRAME_SIZE_ERROR)}},
    {"6.8 GOAWAY of a stream",
     {{GOAWAY, 0, 1, P("\0\0\0\0\0\0\0\0")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.9 WINDOW_UPDATE by nothing", {{WINDOW, 0, 0, P("\0\0\0\0")}}, {CONNECTION(PROTOCOL_ERROR)}},
    {"6.9 WINDOW_UPDATE of a stream by nothing",
     {{HEADERS, HEAD, 1, P(POST)}, {WINDOW, 0, 1, P("\0\0\0\0")}},
     {STREAM(PROTOCOL_ERROR), CONNECTION(PROTOCOL_ERROR)}},
    {"6.9 WINDOW_UPDATE of another length",
     {{WINDOW, 0, 0, P("\0\0\x01")}},
     {CONNECTION(FRAME_SIZE_ERROR)}},
    {"6.9.1 the connection's window over the most",
     {{WINDOW, 0, 0, P("\x7f\xff\xff\xff")}, {WINDOW, 0, 0, P("\x7f\xff\xff\xff")}},
     {CONNECTION(FLOW_CONTROL_ERROR)}},
    {"6.9.1 a stream's window over the most",
     {{HEADERS, HEAD, 1, P(POST)},
      {WINDOW, 0, 1, P("\x7f\xff\xff\xff")},
      {WINDOW, 0, 1, P("\x7f\xff\xff\xff")}},
     {STREAM(FLOW_CONTROL_ERROR), CONNECTION(FLOW_CONTROL_ERROR)}},
    {"6.10 a header block in three parts",
     {{HEADERS, END, 1, P("\x82\x87")}, {CONT, 0, 1, P("\x84")}, {CONT, HEAD, 1, P(AUTHORITY)}},
     {ALIVE}},
    {"6.10 DATA between the parts of a header block",
     {{HEADERS, 0, 1, P(POST)}, {DATA, END, 1, P("x")}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.10 CONTINUATION on stream 0",
     {{HEADERS, END, 1, P("\x82\x87")}, {CONT, HEAD, 0, P("\x84" AUTHORITY)}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.10 CONTINUATION behind a whole header block",
     {{HEADERS, HEAD, 1, P(POST)}, {CONT, HEAD, 1, P(GET)}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"6.10 CONTINUATION behind DATA",
     {{HEADERS, HEAD, 1, P(POST)}, {DATA, 0, 1, P("x")}, {CONT, HEAD, 1, P(GET)}},
     {CONNECTION(PROTOCOL_ERROR)}},
    {"7 RST_STREAM with an unknown code",
     {{HEADERS, HEAD, 1, P(POST)}, {RST, 0, 1, P("\0\0\0\xff")}},
     {ALIVE}},
    {"8.1 a second head that ends nothing",
     {{HEADERS, HEAD, 1, P(POST)},
      {HEADERS, HEAD, 1,
       P("\x00\x01"
         "a"
         "\x01"
         "b")}},
     {STREAM(PROTOCOL_ERROR), CONNECTION(PROTOCOL_ERROR)}},
    {"8.1 trailers with a pseudo-header",
     {{HEADERS, HEAD, 1, P(POST)}, {HEADERS, ALL, 1, P("\x82")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.2 a name in capitals",
     {{HEADERS, ALL, 1,
       P(GET "\x00\x01"
             "X"
             "\x01"
             "b")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.2.1 a line end in a value",
     {{HEADERS, ALL, 1,
       P(GET "\x00\x01"
             "x"
             "\x04"
             "a\r\nb")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.2.1 a NUL in a value",
     {{HEADERS, ALL, 1,
       P(GET "\x00\x01"
             "x"
             "\x03"
             "a\0b")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.2.1 a space in a name",
     {{HEADERS, ALL, 1,
       P(GET "\x00\x03"
             "x y"
             "\x01"
             "a")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.2.2 a field of the connection",
     {{HEADERS, ALL, 1,
       P(GET "\x00\x0a"
             "connection"
             "\x05"
             "close")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.2.2 TE that says more than trailers",
     {{HEADERS, ALL, 1,
       P(GET "\x00\x02"
             "te"
             "\x04"
             "gzip")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.3 an unknown pseudo-header",
     {{HEADERS, ALL, 1,
       P(GET "\x00\x05"
             ":test"
             "\x01"
             "a")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.3 a pseudo-header of answers",
     {{HEADERS, ALL, 1, P(GET "\x88")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.3 a pseudo-header behind a field",
     {{HEADERS, ALL, 1,
       P("\x82\x87\x00\x01"
         "x"
         "\x01"
         "a"
         "\x84" AUTHORITY)}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.3.1 an empty path",
     {{HEADERS, ALL, 1, P("\x82\x87\x04\x00" AUTHORITY)}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.3.1 no method", {{HEADERS, ALL, 1, P("\x87\x84" AUTHORITY)}}, {STREAM(PROTOCOL_ERROR)}},
    {"8.3.1 no scheme", {{HEADERS, ALL, 1, P("\x82\x84" AUTHORITY)}}, {STREAM(PROTOCOL_ERROR)}},
    {"8.3.1 no path", {{HEADERS, ALL, 1, P("\x82\x87" AUTHORITY)}}, {STREAM(PROTOCOL_ERROR)}},
    {"8.3.1 no authority", {{HEADERS, ALL, 1, P("\x82\x87\x84")}}, {STREAM(PROTOCOL_ERROR)}},
    {"8.3.1 a method twice", {{HEADERS, ALL, 1, P("\x82" GET)}}, {STREAM(PROTOCOL_ERROR)}},
    {"8.3.1 another scheme",
     {{HEADERS, ALL, 1, P("\x82\x86\x84" AUTHORITY)}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.5 CONNECT",
     {{HEADERS, HEAD, 1,
       P("\x02\x07"
         "CONNECT" AUTHORITY)}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.1.1 less data than content-length",
     {{HEADERS, HEAD, 1,
       P(POST "\x0f\x0d\x01"
              "4")},
      {DATA, END, 1, P("abc")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.1.1 more data than content-length",
     {{HEADERS, HEAD, 1,
       P(POST "\x0f\x0d\x01"
              "1")},
      {DATA, 0, 1, P("a")},
      {DATA, END, 1, P("GE")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.1.1 content-length and no data",
     {{HEADERS, ALL, 1,
       P(POST "\x0f\x0d\x01"
              "1")}},
     {STREAM(PROTOCOL_ERROR)}},
    {"8.4 PUSH_PROMISE", {{PUSH, HEAD, 1, P("\0\0\0\x02" GET)}}, {CONNECTION(PROTOCOL_ERROR)}},
    {"hpack 6.1 index 0", {{HEADERS, ALL, 1, P("\x80")}}, {CONNECTION(COMPRESSION_ERROR)}},
    {"hpack 2.3.3 an index that is none",
     {{HEADERS, ALL, 1, P(GET "\xc6")}},
     {CONNECTION(COMPRESSION_ERROR)}},
    {"hpack 4.2 a table size at the end",
     {{HEADERS, ALL, 1, P(GET "\x20")}},
     {CONNECTION(COMPRESSION_ERROR)}},
    {"hpack 5.2 padding of eight bits",
     {{HEADERS, ALL, 1, P(GET "\x00\x01x\x82\x1f\xff")}},
     {CONNECTION(COMPRESSION_ERROR)}},
    {"hpack 5.2 padding of zeros",
     {{HEADERS, ALL, 1, P(GET "\x00\x01x\x81\x18")}},
     {CONNECTION(COMPRESSION_ERROR)}},
    {"hpack 6.3 a table larger than was said",
     {{HEADERS, ALL, 1, P("\x3f\xe2\x1f" GET)}},
     {CONNECTION(COMPRESSION_ERROR)}},
    {NULL, {NONE}, {0}},
};

static void answer_all(struct rig *rig)
{
    rig_settle(rig);
    for (size_t i = 0; i < rig->n_streams; i++) {
        rig_say(&rig->streams[i], STR("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        http_conn_close(&rig->streams[i].conn);
    }
    rig_settle(rig);
}

static void begin(struct rig *rig)
{
    rig_front(rig, NULL);
    rig_bytes(rig, STR(NGHTTP2_CLIENT_MAGIC));
    rig_frame(rig, SETTINGS, 0, 0, STR(""));
}

static void send_row(struct rig *rig, const struct row *row)
{
    static const char zeros[16385];
    for (size_t i = 0; i < FRAMES_MAX; i++) {
        const struct frame *frame = &row->frames[i];
        if (frame->type == ANSWER) {
            answer_all(rig);
        } else if (frame->type == LONG) {
            rig_frame(rig, frame->flags, HEAD, frame->id, str_make(zeros, sizeof(zeros)));
        } else if (frame->payload.p != NULL) {
            rig_frame(rig, frame->type, frame->flags, frame->id, frame->payload);
        }
    }
}

static void run_row(const struct row *row, size_t step)
{
    struct rig rig;
    begin(&rig);
    rig.step = step;
    send_row(&rig, row);
    int verdict = rig_verdict(&rig);
    bool fine = false;
    for (size_t i = 0; i < WANTED_MAX && row->wanted[i] != 0; i++) {
        fine |= verdict == row->wanted[i];
    }
    if (!fine) {
        fail_msg("%s: %d, by %zu", row->name, verdict, step);
    }
    if ((verdict >= 256) != (rig.ended == 1)) {
        fail_msg("%s: ended %u times after %d", row->name, rig.ended, verdict);
    }
    if (rig.n_streams > 1) {
        fail_msg("%s: more than one stream was opened", row->name);
    }
    rig_free(&rig);
}

TEST(each_frame_that_breaks_a_rule_is_answered_as_the_rule_says)
{
    for (const struct row *row = rows; row->name != NULL; row++) {
        run_row(row, 0);
        run_row(row, 1);
    }
}

TEST(who_speaks_another_protocol_is_left)
{
    static const struct str openings[] = {
        STR_INIT("INVALID CONNECTION PREFACE\r\n\r\n"),
        STR_INIT("GET / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
        STR_INIT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 and so on and on"),
    };
    for (size_t i = 0; i < sizeof(openings) / sizeof(openings[0]); i++) {
        struct rig rig;
        rig_front(&rig, NULL);
        rig_bytes(&rig, openings[i]);
        assert_int_equal(rig_verdict(&rig), CONNECTION(PROTOCOL_ERROR));
        assert_int_equal(rig.ended, 1);
        assert_int_equal(rig.n_streams, 0);
        rig_free(&rig);
    }
}

TEST(settings_come_first)
{
    struct rig rig;
    rig_front(&rig, NULL);
    rig_bytes(&rig, STR(NGHTTP2_CLIENT_MAGIC));
    rig_frame(&rig, PING, 0, 0, STR("12345678"));
    assert_int_equal(rig_verdict(&rig), CONNECTION(PROTOCOL_ERROR));
    rig_free(&rig);
}

TEST(nothing_of_a_malformed_request_reaches_anyone)
{
    for (const struct row *row = rows; row->name != NULL; row++) {
        struct rig rig;
        if (row->name[0] != '8' || row->frames[1].payload.p != NULL) {
            continue;
        }
        begin(&rig);
        send_row(&rig, row);
        rig_settle(&rig);
        if (rig.n_streams != 0) {
            fail_msg("%s: a stream was opened", row->name);
        }
        rig_free(&rig);
    }
}

TEST(more_streams_than_may_be_are_refused)
{
    struct rig rig;
    struct h2_limits limits = H2_LIMITS;
    limits.streams = 3;
    rig_front(&rig, &limits);
    rig_bytes(&rig, STR(NGHTTP2_CLIENT_MAGIC));
    rig_frame(&rig, SETTINGS, 0, 0, STR(""));
    rig_settle(&rig);
    for (int32_t id = 1; id < 9; id += 2) {
        rig_frame(&rig, HEADERS, ALL, id, STR(GET));
    }
    int verdict = rig_verdict(&rig);
    assert_true(verdict == NGHTTP2_REFUSED_STREAM || verdict == CONNECTION(PROTOCOL_ERROR));
    assert_int_equal(rig.n_streams, 3);
    rig_free(&rig);
}

TESTS_MAIN(unit(each_frame_that_breaks_a_rule_is_answered_as_the_rule_says),
           unit(who_speaks_another_protocol_is_left), unit(settings_come_first),
           unit(nothing_of_a_malformed_request_reaches_anyone),
           unit(more_streams_than_may_be_are_refused))
