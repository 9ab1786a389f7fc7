/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line between the clerk and the mailer: a mail, whole, and what became of it. */
#ifndef LODGE_PROC_MAIL_LINE_H
#define LODGE_PROC_MAIL_LINE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "os/file.h"
#include "os/ipc.h"
#include "wire/mail.h"

enum { MAIL_LINE_TEXT_MAX = 64 * 1024 };

/* To the mailer; the mail itself (wire/mail.h) goes as a file in memory. */
struct mail_order {
    uint64_t ticket;
    char to[MAIL_ADDRESS_MAX + 1];
};

/* From the mailer: enum post_outcome. */
struct mail_note {
    uint64_t ticket;
    uint32_t outcome;
    uint32_t code;
};

/* Sends and reads one of them. Reading checks every value. Errors of ipc_send; ERR_INVALID;
 * ERR_LIMIT: a text that is too long; ERR_SYSTEM. */
MUST_USE enum err mail_line_send_order(int fd, const struct mail_order *order, struct str text);
/* *ret_text is the caller's to fini. */
MUST_USE enum err mail_line_read_order(const struct ipc_message *message,
                                       struct mail_order *ret_order, struct file_map *ret_text);
MUST_USE enum err mail_line_send_note(int fd, const struct mail_note *note);
MUST_USE enum err mail_line_read_note(const struct ipc_message *message,
                                      struct mail_note *ret_note);

#endif
