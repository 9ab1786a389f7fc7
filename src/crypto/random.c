/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random bytes by getrandom(2) itself, so that no descriptor is opened inside a confined process.
 */
#include "crypto/random.h"

#include <errno.h>
#include <sys/random.h>
#include <sys/types.h>

#include "base/check.h"

void random_bytes(void *ret_bytes, size_t n)
{
    uint8_t *to = ret_bytes;
    while (n != 0) {
        ssize_t got = getrandom(to, n, 0);
        CHECK(got > 0 || errno == EINTR);
        if (got > 0) {
            to += got;
            n -= (size_t)got;
        }
    }
}

uint64_t random_u64(void)
{
    uint64_t value;
    random_bytes(&value, sizeof(value));
    return value;
}
