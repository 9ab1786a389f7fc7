/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Character references (WHATWG HTML section 13.2.5.72 and on). */
#include "wire/markup_impl.h"

/* By name, of n bytes of ref. */
static const struct markup_entity *find(const struct markup *markup, size_t n)
{
    struct str name = str_make(markup->ref, n);
    size_t low = 0;
    size_t high = markup_n_entities;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct markup_entity *entity = &markup_entities[middle];
        int order = str_compare(str_make(entity->name, entity->len), name);
        if (order == 0) {
            return entity;
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static void say_character(struct markup *markup, uint32_t c)
{
    char bytes[4];
    size_t n = markup_utf8(c, bytes);
    for (size_t i = 0; i < n; i++) {
        markup_say(markup, bytes[i]);
    }
}

static void say_entity(struct markup *markup, const struct markup_entity *entity)
{
    say_character(markup, entity->c[0]);
    if (entity->c[1] != 0) {
        say_character(markup, entity->c[1]);
    }
}

/* The longest name at the start that needs no semicolon. */
static const struct markup_entity *find_legacy(const struct markup *markup)
{
    for (size_t n = markup->n_ref; n > 1; n--) {
        const struct markup_entity *entity = find(markup, n);
        if (entity != NULL && entity->legacy) {
            return entity;
        }
    }
    return NULL;
}

void markup_ref_named(struct markup *markup, bool semicolon, char next)
{
    const struct markup_entity *entity = semicolon ? find(markup, markup->n_ref) : NULL;
    size_t used = 0;
    if (entity != NULL) {
        say_entity(markup, entity);
        return;
    }
    entity = find_legacy(markup);
    if (entity != NULL) {
        char after = entity->len < markup->n_ref ? markup->ref[entity->len]
                     : semicolon                 ? ';'
                                                 : next;
        bool in_value = markup->sink != SINK_NONE;
        if (!in_value || (after != '=' && !markup_is_alnum(after))) {
            say_entity(markup, entity);
            used = entity->len;
        }
    }
    if (used == 0) {
        markup_say(markup, '&');
    }
    for (size_t i = used; i < markup->n_ref; i++) {
        markup_say(markup, markup->ref[i]);
    }
    if (semicolon) {
        markup_say(markup, ';');
    }
}

void markup_ref_number(struct markup *markup)
{
    /* Windows-1252, as section 13.2.5.80 has it; 0 where it has none. */
    static const uint16_t c1[32] = {0x20ac, 0,      0x201a, 0x192,  0x201e, 0x2026, 0x2020, 0x2021,
                                    0x2c6,  0x2030, 0x160,  0x2039, 0x152,  0,      0x17d,  0,
                                    0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014,
                                    0x2dc,  0x2122, 0x161,  0x203a, 0x153,  0,      0x17e,  0x178};
    uint32_t c = markup->number;
    if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        c = 0xfffd;
    } else if (c >= 0x80 && c < 0xa0 && c1[c - 0x80] != 0) {
        c = c1[c - 0x80];
    }
    say_character(markup, c);
}
