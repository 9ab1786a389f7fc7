/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The desk: opens the store and the keys, and answers front's requests by web/, one at a time. A
 * request whose password auth judges is put aside meanwhile.
 *
 * A database that goes away is told by a page; the desk then ends, and its successor, which has the
 * rights to dial again, waits until it is back. */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "os/signals.h"
#include "proc/auth_line.h"
#include "proc/child.h"
#include "proc/desk_line.h"
#include "proc/signon_line.h"
#include "records/account.h"
#include "records/clearing.h"
#include "records/first_run.h"
#include "store/keys.h"
#include "store/store.h"
#include "web/web.h"

#define FIRST_RUN_CODE "first-run-code" /* in DIR/store */

enum {
    ARENA_MAX = 64 * 1024 * 1024,
    ASIDE_MAX = AUTH_LINE_WAITING_MAX + SIGNON_WAITING_MAX,
    BUSY_TRIES = 40,
    BUSY_PAUSE_MS = 50,
    WHY_MAX = 1024,
    LINE_MAX_BYTES = 2048,
    AGAIN_MS = 1000,      /* until a database that was not there is looked for again */
    CLEAR_MS = 60 * 1000, /* between looks at what disposals left to be done */
    FREED = 0x5a,         /* what freed memory is overwritten with */
};

struct job {
    struct job *next; /* of those put aside */
    struct desk *desk;
    uint64_t ticket; /* front's */
    uint64_t asked;  /* ours, of the question at auth */
    struct file_map frame;
    struct arena arena;
    struct web_request request;
    struct web_exchange exchange;
};

struct desk {
    struct loop_io line; /* fd -1: no front now */
    struct loop_timer work;
    struct loop_timer open;
    struct loop_timer clear;
    struct child *child;
    struct auth_line auth;
    struct signon_line signon;
    struct web_providers providers;
    struct store *store;
    struct keys *keys;
    struct web *web; /* NULL until the store is open */
    struct job *aside;
    size_t n_aside;
    uint64_t last_asked;
    bool draining;
    char first_code[ACCOUNT_ONE_TIME_CHARS + 1]; /* of the first run; empty: there is none */
    bool waited;                                 /* it was told that the database is not there */
    enum err cleared;                            /* so that what goes on is told once */
};

static void log_err(const char *event, enum err err, const char *text)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    log_quote(&line, str_from(text));
    log_line(LOG_ERROR, event, "err=%s why=%.*s", err_name(err), STR_ARG(buf_str(&line)));
    buf_fini(&line);
}

/* ---- one request ---- */

static void job_free(struct job *job)
{
    web_exchange_fini(&job->exchange);
    arena_fini(&job->arena);
    file_map_fini(&job->frame);
    free(job);
}

static void wake(struct desk *desk)
{
    loop_timer_set(desk->child->loop, &desk->work, loop_mono_ms(desk->child->loop));
}

static void drop_line(struct desk *desk)
{
    int fd = desk->line.fd;
    if (fd >= 0) {
        loop_remove(&desk->line);
        close(fd);
    }
}

static enum err send_answer(struct desk *desk, uint64_t ticket, const struct desk_answer *answer)
{
    struct buf frame;
    buf_init(&frame, DESK_FRAME_MAX);
    enum err err = desk_pack_answer(answer, &frame);
    if (err == ERR_OK) {
        err = desk_send(desk->line.fd, MESSAGE_REPLY, ticket, buf_str(&frame));
    }
    buf_fini(&frame);
    return err;
}

/* Without words: front has a page for it. */
static enum err send_trouble(struct desk *desk, uint64_t ticket, unsigned status)
{
    struct desk_answer answer = {.status = status, .type = STR("text/plain")};
    return send_answer(desk, ticket, &answer);
}

static void finish(struct job *job)
{
    struct desk *desk = job->desk;
    struct web_exchange *exchange = &job->exchange;
    struct desk_answer answer = {
        .status = exchange->status,
        .type = exchange->type,
        .headers = buf_str(&exchange->headers),
        .body = buf_str(&exchange->body),
    };
    bool gone = exchange->gone;
    if (exchange->failed != ERR_OK) {
        log_err("request-failed", exchange->failed, store_why(desk->store));
    }
    if (web_concerns_gate(exchange)) {
        bell_ring(desk->child->ring_fd);
    }
    if (desk->line.fd >= 0 && send_answer(desk, job->ticket, &answer) != ERR_OK) {
        /* A front that does not read, or an answer that cannot be sent. */
        log_line(LOG_ERROR, "not-answered", "errno=%d", errno);
        drop_line(desk);
    }
    job_free(job);
    if (gone) {
        log_err("database-gone", ERR_GONE, store_why(desk->store));
        loop_stop(desk->child->loop);
    }
}

