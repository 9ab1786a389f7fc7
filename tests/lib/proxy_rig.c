/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/proxy_rig.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "catalog/compile.h"
#include "lib/test.h"
#include "os/sock.h"
#include "policy/policy.h"
#include "policy/state.h"

enum { TURNS = 400, TURN_MS = 5, QUIET_TURNS = 6 };

static const char HOSTS[] =
    "127.0.0.1 a.test b.test c.test games.test sad.test bad.test bank.test\n"
    "127.0.0.1 lodge.test blackhole.test help.test\n"
    "127.0.0.1 www.google.com www.youtube.com duckduckgo.com search.yahoo.com\n"
    "10.9.8.7 inside.test\n"
    "::1 six.test\n127.0.0.1 six.test\n"
    "127.0.0.9 slow.test\n127.0.0.1 slow.test\n";

/* One policy, with the unknown group as a parameter. */
static const char POLICY[] =
    "{\"lodge_policy\":1,\"title\":\"t\",\"school\":\"s\","
    "\"zone\":{\"name\":\"UTC\",\"offset\":0,\"changes\":[],\"from\":\"2020-01-01\","
    "\"until\":\"2049-12-31\"},"
    "\"unknown_group\":\"%s\","
    "\"groups\":["
    "{\"id\":\"visitors\",\"label\":\"v\",\"voice\":\"ks2\",%s},"
    "{\"id\":\"open\",\"label\":\"o\",\"voice\":\"staff\",%s},"
    "{\"id\":\"pupils-ks1\",\"label\":\"1\",\"voice\":\"ks1\",%s},"
    "{\"id\":\"pupils-ks2\",\"label\":\"2\",\"voice\":\"ks2\",%s},"
    "{\"id\":\"signers\",\"label\":\"n\",\"voice\":\"ks2\","
    "\"agreement\":{\"needed\":true,\"parent\":false},\"uncategorised\":\"acceptable\","
    "\"tiers\":{\"harmful\":\"unacceptable\",\"ordinary\":\"acceptable\"},"
    "\"tunnels\":{\"not_tls\":\"refuse\",\"no_sni\":\"refuse\",\"ip_literal\":\"refuse\","
    "\"other_ports\":\"refuse\"}},"
    "{\"id\":\"staff\",\"label\":\"s\",\"voice\":\"staff\",%s}],"
    "\"connect_ports\":[443],\"private_hosts\":[],"
    "\"calendar\":{\"terms\":[],\"closed\":[]},\"timetable\":{\"periods\":[]},\"times\":[],"
    "\"nominated\":[],\"table\":["
    "{\"id\":\"games\",\"label\":\"Games\",\"section\":\"user-actions\",\"source\":\"R175\","
    "\"note\":\"\",\"law\":\"\",\"categories\":[\"games\",\"self-harm\"],\"enforced\":true,"
    "\"cells\":{\"visitors\":{\"level\":\"unacceptable\"},\"open\":{\"level\":\"unacceptable\"},"
    "\"pupils-ks1\":{\"level\":\"unacceptable\"},\"pupils-ks2\":{\"level\":\"unacceptable\"},"
    "\"signers\":{\"level\":\"unacceptable\"},\"staff\":{\"level\":\"unacceptable\"}}},"
    "{\"id\":\"programs\",\"label\":\"Programs\",\"section\":\"user-actions\","
    "\"source\":\"R129\",\"note\":\"\",\"law\":\"\",\"categories\":[\"executables\"],"
    "\"enforced\":true,\"cells\":{\"pupils-ks2\":{\"level\":\"unacceptable\"}}}],"
    "\"lists\":{\"deny\":[],\"allow\":[]},\"lifelines\":[{\"match\":\"help.test\",\"why\":\"help\"}"
    "],\"learning\":[],"
    "\"gate\":{\"name\":\"lodge.test\"}}";

#define GROUP_REFUSES                                                                      \
    "\"agreement\":{\"needed\":false,\"parent\":false},\"uncategorised\":\"acceptable\","  \
    "\"tiers\":{\"harmful\":\"unacceptable\",\"ordinary\":\"acceptable\"},"                \
    "\"tunnels\":{\"not_tls\":\"refuse\",\"no_sni\":\"refuse\",\"ip_literal\":\"refuse\"," \
    "\"other_ports\":\"refuse\"}"
