/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fields of HTTP/2 to a head of HTTP/1.1. */
#include "base/num.h"
#include "http/h2_websocket_impl.h"
#include "wire/base64.h"
#include "wire/http1_class.h"

enum pseudo { METHOD, SCHEME, AUTHORITY, PATH, PROTOCOL, STATUS, PSEUDOS };

static const struct str pseudo_names[PSEUDOS] = {
    [METHOD] = STR_INIT(":method"),       [SCHEME] = STR_INIT(":scheme"),
    [AUTHORITY] = STR_INIT(":authority"), [PATH] = STR_INIT(":path"),
    [PROTOCOL] = STR_INIT(":protocol"),   [STATUS] = STR_INIT(":status"),
};

/* What is known of a list after a look at each field. */
struct seen {
    struct str pseudo[PSEUDOS];
    bool has[PSEUDOS];
    struct str host;
    bool has_host, has_length, has_cookie;
    bool regular; /* a field that is no pseudo-header has come */
    uint64_t length;
};

/* --- the list
 * ------------------------------------------------------------------------------------------ */

void h2_fields_add(struct buf *list, struct str name, struct str value)
{
    uint32_t lens[2] = {(uint32_t)name.len, (uint32_t)value.len};
    if (name.len > UINT16_MAX * 16 || value.len > UINT16_MAX * 16) {
        list->err = list->err == ERR_OK ? ERR_LIMIT : list->err;
        return;
    }
    buf_append(list, str_make((const char *)lens, sizeof(lens)));
    buf_append(list, name);
    buf_append(list, value);
}

bool h2_fields_next(struct str *rest, struct h2_field *ret_field)
{
    uint32_t lens[2];
    if (rest->len < sizeof(lens)) {
        return false;
    }
    memcpy(lens, rest->p, sizeof(lens));
    *rest = str_skip(*rest, sizeof(lens));
    ret_field->name = str_sub(*rest, 0, lens[0]);
    *rest = str_skip(*rest, lens[0]);
    ret_field->value = str_sub(*rest, 0, lens[1]);
    *rest = str_skip(*rest, lens[1]);
    return true;
}

/* --- one field
 * ----------------------------------------------------------------------------------------- */

static bool is_all(struct str s, enum http1_class_bit bit)
{
    return s.len == 0 || http1_span(s.p, s.p + s.len, bit) == s.p + s.len;
}

/* RFC 9113 section 8.2.1. */
static bool is_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (name.p[i] >= 'A' && name.p[i] <= 'Z') {
            return false;
        }
    }
    return name.len != 0 && is_all(name, HTTP1_TOKEN);
}

static bool is_value(struct str value)
{
    return is_all(value, HTTP1_FIELD) && str_trim(value).len == value.len;
}

/* RFC 9113 section 8.2.2. */
static bool is_of_connection(const struct h2_field *field)
{
    static const bool never[HTTP1_NAME_COUNT_] = {
        [HTTP1_NAME_CONNECTION] = true,       [HTTP1_NAME_KEEP_ALIVE] = true,
        [HTTP1_NAME_PROXY_CONNECTION] = true, [HTTP1_NAME_TRANSFER_ENCODING] = true,
        [HTTP1_NAME_UPGRADE] = true,
    };
    enum http1_name id = http1_name_find(field->name);
    return never[id] || (id == HTTP1_NAME_TE && !str_eq_nocase(field->value, STR("trailers")));
}

static bool take_pseudo(struct seen *seen, const struct h2_field *field)
{
    for (size_t i = 0; i < PSEUDOS; i++) {
        if (str_eq(field->name, pseudo_names[i])) {
            bool fine = !seen->has[i] && !seen->regular && is_value(field->value);
            seen->has[i] = true;
            seen->pseudo[i] = field->value;
            return fine;
        }
    }
    return false;
}

static bool take_host(struct seen *seen, struct str value)
{
    bool fine = !seen->has_host && is_all(value, HTTP1_HOST);
    seen->has_host = true;
    seen->host = value;
    return fine;
}

static bool take_length(struct seen *seen, struct str value)
{
    bool fine = !seen->has_length && parse_u64(value, 0, INT64_MAX, &seen->length) == ERR_OK;
    seen->has_length = true;
    return fine;
}

static bool take(struct seen *seen, const struct h2_field *field)
{
    if (field->name.len != 0 && field->name.p[0] == ':') {
        return take_pseudo(seen, field);
    }
    seen->regular = true;
    if (!is_name(field->name) || !is_value(field->value) || is_of_connection(field)) {
        return false;
    }
    enum http1_name id = http1_name_find(field->name);
    if (id == HTTP1_NAME_HOST) {
        return take_host(seen, field->value);
    }
    if (id == HTTP1_NAME_CONTENT_LENGTH) {
        return take_length(seen, field->value);
    }
    seen->has_cookie |= str_eq(field->name, STR("cookie"));
    return true;
}

static bool look(struct str fields, struct seen *ret_seen)
{
    struct h2_field field;
    *ret_seen = (struct seen){0};
    while (h2_fields_next(&fields, &field)) {
        if (!take(ret_seen, &field)) {
            return false;
        }
    }
    return true;
}

