/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The beginning of an answer, held back for its readers. */
#include "proxy/hold_impl.h"

#include <stdlib.h>

#include "base/num.h"
#include "proxy/proxy_impl.h"
#include "proxy/reading_impl.h"

enum {
    HOLD_DECODED_MAX = 4096,
    HOLD_WIRE_MAX = 128 * 1024,
    HOLD_HEAD_MAX = 128 * 1024,
    HOLD_MS = 250, /* a site that thinks between two bytes is not made slower by more than this */
    HOLD_RANGE_MIN = 4096,
};

struct hold {
    struct exchange *exchange;
    struct reading *reading; /* NULL: nobody reads on */
    struct loop_timer timer;
    struct buf kept;
    bool holding;
};

static const struct reader_kind *const kinds[] = {&reader_programs};

enum { N_KINDS = sizeof(kinds) / sizeof(kinds[0]) };

/* --- the facts of a head
 * ------------------------------------------------------------------------------ */

static struct str header(const struct http1_head *head, enum http1_name id)
{
    const struct http1_header *found = http1_find(head, id);
    return found != NULL ? found->value : str_make(NULL, 0);
}

/* RFC 9110 section 14.4: "bytes 0-499/1234". */
static enum reading_part part_of(const struct http1_head *head)
{
    struct str range = header(head, HTTP1_NAME_CONTENT_RANGE);
    struct str unit;
    struct str rest;
    struct str first;
    uint64_t at = 0;
    if (head->status != 206) {
        return PART_START;
    }
    str_cut(range, ' ', &unit, &rest);
    bool known = str_eq_nocase(unit, STR("bytes")) && str_cut(str_trim(rest), '-', &first, &rest) &&
                 parse_u64(first, 0, UINT64_MAX, &at) == ERR_OK;
    if (!known || (at > 0 && at < HOLD_RANGE_MIN)) {
        return PART_UNSEEN;
    }
    return at == 0 ? PART_START : PART_INNER;
}

/* Fields of one name are one list (RFC 9110 section 5.3). A list too long for its buffer names no
 * coding that there is. */
static void join_codings(const struct http1_head *head, struct buf *to)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        if (head->headers[i].id == HTTP1_NAME_CONTENT_ENCODING) {
            buf_append(to, to->len != 0 ? STR(",") : STR(""));
            buf_append(to, head->headers[i].value);
        }
    }
}

/* --- what it means
 * ------------------------------------------------------------------------------------ */

/* The policy's answer with one more thing that the body is; true: refused, and the verdict says so.
 */
static bool is_refused(struct exchange *exchange, unsigned category, bool doubt)
{
    catset_add(&exchange->content, category);
    if (verdict_exchange(exchange, &exchange->origin->addr)) {
        return false;
    }
    if (doubt) {
        exchange->verdict.reason = REASON_DOUBT;
    }
    return true;
}

/* Ends the reading. */
static void read_no_more(struct hold *hold)
{
    reading_free(hold->reading);
    hold->reading = NULL;
    hold->holding = false;
}

static enum hold_says judge(struct hold *hold)
{
    unsigned category = CATEGORY_UNSET;
    switch (reading_says(hold->reading, &category)) {
    case READER_MORE:
        hold->holding = hold->holding && reading_bytes(hold->reading) < HOLD_DECODED_MAX &&
                        hold->kept.len < HOLD_WIRE_MAX;
        return hold->holding ? HOLD_WAIT : HOLD_GO;
    case READER_PASS:
        read_no_more(hold);
        return HOLD_GO;
    case READER_FOUND:
    case READER_DOUBT:
        break;
    }
    bool doubt = reading_says(hold->reading, &category) == READER_DOUBT;
    read_no_more(hold);
    return is_refused(hold->exchange, category, doubt) ? HOLD_REFUSED : HOLD_GO;
}

