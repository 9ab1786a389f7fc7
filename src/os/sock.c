/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP sockets. */
#include "os/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/num.h"

enum { LISTEN_QUEUE = 4096, IP_TEXT_MAX = INET6_ADDRSTRLEN };

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

static bool is_mapped(const uint8_t ip[16])
{
    return memcmp(ip, mapped_prefix, sizeof(mapped_prefix)) == 0;
}

static bool is_any(const uint8_t ip[16])
{
    static const uint8_t none[16];
    return memcmp(ip, none, sizeof(none)) == 0;
}

union kernel_addr {
    struct sockaddr any;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

static socklen_t to_kernel(const struct sock_addr *addr, union kernel_addr *ret_kernel)
{
    memset(ret_kernel, 0, sizeof(*ret_kernel));
    if (is_mapped(addr->ip)) {
        ret_kernel->in.sin_family = AF_INET;
        ret_kernel->in.sin_port = htons(addr->port);
        memcpy(&ret_kernel->in.sin_addr, addr->ip + sizeof(mapped_prefix), 4);
        return sizeof(ret_kernel->in);
    }
    ret_kernel->in6.sin6_family = AF_INET6;
    ret_kernel->in6.sin6_port = htons(addr->port);
    memcpy(&ret_kernel->in6.sin6_addr, addr->ip, 16);
    return sizeof(ret_kernel->in6);
}

static void from_kernel(const union kernel_addr *kernel, struct sock_addr *ret_addr)
{
    if (kernel->any.sa_family == AF_INET) {
        memcpy(ret_addr->ip, mapped_prefix, sizeof(mapped_prefix));
        memcpy(ret_addr->ip + sizeof(mapped_prefix), &kernel->in.sin_addr, 4);
        ret_addr->port = ntohs(kernel->in.sin_port);
    } else {
        memcpy(ret_addr->ip, &kernel->in6.sin6_addr, 16);
        ret_addr->port = ntohs(kernel->in6.sin6_port);
    }
}

static enum err parse_ip(struct str text, uint8_t ret_ip[16])
{
    char copy[IP_TEXT_MAX];
    uint8_t v4[4];
    if (text.len == 0 || text.len >= sizeof(copy)) {
        return ERR_INVALID;
    }
    memcpy(copy, text.p, text.len);
    copy[text.len] = '\0';
    if (inet_pton(AF_INET, copy, v4) == 1) {
        memcpy(ret_ip, mapped_prefix, sizeof(mapped_prefix));
        memcpy(ret_ip + sizeof(mapped_prefix), v4, sizeof(v4));
        return ERR_OK;
    }
    return inet_pton(AF_INET6, copy, ret_ip) == 1 ? ERR_OK : ERR_INVALID;
}

enum err sock_addr_parse(struct str text, struct sock_addr *ret_addr)
{
    struct sock_addr addr = {0};
    struct str host;
    struct str port;
    if (str_starts(text, STR("["))) {
        if (!str_cut(str_skip(text, 1), ']', &host, &port) || !str_starts(port, STR(":"))) {
            return ERR_INVALID;
        }
        port = str_skip(port, 1);
        ERR_TRY(parse_ip(host, addr.ip));
        if (str_index(host, ':') == host.len) {
            return ERR_INVALID; /* IPv4 has no brackets */
        }
    } else {
        if (!str_cut(text, ':', &host, &port)) {
            return ERR_INVALID;
        }
        if (host.len != 0 && !str_eq(host, STR("*"))) {
            ERR_TRY(parse_ip(host, addr.ip));
        }
    }
    uint64_t number;
    if (parse_u64(port, 0, UINT16_MAX, &number) != ERR_OK) {
        return ERR_INVALID;
    }
    addr.port = (uint16_t)number;
    *ret_addr = addr;
    return ERR_OK;
}

size_t sock_addr_print(const struct sock_addr *addr, char to[SOCK_ADDR_TEXT_MAX])
{
    char ip[IP_TEXT_MAX];
    bool v4 = is_mapped(addr->ip);
    const uint8_t *bytes = v4 ? addr->ip + sizeof(mapped_prefix) : addr->ip;
    (void)inet_ntop(v4 ? AF_INET : AF_INET6, bytes, ip, sizeof(ip));
    int n = snprintf(to, SOCK_ADDR_TEXT_MAX, v4 ? "%s:%u" : "[%s]:%u", ip, (unsigned)addr->port);
    return (size_t)n;
}

static void set_option(int fd, int level, int option, int value)
{
    /* Only for options that every kernel has on this kind of socket. */
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

static int new_socket(const union kernel_addr *kernel, int type)
{
    return socket(kernel->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static enum err close_and_fail(int fd)
{
    int saved = errno;
    close(fd);
    errno = saved;
    return ERR_SYSTEM;
}

static enum err open_listener(const struct sock_addr *addr, bool shared, int *ret_fd)
{
    union kernel_addr kernel;
    socklen_t len = to_kernel(addr, &kernel);
    int fd = new_socket(&kernel, SOCK_STREAM);
    if (fd < 0 && is_any(addr->ip)) { /* a kernel without IPv6 */
        struct sock_addr v4 = {.port = addr->port};
        memcpy(v4.ip, mapped_prefix, sizeof(mapped_prefix));
        len = to_kernel(&v4, &kernel);
        fd = new_socket(&kernel, SOCK_STREAM);
    }
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    if (kernel.any.sa_family == AF_INET6) {
        set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, is_any(addr->ip) ? 0 : 1);
    }
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(fd, SOL_SOCKET, SO_REUSEPORT, shared ? 1 : 0);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* accepted sockets inherit it */
    if (bind(fd, &kernel.any, len) != 0 || listen(fd, LISTEN_QUEUE) != 0) {
        return close_and_fail(fd);
    }
    *ret_fd = fd;
    return ERR_OK;
}

enum err sock_listen(const struct sock_addr *addr, int *ret_fd)
{
    return open_listener(addr, false, ret_fd);
}

enum err sock_listen_many(const struct sock_addr *addr, size_t n, int *ret_fds)
{
    struct sock_addr local = *addr;
    int alone;
    /* One that shares with nobody fails where somebody, even we, listens already. */
    ERR_TRY(open_listener(addr, false, &alone));
    enum err err = sock_local(alone, &local);
    close(alone);
    size_t open = 0;
    memcpy(local.ip, addr->ip, sizeof(local.ip));
    while (err == ERR_OK && open < n) {
        err = open_listener(&local, true, &ret_fds[open]);
        open += err == ERR_OK ? 1 : 0;
    }
    for (int saved = errno; err != ERR_OK && open > 0; errno = saved) {
        close(ret_fds[--open]);
    }
    return err;
}

enum err sock_accept(int listen_fd, int *ret_fd, struct sock_addr *ret_peer)
{
    union kernel_addr kernel = {0};
    socklen_t len = sizeof(kernel);
    int fd = accept4(listen_fd, &kernel.any, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
        from_kernel(&kernel, ret_peer);
        *ret_fd = fd;
        return ERR_OK;
    }
    switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return ERR_LIMIT;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
    case EFAULT:
        return ERR_SYSTEM;
    default: /* EAGAIN, ECONNABORTED, and network errors of a client that is gone (accept(2)) */
        return ERR_AGAIN;
    }
}

enum err sock_connect(const struct sock_addr *addr, int *ret_fd)
{
    union kernel_addr kernel;
    socklen_t len = to_kernel(addr, &kernel);
    int fd = new_socket(&kernel, SOCK_STREAM);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (connect(fd, &kernel.any, len) != 0 && errno != EINPROGRESS) {
        return close_and_fail(fd);
    }
    *ret_fd = fd;
    return ERR_OK;
}

int sock_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);
    return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

enum err sock_local(int fd, struct sock_addr *ret_addr)
{
    union kernel_addr kernel = {0};
    socklen_t len = sizeof(kernel);
    if (getsockname(fd, &kernel.any, &len) != 0) {
        return ERR_SYSTEM;
    }
    from_kernel(&kernel, ret_addr);
    return ERR_OK;
}

enum err sock_peer(int fd, struct sock_addr *ret_addr)
{
    union kernel_addr kernel = {0};
    socklen_t len = sizeof(kernel);
    if (getpeername(fd, &kernel.any, &len) != 0) {
        return ERR_SYSTEM;
    }
    from_kernel(&kernel, ret_addr);
    return ERR_OK;
}

bool sock_is_own(const uint8_t ip[16])
{
    struct sock_addr addr = {.port = 9}; /* "discard"; connecting a datagram socket sends nothing */
    struct sock_addr local;
    union kernel_addr kernel;
    memcpy(addr.ip, ip, sizeof(addr.ip));
    if (is_any(ip)) {
        return true;
    }
    socklen_t len = to_kernel(&addr, &kernel);
    int fd = new_socket(&kernel, SOCK_DGRAM);
    if (fd < 0) {
        return false;
    }
    /* The route to an own address has that address as its source. */
    bool own = connect(fd, &kernel.any, len) == 0 && sock_local(fd, &local) == ERR_OK &&
               memcmp(local.ip, ip, sizeof(local.ip)) == 0;
    close(fd);
    return own;
}

void sock_set_reset(int fd)
{
    struct linger linger = {.l_onoff = 1, .l_linger = 0};
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
}

static bool is_link_local(const uint8_t ip[16])
{
    return (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80) ||
           (is_mapped(ip) && ip[12] == 169 && ip[13] == 254);
}

size_t sock_addresses(uint8_t (*ret_ips)[16], size_t max)
{
    struct ifaddrs *list = NULL;
    size_t n = 0;
    if (getifaddrs(&list) != 0) {
        return 0;
    }
    for (const struct ifaddrs *one = list; one != NULL && n < max; one = one->ifa_next) {
        union kernel_addr kernel = {0};
        struct sock_addr addr;
        int family = one->ifa_addr != NULL ? one->ifa_addr->sa_family : AF_UNSPEC;
        if ((family != AF_INET && family != AF_INET6) || (one->ifa_flags & IFF_UP) == 0 ||
            (one->ifa_flags & IFF_LOOPBACK) != 0) {
            continue;
        }
        memcpy(&kernel, one->ifa_addr, family == AF_INET ? sizeof(kernel.in) : sizeof(kernel.in6));
        from_kernel(&kernel, &addr);
        if (!is_link_local(addr.ip)) {
            memcpy(ret_ips[n++], addr.ip, sizeof(addr.ip));
        }
    }
    freeifaddrs(list);
    return n;
}
