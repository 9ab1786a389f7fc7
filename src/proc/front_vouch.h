/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Front's end of its line to the notary, before it takes anybody's connection: it waits for the
 * answer, and closes the line behind it. */
#ifndef LODGE_PROC_FRONT_VOUCH_H
#define LODGE_PROC_FRONT_VOUCH_H

#include "base/buf.h"
#include "base/err.h"
#include "os/file.h"
#include "tls/authority.h"

/* A notary that makes the school's CA, on a busy machine; below what the watchdog allows. */
enum { FRONT_VOUCH_PATIENCE_MS = 10000 };

/* Waits for the certificates of the CA (DER, one behind the other); the caller unmaps them.
 * ERR_TIMEOUT; ERR_NOT_FOUND where the notary is gone; ERR_INVALID. */
MUST_USE enum err front_vouch_issuer(int fd, struct file_map *ret_chain);

/* Has the public half of this key signed for the console's names, which the notary knows; DER.
 * Errors as above; ERR_INVALID too where it refuses. */
MUST_USE enum err front_vouch_ask(int fd, const struct tls_key *key, struct buf *ret_der);

#endif
