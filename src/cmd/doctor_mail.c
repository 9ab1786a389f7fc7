/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge doctor: the school's mail server, as the mailer would reach it. Nothing is sent. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "cmd/doctor_impl.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "outbound/post.h"

enum { OTHERS = 0077, LOGIN_MAX = 4096, ROOTS_MAX = 16 * 1024 * 1024, TRY_MS = 20 * 1000 };

struct attempt {
    struct loop *loop;
    struct post_result result;
};

static void on_done(void *context, const struct post_result *result)
{
    struct attempt *attempt = context;
    attempt->result = *result;
    loop_stop(attempt->loop);
}

static bool go_on(void *context)
{
    (void)context;
    return true;
}

static enum verdict read_login(struct doctor *doctor, struct post_server *server)
{
    const char *path = doctor->conf.mail_login.bytes;
    struct stat stat;
    struct buf text;
    if (path[0] == '\0') {
        return VERDICT_OK;
    }
    buf_init(&text, LOGIN_MAX);
    enum err err = file_read(AT_FDCWD, path, &text);
    if (err == ERR_OK) {
        err = post_login_read(buf_str(&text), server, &doctor->said);
    } else {
        buf_printf(&doctor->said, "%s: %s", path,
                   err == ERR_LIMIT ? err_text(err) : strerror(errno));
    }
    if (text.p != NULL) {
        secret_wipe(text.p, text.cap);
    }
    buf_fini(&text);
    if (err != ERR_OK) {
        buf_append(&doctor->todo, STR("write name and password into it, on two lines"));
        return VERDICT_FAIL;
    }
    if (lstat(path, &stat) == 0 && (stat.st_mode & OTHERS) != 0) {
        buf_printf(&doctor->said, "%s has mode %03o. ", path, (unsigned)stat.st_mode & 0777);
        buf_append(&doctor->todo, STR("chmod 600: it holds a password. "));
        return VERDICT_WARN;
    }
    return VERDICT_OK;
}

static enum err ask(struct attempt *attempt, const struct post_server *server, struct str roots)
{
    const struct post_options options = {
        .loop = attempt->loop,
        .server = server,
        .roots = roots,
        .timeout_ms = TRY_MS,
        .done = on_done,
        .go_on = go_on,
        .context = attempt,
    };
    struct post *post;
    ERR_TRY(post_new(&options, &post));
    enum err err = post_try(post);
    if (err == ERR_OK) {
        err = loop_run(attempt->loop);
    }
    post_free(post);
    return err;
}

static enum err try_server(const struct doctor *doctor, const struct post_server *server,
                           struct post_result *ret_result)
{
    const struct conf_text *files[] = {&doctor->conf.roots, &doctor->conf.origin_ca};
    struct attempt attempt;
    struct buf roots;
    ERR_TRY(loop_new(&attempt.loop));
    buf_init(&roots, ROOTS_MAX);
    for (size_t i = 0; i < 2; i++) {
        struct buf one;
        buf_init(&one, ROOTS_MAX);
        if (files[i]->len != 0 && file_read(AT_FDCWD, files[i]->bytes, &one) == ERR_OK) {
            buf_append(&roots, buf_str(&one));
            buf_append_byte(&roots, '\n');
        }
        buf_fini(&one);
    }
    enum err err = buf_err(&roots);
    if (err == ERR_OK) {
        err = ask(&attempt, server, buf_str(&roots));
    }
    buf_fini(&roots);
    loop_free(attempt.loop);
    *ret_result = attempt.result;
    return err;
}

static enum verdict judge(struct doctor *doctor, enum verdict so_far,
                          const struct post_server *server)
{
    struct post_result result = {.why = ""};
    enum err err = try_server(doctor, server, &result);
    if (err == ERR_OK && result.outcome == POST_SENT) {
        buf_printf(&doctor->said, "%s answers%s%s", server->address,
                   server->plain ? ", in the clear" : "",
                   server->name[0] != '\0' ? ", and takes the login" : "");
        if (server->plain && !server->loopback) {
            buf_append(&doctor->todo,
                       STR("mail-tls = starttls, unless that network is only yours"));
            return VERDICT_WARN;
        }
        return so_far;
    }
    buf_printf(&doctor->said, "%s: %s", server->address,
               err != ERR_OK ? err_text(err) : result.why);
    if (result.code != 0) {
        buf_printf(&doctor->said, " (%u)", result.code);
    }
    buf_append(&doctor->todo, STR("docs/running.md, \"Mail\"; until then mails wait, at most three "
                                  "days"));
    return VERDICT_WARN;
}

enum verdict check_mail(struct doctor *doctor)
{
    struct post_server server;
    if (doctor->conf.mail_server.len == 0) {
        buf_append(&doctor->said, STR("no mail-server in lodge.conf, so none is sent"));
        return VERDICT_OK;
    }
    if (post_server_read(&doctor->conf, &server, &doctor->said) != ERR_OK) {
        buf_append(&doctor->todo, STR("correct it in lodge.conf"));
        return VERDICT_FAIL;
    }
    enum verdict verdict = read_login(doctor, &server);
    if (verdict != VERDICT_FAIL) {
        verdict = judge(doctor, verdict, &server);
    }
    secret_wipe(&server, sizeof(server));
    return verdict;
}
