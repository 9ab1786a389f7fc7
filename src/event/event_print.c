/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Events to text: JSON for programs, a line for people. What a sealed event must not show, and the
 * names of sealed categories, are left out here too, whoever made the struct. */
#include "event/event.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "catalog/category.h"
#include "policy/decide.h"
#include "policy/policy.h"
#include "policy/reason.h"
#include "wire/json.h"

static const struct str kind_names[] = {
    [EVENT_REQUEST] = STR_INIT("request"),
    [EVENT_OPEN] = STR_INIT("open"),
    [EVENT_CLOSE] = STR_INIT("close"),
    [EVENT_AUDIT] = STR_INIT("audit"),
};

static const struct str known_names[] = {
    [KNOWN_CREDENTIALS] = STR_INIT("credentials"),
    [KNOWN_SIGN_IN] = STR_INIT("sign-in"),
    [KNOWN_OWNER] = STR_INIT("owner"),
    [KNOWN_CLASS] = STR_INIT("class"),
    [KNOWN_NOBODY] = STR_INIT("nobody"),
    [KNOWN_NOMINAL] = STR_INIT("nominal"),
};

static const struct str end_names[] = {
    [EVENT_END_DONE] = STR_INIT("done"),     [EVENT_END_CLIENT] = STR_INIT("client"),
    [EVENT_END_ORIGIN] = STR_INIT("origin"), [EVENT_END_TIMEOUT] = STR_INIT("timeout"),
    [EVENT_END_POLICY] = STR_INIT("policy"), [EVENT_END_DRAIN] = STR_INIT("drain"),
    [EVENT_END_ERROR] = STR_INIT("error"),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The names of the ENUM fields' values. 0 has the empty name; a number that this build does not
 * know (an event of a later one) is "unknown", never a wrong name. */
static struct str name_in(const struct str *names, size_t n, unsigned value)
{
    return value < n ? names[value] : STR("unknown");
}

static struct str kind_name(unsigned value)
{
    return name_in(kind_names, COUNT(kind_names), value);
}

static struct str known_name(unsigned value)
{
    return name_in(known_names, COUNT(known_names), value);
}

static struct str end_name(unsigned value)
{
    return name_in(end_names, COUNT(end_names), value);
}

static struct str level_field_name(unsigned value)
{
    if (value == LEVEL_UNSET) {
        return STR("");
    }
    return value <= LEVEL_ILLEGAL ? level_name((enum level)value) : STR("unknown");
}

static struct str reason_name(unsigned value)
{
    if (value == REASON_UNSET) {
        return STR("");
    }
    return value < REASON_COUNT_ ? reason_code((enum reason)value) : STR("unknown");
}

static struct str action_field_name(unsigned value)
{
    if (value == ACTION_UNSET) {
        return STR("");
    }
    return value <= ACTION_LIMITED ? action_name((enum action)value) : STR("unknown");
}

#define NAME_kind kind_name
#define NAME_known known_name
#define NAME_level level_field_name
#define NAME_reason reason_name
#define NAME_action action_field_name
#define NAME_end end_name

static struct str id_text(const struct event_id *id, char to[2 * EVENT_ID_LEN])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < EVENT_ID_LEN; i++) {
        to[2 * i] = digits[id->bytes[i] >> 4];
        to[2 * i + 1] = digits[id->bytes[i] & 15];
    }
    return str_make(to, 2 * EVENT_ID_LEN);
}

void event_id_print(const struct event_id *id, struct buf *to)
{
    char text[2 * EVENT_ID_LEN];
    buf_append(to, id_text(id, text));
}

/* A time that the calendar cannot have came from broken bytes: empty. */
static struct str time_text(int64_t utc_ms, char to[CIVIL_TEXT_MAX])
{
    bool usable = utc_ms >= 0 && utc_ms < INT64_C(253402300800000); /* the year 10000 */
    return usable ? str_make(to, civil_print_utc(utc_ms, to)) : STR("");
}

static struct str addr_text(const struct addr *addr, char to[ADDR_TEXT_MAX])
{
    static const struct addr none;
    return addr_eq(addr, &none) ? STR("") : str_make(to, addr_print(addr, to));
}

/* Calls put for the name of each category. All sealed ones together are one, "sealed", and so is
 * everything about a sealed hit: a sealed list may be of any category. */
static void each_category(const struct catset *set, bool sealed,
                          void (*put)(struct buf *to, struct str name), struct buf *to)
{
    if (sealed) {
        put(to, STR("sealed"));
        return;
    }
    for (unsigned n = catset_next(set, 0); n < LIMIT_CATEGORIES; n = catset_next(set, n + 1)) {
        const struct category_row *row = category_row(n);
        if (row == NULL) {
            put(to, STR("unknown"));
        } else if (row->tier != TIER_SEALED) {
            put(to, row->name);
        } else if (!sealed) {
            sealed = true;
            put(to, STR("sealed"));
        }
    }
}

static void json_text(struct buf *to, struct str s)
{
    if (s.len == 0) {
        json_none(to);
    } else {
        json_str(to, s);
    }
}

static void json_id(struct buf *to, const struct event_id *id)
{
    char text[2 * EVENT_ID_LEN];
    json_str(to, id_text(id, text));
}

static void json_addr(struct buf *to, const struct addr *addr)
{
    char text[ADDR_TEXT_MAX];
    json_text(to, addr_text(addr, text));
}

/* As `lodge catalog info` shows it; a JSON number holds 53 bits for many readers. */
static void json_generation(struct buf *to, uint64_t generation)
{
    char text[17];
    int n = snprintf(text, sizeof(text), "%016llx", (unsigned long long)generation);
    json_text(to, generation != 0 ? str_make(text, (size_t)n) : STR(""));
}