static void put_aside(struct job *job)
{
    job->next = job->desk->aside;
    job->desk->aside = job;
    job->desk->n_aside++;
}

static bool ask(struct job *job)
{
    struct desk *desk = job->desk;
    struct web_question *question = &job->exchange.question;
    struct str password = str_make(question->password, question->password_len);
    bool asked = false;
    job->asked = ++desk->last_asked;
    if (desk->n_aside < ASIDE_MAX) {
        asked = question->make ? auth_line_make(&desk->auth, job->asked, password)
                               : auth_line_judge(&desk->auth, job->asked, question->hash, password,
                                                 question->account, job->request.client);
    }
    secret_wipe(question->password, sizeof(question->password));
    question->password_len = 0;
    return asked;
}

static bool copy_text(char *to, size_t size, struct str text)
{
    if (text.len >= size) {
        return false;
    }
    memcpy(to, text.p != NULL ? text.p : "", text.len);
    to[text.len] = '\0';
    return true;
}

static bool ask_provider(struct job *job)
{
    struct desk *desk = job->desk;
    const struct web_provider_question *asked = &job->exchange.provider_question;
    struct signon_question question = {
        .provider = asked->provider, .silent = asked->silent, .attempt = asked->attempt};
    job->asked = ++desk->last_asked;
    question.ticket = job->asked;
    bool good = desk->n_aside < ASIDE_MAX &&
                copy_text(question.redirect, sizeof(question.redirect), asked->redirect) &&
                copy_text(question.code, sizeof(question.code), asked->code) &&
                signon_line_ask(&desk->signon, &question);
    secret_wipe(&question, sizeof(question));
    return good;
}

static void go_on(struct job *job, enum web_next next)
{
    while (next != WEB_DONE) {
        if (next == WEB_ASK ? ask(job) : ask_provider(job)) {
            put_aside(job);
            return;
        }
        job->exchange.verdict = (struct web_verdict){.busy = true};
        job->exchange.provider_answer.good = false;
        next = web_resume(&job->exchange);
    }
    finish(job);
}

/* Takes the one that waits for this ticket out; NULL where nobody does any more. */
static struct job *take_aside(struct desk *desk, uint64_t ticket)
{
    struct job **at = &desk->aside;
    while (*at != NULL && (*at)->asked != ticket) {
        at = &(*at)->next;
    }
    struct job *job = *at;
    if (job != NULL) {
        *at = job->next;
        desk->n_aside--;
    }
    return job;
}

static void on_provider(void *context, const struct signon_answer *answer)
{
    struct desk *desk = context;
    struct job *job = take_aside(desk, answer->ticket);
    if (job == NULL) {
        return;
    }
    struct web_provider_answer *to = &job->exchange.provider_answer;
    to->good = answer->good;
    memcpy(to->address, answer->address, sizeof(to->address));
    memcpy(to->issuer, answer->issuer, sizeof(to->issuer));
    to->who = answer->who;
    go_on(job, web_resume(&job->exchange));
    wake(desk);
}

static void on_providers(void *context, const struct signon_providers *providers)
{
    struct desk *desk = context;
    desk->providers.n = providers->n;
    for (size_t i = 0; i < providers->n; i++) {
        struct web_provider *to = &desk->providers.items[i];
        memcpy(to->name, providers->providers[i].name, sizeof(to->name));
        memcpy(to->label, providers->providers[i].label, sizeof(to->label));
    }
}

static void on_verdict(void *context, uint64_t ticket, const struct auth_line_answer *answer)
{
    struct desk *desk = context;
    struct job *job = take_aside(desk, ticket);
    if (job == NULL) {
        return;
    }
    job->exchange.verdict = (struct web_verdict){
        .right = answer->right,
        .locked = answer->locked,
        .busy = answer->busy,
        .hash = answer->hash,
    };
    go_on(job, web_resume(&job->exchange));
    wake(desk);
}

static enum err begin(struct desk *desk, uint64_t ticket, struct file_map *frame)
{
    struct job *job = calloc(1, sizeof(*job));
    enum err err = job != NULL ? desk_read_request(frame->bytes, &job->request) : ERR_MEMORY;
    if (err != ERR_OK) {
        free(job);
        file_map_fini(frame);
        return err;
    }
    job->desk = desk;
    job->ticket = ticket;
    job->frame = *frame;
    arena_init(&job->arena, ARENA_MAX);
    job->request.now_ms = loop_utc_ms(desk->child->loop);
    job->exchange.web = desk->web;
    job->exchange.request = &job->request;
    job->exchange.arena = &job->arena;
    go_on(job, web_handle(&job->exchange));
    return ERR_OK;
}

/* ---- the line ---- */

