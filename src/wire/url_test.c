/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/url.h"

#include "lib/gen.h"
#include "lib/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { ARENA_MAX = 1 << 20 };

/* "scheme://host:port/path?query" of what was read, for comparing in one go. */
static struct str printed(const struct url *url, char to[4 * LIMIT_URL_LEN])
{
    int n = snprintf(to, 4 * LIMIT_URL_LEN, "%.*s://%s:%u%.*s%s%.*s", STR_ARG(url->scheme),
                     url->host.text, url->port, STR_ARG(url->path), url->has_query ? "?" : "",
                     STR_ARG(url->query));
    return str_make(to, (size_t)n);
}

struct spelling {
    struct str text;
    const char *canonical;
};

static void check_spellings(const struct spelling *cases, size_t count)
{
    static char got[4 * LIMIT_URL_LEN];
    for (size_t i = 0; i < count; i++) {
        struct arena arena;
        struct url url;
        arena_init(&arena, ARENA_MAX);
        enum err err = url_parse(cases[i].text, STR("http"), &arena, &url);
        if (err != ERR_OK) {
            fail_msg("%.*s: %s", STR_ARG(cases[i].text), err_text(err));
        }
        assert_str_eq(printed(&url, got), str_from(cases[i].canonical));
        arena_fini(&arena);
    }
}

TEST(schemes_hosts_and_ports_are_read_as_a_browser_does)
{
    static const struct spelling cases[] = {
        {STR_INIT("http://a.example"), "http://a.example:80/"},
        {STR_INIT("https://a.example/"), "https://a.example:443/"},
        {STR_INIT("HTTPS://A.Example./B"), "https://a.example:443/B"},
        {STR_INIT("ws://a.example"), "ws://a.example:80/"},
        {STR_INIT("wss://a.example"), "wss://a.example:443/"},
        {STR_INIT("ftp://a.example/b"), "ftp://a.example:21/b"},
        {STR_INIT("http://a.example:8080/b"), "http://a.example:8080/b"},
        {STR_INIT("http://a.example:/b"), "http://a.example:80/b"},
        {STR_INIT("http://a.example:0080/b"), "http://a.example:80/b"},
        {STR_INIT("https:a.example/b"), "https://a.example:443/b"},
        {STR_INIT("http:/a.example"), "http://a.example:80/"},
        {STR_INIT("http:////a.example"), "http://a.example:80/"},
        {STR_INIT("http:\\\\a.example\\b"), "http://a.example:80/b"},
        {STR_INIT("http:/\\a.example"), "http://a.example:80/"},
        {STR_INIT("  \x01 http://a.example/b \r\n"), "http://a.example:80/b"},
        {STR_INIT("ht\ntp://a.exa\tmple/\r\nb"), "http://a.example:80/b"},
        {STR_INIT("http://0x7f.1/"), "http://127.0.0.1:80/"},
        {STR_INIT("http://[::FFFF:7f00:1]:81/"), "http://127.0.0.1:81/"},
        {STR_INIT("http://[2001:DB8::1]/"), "http://2001:db8::1:80/"},
        {STR_INIT("http://b\xc3\xbc"
                  "cher.example/"),
         "http://xn--bcher-kva.example:80/"},
        {STR_INIT("http://a%2eexample/"), "http://a.example:80/"},
        {STR_INIT("http://a.example?b"), "http://a.example:80/?b"},
        {STR_INIT("http://a.example#b"), "http://a.example:80/"},
        {STR_INIT("http://a.example\\@b.example/"), "http://a.example:80/@b.example/"},
    };
    check_spellings(cases, COUNT(cases));
}

TEST(userinfo_is_dropped_and_deceives_nobody)
{
    static const struct spelling cases[] = {
        {STR_INIT("http://u@a.example/b"), "http://a.example:80/b"},
        {STR_INIT("http://u:p@a.example:81/b"), "http://a.example:81/b"},
        {STR_INIT("http://good.example@bad.example/"), "http://bad.example:80/"},
        {STR_INIT("http://good.example:80@bad.example/"), "http://bad.example:80/"},
        {STR_INIT("http://a@b@c.example/"), "http://c.example:80/"},
        {STR_INIT("http://@a.example/"), "http://a.example:80/"},
        {STR_INIT("http://good.example%40bad.example@c.example/"), "http://c.example:80/"},
        {STR_INIT("http://bad.example/@good.example/"), "http://bad.example:80/@good.example/"},
        {STR_INIT("http://bad.example?@good.example/"), "http://bad.example:80/?@good.example/"},
        {STR_INIT("http://bad.example#@good.example/"), "http://bad.example:80/"},
    };
    check_spellings(cases, COUNT(cases));
}

