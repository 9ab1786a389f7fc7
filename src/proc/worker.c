/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A proxy worker: gives the proxy its loop, images, spool and lines to auth and the notary.
 * Everything else about a connection is proxy/'s affair. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "event/spool.h"
#include "os/file.h"
#include "os/signals.h"
#include "os/sock.h"
#include "policy/policy.h"
#include "policy/state.h"
#include "proc/child.h"
#include "proc/message.h"
#include "proc/notary_line.h"
#include "proc/trust_line.h"
#include "proxy/proxy.h"

enum { TICKETS_MAX = 1024, WHY_MAX = 4096 };

struct opened {
    struct catalog *catalog;
    struct policy *policy;
    struct state *state;
};

struct worker {
    struct loop_io auth; /* fd -1: nobody to ask now */
    struct child *child;
    struct proxy *proxy;
    struct opened images;
    uint64_t tickets[TICKETS_MAX]; /* asked and not answered */
    size_t n_tickets;
    struct notary_line notary;
    bool ready; /* it was told */
    struct trust_line trust;
    char proxy_name[320];
    struct host console_host;
};

/* ---- images ---- */

static void opened_free(struct opened *images)
{
    catalog_free(images->catalog);
    policy_free(images->policy);
    state_free(images->state);
}

/* Mapped, not read: the workers share one descriptor and so one place in the file. */
static enum err open_policy(int fd, struct policy **ret_policy)
{
    struct file_map map;
    struct buf why;
    ERR_TRY(file_map_fd(fd, &map));
    buf_init(&why, WHY_MAX);
    enum err err = policy_parse(map.bytes, ret_policy, &why);
    buf_fini(&why);
    file_map_fini(&map);
    return err;
}

/* Opens what was newly handed over; the others stay NULL. The supervisor has checked them, so a
 * failure here is no ordinary one. */
static enum err open_handed(struct child *child, struct opened *new)
{
    const char *why;
    enum err err = ERR_OK;
    if (child->images[CHILD_CATALOG] >= 0) {
        err = catalog_open(child->images[CHILD_CATALOG], &new->catalog, &why);
    }
    if (err == ERR_OK && child->images[CHILD_POLICY] >= 0) {
        err = open_policy(child->images[CHILD_POLICY], &new->policy);
    }
    if (err == ERR_OK && child->images[CHILD_STATE] >= 0) {
        err = state_open(child->images[CHILD_STATE], &new->state, &why);
    }
    for (size_t i = 0; i < CHILD_IMAGES; i++) {
        if (child->images[i] >= 0) {
            close(child->images[i]);
            child->images[i] = -1;
        }
    }
    return err;
}

static struct policy_images images_of(const struct worker *worker)
{
    return (struct policy_images){
        .catalog = worker->images.catalog,
        .policy = worker->images.policy,
        .state = worker->images.state,
    };
}

static enum err change_images(struct worker *worker)
{
    struct opened new = {0};
    struct opened old = {0};
    enum err err = open_handed(worker->child, &new);
    if (err != ERR_OK) {
        opened_free(&new);
        return err;
    }
    if (new.catalog != NULL) {
        old.catalog = worker->images.catalog;
        worker->images.catalog = new.catalog;
    }
    if (new.policy != NULL) {
        old.policy = worker->images.policy;
        worker->images.policy = new.policy;
    }
    if (new.state != NULL) {
        old.state = worker->images.state;
        worker->images.state = new.state;
    }
    struct policy_images now = images_of(worker);
    proxy_set_images(worker->proxy, &now);
    opened_free(&old);
    return ERR_OK;
}

/* ---- the line to auth ---- */

static void drop_auth(struct worker *worker)
{
    int fd = worker->auth.fd;
    if (fd >= 0) {
        loop_remove(&worker->auth);
        close(fd);
    }
    while (worker->n_tickets > 0) {
        worker->n_tickets--;
        proxy_auth_lost(worker->proxy, worker->tickets[worker->n_tickets]);
    }
}

static void take_answer(struct worker *worker, const struct auth_answer *answer)
{
    for (size_t i = 0; i < worker->n_tickets; i++) {
        if (worker->tickets[i] == answer->ticket) {
            worker->tickets[i] = worker->tickets[--worker->n_tickets];
            proxy_auth_answer(worker->proxy, answer->ticket, answer->accepted);
            return;
        }
    }
}

static void on_auth(struct loop_io *io, uint32_t events)
{
    struct worker *worker = (struct worker *)(void *)io;
    (void)events;
    while (io->fd >= 0) {
        struct ipc_message message;
        struct auth_answer answer;
        enum err err = message_receive(io->fd, &message);
        if (err == ERR_AGAIN) {
            return;
        }
        if (err == ERR_OK) {
            err = message_read_answer(&message, &answer);
            ipc_message_fini(&message);
        }
        if (err != ERR_OK) {
            drop_auth(worker);
        } else {
            take_answer(worker, &answer);
        }
    }
}

