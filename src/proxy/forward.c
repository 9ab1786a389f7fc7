/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads as they are passed on: hop-by-hop fields dropped, framing said by us, Via added (RFC 9110
 * section 7.6). Nothing that tells an origin who asks is ever sent. */
#include "base/num.h"
#include "proxy/proxy_impl.h"

/* The pseudonym of RFC 9110 section 7.6.3. */
#define VIA_NAME "lodge"

void forward_authority(struct buf *to, const struct url *url, uint16_t default_port)
{
    bool brackets = url->host.kind == HOST_IPV6;
    if (brackets) {
        buf_append_byte(to, '[');
    }
    buf_append(to, host_str(&url->host));
    if (brackets) {
        buf_append_byte(to, ']');
    }
    if (url->port != default_port) {
        buf_append_byte(to, ':');
        buf_append_u64(to, url->port);
    }
}

bool forward_is_loop(const struct http1_head *head)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        if (head->headers[i].id != HTTP1_NAME_VIA) {
            continue;
        }
        struct str rest = head->headers[i].value;
        struct str item;
        while (rest.len != 0) {
            str_cut(rest, ',', &item, &rest);
            struct str protocol;
            struct str by;
            str_cut(str_trim(item), ' ', &protocol, &by);
            str_cut(str_trim(by), ' ', &by, &item);
            if (str_eq(by, STR(VIA_NAME))) {
                return true;
            }
        }
    }
    return false;
}

bool forward_is_bound(const struct http1_head *head)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        const struct http1_header *header = &head->headers[i];
        struct str scheme = str_sub(header->value, 0, str_index(header->value, ' '));
        bool signs_in =
            header->id == HTTP1_NAME_AUTHORIZATION || header->id == HTTP1_NAME_WWW_AUTHENTICATE;
        if (signs_in &&
            (str_eq_nocase(scheme, STR("NTLM")) || str_eq_nocase(scheme, STR("Negotiate")))) {
            return true;
        }
    }
    return false;
}

uint64_t forward_times(const struct http1_head *head)
{
    const struct http1_header *header = http1_find(head, HTTP1_NAME_MAX_FORWARDS);
    uint64_t times = UINT64_MAX;
    if (head->method != HTTP1_OPTIONS || header == NULL ||
        parse_u64(header->value, 0, UINT64_MAX - 1, &times) != ERR_OK) {
        return UINT64_MAX;
    }
    return times;
}

static void print_via(struct buf *to, bool old)
{
    buf_append(to, old ? STR("Via: 1.0 " VIA_NAME "\r\n") : STR("Via: 1.1 " VIA_NAME "\r\n"));
}

static void print_framing(struct buf *to, const struct http1_head *head)
{
    if (head->body == HTTP1_BODY_LENGTH) {
        buf_append(to, STR("Content-Length: "));
        buf_append_u64(to, head->length);
        buf_append(to, STR("\r\n"));
    } else if (head->body == HTTP1_BODY_CHUNKED) {
        buf_append(to, STR("Transfer-Encoding: chunked\r\n"));
    }
}

/* Codings of bodies that we can take off again: what is not read is not let through, so nothing
 * else is asked for. */
static bool is_coding(struct str name)
{
    static const struct str known[] = {STR_INIT("gzip"), STR_INIT("x-gzip"), STR_INIT("deflate"),
                                       STR_INIT("br"),   STR_INIT("zstd"),   STR_INIT("identity")};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (str_eq_nocase(name, known[i])) {
            return true;
        }
    }
    return false;
}

/* RFC 9110 section 12.5.3. */
static void print_codings(struct buf *to, const struct http1_head *head)
{
    size_t n = 0;
    if (http1_find(head, HTTP1_NAME_ACCEPT_ENCODING) == NULL) {
        return;
    }
    buf_append(to, STR("Accept-Encoding: "));
    for (size_t i = 0; i < head->n_headers; i++) {
        struct str rest = head->headers[i].value;
        while (head->headers[i].id == HTTP1_NAME_ACCEPT_ENCODING && rest.len != 0) {
            struct str item;
            struct str name;
            struct str weight;
            str_cut(rest, ',', &item, &rest);
            str_cut(str_trim(item), ';', &name, &weight);
            if (is_coding(str_trim(name))) {
                buf_append(to, n++ != 0 ? STR(", ") : STR(""));
                buf_append(to, str_trim(item));
            }
        }
    }
    buf_append(to, n != 0 ? STR("\r\n") : STR("identity\r\n"));
}

