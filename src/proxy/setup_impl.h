/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files that set a device up: pure functions of names and of the CA's certificate. Private to
 * proxy/. */
#ifndef LODGE_PROXY_SETUP_IMPL_H
#define LODGE_PROXY_SETUP_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { SETUP_FINGERPRINT_MAX = 96 };

/* The last of certificates in DER that stand one behind the other; ERR_INVALID where they do not
 * (X.690 section 8.1.3: definite lengths only). Nothing inside one is looked at. */
MUST_USE enum err setup_last_certificate(struct str chain, struct str *ret_der);

/* SHA-256 as certificate viewers show it: "AB:CD:...". */
void setup_fingerprint(struct str der, char to[SETUP_FINGERPRINT_MAX]);

/* PEM (RFC 7468). */
void setup_pem(struct str der, struct buf *to);

/* A proxy auto-configuration file: everything goes to the proxy, but for the console, which must
 * see the device's own address. */
struct setup_pac {
    struct str proxy;   /* HOST:PORT */
    bool over_tls;      /* by TLS first; a device that does not know the gate's CA falls back,
                           and is nobody's */
    struct str console; /* HOST:PORT as this device reaches it, the port unless it is 443; empty:
                           there is none */
    struct str console_names; /* more names of it, separated by commas */
    uint16_t console_port;
};
void setup_pac(const struct setup_pac *pac, struct buf *to);

/* An Apple configuration profile with the certificate as a trusted root. The same school and
 * certificate give the same bytes, so that a second installation replaces the first. */
void setup_profile(struct str school, struct str gate, struct str der, struct buf *to);

#endif
