/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes hosts and authorities: a canonical host is read again as itself. */
#include <stdio.h>

#include "base/check.h"
#include "wire/host.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct host host, again;
    uint16_t port;
    char spelled[LIMIT_HOST_LEN + 3];
    if (host_parse_authority(text, 80, &host, &port) == ERR_OK) {
        CHECK(port != 0 && host.len != 0);
    }
    if (host_parse(text, &host) == ERR_OK) {
        CHECK(host.len <= LIMIT_HOST_LEN && host.text[host.len] == '\0');
        int n =
            snprintf(spelled, sizeof(spelled), host.kind == HOST_IPV6 ? "[%s]" : "%s", host.text);
        CHECK(host_parse(str_make(spelled, (size_t)n), &again) == ERR_OK);
        CHECK(host_eq(&host, &again) && addr_eq(&host.addr, &again.addr));
    }
    return 0;
}
