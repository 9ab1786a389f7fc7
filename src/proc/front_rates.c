/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rates by address. */
#include "proc/front_rates.h"

#include <string.h>

#include "crypto/fasthash.h"
#include "wire/addr.h"

enum { BURST = 8, PER_MINUTE = 60, PREFIX_BYTES = 8 };

static void key_of(const uint8_t client[16], uint8_t ret_key[16])
{
    struct addr addr;
    memcpy(addr.bytes, client, sizeof(addr.bytes));
    memset(ret_key, 0, 16);
    memcpy(ret_key, client, addr_is_ipv4(&addr) ? 16 : PREFIX_BYTES);
}

static void begin(const struct front_rates *rates, struct front_rate *row, const uint8_t key[16],
                  int64_t now_ms)
{
    memcpy(row->key, key, sizeof(row->key));
    bucket_init(&row->requests, rates->per_second * BURST, rates->per_second, now_ms);
    bucket_init(&row->sign_ins, rates->sign_ins_per_minute, rates->sign_ins_per_minute,
                now_ms / PER_MINUTE);
}

static struct front_rate *find(struct front_rates *rates, const uint8_t client[16], int64_t now_ms)
{
    uint8_t key[16];
    key_of(client, key);
    uint64_t hash = fasthash64(str_make((const char *)key, sizeof(key)), rates->seed);
    struct front_rate *row = rates->rows[hash % FRONT_RATES_ROWS];
    struct front_rate *oldest = row;
    for (size_t i = 0; i < FRONT_RATES_WAYS; i++) {
        if (row[i].last_ms != 0 && memcmp(row[i].key, key, sizeof(key)) == 0) {
            return &row[i];
        }
        oldest = row[i].last_ms < oldest->last_ms ? &row[i] : oldest;
    }
    begin(rates, oldest, key, now_ms);
    return oldest;
}

bool front_rates_take(struct front_rates *rates, const uint8_t client[16], bool sign_in,
                      int64_t now_ms, int64_t *ret_after_s)
{
    struct front_rate *row = find(rates, client, now_ms);
    int64_t wait_ms = 0;
    row->last_ms = now_ms;
    if (!bucket_take(&row->requests, now_ms)) {
        wait_ms = bucket_next_ms(&row->requests, now_ms) - now_ms;
    } else if (sign_in && !bucket_take(&row->sign_ins, now_ms / PER_MINUTE)) {
        int64_t now = now_ms / PER_MINUTE;
        wait_ms = (bucket_next_ms(&row->sign_ins, now) - now) * PER_MINUTE;
    } else {
        return true;
    }
    *ret_after_s = wait_ms / 1000 + 1;
    return false;
}
