/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a closed page to the console and back (web/gate.c is the other end).
 *
 * A page that is closed to nobody may be open to somebody: where a device of the register has
 * nobody signed in, its browser is sent to the console, which asks who it is, without a page where
 * a provider of single sign-on knows the browser. It comes back to one of two addresses here: to
 * /signed-in, which goes on as soon as this worker's state says who it is; or to /closed, which
 * shows the closed page and sends nobody anywhere. So there is no circle, and nothing to remember.
 */
#include "base/num.h"
#include "policy/reason.h"
#include "proxy/proxy_impl.h"
#include "proxy/views.h"
#include "wire/form.h"

enum {
    ADDRESS_MAX = 6144,
    WAITS_MAX = 15, /* seconds, until the way back gives up */
    LINE_MAX = 8192,
};

bool to_console_navigates(const struct http1_head *head)
{
    const struct str name = STR("Sec-Fetch-Dest");
    struct str dest = STR("");
    struct str accept = STR("");
    bool fetches = false;
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct http1_header *header = &head->headers[i];
        if (str_eq_nocase(header->name, name)) {
            dest = header->value;
        } else if (str_eq_nocase(header->name, STR("Accept"))) {
            accept = header->value;
        }
        fetches = fetches || str_eq_nocase(str_sub(header->name, 0, 10), STR("Sec-Fetch-"));
    }
    bool html = str_find(accept, STR("text/html")) < accept.len;
    return head->method == HTTP1_GET && (fetches ? str_eq(dest, STR("document")) : html);
}

/* ---- the console's name ---- */

static bool has_console(const struct proxy *proxy)
{
    return proxy->options.console_port != 0;
}

/* The address at which this client reached us. */
static bool dialled(const struct client *client, struct host *ret_host)
{
    struct sock_addr local;
    struct addr addr;
    while (client->parent != NULL) {
        client = client->parent;
    }
    if (sock_local(client->conn.io.fd, &local) != ERR_OK) {
        return false;
    }
    memcpy(addr.bytes, local.ip, sizeof(addr.bytes));
    host_from_addr(&addr, ret_host);
    return true;
}

void to_console_print(struct client *client, struct buf *to)
{
    const struct proxy_options *options = &client->proxy->options;
    struct url url = {.port = options->console_port};
    if (!has_console(client->proxy)) {
        return;
    }
    if (options->console_host.len != 0 ? host_parse(options->console_host, &url.host) == ERR_OK
                                       : dialled(client, &url.host)) {
        forward_authority(to, &url, 443);
    }
}

bool to_console_is(const struct client *client, const struct host *asked, uint16_t port)
{
    const struct proxy_options *options = &client->proxy->options;
    struct str rest = options->console_names;
    struct host host;
    bool found = options->console_host.len != 0 ? host_parse(options->console_host, &host) == ERR_OK
                                                : dialled(client, &host);
    found = found && host_eq(&host, asked);
    while (rest.len != 0 && !found) {
        struct str one;
        str_cut(rest, ',', &one, &rest);
        found = host_parse(str_trim(one), &host) == ERR_OK && host_eq(&host, asked);
    }
    return found && has_console(client->proxy) && port == options->console_port;
}

/* ---- addresses ---- */

/* The target in the client's own bytes, as it would have been forwarded. */
static struct str target_of(const struct exchange *exchange)
{
    struct str method;
    struct str target;
    struct str rest;
    bool whole = str_cut(buf_str(&exchange->head), ' ', &method, &rest) &&
                 str_cut(rest, ' ', &target, &rest);
    return whole && str_starts(target, STR("/")) ? target : STR("/");
}

static void print_wanted(const struct exchange *exchange, struct buf *to)
{
    bool secure = str_eq(exchange->url.scheme, STR("https"));
    struct str target = target_of(exchange);
    buf_append(to, secure ? STR("https://") : STR("http://"));
    forward_authority(to, &exchange->url, secure ? 443 : 80);
    buf_append(to, to->len + target.len <= LIMIT_PAGE_LEN ? target : STR("/"));
}

/* 303, with the event of what exchange->verdict says. */
static void send_on(struct client *client, struct str address)
{
    struct buf line;
    buf_init(&line, LINE_MAX);
    buf_append(&line, STR("Location: "));
    buf_append(&line, address);
    buf_append(&line, STR("\r\n"));
    buf_clear(&client->proxy->page);
    if (buf_err(&line) == ERR_OK) {
        answer_send(client, 303, STR("text/plain; charset=utf-8"), buf_str(&line));
    } else {
        answer_trouble(client, 431, "The address is too long");
    }
    buf_fini(&line);
}

/* to: the page that was wanted, or empty. */
static void send_to_console(struct client *client, struct str wanted)
{
    struct buf address;
    buf_init(&address, ADDRESS_MAX);
    buf_append(&address, STR("https://"));
    to_console_print(client, &address);
    buf_append(&address, STR("/gate/sign-in"));
    if (wanted.len != 0) {
        buf_append(&address, STR("?to="));
        form_encode(&address, wanted);
    }
    send_on(client, buf_str(&address));
    buf_fini(&address);
}

