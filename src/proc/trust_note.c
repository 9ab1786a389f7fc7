/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a worker tells the clerk of a device's trust. */
#include "proc/trust_note.h"

#include <stddef.h>
#include <string.h>

#include "proc/message.h"

/* How a note begins on the line; the id and the host follow. */
struct note_head {
    uint8_t addr[sizeof(struct addr)];
    uint8_t seen;
    uint8_t id_len;
    uint8_t host_len;
};

static void put(struct ipc_message *message, const void *bytes, size_t n)
{
    memcpy(message->bytes + message->len, bytes, n);
    message->len += n;
}

enum err trust_note_send(int fd, const struct trust_note *note)
{
    struct ipc_message message = {.type = MESSAGE_TRUST};
    struct note_head head = {
        .seen = (uint8_t)note->seen,
        .id_len = note->id_len,
        .host_len = note->host.len,
    };
    memcpy(head.addr, note->addr.bytes, sizeof(head.addr));
    put(&message, &head, sizeof(head));
    put(&message, note->id, note->id_len);
    put(&message, note->host.text, note->host.len);
    return ipc_send(fd, &message);
}

enum err trust_note_read(const struct ipc_message *message, struct trust_note *ret_note)
{
    struct note_head head;
    struct trust_note note = {0};
    if (message->type != MESSAGE_TRUST || message->len < sizeof(head)) {
        return ERR_INVALID;
    }
    memcpy(&head, message->bytes, sizeof(head));
    if (head.seen == ENROLMENT_UNSET || head.seen > ENROLMENT_FAILED ||
        head.id_len > LIMIT_ID_LEN ||
        message->len != sizeof(head) + (size_t)head.id_len + head.host_len) {
        return ERR_INVALID;
    }
    const char *text = (const char *)message->bytes + sizeof(head);
    ERR_TRY(host_parse_canonical(str_make(text + head.id_len, head.host_len), &note.host));
    memcpy(note.addr.bytes, head.addr, sizeof(head.addr));
    memcpy(note.id, text, head.id_len);
    note.id_len = head.id_len;
    note.seen = (enum enrolment_seen)head.seen;
    *ret_note = note;
    return ERR_OK;
}
