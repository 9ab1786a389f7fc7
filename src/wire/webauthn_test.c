/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/webauthn.h"

#include "base/buf.h"
#include "lib/test.h"

#define X32 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define Y32 "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
#define ES256 "\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" X32 "\x22\x58\x20" Y32
#define HEAD(flags) X32 flags "\x00\x00\x00\x07"
#define AAGUID "aaaaaaaaaaaaaaaa"

TEST(keys_of_the_three_algorithms_are_read)
{
    static char rsa[400];
    struct cose_key key;
    assert_ok(cose_parse_key(STR(ES256), &key));
    assert_int_equal(key.algorithm, COSE_ES256);
    assert_str_eq(key.y, STR(Y32));
    assert_ok(cose_parse_key(STR("\xa4\x01\x01\x03\x27\x20\x06\x21\x58\x20" X32), &key));
    assert_int_equal(key.algorithm, COSE_EDDSA);
    memcpy(rsa, "\xa4\x01\x03\x03\x39\x01\x00\x20\x59\x01\x00", 11);
    memset(rsa + 11, 'n', 256);
    memcpy(rsa + 267, "\x21\x43\x01\x00\x01", 5);
    assert_ok(cose_parse_key(str_make(rsa, 272), &key));
    assert_int_equal(key.algorithm, COSE_RS256);
    assert_int_equal(key.n.len, 256);
    assert_int_equal(key.e.len, 3);
}

TEST(other_keys_are_refused)
{
    static const struct str bad[] = {
        STR_INIT(""),
        STR_INIT("\x80"),
        STR_INIT(ES256 "\x00"), /* more behind it */
        STR_INIT("\xa5\x01\x02\x03\x38\x22\x20\x01\x21\x58\x20" X32 "\x22\x58\x20" Y32), /* ES384 */
        STR_INIT("\xa5\x01\x02\x03\x26\x20\x02\x21\x58\x20" X32 "\x22\x58\x20" Y32),     /* P-384 */
        STR_INIT("\xa5\x01\x02\x03\x26\x20\x01\x21\x41x\x22\x58\x20" Y32),               /* short */
        STR_INIT("\xa6\x01\x02\x01\x02\x03\x26\x20\x01\x21\x58\x20" X32 "\x22\x58\x20" Y32),
        STR_INIT("\xa4\x01\x02\x03\x26\x20\x01\x21\x58\x20" X32), /* no y */
        STR_INIT("\xa1\x01\x81\x02"),
    };
    struct cose_key key;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_not_equal(cose_parse_key(bad[i], &key), ERR_OK);
    }
}

TEST(authenticator_data_is_read_with_and_without_a_credential)
{
    struct webauthn_data data;
    assert_ok(webauthn_parse_data(STR(HEAD("\x05")), &data));
    assert_int_equal(data.flags, WEBAUTHN_PRESENT | WEBAUTHN_VERIFIED);
    assert_int_equal(data.counter, 7);
    assert_int_equal(data.credential.len, 0);
    assert_ok(webauthn_parse_data(STR(HEAD("\x41") AAGUID "\x00\x03idx" ES256), &data));
    assert_str_eq(data.credential, STR("idx"));
    assert_str_eq(data.key, STR(ES256));
    assert_ok(webauthn_parse_data(STR(HEAD("\x81") "\xa1\x61\x61\xf5"), &data));
}

TEST(broken_authenticator_data_is_refused)
{
    static const struct str bad[] = {
        STR_INIT(X32 "\x01\x00\x00\x00"),
        STR_INIT(HEAD("\x01") "x"),
        STR_INIT(HEAD("\x41")),
        STR_INIT(HEAD("\x41") AAGUID "\x00\x00" ES256),
        STR_INIT(HEAD("\x41") AAGUID "\x00\x09idx"),
        STR_INIT(HEAD("\x41") AAGUID "\x00\x03idx"),
        STR_INIT(HEAD("\x81")),
    };
    struct webauthn_data data;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_int_not_equal(webauthn_parse_data(bad[i], &data), ERR_OK);
    }
}

TEST(an_attestation_object_gives_its_data_once)
{
    struct str data;
    assert_ok(webauthn_parse_attestation(
        STR("\xa3\x63\x66mt\x64none\x67\x61ttStmt\xa0\x68\x61uthData\x43xyz"), &data));
    assert_str_eq(data, STR("xyz"));
    assert_err(webauthn_parse_attestation(STR("\xa1\x63\x66mt\x64none"), &data), ERR_INVALID);
    assert_err(
        webauthn_parse_attestation(STR("\xa2\x68\x61uthData\x43xyz\x68\x61uthData\x43xyz"), &data),
        ERR_INVALID);
    assert_err(webauthn_parse_attestation(STR("\xa1\x01\x02"), &data), ERR_INVALID);
}

TESTS_MAIN(unit(keys_of_the_three_algorithms_are_read), unit(other_keys_are_refused),
           unit(authenticator_data_is_read_with_and_without_a_credential),
           unit(broken_authenticator_data_is_refused),
           unit(an_attestation_object_gives_its_data_once))
