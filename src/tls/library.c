/* SPDX-License-Identifier: GPL-3.0-or-later */
/* OpenSSL without its configuration file: that could name modules, which a confined process cannot
 * load, or weaken what we chose. Its algorithms are all built in. */
#include "tls/library_impl.h"

#include <openssl/asn1.h>
#include <openssl/ssl.h>

enum err library_start(void)
{
    if (OPENSSL_init_ssl(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1) {
        return ERR_MEMORY;
    }
    /* libc reads /etc/localtime before it first converts a time, be it to UTC. */
    ASN1_TIME *time = ASN1_TIME_set(NULL, 0);
    ASN1_TIME_free(time);
    return time != NULL ? ERR_OK : ERR_MEMORY;
}
