/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's own names: what a request's Host may say (a name that somebody else points at this
 * machine is none: DNS rebinding), and what its certificate is for. */
#ifndef LODGE_PROC_FRONT_NAMES_H
#define LODGE_PROC_FRONT_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "conf/conf.h"
#include "os/sock.h"
#include "wire/host.h"

enum { FRONT_NAMES_MAX = 24 };

struct front_names {
    size_t n;
    struct host hosts[FRONT_NAMES_MAX]; /* names, and addresses that the operator named */
};

/* Names and addresses of the option, separated by commas, and localhost. ERR_INVALID; ERR_LIMIT. */
MUST_USE enum err front_names_parse(struct str option, struct front_names *ret_names);

/* All names and addresses of this machine's console: of the options `console-name` and `console`,
 * the host name, and the addresses of the interfaces where it listens on all. Opens a socket of its
 * own. ERR_INVALID and ERR_LIMIT of the option. */
MUST_USE enum err front_names_find(const struct conf *conf, struct front_names *ret_names);

/* One more, where it is valid, new and there is room. */
void front_names_add(struct front_names *names, struct str name);
void front_names_add_address(struct front_names *names, const uint8_t ip[16]);

/* Whether a Host header is ours: one of the names, or the very address that was dialled. Its port
 * is not looked at: something in front of us may have another. */
bool front_names_has(const struct front_names *names, struct str host,
                     const struct sock_addr *dialled);

#endif
