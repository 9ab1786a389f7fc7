/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/field.h"

#include "base/clock.h"
#include "lib/test.h"

#define CASES(list) (sizeof(list) / sizeof((list)[0]))
#define POUND "\xc2\xa3"

enum { TODAY = 20779 }; /* 2026-11-22 */

static struct arena arena;
static struct field_value value;
static struct str fault;

/* Reads a field from JSON; values live until the next reading. */
static enum err read_json(const struct register_field *field, json_t *input)
{
    struct field_reader reader = {.arena = &arena, .today = TODAY};
    arena_fini(&arena);
    arena_init(&arena, 1 << 20);
    value = (struct field_value){0};
    fault = (struct str){0};
    assert_non_null(input);
    enum err err = field_read(field, input, &reader, &value, &fault);
    /* What is read lives in the arena, never in the input. */
    json_decref(input);
    return err;
}

static enum err read_typed(const struct register_field *field, struct str text)
{
    json_t *input = json_object();
    json_object_set_new_nocheck(input, "x", json_stringn_nocheck(text.p, text.len));
    return read_json(field, input);
}

static enum err read_written(const struct register_field *field, const char *json)
{
    return read_json(field, json_loads(json, 0, NULL));
}

#define FIELD(kind, ...) \
    ((struct register_field){.name = STR("x"), .label = STR("It"), .type = (kind), __VA_ARGS__})

static void assert_printed(const struct register_field *field, const char *want)
{
    struct buf to;
    buf_init(&to, 1 << 16);
    field_print(field, &value, &to);
    assert_str_eq(buf_str(&to), str_from(want));
    buf_fini(&to);
}

static void assert_canonical(const char *want)
{
    struct buf to;
    buf_init(&to, 1 << 16);
    field_canonical(&value, &to);
    assert_str_eq(buf_str(&to), str_from(want));
    buf_fini(&to);
}

/* What the API gives is taken again, and is the same. */
static void assert_json_returns(const struct register_field *field, const char *want)
{
    json_t *json = field_json(field, &value);
    char *text = json_dumps(json, JSON_ENCODE_ANY);
    struct buf before, after;
    assert_string_equal(text, want);
    free(text);
    buf_init(&before, 1 << 16);
    buf_init(&after, 1 << 16);
    field_canonical(&value, &before);
    assert_ok(read_json(field, json_pack("{s:o}", "x", json)));
    field_canonical(&value, &after);
    assert_str_eq(buf_str(&after), buf_str(&before));
    buf_fini(&before);
    buf_fini(&after);
}

struct reading_case {
    const char *text;
    const char *canonical; /* NULL: refused, with this fault */
    const char *shown;
};

static void check_cases(const struct register_field *field, const struct reading_case *cases,
                        size_t n)
{
    for (size_t i = 0; i < n; i++) {
        enum err err = read_typed(field, str_from(cases[i].text));
        if (cases[i].canonical == NULL) {
            assert_err(err, ERR_INVALID);
            assert_str_eq(fault, str_from(cases[i].shown));
            continue;
        }
        if (err != ERR_OK) {
            fail_msg("\"%s\" was refused: %.*s", cases[i].text, STR_ARG(fault));
        }
        assert_canonical(cases[i].canonical);
        assert_printed(field, cases[i].shown);
    }
}

TEST(nothing_is_empty_in_every_type)
{
    static const struct register_choice choices[] = {{STR_INIT("a"), STR_INIT("A")}};
    static const char *const nothing[] = {"{}", "{\"x\": null}", "{\"x\": \"\"}",
                                          "{\"x\": \" \\r\\n\"}"};
    for (enum field_type type = FIELD_UNSET + 1; type < FIELD_COUNT; type++) {
        struct register_field field = FIELD(type, .max = 0);
        field.choices = type == FIELD_CHOICE ? choices : NULL;
        field.n_choices = type == FIELD_CHOICE ? 1 : 0;
        field.max = type <= FIELD_SEALED_TEXT ? 10 : 0;
        for (size_t i = 0; i < CASES(nothing); i++) {
            assert_ok(read_written(&field, nothing[i]));
            assert_true(field_is_empty(&value));
            assert_printed(&field, "");
            json_t *json = field_json(&field, &value);
            assert_true(json_is_null(json));
            json_decref(json);
        }
        struct str missing = field_missing(&field, &arena);
        assert_true(str_starts(missing, STR("It")));
    }
}

