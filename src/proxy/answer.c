/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of our own: refusals and trouble. Each is the whole answer, so its one event is written
 * first.
 *
 * A block page carries the event's number and nothing else: no person, no address. A pupil never
 * reads the name of a sensitive category, and nobody what a sealed list holds.
 */
#include <stdio.h>

#include "catalog/category.h"
#include "http/answer.h"
#include "policy/policy.h"
#include "proxy/proxy_impl.h"
#include "proxy/views.h"

enum { ID_TEXT_MAX = 33 };

static const struct str HTML = STR_INIT("text/html; charset=utf-8");

/* Where an answer is only this much, the client's connection goes on being used. */
static bool may_go_on(const struct client *client)
{
    return !client->last && !client->unread && !client->proxy->draining;
}

/* A request whose body we did not read must not leave it to be read as the next request; and what
 * follows a request that is not valid is not read at all. */
static void refuse_rest(struct client *client, unsigned status)
{
    const struct exchange *exchange = client->exchange;
    if (!exchange->up.done || status == 400) {
        client->last = true;
        client->unread = true;
    }
}

/* Ends the exchange and sends head and body. */
static void send_whole(struct client *client, struct str head, struct str body)
{
    exchange_free(client->exchange);
    client->stage = STAGE_PAGE;
    client_timer_set(client, client->proxy->options.body_timeout_ms);
    if (http_conn_write(&client->conn, head, body) != ERR_OK) {
        client_close(client);
    } else if (!http_conn_pending(&client->conn)) {
        client_next(client);
    }
}

/* A CONNECT that was told 200 can be told nothing more. */
static bool end_established(struct client *client, enum event_end end)
{
    if (!client->exchange->established) {
        return false;
    }
    record_left(client->exchange, end);
    client_close(client);
    return true;
}

void answer_send(struct client *client, unsigned status, struct str type, struct str extra)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    if (buf_err(&proxy->page) != ERR_OK) {
        client_close(client);
        return;
    }
    refuse_rest(client, status);
    struct http_answer answer = {
        .status = status,
        .type = type,
        .policy = exchange->policy.len != 0 ? exchange->policy : STR(VIEWS_POLICY),
        .extra = extra,
        .length = proxy->page.len,
        .keep_alive = may_go_on(client),
    };
    buf_clear(&proxy->line);
    http_answer_print(&proxy->line, &answer);
    struct str body = exchange->method != HTTP1_HEAD ? buf_str(&proxy->page) : STR("");
    exchange->status = status;
    exchange->bytes_down = body.len;
    /* A refusal because the record is full has no event; everything else needs one to go out. */
    if (!record_request(exchange) && status != 503) {
        answer_trouble(client, 503, "Lodge cannot write its record just now, so it refuses");
        return;
    }
    send_whole(client, buf_str(&proxy->line), body);
}

/* The event's number, which is all that a page tells of a request. */
static struct str id_text(const struct exchange *exchange, char to[ID_TEXT_MAX])
{
    static const char hex[] = "0123456789abcdef";
    for (size_t i = 0; i < EVENT_ID_LEN; i++) {
        to[2 * i] = hex[exchange->id.bytes[i] >> 4];
        to[2 * i + 1] = hex[exchange->id.bytes[i] & 15];
    }
    return str_make(to, ID_TEXT_MAX - 1);
}

/* --- blocked
 * ------------------------------------------------------------------------------------------- */

static void page_ks1(struct buf *to, const struct exchange *exchange, struct str id)
{
    (void)exchange;
    gate_view_block_ks1(to, &(struct gate_view_block_ks1){.id = id});
}

static void page_ks2(struct buf *to, const struct exchange *exchange, struct str id)
{
    const struct category_row *row = category_row(exchange->verdict.category);
    bool show = row != NULL && !row->sensitive && !exchange->verdict.sealed;
    gate_view_block_ks2(to, &(struct gate_view_block_ks2){
                                .about = show ? row->child : STR(""),
                                .id = id,
                            });
}

/* Who can change an answer, for staff: by its reason, else by its level, else by whether the policy
 * decided (a step of design's order) or the way of asking did. */
