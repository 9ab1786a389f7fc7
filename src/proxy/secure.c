/* SPDX-License-Identifier: GPL-3.0-or-later */
/* TLS to an origin: from a connection that was made to one that has proved whose it is. Not a byte
 * of a request goes out before, and where there is trouble not a byte of the origin comes in: the
 * client gets a page of ours that says what is wrong. */
#include "http/conn_tls.h"
#include "proxy/proxy_impl.h"

/* What an event says of a handshake that failed. None: the connection failed, not the proof. */
static const enum reason reasons[TLS_TROUBLE_COUNT_] = {
    [TLS_TROUBLE_PROTOCOL] = REASON_ORIGIN_TLS,
    [TLS_TROUBLE_ALERT] = REASON_ORIGIN_TLS,
    [TLS_TROUBLE_WEAK] = REASON_ORIGIN_TLS,
    [TLS_TROUBLE_EXPIRED] = REASON_ORIGIN_CERTIFICATE,
    [TLS_TROUBLE_NOT_YET] = REASON_ORIGIN_CERTIFICATE,
    [TLS_TROUBLE_NAME] = REASON_ORIGIN_CERTIFICATE,
    [TLS_TROUBLE_SELF_SIGNED] = REASON_ORIGIN_CERTIFICATE,
    [TLS_TROUBLE_UNTRUSTED] = REASON_ORIGIN_CERTIFICATE,
    [TLS_TROUBLE_REVOKED] = REASON_ORIGIN_CERTIFICATE,
    [TLS_TROUBLE_STAPLE] = REASON_ORIGIN_CERTIFICATE,
    [TLS_TROUBLE_CERTIFICATE] = REASON_ORIGIN_CERTIFICATE,
};

static enum err make_session(void *context, const struct tls_lower *lower,
                             struct tls_session **ret_session)
{
    const struct client *client = context;
    const struct url *url = &client->exchange->url;
    return tls_connect(client->proxy->tls, &url->host, url->port, trunk_takes(client),
                       proxy_now_ms(client->proxy), lower, ret_session);
}

static void refuse(struct client *client, enum tls_trouble trouble)
{
    struct verdict *verdict = &client->exchange->verdict;
    if (reasons[trouble] != REASON_UNSET) {
        verdict->action = ACTION_BLOCK;
        verdict->level = LEVEL_NONE;
        verdict->reason = reasons[trouble];
        verdict->rule = tls_trouble_code(trouble);
    }
    answer_trouble(client, 502, tls_trouble_text(trouble));
}

void secure_begin(struct client *client, struct origin *origin)
{
    client->exchange->origin = origin; /* closed with the exchange, from here on */
    if (http_conn_tls_open(&origin->conn, make_session, client) != ERR_OK) {
        refuse(client, TLS_TROUBLE_SYSTEM);
        return;
    }
    secure_go(client);
}

void secure_go(struct client *client)
{
    struct origin *origin = client->exchange->origin;
    switch (http_conn_handshake(&origin->conn)) {
    case HTTP_HANDSHAKE_WAIT:
        return;
    case HTTP_HANDSHAKE_FAILED:
        refuse(client, tls_trouble(http_conn_tls(&origin->conn)));
        return;
    case HTTP_HANDSHAKE_DONE:
        if (tls_alpn(http_conn_tls(&origin->conn)) == TLS_ALPN_H2) {
            trunk_begin(client);
        } else {
            dial_done(client, origin);
        }
        return;
    }
}
