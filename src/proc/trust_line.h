/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A worker's line to the clerk: tells what devices did with the gate's certificates, and is told
 * which of them count as not enrolled.
 *
 * Notes go at a bounded rate; of those that wait, the ones that do not fit are dropped, for a
 * device refuses again. While the clerk is away they wait.
 */
#ifndef LODGE_PROC_TRUST_LINE_H
#define LODGE_PROC_TRUST_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "os/loop.h"
#include "proc/trust_note.h"

enum {
    TRUST_LINE_WAITING_MAX = 256,
    TRUST_LINE_AT_ONCE = 16, /* notes in ... */
    TRUST_LINE_PAUSE_MS = 100,
};

struct trust_line {
    struct loop_io io; /* fd -1: no line now */
    struct loop_timer pause;
    bool pausing; /* its timer runs */
    struct loop *loop;
    struct trust_note waiting[TRUST_LINE_WAITING_MAX];
    size_t n_waiting;
    struct addr asked[TRUST_LINE_WAITING_MAX]; /* told to the clerk, who has not answered yet */
    size_t n_asked;
    struct buf known; /* struct addr of each that is not enrolled, ascending */

    void *context;
    /* The clerk's word. Never called from inside trust_line_tell. */
    void (*set)(void *context, const struct addr *addr, bool enrolled);
};

/* context and set are the owner's to set. */
void trust_line_init(struct trust_line *line, struct loop *loop);
/* Nobody is told. */
void trust_line_fini(struct trust_line *line);

/* Takes over a descriptor from the supervisor; the last one counts. */
void trust_line_take(struct trust_line *line, int fd);

void trust_line_tell(struct trust_line *line, const struct trust_note *note);

#endif