TEST(text_is_one_line_composed_and_bounded)
{
    static const struct reading_case cases[] = {
        {"  Zoe\xcc\x88 ", "Zo\xc3\xab", "Zo\xc3\xab"},
        {"<b>&\"'", "<b>&\"'", "<b>&\"'"},
        {"0123456789x", NULL, "It must be 10 characters or fewer; it has 11"},
        {"a", NULL, "It must be 2 characters or more"},
        {"two\nlines", NULL, "It must be on one line, without tabs"},
        {"a\x1b[2J", NULL, "It holds a control character. Type it again by hand"},
        {"a\xe2\x80\xae"
         "b",
         NULL, "It holds a mark that turns the direction of text. Type it again by hand"},
        {"a\xe2\x80\x8b"
         "b",
         NULL, "It holds a character that cannot be seen. Type it again by hand"},
        {"a\xff", NULL, "It is not text (UTF-8). Type it again by hand"},
    };
    struct register_field field = FIELD(FIELD_TEXT, .min = 2, .max = 10);
    check_cases(&field, cases, CASES(cases));
    assert_err(read_written(&field, "{\"x\": 7}"), ERR_INVALID);
    assert_str_eq(fault, STR("It must be written as text"));
    assert_err(read_typed(&field, STR("a\0b")), ERR_INVALID);
}

TEST(long_text_keeps_its_lines_without_carriage_returns)
{
    struct register_field field = FIELD(FIELD_LONG_TEXT, .max = 100);
    assert_ok(read_typed(&field, STR("one\r\n\r\ntwo\rthree\n")));
    assert_canonical("one\n\ntwo\nthree");
}

TEST(text_that_no_bound_allows_is_refused_by_its_size)
{
    struct register_field field = FIELD(FIELD_LONG_TEXT, .max = 100);
    static char big[100000];
    memset(big, 'a', sizeof(big));
    assert_err(read_typed(&field, str_make(big, sizeof(big))), ERR_INVALID);
    assert_str_eq(fault, STR("It must be 100 characters or fewer"));
}

TEST(days_are_read_as_britons_write_them)
{
    static const struct reading_case cases[] = {
        {"27 3 2018", "2018-03-27", "27 March 2018"},
        {"27/3/2018", "2018-03-27", "27 March 2018"},
        {"27/03/2018", "2018-03-27", "27 March 2018"},
        {"27.3.2018", "2018-03-27", "27 March 2018"},
        {"27-03-2018", "2018-03-27", "27 March 2018"},
        {"27 March 2018", "2018-03-27", "27 March 2018"},
        {"27 march, 2018", "2018-03-27", "27 March 2018"},
        {"27th Mar 2018", "2018-03-27", "27 March 2018"},
        {"1st Sept 2026", "2026-09-01", "1 September 2026"},
        {"2018-03-27", "2018-03-27", "27 March 2018"},
        {"29 2 2024", "2024-02-29", "29 February 2024"},
        {"31 12 1931", "1931-12-31", "31 December 1931"},
        {"29 2 2023", NULL, "It must be a real date, such as 27 3 2018"},
        {"31 4 2018", NULL, "It must be a real date, such as 27 3 2018"},
        {"3 27 2018", NULL, "It must be a real date, such as 27 3 2018"},
        {"27 3 18", NULL, "It must be a real date, such as 27 3 2018"},
        {"27 3", NULL, "It must be a real date, such as 27 3 2018"},
        {"2732018", NULL, "It must be a real date, such as 27 3 2018"},
        {"27 3 2018 x", NULL, "It must be a real date, such as 27 3 2018"},
        {"27 3 99999", NULL, "It must be a real date, such as 27 3 2018"},
        {"0 0 0000", NULL, "It must be a real date, such as 27 3 2018"},
        {"1931-12-31", "1931-12-31", "31 December 1931"},
        {"20x8-03-01", NULL, "It must be a real date, such as 27 3 2018"},
        {"2018-13-01", NULL, "It must be a real date, such as 27 3 2018"},
        {"27 Marchember 2018", NULL, "It must be a real date, such as 27 3 2018"},
        {"\xd9\xa2\xd9\xa7 3 2018", NULL, "It must be a real date, such as 27 3 2018"},
    };
    struct register_field field = FIELD(FIELD_DATE, .min = 0);
    check_cases(&field, cases, CASES(cases));
    assert_ok(read_typed(&field, STR("27 3 2018")));
    assert_json_returns(&field, "\"2018-03-27\"");
}

