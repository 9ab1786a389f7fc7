/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * tlsrelay: the least that intercepting TLS can cost.  A proxy that takes CONNECT, stands in for
 * the site with a leaf under --ca, speaks TLS with the site, and moves bytes between the two; it
 * parses nothing else, decides nothing and writes nothing down.
 *
 * One epoll loop in each of --processes processes.  Leaves are kept, one key is under all of them.
 * Both handshakes are full ones, unless --resume keeps the site's sessions.  --verify FILE has the
 * site's certificate checked against these roots; without it, anything is taken.  For benchmarks
 * only: it waits while it looks a name up, and trusts its clients.
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_EVENTS = 256,
    LISTEN_BACKLOG = 4096,
    HEAD_ROOM = 4096,
    BUFFER = 16384, /* the most that one TLS record holds */
    MAX_NAME = 253,
    MAX_SITES = 4096,
    MAX_PROCESSES = 64,
    DAY_SECONDS = 86400,
    VALID_DAYS = 30,
};

/* What is remembered of a site. */
struct site {
    char *name;
    struct sockaddr_in address;
    X509 *leaf;
    SSL_SESSION *session;
};

struct side {
    int fd; /* -1: not open */
    SSL *ssl;
    bool ready; /* its handshake is over */
};

/* Bytes on their way from one side to the other. */
struct way {
    char data[BUFFER];
    size_t length, sent;
};

enum step { STEP_HEAD, STEP_CONNECTING, STEP_TLS, STEP_RELAY, STEP_CLOSED };

struct pair {
    enum step step;
    struct side client, origin;
    struct site *site;
    size_t head_length;
    struct way up, down;
    struct pair *next_closed;
};

enum io { IO_SOME, IO_BLOCKED, IO_ENDED };

static struct {
    struct sockaddr_in listen;
    const char *ca_file, *key_file, *verify_file;
    bool resume;
    unsigned processes;
} options = {.processes = 1};

static int epoll_fd, listen_fd;
static SSL_CTX *client_context, *origin_context;
static X509 *ca;
static EVP_PKEY *ca_key, *leaf_key;
static struct site sites[MAX_SITES];
static size_t site_count;
static struct pair *closed; /* freed when the events in hand are done */

/* --- sites ---------------------------------------------------------------------------------- */

static struct sockaddr_in look_up(const char *name)
{
    struct addrinfo hints = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    struct sockaddr_in address = {0};
    if (getaddrinfo(name, NULL, &hints, &found) == 0) {
        memcpy(&address, found->ai_addr, sizeof address);
        freeaddrinfo(found);
    }
    return address;
}

static X509 *make_leaf(const char *name)
{
    X509 *leaf = X509_new();
    char alternative[MAX_NAME + sizeof "DNS:"];
    snprintf(alternative, sizeof alternative, "DNS:%.*s", MAX_NAME, name);
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
    if (leaf == NULL || extension == NULL) {
        die("a leaf");
    }
    X509_set_version(leaf, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(leaf),
                            (uint64_t)now_us() << 8 | (site_count & 255));
    X509_gmtime_adj(X509_getm_notBefore(leaf), -DAY_SECONDS);
    X509_gmtime_adj(X509_getm_notAfter(leaf), VALID_DAYS * DAY_SECONDS);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(leaf), "CN", MBSTRING_ASC,
                               (const unsigned char *)"tlsrelay", -1, -1, 0);
    X509_set_issuer_name(leaf, X509_get_subject_name(ca));
    X509_set_pubkey(leaf, leaf_key);
    X509_add_ext(leaf, extension, -1);
    X509_EXTENSION_free(extension);
    if (X509_sign(leaf, ca_key, EVP_sha256()) == 0) {
        die("a leaf cannot be signed");
    }
    return leaf;
}

