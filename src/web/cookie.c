/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cookies, and the note that rests in one between a form and the page behind it. */
#include "base/check.h"
#include "crypto/secret.h"
#include "wire/base64.h"
#include "wire/utf8.h"
#include "web/web_impl.h"

#define FLASH_COOKIE STR("__Host-note")

enum {
    COOKIE_LINE_MAX = 4096,
    FLASH_MAX = 1024,
    FLASH_SECONDS = 60,
};

struct str cookie_text(const struct web_exchange *exchange, struct str name)
{
    struct str rest = exchange->request->cookie;
    while (rest.len != 0) {
        struct str pair;
        struct str key;
        struct str value;
        str_cut(rest, ';', &pair, &rest);
        if (str_cut(str_trim(pair), '=', &key, &value) && str_eq(key, name)) {
            return value;
        }
    }
    return str_make(NULL, 0);
}

static bool is_cookie_value(struct str value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.p[i];
        if (c <= 0x20 || c >= 0x7f || strchr("\",;\\", c) != NULL) {
            return false;
        }
    }
    return true;
}

/* Lax rather than Strict: a link in a mail ("a concern waits for you") must find the session; what
 * changes anything is a POST, to which Lax sends no cookie from elsewhere. */
void cookie_set(struct web_exchange *exchange, struct str name, struct str value, int max_age_s)
{
    struct buf line;
    CHECK(is_cookie_value(value));
    buf_init(&line, COOKIE_LINE_MAX);
    buf_printf(&line, "%.*s=%.*s; Path=/; Secure; HttpOnly; SameSite=Lax", STR_ARG(name),
               STR_ARG(value));
    if (max_age_s != 0) {
        buf_printf(&line, "; Max-Age=%d", max_age_s > 0 ? max_age_s : 0);
    }
    CHECK(buf_err(&line) == ERR_OK);
    web_header(exchange, STR("Set-Cookie"), buf_str(&line));
    buf_fini(&line);
}

/* ---- the note: base64url(digest kind NUL text); the digest is of session, kind and text ---- */

static bool flash_digest(struct web_exchange *exchange, struct str note,
                         unsigned char ret_digest[KEYS_DIGEST_BYTES])
{
    struct buf text;
    buf_init(&text, FLASH_MAX + COOKIE_LINE_MAX);
    buf_printf(&text, "note %.*s ", STR_ARG(exchange->session.id));
    buf_append(&text, note);
    bool done = buf_err(&text) == ERR_OK && keys_digest(exchange->web->options.keys, STR(""),
                                                        buf_str(&text), ret_digest) == ERR_OK;
    buf_fini(&text);
    return done;
}

/* A note that cannot be made is left out: it is a courtesy. */
void page_flash(struct web_exchange *exchange, struct str kind, struct str text)
{
    unsigned char digest[KEYS_DIGEST_BYTES];
    struct buf note;
    struct buf value;
    buf_init(&note, FLASH_MAX);
    buf_init(&value, COOKIE_LINE_MAX);
    buf_append(&note, kind);
    buf_append_byte(&note, '\0');
    buf_append(&note, text);
    if (buf_err(&note) == ERR_OK && flash_digest(exchange, buf_str(&note), digest)) {
        struct buf whole;
        buf_init(&whole, FLASH_MAX + sizeof(digest));
        buf_append(&whole, str_make((const char *)digest, sizeof(digest)));
        buf_append(&whole, buf_str(&note));
        base64url_encode(buf_str(&whole), &value);
        buf_fini(&whole);
        if (buf_err(&value) == ERR_OK) {
            cookie_set(exchange, FLASH_COOKIE, buf_str(&value), FLASH_SECONDS);
        }
    }
    buf_fini(&note);
    buf_fini(&value);
}

static json_t *flash_read(struct web_exchange *exchange, struct str whole)
{
    unsigned char digest[KEYS_DIGEST_BYTES];
    struct str got = str_sub(whole, 0, KEYS_DIGEST_BYTES);
    struct str note = str_skip(whole, KEYS_DIGEST_BYTES);
    struct str kind;
    struct str text;
    if (!flash_digest(exchange, note, digest) ||
        !secret_eq(got, str_make((const char *)digest, sizeof(digest))) ||
        !str_cut(note, '\0', &kind, &text) || !utf8_is_text(kind) || !utf8_is_text(text)) {
        return NULL;
    }
    return json_pack("{s:s%, s:s%}", "kind", kind.p, kind.len, "text", text.p, text.len);
}

json_t *web_flash_take(struct web_exchange *exchange)
{
    struct str value = cookie_text(exchange, FLASH_COOKIE);
    struct buf whole;
    json_t *flash = NULL;
    if (value.len == 0) {
        return NULL;
    }
    cookie_set(exchange, FLASH_COOKIE, STR(""), -1);
    buf_init(&whole, COOKIE_LINE_MAX);
    if (base64url_decode(value, &whole) == ERR_OK && whole.len > KEYS_DIGEST_BYTES) {
        flash = flash_read(exchange, buf_str(&whole));
    }
    buf_fini(&whole);
    return flash;
}