/* What of Upgrade is passed on: WebSocket (RFC 6455). Anything else would be a pipe past us: HTTP
 * in the clear (h2c), TLS (RFC 2817), tunnels (RFC 9298, RFC 9484), or what two ends agree on. */
static void read_upgrade(struct exchange *exchange, const struct http1_head *head)
{
    const struct http1_header *upgrade = http1_find(head, HTTP1_NAME_UPGRADE);
    if (!head->upgrade || upgrade == NULL || exchange->old || head->body != HTTP1_BODY_NONE) {
        return;
    }
    struct str rest = upgrade->value;
    struct str item;
    while (rest.len != 0) {
        str_cut(rest, ',', &item, &rest);
        item = str_trim(item);
        if (str_eq_nocase(item, STR("websocket")) && exchange->offered.len == 0) {
            buf_append(&exchange->offered, item);
        }
    }
    exchange->upgrade = exchange->offered.len != 0;
}

enum err forward_request(struct exchange *exchange, const struct http1_head *head,
                         struct str target)
{
    static const enum http1_name never[] = {
        HTTP1_NAME_HOST,
        HTTP1_NAME_CONTENT_LENGTH,
        HTTP1_NAME_X_FORWARDED_FOR,
        HTTP1_NAME_FORWARDED,
        HTTP1_NAME_EXPECT,
        HTTP1_NAME_MAX_FORWARDS,
        HTTP1_NAME_ACCEPT_ENCODING,
    };
    struct buf *to = &exchange->head;
    read_upgrade(exchange, head);
    http1_print_request_line(to, head->method_text, target);
    buf_append(to, STR("Host: "));
    forward_authority(to, &exchange->url, exchange_is_secure(exchange) ? 443 : 80);
    buf_append(to, STR("\r\n"));
    http1_print_end_to_end(to, head, never, sizeof(never) / sizeof(never[0]));
    print_codings(to, head);
    print_framing(to, head);
    if (head->expect_continue && !exchange->old) {
        buf_append(to, STR("Expect: 100-continue\r\n"));
    }
    uint64_t times = forward_times(head);
    if (times != UINT64_MAX) {
        buf_append(to, STR("Max-Forwards: "));
        buf_append_u64(to, times - 1);
        buf_append(to, STR("\r\n"));
    }
    if (exchange->upgrade) {
        http1_print_header(to, STR("Upgrade"), buf_str(&exchange->offered));
        buf_append(to, STR("Connection: Upgrade\r\n"));
    }
    print_via(to, exchange->old);
    buf_append(to, STR("\r\n"));
    ERR_TRY(buf_err(&exchange->offered));
    return buf_err(to);
}

void forward_response(struct buf *to, const struct exchange *exchange,
                      const struct http1_head *head, bool keep_alive)
{
    /* Alt-Svc (RFC 7838) sends a browser to other hosts and to QUIC, round the gate. */
    static const enum http1_name never[] = {HTTP1_NAME_CONTENT_LENGTH, HTTP1_NAME_ALT_SVC};
    const struct http1_header *length = http1_find(head, HTTP1_NAME_CONTENT_LENGTH);
    http1_print_status_line(to, head->status, head->reason);
    http1_print_end_to_end(to, head, never, sizeof(never) / sizeof(never[0]));
    if (head->body == HTTP1_BODY_NONE && length != NULL && exchange->method == HTTP1_HEAD) {
        /* It tells what a GET would bring (RFC 9110 section 8.6). */
        http1_print_header(to, STR("Content-Length"), length->value);
    } else if (!exchange->decode) {
        print_framing(to, head);
    }
    if (head->status == 101) {
        const struct http1_header *upgrade = http1_find(head, HTTP1_NAME_UPGRADE);
        http1_print_header(to, STR("Upgrade"), upgrade != NULL ? upgrade->value : STR(""));
        buf_append(to, STR("Connection: Upgrade\r\n"));
    } else if (head->status >= 200 && !keep_alive) {
        buf_append(to, STR("Connection: close\r\n"));
    }
    print_via(to, head->minor == 0);
    buf_append(to, STR("\r\n"));
}
