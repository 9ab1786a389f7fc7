/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a body: whole, and in pieces whose size the first byte gives, alike. What may be a
 * disk image's last bytes is judged where a piece ends, so that answer alone may differ. */
#include "base/check.h"
#include "wire/sniff.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum sniff_kind tell(struct str bytes, size_t piece)
{
    struct sniff sniff;
    sniff_init(&sniff);
    for (size_t at = 0; at < bytes.len && !sniff_feed(&sniff, str_sub(bytes, at, piece));
         at += piece) {
    }
    sniff_end(&sniff);
    CHECK(sniff.settled && sniff.kind != SNIFF_UNSET && sniff.kind < SNIFF_COUNT_);
    return sniff.kind;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct str bytes = str_make((const char *)data + 1, size - 1);
    enum sniff_kind whole = tell(bytes, bytes.len + 1);
    enum sniff_kind parts = tell(bytes, data[0] + 1u);
    CHECK(whole == parts || whole == SNIFF_DISK_IMAGE || parts == SNIFF_DISK_IMAGE);
    (void)sniff_name(bytes);
    (void)sniff_path(bytes);
    (void)sniff_type(bytes);
    return 0;
}
