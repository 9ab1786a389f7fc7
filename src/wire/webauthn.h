/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an authenticator says (Web Authentication Level 2): bytes to structs. Whether it is true is
 * crypto/signature.h's and records/passkey.h's business. Slices point into the input. */
#ifndef LODGE_WIRE_WEBAUTHN_H
#define LODGE_WIRE_WEBAUTHN_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

/* Section 6.1: the flags. */
enum {
    WEBAUTHN_PRESENT = 0x01,  /* somebody touched it */
    WEBAUTHN_VERIFIED = 0x04, /* and showed a PIN, a finger or a face */
    WEBAUTHN_CREDENTIAL = 0x40,
    WEBAUTHN_EXTENSIONS = 0x80,
};

enum { WEBAUTHN_HASH_BYTES = 32, WEBAUTHN_CREDENTIAL_MAX = 1023 };

struct webauthn_data {
    struct str rp_hash; /* SHA-256 of the site's name */
    uint8_t flags;
    uint32_t counter;
    struct str credential; /* id; empty but at registration */
    struct str key;        /* COSE */
};

/* Authenticator data (section 6.1), all of it. ERR_TRUNCATED, ERR_INVALID. */
MUST_USE enum err webauthn_parse_data(struct str bytes, struct webauthn_data *ret_data);

/* The authenticator data out of an attestation object (section 6.5); what attests it is passed
 * over, since no make of authenticator is asked for. */
MUST_USE enum err webauthn_parse_attestation(struct str bytes, struct str *ret_data);

/* RFC 9053: the algorithms that are taken, by their COSE numbers. */
enum cose_algorithm {
    COSE_UNSET = 0,
    COSE_ES256 = -7,
    COSE_EDDSA = -8,
    COSE_RS256 = -257,
};

struct cose_key {
    enum cose_algorithm algorithm;
    struct str x, y; /* ES256: a point of P-256; EdDSA: x is an Ed25519 key */
    struct str n, e; /* RS256 */
};

/* A public key (RFC 9052 section 7), all of the bytes. ERR_INVALID for another algorithm, curve or
 * size, and for a member that stands twice. */
MUST_USE enum err cose_parse_key(struct str bytes, struct cose_key *ret_key);

#endif
