/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/hash.h"

#include "lib/test.h"

/* FIPS 180-4's examples, and a name; the last made with sha256sum. */
static const struct {
    struct str text;
    const char *hash;
} cases[] = {
    {STR_INIT(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {STR_INIT("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {STR_INIT("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {STR_INIT("example.org"), "bfabc37432958b063360d3ad6461c9c4735ae7f8edd46592a5e0f01452b2e4b5"},
};
enum { CASES = sizeof(cases) / sizeof(cases[0]) };

TEST(sha256_gives_the_published_values)
{
    for (size_t i = 0; i < CASES; i++) {
        uint8_t hash[SHA256_BYTES];
        char text[SHA256_TEXT_MAX];
        sha256(cases[i].text, hash);
        sha256_print(hash, text);
        assert_string_equal(text, cases[i].hash);
    }
}

TEST(sha1_gives_the_published_values)
{
    static const uint8_t abc[SHA1_BYTES] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81,
                                            0x6a, 0xba, 0x3e, 0x25, 0x71, 0x78, 0x50,
                                            0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    uint8_t hash[SHA1_BYTES];
    sha1(STR("abc"), hash);
    assert_memory_equal(hash, abc, sizeof(hash));
}

TEST(a_copied_state_goes_its_own_way)
{
    struct sha256 first;
    uint8_t whole[SHA256_BYTES], got[SHA256_BYTES];
    sha256_init(&first);
    sha256_update(&first, STR("a.example"));
    struct sha256 second = first;
    sha256_update(&first, STR("/b"));
    sha256_final(&second, got);
    sha256(STR("a.example"), whole);
    assert_memory_equal(got, whole, sizeof(whole));
    sha256_final(&first, got);
    sha256(STR("a.example/b"), whole);
    assert_memory_equal(got, whole, sizeof(whole));
}

TEST(a_hash_is_read_in_either_case_and_nothing_else_is)
{
    uint8_t hash[SHA256_BYTES], want[SHA256_BYTES];
    sha256(STR("abc"), want);
    assert_ok(sha256_parse(STR("BA7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
                           hash));
    assert_memory_equal(hash, want, sizeof(want));
    static const struct str bad[] = {
        STR_INIT(""),
        STR_INIT("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a"),
        STR_INIT("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad0"),
        STR_INIT("ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        STR_INIT("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a\0"),
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_err(sha256_parse(bad[i], hash), ERR_INVALID);
    }
}

TEST(a_keyed_hash_depends_on_key_text_and_length)
{
    static const uint8_t key[HASH_KEY_BYTES] = {1}, other[HASH_KEY_BYTES] = {2};
    uint8_t a[16], b[16], wide[32];
    hash_keyed(key, STR("abc"), a, sizeof(a));
    hash_keyed(key, STR("abc"), b, sizeof(b));
    assert_memory_equal(a, b, sizeof(a));
    hash_keyed(other, STR("abc"), b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    hash_keyed(key, STR("abd"), b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
    hash_keyed(key, STR("abc"), wide, sizeof(wide));
    assert_memory_not_equal(a, wide, sizeof(a));
}

TESTS_MAIN(unit(sha256_gives_the_published_values), unit(sha1_gives_the_published_values),
           unit(a_copied_state_goes_its_own_way),
           unit(a_hash_is_read_in_either_case_and_nothing_else_is),
           unit(a_keyed_hash_depends_on_key_text_and_length))
