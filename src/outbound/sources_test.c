/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outbound/sources.h"

#include "lib/test.h"

static enum err parse(const char *text, struct arena *arena, struct sources *sources,
                      struct buf *why)
{
    arena_init(arena, 1 << 20);
    buf_init(why, 4096);
    return sources_parse(str_from(text), arena, sources, why);
}

TEST(lines_become_rows)
{
    struct arena arena;
    struct sources sources;
    struct buf why;
    assert_ok(parse("# lists\n\n"
                    "pornography ut1 https://lists.example/adult.tar.gz#adult CC-BY-SA-4.0\n"
                    "  games\thosts /srv/games.txt own   # ours\r\n"
                    "csam hashed https://iwf.example/list licensed sealed\n"
                    "except games FILE # reason\n",
                    &arena, &sources, &why));
    assert_int_equal(sources.n, 4);
    assert_str_eq(sources.rows[0].address, STR("https://lists.example/adult.tar.gz"));
    assert_str_eq(sources.rows[0].member, STR("adult"));
    assert_int_equal(sources.rows[0].format, LIST_UT1);
    assert_true(sources.rows[0].remote);
    assert_str_eq(sources.rows[1].category, STR("games"));
    assert_str_eq(sources.rows[1].licence, STR("own"));
    assert_false(sources.rows[1].remote);
    assert_int_equal(sources.rows[1].line, 4);
    assert_true(sources.rows[2].sealed);
    assert_true(sources.rows[3].is_except);
    arena_fini(&arena);
    buf_fini(&why);
}

TEST(bad_lines_are_all_named)
{
    struct arena arena;
    struct sources sources;
    struct buf why;
    assert_err(parse("games hosts /x\n"
                     "games hosts ftp://lists.example/x free\n"
                     "games hosts /x free unsealed\n"
                     "games hosts /x free sealed more words\n"
                     "except games\n"
                     "games guests /x free\n",
                     &arena, &sources, &why),
               ERR_INVALID);
    for (int line = 1; line <= 6; line++) {
        char start[32];
        snprintf(start, sizeof(start), "line %d: ", line);
        assert_true(str_find(buf_str(&why), str_from(start)) < why.len);
    }
    arena_fini(&arena);
    buf_fini(&why);
}

TEST(an_empty_file_has_no_rows)
{
    struct arena arena;
    struct sources sources;
    struct buf why;
    assert_ok(parse("", &arena, &sources, &why));
    assert_int_equal(sources.n, 0);
    arena_fini(&arena);
    buf_fini(&why);
}

TESTS_MAIN(unit(lines_become_rows), unit(bad_lines_are_all_named), unit(an_empty_file_has_no_rows))
