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

static void assert_written(void (*writer)(struct buf *to, struct str text), struct str text,
                           struct str html)
{
    struct buf buf;
    buf_init(&buf, 256);
    writer(&buf, text);
    assert_ok(buf_err(&buf));
    assert_str_eq(buf_str(&buf), html);
    buf_fini(&buf);
}

TEST(a_part_of_a_url_cannot_leave_its_place)
{
    assert_written(html_url_part, STR("aZ09-._~:"), STR("aZ09-._~:"));
    assert_written(html_url_part, STR("../a?b#c&d=e\"'<>%"),
                   STR("..%2Fa%3Fb%23c%26d%3De%22%27%3C%3E%25"));
    assert_written(html_url_part, STR("\xc3\xbc\0\n"), STR("%C3%BC%00%0A"));
}

TEST(a_whole_url_leads_to_a_page_or_nowhere)
{
    static const struct str good[] = {
        STR_INIT("/"),          STR_INIT("/a?b=c#d"),
        STR_INIT("#x"),         STR_INIT("?p=2"),
        STR_INIT("http://a.b"), STR_INIT("https://a.b/c?d=%20"),
        STR_INIT("tel:999"),    STR_INIT("mailto:office@school.example"),
    };
    static const struct str bad[] = {
        STR_INIT(""),
        STR_INIT("a"),
        STR_INIT("javascript:alert(1)"),
        STR_INIT("JaVaScRiPt:alert(1)"),
        STR_INIT(" javascript:alert(1)"),
        STR_INIT("java\tscript:alert(1)"),
        STR_INIT("\x01javascript:alert(1)"),
        STR_INIT("data:text/html,x"),
        STR_INIT("vbscript:x"),
        STR_INIT("//evil.example"),
        STR_INIT("/\\evil.example"),
        STR_INIT("\\\\evil.example"),
        STR_INIT("/\t/evil.example"),
        STR_INIT("/\n/evil.example"),
    };
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        assert_written(html_url_whole, good[i], good[i]);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_written(html_url_whole, bad[i], STR("#"));
    }
    assert_written(html_url_whole, STR("/a?b=\"&c='"), STR("/a?b=&quot;&amp;c=&#39;"));
}

TESTS_MAIN(unit(text_cannot_become_markup), unit(a_part_of_a_url_cannot_leave_its_place),
           unit(a_whole_url_leads_to_a_page_or_nowhere))
