/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A body as it streams: its head, then what its kind asks for. */
#include "wire/sniff.h"

#include "wire/sniff_impl.h"

enum {
    LOCAL_LEN = 30,   /* APPNOTE.TXT 4.3.7: a member's header before its name */
    CENTRAL_LEN = 46, /* 4.3.12 */
    NAME_MAX_LEN = SNIFF_WINDOW - CENTRAL_LEN,
    OLE_HEADER_LEN = 512,
    OLE_CLASS_AT = 80, /* [MS-CFB] 2.6.1, in the root's directory entry */
    OLE_CLASS_LEN = 16,
    TRAILER_LEN = 512, /* of an Apple disk image */
};

bool sniff_is_program(enum sniff_kind kind)
{
    static const bool program[SNIFF_COUNT_] = {
#define SNIFF(id, program, name) [SNIFF_##id] = program,
#include "wire/sniff.def"
#undef SNIFF
    };
    return kind < SNIFF_COUNT_ && program[kind];
}

struct str sniff_words(enum sniff_kind kind)
{
    static const struct str words[SNIFF_COUNT_] = {
#define SNIFF(id, program, name) [SNIFF_##id] = STR_INIT(name),
#include "wire/sniff.def"
#undef SNIFF
    };
    return kind < SNIFF_COUNT_ ? words[kind] : words[SNIFF_UNSET];
}

void sniff_init(struct sniff *sniff)
{
    sniff->kind = SNIFF_UNSET;
    sniff->settled = false;
    sniff->at = 0;
    sniff->class_at = 0;
    sniff->len = 0;
}

void sniff_init_inner(struct sniff *sniff)
{
    sniff_init(sniff);
    sniff->kind = SNIFF_ARCHIVE;
}

static bool settle(struct sniff *sniff, enum sniff_kind kind)
{
    sniff->kind = kind;
    sniff->settled = true;
    return true;
}

/* Takes bytes into the window, as many as fit; the rest is given back. */
static struct str fill(struct sniff *sniff, struct str bytes, size_t max)
{
    struct str some = str_sub(bytes, 0, max - sniff->len);
    if (some.len != 0) {
        memcpy(sniff->window + sniff->len, some.p, some.len);
    }
    sniff->len += some.len;
    sniff->at += some.len;
    return str_skip(bytes, some.len);
}

/* Keeps the last bytes of the window only. */
static void keep_tail(struct sniff *sniff, size_t n)
{
    if (sniff->len > n) {
        memmove(sniff->window, sniff->window + sniff->len - n, n);
        sniff->len = n;
    }
}

static struct str window(const struct sniff *sniff)
{
    return str_make((const char *)sniff->window, sniff->len);
}

/* --- ZIP: the names of its members, in their own headers and in the directory at the end. Sizes
 * are not trusted: every header that looks like one is looked at. */

/* The member whose header begins here: its name, or false where bytes are missing. */
static bool member_name(struct str header, struct str *ret_name)
{
    const uint8_t *p = (const uint8_t *)header.p;
    bool local = header.len > 2 && p[2] == 3;
    size_t len = local ? LOCAL_LEN : CENTRAL_LEN;
    if (header.len < len) {
        return false;
    }
    size_t name_len = sniff_le16(p + (local ? 26 : 28));
    name_len = name_len <= NAME_MAX_LEN ? name_len : NAME_MAX_LEN;
    if (header.len < len + name_len) {
        return false;
    }
    *ret_name = str_sub(header, len, name_len);
    return true;
}

static bool is_header(struct str at)
{
    return str_starts(at, STR("PK\3\4")) || str_starts(at, STR("PK\1\2"));
}

/* Looks through the window, and keeps of it what may begin a header. */
static void scan_members(struct sniff *sniff)
{
    struct str all = window(sniff);
    size_t at = 0;
    while (at < all.len) {
        at += str_index(str_skip(all, at), 'P');
        struct str rest = str_skip(all, at);
        struct str name;
        if (rest.len < 4) {
            break;
        }
        if (!is_header(rest)) {
            at++;
            continue;
        }
        if (!member_name(rest, &name)) {
            break;
        }
        enum sniff_kind kind = sniff_member(name);
        if (kind != SNIFF_UNSET) {
            settle(sniff, kind);
            return;
        }
        at += 4;
    }
    keep_tail(sniff, all.len - (at < all.len ? at : all.len));
}

