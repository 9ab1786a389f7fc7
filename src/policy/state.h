/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The state image: what holds now (docs/state.md describes it; `lodge state build|show`).
 *
 * A small sorted binary file, mapped read-only like the catalog: people and devices by opaque id
 * and group, sign-ins, grants, overrides, suspensions, isolation, agreements, filtering off, each
 * with an absolute end in UTC ms. Ends are judged by the later of the wall clock and a monotonic
 * count since the image came, so that a clock set back prolongs nothing (the caller passes that
 * time).
 */
#ifndef LODGE_POLICY_STATE_H
#define LODGE_POLICY_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "wire/addr.h"

struct state;

/* Maps and checks an image whole (it is small): magic, version, checksum, order, every offset. Not
 * taken over: fd. ERR_INVALID with a static sentence in *ret_why. */
MUST_USE enum err state_open(int fd, struct state **ret_state, const char **ret_why);
void state_free(struct state *state);

/* Identifies the contents; 0 never occurs. */
uint64_t state_generation(const struct state *state);

/* Whether this can be an id of the document: 1 to LIMIT_ID_LEN letters, digits, '-', '_', '.'. */
bool state_id_is_valid(struct str id);
/* Whether this can be a name in Basic credentials (RFC 7617): 1 to LIMIT_ID_LEN printable ASCII
 * characters, no space, no colon. */
bool state_log_on_is_valid(struct str log_on);

/* JSON to the bytes of an image (appended to image), and back. Errors as for policy_parse. */
MUST_USE enum err state_build(struct str json, struct buf *image, struct buf *why);
void state_print(const struct state *state, struct buf *json);

#endif
