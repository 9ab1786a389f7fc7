/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy/match_impl.h"

#include "lib/gen.h"
#include "lib/test.h"

struct lists {
    struct arena arena;
    struct match matches[64];
    struct matcher matcher;
    size_t n;
};

static void add(struct lists *lists, const char *text, enum match_kind kind, uint64_t groups)
{
    struct match *match = &lists->matches[lists->n++];
    *match = (struct match){.kind = kind, .groups = groups, .name = str_from(text)};
    assert_ok(pattern_parse(str_from(text), &lists->arena, &match->pattern));
}

static const char *find(struct lists *lists, const char *text, enum match_kind kind,
                        uint64_t groups, bool path_known)
{
    const struct match *found[MATCH_KINDS];
    struct url url = {0};
    assert_ok(url_parse(str_from(text), STR("http"), &lists->arena, &url));
    matcher_find(&lists->matcher, &url.host, path_known ? &url : NULL, groups, found);
    return found[kind] != NULL ? found[kind]->name.p : "-";
}

TEST(F21_the_most_particular_entry_of_each_list_is_found)
{
    static const struct {
        const char *url;
        enum match_kind kind;
        const char *want;
    } cases[] = {
        {"http://site.example/", MATCH_DENY, "site.example"},
        {"http://a.b.site.example/x?y", MATCH_DENY, "site.example"},
        {"http://SITE.example.:8080/", MATCH_DENY, "site.example"},
        {"http://notsite.example/", MATCH_DENY, "-"},
        {"http://site.example.org/", MATCH_DENY, "-"},
        {"http://example/", MATCH_DENY, "-"},
        {"http://deep.site.example/", MATCH_DENY, "deep.site.example"},
        {"http://x.deep.site.example/", MATCH_DENY, "deep.site.example"},
        {"http://site.example/", MATCH_ALLOW, "-"},
        {"http://site.example/games", MATCH_ALLOW, "site.example/games"},
        {"http://site.example/games/", MATCH_ALLOW, "site.example/games"},
        {"http://site.example/games/chess", MATCH_ALLOW, "site.example/games/chess"},
        {"http://site.example/games?x", MATCH_ALLOW, "site.example/games"},
        {"http://site.example/gamesroom", MATCH_ALLOW, "-"},
        {"http://site.example/Games", MATCH_ALLOW, "-"},
        {"http://video.example/watch?v=1", MATCH_ALLOW, "video.example/watch?v=1"},
        {"http://video.example/watch?v=12", MATCH_ALLOW, "-"},
        {"http://video.example/watch", MATCH_ALLOW, "-"},
        {"http://video.example/watch?v=1&t=9", MATCH_ALLOW, "video.example/watch?v=1"},
        {"http://video.example/watch/?list=a&v=1", MATCH_ALLOW, "video.example/watch?v=1"},
        {"http://video.example/watch?v=1&v=2", MATCH_ALLOW, "-"},
        {"http://video.example/watch?V=2&v=1", MATCH_ALLOW, "-"},
        {"http://video.example/watch?v=1&v=1", MATCH_ALLOW, "video.example/watch?v=1"},
        {"http://video.example/watch/more?v=1", MATCH_ALLOW, "-"},
        {"http://shut.example/Watch?t=9&V=A%31&x", MATCH_DENY, "shut.example/watch?v=a1"},
        {"http://shut.example/watch?v=2&v=a1", MATCH_DENY, "shut.example/watch?v=a1"},
        {"http://shut.example/watch?v=a", MATCH_DENY, "-"},
        {"http://shut.example/ROOM/2", MATCH_DENY, "shut.example/Room/"},
        {"http://shut.example/roomy", MATCH_DENY, "-"},
        {"http://shut.example/?id=2&b=1&a=1", MATCH_DENY, "shut.example?a=1&b=1"},
        {"http://shut.example/?a=1", MATCH_DENY, "-"},
        {"http://shut.example/", MATCH_DENY, "-"},
        {"http://starred.example/", MATCH_DENY, "*.starred.example"},
        {"http://www.starred.example/", MATCH_DENY, "*.starred.example"},
        {"http://192.0.2.7/", MATCH_PRIVATE, "192.0.2.7"},
        {"http://0xc0000207/", MATCH_PRIVATE, "192.0.2.7"},
        {"http://[2001:db8::7]/", MATCH_PRIVATE, "http://[2001:DB8:0::7]/"},
        {"http://7.192.0.2.7.example/", MATCH_PRIVATE, "-"},
        {"http://b\xc3\xbc"
         "cher.example/",
         MATCH_LEARNING,
         "B\xc3\x9c"
         "cher.example"},
    };
    struct lists lists = {0};
    arena_init(&lists.arena, 1 << 20);
    add(&lists, "site.example", MATCH_DENY, ~UINT64_C(0));
    add(&lists, "deep.site.example", MATCH_DENY, ~UINT64_C(0));
    add(&lists, "site.example/games", MATCH_ALLOW, ~UINT64_C(0));
    add(&lists, "site.example/games/chess", MATCH_ALLOW, ~UINT64_C(0));
    add(&lists, "video.example/watch?v=1", MATCH_ALLOW, ~UINT64_C(0));
    add(&lists, "shut.example/watch?v=a1", MATCH_DENY, ~UINT64_C(0));
    add(&lists, "shut.example/Room/", MATCH_DENY, ~UINT64_C(0));
    add(&lists, "shut.example?a=1&b=1", MATCH_DENY, ~UINT64_C(0));
    add(&lists, "*.starred.example", MATCH_DENY, ~UINT64_C(0));
    add(&lists, "192.0.2.7", MATCH_PRIVATE, ~UINT64_C(0));
    add(&lists, "http://[2001:DB8:0::7]/", MATCH_PRIVATE, ~UINT64_C(0));
    add(&lists,
        "B\xc3\x9c"
        "cher.example",
        MATCH_LEARNING, ~UINT64_C(0));
    assert_ok(matcher_init(&lists.matcher, lists.matches, lists.n, &lists.arena));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *got = find(&lists, cases[i].url, cases[i].kind, 1, true);
        if (strcmp(got, cases[i].want) != 0) {
            fail_msg("%s is %s, not %s", cases[i].url, got, cases[i].want);
        }
    }
    arena_fini(&lists.arena);
}

