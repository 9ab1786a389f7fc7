/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * origin: the web server behind the proxies.  HTTP/1.1 with keep-alive, optionally over TLS.
 *
 *   /1k    1 KiB of text        /32k   32 KiB of English-like HTML        /100m   100 MiB
 *
 * Over TLS it shows a certificate under --ca for each name asked for, made when first needed.  On
 * --tls-listen-closing it closes after each answer; on --tls-listen-cold it gives no tickets
 * either, so that each handshake is a full one.
 *
 * It is as cheap as can be, so that the proxy is what limits: one thread, one epoll loop, answers
 * prepared beforehand.  It reads no request bodies and trusts its clients: for benchmarks only.
 */
#include "common.h"

#include <errno.h>
#include <getopt.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    MAX_LISTENERS = 64,
    MAX_EVENTS = 256,
    REQUEST_ROOM = 8192,
    HEAD_ROOM = 256,
    LISTEN_BACKLOG = 4096,
    SMALL_SIZE = 1024,
    PAGE_SIZE_HTML = 32 * 1024,
    BULK_SIZE = 100 * 1024 * 1024,
    /* The 100 MiB body is this block over and over: small enough to stay in the CPU's cache. */
    BULK_BLOCK = 256 * 1024,
    MAX_CERTIFICATES = 4096,
    MAX_NAME = 253,
    DAY_SECONDS = 86400,
    VALID_DAYS = 30,
};

/* A body is `block` repeated until `size` bytes have gone out. */
struct body {
    const char *path;
    const char *type;
    char *block;
    size_t block_size;
    size_t size;
    char head[2][HEAD_ROOM]; /* [0] keeps the connection, [1] closes it */
};

static struct body bodies[] = {
    {.path = "/1k", .type = "text/plain", .block_size = SMALL_SIZE, .size = SMALL_SIZE},
    {.path = "/32k", .type = "text/html", .block_size = PAGE_SIZE_HTML, .size = PAGE_SIZE_HTML},
    {.path = "/100m", .type = "application/octet-stream", .block_size = BULK_BLOCK,
     .size = BULK_SIZE},
};
enum { BODY_COUNT = sizeof bodies / sizeof bodies[0] };

struct listener {
    int fd;
    bool tls;
    bool closes;
    bool cold;
};

struct client {
    int fd;
    SSL *ssl;
    bool closes;
    char request[REQUEST_ROOM];
    size_t request_length;
    const struct body *body; /* NULL: nothing to send */
    const char *head;
    size_t head_left;
    size_t body_left;
    bool close_after;
};

enum io { IO_DONE, IO_BLOCKED, IO_CLOSED };

static struct listener listeners[MAX_LISTENERS];
static size_t listener_count;
static SSL_CTX *tls_context;
static EVP_PKEY *tls_key;
static X509 *ca;
static EVP_PKEY *ca_key;

/* A certificate for each name that has been asked for. */
static struct named_certificate {
    char *name;
    X509 *certificate;
} certificates[MAX_CERTIFICATES];
static size_t certificate_count;
static int epoll_fd;

