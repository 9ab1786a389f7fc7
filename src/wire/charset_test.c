/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Encodings: rows of bytes and their text, and that no encoding swallows what a browser would not.
 */
#include "wire/charset.h"

#include "base/buf.h"
#include "lib/gen.h"
#include "lib/test.h"
#include "wire/utf8.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void collect(void *context, struct str utf8)
{
    struct str rest = utf8;
    while (rest.len != 0) {
        size_t n = utf8_length(rest);
        assert_true(n != 0);
        rest = str_skip(rest, n);
    }
    buf_append(context, utf8);
}

static void decode(enum charset charset, struct str bytes, size_t piece, struct buf *to)
{
    struct charset_decoder *decoder = NULL;
    buf_clear(to);
    assert_ok(charset_open(charset, collect, to, &decoder));
    for (size_t at = 0; at < bytes.len; at += piece) {
        charset_feed(decoder, str_sub(bytes, at, piece));
    }
    charset_end(decoder);
    charset_close(decoder);
}

#define FFFD "\xef\xbf\xbd"

static const struct {
    const char *label;
    struct str bytes;
    const char *text;
} rows[] = {
    {"utf-8", STR_INIT("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"),
     "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"},
    {"utf-8", STR_INIT("\xc0\xaf<"), FFFD FFFD "<"},
    {"utf-8", STR_INIT("\xe2\x82<"), FFFD "<"},
    {"utf-8", STR_INIT("\xed\xa0\x80"), FFFD FFFD FFFD},
    {"utf-8", STR_INIT("\xf4\x90\x80\x80x"), FFFD FFFD FFFD FFFD "x"},
    {"utf-8", STR_INIT("\xf0\x9f\x98"), FFFD},
    {"latin1", STR_INIT("\x80\x93\xe9\x81"), "\xe2\x82\xac\xe2\x80\x9c\xc3\xa9\xc2\x81"},
    {"iso-8859-16", STR_INIT("\xa1\xa4\xfe\xe9"), "\xc4\x84\xe2\x82\xac\xc8\x9b\xc3\xa9"},
    {"koi8-u", STR_INIT("\xae\xbe\xc1"), "\xd1\x9e\xd0\x8e\xd0\xb0"},
    {"windows-874", STR_INIT("\xa1\xdb"), "\xe0\xb8\x81" FFFD},
    {"windows-1253", STR_INIT("\xaa\xe1"), FFFD "\xce\xb1"},
    {"shift_jis", STR_INIT("\x93\xfa\x96{\xb1\\"), "\xe6\x97\xa5\xe6\x9c\xac\xef\xbd\xb1\\"},
    {"shift_jis", STR_INIT("\x81<\x81\x7f\x80\xa0"), FFFD "<" FFFD "\x7f\xc2\x80" FFFD},
    {"shift_jis", STR_INIT("\xf0\x40"), "\xee\x80\x80"},
    {"windows-31j", STR_INIT("\x81\x60\x87\x40"), "\xef\xbd\x9e\xe2\x91\xa0"},
    {"euc-jp", STR_INIT("\xc6\xfc\xcb\xdc\x8e\xb1\x8f\xb0\xa1"),
     "\xe6\x97\xa5\xe6\x9c\xac\xef\xbd\xb1\xe4\xb8\x82"},
    {"euc-jp", STR_INIT("\xc6<\x8f\xb0<\x8e"), FFFD "<" FFFD "<" FFFD},
    {"iso-2022-jp", STR_INIT("a\x1b$BF|K\\\x1b(Bb\x1b(J\\~\x1b(I1"),
     "a\xe6\x97\xa5\xe6\x9c\xac"
     "b\xc2\xa5\xe2\x80\xbe\xef\xbd\xb1"},
    {"iso-2022-jp", STR_INIT("\x1b(X<\x0e\xff"), FFFD "(X<" FFFD FFFD},
    {"iso-2022-jp", STR_INIT("a\x1b$"), "a" FFFD "$"},
    {"gb2312", STR_INIT("\xc4\xe3\xba\xc3\x80"), "\xe4\xbd\xa0\xe5\xa5\xbd\xe2\x82\xac"},
    {"gb18030", STR_INIT("\x81\x30\x81\x30\x95\x32\x82\x36"), "\xc2\x80\xf0\xa0\x80\x80"},
    {"gbk", STR_INIT("\x81<\xff\x81\x30<a"), FFFD "<" FFFD FFFD "0<a"},
    {"gbk", STR_INIT("\x81\x30\x81<"), FFFD "0" FFFD "<"},
    {"big5", STR_INIT("\xa7\x41\xa6\x6e\x88\x62"), "\xe4\xbd\xa0\xe5\xa5\xbd\xc3\x8a\xcc\x84"},
    {"big5", STR_INIT("\x81<\xa7<\xff"), FFFD "<" FFFD "<" FFFD},
    {"ks_c_5601-1987", STR_INIT("\xbe\xc8\xb3\xe7\x81<"), "\xec\x95\x88\xeb\x85\x95" FFFD "<"},
    {"utf-16", STR_INIT("a\0<\0\x3d\xd8\x00\xde"), "a<\xf0\x9f\x98\x80"},
    {"utf-16be", STR_INIT("\0a\xd8\x3d\0<\0"), "a" FFFD "<" FFFD},
    {"utf-16le", STR_INIT("\x00\xde"), FFFD},
    {"iso-2022-kr", STR_INIT("anything at all"), FFFD},
    {"x-user-defined", STR_INIT("a\x80\xff"), "a\xef\x9e\x80\xef\x9f\xbf"},
};

