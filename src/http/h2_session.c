/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What nghttp2 tells of frames, and how much of them a peer may ask for.
 *
 * nghttp2 itself refuses too many CONTINUATION frames, too many settings in one frame, and answers
 * that pile up unsent. Here are counted resets (and what would make us reset), and frames that move
 * nothing: PING, SETTINGS, PRIORITY, WINDOW_UPDATE, GOAWAY, empty DATA, an origin's HEADERS of a
 * stream that is over. Each frame that moves something earns a few of those, as much as any honest
 * peer sends beside it. Frames of unknown types nghttp2 skips without a word: they cost what their
 * bytes cost.
 */
#include "http/h2_impl.h"

enum {
    THOUSAND = 1000,
    EARNED_BY_DATA = 4,    /* a WINDOW_UPDATE for stream and connection, a PING */
    EARNED_BY_REQUEST = 8, /* and its priority */
    MAX_SETTINGS = 32,     /* entries of one frame */
    MAX_OUTBOUND_ACK = 256,
    TABLE_BYTES = 4096, /* HPACK's dynamic table, each way */
    FRAME_TYPES_KNOWN = NGHTTP2_CONTINUATION + 1,
    FRAME_HEAD_BYTES = 9,
    LISTS_READ_MAX = 16, /* of a header list that is too long: what is read beyond its limit */
};

/* --- limits
 * -------------------------------------------------------------------------------------------- */

void h2_bucket_init(struct h2_bucket *bucket, uint32_t burst, uint32_t rate, int64_t now_ms)
{
    *bucket = (struct h2_bucket){
        .left = (int64_t)burst * THOUSAND,
        .burst = (int64_t)burst * THOUSAND,
        .rate = rate,
        .at_ms = now_ms,
    };
}

static void add(struct h2_bucket *bucket, int64_t thousandths)
{
    int64_t room = bucket->burst - bucket->left;
    bucket->left += thousandths < room ? thousandths : room;
}

bool h2_bucket_take(struct h2_bucket *bucket, int64_t now_ms)
{
    int64_t passed = now_ms - bucket->at_ms;
    bucket->at_ms = now_ms;
    add(bucket, passed > THOUSAND * THOUSAND ? bucket->burst : passed * bucket->rate);
    if (bucket->left < THOUSAND) {
        return false;
    }
    bucket->left -= THOUSAND;
    return true;
}

void h2_bucket_credit(struct h2_bucket *bucket, uint32_t n)
{
    add(bucket, (int64_t)n * THOUSAND);
}

/* For a callback of nghttp2 to return: the session ends, by GOAWAY with this code. */
static int fail(struct h2 *h2, uint32_t code)
{
    h2->code = code;
    return NGHTTP2_ERR_CALLBACK_FAILURE;
}

/* One more of what is bounded. */
static int count(struct h2 *h2, struct h2_bucket *bucket)
{
    bool fine = h2_bucket_take(bucket, loop_mono_ms(h2->loop));
    return fine ? 0 : fail(h2, NGHTTP2_ENHANCE_YOUR_CALM);
}

/* Whether a frame of this type does nothing for a request, whatever is in it. */
static bool is_idle(struct h2 *h2, const nghttp2_frame_hd *hd)
{
    static const bool idle[FRAME_TYPES_KNOWN] = {
        [NGHTTP2_PRIORITY] = true,      [NGHTTP2_SETTINGS] = true, [NGHTTP2_PING] = true,
        [NGHTTP2_WINDOW_UPDATE] = true, [NGHTTP2_GOAWAY] = true,
    };
    if (hd->type == NGHTTP2_HEADERS) {
        /* An origin opens no stream: this is for one that is over, and HPACK has to be undone. */
        return !h2->server && h2_stream_find(h2, hd->stream_id) == NULL;
    }
    return hd->type < FRAME_TYPES_KNOWN && idle[hd->type];
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *hd, void *context)
{
    (void)session;
    struct h2 *h2 = context;
    /* nghttp2 reads no PRIORITY any more (RFC 9113 section 5.3), and so not where it stands. */
    if (hd->type == NGHTTP2_PRIORITY && hd->stream_id == 0) {
        return fail(h2, NGHTTP2_PROTOCOL_ERROR);
    }
    if (hd->type == NGHTTP2_RST_STREAM) {
        return count(h2, &h2->resets);
    }
    return is_idle(h2, hd) ? count(h2, &h2->frames) : 0;
}

