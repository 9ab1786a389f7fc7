/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text out of HTML, JSON and plain text; every row under every split. */
#include "wire/markup.h"

#include "base/buf.h"
#include "lib/gen.h"
#include "lib/test.h"
#include "wire/markup_impl.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct collected {
    enum markup_kind kind;
    struct buf text;
};

/* "T:...", a mark wherever the kind changes. */
static void collect(void *context, enum markup_kind kind, struct str utf8)
{
    static const char marks[] = "?THAMD";
    struct collected *to = context;
    if (kind != to->kind) {
        buf_append_byte(&to->text, '{');
        buf_append_byte(&to->text, marks[kind]);
        buf_append_byte(&to->text, '}');
        to->kind = kind;
    }
    buf_append(&to->text, utf8);
}

static struct str read_text(enum markup_form form, struct str bytes, size_t piece,
                            struct collected *to)
{
    struct markup *markup = NULL;
    buf_clear(&to->text);
    to->kind = MARKUP_TEXT;
    assert_ok(markup_new(form, collect, to, &markup));
    for (size_t at = 0; at < bytes.len; at += piece) {
        markup_feed(markup, str_sub(bytes, at, piece));
    }
    markup_end(markup);
    markup_free(markup);
    return buf_str(&to->text);
}

static const struct {
    const char *html, *text;
} pages[] = {
    {"a<b>b</b>c<p>d</p>e<br>f", "abc\nd\ne\nf"},
    {"<div> a \n\t b </div>", "a b \n"},
    {"x<script>var a = '<p>no</p>';</script>y<style>p{}</style>z", "xyz"},
    {"a<!-- b -->c<!-->d<!--->e<!-- - -- > --!>f<!--", "acdef"},
    {"a<!DOCTYPE html>b<?php echo ?>c</ x>d</>e", "abcde"},
    {"1 < 2 <3 <", "1 < 2 <3 <"},
    {"<a href='/x' title='T &amp; t'>l</a>", "{A}T & t\n{T}l"},
    {"<img alt=one ALT=two><img alt>x", "{A}one\ntwo\n{T}x"},
    {"a<img alt=\"p>q\">b", "a\n{A}p>q\n{T}b"},
    {"<title>A &lt;b&gt; <i></title>x", "{H}A <b> <i>\n{T}x"},
    {"<textarea><b>&eacute;</textarea>", "<b>\xc3\xa9\n"},
    {"<textarea></textareas></TEXTAREA >x", "</textareas>\nx"},
    {"<xmp><b>&amp;</xmp>", "<b>&amp;\n"},
    {"<plaintext>a</plaintext>", "a</plaintext>"},
    {"<noscript><p>no</p><!-- </noscript>seen -->", "seen -->"},
    {"<input type=hidden value=token><input value='seen'><option value=o>", "{A}seen\no\n"},
    {"<meta name=description content='About'><meta name=viewport content=w>", "{M}About\n"},
    {"<meta content='Og' property='og:title'><meta charset=utf-8>x", "{M}Og\n{T}x"},
    {"<script type='application/ld+json'>{\"a\":[\"b</b>\",1]}</script>x", "{D}a\nb</b>\n{T}x"},
    {"<svg><![CDATA[a<b]]]>c</svg>d<![CDATA[e]]>f", "a<b]cdf"},
    {"<svg><style>a</style></svg><style>b</style>", "a"},
    {"<svg><p><style>b</style>c", "\nc"},
    {"<select><style></select>seen", "seen"},
    {"&amp;&lt;&#65;&#x42;&#X43;&#x1F600;&nbsp;.", "&<ABC\xf0\x9f\x98\x80\xc2\xa0."},
    {"&notit; &notin; &amp &ampx &xyz; &;&#;&#x;&",
     "\xc2\xacit; \xe2\x88\x89 & &x &xyz; &;&#;&#x;&"},
    {"<i title='&ampx &amp= &amp; &notin; &not'>", "{A}&ampx &amp= & \xe2\x88\x89 \xc2\xac\n"},
    {"&#0;&#x110000;&#xd800;&#128;&#99999999999;",
     "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac\xef\xbf\xbd"},
    {"&CounterClockwiseContourIntegral;&fjlig;", "\xe2\x88\xb3"
                                                 "fj"},
    {"&ThisNameIsLongerThanAnyThatThereIsInTheStandard;",
     "&ThisNameIsLongerThanAnyThatThereIsInTheStandard;"},
    {"<b title=a/b>x<b title=\"c\"d>y<b/title='e'/>z", "{A}a/b\n{T}x\n{A}c\n{T}y\n{A}e\n{T}z"},
    {"<b =x title=q>y", "{A}q\n{T}y"},
    {"<td>1<td>2<tr><li>3", "1\n2\n3"},
    {"&lt", "<"},
    {"<img alt=a> b", "{A}a\n{T}b"},
    {"&#X", "&#X"},
    {"a</", "a</"},
    {"<script>a</scr", ""},
    {"<title>a</ti", "{H}a</ti"},
};

TEST(pages_give_what_people_see_under_every_split)
{
    struct collected got;
    buf_init(&got.text, 1 << 16);
    for (size_t i = 0; i < COUNT(pages); i++) {
        struct str html = str_from(pages[i].html);
        for (size_t piece = 1; piece <= html.len; piece++) {
            struct str text = read_text(MARKUP_HTML, html, piece, &got);
            /* A page may begin with white space that stands for nothing. */
            struct str want = str_from(pages[i].text);
            want = want.len != 0 && want.p[0] == '\n' ? str_skip(want, 1) : want;
            if (!str_eq(text, want)) {
                fail_msg("page %zu in pieces of %zu: \"%.*s\", want \"%.*s\"", i, piece,
                         STR_ARG(text), STR_ARG(want));
            }
        }
    }
    buf_fini(&got.text);
}

