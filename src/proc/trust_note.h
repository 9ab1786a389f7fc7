/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a worker tells the clerk of a device's trust (the messages TRUST and ENROLMENT). */
#ifndef LODGE_PROC_TRUST_NOTE_H
#define LODGE_PROC_TRUST_NOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "os/ipc.h"
#include "policy/enrolment.h"
#include "wire/addr.h"
#include "wire/host.h"

struct trust_note {
    struct addr addr;
    enum enrolment_seen seen;
    uint8_t id_len;
    char id[LIMIT_ID_LEN]; /* of the device in the state image; empty: none */
    struct host host;      /* whose leaf it was */
};

static inline struct str trust_note_id(const struct trust_note *note)
{
    return (struct str){note->id, note->id_len};
}

/* Errors of ipc_send. */
MUST_USE enum err trust_note_send(int fd, const struct trust_note *note);
/* Reads a received TRUST. ERR_INVALID. */
MUST_USE enum err trust_note_read(const struct ipc_message *message, struct trust_note *ret_note);

#endif
