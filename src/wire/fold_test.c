/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/fold.h"

#include "lib/test.h"

#define CASES(list) (sizeof(list) / sizeof((list)[0]))

TEST(what_text_may_not_hold_is_named)
{
    static const struct {
        struct str text;
        enum fold_fault fault;
    } cases[] = {
        {STR_INIT("Zo\xc3\xab Smith\r\n\ttabs"), FOLD_FINE},
        {STR_INIT("\xe2\x80\x8d\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d"),
         FOLD_FINE}, /* a joiner, Hebrew */
        {STR_INIT(""), FOLD_FINE},
        {STR_INIT("a\xff"), FOLD_NOT_UTF8},
        {STR_INIT("\xc0\xaf"), FOLD_NOT_UTF8},
        {STR_INIT("\xed\xa0\x80"), FOLD_NOT_UTF8},
        {STR_INIT("a\0b"), FOLD_CONTROL},
        {STR_INIT("\x1b[2J"), FOLD_CONTROL},
        {STR_INIT("a\x7f"), FOLD_CONTROL},
        {STR_INIT("\xc2\x85"), FOLD_CONTROL},
        {STR_INIT("a\xe2\x80\xa8"), FOLD_CONTROL},
        {STR_INIT("\xe2\x80\xaetxt"), FOLD_DIRECTION},
        {STR_INIT("\xe2\x81\xa6txt"), FOLD_DIRECTION},
        {STR_INIT("a\xe2\x80\x8b"), FOLD_UNSEEN},
        {STR_INIT("\xef\xbb\xbftxt"), FOLD_UNSEEN},
        {STR_INIT("\xef\xbf\xbf"), FOLD_UNSEEN},
        {STR_INIT("\xf3\xa0\x81\x81"), FOLD_UNSEEN},
    };
    for (size_t i = 0; i < CASES(cases); i++) {
        size_t characters = 0;
        if (fold_check(cases[i].text, &characters) != cases[i].fault) {
            fail_msg("case %zu", i);
        }
    }
}

TEST(characters_are_counted_not_bytes)
{
    size_t characters = 0;
    assert_int_equal(fold_check(STR("Zo\xc3\xab \xf0\x9f\x98\x80"), &characters), FOLD_FINE);
    assert_int_equal(characters, 5);
}

TEST(text_is_kept_composed)
{
    struct buf to;
    buf_init(&to, 64);
    assert_ok(fold_compose(STR("Zoe\xcc\x88 O\xe2\x80\x99"
                               "Brien"),
                           &to));
    assert_str_eq(buf_str(&to), STR("Zo\xc3\xab O\xe2\x80\x99"
                                    "Brien"));
    buf_fini(&to);
}

TEST(keys_differ_in_nothing_but_what_a_reader_would_tell_apart)
{
    static const struct {
        const char *text, *key;
    } cases[] = {
        {"Zo\xc3\xab", "zoe"},
        {"ZOE\xcc\x88", "zoe"},
        {"\xc5\x81ukasz", "lukasz"},
        {"Stra\xc3\x9f"
         "e",
         "strasse"},
        {"\xc3\x98rsted \xc3\x86gir", "orsted aegir"},
        {"I\xc5\x9f\xc4\xb1k", "isik"},
        {"Nguy\xe1\xbb\x85n Th\xe1\xbb\x8b", "nguyen thi"},
        {"O\xe2\x80\x99"
         "Brien",
         "o'brien"},
        {"Smith\xe2\x80\x93Jones", "smith-jones"},
        {"  Van \t der\xc2\xa0\xc2\xa0"
         "Berg ",
         "van der berg"},
        {"\xef\xbc\xa1\xef\xac\x81", "afi"},
        {"\xd0\x99\xd0\xbe\xd1\x80\xd0\xba", "\xd0\xb8\xd0\xbe\xd1\x80\xd0\xba"},
        {"", ""},
        {"   ", ""},
    };
    for (size_t i = 0; i < CASES(cases); i++) {
        struct buf to;
        buf_init(&to, 256);
        assert_ok(fold_key(str_from(cases[i].text), &to));
        assert_str_eq(buf_str(&to), str_from(cases[i].key));
        buf_fini(&to);
    }
}

TEST(a_full_buffer_is_told)
{
    struct buf to;
    buf_init(&to, 2);
    assert_err(fold_key(STR("abc"), &to), ERR_LIMIT);
    buf_fini(&to);
}

TESTS_MAIN(unit(what_text_may_not_hold_is_named), unit(characters_are_counted_not_bytes),
           unit(text_is_kept_composed),
           unit(keys_differ_in_nothing_but_what_a_reader_would_tell_apart),
           unit(a_full_buffer_is_told))
