/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as an event: what unpacks packs again, and comes back the same. */
#include <string.h>

#include "base/check.h"
#include "event/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t once[EVENT_PACKED_MAX];
    static uint8_t twice[EVENT_PACKED_MAX];
    struct event event;
    if (event_unpack(str_make((const char *)data, size), &event) != ERR_OK) {
        return 0;
    }
    size_t n = event_pack(&event, once);
    CHECK(event_unpack(str_make((const char *)once, n), &event) == ERR_OK);
    CHECK(event_pack(&event, twice) == n && memcmp(once, twice, n) == 0);
    CHECK(!event.sealed || (event.path.len == 0 && event.query.len == 0 && event.search.len == 0));
    return 0;
}
