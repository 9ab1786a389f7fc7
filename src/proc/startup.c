/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the supervisor opens before it starts anybody: folders, options, hosts, trusted
 * certificates, the bell, the port.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "os/confine.h"
#include "os/dns.h"
#include "os/file.h"
#include "os/sock.h"
#include "proc/devices.h"
#include "proc/keeper.h"
#include "proc/passwords.h"
#include "proc/publisher.h"
#include "proc/supervisor_impl.h"
#include "records/audit_heads.h"
#include "tls/client.h"

enum {
    HOSTS_MAX = 64 * 1024 * 1024,
    ROOTS_MAX = 16 * 1024 * 1024,
    LINE_MAX_BYTES = 2048,
    WHY_BYTES = 64,
    FILES_PER_CLIENT = 4, /* client, origin, and the pipes of a tunnel that moves much */
    FILES_SPARE = 256,
};

/* "event=... file=\"...\" why=\"...\"" */
static void log_file(const char *event, const char *path, const char *why)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    buf_append(&line, STR("file="));
    log_quote(&line, str_from(path));
    buf_append(&line, STR(" why="));
    log_quote(&line, str_from(why));
    log_line(LOG_ERROR, event, "%.*s", STR_ARG(buf_str(&line)));
    buf_fini(&line);
}

/* Many clients need many descriptors. Root may go past the hard limit. */
static void raise_limits(const struct conf *conf)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return;
    }
    rlim_t want = (rlim_t)conf->max_connections * FILES_PER_CLIENT + FILES_SPARE;
    struct rlimit more = {want, want > limit.rlim_max ? want : limit.rlim_max};
    if (limit.rlim_cur >= want || setrlimit(RLIMIT_NOFILE, &more) == 0) {
        return;
    }
    more = (struct rlimit){limit.rlim_max, limit.rlim_max};
    (void)setrlimit(RLIMIT_NOFILE, &more);
    log_line(LOG_WARN, "few-descriptors", "limit=%llu wanted=%llu do=\"raise ulimit -n\"",
             (unsigned long long)limit.rlim_max, (unsigned long long)want);
}

static bool open_folder(int data_fd, const char *name, int *ret_fd)
{
    if (file_make_dirs(data_fd, name, 0750) == ERR_OK &&
        file_open_dir(data_fd, name, ret_fd) == ERR_OK) {
        return true;
    }
    log_file("folder-failed", name, strerror(errno));
    return false;
}

/* The spool's folder is entered by the processes' common group. */
static void give_to_group(int fd)
{
    uid_t uid;
    gid_t gid;
    if (geteuid() == 0 && confine_find_user(proc_row(PROC_clerk)->user, &uid, &gid) == ERR_OK) {
        (void)!fchown(fd, (uid_t)-1, gid); /* a process that then cannot enter says so and ends */
    }
}

static bool open_folders(struct supervisor *supervisor, const char *data)
{
    if (file_make_dirs(AT_FDCWD, data, 0750) != ERR_OK ||
        file_open_dir(AT_FDCWD, data, &supervisor->data_fd) != ERR_OK) {
        log_file("folder-failed", data, strerror(errno));
        return false;
    }
    if (!open_folder(supervisor->data_fd, "spool", &supervisor->spool_fd) ||
        !open_folder(supervisor->data_fd, "images", &supervisor->images.folder_fd)) {
        return false;
    }
    give_to_group(supervisor->spool_fd);
    /* Of whoever starts the gate, and nobody else: the notary reads it before it gives up rights.
     */
    if (file_make_dirs(supervisor->data_fd, KEEPER_FOLDER, 0700) != ERR_OK) {
        log_file("folder-failed", KEEPER_FOLDER, strerror(errno));
        return false;
    }
    if (devices_open_folder(supervisor->data_fd, &supervisor->devices_fd) != ERR_OK) {
        log_file("folder-failed", DEVICES_FOLDER, strerror(errno));
        return false;
    }
    if (passwords_open_folder(data, &supervisor->passwords_fd) != ERR_OK) {
        log_file("folder-failed", PASSWORDS_FOLDER, strerror(errno));
        return false;
    }
    return true;
}