TEST(a_scheme_may_be_left_out)
{
    static const struct spelling cases[] = {
        {STR_INIT("a.example"), "http://a.example:80/"},
        {STR_INIT("a.example/b?c"), "http://a.example:80/b?c"},
        {STR_INIT("a.example:8080/b"), "http://a.example:8080/b"},
        {STR_INIT("//a.example/b"), "http://a.example:80/b"},
        {STR_INIT("127.1:81"), "http://127.0.0.1:81/"},
        {STR_INIT("[::1]:81/b"), "http://::1:81/b"},
        {STR_INIT("a.example/http://b.example/"), "http://a.example:80/http:/b.example/"},
        {STR_INIT("a.example?x=http://b.example/"), "http://a.example:80/?x=http://b.example/"},
    };
    check_spellings(cases, COUNT(cases));
}

TEST(a_path_has_one_form)
{
    static const struct spelling cases[] = {
        {STR_INIT("http://h/a/b"), "http://h:80/a/b"},
        {STR_INIT("http://h/a/./b"), "http://h:80/a/b"},
        {STR_INIT("http://h/a/../b"), "http://h:80/b"},
        {STR_INIT("http://h/a/%2e%2E/b"), "http://h:80/b"},
        {STR_INIT("http://h/a/.%2e/b/%2e"), "http://h:80/b/"},
        {STR_INIT("http://h/../../a"), "http://h:80/a"},
        {STR_INIT("http://h/a/.."), "http://h:80/"},
        {STR_INIT("http://h/a/b/.."), "http://h:80/a/"},
        {STR_INIT("http://h/a/b/."), "http://h:80/a/b/"},
        {STR_INIT("http://h/a/b/./"), "http://h:80/a/b/"},
        {STR_INIT("http://h/."), "http://h:80/"},
        {STR_INIT("http://h/.."), "http://h:80/"},
        {STR_INIT("http://h/..a/.b/c."), "http://h:80/..a/.b/c."},
        {STR_INIT("http://h/a/.../b"), "http://h:80/a/.../b"},
        {STR_INIT("http://h/.well-known/x"), "http://h:80/.well-known/x"},
        {STR_INIT("http://h//a///b//"), "http://h:80/a/b/"},
        {STR_INIT("http://h//"), "http://h:80/"},
        {STR_INIT("http://h/a//./b"), "http://h:80/a/b"},
        {STR_INIT("http://h/a\\b\\..\\c"), "http://h:80/a/c"},
        {STR_INIT("http://h/%41%7a%2D%7E"), "http://h:80/Az-~"},
        {STR_INIT("http://h/a%2fb%3f%23"), "http://h:80/a/b%3F%23"},
        {STR_INIT("http://h/a%2Fb"), "http://h:80/a/b"},
        {STR_INIT("http://h/%2Fb%2f"), "http://h:80/b/"},
        {STR_INIT("http://h/a%5Cb%5c%2e"), "http://h:80/a/b/"},
        {STR_INIT("http://h/x/y%2F..%2f%2e%2e%5Cb"), "http://h:80/b"},
        {STR_INIT("http://h/a%252Fb%25"), "http://h:80/a%252Fb%25"},
        {STR_INIT("http://h/a b"), "http://h:80/a%20b"},
        {STR_INIT("http://h/\xc3\xbc\xff"), "http://h:80/%C3%BC%FF"},
        {STR_INIT("http://h/%c3%bc"), "http://h:80/%C3%BC"},
        {STR_INIT("http://h/\"<>`{}|^[]"), "http://h:80/%22%3C%3E%60%7B%7D%7C%5E%5B%5D"},
        {STR_INIT("http://h/a\0b\x7f"), "http://h:80/a%00b%7F"},
        {STR_INIT("http://h/!$&'()*+,;=:@"), "http://h:80/!$&'()*+,;=:@"},
        {STR_INIT("http://h/100%"), "http://h:80/100%25"},
        {STR_INIT("http://h/100%2"), "http://h:80/100%252"},
        {STR_INIT("http://h/%zz"), "http://h:80/%25zz"},
        {STR_INIT("http://h/%%34%31"), "http://h:80/%2541"},
        {STR_INIT("http://h/%2541"), "http://h:80/%2541"},
        {STR_INIT("http://h/A/b"), "http://h:80/A/b"},
        {STR_INIT("http://h/a#b?c"), "http://h:80/a"},
    };
    check_spellings(cases, COUNT(cases));
}

