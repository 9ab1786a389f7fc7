/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A decoder, as the files of charset see it. */
#ifndef LODGE_WIRE_CHARSET_IMPL_H
#define LODGE_WIRE_CHARSET_IMPL_H

#include <stdint.h>
#include <unicode/ucnv.h>

#include "wire/charset.h"

enum {
    CHARSET_OUT = 4096,
    CHARSET_PENDING = 4,
    REPLACEMENT = 0xfffd,
};

enum way {
    WAY_UTF8,
    WAY_SINGLE,
    WAY_GB,
    WAY_BIG5,
    WAY_EUC_JP,
    WAY_ISO_2022_JP,
    WAY_SHIFT_JIS,
    WAY_EUC_KR,
    WAY_NOTHING,
    WAY_UTF16BE,
    WAY_UTF16LE,
    WAY_USER,
    WAY_COUNT_
};

struct charset_decoder {
    enum charset charset;
    enum way way;
    charset_fn *fn;
    void *context;
    UConverter *icu;      /* NULL: not needed */
    UConverter *more;     /* of JIS X 0212, in EUC-JP */
    uint16_t single[128]; /* of WAY_SINGLE: bytes from 0x80 up */
    uint8_t pending[CHARSET_PENDING];
    unsigned n_pending;
    uint8_t again[CHARSET_PENDING]; /* to be read once more, first first */
    unsigned n_again;
    unsigned state;  /* of ISO-2022-JP; 1 of WAY_NOTHING: it has said its one character */
    unsigned before; /* of ISO-2022-JP: the state that an escape changed */
    bool escaped;    /* of ISO-2022-JP: an escape, and no character since */
    unsigned lead;   /* of UTF-16: a high surrogate that waits for its other half */
    size_t n_out;
    char out[CHARSET_OUT];
};

/* One character out, in UTF-8. */
void charset_put(struct charset_decoder *decoder, uint32_t c);
/* Bytes to be read again as if they came now. */
void charset_again(struct charset_decoder *decoder, uint8_t byte);
/* The character of these bytes by a converter; false where it knows none. */
bool charset_look_up(struct charset_decoder *decoder, UConverter *icu, const uint8_t *bytes,
                     size_t n);
/* The same for row and cell of JIS X 0208, by a converter of Shift_JIS. */
bool charset_jis(struct charset_decoder *decoder, unsigned row, unsigned cell);

/* charset_pair.c, charset_jp.c: one byte of each way; the pending bytes are the decoder's. */
void charset_gb(struct charset_decoder *decoder, uint8_t byte);
void charset_pair(struct charset_decoder *decoder, uint8_t byte);
void charset_euc_jp(struct charset_decoder *decoder, uint8_t byte);
void charset_iso_2022_jp(struct charset_decoder *decoder, uint8_t byte);
void charset_iso_2022_jp_end(struct charset_decoder *decoder);

#endif
