/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gate's own name: a page that says where one is, the pages and files that set a device up, and
 * the check whether it is.
 *
 * The check is a page that says "not yet" by its own style, and takes another style over HTTPS that
 * turns it into "yes". That style has a name of its own, so that nobody who once clicked a warning
 * of the gate's pages away is told that all is well.
 */
#include <stdio.h>

#include "proxy/proxy_impl.h"
#include "proxy/setup_impl.h"
#include "proxy/views.h"

#define PAC_TYPE STR_INIT("application/x-ns-proxy-autoconfig")
#define HTML_TYPE STR_INIT("text/html; charset=utf-8")

static const struct str CHECK_NAME = STR_INIT("check.");

bool gate_is_host(const struct proxy *proxy, const struct host *host)
{
    struct str name = host_str(host);
    struct str rest = str_starts(name, CHECK_NAME) ? str_skip(name, CHECK_NAME.len) : name;
    return str_eq(name, proxy->options.gate_name) || str_eq(rest, proxy->options.gate_name);
}

enum err gate_set_ca(struct proxy *proxy, struct str chain_der)
{
    struct str der;
    ERR_TRY(setup_last_certificate(chain_der, &der));
    buf_clear(&proxy->gate_ca);
    buf_append(&proxy->gate_ca, der);
    return buf_err(&proxy->gate_ca);
}

static void print_home(struct client *client, struct buf *to)
{
    const struct proxy_options *options = &client->proxy->options;
    bool console = options->console_port != 0;
    gate_view_home(to, &(struct gate_view_home){.proxy = options->proxy_name,
                                                .gate = options->gate_name,
                                                .sign_in = console ? STR("1") : STR("")});
}

/* Empty until the gate has its certificate. */
static struct str fingerprint(const struct proxy *proxy, char to[SETUP_FINGERPRINT_MAX])
{
    if (proxy->gate_ca.len == 0) {
        return STR("");
    }
    setup_fingerprint(buf_str(&proxy->gate_ca), to);
    return str_from(to);
}

static void print_setup(struct client *client, struct buf *to)
{
    char text[SETUP_FINGERPRINT_MAX];
    gate_view_setup(to, &(struct gate_view_setup){.proxy = client->proxy->options.proxy_name,
                                                  .fingerprint = fingerprint(client->proxy, text)});
}

#define SETUP_PAGE(kind)                                                                  \
    static void print_##kind(struct client *client, struct buf *to)                       \
    {                                                                                     \
        char text[SETUP_FINGERPRINT_MAX];                                                 \
        gate_view_setup_##kind(to, &(struct gate_view_setup_##kind){                      \
                                       .proxy = client->proxy->options.proxy_name,        \
                                       .fingerprint = fingerprint(client->proxy, text)}); \
    }
SETUP_PAGE(android)
SETUP_PAGE(apple)
SETUP_PAGE(chromebook)
SETUP_PAGE(firefox)
SETUP_PAGE(linux)
SETUP_PAGE(mac)
SETUP_PAGE(windows)
#undef SETUP_PAGE

static void print_pac(struct client *client, struct buf *to)
{
    const struct proxy_options *options = &client->proxy->options;
    struct buf console;
    buf_init(&console, LIMIT_HOST_LEN + 16);
    to_console_print(client, &console);
    const struct setup_pac pac = {
        .proxy = options->proxy_name,
        .over_tls = options->passwords_over_tls,
        .console = buf_str(&console),
        .console_names = options->console_names,
        .console_port = options->console_port,
    };
    setup_pac(&pac, to);
    buf_fini(&console);
}

static void print_der(struct client *client, struct buf *to)
{
    buf_append(to, buf_str(&client->proxy->gate_ca));
}

static void print_pem(struct client *client, struct buf *to)
{
    setup_pem(buf_str(&client->proxy->gate_ca), to);
}

static void print_profile(struct client *client, struct buf *to)
{
    const struct proxy_options *options = &client->proxy->options;
    setup_profile(options->school, options->gate_name, buf_str(&client->proxy->gate_ca), to);
}

