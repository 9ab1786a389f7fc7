/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/base64.h"

#include "lib/gen.h"
#include "lib/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

TEST(the_vectors_of_rfc_4648_go_both_ways)
{
    static const struct {
        struct str bytes;
        struct str text;
    } cases[] = {
        {STR_INIT(""), STR_INIT("")},
        {STR_INIT("f"), STR_INIT("Zg==")},
        {STR_INIT("fo"), STR_INIT("Zm8=")},
        {STR_INIT("foo"), STR_INIT("Zm9v")},
        {STR_INIT("foob"), STR_INIT("Zm9vYg==")},
        {STR_INIT("fooba"), STR_INIT("Zm9vYmE=")},
        {STR_INIT("foobar"), STR_INIT("Zm9vYmFy")},
        {STR_INIT("\xfb\xff\xbf\0"), STR_INIT("+/+/AA==")},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf buf;
        buf_init(&buf, 64);
        base64_encode(cases[i].bytes, &buf);
        assert_str_eq(buf_str(&buf), cases[i].text);
        buf_clear(&buf);
        assert_ok(base64_decode(cases[i].text, &buf));
        assert_str_eq(buf_str(&buf), cases[i].bytes);
        buf_fini(&buf);
    }
}

TEST(the_alphabet_for_urls_has_no_padding)
{
    static const struct {
        struct str bytes;
        struct str text;
    } cases[] = {
        {STR_INIT(""), STR_INIT("")},           {STR_INIT("f"), STR_INIT("Zg")},
        {STR_INIT("fo"), STR_INIT("Zm8")},      {STR_INIT("foo"), STR_INIT("Zm9v")},
        {STR_INIT("foob"), STR_INIT("Zm9vYg")}, {STR_INIT("\xfb\xff\xbf\0"), STR_INIT("-_-_AA")},
    };
    static const struct str bad[] = {STR_INIT("Z"),    STR_INIT("Zg=="), STR_INIT("Zh"),
                                     STR_INIT("Zm9"),  STR_INIT("+_-_"), STR_INIT("-/-_"),
                                     STR_INIT("Zm 9"), STR_INIT("Zm9vY")};
    struct buf buf;
    buf_init(&buf, 64);
    for (size_t i = 0; i < COUNT(cases); i++) {
        buf_clear(&buf);
        base64url_encode(cases[i].bytes, &buf);
        assert_str_eq(buf_str(&buf), cases[i].text);
        buf_clear(&buf);
        assert_ok(base64url_decode(cases[i].text, &buf));
        assert_str_eq(buf_str(&buf), cases[i].bytes);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(base64url_decode(bad[i], &buf), ERR_INVALID);
    }
    buf_fini(&buf);
}

TEST(anything_else_is_refused)
{
    static const struct str texts[] = {
        STR_INIT("Z"),        STR_INIT("Zg"),       STR_INIT("Zg="),    STR_INIT("Zg==="),
        STR_INIT("===="),     STR_INIT("=Zg="),     STR_INIT("Z==="),   STR_INIT("Zg==Zg=="),
        STR_INIT("Zh=="),     STR_INIT("Zm9="),     STR_INIT("Zm9v\n"), STR_INIT(" Zm9v"),
        STR_INIT("Zm 9"),     STR_INIT("Zm-_"),     STR_INIT("Zm9\0"),  STR_INIT("Zm9\xff"),
        STR_INIT("Zm9vZg=a"), STR_INIT("Zm9v===="),
    };
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buf buf;
        buf_init(&buf, 64);
        buf_append(&buf, STR("kept"));
        if (base64_decode(texts[i], &buf) != ERR_INVALID) {
            fail_msg("\"%.*s\" is taken", STR_ARG(texts[i]));
        }
        assert_str_eq(buf_str(&buf), STR("kept"));
        buf_fini(&buf);
    }
}

TEST(bytes_come_back_as_they_were)
{
    GEN_RUNS(gen, 1000)
    {
        char bytes[50];
        struct buf text, again;
        struct str value = gen_bytes(&gen, bytes, gen_below(&gen, sizeof(bytes)));
        buf_init(&text, 128);
        buf_init(&again, 128);
        base64_encode(value, &text);
        assert_run(gen, base64_decode(buf_str(&text), &again) == ERR_OK);
        assert_run(gen, str_eq(buf_str(&again), value));
        buf_fini(&text);
        buf_fini(&again);
    }
}

TEST(a_full_buffer_is_an_error)
{
    struct buf buf;
    buf_init(&buf, 5);
    assert_err(base64_decode(STR("Zm9vYmFy"), &buf), ERR_LIMIT);
    buf_fini(&buf);
}

TESTS_MAIN(unit(the_vectors_of_rfc_4648_go_both_ways), unit(the_alphabet_for_urls_has_no_padding),
           unit(anything_else_is_refused), unit(bytes_come_back_as_they_were),
           unit(a_full_buffer_is_an_error))