static struct site *site_named(const char *name)
{
    for (size_t i = 0; i < site_count; i++) {
        if (strcmp(sites[i].name, name) == 0) {
            return &sites[i];
        }
    }
    if (site_count == MAX_SITES) {
        errno = 0;
        die("more than %d sites", MAX_SITES);
    }
    struct site *site = &sites[site_count];
    *site = (struct site){.name = strdup(name), .address = look_up(name), .leaf = make_leaf(name)};
    site_count++;
    return site;
}

/* OpenSSL has a session that may be resumed. */
static int keep_session(SSL *ssl, SSL_SESSION *session)
{
    struct pair *pair = SSL_get_app_data(ssl);
    SSL_SESSION_free(pair->site->session);
    pair->site->session = session;
    return 1;
}

static int choose_leaf(SSL *ssl, void *unused)
{
    const struct pair *pair = SSL_get_app_data(ssl);
    (void)unused;
    return SSL_use_certificate(ssl, pair->site->leaf) == 1 &&
           SSL_use_PrivateKey(ssl, leaf_key) == 1;
}

/* --- the end -------------------------------------------------------------------------------- */

static void side_close(struct side *side)
{
    if (side->ssl != NULL) {
        if (side->ready) {
            SSL_shutdown(side->ssl);
        }
        SSL_free(side->ssl);
        ERR_clear_error(); /* else the next session's SSL_get_error would see it */
        side->ssl = NULL;
    }
    if (side->fd >= 0) {
        close(side->fd);
        side->fd = -1;
    }
}

static enum io pair_close(struct pair *pair)
{
    side_close(&pair->client);
    side_close(&pair->origin);
    pair->step = STEP_CLOSED;
    pair->next_closed = closed;
    closed = pair;
    return IO_ENDED;
}

/* --- steps ---------------------------------------------------------------------------------- */

static void watch(int fd, struct pair *pair)
{
    int on = 1;
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = pair};
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
}

/* "CONNECT name:port HTTP/1.1" to the site and the port; 0: not that. */
static uint64_t read_connect(struct pair *pair)
{
    static const char method[] = "CONNECT ";
    char *name = pair->up.data + sizeof method - 1;
    char *colon = strchr(name, ':');
    char *space = strchr(name, ' ');
    if (strncmp(pair->up.data, method, sizeof method - 1) != 0 || colon == NULL ||
        space == NULL || colon > space || colon - name > MAX_NAME) {
        return 0;
    }
    *colon = '\0';
    *space = '\0';
    pair->site = site_named(name);
    return parse_number(colon + 1, 1, UINT16_MAX, "port");
}

static enum io step_head(struct pair *pair)
{
    char *head = pair->up.data;
    ssize_t n = recv(pair->client.fd, head + pair->head_length, HEAD_ROOM - pair->head_length, 0);
    if (n < 0 && errno == EAGAIN) {
        return IO_BLOCKED;
    }
    if (n <= 0) {
        return pair_close(pair);
    }
    pair->head_length += (size_t)n;
    head[pair->head_length] = '\0';
    if (strstr(head, "\r\n\r\n") == NULL) {
        return pair->head_length < HEAD_ROOM ? IO_SOME : pair_close(pair);
    }
    uint64_t port = read_connect(pair);
    if (port == 0) {
        return pair_close(pair);
    }
    struct sockaddr_in address = pair->site->address;
    address.sin_port = htons((uint16_t)port);
    pair->origin.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (connect(pair->origin.fd, (struct sockaddr *)&address, sizeof address) != 0 &&
        errno != EINPROGRESS) {
        return pair_close(pair);
    }
    pair->step = STEP_CONNECTING;
    watch(pair->origin.fd, pair);
    return IO_BLOCKED;
}

static SSL *new_session(SSL_CTX *context, struct pair *pair, int fd)
{
    SSL *ssl = SSL_new(context);
    if (ssl == NULL) {
        die("SSL_new");
    }
    SSL_set_app_data(ssl, pair);
    SSL_set_fd(ssl, fd);
    return ssl;
}