static bool open_hosts(struct supervisor *supervisor)
{
    const char *path = supervisor->conf->hosts.bytes;
    struct buf text;
    size_t line = 0;
    if (path[0] == '\0') {
        return true;
    }
    buf_init(&text, HOSTS_MAX);
    enum err err = file_read(AT_FDCWD, path, &text);
    if (err != ERR_OK) {
        log_file("hosts-refused", path, err == ERR_SYSTEM ? strerror(errno) : err_text(err));
    } else {
        err = dns_hosts_check(buf_str(&text), &line);
        if (err != ERR_OK) {
            char why[WHY_BYTES];
            snprintf(why, sizeof(why), "line %zu: not \"address name name...\"", line);
            log_file("hosts-refused", path, why);
        }
    }
    if (err == ERR_OK) {
        err = file_memory("hosts", buf_str(&text), &supervisor->hosts_fd);
    }
    buf_fini(&text);
    return err == ERR_OK;
}

/* A file of certificates into memory; none where none is named. */
static enum err hold(const struct conf_text *path, const char *name, struct buf *text, int *ret_fd)
{
    enum err err = ERR_OK;
    buf_init(text, ROOTS_MAX);
    if (path->len > 0) {
        err = file_read(AT_FDCWD, path->bytes, text);
    }
    if (err == ERR_OK) {
        err = file_memory(name, buf_str(text), ret_fd);
    }
    return err;
}

/* Tries what each worker will do, so that a mistake is told once and here. */
static bool check_roots(const struct conf *conf, struct str roots, struct str extra)
{
    struct tls_client *client;
    const char *why = err_text(ERR_MEMORY);
    if (tls_client_new(roots, extra, &client, &why) != ERR_OK) {
        log_file("roots-refused", conf->origin_ca.bytes, why);
        return false;
    }
    tls_client_free(client);
    return true;
}

static bool open_roots(struct supervisor *supervisor)
{
    const struct conf *conf = supervisor->conf;
    struct buf roots;
    struct buf extra;
    bool good = false;
    enum err err = hold(&conf->roots, "roots", &roots, &supervisor->roots_fd);
    if (err == ERR_NOT_FOUND) {
        log_line(LOG_WARN, "no-roots",
                 "do=\"apt-get install ca-certificates; until then no site that is inspected "
                 "opens\"");
        err = file_memory("roots", STR(""), &supervisor->roots_fd);
    }
    if (err != ERR_OK) {
        log_file("roots-refused", conf->roots.bytes,
                 err == ERR_SYSTEM ? strerror(errno) : err_text(err));
    }
    enum err extra_err = hold(&conf->origin_ca, "origin-ca", &extra, &supervisor->origin_roots_fd);
    if (extra_err != ERR_OK) {
        log_file("roots-refused", conf->origin_ca.bytes,
                 extra_err == ERR_SYSTEM ? strerror(errno) : err_text(extra_err));
    }
    if (err == ERR_OK && extra_err == ERR_OK) {
        good = check_roots(conf, buf_str(&roots), buf_str(&extra));
    }
    buf_fini(&roots);
    buf_fini(&extra);
    return good;
}

/* With the remedy of the mistakes that are made. */
static void log_listen_failed(const char *address, int error)
{
    static const struct {
        int error;
        const char *remedy;
    } rows[] = {
        {EADDRINUSE, "another program listens there: ss -ltnp names it; or take another port"},
        {EADDRNOTAVAIL, "no address of this machine: ip address lists them; * is all"},
        {EACCES, "a port below 1024 needs root; or take another port"},
    };
    const char *remedy = "lodge doctor looks further";
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        remedy = rows[i].error == error ? rows[i].remedy : remedy;
    }
    log_line(LOG_ERROR, "listen-failed", "file=\"%s\" why=\"%s\" do=\"%s\"", address,
             strerror(error), remedy);
}

