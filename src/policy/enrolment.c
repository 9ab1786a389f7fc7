/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The register of devices' trust: what an observation changes. */
#include "policy/enrolment.h"

#include <stdlib.h>

#include "base/check.h"
#include "policy/enrolment_impl.h"
#include "wire/suffix.h"

/* An acceptance that only moves the time is worth saving this often. */
enum { SAVE_MS = MS_PER_HOUR, FIRST_CAP = 16 };

enum err enrolment_new(struct enrolment **ret_enrolment)
{
    struct enrolment *enrolment = calloc(1, sizeof(*enrolment));
    if (enrolment == NULL) {
        return ERR_MEMORY;
    }
    *ret_enrolment = enrolment;
    return ERR_OK;
}

void enrolment_free(struct enrolment *enrolment)
{
    if (enrolment != NULL) {
        free(enrolment->entries);
        free(enrolment->pins);
        free(enrolment);
    }
}

/* ---- entries and pins ---- */

struct enrolment_entry *enrolment_add_entry(struct enrolment *enrolment)
{
    CHECK(enrolment->n_entries < ENROLMENT_DEVICES_MAX);
    if (enrolment->n_entries == enrolment->entries_cap) {
        size_t cap = enrolment->entries_cap == 0 ? FIRST_CAP : 2 * enrolment->entries_cap;
        struct enrolment_entry *grown = realloc(enrolment->entries, cap * sizeof(*grown));
        if (grown == NULL) {
            return NULL;
        }
        enrolment->entries = grown;
        enrolment->entries_cap = cap;
    }
    struct enrolment_entry *entry = &enrolment->entries[enrolment->n_entries++];
    *entry = (struct enrolment_entry){.serial = ++enrolment->last_serial};
    return entry;
}

struct enrolment_pin *enrolment_add_pin(struct enrolment *enrolment)
{
    CHECK(enrolment->n_pins < ENROLMENT_PINS_MAX);
    if (enrolment->n_pins == enrolment->pins_cap) {
        size_t cap = enrolment->pins_cap == 0 ? FIRST_CAP : 2 * enrolment->pins_cap;
        struct enrolment_pin *grown = realloc(enrolment->pins, cap * sizeof(*grown));
        if (grown == NULL) {
            return NULL;
        }
        enrolment->pins = grown;
        enrolment->pins_cap = cap;
    }
    struct enrolment_pin *pin = &enrolment->pins[enrolment->n_pins++];
    *pin = (struct enrolment_pin){0};
    return pin;
}

static void drop_pin(struct enrolment *enrolment, size_t i)
{
    enrolment->pins[i] = enrolment->pins[--enrolment->n_pins];
}

/* Those first noted at this time or later. */
static void drop_pins(struct enrolment *enrolment, uint32_t serial, int64_t from_ms)
{
    for (size_t i = enrolment->n_pins; i-- > 0;) {
        if (enrolment->pins[i].serial == serial && enrolment->pins[i].first_ms >= from_ms) {
            drop_pin(enrolment, i);
        }
    }
}

