/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a chunked body: whole, and in pieces whose size the first byte gives, alike. */
#include "base/buf.h"
#include "base/check.h"
#include "wire/chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    enum err err;
    bool done;
    size_t used;
};

static struct outcome feed(struct str bytes, size_t piece, struct buf *data)
{
    struct chunk chunk;
    struct outcome outcome = {0};
    chunk_init(&chunk);
    while (outcome.used < bytes.len && !chunk.done) {
        size_t used = 0;
        struct str run = {0};
        struct str part = str_sub(bytes, outcome.used, piece);
        outcome.err = chunk_feed(&chunk, part, &used, &run);
        if (outcome.err != ERR_OK) {
            break;
        }
        CHECK(used > 0 && used <= part.len);
        CHECK(run.len <= used && run.p + run.len <= part.p + used);
        outcome.used += used;
        buf_append(data, run);
    }
    outcome.done = chunk.done;
    return outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf whole;
    struct buf parts;
    if (size == 0) {
        return 0;
    }
    struct str bytes = str_make((const char *)data + 1, size - 1);
    buf_init(&whole, size);
    buf_init(&parts, size);
    struct outcome a = feed(bytes, bytes.len, &whole);
    struct outcome b = feed(bytes, data[0] % 16 + 1, &parts);
    CHECK(a.err == b.err && a.done == b.done);
    CHECK(a.err != ERR_OK || (a.used == b.used && str_eq(buf_str(&whole), buf_str(&parts))));
    buf_fini(&whole);
    buf_fini(&parts);
    return 0;
}
