/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The auth process: whether a password is this person's, and hashes of new ones.
 *
 * Questions come from the workers and the desk over pairs, wait in a bounded queue and are answered
 * one a turn, so that however many people log in, one argon2id is computed at a time. A worker
 * names a person, whose hash stands in the password file; the desk brings the hash. A person
 * without a password costs the same time as one with. Guesses are counted here for all of them;
 * where guess_pace.h says so they are held first, a few at a time. Nothing but the answer leaves
 * this process.
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
#include "proc/auth_message.h"
#include "proc/child.h"
#include "proc/guess_pace.h"
#include "proc/guesses.h"
#include "proc/message.h"
#include "proc/passwords.h"

/* Questions that are held at a time: at one account or from one address, and in all, so that others
 * find room in the queue. */
enum { QUEUE_MAX = 256, LINKS_MAX = 64, HELD_MAX = 4, HELD_ALL_MAX = 64 };

struct link {
    struct loop_io io;
    struct auth *auth;
    uint64_t id; /* answers find a link that is gone and one that took its place apart */
};

struct question {
    struct link *link;
    uint64_t link_id;
    int64_t due_ms;        /* not before */
    uint64_t held_account; /* keys of guess_pace.h where it is held, else 0 */
    uint64_t held_client;
    struct ipc_message message;
};

