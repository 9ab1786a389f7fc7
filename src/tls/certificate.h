/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a certificate says of itself, for people: a technician compares it with what a device shows.
 */
#ifndef LODGE_TLS_CERTIFICATE_H
#define LODGE_TLS_CERTIFICATE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { CERTIFICATE_NAME_BYTES = 512, CERTIFICATE_HASH_BYTES = 32 };

struct certificate {
    int64_t from_ms;                        /* UTC */
    int64_t until_ms;                       /* and not beyond */
    uint8_t sha256[CERTIFICATE_HASH_BYTES]; /* of its DER: the "fingerprint" of browsers */
    char name[CERTIFICATE_NAME_BYTES];      /* the subject, as "O = School, CN = Lodge at oak" */
};

/* The first certificate of a PEM text. ERR_INVALID where there is none, ERR_MEMORY. */
MUST_USE enum err certificate_read(struct str pem, struct certificate *ret_certificate);

/* How many certificates a PEM text holds. */
size_t certificate_count(struct str pem);

#endif
