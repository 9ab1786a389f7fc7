/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tokenizer (WHATWG HTML section 13.2.5), a byte at a time; its names for the states. */
#include "wire/markup_impl.h"

enum state {
    DATA,
    TAG_OPEN,
    END_TAG_OPEN,
    TAG_NAME,
    BEFORE_ATTRIBUTE,
    ATTRIBUTE_NAME,
    AFTER_ATTRIBUTE,
    BEFORE_VALUE,
    VALUE_DOUBLE,
    VALUE_SINGLE,
    VALUE_BARE,
    AFTER_VALUE,
    SELF_CLOSING,
    BOGUS_COMMENT,
    DECLARATION,
    COMMENT,
    CDATA,
    RAW,
    RAW_OPEN,
    RAW_END,
    PLAIN,
    REFERENCE,
    NAMED,
    NUMBER_START,
    HEX_START,
    DECIMAL,
    HEX,
    STATE_COUNT_
};

/* A state takes a byte, or says false: it is read again in the state that is now. */
typedef bool state_fn(struct markup *markup, char c);

static bool go(struct markup *markup, enum state state)
{
    markup->state = state;
    return true;
}

static bool again(struct markup *markup, enum state state)
{
    markup->state = state;
    return false;
}

static void word_add(struct markup_word *word, char c)
{
    if (word->len < MARKUP_WORD) {
        word->text[word->len++] = c;
    }
}

void markup_say(struct markup *markup, char c)
{
    switch (markup->sink) {
    case SINK_NONE:
        break;
    case SINK_OUT:
        markup_put(markup, MARKUP_ATTRIBUTE, c);
        return;
    case SINK_HELD:
        if (markup->n_held < MARKUP_HELD) {
            markup->held[markup->n_held++] = c;
        }
        return;
    case SINK_TYPE:
        word_add(&markup->type, c);
        return;
    case SINK_WORD:
        word_add(&markup->word, c);
        return;
    }
    bool in_value =
        markup->back >= VALUE_DOUBLE && markup->back <= VALUE_BARE && markup->state >= REFERENCE;
    bool in_tag = markup->state >= TAG_NAME && markup->state <= SELF_CLOSING;
    if (!in_value && !in_tag) {
        markup_put(markup, markup->text_kind, c);
    }
}

static void text(struct markup *markup, const char *bytes)
{
    for (; *bytes != 0; bytes++) {
        markup_say(markup, *bytes);
    }
}

static bool reference(struct markup *markup)
{
    markup->back = markup->state;
    markup->n_ref = 0;
    markup->number = 0;
    return go(markup, REFERENCE);
}

/* The state behind a tag. */
static bool tag_done(struct markup *markup)
{
    markup_tag_end(markup);
    if (markup->content == CONTENT_PLAIN) {
        return go(markup, PLAIN);
    }
    return go(markup, markup->content == CONTENT_MARKUP ? DATA : RAW);
}

static bool data(struct markup *markup, char c)
{
    if (c == '<') {
        return go(markup, TAG_OPEN);
    }
    if (c == '&') {
        return reference(markup);
    }
    markup_say(markup, c);
    return true;
}

static bool tag_open(struct markup *markup, char c)
{
    markup->matched = 0;
    if (c == '!') {
        return go(markup, DECLARATION);
    }
    if (c == '/') {
        return go(markup, END_TAG_OPEN);
    }
    if (ascii_is_alpha(c)) {
        markup_tag_begin(markup, false);
        return again(markup, TAG_NAME);
    }
    if (c == '?') {
        return go(markup, BOGUS_COMMENT);
    }
    markup->state = DATA;
    markup_say(markup, '<');
    return false;
}

static bool end_tag_open(struct markup *markup, char c)
{
    if (ascii_is_alpha(c)) {
        markup_tag_begin(markup, true);
        return again(markup, TAG_NAME);
    }
    return c == '>' ? go(markup, DATA) : again(markup, BOGUS_COMMENT);
}

