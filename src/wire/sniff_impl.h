/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of sniff share. */
#ifndef LODGE_WIRE_SNIFF_IMPL_H
#define LODGE_WIRE_SNIFF_IMPL_H

#include "wire/sniff.h"

static inline uint32_t sniff_le16(const uint8_t *p)
{
    return (uint32_t)(p[0] | p[1] << 8);
}

static inline uint32_t sniff_le32(const uint8_t *p)
{
    return sniff_le16(p) | sniff_le16(p + 2) << 16;
}

/* By the first bytes (head), of which there are no more where end is true. SNIFF_UNSET: more are
 * needed; SNIFF_PLAIN: none of the table. */
enum sniff_kind sniff_head(struct str head, bool end);

/* What a member's name makes of the archive that holds it; SNIFF_UNSET for nothing. */
enum sniff_kind sniff_member(struct str name);

#endif
