/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The line between the clerk and the mailer. */
#include "proc/mail_line.h"

#include <string.h>
#include <unistd.h>

#include "outbound/post.h"
#include "proc/message.h"

enum err mail_line_send_order(int fd, const struct mail_order *order, struct str text)
{
    struct ipc_message message = {.type = MESSAGE_MAIL, .n_fds = 1, .len = sizeof(*order)};
    if (text.len > MAIL_LINE_TEXT_MAX) {
        return ERR_LIMIT;
    }
    memcpy(message.bytes, order, sizeof(*order));
    ERR_TRY(file_memory("mail", text, &message.fds[0]));
    enum err err = ipc_send(fd, &message);
    close(message.fds[0]);
    return err;
}

enum err mail_line_read_order(const struct ipc_message *message, struct mail_order *ret_order,
                              struct file_map *ret_text)
{
    struct mail_order order;
    struct file_map text;
    if (message->type != MESSAGE_MAIL || message->len != sizeof(order)) {
        return ERR_INVALID;
    }
    memcpy(&order, message->bytes, sizeof(order));
    order.to[sizeof(order.to) - 1] = '\0';
    if (!mail_address_is_valid(str_from(order.to))) {
        return ERR_INVALID;
    }
    ERR_TRY(file_map_fd(message->fds[0], &text));
    if (text.bytes.len > MAIL_LINE_TEXT_MAX) {
        file_map_fini(&text);
        return ERR_LIMIT;
    }
    *ret_order = order;
    *ret_text = text;
    return ERR_OK;
}

enum err mail_line_send_note(int fd, const struct mail_note *note)
{
    struct ipc_message message = {.type = MESSAGE_MAILED, .len = sizeof(*note)};
    memcpy(message.bytes, note, sizeof(*note));
    return ipc_send(fd, &message);
}

enum err mail_line_read_note(const struct ipc_message *message, struct mail_note *ret_note)
{
    struct mail_note note;
    if (message->type != MESSAGE_MAILED || message->len != sizeof(note)) {
        return ERR_INVALID;
    }
    memcpy(&note, message->bytes, sizeof(note));
    if (note.outcome <= POST_UNSET || note.outcome > POST_REFUSED) {
        return ERR_INVALID;
    }
    *ret_note = note;
    return ERR_OK;
}
