/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tags and attributes mean for the text. */
#include "wire/markup_impl.h"

#define BLOCK(name)                                 \
    {                                               \
        STR_INIT(name), CONTENT_MARKUP, true, false \
    }
#define BREAKOUT(name, block)                       \
    {                                               \
        STR_INIT(name), CONTENT_MARKUP, block, true \
    }
#define HOLDS(name, content, block)           \
    {                                         \
        STR_INIT(name), content, block, false \
    }

/* Sorted by name. */
static const struct markup_element elements[] = {
    BLOCK("address"),
    BLOCK("article"),
    BLOCK("aside"),
    BREAKOUT("b", false),
    BREAKOUT("big", false),
    BREAKOUT("blockquote", true),
    BREAKOUT("body", true),
    BREAKOUT("br", true),
    BLOCK("button"),
    BLOCK("caption"),
    BREAKOUT("center", true),
    BREAKOUT("code", false),
    BREAKOUT("dd", true),
    BREAKOUT("desc", true),
    BLOCK("details"),
    BLOCK("dialog"),
    BREAKOUT("div", true),
    BREAKOUT("dl", true),
    BREAKOUT("dt", true),
    BREAKOUT("em", false),
    BREAKOUT("embed", false),
    BLOCK("fieldset"),
    BLOCK("figcaption"),
    BLOCK("figure"),
    BLOCK("footer"),
    BREAKOUT("foreignobject", true),
    BLOCK("form"),
    BREAKOUT("h1", true),
    BREAKOUT("h2", true),
    BREAKOUT("h3", true),
    BREAKOUT("h4", true),
    BREAKOUT("h5", true),
    BREAKOUT("h6", true),
    BREAKOUT("head", true),
    BLOCK("header"),
    BREAKOUT("hr", true),
    BREAKOUT("i", false),
    HOLDS("iframe", CONTENT_SKIPPED, true),
    BREAKOUT("img", false),
    BLOCK("input"),
    BLOCK("label"),
    BLOCK("legend"),
    BREAKOUT("li", true),
    BREAKOUT("listing", true),
    BLOCK("main"),
    BREAKOUT("menu", true),
    BREAKOUT("meta", false),
    BLOCK("nav"),
    BREAKOUT("nobr", false),
    HOLDS("noembed", CONTENT_SKIPPED, false),
    HOLDS("noframes", CONTENT_SKIPPED, false),
    HOLDS("noscript", CONTENT_SKIPPED, false),
    BREAKOUT("ol", true),
    BLOCK("optgroup"),
    BLOCK("option"),
    BREAKOUT("p", true),
    HOLDS("plaintext", CONTENT_PLAIN, true),
    BREAKOUT("pre", true),
    BREAKOUT("ruby", false),
    BREAKOUT("s", false),
    HOLDS("script", CONTENT_SCRIPT, false),
    BLOCK("section"),
    BLOCK("select"),
    BREAKOUT("small", false),
    BREAKOUT("span", false),
    BREAKOUT("strike", false),
    BREAKOUT("strong", false),
    HOLDS("style", CONTENT_SKIPPED, false),
    BREAKOUT("sub", false),
    BLOCK("summary"),
    BREAKOUT("sup", false),
    BREAKOUT("table", true),
    BLOCK("tbody"),
    BLOCK("td"),
    HOLDS("textarea", CONTENT_TEXT, true),
    BLOCK("tfoot"),
    BLOCK("th"),
    BLOCK("thead"),
    HOLDS("title", CONTENT_TEXT, true),
    BLOCK("tr"),
    BREAKOUT("tt", false),
    BREAKOUT("u", false),
    BREAKOUT("ul", true),
    BREAKOUT("var", false),
    HOLDS("xmp", CONTENT_RAW, true),
};

