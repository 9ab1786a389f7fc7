/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CHECK's last words. */
#include "base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void check_failed(const char *file, int line, const char *condition)
{
    fprintf(stderr, "lodge: %s:%d: broken invariant: %s\n", file, line, condition);
    abort();
}
