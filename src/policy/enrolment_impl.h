/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the register of devices' trust is made of. Private to enrolment.c and enrolment_file.c. */
#ifndef LODGE_POLICY_ENROLMENT_IMPL_H
#define LODGE_POLICY_ENROLMENT_IMPL_H

#include "policy/enrolment.h"

struct enrolment_entry {
    struct addr addr;
    uint32_t serial; /* names it in its pins */
    bool enrolled;
    int64_t since_ms;    /* not enrolled since; 0: enrolled */
    int64_t accepted_ms; /* last; 0: never */
    int64_t refused_ms;  /* the rest: of one that is not enrolled; 0 and empty else */
    uint64_t refusals;
    char id[LIMIT_ID_LEN + 1];
    char host[LIMIT_HOST_LEN + 1];
};

/* An enrolled device refused this host. */
struct enrolment_pin {
    uint32_t serial;
    int64_t first_ms, last_ms;
    uint64_t refusals;
    char host[LIMIT_HOST_LEN + 1];
};

struct enrolment {
    struct enrolment_entry *entries;
    size_t n_entries, entries_cap;
    struct enrolment_pin *pins;
    size_t n_pins, pins_cap;
    uint32_t last_serial;
};

/* A new entry, zeroed but for its serial, or NULL for want of memory; below the maximum only. */
struct enrolment_entry *enrolment_add_entry(struct enrolment *enrolment);
struct enrolment_pin *enrolment_add_pin(struct enrolment *enrolment);

#endif