static bool feed_zip(struct sniff *sniff, struct str bytes)
{
    scan_members(sniff);
    while (!sniff->settled && bytes.len != 0) {
        bytes = fill(sniff, bytes, SNIFF_WINDOW);
        scan_members(sniff);
    }
    return sniff->settled;
}

/* --- OLE: the class of the root, which the header says where to find */

static bool begin_ole(struct sniff *sniff)
{
    const uint8_t *p = sniff->window;
    unsigned shift = sniff_le16(p + 30);
    if (sniff->len < OLE_HEADER_LEN || (shift != 9 && shift != 12)) {
        return settle(sniff, SNIFF_OFFICE);
    }
    sniff->class_at = ((uint64_t)sniff_le32(p + 48) + 1) * (UINT64_C(1) << shift) + OLE_CLASS_AT;
    return false;
}

/* {000C108x-0000-0000-C000-000000000046}: installers, their patches and transforms. */
static bool is_installer(const uint8_t *class)
{
    static const uint8_t tail[] = {0x10, 0x0c, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0x46};
    return (class[0] == 0x82 || class[0] == 0x84 || class[0] == 0x86) &&
           memcmp(class + 1, tail, sizeof(tail)) == 0;
}

/* The window has the head, then only what belongs to the class. */
static bool feed_ole(struct sniff *sniff, struct str bytes)
{
    uint64_t from = sniff->at - sniff->len;
    if (from < sniff->class_at) {
        uint64_t drop = sniff->class_at - from;
        keep_tail(sniff, drop < sniff->len ? sniff->len - (size_t)drop : 0);
    }
    if (sniff->at < sniff->class_at) {
        uint64_t skip = sniff->class_at - sniff->at;
        size_t n = skip < bytes.len ? (size_t)skip : bytes.len;
        sniff->at += n;
        bytes = str_skip(bytes, n);
    }
    (void)fill(sniff, bytes, SNIFF_WINDOW);
    if (sniff->len < OLE_CLASS_LEN) {
        return false;
    }
    return settle(sniff, is_installer(sniff->window) ? SNIFF_INSTALLER : SNIFF_OFFICE);
}

/* --- whatever it is: its last bytes */

static bool feed_tail(struct sniff *sniff, struct str bytes)
{
    if (bytes.len >= TRAILER_LEN) {
        sniff->len = 0;
        sniff->at += bytes.len - TRAILER_LEN;
        bytes = str_skip(bytes, bytes.len - TRAILER_LEN);
    }
    keep_tail(sniff, TRAILER_LEN);
    (void)fill(sniff, bytes, SNIFF_WINDOW);
    keep_tail(sniff, TRAILER_LEN);
    /* Its last 512 bytes, which this may be: whoever reads on cuts off before them. */
    if (sniff->len == TRAILER_LEN && str_starts(window(sniff), STR("koly\0\0\0\4\0\0\2\0"))) {
        return settle(sniff, SNIFF_DISK_IMAGE);
    }
    return false;
}

static bool feed_body(struct sniff *sniff, struct str bytes)
{
    if (sniff->kind == SNIFF_ARCHIVE) {
        return feed_zip(sniff, bytes);
    }
    return sniff->kind == SNIFF_OFFICE ? feed_ole(sniff, bytes) : feed_tail(sniff, bytes);
}

/* What the head says, or whether more must be seen. */
static bool take_head(struct sniff *sniff, enum sniff_kind kind)
{
    sniff->kind = kind;
    if (kind == SNIFF_ARCHIVE || kind == SNIFF_PLAIN) {
        return false;
    }
    return kind == SNIFF_OFFICE ? begin_ole(sniff) : settle(sniff, kind);
}

bool sniff_feed(struct sniff *sniff, struct str bytes)
{
    if (sniff->settled) {
        return true;
    }
    if (sniff->kind == SNIFF_UNSET) {
        bytes = fill(sniff, bytes, SNIFF_HEAD);
        enum sniff_kind kind = sniff_head(window(sniff), false);
        /* An OLE header is as long as a head. */
        if (kind == SNIFF_UNSET || (kind == SNIFF_OFFICE && sniff->len < SNIFF_HEAD)) {
            return false;
        }
        if (take_head(sniff, kind)) {
            return true;
        }
    }
    return feed_body(sniff, bytes);
}

void sniff_end(struct sniff *sniff)
{
    if (sniff->settled) {
        return;
    }
    if (sniff->kind == SNIFF_UNSET && !take_head(sniff, sniff_head(window(sniff), true))) {
        (void)feed_body(sniff, str_make(NULL, 0));
    }
    sniff->settled = true;
}