static const struct str change_by_reason[REASON_COUNT_] = {
    [REASON_SEALED_HOST] = STR_INIT("Nobody in school can open the site as a whole. Ask the "
                                    "technician whether HTTPS can be inspected here."),
    [REASON_ISOLATED] = STR_INIT("The device is kept as it is. Only the designated safeguarding "
                                 "lead or the head can release it."),
    [REASON_SUSPENDED] = STR_INIT("The head, or the senior leader who suspended access, can end "
                                  "it. Places of help stay open."),
    [REASON_LIST_DENY] = STR_INIT("It stands on the school's own list, with who put it there, why "
                                  "and until when. They, or the head, can take it off."),
};
static const struct str change_by_level[LEVEL_ILLEGAL + 1] = {
    [LEVEL_CERTAIN_TIMES] = STR_INIT("It opens at certain times, if the policy's table names any "
                                     "for your group. The head decides which."),
    [LEVEL_NOMINATED] = STR_INIT("It is open to named people only. The head can add a name."),
};
static const struct str change_by_table =
    STR_INIT("The head and the governors decide what the policy's table says. For a lesson, ask "
             "the person who runs the school's filter to open it.");
static const struct str change_by_technician =
    STR_INIT("Ask the technician who looks after the filter: this is about how the site was asked "
             "for, not about what it is.");

static struct str who_can_change(const struct verdict *verdict)
{
    if (change_by_reason[verdict->reason].len != 0) {
        return change_by_reason[verdict->reason];
    }
    if (change_by_level[verdict->level].len != 0) {
        return change_by_level[verdict->level];
    }
    return reason_step(verdict->reason) != 0 ? change_by_table : change_by_technician;
}

static void page_sealed(struct buf *to, const struct exchange *exchange, struct str id)
{
    gate_view_block_sealed(to, &(struct gate_view_block_sealed){
                                   .reason = reason_text(exchange->verdict.reason),
                                   .level = level_name(exchange->verdict.level),
                                   .group = exchange->who.group,
                                   .id = id,
                               });
}

static void page_staff(struct buf *to, const struct exchange *exchange, struct str id)
{
    const struct verdict *verdict = &exchange->verdict;
    const struct category_row *row = category_row(verdict->category);
    if (verdict->reason == REASON_SEALED) {
        page_sealed(to, exchange, id);
        return;
    }
    bool show = row != NULL && !verdict->sealed;
    gate_view_block_staff(to, &(struct gate_view_block_staff){
                                  .reason = reason_text(verdict->reason),
                                  .category = show ? row->staff : STR(""),
                                  .name = show ? row->name : STR(""),
                                  .level = level_name(verdict->level),
                                  .rule = verdict->sealed ? STR("") : verdict->rule,
                                  .group = exchange->who.group,
                                  .change = who_can_change(verdict),
                                  .gate = exchange->client->proxy->options.gate_name,
                                  .id = id,
                              });
}

/* The console, asked for through the proxy. */
static void answer_directly(struct client *client)
{
    struct proxy *proxy = client->proxy;
    char id[ID_TEXT_MAX];
    char advice[LIMIT_HOST_LEN + 128];
    snprintf(advice, sizeof(advice),
             "Set this browser's proxy by the file http://%.*s/proxy.pac: it knows the way.",
             STR_ARG(proxy->options.gate_name));
    buf_clear(&proxy->page);
    gate_view_trouble(&proxy->page,
                      &(struct gate_view_trouble){
                          .title = STR("The school's console is not reached this way"),
                          .why = STR("This browser asked the proxy for it. It must "
                                     "be asked directly, so that it sees which "
                                     "device this is"),
                          .advice = str_from(advice),
                          .id = id_text(client->exchange, id),
                      });
    proxy->counts.blocked++;
    answer_send(client, 403, HTML, STR(""));
}

void answer_blocked(struct client *client)
{
    typedef void page_fn(struct buf *, const struct exchange *, struct str);
    static page_fn *const pages[] = {
        [VOICE_UNSET] = page_ks2,
        [VOICE_KS1] = page_ks1,
        [VOICE_KS2] = page_ks2,
        [VOICE_STAFF] = page_staff,
    };
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    char id[ID_TEXT_MAX];
    if (inspect_shows(client) || end_established(client, EVENT_END_POLICY) ||
        to_console_instead(client)) {
        return;
    }
    if (!exchange->connect && to_console_is(client, &exchange->url.host, exchange->url.port)) {
        answer_directly(client);
        return;
    }
    buf_clear(&proxy->page);
    if (exchange->verdict.action == ACTION_LIMITED) {
        gate_view_limited(&proxy->page, &(struct gate_view_limited){.id = id_text(exchange, id)});
    } else {
        enum voice voice = policy_group_voice(proxy->images.policy, exchange->who.group_number);
        pages[voice](&proxy->page, exchange, id_text(exchange, id));
    }
    if (exchange->connect) {
        /* A client may have sent what it wanted to say inside already. */
        client->last = true;
        client->unread = true;
    }
    proxy->counts.blocked++;
    answer_send(client, 403, HTML, STR(""));
}