static void drop_entry(struct enrolment *enrolment, size_t i)
{
    drop_pins(enrolment, enrolment->entries[i].serial, INT64_MIN);
    enrolment->entries[i] = enrolment->entries[--enrolment->n_entries];
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void evict_entry(struct enrolment *enrolment)
{
    size_t oldest = 0;
    int64_t oldest_ms = INT64_MAX;
    for (size_t i = 0; i < enrolment->n_entries; i++) {
        const struct enrolment_entry *entry = &enrolment->entries[i];
        int64_t seen_ms = later(entry->accepted_ms, entry->refused_ms);
        if (seen_ms < oldest_ms) {
            oldest = i;
            oldest_ms = seen_ms;
        }
    }
    drop_entry(enrolment, oldest);
}

/* The place of the pin that was refused least lately, of this device or (serial 0) of all. */
static size_t oldest_pin(const struct enrolment *enrolment, uint32_t serial, size_t *ret_n)
{
    size_t oldest = 0;
    size_t n = 0;
    int64_t oldest_ms = INT64_MAX;
    for (size_t i = 0; i < enrolment->n_pins; i++) {
        const struct enrolment_pin *pin = &enrolment->pins[i];
        if (serial != 0 && pin->serial != serial) {
            continue;
        }
        n++;
        if (pin->last_ms < oldest_ms) {
            oldest = i;
            oldest_ms = pin->last_ms;
        }
    }
    *ret_n = n;
    return oldest;
}

/* Room for one more pin of this device. */
static void evict_pin(struct enrolment *enrolment, uint32_t serial)
{
    size_t n;
    size_t oldest = oldest_pin(enrolment, serial, &n);
    if (n >= ENROLMENT_PINS_PER_DEVICE) {
        drop_pin(enrolment, oldest);
    }
    if (enrolment->n_pins == ENROLMENT_PINS_MAX) {
        drop_pin(enrolment, oldest_pin(enrolment, 0, &n));
    }
}

/* ---- who is it? ---- */

static void keep_text(char *to, struct str text)
{
    memcpy(to, text.p, text.len);
    to[text.len] = '\0';
}

/* The index, or n_entries. */
static size_t find_addr(const struct enrolment *enrolment, const struct addr *addr)
{
    size_t i = 0;
    while (i < enrolment->n_entries && !addr_eq(&enrolment->entries[i].addr, addr)) {
        i++;
    }
    return i;
}

static size_t find_id(const struct enrolment *enrolment, struct str id)
{
    size_t i = 0;
    while (i < enrolment->n_entries &&
           (id.len == 0 || !str_eq(str_from(enrolment->entries[i].id), id))) {
        i++;
    }
    return i;
}

/* The entry of a device, made where there is none. One that has moved keeps its entry, and what
 * was known of another at its new address goes; one that got an id keeps what was known by its
 * address. NULL for want of memory. */
static struct enrolment_entry *find_entry(struct enrolment *enrolment, const struct addr *addr,
                                          struct str id)
{
    size_t at = find_addr(enrolment, addr);
    size_t known = find_id(enrolment, id);
    if (known < enrolment->n_entries && known != at) {
        enrolment->entries[known].addr = *addr;
        uint32_t serial = enrolment->entries[known].serial;
        if (at < enrolment->n_entries) {
            drop_entry(enrolment, at);
        }
        for (at = 0; enrolment->entries[at].serial != serial; at++) {
        }
    } else if (at < enrolment->n_entries && enrolment->entries[at].id[0] != '\0' && id.len != 0 &&
               known != at) {
        drop_entry(enrolment, at); /* the state image says that it is another device now */
        at = enrolment->n_entries;
    }
    if (at == enrolment->n_entries) {
        if (at == ENROLMENT_DEVICES_MAX) {
            evict_entry(enrolment);
        }
        struct enrolment_entry *entry = enrolment_add_entry(enrolment);
        if (entry == NULL) {
            return NULL;
        }
        entry->addr = *addr;
        entry->enrolled = true;
        at = enrolment->n_entries - 1;
    }
    if (id.len != 0) {
        keep_text(enrolment->entries[at].id, id);
    }
    return &enrolment->entries[at];
}

/* ---- what it did ---- */

static bool is_lately(const struct enrolment_entry *entry, int64_t now_ms)
{
    return entry->accepted_ms != 0 && now_ms - entry->accepted_ms <= ENROLMENT_LATELY_MS;
}

/* Whether enough other devices pin the host. */
static bool is_known_pinned(const struct enrolment *enrolment, uint32_t but, struct str host)
{
    size_t n = 0;
    for (size_t i = 0; i < enrolment->n_pins; i++) {
        const struct enrolment_pin *pin = &enrolment->pins[i];
        n += pin->serial != but && str_eq(str_from(pin->host), host) ? 1 : 0;
    }
    return n >= ENROLMENT_PINNED_BY;
}

/* What someone registered: the name below a public suffix; an address as it is. */
static struct str site_of(struct str text)
{
    struct str site = text;
    struct str rest = text;
    struct str label;
    struct host host;
    while (str_cut(rest, '.', &label, &rest) && host_parse(rest, &host) == ERR_OK &&
           host.kind == HOST_NAME && !host_is_public_suffix(&host) &&
           str_index(rest, '.') < rest.len) {
        site = rest;
    }
    return site;
}

/* How many sites the device refused since it last accepted; bounded by its pins. */
static size_t sites_in_a_row(const struct enrolment *enrolment, const struct enrolment_entry *entry)
{
    struct str sites[ENROLMENT_PINS_PER_DEVICE];
    size_t n = 0;
    for (size_t i = 0; i < enrolment->n_pins && n < ENROLMENT_PINS_PER_DEVICE; i++) {
        const struct enrolment_pin *pin = &enrolment->pins[i];
        if (pin->serial != entry->serial || pin->last_ms < entry->accepted_ms) {
            continue;
        }
        struct str site = site_of(str_from(pin->host));
        size_t known = 0;
        while (known < n && !str_eq(sites[known], site)) {
            known++;
        }
        if (known == n) {
            sites[n++] = site;
        }
    }
    return n;
}

/* ERR_MEMORY; *ret_new tells whether the device had not refused the host before. */
static enum err note_pin(struct enrolment *enrolment, uint32_t serial, struct str host,
                         int64_t now_ms, bool *ret_new)
{
    for (size_t i = 0; i < enrolment->n_pins; i++) {
        struct enrolment_pin *pin = &enrolment->pins[i];
        if (pin->serial == serial && str_eq(str_from(pin->host), host)) {
            pin->last_ms = later(pin->last_ms, now_ms);
            pin->refusals++;
            *ret_new = false;
            return ERR_OK;
        }
    }
    evict_pin(enrolment, serial);
    struct enrolment_pin *pin = enrolment_add_pin(enrolment);
    if (pin == NULL) {
        return ERR_MEMORY;
    }
    *pin = (struct enrolment_pin){
        .serial = serial, .first_ms = now_ms, .last_ms = now_ms, .refusals = 1};
    keep_text(pin->host, host);
    *ret_new = true;
    return ERR_OK;
}

static void lose(struct enrolment *enrolment, struct enrolment_entry *entry, struct str host,
                 int64_t now_ms)
{
    drop_pins(enrolment, entry->serial, entry->accepted_ms);
    entry->enrolled = false;
    entry->since_ms = now_ms;
    entry->accepted_ms = 0;
    entry->refused_ms = now_ms;
    entry->refusals = 1;
    keep_text(entry->host, host);
}

/* certain: no application pins this host, so it is the device that does not know the CA. */
static enum err note_refused(struct enrolment *enrolment, struct enrolment_entry *entry,
                             struct str host, bool certain, int64_t now_ms,
                             enum enrolment_change *ret_change)
{
    bool new;
    if (!entry->enrolled) {
        entry->refused_ms = now_ms;
        entry->refusals++;
        keep_text(entry->host, host);
        *ret_change = ENROLMENT_NOTED;
        return ERR_OK;
    }
    bool may_pin =
        !certain && (is_lately(entry, now_ms) || is_known_pinned(enrolment, entry->serial, host));
    if (!may_pin) {
        lose(enrolment, entry, host, now_ms);
        *ret_change = ENROLMENT_LOST;
        return ERR_OK;
    }
    ERR_TRY(note_pin(enrolment, entry->serial, host, now_ms, &new));
    *ret_change = new ? ENROLMENT_PINNED : ENROLMENT_NOTED;
    if (sites_in_a_row(enrolment, entry) >= ENROLMENT_SITES_IN_A_ROW) {
        lose(enrolment, entry, host, now_ms);
        *ret_change = ENROLMENT_LOST;
    }
    return ERR_OK;
}

/* Says nothing of a device that is not enrolled: where somebody clicked a warning away, or a
 * program does not look, certificates are accepted too. */
static enum enrolment_change note_accepted(struct enrolment_entry *entry, int64_t now_ms)
{
    if (!entry->enrolled) {
        return ENROLMENT_SAME;
    }
    bool save = now_ms - entry->accepted_ms >= SAVE_MS;
    entry->accepted_ms = later(entry->accepted_ms, now_ms);
    return save ? ENROLMENT_NOTED : ENROLMENT_SAME;
}

static enum enrolment_change note_checked(struct enrolment_entry *entry, int64_t now_ms)
{
    bool was = entry->enrolled;
    enum enrolment_change change = note_accepted(entry, now_ms);
    entry->enrolled = true;
    entry->since_ms = 0;
    entry->accepted_ms = now_ms;
    entry->refused_ms = 0;
    entry->refusals = 0;
    entry->host[0] = '\0';
    return was ? change : ENROLMENT_ENROLLED;
}

enum err enrolment_note(struct enrolment *enrolment, const struct addr *addr, struct str device,
                        const struct host *host, enum enrolment_seen seen, int64_t now_ms,
                        enum enrolment_change *ret_change)
{
    CHECK(device.len <= LIMIT_ID_LEN && seen != ENROLMENT_UNSET && now_ms > 0);
    struct enrolment_entry *entry = find_entry(enrolment, addr, device);
    if (entry == NULL) {
        return ERR_MEMORY;
    }
    switch (seen) {
    case ENROLMENT_ACCEPTED:
        *ret_change = note_accepted(entry, now_ms);
        return ERR_OK;
    case ENROLMENT_CHECKED:
        *ret_change = note_checked(entry, now_ms);
        return ERR_OK;
    case ENROLMENT_FAILED:
    case ENROLMENT_REFUSED:
    case ENROLMENT_UNSET:
        break;
    }
    return note_refused(enrolment, entry, host_str(host), seen == ENROLMENT_FAILED, now_ms,
                        ret_change);
}

/* ---- what it says ---- */

static bool has_pins(const struct enrolment *enrolment, uint32_t serial)
{
    size_t n;
    (void)oldest_pin(enrolment, serial, &n);
    return n != 0;
}

static bool is_stale(const struct enrolment *enrolment, const struct enrolment_entry *entry,
                     int64_t now_ms)
{
    if (!entry->enrolled) {
        return entry->id[0] == '\0' && now_ms - entry->refused_ms > ENROLMENT_LEASE_MS;
    }
    return !is_lately(entry, now_ms) && !has_pins(enrolment, entry->serial);
}

bool enrolment_sweep(struct enrolment *enrolment, int64_t now_ms)
{
    size_t before = enrolment->n_entries + enrolment->n_pins;
    for (size_t i = enrolment->n_pins; i-- > 0;) {
        if (now_ms - enrolment->pins[i].last_ms > ENROLMENT_PIN_MS) {
            drop_pin(enrolment, i);
        }
    }
    for (size_t i = enrolment->n_entries; i-- > 0;) {
        if (is_stale(enrolment, &enrolment->entries[i], now_ms)) {
            drop_entry(enrolment, i);
        }
    }
    return enrolment->n_entries + enrolment->n_pins != before;
}

bool enrolment_is_enrolled(const struct enrolment *enrolment, const struct addr *addr)
{
    size_t i = find_addr(enrolment, addr);
    return i == enrolment->n_entries || enrolment->entries[i].enrolled;
}

static int compare_addr(const void *a, const void *b)
{
    return memcmp(a, b, sizeof(struct addr));
}

void enrolment_addresses(const struct enrolment *enrolment, struct buf *to)
{
    size_t n = 0;
    char *all = buf_reserve(to, enrolment->n_entries * sizeof(struct addr));
    for (size_t i = 0; all != NULL && i < enrolment->n_entries; i++) {
        if (!enrolment->entries[i].enrolled) {
            memcpy(all + n * sizeof(struct addr), &enrolment->entries[i].addr, sizeof(struct addr));
            n++;
        }
    }
    if (n != 0) {
        qsort(all, n, sizeof(struct addr), compare_addr);
        buf_commit(to, n * sizeof(struct addr));
    }
}

bool enrolment_next_device(const struct enrolment *enrolment, size_t *at,
                           struct enrolment_device *ret_device)
{
    while (*at < enrolment->n_entries) {
        const struct enrolment_entry *entry = &enrolment->entries[(*at)++];
        if (!entry->enrolled) {
            *ret_device = (struct enrolment_device){
                .addr = entry->addr,
                .id = str_from(entry->id),
                .since_ms = entry->since_ms,
                .refused_ms = entry->refused_ms,
                .refusals = entry->refusals,
                .host = str_from(entry->host),
            };
            return true;
        }
    }
    return false;
}

static int compare_pinned(const void *a, const void *b)
{
    const struct enrolment_pinned *one = a;
    const struct enrolment_pinned *other = b;
    return strcmp(one->host, other->host);
}

/* Rows of one host, which stand together, become one; how many are left. */
static size_t merge(struct enrolment_pinned *rows, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++) {
        struct enrolment_pinned *last = kept != 0 ? &rows[kept - 1] : NULL;
        if (last == NULL || strcmp(last->host, rows[i].host) != 0) {
            rows[kept++] = rows[i];
            continue;
        }
        last->devices++;
        last->refusals += rows[i].refusals;
        last->first_ms = last->first_ms < rows[i].first_ms ? last->first_ms : rows[i].first_ms;
        last->last_ms = later(last->last_ms, rows[i].last_ms);
    }
    return kept;
}

enum err enrolment_pinned(const struct enrolment *enrolment, struct enrolment_pinned **ret_rows,
                          size_t *ret_n)
{
    struct enrolment_pinned *rows = calloc(enrolment->n_pins + 1, sizeof(*rows));
    if (rows == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < enrolment->n_pins; i++) {
        const struct enrolment_pin *pin = &enrolment->pins[i];
        rows[i].devices = 1;
        rows[i].refusals = pin->refusals;
        rows[i].first_ms = pin->first_ms;
        rows[i].last_ms = pin->last_ms;
        keep_text(rows[i].host, str_from(pin->host));
    }
    qsort(rows, enrolment->n_pins, sizeof(*rows), compare_pinned);
    *ret_n = merge(rows, enrolment->n_pins);
    *ret_rows = rows;
    return ERR_OK;
}