static void on_time(struct loop_timer *timer)
{
    struct hold *hold =
        (struct hold *)(void *)((char *)timer - __builtin_offsetof(struct hold, timer));
    hold->holding = false;
    if (hold->kept.len != 0) {
        relay_release(hold->exchange->client);
    }
}

static struct hold *hold_new(struct exchange *exchange, struct reading *reading)
{
    struct hold *hold = calloc(1, sizeof(*hold));
    if (hold == NULL) {
        return NULL;
    }
    *hold = (struct hold){.exchange = exchange, .reading = reading, .holding = true};
    buf_init(&hold->kept, HOLD_HEAD_MAX + 2 * HOLD_WIRE_MAX);
    hold->timer.fn = on_time;
    exchange->hold = hold;
    return hold;
}

enum hold_says hold_begin(struct exchange *exchange, const struct http1_head *head)
{
    const struct reader_kind *wanted[N_KINDS];
    size_t n = 0;
    for (size_t i = 0; i < N_KINDS; i++) {
        if (verdict_would_refuse(exchange, kinds[i]->category)) {
            wanted[n++] = kinds[i];
        }
    }
    if (n == 0) {
        return HOLD_GO;
    }
    struct buf codings;
    buf_init(&codings, LIMIT_HTTP_LINE_LEN);
    join_codings(head, &codings);
    struct reading_facts facts = {
        .status = head->status,
        .path = exchange->url.path,
        .type = header(head, HTTP1_NAME_CONTENT_TYPE),
        .disposition = header(head, HTTP1_NAME_CONTENT_DISPOSITION),
        .codings = buf_str(&codings),
        .part = part_of(head),
    };
    struct reading *reading = NULL;
    enum err err = buf_err(&codings);
    if (err == ERR_OK) {
        err = reading_new(wanted, n, &facts, &reading);
    }
    buf_fini(&codings);
    if (err != ERR_OK) {
        return is_refused(exchange, wanted[0]->category, true) ? HOLD_REFUSED : HOLD_GO;
    }
    if (reading == NULL) {
        return HOLD_GO;
    }
    if (hold_new(exchange, reading) == NULL) {
        reading_free(reading);
        return is_refused(exchange, wanted[0]->category, true) ? HOLD_REFUSED : HOLD_GO;
    }
    enum hold_says says = judge(exchange->hold);
    return says == HOLD_WAIT ? HOLD_GO : says; /* the body will be waited for, not the head */
}

enum hold_says hold_feed(struct exchange *exchange, struct str data, bool done)
{
    struct hold *hold = exchange->hold;
    if (hold->reading == NULL) {
        return HOLD_GO;
    }
    reading_feed(hold->reading, data);
    if (done) {
        reading_end(hold->reading, ERR_OK);
    }
    return judge(hold);
}

bool hold_keep(struct exchange *exchange, struct str head, struct str body)
{
    struct hold *hold = exchange->hold;
    struct loop *loop = exchange->client->proxy->loop;
    if (hold->kept.len == 0) {
        loop_timer_set(loop, &hold->timer, loop_mono_ms(loop) + HOLD_MS);
    }
    buf_append(&hold->kept, head);
    buf_append(&hold->kept, body);
    return buf_err(&hold->kept) == ERR_OK;
}

struct str hold_kept(const struct exchange *exchange)
{
    return buf_str(&exchange->hold->kept);
}

void hold_sent(struct exchange *exchange)
{
    struct hold *hold = exchange->hold;
    loop_timer_clear(&hold->timer);
    buf_fini(&hold->kept);
    if (hold->reading == NULL) {
        hold_free(exchange);
    }
}

void hold_free(struct exchange *exchange)
{
    struct hold *hold = exchange->hold;
    if (hold == NULL) {
        return;
    }
    exchange->hold = NULL;
    loop_timer_clear(&hold->timer);
    reading_free(hold->reading);
    buf_fini(&hold->kept);
    free(hold);
}
