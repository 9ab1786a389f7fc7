/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The signon process: talks to the school's providers of single sign-on, and says who somebody is.
 *
 * It alone knows the client's secrets, and it sees no record: what a provider sends is read and
 * judged here, where a fault in reading it reaches nothing. Questions are answered one a turn;
 * discovery and keys are kept for a day, and the keys fetched anew, at most once a minute, where a
 * token names one that is not among them (OpenID Connect Core 1.0 section 10.1.1).
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "outbound/call.h"
#include "outbound/oidc.h"
#include "proc/child.h"
#include "proc/fetcher.h"
#include "proc/message.h"
#include "proc/signon_line.h"

enum {
    LINKS_MAX = 4,
    KEPT_MS = 24 * 60 * 60 * 1000,
    KEYS_AGAIN_MS = 60 * 1000,
    CALL_MS = 10 * 1000,
    WHY_MAX = 1024,
};

struct source {
    const struct oidc_provider *provider;
    struct oidc_endpoints endpoints;
    struct buf keys;
    int64_t found_ms; /* discovery, monotonic; 0: not yet */
    int64_t keys_ms;
};

struct queued {
    struct signon_question question;
    size_t link;
    uint64_t link_id;
};

struct link {
    struct loop_io io;
    struct signon *signon;
    uint64_t id; /* 0: free */
};

struct signon {
    struct child *child;
    struct loop_timer work;
    struct caller *caller;
    struct oidc_config config;
    struct source sources[OIDC_PROVIDERS_MAX];
    struct link links[LINKS_MAX];
    uint64_t next_id;
    struct queued queue[SIGNON_WAITING_MAX];
    size_t head;
    size_t n_queued;
};

/* ---- what a provider says ---- */

static enum err get(struct signon *signon, const char *address, struct buf *to, const char **why)
{
    const struct call call = {.address = address, .timeout_ms = CALL_MS};
    long status;
    return caller_run(signon->caller, &call, to, &status, why);
}

static enum err discover(struct signon *signon, struct source *source, int64_t now_ms,
                         const char **why)
{
    struct buf address;
    struct buf text;
    enum err err = ERR_LIMIT;
    buf_init(&address, 2 * (size_t)OIDC_TEXT_MAX);
    buf_init(&text, OIDC_ANSWER_MAX);
    oidc_discovery_address(source->provider, &address);
    if (buf_cstr(&address) != NULL) {
        err = get(signon, buf_cstr(&address), &text, why);
    }
    if (err == ERR_OK) {
        err = oidc_discovery_read(source->provider, buf_str(&text), &source->endpoints, why);
    }
    if (err == ERR_OK) {
        source->found_ms = now_ms;
    }
    buf_fini(&address);
    buf_fini(&text);
    return err;
}

static enum err fetch_keys(struct signon *signon, struct source *source, int64_t now_ms,
                           const char **why)
{
    struct buf text;
    buf_init(&text, OIDC_ANSWER_MAX);
    enum err err = get(signon, source->endpoints.keys, &text, why);
    if (err == ERR_OK) {
        buf_clear(&source->keys);
        buf_append(&source->keys, buf_str(&text));
        err = buf_err(&source->keys);
        source->keys_ms = now_ms;
    }
    buf_fini(&text);
    return err;
}

static enum err refresh(struct signon *signon, struct source *source, int64_t now_ms,
                        const char **why)
{
    if (source->found_ms == 0 || now_ms - source->found_ms > KEPT_MS) {
        ERR_TRY(discover(signon, source, now_ms, why));
    }
    if (source->keys_ms == 0 || now_ms - source->keys_ms > KEPT_MS) {
        ERR_TRY(fetch_keys(signon, source, now_ms, why));
    }
    return ERR_OK;
}

/* ---- the two questions ---- */

static enum err begin(const struct source *source, const struct signon_question *question,
                      struct signon_answer *answer)
{
    struct buf address;
    buf_init(&address, sizeof(answer->address));
    oidc_authorize_address(source->provider, &source->endpoints, &question->attempt,
                           str_from(question->redirect), question->silent, &address);
    const char *text = buf_cstr(&address);
    if (text != NULL) {
        memcpy(answer->address, text, address.len + 1);
    }
    buf_fini(&address);
    return text != NULL ? ERR_OK : ERR_LIMIT;
}

