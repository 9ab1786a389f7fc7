/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes what an authenticator says: slices lie within the input, and one item is what its bytes
 * are. */
#include <stdint.h>

#include "base/check.h"
#include "wire/cbor.h"
#include "wire/webauthn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look_within(struct str whole, struct str part)
{
    CHECK(part.len == 0 || (part.p >= whole.p && part.p + part.len <= whole.p + whole.len));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = {(const char *)data, size};
    struct str rest = bytes;
    struct str inner = bytes;
    struct webauthn_data said;
    struct cose_key key;
    if (cbor_skip(&rest) == ERR_OK) {
        CHECK(rest.len < bytes.len);
    }
    if (webauthn_parse_attestation(bytes, &inner) == ERR_OK) {
        look_within(bytes, inner);
    }
    if (webauthn_parse_data(inner, &said) == ERR_OK) {
        look_within(inner, said.credential);
        look_within(inner, said.key);
        if (cose_parse_key(said.key, &key) == ERR_OK) {
            look_within(said.key, key.x);
        }
    }
    if (cose_parse_key(bytes, &key) == ERR_OK) {
        look_within(bytes, key.x);
        look_within(bytes, key.y);
        look_within(bytes, key.n);
        look_within(bytes, key.e);
    }
    return 0;
}
