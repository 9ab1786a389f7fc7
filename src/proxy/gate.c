/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The gate's own name: a page that says where one is, and the file that sets a device up. */
#include "proxy/proxy_impl.h"
#include "proxy/views.h"

#define PAC_TYPE STR_INIT("application/x-ns-proxy-autoconfig")

static void print_home(const struct proxy *proxy, struct buf *to)
{
    view_home(to, &(struct view_home){
                      .proxy = proxy->options.proxy_name,
                      .gate = proxy->options.gate_name,
                  });
}

/* Everything goes to the gate, private addresses too: the policy may name them. Only the device
 * itself is asked directly. Both names are ours (conf/schema.def checks them): hosts and ports. */
static void print_pac(const struct proxy *proxy, struct buf *to)
{
    buf_append(to, STR("function FindProxyForURL(url, host) {\n"
                       "  if (host === \"localhost\" || host === \"127.0.0.1\" || host === \"::1\")"
                       " { return \"DIRECT\"; }\n"
                       "  return \"PROXY "));
    buf_append(to, proxy->options.proxy_name);
    buf_append(to, STR("\";\n}\n"));
}

struct gate_row {
    struct str path;
    struct str type;
    void (*print)(const struct proxy *proxy, struct buf *to);
};

static const struct gate_row rows[] = {
    {STR_INIT("/"), STR_INIT("text/html; charset=utf-8"), print_home},
    {STR_INIT("/proxy.pac"), PAC_TYPE, print_pac},
    {STR_INIT("/wpad.dat"), PAC_TYPE, print_pac},
};

void gate_answer(struct client *client)
{
    enum { N = sizeof(rows) / sizeof(rows[0]) };
    struct proxy *proxy = client->proxy;
    const struct exchange *exchange = client->exchange;
    if (exchange->method == HTTP1_OPTIONS) {
        buf_clear(&proxy->page);
        answer_send(client, 200, STR("text/plain"), STR("Allow: GET, HEAD, OPTIONS\r\n"));
        return;
    }
    bool reads = exchange->method == HTTP1_GET || exchange->method == HTTP1_HEAD;
    for (size_t i = 0; reads && i < N; i++) {
        if (str_eq(rows[i].path, exchange->url.path)) {
            buf_clear(&proxy->page);
            rows[i].print(proxy, &proxy->page);
            answer_send(client, 200, rows[i].type, STR(""));
            return;
        }
    }
    answer_trouble(client, reads ? 404 : 405, "The gate has no such page");
}