static enum io step_connecting(struct pair *pair)
{
    static const char established[] = "HTTP/1.1 200 OK\r\n\r\n";
    int error = 0;
    socklen_t length = sizeof error;
    struct sockaddr_in peer;
    socklen_t peer_length = sizeof peer;
    getsockopt(pair->origin.fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) {
        return pair_close(pair);
    }
    if (getpeername(pair->origin.fd, (struct sockaddr *)&peer, &peer_length) != 0) {
        return IO_BLOCKED;
    }
    if (send(pair->client.fd, established, sizeof established - 1, MSG_NOSIGNAL) < 0) {
        return pair_close(pair);
    }
    pair->client.ssl = new_session(client_context, pair, pair->client.fd);
    pair->origin.ssl = new_session(origin_context, pair, pair->origin.fd);
    SSL_set_accept_state(pair->client.ssl);
    SSL_set_connect_state(pair->origin.ssl);
    SSL_set_tlsext_host_name(pair->origin.ssl, pair->site->name);
    if (options.verify_file != NULL) {
        SSL_set1_host(pair->origin.ssl, pair->site->name);
    }
    if (options.resume && pair->site->session != NULL) {
        SSL_set_session(pair->origin.ssl, pair->site->session);
    }
    pair->step = STEP_TLS;
    return IO_SOME;
}

static enum io result_of(struct side *side, int result)
{
    if (result > 0) {
        return IO_SOME;
    }
    int error = SSL_get_error(side->ssl, result);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? IO_BLOCKED : IO_ENDED;
}

static enum io shake(struct side *side)
{
    if (side->ready) {
        return IO_SOME;
    }
    enum io io = result_of(side, SSL_do_handshake(side->ssl));
    side->ready = io == IO_SOME;
    return io;
}

static enum io step_tls(struct pair *pair)
{
    enum io origin = shake(&pair->origin);
    enum io client = origin != IO_ENDED ? shake(&pair->client) : IO_ENDED;
    if (origin == IO_ENDED || client == IO_ENDED) {
        return pair_close(pair);
    }
    if (!pair->origin.ready || !pair->client.ready) {
        return IO_BLOCKED;
    }
    pair->step = STEP_RELAY;
    return IO_SOME;
}

static enum io move(struct way *way, struct side *from, struct side *to)
{
    if (way->length == 0) {
        int n = SSL_read(from->ssl, way->data, BUFFER);
        enum io io = result_of(from, n);
        if (io != IO_SOME) {
            return io;
        }
        way->length = (size_t)n;
        way->sent = 0;
    }
    int n = SSL_write(to->ssl, way->data + way->sent, (int)(way->length - way->sent));
    enum io io = result_of(to, n);
    if (io == IO_SOME) {
        way->sent += (size_t)n;
        way->length = way->sent < way->length ? way->length : 0;
    }
    return io;
}

static enum io step_relay(struct pair *pair)
{
    enum io up = move(&pair->up, &pair->client, &pair->origin);
    enum io down = up != IO_ENDED ? move(&pair->down, &pair->origin, &pair->client) : IO_ENDED;
    if (up == IO_ENDED || down == IO_ENDED) {
        return pair_close(pair);
    }
    return up == IO_BLOCKED && down == IO_BLOCKED ? IO_BLOCKED : IO_SOME;
}

/* Edge-triggered: goes on until both ends block. */
static void pair_ready(struct pair *pair)
{
    static enum io (*const steps[])(struct pair *) = {
        [STEP_HEAD] = step_head,
        [STEP_CONNECTING] = step_connecting,
        [STEP_TLS] = step_tls,
        [STEP_RELAY] = step_relay,
    };
    while (pair->step != STEP_CLOSED && steps[pair->step](pair) == IO_SOME) {
    }
}

/* --- the process ---------------------------------------------------------------------------- */

