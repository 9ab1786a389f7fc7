/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an origin staples to its certificate. The input: the certificate and its issuer, each behind
 * two bytes of length, then the staple. Nothing but a signature of the issuer's makes it count, so
 * the same about a changed certificate must not. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "tls/staple_impl.h"

/* 2026-11-22, noon: when the corpus was made. */
static const int64_t NOW_MS = INT64_C(1795348800) * 1000;

static X509 *take(const uint8_t **at, size_t *left)
{
    size_t n = *left >= 2 ? (size_t)(*at)[0] << 8 | (*at)[1] : 0;
    if (*left < 2 || n > *left - 2) {
        return NULL;
    }
    const unsigned char *der = *at + 2;
    *at += 2 + n;
    *left -= 2 + n;
    return d2i_X509(NULL, &der, (long)n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    X509 *certificate = take(&data, &size);
    X509 *issuer = take(&data, &size);
    if (certificate != NULL && issuer != NULL) {
        struct str staple = str_make((const char *)data, size);
        (void)staple_is_due(certificate);
        enum staple said = staple_judge(staple, certificate, issuer, NOW_MS);
        CHECK(said == STAPLE_NONE || said == STAPLE_GOOD || said == STAPLE_REVOKED);
        CHECK(said == STAPLE_NONE || X509_get0_pubkey(issuer) != NULL);
    }
    X509_free(certificate);
    X509_free(issuer);
    return 0;
}
