/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The register's file: written sorted, read strictly. */
#include <stddef.h>
#include <stdlib.h>

#include "base/num.h"
#include "policy/enrolment_impl.h"
#include "policy/jread_impl.h"

#define FIRST_LINE "lodge-enrolment 1"
#define NOTHING "*"

/* Times fit the years that clock.h can print. */
static const uint64_t TIME_MAX = UINT64_C(253402300799999);

/* ---- out ---- */

static int compare_entries(const void *a, const void *b)
{
    const struct enrolment_entry *const *one = a;
    const struct enrolment_entry *const *other = b;
    return memcmp(&(*one)->addr, &(*other)->addr, sizeof(struct addr));
}

static int compare_pins(const void *a, const void *b)
{
    const struct enrolment_pin *const *one = a;
    const struct enrolment_pin *const *other = b;
    if ((*one)->serial != (*other)->serial) {
        return (*one)->serial < (*other)->serial ? -1 : 1;
    }
    return strcmp((*one)->host, (*other)->host);
}

static const char *or_nothing(const char *text)
{
    return text[0] != '\0' ? text : NOTHING;
}

static void print_entry(struct buf *to, const struct enrolment_entry *entry)
{
    char addr[ADDR_TEXT_MAX];
    (void)addr_print(&entry->addr, addr);
    buf_printf(to, "device %s %s %s %lld %lld %lld %llu %s\n", addr, or_nothing(entry->id),
               entry->enrolled ? "yes" : "no", (long long)entry->since_ms,
               (long long)entry->accepted_ms, (long long)entry->refused_ms,
               (unsigned long long)entry->refusals, or_nothing(entry->host));
}

