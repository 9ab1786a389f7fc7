/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The notary: the one process that holds the CA's key.
 *
 * It reads the key before it gives up its rights, then opens no file and no socket. At its start
 * and every day (option leaf-key) it makes the key under all leaves and the secret of tickets, and
 * hands them to each worker; it signs a leaf for a host that a worker names, at a bounded rate for
 * each, and remembers it for all of them. What is over the rate waits in a bounded queue; what does
 * not fit there is refused. For front it signs the console's certificate (vouch.h).
 */
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "os/confine.h"
#include "os/file.h"
#include "proc/bucket.h"
#include "proc/child.h"
#include "proc/keeper.h"
#include "proc/leaves.h"
#include "proc/message.h"
#include "proc/vouch.h"

enum {
    LINKS_MAX = 64,
    QUEUE_MAX = 512,             /* for each worker: ten seconds of work at the bounded rate */
    QUEUE_SLOTS = QUEUE_MAX + 1, /* one more for a refusal that must wait */
    BURST = 500,                 /* a school's morning: every site of the first lesson at once */
    PER_SECOND = 50,
    LEAVES = 4096,
    DER_MAX = 64 * 1024,
};

struct link {
    struct loop_io io;
    struct notary *notary;
    struct host *queue; /* QUEUE_SLOTS; NULL: no link */
    size_t head;
    size_t n_queued;
    bool full;    /* takes no answer now */
    bool key_due; /* ... and has not had the key yet, which comes before any answer */
    struct bucket bucket;
};

struct notary {
    struct child *child;
    struct loop_timer work;  /* set while something may be answered */
    struct loop_timer renew; /* the key's end */
    struct authority *authority;
    struct tls_key *key;
    uint8_t secret[TLS_TICKET_SECRET_BYTES];
    int chain_fd;
    struct leaves *leaves;
    struct vouch vouch;
    struct link links[LINKS_MAX];
    size_t turn; /* whose it is next */
    bool limited;
};

static int64_t now_ms(const struct notary *notary)
{
    return loop_mono_ms(notary->child->loop);
}

static void close_link(struct link *link)
{
    int fd = link->io.fd;
    loop_remove(&link->io);
    close(fd);
    free(link->queue);
    link->queue = NULL;
}

/* ---- the key under the leaves ---- */

static enum err send_key(struct link *link)
{
    struct notary *notary = link->notary;
    struct buf der;
    buf_init(&der, DER_MAX);
    enum err err = tls_key_print(notary->key, &der);
    if (err == ERR_OK) {
        err = message_send_leaf_key(link->io.fd, buf_str(&der), notary->secret, notary->chain_fd);
    }
    secret_wipe(der.p, der.cap);
    buf_fini(&der);
    return err;
}

/* At once, or when the worker reads again; leaves under the new key wait behind it. */
static enum err give_key(struct link *link)
{
    enum err err = send_key(link);
    link->key_due = err == ERR_AGAIN;
    if (err == ERR_AGAIN) {
        link->full = true;
        err = loop_change(&link->io, EPOLLIN | EPOLLOUT);
    }
    return err;
}

static enum err renew_key(struct notary *notary)
{
    struct tls_key *key;
    ERR_TRY(tls_key_make(&key));
    tls_key_free(notary->key);
    notary->key = key;
    random_bytes(notary->secret, sizeof(notary->secret));
    leaves_clear(notary->leaves);
    loop_timer_set(notary->child->loop, &notary->renew,
                   now_ms(notary) + notary->child->conf.leaf_key_ms);
    return ERR_OK;
}

static void on_renew(struct loop_timer *timer)
{
    struct notary *notary =
        (struct notary *)(void *)((char *)timer - offsetof(struct notary, renew));
    if (renew_key(notary) != ERR_OK) {
        log_line(LOG_ERROR, "no-leaf-key", "do=\"the process starts again\"");
        exit(EXIT_FAILURE);
    }
    for (size_t i = 0; i < LINKS_MAX; i++) {
        if (notary->links[i].queue != NULL && give_key(&notary->links[i]) != ERR_OK) {
            close_link(&notary->links[i]); /* it is gone */
        }
    }
    log_line(LOG_INFO, "leaf-key", "%s", "renewed=yes");
}

