/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slowing guesses: a leaking bucket for each account and each address, kept as the time at which it
 * is empty again. A search is a walk over a table, which is nothing beside the password hash that
 * follows. */
#include "proc/guess_pace.h"

#include <string.h>

#include "base/limits.h"
#include "crypto/fasthash.h"

enum { CLIENT_BYTES_V6 = 8, CLIENT_BYTES = 16 };

static uint64_t key_of(const struct guess_pace *pace, struct str account, const uint8_t *client)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char bytes[CLIENT_BYTES + LIMIT_ID_LEN] = {0};
    size_t len = account.len < LIMIT_ID_LEN ? account.len : LIMIT_ID_LEN;
    if (client != NULL) {
        bool v4 = memcmp(client, mapped, sizeof(mapped)) == 0;
        memcpy(bytes, client, v4 ? CLIENT_BYTES : CLIENT_BYTES_V6);
    }
    if (len > 0) {
        memcpy(bytes + CLIENT_BYTES, account.p, len);
    }
    uint64_t key = fasthash64(str_make(bytes, CLIENT_BYTES + len), pace->seed);
    return key != 0 ? key : 1;
}

uint64_t guess_pace_account(const struct guess_pace *pace, struct str account)
{
    return account.len > 0 ? key_of(pace, account, NULL) : 0;
}

uint64_t guess_pace_client(const struct guess_pace *pace, const uint8_t client[16])
{
    return key_of(pace, STR(""), client);
}

static struct guess_pace_row *find(struct guess_pace_row *rows, uint64_t key)
{
    for (size_t i = 0; i < GUESS_PACE_KEYS; i++) {
        if (rows[i].key == key) {
            return &rows[i];
        }
    }
    return NULL;
}

static void set(struct guess_pace_row *rows, uint64_t key, int64_t full_ms)
{
    struct guess_pace_row *row = find(rows, key);
    if (row == NULL) {
        row = &rows[0];
        for (size_t i = 1; i < GUESS_PACE_KEYS; i++) {
            row = rows[i].full_ms < row->full_ms ? &rows[i] : row;
        }
    }
    *row = (struct guess_pace_row){key, full_ms};
}

static int64_t full_of(struct guess_pace_row *rows, uint64_t key, int64_t now_ms)
{
    const struct guess_pace_row *row = find(rows, key);
    return row != NULL && row->full_ms > now_ms ? row->full_ms : now_ms;
}

static bool is_over(struct guess_pace_row *rows, uint64_t key, int64_t step_ms, int64_t burst,
                    int64_t now_ms)
{
    return full_of(rows, key, now_ms) - now_ms >= step_ms * burst;
}

/* One more wrong guess; a full bucket does not grow, so that what is over is soon forgotten. */
static void pour(struct guess_pace_row *rows, uint64_t key, int64_t step_ms, int64_t burst,
                 int64_t now_ms)
{
    int64_t full_ms = full_of(rows, key, now_ms) + step_ms;
    int64_t most_ms = now_ms + step_ms * burst;
    set(rows, key, full_ms < most_ms ? full_ms : most_ms);
}

int64_t guess_pace_hold_ms(struct guess_pace *pace, struct str account, const uint8_t client[16],
                           int64_t now_ms)
{
    uint64_t account_key = guess_pace_account(pace, account);
    uint64_t both = key_of(pace, account, client);
    bool known = account_key != 0 && full_of(pace->known, both, now_ms) > now_ms;
    bool slow = is_over(pace->clients, guess_pace_client(pace, client), GUESS_CLIENT_STEP_MS,
                        GUESS_CLIENT_BURST, now_ms);
    if (account_key != 0 && !known) {
        slow |= is_over(pace->accounts, account_key, GUESS_ACCOUNT_STEP_MS, GUESS_ACCOUNT_BURST,
                        now_ms);
    }
    return slow ? GUESS_HOLD_MS : 0;
}

void guess_pace_note(struct guess_pace *pace, struct str account, const uint8_t client[16],
                     bool right, int64_t now_ms)
{
    uint64_t account_key = guess_pace_account(pace, account);
    if (right && account_key != 0) {
        set(pace->known, key_of(pace, account, client),
            now_ms + (int64_t)GUESS_KNOWN_DAYS * MS_PER_DAY);
    }
    if (!right) {
        pour(pace->clients, guess_pace_client(pace, client), GUESS_CLIENT_STEP_MS,
             GUESS_CLIENT_BURST, now_ms);
        if (account_key != 0) {
            pour(pace->accounts, account_key, GUESS_ACCOUNT_STEP_MS, GUESS_ACCOUNT_BURST, now_ms);
        }
    }
}
