/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a parsed head to an exchange, and from there to whoever answers it.
 *
 * What is decided and what is forwarded must be the same thing. So the authority is parsed once,
 * into a canonical host and a port, and the origin gets those as Host, whatever the client's Host
 * said (RFC 9112 section 3.2.2); the path goes on in the client's own bytes, and the policy sees
 * the matching form of the same bytes (wire/url.h).
 */
#include "base/check.h"
#include "proxy/proxy_impl.h"

/* Where a request leads that cannot go on: a status and a sentence. status 0: go on. */
struct trouble {
    unsigned status;
    const char *why;
};

static const struct trouble FINE = {0, NULL};

static struct trouble trouble(unsigned status, const char *why)
{
    return (struct trouble){status, why};
}

/* CONNECT's host and port (RFC 9110 section 9.3.6). */
static struct trouble read_connect(struct exchange *exchange, const struct http1_head *head)
{
    exchange->connect = true;
    exchange->url = (struct url){.scheme = STR("https"), .path = STR("/")};
    if (host_parse_authority(head->target, 0, &exchange->url.host, &exchange->url.port) != ERR_OK) {
        return trouble(400, "CONNECT needs a host and a port");
    }
    exchange->known_url = true;
    return FINE;
}

/* Splits "http://authority/path?query" as RFC 3986 does. Browsers read a backslash as a slash, and
 * drop user and fragment before they send: where one of these stands here, two readers might differ
 * about the host, so nobody gets it. */
static bool split_absolute(struct str target, struct str *ret_authority, struct str *ret_path)
{
    size_t colon = str_find(target, STR("://"));
    struct str rest = str_skip(target, colon + 3);
    size_t end = 0;
    while (end < rest.len && rest.p[end] != '/' && rest.p[end] != '?') {
        if (rest.p[end] == '\\' || rest.p[end] == '@' || rest.p[end] == '#') {
            return false;
        }
        end++;
    }
    *ret_authority = str_sub(rest, 0, end);
    *ret_path = str_skip(rest, end);
    return colon < target.len && end != 0 && str_index(*ret_path, '#') == ret_path->len &&
           str_index(*ret_path, '\\') == ret_path->len;
}

/* The target in origin-form, in the client's bytes; "/" is put before a bare query. */
static struct str origin_form(struct exchange *exchange, struct str path)
{
    if (path.len != 0 && path.p[0] == '/') {
        return path;
    }
    if (path.len == 0) {
        return exchange->method == HTTP1_OPTIONS ? STR("*") : STR("/");
    }
    char *slashed = arena_alloc(&exchange->arena, path.len + 1);
    if (slashed == NULL) {
        return str_make(NULL, 0);
    }
    slashed[0] = '/';
    memcpy(slashed + 1, path.p, path.len);
    return str_make(slashed, path.len + 1);
}

/* The URL's slices may point into the head's bytes, which do not last. */
static bool url_own(struct exchange *exchange)
{
    struct url *url = &exchange->url;
    url->scheme = exchange->client->inside != NULL ? STR("https") : STR("http");
    url->path = arena_dup(&exchange->arena, url->path);
    if (url->has_query) {
        url->query = arena_dup(&exchange->arena, url->query);
    }
    return !exchange->arena.failed;
}

static struct trouble read_target(struct exchange *exchange, struct str target,
                                  struct str *ret_forward)
{
    *ret_forward = origin_form(exchange, target);
    struct str matched = str_eq(*ret_forward, STR("*")) ? STR("/") : *ret_forward;
    if (url_parse_target(matched, &exchange->arena, &exchange->url) != ERR_OK ||
        !url_own(exchange)) {
        return trouble(400, "The address is not valid");
    }
    exchange->known_url = true;
    return FINE;
}

static struct trouble read_absolute(struct exchange *exchange, const struct http1_head *head,
                                    struct str *ret_forward)
{
    struct str authority;
    struct str path;
    struct str scheme = str_sub(head->target, 0, str_index(head->target, ':'));
    if (!str_eq_nocase(scheme, STR("http"))) {
        return trouble(501, "Only http addresses can be asked for in this way");
    }
    if (!split_absolute(head->target, &authority, &path) ||
        host_parse_authority(authority, 80, &exchange->url.host, &exchange->url.port) != ERR_OK) {
        return trouble(400, "The address is not valid");
    }
    return read_target(exchange, path, ret_forward);
}

/* Whether the host of a request in origin form is this machine: the gate's name, the name that
 * devices know the proxy by, or one of the addresses, as a technician types it. */
static bool is_ours(struct proxy *proxy, const struct host *host)
{
    struct host own;
    uint16_t port = 0;
    if (host->kind != HOST_NAME && proxy_is_own(proxy, host->addr.bytes)) {
        return true;
    }
    return gate_is_host(proxy, host) ||
           (host_parse_authority(proxy->options.proxy_name, 80, &own, &port) == ERR_OK &&
            host_eq(&own, host));
}

