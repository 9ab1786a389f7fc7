/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sending by libcurl's multi interface, whose sockets and timer are the loop's. */
#include "outbound/post.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "crypto/secret.h"
#include "wire/mail.h"

enum {
    SOCKETS_MAX = 8, /* two families tried at a time, and the thread that looks names up */
    CONNECT_TIMEOUT_MS = 10000,
    REPLY_TIMEOUT_S = 120, /* RFC 5321 section 4.5.3.2 asks for more; none takes so long */
    QUIT_TIMEOUT_S = 5,    /* libcurl waits for the answer to QUIT, and the process with it */
    REPLY_DIGITS = 3,
};

struct post_socket {
    struct loop_io io;
    uint32_t events;
    struct post *post;
};

struct post {
    struct loop_timer timer;
    struct loop *loop;
    struct post_server server;
    struct buf roots;
    int64_t timeout_ms;
    void (*done)(void *context, const struct post_result *result);
    bool (*go_on)(void *context);
    void *context;
    CURLM *multi;
    CURL *curl;
    struct curl_slist *to;
    struct post_socket sockets[SOCKETS_MAX];
    struct str text; /* what is not sent yet */
    unsigned code;   /* of the last reply that said no */
    bool all_read;   /* libcurl has all of the text */
    bool under_way;
};

/* ---- the loop and libcurl ---- */

/* Tells whoever waits, once libcurl is through. */
static void look(struct post *post);

/* The loop tells of edges, and libcurl may leave a part unread: all is armed anew. */
static void act(struct post *post, curl_socket_t fd, int events)
{
    int running;
    (void)curl_multi_socket_action(post->multi, fd, events, &running);
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        struct post_socket *socket = &post->sockets[i];
        if (socket->io.fd >= 0 && loop_change(&socket->io, socket->events) != ERR_OK) {
            loop_remove(&socket->io); /* libcurl's time limit ends it */
        }
    }
    look(post);
}

static void on_socket(struct loop_io *io, uint32_t events)
{
    struct post_socket *socket = (struct post_socket *)(void *)io;
    int fd = io->fd;
    int what = ((events & EPOLLIN) != 0 ? CURL_CSELECT_IN : 0) |
               ((events & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
               ((events & (EPOLLERR | EPOLLHUP)) != 0 ? CURL_CSELECT_ERR : 0);
    act(socket->post, fd, what);
}

static void on_timer(struct loop_timer *timer)
{
    act((struct post *)(void *)timer, CURL_SOCKET_TIMEOUT, 0);
}

static uint32_t events_of(int what)
{
    return ((what & CURL_POLL_IN) != 0 ? (uint32_t)EPOLLIN : 0) |
           ((what & CURL_POLL_OUT) != 0 ? (uint32_t)EPOLLOUT : 0);
}

static struct post_socket *socket_of(struct post *post, int fd)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (post->sockets[i].io.fd == fd) {
            return &post->sockets[i];
        }
    }
    return NULL;
}

static int want_socket(CURL *curl, curl_socket_t fd, int what, void *context, void *own)
{
    struct post *post = context;
    struct post_socket *socket = socket_of(post, fd);
    (void)curl;
    (void)own;
    if (what == CURL_POLL_REMOVE) {
        if (socket != NULL) {
            loop_remove(&socket->io);
            socket->io.fd = -1;
        }
        return 0;
    }
    bool known = socket != NULL;
    socket = known ? socket : socket_of(post, -1);
    if (socket == NULL) {
        return -1;
    }
    socket->events = events_of(what);
    enum err err = known ? loop_change(&socket->io, socket->events)
                         : loop_add(post->loop, &socket->io, fd, socket->events);
    return err == ERR_OK ? 0 : -1;
}

static int want_timer(CURLM *multi, long timeout_ms, void *context)
{
    struct post *post = context;
    (void)multi;
    if (timeout_ms < 0) {
        loop_timer_clear(&post->timer);
    } else {
        loop_timer_set(post->loop, &post->timer, loop_mono_ms(post->loop) + timeout_ms);
    }
    return 0;
}

