/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Public suffixes: names under which strangers register names of their own. */
#ifndef LODGE_WIRE_SUFFIX_H
#define LODGE_WIRE_SUFFIX_H

#include <stdbool.h>

#include "wire/host.h"

/* True for a name of the ICANN part of publicsuffix.org's list, as Debian builds it into libpsl:
 * "com", "co.uk", "ac.uk"; not for "blogspot.com", which a company owns, nor for an unknown top
 * level. */
bool host_is_public_suffix(const struct host *host);

#endif
