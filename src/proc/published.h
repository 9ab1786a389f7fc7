/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the clerk publishes beside images: the passwords, which the supervisor hands to auth. Clerk
 * and auth are different users, and neither may write into the other's folder. */
#ifndef LODGE_PROC_PUBLISHED_H
#define LODGE_PROC_PUBLISHED_H

#include <sys/stat.h>

#include "base/err.h"

/* Puts DIR/images/passwd in place of DIR/auth/passwd, where it is there and is another than *seen
 * (of the last time). ERR_INVALID for one that is no file of passwords: the old one stays. */
MUST_USE enum err published_passwords_take(int images_fd, int passwords_fd, struct stat *seen);

#endif
