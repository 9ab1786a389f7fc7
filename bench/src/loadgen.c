/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * loadgen: a load client for forward proxies.  One thread, one epoll loop; prints one JSON line.
 *
 * It keeps --connections connections busy for --seconds, then starts nothing new and waits for the
 * answers under way (they would be a large share of the count where a proxy is slow).  A latency
 * runs from the first SYN, or from the request on a connection that is used again, to the last
 * byte of the answer.
 */
#include "common.h"
#include "loadgen_http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum {
    MAX_EVENTS = 256,
    REQUEST_ROOM = 2048,
    READ_ROOM = 1024 * 1024,
    TLS_READ_ROOM = 64 * 1024,
    WAIT_MS = 100,
    DRAIN_SECONDS = 5,
    /* Idle tunnels open this many at a time, so that no listen queue overflows. */
    IDLE_OPENING = 64,
    /* A proxy that only fails must not be hammered for the whole run. */
    MAX_ERRORS = 2000,
    /* Clients come from 127.0.2.1 upwards: one address would run out of ports in TIME_WAIT. */
    SOURCE_BASE = 0x7f000200,
    ERROR_ROOM = 120,
};

struct mode {
    const char *name;
    bool tunnel; /* CONNECT first */
    bool tls;    /* TLS with the origin, or with the proxy that stands in for it */
    bool verify; /* the certificate must come from --ca */
    bool reuse;  /* several requests on a connection */
    bool bulk;   /* count bytes: throw them away unread, stop at once at the end */
    bool idle;   /* open tunnels and hold them */
};

static const struct mode modes[] = {
    {.name = "get-keepalive", .reuse = true},
    {.name = "get-new-connection"},
    {.name = "connect-tunnel", .tunnel = true},
    {.name = "connect-tls", .tunnel = true, .tls = true},
    {.name = "bulk-tunnel", .tunnel = true, .reuse = true, .bulk = true},
    {.name = "bulk-get", .reuse = true, .bulk = true},
    {.name = "mitm-new", .tunnel = true, .tls = true, .verify = true},
    {.name = "mitm-keepalive", .tunnel = true, .tls = true, .verify = true, .reuse = true},
    {.name = "mitm-bulk", .tunnel = true, .tls = true, .verify = true, .reuse = true, .bulk = true},
    {.name = "idle-tunnels", .tunnel = true, .idle = true},
};
enum { MODE_COUNT = sizeof modes / sizeof modes[0] };

enum step { STEP_CONNECTING, STEP_CONNECT_REPLY, STEP_TLS, STEP_RESPONSE, STEP_IDLE };

/* What a step leads to: go on at once, wait for the socket, or the connection is no more. */
enum next { NEXT_AGAIN, NEXT_WAIT, NEXT_GONE };

struct connection {
    int fd; /* -1: not open */
    SSL *ssl;
    enum step step;
    unsigned requests;
    const char *host;
    int64_t started_us;
    struct response response;
};

static struct {
    const struct mode *mode;
    struct sockaddr_in proxy;
    struct lines hosts;
    unsigned port;
    const char *path;
    size_t connections;
    unsigned seconds;
    unsigned sources;
    unsigned expect;
    bool relay;  /* the "proxy" is a plain TCP relay: no CONNECT */
    bool rotate; /* another host for each request, not only for each connection */
    char authorization[512];
    const char *ca_file;
} options = {.path = "/1k", .connections = 32, .seconds = 2, .sources = 100, .expect = 200};

static struct {
    uint64_t ok, errors, unexpected, reconnects, bytes, idle;
    size_t open;
    int64_t last_us;
    char first_error[ERROR_ROOM];
    struct histogram latency;
} result;

static int epoll_fd;
static SSL_CTX *tls_context;
static struct connection *connections;
static size_t next_idle; /* idle tunnels: the first connection not opened yet */
static int64_t stop_us;

static void connection_open(struct connection *connection);

static bool time_is_up(void)
{
    return now_us() >= stop_us || result.errors > MAX_ERRORS;
}

