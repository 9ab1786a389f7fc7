/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes in any encoding: whole and in pieces, alike, and always UTF-8. The first byte picks the
 * encoding, the second the size of the pieces. */
#include "base/buf.h"
#include "base/check.h"
#include "wire/charset.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void collect(void *context, struct str utf8)
{
    for (struct str rest = utf8; rest.len != 0; rest = str_skip(rest, utf8_length(rest))) {
        CHECK(utf8_length(rest) != 0);
    }
    buf_append(context, utf8);
}

static void decode(enum charset charset, struct str bytes, size_t piece, struct buf *to)
{
    struct charset_decoder *decoder = NULL;
    CHECK(charset_open(charset, collect, to, &decoder) == ERR_OK);
    for (size_t at = 0; at < bytes.len; at += piece) {
        charset_feed(decoder, str_sub(bytes, at, piece));
    }
    charset_end(decoder);
    charset_close(decoder);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    struct str bytes = str_make((const char *)data + 2, size - 2);
    enum charset charset = (enum charset)(data[0] % (CHARSET_COUNT_ - 1u) + 1u);
    struct buf whole;
    struct buf parts;
    size_t skip = 0;
    buf_init(&whole, 4 * size + 16);
    buf_init(&parts, 4 * size + 16);
    decode(charset, bytes, bytes.len + 1, &whole);
    decode(charset, bytes, data[1] % 16u + 1, &parts);
    CHECK(str_eq(buf_str(&whole), buf_str(&parts)));
    (void)charset_of_body(bytes, charset_of_type(bytes), CHARSET_HINT_HTML, CHARSET_UTF_8, &skip);
    CHECK(skip <= bytes.len);
    buf_fini(&whole);
    buf_fini(&parts);
    return 0;
}
