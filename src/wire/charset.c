/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The decoder: what all ways share, and the simple ones. */
#include "wire/charset.h"

#include <stdlib.h>

#include "base/check.h"
#include "wire/charset_impl.h"
#include "wire/utf8.h"

struct row {
    enum way way;
    const char *converter;
    struct str labels;
};

static const struct row rows[CHARSET_COUNT_] = {
#define CHARSET(id, way, converter, labels) \
    [CHARSET_##id] = {WAY_##way, converter, STR_INIT(labels)},
#include "wire/charset.def"
#undef CHARSET
};

/* Where ICU and the standard differ: bytes of the encodings of one byte. ISO-8859-16, which ICU
 * lacks, is written as ISO-8859-1 with what is different. */
static const struct {
    enum charset charset;
    uint8_t byte;
    uint16_t c;
} differ[] = {
    {CHARSET_KOI8_U, 0xae, 0x45e},        {CHARSET_KOI8_U, 0xbe, 0x40e},
    {CHARSET_WINDOWS_1253, 0xaa, 0xfffd}, {CHARSET_WINDOWS_1255, 0xca, 0x5ba},
    {CHARSET_ISO_8859_16, 0xa1, 0x104},   {CHARSET_ISO_8859_16, 0xa2, 0x105},
    {CHARSET_ISO_8859_16, 0xa3, 0x141},   {CHARSET_ISO_8859_16, 0xa4, 0x20ac},
    {CHARSET_ISO_8859_16, 0xa5, 0x201e},  {CHARSET_ISO_8859_16, 0xa6, 0x160},
    {CHARSET_ISO_8859_16, 0xa8, 0x161},   {CHARSET_ISO_8859_16, 0xaa, 0x218},
    {CHARSET_ISO_8859_16, 0xac, 0x179},   {CHARSET_ISO_8859_16, 0xae, 0x17a},
    {CHARSET_ISO_8859_16, 0xaf, 0x17b},   {CHARSET_ISO_8859_16, 0xb2, 0x10c},
    {CHARSET_ISO_8859_16, 0xb3, 0x142},   {CHARSET_ISO_8859_16, 0xb4, 0x17d},
    {CHARSET_ISO_8859_16, 0xb5, 0x201d},  {CHARSET_ISO_8859_16, 0xb8, 0x17e},
    {CHARSET_ISO_8859_16, 0xb9, 0x10d},   {CHARSET_ISO_8859_16, 0xba, 0x219},
    {CHARSET_ISO_8859_16, 0xbc, 0x152},   {CHARSET_ISO_8859_16, 0xbd, 0x153},
    {CHARSET_ISO_8859_16, 0xbe, 0x178},   {CHARSET_ISO_8859_16, 0xbf, 0x17c},
    {CHARSET_ISO_8859_16, 0xc3, 0x102},   {CHARSET_ISO_8859_16, 0xc5, 0x106},
    {CHARSET_ISO_8859_16, 0xd0, 0x110},   {CHARSET_ISO_8859_16, 0xd1, 0x143},
    {CHARSET_ISO_8859_16, 0xd5, 0x150},   {CHARSET_ISO_8859_16, 0xd7, 0x15a},
    {CHARSET_ISO_8859_16, 0xd8, 0x170},   {CHARSET_ISO_8859_16, 0xdd, 0x118},
    {CHARSET_ISO_8859_16, 0xde, 0x21a},   {CHARSET_ISO_8859_16, 0xe3, 0x103},
    {CHARSET_ISO_8859_16, 0xe5, 0x107},   {CHARSET_ISO_8859_16, 0xf0, 0x111},
    {CHARSET_ISO_8859_16, 0xf1, 0x144},   {CHARSET_ISO_8859_16, 0xf5, 0x151},
    {CHARSET_ISO_8859_16, 0xf7, 0x15b},   {CHARSET_ISO_8859_16, 0xf8, 0x171},
    {CHARSET_ISO_8859_16, 0xfd, 0x119},   {CHARSET_ISO_8859_16, 0xfe, 0x21b},
};

enum charset charset_find(struct str label)
{
    label = str_trim_space(label);
    for (unsigned i = CHARSET_UNSET + 1; i < CHARSET_COUNT_ && label.len != 0; i++) {
        struct str rest = rows[i].labels;
        struct str one;
        while (rest.len != 0) {
            str_cut(rest, ' ', &one, &rest);
            if (str_eq_nocase(one, label)) {
                return (enum charset)i;
            }
        }
    }
    return CHARSET_UNSET;
}

struct str charset_name(enum charset charset)
{
    CHECK(charset < CHARSET_COUNT_);
    struct str name;
    struct str rest;
    str_cut(rows[charset].labels, ' ', &name, &rest);
    return name;
}

/* --- what all share
 * ----------------------------------------------------------------------------------- */

static void flush(struct charset_decoder *decoder)
{
    if (decoder->n_out != 0) {
        decoder->fn(decoder->context, str_make(decoder->out, decoder->n_out));
        decoder->n_out = 0;
    }
}

static void put_bytes(struct charset_decoder *decoder, struct str bytes)
{
    while (bytes.len != 0) {
        struct str some = str_sub(bytes, 0, CHARSET_OUT - decoder->n_out);
        memcpy(decoder->out + decoder->n_out, some.p, some.len);
        decoder->n_out += some.len;
        bytes = str_skip(bytes, some.len);
        if (bytes.len != 0) {
            flush(decoder);
        }
    }
}

void charset_put(struct charset_decoder *decoder, uint32_t c)
{
    if (CHARSET_OUT - decoder->n_out < 4) {
        flush(decoder);
    }
    char *to = decoder->out + decoder->n_out;
    size_t n = 0;
    if (c < 0x80) {
        to[n++] = (char)c;
    } else if (c < 0x800) {
        to[n++] = (char)(0xc0 | c >> 6);
        to[n++] = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        to[n++] = (char)(0xe0 | c >> 12);
        to[n++] = (char)(0x80 | (c >> 6 & 63));
        to[n++] = (char)(0x80 | (c & 63));
    } else {
        to[n++] = (char)(0xf0 | c >> 18);
        to[n++] = (char)(0x80 | (c >> 12 & 63));
        to[n++] = (char)(0x80 | (c >> 6 & 63));
        to[n++] = (char)(0x80 | (c & 63));
    }
    decoder->n_out += n;
}

void charset_again(struct charset_decoder *decoder, uint8_t byte)
{
    CHECK(decoder->n_again < CHARSET_PENDING);
    decoder->again[decoder->n_again++] = byte;
}

/* ICU's substitutes, and its places for characters of one's own, mean that it knows none. */
static bool is_known(uint32_t c)
{
    bool private_use = (c >= 0xe000 && c <= 0xf8ff) || c >= 0xf0000;
    return c >= 0x80 && c != REPLACEMENT && !private_use;
}

bool charset_look_up(struct charset_decoder *decoder, UConverter *icu, const uint8_t *bytes,
                     size_t n)
{
    UChar units[8];
    UChar *to = units;
    const char *from = (const char *)bytes;
    UErrorCode error = U_ZERO_ERROR;
    ucnv_reset(icu);
    ucnv_toUnicode(icu, &to, units + 8, &from, from + n, NULL, true, &error);
    size_t len = (size_t)(to - units);
    uint32_t found[8];
    size_t n_found = 0;
    for (size_t i = 0; i < len; i++) {
        uint32_t c = units[i];
        if ((c & 0xfc00) == 0xd800 && i + 1 < len) {
            c = 0x10000 + ((c & 0x3ff) << 10) + (units[++i] & 0x3ffu);
        }
        bool own = decoder->way == WAY_GB && c >= 0xe000 && c <= 0xf8ff;
        if (!is_known(c) && !own) {
            return false;
        }
        found[n_found++] = c;
    }
    for (size_t i = 0; i < n_found; i++) {
        charset_put(decoder, found[i]);
    }
    return U_SUCCESS(error) && n_found != 0;
}

bool charset_jis(struct charset_decoder *decoder, unsigned row, unsigned cell)
{
    unsigned at = row * 94 + cell;
    unsigned lead = at / 188;
    unsigned trail = at % 188;
    uint8_t bytes[2] = {(uint8_t)(lead + (lead < 0x1f ? 0x81 : 0xc1)),
                        (uint8_t)(trail + (trail < 0x3f ? 0x40 : 0x41))};
    return charset_look_up(decoder, decoder->icu, bytes, 2);
}

/* --- the simple ways
 * ---------------------------------------------------------------------------------- */

static void feed_single(struct charset_decoder *decoder, uint8_t byte)
{
    charset_put(decoder, byte < 0x80 ? byte : decoder->single[byte - 0x80]);
}

static void feed_user(struct charset_decoder *decoder, uint8_t byte)
{
    charset_put(decoder, byte < 0x80 ? byte : 0xf780u + byte - 0x80u);
}

static void feed_nothing(struct charset_decoder *decoder, uint8_t byte)
{
    (void)byte;
    if (decoder->state == 0) {
        charset_put(decoder, REPLACEMENT);
        decoder->state = 1;
    }
}

/* A character of up to four bytes, whole or found broken at this byte; what of it could not begin
 * another is one U+FFFD (Encoding standard section 8.1.1). */
static void feed_utf8(struct charset_decoder *decoder, uint8_t byte)
{
    static const uint8_t tails[][3] = {
        /* first byte, then the range of its second where it is not 80..bf */
        {0xe0, 0xa0, 0xbf},
        {0xed, 0x80, 0x9f},
        {0xf0, 0x90, 0xbf},
        {0xf4, 0x80, 0x8f},
    };
    if (decoder->n_pending == 0) {
        if (byte < 0x80) {
            charset_put(decoder, byte);
        } else if (byte >= 0xc2 && byte <= 0xf4) {
            decoder->pending[decoder->n_pending++] = byte;
        } else {
            charset_put(decoder, REPLACEMENT);
        }
        return;
    }
    uint8_t first = decoder->pending[0];
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    for (size_t i = 0; i < 4 && decoder->n_pending == 1; i++) {
        if (tails[i][0] == first) {
            low = tails[i][1];
            high = tails[i][2];
        }
    }
    if (byte < low || byte > high) {
        decoder->n_pending = 0;
        charset_put(decoder, REPLACEMENT);
        charset_again(decoder, byte);
        return;
    }
    decoder->pending[decoder->n_pending++] = byte;
    if (decoder->n_pending == (first < 0xe0 ? 2u : first < 0xf0 ? 3u : 4u)) {
        put_bytes(decoder, str_make((const char *)decoder->pending, decoder->n_pending));
        decoder->n_pending = 0;
    }
}

static void feed_utf16(struct charset_decoder *decoder, uint8_t byte)
{
    if (decoder->n_pending == 0) {
        decoder->pending[decoder->n_pending++] = byte;
        return;
    }
    bool big = decoder->way == WAY_UTF16BE;
    unsigned first = decoder->pending[0];
    unsigned unit = big ? first << 8 | byte : (unsigned)byte << 8 | first;
    unsigned lead = decoder->lead;
    decoder->n_pending = 0;
    decoder->lead = 0;
    if (lead != 0 && (unit & 0xfc00) == 0xdc00) {
        charset_put(decoder, 0x10000 + ((lead & 0x3ff) << 10) + (unit & 0x3ff));
        return;
    }
    if (lead != 0) {
        charset_put(decoder, REPLACEMENT);
    }
    if ((unit & 0xfc00) == 0xd800) {
        decoder->lead = unit;
    } else {
        charset_put(decoder, (unit & 0xfc00) == 0xdc00 ? REPLACEMENT : unit);
    }
}

typedef void feed_fn(struct charset_decoder *, uint8_t);

static feed_fn *const ways[WAY_COUNT_] = {
    [WAY_UTF8] = feed_utf8,         [WAY_SINGLE] = feed_single,
    [WAY_GB] = charset_gb,          [WAY_BIG5] = charset_pair,
    [WAY_EUC_JP] = charset_euc_jp,  [WAY_ISO_2022_JP] = charset_iso_2022_jp,
    [WAY_SHIFT_JIS] = charset_pair, [WAY_EUC_KR] = charset_pair,
    [WAY_NOTHING] = feed_nothing,   [WAY_UTF16BE] = feed_utf16,
    [WAY_UTF16LE] = feed_utf16,     [WAY_USER] = feed_user,
};

/* --- open, feed, end
 * ---------------------------------------------------------------------------------- */

static UConverter *open_icu(const char *name)
{
    UErrorCode error = U_ZERO_ERROR;
    UConverter *icu = ucnv_open(name, &error);
    return U_SUCCESS(error) ? icu : NULL;
}

/* All bytes of an encoding of one byte, once. */
static void fill_single(struct charset_decoder *decoder)
{
    for (unsigned i = 0; i < 128; i++) {
        char byte = (char)(0x80 + i);
        const char *from = &byte;
        UChar units[4] = {0};
        UChar *to = units;
        UErrorCode error = U_ZERO_ERROR;
        ucnv_toUnicode(decoder->icu, &to, units + 4, &from, from + 1, NULL, true, &error);
        bool apple = decoder->charset == CHARSET_MACINTOSH && units[0] == 0xf8ff;
        bool known = U_SUCCESS(error) && to == units + 1 && (is_known(units[0]) || apple);
        decoder->single[i] = known ? units[0] : REPLACEMENT;
    }
    for (size_t i = 0; i < sizeof(differ) / sizeof(differ[0]); i++) {
        if (differ[i].charset == decoder->charset) {
            decoder->single[differ[i].byte - 0x80] = differ[i].c;
        }
    }
}

enum err charset_open(enum charset charset, charset_fn *fn, void *context,
                      struct charset_decoder **ret_decoder)
{
    CHECK(charset > CHARSET_UNSET && charset < CHARSET_COUNT_);
    struct charset_decoder *decoder = calloc(1, sizeof(*decoder));
    if (decoder == NULL) {
        return ERR_MEMORY;
    }
    decoder->charset = charset;
    decoder->way = rows[charset].way;
    decoder->fn = fn;
    decoder->context = context;
    bool ready = true;
    if (rows[charset].converter[0] != 0) {
        decoder->icu = open_icu(rows[charset].converter);
        ready = decoder->icu != NULL;
    }
    if (ready && decoder->way == WAY_EUC_JP) {
        decoder->more = open_icu("euc-jp-2007");
        ready = decoder->more != NULL;
    }
    if (!ready) {
        charset_close(decoder);
        return ERR_SYSTEM;
    }
    if (decoder->way == WAY_SINGLE) {
        fill_single(decoder);
    }
    *ret_decoder = decoder;
    return ERR_OK;
}

void charset_close(struct charset_decoder *decoder)
{
    if (decoder == NULL) {
        return;
    }
    ucnv_close(decoder->icu);
    ucnv_close(decoder->more);
    free(decoder);
}

static void feed_again(struct charset_decoder *decoder)
{
    while (decoder->n_again != 0) {
        uint8_t byte = decoder->again[0];
        uint8_t rest[CHARSET_PENDING];
        unsigned n = --decoder->n_again;
        memcpy(rest, decoder->again + 1, n);
        decoder->n_again = 0;
        ways[decoder->way](decoder, byte);
        for (unsigned i = 0; i < n; i++) {
            charset_again(decoder, rest[i]);
        }
    }
}

/* Text that means the same in UTF-8: ASCII in most encodings, and whole characters in UTF-8. */
static size_t as_it_is(const struct charset_decoder *decoder, struct str bytes)
{
    size_t n = 0;
    bool plain = decoder->way <= WAY_EUC_KR && decoder->way != WAY_ISO_2022_JP;
    if (decoder->n_pending != 0 || !(plain || decoder->way == WAY_USER)) {
        return 0;
    }
    while (n < bytes.len) {
        if ((unsigned char)bytes.p[n] < 0x80) {
            n++;
            continue;
        }
        size_t len = decoder->way == WAY_UTF8 ? utf8_length(str_skip(bytes, n)) : 0;
        if (len == 0) {
            break;
        }
        n += len;
    }
    return n;
}

void charset_feed(struct charset_decoder *decoder, struct str bytes)
{
    while (bytes.len != 0) {
        size_t n = as_it_is(decoder, bytes);
        put_bytes(decoder, str_sub(bytes, 0, n));
        bytes = str_skip(bytes, n);
        if (bytes.len != 0) {
            ways[decoder->way](decoder, (uint8_t)bytes.p[0]);
            feed_again(decoder);
            bytes = str_skip(bytes, 1);
        }
    }
    flush(decoder);
}

void charset_end(struct charset_decoder *decoder)
{
    if (decoder->way == WAY_ISO_2022_JP) {
        charset_iso_2022_jp_end(decoder);
        feed_again(decoder);
    } else if (decoder->n_pending != 0 || decoder->lead != 0) {
        charset_put(decoder, REPLACEMENT);
    }
    decoder->n_pending = 0;
    decoder->lead = 0;
    flush(decoder);
}