TEST(days_come_from_three_inputs_too)
{
    static const struct {
        const char *json, *want;
    } cases[] = {
        {"{\"x-day\": \"27\", \"x-month\": \"3\", \"x-year\": \"2018\"}", "2018-03-27"},
        {"{\"x-day\": \" 07 \", \"x-month\": \"march\", \"x-year\": \"2018\"}", "2018-03-07"},
        {"{\"x-day\": \"\", \"x-month\": \"\", \"x-year\": \"\"}", ""},
        {"{\"x-month\": \"3\", \"x-year\": \"2018\"}", "It must include a day"},
        {"{\"x-day\": \"3\", \"x-month\": \"\", \"x-year\": \"\"}",
         "It must include a month and a year"},
        {"{\"x-day\": \"27\", \"x-month\": \"3\", \"x-year\": \"18\"}",
         "It must have a year of 4 digits, 1900 to 2199"},
        {"{\"x-day\": \"30\", \"x-month\": \"2\", \"x-year\": \"2018\"}",
         "It must be a real date, such as 27 3 2018"},
        {"{\"x-day\": \"27\", \"x-month\": \"13\", \"x-year\": \"2018\"}",
         "It must be a real date, such as 27 3 2018"},
        {"{\"x-day\": 27, \"x-month\": \"3\", \"x-year\": \"2018\"}", "It must be written as text"},
    };
    struct register_field field = FIELD(FIELD_DATE, .min = 0);
    for (size_t i = 0; i < CASES(cases); i++) {
        if (read_written(&field, cases[i].json) == ERR_OK) {
            assert_canonical(cases[i].want);
        } else {
            assert_str_eq(fault, str_from(cases[i].want));
        }
    }
}

TEST(days_keep_to_their_bounds)
{
    struct register_field past = FIELD(FIELD_DATE, .min = -100, .max = 0);
    assert_ok(read_typed(&past, STR("22 11 2026")));
    assert_err(read_typed(&past, STR("23 11 2026")), ERR_INVALID);
    assert_str_eq(fault, STR("It must be today or in the past"));
    assert_err(read_typed(&past, STR("1 1 1999")), ERR_INVALID);
    assert_str_eq(fault, STR("It must be between 14 August 2026 and 22 November 2026"));
    struct register_field coming = FIELD(FIELD_DATE, .min = 0, .max = 10);
    assert_err(read_typed(&coming, STR("21 11 2026")), ERR_INVALID);
    assert_str_eq(fault, STR("It must be today or in the future"));
}

TEST(a_question_makes_no_broken_sentence)
{
    struct register_field field = FIELD(FIELD_DATE, .min = 0);
    field.label = STR("When did it happen?");
    assert_err(read_typed(&field, STR("never")), ERR_INVALID);
    assert_str_eq(fault, STR("The date must be a real date, such as 27 3 2018"));
}