/* ---- questions ---- */

static void wake(struct notary *notary, int64_t when_ms)
{
    loop_timer_set(notary->child->loop, &notary->work, when_ms);
}

/* False where the worker does not take it now, or is gone. */
static bool send_leaf(struct link *link, const struct host *host, struct str der)
{
    enum err err = message_send_leaf(link->io.fd, host, der);
    if (err == ERR_LIMIT) {
        log_line(LOG_ERROR, "leaf-too-long", "bytes=%zu do=\"a CA with shorter names\"", der.len);
        err = message_send_leaf(link->io.fd, host, STR(""));
    }
    if (err == ERR_AGAIN) {
        err = loop_change(&link->io, EPOLLIN | EPOLLOUT);
        link->full = err == ERR_OK;
        return false;
    }
    if (err != ERR_OK) {
        close_link(link);
    }
    return err == ERR_OK;
}

static enum err sign(struct notary *notary, const struct host *host, struct buf *der)
{
    if (!leaves_may_hold(host)) {
        return ERR_INVALID;
    }
    ERR_TRY(authority_sign(notary->authority, host, notary->key, loop_utc_ms(notary->child->loop),
                           der));
    return leaves_put(notary->leaves, host, buf_str(der));
}

static void drop_first(struct link *link)
{
    link->head = (link->head + 1) % QUEUE_SLOTS;
    if (--link->n_queued == QUEUE_MAX && loop_change(&link->io, EPOLLIN) != ERR_OK) {
        close_link(link); /* it was not read meanwhile, and cannot be told to ask again */
    }
}

static void sign_first(struct link *link)
{
    struct notary *notary = link->notary;
    struct buf der;
    buf_init(&der, DER_MAX);
    if (sign(notary, &link->queue[link->head], &der) != ERR_OK) {
        buf_clear(&der); /* refused */
    }
    if (send_leaf(link, &link->queue[link->head], buf_str(&der))) {
        drop_first(link);
    }
    buf_fini(&der);
}

static void note_limit(struct notary *notary, bool limited)
{
    if (limited && !notary->limited) {
        log_line(LOG_WARN, "signing-limited", "per_second=%d", PER_SECOND);
    }
    notary->limited = limited;
}

/* Answers the first question of a link, if its turn has come; else says when it comes, 0 for not
 * before the worker does something. */
static int64_t work_on(struct link *link)
{
    struct notary *notary = link->notary;
    struct str der;
    if (link->queue == NULL || link->n_queued == 0 || link->full) {
        return 0;
    }
    int64_t now = now_ms(notary);
    if (leaves_find(notary->leaves, &link->queue[link->head], &der)) {
        if (send_leaf(link, &link->queue[link->head], der)) {
            drop_first(link);
        }
        return now;
    }
    bool may = bucket_take(&link->bucket, now);
    note_limit(notary, !may);
    if (!may) {
        return bucket_next_ms(&link->bucket, now);
    }
    sign_first(link);
    return now;
}

/* One answer for each worker a turn, whoever asks most. */
static void on_work(struct loop_timer *timer)
{
    struct notary *notary =
        (struct notary *)(void *)((char *)timer - offsetof(struct notary, work));
    int64_t next = 0;
    for (size_t i = 0; i < LINKS_MAX; i++) {
        int64_t when = work_on(&notary->links[i]);
        next = when != 0 && (next == 0 || when < next) ? when : next;
    }
    if (next != 0) {
        wake(notary, next);
    }
}

static enum err take_question(struct link *link)
{
    struct ipc_message message;
    struct host host;
    if (link->n_queued > QUEUE_MAX) {
        return ERR_AGAIN;
    }
    ERR_TRY(message_receive(link->io.fd, &message));
    enum err err = message_read_sign(&message, &host);
    ipc_message_fini(&message);
    if (err != ERR_OK) {
        log_line(LOG_ERROR, "bad-question", "%s", "");
        return err;
    }
    if (link->n_queued == QUEUE_MAX && send_leaf(link, &host, STR(""))) {
        return ERR_OK;
    }
    if (link->queue == NULL) {
        return ERR_NOT_FOUND;
    }
    link->queue[(link->head + link->n_queued) % QUEUE_SLOTS] = host;
    link->n_queued++;
    return ERR_OK;
}

