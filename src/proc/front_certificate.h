/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's certificate: made at the first run in DIR/console, and anew before it runs out or
 * where it lacks one of our names; or the school's (options console-certificate, console-key). */
#ifndef LODGE_PROC_FRONT_CERTIFICATE_H
#define LODGE_PROC_FRONT_CERTIFICATE_H

#include <stdint.h>

#include "base/err.h"
#include "conf/conf.h"
#include "proc/front_names.h"
#include "tls/server.h"

#define FRONT_CERTIFICATE "certificate.pem"
#define FRONT_KEY "key.pem"

/* Before it runs out by so much our own is made anew. */
#define FRONT_RENEW_MS (30LL * 24 * 60 * 60 * 1000)

/* folder_fd: DIR/console. Says in the log what is wrong and what to do; ERR_INVALID where that will
 * not pass by itself. */
MUST_USE enum err front_certificate_open(int folder_fd, const struct conf *conf,
                                         const struct front_names *names, int64_t now_ms,
                                         struct tls_leaf **ret_leaf);

#endif
