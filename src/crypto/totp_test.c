/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/totp.h"

#include <string.h>

#include "lib/test.h"

static const struct str secret = STR_INIT("12345678901234567890");

TEST(the_vectors_of_RFC_4226_appendix_D_hold)
{
    static const char *const want[] = {"755224", "287082", "359152", "969429", "338314",
                                       "254676", "287922", "162583", "399871", "520489"};
    for (uint64_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        char code[TOTP_DIGITS + 1];
        hotp_print(secret, i, code);
        assert_string_equal(code, want[i]);
    }
}

TEST(the_vectors_of_RFC_6238_appendix_B_hold)
{
    /* The last six of the eight digits that stand there for SHA-1. */
    static const struct {
        int64_t seconds;
        const char *code;
    } rows[] = {{59, "287082"},         {1111111109, "081804"}, {1111111111, "050471"},
                {1234567890, "005924"}, {2000000000, "279037"}, {20000000000, "353130"}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int64_t step = -1;
        assert_true(totp_verify(secret, str_from(rows[i].code), rows[i].seconds * 1000, 0, &step));
        assert_int_equal(step, rows[i].seconds / 30);
    }
}

TEST(a_code_is_good_one_step_early_and_late_and_counts_once)
{
    int64_t now_ms = 1111111109 * 1000LL;
    int64_t step;
    struct str code = STR("081 804");
    assert_true(totp_verify(secret, code, now_ms - TOTP_STEP_MS, 0, &step));
    assert_true(totp_verify(secret, code, now_ms + TOTP_STEP_MS, 0, &step));
    assert_int_equal(step, now_ms / TOTP_STEP_MS);
    assert_false(totp_verify(secret, code, now_ms + 2 * TOTP_STEP_MS, 0, &step));
    assert_false(totp_verify(secret, code, now_ms - 2 * TOTP_STEP_MS, 0, &step));
    assert_false(totp_verify(secret, code, now_ms, now_ms / TOTP_STEP_MS, &step));
}

TEST(what_is_not_six_digits_is_no_code)
{
    static const char *const bad[] = {"", "08180", "0818044", "08180a", "-81804", "081804\n"};
    int64_t step;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_false(totp_verify(secret, str_from(bad[i]), 1111111109 * 1000LL, 0, &step));
    }
}

TEST(the_address_for_an_application_is_escaped)
{
    struct buf text;
    buf_init(&text, 1024);
    totp_print_uri((const uint8_t *)secret.p, STR("Elm & Oak"), STR("a.khan"), &text);
    assert_str_eq(buf_str(&text), STR("otpauth://totp/Elm%20%26%20Oak:a.khan?secret="
                                      "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Elm%20%26%20Oak"));
    buf_fini(&text);
}

TESTS_MAIN(unit(the_vectors_of_RFC_4226_appendix_D_hold),
           unit(the_vectors_of_RFC_6238_appendix_B_hold),
           unit(a_code_is_good_one_step_early_and_late_and_counts_once),
           unit(what_is_not_six_digits_is_no_code), unit(the_address_for_an_application_is_escaped))