/* Appends random words, in sentences and paragraphs with links, until the page is full. */
static void fill_html(char *page, size_t size)
{
    static const char *const words[] = {
        "the",   "of",     "and",    "to",     "school",  "in",     "that",   "lesson", "it",
        "was",   "river",  "for",    "on",     "history", "are",    "with",   "as",     "they",
        "at",    "be",     "this",   "have",   "from",    "or",     "music",  "had",    "by",
        "not",   "word",   "but",    "what",   "some",    "we",     "can",    "out",    "other",
        "were",  "all",    "there",  "when",   "up",      "use",    "your",   "how",    "garden",
        "each",  "she",    "which",  "do",     "their",   "time",   "if",     "will",   "way",
        "about", "many",   "then",   "them",   "write",   "would",  "like",   "so",     "these",
        "her",   "long",   "make",   "thing",  "see",     "him",    "two",    "has",    "look",
        "more",  "day",    "could",  "go",     "come",    "did",    "number", "sound",  "no",
        "most",  "people", "water",  "over",   "know",    "than",   "call",   "first",  "who",
        "may",   "down",   "side",   "been",   "now",     "find",   "any",    "new",    "work",
        "part",  "take",   "animal", "place",  "made",    "live",   "where",  "after",  "back",
        "little", "only",  "round",  "man",    "year",    "came",   "show",   "every",  "good",
    };
    static const char opening[] = "<!DOCTYPE html><html lang=en><title>Reading page</title><body>";
    size_t used = sizeof opening - 1;
    memcpy(page, opening, used);
    uint32_t random = 1;
    while (used < size) {
        char piece[128];
        random = random * 1664525u + 1013904223u;
        const char *word = words[(random >> 16) % (sizeof words / sizeof words[0])];
        unsigned kind = (random >> 8) & 255u;
        const char *format = kind < 3   ? "%s.</p>\n<p>"
                             : kind < 8 ? "<a href=\"/reading/%s.html\">more</a> "
                             : kind < 24 ? "%s. "
                                         : "%s ";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral" /* one of the four formats above */
        int length = snprintf(piece, sizeof piece, format, word);
#pragma GCC diagnostic pop
        size_t fits = (size_t)length < size - used ? (size_t)length : size - used;
        memcpy(page + used, piece, fits);
        used += fits;
    }
}

static void prepare_bodies(void)
{
    for (size_t i = 0; i < BODY_COUNT; i++) {
        struct body *body = &bodies[i];
        body->block = malloc(body->block_size);
        if (body->block == NULL) {
            die("out of memory");
        }
        fill_html(body->block, body->block_size);
        for (int closing = 0; closing < 2; closing++) {
            snprintf(body->head[closing], HEAD_ROOM,
                     "HTTP/1.1 200 OK\r\nServer: bench-origin\r\nContent-Type: %s\r\n"
                     "Content-Length: %zu\r\n"
                     "Cache-Control: no-store\r\nConnection: %s\r\n\r\n",
                     body->type, body->size, closing ? "close" : "keep-alive");
        }
    }
}

static void client_free(struct client *client)
{
    if (client->ssl != NULL) {
        SSL_shutdown(client->ssl); /* sends close_notify, so that the peer sees a proper end */
        SSL_free(client->ssl);
        ERR_clear_error(); /* else the next session's SSL_get_error would see it */
    }
    close(client->fd);
    free(client);
}

static enum io io_result(struct client *client, ssize_t result)
{
    if (client->ssl != NULL) {
        int error = SSL_get_error(client->ssl, (int)result);
        return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? IO_BLOCKED
                                                                            : IO_CLOSED;
    }
    return result < 0 && errno == EAGAIN ? IO_BLOCKED : IO_CLOSED;
}