TEST(without_a_path_only_entries_of_whole_hosts_match)
{
    struct lists lists = {0};
    arena_init(&lists.arena, 1 << 20);
    add(&lists, "site.example/games", MATCH_DENY, ~UINT64_C(0));
    add(&lists, "other.example/", MATCH_DENY, ~UINT64_C(0));
    assert_ok(matcher_init(&lists.matcher, lists.matches, lists.n, &lists.arena));
    assert_string_equal(find(&lists, "site.example/games", MATCH_DENY, 1, false), "-");
    assert_string_equal(find(&lists, "other.example/x", MATCH_DENY, 1, false), "other.example/");
    arena_fini(&lists.arena);
}

TEST(F19_an_entry_holds_for_its_groups)
{
    struct lists lists = {0};
    arena_init(&lists.arena, 1 << 20);
    add(&lists, "www.site.example", MATCH_DENY, 2);
    add(&lists, "site.example", MATCH_DENY, 1);
    assert_ok(matcher_init(&lists.matcher, lists.matches, lists.n, &lists.arena));
    assert_string_equal(find(&lists, "www.site.example", MATCH_DENY, 1, true), "site.example");
    assert_string_equal(find(&lists, "www.site.example", MATCH_DENY, 2, true), "www.site.example");
    assert_string_equal(find(&lists, "www.site.example", MATCH_DENY, 4, true), "-");
    arena_fini(&lists.arena);
}

TEST(what_is_no_site_is_refused)
{
    static const char *const cases[] = {"",
                                        "   ",
                                        "a b",
                                        "http://",
                                        "user@site.example",
                                        "site.example:8080",
                                        "ftp://x y/",
                                        "300.1.2.3",
                                        "..",
                                        "/path",
                                        "*",
                                        "a.*.example",
                                        "games*.example"};
    struct arena arena = {0};
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pattern pattern = {0};
        if (pattern_parse(str_from(cases[i]), &arena, &pattern) == ERR_OK) {
            fail_msg("\"%s\" was taken", cases[i]);
        }
    }
    arena_fini(&arena);
}

/* The table agrees with asking every pattern in turn. */
TEST(the_table_finds_what_a_plain_search_finds)
{
    GEN_RUNS(gen, 500)
    {
        struct lists lists = {0};
        char names[64][GEN_HOST_MAX];
        arena_init(&lists.arena, 1 << 20);
        for (size_t n = gen_below(&gen, 60); lists.n < n;) {
            struct str name = gen_host(&gen, names[lists.n]);
            names[lists.n][name.len] = '\0';
            add(&lists, names[lists.n], MATCH_DENY, ~UINT64_C(0));
        }
        assert_ok(matcher_init(&lists.matcher, lists.matches, lists.n, &lists.arena));
        char text[GEN_HOST_MAX];
        struct host host = {0};
        const struct match *found[MATCH_KINDS];
        assert_ok(host_parse(gen_host(&gen, text), &host));
        matcher_find(&lists.matcher, &host, NULL, 1, found);
        size_t longest = 0;
        for (size_t i = 0; i < lists.n; i++) {
            struct str name = lists.matches[i].pattern.host;
            longest =
                host_is_below(host_str(&host), name) && name.len > longest ? name.len : longest;
        }
        assert_run(gen, (found[MATCH_DENY] != NULL ? found[MATCH_DENY]->pattern.host.len : 0) ==
                            longest);
        arena_fini(&lists.arena);
    }
}

TESTS_MAIN(unit(F21_the_most_particular_entry_of_each_list_is_found),
           unit(without_a_path_only_entries_of_whole_hosts_match),
           unit(F19_an_entry_holds_for_its_groups), unit(what_is_no_site_is_refused),
           unit(the_table_finds_what_a_plain_search_finds))
