/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the checks of `lodge doctor` share with its repairs; private to doctor*.c. */
#ifndef LODGE_CMD_DOCTOR_IMPL_H
#define LODGE_CMD_DOCTOR_IMPL_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "conf/conf.h"

enum verdict { VERDICT_UNSET, VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct doctor {
    const char *data;
    struct conf conf;
    struct buf said; /* what the check in hand found */
    struct buf todo; /* and what to do about it; empty where nothing */
};

/* The data folder and those in it, with the modes and owners they should have. */
struct folder_row {
    const char *name; /* below the data folder; "" for itself */
    unsigned mode;
    const char *user; /* whose it is, where started as root and the user exists; NULL: as it is */
    const char *group_of; /* a group, or a user whose group it is */
};
extern const struct folder_row folder_rows[];
extern const size_t n_folder_rows;

/* The system users of all processes, each once. */
extern const char *const user_names[];
extern const size_t n_user_names;

#define LODGE_GROUP "lodge"

/* DATA/NAME into to; false where that is too long. */
bool folder_path(const char *data, const char *name, char *to, size_t size);

/* --fix: users (as root) and folders; says what it did on standard output, and what it could not on
 * standard error. */
void doctor_fix(const struct doctor *doctor);

/* Whether what is in memory can reach the disk by swapping. */
enum verdict check_memory(struct doctor *doctor);
/* A line of /proc/swaps (proc(5)): compressed memory, or a disk that dm-crypt encrypts. */
bool doctor_swap_is_safe(struct str line);

/* The CA, its key and its end; the certificates of the system. */
enum verdict check_ca(struct doctor *doctor);
enum verdict check_roots(struct doctor *doctor);
/* The mail server, where one is set: whether it answers, can be trusted and takes the login. */
enum verdict check_mail(struct doctor *doctor);

#endif