/* Sends what goes at once; `more` says that the body follows, so that one packet carries both. */
static enum io send_some(struct client *client, const char *data, size_t length, size_t *sent,
                         bool more)
{
    ssize_t result;
    if (client->ssl != NULL) {
        result = SSL_write(client->ssl, data, (int)length);
    } else {
        result = send(client->fd, data, length, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    }
    if (result <= 0) {
        return io_result(client, result);
    }
    *sent = (size_t)result;
    return IO_DONE;
}

static enum io flush_answer(struct client *client)
{
    const struct body *body = client->body;
    while (client->head_left > 0) {
        size_t sent;
        enum io io = send_some(client, client->head, client->head_left, &sent, true);
        if (io != IO_DONE) {
            return io;
        }
        client->head += sent;
        client->head_left -= sent;
    }
    while (client->body_left > 0) {
        size_t offset = (body->size - client->body_left) % body->block_size;
        size_t chunk = body->block_size - offset;
        size_t sent;
        chunk = chunk < client->body_left ? chunk : client->body_left;
        enum io io = send_some(client, body->block + offset, chunk, &sent, false);
        if (io != IO_DONE) {
            return io;
        }
        client->body_left -= sent;
    }
    client->body = NULL;
    return client->close_after ? IO_CLOSED : IO_DONE;
}

/* The path of a request line, whose target may be a path or an absolute URI. */
static const struct body *body_of(const char *request)
{
    const char *target = strchr(request, ' ');
    target = target == NULL ? "" : target + 1;
    if (strncasecmp(target, "http://", 7) == 0) {
        target = strchr(target + 7, '/');
    }
    for (size_t i = 0; target != NULL && i < BODY_COUNT; i++) {
        size_t length = strlen(bodies[i].path);
        if (strncmp(target, bodies[i].path, length) == 0 && target[length] == ' ') {
            return &bodies[i];
        }
    }
    return &bodies[0];
}

static bool wants_close(const char *request)
{
    const char *line_end = strstr(request, "\r\n");
    bool old = line_end != NULL && line_end - request > 8 && memcmp(line_end - 3, "1.0", 3) == 0;
    return old ? strcasestr(request, "\r\nconnection: keep-alive") == NULL
               : strcasestr(request, "\r\nconnection: close") != NULL;
}

/* Takes one whole request out of the buffer and sets its answer up; false: none is there yet. */
static bool take_request(struct client *client)
{
    char *end = memmem(client->request, client->request_length, "\r\n\r\n", 4);
    if (end == NULL) {
        return false;
    }
    *end = '\0';
    client->close_after = client->closes || wants_close(client->request);
    client->body = body_of(client->request);
    client->head = client->body->head[client->close_after];
    client->head_left = strlen(client->head);
    client->body_left = client->body->size;
    size_t used = (size_t)(end + 4 - client->request);
    client->request_length -= used;
    memmove(client->request, client->request + used, client->request_length);
    return true;
}

static enum io receive(struct client *client)
{
    char *into = client->request + client->request_length;
    size_t room = REQUEST_ROOM - client->request_length;
    if (room == 0) {
        return IO_CLOSED;
    }
    ssize_t result = client->ssl != NULL ? SSL_read(client->ssl, into, (int)room)
                                         : recv(client->fd, into, room, 0);
    if (result <= 0) {
        return io_result(client, result);
    }
    client->request_length += (size_t)result;
    return IO_DONE;
}

/* Edge-triggered: goes on until the socket blocks. */
static void client_ready(struct client *client)
{
    enum io io = IO_DONE;
    while (io == IO_DONE) {
        if (client->body != NULL) {
            io = flush_answer(client);
        } else if (!take_request(client)) {
            io = receive(client);
        }
    }
    if (io == IO_CLOSED) {
        client_free(client);
    }
}

static void accept_clients(const struct listener *listener)
{
    int fd;
    while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        int on = 1;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        struct client *client = calloc(1, sizeof *client);
        if (client == NULL) {
            die("out of memory");
        }
        client->fd = fd;
        client->closes = listener->closes;
        if (listener->tls) {
            client->ssl = SSL_new(tls_context);
            SSL_set_fd(client->ssl, fd);
            SSL_set_accept_state(client->ssl);
            if (listener->cold) {
                SSL_set_options(client->ssl, SSL_OP_NO_TICKET);
                SSL_set_num_tickets(client->ssl, 0);
            }
        }
        struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = client};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event);
    }
}

static void listen_on(const char *text, struct listener kind)
{
    if (listener_count == MAX_LISTENERS) {
        errno = 0;
        die("too many listening addresses");
    }
    struct sockaddr_in address = parse_address(text);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 ||
        listen(fd, LISTEN_BACKLOG) != 0) {
        die("%s", text);
    }
    kind.fd = fd;
    listeners[listener_count++] = kind;
}

/* Makes a certificate for a name, as proxies that intercept will copy its names. */
static X509 *make_certificate(const char *name)
{
    X509 *certificate = X509_new();
    char alternative[MAX_NAME + sizeof "DNS:"];
    snprintf(alternative, sizeof alternative, "DNS:%.*s", MAX_NAME, name);
    X509_EXTENSION *extension =
        X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, alternative);
    if (certificate == NULL || extension == NULL) {
        return NULL;
    }
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), (uint64_t)certificate_count + 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -DAY_SECONDS);
    X509_gmtime_adj(X509_getm_notAfter(certificate), VALID_DAYS * DAY_SECONDS);
    X509_NAME *subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)"bench origin",
                               -1, -1, 0);
    X509_set_issuer_name(certificate, X509_get_subject_name(ca));
    X509_set_pubkey(certificate, tls_key);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(certificate, ca_key, EVP_sha256());
    return certificate;
}

