/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as an encoded form; what is encoded again decodes to itself. */
#include <stdint.h>

#include "base/check.h"
#include "wire/form.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct str text, struct arena *arena)
{
    struct buf to;
    struct str back;
    buf_init(&to, 1 << 20);
    form_encode(&to, text);
    enum err err = form_decode(buf_str(&to), true, arena, &back);
    CHECK(err == ERR_MEMORY || (err == ERR_OK && str_eq(back, text)));
    buf_fini(&to);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct form_pair pair;
    struct arena arena;
    arena_init(&arena, 1 << 18);
    while (form_next(&rest, &arena, &pair) == ERR_OK) {
        CHECK(utf8_is_text(pair.name) && utf8_is_text(pair.value));
        check_again(pair.value, &arena);
    }
    arena_fini(&arena);
    return 0;
}
