/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes the writers of text, JSON and HTML: whatever goes in, UTF-8 without what the context gives
 * a meaning comes out. */
#include "base/check.h"
#include "wire/html.h"
#include "wire/json.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_html(struct str html)
{
    while (html.len != 0) {
        size_t length = utf8_length(html);
        CHECK(length != 0 && str_index(STR("<>\"'"), html.p[0]) == 4);
        html = str_skip(html, length);
    }
}

static void check_json(struct str json)
{
    CHECK(json.len >= 2 && json.p[0] == '"' && json.p[json.len - 1] == '"');
    json = str_sub(json, 1, json.len - 2);
    while (json.len != 0) {
        size_t length = utf8_length(json);
        CHECK(length != 0 && (unsigned char)json.p[0] >= ' ' && json.p[0] != '"');
        json = str_skip(json, json.p[0] == '\\' ? 2 : length);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct buf buf;
    buf_init(&buf, 1 << 23);
    html_text(&buf, text);
    if (buf_err(&buf) == ERR_OK) {
        check_html(buf_str(&buf));
    }
    buf_clear(&buf);
    json_str(&buf, text);
    if (buf_err(&buf) == ERR_OK) {
        check_json(buf_str(&buf));
    }
    buf_fini(&buf);
    return 0;
}