static const char *next_host(void)
{
    static size_t turn;
    return options.hosts.line[turn++ % options.hosts.count];
}

static void connection_close(struct connection *connection)
{
    if (connection->ssl != NULL) {
        SSL_free(connection->ssl);
        ERR_clear_error(); /* else the next session's SSL_get_error would see it */
        connection->ssl = NULL;
    }
    close(connection->fd);
    connection->fd = -1;
    result.open--;
}

static enum next connection_renew(struct connection *connection)
{
    connection_close(connection);
    if (!time_is_up() && !options.mode->idle) {
        connection_open(connection);
    }
    return NEXT_GONE;
}

static enum next fail(struct connection *connection, const char *what, const char *detail)
{
    if (result.errors++ == 0) {
        snprintf(result.first_error, sizeof result.first_error, "%s: %.80s", what, detail);
    }
    return connection_renew(connection);
}

/* Requests are far smaller than a socket's buffer: one that does not go out whole is an error. */
static bool send_whole(struct connection *connection, const char *text, int length)
{
    if (connection->ssl != NULL) {
        return SSL_write(connection->ssl, text, length) == length;
    }
    return send(connection->fd, text, (size_t)length, MSG_NOSIGNAL) == length;
}

static enum next send_request(struct connection *connection)
{
    const struct mode *mode = options.mode;
    char text[REQUEST_ROOM];
    char origin[300] = "";
    if (options.rotate && connection->requests > 0 && !mode->tunnel) {
        connection->host = next_host();
    }
    if (!mode->tunnel) {
        snprintf(origin, sizeof origin, "http://%s:%u", connection->host, options.port);
    }
    int length = snprintf(text, sizeof text,
                          "GET %s%s HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: loadgen\r\n"
                          "Accept: */*\r\n%sConnection: %s\r\n\r\n",
                          origin, options.path, connection->host, options.port,
                          mode->tunnel ? "" : options.authorization,
                          mode->reuse ? "keep-alive" : "close");
    if (mode->reuse && connection->requests > 0) {
        connection->started_us = now_us();
    }
    connection->requests++;
    connection->step = STEP_RESPONSE;
    response_start(&connection->response, false);
    if (!send_whole(connection, text, length)) {
        return fail(connection, "send", "request did not go out");
    }
    return NEXT_AGAIN;
}

static enum next send_connect(struct connection *connection)
{
    char text[REQUEST_ROOM];
    int length = snprintf(text, sizeof text,
                          "CONNECT %s:%u HTTP/1.1\r\nHost: %s:%u\r\nUser-Agent: loadgen\r\n%s\r\n",
                          connection->host, options.port, connection->host, options.port,
                          options.authorization);
    connection->step = STEP_CONNECT_REPLY;
    response_start(&connection->response, true);
    if (!send_whole(connection, text, length)) {
        return fail(connection, "send", "CONNECT did not go out");
    }
    return NEXT_AGAIN;
}

static enum next become_idle(struct connection *connection)
{
    connection->step = STEP_IDLE;
    result.idle++;
    if (next_idle < options.connections && !time_is_up()) {
        connection_open(&connections[next_idle++]);
    }
    if (result.idle + result.errors == options.connections) {
        fputs("ready\n", stderr);
    }
    return NEXT_WAIT;
}

static enum next start_tls(struct connection *connection)
{
    connection->ssl = SSL_new(tls_context);
    if (connection->ssl == NULL) {
        die("SSL_new");
    }
    SSL_set_tlsext_host_name(connection->ssl, connection->host);
    if (options.mode->verify) {
        SSL_set1_host(connection->ssl, connection->host);
    }
    SSL_set_fd(connection->ssl, connection->fd);
    SSL_set_connect_state(connection->ssl);
    connection->step = STEP_TLS;
    return NEXT_AGAIN;
}

static enum next way_is_open(struct connection *connection)
{
    if (options.mode->idle) {
        return become_idle(connection);
    }
    return options.mode->tls ? start_tls(connection) : send_request(connection);
}