/* The ID token that the code is worth. */
static enum err redeem(struct signon *signon, const struct source *source,
                       const struct signon_question *question, struct buf *token, const char **why)
{
    struct buf form;
    struct buf header;
    struct buf text;
    long status;
    buf_init(&form, 16 * (size_t)OIDC_CODE_MAX);
    buf_init(&header, 16 * (size_t)OIDC_TEXT_MAX);
    buf_init(&text, OIDC_ANSWER_MAX);
    oidc_token_form(source->provider, &source->endpoints, &question->attempt,
                    str_from(question->code), str_from(question->redirect), &form, &header);
    struct call call = {.address = source->endpoints.token,
                        .header = header.len != 0 ? buf_cstr(&header) : NULL,
                        .form = buf_str(&form),
                        .timeout_ms = CALL_MS};
    enum err err = buf_err(&form);
    if (err == ERR_OK) {
        err = caller_run(signon->caller, &call, &text, &status, why);
    }
    if (err == ERR_OK) {
        *why = "the provider gave no token";
        err = oidc_token_read(buf_str(&text), token);
    }
    secret_wipe(form.p, form.cap);
    secret_wipe(header.p, header.cap);
    secret_wipe(text.p, text.cap);
    buf_fini(&form);
    buf_fini(&header);
    buf_fini(&text);
    return err;
}

static enum err finish(struct signon *signon, struct source *source,
                       const struct signon_question *question, struct signon_answer *answer,
                       const char **why)
{
    int64_t mono_ms = loop_mono_ms(signon->child->loop);
    struct str nonce = str_from(question->attempt.nonce);
    struct buf token;
    buf_init(&token, OIDC_ANSWER_MAX);
    enum err err = redeem(signon, source, question, &token, why);
    if (err == ERR_OK) {
        err = oidc_token_check(source->provider, buf_str(&source->keys), buf_str(&token), nonce,
                               clock_utc_ms(), &answer->who, why);
    }
    if (err == ERR_NOT_FOUND && mono_ms - source->keys_ms > KEYS_AGAIN_MS) {
        err = fetch_keys(signon, source, mono_ms, why);
        if (err == ERR_OK) {
            err = oidc_token_check(source->provider, buf_str(&source->keys), buf_str(&token), nonce,
                                   clock_utc_ms(), &answer->who, why);
        }
    }
    memcpy(answer->issuer, source->provider->issuer, sizeof(answer->issuer));
    secret_wipe(token.p, token.cap);
    buf_fini(&token);
    return err;
}

static void judge(struct signon *signon, const struct signon_question *question,
                  struct signon_answer *answer)
{
    const char *why = "it cannot be done";
    enum err err = ERR_INVALID;
    *answer = (struct signon_answer){.ticket = question->ticket};
    if (question->provider < signon->config.n_providers) {
        struct source *source = &signon->sources[question->provider];
        err = refresh(signon, source, loop_mono_ms(signon->child->loop), &why);
        if (err == ERR_OK) {
            err = question->code[0] == '\0' ? begin(source, question, answer)
                                            : finish(signon, source, question, answer, &why);
        }
    }
    answer->good = err == ERR_OK;
    if (err != ERR_OK) {
        snprintf(answer->why, sizeof(answer->why), "%s", why);
        log_line(LOG_WARN, "signon-failed", "provider=%u err=%s why=\"%s\"", question->provider,
                 err_name(err), why);
    }
}

/* ---- lines ---- */

static void close_link(struct link *link)
{
    int fd = link->io.fd;
    loop_remove(&link->io);
    close(fd);
    link->id = 0;
}

static void on_work(struct loop_timer *timer)
{
    struct signon *signon =
        (struct signon *)(void *)((char *)timer - offsetof(struct signon, work));
    struct queued *queued = &signon->queue[signon->head];
    struct link *link = &signon->links[queued->link];
    struct signon_answer answer;
    if (link->id == queued->link_id) {
        judge(signon, &queued->question, &answer);
        if (signon_send_answer(link->io.fd, &answer) != ERR_OK) {
            close_link(link);
        }
    }
    secret_wipe(&queued->question, sizeof(queued->question));
    signon->head = (signon->head + 1) % SIGNON_WAITING_MAX;
    signon->n_queued--;
    if (signon->n_queued > 0) {
        loop_timer_set(signon->child->loop, timer, loop_mono_ms(signon->child->loop));
    }
}

