/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Name look-ups.
 *
 * A flight is one name being asked for, with everyone who waits for it. A and AAAA are two
 * questions: once one of them has brought addresses, the other gets a short grace (RFC 8305 section
 * 3), so that a server that is slow with one family does not hold everyone up. A flight that was
 * answered by its time limit lives on, unknown to new questions, until c-ares is done with it.
 *
 * c-ares uses one UDP port as long as any question is open. On a busy network that is all day, and
 * whoever knows the port has only 16 bits to guess. So there are two channels: after some questions
 * the other one is used, once it has come to rest and closed its sockets.
 */
#include "os/dns.h"

#include <ares.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/check.h"
#include "base/clock.h"
#include "base/limits.h"
#include "os/dns_cache.h"

enum {
    CHANNELS = 2,
    QUESTIONS_PER_PORT = 64,
    TRIES = 3,
    EDNS_BYTES = 1232, /* what fits every path's packets (DNS flag day 2020) */
    CLASS_IN = 1,
    TYPE_A = 1,
    TYPE_AAAA = 28,
    GRACE_MS = 100,
    PARTIAL_MS = 10 * MS_PER_SECOND, /* an answer that lacks a slow family is kept no longer */
    FAILURE_MS = MS_PER_SECOND,
};

struct channel;

/* A socket of c-ares; c-ares tells what it waits for. Reused, and freed only with the resolver. */
struct watch {
    struct loop_io io;
    struct channel *channel;
    uint32_t events;
    struct watch *next;
};

struct channel {
    struct dns *dns;
    ares_channel ares;
    struct loop_timer timer;
    struct watch *watches;
    size_t asked; /* since it was taken into use */
    size_t in_hand;
};

struct dns_flight {
    struct dns *dns;
    struct channel *channel;
    struct dns_flight *next; /* in dns->flights, or in dns->ready */
    struct dns_query *waiters;
    struct loop_timer limit;
    struct dns_answer answer;
    int64_t ttl_ms;
    unsigned outstanding; /* questions that c-ares still has */
    bool failed;          /* one of them with neither an answer nor a "does not exist" */
    bool known;           /* stands in dns->flights */
    bool ready;           /* stands in dns->ready */
    bool told;            /* its waiters had their answer */
    struct str name;      /* in text */
    char text[LIMIT_HOST_LEN + 1];
};

struct dns {
    struct loop *loop;
    struct dns_options options;
    struct dns_cache *cache;
    struct channel channels[CHANNELS];
    size_t channel_now;
    struct dns_flight *flights; /* asked for, and joined by new questions */
    struct dns_flight *ready;   /* answered, the waiters not yet told */
    struct loop_timer tell;
    struct dns_flight refused; /* waiters for whom there was no room */
    size_t in_hand;
    bool closing;
};

/* ---- c-ares in the loop ---- */

static void set_channel_timer(struct channel *channel)
{
    struct timeval wait;
    if (ares_timeout(channel->ares, NULL, &wait) == NULL) {
        loop_timer_clear(&channel->timer);
        return;
    }
    int64_t ms = (int64_t)wait.tv_sec * MS_PER_SECOND + wait.tv_usec / 1000;
    loop_timer_set(channel->dns->loop, &channel->timer, loop_mono_ms(channel->dns->loop) + ms + 1);
}

