/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "crypto/seal.h"

#include "lib/test.h"

static const uint8_t key[SEAL_KEY_BYTES] = {1, 2, 3};
static const uint8_t other_key[SEAL_KEY_BYTES] = {1, 2, 4};
#define CONTEXT STR("record\0field")

static void seal_into(struct buf *to, struct str plain)
{
    buf_init(to, 4096);
    seal(key, CONTEXT, plain, to);
    assert_ok(buf_err(to));
}

TEST(what_is_sealed_opens_under_the_same_key_and_context)
{
    static const struct str plains[] = {STR_INIT(""), STR_INIT("a"),
                                        STR_INIT("a worry\0 with NUL")};
    for (size_t i = 0; i < sizeof(plains) / sizeof(plains[0]); i++) {
        struct buf sealed;
        struct buf plain;
        seal_into(&sealed, plains[i]);
        buf_init(&plain, 4096);
        buf_append(&plain, STR("before"));
        assert_int_equal(sealed.len, plains[i].len + SEAL_EXTRA_BYTES);
        assert_ok(seal_open(key, CONTEXT, buf_str(&sealed), &plain));
        assert_str_eq(str_skip(buf_str(&plain), 6), plains[i]);
        buf_fini(&sealed);
        buf_fini(&plain);
    }
}

TEST(no_other_key_or_context_opens_it)
{
    struct buf sealed;
    struct buf plain;
    seal_into(&sealed, STR("a worry"));
    buf_init(&plain, 4096);
    assert_err(seal_open(other_key, CONTEXT, buf_str(&sealed), &plain), ERR_INVALID);
    assert_err(seal_open(key, STR("record\0other"), buf_str(&sealed), &plain), ERR_INVALID);
    assert_int_equal(plain.len, 0);
    buf_fini(&sealed);
    buf_fini(&plain);
}

TEST(no_byte_may_differ_and_none_be_missing)
{
    struct buf sealed;
    struct buf plain;
    seal_into(&sealed, STR("a worry"));
    buf_init(&plain, 4096);
    for (size_t i = 0; i < sealed.len; i++) {
        sealed.p[i] = (char)(sealed.p[i] ^ 1);
        assert_err(seal_open(key, CONTEXT, buf_str(&sealed), &plain), ERR_INVALID);
        sealed.p[i] = (char)(sealed.p[i] ^ 1);
        assert_err(seal_open(key, CONTEXT, str_sub(buf_str(&sealed), 0, i), &plain), ERR_INVALID);
    }
    assert_int_equal(plain.len, 0);
    buf_fini(&sealed);
    buf_fini(&plain);
}

TEST(the_same_text_is_sealed_differently_each_time)
{
    struct buf one;
    struct buf two;
    seal_into(&one, STR("a worry"));
    seal_into(&two, STR("a worry"));
    assert_false(str_eq(buf_str(&one), buf_str(&two)));
    buf_fini(&one);
    buf_fini(&two);
}

TEST(a_full_buffer_takes_nothing)
{
    struct buf sealed;
    struct buf small;
    buf_init(&small, 10);
    seal(key, CONTEXT, STR("a worry"), &small);
    assert_err(buf_err(&small), ERR_LIMIT);
    buf_clear(&small);
    seal_into(&sealed, STR("a worry that is too long"));
    assert_err(seal_open(key, CONTEXT, buf_str(&sealed), &small), ERR_LIMIT);
    buf_fini(&sealed);
    buf_fini(&small);
}

TESTS_MAIN(unit(what_is_sealed_opens_under_the_same_key_and_context),
           unit(no_other_key_or_context_opens_it), unit(no_byte_may_differ_and_none_be_missing),
           unit(the_same_text_is_sealed_differently_each_time), unit(a_full_buffer_takes_nothing))