/* --- trouble
 * ------------------------------------------------------------------------------------------- */

struct trouble_row {
    unsigned status;
    struct str title;
    struct str advice;
};

static const struct trouble_row troubles[] = {
    {400, STR_INIT("The request is not valid"),
     STR_INIT("A program on this device asked in a way that Lodge cannot answer safely.")},
    {404, STR_INIT("There is no such page"), STR_INIT("")},
    {405, STR_INIT("The request is not allowed"), STR_INIT("")},
    {408, STR_INIT("The request took too long"), STR_INIT("")},
    {421, STR_INIT("The request is for another site"),
     STR_INIT("A program on this device asked one site on the connection to another.")},
    {431, STR_INIT("The request is too long"), STR_INIT("")},
    {501, STR_INIT("Lodge does not do this"), STR_INIT("")},
    {502, STR_INIT("The site does not work just now"),
     STR_INIT("Check the address. If it is right, try again later.")},
    {503, STR_INIT("The gate is closed for a moment"),
     STR_INIT("Tell whoever looks after the computers. It opens again by itself.")},
    {504, STR_INIT("The site does not answer"), STR_INIT("Try again later.")},
    {508, STR_INIT("The request goes in a circle"),
     STR_INIT("Tell whoever looks after the computers.")},
};

static const struct trouble_row *trouble_of(unsigned status)
{
    enum { N = sizeof(troubles) / sizeof(troubles[0]) };
    for (size_t i = 0; i < N; i++) {
        if (troubles[i].status == status) {
            return &troubles[i];
        }
    }
    return &troubles[0];
}

void answer_trouble(struct client *client, unsigned status, const char *why)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    const struct trouble_row *row = trouble_of(status);
    char id[ID_TEXT_MAX];
    if (end_established(client, EVENT_END_ORIGIN)) {
        return;
    }
    buf_clear(&proxy->page);
    gate_view_trouble(&proxy->page, &(struct gate_view_trouble){
                                        .title = row->title,
                                        .why = str_from(why),
                                        .advice = row->advice,
                                        .id = id_text(exchange, id),
                                    });
    record_undecided(exchange, status < 500 ? REASON_MALFORMED : REASON_DOUBT);
    client->last |= exchange->connect || status == 503;
    proxy->counts.failed++;
    answer_send(client, status, HTML, STR(""));
}

void answer_sign_in(struct client *client)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    char id[ID_TEXT_MAX];
    buf_clear(&proxy->page);
    gate_view_sign_in(&proxy->page, &(struct gate_view_sign_in){.id = id_text(exchange, id)});
    record_undecided(exchange, REASON_DOUBT);
    answer_send(client, 407, HTML,
                STR("Proxy-Authenticate: Basic realm=\"School internet\", charset=\"UTF-8\"\r\n"));
}

/* No 407: it would ask for the password once more. */
void answer_plain_password(struct client *client)
{
    struct proxy *proxy = client->proxy;
    struct exchange *exchange = client->exchange;
    char id[ID_TEXT_MAX];
    char advice[LIMIT_HOST_LEN + 128];
    snprintf(advice, sizeof(advice),
             "Set this device up again: http://%.*s/setup says how. Then sign in.",
             STR_ARG(proxy->options.gate_name));
    buf_clear(&proxy->page);
    gate_view_trouble(&proxy->page, &(struct gate_view_trouble){
                                        .title = STR("This device is not set up for signing in"),
                                        .why = reason_text(REASON_PLAIN_PASSWORD),
                                        .advice = str_from(advice),
                                        .id = id_text(exchange, id),
                                    });
    record_undecided(exchange, REASON_PLAIN_PASSWORD);
    client->last = true;
    proxy->counts.failed++;
    answer_send(client, 403, HTML, STR(""));
}