/* Tries what each worker will do, so that a mistake is told once and here. */
static bool check_dns(struct supervisor *supervisor)
{
    struct dns_options options = {.servers = conf_str(&supervisor->conf->dns)};
    struct dns *dns;
    enum err err = dns_new(supervisor->loop, STR(""), &options, &dns);
    if (err != ERR_OK) {
        log_file("dns-refused", supervisor->conf->dns.bytes,
                 err == ERR_INVALID ? "not ADDRESS:PORT,ADDRESS:PORT as 127.0.0.1:53"
                                    : err_text(err));
        return false;
    }
    dns_free(dns);
    return true;
}

static bool open_listeners(struct supervisor *supervisor)
{
    const struct conf_text *text = &supervisor->conf->proxy;
    struct sock_addr addr;
    if (sock_addr_parse(conf_str(text), &addr) != ERR_OK) {
        log_file("listen-failed", text->bytes, "not ADDR:PORT, as 127.0.0.1:3128 or [::1]:3128");
        return false;
    }
    if (sock_listen_many(&addr, supervisor->n_workers, supervisor->listen_fds) != ERR_OK) {
        log_listen_failed(text->bytes, errno);
        return false;
    }
    return true;
}

/* To the user of a process, where there is one and we may. */
static bool give(int fd, enum proc proc)
{
    uid_t uid;
    gid_t gid;
    return geteuid() != 0 || confine_find_user(proc_row(proc)->user, &uid, &gid) != ERR_OK ||
           fchown(fd, uid, gid) == 0;
}

enum err proc_store_group(gid_t *ret_gid)
{
    gid_t gid;
    ERR_TRY(confine_find_group(PROC_STORE_GROUP, &gid));
    if (!confine_has_group(proc_row(PROC_desk)->user, gid) ||
        !confine_has_group(proc_row(PROC_clerk)->user, gid)) {
        return ERR_NOT_FOUND;
    }
    *ret_gid = gid;
    return ERR_OK;
}

/* The records are read by desk and clerk; the group of all processes is the spool's. */
static void give_store(int fd)
{
    gid_t gid;
    if (geteuid() == 0 && proc_store_group(&gid) == ERR_OK) {
        (void)!fchown(fd, (uid_t)-1, gid);
    }
}

/* Of one process's user, and nobody else's but, where mode says so, of the common group's. */
static bool open_given(int data_fd, const char *name, enum proc proc, mode_t mode, int *ret_fd)
{
    if (file_make_dirs(data_fd, name, mode) != ERR_OK ||
        file_open_dir(data_fd, name, ret_fd) != ERR_OK || !give(*ret_fd, proc) ||
        fchmod(*ret_fd, mode) != 0) {
        log_file("folder-failed", name, strerror(errno));
        return false;
    }
    return true;
}

/* Where the clerk publishes: what no option names comes from there. */
static bool open_published(struct supervisor *supervisor, const char *data)
{
    static const char *const names[PUBLISHED_PATHS] = {
        [PUBLISHED_PATH_POLICY] = PUBLISHED_POLICY,
        [PUBLISHED_PATH_STATE] = PUBLISHED_STATE,
        [PUBLISHED_PATH_PASSWORDS] = PUBLISHED_PASSWORDS,
    };
    static const enum image images[PUBLISHED_PATHS] = {
        [PUBLISHED_PATH_POLICY] = IMAGE_POLICY,
        [PUBLISHED_PATH_STATE] = IMAGE_STATE,
        [PUBLISHED_PATH_PASSWORDS] = IMAGE_COUNT,
    };
    for (size_t i = 0; i < PUBLISHED_PATHS; i++) {
        char *path = supervisor->published[i];
        int n = snprintf(path, PUBLISHED_PATH_BYTES, "%s/images/%s", data, names[i]);
        if (n < 0 || n >= PUBLISHED_PATH_BYTES) {
            log_file("folder-failed", data, err_text(ERR_LIMIT));
            return false;
        }
        if (images[i] != IMAGE_COUNT && supervisor->images.slots[images[i]].path[0] == '\0') {
            supervisor->images.slots[images[i]].path = path;
            supervisor->images.slots[images[i]].optional = true;
        }
    }
    return give(supervisor->images.folder_fd, PROC_clerk);
}