TEST(spans_are_typed_in_british_time_and_kept_in_utc)
{
    static const struct {
        const char *json, *want, *shown;
    } cases[] = {
        {"{\"x-from\": \"22 11 2026 10:15\", \"x-until\": \"22/11/2026 2.30pm\"}",
         "{\"from\": \"2026-11-22T10:15:00.000Z\", \"until\": \"2026-11-22T14:30:00.000Z\"}",
         "22 November 2026, 10:15 to 22 November 2026, 14:30"},
        {"{\"x-from\": \"1 July 2026 at 10:15\"}",
         "{\"from\": \"2026-07-01T09:15:00.000Z\", \"until\": null}", "from 1 July 2026, 10:15"},
        {"{\"x\": {\"from\": \"2026-07-01T09:15Z\", \"until\": \"2026-07-01T10:15:00.000Z\"}}",
         "{\"from\": \"2026-07-01T09:15:00.000Z\", \"until\": \"2026-07-01T10:15:00.000Z\"}",
         "1 July 2026, 10:15 to 1 July 2026, 11:15"},
        {"{\"x\": \"1 July 2026, 10:15 to 2 July 2026, 12:00 am\"}",
         "{\"from\": \"2026-07-01T09:15:00.000Z\", \"until\": \"2026-07-01T23:00:00.000Z\"}",
         "1 July 2026, 10:15 to 2 July 2026, 00:00"},
        {"{\"x\": \"25 October 2026 01:30\"}",
         "{\"from\": \"2026-10-25T00:30:00.000Z\", \"until\": null}",
         "from 25 October 2026, 01:30"},
        {"{\"x\": \"29 March 2026 01:30\"}",
         "{\"from\": \"2026-03-29T01:30:00.000Z\", \"until\": null}", "from 29 March 2026, 02:30"},
    };
    struct register_field field = FIELD(FIELD_SPAN, .min = 0);
    for (size_t i = 0; i < CASES(cases); i++) {
        assert_ok(read_written(&field, cases[i].json));
        assert_printed(&field, cases[i].shown);
        assert_json_returns(&field, cases[i].want);
    }
}

TEST(spans_that_make_no_sense_are_refused)
{
    static const struct {
        const char *json, *fault;
    } cases[] = {
        {"{\"x-from\": \"\", \"x-until\": \"1 7 2026 10:00\"}", "It must have a start"},
        {"{\"x-from\": \"1 7 2026 11:00\", \"x-until\": \"1 7 2026 10:00\"}",
         "It must not end before it starts"},
        {"{\"x-from\": \"1 7 2026 25:00\"}",
         "It must be a day and a time, such as 22 11 2026 10:15"},
        {"{\"x-from\": \"1 7 2026 13:00 pm\"}",
         "It must be a day and a time, such as 22 11 2026 10:15"},
        {"{\"x\": {\"from\": 12}}", "It must be written as text"},
    };
    struct register_field field = FIELD(FIELD_SPAN, .min = 0);
    for (size_t i = 0; i < CASES(cases); i++) {
        assert_err(read_written(&field, cases[i].json), ERR_INVALID);
        assert_str_eq(fault, str_from(cases[i].fault));
    }
}

