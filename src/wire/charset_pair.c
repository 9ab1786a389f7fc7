/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encodings of one byte or two, and of up to four (GB 18030). */
#include "wire/charset_impl.h"

struct range {
    uint8_t from, to;
};

/* Which bytes lead and trail (Encoding standard, sections 11 to 13); what is neither ASCII nor a
 * lead stands alone. */
struct pairs {
    struct range leads[2], trails[2];
};

static const struct pairs ways[WAY_COUNT_] = {
    [WAY_GB] = {{{0x81, 0xfe}, {1, 0}}, {{0x40, 0x7e}, {0x80, 0xfe}}},
    [WAY_BIG5] = {{{0x81, 0xfe}, {1, 0}}, {{0x40, 0x7e}, {0xa1, 0xfe}}},
    [WAY_EUC_KR] = {{{0x81, 0xfe}, {1, 0}}, {{0x41, 0xfe}, {1, 0}}},
    [WAY_SHIFT_JIS] = {{{0x81, 0x9f}, {0xe0, 0xfc}}, {{0x40, 0x7e}, {0x80, 0xfc}}},
};

static bool is_in(const struct range ranges[2], uint8_t byte)
{
    return (byte >= ranges[0].from && byte <= ranges[0].to) ||
           (byte >= ranges[1].from && byte <= ranges[1].to);
}

/* A broken character; an ASCII byte behind it is not its own. */
static void broken(struct charset_decoder *decoder, uint8_t last)
{
    charset_put(decoder, REPLACEMENT);
    if (last < 0x80) {
        charset_again(decoder, last);
    }
}

/* What stands alone. */
static void one(struct charset_decoder *decoder, uint8_t byte)
{
    if (byte < 0x80) {
        charset_put(decoder, byte);
    } else if (decoder->way == WAY_GB && byte == 0x80) {
        charset_put(decoder, 0x20ac);
    } else if (decoder->way == WAY_SHIFT_JIS && byte == 0x80) {
        charset_put(decoder, 0x80);
    } else if (decoder->way == WAY_SHIFT_JIS && byte >= 0xa1 && byte <= 0xdf) {
        charset_put(decoder, 0xff61u - 0xa1u + byte);
    } else {
        charset_put(decoder, REPLACEMENT);
    }
}

/* Shift_JIS has rows for characters of one's own (Encoding standard section 12.3.1). */
static bool put_own(struct charset_decoder *decoder, uint8_t lead, uint8_t trail)
{
    if (decoder->way != WAY_SHIFT_JIS || lead < 0xf0 || lead > 0xf9) {
        return false;
    }
    unsigned cell = trail - (trail < 0x7f ? 0x40u : 0x41u);
    charset_put(decoder, 0xe000 + (lead - 0xf0u) * 188 + cell);
    return true;
}

/* Big5 has four characters that are two (Encoding standard section 11.1.1); ICU has none. */
static bool put_marked(struct charset_decoder *decoder, const uint8_t bytes[2])
{
    static const struct {
        uint8_t trail;
        uint16_t letter, mark;
    } marked[] = {
        {0x62, 0xca, 0x304}, {0x64, 0xca, 0x30c}, {0xa3, 0xea, 0x304}, {0xa5, 0xea, 0x30c}};
    for (size_t i = 0; i < 4 && decoder->way == WAY_BIG5 && bytes[0] == 0x88; i++) {
        if (bytes[1] == marked[i].trail) {
            charset_put(decoder, marked[i].letter);
            charset_put(decoder, marked[i].mark);
            return true;
        }
    }
    return false;
}

static void two(struct charset_decoder *decoder, uint8_t trail)
{
    uint8_t bytes[2] = {decoder->pending[0], trail};
    decoder->n_pending = 0;
    if (!is_in(ways[decoder->way].trails, trail) ||
        (!put_own(decoder, bytes[0], trail) && !put_marked(decoder, bytes) &&
         !charset_look_up(decoder, decoder->icu, bytes, 2))) {
        broken(decoder, trail);
    }
}

void charset_pair(struct charset_decoder *decoder, uint8_t byte)
{
    if (decoder->n_pending != 0) {
        two(decoder, byte);
    } else if (is_in(ways[decoder->way].leads, byte)) {
        decoder->pending[decoder->n_pending++] = byte;
    } else {
        one(decoder, byte);
    }
}

/* Four bytes that are none: all but the first are read again. */
static void not_four(struct charset_decoder *decoder, uint8_t byte)
{
    unsigned n = decoder->n_pending;
    decoder->n_pending = 0;
    charset_put(decoder, REPLACEMENT);
    for (unsigned i = 1; i < n; i++) {
        charset_again(decoder, decoder->pending[i]);
    }
    charset_again(decoder, byte);
}

void charset_gb(struct charset_decoder *decoder, uint8_t byte)
{
    bool digit = byte >= 0x30 && byte <= 0x39;
    bool lead = byte >= 0x81 && byte <= 0xfe;
    unsigned n = decoder->n_pending;
    if (n == 0 || (n == 1 && !digit)) {
        charset_pair(decoder, byte);
        return;
    }
    if (n == 2 ? !lead : !digit) {
        not_four(decoder, byte);
        return;
    }
    decoder->pending[decoder->n_pending++] = byte;
    if (decoder->n_pending == 4) {
        decoder->n_pending = 0;
        if (!charset_look_up(decoder, decoder->icu, decoder->pending, 4)) {
            charset_put(decoder, REPLACEMENT);
        }
    }
}