static bool tag_name(struct markup *markup, char c)
{
    if (markup_is_space(c)) {
        return go(markup, BEFORE_ATTRIBUTE);
    }
    if (c == '/') {
        return go(markup, SELF_CLOSING);
    }
    if (c == '>') {
        return tag_done(markup);
    }
    /* One too long is cut to a length that no element of the table has. */
    if (markup->name_len < MARKUP_NAME) {
        markup->name[markup->name_len++] = ascii_lower(c);
    }
    return true;
}

static bool before_attribute(struct markup *markup, char c)
{
    if (markup_is_space(c)) {
        return true;
    }
    if (c == '/' || c == '>') {
        return again(markup, AFTER_ATTRIBUTE);
    }
    markup->attr_len = 0;
    if (c == '=') {
        markup->attr[markup->attr_len++] = c;
        return go(markup, ATTRIBUTE_NAME);
    }
    return again(markup, ATTRIBUTE_NAME);
}

static bool begin_value(struct markup *markup)
{
    return go(markup, BEFORE_VALUE);
}

static bool attribute_name(struct markup *markup, char c)
{
    if (markup_is_space(c) || c == '/' || c == '>') {
        return again(markup, AFTER_ATTRIBUTE);
    }
    if (c == '=') {
        return begin_value(markup);
    }
    if (markup->attr_len < MARKUP_ATTR) {
        markup->attr[markup->attr_len++] = ascii_lower(c);
    }
    return true;
}

static bool after_attribute(struct markup *markup, char c)
{
    if (markup_is_space(c)) {
        return true;
    }
    if (c == '/') {
        return go(markup, SELF_CLOSING);
    }
    if (c == '=') {
        return begin_value(markup);
    }
    if (c == '>') {
        return tag_done(markup);
    }
    markup->attr_len = 0;
    return again(markup, ATTRIBUTE_NAME);
}

static bool before_value(struct markup *markup, char c)
{
    if (markup_is_space(c)) {
        return true;
    }
    if (c == '>') {
        return tag_done(markup);
    }
    markup_value_begin(markup);
    if (c == '"') {
        return go(markup, VALUE_DOUBLE);
    }
    return c == '\'' ? go(markup, VALUE_SINGLE) : again(markup, VALUE_BARE);
}

static bool quoted(struct markup *markup, char c, char quote)
{
    if (c == quote) {
        markup_value_end(markup);
        return go(markup, AFTER_VALUE);
    }
    if (c == '&') {
        return reference(markup);
    }
    markup_say(markup, c);
    return true;
}

static bool value_double(struct markup *markup, char c)
{
    return quoted(markup, c, '"');
}

static bool value_single(struct markup *markup, char c)
{
    return quoted(markup, c, '\'');
}

static bool value_bare(struct markup *markup, char c)
{
    if (markup_is_space(c) || c == '>') {
        markup_value_end(markup);
        return c == '>' ? tag_done(markup) : go(markup, BEFORE_ATTRIBUTE);
    }
    if (c == '&') {
        return reference(markup);
    }
    markup_say(markup, c);
    return true;
}

static bool after_value(struct markup *markup, char c)
{
    if (c == '/') {
        return go(markup, SELF_CLOSING);
    }
    return c == '>' ? tag_done(markup) : again(markup, BEFORE_ATTRIBUTE);
}

static bool self_closing(struct markup *markup, char c)
{
    if (c == '>') {
        markup->self_closing = true;
        return tag_done(markup);
    }
    return again(markup, BEFORE_ATTRIBUTE);
}

static bool bogus_comment(struct markup *markup, char c)
{
    return go(markup, c == '>' ? DATA : BOGUS_COMMENT);
}

/* Behind "<!": a comment, a CDATA section where there are any, or something of no matter. */
static bool declaration(struct markup *markup, char c)
{
    static const char comment[] = "--";
    static const char cdata[] = "[CDATA[";
    bool dash = markup->matched == 0 ? c == '-' : markup->raw_seen[0] == '-';
    const char *want = dash ? comment : cdata;
    bool possible = dash || markup->foreign != 0;
    markup->raw_seen[0] = markup->matched == 0 ? c : markup->raw_seen[0];
    if (!possible || c != want[markup->matched]) {
        return again(markup, BOGUS_COMMENT);
    }
    markup->matched++;
    if (want[markup->matched] != 0) {
        return true;
    }
    markup->dashes = dash ? 2 : 0;
    markup->fresh = true;
    markup->bang = false;
    return go(markup, dash ? COMMENT : CDATA);
}

