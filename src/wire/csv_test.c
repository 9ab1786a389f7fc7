/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/csv.h"

#include "lib/test.h"

#define CASES(list) (sizeof(list) / sizeof((list)[0]))

/* All rows as "a|b|c\n"; the end as nothing, a fault as "! why". */
static void read_all(struct str bytes, struct buf *to)
{
    static struct str cells[CSV_CELLS_MAX];
    struct csv csv;
    struct arena arena;
    size_t n = 0;
    enum csv_step step = CSV_UNSET;
    arena_init(&arena, 1 << 24);
    assert_ok(csv_open(bytes, &csv));
    while ((step = csv_next(&csv, &arena, cells, &n)) == CSV_ROW) {
        for (size_t i = 0; i < n; i++) {
            buf_append(to, i != 0 ? STR("|") : STR(""));
            buf_append(to, cells[i]);
        }
        buf_append_byte(to, '\n');
    }
    if (step == CSV_BAD) {
        buf_printf(to, "! %zu: %s", csv.line, csv.why);
    }
    csv_close(&csv);
    arena_fini(&arena);
}

static void assert_reads(struct str bytes, struct str want)
{
    struct buf got;
    buf_init(&got, 1 << 24);
    read_all(bytes, &got);
    assert_str_eq(buf_str(&got), want);
    buf_fini(&got);
}

TEST(rows_are_read_as_rfc_4180_has_them)
{
    static const struct {
        struct str bytes, want;
    } cases[] = {
        {STR_INIT("a,b\r\nc,d\r\n"), STR_INIT("a|b\nc|d\n")},
        {STR_INIT("a,b\nc,d"), STR_INIT("a|b\nc|d\n")},
        {STR_INIT("a,b\rc,d\r"), STR_INIT("a|b\nc|d\n")},
        {STR_INIT("\"a,b\",\"c \"\"d\"\"\"\n"), STR_INIT("a,b|c \"d\"\n")},
        {STR_INIT("\"two\r\nlines\",x\ny\n"), STR_INIT("two\r\nlines|x\ny\n")},
        {STR_INIT("a,,\n"), STR_INIT("a||\n")},
        {STR_INIT("a,"), STR_INIT("a|\n")},
        {STR_INIT("\"\",b\n"), STR_INIT("|b\n")},
        {STR_INIT(" a , b \n"), STR_INIT("a|b\n")},
        {STR_INIT("6' 2\" tall,b\n"), STR_INIT("6' 2\" tall|b\n")},
        {STR_INIT("\"a\" ,b\n"), STR_INIT("a|b\n")},
        {STR_INIT(""), STR_INIT("")},
        {STR_INIT("\r\n\r\na\r\n,,\r\n\r\nb\r\n"), STR_INIT("a\nb\n")},
    };
    for (size_t i = 0; i < CASES(cases); i++) {
        assert_reads(cases[i].bytes, cases[i].want);
    }
}

TEST(delimiters_are_found_in_the_first_row)
{
    static const struct {
        struct str bytes, want;
    } cases[] = {
        {STR_INIT("a;b;c\n1,5;2;3\n"), STR_INIT("a|b|c\n1,5|2|3\n")},
        {STR_INIT("a\tb\n1\t2,3\n"), STR_INIT("a|b\n1|2,3\n")},
        {STR_INIT("\"a;b;c\",d\n"), STR_INIT("a;b;c|d\n")},
        {STR_INIT("sep=;\r\na;b,c,d\n"), STR_INIT("a|b,c,d\n")},
        {STR_INIT("name\nx;y\n"), STR_INIT("name\nx;y\n")},
    };
    for (size_t i = 0; i < CASES(cases); i++) {
        assert_reads(cases[i].bytes, cases[i].want);
    }
}

TEST(the_encodings_of_spreadsheets_are_read)
{
    static const struct {
        struct str bytes, want;
    } cases[] = {
        {STR_INIT("\xef\xbb\xbfZo\xc3\xab,b\n"), STR_INIT("Zo\xc3\xab|b\n")},
        {STR_INIT("Zo\xc3\xab,b\n"), STR_INIT("Zo\xc3\xab|b\n")},
        {STR_INIT("Zo\xeb,O\x92"
                  "Brien\n"),
         STR_INIT("Zo\xc3\xab|O\xe2\x80\x99"
                  "Brien\n")},
        {STR_INIT("\xff\xfeZ\0\xeb\0\t\0b\0\n\0"), STR_INIT("Z\xc3\xab|b\n")},
    };
    for (size_t i = 0; i < CASES(cases); i++) {
        assert_reads(cases[i].bytes, cases[i].want);
    }
}