static bool ask_auth(void *context, uint64_t ticket, struct str person, struct str password,
                     const struct addr *client)
{
    struct worker *worker = context;
    if (worker->auth.fd < 0 || worker->n_tickets == TICKETS_MAX ||
        message_send_question(worker->auth.fd, ticket, client->bytes, person, password) != ERR_OK) {
        return false;
    }
    worker->tickets[worker->n_tickets++] = ticket;
    return true;
}

static void take_auth(struct worker *worker)
{
    struct child *child = worker->child;
    for (size_t i = 0; i < child->n_auth; i++) {
        drop_auth(worker); /* the last one handed over counts */
        if (loop_add(child->loop, &worker->auth, child->auth_fds[i], EPOLLIN) != ERR_OK) {
            close(child->auth_fds[i]);
        }
    }
    child->n_auth = 0;
}

/* ---- the line to the notary ---- */

/* The first key makes the worker ready: whoever waits for "ready" finds a gate that inspects. */
static bool take_leaf_key(void *context, struct str key, struct str chain,
                          const uint8_t secret[TLS_TICKET_SECRET_BYTES])
{
    struct worker *worker = context;
    if (proxy_set_leaf_key(worker->proxy, key, chain, secret) != ERR_OK) {
        return false;
    }
    if (!worker->ready && child_ready(worker->child) == ERR_OK) {
        worker->ready = true;
    }
    return true;
}

static void take_leaf(void *context, const struct host *host, struct str der)
{
    struct worker *worker = context;
    proxy_leaf_answer(worker->proxy, host, der);
}

static bool ask_leaf(void *context, const struct host *host)
{
    struct worker *worker = context;
    return notary_line_ask(&worker->notary, host);
}

static void take_notary(struct worker *worker)
{
    struct child *child = worker->child;
    for (size_t i = 0; i < child->n_notary; i++) {
        notary_line_take(&worker->notary, child->notary_fds[i]);
    }
    child->n_notary = 0;
}

/* ---- the line to the clerk ---- */

static void set_enrolled(void *context, const struct addr *addr, bool enrolled)
{
    struct worker *worker = context;
    proxy_set_enrolled(worker->proxy, addr, enrolled);
}

/* No application pins the gate's own name. */
static enum enrolment_seen seen_of(const struct worker *worker, const struct host *host,
                                   enum proxy_trust trust)
{
    static const enum enrolment_seen seen[] = {
        [PROXY_TRUST_UNSET] = ENROLMENT_UNSET,
        [PROXY_TRUST_ACCEPTED] = ENROLMENT_ACCEPTED,
        [PROXY_TRUST_REFUSED] = ENROLMENT_REFUSED,
        [PROXY_TRUST_CHECKED] = ENROLMENT_CHECKED,
    };
    bool own = host_is_below(host_str(host), conf_str(&worker->child->conf.gate_name));
    return own && trust == PROXY_TRUST_REFUSED ? ENROLMENT_FAILED : seen[trust];
}

static void tell_trust(void *context, const struct addr *client, const struct host *host,
                       enum proxy_trust trust)
{
    struct worker *worker = context;
    struct trust_note note = {.addr = *client, .host = *host, .seen = seen_of(worker, host, trust)};
    struct policy_images images = images_of(worker);
    struct policy_subject subject;
    (void)policy_identify(&images, STR(""), client, loop_utc_ms(worker->child->loop), &subject);
    note.id_len = (uint8_t)subject.device.len;
    if (note.id_len != 0) {
        memcpy(note.id, subject.device.p, note.id_len);
    }
    trust_line_tell(&worker->trust, &note);
}

static void take_clerk(struct worker *worker)
{
    struct child *child = worker->child;
    for (size_t i = 0; i < child->n_clerk; i++) {
        trust_line_take(&worker->trust, child->clerk_fds[i]);
    }
    child->n_clerk = 0;
}

/* ---- the child ---- */

static void handed(struct child *child, bool go)
{
    take_auth(child->work);
    take_notary(child->work);
    take_clerk(child->work);
    if (go && change_images(child->work) != ERR_OK) {
        log_line(LOG_ERROR, "images-failed", "do=\"the process starts again\"");
        exit(EXIT_FAILURE);
    }
}

static void drain(struct child *child)
{
    struct worker *worker = child->work;
    proxy_drain(worker->proxy);
    /* The last process to close a listening socket makes it refuse. */
    for (size_t i = 0; i < child->n_listeners; i++) {
        close(child->listen_fds[i]);
    }
    child->n_listeners = 0;
}

static void ring_sealed(void *context)
{
    const struct worker *worker = context;
    bell_ring(worker->child->bell_fd);
}

/* What PAC files call the proxy: the option, or where it listens, or the gate's name with the port.
 */
