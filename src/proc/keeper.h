/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of the certificate authority: read, or made at the first run. The notary's, before it
 * gives up its rights.
 *
 * DATA/ca holds ca.key and ca.pem where Lodge made the CA, and current.pem: the certificate that is
 * in use, be it that one or the school's own, for `lodge ca show`. Only the folder's owner (root,
 * or whoever starts the gate) may enter it.
 */
#ifndef LODGE_PROC_KEEPER_H
#define LODGE_PROC_KEEPER_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "conf/conf.h"
#include "tls/authority.h"

#define KEEPER_FOLDER "ca"
#define KEEPER_KEY "ca.key"
#define KEEPER_CERTIFICATE "ca.pem"
#define KEEPER_CURRENT "current.pem"

enum { KEEPER_FILE_MAX = 256 * 1024 };

/* Logs what it made and what is wrong, with what to do. ERR_INVALID where only a person can mend
 * it. The key's text is wiped. */
MUST_USE enum err keeper_open(int folder_fd, const struct conf *conf, int64_t now_ms,
                              struct authority **ret_authority);

#endif
