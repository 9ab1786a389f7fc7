/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An answer's beginning, held back until its readers have seen enough to show a page in its place;
 * after that it can only be cut off.
 *
 * The rules:
 *  - Only where the policy would refuse this person what a reader looks for is anything read; else
 *    there is no hold, and nothing is decoded or copied.
 *  - Held are at most HOLD_DECODED_MAX decoded bytes, HOLD_WIRE_MAX as they came, for HOLD_MS.
 *  - What a reader finds is put to the policy beside what the site is; refused, the page comes in
 *    its place, or the answer is cut off before the bytes that told. What cannot be decoded is
 *    refused as what it may be, for doubt.
 *  - A range that begins with the first byte is read like the whole. One that begins further in
 *    than HOLD_RANGE_MIN lacks so much of a program that it is none, and is read for the names in
 *    archives. Several ranges in one answer, and one that lacks just the first bytes, are doubt.
 */
#ifndef LODGE_PROXY_HOLD_IMPL_H
#define LODGE_PROXY_HOLD_IMPL_H

#include <stdbool.h>

#include "base/str.h"
#include "wire/http1.h"

struct client;
struct exchange;
struct hold;

enum hold_says {
    HOLD_GO,      /* send: what was held, then what is new */
    HOLD_WAIT,    /* keep it back */
    HOLD_REFUSED, /* exchange->verdict says why */
};

/* The final head of an answer with a body has come. */
enum hold_says hold_begin(struct exchange *exchange, const struct http1_head *head);

/* The next bytes of the body without framing; done: they are the last. exchange->hold is set. */
enum hold_says hold_feed(struct exchange *exchange, struct str data, bool done);

/* Keeps what was not sent, after HOLD_WAIT. False: no memory. */
bool hold_keep(struct exchange *exchange, struct str head, struct str body);
/* What is kept, head first; to be sent before anything else. */
struct str hold_kept(const struct exchange *exchange);
/* It was sent. Frees the hold too where nobody reads on. */
void hold_sent(struct exchange *exchange);

/* Fine without one. */
void hold_free(struct exchange *exchange);

#endif
