/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as an encoded body: whole and in pieces, alike. The first byte picks the codings, the
 * second the size of the pieces. */
#include "base/buf.h"
#include "base/check.h"
#include "wire/coding.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct coding_caps caps = {
    .total = 4 << 20, .ratio = 1100, .ratio_from = 1 << 16, .per_call = UINT64_MAX};

static bool collect(void *context, struct str bytes)
{
    CHECK(bytes.len > 0 && bytes.len <= CODING_RUN_MAX);
    buf_append(context, bytes);
    return true;
}

static enum err decode(struct str names, struct str bytes, size_t piece, struct buf *to)
{
    struct coding *coding = NULL;
    CHECK(coding_new(names, &caps, &coding) == ERR_OK);
    enum err err = ERR_OK;
    for (size_t at = 0; at < bytes.len && err == ERR_OK; at += piece) {
        err = coding_feed(coding, str_sub(bytes, at, piece), collect, to);
    }
    err = err == ERR_OK ? coding_end(coding) : err;
    coding_free(coding);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct str names[] = {
        STR_INIT("gzip"),          STR_INIT("deflate"),  STR_INIT("br"),      STR_INIT("zstd"),
        STR_INIT("gzip, deflate"), STR_INIT("br, gzip"), STR_INIT("identity")};
    if (size < 2) {
        return 0;
    }
    struct str name = names[data[0] % (sizeof(names) / sizeof(names[0]))];
    struct str bytes = str_make((const char *)data + 2, size - 2);
    struct buf whole;
    struct buf parts;
    buf_init(&whole, 8 << 20);
    buf_init(&parts, 8 << 20);
    enum err a = decode(name, bytes, bytes.len + 1, &whole);
    enum err b = decode(name, bytes, data[1] % 64u + 1, &parts);
    CHECK(a == b || a == ERR_LIMIT || b == ERR_LIMIT);
    CHECK(a != ERR_OK || b != ERR_OK || str_eq(buf_str(&whole), buf_str(&parts)));
    buf_fini(&whole);
    buf_fini(&parts);
    return 0;
}
