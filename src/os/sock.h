/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TCP sockets, non-blocking and close-on-exec from birth. An address is 16 bytes, IPv4 in its
 * mapped form (::ffff:a.b.c.d), as in struct addr of wire/. Descriptors returned are the caller's
 * to close.
 */
#ifndef LODGE_OS_SOCK_H
#define LODGE_OS_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct sock_addr {
    uint8_t ip[16];
    uint16_t port;
};

/* "192.0.2.1:3128", "[2001:db8::1]:3128"; "*:3128" and ":3128" are all addresses, of both families
 * ([::] with IPV6_V6ONLY off). Port 0 lets the kernel choose. Numbers only. ERR_INVALID. */
MUST_USE enum err sock_addr_parse(struct str text, struct sock_addr *ret_addr);

enum { SOCK_ADDR_TEXT_MAX = 56 };
/* The same text back; the length without the NUL. */
size_t sock_addr_print(const struct sock_addr *addr, char to[SOCK_ADDR_TEXT_MAX]);

/* A listening socket with SO_REUSEADDR. ERR_SYSTEM with errno. */
MUST_USE enum err sock_listen(const struct sock_addr *addr, int *ret_fd);

/* As many listening sockets on one address, among which the kernel shares the clients out
 * (SO_REUSEPORT); port 0 is chosen once for all. Fails where anybody else listens there. ERR_SYSTEM
 * with errno; then none is open. */
MUST_USE enum err sock_listen_many(const struct sock_addr *addr, size_t n, int *ret_fds);

/* The next client of a listening socket, with TCP_NODELAY. ERR_AGAIN when there is none now (also
 * where a client went away again); ERR_LIMIT when descriptors are exhausted; ERR_SYSTEM. */
MUST_USE enum err sock_accept(int listen_fd, int *ret_fd, struct sock_addr *ret_peer);

/* Begins to connect, with TCP_NODELAY; EPOLLOUT tells the end, sock_error how. ERR_SYSTEM with
 * errno where it failed at once. */
MUST_USE enum err sock_connect(const struct sock_addr *addr, int *ret_fd);

/* SO_ERROR: the errno of a connect that ended, 0 for success. */
int sock_error(int fd);

/* The socket's own address, and the one it is connected to. ERR_SYSTEM. */
MUST_USE enum err sock_local(int fd, struct sock_addr *ret_addr);
MUST_USE enum err sock_peer(int fd, struct sock_addr *ret_addr);

/* The addresses of this machine's interfaces that are up, but for loopback and link-local ones; at
 * most max, their number comes back. Opens a socket of its own (netlink). */
size_t sock_addresses(uint8_t (*ret_ips)[16], size_t max);

/* True where this address belongs to an interface of the box now (asks the kernel by binding;
 * loopback and the unspecified address included). Costs a few microseconds. */
bool sock_is_own(const uint8_t ip[16]);

/* Closing sends a reset instead of lingering (SO_LINGER 0): for clients that must be shaken off. */
void sock_set_reset(int fd);

#endif