TEST(a_query_has_one_form)
{
    static const struct spelling cases[] = {
        {STR_INIT("http://h/?"), "http://h:80/?"},
        {STR_INIT("http://h/?a=b&c"), "http://h:80/?a=b&c"},
        {STR_INIT("http://h/?a=%62%2f%c3"), "http://h:80/?a=b%2F%C3"},
        {STR_INIT("http://h/?a/../b//c"), "http://h:80/?a/../b//c"},
        {STR_INIT("http://h/?a?b"), "http://h:80/?a?b"},
        {STR_INIT("http://h/?a#b"), "http://h:80/?a"},
        {STR_INIT("http://h/?a b'\"\\[]"), "http://h:80/?a%20b%27%22%5C%5B%5D"},
        {STR_INIT("http://h/?a+b%2B"), "http://h:80/?a+b%2B"},
        {STR_INIT("http://h/?%"), "http://h:80/?%25"},
    };
    check_spellings(cases, COUNT(cases));
}

TEST(what_a_browser_refuses_is_refused)
{
    static const struct str texts[] = {
        STR_INIT(""),
        STR_INIT("   "),
        STR_INIT("http:"),
        STR_INIT("http://"),
        STR_INIT("http:///"),
        STR_INIT("http://?a"),
        STR_INIT("http://#a"),
        STR_INIT("http://u@/"),
        STR_INIT("http://u:p@"),
        STR_INIT("http://:80/"),
        STR_INIT("http://u@:80/"),
        STR_INIT("http://a.example:65536/"),
        STR_INIT("http://a.example:x/"),
        STR_INIT("http://a.example:80x/"),
        STR_INIT("http://a.example:-1/"),
        STR_INIT("http://a.example:80:80/"),
        STR_INIT("http://a.example: 80/"),
        STR_INIT("http://a b.example/"),
        STR_INIT("http://a\0b.example/"),
        STR_INIT("http://a.example%00.b.example/"),
        STR_INIT("http://a.example%2f.b.example/"),
        STR_INIT("http://1.2.3.4.5/"),
        STR_INIT("http://256.1.1.1/"),
        STR_INIT("http://[::1/"),
        STR_INIT("http://[::1]x/"),
        STR_INIT("http://a\xe2\x80\x8c"
                 "b/"),             /* a joiner out of place */
        STR_INIT("http://h//../a"), /* servers differ: /a of the root or of nothing */
        STR_INIT("http://h/a/b//../../c"),
        STR_INIT("http://h:0/"),
        STR_INIT("file:///etc/hosts"),
        STR_INIT("file://h/a"),
        STR_INIT("foo://a.example/"),
        STR_INIT("foo:/a.example/"),
        STR_INIT("javascript:alert(1)"),
        STR_INIT("data:text/html,x"),
        STR_INIT("mailto:u@a.example"),
        STR_INIT("about:blank"),
        STR_INIT("blob:https://a.example/x"),
        STR_INIT("a.example:"),
        STR_INIT("a.example:/b"),
        STR_INIT("/a.example"),
        STR_INIT("///a.example"),
        STR_INIT("\\\\a.example"),
        STR_INIT("?a.example"),
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct arena arena;
        struct url url = {.port = 7};
        arena_init(&arena, ARENA_MAX);
        if (url_parse(texts[i], STR("http"), &arena, &url) != ERR_INVALID) {
            fail_msg("\"%.*s\" is taken", STR_ARG(texts[i]));
        }
        assert_int_equal(url.port, 7);
        arena_fini(&arena);
    }
}

TEST(without_a_default_a_scheme_is_needed)
{
    struct arena arena;
    struct url url;
    arena_init(&arena, ARENA_MAX);
    assert_err(url_parse(STR("a.example/"), STR(""), &arena, &url), ERR_INVALID);
    assert_err(url_parse(STR("//a.example/"), STR(""), &arena, &url), ERR_INVALID);
    assert_err(url_parse(STR("a.example:80"), STR(""), &arena, &url), ERR_INVALID);
    assert_err(url_parse(STR("a.example"), STR("foo"), &arena, &url), ERR_INVALID);
    assert_ok(url_parse(STR("http://a.example/"), STR(""), &arena, &url));
    assert_ok(url_parse(STR("a.example"), STR("https"), &arena, &url));
    assert_int_equal(url.port, 443);
    arena_fini(&arena);
}