#define GROUP_INSPECTS ",\"inspect\":\"inspect\""
#define GROUP_OPEN                                                                        \
    "\"agreement\":{\"needed\":false,\"parent\":false},\"uncategorised\":\"acceptable\"," \
    "\"tiers\":{\"harmful\":\"unacceptable\",\"ordinary\":\"acceptable\"},"               \
    "\"tunnels\":{\"not_tls\":\"allow\",\"no_sni\":\"allow\",\"ip_literal\":\"allow\","   \
    "\"other_ports\":\"allow\",\"ech\":\"allow\"}"

/* --- images
 * --------------------------------------------------------------------------------------- */

static int memory_file(struct str bytes)
{
    int fd = memfd_create("image", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes.p, bytes.len), (ssize_t)bytes.len);
    return fd;
}

static void list_one(struct compile *compile, const char *category, enum list_kind kind,
                     const char *host, const char *path)
{
    unsigned number = 0;
    struct host parsed;
    struct list_entry entry = {.kind = kind, .line = 1, .host = &parsed};
    assert_ok(category_find(str_from(category), &number));
    assert_ok(compile_list(compile, number, false, category));
    assert_ok(host_parse(str_from(host), &parsed));
    entry.path = str_from(path);
    assert_ok(compile_entry(compile, &entry));
}

static const struct catalog *make_catalog(void)
{
    struct compile *compile = NULL;
    struct compile_totals totals;
    struct str image;
    struct catalog *catalog = NULL;
    const char *why = NULL;
    assert_ok(compile_new(&compile));
    list_one(compile, "games", LIST_ENTRY_HOST, "games.test", "");
    list_one(compile, "self-harm", LIST_ENTRY_HOST, "sad.test", "");
    list_one(compile, "banking", LIST_ENTRY_HOST, "bank.test", "");
    list_one(compile, "child-sexual-abuse", LIST_ENTRY_URL, "bad.test", "/sealed");
    assert_ok(compile_settle(compile, NULL, NULL));
    assert_ok(compile_finish(compile, &totals, &image));
    compile_free(compile);
    int fd = memory_file(image);
    free((void *)(uintptr_t)image.p);
    assert_ok(catalog_open(fd, &catalog, &why));
    close(fd);
    return catalog;
}

static const struct policy *make_policy(const char *unknown)
{
    struct policy *policy = NULL;
    struct buf why;
    char *json = NULL;
    buf_init(&why, 4096);
    assert_true(asprintf(&json, POLICY, unknown, GROUP_REFUSES, GROUP_OPEN GROUP_INSPECTS,
                         GROUP_REFUSES, GROUP_REFUSES GROUP_INSPECTS, GROUP_REFUSES) > 0);
    if (policy_parse(str_from(json), &policy, &why) != ERR_OK) {
        fail_msg("policy: %.*s", STR_ARG(buf_str(&why)));
    }
    buf_fini(&why);
    free(json);
    return policy;
}

static const struct state *make_state(const char *json)
{
    struct state *state = NULL;
    const char *why = NULL;
    struct buf image;
    struct buf words;
    buf_init(&image, 1 << 20);
    buf_init(&words, 4096);
    if (state_build(str_from(json), &image, &words) != ERR_OK) {
        fail_msg("state: %.*s", STR_ARG(buf_str(&words)));
    }
    int fd = memory_file(buf_str(&image));
    assert_ok(state_open(fd, &state, &why));
    close(fd);
    buf_fini(&image);
    buf_fini(&words);
    return state;
}

static void *unconst(const void *p)
{
    return (void *)(uintptr_t)p;
}

void rig_set_unknown(struct rig *rig, const char *group)
{
    struct policy_images images = rig->images;
    images.policy = make_policy(group);
    proxy_set_images(rig->proxy, &images);
    policy_free(unconst(rig->images.policy));
    rig->images = images;
}

void rig_set_state(struct rig *rig, const char *json)
{
    struct policy_images images = rig->images;
    images.state = make_state(json);
    proxy_set_images(rig->proxy, &images);
    if (rig->images.state != NULL) {
        state_free(unconst(rig->images.state));
    }
    rig->images = images;
}

/* --- life
 * ------------------------------------------------------------------------------------------- */

