/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What publishing is made of; private to publish.c and publish_devices.c. */
#ifndef LODGE_RECORDS_PUBLISH_IMPL_H
#define LODGE_RECORDS_PUBLISH_IMPL_H

#include "policy/place.h"
#include "records/publish.h"

enum { POSTS_MAX = 32 }; /* roles of one person that count */

struct publishing {
    struct store *store;
    struct str school;
    struct str today; /* "2026-11-22" */
    int64_t now_ms;
    struct policy *policy;
    struct published *published;
    json_t *roles;                                     /* {person: [role]}, held today */
    json_t *network;                                   /* {person: policy group} */
    json_t *agreements;                                /* {person: {...}} */
    json_t *placed;                                    /* {person: true}: is in the state */
    json_t *hashes;                                    /* {log-on: hash} */
    json_t *told;                                      /* {group: true}: its fault is noted */
    json_t *seen;                                      /* {address: true} */
    json_t *signed_in;                                 /* {device: true} */
    json_t *sign_ins;                                  /* of the document, as those below */
    json_t *people, *devices, *suspensions, *isolated; /* of the document */
    bool short_of_memory; /* something is missing somewhere: nothing of it is published */
};

/* Put a value (taken over; NULL for one that could not be made) where it belongs. One that does not
 * fit into memory fails the whole publishing, so that the gate keeps what it has. */
void publish_put(struct publishing *publishing, json_t *object, struct str key, json_t *value);
void publish_add(struct publishing *publishing, json_t *array, json_t *value);

void publish_fault(struct publishing *publishing, const char *of, struct str record,
                   struct str person, const char *words);
json_t *publish_text(struct str text);
/* The end of a day at the school, in the document's form; NULL for what is no day. */
json_t *publish_day_end(struct publishing *publishing, struct str day);

/* A row of PUBLISH_DEVICES; people are placed already. */
void publish_take_device(struct publishing *publishing, struct store_rows *rows);

#endif
