/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The register of devices' trust: which of them do not know the gate's CA, and which have an
 * application that takes no certificate but its own maker's (it pins).
 *
 * A device counts as enrolled until its TLS refuses a leaf of the gate; from then on as not
 * enrolled, until the page "is this device set up?" was loaded over HTTPS. Nothing else makes it
 * enrolled again: a program that is told to look away accepts too. A device that has accepted a
 * leaf lately knows the CA; when it refuses one for a certain host, it is an application that pins,
 * so the device stays enrolled and the host is noted for the technician. Nothing is opened by that:
 * only a person puts a host on the policy's never_inspect list. Where a device refuses everything
 * since it last accepted, its CA is gone, and what was noted meanwhile is taken back.
 *
 * Pure: time is an argument (UTC ms). Bounded: what is oldest makes room.
 */
#ifndef LODGE_POLICY_ENROLMENT_H
#define LODGE_POLICY_ENROLMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/str.h"
#include "wire/addr.h"
#include "wire/host.h"

enum {
    ENROLMENT_DEVICES_MAX = 8192,
    ENROLMENT_PINS_MAX = 8192,
    ENROLMENT_PINS_PER_DEVICE = 32,
    /* So many sites refused in a row, and none accepted between: the CA is gone. Phones have a few
     * applications that pin, and talk to several hosts of one site each. */
    ENROLMENT_SITES_IN_A_ROW = 8,
    /* A host that so many devices pin is pinned: a device's first refusal of it says nothing. */
    ENROLMENT_PINNED_BY = 2,
    ENROLMENT_FILE_MAX = 16 * 1024 * 1024,
};

/* How long a device's acceptance says that it knows the CA. */
#define ENROLMENT_LATELY_MS (30 * (int64_t)MS_PER_DAY)
/* How long a device without an id, known by its address only, stays not enrolled after its last
 * refusal: addresses are leased, and the next device deserves its own try. */
#define ENROLMENT_LEASE_MS (7 * (int64_t)MS_PER_DAY)
/* How long a pinned host is listed after it was last refused. */
#define ENROLMENT_PIN_MS (90 * (int64_t)MS_PER_DAY)

struct enrolment;

enum enrolment_seen {
    ENROLMENT_UNSET,
    ENROLMENT_ACCEPTED, /* a handshake under a leaf of ours was completed */
    ENROLMENT_REFUSED,  /* an alert about the certificate, or a close right after it */
    ENROLMENT_CHECKED,  /* the check's HTTPS part was loaded */
    ENROLMENT_FAILED,   /* refused for the gate's own name, which no application pins */
};

/* What came of an observation, for whoever saves, tells and logs. */
enum enrolment_change {
    ENROLMENT_SAME,
    ENROLMENT_NOTED,    /* times and counts: worth saving, nobody waits for it */
    ENROLMENT_ENROLLED, /* the device counts as enrolled again */
    ENROLMENT_LOST,     /* ... as not enrolled from now on */
    ENROLMENT_PINNED,   /* a host is noted as pinned that this device had not refused before */
};

MUST_USE enum err enrolment_new(struct enrolment **ret_enrolment);
void enrolment_free(struct enrolment *enrolment);

/* Notes what the device at addr did with the certificate for host. device is its id in the state
 * image, or empty; a device with an id keeps its entry when its address changes. CHECK: seen is
 * set, device is at most LIMIT_ID_LEN long. ERR_MEMORY (nothing is noted). */
MUST_USE enum err enrolment_note(struct enrolment *enrolment, const struct addr *addr,
                                 struct str device, const struct host *host,
                                 enum enrolment_seen seen, int64_t now_ms,
                                 enum enrolment_change *ret_change);

/* Forgets what is too old (see above). True where something was. */
bool enrolment_sweep(struct enrolment *enrolment, int64_t now_ms);

/* True for an address of which nothing is known. */
bool enrolment_is_enrolled(const struct enrolment *enrolment, const struct addr *addr);

/* Appends the 16 bytes of each address that is not enrolled, in ascending order. */
void enrolment_addresses(const struct enrolment *enrolment, struct buf *to);

/* A device that is not enrolled; the slices point into the register. */
struct enrolment_device {
    struct addr addr;
    struct str id; /* empty: known by its address only */
    int64_t since_ms;
    int64_t refused_ms; /* last */
    uint64_t refusals;
    struct str host; /* last refused */
};
/* Walks them: *at starts as 0. False at the end. Any change ends the walk. */
bool enrolment_next_device(const struct enrolment *enrolment, size_t *at,
                           struct enrolment_device *ret_device);

/* A host that enrolled devices refuse. */
struct enrolment_pinned {
    char host[LIMIT_HOST_LEN + 1];
    size_t devices;
    uint64_t refusals;
    int64_t first_ms, last_ms;
};
/* By host, in ascending order; the array is the caller's to free. ERR_MEMORY. */
MUST_USE enum err enrolment_pinned(const struct enrolment *enrolment,
                                   struct enrolment_pinned **ret_rows, size_t *ret_n);

/* The file (DIR/devices/enrolment): lines of text, sorted, so that the same register is the same
 * bytes.
 *
 *     lodge-enrolment 1
 *     device ADDRESS ID yes|no SINCE ACCEPTED REFUSED REFUSALS HOST
 *     pinned HOST FIRST LAST REFUSALS          (of the device above it)
 *
 * "*" stands for no id and no host; times are UTC ms, 0 for never. */
void enrolment_print(const struct enrolment *enrolment, struct buf *to);
/* Strict: what enrolment_print would not write is ERR_INVALID, with the line's number in *ret_line
 * (1 is the first); ERR_LIMIT past the bounds above, ERR_MEMORY. */
MUST_USE enum err enrolment_parse(struct str text, struct enrolment **ret_enrolment,
                                  size_t *ret_line);

#endif
