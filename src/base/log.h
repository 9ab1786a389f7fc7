/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log: what the program did, for the operator. One line of key=value on standard error.
 *
 * Never a person, URL or search term: those are events (event/event.h). Only proc/ and cmd/ log.
 */
#ifndef LODGE_BASE_LOG_H
#define LODGE_BASE_LOG_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum log_level { LOG_UNSET, LOG_ERROR, LOG_WARN, LOG_INFO };

/* The name of this process in each line ("proxy.1"); static or lasting memory. */
void log_set_process(const char *name);

/* Writes: time level=… process=… event=NAME, then the text that format gives, which must be
 * key=value pairs already (log_quote for values from outside). */
void log_line(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);

/* Appends value as one word: in double quotes, with \" \\ and \xHH for quotes, backslashes and
 * anything that is not printable ASCII; at most 200 bytes of it, then "...". */
void log_quote(struct buf *to, struct str value);

#endif
