/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes base64: what is decoded is encoded to the same text, so that each text has one meaning and
 * each meaning one text. */
#include "base/check.h"
#include "wire/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct buf bytes, again;
    buf_init(&bytes, 1 << 20);
    buf_init(&again, 1 << 20);
    if (base64_decode(text, &bytes) == ERR_OK) {
        base64_encode(buf_str(&bytes), &again);
        CHECK(buf_err(&again) == ERR_OK && str_eq(buf_str(&again), text));
    }
    buf_fini(&bytes);
    buf_fini(&again);
    return 0;
}
