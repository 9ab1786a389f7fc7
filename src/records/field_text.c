/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text, addresses of mail and of sites, choices, yes and no, references. */
#include "base/check.h"
#include "records/actor.h"
#include "records/field_impl.h"
#include "wire/fold.h"
#include "wire/host.h"
#include "wire/url.h"

/* RFC 5321 section 4.5.3.1: 64 octets of a local part, and in RFC 3696's erratum 254 of all. */
enum {
    EMAIL_LOCAL_MAX = 64,
    EMAIL_MAX = 254,
    SITE_MAX = 2000,
    CHOICE_MAX = 400,
    CHARACTER_BYTES = 4
};

/* A fault for text that fold_check or a bound refuses. */
static enum err check_text(struct reading *reading, struct str text, bool lines,
                           size_t *ret_characters)
{
    const char *noun = "This";
    bool broken = !lines && (str_index(text, '\n') < text.len || str_index(text, '\r') < text.len ||
                             str_index(text, '\t') < text.len);
    switch (fold_check(text, ret_characters)) {
    case FOLD_NOT_UTF8:
        return read_fault(reading, noun, "is not text (UTF-8). Type it again by hand");
    case FOLD_CONTROL:
        return read_fault(reading, noun, "holds a control character. Type it again by hand");
    case FOLD_DIRECTION:
        return read_fault(reading, noun,
                          "holds a mark that turns the direction of text. Type it again by hand");
    case FOLD_UNSEEN:
        return read_fault(reading, noun,
                          "holds a character that cannot be seen. Type it again by hand");
    case FOLD_FINE:
        break;
    }
    if (broken) {
        return read_fault(reading, noun, "must be on one line, without tabs");
    }
    return ERR_OK;
}

static enum err check_length(struct reading *reading, size_t characters)
{
    const struct register_field *field = reading->field;
    if (field->max > 0 && characters > (size_t)field->max) {
        return read_fault(reading, "This", "must be %lld characters or fewer; it has %zu",
                          (long long)field->max, characters);
    }
    if (characters != 0 && characters < (size_t)field->min) {
        return read_fault(reading, "This", "must be %lld characters or more",
                          (long long)field->min);
    }
    return ERR_OK;
}

/* Without CR; browsers send CR LF. */
static struct str without_cr(struct reading *reading, struct str text)
{
    char *to = arena_alloc(reading->reader->arena, text.len + 1);
    size_t len = 0;
    for (size_t i = 0; to != NULL && i < text.len; i++) {
        if (text.p[i] == '\r') {
            bool pair = i + 1 < text.len && text.p[i + 1] == '\n';
            if (!pair) {
                to[len++] = '\n';
            }
            continue;
        }
        to[len++] = text.p[i];
    }
    return str_make(to, len);
}

static enum err compose(struct reading *reading, struct str text, struct str *ret_text)
{
    struct buf made;
    buf_init(&made, text.len * CHARACTER_BYTES + 1);
    enum err err = fold_compose(text, &made);
    struct str kept =
        err == ERR_OK ? arena_dup(reading->reader->arena, buf_str(&made)) : (struct str){0};
    buf_fini(&made);
    if (err == ERR_OK && kept.p == NULL) {
        err = ERR_MEMORY;
    }
    if (err == ERR_OK) {
        *ret_text = kept;
    }
    return err;
}

static enum err read_characters(struct reading *reading, bool lines, struct field_value *ret_value)
{
    size_t characters = 0;
    struct str text = {0};
    if (reading->given == NULL || json_is_null(reading->given)) {
        return ERR_OK;
    }
    if (!json_is_string(reading->given)) {
        return read_fault(reading, "This", "must be written as text");
    }
    text = str_make(json_string_value(reading->given), json_string_length(reading->given));
    /* What no bound allows is not looked through. */
    if (text.len / CHARACTER_BYTES > (size_t)reading->field->max + 1) {
        return read_fault(reading, "This", "must be %lld characters or fewer",
                          (long long)reading->field->max);
    }
    text = str_trim_space(text);
    ERR_TRY(check_text(reading, text, lines, &characters));
    if (lines) {
        text = without_cr(reading, text);
        if (text.p == NULL) {
            return ERR_MEMORY;
        }
    }
    if (text.len == 0) {
        return ERR_OK;
    }
    ERR_TRY(compose(reading, text, &text));
    CHECK(fold_check(text, &characters) == FOLD_FINE);
    ERR_TRY(check_length(reading, characters));
    ret_value->part[0] = store_text(text);
    return ERR_OK;
}

