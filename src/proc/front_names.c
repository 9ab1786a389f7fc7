/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's own names. */
#include "proc/front_names.h"

#include <string.h>

enum { HTTPS_PORT = 443 };

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