/* It ends at "-->", at "--!>", and at once at ">" or "->". */
static bool comment(struct markup *markup, char c)
{
    if (c == '>' && (markup->dashes >= 2 || markup->bang)) {
        return go(markup, DATA);
    }
    markup->bang = c == '!' && markup->dashes >= 2 && !markup->fresh;
    markup->fresh = markup->fresh && c == '-';
    markup->dashes = c != '-' ? 0 : markup->dashes < 2 ? markup->dashes + 1 : 2;
    return true;
}

static bool cdata(struct markup *markup, char c)
{
    if (c == ']') {
        if (markup->dashes == 2) {
            markup_say(markup, ']');
        } else {
            markup->dashes++;
        }
        return true;
    }
    if (c == '>' && markup->dashes == 2) {
        return go(markup, DATA);
    }
    for (; markup->dashes != 0; markup->dashes--) {
        markup_say(markup, ']');
    }
    markup_say(markup, c);
    return true;
}

/* --- raw text
 * ----------------------------------------------------------------------------------------- */

static void raw_say(struct markup *markup, char c)
{
    if (markup->content == CONTENT_SCRIPT) {
        markup_json(markup, c);
    } else if (markup->content != CONTENT_SKIPPED) {
        markup_put(markup, markup->text_kind, c);
    }
}

static bool raw(struct markup *markup, char c)
{
    if (c == '<') {
        return go(markup, RAW_OPEN);
    }
    if (c == '&' && markup->content == CONTENT_TEXT) {
        markup->sink = SINK_NONE;
        return reference(markup);
    }
    raw_say(markup, c);
    return true;
}

static bool raw_open(struct markup *markup, char c)
{
    if (c == '/') {
        markup->matched = 0;
        return go(markup, RAW_END);
    }
    raw_say(markup, '<');
    return again(markup, RAW);
}

/* What looked like the element's end and is not. */
static void raw_not_end(struct markup *markup)
{
    raw_say(markup, '<');
    raw_say(markup, '/');
    for (unsigned i = 0; i < markup->matched; i++) {
        raw_say(markup, markup->raw_seen[i]);
    }
}

static bool raw_end(struct markup *markup, char c)
{
    if (markup->matched < markup->raw.len && ascii_lower(c) == markup->raw.p[markup->matched]) {
        markup->raw_seen[markup->matched++] = c;
        return true;
    }
    if (markup->matched == markup->raw.len && (markup_is_space(c) || c == '/' || c == '>')) {
        markup_tag_begin(markup, true);
        memcpy(markup->name, markup->raw.p, markup->raw.len);
        markup->name_len = markup->raw.len;
        return again(markup, TAG_NAME);
    }
    raw_not_end(markup);
    return again(markup, RAW);
}

static bool plain(struct markup *markup, char c)
{
    markup_put(markup, MARKUP_TEXT, c);
    return true;
}

/* --- references
 * --------------------------------------------------------------------------------------- */

static bool ref_open(struct markup *markup, char c)
{
    if (c == '#') {
        return go(markup, NUMBER_START);
    }
    if (markup_is_alnum(c)) {
        return again(markup, NAMED);
    }
    markup_say(markup, '&');
    return again(markup, markup->back);
}

static bool ref_named(struct markup *markup, char c)
{
    if (markup_is_alnum(c) && markup->n_ref < MARKUP_REF) {
        markup->ref[markup->n_ref++] = c;
        return true;
    }
    markup_ref_named(markup, c == ';', c);
    markup->state = markup->back;
    return c == ';';
}

static bool ref_number_start(struct markup *markup, char c)
{
    if (c == 'x' || c == 'X') {
        markup->ref[0] = c;
        return go(markup, HEX_START);
    }
    if (ascii_is_digit(c)) {
        return again(markup, DECIMAL);
    }
    text(markup, "&#");
    return again(markup, markup->back);
}

static bool ref_hex_start(struct markup *markup, char c)
{
    if (ascii_hex(c) >= 0) {
        return again(markup, HEX);
    }
    text(markup, "&#");
    markup_say(markup, markup->ref[0]);
    return again(markup, markup->back);
}