TEST(numbers_are_scaled_and_bounded)
{
    static const struct reading_case whole[] = {
        {"12", "12", "12"},
        {" 1,234,567 ", "1234567", "1,234,567"},
        {"-5", "-5", "-5"},
        {"\xe2\x88\x92"
         "5",
         "-5", "-5"},
        {"007", "7", "7"},
        {"1,5", NULL, "It must be a whole number, such as 12"},
        {"12,34", NULL, "It must be a whole number, such as 12"},
        {"1234,567", NULL, "It must be a whole number, such as 12"},
        {"1.5", NULL, "It must be a whole number, such as 12"},
        {"0x10", NULL, "It must be a whole number, such as 12"},
        {"1e3", NULL, "It must be a whole number, such as 12"},
        {"--1", NULL, "It must be a whole number, such as 12"},
        {"9999999999999999", NULL, "It must be a whole number, such as 12"},
        {"-11", NULL, "It must be between -10 and 2,000,000"},
    };
    static const struct reading_case scaled[] = {
        {"1,234.5", "123450", "1,234.50"},
        {"-0.07", "-7", "-0.07"},
        {"3", "300", "3.00"},
        {".5", NULL, "It must be a number with at most 2 digits behind the point"},
        {"1.", NULL, "It must be a number with at most 2 digits behind the point"},
        {"1.234", NULL, "It must be a number with at most 2 digits behind the point"},
        {"1.2.3", NULL, "It must be a number with at most 2 digits behind the point"},
        {"1.2,3", NULL, "It must be a number with at most 2 digits behind the point"},
    };
    struct register_field field = FIELD(FIELD_NUMBER, .min = -10, .max = 2000000);
    check_cases(&field, whole, CASES(whole));
    assert_ok(read_written(&field, "{\"x\": 42}"));
    assert_json_returns(&field, "42");
    assert_err(read_written(&field, "{\"x\": 4.5}"), ERR_INVALID);
    struct register_field tenths = FIELD(FIELD_NUMBER, .decimals = 2);
    check_cases(&tenths, scaled, CASES(scaled));
    assert_ok(read_typed(&tenths, STR("-1234.5")));
    assert_json_returns(&tenths, "\"-1234.50\"");
    assert_err(read_written(&tenths, "{\"x\": 9223372036854775807}"), ERR_INVALID);
}

TEST(money_is_pence)
{
    static const struct reading_case cases[] = {
        {POUND "1,234.50", "123450", POUND "1,234.50"},
        {"1234.5", "123450", POUND "1,234.50"},
        {POUND " 5", "500", POUND "5.00"},
        {"-" POUND "5", "-500", "-" POUND "5.00"},
        {POUND "-5", "-500", "-" POUND "5.00"},
        {"5 euros", NULL, "It must be an amount of money, such as " POUND "1,234.50"},
        {"0.001", NULL, "It must be an amount of money, such as " POUND "1,234.50"},
        {POUND, NULL, "It must be an amount of money, such as " POUND "1,234.50"},
        {POUND "10,000.01", NULL, "It must be between " POUND "-100.00 and " POUND "10,000.00"},
    };
    struct register_field field = FIELD(FIELD_MONEY, .min = -10000, .max = 1000000);
    check_cases(&field, cases, CASES(cases));
    assert_ok(read_written(&field, "{\"x\": 12}"));
    assert_json_returns(&field, "\"12.00\"");
    struct register_field open = FIELD(FIELD_MONEY, .min = 0);
    assert_ok(read_typed(&open, STR("9999999999999")));
    assert_json_returns(&open, "\"9999999999999.00\"");
    assert_err(read_typed(&open, STR("10000000000000")), ERR_INVALID);
    assert_err(read_written(&open, "{\"x\": 10000000000000}"), ERR_INVALID);
}

TEST(choices_are_read_by_value_and_by_label)
{
    static const struct register_choice choices[] = {{STR_INIT("R"), STR_INIT("Reception")},
                                                     {STR_INIT("1"), STR_INIT("Year 1")}};
    static const struct reading_case cases[] = {
        {"R", "R", "Reception"},
        {"reception", "R", "Reception"},
        {"YEAR  1", "1", "Year 1"},
        {"1", "1", "Year 1"},
        {"2", NULL, "It must have one of its answers"},
    };
    struct register_field field = FIELD(FIELD_CHOICE, .choices = choices, .n_choices = 2);
    check_cases(&field, cases, CASES(cases));
    assert_ok(read_typed(&field, STR("R")));
    assert_json_returns(&field, "\"R\"");
}