static void accept_clients(void)
{
    int fd;
    while ((fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct pair *pair = malloc(sizeof *pair);
        if (pair == NULL) {
            die("out of memory");
        }
        /* The buffers need no clearing. */
        pair->step = STEP_HEAD;
        pair->client = (struct side){.fd = fd};
        pair->origin = (struct side){.fd = -1};
        pair->site = NULL;
        pair->head_length = 0;
        pair->up.length = 0;
        pair->down.length = 0;
        watch(fd, pair);
    }
}

static void free_closed(void)
{
    while (closed != NULL) {
        struct pair *pair = closed;
        closed = pair->next_closed;
        free(pair);
    }
}

static void open_listener(void)
{
    int on = 1;
    listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    setsockopt(listen_fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (bind(listen_fd, (struct sockaddr *)&options.listen, sizeof options.listen) != 0 ||
        listen(listen_fd, LISTEN_BACKLOG) != 0) {
        die("listen");
    }
}

static void run(void)
{
    open_listener();
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listen_fd, &event);
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        int count = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.ptr == NULL) {
                accept_clients();
            } else {
                pair_ready(events[i].data.ptr);
            }
        }
        free_closed();
    }
}

static FILE *open_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        die("%s", path);
    }
    return file;
}

static void read_ca(void)
{
    FILE *file = open_file(options.ca_file);
    ca = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    file = open_file(options.key_file);
    ca_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    leaf_key = EVP_EC_gen("P-256");
    if (ca == NULL || ca_key == NULL || leaf_key == NULL) {
        errno = 0;
        die("the CA cannot be read");
    }
}

static void open_tls(void)
{
    const long mode = SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                      SSL_MODE_RELEASE_BUFFERS;
    client_context = SSL_CTX_new(TLS_server_method());
    origin_context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_mode(client_context, mode);
    SSL_CTX_set_mode(origin_context, mode);
    SSL_CTX_set_session_cache_mode(client_context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_cert_cb(client_context, choose_leaf, NULL);
    SSL_CTX_set_session_cache_mode(
        origin_context,
        options.resume ? SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL : SSL_SESS_CACHE_OFF);
    SSL_CTX_sess_set_new_cb(origin_context, options.resume ? keep_session : NULL);
    if (options.verify_file != NULL) {
        SSL_CTX_set_verify(origin_context, SSL_VERIFY_PEER, NULL);
        if (SSL_CTX_load_verify_locations(origin_context, options.verify_file, NULL) != 1) {
            die("%s", options.verify_file);
        }
    }
}

static _Noreturn void usage(void)
{
    fputs("usage: tlsrelay --listen ADDRESS:PORT --ca FILE --ca-key FILE [--verify FILE] "
          "[--resume] [--processes N]\n",
          stderr);
    exit(2);
}

static void read_options(int argc, char **argv)
{
    static const struct option table[] = {
        {"listen", required_argument, NULL, 'l'}, {"ca", required_argument, NULL, 'c'},
        {"ca-key", required_argument, NULL, 'k'}, {"verify", required_argument, NULL, 'v'},
        {"resume", no_argument, NULL, 'r'},       {"processes", required_argument, NULL, 'p'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", table, NULL)) != -1) {
        switch (option) {
        case 'l': options.listen = parse_address(optarg); break;
        case 'c': options.ca_file = optarg; break;
        case 'k': options.key_file = optarg; break;
        case 'v': options.verify_file = optarg; break;
        case 'r': options.resume = true; break;
        case 'p':
            options.processes = (unsigned)parse_number(optarg, 1, MAX_PROCESSES, "--processes");
            break;
        default: usage();
        }
    }
    if (options.listen.sin_port == 0 || options.ca_file == NULL || options.key_file == NULL) {
        usage();
    }
}

int main(int argc, char **argv)
{
    ignore_sigpipe();
    read_options(argc, argv);
    read_ca();
    open_tls();
    for (unsigned i = 1; i < options.processes; i++) {
        if (fork() == 0) {
            break;
        }
    }
    run();
}