static X509 *certificate_for(const char *name)
{
    for (size_t i = 0; i < certificate_count; i++) {
        if (strcmp(certificates[i].name, name) == 0) {
            return certificates[i].certificate;
        }
    }
    struct named_certificate *entry = &certificates[certificate_count];
    entry->name = strdup(name);
    entry->certificate = make_certificate(name);
    if (entry->name == NULL || entry->certificate == NULL) {
        return NULL;
    }
    /* Beyond the table, certificates are made again each time: dear, and so a reason to warn. */
    if (certificate_count + 1 < MAX_CERTIFICATES) {
        certificate_count++;
    } else {
        fprintf(stderr, "origin: more than %d names, certificates are not kept\n",
                MAX_CERTIFICATES - 1);
    }
    return entry->certificate;
}

/* OpenSSL asks for the certificate once it has read the ClientHello. */
static int choose_certificate(SSL *ssl, void *unused)
{
    (void)unused;
    const char *name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    X509 *certificate = certificate_for(name == NULL ? "origin.invalid" : name);
    return certificate != NULL && SSL_use_certificate(ssl, certificate) == 1 &&
           SSL_use_PrivateKey(ssl, tls_key) == 1;
}

static void open_tls(void)
{
    tls_key = EVP_EC_gen("P-256");
    tls_context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_mode(tls_context,
                     SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(tls_context, SSL_SESS_CACHE_OFF); /* tickets alone */
    SSL_CTX_set_cert_cb(tls_context, choose_certificate, NULL);
}

static FILE *open_file(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        die("%s", path);
    }
    return file;
}

static void set_option(int option, const char *value)
{
    FILE *file;
    switch (option) {
    case 'l': listen_on(value, (struct listener){0}); break;
    case 't': listen_on(value, (struct listener){.tls = true}); break;
    case 'c': listen_on(value, (struct listener){.tls = true, .closes = true}); break;
    case 'C': listen_on(value, (struct listener){.tls = true, .closes = true, .cold = true}); break;
    case 'a':
        file = open_file(value);
        ca = PEM_read_X509(file, NULL, NULL, NULL);
        fclose(file);
        break;
    case 'k':
        file = open_file(value);
        ca_key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
        fclose(file);
        break;
    default: exit(2);
    }
}

static void read_options(int argc, char **argv)
{
    static const struct option options[] = {
        {"listen", required_argument, NULL, 'l'},
        {"tls-listen", required_argument, NULL, 't'},
        {"tls-listen-closing", required_argument, NULL, 'c'},
        {"tls-listen-cold", required_argument, NULL, 'C'},
        {"ca", required_argument, NULL, 'a'},
        {"ca-key", required_argument, NULL, 'k'},
        {NULL, 0, NULL, 0},
    };
    bool tls = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        set_option(option, optarg);
    }
    for (size_t i = 0; i < listener_count; i++) {
        tls |= listeners[i].tls;
    }
    if (listener_count == 0 || (tls && (ca == NULL || ca_key == NULL))) {
        errno = 0;
        die("usage: origin --listen ADDRESS:PORT ... [--ca FILE --ca-key FILE "
            "--tls-listen|--tls-listen-closing|--tls-listen-cold ADDRESS:PORT ...]");
    }
}

static bool is_listener(const void *pointer)
{
    const struct listener *listener = pointer;
    return listener >= listeners && listener < listeners + listener_count;
}

int main(int argc, char **argv)
{
    ignore_sigpipe();
    prepare_bodies();
    open_tls();
    read_options(argc, argv);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    for (size_t i = 0; i < listener_count; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &listeners[i]};
        epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listeners[i].fd, &event);
    }
    for (;;) {
        struct epoll_event events[MAX_EVENTS];
        int count = epoll_wait(epoll_fd, events, MAX_EVENTS, -1);
        for (int i = 0; i < count; i++) {
            if (is_listener(events[i].data.ptr)) {
                accept_clients(events[i].data.ptr);
            } else {
                client_ready(events[i].data.ptr);
            }
        }
    }
}