enum err read_text(struct reading *reading, struct field_value *ret_value)
{
    return read_characters(reading, false, ret_value);
}

enum err read_long_text(struct reading *reading, struct field_value *ret_value)
{
    return read_characters(reading, true, ret_value);
}

/* ---- addresses ---- */

/* A dot-atom of RFC 5322 section 3.2.3. */
static bool is_local_part(struct str local)
{
    bool dot = true;
    for (size_t i = 0; i < local.len; i++) {
        char c = local.p[i];
        bool atom = ascii_is_alpha(c) || ascii_is_digit(c) ||
                    (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
        if (!atom && (c != '.' || dot)) {
            return false;
        }
        dot = c == '.';
    }
    return local.len != 0 && local.len <= EMAIL_LOCAL_MAX && !dot;
}

/* The canonical domain of mail: a name with a dot, no address. */
static bool parse_domain(struct str text, struct host *ret_host)
{
    return text.len <= EMAIL_MAX && host_parse(text, ret_host) == ERR_OK &&
           ret_host->kind == HOST_NAME && str_index(host_str(ret_host), '.') < ret_host->len;
}

static const char EMAIL_NOUN[] = "The e-mail address";

enum err read_email(struct reading *reading, struct field_value *ret_value)
{
    struct str text = {0}, local = {0}, domain = {0};
    struct host host;
    ERR_TRY(read_word(reading, reading->given, EMAIL_NOUN, &text));
    if (text.len == 0) {
        return ERR_OK;
    }
    if (text.len > EMAIL_MAX) {
        return read_fault(reading, EMAIL_NOUN, "must be %d characters or fewer", EMAIL_MAX);
    }
    bool fine = str_cut(text, '@', &local, &domain) && is_local_part(local) &&
                parse_domain(domain, &host) && local.len + 1 + host.len <= EMAIL_MAX;
    if (!fine) {
        return read_fault(reading, EMAIL_NOUN,
                          "must be an e-mail address, such as name@example.sch.uk");
    }
    size_t len = local.len + 1 + host.len;
    char *to = arena_alloc(reading->reader->arena, len + 1);
    if (to == NULL) {
        return ERR_MEMORY;
    }
    memcpy(to, local.p, local.len);
    to[local.len] = '@';
    memcpy(to + local.len + 1, host.text, host.len);
    ret_value->part[0] = store_text(str_make(to, len));
    return ERR_OK;
}

static const char SITE_NOUN[] = "The web address";

static bool is_site(const struct url *url)
{
    return (str_eq(url->scheme, STR("https")) || str_eq(url->scheme, STR("http"))) &&
           (url->host.kind != HOST_NAME || str_index(host_str(&url->host), '.') < url->host.len);
}

static void print_site(const struct url *url, struct buf *to)
{
    bool six = url->host.kind == HOST_IPV6;
    buf_append(to, url->scheme);
    buf_printf(to, "://%s%.*s%s", six ? "[" : "", STR_ARG(host_str(&url->host)), six ? "]" : "");
    if (url->port != url_default_port(url->scheme)) {
        buf_printf(to, ":%u", (unsigned)url->port);
    }
    buf_append(to, url->path);
    if (url->has_query) {
        buf_append_byte(to, '?');
        buf_append(to, url->query);
    }
}

enum err read_site(struct reading *reading, struct field_value *ret_value)
{
    struct str text = {0};
    struct url url;
    struct buf made;
    ERR_TRY(read_word(reading, reading->given, SITE_NOUN, &text));
    if (text.len == 0) {
        return ERR_OK;
    }
    enum err err = text.len > SITE_MAX
                       ? ERR_LIMIT
                       : url_parse(text, STR("https"), reading->reader->arena, &url);
    if (err == ERR_MEMORY) {
        return err;
    }
    buf_init(&made, SITE_MAX);
    if (err == ERR_OK && is_site(&url)) {
        print_site(&url, &made);
        err = buf_err(&made);
    } else {
        err = ERR_INVALID;
    }
    struct str kept =
        err == ERR_OK ? arena_dup(reading->reader->arena, buf_str(&made)) : (struct str){0};
    buf_fini(&made);
    if (err == ERR_OK && kept.p == NULL) {
        return ERR_MEMORY;
    }
    if (err != ERR_OK) {
        return read_fault(reading, SITE_NOUN,
                          "must be a web address, such as https://www.example.org");
    }
    ret_value->part[0] = store_text(kept);
    return ERR_OK;
}

/* ---- one of a few ---- */

/* Whether two texts have the same key. */
static enum err same(struct str a, struct str b, bool *ret_same)
{
    struct buf left, right;
    buf_init(&left, (size_t)1 << 16);
    buf_init(&right, (size_t)1 << 16);
    enum err err = fold_key(a, &left);
    if (err == ERR_OK) {
        err = fold_key(b, &right);
    }
    if (err == ERR_OK) {
        *ret_same = str_eq(buf_str(&left), buf_str(&right));
    }
    buf_fini(&left);
    buf_fini(&right);
    return err;
}

static enum err is_also(struct str text, const struct register_choice *choice, bool *ret_found)
{
    for (size_t i = 0; i < choice->n_also && !*ret_found; i++) {
        ERR_TRY(same(text, choice->also[i], ret_found));
    }
    return ERR_OK;
}

enum err read_choice(struct reading *reading, struct field_value *ret_value)
{
    const struct register_field *field = reading->field;
    struct str text = {0};
    ERR_TRY(read_word(reading, reading->given, "This question", &text));
    for (size_t i = 0; i < field->n_choices && text.len != 0; i++) {
        if (str_eq(text, field->choices[i].value)) {
            ret_value->part[0] = store_text(field->choices[i].value);
            return ERR_OK;
        }
    }
    /* By its label, as spreadsheets have it. */
    for (size_t i = 0; i < field->n_choices && text.len != 0 && text.len <= CHOICE_MAX; i++) {
        bool found = false;
        ERR_TRY(same(text, field->choices[i].label, &found));
        if (found) {
            ret_value->part[0] = store_text(field->choices[i].value);
            return ERR_OK;
        }
    }
    for (size_t i = 0; i < field->n_choices && text.len != 0 && text.len <= CHOICE_MAX; i++) {
        bool found = false;
        ERR_TRY(is_also(text, &field->choices[i], &found));
        if (found) {
            ret_value->part[0] = store_text(field->choices[i].value);
            return ERR_OK;
        }
    }
    return text.len == 0 ? ERR_OK
                         : read_fault(reading, "This question", "must have one of its answers");
}

void print_choice(const struct register_field *field, const struct field_value *value,
                  struct buf *to)
{
    for (size_t i = 0; i < field->n_choices; i++) {
        if (str_eq(value->part[0].bytes, field->choices[i].value)) {
            buf_append(to, field->choices[i].label);
            return;
        }
    }
    /* A choice that a later version of the register no longer has. */
    buf_append(to, value->part[0].bytes);
}

enum err read_yes_no(struct reading *reading, struct field_value *ret_value)
{
    static const struct {
        const char *text;
        int64_t number;
    } words[] = {{"yes", 1}, {"y", 1}, {"true", 1},  {"1", 1},
                 {"no", 0},  {"n", 0}, {"false", 0}, {"0", 0}};
    struct str text = {0};
    if (json_is_boolean(reading->given)) {
        ret_value->part[0] = store_number(json_is_true(reading->given) ? 1 : 0);
        return ERR_OK;
    }
    ERR_TRY(read_word(reading, reading->given, "This question", &text));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (str_eq_nocase(text, str_from(words[i].text))) {
            ret_value->part[0] = store_number(words[i].number);
            return ERR_OK;
        }
    }
    return text.len == 0 ? ERR_OK
                         : read_fault(reading, "This question", "must be answered yes or no");
}

void print_yes_no(const struct register_field *field, const struct field_value *value,
                  struct buf *to)
{
    (void)field;
    buf_append(to, value->part[0].number != 0 ? STR("Yes") : STR("No"));
}

enum err read_reference(struct reading *reading, struct field_value *ret_value)
{
    static const char *const things[FIELD_COUNT] = {
        [FIELD_PERSON] = "a person",
        [FIELD_GROUP] = "a group",
        [FIELD_DEVICE] = "a device",
        [FIELD_FILE] = "a file",
    };
    const char *thing = things[reading->field->type];
    struct str text = {0};
    CHECK(thing != NULL);
    ERR_TRY(read_word(reading, reading->given, "The answer", &text));
    if (text.len == 0) {
        return ERR_OK;
    }
    if (!record_id_is_valid(text)) {
        return read_fault(reading, "The answer",
                          "must be %s of the school. Choose one from the list", thing);
    }
    text = arena_dup(reading->reader->arena, text);
    ret_value->part[0] = store_text(text);
    return text.p != NULL ? ERR_OK : ERR_MEMORY;
}
