/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The reader of text, as its files see it: markup.c gives out, markup_html.c reads tags,
 * markup_tag.c knows what they mean, markup_ref.c references, markup_json.c JSON. */
#ifndef LODGE_WIRE_MARKUP_IMPL_H
#define LODGE_WIRE_MARKUP_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/markup.h"

enum {
    MARKUP_OUT = 4096,
    MARKUP_NAME = 16, /* of elements; longer ones are none that matter */
    MARKUP_ATTR = 24,
    MARKUP_WORD = 48, /* of the values of type, name and property */
    MARKUP_HELD = 2048,
    MARKUP_REF = 34, /* the longest name of a reference has 31 letters */
};

struct markup_entity {
    char name[MARKUP_REF];
    uint8_t len;
    bool legacy; /* may lack its semicolon */
    uint32_t c[2];
};
extern const struct markup_entity markup_entities[]; /* sorted; made at build time */
extern const size_t markup_n_entities;

/* What the content of an element is. */
enum content {
    CONTENT_MARKUP,
    CONTENT_SKIPPED, /* raw text that nobody sees */
    CONTENT_RAW,     /* raw text that is shown */
    CONTENT_TEXT,    /* text with references */
    CONTENT_SCRIPT,  /* skipped, or JSON by its type */
    CONTENT_PLAIN,   /* all that follows */
};

struct markup_element {
    struct str name;
    enum content content;
    bool block;    /* stands on lines of its own */
    bool breakout; /* ends SVG and MathML */
};
/* NULL: an element of no matter. */
const struct markup_element *markup_element_find(struct str name);

/* Where the characters of an attribute's value go. */
enum sink { SINK_NONE, SINK_OUT, SINK_HELD, SINK_TYPE, SINK_WORD };

struct markup_word {
    size_t len;
    char text[MARKUP_WORD];
};

struct markup {
    enum markup_form form;
    markup_fn *fn;
    void *context;
    /* out */
    enum markup_kind kind; /* of what is in out */
    bool spaced;           /* the last byte given out was white space, or nothing was */
    bool lined;            /* it was a line feed, or nothing was */
    size_t n_out;
    char out[MARKUP_OUT];
    /* the tokenizer */
    unsigned state;
    unsigned back; /* the state that a reference returns to */
    unsigned matched;
    unsigned dashes;
    bool fresh; /* of a comment: nothing but dashes so far */
    bool bang;
    enum content content;
    enum markup_kind text_kind; /* TEXT, or TITLE inside one */
    unsigned foreign;           /* open SVG and MathML */
    bool select;                /* inside one, where browsers ignore most tags */
    struct str raw;             /* the element whose end is looked for; static */
    char raw_seen[MARKUP_NAME];
    /* the tag in hand */
    bool closing, self_closing;
    size_t name_len;
    char name[MARKUP_NAME];
    size_t attr_len;
    char attr[MARKUP_ATTR];
    enum sink sink;
    enum markup_kind held_kind;
    size_t n_held;
    char held[MARKUP_HELD];
    struct markup_word type, word;
    /* the reference in hand */
    size_t n_ref;
    char ref[MARKUP_REF];
    uint32_t number;
    /* JSON */
    unsigned json_state;
    unsigned json_digits;
    uint32_t json_unit, json_lead;
};

/* markup.c: one byte of text of a kind, white space made one; a break between lines; one character.
 */
void markup_put(struct markup *markup, enum markup_kind kind, char c);
/* The same for many. */
void markup_put_run(struct markup *markup, enum markup_kind kind, struct str bytes);
void markup_break(struct markup *markup, enum markup_kind kind);
/* UTF-8 of c; its length, at most 4. */
size_t markup_utf8(uint32_t c, char to[4]);

/* markup_html.c */
void markup_html(struct markup *markup, struct str utf8);
void markup_html_end(struct markup *markup);
/* A byte of what the tokenizer is in: text, or an attribute's value. */
void markup_say(struct markup *markup, char c);

/* markup_tag.c */
void markup_tag_begin(struct markup *markup, bool closing);
void markup_value_begin(struct markup *markup);
void markup_value_end(struct markup *markup);
/* The tag is whole: what it does to the text, and what its content is. */
void markup_tag_end(struct markup *markup);

/* markup_ref.c: what stands behind '&', with the byte that follows (0: none). semicolon: it is ';'.
 */
void markup_ref_named(struct markup *markup, bool semicolon, char next);
void markup_ref_number(struct markup *markup);

/* markup_json.c */
void markup_json(struct markup *markup, char c);

static inline bool markup_is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

static inline bool markup_is_alnum(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

#endif