static void on_channel_timer(struct loop_timer *timer)
{
    struct channel *channel =
        (struct channel *)(void *)((char *)timer - offsetof(struct channel, timer));
    ares_process_fd(channel->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    set_channel_timer(channel);
}

static void on_socket(struct loop_io *io, uint32_t events)
{
    struct watch *watch = (struct watch *)(void *)io;
    bool readable = (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0;
    bool writable = (events & EPOLLOUT) != 0;
    ares_process_fd(watch->channel->ares, readable ? io->fd : ARES_SOCKET_BAD,
                    writable ? io->fd : ARES_SOCKET_BAD);
    if (io->fd >= 0) {
        /* c-ares need not have read everything; this arms the edge anew. A failure means the socket
         * is gone, and the question runs into its time limit. */
        (void)!loop_change(io, watch->events);
    }
    set_channel_timer(watch->channel);
}

static struct watch *find_watch(struct channel *channel, int fd)
{
    struct watch *watch = channel->watches;
    while (watch != NULL && watch->io.fd != fd) {
        watch = watch->next;
    }
    return watch;
}

static struct watch *new_watch(struct channel *channel)
{
    struct watch *watch = find_watch(channel, -1);
    if (watch == NULL) {
        watch = calloc(1, sizeof(*watch));
        if (watch != NULL) {
            watch->io = (struct loop_io){.fd = -1, .fn = on_socket};
            watch->channel = channel;
            watch->next = channel->watches;
            channel->watches = watch;
        }
    }
    return watch;
}

/* c-ares: tells what a socket waits for; nothing: it will be closed. */
static void on_socket_state(void *data, ares_socket_t fd, int readable, int writable)
{
    struct channel *channel = data;
    struct watch *watch = find_watch(channel, fd);
    uint32_t events = (readable != 0 ? EPOLLIN : 0U) | (writable != 0 ? EPOLLOUT : 0U);
    if (events == 0) {
        if (watch != NULL) {
            loop_remove(&watch->io);
        }
        return;
    }
    if (watch != NULL) {
        watch->events = events;
        (void)!loop_change(&watch->io, events); /* as in on_socket */
        return;
    }
    watch = new_watch(channel);
    if (watch != NULL) {
        watch->events = events;
        (void)!loop_add(channel->dns->loop, &watch->io, fd, events); /* as in on_socket */
    }
}

/* ---- flights ---- */

static void unlink_flight(struct dns_flight *flight)
{
    struct dns_flight **link = &flight->dns->flights;
    while (*link != flight) {
        link = &(*link)->next;
    }
    *link = flight->next;
    flight->known = false;
}

static void free_flight(struct dns_flight *flight)
{
    loop_timer_clear(&flight->limit);
    if (flight != &flight->dns->refused) {
        free(flight);
    }
}

/* Its waiters will be told in a later turn; new questions go their own way. */
static void make_ready(struct dns_flight *flight)
{
    struct dns *dns = flight->dns;
    if (flight->known) {
        unlink_flight(flight);
    }
    loop_timer_clear(&flight->limit);
    flight->ready = true;
    flight->next = dns->ready;
    dns->ready = flight;
    loop_timer_set(dns->loop, &dns->tell, loop_mono_ms(dns->loop));
}

/* Those who wait now; who asks again meanwhile is told in a later turn. */
static void tell_waiters(struct dns_flight *flight)
{
    struct dns_flight batch = {.waiters = flight->waiters};
    flight->waiters = NULL;
    for (struct dns_query *query = batch.waiters; query != NULL; query = query->next) {
        query->flight = &batch;
    }
    while (batch.waiters != NULL) {
        struct dns_query *query = batch.waiters;
        dns_cancel(query);
        query->fn(query, &flight->answer);
    }
}

static void on_tell(struct loop_timer *timer)
{
    struct dns *dns = (struct dns *)(void *)((char *)timer - offsetof(struct dns, tell));
    struct dns_flight *flight = dns->ready;
    dns->ready = NULL;
    while (flight != NULL) {
        struct dns_flight *next = flight->next;
        flight->ready = false;
        flight->told = true;
        tell_waiters(flight);
        if (flight->outstanding == 0) {
            free_flight(flight);
        }
        flight = next;
    }
}

static int64_t clamp_ttl(const struct dns *dns, int64_t ttl_ms)
{
    const struct dns_options *options = &dns->options;
    return ttl_ms < options->ttl_min_ms   ? options->ttl_min_ms
           : ttl_ms > options->ttl_max_ms ? options->ttl_max_ms
                                          : ttl_ms;
}

static void remember(struct dns_flight *flight, int64_t for_ms)
{
    struct dns *dns = flight->dns;
    dns_cache_put(dns->cache, flight->name, &flight->answer, loop_mono_ms(dns->loop) + for_ms);
}

/* c-ares is done with a flight. */
static void settle(struct dns_flight *flight)
{
    struct dns *dns = flight->dns;
    if (dns->closing) {
        free_flight(flight);
        return;
    }
    if (flight->answer.n > 0) {
        flight->answer.err = ERR_OK;
        dns_answer_order(&flight->answer);
        remember(flight, clamp_ttl(dns, flight->ttl_ms));
    } else if (flight->answer.err != ERR_INVALID && flight->answer.err != ERR_TIMEOUT) {
        flight->answer.err = flight->failed ? ERR_SYSTEM : ERR_NOT_FOUND;
        remember(flight, flight->failed ? FAILURE_MS : dns->options.negative_ms);
    }
    if (flight->told) {
        free_flight(flight);
    } else if (!flight->ready) {
        make_ready(flight);
    }
}

static void on_limit(struct loop_timer *timer)
{
    struct dns_flight *flight =
        (struct dns_flight *)(void *)((char *)timer - offsetof(struct dns_flight, limit));
    if (flight->answer.n > 0) {
        int64_t ttl_ms = clamp_ttl(flight->dns, flight->ttl_ms);
        remember(flight, ttl_ms < PARTIAL_MS ? ttl_ms : PARTIAL_MS);
    } else {
        flight->answer.err = ERR_TIMEOUT;
        remember(flight, FAILURE_MS);
    }
    make_ready(flight);
}

static void add_address(struct dns_flight *flight, const uint8_t ip[16], int ttl_seconds)
{
    int64_t ttl_ms = ttl_seconds > 0 ? (int64_t)ttl_seconds * MS_PER_SECOND : 0;
    flight->ttl_ms = ttl_ms < flight->ttl_ms ? ttl_ms : flight->ttl_ms;
    flight->answer.err = ERR_OK;
    dns_answer_add(&flight->answer, ip);
}

static int read_a(struct dns_flight *flight, const unsigned char *bytes, int len)
{
    struct ares_addrttl found[DNS_ADDRESSES_MAX / 2];
    int n = DNS_ADDRESSES_MAX / 2;
    int status = ares_parse_a_reply(bytes, len, NULL, found, &n);
    for (int i = 0; status == ARES_SUCCESS && i < n; i++) {
        uint8_t ip[16] = {[10] = 0xff, [11] = 0xff};
        memcpy(ip + 12, &found[i].ipaddr, 4);
        add_address(flight, ip, found[i].ttl);
    }
    return status;
}

static int read_aaaa(struct dns_flight *flight, const unsigned char *bytes, int len)
{
    struct ares_addr6ttl found[DNS_ADDRESSES_MAX / 2];
    int n = DNS_ADDRESSES_MAX / 2;
    int status = ares_parse_aaaa_reply(bytes, len, NULL, found, &n);
    for (int i = 0; status == ARES_SUCCESS && i < n; i++) {
        uint8_t ip[16];
        memcpy(ip, &found[i].ip6addr, sizeof(ip));
        add_address(flight, ip, found[i].ttl);
    }
    return status;
}

static void take_reply(struct dns_flight *flight, int status)
{
    struct dns *dns = flight->dns;
    flight->outstanding--;
    flight->channel->in_hand--;
    dns->in_hand--;
    if (status == ARES_EBADNAME) {
        flight->answer.err = ERR_INVALID;
    } else if (status != ARES_SUCCESS && status != ARES_ENODATA && status != ARES_ENOTFOUND) {
        flight->failed = true;
    }
    if (flight->outstanding == 0) {
        settle(flight);
    } else if (flight->answer.n > 0 && !flight->told) {
        int64_t grace = loop_mono_ms(dns->loop) + GRACE_MS;
        if (grace < flight->limit.due_ms) {
            loop_timer_set(dns->loop, &flight->limit, grace);
        }
    }
}

static void on_a(void *data, int status, int timeouts, unsigned char *bytes, int len)
{
    (void)timeouts;
    struct dns_flight *flight = data;
    take_reply(flight, status == ARES_SUCCESS ? read_a(flight, bytes, len) : status);
}

static void on_aaaa(void *data, int status, int timeouts, unsigned char *bytes, int len)
{
    (void)timeouts;
    struct dns_flight *flight = data;
    take_reply(flight, status == ARES_SUCCESS ? read_aaaa(flight, bytes, len) : status);
}

static struct channel *pick_channel(struct dns *dns)
{
    struct channel *channel = &dns->channels[dns->channel_now];
    size_t next = (dns->channel_now + 1) % CHANNELS;
    if (channel->asked >= QUESTIONS_PER_PORT && dns->channels[next].in_hand == 0) {
        dns->channel_now = next;
        channel = &dns->channels[next];
        channel->asked = 0;
    }
    return channel;
}

static struct dns_flight *new_flight(struct dns *dns, struct str name)
{
    struct dns_flight *flight = calloc(1, sizeof(*flight));
    if (flight != NULL) {
        flight->dns = dns;
        flight->limit.fn = on_limit;
        flight->ttl_ms = INT64_MAX;
        memcpy(flight->text, name.p, name.len);
        flight->name = str_make(flight->text, name.len);
    }
    return flight;
}

static void ask(struct dns_flight *flight)
{
    struct dns *dns = flight->dns;
    struct channel *channel = pick_channel(dns);
    flight->channel = channel;
    flight->outstanding = 2;
    flight->known = true;
    flight->next = dns->flights;
    dns->flights = flight;
    dns->in_hand += 2;
    channel->in_hand += 2;
    channel->asked += 2;
    loop_timer_set(dns->loop, &flight->limit, loop_mono_ms(dns->loop) + dns->options.timeout_ms);
    /* Either may answer at once, with an error; waiters are told later all the same. */
    ares_query(channel->ares, flight->text, CLASS_IN, TYPE_AAAA, on_aaaa, flight);
    ares_query(channel->ares, flight->text, CLASS_IN, TYPE_A, on_a, flight);
    set_channel_timer(channel);
}

/* ---- the public side ---- */

/* Names that never leave the machine (RFC 6761 section 6.3, 6.4; RFC 7686). */
static bool find_special(struct str name, struct dns_answer *ret_answer)
{
    static const uint8_t loopback[2][16] = {
        {[15] = 1},
        {[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1},
    };
    if (str_eq(name, STR("localhost")) || str_ends(name, STR(".localhost"))) {
        *ret_answer = (struct dns_answer){.err = ERR_OK};
        dns_answer_add(ret_answer, loopback[0]);
        dns_answer_add(ret_answer, loopback[1]);
        return true;
    }
    if (str_ends(name, STR(".invalid")) || str_ends(name, STR(".onion"))) {
        *ret_answer = (struct dns_answer){.err = ERR_NOT_FOUND};
        return true;
    }
    return false;
}

bool dns_find(struct dns *dns, struct str name, struct dns_answer *ret_answer)
{
    if (!dns_name_is_askable(name)) {
        *ret_answer = (struct dns_answer){.err = ERR_INVALID};
        return true;
    }
    return dns_cache_find(dns->cache, name, loop_mono_ms(dns->loop), ret_answer) ||
           find_special(name, ret_answer);
}

static struct dns_flight *find_flight(struct dns *dns, struct str name)
{
    struct dns_flight *flight = dns->flights;
    while (flight != NULL && !str_eq(flight->name, name)) {
        flight = flight->next;
    }
    return flight;
}

static struct dns_flight *launch(struct dns *dns, struct str name)
{
    struct dns_answer answer;
    bool known = dns_find(dns, name, &answer);
    struct str kept = known ? STR("") : name; /* a name that cannot be asked may be of any length */
    struct dns_flight *flight =
        known || dns->in_hand < dns->options.max_in_hand ? new_flight(dns, kept) : NULL;
    if (flight == NULL) {
        if (!dns->refused.ready) {
            make_ready(&dns->refused);
        }
        return &dns->refused;
    }
    if (known) {
        flight->answer = answer;
        make_ready(flight);
    } else {
        ask(flight);
    }
    return flight;
}

void dns_start(struct dns *dns, struct dns_query *query, struct str name)
{
    CHECK(query->fn != NULL && query->flight == NULL);
    struct dns_flight *flight = find_flight(dns, name);
    if (flight == NULL) {
        flight = launch(dns, name);
    }
    query->flight = flight;
    query->prev = NULL;
    query->next = flight->waiters;
    if (query->next != NULL) {
        query->next->prev = query;
    }
    flight->waiters = query;
}

void dns_cancel(struct dns_query *query)
{
    struct dns_flight *flight = query->flight;
    if (flight == NULL) {
        return;
    }
    *(query->prev != NULL ? &query->prev->next : &flight->waiters) = query->next;
    if (query->next != NULL) {
        query->next->prev = query->prev;
    }
    query->flight = NULL;
}

static int64_t or_default(int64_t value, int64_t if_zero)
{
    return value != 0 ? value : if_zero;
}

static void set_options(struct dns *dns, const struct dns_options *given)
{
    static const struct dns_options none;
    const struct dns_options *from = given != NULL ? given : &none;
    dns->options = (struct dns_options){
        .timeout_ms = or_default(from->timeout_ms, INT64_C(5) * MS_PER_SECOND),
        .ttl_min_ms = or_default(from->ttl_min_ms, MS_PER_SECOND),
        .ttl_max_ms = or_default(from->ttl_max_ms, MS_PER_HOUR),
        .negative_ms = or_default(from->negative_ms, INT64_C(10) * MS_PER_SECOND),
        .max_names = (size_t)or_default((int64_t)from->max_names, 16384),
        .max_in_hand = (size_t)or_default((int64_t)from->max_in_hand, 1024),
    };
}

static enum err open_channel(struct dns *dns, struct channel *channel, struct str servers)
{
    char lookups[] = "b"; /* the DNS alone */
    char text[1024];
    struct ares_options options = {
        .flags = ARES_FLAG_EDNS | ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES,
        .timeout = (int)(dns->options.timeout_ms / 4),
        .tries = TRIES,
        .ednspsz = EDNS_BYTES,
        .lookups = lookups,
        .sock_state_cb = on_socket_state,
        .sock_state_cb_data = channel,
    };
    int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_EDNSPSZ |
               ARES_OPT_LOOKUPS | ARES_OPT_SOCK_STATE_CB;
    channel->dns = dns;
    channel->timer.fn = on_channel_timer;
    if (servers.len >= sizeof(text)) {
        return ERR_INVALID;
    }
    int status = ares_init_options(&channel->ares, &options, mask);
    if (status != ARES_SUCCESS) {
        channel->ares = NULL;
        return status == ARES_ENOMEM ? ERR_MEMORY : ERR_SYSTEM;
    }
    if (servers.len != 0) {
        memcpy(text, servers.p, servers.len);
        text[servers.len] = '\0';
        return ares_set_servers_ports_csv(channel->ares, text) == ARES_SUCCESS ? ERR_OK
                                                                               : ERR_INVALID;
    }
    return ERR_OK;
}

static enum err fill(struct dns *dns, struct str hosts, struct str servers)
{
    uint8_t key[16];
    size_t line;
    if (getrandom(key, sizeof(key), 0) != (ssize_t)sizeof(key)) {
        return ERR_SYSTEM;
    }
    ERR_TRY(dns_cache_new(dns->options.max_names, key, &dns->cache));
    ERR_TRY(dns_cache_add_hosts(dns->cache, hosts, &line));
    for (size_t i = 0; i < CHANNELS; i++) {
        ERR_TRY(open_channel(dns, &dns->channels[i], servers));
    }
    return ERR_OK;
}

enum err dns_new(struct loop *loop, struct str hosts, const struct dns_options *options,
                 struct dns **ret_dns)
{
    if (ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS) {
        return ERR_SYSTEM;
    }
    struct dns *dns = calloc(1, sizeof(*dns));
    if (dns == NULL) {
        ares_library_cleanup();
        return ERR_MEMORY;
    }
    dns->loop = loop;
    dns->tell.fn = on_tell;
    dns->refused = (struct dns_flight){.dns = dns, .answer = {.err = ERR_LIMIT}};
    set_options(dns, options);
    enum err err = fill(dns, hosts, options != NULL ? options->servers : STR(""));
    if (err != ERR_OK) {
        dns_free(dns);
        return err;
    }
    *ret_dns = dns;
    return ERR_OK;
}

static void close_channel(struct channel *channel)
{
    if (channel->ares != NULL) {
        ares_destroy(channel->ares);
    }
    loop_timer_clear(&channel->timer);
    while (channel->watches != NULL) {
        struct watch *next = channel->watches->next;
        loop_remove(&channel->watches->io);
        free(channel->watches);
        channel->watches = next;
    }
}

void dns_free(struct dns *dns)
{
    if (dns == NULL) {
        return;
    }
    dns->closing = true;
    while (dns->ready != NULL) {
        struct dns_flight *next = dns->ready->next;
        CHECK(dns->ready->waiters == NULL);
        dns->ready->told = true;
        if (dns->ready->outstanding == 0) {
            free_flight(dns->ready);
        }
        dns->ready = next;
    }
    for (size_t i = 0; i < CHANNELS; i++) {
        close_channel(&dns->channels[i]);
    }
    loop_timer_clear(&dns->tell);
    dns_cache_free(dns->cache);
    free(dns);
    ares_library_cleanup();
}

enum err dns_hosts_check(struct str hosts, size_t *ret_line)
{
    static const uint8_t key[16];
    struct dns_cache *cache;
    ERR_TRY(dns_cache_new(0, key, &cache));
    enum err err = dns_cache_add_hosts(cache, hosts, ret_line);
    dns_cache_free(cache);
    return err;
}