struct auth {
    struct child *child;
    struct loop_timer work; /* set while the queue is not empty */
    struct link links[LINKS_MAX];
    uint64_t next_id;
    struct question queue[QUEUE_MAX];
    uint16_t
        order[QUEUE_MAX]; /* the queue's places: the first n_queued wait, in order of arrival */
    size_t n_queued;
    struct guesses guesses;
    struct guess_pace pace;
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

/* Counts how a try came out, for the lock and for the pace. */
static void note(struct auth *auth, struct str account, const uint8_t client[16], bool right,
                 int64_t now_ms)
{
    guess_pace_note(&auth->pace, account, client, right, now_ms);
    if (guesses_note(&auth->guesses, account, client, right, now_ms)) {
        log_line(LOG_WARN, "guesses-locked", "for_ms=%lld", (long long)auth->guesses.lock_ms);
    }
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
    note(auth, person, question.client, right, now_ms);
    return right;
}

/* The desk's: it brings the hash, or none where it knows nobody of that name. */
static enum auth_verdict_kind judge_hash(struct auth *auth, const struct auth_ask *ask)
{
    int64_t now_ms = loop_mono_ms(auth->child->loop);
    bool counted = ask->account.len > 0;
    if (counted && !guesses_may_try(&auth->guesses, ask->account, ask->client, now_ms)) {
        return AUTH_LOCKED;
    }
    bool known = ask->hash.len > 0;
    bool right = password_verify(ask->password, known ? ask->hash : str_from(auth->nobody));
    right = right && known;
    if (counted) {
        note(auth, ask->account, ask->client, right, now_ms);
    }
    return right ? AUTH_RIGHT : AUTH_WRONG;
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

static void answer_desk(struct link *link, uint64_t ticket, enum auth_verdict_kind kind,
                        struct str hash)
{
    if (message_send_verdict(link->io.fd, ticket, kind, hash) != ERR_OK) {
        close_link(link);
    }
}

static void work_for_desk(struct auth *auth, struct link *link, const struct ipc_message *message)
{
    char text[PASSWORD_TEXT_MAX];
    struct auth_ask ask;
    CHECK(message_read_ask(message, &ask) == ERR_OK);
    if (!ask.make) {
        answer_desk(link, ask.ticket, judge_hash(auth, &ask), STR(""));
        return;
    }
    bool made = password_hash(ask.password, text) == ERR_OK;
    answer_desk(link, ask.ticket, AUTH_MADE, made ? str_from(text) : STR(""));
    secret_wipe(text, sizeof(text));
}

static void work_on(struct auth *auth, struct question *question)
{
    uint64_t ticket;
    if (question->link->id != question->link_id) {
        return; /* whoever asked is gone */
    }
    if (question->message.type == MESSAGE_ASK) {
        bool accepted = judge(auth, &question->message, &ticket);
        answer(question->link, ticket, accepted);
    } else {
        work_for_desk(auth, question->link, &question->message);
    }
}

/* The first that is due, or n_queued; *ret_next_ms: when to look again. */
static size_t find_due(const struct auth *auth, int64_t now_ms, int64_t *ret_next_ms)
{
    *ret_next_ms = INT64_MAX;
    for (size_t i = 0; i < auth->n_queued; i++) {
        int64_t due_ms = auth->queue[auth->order[i]].due_ms;
        if (due_ms <= now_ms) {
            return i;
        }
        *ret_next_ms = due_ms < *ret_next_ms ? due_ms : *ret_next_ms;
    }
    return auth->n_queued;
}

static void on_work(struct loop_timer *timer)
{
    struct auth *auth = (struct auth *)(void *)((char *)timer - offsetof(struct auth, work));
    int64_t now_ms = loop_mono_ms(auth->child->loop);
    int64_t next_ms;
    size_t i = find_due(auth, now_ms, &next_ms);
    if (i < auth->n_queued) {
        uint16_t place = auth->order[i];
        struct question *question = &auth->queue[place];
        work_on(auth, question);
        secret_wipe(&question->message, sizeof(question->message));
        auth->n_queued--;
        memmove(&auth->order[i], &auth->order[i + 1],
                (auth->n_queued - i) * sizeof(auth->order[0]));
        auth->order[auth->n_queued] = place;
        next_ms = now_ms;
    }
    if (auth->n_queued > 0) {
        loop_timer_set(auth->child->loop, timer, next_ms);
    }
}

/* Sets how long a question waits; false where as many as may wait for the same reason. */
static bool hold(struct auth *auth, struct question *question, const struct auth_ask *ask)
{
    int64_t now_ms = loop_mono_ms(auth->child->loop);
    uint64_t account = guess_pace_account(&auth->pace, ask->account);
    uint64_t client = guess_pace_client(&auth->pace, ask->client);
    size_t same_account = 0;
    size_t same_client = 0;
    size_t all = 0;
    question->due_ms = now_ms;
    question->held_account = question->held_client = 0;
    if (ask->make || guess_pace_hold_ms(&auth->pace, ask->account, ask->client, now_ms) == 0) {
        return true;
    }
    for (size_t i = 0; i < auth->n_queued; i++) {
        const struct question *other = &auth->queue[auth->order[i]];
        same_account += account != 0 && other->held_account == account;
        same_client += other->held_client == client;
        all += other->held_client != 0;
    }
    question->due_ms = now_ms + GUESS_HOLD_MS;
    question->held_account = account;
    question->held_client = client;
    return same_account < HELD_MAX && same_client < HELD_MAX && all < HELD_ALL_MAX;
}

/* Reads what was asked into one form for both. ERR_INVALID. */
static enum err read_any(const struct ipc_message *message, struct auth_ask *ret_ask)
{
    struct auth_question asked;
    if (message->type != MESSAGE_ASK) {
        return message_read_ask(message, ret_ask);
    }
    ret_ask->make = false;
    ret_ask->hash = STR("");
    ERR_TRY(message_read_question(message, &asked, &ret_ask->account, &ret_ask->password));
    ret_ask->ticket = asked.ticket;
    memcpy(ret_ask->client, asked.client, sizeof(ret_ask->client));
    return ERR_OK;
}

static void refuse(struct link *link, struct ipc_message *message, uint64_t ticket)
{
    if (message->type == MESSAGE_ASK) {
        answer(link, ticket, false);
    } else {
        answer_desk(link, ticket, AUTH_BUSY, STR(""));
    }
    secret_wipe(message, sizeof(*message));
}

static enum err take_question(struct link *link)
{
    struct auth *auth = link->auth;
    struct auth_ask ask;
    struct question *question = &auth->queue[auth->order[auth->n_queued]];
    ERR_TRY(message_receive(link->io.fd, &question->message));
    if (read_any(&question->message, &ask) != ERR_OK) {
        ipc_message_fini(&question->message);
        log_line(LOG_ERROR, "bad-question", "from=%llu", (unsigned long long)link->id);
        return ERR_INVALID;
    }
    question->link = link;
    question->link_id = link->id;
    if (!hold(auth, question, &ask)) {
        refuse(link, &question->message, ask.ticket);
        return link->id == question->link_id ? ERR_OK : ERR_AGAIN; /* closed where it cannot hear */
    }
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
    if (err == ERR_OK && link->id != 0) {
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
    for (uint16_t i = 0; i < QUEUE_MAX; i++) {
        auth.order[i] = i;
    }
    auth.pace.seed = random_u64();
    auth.guesses.seed = random_u64();
    auth.guesses.max = child->conf.guesses;
    auth.guesses.lock_ms = child->conf.lock_ms;
    buf_init(&auth.text, PASSWORDS_FILE_MAX);
    child->work = &auth;
    child->handed = take_links;
    child->drain = drain;
    (void)secret_stay_in_memory();
    ERR_TRY(child_become(child));
    ERR_TRY(make_nobody(&auth));
    ERR_TRY(child_confine(child, child->passwords_fd, false));
    take_links(child, false);
    return child_ready(child);
}
