/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A writer of JSON (RFC 8259) into a buffer, for output on fast paths; reading is jansson's.
 *
 * Commas are placed by the writer, which looks at the last byte written: none at the start, nor
 * after '{', '[', ':' and a line feed (between the texts of JSON lines). Bytes that are not UTF-8
 * become U+FFFD, so the output is always valid JSON.
 */
#ifndef LODGE_WIRE_JSON_H
#define LODGE_WIRE_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

void json_open_object(struct buf *to);
void json_close_object(struct buf *to);
void json_open_array(struct buf *to);
void json_close_array(struct buf *to);
/* The name of the next member. */
void json_name(struct buf *to, struct str name);
void json_str(struct buf *to, struct str value);
void json_i64(struct buf *to, int64_t value);
void json_u64(struct buf *to, uint64_t value);
void json_bool(struct buf *to, bool value);
void json_none(struct buf *to);

#endif
