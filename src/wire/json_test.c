/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/json.h"

#include "lib/gen.h"
#include "lib/test.h"
#include "wire/utf8.h"

static struct str written(struct buf *buf)
{
    assert_ok(buf_err(buf));
    return buf_str(buf);
}

TEST(commas_stand_between_values_only)
{
    struct buf buf;
    buf_init(&buf, 4096);
    json_open_object(&buf);
    json_name(&buf, STR("a"));
    json_i64(&buf, -1);
    json_name(&buf, STR("b"));
    json_open_array(&buf);
    json_u64(&buf, UINT64_MAX);
    json_bool(&buf, true);
    json_none(&buf);
    json_open_array(&buf);
    json_close_array(&buf);
    json_open_object(&buf);
    json_close_object(&buf);
    json_str(&buf, STR("x"));
    json_str(&buf, STR(""));
    json_close_array(&buf);
    json_name(&buf, STR("c"));
    json_open_object(&buf);
    json_name(&buf, STR("d"));
    json_u64(&buf, 1);
    json_close_object(&buf);
    json_name(&buf, STR("e"));
    json_bool(&buf, false);
    json_close_object(&buf);
    assert_str_eq(written(&buf),
                  STR("{\"a\":-1,\"b\":[18446744073709551615,true,null,[],{},\"x\",\"\"],"
                      "\"c\":{\"d\":1},\"e\":false}"));
    buf_fini(&buf);
}

TEST(a_new_line_starts_a_new_text)
{
    struct buf buf;
    buf_init(&buf, 4096);
    for (int i = 0; i < 2; i++) {
        json_open_object(&buf);
        json_close_object(&buf);
        buf_append_byte(&buf, '\n');
    }
    assert_str_eq(written(&buf), STR("{}\n{}\n"));
    buf_fini(&buf);
}

TEST(a_string_that_ends_like_syntax_changes_no_comma)
{
    struct buf buf;
    buf_init(&buf, 4096);
    json_open_array(&buf);
    json_str(&buf, STR("["));
    json_str(&buf, STR(":"));
    json_str(&buf, STR("\n"));
    json_close_array(&buf);
    assert_str_eq(written(&buf), STR("[\"[\",\":\",\"\\n\"]"));
    buf_fini(&buf);
}

TEST(what_json_forbids_is_escaped)
{
    static const struct {
        struct str value;
        struct str text;
    } cases[] = {
        {STR_INIT(""), STR_INIT("\"\"")},
        {STR_INIT("plain, and longer than a word"), STR_INIT("\"plain, and longer than a word\"")},
        {STR_INIT("a\"b"), STR_INIT("\"a\\\"b\"")},
        {STR_INIT("a\\"), STR_INIT("\"a\\\\\"")},
        {STR_INIT("\b\f\n\r\t"), STR_INIT("\"\\b\\f\\n\\r\\t\"")},
        {STR_INIT("12345678\x1f"), STR_INIT("\"12345678\\u001f\"")},
        {STR_INIT("1234567\0"
                  "90"),
         STR_INIT("\"1234567\\u000090\"")},
        {STR_INIT("</script>\x7f"), STR_INIT("\"</script>\x7f\"")},
        {STR_INIT("\xc3\xbc\xe2\x82\xac\xf0\x9f\x92\xa9"),
         STR_INIT("\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x92\xa9\"")},
        {STR_INIT("a\xff"
                  "b"),
         STR_INIT("\"a\xef\xbf\xbd"
                  "b\"")},
        {STR_INIT("\xe2\x82"), STR_INIT("\"\xef\xbf\xbd\xef\xbf\xbd\"")},
        {STR_INIT("\xc3\""), STR_INIT("\"\xef\xbf\xbd\\\"\"")},
        {STR_INIT("\xed\xa0\x80"), STR_INIT("\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"")},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf buf;
        buf_init(&buf, 4096);
        json_str(&buf, cases[i].value);
        assert_str_eq(written(&buf), cases[i].text);
        buf_fini(&buf);
    }
}

/* Each byte at each place of a word, so that no lane of the fast scan is missed. */
TEST(every_byte_at_every_place_is_seen)
{
    for (unsigned byte = 0; byte < 256; byte++) {
        for (size_t at = 0; at < 20; at++) {
            char value[20];
            struct buf buf;
            memset(value, 'a', sizeof(value));
            value[at] = (char)byte;
            buf_init(&buf, 4096);
            json_str(&buf, str_make(value, sizeof(value)));
            bool plain = byte >= ' ' && byte < 0x80 && byte != '"' && byte != '\\';
            assert_int_equal(written(&buf).len == sizeof(value) + 2, plain);
            buf_fini(&buf);
        }
    }
}

TEST(output_is_always_utf8_without_controls)
{
    GEN_RUNS(gen, 3000)
    {
        char value[40];
        struct buf buf;
        buf_init(&buf, 4096);
        json_str(&buf, gen_bytes(&gen, value, gen_below(&gen, sizeof(value))));
        for (struct str rest = written(&buf); rest.len != 0;) {
            size_t length = utf8_length(rest);
            assert_run(gen, length != 0 && (unsigned char)rest.p[0] >= ' ');
            rest = str_skip(rest, length);
        }
        buf_fini(&buf);
    }
}

TEST(a_full_buffer_fails_and_stays_within_its_bounds)
{
    struct buf buf;
    buf_init(&buf, 8);
    json_str(&buf, STR("123456"));
    assert_str_eq(written(&buf), STR("\"123456\""));
    json_str(&buf, STR("x"));
    assert_err(buf_err(&buf), ERR_LIMIT);
    assert_int_equal(buf.len, 8);
    buf_fini(&buf);
}

TESTS_MAIN(unit(commas_stand_between_values_only), unit(a_new_line_starts_a_new_text),
           unit(a_string_that_ends_like_syntax_changes_no_comma),
           unit(what_json_forbids_is_escaped), unit(every_byte_at_every_place_is_seen),
           unit(output_is_always_utf8_without_controls),
           unit(a_full_buffer_fails_and_stays_within_its_bounds))
