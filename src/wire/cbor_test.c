/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/cbor.h"

#include "lib/test.h"

TEST(heads_of_RFC_8949_appendix_A_are_read)
{
    static const struct {
        struct str bytes;
        enum cbor_kind kind;
        uint64_t number;
    } rows[] = {
        {STR_INIT("\x00"), CBOR_NUMBER, 0},
        {STR_INIT("\x17"), CBOR_NUMBER, 23},
        {STR_INIT("\x18\x64"), CBOR_NUMBER, 100},
        {STR_INIT("\x19\x03\xe8"), CBOR_NUMBER, 1000},
        {STR_INIT("\x1a\x00\x0f\x42\x40"), CBOR_NUMBER, 1000000},
        {STR_INIT("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"), CBOR_NUMBER, UINT64_MAX},
        {STR_INIT("\x29"), CBOR_NEGATIVE, 9},
        {STR_INIT("\x44\x01\x02\x03\x04"), CBOR_BYTES, 4},
        {STR_INIT("\x64IETF"), CBOR_TEXT, 4},
        {STR_INIT("\x83"), CBOR_ARRAY, 3},
        {STR_INIT("\xa2"), CBOR_MAP, 2},
        {STR_INIT("\xf5"), CBOR_SIMPLE, 21},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str rest = rows[i].bytes;
        struct cbor_item item;
        assert_ok(cbor_next(&rest, &item));
        assert_int_equal(item.kind, rows[i].kind);
        assert_true(item.number == rows[i].number);
        assert_int_equal(rest.len, 0);
    }
}

TEST(what_is_not_read_is_refused_and_nothing_is_taken)
{
    static const struct {
        struct str bytes;
        enum err want;
    } rows[] = {
        {STR_INIT(""), ERR_TRUNCATED},
        {STR_INIT("\x19\x03"), ERR_TRUNCATED},
        {STR_INIT("\x44\x01"), ERR_TRUNCATED},
        {STR_INIT("\x5f"), ERR_INVALID},
        {STR_INIT("\xc0"), ERR_INVALID},
        {STR_INIT("\xf9\x00\x00"), ERR_INVALID},
        {STR_INIT("\xff"), ERR_INVALID},
        {STR_INIT("\x1c"), ERR_INVALID},
        {STR_INIT("\x5b\xff\xff\xff\xff\xff\xff\xff\xff"), ERR_TRUNCATED},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct str rest = rows[i].bytes;
        struct cbor_item item;
        assert_err(cbor_next(&rest, &item), rows[i].want);
        assert_int_equal(rest.len, rows[i].bytes.len);
    }
}

TEST(a_whole_item_is_skipped_however_deep)
{
    struct str rest = STR("\x82\xa1\x61\x61\x82\x01\x02\x43\x01\x02\x03\x07");
    char deep[1000];
    assert_ok(cbor_skip(&rest));
    assert_str_eq(rest, STR("\x07"));
    memset(deep, 0x81, sizeof(deep));
    rest = str_make(deep, sizeof(deep));
    assert_err(cbor_skip(&rest), ERR_TRUNCATED);
    rest = STR("\x9b\xff\xff\xff\xff\xff\xff\xff\xff\x01");
    assert_err(cbor_skip(&rest), ERR_TRUNCATED);
}

TESTS_MAIN(unit(heads_of_RFC_8949_appendix_A_are_read),
           unit(what_is_not_read_is_refused_and_nothing_is_taken),
           unit(a_whole_item_is_skipped_however_deep))
