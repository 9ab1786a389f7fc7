/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the operator says of the school's mail server. */
#include <stdio.h>
#include <string.h>

#include "crypto/secret.h"
#include "outbound/post.h"
#include "wire/host.h"
#include "wire/mail.h"

static const struct tls_row {
    struct str name;
    const char *scheme;
    bool plain;
} tls_rows[] = {
    {STR_INIT("starttls"), "smtp", false},
    {STR_INIT("implicit"), "smtps", false},
    {STR_INIT("none"), "smtp", true},
};

static const struct tls_row *find_tls(struct str name)
{
    for (size_t i = 0; i < sizeof(tls_rows) / sizeof(tls_rows[0]); i++) {
        if (str_eq(tls_rows[i].name, name)) {
            return &tls_rows[i];
        }
    }
    return NULL;
}

static enum err refuse(struct buf *why, const char *words)
{
    buf_append(why, str_from(words));
    return ERR_INVALID;
}

/* By the address alone: a name may lead elsewhere tomorrow. */
static bool is_loopback(const struct host *host)
{
    static const uint8_t four[] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127};
    static const uint8_t six[16] = {[15] = 1};
    return (host->kind == HOST_IPV4 && memcmp(host->addr.bytes, four, sizeof(four)) == 0) ||
           (host->kind == HOST_IPV6 && memcmp(host->addr.bytes, six, sizeof(six)) == 0);
}

enum err post_server_read(const struct conf *conf, struct post_server *ret_server, struct buf *why)
{
    const struct tls_row *tls = find_tls(conf_str(&conf->mail_tls));
    struct str from = conf_str(&conf->mail_from);
    struct post_server server = {{0}};
    struct host host;
    uint16_t port;
    if (host_parse_authority(conf_str(&conf->mail_server), 0, &host, &port) != ERR_OK) {
        return refuse(why, "mail-server is not HOST:PORT, as mail.school.example:587");
    }
    if (tls == NULL) {
        return refuse(why, "mail-tls is not starttls, implicit or none");
    }
    if (!mail_address_is_valid(from)) {
        return refuse(why, "mail-from is no address, as lodge@school.example");
    }
    bool six = host.kind == HOST_IPV6;
    snprintf(server.address, sizeof(server.address), "%s://%s%s%s:%u", tls->scheme, six ? "[" : "",
             host.text, six ? "]" : "", (unsigned)port);
    memcpy(server.from, from.p, from.len);
    server.plain = tls->plain;
    server.loopback = is_loopback(&host);
    if (server.plain && !server.loopback && conf->mail_login.len != 0) {
        return refuse(why, "mail-login with mail-tls none would send the password in the clear");
    }
    *ret_server = server;
    return ERR_OK;
}

/* Printable, and in one line: it stands in a command of SMTP. */
static bool take_line(struct str line, char to[POST_LOGIN_MAX + 1])
{
    line = str_trim_space(line);
    bool fine = line.len != 0 && line.len <= POST_LOGIN_MAX;
    for (size_t i = 0; i < line.len && fine; i++) {
        fine = (unsigned char)line.p[i] >= ' ' && line.p[i] != 0x7f;
    }
    if (fine) {
        memcpy(to, line.p, line.len);
        to[line.len] = '\0';
    }
    return fine;
}

enum err post_login_read(struct str text, struct post_server *server, struct buf *why)
{
    struct str name, password, rest;
    (void)str_cut(text, '\n', &name, &rest);
    (void)str_cut(rest, '\n', &password, &rest);
    if (!take_line(name, server->name) || !take_line(password, server->password) ||
        str_trim_space(rest).len != 0) {
        secret_wipe(server->name, sizeof(server->name));
        secret_wipe(server->password, sizeof(server->password));
        return refuse(why, "the file of mail-login is not two lines, a name and a password");
    }
    return ERR_OK;
}