TEST(a_choice_that_is_gone_is_shown_as_it_was_kept)
{
    struct register_field field = FIELD(FIELD_CHOICE, .min = 0);
    value.part[0] = store_text(STR("old"));
    value.part[1] = store_null();
    assert_printed(&field, "old");
}

TEST(yes_and_no_are_read_as_typed_and_as_truth)
{
    static const struct reading_case cases[] = {
        {"yes", "1", "Yes"},
        {"No", "0", "No"},
        {"TRUE", "1", "Yes"},
        {"n", "0", "No"},
        {"1", "1", "Yes"},
        {"0", "0", "No"},
        {"perhaps", NULL, "It must be answered yes or no"},
    };
    struct register_field field = FIELD(FIELD_YES_NO, .min = 0);
    check_cases(&field, cases, CASES(cases));
    assert_ok(read_written(&field, "{\"x\": false}"));
    assert_json_returns(&field, "false");
    assert_ok(read_written(&field, "{\"x\": true}"));
    assert_json_returns(&field, "true");
}

TEST(K16_a_pupil_number_is_checked_and_never_shown)
{
    /* Made for this test by the rule: letter of the sum of position times value, modulo 23. */
    static const struct reading_case cases[] = {
        {"H801200001001", "H801200001001", "On record"},
        {" h80120 0001001 ", "H801200001001", "On record"},
        {"A801200001001", NULL,
         "It must be 13 characters that fit together: check each against the paper"},
        {"H80120000100", NULL,
         "It must be 13 characters that fit together: check each against the paper"},
        {"H8012000010011", NULL,
         "It must be 13 characters that fit together: check each against the paper"},
        {"H80120000O001", NULL,
         "It must be 13 characters that fit together: check each against the paper"},
        {"H801200001010", NULL,
         "It must be 13 characters that fit together: check each against the paper"},
    };
    struct register_field field = FIELD(FIELD_UPN, .min = 0);
    check_cases(&field, cases, CASES(cases));
    assert_ok(read_typed(&field, STR("H801200001001")));
    json_t *json = field_json(&field, &value);
    assert_true(json_is_true(json));
    json_decref(json);
}

TEST(a_temporary_pupil_number_ends_in_a_letter_that_counts)
{
    size_t right = 0;
    char upn[] = "?80120000100?";
    for (const char *last = "ABCDEFGHJKLMNPQRTUVWXYZ"; *last != '\0'; last++) {
        for (const char *first = "ABCDEFGHJKLMNPQRTUVWXYZ"; *first != '\0'; first++) {
            upn[0] = *first;
            upn[12] = *last;
            right += field_upn_is_valid(str_from(upn)) ? 1 : 0;
        }
    }
    /* One letter each: 13 is prime to 23. */
    assert_int_equal(right, 23);
    assert_false(field_upn_is_valid(STR("H80120000100S")));
    assert_false(field_upn_is_valid(STR("H801200001AA1")));
    assert_false(field_upn_is_valid(STR("")));
}

