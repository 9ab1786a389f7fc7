/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The supervisor's images: taken from the files that the operator names, checked once, kept in
 * DIR/images/ and handed to the workers as descriptors.
 *
 * A copy is what is checked and handed over, so that a file written in place afterwards changes
 * nothing. Past policies and states stay in DIR/images/ for three years, with the time of
 * their last use; of catalogs the last two.
 */
#ifndef LODGE_PROC_IMAGES_H
#define LODGE_PROC_IMAGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"

enum image { IMAGE_CATALOG, IMAGE_POLICY, IMAGE_STATE, IMAGE_COUNT };

struct image_slot {
    const char *path; /* as the operator gave it, or the clerk's; "" for none */
    bool optional;    /* may be absent: the clerk has not published it yet */
    int fd;           /* the image in force; -1 for none */
    uint64_t generation;
    struct stat seen; /* of the file at the last try, so that nothing is tried twice */
};

struct images {
    int folder_fd; /* DIR/images */
    struct image_slot slots[IMAGE_COUNT];
};

/* "catalog", "policy", "state"; static. */
const char *image_name(enum image image);

/* Looks at one file. ERR_OK: a new image is in force (*ret_changed) or it is the same as before.
 * Else the one before stays, and *why holds what is wrong with the file and what to do. A bad one
 * of the clerk's is as one that is absent while there is none before it. */
MUST_USE enum err images_take(struct images *images, enum image image, bool *ret_changed,
                              struct buf *why);

/* Whether a file can be used as such an image; *why as for images_take. ERR_INVALID, ERR_NOT_FOUND,
 * ERR_SYSTEM. */
MUST_USE enum err image_check(enum image image, const char *path, struct buf *why);

/* Removes the past policies and states that nobody has used since before_ms (UTC), but for the last
 * of each kind. Doubt keeps. */
void images_prune(int folder_fd, int64_t before_ms);

void images_close(struct images *images);

#endif
