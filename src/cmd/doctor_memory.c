/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge doctor: whether what processes hold in memory can reach the disk. Those that hold keys and
 * passwords lock theirs where they may (crypto/secret.h); what front and desk hand to each other is
 * locked by neither while nobody has it mapped. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/doctor_impl.h"
#include "os/file.h"

enum { SWAPS_MAX = 64 * 1024, ID_MAX = 512, PATH_BYTES = 128 };

/* The kernel's name of a mapped device tells what maps it: "CRYPT-…" for dm-crypt. */
static bool is_encrypted(struct str name)
{
    char path[PATH_BYTES];
    struct buf id;
    if (!str_starts(name, STR("/dev/dm-")) || name.len > 32) {
        return false;
    }
    struct str device = str_skip(name, sizeof("/dev/") - 1);
    snprintf(path, sizeof(path), "/sys/block/%.*s/dm/uuid", STR_ARG(device));
    buf_init(&id, ID_MAX);
    bool found =
        file_read(AT_FDCWD, path, &id) == ERR_OK && str_starts(buf_str(&id), STR("CRYPT-"));
    buf_fini(&id);
    return found;
}

bool doctor_swap_is_safe(struct str line)
{
    struct str name = str_next_word(&line);
    return str_starts(name, STR("/dev/zram")) || is_encrypted(name);
}

enum verdict check_memory(struct doctor *doctor)
{
    struct buf swaps;
    struct str line;
    size_t n = 0;
    size_t open = 0;
    buf_init(&swaps, SWAPS_MAX);
    enum err err = file_read(AT_FDCWD, "/proc/swaps", &swaps);
    struct str rest = buf_str(&swaps);
    (void)str_cut(rest, '\n', &line, &rest); /* the heads of its columns */
    while (rest.len != 0) {
        (void)str_cut(rest, '\n', &line, &rest);
        n++;
        open += doctor_swap_is_safe(line) ? 0 : 1;
    }
    buf_fini(&swaps);
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        buf_printf(&doctor->said, "/proc/swaps: %s", strerror(errno));
        return VERDICT_WARN;
    }
    buf_printf(&doctor->said, "%zu places to swap to, %zu of them on a disk as it is", n, open);
    if (open == 0) {
        return VERDICT_OK;
    }
    buf_append(&doctor->todo, STR("encrypt the swap (cryptsetup), or swapoff: passwords and words "
                                  "of records that pass through the console could lie there"));
    return VERDICT_WARN;
}
