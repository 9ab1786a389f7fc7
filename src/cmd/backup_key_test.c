/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/backup_key.h"

#include "lib/test.h"

TEST(a_half_is_read_as_it_was_printed)
{
    uint8_t public[STREAM_KEY_BYTES];
    uint8_t secret[STREAM_KEY_BYTES];
    uint8_t got[STREAM_KEY_BYTES];
    struct buf text;
    stream_key_make(public, secret);
    buf_init(&text, 4096);
    buf_append(&text, STR("# words, also with digits: 12ab\n"));
    backup_key_print(secret, true, &text);
    buf_append(&text, STR("\r\n"));
    assert_ok(backup_key_parse(buf_str(&text), true, got));
    assert_memory_equal(got, secret, sizeof(got));
    assert_err(backup_key_parse(buf_str(&text), false, got), ERR_DENIED);
    buf_clear(&text);
    backup_key_print(public, false, &text);
    assert_ok(backup_key_parse(buf_str(&text), false, got));
    assert_memory_equal(got, public, sizeof(got));
    buf_fini(&text);
}

TEST(a_slip_of_the_pen_is_noticed)
{
    static const uint8_t key[STREAM_KEY_BYTES] = {0x12, 0xab};
    uint8_t got[STREAM_KEY_BYTES];
    struct buf text;
    buf_init(&text, 4096);
    backup_key_print(key, true, &text);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        text.p[i] = c == '-' ? 'g' : c == '0' ? '1' : '0';
        assert_true(backup_key_parse(buf_str(&text), true, got) != ERR_OK);
        text.p[i] = c;
    }
    assert_err(backup_key_parse(str_sub(buf_str(&text), 0, text.len - 1), true, got), ERR_INVALID);
    buf_append_byte(&text, '0');
    assert_err(backup_key_parse(buf_str(&text), true, got), ERR_INVALID);
    assert_err(backup_key_parse(STR(""), true, got), ERR_INVALID);
    buf_fini(&text);
}

TESTS_MAIN(unit(a_half_is_read_as_it_was_printed), unit(a_slip_of_the_pen_is_noticed))