/* A browser that asks us as if we were a web server: fine for the gate's own pages. */
static struct trouble read_origin_form(struct exchange *exchange, const struct http1_head *head,
                                       struct str *ret_forward)
{
    const struct http1_header *host = http1_find(head, HTTP1_NAME_HOST);
    if (host == NULL ||
        host_parse_authority(host->value, 80, &exchange->url.host, &exchange->url.port) != ERR_OK) {
        return trouble(400, "The request does not say which site it is for");
    }
    bool ours = is_ours(exchange->client->proxy, &exchange->url.host);
    struct trouble result = read_target(exchange, head->target, ret_forward);
    if (result.status == 0 && !ours) {
        return trouble(400, "This is a proxy, not a web site: set it as the browser's proxy");
    }
    /* By whatever name it was found, it is the gate that is asked, and that is decided. */
    if (ours &&
        host_parse(exchange->client->proxy->options.gate_name, &exchange->url.host) != ERR_OK) {
        return trouble(400, "The request does not say which site it is for");
    }
    exchange->gate = true;
    return result;
}

/* What Host must say inside TLS: where the connection leads. RFC 9110 section 7.4. */
static struct trouble check_authority(const struct inside *inside, struct str authority)
{
    struct host host;
    uint16_t port = 0;
    if (host_parse_authority(authority, 443, &host, &port) != ERR_OK) {
        return trouble(400, "The address is not valid");
    }
    if (!host_eq(&host, &inside->host) || port != inside->port) {
        return trouble(421, "The connection leads to another site than the request");
    }
    return FINE;
}

/* "https://authority/path", which a server must take as well (RFC 9112 section 3.2.2). */
static struct trouble read_inside_absolute(struct exchange *exchange, struct str target,
                                           struct str *ret_forward)
{
    struct str authority;
    struct str path;
    struct str scheme = str_sub(target, 0, str_index(target, ':'));
    if (!str_eq_nocase(scheme, STR("https")) || !split_absolute(target, &authority, &path)) {
        return trouble(400, "The address is not valid");
    }
    struct trouble result = check_authority(exchange->client->inside, authority);
    return result.status == 0 ? read_target(exchange, path, ret_forward) : result;
}

/* Where it leads, whatever it says. */
static void lead_inside(struct exchange *exchange)
{
    struct inside *inside = exchange->client->inside;
    exchange->url = (struct url){.scheme = STR("https"), .path = STR("/")};
    exchange->url.host = inside->host;
    exchange->url.port = inside->port;
    exchange->known_url = true;
    if (!inside->asked) {
        /* Not the handshake: Firefox ends one to show the certificate that it does not accept. */
        trust_accepted(exchange->client->proxy, &exchange->client->addr, &inside->host);
    }
    inside->asked = true;
}

/* A request inside TLS of ours: for the one site that the connection leads to. */
static struct trouble read_inside(struct exchange *exchange, const struct http1_head *head,
                                  struct str *ret_forward)
{
    const struct inside *inside = exchange->client->inside;
    const struct http1_header *host = http1_find(head, HTTP1_NAME_HOST);
    lead_inside(exchange);
    struct trouble result = host != NULL ? check_authority(inside, host->value) : FINE;
    if (result.status != 0) {
        return result;
    }
    switch (head->form) {
    case HTTP1_ORIGIN:
        return read_target(exchange, head->target, ret_forward);
    case HTTP1_ABSOLUTE:
        return read_inside_absolute(exchange, head->target, ret_forward);
    case HTTP1_ASTERISK:
        return read_target(exchange, STR(""), ret_forward);
    case HTTP1_AUTHORITY:
        return trouble(405, "A tunnel inside a tunnel is not offered");
    case HTTP1_FORM_UNSET:
        break;
    }
    return trouble(400, "The address is not valid");
}

static struct trouble read_form(struct exchange *exchange, const struct http1_head *head,
                                struct str *ret_forward)
{
    if (exchange->client->inside != NULL) {
        return read_inside(exchange, head, ret_forward);
    }
    switch (head->form) {
    case HTTP1_AUTHORITY:
        return read_connect(exchange, head);
    case HTTP1_ABSOLUTE:
        return read_absolute(exchange, head, ret_forward);
    case HTTP1_ORIGIN:
        return read_origin_form(exchange, head, ret_forward);
    case HTTP1_ASTERISK:
    case HTTP1_FORM_UNSET:
        break;
    }
    return trouble(400, "The request does not say which site it is for");
}

static struct trouble read_request(struct exchange *exchange, const struct http1_head *head)
{
    const struct proxy *proxy = exchange->client->proxy;
    struct str forward = {NULL, 0};
    struct trouble result = read_form(exchange, head, &forward);
    if (result.status != 0) {
        return result;
    }
    if (head->method == HTTP1_TRACE) {
        return trouble(405, "TRACE would show what others are not meant to see");
    }
    if (forward_is_loop(head)) {
        return trouble(508, "The request has been through here before");
    }
    exchange->bound = forward_is_bound(head);
    exchange->gate |= forward_times(head) == 0; /* it is meant for us */
    exchange->gate |= gate_is_host(proxy, &exchange->url.host);
    if (!exchange->connect && !exchange->gate &&
        forward_request(exchange, head, forward) != ERR_OK) {
        return trouble(431, "The request's head is too long");
    }
    return FINE;
}

