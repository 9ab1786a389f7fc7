/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The mailer: hands the clerk's mails, one at a time, to the school's mail server.
 *
 * It alone knows the login there, and it sees no record but the mail in hand. What the server says
 * is read here and by libcurl, where a fault in reading it reaches nothing. */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/secret.h"
#include "outbound/post.h"
#include "proc/child.h"
#include "proc/fetcher.h"
#include "proc/mail_line.h"
#include "proc/message.h"

enum { SEND_MS = 5 * 60 * 1000, LOGIN_MAX = 4096, WHY_MAX = 1024 };

struct mailer {
    struct loop_io line; /* to the clerk; fd -1: none now */
    struct child *child;
    struct post *post;
    struct mail_order order; /* in hand while text is; ticket 0: nobody waits for it any more */
    struct file_map text;
    bool asked;     /* by libcurl, which is in the middle of its work */
    bool break_off; /* is the answer */
};

static void take_orders(struct mailer *mailer);

static void drop_line(struct mailer *mailer)
{
    int fd = mailer->line.fd;
    if (fd >= 0) {
        loop_remove(&mailer->line);
        close(fd);
        mailer->line.fd = -1;
    }
}

static void tell(struct mailer *mailer, enum post_outcome outcome, unsigned code)
{
    const struct mail_note note = {
        .ticket = mailer->order.ticket, .outcome = outcome, .code = code};
    if (mailer->line.fd >= 0 && mail_line_send_note(mailer->line.fd, &note) != ERR_OK) {
        drop_line(mailer);
    }
}

static void on_done(void *context, const struct post_result *result)
{
    struct mailer *mailer = context;
    file_map_fini(&mailer->text);
    mailer->break_off = false;
    if (result->outcome == POST_SENT) {
        log_line(LOG_INFO, "mail-sent", "ticket=%llu", (unsigned long long)mailer->order.ticket);
    } else {
        log_line(LOG_WARN, "mail-not-sent", "code=%u why=\"%s\" again=%s", result->code,
                 result->why, result->outcome == POST_LATER ? "soon" : "seldom");
    }
    tell(mailer, result->outcome, result->code);
    take_orders(mailer);
}

/* The supervisor's pings, the end and a new clerk are heard meanwhile. */
static bool go_on(void *context)
{
    struct mailer *mailer = context;
    mailer->asked = true;
    child_attend(mailer->child);
    mailer->asked = false;
    return !mailer->break_off;
}

static void break_off(struct mailer *mailer)
{
    mailer->order.ticket = 0;
    if (mailer->asked) {
        mailer->break_off = true;
    } else {
        post_stop(mailer->post);
        file_map_fini(&mailer->text);
    }
}

static enum err take_order(struct mailer *mailer)
{
    struct ipc_message message;
    ERR_TRY(message_receive(mailer->line.fd, &message));
    enum err err = mail_line_read_order(&message, &mailer->order, &mailer->text);
    ipc_message_fini(&message);
    ERR_TRY(err);
    err = post_send(mailer->post, str_from(mailer->order.to), mailer->text.bytes);
    if (err != ERR_OK) {
        file_map_fini(&mailer->text);
        tell(mailer, POST_LATER, 0);
    }
    return ERR_OK;
}

/* The next one, where none is in hand. */
static void take_orders(struct mailer *mailer)
{
    enum err err = ERR_OK;
    while (err == ERR_OK && mailer->line.fd >= 0 && mailer->text.bytes.len == 0) {
        err = take_order(mailer);
    }
    if (err != ERR_OK && err != ERR_AGAIN) {
        drop_line(mailer);
    }
}

static void on_line(struct loop_io *io, uint32_t events)
{
    (void)events;
    take_orders((struct mailer *)(void *)io);
}

/* The last line counts: a clerk that was started anew, to whom what became of the old one's mail
 * cannot be told. */
static void take_line(struct child *child, bool go)
{
    struct mailer *mailer = child->work;
    (void)go;
    for (size_t i = 0; i < child->n_mailer; i++) {
        drop_line(mailer);
        break_off(mailer);
        if (loop_add(child->loop, &mailer->line, child->mailer_fds[i], EPOLLIN) != ERR_OK) {
            close(child->mailer_fds[i]);
        }
    }
    child->n_mailer = 0;
}

static void drain(struct child *child)
{
    break_off(child->work);
    loop_stop(child->loop);
}

/* ---- start ---- */

static enum err read_login(const struct child *child, struct post_server *server, struct buf *why)
{
    struct buf text;
    if (child->login_fd < 0) {
        return ERR_OK;
    }
    buf_init(&text, LOGIN_MAX);
    enum err err = file_read_fd(child->login_fd, &text);
    if (err == ERR_OK) {
        err = post_login_read(buf_str(&text), server, why);
    }
    if (text.p != NULL) {
        secret_wipe(text.p, text.cap);
    }
    buf_fini(&text);
    return err;
}

static enum err read_server(struct child *child, struct post_server *server)
{
    struct buf why;
    buf_init(&why, WHY_MAX);
    enum err err = post_server_read(&child->conf, server, &why);
    if (err == ERR_OK) {
        err = read_login(child, server, &why);
    }
    if (err != ERR_OK) {
        child->hopeless = true;
        log_line(LOG_ERROR, "mail-refused", "why=\"%.*s\" do=\"lodge doctor\"",
                 STR_ARG(buf_str(&why)));
    }
    buf_fini(&why);
    return err;
}

static enum err open_post(struct mailer *mailer)
{
    struct child *child = mailer->child;
    struct str system = child->roots.bytes;
    struct str own = child->origin_roots.bytes;
    struct post_server server;
    struct buf roots;
    ERR_TRY(read_server(child, &server));
    buf_init(&roots, system.len + own.len + 1);
    buf_append(&roots, system);
    buf_append_byte(&roots, '\n');
    buf_append(&roots, own);
    const struct post_options options = {
        .loop = child->loop,
        .server = &server,
        .roots = buf_str(&roots),
        .timeout_ms = SEND_MS,
        .done = on_done,
        .go_on = go_on,
        .context = mailer,
    };
    enum err err = buf_err(&roots);
    if (err == ERR_OK) {
        err = post_new(&options, &mailer->post);
    }
    secret_wipe(&server, sizeof(server));
    buf_fini(&roots);
    return err;
}

enum err proc_mailer_start(struct child *child)
{
    static struct mailer mailer = {.line = {.fd = -1, .fn = on_line}};
    static struct confine_dir dirs[FETCHER_DIRS];
    struct confine rules;
    mailer.child = child;
    child->work = &mailer;
    child->handed = take_line;
    child->drain = drain;
    ERR_TRY(open_post(&mailer));
    ERR_TRY(child_become(child));
    fetcher_rights(dirs, &rules);
    ERR_TRY(child_confine_dirs(child, rules.dirs, rules.n_dirs));
    take_line(child, false);
    return child_ready(child);
}