/* ---- one mail ---- */

static size_t give_text(char *to, size_t size, size_t count, void *context)
{
    struct post *post = context;
    size_t n = post->text.len < size * count ? post->text.len : size * count;
    memcpy(to, post->text.p, n);
    post->text = str_skip(post->text, n);
    post->all_read = n == 0;
    return n;
}

/* Every line that the server says: only a number that says no is kept. Behind such a one, and
 * behind the reply to the whole text, nothing but QUIT follows. */
static size_t take_reply(char *bytes, size_t size, size_t count, void *context)
{
    struct post *post = context;
    struct str line = str_make(bytes, size * count);
    bool number = line.len >= REPLY_DIGITS;
    for (size_t i = 0; number && i < REPLY_DIGITS; i++) {
        number = line.p[i] >= '0' && line.p[i] <= '9';
    }
    if (number && (line.p[0] == '4' || line.p[0] == '5')) {
        post->code = (unsigned)(line.p[0] - '0') * 100 + (unsigned)(line.p[1] - '0') * 10 +
                     (unsigned)(line.p[2] - '0');
    }
    if (post->code != 0 || post->all_read) {
        curl_easy_setopt(post->curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)QUIT_TIMEOUT_S);
    }
    return size * count;
}

static int ask(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total,
               curl_off_t up_now)
{
    struct post *post = context;
    (void)total;
    (void)now;
    (void)up_total;
    (void)up_now;
    return post->go_on(post->context) ? 0 : 1;
}

static size_t drop_body(char *bytes, size_t size, size_t count, void *context)
{
    (void)bytes;
    (void)context;
    return size * count;
}

/* Set anew for each. */
static void set_options(struct post *post)
{
    CURL *curl = post->curl;
    struct curl_blob roots = {
        .data = post->roots.p, .len = post->roots.len, .flags = CURL_BLOB_NOCOPY};
    curl_easy_reset(curl);
    curl_easy_setopt(curl, CURLOPT_URL, post->server.address);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
    curl_easy_setopt(curl, CURLOPT_USE_SSL,
                     (long)(post->server.plain ? CURLUSESSL_NONE : CURLUSESSL_ALL));
    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &roots);
    curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_SERVER_RESPONSE_TIMEOUT, (long)REPLY_TIMEOUT_S);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)post->timeout_ms);
    curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_reply);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, post);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, drop_body);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, ask);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, post);
    if (post->server.name[0] != '\0') {
        curl_easy_setopt(curl, CURLOPT_USERNAME, post->server.name);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, post->server.password);
        curl_easy_setopt(curl, CURLOPT_LOGIN_OPTIONS, "AUTH=PLAIN;AUTH=LOGIN");
    }
}

static enum err begin(struct post *post)
{
    post->code = 0;
    post->all_read = false;
    if (curl_multi_add_handle(post->multi, post->curl) != CURLM_OK) {
        return ERR_MEMORY;
    }
    post->under_way = true;
    return ERR_OK;
}

