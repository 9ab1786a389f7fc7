/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ends of the chains in the event spool. */
#include "records/audit_event.h"

#include "crypto/hash.h"
#include "crypto/random.h"

enum err audit_event_append(struct spool_writer *writer, struct str node, struct str school,
                            const struct audit_head *head, int64_t utc_ms, int64_t mono_ms)
{
    char digits[SHA256_TEXT_MAX];
    sha256_print(head->hash, digits);
    struct event event = {
        .kind = EVENT_AUDIT,
        .node = node,
        .school = school,
        .utc_ms = utc_ms,
        .mono_ms = mono_ms,
        .act = (uint64_t)head->seq,
        .act_hash = str_from(digits),
    };
    random_bytes(event.id.bytes, sizeof(event.id.bytes));
    return spool_append(writer, &event);
}

static enum err take(const struct event *event, struct str school, struct audit_ends *ends)
{
    struct audit_head head = {.seq = (int64_t)event->act, .noted = "the event spool"};
    if (event->kind != EVENT_AUDIT || !str_eq(event->school, school)) {
        return ERR_OK;
    }
    if (event->act == 0 || event->act > INT64_MAX ||
        sha256_parse(event->act_hash, head.hash) != ERR_OK) {
        ends->damaged = true;
        return ERR_OK;
    }
    return audit_ends_add(ends, &head);
}

enum err audit_event_read(int spool_fd, struct str school, struct audit_ends *ends)
{
    struct spool_reader *reader;
    struct event event;
    struct str where;
    ERR_TRY(spool_reader_open_writer(spool_fd, STR(AUDIT_EVENT_WRITER), &reader));
    enum err err;
    do {
        err = spool_reader_next(reader, &event, &where);
        if (err == ERR_OK) {
            err = take(&event, school, ends);
        } else if (err == ERR_INVALID) {
            ends->damaged = true;
            err = ERR_OK;
        }
    } while (err == ERR_OK);
    spool_reader_free(reader);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}
