/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proxy/setup_impl.h"

#include "lib/test.h"

static bool holds(const struct buf *text, const char *part)
{
    return str_find(buf_str(text), str_from(part)) < text->len;
}

/* A sequence of n bytes, as long as its head says. */
static void make_der(struct buf *to, size_t n)
{
    if (n < 128) {
        buf_printf(to, "\x30%c", (int)n);
    } else {
        buf_append(to, STR("\x30\x82"));
        buf_append_byte(to, (char)(n >> 8));
        buf_append_byte(to, (char)(n & 255));
    }
    for (size_t i = 0; i < n; i++) {
        buf_append_byte(to, (char)(i * 7));
    }
}

TEST(the_last_certificate_of_a_chain_is_the_ca)
{
    struct buf chain;
    struct str last = STR("");
    buf_init(&chain, 65536);
    make_der(&chain, 300);
    assert_ok(setup_last_certificate(buf_str(&chain), &last));
    assert_str_eq(last, buf_str(&chain));
    make_der(&chain, 20);
    make_der(&chain, 1000);
    assert_ok(setup_last_certificate(buf_str(&chain), &last));
    assert_int_equal(last.len, 1004);
    assert_true(last.p + last.len == chain.p + chain.len);
    buf_fini(&chain);
}

TEST(what_is_no_chain_is_refused)
{
    static const struct str bad[] = {
        STR_INIT(""),
        STR_INIT("\x30"),
        STR_INIT("\x31\x00"),
        STR_INIT("\x30\x01"),
        STR_INIT("\x30\x80"),
        STR_INIT("\x30\x82\x01"),
        STR_INIT("\x30\x84\x00\x00\x00\x00"),
        STR_INIT("\x30\xff"),
        STR_INIT("\x30\x01\x00\x00"),
        STR_INIT("\x30\x83\xff\xff\xff\x00"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct str last;
        assert_err(setup_last_certificate(bad[i], &last), ERR_INVALID);
    }
}

TEST(a_fingerprint_reads_as_in_certificate_viewers)
{
    char text[SETUP_FINGERPRINT_MAX];
    setup_fingerprint(STR("abc"), text); /* FIPS 180-4's example */
    assert_string_equal(text,
                        "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:"
                        "B4:10:FF:61:F2:00:15:AD");
}

TEST(pem_has_lines_of_64)
{
    struct buf pem;
    buf_init(&pem, 65536);
    setup_pem(STR("abc"), &pem);
    assert_str_eq(buf_str(&pem),
                  STR("-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n"));
    buf_clear(&pem);
    setup_pem(STR("abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"), &pem);
    assert_true(holds(&pem, "\nYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWZnaGlqa2xtbm9wcXJzdHV2\n"
                            "d3h5eg==\n"));
    buf_fini(&pem);
}

TEST(a_pac_file_sends_all_to_the_proxy)
{
    struct buf pac;
    buf_init(&pac, 4096);
    setup_pac(&(struct setup_pac){.proxy = STR("gate.example:3128")}, &pac);
    assert_true(holds(&pac, "return \"PROXY gate.example:3128\";"));
    assert_true(holds(&pac, "host === \"localhost\""));
    buf_fini(&pac);
}

TEST(an_apple_profile_is_the_same_each_time)
{
    struct buf one;
    struct buf two;
    buf_init(&one, 65536);
    buf_init(&two, 65536);
    setup_profile(STR("oak-primary"), STR("lodge.internal"), STR("abc"), &one);
    setup_profile(STR("oak-primary"), STR("lodge.internal"), STR("abc"), &two);
    assert_ok(buf_err(&one));
    assert_str_eq(buf_str(&one), buf_str(&two));
    assert_true(holds(&one, "<string>com.apple.security.root</string>"));
    assert_true(holds(&one, "<string>lodge.internal.lodge.root</string>"));
    assert_true(holds(&one, "<data>\nYWJj\n</data>"));
    buf_clear(&two);
    setup_profile(STR("oak-primary"), STR("lodge.internal"), STR("abd"), &two);
    size_t at = str_find(buf_str(&one), STR("PayloadUUID"));
    assert_false(str_eq(str_sub(buf_str(&one), at, 80), str_sub(buf_str(&two), at, 80)));
    buf_fini(&one);
    buf_fini(&two);
}

TEST(a_school_s_name_is_no_markup)
{
    struct buf profile;
    buf_init(&profile, 65536);
    setup_profile(STR("Oak & <Elm>"), STR("lodge.internal"), STR("abc"), &profile);
    assert_true(holds(&profile, "<string>Oak &amp; &lt;Elm&gt;</string>"));
    buf_fini(&profile);
}

TEST(a_pac_file_sends_the_console_s_names_past_the_proxy)
{
    struct buf pac;
    buf_init(&pac, 4096);
    setup_pac(&(struct setup_pac){.proxy = STR("gate.example:3128"),
                                  .console = STR("lodge.example:8443"),
                                  .console_names = STR("lodge.example, [2001:db8::1], bad\"name"),
                                  .console_port = 8443},
              &pac);
    struct str text = buf_str(&pac);
    struct str one = STR("indexOf(\"https://lodge.example:8443/\") === 0) { return \"DIRECT\"; }");
    size_t at = str_find(text, one);
    assert_true(at < text.len);
    assert_true(str_find(str_skip(text, at + 1), one) == text.len - at - 1); /* once */
    assert_true(str_find(text, STR("https://[2001:db8::1]:8443/")) < text.len);
    assert_true(str_find(text, STR("bad")) == text.len);
    buf_fini(&pac);
}

TESTS_MAIN(unit(the_last_certificate_of_a_chain_is_the_ca), unit(what_is_no_chain_is_refused),
           unit(a_fingerprint_reads_as_in_certificate_viewers), unit(pem_has_lines_of_64),
           unit(a_pac_file_sends_all_to_the_proxy), unit(an_apple_profile_is_the_same_each_time),
           unit(a_school_s_name_is_no_markup),
           unit(a_pac_file_sends_the_console_s_names_past_the_proxy))
