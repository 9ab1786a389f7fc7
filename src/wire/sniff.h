/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a body is, by its bytes, and what its name and type claim: programs above all (R129).
 *
 * Bytes are decisive: a program under another name is a program. What has no bytes of its own
 * (batch files, PowerShell) is told by its name. Most bodies are told by their first bytes;
 * archives are read to their end for the names in them, installers as far as their directory, and
 * what begins like nothing known may still end like a disk image.
 */
#ifndef LODGE_WIRE_SNIFF_H
#define LODGE_WIRE_SNIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum sniff_kind {
    SNIFF_UNSET, /* not known yet */
#define SNIFF(id, program, name) SNIFF_##id,
#include "wire/sniff.def"
#undef SNIFF
    SNIFF_COUNT_
};

/* True for what a device runs or installs. */
bool sniff_is_program(enum sniff_kind kind);
/* Words for a person; static. */
struct str sniff_words(enum sniff_kind kind);

enum {
    SNIFF_HEAD = 512,   /* bytes by which most are told */
    SNIFF_WINDOW = 2048 /* holds the longest name in an archive that is looked at */
};

struct sniff {
    enum sniff_kind kind; /* what is known so far */
    bool settled;         /* no byte will change it */
    uint64_t at;          /* private: bytes seen */
    uint64_t class_at;    /* private: of an installer's class; 0: not an OLE file */
    size_t len;           /* private: bytes in window */
    uint8_t window[SNIFF_WINDOW];
};

void sniff_init(struct sniff *sniff);
/* For a body whose beginning is not here: only names in archives are looked for. */
void sniff_init_inner(struct sniff *sniff);
/* The next bytes; true once settled. */
bool sniff_feed(struct sniff *sniff, struct str bytes);
/* There are no more: settled afterwards. */
void sniff_end(struct sniff *sniff);

/* What a file name claims, by its ending, as Windows reads it (dots and spaces at the end do not
 * count); SNIFF_UNSET where it claims nothing. */
enum sniff_kind sniff_name(struct str name);

/* The same for the last segment of a URL's path. Endings that sites use for other things (.com) do
 * not count. */
enum sniff_kind sniff_path(struct str path);

/* What a media type claims ("application/x-msdownload; v=1"). */
enum sniff_kind sniff_type(struct str type);

/* True for media types that a browser shows or uses by itself (pages, pictures, styles, data): a
 * URL that ends in .exe and brings one of these is a page about a program, or made by one. */
bool sniff_type_is_shown(struct str type);

#endif