/* --- heads
 * --------------------------------------------------------------------------------------------- */

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct h2 *h2 = context;
    buf_clear(&h2->fields);
    h2->list_bytes = 0;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    struct h2_stream *stream = h2_stream_new(h2, frame->hd.stream_id);
    if (stream == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                     void *context)
{
    (void)session;
    (void)frame;
    (void)flags;
    struct h2 *h2 = context;
    /* A list that is too long is read on, so that HPACK's tables agree, but not kept; much too long
     * a one is no mistake. */
    h2->list_bytes += name_len + value_len + H2_FIELD_COST;
    if (h2->list_bytes / LISTS_READ_MAX > h2->limits.header_list_bytes) {
        return fail(h2, NGHTTP2_ENHANCE_YOUR_CALM);
    }
    if (h2->list_bytes <= h2->limits.header_list_bytes) {
        h2_fields_add(&h2->fields, str_make((const char *)name, name_len),
                      str_make((const char *)value, value_len));
    }
    return 0;
}

/* Else nghttp2 would leave the field out, and go on. */
static int on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_len, const uint8_t *value,
                             size_t value_len, uint8_t flags, void *context)
{
    (void)session;
    (void)frame;
    (void)name;
    (void)name_len;
    (void)value;
    (void)value_len;
    (void)flags;
    (void)context;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* The peer made us reset a stream, which costs as much as its own reset. */
static int refuse(struct h2 *h2, struct h2_stream *stream, uint32_t code)
{
    h2_stream_reset(stream, code);
    return count(h2, &h2->resets);
}

static int on_head(struct h2 *h2, struct h2_stream *stream, bool ended)
{
    bool fresh = h2->server && !stream->opened;
    if (h2->list_bytes > h2->limits.header_list_bytes) {
        return refuse(h2, stream, NGHTTP2_ENHANCE_YOUR_CALM);
    }
    enum err err = buf_err(&h2->fields);
    err = err == ERR_OK ? h2_in_head(stream, ended) : err;
    if (err != ERR_OK) {
        bool malformed = err == ERR_INVALID;
        return refuse(h2, stream, malformed ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_INTERNAL_ERROR);
    }
    h2_bucket_credit(&h2->frames, EARNED_BY_REQUEST);
    if (fresh) {
        stream->asked = true;
        h2->owner.stream(h2, stream->id, h2->owner.context);
        if (!stream->opened) {
            h2_stream_reset(stream, NGHTTP2_REFUSED_STREAM);
        }
    }
    return 0;
}

/* --- data, and the rest
 * --------------------------------------------------------------------------------- */

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                   size_t len, void *context)
{
    (void)flags;
    struct h2 *h2 = context;
    struct h2_stream *stream = h2_stream_find(h2, id);
    if (stream == NULL || stream->conn == NULL || stream->broken) {
        return nghttp2_session_consume(session, id, len);
    }
    h2_bucket_credit(&h2->frames, 1);
    enum err err = h2_in_data(stream, str_make((const char *)bytes, len));
    if (err != ERR_OK) {
        (void)nghttp2_session_consume(session, id, len);
        bool malformed = err == ERR_INVALID;
        return refuse(h2, stream, malformed ? NGHTTP2_PROTOCOL_ERROR : NGHTTP2_INTERNAL_ERROR);
    }
    /* Streams to an origin are those of many clients: who does not read fills the stream's window,
     * and never the connection's, for which the others would have to wait. */
    return h2->server ? 0 : nghttp2_session_consume_connection(session, len);
}

