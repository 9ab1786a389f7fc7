/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text into HTML. */
#include "wire/html.h"

#include "wire/utf8.h"

static bool is_control(struct str character)
{
    unsigned char first = (unsigned char)character.p[0];
    if (character.len == 1) {
        return (first < ' ' && first != '\t' && first != '\n') || first == 0x7f;
    }
    /* U+0080 to U+009F. */
    return first == 0xc2 && (unsigned char)character.p[1] < 0xa0;
}

/* What stands for a character that must not stand itself, or the empty slice. */
static struct str replacement(struct str character)
{
    static const struct {
        char c;
        struct str reference;
    } references[] = {
        {'&', STR_INIT("&amp;")},  {'<', STR_INIT("&lt;")},   {'>', STR_INIT("&gt;")},
        {'"', STR_INIT("&quot;")}, {'\'', STR_INIT("&#39;")},
    };
    if (character.len == 0 || is_control(character)) {
        return UTF8_REPLACEMENT;
    }
    for (size_t i = 0; i < sizeof(references) / sizeof(references[0]); i++) {
        if (character.p[0] == references[i].c) {
            return references[i].reference;
        }
    }
    return STR("");
}

void html_text(struct buf *to, struct str text)
{
    struct str run = {text.p, 0};
    while (run.len < text.len) {
        struct str rest = str_skip(text, run.len);
        struct str character = str_make(rest.p, utf8_length(rest));
        struct str instead = replacement(character);
        if (instead.len == 0) {
            run.len += character.len;
            continue;
        }
        buf_append(to, run);
        buf_append(to, instead);
        text = str_skip(rest, character.len != 0 ? character.len : 1);
        run = str_make(text.p, 0);
    }
    buf_append(to, run);
}