/* Folders and port of the console, where there is one. */
static bool open_console(struct supervisor *supervisor, const char *data)
{
    const struct conf_text *text = &supervisor->conf->console;
    int data_fd = supervisor->data_fd;
    struct sock_addr addr;
    if (text->len == 0) {
        return true;
    }
    if (!open_given(data_fd, "store", PROC_desk, 0770, &supervisor->store_fd) ||
        !open_given(data_fd, "keys", PROC_desk, 0700, &supervisor->keys_fd) ||
        !open_given(data_fd, AUDIT_FOLDER, PROC_clerk, 0700, &supervisor->audit_fd) ||
        !open_given(data_fd, "console", PROC_front, 0700, &supervisor->console_fd) ||
        !open_published(supervisor, data)) {
        return false;
    }
    give_store(supervisor->store_fd);
    if (sock_addr_parse(conf_str(text), &addr) != ERR_OK) {
        log_file("listen-failed", text->bytes, "not ADDR:PORT, as 127.0.0.1:8443 or [::1]:8443");
        return false;
    }
    if (sock_listen(&addr, &supervisor->console_listen_fd) != ERR_OK) {
        log_listen_failed(text->bytes, errno);
        return false;
    }
    return true;
}

static bool open_small_things(struct supervisor *supervisor)
{
    struct str conf = str_make((const char *)supervisor->conf, sizeof(*supervisor->conf));
    const struct conf_text *paths[IMAGE_COUNT] = {
        [IMAGE_CATALOG] = &supervisor->conf->catalog,
        [IMAGE_POLICY] = &supervisor->conf->policy,
        [IMAGE_STATE] = &supervisor->conf->state,
    };
    for (size_t i = 0; i < IMAGE_COUNT; i++) {
        supervisor->images.slots[i] = (struct image_slot){.path = paths[i]->bytes, .fd = -1};
    }
    if (bell_new(&supervisor->bell_fd) != ERR_OK || bell_new(&supervisor->ring_fd) != ERR_OK ||
        file_memory("conf", conf, &supervisor->conf_fd) != ERR_OK) {
        log_line(LOG_ERROR, "not-started", "errno=%d", errno);
        return false;
    }
    return true;
}

/* Which processes will keep this user; each says in its own line what else holds. */
static void warn_of_users(void)
{
    uid_t uid;
    gid_t gid;
    for (int i = PROC_UNSET + 1; i < PROC_COUNT && geteuid() == 0; i++) {
        const struct proc_row *row = proc_row((enum proc)i);
        if (confine_find_user(row->user, &uid, &gid) != ERR_OK) {
            log_line(LOG_WARN, "no-user", "process=%s user=%s do=\"lodge doctor --fix makes it\"",
                     row->name, row->user);
        }
    }
}

static size_t count_workers(const struct conf *conf)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t auto_count = cores < 1 ? 1 : (size_t)cores;
    size_t n = conf->workers != 0 ? (size_t)conf->workers : auto_count;
    return n < WORKERS_MAX ? n : WORKERS_MAX;
}

bool supervisor_open(struct supervisor *supervisor, const char *data)
{
    supervisor->n_workers = count_workers(supervisor->conf);
    raise_limits(supervisor->conf);
    warn_of_users();
    return open_folders(supervisor, data) && open_small_things(supervisor) &&
           open_hosts(supervisor) && open_roots(supervisor) && check_dns(supervisor) &&
           open_listeners(supervisor) && open_console(supervisor, data);
}
