/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What front and desk say to each other: a request in one message (ENQUIRY), its answer in another
 * (REPLY). The message holds the version and a ticket; what it is about lies in sealed memory,
 * which is handed over with it and cannot change under the reader.
 *
 * The memory holds numbers and texts one behind the other, each text with its length in front. Both
 * sides read it as outside input: front has been talked to by anybody, desk may have been taken
 * over by a request.
 */
#ifndef LODGE_PROC_DESK_LINE_H
#define LODGE_PROC_DESK_LINE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "os/file.h"
#include "proc/message.h"
#include "web/web.h"

/* The store's file in DIR/store. */
#define DESK_DATABASE "lodge.db"

enum {
    DESK_LINE_VERSION = 1,
    DESK_FORM_MAX = 1024 * 1024,      /* the body of a form, or JSON */
    DESK_FILE_MAX = 12 * 1024 * 1024, /* of a form with files */
    DESK_PATH_MAX = 8192,             /* the path, and the query */
    DESK_HEADER_MAX = 8192,           /* one header */
    DESK_ANSWER_MAX = 32 * 1024 * 1024,
    DESK_HEADERS_MAX = 16 * 1024, /* of an answer, all together */
    DESK_FRAME_MAX = DESK_ANSWER_MAX + 64 * 1024,
};

struct desk_answer {
    unsigned status;    /* 200..599 */
    struct str type;    /* Content-Type */
    struct str headers; /* whole lines, each with CRLF, of names that front passes on */
    struct str body;
};

/* Appends a frame. now_ms is not sent: the desk has a clock. ERR_LIMIT for one over the bounds. */
MUST_USE enum err desk_pack_request(const struct web_request *request, struct buf *to);
MUST_USE enum err desk_pack_answer(const struct desk_answer *answer, struct buf *to);

/* Reads one, all of it; slices point into frame. ERR_INVALID for anything that front or desk would
 * not have packed: another version, a bound, a control character in a header. */
MUST_USE enum err desk_read_request(struct str frame, struct web_request *ret_request);
MUST_USE enum err desk_read_answer(struct str frame, struct desk_answer *ret_answer);

/* Sends a frame (type ENQUIRY or REPLY) under a ticket. ERR_AGAIN where the other side does not
 * take it now; else as message_send. */
MUST_USE enum err desk_send(int fd, enum message type, uint64_t ticket, struct str frame);
/* Takes the next one of this type, mapped. Errors of message_receive; ERR_INVALID. */
MUST_USE enum err desk_receive(int fd, enum message type, uint64_t *ret_ticket,
                               struct file_map *ret_frame);

#endif