TEST(each_encoding_reads_as_the_standard_says_under_every_split)
{
    struct buf got;
    buf_init(&got, 1 << 16);
    for (size_t i = 0; i < COUNT(rows); i++) {
        enum charset charset = charset_find(str_from(rows[i].label));
        assert_int_not_equal(charset, CHARSET_UNSET);
        for (size_t piece = 1; piece <= rows[i].bytes.len; piece++) {
            decode(charset, rows[i].bytes, piece, &got);
            if (!str_eq(buf_str(&got), str_from(rows[i].text))) {
                fail_msg("row %zu (%s) in pieces of %zu: \"%.*s\"", i, rows[i].label, piece,
                         STR_ARG(buf_str(&got)));
            }
        }
    }
    buf_fini(&got);
}

/* ASCII bytes but those that the encoding itself takes as the second of a pair. */
TEST(no_encoding_swallows_the_signs_of_markup)
{
    struct buf got;
    buf_init(&got, 1 << 16);
    for (unsigned c = CHARSET_UNSET + 1; c < CHARSET_COUNT_; c++) {
        if (c == CHARSET_REPLACEMENT || c == CHARSET_UTF_16BE || c == CHARSET_UTF_16LE) {
            continue;
        }
        for (unsigned lead = 0x80; lead < 0x100; lead++) {
            static const char signs[] = "<>&\"' \n=/";
            for (size_t s = 0; s < sizeof(signs) - 1; s++) {
                char bytes[2] = {(char)lead, signs[s]};
                decode((enum charset)c, str_make(bytes, 2), 2, &got);
                assert_true(got.len > 0);
                assert_int_equal(got.p[got.len - 1], signs[s]);
            }
        }
    }
    buf_fini(&got);
}

TEST(any_bytes_give_the_same_text_under_every_split)
{
    struct buf whole;
    struct buf parts;
    buf_init(&whole, 1 << 20);
    buf_init(&parts, 1 << 20);
    GEN_RUNS(gen, 300)
    {
        char bytes[512];
        size_t n = gen_below(&gen, sizeof(bytes));
        struct str some = gen_bytes(&gen, bytes, n);
        for (size_t i = 0; i < n; i++) {
            bytes[i] = gen_chance(&gen, 20) ? (char)(bytes[i] & 0x7f) : bytes[i];
        }
        for (unsigned c = CHARSET_UNSET + 1; c < CHARSET_COUNT_; c++) {
            decode((enum charset)c, some, n + 1, &whole);
            decode((enum charset)c, some, gen_below(&gen, 7) + 1, &parts);
            assert_run(gen, str_eq(buf_str(&whole), buf_str(&parts)));
        }
    }
    buf_fini(&whole);
    buf_fini(&parts);
}

TEST(labels_are_found_in_any_case)
{
    static const struct {
        const char *label, *name;
    } labels[] = {
        {" UTF8\n", "utf-8"},           {"ISO-8859-1", "windows-1252"},
        {"us-ascii", "windows-1252"},   {"gb_2312-80", "gbk"},
        {"ksc5601", "euc-kr"},          {"Shift-JIS", "shift_jis"},
        {"iso-8859-9", "windows-1254"}, {"tis-620", "windows-874"},
        {"logical", "iso-8859-8-i"},    {"hz-gb-2312", "replacement"},
        {"ucs-2", "utf-16le"},
    };
    for (size_t i = 0; i < COUNT(labels); i++) {
        enum charset found = charset_find(str_from(labels[i].label));
        assert_str_eq(charset_name(found), str_from(labels[i].name));
    }
    assert_int_equal(charset_find(STR("")), CHARSET_UNSET);
    assert_int_equal(charset_find(STR("utf-7")), CHARSET_UNSET);
    assert_int_equal(charset_find(STR("utf-8 utf8")), CHARSET_UNSET);
}