TEST(JSON_gives_its_names_and_strings)
{
    static const struct {
        const char *json, *text;
    } rows[] = {
        {"{\"a\":\"b c\",\"d\":[1,true,\"e\"]}", "{D}a\nb c\nd\ne\n"},
        {"\"\\u0041\\n\\\"\\\\\\/\\ud83d\\ude00\"", "{D}A \"\\/\xf0\x9f\x98\x80\n"},
        {"\"\\ud83dx\\ude00\\ud83d\"", "{D}\xef\xbf\xbdx\xef\xbf\xbd\xef\xbf\xbd\n"},
        {"\"\\u00zz\"", "{D}zz\n"},
        {"\"open", "{D}open"},
        {"", ""},
    };
    struct collected got;
    buf_init(&got.text, 1 << 16);
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct str json = str_from(rows[i].json);
        for (size_t piece = 1; piece <= json.len; piece++) {
            assert_str_eq(read_text(MARKUP_JSON, json, piece, &got), str_from(rows[i].text));
        }
    }
    buf_fini(&got.text);
}

TEST(plain_text_is_as_it_is)
{
    struct collected got;
    buf_init(&got.text, 1 << 16);
    assert_str_eq(read_text(MARKUP_PLAIN, STR("a <b>\n&amp; "), 3, &got), STR("a <b>\n&amp; "));
    buf_fini(&got.text);
}

TEST(how_bytes_come_in_pieces_never_changes_what_is_read)
{
    static const char *const parts[] = {
        "<",        ">",        "/",      "=",     "\"",      "'",    "&",       "amp",
        ";",        "#",        "x41",    "!--",   "-->",     "-",    "!",       "script",
        "style",    "title",    " ",      "\n",    "p",       "b",    "svg",     "[CDATA[",
        "]]>",      "alt",      "select", "input", "value",   "meta", "content", "name",
        "textarea", "noscript", "a",      "not",   "type",    "json", "hidden",  "\xc3\xa9",
        "\\u00e",   "{\"k\":",  "<p>",    "</",    "keywords"};
    struct collected whole;
    struct collected pieces;
    buf_init(&whole.text, 1 << 20);
    buf_init(&pieces.text, 1 << 20);
    GEN_RUNS(gen, 4000)
    {
        struct buf html;
        buf_init(&html, 1 << 16);
        for (size_t n = gen_below(&gen, 60); n > 0; n--) {
            buf_append(&html, str_from(GEN_PICK(&gen, parts)));
        }
        enum markup_form form = gen_chance(&gen, 80) ? MARKUP_HTML : MARKUP_JSON;
        struct str a = read_text(form, buf_str(&html), html.len + 1, &whole);
        struct str b = read_text(form, buf_str(&html), gen_below(&gen, 5) + 1, &pieces);
        assert_run(gen, str_eq(a, b));
        buf_fini(&html);
    }
    buf_fini(&whole.text);
    buf_fini(&pieces.text);
}

TEST(a_page_of_any_size_comes_whole)
{
    struct collected got;
    struct buf html;
    buf_init(&html, 1 << 20);
    buf_init(&got.text, 1 << 20);
    for (size_t i = 0; i < 3 * MARKUP_OUT; i++) {
        buf_append(&html, STR("\xe2\x82\xac"));
    }
    struct str text = read_text(MARKUP_HTML, buf_str(&html), html.len, &got);
    assert_str_eq(text, buf_str(&html));
    buf_fini(&html);
    buf_fini(&got.text);
}

TEST(the_tables_are_sorted)
{
    static const char *const some[] = {"address", "b", "desc", "h6", "iframe", "xmp", "title"};
    for (size_t i = 0; i < COUNT(some); i++) {
        assert_non_null(markup_element_find(str_from(some[i])));
    }
    assert_null(markup_element_find(STR("blink")));
    for (size_t i = 1; i < markup_n_entities; i++) {
        const struct markup_entity *a = &markup_entities[i - 1];
        const struct markup_entity *b = &markup_entities[i];
        assert_true(str_compare(str_make(a->name, a->len), str_make(b->name, b->len)) < 0);
    }
    assert_true(markup_n_entities > 2000);
}

TEST(types_have_a_form_or_no_text)
{
    enum markup_form form = MARKUP_PLAIN;
    assert_true(markup_form_of_type(STR("Text/HTML; charset=x"), &form));
    assert_int_equal(form, MARKUP_HTML);
    assert_true(markup_form_of_type(STR("application/activity+json"), &form));
    assert_int_equal(form, MARKUP_JSON);
    assert_false(markup_form_of_type(STR("image/png"), &form));
    assert_false(markup_form_of_type(STR(""), &form));
}

TESTS_MAIN(unit(pages_give_what_people_see_under_every_split),
           unit(JSON_gives_its_names_and_strings), unit(plain_text_is_as_it_is),
           unit(how_bytes_come_in_pieces_never_changes_what_is_read),
           unit(a_page_of_any_size_comes_whole), unit(the_tables_are_sorted),
           unit(types_have_a_form_or_no_text))