static enum err take_question(struct link *link)
{
    struct signon *signon = link->signon;
    struct ipc_message message;
    struct queued *queued = &signon->queue[(signon->head + signon->n_queued) % SIGNON_WAITING_MAX];
    ERR_TRY(message_receive(link->io.fd, &message));
    enum err err = signon_read_question(&message, &queued->question);
    secret_wipe(message.bytes, message.len);
    ipc_message_fini(&message);
    ERR_TRY(err);
    queued->link = (size_t)(link - signon->links);
    queued->link_id = link->id;
    signon->n_queued++;
    loop_timer_set(signon->child->loop, &signon->work, loop_mono_ms(signon->child->loop));
    return ERR_OK;
}

static void on_question(struct loop_io *io, uint32_t events)
{
    struct link *link = (struct link *)(void *)io;
    enum err err = ERR_OK;
    (void)events;
    while (err == ERR_OK && link->signon->n_queued < SIGNON_WAITING_MAX) {
        err = take_question(link);
    }
    if (err == ERR_OK) {
        err = loop_change(io, EPOLLIN); /* full: asks for the edge again */
    }
    if (err != ERR_OK && err != ERR_AGAIN) {
        close_link(link);
    }
}

static enum err tell_providers(const struct signon *signon, int fd)
{
    struct signon_providers list = {.n = (uint32_t)signon->config.n_providers};
    for (size_t i = 0; i < signon->config.n_providers; i++) {
        const struct oidc_provider *provider = &signon->config.providers[i];
        memcpy(list.providers[i].name, provider->name, sizeof(list.providers[i].name));
        memcpy(list.providers[i].label, provider->label, sizeof(list.providers[i].label));
    }
    return signon_send_providers(fd, &list);
}

static void add_link(struct signon *signon, int fd)
{
    for (size_t i = 0; i < LINKS_MAX; i++) {
        struct link *link = &signon->links[i];
        if (link->id == 0) {
            link->io = (struct loop_io){.fd = -1, .fn = on_question};
            link->signon = signon;
            if (loop_add(signon->child->loop, &link->io, fd, EPOLLIN) != ERR_OK) {
                break;
            }
            link->id = ++signon->next_id;
            if (tell_providers(signon, fd) != ERR_OK) {
                close_link(link);
            }
            return;
        }
    }
    log_line(LOG_ERROR, "link-refused", "links=%d", LINKS_MAX);
    close(fd);
}

static void take_links(struct child *child, bool go)
{
    (void)go;
    for (size_t i = 0; i < child->n_signon; i++) {
        add_link(child->work, child->signon_fds[i]);
    }
    child->n_signon = 0;
}

static void drain(struct child *child)
{
    loop_stop(child->loop);
}

/* ---- start ---- */

static enum err read_config(struct signon *signon)
{
    struct file_map map;
    struct buf why;
    ERR_TRY(file_map_fd(signon->child->providers_fd, &map));
    buf_init(&why, WHY_MAX);
    enum err err = oidc_config_read(map.bytes, &signon->config, &why);
    if (err != ERR_OK) {
        signon->child->hopeless = true;
        log_line(LOG_ERROR, "single-sign-on-refused", "why=\"%.*s\" do=\"mend the file\"",
                 STR_ARG(buf_str(&why)));
    }
    buf_fini(&why);
    file_map_fini(&map);
    for (size_t i = 0; i < signon->config.n_providers; i++) {
        signon->sources[i].provider = &signon->config.providers[i];
        buf_init(&signon->sources[i].keys, OIDC_ANSWER_MAX);
    }
    return err;
}

static enum err open_caller(struct signon *signon)
{
    struct buf roots;
    struct str system = signon->child->roots.bytes;
    struct str own = signon->child->origin_roots.bytes;
    buf_init(&roots, system.len + own.len + 1);
    buf_append(&roots, system);
    buf_append_byte(&roots, '\n');
    buf_append(&roots, own);
    enum err err = buf_err(&roots);
    if (err == ERR_OK) {
        err = caller_new(buf_str(&roots), &signon->caller);
    }
    buf_fini(&roots);
    return err;
}

enum err proc_signon_start(struct child *child)
{
    static struct signon signon = {.work.fn = on_work};
    static struct confine_dir dirs[FETCHER_DIRS];
    struct confine rules;
    signon.child = child;
    child->work = &signon;
    child->handed = take_links;
    child->drain = drain;
    (void)secret_stay_in_memory();
    ERR_TRY(read_config(&signon));
    ERR_TRY(open_caller(&signon));
    ERR_TRY(child_become(child));
    fetcher_rights(dirs, &rules);
    ERR_TRY(child_confine_dirs(child, rules.dirs, rules.n_dirs));
    take_links(child, false);
    return child_ready(child);
}