/* --- printing
 * ------------------------------------------------------------------------------------------ */

/* Cookies may come in crumbs, which are one field in HTTP/1.1 (RFC 9113 section 8.2.3). */
static void print_cookie(struct buf *to, struct str fields)
{
    struct h2_field field;
    struct str before = STR("cookie: ");
    while (h2_fields_next(&fields, &field)) {
        if (str_eq(field.name, STR("cookie"))) {
            buf_append(to, before);
            buf_append(to, field.value);
            before = STR("; ");
        }
    }
    buf_append(to, STR("\r\n"));
}

/* The fields that go on as they are. websocket: its handshake's own fields are ours. */
static void print_fields(struct buf *to, struct str fields, const struct seen *seen, bool websocket)
{
    struct h2_field field;
    struct str rest = fields;
    while (h2_fields_next(&rest, &field)) {
        enum http1_name id = http1_name_find(field.name);
        bool own = websocket && (id == HTTP1_NAME_CONTENT_LENGTH ||
                                 str_eq(field.name, STR("sec-websocket-key")) ||
                                 str_eq(field.name, STR("sec-websocket-accept")));
        if (field.name.p[0] != ':' && id != HTTP1_NAME_HOST && id != HTTP1_NAME_TE && !own &&
            !str_eq(field.name, STR("cookie"))) {
            http1_print_header(to, field.name, field.value);
        }
    }
    if (seen->has_cookie) {
        print_cookie(to, fields);
    }
}

/* Says how the body ends, where no Content-Length does. */
static void print_framing(struct buf *to, enum h2_body body, bool empty)
{
    if (body == H2_BODY_CHUNKED) {
        buf_append(to, STR("Transfer-Encoding: chunked\r\n"));
    } else if (empty) {
        buf_append(to, STR("Content-Length: 0\r\n"));
    }
}

/* --- requests
 * ------------------------------------------------------------------------------------------ */

static struct str without_port(struct str authority)
{
    return str_ends(authority, STR(":443")) ? str_sub(authority, 0, authority.len - 4) : authority;
}

/* RFC 9113 section 8.3.1: :authority, or Host where there is none; both must say the same. */
static bool find_authority(const struct seen *seen, struct str *ret_authority)
{
    struct str authority = seen->has[AUTHORITY] ? seen->pseudo[AUTHORITY] : seen->host;
    if (seen->has[AUTHORITY] && seen->has_host &&
        !str_eq_nocase(without_port(authority), without_port(seen->host))) {
        return false;
    }
    *ret_authority = authority;
    return authority.len != 0 && is_all(authority, HTTP1_HOST);
}

static bool is_path(const struct seen *seen)
{
    struct str path = seen->pseudo[PATH];
    bool star = str_eq(path, STR("*")) && str_eq(seen->pseudo[METHOD], STR("OPTIONS"));
    return star || (path.len != 0 && path.p[0] == '/' && is_all(path, HTTP1_TARGET));
}

/* RFC 9113 sections 8.3.1 and 8.5; RFC 8441 section 4. */
static bool is_request(const struct seen *seen, bool ended)
{
    bool connect = str_eq(seen->pseudo[METHOD], STR("CONNECT"));
    if (!seen->has[METHOD] || !seen->has[SCHEME] || !seen->has[PATH] || seen->has[STATUS] ||
        !is_path(seen) || !str_eq(seen->pseudo[SCHEME], STR("https")) ||
        connect != seen->has[PROTOCOL]) {
        return false;
    }
    if (connect) {
        return str_eq(seen->pseudo[PROTOCOL], STR("websocket")) && !ended && !seen->has_length;
    }
    return seen->pseudo[METHOD].len != 0 && is_all(seen->pseudo[METHOD], HTTP1_TOKEN) &&
           !(ended && seen->length != 0);
}

static const struct {
    struct str text;
    enum http1_method id;
    bool body; /* usually has one: an empty one is said (RFC 9110 section 8.6) */
} methods[] = {
    {STR_INIT("HEAD"), HTTP1_HEAD, false},
    {STR_INIT("POST"), HTTP1_POST, true},
    {STR_INIT("PUT"), HTTP1_PUT, true},
    {STR_INIT("PATCH"), HTTP1_PATCH, true},
};

/* Only what decides on bodies is told from others. */
static enum http1_method method_of(struct str text, bool *ret_body)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (str_eq(text, methods[i].text)) {
            *ret_body = methods[i].body;
            return methods[i].id;
        }
    }
    *ret_body = false;
    return HTTP1_GET;
}

static enum h2_body body_of(const struct seen *seen, bool ended)
{
    if (ended) {
        return H2_BODY_NONE;
    }
    return seen->has_length ? H2_BODY_LENGTH : H2_BODY_CHUNKED;
}

