/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/view.h"

#include "lib/test.h"
#include "web/test_views.h"

static void assert_view(void (*view)(struct buf *to, const json_t *document), const char *json,
                        struct str expected)
{
    struct buf buf;
    buf_init(&buf, 65536);
    json_t *document = json != NULL ? json_loads(json, JSON_ALLOW_NUL, NULL) : NULL;
    assert_true(json == NULL || document != NULL);
    view(&buf, document);
    json_decref(document);
    assert_ok(buf_err(&buf));
    assert_str_eq(buf_str(&buf), expected);
    buf_fini(&buf);
}

TEST(each_place_has_its_escaping)
{
    static const struct {
        const char *json;
        struct str html;
    } cases[] = {
        {"{\"x\": \"<b>&\\\"'\"}",
         STR_INIT("<p title=\"&lt;b&gt;&amp;&quot;&#39;\">&lt;b&gt;&amp;&quot;&#39;</p>\n"
                  "<a href=\"/a/%3Cb%3E%26%22%27\"></a>\n<a href=\"#\"></a>\n"
                  "<textarea>&lt;b&gt;&amp;&quot;&#39;</textarea>\n")},
        {"{\"x\": \"javascript:alert(1)\"}",
         STR_INIT("<p title=\"javascript:alert(1)\">javascript:alert(1)</p>\n"
                  "<a href=\"/a/javascript:alert%281%29\"></a>\n<a href=\"#\"></a>\n"
                  "<textarea>javascript:alert(1)</textarea>\n")},
        {"{\"x\": \"/r\\u00e9sum\\u00e9?a=1&b\"}",
         STR_INIT(
             "<p title=\"/r\xc3\xa9sum\xc3\xa9?a=1&amp;b\">/r\xc3\xa9sum\xc3\xa9?a=1&amp;b</p>\n"
             "<a href=\"/a/%2Fr%C3%A9sum%C3%A9%3Fa%3D1%26b\"></a>\n"
             "<a href=\"/r\xc3\xa9sum\xc3\xa9?a=1&amp;b\"></a>\n"
             "<textarea>/r\xc3\xa9sum\xc3\xa9?a=1&amp;b</textarea>\n")},
        {"{\"x\": \"</textarea>a\\r\\nb\\u0000\"}",
         STR_INIT("<p title=\"&lt;/textarea&gt;a\nb\xef\xbf\xbd\">"
                  "&lt;/textarea&gt;a\nb\xef\xbf\xbd</p>\n"
                  "<a href=\"/a/%3C%2Ftextarea%3Ea%0D%0Ab%00\"></a>\n<a href=\"#\"></a>\n"
                  "<textarea>&lt;/textarea&gt;a\nb\xef\xbf\xbd</textarea>\n")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_view(view_places, cases[i].json, cases[i].html);
    }
}

TEST(what_is_missing_is_written_as_nothing)
{
    struct str nothing = STR("<p title=\"\"></p>\n<a href=\"/a/\"></a>\n<a href=\"#\"></a>\n"
                             "<textarea></textarea>\n");
    static const char *const documents[] = {
        NULL, "{}", "[]", "{\"x\": null}", "{\"x\": {\"y\": 1}}", "{\"x\": [1]}", "{\"x\": 1.5}",
    };
    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        assert_view(view_places, documents[i], nothing);
    }
}

TEST(conditions_lists_and_components_follow_the_document)
{
    assert_view(view_flow, "{}", STR("none\n<i class=\"badge\">fixed</i>\n"));
    assert_view(view_flow,
                "{\"rows\": [{\"name\": \"a\", \"kind\": 1}, {\"name\": \"<b>\", \"kind\": \"2\"}],"
                " \"kind\": 2, \"on\": true}",
                STR("1 first a .\n"
                    "<i class=\"badge\">a</i>\n"
                    "2 &lt;b&gt; chosen .\n"
                    "<i class=\"badge wide\" id=\"b-&lt;\">&lt;b&gt;</i>\n"
                    "<i class=\"badge\">fixed</i>\n"));
}

TEST(numbers_and_truths_are_written_and_compared_as_text)
{
    json_t *low = json_integer(INT64_MIN);
    json_t *text = json_string("true");
    assert_true(view_equals(low, STR("-9223372036854775808")));
    assert_true(view_same(json_true(), text));
    assert_false(view_equals(NULL, STR("")));
    assert_false(view_same(NULL, NULL));
    assert_false(view_is_true(json_null()));
    assert_true(view_is_true(text));
    json_decref(low);
    json_decref(text);
}

TESTS_MAIN(unit(each_place_has_its_escaping), unit(what_is_missing_is_written_as_nothing),
           unit(conditions_lists_and_components_follow_the_document),
           unit(numbers_and_truths_are_written_and_compared_as_text))
