/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a Content-Disposition. */
#include <stdint.h>

#include "base/check.h"
#include "wire/disposition.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct disposition got;
    disposition_parse(str_make((const char *)data, size), &got);
    CHECK(got.n <= DISPOSITION_NAMES_MAX);
    for (unsigned i = 0; i < got.n; i++) {
        CHECK(disposition_name(&got, i).len <= DISPOSITION_NAME_MAX);
    }
    return 0;
}