static void print_websocket(struct buf *to, const uint8_t nonce[H2_NONCE_BYTES],
                            struct h2_message *message)
{
    struct buf key;
    buf_init(&key, 2 * H2_KEY_TEXT);
    base64_encode(str_make((const char *)nonce, H2_NONCE_BYTES), &key);
    if (buf_err(&key) == ERR_OK) {
        memcpy(message->key, key.p, H2_KEY_TEXT);
    }
    buf_append(to, STR("Upgrade: websocket\r\nConnection: Upgrade\r\n"));
    http1_print_header(to, STR("Sec-WebSocket-Key"), buf_str(&key));
    to->err = to->err == ERR_OK ? buf_err(&key) : to->err;
    buf_fini(&key);
}

enum err h2_request_text(struct str fields, bool ended, const uint8_t nonce[H2_NONCE_BYTES],
                         struct buf *to, struct h2_message *ret_message)
{
    struct seen seen;
    struct str authority;
    if (!look(fields, &seen) || !is_request(&seen, ended) || !find_authority(&seen, &authority)) {
        return ERR_INVALID;
    }
    bool usual = false;
    struct h2_message message = {
        .method = method_of(seen.pseudo[METHOD], &usual),
        .body = seen.has[PROTOCOL] ? H2_BODY_RAW : body_of(&seen, ended),
        .length = seen.length,
        .websocket = seen.has[PROTOCOL],
    };
    struct str method = message.websocket ? STR("GET") : seen.pseudo[METHOD];
    http1_print_request_line(to, method, seen.pseudo[PATH]);
    http1_print_header(to, STR("Host"), authority);
    print_fields(to, fields, &seen, message.websocket);
    if (message.websocket) {
        print_websocket(to, nonce, &message);
    } else {
        print_framing(to, message.body, ended && usual && !seen.has_length);
    }
    buf_append(to, STR("\r\n"));
    ERR_TRY(buf_err(to));
    *ret_message = message;
    return ERR_OK;
}

/* --- answers
 * ------------------------------------------------------------------------------------------- */

enum { INTERIM_LAST = 199, SWITCHING = 101, NO_CONTENT = 204, NOT_MODIFIED = 304 };

/* RFC 9113 sections 8.3.2 and 8.6. */
static bool read_status(const struct seen *seen, unsigned *ret_status)
{
    uint64_t status = 0;
    bool others = seen->has[METHOD] || seen->has[SCHEME] || seen->has[AUTHORITY] ||
                  seen->has[PATH] || seen->has[PROTOCOL];
    if (others || seen->pseudo[STATUS].len != 3 ||
        parse_u64(seen->pseudo[STATUS], 100, 999, &status) != ERR_OK || status == SWITCHING) {
        return false;
    }
    *ret_status = (unsigned)status;
    return true;
}

static bool has_no_body(const struct h2_message *request, unsigned status)
{
    return request->method == HTTP1_HEAD || status <= INTERIM_LAST || status == NO_CONTENT ||
           status == NOT_MODIFIED;
}

static enum err print_switch(struct buf *to, struct str fields, const struct seen *seen,
                             const struct h2_message *request)
{
    char accept[H2_ACCEPT_TEXT];
    ERR_TRY(h2_websocket_accept(str_make(request->key, H2_KEY_TEXT), accept));
    http1_print_status_line(to, SWITCHING, http1_reason(SWITCHING));
    print_fields(to, fields, seen, true);
    buf_append(to, STR("Upgrade: websocket\r\nConnection: Upgrade\r\n"));
    http1_print_header(to, STR("Sec-WebSocket-Accept"), str_make(accept, H2_ACCEPT_TEXT));
    buf_append(to, STR("\r\n"));
    return buf_err(to);
}

enum err h2_response_text(struct str fields, bool ended, const struct h2_message *request,
                          struct buf *to, struct h2_message *ret_message)
{
    struct seen seen;
    unsigned status = 0;
    if (!look(fields, &seen) || !read_status(&seen, &status) || (ended && status <= INTERIM_LAST)) {
        return ERR_INVALID;
    }
    struct h2_message message = {.method = request->method, .status = status};
    if (request->websocket && status / 100 == 2) {
        message.status = SWITCHING;
        message.body = H2_BODY_RAW;
        message.websocket = true;
        ERR_TRY(print_switch(to, fields, &seen, request));
        *ret_message = message;
        return ERR_OK;
    }
    bool none = has_no_body(request, status);
    if (!none && ended && seen.length != 0) {
        return ERR_INVALID;
    }
    message.body = none ? H2_BODY_NONE : body_of(&seen, ended);
    message.length = seen.length;
    http1_print_status_line(to, status, http1_reason(status));
    print_fields(to, fields, &seen, false);
    print_framing(to, message.body, !none && ended && !seen.has_length);
    buf_append(to, STR("\r\n"));
    ERR_TRY(buf_err(to));
    *ret_message = message;
    return ERR_OK;
}

/* --- trailers
 * ------------------------------------------------------------------------------------------ */

enum err h2_trailer_text(struct str fields, struct buf *to)
{
    struct h2_field field;
    while (h2_fields_next(&fields, &field)) {
        if (!is_name(field.name) || !is_value(field.value) || is_of_connection(&field)) {
            return ERR_INVALID;
        }
        if (http1_name_find(field.name) == HTTP1_NAME_OTHER) {
            http1_print_header(to, field.name, field.value);
        }
    }
    return buf_err(to);
}
