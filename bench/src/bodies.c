/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What reading a body costs, in CPU milliseconds for each MiB of what is read, best of five:
 * telling what it is, taking codings off, encodings to UTF-8, text out of HTML and JSON. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

#include "base/buf.h"
#include "base/check.h"
#include "wire/charset.h"
#include "wire/coding.h"
#include "wire/markup.h"
#include "wire/sniff.h"

enum { ROUNDS = 5, MIB = 1 << 20, SIZE = 16 * MIB, PIECE = 65536 };

static const struct coding_caps caps = {UINT64_MAX, 2000, 1 << 30, UINT64_MAX};

static int64_t cpu_us(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static uint64_t seen;

static bool take_bytes(void *context, struct str bytes)
{
    (void)context;
    seen += bytes.len;
    return true;
}

static void take_utf8(void *context, struct str utf8)
{
    (void)context;
    seen += utf8.len;
}

static void take_text(void *context, enum markup_kind kind, struct str utf8)
{
    (void)context;
    (void)kind;
    seen += utf8.len;
}

static void run_sniff(const char *start, struct str bytes)
{
    struct sniff sniff;
    sniff_init(&sniff);
    (void)sniff_feed(&sniff, str_from(start));
    for (size_t at = 0; at < bytes.len; at += PIECE) {
        (void)sniff_feed(&sniff, str_sub(bytes, at, PIECE));
    }
    sniff_end(&sniff);
}

static void run_coding(const char *name, struct str bytes)
{
    struct coding *coding = NULL;
    CHECK(coding_new(str_from(name), &caps, &coding) == ERR_OK);
    for (size_t at = 0; at < bytes.len; at += PIECE) {
        CHECK(coding_feed(coding, str_sub(bytes, at, PIECE), take_bytes, NULL) == ERR_OK);
    }
    coding_free(coding);
}

static void run_charset(const char *name, struct str bytes)
{
    struct charset_decoder *decoder = NULL;
    CHECK(charset_open(charset_find(str_from(name)), take_utf8, NULL, &decoder) == ERR_OK);
    for (size_t at = 0; at < bytes.len; at += PIECE) {
        charset_feed(decoder, str_sub(bytes, at, PIECE));
    }
    charset_end(decoder);
    charset_close(decoder);
}

static void run_markup(const char *name, struct str bytes)
{
    struct markup *markup = NULL;
    enum markup_form form = MARKUP_PLAIN;
    CHECK(markup_form_of_type(str_from(name), &form));
    CHECK(markup_new(form, take_text, NULL, &markup) == ERR_OK);
    for (size_t at = 0; at < bytes.len; at += PIECE) {
        markup_feed(markup, str_sub(bytes, at, PIECE));
    }
    markup_end(markup);
    markup_free(markup);
}

typedef void run_fn(const char *name, struct str bytes);

static void measure(const char *what, run_fn *run, const char *name, struct str bytes)
{
    int64_t best = INT64_MAX;
    for (int i = 0; i < ROUNDS; i++) {
        int64_t start = cpu_us();
        run(name, bytes);
        int64_t spent = cpu_us() - start;
        best = spent < best ? spent : best;
    }
    printf("%-34s %8.3f ms/MiB\n", what, (double)best / 1000 / (SIZE / MIB));
}

static void fill(struct buf *to, const char *const *parts, size_t n)
{
    uint32_t seed = 1;
    buf_init(to, SIZE + 4096);
    while (to->len < SIZE) {
        seed = seed * 1664525 + 1013904223;
        buf_append(to, str_from(parts[(seed >> 16) % n]));
    }
    to->len = SIZE;
    CHECK(buf_err(to) == ERR_OK);
}

static void gzip(struct str bytes, struct buf *to)
{
    z_stream z = {0};
    buf_init(to, 2 * SIZE);
    CHECK(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) == Z_OK);
    z.next_in = (Bytef *)(uintptr_t)bytes.p;
    z.avail_in = (unsigned)bytes.len;
    z.next_out = (Bytef *)buf_reserve(to, SIZE);
    z.avail_out = SIZE;
    CHECK(deflate(&z, Z_FINISH) == Z_STREAM_END);
    buf_commit(to, SIZE - z.avail_out);
    (void)deflateEnd(&z);
}

int main(void)
{
    static const char *const words[] = {"volcano ",
                                        "lava ",
                                        "<p>",
                                        "</p>\n",
                                        "<a href=\"/x/y?z=1\" title=\"more\">",
                                        "</a>",
                                        "magma, ",
                                        "rock. ",
                                        "&eacute;",
                                        "\xc3\xa9t\xc3\xa9 ",
                                        "<div class=\"box wide\">",
                                        "</div>"};
    static const char *const han[] = {"\xc4\xe3\xba\xc3", "\xb0\xae", " ", "\xca\xc0\xbd\xe7"};
    static const char *const json[] = {"{\"name\":\"", "volcano ", "caf\\u00e9 ",
                                       "\",\"n\":[1,2]}"};
    struct buf page;
    struct buf coded;
    struct buf text;
    fill(&page, words, sizeof(words) / sizeof(words[0]));
    gzip(buf_str(&page), &coded);
    measure("a page: what it is", run_sniff, "", buf_str(&page));
    measure("an archive: names in it", run_sniff, "PK\3\4", buf_str(&page));
    measure("unknown bytes: their end", run_sniff, "\x1f\x8b\x08\1\2\3", buf_str(&page));
    measure("gzip", run_coding, "gzip", buf_str(&coded));
    measure("UTF-8", run_charset, "utf-8", buf_str(&page));
    measure("windows-1252", run_charset, "latin1", buf_str(&page));
    measure("HTML to text", run_markup, "text/html", buf_str(&page));
    fill(&text, han, sizeof(han) / sizeof(han[0]));
    measure("GBK, Chinese", run_charset, "gbk", buf_str(&text));
    buf_fini(&text);
    fill(&text, json, sizeof(json) / sizeof(json[0]));
    measure("JSON to text", run_markup, "application/json", buf_str(&text));
    buf_fini(&text);
    buf_fini(&page);
    buf_fini(&coded);
    return seen != 0 ? 0 : 1;
}