static int folder_fd(const struct rig *rig)
{
    int fd = open(rig->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static uint16_t listen_on(int *ret_fd)
{
    struct sock_addr addr;
    assert_ok(sock_addr_parse(STR("127.0.0.1:0"), &addr));
    assert_ok(sock_listen(&addr, ret_fd));
    assert_ok(sock_local(*ret_fd, &addr));
    return addr.port;
}

static bool on_auth(void *context, uint64_t ticket, struct str person, struct str password,
                    const struct addr *client)
{
    struct rig *rig = context;
    (void)client;
    assert_true(person.len != 0 && password.len != 0);
    if (rig->auth_busy || rig->n_tickets == RIG_TICKETS_MAX) {
        return false;
    }
    rig->tickets[rig->n_tickets++] = ticket;
    return true;
}

static void on_sealed(void *context)
{
    ((struct rig *)context)->sealed_rung++;
}

void rig_prepare(struct rig *rig)
{
    *rig = (struct rig){.folder = "/tmp/lodge-proxy-XXXXXX"};
    assert_non_null(mkdtemp(rig->folder));
    buf_init(&rig->got, 64 * 1024 * 1024);
    rig->options = (struct proxy_options){
        .node = STR("node"),
        .school = STR("school"),
        .gate_name = STR("lodge.test"),
        .proxy_name = STR("lodge.test:3128"),
        .allow_private = true,
        .head_timeout_ms = 20000,
        .idle_timeout_ms = 20000,
        .body_timeout_ms = 20000,
        .tunnel_timeout_ms = 20000,
        .hello_timeout_ms = 20000,
        .connect_timeout_ms = 20000,
        .drain_timeout_ms = 20000,
        .auth_cache_ms = 600000,
        .max_connections = 1000,
    };
}

void rig_start(struct rig *rig)
{
    assert_ok(loop_new(&rig->loop));
    assert_ok(spool_writer_open(folder_fd(rig), STR("proxy-0"), SPOOL_SEGMENT_MIN, &rig->spool));
    assert_ok(spool_reader_open(folder_fd(rig), &rig->reader));
    struct proxy_setup setup = {
        .loop = rig->loop,
        .options = rig->options,
        .spool = rig->spool,
        .hosts = str_from(HOSTS),
        .extra_roots = rig->extra_roots,
        .auth = on_auth,
        .auth_context = rig,
        .sealed = on_sealed,
        .sealed_context = rig,
        .leaf = rig->leaf,
        .leaf_context = rig->tls_context,
        .trust = rig->trust,
        .trust_context = rig->tls_context,
    };
    assert_ok(proxy_new(&setup, &rig->proxy));
    rig->images = (struct policy_images){make_catalog(), make_policy("visitors"), NULL};
    proxy_set_images(rig->proxy, &rig->images);
    rig->port = listen_on(&rig->listen_fd);
    rig->origin_port = listen_on(&rig->origin_fd);
    assert_ok(proxy_listen(rig->proxy, rig->listen_fd));
}

void rig_new(struct rig *rig)
{
    rig_prepare(rig);
    rig_start(rig);
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

void rig_free(struct rig *rig)
{
    proxy_free(rig->proxy);
    loop_free(rig->loop);
    close(rig->listen_fd);
    close(rig->origin_fd);
    spool_writer_free(rig->spool);
    spool_reader_free(rig->reader);
    catalog_free(unconst(rig->images.catalog));
    policy_free(unconst(rig->images.policy));
    if (rig->images.state != NULL) {
        state_free(unconst(rig->images.state));
    }
    buf_fini(&rig->got);
    assert_int_equal(nftw(rig->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* --- clients and origins
 * ------------------------------------------------------------------------------ */

void rig_settle(struct rig *rig)
{
    for (int i = 0; i < QUIET_TURNS; i++) {
        assert_ok(loop_turn(rig->loop, 0)); /* on the loopback all that was sent is there */
    }
}

int rig_client(struct rig *rig)
{
    struct sock_addr addr;
    char text[32];
    int fd = -1;
    snprintf(text, sizeof(text), "127.0.0.1:%u", (unsigned)rig->port);
    assert_ok(sock_addr_parse(str_from(text), &addr));
    assert_ok(sock_connect(&addr, &fd));
    rig_settle(rig);
    return fd;
}

void rig_say_bytes(struct rig *rig, int fd, struct str bytes)
{
    for (int i = 0; bytes.len != 0 && i < TURNS; i++) {
        ssize_t n = send(fd, bytes.p, bytes.len, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN) {
            return; /* it is gone; a test that minds reads */
        }
        bytes = str_skip(bytes, n > 0 ? (size_t)n : 0);
        assert_ok(loop_turn(rig->loop, bytes.len != 0 ? 1 : 0));
    }
    rig_settle(rig);
}

void rig_say(struct rig *rig, int fd, const char *text)
{
    struct buf out;
    buf_init(&out, 1 << 20);
    for (const char *p = text; *p != '\0'; p++) {
        if (p[0] == '%' && p[1] == 'O') {
            buf_append_u64(&out, rig->origin_port);
            p++;
        } else {
            buf_append_byte(&out, *p);
        }
    }
    rig_say_bytes(rig, fd, buf_str(&out));
    buf_fini(&out);
}

int rig_ask(struct rig *rig, const char *text)
{
    int fd = rig_client(rig);
    rig_say(rig, fd, text);
    return fd;
}

bool rig_origin_comes(struct rig *rig, int *ret_fd)
{
    struct sock_addr peer;
    for (int i = 0; i < 2 * QUIET_TURNS; i++) {
        if (sock_accept(rig->origin_fd, ret_fd, &peer) == ERR_OK) {
            rig_settle(rig);
            return true;
        }
        assert_ok(loop_turn(rig->loop, TURN_MS));
    }
    return false;
}

int rig_origin(struct rig *rig)
{
    int fd = -1;
    if (!rig_origin_comes(rig, &fd)) {
        fail_msg("nobody came to the origin");
    }
    return fd;
}

/* One read into rig->got; 0 at the end, -1 where nothing is there. */
static ssize_t read_some(struct rig *rig, int fd)
{
    char bytes[65536];
    ssize_t n = recv(fd, bytes, sizeof(bytes), 0);
    if (n > 0) {
        buf_append(&rig->got, str_make(bytes, (size_t)n));
        assert_ok(buf_err(&rig->got));
    }
    return n < 0 && errno != EAGAIN ? 0 : n;
}

struct str rig_read(struct rig *rig, int fd, const char *until)
{
    struct str want = str_from(until);
    buf_clear(&rig->got);
    for (int i = 0; i < TURNS; i++) {
        ssize_t n = read_some(rig, fd);
        struct str got = buf_str(&rig->got);
        if (want.len != 0 && str_find(got, want) < got.len) {
            return got;
        }
        if (n == 0) {
            break;
        }
        assert_ok(loop_turn(rig->loop, n < 0 ? TURN_MS : 0));
    }
    if (want.len != 0) {
        fail_msg("\"%s\" did not come, but: %.*s", until, STR_ARG(buf_str(&rig->got)));
    }
    return buf_str(&rig->got);
}

struct str rig_read_end(struct rig *rig, int fd)
{
    return rig_read(rig, fd, "");
}

bool rig_is_closed(struct rig *rig, int fd)
{
    buf_clear(&rig->got);
    for (int i = 0; i < TURNS / 10; i++) {
        if (read_some(rig, fd) == 0) {
            return true;
        }
        assert_ok(loop_turn(rig->loop, TURN_MS));
    }
    return false;
}

bool rig_is_quiet(struct rig *rig, int fd)
{
    char byte;
    rig_settle(rig);
    return recv(fd, &byte, 1, MSG_PEEK) < 0 && errno == EAGAIN;
}

bool rig_has(struct str text, const char *part)
{
    struct str want = str_from(part);
    return want.len == 0 || str_find(text, want) < text.len;
}

/* --- events
 * -------------------------------------------------------------------------------------------- */

static void keep(char *to, size_t size, struct str s)
{
    snprintf(to, size, "%.*s", STR_ARG(s));
}

void rig_events(struct rig *rig)
{
    struct event event;
    struct str where;
    enum err err = ERR_OK;
    while ((err = spool_reader_next(rig->reader, &event, &where)) == ERR_OK) {
        assert_true(rig->n_events < RIG_EVENTS_MAX);
        struct rig_event *to = &rig->events[rig->n_events++];
        *to = (struct rig_event){
            .kind = event.kind,
            .id = event.id,
            .action = event.action,
            .reason = event.reason,
            .end = event.end,
            .status = (unsigned)event.status,
            .bytes_up = event.bytes_up,
            .bytes_down = event.bytes_down,
            .sealed = event.sealed,
            .inspected = event.inspected,
        };
        keep(to->host, sizeof(to->host), event.host);
        keep(to->path, sizeof(to->path), event.path);
        keep(to->method, sizeof(to->method), event.method);
        keep(to->scheme, sizeof(to->scheme), event.scheme);
        keep(to->person, sizeof(to->person), event.person);
        keep(to->rule, sizeof(to->rule), event.rule);
        to->ech = event.ech;
        keep(to->search, sizeof(to->search), event.search);
    }
    assert_err(err, ERR_NOT_FOUND);
}

const struct rig_event *rig_last(struct rig *rig)
{
    rig_events(rig);
    assert_true(rig->n_events != 0);
    return &rig->events[rig->n_events - 1];
}
