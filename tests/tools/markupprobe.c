/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lets a test ask wire/markup.h from outside: a line of hexadecimal digits in (the bytes of a
 * page), the hexadecimal of its text out (text and titles, no attributes). */
#include <stdio.h>

#include "base/buf.h"
#include "base/check.h"
#include "wire/markup.h"

enum { LINE_MAX_LEN = 1 << 20 };

static void collect(void *context, enum markup_kind kind, struct str utf8)
{
    if (kind == MARKUP_TEXT || kind == MARKUP_TITLE) {
        buf_append(context, utf8);
    }
}

static void answer(struct str page)
{
    struct markup *markup = NULL;
    struct buf text;
    buf_init(&text, LINE_MAX_LEN);
    CHECK(markup_new(MARKUP_HTML, collect, &text, &markup) == ERR_OK);
    markup_feed(markup, page);
    markup_end(markup);
    CHECK(buf_err(&text) == ERR_OK);
    for (size_t i = 0; i < text.len; i++) {
        printf("%02x", (unsigned)(unsigned char)text.p[i]);
    }
    putchar('\n');
    markup_free(markup);
    buf_fini(&text);
}

int main(void)
{
    static char line[LINE_MAX_LEN];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        size_t len = 0;
        for (; ascii_hex(line[2 * len]) >= 0; len++) {
            line[len] = (char)(ascii_hex(line[2 * len]) << 4 | ascii_hex(line[2 * len + 1]));
        }
        answer(str_make(line, len));
    }
    return 0;
}