TEST(what_cannot_be_read_is_told_with_its_line)
{
    static const struct {
        struct str bytes, want;
    } cases[] = {
        {STR_INIT("a\n\"b\nc\n"),
         STR_INIT("a\n! 2: a cell begins with a quote that is never closed")},
        {STR_INIT("a\n\"x\ny\"\n\"b\"c\n"),
         STR_INIT("a\nx\ny\n! 4: there is text behind a closing quote: write a quote inside of a "
                  "cell twice")},
    };
    for (size_t i = 0; i < CASES(cases); i++) {
        assert_reads(cases[i].bytes, cases[i].want);
    }
}

TEST(sizes_have_an_end)
{
    static char big[CSV_CELL_MAX + 2];
    static char many[CSV_CELLS_MAX + 1];
    struct buf rows;
    memset(big, 'a', sizeof(big));
    memset(many, ',', sizeof(many));
    many[0] = 'a';
    assert_reads(str_make(big, sizeof(big)), STR("! 1: a cell is too long"));
    assert_reads(str_make(many, sizeof(many)), STR("! 1: a row has too many cells"));
    buf_init(&rows, CSV_BYTES_MAX);
    for (size_t i = 0; i <= CSV_ROWS_MAX; i++) {
        buf_append(&rows, STR("a\n"));
    }
    struct buf got;
    buf_init(&got, CSV_BYTES_MAX);
    read_all(buf_str(&rows), &got);
    assert_true(str_ends(buf_str(&got), STR("the file has too many rows")));
    buf_fini(&got);
    buf_fini(&rows);
    struct csv csv;
    assert_err(csv_open(str_make("", CSV_BYTES_MAX + 1), &csv), ERR_LIMIT);
    csv_close(&csv);
}

static void assert_written(struct str cell, const char *want)
{
    struct buf to;
    buf_init(&to, 1 << 16);
    csv_put(&to, true, cell);
    csv_end_row(&to);
    struct str text = buf_str(&to);
    assert_str_eq(str_sub(text, 0, text.len - 2), str_from(want));
    buf_fini(&to);
}

TEST(formulas_are_defused_and_numbers_below_zero_are_not)
{
    static const struct {
        const char *cell, *want;
    } cases[] = {
        {"=1+1", "'=1+1"},
        {"=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"},
        {"+44", "'+44"},
        {"-1+1", "'-1+1"},
        {"@SUM(A1)", "'@SUM(A1)"},
        {"\t=1", "\"'\t=1\""},
        {"\r=1", "\"'\r=1\""},
        {" =1", "\"' =1\""},
        {"\xef\xbc\x9d"
         "1",
         "'\xef\xbc\x9d"
         "1"},
        {"=HYPERLINK(\"http://a.example\",\"x\")",
         "\"'=HYPERLINK(\"\"http://a.example\"\",\"\"x\"\")\""},
        {"-5", "-5"},
        {"-1,234.50", "\"-1,234.50\""},
        {"-\xc2\xa3"
         "5.00",
         "-\xc2\xa3"
         "5.00"},
        {"-", "'-"},
        {"-5-6", "'-5-6"},
        {"'=1", "''=1"},
        {"O'Brien", "O'Brien"},
        {"a=b", "a=b"},
        {"", ""},
        {"a,b", "\"a,b\""},
        {"a;b", "\"a;b\""},
        {"say \"x\"", "\"say \"\"x\"\"\""},
    };
    for (size_t i = 0; i < CASES(cases); i++) {
        assert_written(str_from(cases[i].cell), cases[i].want);
    }
}

TEST(what_was_written_is_read_as_it_was)
{
    static const char *const cells[] = {
        "=1+1", "'=1",      "''-",        "-5", "+44 20", "O'Brien", "a\nb",
        "\"",   "a;b,c\td", "Zo\xc3\xab", "'",  "-",      "@x",
    };
    static struct str read[CSV_CELLS_MAX];
    struct buf to;
    struct csv csv;
    struct arena arena;
    size_t n = 0;
    arena_init(&arena, 1 << 16);
    buf_init(&to, 1 << 16);
    csv_begin(&to);
    for (size_t i = 0; i < CASES(cells); i++) {
        csv_put(&to, i == 0, str_from(cells[i]));
    }
    csv_end_row(&to);
    assert_ok(csv_open(buf_str(&to), &csv));
    assert_int_equal(csv_next(&csv, &arena, read, &n), CSV_ROW);
    assert_int_equal(n, CASES(cells));
    for (size_t i = 0; i < n; i++) {
        assert_str_eq(read[i], str_from(cells[i]));
    }
    assert_int_equal(csv_next(&csv, &arena, read, &n), CSV_END);
    csv_close(&csv);
    buf_fini(&to);
    arena_fini(&arena);
}

TESTS_MAIN(unit(rows_are_read_as_rfc_4180_has_them), unit(delimiters_are_found_in_the_first_row),
           unit(the_encodings_of_spreadsheets_are_read),
           unit(what_cannot_be_read_is_told_with_its_line), unit(sizes_have_an_end),
           unit(formulas_are_defused_and_numbers_below_zero_are_not),
           unit(what_was_written_is_read_as_it_was))
