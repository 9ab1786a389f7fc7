/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the policy says to an exchange or a tunnel, and what it says later: when images change, and
 * when a time comes that an answer carried. */
#include <stdlib.h>

#include "proxy/proxy_impl.h"

/* Whose credentials auth accepted, and what the state's credential was then. */
struct proof {
    struct str person; /* the log-on; empty: none */
    int64_t credential;
};

/* What a password opened that is another one by now is nobody's. No log-on is a space. */
static struct str standing_person(const struct proxy *proxy, const struct proof *proof)
{
    bool stands = policy_credential(&proxy->images, proof->person) == proof->credential;
    return proof->person.len == 0 || stands ? proof->person : STR(" ");
}

/* Decided, and put as the verdict; *ret_subject is who asks by the images of now. */
static void ask(struct proxy *proxy, const struct addr *client, const struct proof *proof,
                struct policy_request *request, const struct sock_addr *to,
                struct policy_subject *ret_subject, struct verdict *ret_verdict)
{
    /* The box's own public addresses are refused as its loopback is. */
    static const struct addr loopback = {
        {[10] = 0xff, [11] = 0xff, [12] = 127, [13] = 0, [14] = 0, [15] = 1}};
    struct addr addr;
    if (to != NULL) {
        memcpy(addr.bytes, to->ip, sizeof(addr.bytes));
        request->addr = &addr;
        if (!addr_is_special(&addr) && proxy_is_own(proxy, to->ip)) {
            request->addr = &loopback;
        }
    }
    request->allow_ports = proxy->options.allow_private;
    int64_t now_ms = proxy_now_ms(proxy);
    struct policy_answer answer;
    policy_identify(&proxy->images, standing_person(proxy, proof), client, now_ms, ret_subject);
    policy_decide(&proxy->images, ret_subject, request, now_ms, &answer);
    request->addr = NULL; /* it was ours */
    *ret_verdict = (struct verdict){
        .action = answer.action,
        .level = answer.level,
        .reason = answer.reason,
        .rule = answer.rule,
        .categories = answer.categories,
        .category = answer.category,
        .sealed = answer.sealed,
        .lifeline = answer.lifeline,
        .inspect = answer.inspect,
        .safe_search = answer.safe_search,
        .ech = answer.ech,
        .until_ms = answer.until_ms,
        .catalog_generation = proxy->catalog_generation,
        .policy_generation = proxy->policy_generation,
        .state_generation = proxy->state_generation,
    };
}

static void who_set(const struct proxy *proxy, const struct policy_subject *subject,
                    struct who *who)
{
    who_fini(who);
    *who = (struct who){
        .known = subject->known,
        .group_number = subject->group,
        .person = subject->person,
        .device = subject->device,
        .class_id = subject->class_id,
        .supervisor = subject->supervisor,
        .group = policy_group_id(proxy->images.policy, subject->group),
    };
}

void who_fini(struct who *who)
{
    free(who->own);
    *who = (struct who){0};
}

enum err who_own(struct who *who)
{
    struct str *slices[] = {&who->person, &who->device, &who->class_id, &who->supervisor,
                            &who->group};
    enum { N = sizeof(slices) / sizeof(slices[0]) };
    size_t len = 0;
    if (who->own != NULL || who->known == KNOWN_UNSET) {
        return ERR_OK;
    }
    for (size_t i = 0; i < N; i++) {
        len += slices[i]->len;
    }
    char *own = malloc(len + 1);
    if (own == NULL) {
        return ERR_MEMORY;
    }
    size_t at = 0;
    for (size_t i = 0; i < N; i++) {
        if (slices[i]->len != 0) {
            memcpy(own + at, slices[i]->p, slices[i]->len);
        }
        slices[i]->p = own + at;
        at += slices[i]->len;
    }
    who->own = own;
    return ERR_OK;
}

enum err verdict_let_go(struct proxy *proxy)
{
    for (struct client *client = proxy->clients; client != NULL; client = client->next) {
        if (client->exchange != NULL) {
            ERR_TRY(who_own(&client->exchange->who));
        }
        if (client->tunnel != NULL) {
            ERR_TRY(who_own(&client->tunnel->who));
        }
        if (client->inside != NULL) {
            ERR_TRY(who_own(&client->inside->who));
        }
    }
    return ERR_OK;
}