static void print_pins(struct buf *to, uint32_t serial, const struct enrolment_pin *const *pins,
                       size_t n)
{
    size_t low = 0;
    for (size_t high = n; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (pins[middle]->serial < serial) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    for (; low < n && pins[low]->serial == serial; low++) {
        buf_printf(to, "pinned %s %lld %lld %llu\n", pins[low]->host,
                   (long long)pins[low]->first_ms, (long long)pins[low]->last_ms,
                   (unsigned long long)pins[low]->refusals);
    }
}

void enrolment_print(const struct enrolment *enrolment, struct buf *to)
{
    size_t n = enrolment->n_entries;
    const struct enrolment_entry **entries = calloc(n + 1, sizeof(*entries));
    const struct enrolment_pin **pins = calloc(enrolment->n_pins + 1, sizeof(*pins));
    if (entries == NULL || pins == NULL) {
        to->err = ERR_MEMORY;
        free(entries);
        free(pins);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        entries[i] = &enrolment->entries[i];
    }
    for (size_t i = 0; i < enrolment->n_pins; i++) {
        pins[i] = &enrolment->pins[i];
    }
    qsort(entries, n, sizeof(*entries), compare_entries);
    qsort(pins, enrolment->n_pins, sizeof(*pins), compare_pins);
    buf_append(to, STR(FIRST_LINE "\n"));
    for (size_t i = 0; i < n; i++) {
        print_entry(to, entries[i]);
        print_pins(to, entries[i]->serial, pins, enrolment->n_pins);
    }
    free(entries);
    free(pins);
}

/* ---- in ---- */

/* The next word, by exactly one space. */
static struct str take(struct str *line)
{
    struct str word;
    (void)str_cut(*line, ' ', &word, line);
    return word;
}

/* As it would be written: no leading zeros. */
static bool take_number(struct str *line, uint64_t min, uint64_t max, uint64_t *ret_value)
{
    struct str word = take(line);
    return parse_u64(word, min, max, ret_value) == ERR_OK && (word.len == 1 || word.p[0] != '0');
}

static bool take_time(struct str *line, int64_t *ret_ms)
{
    uint64_t value;
    if (!take_number(line, 0, TIME_MAX, &value)) {
        return false;
    }
    *ret_ms = (int64_t)value;
    return true;
}

static bool take_addr(struct str *line, struct addr *ret_addr)
{
    char text[ADDR_TEXT_MAX];
    struct str word = take(line);
    return addr_parse(word, ret_addr) == ERR_OK &&
           str_eq(word, str_make(text, addr_print(ret_addr, text)));
}

static bool take_id(struct str *line, char to[LIMIT_ID_LEN + 1])
{
    struct str word = take(line);
    bool nothing = str_eq(word, STR(NOTHING));
    if (!nothing && !jread_is_id(word)) {
        return false;
    }
    memcpy(to, word.p, word.len);
    to[nothing ? 0 : word.len] = '\0';
    return true;
}

static bool take_host(struct str *line, char to[LIMIT_HOST_LEN + 1])
{
    struct host host;
    if (host_parse_canonical(take(line), &host) != ERR_OK) {
        return false;
    }
    memcpy(to, host.text, host.len);
    to[host.len] = '\0';
    return true;
}

static bool take_host_or_nothing(struct str *line, char to[LIMIT_HOST_LEN + 1])
{
    if (str_eq(*line, STR(NOTHING))) {
        to[0] = '\0';
        *line = STR("");
        return true;
    }
    return take_host(line, to);
}

static bool take_enrolled(struct str *line, bool *ret_enrolled)
{
    struct str word = take(line);
    *ret_enrolled = str_eq(word, STR("yes"));
    return *ret_enrolled || str_eq(word, STR("no"));
}

/* What belongs to a device that is not enrolled, and to no other. */
static bool is_consistent(const struct enrolment_entry *entry)
{
    bool refused = entry->since_ms != 0 && entry->refused_ms != 0 && entry->refusals != 0 &&
                   entry->host[0] != '\0' && entry->accepted_ms == 0;
    bool clean = entry->since_ms == 0 && entry->refused_ms == 0 && entry->refusals == 0 &&
                 entry->host[0] == '\0';
    return entry->enrolled ? clean : refused;
}

static bool is_id_new(const struct enrolment *enrolment, const char *id)
{
    for (size_t i = 0; id[0] != '\0' && i + 1 < enrolment->n_entries; i++) {
        if (strcmp(enrolment->entries[i].id, id) == 0) {
            return false;
        }
    }
    return true;
}

/* Devices ascend by address. */
static bool is_behind(const struct enrolment *enrolment)
{
    size_t n = enrolment->n_entries;
    return n < 2 || memcmp(&enrolment->entries[n - 2].addr, &enrolment->entries[n - 1].addr,
                           sizeof(struct addr)) < 0;
}

static enum err parse_entry(struct enrolment *enrolment, struct str line)
{
    if (enrolment->n_entries == ENROLMENT_DEVICES_MAX) {
        return ERR_LIMIT;
    }
    struct enrolment_entry *entry = enrolment_add_entry(enrolment);
    if (entry == NULL) {
        return ERR_MEMORY;
    }
    bool good = take_addr(&line, &entry->addr) && take_id(&line, entry->id) &&
                take_enrolled(&line, &entry->enrolled) && take_time(&line, &entry->since_ms) &&
                take_time(&line, &entry->accepted_ms) && take_time(&line, &entry->refused_ms) &&
                take_number(&line, 0, UINT64_MAX, &entry->refusals) &&
                take_host_or_nothing(&line, entry->host) && line.len == 0 && is_consistent(entry) &&
                is_id_new(enrolment, entry->id) && is_behind(enrolment);
    return good ? ERR_OK : ERR_INVALID;
}

/* The pins of a device ascend by host, and are not too many. */
static bool is_pin_behind(const struct enrolment *enrolment)
{
    const struct enrolment_pin *pin = &enrolment->pins[enrolment->n_pins - 1];
    size_t n = 1;
    while (n < enrolment->n_pins && pin[-(ptrdiff_t)n].serial == pin->serial) {
        n++;
    }
    return n <= ENROLMENT_PINS_PER_DEVICE && (n == 1 || strcmp(pin[-1].host, pin->host) < 0);
}

static enum err parse_pin(struct enrolment *enrolment, struct str line)
{
    if (enrolment->n_entries == 0 || !enrolment->entries[enrolment->n_entries - 1].enrolled) {
        return ERR_INVALID;
    }
    if (enrolment->n_pins == ENROLMENT_PINS_MAX) {
        return ERR_LIMIT;
    }
    struct enrolment_pin *pin = enrolment_add_pin(enrolment);
    if (pin == NULL) {
        return ERR_MEMORY;
    }
    pin->serial = enrolment->entries[enrolment->n_entries - 1].serial;
    bool good = take_host(&line, pin->host) && take_time(&line, &pin->first_ms) &&
                take_time(&line, &pin->last_ms) &&
                take_number(&line, 1, UINT64_MAX, &pin->refusals) && line.len == 0 &&
                pin->first_ms != 0 && pin->first_ms <= pin->last_ms && is_pin_behind(enrolment);
    return good ? ERR_OK : ERR_INVALID;
}

static enum err parse_line(struct enrolment *enrolment, struct str line, size_t number)
{
    if (number == 1) {
        return str_eq(line, STR(FIRST_LINE)) ? ERR_OK : ERR_INVALID;
    }
    if (str_ends(line, STR(" "))) {
        return ERR_INVALID;
    }
    struct str word = take(&line);
    if (str_eq(word, STR("device"))) {
        return parse_entry(enrolment, line);
    }
    return str_eq(word, STR("pinned")) ? parse_pin(enrolment, line) : ERR_INVALID;
}

enum err enrolment_parse(struct str text, struct enrolment **ret_enrolment, size_t *ret_line)
{
    struct enrolment *enrolment;
    ERR_TRY(enrolment_new(&enrolment));
    enum err err = ERR_OK;
    size_t number = 0;
    struct str rest = text;
    do {
        struct str line;
        number++;
        bool whole = str_cut(rest, '\n', &line, &rest);
        err = whole ? parse_line(enrolment, line, number) : ERR_INVALID;
    } while (err == ERR_OK && rest.len != 0);
    if (err != ERR_OK) {
        enrolment_free(enrolment);
        *ret_line = number;
        return err;
    }
    *ret_enrolment = enrolment;
    return ERR_OK;
}