static void json_cats(struct buf *to, const struct catset *set, bool sealed)
{
    json_open_array(to);
    each_category(set, sealed, json_str, to);
    json_close_array(to);
}

#define JSON_U64(name) json_u64(to, event->name);
#define JSON_I64(name) json_i64(to, event->name);
#define JSON_STR(name) json_text(to, event->name);
#define JSON_DETAIL(name) json_text(to, event->sealed ? STR("") : event->name);
#define JSON_ID(name) json_id(to, &event->name);
#define JSON_ADDR(name) json_addr(to, &event->name);
#define JSON_CATS(name) json_cats(to, &event->name, event->sealed);
#define JSON_ENUM(name) json_text(to, NAME_##name(event->name));
#define JSON_FLAG(name) json_bool(to, event->name);
#define JSON_GENERATION(name) json_generation(to, event->name);

void event_print_json(const struct event *event, struct str where, struct buf *to)
{
    char time[CIVIL_TEXT_MAX];
    json_open_object(to);
    json_name(to, STR("where"));
    json_str(to, where);
    json_name(to, STR("time"));
    json_text(to, time_text(event->utc_ms, time));
#define EVENT_FIELD(name, type, max, text) \
    json_name(to, STR(#name));             \
    JSON_##type(name)
#include "event/event.def"
#undef EVENT_FIELD
    json_close_object(to);
}

/* As one word that steers nothing. */
static void put_escaped(struct buf *to, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] > ' ' && s.p[i] <= '~') {
            buf_append_byte(to, s.p[i]);
        } else {
            buf_printf(to, "%%%02X", (unsigned)(unsigned char)s.p[i]);
        }
    }
}

/* A column: "-" where there is nothing. */
static void put_word(struct buf *to, struct str s)
{
    put_escaped(to, s.len != 0 ? s : STR("-"));
    buf_append_byte(to, ' ');
}

static void put_labelled(struct buf *to, const char *label, struct str s)
{
    if (s.len != 0) {
        buf_printf(to, " %s=", label);
        put_escaped(to, s);
    }
}

static bool port_is_usual(const struct event *event)
{
    return event->port == 0 || (str_eq(event->scheme, STR("http")) && event->port == 80) ||
           (str_eq(event->scheme, STR("https")) && event->port == 443);
}

/* What was asked for: "GET http://host/path?query", "CONNECT host:443". */
static void put_target(struct buf *to, const struct event *event)
{
    bool bare_ipv6 = str_index(event->host, ':') < event->host.len && event->host.p[0] != '[';
    put_word(to, event->method);
    if (str_eq(event->scheme, STR("http")) || str_eq(event->scheme, STR("https"))) {
        put_escaped(to, event->scheme);
        buf_append(to, STR("://"));
    }
    buf_append(to, bare_ipv6 ? STR("[") : STR(""));
    put_escaped(to, event->host.len != 0 ? event->host : STR("-"));
    buf_append(to, bare_ipv6 ? STR("]") : STR(""));
    if (!port_is_usual(event)) {
        buf_append_byte(to, ':');
        buf_append_u64(to, event->port);
    }
    if (!event->sealed) {
        put_escaped(to, event->path);
        buf_append(to, event->query.len != 0 ? STR("?") : STR(""));
        put_escaped(to, event->query);
    }
}

static void put_category(struct buf *to, struct str name)
{
    buf_append_byte(to, ' ');
    put_escaped(to, name);
}

/* What only the end of something knows. */
static void put_close(struct buf *to, const struct event *event)
{
    buf_append(to, STR(" up="));
    buf_append_u64(to, event->bytes_up);
    buf_append(to, STR(" down="));
    buf_append_u64(to, event->bytes_down);
    buf_append(to, STR(" ms="));
    buf_append_u64(to, event->duration_ms);
    put_labelled(to, "end", end_name(event->end));
}

/* Whose acts end, and where. */
static void put_audit(struct buf *to, const struct event *event)
{
    put_labelled(to, "school", event->school);
    buf_append(to, STR(" act="));
    buf_append_u64(to, event->act);
    put_labelled(to, "hash", event->act_hash);
}

void event_print_line(const struct event *event, struct buf *to)
{
    char time[CIVIL_TEXT_MAX];
    char client[ADDR_TEXT_MAX];
    put_word(to, time_text(event->utc_ms, time));
    put_word(to, action_field_name(event->action));
    put_word(to, kind_name(event->kind));
    put_word(to, event->group);
    put_word(to, event->person);
    put_word(to, event->device);
    put_word(to, addr_text(&event->client, client));
    put_target(to, event);
    buf_append(to, STR(" ["));
    size_t before = to->len;
    each_category(&event->categories, event->sealed, put_category, to);
    buf_append(to, to->len > before ? STR(" ]") : STR("]"));
    put_labelled(to, "rule", event->rule);
    put_labelled(to, "reason", reason_name(event->reason));
    buf_append(to, event->ech ? STR(" ech") : STR(""));
    put_labelled(to, "class", event->class_id);
    put_labelled(to, "with", event->supervisor);
    put_labelled(to, "search", event->sealed ? STR("") : event->search);
    if (event->status != 0) {
        buf_append(to, STR(" status="));
        buf_append_u64(to, event->status);
    }
    if (event->kind == EVENT_AUDIT) {
        put_audit(to, event);
    } else if (event->kind != EVENT_OPEN) {
        put_close(to, event);
    }
    buf_append(to, STR(" id="));
    event_id_print(&event->id, to);
}