static int on_data_frame(struct h2 *h2, const nghttp2_frame *frame, struct h2_stream *stream)
{
    bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (!ended) {
        bool empty = frame->hd.length <= frame->data.padlen;
        return empty ? count(h2, &h2->frames) : 0;
    }
    if (stream != NULL && !stream->broken && h2_in_end(stream) != ERR_OK) {
        return refuse(h2, stream, NGHTTP2_PROTOCOL_ERROR);
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    (void)session;
    struct h2 *h2 = context;
    bool ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    struct h2_stream *stream = h2_stream_find(h2, frame->hd.stream_id);
    if (frame->hd.type == NGHTTP2_DATA) {
        return on_data_frame(h2, frame, stream);
    }
    if (frame->hd.type == NGHTTP2_HEADERS && stream != NULL && !stream->broken) {
        return on_head(h2, stream, ended);
    }
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int code,
                            void *context)
{
    (void)session;
    (void)frame;
    (void)code;
    struct h2 *h2 = context;
    return count(h2, &h2->resets);
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *context)
{
    (void)session;
    struct h2_stream *stream = h2_stream_find(context, id);
    if (stream != NULL) {
        h2_stream_gone(stream, code);
    }
    return 0;
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    (void)session;
    struct h2 *h2 = context;
    bool carries = frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS;
    if (!carries) {
        return 0;
    }
    h2_bucket_credit(&h2->frames, EARNED_BY_DATA);
    struct h2_stream *stream = h2_stream_find(h2, frame->hd.stream_id);
    if (stream != NULL && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        h2_stream_sent(stream);
    }
    return 0;
}

/* A request that could not be sent, since the peer takes no more: nghttp2 never had a stream. */
static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int code,
                       void *context)
{
    (void)session;
    (void)code;
    struct h2 *h2 = context;
    if (h2->server || frame->hd.type != NGHTTP2_HEADERS ||
        h2_stream_find(h2, frame->hd.stream_id) != NULL) {
        return 0;
    }
    for (struct h2_stream *stream = h2->streams; stream != NULL; stream = stream->next) {
        if (stream->id == frame->hd.stream_id) {
            h2_stream_gone(stream, NGHTTP2_REFUSED_STREAM);
            break;
        }
    }
    return 0;
}

/* --- birth
 * ---------------------------------------------------------------------------------------------- */

static void set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
}

static void set_options(nghttp2_option *option, const struct h2_limits *limits)
{
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    /* nghttp2 counts each read of a part of a CONTINUATION's head, too. */
    nghttp2_option_set_max_continuations(option, limits->continuations * FRAME_HEAD_BYTES);
    nghttp2_option_set_max_settings(option, MAX_SETTINGS);
    nghttp2_option_set_max_outbound_ack(option, MAX_OUTBOUND_ACK);
    nghttp2_option_set_max_reserved_remote_streams(option, 0);
    nghttp2_option_set_max_deflate_dynamic_table_size(option, TABLE_BYTES);
    nghttp2_option_set_max_send_header_block_length(option, 2 * H2_TEXT_MAX);
    /* Ours stands first, and says ENHANCE_YOUR_CALM. */
    nghttp2_option_set_stream_reset_rate_limit(option, 2 * (uint64_t)limits->resets_burst + 1,
                                               2 * (uint64_t)limits->resets_rate + 1);
}

static enum err greet(struct h2 *h2)
{
    const struct h2_limits *limits = &h2->limits;
    nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, h2->server ? limits->streams : 0},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits->stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits->header_list_bytes},
        {NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, TABLE_BYTES},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        {h2->server ? NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL : NGHTTP2_SETTINGS_ENABLE_PUSH,
         h2->server},
    };
    bool fine = nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, entries,
                                        sizeof(entries) / sizeof(entries[0])) == 0 &&
                nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                                      (int32_t)limits->connection_window) == 0;
    return fine ? ERR_OK : ERR_MEMORY;
}

enum err h2_session_new(struct h2 *h2)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    enum err err = ERR_MEMORY;
    int64_t now = loop_mono_ms(h2->loop);
    h2_bucket_init(&h2->resets, h2->limits.resets_burst, h2->limits.resets_rate, now);
    h2_bucket_init(&h2->frames, h2->limits.frames_burst, h2->limits.frames_rate, now);
    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) {
        goto out;
    }
    set_callbacks(callbacks);
    set_options(option, &h2->limits);
    int result = h2->server ? nghttp2_session_server_new2(&h2->session, callbacks, h2, option)
                            : nghttp2_session_client_new2(&h2->session, callbacks, h2, option);
    err = result == 0 ? greet(h2) : ERR_MEMORY;
out:
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return err;
}