static enum next step_connecting(struct connection *connection)
{
    int error = 0;
    socklen_t length = sizeof error;
    getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
        return fail(connection, "connect", strerror(error));
    }
    bool ask = options.mode->tunnel && !options.relay;
    return ask ? send_connect(connection) : way_is_open(connection);
}

static enum next step_connect_reply(struct connection *connection)
{
    char data[RESPONSE_HEAD_ROOM];
    ssize_t length = recv(connection->fd, data, sizeof data, 0);
    if (length < 0 && errno == EAGAIN) {
        return NEXT_WAIT;
    }
    if (length <= 0) {
        return fail(connection, "CONNECT", "connection ended");
    }
    response_feed(&connection->response, data, (size_t)length);
    if (connection->response.state == RESPONSE_HEAD) {
        return NEXT_AGAIN;
    }
    if (connection->response.status != 200) {
        return fail(connection, "CONNECT refused", connection->response.head);
    }
    return way_is_open(connection);
}

static enum next step_tls(struct connection *connection)
{
    int done = SSL_connect(connection->ssl);
    if (done == 1) {
        return send_request(connection);
    }
    int error = SSL_get_error(connection->ssl, done);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        return NEXT_WAIT;
    }
    long verdict = SSL_get_verify_result(connection->ssl);
    return fail(connection, "TLS handshake",
                verdict != X509_V_OK ? X509_verify_cert_error_string(verdict) : "failed");
}

static enum next answer_done(struct connection *connection)
{
    result.last_us = now_us();
    histogram_add(&result.latency, result.last_us - connection->started_us);
    result.ok++;
    if (connection->response.status != options.expect) {
        result.unexpected++;
    }
    if (options.mode->reuse && connection->response.keeps && !time_is_up()) {
        return send_request(connection);
    }
    return connection_renew(connection);
}

/* Reads once; -1: would block, 0: the end. */
static ssize_t read_some(struct connection *connection, char *data, bool discard)
{
    if (connection->ssl != NULL) {
        int length = SSL_read(connection->ssl, data, TLS_READ_ROOM);
        if (length > 0) {
            return length;
        }
        return SSL_get_error(connection->ssl, length) == SSL_ERROR_WANT_READ ? -1 : 0;
    }
    size_t room = READ_ROOM;
    if (discard && connection->response.left < room) {
        room = (size_t)connection->response.left;
    }
    ssize_t length = recv(connection->fd, data, room, discard ? MSG_TRUNC : 0);
    return length < 0 && errno != EAGAIN ? 0 : length;
}

static enum next response_ended(struct connection *connection)
{
    bool unused = connection->response.state == RESPONSE_HEAD &&
                  connection->response.head_length == 0 && connection->requests > 1;
    if (unused) {
        result.reconnects++; /* the proxy gave up an idle connection, as it may */
        return connection_renew(connection);
    }
    if (response_end(&connection->response) == RESPONSE_COMPLETE) {
        return answer_done(connection);
    }
    return fail(connection, "response", "connection ended early");
}

static enum next step_response(struct connection *connection)
{
    static char data[READ_ROOM];
    struct response *response = &connection->response;
    bool discard = options.mode->bulk && response->state == RESPONSE_COUNTED;
    ssize_t length = read_some(connection, data, discard);
    if (length < 0) {
        return NEXT_WAIT;
    }
    if (length == 0) {
        return response_ended(connection);
    }
    result.bytes += (uint64_t)length;
    if (discard && connection->ssl == NULL) {
        response_skip(response, (uint64_t)length);
    } else {
        response_feed(response, data, (size_t)length);
    }
    if (response->state == RESPONSE_BROKEN) {
        return fail(connection, "response", "not HTTP");
    }
    return response->state == RESPONSE_COMPLETE ? answer_done(connection) : NEXT_AGAIN;
}

