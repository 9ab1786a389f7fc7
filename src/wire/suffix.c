/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/suffix.h"

#include <libpsl.h>

bool host_is_public_suffix(const struct host *host)
{
    return host->kind == HOST_NAME &&
           psl_is_public_suffix2(psl_builtin(), host->text,
                                 PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) == 1;
}
