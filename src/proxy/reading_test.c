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

static const struct reader_kind reader_a = {
    LETTER_A, sizeof(struct state), letter_begin, bytes_a, NULL, letter_end};
static const struct reader_kind reader_b = {
    LETTER_B, sizeof(struct state), letter_begin, bytes_b, NULL, letter_end};
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

/* Keeps the text, a letter for its kind before it; finds the word "caught". */
struct heard {
    size_t len;
    char text[256];
};

static struct heard *last_heard;

static enum reader_says text_begin(void *state, const struct reading_facts *facts)
{
    (void)facts;
    last_heard = state;
    return READER_MORE;
}

static enum reader_says text_text(void *state, enum markup_kind kind, struct str utf8)
{
    static const char marks[] = "?thamd";
    struct heard *heard = state;
    assert_true(heard->len + utf8.len + 1 < sizeof(heard->text));
    heard->text[heard->len++] = marks[kind];
    memcpy(heard->text + heard->len, utf8.p, utf8.len);
    heard->len += utf8.len;
    return str_find(str_make(heard->text, heard->len), STR("caught")) < heard->len ? READER_FOUND
                                                                                   : READER_MORE;
}

static const struct reader_kind reader_text = {
    LETTER_A, sizeof(struct heard), text_begin, NULL, text_text, letter_end};

static enum reader_says read_text(const char *type, struct str bytes, size_t piece,
                                  const char *want)
{
    static const struct reader_kind *const one[] = {&reader_text};
    struct reading_facts facts = {.status = 200, .type = str_from(type), .part = PART_START};
    struct reading *reading = NULL;
    unsigned category = 0;
    assert_ok(reading_new(one, 1, &facts, &reading));
    if (reading == NULL) {
        return READER_PASS;
    }
    for (size_t at = 0; at < bytes.len; at += piece) {
        reading_feed(reading, str_sub(bytes, at, piece));
    }
    reading_end(reading, ERR_OK);
    if (want != NULL) {
        assert_str_eq(str_make(last_heard->text, last_heard->len), str_from(want));
    }
    enum reader_says says = reading_says(reading, &category);
    reading_free(reading);
    return says;
}

TEST(readers_see_text_in_UTF_8_by_the_body_s_type_and_encoding)
{
    static const struct {
        const char *type;
        struct str bytes;
        const char *want;
    } rows[] = {
        {"text/html", STR_INIT("<meta charset=koi8-r><p>\xc1<b>b</b>"),
         "t\xd0\xb0"
         "b"},
        {"text/html; charset=shift_jis", STR_INIT("<title>\x93\xfa</title>"), "h\xe6\x97\xa5\n"},
        {"text/plain", STR_INIT("\xe9<p>"), "t\xc3\xa9<p>"},
        {"application/json", STR_INIT("{\"a\":\"\xc3\xa9\"}"), "da\n\xc3\xa9\n"},
        {"text/html", STR_INIT("\xff\xfe<\0p\0>\0a\0"), "ta"},
        {"", STR_INIT(" <p>a"), "ta"},
        {"", STR_INIT("[\"a\"]"), "da\n"},
        {"", STR_INIT("a"), "ta"},
        {"", STR_INIT("a\0b"), ""},
        {"text/xml", STR_INIT("<?xml version='1.0' encoding='koi8-r'?><a>\xc1</a>"), "t\xd0\xb0"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(read_text(rows[i].type, rows[i].bytes, rows[i].bytes.len, rows[i].want),
                         READER_PASS);
    }
    assert_int_equal(read_text("image/png", STR("caught"), 1, NULL), READER_PASS);
    assert_int_equal(read_text("text/html", STR("<p>cau<b>ght</b>"), 99, NULL), READER_FOUND);
    assert_int_equal(read_text("text/html", STR("<p title='caught'>"), 99, NULL), READER_FOUND);
    assert_int_equal(read_text("text/html", STR("<!-- caught -->"), 99, NULL), READER_PASS);
}

TESTS_MAIN(unit(readers_see_text_in_UTF_8_by_the_body_s_type_and_encoding),
           unit(nobody_who_wants_it_is_no_reading), unit(the_first_finding_ends_the_reading),
           unit(what_ends_without_a_finding_passes),
           unit(codings_that_nobody_knows_or_that_break_are_doubt))