static struct policy_request request_of(const struct exchange *exchange,
                                        const struct catset *content)
{
    bool inspected = !exchange->connect || inspect_is_possible(exchange->client->proxy);
    return (struct policy_request){
        .kind = exchange->connect ? REQUEST_CONNECT : REQUEST_URL,
        .url = &exchange->url,
        .content = content,
        .inspected = inspected,
        .form = exchange->form,
    };
}

bool verdict_would_refuse(struct exchange *exchange, unsigned category)
{
    struct client *client = exchange->client;
    struct proxy *proxy = client->proxy;
    if (!policy_weighs(proxy->images.policy, exchange->who.group_number, category)) {
        return false;
    }
    struct catset content = exchange->content;
    catset_add(&content, category);
    struct policy_request request = request_of(exchange, &content);
    struct policy_subject subject;
    struct verdict verdict;
    ask(proxy, &client->addr, &(struct proof){exchange_person(exchange), exchange->credential},
        &request, &exchange->origin->addr, &subject, &verdict);
    return verdict.action != ACTION_ALLOW;
}

bool verdict_exchange(struct exchange *exchange, const struct sock_addr *addr)
{
    const struct client *client = exchange->client;
    struct proxy *proxy = client->proxy;
    struct policy_request request = request_of(exchange, &exchange->content);
    struct policy_subject subject;
    ask(proxy, &client->addr, &(struct proof){exchange_person(exchange), exchange->credential},
        &request, addr, &subject, &exchange->verdict);
    const struct inside *inside = client->inside;
    if (inside != NULL && inside->barred && exchange->verdict.action == ACTION_ALLOW) {
        exchange->verdict = inside->verdict;
    }
    if (!exchange->opened) {
        who_set(proxy, &subject, &exchange->who); /* else: who opened it stays in its events */
    }
    return exchange->verdict.action == ACTION_ALLOW;
}

bool verdict_raw(struct exchange *exchange, struct verdict *ret_verdict)
{
    const struct client *client = exchange->client;
    struct policy_request request = {.kind = REQUEST_TUNNEL_RAW, .url = &exchange->url};
    struct policy_subject subject;
    ask(client->proxy, &client->addr,
        &(struct proof){exchange_person(exchange), exchange->credential}, &request, NULL, &subject,
        ret_verdict);
    return ret_verdict->action == ACTION_ALLOW;
}

/* Reasons that are about how a site is asked for, so that none of its URLs opens it. */
static bool is_of_the_way(enum reason reason)
{
    return reason == REASON_TUNNEL_PORT || reason == REASON_TUNNEL_IP ||
           reason == REASON_TUNNEL_NO_SNI || reason == REASON_TUNNEL_NOT_TLS ||
           reason == REASON_TUNNEL_ECH;
}

void verdict_inside(struct client *client)
{
    struct inside *inside = client->inside;
    struct proxy *proxy = client->proxy;
    struct url url = {
        .scheme = STR("https"),
        .host = inside->connect_host,
        .port = inside->port,
        .path = STR("/"),
    };
    struct policy_request request = {
        .kind = REQUEST_TLS,
        .url = &url,
        .hello = &inside->hello,
        .inspected = true,
    };
    struct policy_subject subject;
    ask(proxy, &client->addr,
        &(struct proof){str_make(inside->person, inside->person_len), inside->credential}, &request,
        NULL, &subject, &inside->verdict);
    who_set(proxy, &subject, &inside->who);
    bool allowed = inside->verdict.action == ACTION_ALLOW;
    /* Two names: each must be allowed, not only the one that the requests are for. */
    inside->barred = !allowed && (is_of_the_way(inside->verdict.reason) ||
                                  !host_eq(&inside->connect_host, &inside->host));
}

static enum request_kind tunnel_kind(const struct tunnel *tunnel)
{
    if (tunnel->upgraded) {
        return REQUEST_URL;
    }
    if (!tunnel->examined) {
        return REQUEST_CONNECT;
    }
    return tunnel->raw ? REQUEST_TUNNEL_RAW : REQUEST_TLS;
}