TEST(what_is_canonical_costs_no_memory)
{
    static const struct str text = STR_INIT("https://a.example/b/c.html?d=%20e&f");
    struct arena arena;
    struct url url;
    arena_init(&arena, 0);
    assert_ok(url_parse(text, STR(""), &arena, &url));
    assert_ptr_equal(url.path.p, text.p + 17);
    assert_ptr_equal(url.query.p, text.p + 27);
    assert_err(url_parse(STR("http://h/a b"), STR(""), &arena, &url), ERR_MEMORY);
    arena_fini(&arena);
    arena_init(&arena, 0);
    assert_err(url_parse(STR("http://h/?a b"), STR(""), &arena, &url), ERR_MEMORY);
    arena_fini(&arena);
    arena_init(&arena, 0);
    assert_err(url_parse(STR("http://h/\ta"), STR(""), &arena, &url), ERR_MEMORY);
    arena_fini(&arena);
}

TEST(lengths_have_their_bounds)
{
    static char text[LIMIT_URL_LEN + 1];
    struct arena arena;
    struct url url;
    arena_init(&arena, ARENA_MAX);
    memset(text, 'a', sizeof(text));
    memcpy(text, "http://h/", 9);
    assert_ok(url_parse(str_make(text, LIMIT_URL_LEN), STR(""), &arena, &url));
    assert_int_equal(url.path.len, LIMIT_URL_LEN - 8);
    assert_err(url_parse(str_make(text, sizeof(text)), STR(""), &arena, &url), ERR_LIMIT);
    assert_err(url_parse_target(str_make(text + 8, sizeof(text) - 8), &arena, &url), ERR_OK);
    text[0] = '/';
    assert_err(url_parse_target(str_make(text, sizeof(text)), &arena, &url), ERR_LIMIT);
    /* What is longer only once it is escaped is too long as well. */
    memset(text + 9, ' ', sizeof(text) - 9);
    text[sizeof(text) - 2] = 'a';
    memcpy(text, "http://h/", 9);
    assert_err(url_parse(str_make(text, LIMIT_URL_LEN), STR(""), &arena, &url), ERR_LIMIT);
    arena_fini(&arena);
}

TEST(a_target_is_read_as_the_same_path)
{
    struct arena arena;
    struct url url = {.port = 7};
    arena_init(&arena, ARENA_MAX);
    assert_ok(url_parse_target(STR("/a/%2e./%62?c=%3d"), &arena, &url));
    assert_str_eq(url.path, STR("/b"));
    assert_str_eq(url.query, STR("c=%3D"));
    assert_true(url.has_query);
    assert_int_equal(url.port, 7);
    assert_ok(url_parse_target(STR("/"), &arena, &url));
    assert_str_eq(url.path, STR("/"));
    assert_false(url.has_query);
    assert_ok(url_parse_target(STR("//b.example/c"), &arena, &url));
    assert_str_eq(url.path, STR("/b.example/c"));
    static const struct str bad[] = {
        STR_INIT(""),         STR_INIT("*"),      STR_INIT("a"),     STR_INIT("?a"),
        STR_INIT("/a#b"),     STR_INIT("/a b"),   STR_INIT("/a\tb"), STR_INIT("/a\r\nb"),
        STR_INIT("/a\0b"),    STR_INIT("/a\x7f"), STR_INIT(" /a"),   STR_INIT("http://h/"),
        STR_INIT("/a//../b"),
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_err(url_parse_target(bad[i], &arena, &url), ERR_INVALID);
    }
    arena_fini(&arena);
}

TEST(the_matching_form_is_read_as_itself)
{
    static char text[4 * LIMIT_URL_LEN], again[4 * LIMIT_URL_LEN];
    static const char *const alphabets[] = {"./", "ab/.%2eE\\", "%0123456789abcdefABCDEF",
                                            "/?#%&=+ '\"\t\xc3\xbc"};
    GEN_RUNS(gen, 20000)
    {
        struct arena arena;
        struct url url, second;
        char input[64] = "http://h.example/";
        size_t n = gen_below(&gen, 40);
        gen_text(&gen, str_from(GEN_PICK(&gen, alphabets)), input + 17, n);
        arena_init(&arena, ARENA_MAX);
        if (url_parse(str_make(input, 17 + n), STR(""), &arena, &url) == ERR_OK) {
            struct str first = printed(&url, text);
            assert_run(gen, url_parse(first, STR(""), &arena, &second) == ERR_OK);
            assert_run(gen, str_eq(printed(&second, again), first));
            assert_run(gen, str_find(url.path, STR("//")) == url.path.len);
            assert_run(gen, str_find(url.path, STR("/../")) == url.path.len);
            assert_run(gen, second.path.p >= text && second.path.p < text + sizeof(text));
        }
        arena_fini(&arena);
    }
}