/* RFC 9110 sections 9.2.2 and RFC 9112 section 9.3.1: what may be sent again when a kept connection
 * turned out to be closed. */
static bool is_repeatable(const struct http1_head *head)
{
    bool safe =
        head->method == HTTP1_GET || head->method == HTTP1_HEAD || head->method == HTTP1_OPTIONS;
    return safe && head->body == HTTP1_BODY_NONE && !head->upgrade;
}

static void note_head(struct exchange *exchange, const struct http1_head *head)
{
    struct client *client = exchange->client;
    exchange->method = head->method;
    exchange->method_len = (uint8_t)head->method_text.len;
    CHECK(head->method_text.len <= sizeof(exchange->method_text));
    memcpy(exchange->method_text, head->method_text.p, head->method_text.len);
    exchange->old = head->minor == 0;
    exchange->repeatable = is_repeatable(head);
    exchange->navigates = to_console_navigates(head);
    searching_note(exchange, head);
    http_body_init(&exchange->up, head);
    /* RFC 9112 appendix C.2.2: a proxy keeps no connection with an HTTP/1.0 client. */
    client->last = !head->keep_alive || exchange->old || client->parent != NULL;
}

/* Who asks; inside TLS the one whose CONNECT it was. */
static enum identify identify(struct exchange *exchange)
{
    const struct inside *inside = exchange->client->inside;
    if (inside == NULL) {
        return identify_credentials(exchange);
    }
    exchange->credential = inside->credential;
    exchange->person_len = inside->person_len;
    memcpy(exchange->person, inside->person, inside->person_len);
    return IDENTIFY_DONE;
}

void request_begin(struct client *client, struct str rest)
{
    const struct http1_head *head = &client->proxy->head;
    if (client->inside != NULL && !inspect_still_holds(client)) {
        client_close(client);
        return;
    }
    struct exchange *exchange = exchange_new(client);
    if (exchange == NULL) {
        client_close(client);
        return;
    }
    note_head(exchange, head);
    struct trouble result = read_request(exchange, head);
    enum identify identified = result.status == 0 ? identify(exchange) : IDENTIFY_DONE;
    if (http_conn_keep(&client->conn, rest) != ERR_OK) {
        client_close(client);
        return;
    }
    if (result.status != 0) {
        answer_trouble(client, result.status, result.why);
        return;
    }
    switch (identified) {
    case IDENTIFY_DONE:
        request_go(client);
        break;
    case IDENTIFY_WAIT:
        client->stage = STAGE_AUTH;
        client_timer_set(client, client->proxy->options.connect_timeout_ms);
        client_watch(client);
        break;
    case IDENTIFY_REFUSED:
        answer_sign_in(client);
        break;
    case IDENTIFY_PLAIN:
        answer_plain_password(client);
        break;
    case IDENTIFY_BUSY:
        answer_trouble(client, 503, "Names and passwords cannot be checked just now");
        break;
    }
}

/* A request of which there is no head: the connection ends with this answer. */
static void refuse_unread(struct client *client, unsigned status, const char *why)
{
    struct exchange *exchange = exchange_new(client);
    if (exchange == NULL) {
        client_close(client);
        return;
    }
    http_body_init(&exchange->up, &(struct http1_head){.body = HTTP1_BODY_NONE});
    if (client->inside != NULL) {
        lead_inside(exchange);
    }
    client->last = true;
    client->unread = true;
    answer_trouble(client, status, why);
}

void request_malformed(struct client *client, enum err err, enum http1_fault fault)
{
    refuse_unread(client, err == ERR_LIMIT ? 431 : 400, http1_fault_text(fault));
}

void request_late(struct client *client)
{
    refuse_unread(client, 408, "The request did not come in time");
}

void request_go(struct client *client)
{
    struct exchange *exchange = client->exchange;
    struct proxy *proxy = client->proxy;
    if (proxy->images.policy == NULL || proxy->images.catalog == NULL ||
        !spool_has_room(proxy->setup.spool)) {
        answer_trouble(client, 503, "Lodge cannot write its record just now, so it refuses");
        return;
    }
    if (!exchange->gate) {
        dial_begin(client);
    } else if (!verdict_exchange(exchange, NULL)) {
        answer_blocked(client);
    } else if (exchange->connect && inspect_is_possible(proxy)) {
        inspect_begin(client);
    } else if (exchange->connect) {
        answer_trouble(client, 502, "The gate's pages cannot be shown over HTTPS just now");
    } else {
        gate_answer(client);
    }
}