TEST(telephone_numbers_have_one_form)
{
    static const char refused[] =
        "It must be a telephone number, such as 01632 960 001 or +33 1 42 78 00 00";
    static const struct reading_case cases[] = {
        {"020 7946 0018", "+442079460018", "020 7946 0018"},
        {"(020) 7946-0018", "+442079460018", "020 7946 0018"},
        {"+44 (0)20 7946 0018", "+442079460018", "020 7946 0018"},
        {"0044 20 7946 0018", "+442079460018", "020 7946 0018"},
        {"07700 900123", "+447700900123", "07700 900 123"},
        {"0113 496 0001", "+441134960001", "0113 496 0001"},
        {"01632 960001", "+441632960001", "01632 960 001"},
        {"0161 496 0001", "+441614960001", "0161 496 0001"},
        {"0800 1111", "+448001111", "0800 1111"},
        {"0808 157 0192", "+448081570192", "0808 157 0192"},
        {"999", "999", "999"},
        {"116 123", "116123", "116123"},
        {"+33 1 42 78 00 00", "+33142780000", "+33 142 780 000"},
        {"+1 202-555-0143", "+12025550143", "+1 202 555 0143"},
        {"+353 1 555 0123", "+35315550123", "+353 155 501 23"},
        {"7946 0018", NULL, refused},
        {"020 79", NULL, refused},
        {"+44 020", NULL, refused},
        {"+", NULL, refused},
        {"00", NULL, refused},
        {"+1234567890123456", NULL, refused},
        {"020 7946 0018 ext 4", NULL, refused},
        {"\xd9\xa0\xd9\xa1", NULL, refused},
    };
    struct register_field field = FIELD(FIELD_PHONE, .min = 0);
    check_cases(&field, cases, CASES(cases));
    assert_ok(read_typed(&field, STR("020 7946 0018")));
    assert_json_returns(&field, "\"+442079460018\"");
}

TEST(addresses_of_mail_are_checked)
{
    static const char refused[] = "It must be an e-mail address, such as name@example.sch.uk";
    static const struct reading_case cases[] = {
        {"A.Smith@Example.SCH.UK", "A.Smith@example.sch.uk", "A.Smith@example.sch.uk"},
        {"a+b@example.org", "a+b@example.org", "a+b@example.org"},
        {"o'brien@b\xc3\xbc"
         "cher.example",
         "o'brien@xn--bcher-kva.example", "o'brien@xn--bcher-kva.example"},
        {"nobody", NULL, refused},
        {"@example.org", NULL, refused},
        {"a@", NULL, refused},
        {"a@b", NULL, refused},
        {"a@[192.0.2.1]", NULL, refused},
        {"a@192.0.2.1", NULL, refused},
        {"a b@example.org", NULL, refused},
        {"a@b@example.org", NULL, refused},
        {".a@example.org", NULL, refused},
        {"a..b@example.org", NULL, refused},
        {"a.@example.org", NULL, refused},
        {"a@example.org\r\nBcc: b@example.org", NULL, refused},
        {"\xc3\xa4@example.org", NULL, refused},
    };
    struct register_field field = FIELD(FIELD_EMAIL, .max = 254);
    check_cases(&field, cases, CASES(cases));
}

TEST(addresses_of_sites_are_read_as_the_gate_reads_them)
{
    static const char refused[] = "It must be a web address, such as https://www.example.org";
    static const struct reading_case cases[] = {
        {"https://Example.org", "https://example.org/", "https://example.org/"},
        {"example.org/a?b=1#c", "https://example.org/a?b=1", "https://example.org/a?b=1"},
        {"http://example.org:8080/x", "http://example.org:8080/x", "http://example.org:8080/x"},
        {"https://[2001:db8::1]/", "https://[2001:db8::1]/", "https://[2001:db8::1]/"},
        {"javascript:alert(1)", NULL, refused},
        {"ftp://example.org/", NULL, refused},
        {"school", NULL, refused},
        {"https://", NULL, refused},
        {"https://exa mple.org/", NULL, refused},
    };
    struct register_field field = FIELD(FIELD_SITE, .min = 0);
    check_cases(&field, cases, CASES(cases));
}

TEST(references_are_ids)
{
    static const struct {
        enum field_type type;
        const char *fault;
    } cases[] = {
        {FIELD_PERSON, "It must be a person of the school. Choose one from the list"},
        {FIELD_GROUP, "It must be a group of the school. Choose one from the list"},
        {FIELD_DEVICE, "It must be a device of the school. Choose one from the list"},
        {FIELD_FILE, "It must be a file of the school. Choose one from the list"},
    };
    for (size_t i = 0; i < CASES(cases); i++) {
        struct register_field field = FIELD(cases[i].type, .min = 0);
        assert_ok(read_typed(&field, STR("abcdefghijklmnopqrstuvwxy2")));
        assert_canonical("abcdefghijklmnopqrstuvwxy2");
        assert_err(read_typed(&field, STR("Ann Smith")), ERR_INVALID);
        assert_str_eq(fault, str_from(cases[i].fault));
    }
}

