/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to tls/: OpenSSL as a library. */
#ifndef LODGE_TLS_LIBRARY_IMPL_H
#define LODGE_TLS_LIBRARY_IMPL_H

#include "base/err.h"

/* To be called before anything else of OpenSSL's, by each door of this folder; the first call does
 * the work. Behind it nothing is read from the disk any more, so that a process may confine itself.
 * ERR_MEMORY. */
MUST_USE enum err library_start(void);

#endif