TEST(the_mark_then_the_type_then_the_body_says_the_encoding)
{
    static const struct {
        const char *head, *type;
        enum charset_hint hint;
        enum charset charset;
        size_t skip;
    } heads[] = {
        {"\xef\xbb\xbf<meta charset=big5>", "text/html;charset=gbk", CHARSET_HINT_HTML,
         CHARSET_UTF_8, 3},
        {"\xff\xfex", "", CHARSET_HINT_NONE, CHARSET_UTF_16LE, 2},
        {"<meta charset=big5>", "text/html; charset=gbk", CHARSET_HINT_HTML, CHARSET_GBK, 0},
        {"<meta charset=big5>", "text/html; charset=nonsense", CHARSET_HINT_HTML, CHARSET_BIG5, 0},
        {"<html><META\tCharSet='Big5'/>", "text/html", CHARSET_HINT_HTML, CHARSET_BIG5, 0},
        {"<meta http-equiv=Content-Type content=\"text/html; charset=koi8-r\">", "",
         CHARSET_HINT_HTML, CHARSET_KOI8_R, 0},
        {"<meta content='text/html; charset=koi8-r' http-equiv='content-type'>", "",
         CHARSET_HINT_HTML, CHARSET_KOI8_R, 0},
        {"<meta name=x content='text/html; charset=koi8-r'>", "", CHARSET_HINT_HTML,
         CHARSET_WINDOWS_1252, 0},
        {"<!-- <meta charset=big5> --><meta charset=utf-16>", "", CHARSET_HINT_HTML, CHARSET_UTF_8,
         0},
        {"<a title='<meta charset=big5>'><meta charset=gbk>", "", CHARSET_HINT_HTML, CHARSET_GBK,
         0},
        {"<metadata charset=big5>", "", CHARSET_HINT_HTML, CHARSET_WINDOWS_1252, 0},
        {"<meta charset=\"big5", "", CHARSET_HINT_HTML, CHARSET_WINDOWS_1252, 0},
        {"<meta charset=big5>", "", CHARSET_HINT_NONE, CHARSET_WINDOWS_1252, 0},
        {"<?xml version=\"1.0\" encoding='koi8-r'?>", "", CHARSET_HINT_XML, CHARSET_KOI8_R, 0},
        {"<?xml version=\"1.0\"?>", "", CHARSET_HINT_XML, CHARSET_WINDOWS_1252, 0},
        {"", "text/plain; charset=\"utf-8\"", CHARSET_HINT_NONE, CHARSET_UTF_8, 0},
        {"", "text/plain; a=b;CHARSET=UTF-8;x", CHARSET_HINT_NONE, CHARSET_UTF_8, 0},
    };
    for (size_t i = 0; i < COUNT(heads); i++) {
        size_t skip = 9;
        enum charset got =
            charset_of_body(str_from(heads[i].head), charset_of_type(str_from(heads[i].type)),
                            heads[i].hint, CHARSET_WINDOWS_1252, &skip);
        if (got != heads[i].charset || skip != heads[i].skip) {
            fail_msg("row %zu: %.*s", i, STR_ARG(charset_name(got)));
        }
    }
}

TEST(a_mark_far_in_is_not_looked_for)
{
    struct buf head;
    size_t skip = 0;
    buf_init(&head, 1 << 16);
    for (size_t i = 0; i < CHARSET_HEAD; i++) {
        buf_append_byte(&head, ' ');
    }
    buf_append(&head, STR("<meta charset=big5>"));
    assert_int_equal(charset_of_body(buf_str(&head), CHARSET_UNSET, CHARSET_HINT_HTML,
                                     CHARSET_WINDOWS_1252, &skip),
                     CHARSET_WINDOWS_1252);
    buf_fini(&head);
}

TESTS_MAIN(unit(each_encoding_reads_as_the_standard_says_under_every_split),
           unit(no_encoding_swallows_the_signs_of_markup),
           unit(any_bytes_give_the_same_text_under_every_split), unit(labels_are_found_in_any_case),
           unit(the_mark_then_the_type_then_the_body_says_the_encoding),
           unit(a_mark_far_in_is_not_looked_for))
