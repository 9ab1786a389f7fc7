/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/arena.h"

#include "lib/test.h"

TEST(pieces_are_zeroed_aligned_and_apart)
{
    struct arena arena;
    arena_init(&arena, 1 << 20);
    for (size_t i = 1; i < 300; i++) {
        unsigned char *piece = arena_alloc(&arena, i);
        assert_non_null(piece);
        assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
        for (size_t j = 0; j < i; j++) {
            assert_int_equal(piece[j], 0);
        }
        memset(piece, 0xff, i);
    }
    arena_fini(&arena);
}

TEST(a_full_arena_fails_and_stays_failed_until_reset)
{
    struct arena arena;
    arena_init(&arena, 64);
    assert_non_null(arena_alloc(&arena, 64));
    assert_null(arena_alloc(&arena, 1));
    assert_true(arena.failed);
    assert_null(arena_alloc(&arena, 0));
    arena_reset(&arena);
    assert_non_null(arena_alloc(&arena, 48));
    arena_fini(&arena);
}

TEST(sizes_that_overflow_are_refused)
{
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    assert_null(arena_array(&arena, SIZE_MAX / 2, 3));
    arena_reset(&arena);
    assert_null(arena_alloc(&arena, SIZE_MAX));
    arena_fini(&arena);
}

TEST(a_copy_is_terminated)
{
    struct arena arena;
    arena_init(&arena, 100);
    struct str copy = arena_dup(&arena, STR("abc"));
    assert_str_eq(copy, STR("abc"));
    assert_int_equal(copy.p[3], 0);
    arena_fini(&arena);
}

TESTS_MAIN(unit(pieces_are_zeroed_aligned_and_apart),
           unit(a_full_arena_fails_and_stays_failed_until_reset),
           unit(sizes_that_overflow_are_refused), unit(a_copy_is_terminated))