/* Each showing asks for a style of its own, whatever a browser or another proxy keeps. */
static void print_check(struct client *client, struct buf *to)
{
    struct exchange *exchange = client->exchange;
    struct str gate = client->proxy->options.gate_name;
    struct buf policy;
    char once[2 * EVENT_ID_LEN + 1];
    for (size_t i = 0; i < EVENT_ID_LEN; i++) {
        snprintf(once + 2 * i, 3, "%02x", exchange->id.bytes[i]);
    }
    buf_init(&policy, LIMIT_HTTP_LINE_LEN);
    buf_append(&policy, STR(VIEWS_POLICY_STYLES " https://check."));
    buf_append(&policy, gate);
    buf_append(&policy, STR(VIEWS_POLICY_REST));
    exchange->policy = arena_dup(&exchange->arena, buf_str(&policy));
    buf_fini(&policy);
    gate_view_check(to, &(struct gate_view_check){.gate = gate, .once = str_from(once)});
}

/* Loaded over HTTPS only: this device trusts us. */
static void print_checked(struct client *client, struct buf *to)
{
    const struct proxy *proxy = client->proxy;
    buf_append(to, STR(".no { display: none; }\n.yes { display: flex; }\n"));
    if (proxy->setup.trust != NULL) {
        proxy->setup.trust(proxy->setup.trust_context, &client->addr, &client->exchange->url.host,
                           PROXY_TRUST_CHECKED);
    }
}

enum gate_needs { NEEDS_NOTHING, NEEDS_CA, NEEDS_HTTPS };

struct gate_row {
    struct str path;
    struct str type;
    void (*print)(struct client *client, struct buf *to);
    enum gate_needs needs;
};

static const struct gate_row rows[] = {
    {STR_INIT("/"), HTML_TYPE, print_home, NEEDS_NOTHING},
    {STR_INIT("/proxy.pac"), PAC_TYPE, print_pac, NEEDS_NOTHING},
    {STR_INIT("/wpad.dat"), PAC_TYPE, print_pac, NEEDS_NOTHING},
    {STR_INIT("/setup"), HTML_TYPE, print_setup, NEEDS_NOTHING},
    {STR_INIT("/setup/android"), HTML_TYPE, print_android, NEEDS_NOTHING},
    {STR_INIT("/setup/apple"), HTML_TYPE, print_apple, NEEDS_NOTHING},
    {STR_INIT("/setup/chromebook"), HTML_TYPE, print_chromebook, NEEDS_NOTHING},
    {STR_INIT("/setup/firefox"), HTML_TYPE, print_firefox, NEEDS_NOTHING},
    {STR_INIT("/setup/linux"), HTML_TYPE, print_linux, NEEDS_NOTHING},
    {STR_INIT("/setup/mac"), HTML_TYPE, print_mac, NEEDS_NOTHING},
    {STR_INIT("/setup/windows"), HTML_TYPE, print_windows, NEEDS_NOTHING},
    {STR_INIT("/ca.crt"), STR_INIT("application/x-x509-ca-cert"), print_der, NEEDS_CA},
    {STR_INIT("/ca.pem"), STR_INIT("application/x-pem-file"), print_pem, NEEDS_CA},
    {STR_INIT("/lodge.mobileconfig"), STR_INIT("application/x-apple-aspen-config"), print_profile,
     NEEDS_CA},
    {STR_INIT("/check"), HTML_TYPE, print_check, NEEDS_NOTHING},
    {STR_INIT("/check.css"), STR_INIT("text/css"), print_checked, NEEDS_HTTPS},
};

static const struct gate_row *find_row(struct str path)
{
    enum { N = sizeof(rows) / sizeof(rows[0]) };
    for (size_t i = 0; i < N; i++) {
        if (str_eq(rows[i].path, path)) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool is_there(const struct client *client, const struct gate_row *row)
{
    bool https = str_eq(client->exchange->url.scheme, STR("https"));
    return row != NULL && (row->needs != NEEDS_CA || client->proxy->gate_ca.len != 0) &&
           (row->needs != NEEDS_HTTPS || https);
}

void gate_answer(struct client *client)
{
    struct proxy *proxy = client->proxy;
    const struct exchange *exchange = client->exchange;
    if (exchange->method == HTTP1_OPTIONS) {
        buf_clear(&proxy->page);
        answer_send(client, 200, STR("text/plain"), STR("Allow: GET, HEAD, OPTIONS\r\n"));
        return;
    }
    bool reads = exchange->method == HTTP1_GET || exchange->method == HTTP1_HEAD;
    const struct gate_row *row = find_row(exchange->url.path);
    if (reads && to_console_answer(client)) {
        return;
    }
    if (reads && is_there(client, row)) {
        buf_clear(&proxy->page);
        row->print(client, &proxy->page);
        answer_send(client, 200, row->type, STR(""));
        return;
    }
    answer_trouble(client, reads ? 404 : 405, "The gate has no such page");
}
