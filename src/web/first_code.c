/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Wrong codes of the first run, by address. */
#include "web/first_code.h"

#include <string.h>

#include "wire/addr.h"

enum { ADDRESS_BYTES = 16, PREFIX_BYTES = 8 };

static void key_of(const uint8_t client[ADDRESS_BYTES], uint8_t ret_key[ADDRESS_BYTES])
{
    struct addr addr;
    memcpy(addr.bytes, client, sizeof(addr.bytes));
    memset(ret_key, 0, ADDRESS_BYTES);
    memcpy(ret_key, client, addr_is_ipv4(&addr) ? ADDRESS_BYTES : PREFIX_BYTES);
}

/* The row of a key, or the one to take for it: free, or the oldest. */
static struct first_code_row *find(struct first_code *code, const uint8_t key[ADDRESS_BYTES])
{
    struct first_code_row *best = &code->rows[0];
    for (size_t i = 0; i < FIRST_CODE_ROWS; i++) {
        struct first_code_row *row = &code->rows[i];
        if (row->wrong != 0 && memcmp(row->client, key, ADDRESS_BYTES) == 0) {
            return row;
        }
        bool older = row->wrong == 0 || row->since_ms < best->since_ms;
        best = best->wrong != 0 && older ? row : best;
    }
    best->wrong = 0;
    return best;
}

static unsigned wrong_now(unsigned wrong, int64_t since_ms, int64_t now_ms)
{
    return now_ms - since_ms < FIRST_CODE_WAIT_MS ? wrong : 0;
}

bool first_code_may(struct first_code *code, const uint8_t client[ADDRESS_BYTES], int64_t now_ms)
{
    uint8_t key[ADDRESS_BYTES];
    key_of(client, key);
    bool many = wrong_now(code->wrong, code->since_ms, now_ms) >= FIRST_CODE_ALL;
    for (size_t i = 0; i < FIRST_CODE_ROWS; i++) {
        const struct first_code_row *row = &code->rows[i];
        if (row->wrong != 0 && memcmp(row->client, key, ADDRESS_BYTES) == 0) {
            return wrong_now(row->wrong, row->since_ms, now_ms) <
                   (many ? 1U : (unsigned)FIRST_CODE_TRIES);
        }
    }
    return true;
}

/* A minute begins with its first wrong one. */
static void count(unsigned *wrong, int64_t *since_ms, int64_t now_ms)
{
    if (wrong_now(*wrong, *since_ms, now_ms) == 0) {
        *wrong = 0;
        *since_ms = now_ms;
    }
    ++*wrong;
}

void first_code_note(struct first_code *code, const uint8_t client[ADDRESS_BYTES], int64_t now_ms)
{
    uint8_t key[ADDRESS_BYTES];
    key_of(client, key);
    struct first_code_row *row = find(code, key);
    memcpy(row->client, key, sizeof(key));
    count(&row->wrong, &row->since_ms, now_ms);
    count(&code->wrong, &code->since_ms, now_ms);
}
