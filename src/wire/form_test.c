/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/form.h"

#include "lib/test.h"

/* "name=value" joined by '|', or the error's name. */
static void read_all(struct str text, struct buf *to)
{
    struct arena arena;
    struct form_pair pair;
    enum err err;
    arena_init(&arena, 4096);
    buf_clear(to);
    while ((err = form_next(&text, &arena, &pair)) == ERR_OK) {
        buf_append(to, to->len == 0 ? STR("") : STR("|"));
        buf_append(to, pair.name);
        buf_append_byte(to, '=');
        buf_append(to, pair.value);
    }
    if (err != ERR_NOT_FOUND) {
        buf_clear(to);
        buf_append(to, str_from(err_name(err)));
    }
    arena_fini(&arena);
}

TEST(pairs_are_read_as_browsers_write_them)
{
    static const struct {
        struct str text, want;
    } rows[] = {
        {STR_INIT(""), STR_INIT("")},
        {STR_INIT("&&"), STR_INIT("")},
        {STR_INIT("a=b"), STR_INIT("a=b")},
        {STR_INIT("a=b&c=d&"), STR_INIT("a=b|c=d")},
        {STR_INIT("a"), STR_INIT("a=")},
        {STR_INIT("=b"), STR_INIT("=b")},
        {STR_INIT("a=b=c"), STR_INIT("a=b=c")},
        {STR_INIT("name=Zo%C3%AB+O%27Neill"), STR_INIT("name=Zo\xc3\xab O'Neill")},
        {STR_INIT("a%3Db=%26%25"), STR_INIT("a=b=&%")},
        {STR_INIT("lines=one%0D%0Atwo"), STR_INIT("lines=one\r\ntwo")},
    };
    struct buf got;
    buf_init(&got, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_all(rows[i].text, &got);
        assert_str_eq(buf_str(&got), rows[i].want);
    }
    buf_fini(&got);
}

TEST(what_is_no_text_is_refused)
{
    static const struct str rows[] = {
        STR_INIT("a=%"),    STR_INIT("a=%4"),        STR_INIT("a=%zz"),    STR_INIT("%=b"),
        STR_INIT("a=%00b"), STR_INIT("a=%C3%28"),    STR_INIT("a=%FF"),    STR_INIT("a=\xff"),
        STR_INIT("a=\0"),   STR_INIT("a=%ED%A0%80"), STR_INIT("a=%u0041"),
    };
    struct buf got;
    buf_init(&got, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_all(rows[i], &got);
        assert_str_eq(buf_str(&got), STR("INVALID"));
    }
    buf_fini(&got);
}

TEST(a_full_arena_is_told)
{
    struct arena arena;
    struct str text = STR("a=12345678901234567890%20");
    struct form_pair pair;
    arena_init(&arena, 8);
    assert_err(form_next(&text, &arena, &pair), ERR_MEMORY);
    arena_fini(&arena);
}

TEST(a_plus_in_a_path_is_a_plus)
{
    struct arena arena;
    struct str text;
    arena_init(&arena, 256);
    assert_ok(form_decode(STR("a+b%20c"), false, &arena, &text));
    assert_str_eq(text, STR("a+b c"));
    arena_fini(&arena);
}

TEST(what_is_encoded_decodes_to_itself)
{
    struct str odd = STR("a b/../&=?#%\xc3\xab~._-");
    struct arena arena;
    struct buf to;
    struct str back;
    arena_init(&arena, 256);
    buf_init(&to, 256);
    form_encode(&to, odd);
    assert_str_eq(buf_str(&to), STR("a%20b%2F..%2F%26%3D%3F%23%25%C3%AB~._-"));
    assert_ok(form_decode(buf_str(&to), false, &arena, &back));
    assert_str_eq(back, odd);
    buf_fini(&to);
    arena_fini(&arena);
}

TESTS_MAIN(unit(pairs_are_read_as_browsers_write_them), unit(what_is_no_text_is_refused),
           unit(a_full_arena_is_told), unit(a_plus_in_a_path_is_a_plus),
           unit(what_is_encoded_decodes_to_itself))
