/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which events `lodge log` shows. */
#ifndef LODGE_CMD_LOG_FILTER_H
#define LODGE_CMD_LOG_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "event/event.h"
#include "wire/host.h"

/* A zeroed one takes all but lifeline visits, which nothing shows (design section 3). Slices are
 * the caller's. */
struct log_filter {
    int64_t since_ms;
    struct str person; /* empty: anyone; so for group */
    struct str group;
    struct host host;  /* HOST_UNSET: any; else it and the names below it */
    unsigned category; /* CATEGORY_UNSET: any */
    bool sealed;       /* only hits of sealed lists */
    bool blocked;      /* only what was not allowed */
    bool by_id;
    struct event_id id;
};

bool log_filter_takes(const struct log_filter *filter, const struct event *event);

/* "2026-11-23T10:15" and its kin (civil_parse), read as UTC, or how long before now_ms: a number
 * and one of s, m, h, d. ERR_INVALID; ERR_RANGE for more than 100 years. */
MUST_USE enum err log_since_parse(struct str text, int64_t now_ms, int64_t *ret_ms);

/* A category's name, or "sealed". Names of sealed categories are not found: which of the sealed
 * lists was hit is not shown. ERR_NOT_FOUND. */
MUST_USE enum err log_category_find(struct str name, struct log_filter *filter);

/* 32 hexadecimal digits. ERR_INVALID. */
MUST_USE enum err log_id_parse(struct str text, struct log_filter *filter);

#endif
