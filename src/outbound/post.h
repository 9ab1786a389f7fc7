/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sending mail by SMTP (RFC 5321) to the school's server, which sends it on.
 *
 * TLS is demanded, by STARTTLS (RFC 3207) or from the first byte (RFC 8314), with a certificate
 * that is verified; plain only where the operator says so, and then never with a name and password
 * but to this machine itself. What the server says is not kept or shown, but for the number of its
 * reply. One mail at a time, over the process's loop.
 */
#ifndef LODGE_OUTBOUND_POST_H
#define LODGE_OUTBOUND_POST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "conf/conf.h"
#include "os/loop.h"

enum { POST_TEXT_MAX = 512, POST_LOGIN_MAX = 256 };

struct post_server {
    char address[POST_TEXT_MAX]; /* smtp://host:587 */
    char from[POST_TEXT_MAX];    /* the sender's address */
    bool plain;
    bool loopback;
    char name[POST_LOGIN_MAX + 1]; /* both empty: the server asks for none */
    char password[POST_LOGIN_MAX + 1];
};

/* Reads the options mail-server, mail-tls and mail-from. ERR_INVALID, and a sentence that says what
 * is wrong goes to *why. */
MUST_USE enum err post_server_read(const struct conf *conf, struct post_server *ret_server,
                                   struct buf *why);

/* Adds the login: two lines, the name and the password. Wipe the server behind its use. ERR_INVALID
 * as above. */
MUST_USE enum err post_login_read(struct str text, struct post_server *server, struct buf *why);

enum post_outcome {
    POST_UNSET,
    POST_SENT,    /* the server has it */
    POST_LATER,   /* not reached, broke off, or answered 4xx */
    POST_REFUSED, /* it answered 5xx, or would not be trusted */
};

struct post_result {
    enum post_outcome outcome;
    unsigned code;   /* of the reply that said no; 0: there was none */
    const char *why; /* static: no name and no text of the server */
};

struct post;

/* roots: trusted certificates (PEM), copied, as is server. done is called once for each that was
 * begun, never from inside post_send. Once per process before confinement; loads libraries.
 * ERR_MEMORY, ERR_SYSTEM. */
struct post_options {
    struct loop *loop;
    const struct post_server *server;
    struct str roots;
    int64_t timeout_ms; /* for a whole mail */
    void (*done)(void *context, const struct post_result *result);
    /* Asked about once a second, while libcurl keeps the loop waiting too (for the reply to a whole
     * text, and to QUIT): false breaks the mail off, as POST_LATER. It calls nothing of post. */
    bool (*go_on)(void *context);
    void *context;
};
MUST_USE enum err post_new(const struct post_options *options, struct post **ret_post);
/* Breaks off what is under way, without a call: whether the server has it is not known. */
void post_stop(struct post *post);
/* The same, and the end of it. Fine on NULL. */
void post_free(struct post *post);

/* Begins to send text (a whole mail of wire/mail.h, which stays the caller's until done) to an
 * address. ERR_BUSY while another is under way; ERR_INVALID: no address; ERR_MEMORY. */
MUST_USE enum err post_send(struct post *post, struct str to, struct str text);

/* Greets the server, proves the login, and sends nothing. Errors as above. */
MUST_USE enum err post_try(struct post *post);

#endif
