/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes URLs and targets: the matching form is read again as itself. */
#include "base/check.h"
#include "wire/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(struct str path, struct arena *arena)
{
    struct url again;
    enum err err = url_parse_target(path, arena, &again);
    CHECK(err == ERR_MEMORY || (err == ERR_OK && str_eq(again.path, path)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct arena arena;
    struct url url;
    arena_init(&arena, 1 << 18);
    if (url_parse(text, STR("https"), &arena, &url) == ERR_OK) {
        CHECK(url.path.p[0] == '/' && url.port != 0 && url.host.kind != HOST_UNSET);
        check_again(url.path, &arena);
    }
    if (url_parse_target(text, &arena, &url) == ERR_OK) {
        check_again(url.path, &arena);
    }
    arena_fini(&arena);
    return 0;
}