static struct str make_proxy_name(struct worker *worker)
{
    static const uint8_t any_v4[16] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t any[16];
    const struct conf *conf = &worker->child->conf;
    struct sock_addr addr;
    char text[SOCK_ADDR_TEXT_MAX];
    if (conf->proxy_name.len != 0) {
        return conf_str(&conf->proxy_name);
    }
    if (sock_local(worker->child->listen_fds[0], &addr) != ERR_OK) {
        return conf_str(&conf->gate_name);
    }
    (void)sock_addr_print(&addr, text);
    bool everywhere = memcmp(addr.ip, any, 16) == 0 || memcmp(addr.ip, any_v4, 16) == 0;
    int n = everywhere ? snprintf(worker->proxy_name, sizeof(worker->proxy_name), "%s:%u",
                                  conf->gate_name.bytes, (unsigned)addr.port)
                       : snprintf(worker->proxy_name, sizeof(worker->proxy_name), "%s", text);
    return str_make(worker->proxy_name, (size_t)n);
}

/* Where browsers reach the console: its first name, or where it listens; empty where that is
 * everywhere. */
static void find_console(struct worker *worker, struct proxy_options *options)
{
    static const uint8_t any_v4[16] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t any[16];
    const struct conf *conf = &worker->child->conf;
    struct sock_addr listens;
    struct str first;
    struct str rest;
    if (conf->console.len == 0 || sock_addr_parse(conf_str(&conf->console), &listens) != ERR_OK) {
        return;
    }
    options->console_port = listens.port;
    options->console_names = conf_str(&conf->console_name);
    str_cut(options->console_names, ',', &first, &rest);
    options->console_host = str_trim(first);
    bool everywhere = memcmp(listens.ip, any, 16) == 0 || memcmp(listens.ip, any_v4, 16) == 0;
    if (options->console_host.len == 0 && !everywhere) {
        struct addr addr;
        memcpy(addr.bytes, listens.ip, sizeof(addr.bytes));
        host_from_addr(&addr, &worker->console_host);
        options->console_host = host_str(&worker->console_host);
    }
}

static enum err make_proxy(struct worker *worker, struct spool_writer *spool)
{
    struct child *child = worker->child;
    const struct conf *conf = &child->conf;
    struct proxy_setup setup = {
        .loop = child->loop,
        .options =
            {
                .node = conf_str(&conf->node),
                .school = conf_str(&conf->school),
                .gate_name = conf_str(&conf->gate_name),
                .proxy_name = make_proxy_name(worker),
                .dns_servers = conf_str(&conf->dns),
                .allow_private = conf->allow_private,
                .passwords_over_tls = conf->passwords_over_tls,
                .head_timeout_ms = conf->head_timeout_ms,
                .idle_timeout_ms = conf->idle_timeout_ms,
                .body_timeout_ms = conf->body_timeout_ms,
                .tunnel_timeout_ms = conf->tunnel_timeout_ms,
                .hello_timeout_ms = conf->hello_timeout_ms,
                .connect_timeout_ms = conf->connect_timeout_ms,
                .drain_timeout_ms = conf->drain_timeout_ms,
                .auth_cache_ms = conf->auth_cache_ms,
                .max_connections = conf->max_connections,
            },
        .spool = spool,
        .hosts = child->hosts.bytes,
        .auth = ask_auth,
        .auth_context = worker,
        .roots = child->roots.bytes,
        .extra_roots = child->origin_roots.bytes,
        .leaf = ask_leaf,
        .leaf_context = worker,
        .trust = tell_trust,
        .trust_context = worker,
        .sealed = ring_sealed,
        .sealed_context = worker,
    };
    find_console(worker, &setup.options);
    enum err err = proxy_new(&setup, &worker->proxy);
    file_map_fini(&child->roots); /* proxy_new has read them */
    file_map_fini(&child->origin_roots);
    return err;
}

enum err proc_proxy_start(struct child *child)
{
    static struct worker worker = {.auth = {.fd = -1, .fn = on_auth}};
    struct spool_writer *spool;
    worker.child = child;
    child->work = &worker;
    child->handed = handed;
    child->drain = drain;
    ERR_TRY(child_become(child));
    ERR_TRY(spool_writer_open(child->spool_fd, str_from(child->name), child->conf.segment_bytes,
                              &spool));
    child->spool_fd = -1;
    worker.notary =
        (struct notary_line){.context = &worker, .key = take_leaf_key, .leaf = take_leaf};
    ERR_TRY(notary_line_init(&worker.notary, child->loop));
    worker.trust.context = &worker;
    worker.trust.set = set_enrolled;
    trust_line_init(&worker.trust, child->loop);
    ERR_TRY(make_proxy(&worker, spool));
    ERR_TRY(child_confine(child, child->spool_own_fd, true));
    ERR_TRY(change_images(&worker));
    take_auth(&worker);
    take_clerk(&worker);
    for (size_t i = 0; i < child->n_listeners; i++) {
        ERR_TRY(proxy_listen(worker.proxy, child->listen_fds[i]));
    }
    take_notary(&worker);
    return ERR_OK;
}
