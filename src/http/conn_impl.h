/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Private to http/: what a connection stands on, asked directly; for transports that stand on
 * another. */
#ifndef LODGE_HTTP_CONN_IMPL_H
#define LODGE_HTTP_CONN_IMPL_H

#include "http/conn.h"

/* EPOLLRDHUP, EPOLLHUP or EPOLLERR: the end is still to be read. */
extern const uint32_t CONN_ENDED;

/* As struct http_transport says, of the transport that conn has just now, or of its socket. */
MUST_USE enum http_read conn_receive(struct http_conn *conn, char *to, size_t room, size_t *ret_n);
MUST_USE enum err conn_transmit(struct http_conn *conn, struct str a, struct str b, size_t *ret_n);
void conn_shut(struct http_conn *conn);

#endif