static enum err take_one(struct desk *desk)
{
    uint64_t ticket;
    struct file_map frame;
    ERR_TRY(desk_receive(desk->line.fd, MESSAGE_ENQUIRY, &ticket, &frame));
    if (desk->web == NULL) {
        file_map_fini(&frame);
        return send_trouble(desk, ticket, 503);
    }
    return begin(desk, ticket, &frame);
}

/* One request a turn, so that the supervisor's and auth's words are heard between two. */
static void on_work(struct loop_timer *timer)
{
    struct desk *desk = (struct desk *)(void *)((char *)timer - offsetof(struct desk, work));
    enum err err = desk->line.fd >= 0 ? take_one(desk) : ERR_AGAIN;
    if (err == ERR_OK) {
        wake(desk);
        return;
    }
    if (err != ERR_AGAIN) {
        log_line(err == ERR_NOT_FOUND ? LOG_INFO : LOG_ERROR, "front-lost", "err=%s",
                 err_name(err));
        drop_line(desk);
    }
    if (desk->draining && desk->aside == NULL) {
        loop_stop(desk->child->loop);
    }
}

static void on_line(struct loop_io *io, uint32_t events)
{
    (void)events;
    wake((struct desk *)(void *)io);
}

static void take_lines(struct child *child, bool go)
{
    struct desk *desk = child->work;
    (void)go;
    for (size_t i = 0; i < child->n_desk; i++) {
        drop_line(desk); /* the last one handed over counts */
        if (loop_add(child->loop, &desk->line, child->desk_fds[i], EPOLLIN) != ERR_OK) {
            close(child->desk_fds[i]);
        }
    }
    child->n_desk = 0;
    for (size_t i = 0; i < child->n_auth; i++) {
        auth_line_take(&desk->auth, child->auth_fds[i]);
    }
    child->n_auth = 0;
    for (size_t i = 0; i < child->n_signon; i++) {
        signon_line_take(&desk->signon, child->signon_fds[i]);
    }
    child->n_signon = 0;
    wake(desk);
}

static void drain(struct child *child)
{
    struct desk *desk = child->work;
    desk->draining = true;
    wake(desk);
}

/* ---- the store ---- */

static bool is_postgres(const struct conf *conf)
{
    return conf->database.len != 0;
}

/* Readable by the clerk too, which is of the same group; what SQLite makes beside it follows. */
static enum err make_file(const char *name)
{
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    bool shared = fchmod(fd, 0660) == 0; /* whatever the umask says */
    close(fd);
    return shared ? ERR_OK : ERR_SYSTEM;
}

static enum err open_store(struct desk *desk, struct buf *why)
{
    struct child *child = desk->child;
    if (is_postgres(&child->conf)) {
        return store_open(child->conf.database.bytes, &desk->store, why);
    }
    if (fchdir(child->store_fd) != 0 || make_file(DESK_DATABASE) != ERR_OK) {
        buf_printf(why, "the folder store: %s", strerror(errno));
        return ERR_SYSTEM;
    }
    /* The clerk opens the new file at the same time; SQLite does not wait while it is turned to
     * WAL. */
    enum err err = ERR_BUSY;
    for (unsigned i = 0; i < BUSY_TRIES && err == ERR_BUSY; i++) {
        if (i != 0) {
            (void)poll(NULL, 0, BUSY_PAUSE_MS);
        }
        buf_clear(why);
        err = store_open(DESK_DATABASE, &desk->store, why);
    }
    return err;
}

/* The folder is the desk's own: whoever reads this file is the operator. */
static void first_run_over(void *context)
{
    const struct child *child = context;
    (void)unlinkat(child->store_fd, FIRST_RUN_CODE, 0);
}

/* A store without a school is anybody's who comes first. The code that shows the operator is in a
 * file rather than in the log, which others keep and read. */
static enum err prepare_first_run(struct desk *desk, struct buf *why)
{
    struct child *child = desk->child;
    char line[ACCOUNT_ONE_TIME_CHARS + 2];
    bool open;
    ERR_TRY(first_run_is_open(desk->store, &open));
    if (!open) {
        first_run_over(child);
        return ERR_OK;
    }
    account_one_time(desk->first_code);
    memcpy(line, desk->first_code, ACCOUNT_ONE_TIME_CHARS);
    line[ACCOUNT_ONE_TIME_CHARS] = '\n';
    enum err err = file_write(child->store_fd, FIRST_RUN_CODE,
                              str_make(line, ACCOUNT_ONE_TIME_CHARS + 1), 0600);
    secret_wipe(line, sizeof(line));
    if (err != ERR_OK) {
        buf_printf(why, "store/" FIRST_RUN_CODE ": %s", strerror(errno));
        return err;
    }
    log_line(LOG_INFO, "first-run",
             "open=https://%s/first-run code=\"in the data folder: store/" FIRST_RUN_CODE "\"",
             child->conf.console.bytes);
    return ERR_OK;
}

