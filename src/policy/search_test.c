/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Safe search: what is forced, on which sites, and that no spelling gets round it. */
#include "policy/search.h"

#include "lib/decide.h"
#include "lib/gen.h"

struct fixture {
    struct arena arena; /* of the rules */
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

/* The edit of a URL as a browser would send it: the target in its own bytes. */
static struct search_edit edit_of(struct fixture *fixture, struct str text, enum safe_search level)
{
    struct url url = {0};
    struct search_edit edit = {0};
    arena_reset(&fixture->work);
    assert_ok(url_parse(text, STR("https"), &fixture->work, &url));
    struct str rest = str_skip(text, str_find(text, STR("://")) + 3);
    size_t slash = str_index(rest, '/');
    struct str target = slash < rest.len ? str_skip(rest, slash) : STR("/");
    assert_ok(search_safe(fixture->rules, &url, target, level, &fixture->work, &edit));
    return edit;
}

static struct search_edit strict(struct fixture *fixture, const char *url)
{
    return edit_of(fixture, str_from(url), SAFE_SEARCH_STRICT);
}

static const struct {
    const char *url;
    const char *target; /* NULL: as it was */
} rewrites[] = {
    /* Parameters of the user's are taken out, wherever they stand and however they are spelt. */
    {"https://www.google.com/search?q=cats", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?safe=off&q=cats", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&safe=active&safe=off",
     "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&SAFE=off", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&%73afe=off", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&%2573afe=off", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&s%61f%65=off", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats;safe=off", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&safe[]=off", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&safe%5B0%5D=off", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&+safe+=off", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&%00safe=off", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&safe", "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search?q=cats&ssui=off&safe=images",
     "/search?q=cats&safe=active&ssui=on"},
    {"https://www.google.com/search", "/search?safe=active&ssui=on"},
    {"https://www.google.com/search?", "/search?safe=active&ssui=on"},
    {"https://www.google.com/", "/?safe=active&ssui=on"},
    {"https://www.google.com/webhp?hl=en", "/webhp?hl=en&safe=active&ssui=on"},
    {"https://www.google.com/images?q=x", "/images?q=x&safe=active&ssui=on"},
    {"https://www.google.com/imgres?imgurl=x", "/imgres?imgurl=x&safe=active&ssui=on"},
    {"https://www.google.com/safesearch", "/safesearch?safe=active&ssui=on"},
    /* Other spellings of the path and the host. */
    {"https://www.google.com/SEARCH?q=x", "/SEARCH?q=x&safe=active&ssui=on"},
    {"https://www.google.com/%73earch?q=x", "/%73earch?q=x&safe=active&ssui=on"},
    {"https://www.google.com/a/../search?q=x", "/a/../search?q=x&safe=active&ssui=on"},
    {"https://www.google.com//search?q=x", "//search?q=x&safe=active&ssui=on"},
    {"https://www.google.com/search;safe=off?q=x", "/search;safe=off?q=x&safe=active&ssui=on"},
    {"https://www.google.com/m/search?q=x", "/m/search?q=x&safe=active&ssui=on"},
    {"https://WWW.Google.COM./search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"http://www.google.com:8080/search?q=x", "/search?q=x&safe=active&ssui=on"},
    /* Every country's Google, and the names that are forgotten. */
    {"https://google.com/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://www.google.de/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://www.google.co.uk/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://www.google.com.au/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://www.google.ie/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://www.google.im/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://www.google.je/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://www.google.gg/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://www.google.cat/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://encrypted.google.com/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://ipv6.google.com/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://ipv4.google.com/search?q=x", "/search?q=x&safe=active&ssui=on"},
    {"https://images.google.fr/images?q=x", "/images?q=x&safe=active&ssui=on"},
    /* And not more than that. */
    {"https://mail.google.com/mail/?q=x&safe=off", NULL},
    {"https://docs.google.com/search?q=x", NULL},
    {"https://www.google.com/maps?q=x&safe=off", NULL},
    {"https://www.google.com/accounts/?safe=off", NULL},
    {"https://google.evil.example/search?q=x", NULL},
    {"https://www.google.com.evil.example/search?q=x", NULL},
    {"https://notgoogle.com/search?q=x", NULL},
    {"https://example.org/search?q=x&safe=off&adlt=off&kp=-2", NULL},
    /* The others. */
    {"https://www.bing.com/search?q=x&adlt=off", "/search?q=x&adlt=strict"},
    {"https://www.bing.com/images/async?q=x", "/images/async?q=x&adlt=strict"},
    {"https://edgeservices.bing.com/edgesvc/chat?q=x", "/edgesvc/chat?q=x&adlt=strict"},
    {"https://duckduckgo.com/?q=x&kp=-2", "/?q=x&kp=1&p=1"},
    {"https://duckduckgo.com/?q=x%20!safeoff", "/?q=x%20safeoff&kp=1&p=1"},
    {"https://duckduckgo.com/?q=!SafeOff+x", "/?q=SafeOff+x&kp=1&p=1"},
    {"https://duckduckgo.com/?q=%21safe%6fff", "/?q=safe%6fff&kp=1&p=1"},
    {"https://duckduckgo.com/?q=!%21!safeoff", "/?q=safeoff&kp=1&p=1"},
    {"https://duckduckgo.com/?q=!w+cats", "/?q=!w+cats&kp=1&p=1"},
    {"https://links.duckduckgo.com/d.js?q=x&p=-1&ex=-2", "/d.js?q=x&kp=1&p=1"},
    {"https://start.duckduckgo.com/?q=x", "/?q=x&kp=1&p=1"},
    {"https://search.brave.com/search?q=x&safesearch=off", "/search?q=x&safesearch=strict"},
    {"https://www.ecosia.org/search?q=x", "/search?q=x&safesearch=2"},
    {"https://api.qwant.com/v3/search/web?q=x&safesearch=0", "/v3/search/web?q=x&s=2&safesearch=2"},
    {"https://www.qwant.com/?q=x&s=0", "/?q=x&s=2&safesearch=2"},
    {"https://yandex.com/search/?text=x&family=no", "/search/?text=x&family=yes&fyandex=1"},
    {"https://www.yandex.com.tr/images/search?text=x",
     "/images/search?text=x&family=yes&fyandex=1"},
    {"https://ya.ru/search/?text=x", "/search/?text=x&family=yes&fyandex=1"},
    {"https://pixabay.com/images/search/x/", "/images/search/x/?safesearch=true"},
};

TEST(F33_D14_safe_search_is_put_into_each_engine_s_requests)
{
    struct fixture f = {0};
    set_up(&f);
    for (size_t i = 0; i < sizeof(rewrites) / sizeof(rewrites[0]); i++) {
        struct search_edit edit = strict(&f, rewrites[i].url);
        const char *want = rewrites[i].target;
        if (edit.rewritten != (want != NULL) ||
            (want != NULL && !str_eq(edit.target, str_from(want)))) {
            fail_msg("%s: %.*s", rewrites[i].url, STR_ARG(edit.target));
        }
    }
    tear_down(&f);
}

TEST(F33_nothing_is_rewritten_where_the_group_has_it_off)
{
    struct fixture f = {0};
    set_up(&f);
    for (size_t i = 0; i < sizeof(rewrites) / sizeof(rewrites[0]); i++) {
        struct search_edit edit = edit_of(&f, str_from(rewrites[i].url), SAFE_SEARCH_OFF);
        assert_false(edit.rewritten);
        assert_int_equal(edit.header.len + edit.cookie.len + edit.cookies.len, 0);
    }
    tear_down(&f);
}

TEST(F33_restricted_video_is_a_header_and_strict_is_the_stricter)
{
    static const char *const urls[] = {
        "https://www.youtube.com/watch?v=1",       "https://m.youtube.com/",
        "https://youtube.com/results?q=x",         "https://youtubei.googleapis.com/youtubei/v1/x",
        "https://youtube.googleapis.com/x",        "https://www.youtube-nocookie.com/embed/1",
        "https://music.youtube.com/search?q=cats",
    };
    struct fixture f = {0};
    set_up(&f);
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct search_edit edit = strict(&f, urls[i]);
        assert_false(edit.rewritten);
        assert_str_eq(edit.header, STR("YouTube-Restrict"));
        assert_str_eq(edit.value, STR("Strict"));
        edit = edit_of(&f, str_from(urls[i]), SAFE_SEARCH_MODERATE);
        assert_str_eq(edit.value, STR("Moderate"));
    }
    assert_int_equal(strict(&f, "https://www.googleapis.com/drive/v3/files").header.len, 0);
    tear_down(&f);
}

static void expect_cookie(struct fixture *fixture, const char *url, const char *given,
                          const char *want)
{
    struct buf to;
    struct search_edit edit = strict(fixture, url);
    buf_init(&to, 4096);
    search_cookie(&edit, str_from(given), &to);
    assert_str_eq(buf_str(&to), str_from(want));
    buf_fini(&to);
}

TEST(F33_a_cookie_does_not_turn_safe_search_off)
{
    struct fixture f = {0};
    set_up(&f);
    expect_cookie(&f, "https://www.bing.com/", "MUID=1; SRCHHPGUSR=ADLT=OFF; a=b",
                  "MUID=1; a=b; SRCHHPGUSR=ADLT=STRICT");
    expect_cookie(&f, "https://duckduckgo.com/", "p=-2; kp=-2; ae=d", "ae=d; p=1");
    expect_cookie(&f, "https://duckduckgo.com/", "", "p=1");
    expect_cookie(&f, "https://search.brave.com/", "safesearch=off", "safesearch=strict");
    expect_cookie(&f, "https://www.ecosia.org/", "ECFG=f=n", "ECFG=a=0:f=y");
    expect_cookie(&f, "https://www.google.com/", "a=1;  b=2", "a=1; b=2");
    tear_down(&f);
}

static struct str unsafe_rule(struct fixture *fixture, const char *url, bool form)
{
    struct url parsed = {0};
    arena_reset(&fixture->work);
    assert_ok(url_parse(str_from(url), STR("https"), &fixture->work, &parsed));
    return search_unsafe(fixture->rules, &parsed.host, parsed.path, form);
}

TEST(F33_engines_without_a_safe_mode_are_named)
{
    static const char *const closed[] = {
        "https://search.yahoo.com/search?p=x",
        "https://uk.search.yahoo.com/",
        "https://search.aol.com/",
        "https://www.ask.com/web?q=x",
        "https://www.baidu.com/s?wd=x",
        "https://searx.be/",
        "https://searx.anything.example/",
        "https://startpage.com/",
        "https://eu.startpage.com/",
        "https://html.duckduckgo.com/html?q=x&kp=1",
        "https://lite.duckduckgo.com/lite/",
        "https://ts1.explicit.bing.net/th?id=1",
        "https://www.dogpile.com/",
    };
    static const char *const open[] = {
        "https://www.yahoo.com/", "https://mail.yahoo.com/",  "https://duckduckgo.com/",
        "https://www.bing.com/",  "https://ts1.mm.bing.net/", "https://map.baidu.com/",
        "https://example.org/",   "https://searx/",           "https://task.com/",
    };
    struct fixture f = {0};
    set_up(&f);
    for (size_t i = 0; i < sizeof(closed) / sizeof(closed[0]); i++) {
        if (unsafe_rule(&f, closed[i], false).len == 0) {
            fail_msg("%s is open", closed[i]);
        }
    }
    for (size_t i = 0; i < sizeof(open) / sizeof(open[0]); i++) {
        if (unsafe_rule(&f, open[i], false).len != 0) {
            fail_msg("%s is closed", open[i]);
        }
    }
    tear_down(&f);
}

TEST(F33_a_form_does_not_say_what_the_URL_may_not)
{
    struct fixture f = {0};
    set_up(&f);
    assert_str_eq(unsafe_rule(&f, "https://duckduckgo.com/html/?q=x", true),
                  STR("safe-search/form"));
    assert_int_equal(unsafe_rule(&f, "https://duckduckgo.com/html/?q=x", false).len, 0);
    assert_int_equal(unsafe_rule(&f, "https://www.youtube.com/", true).len, 0);
    assert_int_equal(unsafe_rule(&f, "https://www.google.com/accounts", true).len, 0);
    assert_int_equal(unsafe_rule(&f, "https://example.org/search", true).len, 0);
    tear_down(&f);
}

/* A parameter's name as a user might write it. */
static void put_spelt(struct gen *gen, struct str name, struct buf *to)
{
    buf_append(to, gen_chance(gen, 10) ? STR("%20") : STR(""));
    for (size_t i = 0; i < name.len; i++) {
        char c = gen_chance(gen, 30) ? (char)(name.p[i] & ~0x20) : name.p[i];
        switch (gen_below(gen, 4)) {
        case 0:
            buf_printf(to, "%%%02X", c);
            break;
        case 1:
            buf_printf(to, "%%25%02x", c);
            break;
        default:
            buf_append_byte(to, c);
            break;
        }
    }
    buf_append(to, gen_chance(gen, 10) ? STR("[]") : STR(""));
    buf_append(to, gen_chance(gen, 10) ? STR("+") : STR(""));
}

/* No parameter of a query but one that our own target ends with has this name. */
static bool says_otherwise(struct str query, const char *name)
{
    while (query.len != 0) {
        struct str pair = {0};
        str_cut(query, '&', &pair, &query);
        if (str_eq_nocase(str_sub(pair, 0, str_index(pair, '=')), str_from(name)) &&
            str_eq_nocase(str_skip(pair, str_index(pair, '=') + 1), STR("off"))) {
            return true;
        }
    }
    return false;
}

TEST(F33_no_spelling_keeps_safe_search_off_and_twice_changes_nothing)
{
    static const struct {
        const char *base;
        const char *name;
        const char *end;
    } sites[] = {
        {"https://www.google.co.uk/search?", "safe", "&safe=active&ssui=on"},
        {"https://www.google.com/search?", "ssui", "&safe=active&ssui=on"},
        {"https://www.bing.com/images/search?", "adlt", "&adlt=strict"},
        {"https://duckduckgo.com/?", "kp", "&kp=1&p=1"},
        {"https://search.brave.com/search?", "safesearch", "&safesearch=strict"},
    };
    struct fixture f = {0};
    set_up(&f);
    GEN_RUNS(gen, 3000)
    {
        size_t site = gen_below(&gen, sizeof(sites) / sizeof(sites[0]));
        struct buf url;
        struct buf again;
        buf_init(&url, 1 << 16);
        buf_init(&again, 1 << 16);
        buf_append(&url, str_from(sites[site].base));
        buf_append(&url, STR("q=cats"));
        for (size_t n = gen_below(&gen, 4); n > 0; n--) {
            buf_append_byte(&url, gen_chance(&gen, 30) ? ';' : '&');
            put_spelt(&gen, str_from(sites[site].name), &url);
            buf_append(&url, gen_chance(&gen, 20) ? STR("") : STR("=off"));
        }
        buf_append(&url, gen_chance(&gen, 20) ? STR("&") : STR(""));
        struct search_edit edit = edit_of(&f, buf_str(&url), SAFE_SEARCH_STRICT);
        struct str query = str_skip(edit.target, str_index(edit.target, '?') + 1);
        assert_run(gen, str_ends(edit.target, str_from(sites[site].end)));
        assert_run(gen, !says_otherwise(query, sites[site].name));
        assert_run(gen, str_starts(query, STR("q=cats&")));
        struct str host = str_from(sites[site].base);
        buf_append(&again, str_sub(host, 0, 8 + str_index(str_skip(host, 8), '/')));
        buf_append(&again, edit.target);
        edit = edit_of(&f, buf_str(&again), SAFE_SEARCH_STRICT);
        assert_run(gen, !edit.rewritten);
        buf_fini(&url);
        buf_fini(&again);
    }
    tear_down(&f);
}

TEST(a_target_that_grows_too_long_does_not_go_on)
{
    static char text[LIMIT_URL_LEN + 64];
    struct fixture f = {0};
    struct url url = {0};
    struct search_edit edit = {0};
    set_up(&f);
    assert_ok(url_parse(STR("https://www.google.com/search"), STR("https"), &f.work, &url));
    memset(text, 'a', sizeof(text));
    memcpy(text, "/search?q=", 10);
    assert_err(search_safe(f.rules, &url, str_make(text, LIMIT_URL_LEN), SAFE_SEARCH_STRICT,
                           &f.work, &edit),
               ERR_LIMIT);
    tear_down(&f);
}

/* --- in the decision -------------------------------------------------------------------------- */

#define ENTRY(host) "{'match':'" host "','who':'w','why':'y','review':'2027-01-01'}"

TEST(F33_an_engine_without_a_safe_mode_is_closed_unless_the_school_opens_it)
{
    static const struct test_list lists[] = {{"gambling", LIST_DOMAINS, "bets.example\n"}};
    struct catalog *catalog = test_catalog(lists, 1);
    struct policy *policy =
        test_policy(&(struct test_policy){.allow = "[" ENTRY("startpage.com") "]",
                                          .groups = "[{'id':'ks2','uncategorised':'acceptable'},"
                                                    "{'id':'office','uncategorised':'acceptable',"
                                                    "'safe_search':'off'},{'id':'visitors'},"
                                                    "{'id':'everyone','safe_search':'moderate'}]"});
    struct question q;
    question_init(&q, catalog, policy, NULL, "ks2");
    expect_answer(&q, "https://www.ask.com/", ACTION_BLOCK, REASON_NO_SAFE_SEARCH,
                  "safe-search/ask");
    expect_answer(&q, "https://startpage.com/", ACTION_ALLOW, REASON_LIST_ALLOW,
                  "list/allow/startpage.com");
    assert_int_equal(ask(&q, "https://www.google.com/search?q=x")->safe_search, SAFE_SEARCH_STRICT);
    q.request.kind = REQUEST_CONNECT;
    expect_answer(&q, "https://www.ask.com/", ACTION_BLOCK, REASON_NO_SAFE_SEARCH,
                  "safe-search/ask");
    question_fini(&q);
    question_init(&q, catalog, policy, NULL, "office");
    assert_int_equal(ask(&q, "https://www.ask.com/")->action, ACTION_ALLOW);
    assert_int_equal(q.answer.safe_search, SAFE_SEARCH_OFF);
    question_fini(&q);
    policy_free(policy);
    catalog_free(catalog);
}

TESTS_MAIN(unit(F33_D14_safe_search_is_put_into_each_engine_s_requests),
           unit(F33_nothing_is_rewritten_where_the_group_has_it_off),
           unit(F33_restricted_video_is_a_header_and_strict_is_the_stricter),
           unit(F33_a_cookie_does_not_turn_safe_search_off),
           unit(F33_engines_without_a_safe_mode_are_named),
           unit(F33_a_form_does_not_say_what_the_URL_may_not),
           unit(F33_no_spelling_keeps_safe_search_off_and_twice_changes_nothing),
           unit(a_target_that_grows_too_long_does_not_go_on),
           unit(F33_an_engine_without_a_safe_mode_is_closed_unless_the_school_opens_it))
