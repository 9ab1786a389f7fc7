/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/html.h"

#include "lib/test.h"

TEST(text_cannot_become_markup)
{
    static const struct {
        struct str text;
        struct str html;
    } cases[] = {
        {STR_INIT(""), STR_INIT("")},
        {STR_INIT("plain"), STR_INIT("plain")},
        {STR_INIT("<script>"), STR_INIT("&lt;script&gt;")},
        {STR_INIT("a & b"), STR_INIT("a &amp; b")},
        {STR_INIT("&lt;"), STR_INIT("&amp;lt;")},
        {STR_INIT("\" onload='x'"), STR_INIT("&quot; onload=&#39;x&#39;")},
        {STR_INIT("\xc3\xbc\xe2\x82\xac"), STR_INIT("\xc3\xbc\xe2\x82\xac")},
        {STR_INIT("a\tb\n"), STR_INIT("a\tb\n")},
        {STR_INIT("\0\x1b\r\x7f"), STR_INIT("\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd")},
        {STR_INIT("\xc2\x85\xc2\xa0"), STR_INIT("\xef\xbf\xbd\xc2\xa0")},
        {STR_INIT("a\xff<"), STR_INIT("a\xef\xbf\xbd&lt;")},
        {STR_INIT("\xe2<b"), STR_INIT("\xef\xbf\xbd&lt;b")},
        {STR_INIT("\xc0\xbcscript"), STR_INIT("\xef\xbf\xbd\xef\xbf\xbdscript")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf buf;
        buf_init(&buf, 256);
        html_text(&buf, cases[i].text);
        assert_ok(buf_err(&buf));
        assert_str_eq(buf_str(&buf), cases[i].html);
        buf_fini(&buf);
    }
}

TESTS_MAIN(unit(text_cannot_become_markup))
