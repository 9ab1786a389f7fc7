/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers over one body: who is told what, and what is told of them together. */
#include "proxy/reading_impl.h"

#include "lib/test.h"

enum { LETTER_A = 101, LETTER_B = 102 };

struct state {
    size_t bytes;
};

/* Finds its letter; doubts what cannot be decoded; wants no answer that is a picture. */
static enum reader_says letter_begin(void *state, const struct reading_facts *facts)
{
    ((struct state *)state)->bytes = 0;
    return str_eq(facts->type, STR("image/png")) ? READER_PASS : READER_MORE;
}

static enum reader_says look_for(char letter, void *state, struct str bytes)
{
    ((struct state *)state)->bytes += bytes.len;
    return str_index(bytes, letter) < bytes.len ? READER_FOUND : READER_MORE;
}

static enum reader_says bytes_a(void *state, struct str bytes)
{
    return look_for('a', state, bytes);
}

static enum reader_says bytes_b(void *state, struct str bytes)
{
    return look_for('b', state, bytes);
}

static enum reader_says letter_end(void *state, enum err how)
{
    (void)state;
    return how == ERR_OK || how == ERR_TRUNCATED ? READER_PASS : READER_DOUBT;
}

static const struct reader_kind reader_a = {LETTER_A, sizeof(struct state), letter_begin, bytes_a,
                                            letter_end};
static const struct reader_kind reader_b = {LETTER_B, sizeof(struct state), letter_begin, bytes_b,
                                            letter_end};
static const struct reader_kind *const both[] = {&reader_a, &reader_b};

static struct reading *begin(const char *type, const char *codings)
{
    struct reading_facts facts = {
        .status = 200, .type = str_from(type), .codings = str_from(codings), .part = PART_START};
    struct reading *reading = NULL;
    assert_ok(reading_new(both, 2, &facts, &reading));
    return reading;
}

TEST(nobody_who_wants_it_is_no_reading)
{
    assert_null(begin("image/png", ""));
    assert_null(begin("image/png", "nonsense")); /* what nobody reads need not be decoded */
}

TEST(the_first_finding_ends_the_reading)
{
    unsigned category = 0;
    struct reading *reading = begin("text/plain", "");
    reading_feed(reading, STR("xyz"));
    assert_int_equal(reading_says(reading, &category), READER_MORE);
    reading_feed(reading, STR("xbz"));
    assert_int_equal(reading_says(reading, &category), READER_FOUND);
    assert_int_equal(category, LETTER_B);
    reading_feed(reading, STR("aaa"));
    reading_end(reading, ERR_OK);
    assert_int_equal(reading_says(reading, &category), READER_FOUND);
    assert_int_equal(category, LETTER_B);
    assert_int_equal(reading_bytes(reading), 6);
    reading_free(reading);
}

TEST(what_ends_without_a_finding_passes)
{
    unsigned category = 0;
    struct reading *reading = begin("text/plain", "identity");
    reading_feed(reading, STR("xyz"));
    reading_end(reading, ERR_OK);
    assert_int_equal(reading_says(reading, &category), READER_PASS);
    reading_free(reading);
}

TEST(codings_that_nobody_knows_or_that_break_are_doubt)
{
    unsigned category = 0;
    struct reading *reading = begin("text/plain", "nonsense");
    assert_int_equal(reading_says(reading, &category), READER_DOUBT);
    assert_int_equal(category, LETTER_A);
    reading_free(reading);
    reading = begin("text/plain", "gzip");
    reading_feed(reading, STR("a"));
    reading_feed(reading, STR("b"));
    assert_int_equal(reading_says(reading, &category), READER_DOUBT);
    reading_free(reading);
    reading = begin("text/plain", "gzip");
    reading_end(reading, ERR_OK); /* empty, or cut short: what there was is seen */
    assert_int_equal(reading_says(reading, &category), READER_PASS);
    reading_free(reading);
}

TESTS_MAIN(unit(nobody_who_wants_it_is_no_reading), unit(the_first_finding_ends_the_reading),
           unit(what_ends_without_a_finding_passes),
           unit(codings_that_nobody_knows_or_that_break_are_doubt))
