/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The side that a client sees.
 *
 * A leaf is given to OpenSSL only once it is known that the handshake is a full one (cert_cb), so
 * that a resumed session costs no more than its own keys.
 */
#include "tls/server.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#include "base/check.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "crypto/secret.h"
#include "tls/session_impl.h"

/* The parts of a ticket secret: a name that stands in the ticket, and the two keys. */
struct ticket_keys {
    unsigned char name[16];
    unsigned char cipher[32];
    unsigned char mac[32];
};
_Static_assert(sizeof(struct ticket_keys) == TLS_TICKET_SECRET_BYTES, "the secret is its parts");

struct tls_server {
    struct tls_shared shared;
    EVP_CIPHER *cipher;
    struct ticket_keys now;
    struct ticket_keys before;
};

/* How long a ticket may be used; its keys go sooner where they are rotated sooner. */
enum { TICKET_LIFE_S = 24 * 3600 };

/* --- tickets
 * ------------------------------------------------------------------------------------- */

static bool start_mac(EVP_MAC_CTX *mac, struct ticket_keys *keys)
{
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, keys->mac, sizeof(keys->mac)),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

static int make_ticket(struct tls_server *server, unsigned char name[16], unsigned char *iv,
                       EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac)
{
    random_bytes(iv, (size_t)EVP_CIPHER_get_iv_length(server->cipher));
    memcpy(name, server->now.name, sizeof(server->now.name));
    bool ok = EVP_EncryptInit_ex2(cipher, server->cipher, server->now.cipher, iv, NULL) == 1 &&
              start_mac(mac, &server->now);
    return ok ? 1 : -1;
}

/* OpenSSL's door: 1 it can be used, 2 it can and a new one is due, 0 it is not ours, -1 failed. */
static int on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
                     EVP_MAC_CTX *mac, int making)
{
    struct tls_server *server = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    if (making == 1) {
        return make_ticket(server, name, iv, cipher, mac);
    }
    bool now = memcmp(name, server->now.name, sizeof(server->now.name)) == 0;
    if (!now && memcmp(name, server->before.name, sizeof(server->before.name)) != 0) {
        return 0;
    }
    struct ticket_keys *keys = now ? &server->now : &server->before;
    bool ok = EVP_DecryptInit_ex2(cipher, server->cipher, keys->cipher, iv, NULL) == 1 &&
              start_mac(mac, keys);
    return !ok ? -1 : now ? 1 : 2;
}

void tls_server_set_tickets(struct tls_server *server,
                            const uint8_t secret[TLS_TICKET_SECRET_BYTES])
{
    if (memcmp(&server->now, secret, sizeof(server->now)) == 0) {
        return; /* told again, and the one before still holds */
    }
    server->before = server->now;
    memcpy(&server->now, secret, sizeof(server->now));
}

/* --- the handshake
 * ------------------------------------------------------------------------------- */

static int on_certificate(SSL *ssl, void *context)
{
    (void)context;
    struct tls_session *session = session_of(ssl);
    const struct credential *shown = session->credential;
    session->certified = true;
    return SSL_use_cert_and_key(ssl, shown->certificate, shown->key, shown->behind, 1);
}

/* Ours in our order; a client that offers only what we do not speak is refused (RFC 7301 section
 * 3.2), since what it would say next is no HTTP. */
static int on_alpn(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_len,
                   const unsigned char *offered, unsigned offered_len, void *context)
{
    (void)context;
    static const unsigned char BOTH[] = "\x02h2\x08http/1.1";
    const unsigned char *ours = session_of(ssl)->offer_h2 ? BOTH : BOTH + 3;
    unsigned ours_len = (unsigned)(BOTH + sizeof(BOTH) - 1 - ours);
    unsigned char *found = NULL;
    if (SSL_select_next_proto(&found, chosen_len, ours, ours_len, offered, offered_len) !=
        OPENSSL_NPN_NEGOTIATED) {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

enum err tls_server_new(struct tls_server **ret_server)
{
    struct tls_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        return ERR_MEMORY;
    }
    /* Until the first secret is set, tickets hold in this process alone. */
    random_bytes(&server->now, sizeof(server->now));
    random_bytes(&server->before, sizeof(server->before));
    enum err err = shared_init(&server->shared, TLS_server_method());
    server->cipher = err == ERR_OK ? EVP_CIPHER_fetch(NULL, "AES-256-CBC", NULL) : NULL;
    if (server->cipher == NULL) {
        tls_server_free(server);
        return ERR_MEMORY;
    }
    SSL_CTX *ctx = server->shared.ctx;
    SSL_CTX_set_app_data(ctx, server);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_timeout(ctx, TICKET_LIFE_S);
    SSL_CTX_set_num_tickets(ctx, 1);
    SSL_CTX_set_cert_cb(ctx, on_certificate, NULL);
    SSL_CTX_set_alpn_select_cb(ctx, on_alpn, NULL);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket);
    *ret_server = server;
    return ERR_OK;
}

void tls_server_free(struct tls_server *server)
{
    if (server != NULL) {
        shared_fini(&server->shared);
        EVP_CIPHER_free(server->cipher);
        secret_wipe(server, sizeof(*server));
        free(server);
    }
}

enum err tls_accept(struct tls_server *server, const struct tls_leaf *leaf, struct str host,
                    bool offer_h2, const struct tls_lower *lower, struct tls_session **ret_session)
{
    uint8_t context[SHA256_BYTES];
    struct tls_session *session = NULL;
    _Static_assert(SHA256_BYTES <= SSL_MAX_SID_CTX_LENGTH, "a hash is a context");
    ERR_TRY(session_new(&server->shared, lower, &session));
    sha256(host, context);
    session->server = true;
    session->offer_h2 = offer_h2;
    session->credential = credential_hold(leaf->credential);
    SSL_set_accept_state(session->ssl);
    if (SSL_set_session_id_context(session->ssl, context, sizeof(context)) != 1) {
        tls_session_free(session);
        return ERR_MEMORY;
    }
    *ret_session = session;
    return ERR_OK;
}
