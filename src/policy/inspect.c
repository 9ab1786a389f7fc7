/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether TLS to a site is inspected, and whether a hello encrypts the name of another (T5, F20).
 *
 * A host that carries a sealed URL is inspected for everyone, whatever else says otherwise: at one
 * that is not, only its refusal could keep that URL from being read. Then come those that are never
 * inspected: lifelines (nobody looks over a child's shoulder there), the school's own list, the
 * categories of T5. Then the group's word.
 *
 * What is never inspected is asked of the host alone, since it is decided before a path is seen,
 * and must not change when one is.
 */
#include "policy/decide_impl.h"

bool inspect_can(const struct policy_request *request)
{
    bool tls = request->kind == REQUEST_CONNECT || request->kind == REQUEST_TLS ||
               (request->kind == REQUEST_URL && str_eq(request->url->scheme, STR("https")));
    return tls && request->inspected;
}

static bool is_never(const struct decision *decision)
{
    struct catalog_hit hit = {0};
    if (decision->found[MATCH_LIFELINE] != NULL) {
        return true;
    }
    catalog_lookup_host(decision->catalog, decision->host, &hit);
    return decision->found[MATCH_NEVER] != NULL ||
           catset_meets(&hit.categories, &decision->policy->never_inspect);
}

/* A bare address that a hello names: the name is all that is known of the site, and speaks. */
static bool is_named_by_hello(const struct decision *decision)
{
    return decision->request->kind == REQUEST_TLS && decision->request->hello->has_sni &&
           decision->host->kind != HOST_NAME &&
           host_eq(decision->host, &decision->request->url->host);
}

bool inspect_wanted(const struct decision *decision)
{
    if (!inspect_can(decision->request)) {
        return false;
    }
    return decision->carries_sealed ||
           (decision->group->inspect && !is_never(decision) && !is_named_by_hello(decision));
}

/* A browser sends the extension with every hello, filled with noise where it knows no key (GREASE,
 * RFC 9849 section 6.2), and the two are made to look alike. What tells them apart is the name
 * beside it: of a real one, it is the provider's public name and not the site's. So it is real
 * where the name is known to be such a name, or is another than the CONNECT asked for. One whose
 * outer name is that of the CONNECT looks like GREASE, and is judged by that name either way. */
bool inspect_has_ech(const struct policy_request *request)
{
    static const struct str public_names[] = {
#define ECH_PUBLIC(name) STR_INIT(name),
#include "policy/ech.def"
#undef ECH_PUBLIC
    };
    if (request->kind != REQUEST_TLS || !request->hello->has_ech || !request->hello->has_sni) {
        return false;
    }
    const struct host *asked = &request->url->host;
    const struct host *sni = &request->hello->sni;
    for (size_t i = 0; i < sizeof(public_names) / sizeof(public_names[0]); i++) {
        if (str_eq(host_str(sni), public_names[i])) {
            return true;
        }
    }
    return asked->kind == HOST_NAME && !host_eq(asked, sni);
}
