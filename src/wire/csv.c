/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Comma-separated text: reading what others wrote, writing what others open. */
#include "wire/csv.h"

#include "base/check.h"
#include "wire/charset.h"
#include "wire/utf8.h"

#define MARK "\xef\xbb\xbf"

/* Windows-1252 makes at most three bytes of one. */
enum { MOST_GROWN = 3 };

static const char DELIMITERS[] = {',', ';', '\t'};

/* ---- opening ---- */

static void append_decoded(void *context, struct str utf8)
{
    buf_append(context, utf8);
}

static bool is_utf8(struct str text)
{
    while (text.len != 0) {
        size_t len = utf8_length(text);
        if (len == 0) {
            return false;
        }
        text = str_skip(text, len);
    }
    return true;
}

static enum err decode(struct csv *csv, enum charset charset, struct str bytes)
{
    struct charset_decoder *decoder = NULL;
    ERR_TRY(charset_open(charset, append_decoded, &csv->text, &decoder));
    charset_feed(decoder, bytes);
    charset_end(decoder);
    charset_close(decoder);
    return buf_err(&csv->text);
}

/* How many delimiters the first row has; what stands in quotes does not count. */
static size_t count_delimiters(struct str text, char delimiter)
{
    size_t count = 0;
    bool quoted = false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        quoted = c == '"' ? !quoted : quoted;
        if (!quoted && (c == '\n' || c == '\r')) {
            break;
        }
        count += !quoted && c == delimiter ? 1 : 0;
    }
    return count;
}

static char find_delimiter(struct str text)
{
    char best = DELIMITERS[0];
    size_t most = 0;
    for (size_t i = 0; i < sizeof(DELIMITERS); i++) {
        size_t count = count_delimiters(text, DELIMITERS[i]);
        if (count > most) {
            most = count;
            best = DELIMITERS[i];
        }
    }
    return best;
}

/* Takes the end of a line off the front, where there is one. */
static bool take_end(struct csv *csv)
{
    size_t len = str_starts(csv->rest, STR("\r\n"))                                     ? 2
                 : str_starts(csv->rest, STR("\n")) || str_starts(csv->rest, STR("\r")) ? 1
                                                                                        : 0;
    csv->rest = str_skip(csv->rest, len);
    csv->next_line += len != 0 ? 1 : 0;
    return len != 0;
}

/* "sep=;" is a spreadsheet's word to itself. */
static void take_sep(struct csv *csv)
{
    struct str head = str_sub(csv->rest, 0, 4);
    if (csv->rest.len < 5 || !str_eq_nocase(head, STR("sep="))) {
        return;
    }
    char named = csv->rest.p[4];
    for (size_t i = 0; i < sizeof(DELIMITERS); i++) {
        if (named == DELIMITERS[i]) {
            csv->rest = str_skip(csv->rest, 5);
            csv->delimiter = named;
            (void)take_end(csv);
            return;
        }
    }
}

enum err csv_open(struct str bytes, struct csv *ret_csv)
{
    struct csv csv = {.next_line = 1};
    enum err err = ERR_OK;
    size_t skip = 0;
    buf_init(&csv.text, (size_t)CSV_BYTES_MAX * MOST_GROWN);
    *ret_csv = csv;
    if (bytes.len > CSV_BYTES_MAX) {
        return ERR_LIMIT;
    }
    enum charset charset =
        charset_of_body(bytes, CHARSET_UNSET, CHARSET_HINT_NONE, CHARSET_WINDOWS_1252, &skip);
    bytes = str_skip(bytes, skip);
    if (skip == 0 && is_utf8(bytes)) {
        charset = CHARSET_UTF_8;
    }
    err = decode(&csv, charset, bytes);
    csv.rest = buf_str(&csv.text);
    csv.delimiter = find_delimiter(csv.rest);
    take_sep(&csv);
    *ret_csv = csv;
    return err;
}

void csv_close(struct csv *csv)
{
    buf_fini(&csv->text);
}

/* ---- formulas ---- */

/* Whether a spreadsheet takes it for a formula. */
static bool is_formula_sign(struct str text)
{
    static const char *const signs[] = {"=",
                                        "+",
                                        "-",
                                        "@",
                                        "\t",
                                        "\r",
                                        "\n",
                                        "\xef\xbc\x9d",
                                        "\xef\xbc\x8b",
                                        "\xef\xbc\x8d",
                                        "\xef\xbc\xa0"};
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (str_starts(text, str_from(signs[i]))) {
            return true;
        }
    }
    return false;
}

/* "-1,234.50", with a pound before its digits or not. */
static bool is_negative_number(struct str text)
{
    size_t digits = 0;
    bool point = false;
    if (!str_starts(text, STR("-"))) {
        return false;
    }
    text = str_skip(text, str_starts(text, STR("-\xc2\xa3")) ? 3 : 1);
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        bool separator = digits != 0 && !point && (c == ',' || c == '.');
        if (!ascii_is_digit(c) && !separator) {
            return false;
        }
        digits += ascii_is_digit(c) ? 1 : 0;
        point = point || c == '.';
    }
    return digits != 0;
}

/* Whether the text, apostrophes and spaces in front left out, is one. */
static bool is_risky(struct str cell)
{
    while (str_starts(cell, STR("'")) || str_starts(cell, STR(" "))) {
        cell = str_skip(cell, 1);
    }
    return is_formula_sign(cell);
}

/* ---- reading ---- */

static enum csv_step bad(struct csv *csv, const char *why)
{
    csv->why = why;
    csv->rest = (struct str){0};
    return CSV_BAD;
}

/* The cell without what the writer puts before a formula. */
static struct str undefused(struct str cell)
{
    cell = str_trim_space(cell);
    if (str_starts(cell, STR("'")) && is_risky(cell)) {
        return str_skip(cell, 1);
    }
    return cell;
}

