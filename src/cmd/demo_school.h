/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The people of the demonstration school, made through the engine like any school's. */
#ifndef LODGE_CMD_DEMO_SCHOOL_H
#define LODGE_CMD_DEMO_SCHOOL_H

#include "base/buf.h"
#include "base/str.h"

enum { DEMO_PASSWORD_BYTES = 15, DEMO_LOGINS_MAX = 48, DEMO_LOG_ON_BYTES = 32 };

/* What the guide shows of a log-in. */
struct demo_login {
    char log_on[DEMO_LOG_ON_BYTES];
    char password[DEMO_PASSWORD_BYTES];
};

/* Makes DATA/store and DATA/keys anew and fills them: the school and its rows (demo/school.json),
 * the policy, and an account for each log-in with a random password and, where a role asks for a
 * second factor, a sheet of codes. *guide gets a line for each. An exit code, or OPTIONS_GO_ON. */
int demo_school_make(const char *data, struct str rows, struct str policy,
                     struct demo_login *logins, size_t *ret_n, struct buf *guide);

#endif
