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

static bool stands_in_url(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c) || str_index(STR("-._~:"), c) < 5;
}

void html_url_part(struct buf *to, struct str text)
{
    static const char hex[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.p[i];
        if (stands_in_url(text.p[i])) {
            buf_append_byte(to, text.p[i]);
        } else {
            buf_append_byte(to, '%');
            buf_append_byte(to, hex[c >> 4]);
            buf_append_byte(to, hex[c & 15]);
        }
    }
}

/* Browsers drop tabs and line ends out of a URL and take "\" for "/": none of them may hide what a
 * URL begins with. */
static bool is_plain(struct str url)
{
    for (size_t i = 0; i < url.len; i++) {
        if ((unsigned char)url.p[i] <= ' ' || url.p[i] == '\\' || url.p[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool leads_somewhere(struct str url)
{
    static const struct str beginnings[] = {STR_INIT("#"),       STR_INIT("?"),
                                            STR_INIT("http://"), STR_INIT("https://"),
                                            STR_INIT("mailto:"), STR_INIT("tel:")};
    if (!is_plain(url)) {
        return false;
    }
    if (str_starts(url, STR("/"))) {
        return !str_starts(url, STR("//"));
    }
    for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
        if (str_starts(url, beginnings[i])) {
            return true;
        }
    }
    return false;
}

void html_url_whole(struct buf *to, struct str text)
{
    html_text(to, leads_somewhere(text) ? text : STR("#"));
}
