/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a head must obey as a whole, once its lines are read; http1.c is the only user. */
#ifndef LODGE_WIRE_HTTP1_RULES_H
#define LODGE_WIRE_HTTP1_RULES_H

#include "base/err.h"
#include "wire/http1.h"

/* Both take a head with first line and headers set, set what follows from them (form, body, length,
 * keep_alive, upgrade, expect_continue, hop) and write *ret_fault when they fail. */
MUST_USE enum err http1_rules_request(struct http1_head *head, enum http1_fault *ret_fault);
MUST_USE enum err http1_rules_response(struct http1_head *head, enum http1_method method,
                                       enum http1_fault *ret_fault);

#endif
