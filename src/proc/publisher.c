/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clerk's publishing. */
#include "proc/publisher.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/fasthash.h"
#include "os/file.h"
#include "os/signals.h"
#include "os/watch.h"
#include "policy/state.h"
#include "proc/desk_line.h"
#include "proc/images.h"
#include "records/clearing.h"
#include "records/publish.h"
#include "records/school_policy.h"

enum {
    SETTLE_MS = 50, /* so that several commits in a row are one publishing */
    RETRY_MS = 2 * MS_PER_SECOND,
    SWEEP_MS = 2 * CLEARING_WAIT_MS,
    /* A wall clock that is set wakes nobody: the date is looked at this often. */
    LOOK_AGAIN_MS = MS_PER_HOUR,
    WHY_MAX = 16 * 1024,
    ARENA_MAX = 64 * 1024,
    PATH_BYTES = 4096,
    KEEP_DAYS = 3 * 366,
};

struct publisher {
    struct loop_io bell;
    struct watch_set watch;
    struct loop_timer settle;
    struct loop_timer midnight;
    struct loop_timer sweep;
    struct child *child;
    struct store *store; /* NULL: cannot be reached just now */
    char ring_path[64];
    struct buf policy;   /* from elsewhere; empty: the records' own */
    uint64_t policy_sum; /* of what stands in DIR/images; 0: nothing yet */
    uint64_t state_sum;
    uint64_t passwords_sum;
    uint64_t faults_sum;
    int64_t next_ms; /* UTC: the school's midnight */
    publisher_then then;
    void *then_context;
    enum err last; /* so that what goes on is told once */
    enum err swept;
};

enum err publisher_ring(const char *data)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof(path), "%s/" PUBLISHER_RING, data);
    return n > 0 && (size_t)n < sizeof(path) ? file_write_given(AT_FDCWD, path, STR(""), 0600)
                                             : ERR_LIMIT;
}

/* ---- files ---- */

static uint64_t sum_of(struct str bytes)
{
    uint64_t sum = fasthash64(bytes, 0);
    return sum != 0 ? sum : 1;
}

/* What stands there from before, so that a start changes nothing. */
static uint64_t sum_of_file(const struct publisher *publisher, const char *name)
{
    struct buf bytes;
    buf_init(&bytes, PUBLISH_BYTES_MAX);
    bool there = file_read(publisher->child->published_fd, name, &bytes) == ERR_OK;
    uint64_t sum = there ? sum_of(buf_str(&bytes)) : 0;
    buf_fini(&bytes);
    return sum;
}

static enum err put(const struct publisher *publisher, const char *name, struct str bytes,
                    mode_t mode, uint64_t *sum)
{
    uint64_t new = sum_of(bytes);
    if (new == *sum) {
        return ERR_OK;
    }
    ERR_TRY(file_write(publisher->child->published_fd, name, bytes, mode));
    *sum = new;
    log_line(LOG_INFO, "published", "file=%s bytes=%zu", name, bytes.len);
    return ERR_OK;
}

/* The whole image would be refused: told as a fault of no record, and the old one stays. */
static enum err note_refused(struct published *published, struct str why)
{
    struct str line;
    (void)str_cut(why, '\n', &line, &why);
    json_t *fault = json_pack("{s:s, s:s, s:s, s:s%}", "register", "", "record", "", "person", "",
                              "words", line.p != NULL ? line.p : "", line.len);
    return json_array_append_new(published->faults, fault) == 0 ? ERR_OK : ERR_MEMORY;
}

/* All of it is made before the first of it is put. */
static enum err make_state(struct published *published, struct buf *image)
{
    struct buf why;
    buf_init(&why, WHY_MAX);
    enum err err = state_build(buf_str(&published->state), image, &why);
    if (err == ERR_INVALID) {
        log_line(LOG_ERROR, "publish-refused", "do=\"the page of the policy says why\"");
        buf_clear(image);
        err = note_refused(published, buf_str(&why));
    }
    buf_fini(&why);
    return err;
}

static enum err put_images(struct publisher *publisher, const struct published *published,
                           const struct buf *image)
{
    ERR_TRY(put(publisher, PUBLISHED_PASSWORDS, buf_str(&published->passwords), 0600,
                &publisher->passwords_sum));
    if (publisher->policy.len == 0) {
        ERR_TRY(put(publisher, PUBLISHED_POLICY, buf_str(&published->policy), 0640,
                    &publisher->policy_sum));
    }
    return image->len != 0
               ? put(publisher, PUBLISHED_STATE, buf_str(image), 0640, &publisher->state_sum)
               : ERR_OK;
}

static enum err put_all(struct publisher *publisher, struct published *published)
{
    struct buf image;
    if (published->policy.len == 0) {
        return ERR_OK;
    }
    buf_init(&image, PUBLISH_BYTES_MAX);
    enum err err = make_state(published, &image);
    if (err == ERR_OK) {
        err = put_images(publisher, published, &image);
    }
    buf_fini(&image);
    return err;
}