static enum next step_idle(struct connection *connection)
{
    char data[64];
    ssize_t length = recv(connection->fd, data, sizeof data, 0);
    if (length > 0 || (length < 0 && errno == EAGAIN)) {
        return NEXT_WAIT;
    }
    result.idle--;
    return fail(connection, "idle tunnel", "closed by the proxy");
}

/* Edge-triggered: goes on until the socket blocks. */
static void connection_ready(struct connection *connection)
{
    static enum next (*const steps[])(struct connection *) = {
        [STEP_CONNECTING] = step_connecting, [STEP_CONNECT_REPLY] = step_connect_reply,
        [STEP_TLS] = step_tls,               [STEP_RESPONSE] = step_response,
        [STEP_IDLE] = step_idle,
    };
    while (connection->fd >= 0 && steps[connection->step](connection) == NEXT_AGAIN) {
        if (options.mode->bulk && time_is_up()) {
            return;
        }
    }
}

static void bind_source(int fd)
{
    static unsigned turn;
    int on = 1;
    uint32_t address = SOURCE_BASE + 1 + turn++ % options.sources;
    struct sockaddr_in source = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
    setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&source, sizeof source) != 0) {
        die("bind (without the loopback, use --sources 0)");
    }
}

static void connection_open(struct connection *connection)
{
    int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        die("socket");
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    if (options.sources > 0) {
        bind_source(fd);
    }
    connection->fd = fd;
    connection->step = STEP_CONNECTING;
    connection->requests = 0;
    connection->host = next_host();
    connection->started_us = now_us();
    result.open++;
    if (connect(fd, (struct sockaddr *)&options.proxy, sizeof options.proxy) != 0 &&
        errno != EINPROGRESS) {
        die("connect");
    }
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = connection};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

static void run(void)
{
    int64_t drain_us = options.mode->bulk || options.mode->idle ? 0 : DRAIN_SECONDS * 1000000ll;
    size_t first = options.mode->idle && options.connections > IDLE_OPENING ? IDLE_OPENING
                                                                            : options.connections;
    next_idle = first;
    for (size_t i = 0; i < first; i++) {
        connection_open(&connections[i]);
    }
    while (result.open > 0 && now_us() < stop_us + drain_us) {
        struct epoll_event events[MAX_EVENTS];
        int count = epoll_wait(epoll_fd, events, MAX_EVENTS, WAIT_MS);
        for (int i = 0; i < count; i++) {
            connection_ready(events[i].data.ptr);
        }
    }
}

static void open_tls(void)
{
    tls_context = SSL_CTX_new(TLS_client_method());
    /* Each handshake is a full one: school devices that meet a site for the first time. */
    SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(tls_context, SSL_OP_IGNORE_UNEXPECTED_EOF);
    if (options.mode->verify) {
        SSL_CTX_set_verify(tls_context, SSL_VERIFY_PEER, NULL);
        if (options.ca_file == NULL ||
            SSL_CTX_load_verify_locations(tls_context, options.ca_file, NULL) != 1) {
            errno = 0;
            die("mode %s needs --ca FILE", options.mode->name);
        }
    }
}

static const struct mode *mode_named(const char *name)
{
    for (size_t i = 0; i < MODE_COUNT; i++) {
        if (strcmp(modes[i].name, name) == 0) {
            return &modes[i];
        }
    }
    errno = 0;
    die("no mode '%s'", name);
}

static void set_authorization(const char *user_and_password)
{
    char encoded[400];
    if (!base64_print(encoded, sizeof encoded, user_and_password)) {
        errno = 0;
        die("--auth is too long");
    }
    snprintf(options.authorization, sizeof options.authorization,
             "Proxy-Authorization: Basic %s\r\n", encoded);
}

static _Noreturn void usage(void)
{
    fputs("usage: loadgen --proxy ADDRESS:PORT --mode MODE --hosts FILE --port ORIGIN_PORT\n"
          "  [--path /1k|/32k|/100m] [--connections N] [--seconds N] [--auth USER:PASSWORD]\n"
          "  [--ca FILE] [--sources N] [--expect STATUS] [--relay] [--rotate]\nmodes:",
          stderr);
    for (size_t i = 0; i < MODE_COUNT; i++) {
        fprintf(stderr, " %s", modes[i].name);
    }
    fputc('\n', stderr);
    exit(2);
}

