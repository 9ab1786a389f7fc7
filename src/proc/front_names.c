/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's own names. */
#include "proc/front_names.h"

#include <string.h>
#include <unistd.h>

enum { HTTPS_PORT = 443, ADDRESSES_MAX = 16, HOST_NAME_BYTES = 256 };

static bool is_there(const struct front_names *names, const struct host *host)
{
    for (size_t i = 0; i < names->n; i++) {
        if (host_eq(&names->hosts[i], host)) {
            return true;
        }
    }
    return false;
}

static enum err add(struct front_names *names, const struct host *host)
{
    if (is_there(names, host)) {
        return ERR_OK;
    }
    if (names->n == FRONT_NAMES_MAX) {
        return ERR_LIMIT;
    }
    names->hosts[names->n++] = *host;
    return ERR_OK;
}

enum err front_names_parse(struct str option, struct front_names *ret_names)
{
    struct front_names names = {.n = 0};
    struct host host;
    ERR_TRY(host_parse(STR("localhost"), &host));
    ERR_TRY(add(&names, &host));
    while (option.len != 0) {
        struct str one;
        str_cut(option, ',', &one, &option);
        ERR_TRY(host_parse(str_trim(one), &host));
        ERR_TRY(add(&names, &host));
    }
    *ret_names = names;
    return ERR_OK;
}

void front_names_add(struct front_names *names, struct str name)
{
    struct host host;
    if (host_parse(name, &host) == ERR_OK) {
        (void)!add(names, &host);
    }
}

static void host_of(const uint8_t ip[16], struct host *ret_host)
{
    struct addr addr;
    memcpy(addr.bytes, ip, sizeof(addr.bytes));
    host_from_addr(&addr, ret_host);
}

void front_names_add_address(struct front_names *names, const uint8_t ip[16])
{
    struct host host;
    host_of(ip, &host);
    (void)!add(names, &host);
}

static void add_addresses(const struct conf *conf, struct front_names *names)
{
    static const uint8_t any[16];
    uint8_t ips[ADDRESSES_MAX][16];
    struct sock_addr own;
    if (sock_addr_parse(conf_str(&conf->console), &own) == ERR_OK &&
        memcmp(own.ip, any, sizeof(any)) != 0) {
        front_names_add_address(names, own.ip);
        return;
    }
    size_t n = sock_addresses(ips, ADDRESSES_MAX);
    for (size_t i = 0; i < n; i++) {
        front_names_add_address(names, ips[i]);
    }
}

enum err front_names_find(const struct conf *conf, struct front_names *ret_names)
{
    struct front_names names;
    char name[HOST_NAME_BYTES];
    ERR_TRY(front_names_parse(conf_str(&conf->console_name), &names));
    if (gethostname(name, sizeof(name)) == 0) {
        name[sizeof(name) - 1] = '\0';
        front_names_add(&names, str_from(name));
    }
    front_names_add(&names, STR("127.0.0.1"));
    front_names_add(&names, STR("[::1]"));
    add_addresses(conf, &names);
    *ret_names = names;
    return ERR_OK;
}

bool front_names_has(const struct front_names *names, struct str host,
                     const struct sock_addr *dialled)
{
    struct host said;
    struct host own;
    uint16_t port;
    if (host_parse_authority(host, HTTPS_PORT, &said, &port) != ERR_OK) {
        return false;
    }
    host_of(dialled->ip, &own);
    return host_eq(&said, &own) || is_there(names, &said);
}
