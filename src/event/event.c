/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events to bytes and back. Every field of event.def passes through one writer and one reader for
 * its type; the proxy packs one event per request, so neither allocates nor looks at a field twice.
 */
#include "event/event.h"

#include <string.h>

/* What a string that was cut ends in. */
static const struct str ellipsis = STR_INIT("\xe2\x80\xa6");

static uint8_t *put_u64(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

/* Zigzag: a time before 1970 stays short. */
static uint8_t *put_i64(uint8_t *at, int64_t value)
{
    uint64_t sign = value < 0 ? UINT64_MAX : 0;
    return put_u64(at, ((uint64_t)value << 1) ^ sign);
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t n)
{
    if (n != 0) {
        memcpy(at, bytes, n);
    }
    return at + n;
}

static uint8_t *put_cut(uint8_t *at, struct str s, size_t max)
{
    size_t keep = max - ellipsis.len;
    while (keep > 0 && ((unsigned char)s.p[keep] & 0xC0) == 0x80) {
        keep--;
    }
    at = put_u64(at, keep + ellipsis.len);
    at = put_bytes(at, s.p, keep);
    return put_bytes(at, ellipsis.p, ellipsis.len);
}

static uint8_t *put_str(uint8_t *at, struct str s, size_t max)
{
    if (s.len > max) {
        return put_cut(at, s, max);
    }
    at = put_u64(at, s.len);
    return put_bytes(at, s.p, s.len);
}

#define PUT_U64(name, max) at = put_u64(at, event->name);
#define PUT_I64(name, max) at = put_i64(at, event->name);
#define PUT_STR(name, max) at = put_str(at, event->name, max);
#define PUT_DETAIL(name, max) at = put_str(at, event->sealed ? STR("") : event->name, max);
#define PUT_ID(name, max) at = put_bytes(at, event->name.bytes, max);
#define PUT_ADDR(name, max) at = put_bytes(at, event->name.bytes, max);
#define PUT_CATS(name, max) at = put_bytes(at, event->name.bits, max);
#define PUT_ENUM(name, max) at = put_u64(at, event->name);
#define PUT_FLAG(name, max) at = put_u64(at, event->name ? 1 : 0);
#define PUT_GENERATION(name, max) at = put_bytes(at, &event->name, sizeof(event->name));

size_t event_pack(const struct event *event, uint8_t to[EVENT_PACKED_MAX])
{
    uint8_t *at = to;
    *at++ = EVENT_VERSION;
#define EVENT_FIELD(name, type, max, text) PUT_##type(name, max)
#include "event/event.def"
#undef EVENT_FIELD
    return (size_t)(at - to);
}

/* Where the reader stands; the first error is kept, and nothing is read behind it. */
struct source {
    const uint8_t *at;
    const uint8_t *end;
    enum err err;
};

static uint64_t fail(struct source *from, enum err err)
{
    from->err = from->err != ERR_OK ? from->err : err;
    from->at = from->end;
    return 0;
}

static uint64_t get_u64(struct source *from, uint64_t max)
{
    uint64_t value = 0;
    for (unsigned shift = 0; from->at < from->end; shift += 7) {
        uint64_t byte = *from->at++;
        if (shift > 63 || (shift == 63 && byte > 1)) {
            return fail(from, ERR_INVALID);
        }
        value |= (byte & 0x7F) << shift;
        if (byte < 0x80) {
            return value <= max ? value : fail(from, ERR_INVALID);
        }
    }
    return fail(from, ERR_TRUNCATED);
}

static int64_t get_i64(struct source *from)
{
    uint64_t zigzag = get_u64(from, UINT64_MAX);
    uint64_t sign = (zigzag & 1) != 0 ? UINT64_MAX : 0;
    return (int64_t)((zigzag >> 1) ^ sign);
}

static struct str get_str(struct source *from, size_t max)
{
    size_t len = (size_t)get_u64(from, max);
    if (len > (size_t)(from->end - from->at)) {
        len = (size_t)fail(from, ERR_TRUNCATED);
    }
    struct str s = {(const char *)from->at, len};
    from->at += len;
    return s;
}

static void get_bytes(struct source *from, void *to, size_t n)
{
    if (n > (size_t)(from->end - from->at)) {
        (void)fail(from, ERR_TRUNCATED);
        return;
    }
    memcpy(to, from->at, n);
    from->at += n;
}

/* How many fields each version has; those of a later one are at least this one's. */
static const unsigned fields_of[] = {[1] = 36, [2] = 37, [3] = 39};
enum { VERSIONS = sizeof(fields_of) / sizeof(fields_of[0]) };
_Static_assert(VERSIONS == EVENT_VERSION + 1, "a version without its number of fields");

#define GET_U64(name, max) event.name = get_u64(&from, UINT64_MAX);
#define GET_I64(name, max) event.name = get_i64(&from);
#define GET_STR(name, max) event.name = get_str(&from, max);
#define GET_DETAIL(name, max) event.name = get_str(&from, max);
#define GET_ID(name, max) get_bytes(&from, event.name.bytes, max);
#define GET_ADDR(name, max) get_bytes(&from, event.name.bytes, max);
#define GET_CATS(name, max) get_bytes(&from, event.name.bits, max);
#define GET_ENUM(name, max) event.name = (unsigned)get_u64(&from, UINT16_MAX);
#define GET_FLAG(name, max) event.name = get_u64(&from, 1) != 0;
#define GET_GENERATION(name, max) get_bytes(&from, &event.name, sizeof(event.name));

enum err event_unpack(struct str bytes, struct event *ret_event)
{
    struct event event = {0};
    const uint8_t *start = (const uint8_t *)bytes.p;
    struct source from = {start, start + bytes.len, ERR_OK};
    uint64_t version = get_u64(&from, UINT8_MAX);
    if (version == 0) {
        return from.err != ERR_OK ? from.err : ERR_INVALID;
    }
    unsigned left = fields_of[version < VERSIONS ? version : EVENT_VERSION];
#define EVENT_FIELD(name, type, max, text) \
    if (left != 0) {                       \
        left--;                            \
        GET_##type(name, max)              \
    }
#include "event/event.def"
#undef EVENT_FIELD
    ERR_TRY(from.err);
    if (version <= EVENT_VERSION && from.at != from.end) {
        return ERR_INVALID;
    }
    *ret_event = event;
    return ERR_OK;
}
