/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The certificate is taken out of an encoded session: never beyond its end, and once. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "tls/kept_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned char *der = malloc(size + 1);
    CHECK(der != NULL);
    memcpy(der, data, size);
    int n = kept_without_peer(der, (int)size);
    CHECK(n >= 0 && (size_t)n <= size);
    CHECK((size_t)n < size || memcmp(der, data, size) == 0);
    free(der);
    return 0;
}
