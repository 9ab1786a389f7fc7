/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a page or as JSON: whole and in pieces, alike. The first byte picks the form and the
 * size of the pieces. */
#include "base/buf.h"
#include "base/check.h"
#include "wire/markup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct collected {
    enum markup_kind kind;
    struct buf text;
};

static void collect(void *context, enum markup_kind kind, struct str utf8)
{
    struct collected *to = context;
    CHECK(kind > MARKUP_UNSET && kind <= MARKUP_DATA && utf8.len != 0);
    if (kind != to->kind) {
        buf_append_byte(&to->text, (char)kind);
        to->kind = kind;
    }
    buf_append(&to->text, utf8);
}

static void read_text(enum markup_form form, struct str bytes, size_t piece, struct collected *to)
{
    struct markup *markup = NULL;
    CHECK(markup_new(form, collect, to, &markup) == ERR_OK);
    for (size_t at = 0; at < bytes.len; at += piece) {
        markup_feed(markup, str_sub(bytes, at, piece));
    }
    markup_end(markup);
    markup_free(markup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct str bytes = str_make((const char *)data + 1, size - 1);
    enum markup_form form = (data[0] & 1) != 0 ? MARKUP_JSON : MARKUP_HTML;
    struct collected whole = {.kind = MARKUP_TEXT};
    struct collected parts = {.kind = MARKUP_TEXT};
    buf_init(&whole.text, 16 * size + 64);
    buf_init(&parts.text, 16 * size + 64);
    read_text(form, bytes, bytes.len + 1, &whole);
    read_text(form, bytes, data[0] % 16u + 1, &parts);
    CHECK(buf_err(&whole.text) == ERR_OK);
    CHECK(str_eq(buf_str(&whole.text), buf_str(&parts.text)));
    buf_fini(&whole.text);
    buf_fini(&parts.text);
    return 0;
}
