/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers over one body. */
#include "proxy/reading_impl.h"

#include <stdlib.h>

#include "base/check.h"
#include "proxy/text_impl.h"

/* A page of 100 MiB that says nothing new for each of its 64 KiB is no page. */
static const struct coding_caps caps = {
    .total = UINT64_C(16) << 30,
    .ratio = 250,
    .ratio_from = 4 << 20,
    .per_call = 16 << 20,
};

struct reading {
    struct coding *coding; /* NULL: the body is as it is */
    struct text *text;     /* NULL: nobody reads it, or there is none */
    uint64_t bytes;
    size_t n, n_open; /* readers; those that want more */
    enum reader_says says;
    unsigned category;
    bool ended;
    struct one {
        const struct reader_kind *kind;
        void *state;
        bool open;
    } readers[READERS_MAX];
};

static void hear(struct reading *reading, struct one *one, enum reader_says says)
{
    one->open = says == READER_MORE;
    if (one->open) {
        return;
    }
    reading->n_open--;
    bool worse = says == READER_FOUND ? reading->says != READER_FOUND
                                      : says == READER_DOUBT && reading->says == READER_PASS;
    if (worse) {
        reading->says = says;
        reading->category = one->kind->category;
    }
}

static enum err add_reader(struct reading *reading, const struct reader_kind *kind,
                           const struct reading_facts *facts)
{
    struct one *one = &reading->readers[reading->n];
    one->kind = kind;
    one->state = calloc(1, kind->size);
    if (one->state == NULL) {
        return ERR_MEMORY;
    }
    reading->n++;
    reading->n_open++;
    hear(reading, one, kind->begin(one->state, facts));
    return ERR_OK;
}

static enum err open_coding(struct reading *reading, const struct reading_facts *facts)
{
    if (reading->n_open == 0 || coding_is_identity(facts->codings)) {
        return ERR_OK;
    }
    return coding_new(facts->codings, &caps, &reading->coding);
}

static void take_text(void *context, enum markup_kind kind, struct str utf8)
{
    struct reading *reading = context;
    for (size_t i = 0; i < reading->n; i++) {
        struct one *one = &reading->readers[i];
        if (one->open && one->kind->text != NULL) {
            hear(reading, one, one->kind->text(one->state, kind, utf8));
        }
    }
}

/* The way to the text, where somebody wants it; those who want nothing else are told where there is
 * none. */
static enum err open_text(struct reading *reading, const struct reading_facts *facts)
{
    bool wanted = false;
    for (size_t i = 0; i < reading->n; i++) {
        wanted |= reading->readers[i].open && reading->readers[i].kind->text != NULL;
    }
    if (!wanted) {
        return ERR_OK;
    }
    if (facts->part != PART_INNER) {
        ERR_TRY(text_new(facts->type, take_text, reading, &reading->text));
    }
    for (size_t i = 0; i < reading->n && reading->text == NULL; i++) {
        struct one *one = &reading->readers[i];
        if (one->open && one->kind->bytes == NULL) {
            hear(reading, one, one->kind->end(one->state, ERR_OK));
        }
    }
    return ERR_OK;
}

enum err reading_new(const struct reader_kind *const *kinds, size_t n,
                     const struct reading_facts *facts, struct reading **ret_reading)
{
    CHECK(n <= READERS_MAX);
    struct reading *reading = calloc(1, sizeof(*reading));
    enum err err = reading != NULL ? ERR_OK : ERR_MEMORY;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        if (i == 0) {
            reading->says = READER_PASS;
        }
        err = add_reader(reading, kinds[i], facts);
    }
    if (err == ERR_OK) {
        err = open_text(reading, facts);
    }
    if (err != ERR_OK) {
        reading_free(reading);
        return err;
    }
    err = open_coding(reading, facts);
    if (err != ERR_OK) {
        reading_end(reading, err);
    }
    if (reading->n_open == 0 && reading->says == READER_PASS) {
        reading_free(reading);
        reading = NULL;
    }
    *ret_reading = reading;
    return ERR_OK;
}

void reading_free(struct reading *reading)
{
    if (reading == NULL) {
        return;
    }
    for (size_t i = 0; i < reading->n; i++) {
        free(reading->readers[i].state);
    }
    coding_free(reading->coding);
    text_free(reading->text);
    free(reading);
}

/* True while somebody wants more, and nothing was found: one finding is enough to ask the policy.
 */
static bool is_wanted(const struct reading *reading)
{
    return reading->n_open != 0 && reading->says == READER_PASS && !reading->ended;
}

static void end_all(struct reading *reading, enum err how)
{
    for (size_t i = 0; i < reading->n; i++) {
        struct one *one = &reading->readers[i];
        if (one->open) {
            hear(reading, one, one->kind->end(one->state, how));
        }
    }
    reading->ended = true;
}

static bool take(void *context, struct str bytes)
{
    struct reading *reading = context;
    reading->bytes += bytes.len;
    for (size_t i = 0; i < reading->n; i++) {
        struct one *one = &reading->readers[i];
        if (one->open && one->kind->bytes != NULL) {
            hear(reading, one, one->kind->bytes(one->state, bytes));
        }
    }
    if (reading->text != NULL && is_wanted(reading)) {
        enum err err = text_feed(reading->text, bytes);
        if (err != ERR_OK) {
            end_all(reading, err);
        }
    }
    return is_wanted(reading);
}

void reading_feed(struct reading *reading, struct str bytes)
{
    if (!is_wanted(reading) || bytes.len == 0) {
        return;
    }
    if (reading->coding == NULL) {
        (void)take(reading, bytes);
        return;
    }
    enum err err = coding_feed(reading->coding, bytes, take, reading);
    if (err != ERR_OK) {
        reading_end(reading, err);
    }
}

void reading_end(struct reading *reading, enum err how)
{
    if (reading->ended) {
        return;
    }
    if (how == ERR_OK && reading->coding != NULL) {
        how = coding_end(reading->coding);
    }
    bool seen = how == ERR_OK || how == ERR_TRUNCATED;
    if (seen && reading->text != NULL && is_wanted(reading)) {
        enum err err = text_end(reading->text);
        how = err != ERR_OK ? err : how;
    }
    end_all(reading, how);
}

enum reader_says reading_says(const struct reading *reading, unsigned *ret_category)
{
    if (is_wanted(reading)) {
        return READER_MORE;
    }
    *ret_category = reading->category;
    return reading->says;
}

uint64_t reading_bytes(const struct reading *reading)
{
    return reading->bytes;
}
