/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The events of exchanges and tunnels: each is appended to the spool before the first byte of its
 * answer goes out, so that a worker killed at any time has told of every answer it began. */
#include "crypto/random.h"
#include "proxy/proxy_impl.h"

/* Ids are drawn many at a time: one system call for 256 of them. */
void record_new_id(struct proxy *proxy, struct event_id *ret_id)
{
    if (proxy->random_at + EVENT_ID_LEN > sizeof(proxy->random)) {
        random_bytes(proxy->random, sizeof(proxy->random));
        proxy->random_at = 0;
    }
    memcpy(ret_id->bytes, proxy->random + proxy->random_at, EVENT_ID_LEN);
    memset(proxy->random + proxy->random_at, 0, EVENT_ID_LEN);
    proxy->random_at += EVENT_ID_LEN;
}

/* What is known of every event. */
static void fill(const struct client *client, enum event_kind kind, const struct event_id *id,
                 const struct who *who, const struct verdict *verdict, struct event *event)
{
    const struct proxy *proxy = client->proxy;
    *event = (struct event){
        .id = *id,
        .kind = kind,
        .node = proxy->options.node,
        .school = proxy->options.school,
        .utc_ms = loop_utc_ms(proxy->loop),
        .mono_ms = loop_mono_ms(proxy->loop),
        .person = who->person,
        .device = who->device,
        .client = client->addr,
        .group = who->group,
        .class_id = who->class_id,
        .supervisor = who->supervisor,
        .known = who->known,
        .categories = verdict->categories,
        .level = verdict->level,
        .rule = verdict->rule,
        .reason = verdict->reason,
        .action = verdict->action,
        .catalog_generation = verdict->catalog_generation,
        .policy_generation = verdict->policy_generation,
        .state_generation = verdict->state_generation,
        .lifeline = verdict->lifeline,
        .sealed = verdict->sealed,
        .ech = verdict->ech,
    };
}

static bool append(struct proxy *proxy, const struct event *event)
{
    if (spool_append(proxy->setup.spool, event) != ERR_OK) {
        proxy->counts.failed++;
        return false;
    }
    if (event->sealed != 0 && proxy->setup.sealed != NULL) {
        proxy->setup.sealed(proxy->setup.sealed_context);
    }
    return true;
}

static bool record_exchange(struct exchange *exchange, enum event_kind kind, enum event_end end)
{
    struct proxy *proxy = exchange->client->proxy;
    struct event event;
    fill(exchange->client, kind, &exchange->id, &exchange->who, &exchange->verdict, &event);
    event.method = exchange_method(exchange);
    event.status = exchange->status;
    event.bytes_up = exchange->bytes_up;
    event.bytes_down = exchange->bytes_down;
    event.duration_ms = (uint64_t)(event.mono_ms - exchange->began_ms);
    event.end = end;
    if (exchange->known_url) {
        const struct url *url = &exchange->url;
        event.scheme = exchange->connect ? STR("tunnel") : url->scheme;
        event.inspected = exchange->client->inside != NULL;
        event.ech |= event.inspected && exchange->client->inside->verdict.ech;
        event.host = host_str(&url->host);
        event.port = url->port;
        event.path = exchange->connect ? str_make(NULL, 0) : url->path;
        event.query = url->query;
        event.search = searching_terms(exchange);
    }
    return append(proxy, &event);
}

void record_undecided(struct exchange *exchange, enum reason reason)
{
    struct verdict *verdict = &exchange->verdict;
    if (verdict->action == ACTION_UNSET) {
        verdict->action = ACTION_BLOCK;
        verdict->level = LEVEL_NONE;
        verdict->reason = reason;
    }
}

bool record_request(struct exchange *exchange)
{
    exchange->recorded = record_exchange(exchange, EVENT_REQUEST, EVENT_END_UNSET);
    return exchange->recorded;
}

bool record_open(struct exchange *exchange)
{
    if (!exchange->opened) {
        exchange->opened = record_exchange(exchange, EVENT_OPEN, EVENT_END_UNSET);
        exchange->recorded |= exchange->opened;
    }
    return exchange->opened;
}

void record_left(struct exchange *exchange, enum event_end end)
{
    if (!exchange->recorded) {
        record_undecided(exchange, REASON_DOUBT);
        (void)!record_open(exchange); /* nobody is left to be told */
    }
    record_close(exchange, end);
}

void record_close(struct exchange *exchange, enum event_end end)
{
    if (exchange->opened) {
        exchange->opened = false;
        record_exchange(exchange, EVENT_CLOSE, end);
    }
}

void record_tunnel_close(struct client *client, enum event_end end)
{
    const struct tunnel *tunnel = client->tunnel;
    struct event event;
    fill(client, EVENT_CLOSE, &tunnel->id, &tunnel->who, &tunnel->verdict, &event);
    event.method = str_make(tunnel->method, tunnel->method_len);
    event.scheme = !tunnel->upgraded ? STR("tunnel") : tunnel->secure ? STR("https") : STR("http");
    event.inspected = tunnel->secure;
    event.ech |= client->inside != NULL && client->inside->verdict.ech;
    event.host = host_str(&tunnel->host);
    event.port = tunnel->port;
    event.path = str_make(tunnel->path, tunnel->path_len);
    event.query = str_make(tunnel->query_len != 0 ? tunnel->path + tunnel->path_len : NULL,
                           tunnel->query_len);
    event.status = tunnel->status;
    event.bytes_up = tunnel->up.bytes;
    event.bytes_down = tunnel->down.bytes;
    event.duration_ms = (uint64_t)(event.mono_ms - tunnel->began_ms);
    event.end = end;
    append(client->proxy, &event);
}

void record_inside(struct client *client, const struct inside *inside)
{
    struct event event;
    fill(client, EVENT_REQUEST, &inside->id, &inside->who, &inside->verdict, &event);
    event.method = STR("CONNECT");
    event.scheme = STR("tunnel");
    event.host = host_str(&inside->connect_host);
    event.port = inside->port;
    event.status = 200;
    event.duration_ms = (uint64_t)(event.mono_ms - inside->began_ms);
    event.inspected = inside->ready;
    append(client->proxy, &event);
}

void record_malformed(struct client *client)
{
    struct inside *inside = client->inside;
    struct verdict verdict = inside->verdict;
    struct event event;
    struct event_id id;
    verdict.action = ACTION_BLOCK;
    verdict.level = LEVEL_NONE;
    verdict.reason = REASON_MALFORMED;
    verdict.rule = reason_code(REASON_MALFORMED);
    record_new_id(client->proxy, &id);
    fill(client, EVENT_REQUEST, &id, &inside->who, &verdict, &event);
    event.scheme = STR("https");
    event.host = host_str(&inside->host);
    event.port = inside->port;
    event.inspected = true;
    inside->asked = true;
    append(client->proxy, &event);
}