TEST(a_page_to_go_on_to_is_one_of_the_web_and_reads_one_way_only)
{
    static char longest[LIMIT_PAGE_LEN + 2];
    static const struct {
        struct str text;
        enum err err;
    } cases[] = {
        {STR_INIT("http://a.example"), ERR_OK},
        {STR_INIT("https://a.example:8443/b?c=d&e=@#f"), ERR_OK},
        {STR_INIT("http://[2001:db8::1]/"), ERR_OK},
        {STR_INIT("http://a.example/@b"), ERR_OK},
        {STR_INIT(""), ERR_INVALID},
        {STR_INIT("a.example"), ERR_INVALID},
        {STR_INIT("//a.example/"), ERR_INVALID},
        {STR_INIT("/a"), ERR_INVALID},
        {STR_INIT("HTTP://a.example/"), ERR_INVALID},
        {STR_INIT("https:a.example"), ERR_INVALID},
        {STR_INIT("http:///a.example"), ERR_INVALID},
        {STR_INIT("javascript:alert(1)//http://a.example"), ERR_INVALID},
        {STR_INIT("data:text/html,http://a"), ERR_INVALID},
        {STR_INIT("ftp://a.example/"), ERR_INVALID},
        {STR_INIT("ws://a.example/"), ERR_INVALID},
        {STR_INIT("http://b@a.example/"), ERR_INVALID},
        {STR_INIT("http://b:c@a.example/"), ERR_INVALID},
        {STR_INIT("http://a.example\\@b.example/"), ERR_INVALID},
        {STR_INIT("http://a.example/\\b"), ERR_INVALID},
        {STR_INIT(" http://a.example/"), ERR_INVALID},
        {STR_INIT("http://a.example/ b"), ERR_INVALID},
        {STR_INIT("http://a.example/\r\nSet-Cookie: a=b"), ERR_INVALID},
        {STR_INIT("http://a.example/\0"), ERR_INVALID},
        {STR_INIT("http://a.example/\xc3\xbc"), ERR_INVALID},
        {STR_INIT("http://a.example:0/"), ERR_INVALID},
    };
    struct arena arena;
    struct url url;
    arena_init(&arena, ARENA_MAX);
    for (size_t i = 0; i < COUNT(cases); i++) {
        if (url_parse_page(cases[i].text, &arena, &url) != cases[i].err) {
            fail_msg("%.*s", STR_ARG(cases[i].text));
        }
    }
    memset(longest, 'a', sizeof(longest));
    memcpy(longest, "http://a.example/", 17);
    assert_ok(url_parse_page(str_make(longest, LIMIT_PAGE_LEN), &arena, &url));
    assert_err(ERR_LIMIT, url_parse_page(str_make(longest, LIMIT_PAGE_LEN + 1), &arena, &url));
    arena_fini(&arena);
}

TEST(default_ports)
{
    assert_int_equal(url_default_port(STR("http")), 80);
    assert_int_equal(url_default_port(STR("wss")), 443);
    assert_int_equal(url_default_port(STR("ftp")), 21);
    assert_int_equal(url_default_port(STR("gopher")), 0);
    assert_int_equal(url_default_port(STR("")), 0);
}

TESTS_MAIN(unit(schemes_hosts_and_ports_are_read_as_a_browser_does),
           unit(userinfo_is_dropped_and_deceives_nobody), unit(a_scheme_may_be_left_out),
           unit(a_path_has_one_form), unit(a_query_has_one_form),
           unit(what_a_browser_refuses_is_refused), unit(without_a_default_a_scheme_is_needed),
           unit(what_is_canonical_costs_no_memory), unit(lengths_have_their_bounds),
           unit(a_target_is_read_as_the_same_path), unit(the_matching_form_is_read_as_itself),
           unit(a_page_to_go_on_to_is_one_of_the_web_and_reads_one_way_only), unit(default_ports))