static bool ends_cell(const struct csv *csv)
{
    char c = csv->rest.len != 0 ? csv->rest.p[0] : '\n';
    return c == csv->delimiter || c == '\n' || c == '\r';
}

static struct str read_plain(struct csv *csv)
{
    struct str cell = {csv->rest.p, 0};
    while (!ends_cell(csv)) {
        cell.len++;
        csv->rest = str_skip(csv->rest, 1);
    }
    return cell;
}

/* The end of a quoted cell whose opening quote was taken: the closing quote's place, or len. */
static size_t find_close(struct csv *csv, size_t *ret_doubled)
{
    size_t doubled = 0, at = 0;
    struct str text = csv->rest;
    for (; at < text.len; at++) {
        if (text.p[at] == '"') {
            if (at + 1 == text.len || text.p[at + 1] != '"') {
                break;
            }
            doubled++;
            at++;
        } else if (text.p[at] == '\n' ||
                   (text.p[at] == '\r' && at + 1 < text.len && text.p[at + 1] != '\n')) {
            csv->next_line++;
        }
    }
    *ret_doubled = doubled;
    return at < text.len ? at : text.len;
}

static struct str without_doubles(struct str text, struct arena *arena)
{
    char *to = arena_alloc(arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; to != NULL && i < text.len; i++) {
        to[len++] = text.p[i];
        i += text.p[i] == '"' ? 1 : 0;
    }
    return str_make(to, len);
}

static enum csv_step read_quoted(struct csv *csv, struct arena *arena, struct str *ret_cell)
{
    size_t doubled = 0;
    csv->rest = str_skip(csv->rest, 1);
    size_t end = find_close(csv, &doubled);
    if (end == csv->rest.len) {
        return bad(csv, "a cell begins with a quote that is never closed");
    }
    struct str cell = str_sub(csv->rest, 0, end);
    if (cell.len > CSV_CELL_MAX) {
        return bad(csv, "a cell is too long");
    }
    csv->rest = str_skip(csv->rest, end + 1);
    while (csv->rest.len != 0 && csv->rest.p[0] == ' ') {
        csv->rest = str_skip(csv->rest, 1);
    }
    if (!ends_cell(csv)) {
        return bad(csv,
                   "there is text behind a closing quote: write a quote inside of a cell twice");
    }
    cell = doubled != 0 ? without_doubles(cell, arena) : cell;
    if (cell.p == NULL && doubled != 0) {
        return bad(csv, "the file is too big");
    }
    *ret_cell = cell;
    return CSV_ROW;
}

static enum csv_step read_cell(struct csv *csv, struct arena *arena, struct str *ret_cell)
{
    struct str cell = {0};
    if (str_starts(csv->rest, STR("\""))) {
        enum csv_step step = read_quoted(csv, arena, &cell);
        if (step != CSV_ROW) {
            return step;
        }
    } else {
        cell = read_plain(csv);
    }
    if (cell.len > CSV_CELL_MAX) {
        return bad(csv, "a cell is too long");
    }
    *ret_cell = undefused(cell);
    return CSV_ROW;
}

static enum csv_step read_row(struct csv *csv, struct arena *arena, struct str *cells,
                              size_t *ret_cells)
{
    size_t n = 0;
    for (;;) {
        if (n == CSV_CELLS_MAX) {
            return bad(csv, "a row has too many cells");
        }
        enum csv_step step = read_cell(csv, arena, &cells[n]);
        if (step != CSV_ROW) {
            return step;
        }
        n++;
        if (csv->rest.len == 0 || csv->rest.p[0] != csv->delimiter) {
            break;
        }
        csv->rest = str_skip(csv->rest, 1);
    }
    (void)take_end(csv);
    *ret_cells = n;
    return CSV_ROW;
}

static bool is_blank(const struct str *cells, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (cells[i].len != 0) {
            return false;
        }
    }
    return true;
}

enum csv_step csv_next(struct csv *csv, struct arena *arena, struct str cells[CSV_CELLS_MAX],
                       size_t *ret_cells)
{
    size_t n = 0;
    do {
        if (csv->rest.len == 0) {
            return csv->why != NULL ? CSV_BAD : CSV_END;
        }
        csv->line = csv->next_line;
        enum csv_step step = read_row(csv, arena, cells, &n);
        if (step != CSV_ROW) {
            return step;
        }
    } while (is_blank(cells, n));
    if (csv->rows++ == CSV_ROWS_MAX) {
        return bad(csv, "the file has too many rows");
    }
    *ret_cells = n;
    return CSV_ROW;
}

/* ---- writing ---- */

void csv_begin(struct buf *to)
{
    buf_append(to, STR(MARK));
}

static bool needs_quotes(struct str cell)
{
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.p[i] == '\0' || strchr("\",;\t\r\n", cell.p[i]) != NULL) {
            return true;
        }
    }
    return cell.len != 0 && (cell.p[0] == ' ' || cell.p[cell.len - 1] == ' ');
}

void csv_put(struct buf *to, bool first, struct str cell)
{
    bool defuse = is_risky(cell) && !is_negative_number(cell);
    bool quote = needs_quotes(cell);
    if (!first) {
        buf_append_byte(to, ',');
    }
    if (quote) {
        buf_append_byte(to, '"');
    }
    if (defuse) {
        buf_append_byte(to, '\'');
    }
    for (size_t i = 0; i < cell.len; i++) {
        if (cell.p[i] == '"') {
            buf_append_byte(to, '"');
        }
        buf_append_byte(to, cell.p[i]);
    }
    if (quote) {
        buf_append_byte(to, '"');
    }
}

void csv_end_row(struct buf *to)
{
    buf_append(to, STR("\r\n"));
}
