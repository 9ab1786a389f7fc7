/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reader of programs (R129): by bytes, by name, by type. */
#include "catalog/category.h"
#include "proxy/reading_impl.h"
#include "wire/disposition.h"
#include "wire/sniff.h"

/* What the head claims: only an answer that brings the thing itself is a download. */
static bool is_claimed(const struct reading_facts *facts)
{
    struct disposition disposition;
    if (facts->status != 200 && facts->status != 203 && facts->status != 206) {
        return false;
    }
    disposition_parse(facts->disposition, &disposition);
    bool claimed = sniff_is_program(sniff_type(facts->type));
    for (unsigned i = 0; i < disposition.n; i++) {
        claimed |= sniff_is_program(sniff_name(disposition_name(&disposition, i)));
    }
    bool shown = sniff_type_is_shown(facts->type) && disposition.n == 0;
    return claimed || (!shown && sniff_is_program(sniff_path(facts->path)));
}

static enum reader_says begin(void *state, const struct reading_facts *facts)
{
    struct sniff *sniff = state;
    if (is_claimed(facts)) {
        return READER_FOUND;
    }
    switch (facts->part) {
    case PART_START:
        sniff_init(sniff);
        return READER_MORE;
    case PART_INNER:
        sniff_init_inner(sniff);
        /* A coding cannot be taken off from the middle. */
        return coding_is_identity(facts->codings) ? READER_MORE : READER_PASS;
    case PART_UNSEEN:
        break;
    }
    return READER_DOUBT;
}

static enum reader_says judge(const struct sniff *sniff)
{
    return sniff_is_program(sniff->kind) ? READER_FOUND : READER_PASS;
}

static enum reader_says bytes(void *state, struct str bytes)
{
    struct sniff *sniff = state;
    return sniff_feed(sniff, bytes) ? judge(sniff) : READER_MORE;
}

static enum reader_says end(void *state, enum err how)
{
    struct sniff *sniff = state;
    if (how != ERR_OK && how != ERR_TRUNCATED) {
        return READER_DOUBT;
    }
    sniff_end(sniff);
    return judge(sniff);
}

const struct reader_kind reader_programs = {
    .category = CATEGORY_EXECUTABLES,
    .size = sizeof(struct sniff),
    .begin = begin,
    .bytes = bytes,
    .end = end,
};