static enum err put_faults(struct publisher *publisher, struct str school,
                           const struct published *published)
{
    char *text = json_dumps(published->faults, JSON_COMPACT);
    if (text == NULL) {
        return ERR_MEMORY;
    }
    uint64_t sum = sum_of(str_from(text));
    enum err err = ERR_OK;
    if (sum != publisher->faults_sum) {
        err = publish_note(publisher->store, school, published->faults,
                           loop_utc_ms(publisher->child->loop));
    }
    if (err == ERR_OK) {
        publisher->faults_sum = sum;
    }
    free(text);
    return err;
}

/* ---- publishing ---- */

/* The desk makes the file, as its own: until it has, there is nothing to publish. */
static enum err open_place(struct publisher *publisher, struct buf *why)
{
    const struct child *child = publisher->child;
    if (child->conf.database.len != 0) {
        return store_open(child->conf.database.bytes, &publisher->store, why);
    }
    if (faccessat(AT_FDCWD, DESK_DATABASE, F_OK, 0) != 0) {
        return ERR_AGAIN;
    }
    return store_open(DESK_DATABASE, &publisher->store, why);
}

static enum err open_store(struct publisher *publisher)
{
    struct buf why;
    if (publisher->store != NULL) {
        return ERR_OK;
    }
    buf_init(&why, WHY_MAX);
    enum err err = open_place(publisher, &why);
    if (err != ERR_OK && err != ERR_AGAIN && err != publisher->last) {
        struct buf line;
        buf_init(&line, WHY_MAX);
        buf_append(&line, STR("why="));
        log_quote(&line, buf_str(&why));
        log_line(LOG_ERROR, "records-not-opened", "%.*s", STR_ARG(buf_str(&line)));
        buf_fini(&line);
    }
    buf_fini(&why);
    return err;
}

struct store *publisher_store(struct publisher *publisher)
{
    return open_store(publisher) == ERR_OK ? publisher->store : NULL;
}

void publisher_lose_store(struct publisher *publisher)
{
    store_close(publisher->store);
    publisher->store = NULL;
}

static enum err find_school(struct publisher *publisher, struct arena *arena,
                            struct str *ret_school)
{
    ERR_TRY(store_begin(publisher->store, STR(""), STORE_READ));
    enum err err = publish_school(publisher->store, arena, conf_str(&publisher->child->conf.school),
                                  ret_school);
    store_rollback(publisher->store);
    return err;
}

/* What --policy FILE says stands in the history, too: people read it in the console. */
static enum err keep_given(struct publisher *publisher, struct str school)
{
    struct engine engine = {.store = publisher->store};
    int64_t now_ms = loop_utc_ms(publisher->child->loop);
    const struct actor operator= {
        .school = school, .operator= true, .now_ms = now_ms, .today = clock_british_day(now_ms)};
    struct buf why;
    if (publisher->policy.len == 0) {
        return ERR_OK;
    }
    buf_init(&why, WHY_MAX);
    enum err err = school_policy_keep_given(&engine, &operator, buf_str(&publisher->policy),
                                            STR("From the file of --policy"), &why);
    buf_fini(&why);
    return err == ERR_INVALID ? ERR_OK : err; /* the supervisor took it: only its page is missing */
}

static enum err publish_of(struct publisher *publisher, struct str school)
{
    struct published published;
    published_init(&published);
    enum err err = publish_read(publisher->store, school, buf_str(&publisher->policy),
                                loop_utc_ms(publisher->child->loop), &published);
    if (err == ERR_OK) {
        publisher->next_ms = published.next_ms;
        err = put_all(publisher, &published);
    }
    if (err == ERR_OK) {
        err = put_faults(publisher, school, &published);
    }
    published_fini(&published);
    return err;
}

static enum err publish(struct publisher *publisher)
{
    struct arena arena;
    struct str school;
    ERR_TRY(open_store(publisher));
    arena_init(&arena, ARENA_MAX);
    enum err err = find_school(publisher, &arena, &school);
    if (err == ERR_OK) {
        err = keep_given(publisher, school);
    }
    if (err == ERR_OK) {
        err = publish_of(publisher, school);
    }
    if (err == ERR_NOT_FOUND) {
        err = ERR_OK; /* no school yet */
    }
    arena_fini(&arena);
    return err;
}

/* Where no school's day is known, or one is over and nothing could be published, midnight is not
 * what is waited for: a ring is, or the next try. */
static void set_midnight(struct publisher *publisher)
{
    struct loop *loop = publisher->child->loop;
    int64_t wait_ms = publisher->next_ms - loop_utc_ms(loop);
    wait_ms = wait_ms > 0 && wait_ms < LOOK_AGAIN_MS ? wait_ms : LOOK_AGAIN_MS;
    loop_timer_set(loop, &publisher->midnight, loop_mono_ms(loop) + wait_ms);
}

static void wake_in(struct publisher *publisher, int64_t wait_ms)
{
    struct loop *loop = publisher->child->loop;
    loop_timer_set(loop, &publisher->settle, loop_mono_ms(loop) + wait_ms);
}

/* What disposals left in PostgreSQL's tables, one at a time: what else the clerk does waits for no
 * more than that. SQLite's file is the desk's affair. */
