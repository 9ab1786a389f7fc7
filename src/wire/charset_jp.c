/* SPDX-License-Identifier: GPL-3.0-or-later */
/* EUC-JP and ISO-2022-JP (Encoding standard, sections 12.1 and 12.2). */
#include "wire/charset_impl.h"

static bool is_cell(uint8_t byte)
{
    return byte >= 0xa1 && byte <= 0xfe;
}

/* The bytes pending and this one are no character. */
static void broken(struct charset_decoder *decoder, uint8_t byte)
{
    decoder->n_pending = 0;
    charset_put(decoder, REPLACEMENT);
    if (byte < 0x80) {
        charset_again(decoder, byte);
    }
}

static void euc_jp_first(struct charset_decoder *decoder, uint8_t byte)
{
    if (byte < 0x80) {
        charset_put(decoder, byte);
    } else if (byte == 0x8e || byte == 0x8f || is_cell(byte)) {
        decoder->pending[decoder->n_pending++] = byte;
    } else {
        charset_put(decoder, REPLACEMENT);
    }
}

void charset_euc_jp(struct charset_decoder *decoder, uint8_t byte)
{
    uint8_t first = decoder->pending[0];
    if (decoder->n_pending == 0) {
        euc_jp_first(decoder, byte);
        return;
    }
    if (first == 0x8e && byte >= 0xa1 && byte <= 0xdf) {
        decoder->n_pending = 0;
        charset_put(decoder, 0xff61u - 0xa1u + byte);
        return;
    }
    if (first == 0x8f && decoder->n_pending == 1 && is_cell(byte)) {
        decoder->pending[decoder->n_pending++] = byte;
        return;
    }
    bool known = false;
    if (decoder->n_pending == 2 && is_cell(byte)) {
        uint8_t bytes[3] = {first, decoder->pending[1], byte};
        known = charset_look_up(decoder, decoder->more, bytes, 3);
    } else if (is_cell(first) && is_cell(byte)) {
        known = charset_jis(decoder, first - 0xa1u, byte - 0xa1u);
    }
    if (known) {
        decoder->n_pending = 0;
    } else {
        broken(decoder, byte);
    }
}

/* The states of ISO-2022-JP. */
enum { ASCII, ROMAN, KATAKANA, LEAD, TRAIL, ESCAPE_START, ESCAPE };

static void plain(struct charset_decoder *decoder, uint8_t byte)
{
    decoder->escaped = false;
    if (byte >= 0x80 || byte == 0x0e || byte == 0x0f) {
        charset_put(decoder, REPLACEMENT);
    } else if (decoder->state == ROMAN && byte == 0x5c) {
        charset_put(decoder, 0xa5);
    } else if (decoder->state == ROMAN && byte == 0x7e) {
        charset_put(decoder, 0x203e);
    } else {
        charset_put(decoder, byte);
    }
}

static void katakana(struct charset_decoder *decoder, uint8_t byte)
{
    decoder->escaped = false;
    bool known = byte >= 0x21 && byte <= 0x5f;
    charset_put(decoder, known ? 0xff61u - 0x21u + byte : REPLACEMENT);
}

static void lead(struct charset_decoder *decoder, uint8_t byte)
{
    decoder->escaped = false;
    if (byte < 0x21 || byte > 0x7e) {
        charset_put(decoder, REPLACEMENT);
        return;
    }
    decoder->pending[0] = byte;
    decoder->n_pending = 1;
    decoder->state = TRAIL;
}

static void trail(struct charset_decoder *decoder, uint8_t byte)
{
    unsigned first = decoder->pending[0];
    decoder->n_pending = 0;
    decoder->state = LEAD;
    if (byte < 0x21 || byte > 0x7e || !charset_jis(decoder, first - 0x21, byte - 0x21u)) {
        charset_put(decoder, REPLACEMENT);
    }
}

static void escape_start(struct charset_decoder *decoder, uint8_t byte)
{
    if (byte == '$' || byte == '(') {
        decoder->pending[0] = byte;
        decoder->n_pending = 1;
        decoder->state = ESCAPE;
        return;
    }
    decoder->escaped = false;
    decoder->state = decoder->before;
    charset_put(decoder, REPLACEMENT);
    charset_again(decoder, byte);
}

static void escape(struct charset_decoder *decoder, uint8_t byte)
{
    static const struct {
        char first, second;
        unsigned state;
    } rows[] = {{'(', 'B', ASCII},
                {'(', 'J', ROMAN},
                {'(', 'I', KATAKANA},
                {'$', '@', LEAD},
                {'$', 'B', LEAD}};
    uint8_t first = decoder->pending[0];
    decoder->n_pending = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (first == (uint8_t)rows[i].first && byte == (uint8_t)rows[i].second) {
            decoder->state = rows[i].state;
            if (decoder->escaped) {
                charset_put(decoder, REPLACEMENT);
            }
            decoder->escaped = true;
            return;
        }
    }
    decoder->escaped = false;
    decoder->state = decoder->before;
    charset_put(decoder, REPLACEMENT);
    charset_again(decoder, first);
    charset_again(decoder, byte);
}

void charset_iso_2022_jp(struct charset_decoder *decoder, uint8_t byte)
{
    static void (*const states[])(struct charset_decoder *, uint8_t) = {
        [ASCII] = plain, [ROMAN] = plain,   [KATAKANA] = katakana,         [LEAD] = lead,
        [TRAIL] = trail, [ESCAPE] = escape, [ESCAPE_START] = escape_start,
    };
    if (byte == 0x1b && decoder->state <= TRAIL) {
        if (decoder->state == TRAIL) {
            decoder->n_pending = 0;
            charset_put(decoder, REPLACEMENT);
        }
        decoder->before = decoder->state == TRAIL ? LEAD : decoder->state;
        decoder->state = ESCAPE_START;
        return;
    }
    states[decoder->state](decoder, byte);
}

void charset_iso_2022_jp_end(struct charset_decoder *decoder)
{
    /* What an escape had begun to say is text after all. */
    if (decoder->state == ESCAPE) {
        charset_again(decoder, decoder->pending[0]);
    }
    if (decoder->state == ESCAPE || decoder->state == ESCAPE_START || decoder->state == TRAIL) {
        charset_put(decoder, REPLACEMENT);
    }
    decoder->state = decoder->state >= ESCAPE_START ? decoder->before : decoder->state;
    decoder->n_pending = 0;
}
