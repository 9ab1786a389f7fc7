/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Forms with files. */
#include "wire/multipart.h"

#include "wire/utf8.h"

static bool is_boundary(struct str text)
{
    if (text.len == 0 || text.len > MULTIPART_BOUNDARY_MAX) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
            (c == '\0' || strchr("'()+_,-./:=?", c) == NULL)) {
            return false;
        }
    }
    return true;
}

/* Takes "; name=value" or "; name=\"value\"" off *rest. A quoted value ends at the next quote: what
 * a browser has in one is escaped as %22. False where nothing is left, and where it is broken,
 * which then stays in *rest. */
static bool take_parameter(struct str *rest, struct str *ret_name, struct str *ret_value)
{
    struct str s = str_trim(*rest);
    if (s.len == 0 || s.p[0] != ';') {
        *rest = s;
        return false;
    }
    s = str_trim(str_skip(s, 1));
    size_t equals = str_index(s, '=');
    if (equals == 0 || equals + 1 >= s.len) {
        return false;
    }
    struct str value = str_skip(s, equals + 1);
    bool quoted = value.p[0] == '"';
    value = str_skip(value, quoted ? 1 : 0);
    size_t n = quoted ? str_index(value, '"') : str_index(value, ';');
    if (quoted && n == value.len) {
        return false;
    }
    *ret_name = str_trim(str_sub(s, 0, equals));
    *ret_value = quoted ? str_sub(value, 0, n) : str_trim(str_sub(value, 0, n));
    *rest = str_trim(str_skip(value, n + (quoted ? 1 : 0)));
    return true;
}

static struct str before_parameters(struct str value, struct str *ret_parameters)
{
    size_t n = str_index(value, ';');
    *ret_parameters = str_skip(value, n);
    return str_trim(str_sub(value, 0, n));
}

enum err multipart_open(struct str content_type, struct str body, struct multipart *ret_multipart)
{
    struct str rest;
    struct str name;
    struct str value;
    struct str boundary = {NULL, 0};
    if (!str_eq_nocase(before_parameters(content_type, &rest), STR("multipart/form-data"))) {
        return ERR_INVALID;
    }
    while (take_parameter(&rest, &name, &value)) {
        if (str_eq_nocase(name, STR("boundary"))) {
            if (boundary.len != 0) {
                return ERR_INVALID;
            }
            boundary = value;
        }
    }
    if (rest.len != 0 || !is_boundary(boundary)) {
        return ERR_INVALID;
    }
    *ret_multipart = (struct multipart){.rest = body, .delimiter = "\r\n--"};
    memcpy(ret_multipart->delimiter + 4, boundary.p, boundary.len);
    ret_multipart->delimiter_len = 4 + boundary.len;
    struct str first = str_make(ret_multipart->delimiter + 2, 2 + boundary.len);
    if (!str_starts(body, first)) {
        return ERR_INVALID;
    }
    ret_multipart->rest = str_skip(body, first.len);
    return ERR_OK;
}

/* %22, %0D and %0A are taken off (WHATWG HTML standard, multipart/form-data encoding). */
static enum err decode_name(struct str text, struct arena *arena, struct str *ret_text)
{
    static const struct {
        struct str escape;
        char byte;
    } escapes[] = {{STR_INIT("%22"), '"'}, {STR_INIT("%0D"), '\r'}, {STR_INIT("%0A"), '\n'}};
    if (!utf8_is_text(text)) {
        return ERR_INVALID;
    }
    char *to = arena_alloc(arena, text.len + 1);
    size_t n = 0;
    if (to == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < text.len;) {
        size_t used = 1;
        to[n] = text.p[i];
        for (size_t j = 0; j < sizeof(escapes) / sizeof(escapes[0]); j++) {
            if (str_starts(str_skip(text, i), escapes[j].escape)) {
                to[n] = escapes[j].byte;
                used = escapes[j].escape.len;
            }
        }
        n++;
        i += used;
    }
    *ret_text = str_make(to, n);
    return ERR_OK;
}

static enum err read_disposition(struct str value, struct arena *arena, struct multipart_part *part)
{
    struct str rest;
    struct str name;
    struct str text;
    bool named = false;
    if (!str_eq_nocase(before_parameters(value, &rest), STR("form-data"))) {
        return ERR_INVALID;
    }
    while (take_parameter(&rest, &name, &text)) {
        if (str_eq_nocase(name, STR("name")) && !named) {
            named = true;
            ERR_TRY(decode_name(text, arena, &part->name));
        } else if (str_eq_nocase(name, STR("filename")) && !part->is_file) {
            part->is_file = true;
            ERR_TRY(decode_name(text, arena, &part->file_name));
        } else {
            return ERR_INVALID;
        }
    }
    return named && rest.len == 0 ? ERR_OK : ERR_INVALID;
}

/* head: lines, each with its CRLF. */
static enum err read_head(struct str head, struct arena *arena, struct multipart_part *part)
{
    bool disposed = false;
    while (head.len != 0) {
        size_t n = str_find(head, STR("\r\n"));
        struct str line = str_sub(head, 0, n);
        struct str name;
        struct str value;
        head = str_skip(head, n + 2);
        if (!str_cut(line, ':', &name, &value)) {
            return ERR_INVALID;
        }
        value = str_trim(value);
        if (str_eq_nocase(name, STR("Content-Disposition"))) {
            if (disposed) {
                return ERR_INVALID;
            }
            disposed = true;
            ERR_TRY(read_disposition(value, arena, part));
        } else if (str_eq_nocase(name, STR("Content-Type"))) {
            part->type = value;
        } else if (str_eq_nocase(name, STR("Content-Transfer-Encoding"))) {
            return ERR_INVALID; /* RFC 7578 section 4.7 */
        }
    }
    return disposed ? ERR_OK : ERR_INVALID;
}

enum err multipart_next(struct multipart *multipart, struct arena *arena,
                        struct multipart_part *ret_part)
{
    struct multipart_part part = {.is_file = false};
    if (multipart->ended) {
        return ERR_NOT_FOUND;
    }
    if (str_starts(multipart->rest, STR("--"))) {
        multipart->ended = true;
        struct str tail = str_skip(multipart->rest, 2);
        return tail.len == 0 || str_eq(tail, STR("\r\n")) ? ERR_NOT_FOUND : ERR_INVALID;
    }
    if (++multipart->parts > MULTIPART_PARTS_MAX) {
        return ERR_LIMIT;
    }
    if (!str_starts(multipart->rest, STR("\r\n"))) {
        return ERR_INVALID;
    }
    struct str rest = str_skip(multipart->rest, 2);
    size_t head_len = str_find(str_sub(rest, 0, MULTIPART_HEAD_MAX), STR("\r\n\r\n"));
    if (head_len >= rest.len || head_len >= MULTIPART_HEAD_MAX) {
        return head_len >= MULTIPART_HEAD_MAX ? ERR_LIMIT : ERR_INVALID;
    }
    ERR_TRY(read_head(str_sub(rest, 0, head_len + 2), arena, &part));
    /* With the head's empty line, so that an empty part ends like any other. */
    struct str body = str_skip(rest, head_len + 2);
    size_t end = str_find(body, str_make(multipart->delimiter, multipart->delimiter_len));
    if (end == body.len || end == 0) {
        return ERR_INVALID; /* no end; or no empty line behind the head */
    }
    part.bytes = str_sub(body, 2, end - 2);
    multipart->rest = str_skip(body, end + multipart->delimiter_len);
    *ret_part = part;
    return ERR_OK;
}
