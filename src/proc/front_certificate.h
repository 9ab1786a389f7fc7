/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's certificate: made at the first run in DIR/console and signed by the CA of the gate,
 * and anew before it runs out, where it lacks one of our names, or is another CA's; by our own key
 * while the notary does not answer. Or the school's (options console-certificate, console-key). */
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

enum certificate_from {
    CERTIFICATE_UNSET,
    CERTIFICATE_SCHOOLS,
    CERTIFICATE_GATES, /* signed by the CA of the gate */
    CERTIFICATE_OURS,  /* by its own key, or by nobody knows whom */
};

struct front_certificate {
    enum certificate_from from;
    struct tls_leaf *leaf; /* tls_leaf_free */
};

/* folder_fd: DIR/console. line_fd: to the notary (front_vouch.h), or -1. Says in the log what is
 * wrong and what to do, and which certificate it is; ERR_INVALID where that will not pass by
 * itself. */
MUST_USE enum err front_certificate_open(int folder_fd, int line_fd, const struct conf *conf,
                                         const struct front_names *names, int64_t now_ms,
                                         struct front_certificate *ret_certificate);

#endif
