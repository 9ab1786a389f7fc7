/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was searched for, out of URLs and forms. */
#include "policy/search.h"

#include "lib/gen.h"
#include "lib/test.h"

struct fixture {
    struct arena arena;
    struct arena work;
    const struct search_rules *rules;
};

static void set_up(struct fixture *fixture)
{
    arena_init(&fixture->arena, 1 << 20);
    arena_init(&fixture->work, 1 << 20);
    assert_ok(search_rules_make(&fixture->arena, &fixture->rules));
}

static void tear_down(struct fixture *fixture)
{
    arena_fini(&fixture->work);
    arena_fini(&fixture->arena);
}

static struct str terms_of(struct fixture *fixture, const char *text, const char *form)
{
    struct url url = {0};
    arena_reset(&fixture->work);
    assert_ok(url_parse(str_from(text), STR("https"), &fixture->work, &url));
    return search_terms(fixture->rules, &url, str_from(form), CHARSET_UNSET, &fixture->work);
}

static const struct {
    const char *url;
    const char *want;
} urls[] = {
    {"https://www.google.com/search?q=red+cats&oq=red", "red cats"},
    {"https://www.google.co.uk/search?q=red%20cats", "red cats"},
    {"https://www.google.com/search?as_q=red&as_epq=big+cats", "red | big cats"},
    {"https://www.google.com/search?q=kittens&q=something+else", "kittens | something else"},
    {"https://www.google.com/search?q=caf%C3%A9", "caf\xc3\xa9"},
    {"https://www.google.com/search?q=caf%E9&ie=ISO-8859-1", "caf\xc3\xa9"},
    {"https://www.google.com/search?q=%D0%BA%D0%BE%D1%82", "\xd0\xba\xd0\xbe\xd1\x82"},
    {"https://www.google.com/search?q=++a%0D%0A+%09b++", "a b"},
    /* In whatever encoding they come. */
    {"https://www.google.com/search?q=%8F%AC%94L&ie=Shift_JIS", "\xe5\xb0\x8f\xe7\x8c\xab"},
    {"https://www.baidu.com/s?ie=gbk&wd=%BC%F2%B5%A5", "\xe7\xae\x80\xe5\x8d\x95"},
    {"https://shop.example/find?enc=windows-1251&q=%EA%EE%F2", "\xd0\xba\xd0\xbe\xd1\x82"},
    {"https://shop.example/find?q=%93cats%94", "\xe2\x80\x9c"
                                               "cats\xe2\x80\x9d"},
    {"https://shop.example/find?q=%26%231082%3B%26%231086%3B%26%231090%3B",
     "\xd0\xba\xd0\xbe\xd1\x82"},
    /* One that says what it is not hides nothing. */
    {"https://www.google.com/search?q=%D0%BA%D0%BE%D1%82&ie=euc-jp", "\xd0\xba\xd0\xbe\xd1\x82"},
    {"https://www.google.com/search?q=caf%C3%A9&ie=windows-1252",
     "caf\xc3\x83\xc2\xa9 | caf\xc3\xa9"},
    {"https://www.google.com/search?q=cats&ie=no-such-thing", "cats"},
    {"https://www.google.com/search?q=", ""},
    {"https://www.google.com/complete/search?q=re&client=x", "re"},
    {"https://www.bing.com/search?q=cats", "cats"},
    {"https://duckduckgo.com/?q=cats&kp=-2", "cats"},
    {"https://search.brave.com/search?q=cats", "cats"},
    {"https://www.ecosia.org/search?q=cats", "cats"},
    {"https://www.ask.com/web?q=cats", "cats"},
    {"https://search.yahoo.com/search?p=cats", "cats"},
    {"https://www.youtube.com/results?search_query=cats+dancing", "cats dancing"},
    {"https://en.wikipedia.org/w/index.php?search=Roman+roads", "Roman roads"},
    {"https://www.amazon.co.uk/s?k=football&ref=nb", "football"},
    {"https://www.amazon.com/s?field-keywords=football", "football"},
    {"https://www.ebay.co.uk/sch/i.html?_nkw=lego", "lego"},
    {"https://www.startpage.com/sp/search?query=cats", "cats"},
    {"https://www.tiktok.com/search?q=dances", "dances"},
    {"https://www.baidu.com/s?wd=%E7%8C%AB", "\xe7\x8c\xab"},
    {"https://yandex.com/search/?text=cats&lr=1", "cats"},
    {"https://search.naver.com/search.naver?query=cats", "cats"},
    {"https://giphy.com/search/funny-cats", "funny-cats"},
    {"https://tenor.com/search/funny%20cats-gifs", "funny cats-gifs"},
    {"https://www.google.com/maps/search/chip+shop/@51.5,-0.1", "chip shop"},
    /* Sites that the table does not know. */
    {"https://shop.example/search?q=bikes", "bikes"},
    {"https://shop.example/find.php?keywords=bikes&page=2", "bikes"},
    {"https://blog.example/?s=bikes", "bikes"},
    {"https://shop.example/en/search/bikes", "bikes"},
    {"https://shop.example/recherche/velos.html", "velos"},
    {"https://shop.example/suche?text=rad", "rad"},
    {"https://lib.example/results?searchTerm=whales&searchType=all", "whales"},
    {"https://forum.example/index.php?search%5Bwords%5D=whales", "whales"},
    {"https://wiki.example/w?tx_search%5Bsword%5D=whales", "whales"},
    {"https://shop.example/list;q=bikes?search=bikes", "bikes"},
    /* What is no search. */
    {"https://cdn.example/lib.js?q=1a2b3c", ""},
    {"https://img.example/photo?q=80&w=1200", ""},
    {"https://img.example/avatar?s=64", ""},
    {"https://news.example/story?id=12&name=front", ""},
    {"https://api.example/graphql?query=%7Buser%7Bid%7D%7D", ""},
    {"https://api.example/graphql?query=query+X+%7Ba%7D", ""},
    {"https://example.org/search?sort=asc&searchType=web&page=2", ""},
    {"https://example.org/search/advanced", ""},
    {"https://example.org/research/papers?title=x", ""},
    {"https://example.org/", ""},
};

