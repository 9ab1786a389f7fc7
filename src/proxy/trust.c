/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which devices refuse the gate's certificates, as far as this worker has seen and was told.
 *
 * A device counts as enrolled until its TLS refuses. One that had accepted before has not lost the
 * CA because one of its programs trusts only its own (a pinned application): for such the register
 * of devices says what it is (proxy_set_enrolled). The table forgets the rows that were used
 * longest ago; a device that is forgotten counts as enrolled, and is found out again.
 */
#include "catalog/catalog.h"
#include "crypto/fasthash.h"
#include "proxy/proxy_impl.h"

static struct trust_row *find(struct proxy *proxy, const struct addr *client, bool make)
{
    struct str bytes = str_make((const char *)client->bytes, sizeof(client->bytes));
    struct trust_row *set = proxy->trust.rows[fasthash64(bytes, 0) % TRUST_SETS];
    struct trust_row *oldest = &set[0];
    int64_t now = loop_mono_ms(proxy->loop) + 1;
    for (unsigned i = 0; i < TRUST_WAYS; i++) {
        if (set[i].used_ms != 0 && addr_eq(&set[i].addr, client)) {
            set[i].used_ms = now;
            return &set[i];
        }
        if (set[i].used_ms < oldest->used_ms) {
            oldest = &set[i];
        }
    }
    if (!make) {
        return NULL;
    }
    *oldest = (struct trust_row){.addr = *client, .used_ms = now};
    return oldest;
}

static void tell(const struct proxy *proxy, const struct addr *client, const struct host *host,
                 enum proxy_trust trust)
{
    if (proxy->setup.trust != NULL) {
        proxy->setup.trust(proxy->setup.trust_context, client, host, trust);
    }
}

bool trust_is_enrolled(struct proxy *proxy, const struct addr *client)
{
    const struct trust_row *row = find(proxy, client, false);
    return row == NULL || !row->unknown_ca;
}

void trust_accepted(struct proxy *proxy, const struct addr *client, const struct host *host)
{
    struct trust_row *row = find(proxy, client, true);
    int64_t now = loop_mono_ms(proxy->loop);
    /* Now and then also what is no news, for whoever asks when the device last accepted. */
    bool news = row->told != PROXY_TRUST_ACCEPTED || now - row->told_ms >= TRUST_AGAIN_MS;
    row->told = PROXY_TRUST_ACCEPTED;
    row->told_ms = news ? now : row->told_ms;
    row->accepted = true;
    row->left = false;
    if (news) {
        tell(proxy, client, host, PROXY_TRUST_ACCEPTED);
    }
}

static void refused(struct proxy *proxy, const struct addr *client, const struct host *host)
{
    struct trust_row *row = find(proxy, client, true);
    uint64_t name = fasthash64(host_str(host), 0);
    bool news = row->told != PROXY_TRUST_REFUSED || row->host != name;
    row->told = PROXY_TRUST_REFUSED;
    row->host = name;
    row->unknown_ca |= !row->accepted;
    /* Technicians read the register: it gives no hint of what a sealed list holds. */
    bool sealed =
        proxy->images.catalog == NULL || catalog_host_has_sealed_url(proxy->images.catalog, host);
    if (news && !sealed) {
        tell(proxy, client, host, PROXY_TRUST_REFUSED);
    }
}

bool trust_failed(struct proxy *proxy, const struct addr *client, const struct host *host,
                  const struct tls_session *session)
{
    enum tls_trouble trouble = session != NULL ? tls_trouble(session) : TLS_TROUBLE_NONE;
    if (trouble == TLS_TROUBLE_LEFT) {
        struct trust_row *row = find(proxy, client, true);
        trouble = row->left ? TLS_TROUBLE_REFUSED : trouble;
        row->left = true;
    }
    if (trouble == TLS_TROUBLE_REFUSED) {
        refused(proxy, client, host);
    }
    return trouble == TLS_TROUBLE_REFUSED;
}

void proxy_set_enrolled(struct proxy *proxy, const struct addr *client, bool enrolled)
{
    struct trust_row *row = find(proxy, client, !enrolled);
    if (row != NULL && row->unknown_ca == enrolled) {
        row->unknown_ca = !enrolled;
        row->accepted = row->accepted && enrolled;
        row->told = PROXY_TRUST_UNSET;
    }
}
