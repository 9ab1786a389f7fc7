/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The way from a closed page to the console, where somebody signs in at the gate, and back. */
#ifndef LODGE_PROXY_TO_CONSOLE_IMPL_H
#define LODGE_PROXY_TO_CONSOLE_IMPL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct client;
struct exchange;
struct host;
struct http1_head;

/* Whether a head is a browser's going to a page, not its fetching of a part of one: it says so
 * (Sec-Fetch-Dest), or says nothing of that kind and asks for HTML. */
bool to_console_navigates(const struct http1_head *head);

/* Answers a refused page with the way to the console, and true: where nobody is known at a device
 * of the register, a browser goes to a page, and signing in may open it. Else false. */
bool to_console_instead(struct client *client);

/* Whether this is the console, which this client is to ask directly: it would take the gate
 * for the device. */
bool to_console_is(const struct client *client, const struct host *asked, uint16_t port);

/* The gate's own addresses of that way: /sign-in, /signed-in, /closed. False: another. */
bool to_console_answer(struct client *client);

/* The console's HOST:PORT as this client reaches it; nothing where there is none. */
void to_console_print(struct client *client, struct buf *to);

#endif
