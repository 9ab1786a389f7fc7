/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lets a test ask url_parse from outside: a line of hexadecimal digits in (the bytes of a URL), one
 * JSON object out: {"error":NAME}, or scheme, host, port, path and query (null where there is
 * none). */
#include <stdio.h>

#include "base/check.h"
#include "wire/json.h"
#include "wire/url.h"

enum { ARENA_MAX = 1 << 20, OUTPUT_MAX = 1 << 20 };

/* The bytes that the digits stand for, written over them. */
static struct str unhex(char *line)
{
    size_t len = 0;
    for (; ascii_hex(line[2 * len]) >= 0; len++) {
        int low = ascii_hex(line[2 * len + 1]);
        CHECK(low >= 0);
        line[len] = (char)(ascii_hex(line[2 * len]) << 4 | low);
    }
    return str_make(line, len);
}

static void print(const struct url *url, struct buf *to)
{
    json_name(to, STR("scheme"));
    json_str(to, url->scheme);
    json_name(to, STR("host"));
    json_str(to, host_str(&url->host));
    json_name(to, STR("port"));
    json_u64(to, url->port);
    json_name(to, STR("path"));
    json_str(to, url->path);
    json_name(to, STR("query"));
    if (url->has_query) {
        json_str(to, url->query);
    } else {
        json_none(to);
    }
}

int main(void)
{
    static char line[3 * LIMIT_URL_LEN];
    struct arena arena;
    struct buf out;
    arena_init(&arena, ARENA_MAX);
    buf_init(&out, OUTPUT_MAX);
    while (fgets(line, sizeof(line), stdin) != NULL) {
        struct url url;
        arena_reset(&arena);
        buf_clear(&out);
        enum err err = url_parse(unhex(line), STR(""), &arena, &url);
        json_open_object(&out);
        if (err == ERR_OK) {
            print(&url, &out);
        } else {
            json_name(&out, STR("error"));
            json_str(&out, str_from(err_name(err)));
        }
        json_close_object(&out);
        CHECK(buf_err(&out) == ERR_OK);
        printf("%.*s\n", STR_ARG(buf_str(&out)));
    }
    arena_fini(&arena);
    buf_fini(&out);
    return 0;
}