static void on_sweep(struct loop_timer *timer)
{
    struct publisher *publisher =
        (struct publisher *)(void *)((char *)timer - offsetof(struct publisher, sweep));
    struct loop *loop = publisher->child->loop;
    bool more = false;
    if (publisher->store == NULL || store_kind(publisher->store) != STORE_POSTGRES) {
        return;
    }
    enum err err = clearing_sweep(publisher->store, loop_utc_ms(loop) - CLEARING_WAIT_MS, &more);
    if (err != publisher->swept && err != ERR_BUSY) {
        log_line(err == ERR_OK ? LOG_INFO : LOG_ERROR, "sweep", "err=%s why=\"%s\"", err_name(err),
                 err == ERR_OK ? "" : store_why(publisher->store));
        publisher->swept = err;
    }
    if (err != ERR_OK || more) {
        loop_timer_set(loop, timer, loop_mono_ms(loop) + (more ? 0 : RETRY_MS));
    }
}

static void on_settle(struct loop_timer *timer)
{
    struct publisher *publisher =
        (struct publisher *)(void *)((char *)timer - offsetof(struct publisher, settle));
    enum err err = publish(publisher);
    if (err == ERR_OK && publisher->store != NULL) {
        err = publisher->then(publisher->then_context, publisher->store);
    }
    if (err != publisher->last && err != ERR_AGAIN) {
        log_line(err == ERR_OK ? LOG_INFO : LOG_ERROR, "publish", "err=%s why=\"%s\"",
                 err_name(err), publisher->store != NULL ? store_why(publisher->store) : "");
        publisher->last = err;
    }
    if (err == ERR_GONE) {
        publisher_lose_store(publisher);
    }
    if (err != ERR_OK) {
        wake_in(publisher, RETRY_MS);
    }
    set_midnight(publisher);
    loop_timer_set(publisher->child->loop, &publisher->sweep,
                   loop_mono_ms(publisher->child->loop) + SWEEP_MS);
}

static void on_midnight(struct loop_timer *timer)
{
    struct publisher *publisher =
        (struct publisher *)(void *)((char *)timer - offsetof(struct publisher, midnight));
    if (loop_utc_ms(publisher->child->loop) < publisher->next_ms) {
        set_midnight(publisher);
        return;
    }
    images_prune(publisher->child->published_fd,
                 loop_utc_ms(publisher->child->loop) - (int64_t)KEEP_DAYS * MS_PER_DAY);
    wake_in(publisher, 0);
}

/* ---- what rings ---- */

static void ring(struct publisher *publisher)
{
    if (publisher->settle.due_ms == 0) {
        wake_in(publisher, SETTLE_MS);
    }
}

static void on_bell(struct loop_io *io, uint32_t events)
{
    (void)events;
    bell_quieten(io->fd);
    ring((struct publisher *)(void *)io);
}

static void on_file(struct watch_set *set)
{
    ring((struct publisher *)(void *)((char *)set - offsetof(struct publisher, watch)));
}

void publisher_set_policy(struct publisher *publisher, struct str document)
{
    buf_clear(&publisher->policy);
    buf_append(&publisher->policy, document);
    ring(publisher);
}

void publisher_begin(struct publisher *publisher)
{
    on_settle(&publisher->settle);
}

void publisher_end(struct publisher *publisher)
{
    publisher_lose_store(publisher);
    loop_timer_clear(&publisher->settle);
    loop_timer_clear(&publisher->midnight);
    loop_timer_clear(&publisher->sweep);
}

static enum err listen_to(struct publisher *publisher)
{
    struct child *child = publisher->child;
    snprintf(publisher->ring_path, sizeof(publisher->ring_path), "/proc/self/fd/%d/ring",
             child->store_fd);
    ERR_TRY(watch_open(child->loop, &publisher->watch));
    ERR_TRY(watch_add(&publisher->watch, publisher->ring_path));
    return loop_add(child->loop, &publisher->bell, child->ring_fd, EPOLLIN);
}

enum err publisher_new(struct child *child, publisher_then then, void *context,
                       struct publisher **ret_publisher)
{
    static struct publisher publisher = {
        .bell = {.fd = -1, .fn = on_bell},
        .watch = {.io = {.fd = -1}, .fn = on_file},
        .settle.fn = on_settle,
        .midnight.fn = on_midnight,
        .sweep.fn = on_sweep,
    };
    publisher.child = child;
    publisher.then = then;
    publisher.then_context = context;
    buf_init(&publisher.policy, PUBLISH_BYTES_MAX);
    /* The database is opened by its name alone, which SQLite makes whole by this folder. */
    if (fchdir(child->store_fd) != 0) {
        return ERR_SYSTEM;
    }
    ERR_TRY(listen_to(&publisher));
    publisher.policy_sum = sum_of_file(&publisher, PUBLISHED_POLICY);
    publisher.state_sum = sum_of_file(&publisher, PUBLISHED_STATE);
    publisher.passwords_sum = sum_of_file(&publisher, PUBLISHED_PASSWORDS);
    publisher.last = open_store(&publisher); /* told; the gate goes on, and it is tried again */
    *ret_publisher = &publisher;
    return ERR_OK;
}