bool verdict_tunnel(struct client *client)
{
    struct tunnel *tunnel = client->tunnel;
    struct url url = {
        .scheme = tunnel->upgraded && !tunnel->secure ? STR("http") : STR("https"),
        .host = tunnel->host,
        .port = tunnel->port,
        .path = STR("/"),
    };
    if (tunnel->upgraded) {
        url.path = str_make(tunnel->path, tunnel->path_len);
        url.query = str_make(tunnel->path + tunnel->path_len, tunnel->query_len);
        url.has_query = tunnel->has_query;
    }
    struct policy_request request = {
        .kind = tunnel_kind(tunnel),
        .url = &url,
        .hello = tunnel->examined && !tunnel->raw ? tunnel->hello : NULL,
        /* Before it is decided on what it is, it may still be answered by TLS of ours. */
        .inspected = tunnel->upgraded || (client->stage == STAGE_HELLO && !tunnel->raw &&
                                          inspect_is_possible(client->proxy)),
    };
    struct policy_subject subject;
    ask(client->proxy, &client->addr, &(struct proof){str_from(tunnel->person), tunnel->credential},
        &request, &tunnel->origin->addr, &subject, &tunnel->verdict);
    if (tunnel->secure && client->inside->barred && tunnel->verdict.action == ACTION_ALLOW) {
        tunnel->verdict = client->inside->verdict;
    }
    return tunnel->verdict.action == ACTION_ALLOW;
}

void verdict_watch(struct proxy *proxy, const struct verdict *verdict)
{
    if (verdict->until_ms < proxy->next_until_ms) {
        proxy->next_until_ms = verdict->until_ms;
    }
}

static bool is_due(const struct proxy *proxy, const struct verdict *verdict, bool all)
{
    return all || verdict->until_ms <= proxy_now_ms(proxy);
}

static void dial_again(struct client *client)
{
    struct exchange *exchange = client->exchange;
    bool allowed = verdict_exchange(exchange, NULL);
    for (struct origin *try = exchange->dial.tries; allowed && try != NULL; try = try->next_try) {
        allowed = verdict_exchange(exchange, &try->addr);
    }
    if (allowed && exchange->origin != NULL) {
        allowed = verdict_exchange(exchange, &exchange->origin->addr); /* its TLS is under way */
    }
    exchange->dial.checked = false;
    if (allowed && inspect_takes(client)) {
        return;
    }
    if (!allowed) {
        answer_blocked(client);
    }
}

static void client_decide_again(struct client *client, bool all)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    struct tunnel *tunnel = client->tunnel;
    if (client->inside != NULL && is_due(proxy, &client->inside->verdict, all)) {
        inspect_decide_again(client);
    }
    if (client->stage == STAGE_CLOSED) {
        return;
    }
    if (client->stage == STAGE_FIRST && is_due(proxy, &exchange->verdict, all)) {
        (void)!verdict_exchange(exchange, NULL); /* acted on when the ClientHello is there */
    }
    if (tunnel != NULL && is_due(proxy, &tunnel->verdict, all) && !verdict_tunnel(client)) {
        tunnel_end(client, EVENT_END_POLICY);
    } else if (client->stage == STAGE_DIAL && is_due(proxy, &exchange->verdict, all)) {
        dial_again(client);
    } else if (client->stage == STAGE_RELAY && is_due(proxy, &exchange->verdict, all) &&
               !verdict_exchange(exchange, &exchange->origin->addr)) {
        relay_refuse(client);
    }
    if (client->inside != NULL) {
        verdict_watch(proxy, &client->inside->verdict);
    }
    if (client->tunnel != NULL) {
        verdict_watch(proxy, &client->tunnel->verdict);
    } else if (client->stage == STAGE_RELAY) {
        verdict_watch(proxy, &client->exchange->verdict);
    }
}

void verdict_again(struct proxy *proxy, bool all)
{
    proxy->next_until_ms = INT64_MAX;
    struct client *next = NULL;
    for (struct client *client = proxy->clients; client != NULL; client = next) {
        next = client->next; /* new clients come to the front; one call closes one client */
        client_decide_again(client, all);
    }
}
