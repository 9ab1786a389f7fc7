/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strings out of JSON (RFC 8259), whatever stands around them. */
#include "wire/markup_impl.h"

enum { OUTSIDE, INSIDE, ESCAPE, DIGITS };

enum { UNIT_DIGITS = 4 };

static void put_character(struct markup *markup, uint32_t c)
{
    char bytes[4];
    size_t n = markup_utf8(c, bytes);
    for (size_t i = 0; i < n; i++) {
        markup_put(markup, MARKUP_DATA, bytes[i]);
    }
}

/* Half a pair whose other half did not come. */
static void drop_lead(struct markup *markup)
{
    if (markup->json_lead != 0) {
        put_character(markup, 0xfffd);
        markup->json_lead = 0;
    }
}

static void put_unit(struct markup *markup, uint32_t unit)
{
    uint32_t lead = markup->json_lead;
    if (lead != 0 && (unit & 0xfc00) == 0xdc00) {
        markup->json_lead = 0;
        put_character(markup, 0x10000 + ((lead & 0x3ff) << 10) + (unit & 0x3ff));
        return;
    }
    drop_lead(markup);
    if ((unit & 0xfc00) == 0xd800) {
        markup->json_lead = unit;
    } else {
        put_character(markup, (unit & 0xfc00) == 0xdc00 ? 0xfffd : unit);
    }
}

static void escape(struct markup *markup, char c)
{
    if (c == 'u') {
        markup->json_state = DIGITS;
        markup->json_digits = 0;
        markup->json_unit = 0;
        return;
    }
    drop_lead(markup);
    bool space = c == 'n' || c == 't' || c == 'r' || c == 'f' || c == 'b';
    markup_put(markup, MARKUP_DATA, space ? ' ' : c);
    markup->json_state = INSIDE;
}

static void inside(struct markup *markup, char c)
{
    if (c == '\\') {
        markup->json_state = ESCAPE;
        return;
    }
    drop_lead(markup);
    if (c == '"') {
        markup_break(markup, MARKUP_DATA);
        markup->json_state = OUTSIDE;
    } else {
        markup_put(markup, MARKUP_DATA, c);
    }
}

void markup_json(struct markup *markup, char c)
{
    switch (markup->json_state) {
    case OUTSIDE:
        markup->json_state = c == '"' ? INSIDE : OUTSIDE;
        return;
    case ESCAPE:
        escape(markup, c);
        return;
    case DIGITS:
        if (ascii_hex(c) >= 0) {
            markup->json_unit = markup->json_unit << 4 | (uint32_t)ascii_hex(c);
            if (++markup->json_digits == UNIT_DIGITS) {
                markup->json_state = INSIDE;
                put_unit(markup, markup->json_unit);
            }
            return;
        }
        markup->json_state = INSIDE;
        break;
    }
    inside(markup, c);
}