/* ---- going ---- */

/* Signing in changes nothing of what is closed to everybody, or closed for another reason than who
 * it is. */
static bool may_be_opened(const struct verdict *verdict)
{
    return !verdict->sealed && verdict->level != LEVEL_ILLEGAL && !verdict->lifeline &&
           reason_step(verdict->reason) > reason_step(REASON_SUSPENDED);
}

/* Refused by its address on the page alone, as /closed will see it: not by where its name leads,
 * nor by the way there. */
static bool is_closed_by_name(struct exchange *exchange)
{
    const struct inside *inside = exchange->client->inside;
    struct verdict verdict = exchange->verdict;
    bool closed = (inside == NULL || !inside->barred) && !verdict_exchange(exchange, NULL);
    exchange->verdict = verdict;
    return closed;
}

bool to_console_instead(struct client *client)
{
    struct exchange *exchange = client->exchange;
    if (!has_console(client->proxy) || exchange->connect || exchange->gate || exchange->answered ||
        !exchange->navigates || exchange->who.known != KNOWN_NOBODY ||
        exchange->who.device.len == 0 || !may_be_opened(&exchange->verdict) ||
        !is_closed_by_name(exchange)) {
        return false;
    }
    struct buf wanted;
    buf_init(&wanted, ADDRESS_MAX);
    print_wanted(exchange, &wanted);
    client->proxy->counts.blocked++;
    send_to_console(client, buf_str(&wanted));
    buf_fini(&wanted);
    return true;
}

/* ---- coming back ---- */

static struct str parameter(struct exchange *exchange, struct str name)
{
    struct str rest = exchange->url.query;
    struct form_pair pair;
    while (form_next(&rest, &exchange->arena, &pair) == ERR_OK) {
        if (str_eq(pair.name, name)) {
            return pair.value;
        }
    }
    return STR("");
}

/* Or empty. */
static struct str wanted_page(struct exchange *exchange, struct url *ret_url)
{
    struct str to = parameter(exchange, STR("to"));
    return url_parse_page(to, &exchange->arena, ret_url) == ERR_OK ? to : STR("");
}

static void show_wait(struct client *client, struct str to, uint64_t n)
{
    struct proxy *proxy = client->proxy;
    bool over = n >= WAITS_MAX;
    struct buf line;
    buf_init(&line, LINE_MAX);
    if (!over) {
        buf_printf(&line, "Refresh: 1; url=/signed-in?n=%u&to=", (unsigned)n + 1);
        form_encode(&line, to);
        buf_append(&line, STR("\r\n"));
    }
    buf_clear(&proxy->page);
    gate_view_wait(&proxy->page, &(struct gate_view_wait){.over = over ? STR("1") : STR(""),
                                                          .waiting = over ? STR("") : STR("1"),
                                                          .gate = proxy->options.gate_name});
    answer_send(client, 200, STR("text/html; charset=utf-8"), buf_str(&line));
    buf_fini(&line);
}

static void answer_signed_in(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct url url;
    uint64_t n = 0;
    struct str to = wanted_page(exchange, &url);
    if (parse_u64(parameter(exchange, STR("n")), 0, WAITS_MAX, &n) != ERR_OK) {
        n = 0;
    }
    if (to.len == 0) {
        answer_trouble(client, 404, "The gate has no such page");
    } else if (exchange->who.known == KNOWN_NOBODY) {
        show_wait(client, to, n);
    } else {
        send_on(client, to);
    }
}

/* The page that was wanted is asked for in earnest, and so is its event, but for what is open: that
 * is not fetched. */
static void answer_closed(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct url wanted = {.port = 0};
    struct str to = wanted_page(exchange, &wanted);
    if (to.len == 0) {
        answer_trouble(client, 404, "The gate has no such page");
        return;
    }
    struct url own = exchange->url;
    exchange->url = wanted;
    if (!verdict_exchange(exchange, NULL)) {
        answer_blocked(client);
        return;
    }
    exchange->url = own;
    if (!verdict_exchange(exchange, NULL)) {
        answer_blocked(client);
        return;
    }
    send_on(client, to);
}

static void answer_sign_in_way(struct client *client)
{
    send_to_console(client, STR(""));
}

bool to_console_answer(struct client *client)
{
    static const struct {
        struct str path;
        void (*answer)(struct client *client);
    } rows[] = {
        {STR_INIT("/sign-in"), answer_sign_in_way},
        {STR_INIT("/signed-in"), answer_signed_in},
        {STR_INIT("/closed"), answer_closed},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]) && has_console(client->proxy); i++) {
        if (str_eq(client->exchange->url.path, rows[i].path)) {
            rows[i].answer(client);
            return true;
        }
    }
    return false;
}