TEST(D13_the_words_are_found_where_each_site_keeps_them)
{
    struct fixture f = {0};
    set_up(&f);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct str got = terms_of(&f, urls[i].url, "");
        if (!str_eq(got, str_from(urls[i].want))) {
            fail_msg("%s: \"%.*s\"", urls[i].url, STR_ARG(got));
        }
    }
    tear_down(&f);
}

TEST(D13_the_words_of_a_form_are_in_its_body)
{
    struct fixture f = {0};
    set_up(&f);
    assert_str_eq(terms_of(&f, "https://www.startpage.com/sp/search", "query=red+cats&cat=web"),
                  STR("red cats"));
    assert_str_eq(terms_of(&f, "https://lite.duckduckgo.com/lite/", "q=red%20cats&kl="),
                  STR("red cats"));
    assert_str_eq(terms_of(&f, "https://shop.example/search", "token=9&q=bikes"), STR("bikes"));
    assert_str_eq(terms_of(&f, "https://shop.example/login", "user=a&password=b"), STR(""));
    assert_str_eq(terms_of(&f, "https://shop.example/find", "q=caf%E9"), STR("caf\xc3\xa9"));
    tear_down(&f);
}

TEST(D13_what_is_found_is_bounded_and_whole_letters)
{
    static char text[4096];
    struct fixture f = {0};
    set_up(&f);
    size_t at = (size_t)snprintf(text, sizeof(text), "https://www.google.com/search?q=");
    while (at + 7 < sizeof(text)) {
        memcpy(text + at, "%C3%A9", 6);
        at += 6;
    }
    text[at] = '\0';
    struct str got = terms_of(&f, text, "");
    assert_int_equal(got.len, SEARCH_TERMS_MAX);
    assert_true(str_ends(got, STR("\xc3\xa9")));
    tear_down(&f);
}

TESTS_MAIN(unit(D13_the_words_are_found_where_each_site_keeps_them),
           unit(D13_the_words_of_a_form_are_in_its_body),
           unit(D13_what_is_found_is_bounded_and_whole_letters))