static bool ref_digits(struct markup *markup, char c, unsigned base)
{
    int digit = ascii_hex(c);
    if (digit >= 0 && (unsigned)digit < base) {
        uint32_t number = markup->number * base + (uint32_t)digit;
        markup->number = number > 0x10ffff ? 0x110000 : number;
        return true;
    }
    markup_ref_number(markup);
    markup->state = markup->back;
    return c == ';';
}

static bool ref_decimal(struct markup *markup, char c)
{
    return ref_digits(markup, c, 10);
}

static bool ref_hex(struct markup *markup, char c)
{
    return ref_digits(markup, c, 16);
}

static state_fn *const states[STATE_COUNT_] = {
    [DATA] = data,
    [TAG_OPEN] = tag_open,
    [END_TAG_OPEN] = end_tag_open,
    [TAG_NAME] = tag_name,
    [BEFORE_ATTRIBUTE] = before_attribute,
    [ATTRIBUTE_NAME] = attribute_name,
    [AFTER_ATTRIBUTE] = after_attribute,
    [BEFORE_VALUE] = before_value,
    [VALUE_DOUBLE] = value_double,
    [VALUE_SINGLE] = value_single,
    [VALUE_BARE] = value_bare,
    [AFTER_VALUE] = after_value,
    [SELF_CLOSING] = self_closing,
    [BOGUS_COMMENT] = bogus_comment,
    [DECLARATION] = declaration,
    [COMMENT] = comment,
    [CDATA] = cdata,
    [RAW] = raw,
    [RAW_OPEN] = raw_open,
    [RAW_END] = raw_end,
    [PLAIN] = plain,
    [REFERENCE] = ref_open,
    [NAMED] = ref_named,
    [NUMBER_START] = ref_number_start,
    [HEX_START] = ref_hex_start,
    [DECIMAL] = ref_decimal,
    [HEX] = ref_hex,
};

/* Bytes that the state would take one by one without leaving it. */
static size_t take_run(struct markup *markup, struct str rest)
{
    size_t n = 0;
    switch (markup->state) {
    case DATA:
        while (n < rest.len && rest.p[n] != '<' && rest.p[n] != '&') {
            n++;
        }
        markup_put_run(markup, markup->text_kind, str_sub(rest, 0, n));
        return n;
    case VALUE_DOUBLE:
    case VALUE_SINGLE:
        return markup->sink == SINK_NONE
                   ? str_index(rest, markup->state == VALUE_DOUBLE ? '"' : '\'')
                   : 0;
    case RAW:
        return markup->content == CONTENT_SKIPPED ? str_index(rest, '<') : 0;
    case COMMENT:
        return markup->dashes == 0 && !markup->bang && !markup->fresh ? str_index(rest, '-') : 0;
    case BOGUS_COMMENT:
        return str_index(rest, '>');
    }
    return 0;
}

void markup_html(struct markup *markup, struct str utf8)
{
    while (utf8.len != 0) {
        utf8 = str_skip(utf8, take_run(markup, utf8));
        while (utf8.len != 0 && !states[markup->state](markup, utf8.p[0])) {
        }
        utf8 = str_skip(utf8, 1);
    }
}

/* What was begun and is text after all. */
void markup_html_end(struct markup *markup)
{
    switch (markup->state) {
    case NAMED:
        markup_ref_named(markup, false, 0);
        break;
    case DECIMAL:
    case HEX:
        markup_ref_number(markup);
        break;
    case REFERENCE:
        markup_say(markup, '&');
        break;
    case NUMBER_START:
        text(markup, "&#");
        break;
    case HEX_START:
        text(markup, "&#");
        markup_say(markup, markup->ref[0]);
        break;
    case TAG_OPEN:
        markup->state = DATA;
        markup_say(markup, '<');
        break;
    case END_TAG_OPEN:
        markup->state = DATA;
        text(markup, "</");
        break;
    case RAW_OPEN:
        raw_say(markup, '<');
        break;
    case RAW_END:
        raw_not_end(markup);
        break;
    }
    markup->state = DATA;
}
