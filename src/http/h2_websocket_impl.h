/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The handshake of a WebSocket (RFC 6455 section 4), of which HTTP/2 has nothing (RFC 8441). */
#ifndef LODGE_HTTP_H2_WEBSOCKET_IMPL_H
#define LODGE_HTTP_H2_WEBSOCKET_IMPL_H

#include "base/err.h"
#include "base/str.h"
#include "http/h2_head_impl.h"

enum { H2_ACCEPT_TEXT = 28 };

/* The Sec-WebSocket-Accept that answers this key. ERR_MEMORY. */
MUST_USE enum err h2_websocket_accept(struct str key, char ret_accept[H2_ACCEPT_TEXT]);

#endif