const struct markup_element *markup_element_find(struct str name)
{
    size_t low = 0;
    size_t high = sizeof(elements) / sizeof(elements[0]);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = str_compare(elements[middle].name, name);
        if (order == 0) {
            return &elements[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static struct str name_of(const struct markup *markup)
{
    return str_make(markup->name, markup->name_len);
}

static struct str word(const struct markup_word *of)
{
    return str_make(of->text, of->len);
}

void markup_tag_begin(struct markup *markup, bool closing)
{
    markup->closing = closing;
    markup->self_closing = false;
    markup->name_len = 0;
    markup->attr_len = 0;
    markup->sink = SINK_NONE;
    markup->held_kind = MARKUP_UNSET;
    markup->n_held = 0;
    markup->type.len = 0;
    markup->word.len = 0;
}

static const struct {
    struct str name;
    enum sink sink;
} attributes[] = {
    {STR_INIT("alt"), SINK_OUT},
    {STR_INIT("title"), SINK_OUT},
    {STR_INIT("placeholder"), SINK_OUT},
    {STR_INIT("label"), SINK_OUT},
    {STR_INIT("summary"), SINK_OUT},
    {STR_INIT("srcdoc"), SINK_OUT},
    {STR_INIT("aria-label"), SINK_OUT},
    {STR_INIT("aria-description"), SINK_OUT},
    {STR_INIT("aria-placeholder"), SINK_OUT},
    {STR_INIT("aria-roledescription"), SINK_OUT},
    {STR_INIT("aria-valuetext"), SINK_OUT},
    {STR_INIT("value"), SINK_HELD},
    {STR_INIT("content"), SINK_HELD},
    {STR_INIT("type"), SINK_TYPE},
    {STR_INIT("name"), SINK_WORD},
    {STR_INIT("property"), SINK_WORD},
    {STR_INIT("itemprop"), SINK_WORD},
};

void markup_value_begin(struct markup *markup)
{
    struct str name = str_make(markup->attr, markup->attr_len);
    markup->sink = SINK_NONE;
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        if (!markup->closing && str_eq(name, attributes[i].name)) {
            markup->sink = attributes[i].sink;
        }
    }
    if (markup->sink == SINK_HELD) {
        bool meta = str_eq(name, STR("content"));
        if (meta != str_eq(name_of(markup), STR("meta")) || markup->n_held != 0) {
            markup->sink = SINK_NONE;
        }
        markup->held_kind = meta ? MARKUP_META : MARKUP_ATTRIBUTE;
    }
    if (markup->sink == SINK_OUT) {
        markup_break(markup, markup->kind);
    }
}

void markup_value_end(struct markup *markup)
{
    if (markup->sink == SINK_OUT) {
        markup_break(markup, MARKUP_ATTRIBUTE);
    }
    markup->sink = SINK_NONE;
}

/* What a page says of itself for people to read; the rest is for machines. */
static bool is_for_people(struct str name)
{
    static const struct str words[] = {
        STR_INIT("description"), STR_INIT("keywords"), STR_INIT("title"),   STR_INIT("subject"),
        STR_INIT("abstract"),    STR_INIT("name"),     STR_INIT("headline")};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        size_t at = name.len >= words[i].len ? name.len - words[i].len : 0;
        bool whole = at == 0 || name.p[at - 1] == ':' || name.p[at - 1] == '.';
        if (whole && str_eq_nocase(str_skip(name, at), words[i])) {
            return true;
        }
    }
    return false;
}

static void say_held(struct markup *markup)
{
    bool shown = markup->held_kind == MARKUP_META
                     ? is_for_people(word(&markup->word))
                     : !str_eq_nocase(word(&markup->type), STR("hidden"));
    if (markup->n_held == 0 || !shown) {
        return;
    }
    markup_break(markup, markup->kind);
    for (size_t i = 0; i < markup->n_held; i++) {
        markup_put(markup, markup->held_kind, markup->held[i]);
    }
    markup_break(markup, markup->held_kind);
}

static bool is_json(const struct markup *markup)
{
    struct str type = word(&markup->type);
    for (size_t i = 0; i + 4 <= type.len; i++) {
        if (str_eq_nocase(str_sub(type, i, 4), STR("json"))) {
            return true;
        }
    }
    return false;
}

static bool is_foreign(struct str name)
{
    return str_eq(name, STR("svg")) || str_eq(name, STR("math"));
}

static void track(struct markup *markup, const struct markup_element *element)
{
    struct str name = name_of(markup);
    if (str_eq(name, STR("select"))) {
        markup->select = !markup->closing && markup->foreign == 0;
    }
    if (is_foreign(name) && !markup->closing && !markup->self_closing) {
        markup->foreign++;
    } else if (is_foreign(name) && markup->closing && markup->foreign != 0) {
        markup->foreign--;
    } else if (element != NULL && element->breakout && !markup->closing) {
        markup->foreign = 0;
    }
}

/* Content that browsers read as raw text, where they do. */
static void enter(struct markup *markup, const struct markup_element *element)
{
    bool in_select = markup->select && element->content != CONTENT_SCRIPT &&
                     !str_eq(element->name, STR("textarea"));
    if (markup->closing || markup->foreign != 0 || in_select) {
        return;
    }
    markup->content = element->content;
    markup->raw = element->name;
    markup->text_kind = str_eq(element->name, STR("title")) ? MARKUP_TITLE : MARKUP_TEXT;
    if (element->content == CONTENT_SCRIPT) {
        markup->json_state = 0;
        markup->json_lead = 0;
        markup->content = is_json(markup) ? CONTENT_SCRIPT : CONTENT_SKIPPED;
    }
}

void markup_tag_end(struct markup *markup)
{
    const struct markup_element *element = markup_element_find(name_of(markup));
    markup->content = CONTENT_MARKUP;
    markup->text_kind = MARKUP_TEXT;
    if (!markup->closing) {
        say_held(markup);
    }
    if (element != NULL && element->block) {
        markup_break(markup, markup->kind);
    }
    track(markup, element);
    if (element != NULL && element->content != CONTENT_MARKUP) {
        enter(markup, element);
    }
}
