/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/utf8.h"

#include "lib/test.h"

TEST(only_well_formed_characters_have_a_length)
{
    static const struct {
        struct str text;
        size_t length;
    } cases[] = {
        {STR_INIT(""), 0},
        {STR_INIT("a"), 1},
        {STR_INIT("\0"), 1},
        {STR_INIT("\x7f\x80"), 1},
        {STR_INIT("\x80"), 0},
        {STR_INIT("\xbf"), 0},
        {STR_INIT("\xc0\xaf"), 0}, /* overlong */
        {STR_INIT("\xc1\xbf"), 0},
        {STR_INIT("\xc2\x80"), 2},
        {STR_INIT("\xdf\xbf"
                  "a"),
         2},
        {STR_INIT("\xc3"), 0},
        {STR_INIT("\xc3"
                  "a"),
         0},
        {STR_INIT("\xe0\x9f\xbf"), 0},
        {STR_INIT("\xe0\xa0\x80"), 3},
        {STR_INIT("\xe2\x82\xac"), 3},
        {STR_INIT("\xe2\x82"), 0},
        {STR_INIT("\xe2\x82"
                  "a"),
         0},
        {STR_INIT("\xed\x9f\xbf"), 3},
        {STR_INIT("\xed\xa0\x80"), 0}, /* a surrogate */
        {STR_INIT("\xef\xbf\xbf"), 3},
        {STR_INIT("\xf0\x8f\xbf\xbf"), 0},
        {STR_INIT("\xf0\x90\x80\x80"), 4},
        {STR_INIT("\xf0\x9f\x92\xa9"), 4},
        {STR_INIT("\xf0\x9f\x92"), 0},
        {STR_INIT("\xf4\x8f\xbf\xbf"), 4},
        {STR_INIT("\xf4\x90\x80\x80"), 0}, /* behind U+10FFFF */
        {STR_INIT("\xf5\x80\x80\x80"), 0},
        {STR_INIT("\xff"), 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (utf8_length(cases[i].text) != cases[i].length) {
            fail_msg("case %zu has length %zu", i, utf8_length(cases[i].text));
        }
    }
}

TEST(a_beginning_ends_behind_a_whole_character)
{
    static const struct {
        struct str text;
        size_t max, len;
    } cases[] = {
        {STR_INIT(""), 0, 0},
        {STR_INIT(""), 3, 0},
        {STR_INIT("abc"), 0, 0},
        {STR_INIT("abc"), 2, 2},
        {STR_INIT("abc"), 3, 3},
        {STR_INIT("abc"), 4, 3},
        {STR_INIT("a\xc3\xa9"), 2, 1},
        {STR_INIT("a\xc3\xa9"), 3, 3},
        {STR_INIT("\xf0\x9f\x92\xa9z"), 3, 0},
        {STR_INIT("\xf0\x9f\x92\xa9z"), 4, 4},
        {STR_INIT("\x80\x80\x80"), 2, 0}, /* none begins */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str head = utf8_head(cases[i].text, cases[i].max);
        if (head.len != cases[i].len) {
            fail_msg("case %zu has %zu bytes", i, head.len);
        }
    }
}

TESTS_MAIN(unit(only_well_formed_characters_have_a_length),
           unit(a_beginning_ends_behind_a_whole_character))