static enum err open_all(struct desk *desk, struct buf *why)
{
    struct child *child = desk->child;
    if (desk->keys == NULL) {
        ERR_TRY(keys_open(child->keys_fd, &desk->keys, why));
    }
    ERR_TRY(open_store(desk, why));
    ERR_TRY(prepare_first_run(desk, why));
    struct web_options options = {
        .store = desk->store,
        .keys = desk->keys,
        .school = conf_str(&child->conf.school),
        .providers = &desk->providers,
        .gate_name = conf_str(&child->conf.gate_name),
        .gate_sign_in_ms = child->conf.gate_sign_in_ms,
        .policy_fixed = child->conf.policy.len != 0,
        .mail = child->conf.mail_server.len != 0,
        .first_code = desk->first_code[0] != '\0' ? desk->first_code : NULL,
        .first_done = first_run_over,
        .first_context = child,
    };
    return web_new(&options, &desk->web);
}

/* Keys of what was disposed of, and on SQLite what its rows left in the file: where a process died
 * behind the commit, or a file was busy. */
static enum err clear(struct desk *desk)
{
    bool more = store_kind(desk->store) == STORE_SQLITE;
    enum err err = clearing_keys(desk->store, desk->keys);
    while (err == ERR_OK && more) {
        err = clearing_sweep(desk->store, INT64_MAX, &more);
    }
    return err;
}

static void clear_and_wait(struct desk *desk)
{
    enum err err = clear(desk);
    if (err != desk->cleared) {
        log_err("disposals-cleared", err, err == ERR_OK ? "" : store_why(desk->store));
        desk->cleared = err;
    }
    loop_timer_set(desk->child->loop, &desk->clear, loop_mono_ms(desk->child->loop) + CLEAR_MS);
}

static void on_clear(struct loop_timer *timer)
{
    clear_and_wait((struct desk *)(void *)((char *)timer - offsetof(struct desk, clear)));
}

/* SQLite opens files in its folder for as long as it runs; a server is dialled once more by whoever
 * is started after us. */
static enum err confine(struct desk *desk)
{
    struct child *child = desk->child;
    struct confine_dir dirs[] = {
        {.fd = child->store_fd, .write = true},
        {.fd = child->keys_fd, .write = true},
    };
    if (is_postgres(&child->conf)) {
        child->calls |= CONFINE_TCP_UDP | CONFINE_LIBRARY;
        child->dials = true;
    }
    return child_confine_dirs(child, dirs, sizeof(dirs) / sizeof(dirs[0]));
}

/* ERR_AGAIN: the database is not there; it is looked for again. */
static enum err try_open(struct desk *desk)
{
    struct buf why;
    buf_init(&why, WHY_MAX);
    enum err err = open_all(desk, &why);
    if (err == ERR_GONE) {
        if (!desk->waited) {
            log_err("database-gone", err, buf_cstr(&why));
        }
        desk->waited = true;
        loop_timer_set(desk->child->loop, &desk->open, loop_mono_ms(desk->child->loop) + AGAIN_MS);
        err = ERR_AGAIN;
    } else if (err != ERR_OK) {
        log_err("store-refused", err, why.len != 0 ? buf_cstr(&why) : err_text(err));
        desk->child->hopeless = true;
    }
    buf_fini(&why);
    ERR_TRY(err);
    clear_and_wait(desk);
    return confine(desk);
}

static void on_open(struct loop_timer *timer)
{
    struct desk *desk = (struct desk *)(void *)((char *)timer - offsetof(struct desk, open));
    enum err err = try_open(desk);
    if (err == ERR_OK) {
        log_line(LOG_INFO, "database-back", "%s", "");
    } else if (err != ERR_AGAIN) {
        loop_stop(desk->child->loop);
    }
}

enum err proc_desk_start(struct child *child)
{
    static struct desk desk = {
        .line = {.fd = -1, .fn = on_line},
        .work.fn = on_work,
        .open.fn = on_open,
        .clear.fn = on_clear,
    };
    desk.child = child;
    desk.auth.context = &desk;
    desk.auth.answer = on_verdict;
    auth_line_init(&desk.auth, child->loop);
    desk.signon.context = &desk;
    desk.signon.answer = on_provider;
    desk.signon.providers = on_providers;
    signon_line_init(&desk.signon, child->loop);
    child->work = &desk;
    child->handed = take_lines;
    child->drain = drain;
    /* What is freed held passwords and records: it is overwritten at once. */
    (void)mallopt(M_PERTURB, FREED);
    (void)secret_stay_in_memory();
    umask(0007);
    ERR_TRY(child_become(child));
    enum err err = try_open(&desk);
    if (err != ERR_OK && err != ERR_AGAIN) {
        return err;
    }
    take_lines(child, false);
    return child_ready(child);
}