TEST(what_is_kept_unseen_is_given_only_where_something_was_typed)
{
    static const struct {
        enum field_type type;
        const char *json;
        bool given;
    } cases[] = {
        {FIELD_UPN, "{\"x\": \"\"}", false},
        {FIELD_UPN, "{\"x\": null}", true},
        {FIELD_UPN, "{\"x\": \"a\"}", true},
        {FIELD_UPN, "{\"x\": true}", false},
        {FIELD_SEALED_TEXT, "{\"x\": \"\"}", false},
        {FIELD_TEXT, "{\"x\": \"\"}", true},
        {FIELD_TEXT, "{\"x-day\": \"\"}", false},
        {FIELD_DATE, "{\"x-month\": \"\"}", true},
        {FIELD_DATE, "{\"x-until\": \"\"}", false},
        {FIELD_SPAN, "{\"x-until\": \"\"}", true},
        {FIELD_SPAN, "{}", false},
    };
    for (size_t i = 0; i < CASES(cases); i++) {
        struct register_field field = FIELD(cases[i].type, .min = 0);
        json_t *input = json_loads(cases[i].json, 0, NULL);
        assert_int_equal(field_is_given(&field, input), cases[i].given);
        json_decref(input);
    }
}

TEST(keys_are_folded)
{
    struct register_field field = FIELD(FIELD_TEXT, .max = 100);
    struct store_value key = store_null();
    assert_ok(read_typed(&field, STR("Zo\xc3\xab  O\xe2\x80\x99"
                                     "Brien")));
    assert_ok(field_key(&value, &arena, &key));
    assert_str_eq(key.bytes, STR("zoe o'brien"));
    value = (struct field_value){0};
    assert_ok(field_key(&value, &arena, &key));
    assert_int_equal(key.kind, STORE_NULL);
}

TEST(a_full_arena_is_an_error_and_no_value)
{
    struct register_field field = FIELD(FIELD_TEXT, .max = 100);
    struct arena small;
    arena_init(&small, 2);
    struct field_reader reader = {.arena = &small, .today = TODAY};
    json_t *input = json_pack("{s:s}", "x", "a name");
    assert_err(field_read(&field, input, &reader, &value, &fault), ERR_MEMORY);
    json_decref(input);
    arena_fini(&small);
}

TESTS_MAIN(unit(nothing_is_empty_in_every_type), unit(text_is_one_line_composed_and_bounded),
           unit(long_text_keeps_its_lines_without_carriage_returns),
           unit(text_that_no_bound_allows_is_refused_by_its_size),
           unit(days_are_read_as_britons_write_them), unit(days_come_from_three_inputs_too),
           unit(days_keep_to_their_bounds), unit(a_question_makes_no_broken_sentence),
           unit(spans_are_typed_in_british_time_and_kept_in_utc),
           unit(spans_that_make_no_sense_are_refused), unit(numbers_are_scaled_and_bounded),
           unit(money_is_pence), unit(choices_are_read_by_value_and_by_label),
           unit(a_choice_that_is_gone_is_shown_as_it_was_kept),
           unit(yes_and_no_are_read_as_typed_and_as_truth),
           unit(K16_a_pupil_number_is_checked_and_never_shown),
           unit(a_temporary_pupil_number_ends_in_a_letter_that_counts),
           unit(telephone_numbers_have_one_form), unit(addresses_of_mail_are_checked),
           unit(addresses_of_sites_are_read_as_the_gate_reads_them), unit(references_are_ids),
           unit(what_is_kept_unseen_is_given_only_where_something_was_typed), unit(keys_are_folded),
           unit(a_full_arena_is_an_error_and_no_value))
