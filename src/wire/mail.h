/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A mail as it is sent: plain text of UTF-8 in the form of RFC 5322, with MIME (RFC 2045) and
 * encoded words (RFC 2047). Nothing that is put in can begin a header or end the head. */
#ifndef LODGE_WIRE_MAIL_H
#define LODGE_WIRE_MAIL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

/* RFC 5321 section 4.5.3.1.3, without the angle brackets. */
enum { MAIL_ADDRESS_MAX = 254 };

struct mail {
    struct str from;      /* an address */
    struct str from_name; /* UTF-8; empty: none */
    struct str to;        /* an address */
    struct str id;        /* "left@right", the same whenever this mail is sent again */
    struct str subject;   /* UTF-8, one line */
    struct str body;      /* UTF-8; lines end in LF */
    int64_t date_ms;      /* UTC */
};

/* A dot-atom, '@', and a canonical name or an address in brackets (RFC 5322 sections 3.2.3 and
 * 3.4.1), in ASCII and at most MAIL_ADDRESS_MAX bytes: what may stand in a command of SMTP. */
bool mail_address_is_valid(struct str address);

/* Appends the whole mail with CRLF, no line longer than 78 bytes but one with an address. A control
 * character in the subject or a name is sent as a space. ERR_INVALID: an address, the id or text
 * that is not UTF-8; errors of `to`. */
MUST_USE enum err mail_print(const struct mail *mail, struct buf *to);

#endif