static void set_option(int option, const char *value)
{
    switch (option) {
    case 'x': options.proxy = parse_address(value); break;
    case 'm': options.mode = mode_named(value); break;
    case 'H': options.hosts = lines_read(value); break;
    case 'p': options.port = (unsigned)parse_number(value, 1, UINT16_MAX, "--port"); break;
    case 'u': options.path = value; break;
    case 'c': options.connections = parse_number(value, 1, 1000000, "--connections"); break;
    case 't': options.seconds = (unsigned)parse_number(value, 1, 3600, "--seconds"); break;
    case 'a': set_authorization(value); break;
    case 'C': options.ca_file = value; break;
    case 's': options.sources = (unsigned)parse_number(value, 0, 250, "--sources"); break;
    case 'e': options.expect = (unsigned)parse_number(value, 100, 599, "--expect"); break;
    case 'r': options.relay = true; break;
    case 'R': options.rotate = true; break;
    default: usage();
    }
}

static void read_options(int argc, char **argv)
{
    static const struct option table[] = {
        {"proxy", required_argument, NULL, 'x'},   {"mode", required_argument, NULL, 'm'},
        {"hosts", required_argument, NULL, 'H'},   {"port", required_argument, NULL, 'p'},
        {"path", required_argument, NULL, 'u'},    {"connections", required_argument, NULL, 'c'},
        {"seconds", required_argument, NULL, 't'}, {"auth", required_argument, NULL, 'a'},
        {"ca", required_argument, NULL, 'C'},      {"sources", required_argument, NULL, 's'},
        {"expect", required_argument, NULL, 'e'},  {"relay", no_argument, NULL, 'r'},
        {"rotate", no_argument, NULL, 'R'},        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        set_option(option, optarg);
    }
    if (options.mode == NULL || options.hosts.count == 0 || options.port == 0 ||
        options.proxy.sin_port == 0) {
        usage();
    }
}

static void print_result(int64_t start_us)
{
    bool counted = options.mode->bulk || options.mode->idle || result.last_us == 0;
    int64_t end_us = counted ? now_us() : result.last_us;
    double seconds = (double)(end_us - start_us) / 1e6;
    for (char *p = result.first_error; *p != '\0'; p++) {
        if (*p < ' ' || *p == '"' || *p == '\\') {
            *p = ' '; /* keeps the JSON valid whatever a proxy said */
        }
    }
    printf("{\"mode\": \"%s\", \"ok\": %llu, \"errors\": %llu, \"unexpected\": %llu, "
           "\"reconnects\": %llu, \"seconds\": %.3f, \"rps\": %.1f, \"p50_us\": %llu, "
           "\"p99_us\": %llu, \"bytes\": %llu, \"idle\": %llu, \"first_error\": \"%s\"}\n",
           options.mode->name, (unsigned long long)result.ok, (unsigned long long)result.errors,
           (unsigned long long)result.unexpected, (unsigned long long)result.reconnects, seconds,
           (double)result.ok / seconds,
           (unsigned long long)histogram_percentile(&result.latency, 500),
           (unsigned long long)histogram_percentile(&result.latency, 990),
           (unsigned long long)result.bytes, (unsigned long long)result.idle, result.first_error);
}

int main(int argc, char **argv)
{
    ignore_sigpipe();
    read_options(argc, argv);
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    connections = calloc(options.connections, sizeof *connections);
    if (connections == NULL) {
        die("out of memory");
    }
    for (size_t i = 0; i < options.connections; i++) {
        connections[i].fd = -1;
    }
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (options.mode->tls) {
        open_tls();
    }
    int64_t start_us = now_us();
    stop_us = start_us + (int64_t)options.seconds * 1000000;
    run();
    print_result(start_us);
    return 0;
}
