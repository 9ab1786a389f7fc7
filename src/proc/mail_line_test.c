/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/mail_line.h"

#include <string.h>
#include <unistd.h>

#include "lib/test.h"
#include "outbound/post.h"
#include "proc/message.h"

static const struct mail_order example = {.ticket = 7, .to = "head@oak.example"};

TEST(a_mail_arrives_whole_and_so_does_what_became_of_it)
{
    const struct mail_note sent = {.ticket = 7, .outcome = POST_LATER, .code = 451};
    struct ipc_message message;
    struct mail_order order;
    struct mail_note note;
    struct file_map text;
    int pair[2];
    assert_ok(ipc_pair(pair));
    assert_ok(mail_line_send_order(pair[0], &example, STR("Subject: x\r\n\r\n")));
    assert_ok(message_receive(pair[1], &message));
    assert_ok(mail_line_read_order(&message, &order, &text));
    assert_int_equal(order.ticket, 7);
    assert_string_equal(order.to, "head@oak.example");
    assert_str_eq(text.bytes, STR("Subject: x\r\n\r\n"));
    file_map_fini(&text);
    ipc_message_fini(&message);
    assert_ok(mail_line_send_note(pair[1], &sent));
    assert_ok(message_receive(pair[0], &message));
    assert_ok(mail_line_read_note(&message, &note));
    assert_memory_equal(&note, &sent, sizeof(note));
    ipc_message_fini(&message);
    close(pair[0]);
    close(pair[1]);
}

TEST(what_is_no_order_and_no_note_is_refused)
{
    struct mail_order order;
    struct mail_note note;
    struct file_map text;
    struct ipc_message message = {.type = MESSAGE_MAIL, .len = sizeof(order) - 1, .fds = {-1}};
    assert_err(mail_line_read_order(&message, &order, &text), ERR_INVALID);
    static const char *const addresses[] = {"", "head", "a@b\r\nDATA", "a@b> SIZE=0"};
    for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
        struct mail_order bad = {.ticket = 1};
        memcpy(bad.to, addresses[i], strlen(addresses[i]));
        message.len = sizeof(bad);
        memcpy(message.bytes, &bad, sizeof(bad));
        assert_err(mail_line_read_order(&message, &order, &text), ERR_INVALID);
    }
    for (uint32_t outcome = 0; outcome < 6; outcome++) {
        const struct mail_note odd = {.outcome = outcome};
        message = (struct ipc_message){.type = MESSAGE_MAILED, .len = sizeof(odd)};
        memcpy(message.bytes, &odd, sizeof(odd));
        bool fine = outcome >= POST_SENT && outcome <= POST_REFUSED;
        assert_int_equal(mail_line_read_note(&message, &note), fine ? ERR_OK : ERR_INVALID);
    }
    char *long_text = calloc(1, MAIL_LINE_TEXT_MAX + 1);
    assert_non_null(long_text);
    assert_err(mail_line_send_order(-1, &example, str_make(long_text, MAIL_LINE_TEXT_MAX + 1)),
               ERR_LIMIT);
    free(long_text);
}

TESTS_MAIN(unit(a_mail_arrives_whole_and_so_does_what_became_of_it),
           unit(what_is_no_order_and_no_note_is_refused))
