/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/password.h"

#include "lib/test.h"

TEST(a_password_is_known_again_and_no_other)
{
    char text[PASSWORD_TEXT_MAX], again[PASSWORD_TEXT_MAX];
    assert_ok(password_hash(STR("correct horse"), text));
    assert_true(str_starts(str_from(text), STR("$argon2id$v=19$m=19456,t=3,p=1$")));
    assert_true(password_verify(STR("correct horse"), str_from(text)));
    assert_false(password_verify(STR("correct horsf"), str_from(text)));
    assert_false(password_verify(STR("correct hors"), str_from(text)));
    assert_false(password_verify(STR(""), str_from(text)));
    assert_ok(password_hash(STR("correct horse"), again));
    assert_string_not_equal(text, again);
}

TEST(a_nul_is_part_of_a_password)
{
    char text[PASSWORD_TEXT_MAX];
    assert_ok(password_hash(STR("a\0b"), text));
    assert_true(password_verify(STR("a\0b"), str_from(text)));
    assert_false(password_verify(STR("a\0c"), str_from(text)));
}

TEST(what_is_no_hash_verifies_nothing)
{
    static const struct str texts[] = {
        STR_INIT(""),
        STR_INIT("x"),
        STR_INIT("$argon2id$"),
        STR_INIT("$argon2id$v=19$m=19456,t=3,p=1$"),
        STR_INIT("$argon2id$v=19$m=19456,t=3,p=1$AAAA$AAAA"),
        STR_INIT("$1$abc$def"),
    };
    char longest[PASSWORD_TEXT_MAX + 1];
    memset(longest, 'A', sizeof(longest));
    memcpy(longest, "$argon2id$", 10);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(password_verify(STR("x"), texts[i]));
    }
    assert_false(password_verify(STR("x"), str_make(longest, sizeof(longest))));
}

TEST(a_hash_that_costs_too_much_is_not_even_tried)
{
    static const char *const costs[] = {"m=4194304,t=3,p=1",        "m=65537,t=3,p=1",
                                        "m=19456,t=4294967295,p=1", "m=19456,t=17,p=1",
                                        "m=19456,t=3,p=2",          "t=3,m=19456,p=1"};
    char text[PASSWORD_TEXT_MAX], costly[2 * PASSWORD_TEXT_MAX];
    assert_ok(password_hash(STR("correct horse"), text));
    const char *rest = strstr(text, "p=1") + 3;
    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        snprintf(costly, sizeof(costly), "$argon2id$v=19$%s%s", costs[i], rest);
        assert_false(password_verify(STR("correct horse"), str_from(costly)));
    }
}

TEST(lengths_have_their_bounds)
{
    char long_password[LIMIT_PASSWORD_LEN + 1];
    char text[PASSWORD_TEXT_MAX] = "kept";
    memset(long_password, 'a', sizeof(long_password));
    assert_err(password_hash(str_make(long_password, sizeof(long_password)), text), ERR_LIMIT);
    assert_err(password_hash(STR(""), text), ERR_INVALID);
    assert_string_equal(text, "kept");
    assert_ok(password_hash(str_make(long_password, LIMIT_PASSWORD_LEN), text));
    assert_true(password_verify(str_make(long_password, LIMIT_PASSWORD_LEN), str_from(text)));
}

TESTS_MAIN(unit(a_password_is_known_again_and_no_other), unit(a_nul_is_part_of_a_password),
           unit(what_is_no_hash_verifies_nothing),
           unit(a_hash_that_costs_too_much_is_not_even_tried), unit(lengths_have_their_bounds))