enum err post_send(struct post *post, struct str to, struct str text)
{
    char address[MAIL_ADDRESS_MAX + 1];
    if (post->under_way) {
        return ERR_BUSY;
    }
    if (!mail_address_is_valid(to)) {
        return ERR_INVALID;
    }
    memcpy(address, to.p, to.len);
    address[to.len] = '\0';
    curl_slist_free_all(post->to);
    post->to = curl_slist_append(NULL, address);
    if (post->to == NULL) {
        return ERR_MEMORY;
    }
    post->text = text;
    set_options(post);
    curl_easy_setopt(post->curl, CURLOPT_MAIL_FROM, post->server.from);
    curl_easy_setopt(post->curl, CURLOPT_MAIL_RCPT, post->to);
    curl_easy_setopt(post->curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(post->curl, CURLOPT_READFUNCTION, give_text);
    curl_easy_setopt(post->curl, CURLOPT_READDATA, post);
    return begin(post);
}

enum err post_try(struct post *post)
{
    if (post->under_way) {
        return ERR_BUSY;
    }
    set_options(post);
    curl_easy_setopt(post->curl, CURLOPT_CUSTOMREQUEST, "NOOP");
    curl_easy_setopt(post->curl, CURLOPT_NOBODY, 1L);
    return begin(post);
}

/* A certificate that is not trusted stays so until a person does something, as does a wrong
 * password. */
static struct post_result judge(const struct post *post, CURLcode code)
{
    struct post_result result = {.outcome = POST_LATER, .code = post->code};
    bool distrusted = code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_USE_SSL_FAILED ||
                      code == CURLE_LOGIN_DENIED;
    result.why = curl_easy_strerror(code);
    if (code == CURLE_OK) {
        result = (struct post_result){.outcome = POST_SENT, .why = "sent"};
    } else if (distrusted || post->code >= 500) {
        result.outcome = POST_REFUSED;
    }
    if (code != CURLE_OK && post->code != 0 && code != CURLE_LOGIN_DENIED) {
        result.why = "the server said no";
    }
    return result;
}

static void look(struct post *post)
{
    struct CURLMsg *message;
    int left;
    while ((message = curl_multi_info_read(post->multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE || !post->under_way) {
            continue;
        }
        struct post_result result = judge(post, message->data.result);
        curl_multi_remove_handle(post->multi, post->curl);
        post->under_way = false;
        post->text = STR("");
        post->done(post->context, &result);
    }
}

/* ---- the whole ---- */

static enum err open_curl(struct post *post)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return ERR_SYSTEM;
    }
    post->curl = curl_easy_init();
    post->multi = curl_multi_init();
    if (post->curl == NULL || post->multi == NULL) {
        return ERR_MEMORY;
    }
    curl_multi_setopt(post->multi, CURLMOPT_SOCKETFUNCTION, want_socket);
    curl_multi_setopt(post->multi, CURLMOPT_SOCKETDATA, post);
    curl_multi_setopt(post->multi, CURLMOPT_TIMERFUNCTION, want_timer);
    curl_multi_setopt(post->multi, CURLMOPT_TIMERDATA, post);
    return ERR_OK;
}

enum err post_new(const struct post_options *options, struct post **ret_post)
{
    struct post *post = calloc(1, sizeof(*post));
    if (post == NULL) {
        return ERR_MEMORY;
    }
    post->timer.fn = on_timer;
    post->loop = options->loop;
    post->server = *options->server;
    post->timeout_ms = options->timeout_ms;
    post->done = options->done;
    post->go_on = options->go_on;
    post->context = options->context;
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        post->sockets[i] = (struct post_socket){.io = {.fd = -1, .fn = on_socket}, .post = post};
    }
    buf_init(&post->roots, options->roots.len + 1);
    buf_append(&post->roots, options->roots);
    enum err err = open_curl(post);
    if (err == ERR_OK) {
        err = buf_err(&post->roots);
    }
    if (err != ERR_OK) {
        post_free(post);
        return err;
    }
    *ret_post = post;
    return ERR_OK;
}

/* libcurl would end a text that is half sent, and have half a mail delivered. */
static void cut_off(struct post *post)
{
    for (size_t i = 0; i < SOCKETS_MAX; i++) {
        if (post->sockets[i].io.fd >= 0) {
            (void)shutdown(post->sockets[i].io.fd, SHUT_RDWR);
        }
    }
}

void post_stop(struct post *post)
{
    if (post->under_way) {
        cut_off(post);
        curl_multi_remove_handle(post->multi, post->curl);
    }
    post->under_way = false;
    post->text = STR("");
}

void post_free(struct post *post)
{
    if (post == NULL) {
        return;
    }
    post_stop(post);
    curl_multi_cleanup(post->multi);
    curl_easy_cleanup(post->curl);
    curl_slist_free_all(post->to);
    curl_global_cleanup();
    if (post->timer.loop != NULL) {
        loop_timer_clear(&post->timer);
    }
    buf_fini(&post->roots);
    secret_wipe(&post->server, sizeof(post->server));
    free(post);
}
