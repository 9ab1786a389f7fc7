/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proxy/views.h"

#include "lib/test.h"

static bool holds(const struct buf *page, const char *part)
{
    struct str want = str_from(part);
    return str_find(buf_str(page), want) < page->len;
}

TEST(texts_are_escaped_where_they_stand)
{
    struct buf page;
    buf_init(&page, 65536);
    gate_view_trouble(&page, &(struct gate_view_trouble){
                                 .title = STR("<b>\"&'"),
                                 .why = STR("</title><script>alert(1)</script>"),
                                 .id = STR("0123"),
                             });
    assert_ok(buf_err(&page));
    assert_true(holds(&page, "<title>&lt;b&gt;&quot;&amp;"));
    assert_false(holds(&page, "<script"));
    assert_true(holds(&page, "<code>0123</code>"));
    buf_clear(&page);
    gate_view_home(&page,
                   &(struct gate_view_home){.proxy = STR("p:1"), .gate = STR("a\"/ onclick=x")});
    assert_true(holds(&page, "href=\"http://a%22%2F%20onclick%3Dx/proxy.pac\""));
    buf_fini(&page);
}

TEST(what_is_empty_is_left_out)
{
    struct buf page;
    buf_init(&page, 65536);
    gate_view_block_ks2(&page, &(struct gate_view_block_ks2){.id = STR("1")});
    assert_false(holds(&page, "It is about"));
    buf_clear(&page);
    gate_view_block_ks2(&page,
                        &(struct gate_view_block_ks2){.about = STR("games"), .id = STR("1")});
    assert_true(holds(&page, "<p>It is about games.</p>"));
    buf_fini(&page);
}

TESTS_MAIN(unit(texts_are_escaped_where_they_stand), unit(what_is_empty_is_left_out))
