/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which events `lodge log` shows. */
#include "cmd/log_filter.h"

#include "base/clock.h"
#include "base/num.h"
#include "catalog/category.h"
#include "policy/decide.h"

static bool is_below(struct str host, const struct host *top)
{
    return str_eq(host, host_str(top)) ||
           (top->kind == HOST_NAME && host_is_below(host, host_str(top)));
}

bool log_filter_takes(const struct log_filter *filter, const struct event *event)
{
    return !event->lifeline && event->utc_ms >= filter->since_ms &&
           (filter->person.len == 0 || str_eq(filter->person, event->person)) &&
           (filter->group.len == 0 || str_eq(filter->group, event->group)) &&
           (filter->host.kind == HOST_UNSET || is_below(event->host, &filter->host)) &&
           (filter->category == CATEGORY_UNSET ||
            (!event->sealed && catset_has(&event->categories, filter->category))) &&
           (!filter->sealed || event->sealed) &&
           (!filter->blocked || (event->action != ACTION_ALLOW && event->kind != EVENT_AUDIT)) &&
           (!filter->by_id || memcmp(&filter->id, &event->id, sizeof(event->id)) == 0);
}

enum err log_since_parse(struct str text, int64_t now_ms, int64_t *ret_ms)
{
    static const struct {
        char letter;
        int64_t ms;
    } units[] = {{'s', MS_PER_SECOND}, {'m', MS_PER_MINUTE}, {'h', MS_PER_HOUR}, {'d', MS_PER_DAY}};
    uint64_t number = 0;
    struct civil civil;
    for (size_t i = 0; text.len != 0 && i < sizeof(units) / sizeof(units[0]); i++) {
        if (text.p[text.len - 1] == units[i].letter) {
            uint64_t most = INT64_C(36525) * (uint64_t)MS_PER_DAY / (uint64_t)units[i].ms;
            ERR_TRY(parse_u64(str_sub(text, 0, text.len - 1), 0, most, &number));
            *ret_ms = now_ms - (int64_t)number * units[i].ms;
            return ERR_OK;
        }
    }
    ERR_TRY(civil_parse(text, &civil));
    *ret_ms = civil_to_ms(&civil);
    return ERR_OK;
}

enum err log_category_find(struct str name, struct log_filter *filter)
{
    unsigned number = CATEGORY_UNSET;
    if (str_eq(name, STR("sealed"))) {
        filter->sealed = true;
        return ERR_OK;
    }
    ERR_TRY(category_find(name, &number));
    if (category_row(number)->tier == TIER_SEALED) {
        return ERR_NOT_FOUND;
    }
    filter->category = number;
    return ERR_OK;
}

enum err log_id_parse(struct str text, struct log_filter *filter)
{
    struct event_id id;
    if (text.len != 2 * EVENT_ID_LEN) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < EVENT_ID_LEN; i++) {
        uint64_t byte = 0;
        ERR_TRY(parse_hex_u64(str_sub(text, 2 * i, 2), 0, UINT8_MAX, &byte));
        id.bytes[i] = (uint8_t)byte;
    }
    filter->id = id;
    filter->by_id = true;
    return ERR_OK;
}
