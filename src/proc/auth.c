/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The auth process: whether a password is this person's.
 *
 * Questions come from the workers over pairs, wait in a bounded queue and are answered one a turn,
 * so that however many people log in, one argon2id is computed at a time. A person without a
 * password costs the same time as one with. Nothing but the answer leaves this process.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "crypto/password.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "proc/child.h"
#include "proc/guesses.h"
#include "proc/message.h"
#include "proc/passwords.h"

enum { QUEUE_MAX = 256, LINKS_MAX = 64 };

struct link {
    struct loop_io io;
    struct auth *auth;
    uint64_t id; /* answers find a link that is gone and one that took its place apart */
};

struct question {
    struct link *link;
    uint64_t link_id;
    struct ipc_message message;
};

struct auth {
    struct child *child;
    struct loop_timer work; /* set while the queue is not empty */
    struct link links[LINKS_MAX];
    uint64_t next_id;
    struct question queue[QUEUE_MAX];
    size_t head;
    size_t n_queued;
    struct guesses guesses;
    struct buf text; /* of the password file, as of its last change */
    struct stat seen;
    char nobody[PASSWORD_TEXT_MAX]; /* the hash that a person without one is compared with */
};

static void reload(struct auth *auth)
{
    struct stat now = {0};
    if (fstatat(auth->child->passwords_fd, PASSWORDS_NAME, &now, 0) != 0) {
        buf_clear(&auth->text);
        auth->seen = (struct stat){0};
        return;
    }
    if (now.st_ino == auth->seen.st_ino && now.st_mtim.tv_sec == auth->seen.st_mtim.tv_sec &&
        now.st_mtim.tv_nsec == auth->seen.st_mtim.tv_nsec) {
        return;
    }
    buf_clear(&auth->text);
    enum err err = file_read(auth->child->passwords_fd, PASSWORDS_NAME, &auth->text);
    if (err != ERR_OK) {
        buf_clear(&auth->text); /* nobody gets in by half a file */
    }
    auth->seen = now;
    log_line(err == ERR_OK ? LOG_INFO : LOG_ERROR, "passwords-read", "err=%s", err_name(err));
}

static bool is_right(struct auth *auth, struct str person, struct str password)
{
    struct str hash;
    reload(auth);
    bool known = passwords_find(buf_str(&auth->text), person, &hash);
    bool right = password_verify(password, known ? hash : str_from(auth->nobody));
    return known && right;
}

static bool judge(struct auth *auth, const struct ipc_message *message, uint64_t *ret_ticket)
{
    struct auth_question question;
    struct str person;
    struct str password;
    int64_t now_ms = loop_mono_ms(auth->child->loop);
    CHECK(message_read_question(message, &question, &person, &password) == ERR_OK);
    *ret_ticket = question.ticket;
    if (!guesses_may_try(&auth->guesses, person, question.client, now_ms)) {
        return false;
    }
    bool right = is_right(auth, person, password);
    if (guesses_note(&auth->guesses, person, question.client, right, now_ms)) {
        log_line(LOG_WARN, "guesses-locked", "for_ms=%lld", (long long)auth->guesses.lock_ms);
    }
    return right;
}

static void close_link(struct link *link)
{
    int fd = link->io.fd;
    loop_remove(&link->io);
    close(fd);
    link->id = 0;
}

static void answer(struct link *link, uint64_t ticket, bool accepted)
{
    if (message_send_answer(link->io.fd, ticket, accepted) != ERR_OK) {
        close_link(link); /* the worker is gone, or does not read */
    }
}

static void on_work(struct loop_timer *timer)
{
    struct auth *auth = (struct auth *)(void *)((char *)timer - offsetof(struct auth, work));
    struct question *question = &auth->queue[auth->head];
    if (question->link->id == question->link_id) {
        uint64_t ticket;
        bool accepted = judge(auth, &question->message, &ticket);
        answer(question->link, ticket, accepted);
    }
    secret_wipe(&question->message, sizeof(question->message));
    auth->head = (auth->head + 1) % QUEUE_MAX;
    auth->n_queued--;
    if (auth->n_queued > 0) {
        loop_timer_set(auth->child->loop, timer, loop_mono_ms(auth->child->loop));
    }
}

static enum err take_question(struct link *link)
{
    struct auth *auth = link->auth;
    struct auth_question asked;
    struct str person;
    struct str password;
    struct question *question = &auth->queue[(auth->head + auth->n_queued) % QUEUE_MAX];
    ERR_TRY(message_receive(link->io.fd, &question->message));
    if (message_read_question(&question->message, &asked, &person, &password) != ERR_OK) {
        ipc_message_fini(&question->message);
        log_line(LOG_ERROR, "bad-question", "from=%llu", (unsigned long long)link->id);
        return ERR_INVALID;
    }
    question->link = link;
    question->link_id = link->id;
    auth->n_queued++;
    loop_timer_set(auth->child->loop, &auth->work, loop_mono_ms(auth->child->loop));
    return ERR_OK;
}

static void on_question(struct loop_io *io, uint32_t events)
{
    struct link *link = (struct link *)(void *)io;
    enum err err = ERR_OK;
    (void)events;
    while (err == ERR_OK && link->auth->n_queued < QUEUE_MAX) {
        err = take_question(link);
    }
    if (err == ERR_OK) {
        /* Full: asks for the edge again; each turn until then answers one. */
        err = loop_change(io, EPOLLIN);
    }
    if (err != ERR_OK && err != ERR_AGAIN) {
        close_link(link);
    }
}

static void add_link(struct auth *auth, int fd)
{
    for (size_t i = 0; i < LINKS_MAX; i++) {
        struct link *link = &auth->links[i];
        if (link->id == 0) {
            link->io = (struct loop_io){.fd = -1, .fn = on_question};
            link->auth = auth;
            if (loop_add(auth->child->loop, &link->io, fd, EPOLLIN) == ERR_OK) {
                link->id = ++auth->next_id;
                return;
            }
            break;
        }
    }
    log_line(LOG_ERROR, "link-refused", "links=%d", LINKS_MAX);
    close(fd);
}

static void take_links(struct child *child, bool go)
{
    (void)go;
    for (size_t i = 0; i < child->n_auth; i++) {
        add_link(child->work, child->auth_fds[i]);
    }
    child->n_auth = 0;
}

static void drain(struct child *child)
{
    loop_stop(child->loop);
}

static enum err make_nobody(struct auth *auth)
{
    uint8_t random[16];
    random_bytes(random, sizeof(random));
    return password_hash(str_make((const char *)random, sizeof(random)), auth->nobody);
}

enum err proc_auth_start(struct child *child)
{
    static struct auth auth = {.work.fn = on_work};
    auth.child = child;
    auth.guesses.seed = random_u64();
    auth.guesses.max = child->conf.guesses;
    auth.guesses.lock_ms = child->conf.lock_ms;
    buf_init(&auth.text, PASSWORDS_FILE_MAX);
    child->work = &auth;
    child->handed = take_links;
    child->drain = drain;
    ERR_TRY(child_become(child));
    ERR_TRY(make_nobody(&auth));
    ERR_TRY(child_confine(child, child->passwords_fd, false));
    take_links(child, false);
    return child_ready(child);
}