static enum err on_room(struct link *link)
{
    link->full = false;
    ERR_TRY(loop_change(&link->io, EPOLLIN));
    return link->key_due ? give_key(link) : ERR_OK;
}

static void on_question(struct loop_io *io, uint32_t events)
{
    struct link *link = (struct link *)(void *)io;
    enum err err = ERR_OK;
    if ((events & EPOLLOUT) != 0) {
        err = on_room(link);
    }
    while (err == ERR_OK) {
        err = take_question(link);
    }
    wake(link->notary, now_ms(link->notary));
    if (err != ERR_AGAIN && link->queue != NULL) {
        close_link(link);
    }
}

/* ---- the process ---- */

static enum err open_link(struct notary *notary, struct link *link, int fd)
{
    *link = (struct link){.io = {.fd = -1, .fn = on_question}, .notary = notary};
    ERR_TRY(loop_add(notary->child->loop, &link->io, fd, EPOLLIN));
    bucket_init(&link->bucket, BURST, PER_SECOND, now_ms(notary));
    link->queue = calloc(QUEUE_SLOTS, sizeof(link->queue[0]));
    enum err err = link->queue != NULL ? send_key(link) : ERR_MEMORY;
    if (err != ERR_OK) {
        loop_remove(&link->io);
        free(link->queue);
        link->queue = NULL;
    }
    return err;
}

static void add_link(struct notary *notary, int fd)
{
    enum err err = ERR_LIMIT;
    for (size_t i = 0; i < LINKS_MAX && err == ERR_LIMIT; i++) {
        if (notary->links[i].queue == NULL) {
            err = open_link(notary, &notary->links[i], fd);
        }
    }
    if (err != ERR_OK) {
        log_line(LOG_ERROR, "link-refused", "err=%s", err_name(err));
        close(fd);
    }
}

static void take_links(struct child *child, bool go)
{
    (void)go;
    for (size_t i = 0; i < child->n_notary; i++) {
        add_link(child->work, child->notary_fds[i]);
    }
    child->n_notary = 0;
    if (child->vouch_fd >= 0) {
        struct notary *notary = child->work;
        vouch_take(&notary->vouch, child->vouch_fd, &child->vouch_names, notary->chain_fd);
        child->vouch_fd = -1;
    }
}

static void drain(struct child *child)
{
    loop_stop(child->loop);
}

/* Everything that needs a file, or OpenSSL to look for one. */
static enum err prepare(struct notary *notary)
{
    struct child *child = notary->child;
    struct buf chain;
    enum err err =
        keeper_open(child->ca_fd, &child->conf, loop_utc_ms(child->loop), &notary->authority);
    if (err != ERR_OK) {
        child->hopeless = err == ERR_INVALID;
        return err;
    }
    close(child->ca_fd);
    child->ca_fd = -1;
    buf_init(&chain, KEEPER_FILE_MAX);
    err = authority_chain(notary->authority, &chain);
    if (err == ERR_OK) {
        err = file_memory("chain", buf_str(&chain), &notary->chain_fd);
    }
    buf_fini(&chain);
    return err;
}

enum err proc_notary_start(struct child *child)
{
    static struct notary notary = {.work.fn = on_work, .renew.fn = on_renew};
    bool became;
    notary.child = child;
    child->work = &notary;
    child->handed = take_links;
    child->drain = drain;
    /* Before the key is read nobody may look into this process. */
    ERR_TRY(confine_user(NULL, &became));
    if (!secret_lock_memory()) {
        log_line(LOG_WARN, "not-locked", "do=\"raise the limit of locked memory (ulimit -l)\"");
    }
    ERR_TRY(prepare(&notary));
    vouch_init(&notary.vouch, child->loop, notary.authority);
    ERR_TRY(leaves_new(LEAVES, &notary.leaves));
    ERR_TRY(renew_key(&notary));
    ERR_TRY(child_become(child));
    ERR_TRY(child_confine(child, -1, false));
    take_links(child, false);
    return child_ready(child);
}
