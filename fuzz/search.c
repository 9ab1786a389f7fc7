/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any URL and form (its last line): what is forwarded is a fixed point, what is found is UTF-8. */
#include "base/check.h"
#include "base/limits.h"
#include "policy/search.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct str text)
{
    CHECK(text.len <= SEARCH_TERMS_MAX);
    while (text.len != 0) {
        size_t n = utf8_length(text);
        CHECK(n != 0);
        text = str_skip(text, n);
    }
}

static struct str target_of(const struct url *url, struct arena *arena)
{
    struct buf text;
    buf_init(&text, 2 * LIMIT_URL_LEN);
    buf_append(&text, url->path);
    buf_append(&text, url->has_query ? STR("?") : STR(""));
    buf_append(&text, url->query);
    struct str target = arena_dup(arena, buf_str(&text));
    buf_fini(&text);
    return target;
}

static void check_safe(const struct search_rules *rules, const struct url *url,
                       enum safe_search level, struct arena *arena)
{
    struct search_edit edit;
    struct search_edit again;
    struct url other = *url;
    enum err err = search_safe(rules, url, target_of(url, arena), level, arena, &edit);
    CHECK(err == ERR_OK || err == ERR_LIMIT);
    if (err != ERR_OK || url_parse_target(edit.target, arena, &other) != ERR_OK) {
        return;
    }
    CHECK(str_eq(other.path, url->path));
    CHECK(search_safe(rules, &other, edit.target, level, arena, &again) == ERR_OK);
    CHECK(!again.rewritten);
    struct buf cookie;
    buf_init(&cookie, 4 * LIMIT_URL_LEN);
    search_cookie(&edit, url->query, &cookie);
    CHECK(buf_err(&cookie) == ERR_OK);
    buf_fini(&cookie);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str form = {0};
    struct str text = {0};
    struct arena arena;
    const struct search_rules *rules = NULL;
    struct url url;
    str_cut(str_make((const char *)data, size), '\n', &text, &form);
    arena_init(&arena, 1 << 22);
    CHECK(search_rules_make(&arena, &rules) == ERR_OK);
    if (url_parse(text, STR("https"), &arena, &url) == ERR_OK) {
        check_text(search_terms(rules, &url, form, CHARSET_UNSET, &arena));
        check_safe(rules, &url, SAFE_SEARCH_STRICT, &arena);
        check_safe(rules, &url, SAFE_SEARCH_MODERATE, &arena);
        (void)search_unsafe(rules, &url.host, url.path, form.len != 0);
    }
    arena_fini(&arena);
    return 0;
}
