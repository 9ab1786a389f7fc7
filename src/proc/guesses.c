/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Counting wrong passwords. A pair is known by a keyed hash of 64 bits; a search is a walk over the
 * table, which is nothing beside the password hash that follows. */
#include "proc/guesses.h"

#include <string.h>

#include "base/limits.h"
#include "crypto/fasthash.h"

enum { CLIENT_BYTES_V6 = 8, CLIENT_BYTES = 16 };

static uint64_t key_of(const struct guesses *guesses, struct str person, const uint8_t client[16])
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    char bytes[CLIENT_BYTES + LIMIT_ID_LEN] = {0};
    bool v4 = memcmp(client, mapped, sizeof(mapped)) == 0;
    size_t len = person.len < LIMIT_ID_LEN ? person.len : LIMIT_ID_LEN;
    memcpy(bytes, client, v4 ? CLIENT_BYTES : CLIENT_BYTES_V6);
    memcpy(bytes + CLIENT_BYTES, person.p, len);
    uint64_t key = fasthash64(str_make(bytes, CLIENT_BYTES + len), guesses->seed);
    return key != 0 ? key : 1;
}

/* The pair's place, its guesses forgotten where their time is over; NULL where there is none. */
static struct guess_pair *find(struct guesses *guesses, uint64_t key, int64_t now_ms)
{
    for (size_t i = 0; i < GUESSES_PAIRS; i++) {
        struct guess_pair *pair = &guesses->pairs[i];
        if (pair->key == key) {
            if (now_ms - pair->last_ms >= guesses->lock_ms) {
                *pair = (struct guess_pair){0};
                return NULL;
            }
            return pair;
        }
    }
    return NULL;
}

/* What a pair's guesses count for now: nothing once their time is over. */
static uint64_t weight(const struct guesses *guesses, const struct guess_pair *pair, int64_t now_ms)
{
    return pair->key == 0 || now_ms - pair->last_ms >= guesses->lock_ms ? 0 : pair->wrong;
}

/* The pair with the fewest wrong guesses, of these the oldest: a guesser who fills the table with
 * other names must not free the one that matters. */
static struct guess_pair *lightest(struct guesses *guesses, int64_t now_ms)
{
    struct guess_pair *best = &guesses->pairs[0];
    for (size_t i = 1; i < GUESSES_PAIRS; i++) {
        struct guess_pair *pair = &guesses->pairs[i];
        uint64_t one = weight(guesses, pair, now_ms);
        uint64_t other = weight(guesses, best, now_ms);
        if (one < other || (one == other && pair->last_ms < best->last_ms)) {
            best = pair;
        }
    }
    return best;
}

bool guesses_may_try(struct guesses *guesses, struct str person, const uint8_t client[16],
                     int64_t now_ms)
{
    const struct guess_pair *pair = find(guesses, key_of(guesses, person, client), now_ms);
    return pair == NULL || pair->wrong < guesses->max;
}

bool guesses_note(struct guesses *guesses, struct str person, const uint8_t client[16], bool right,
                  int64_t now_ms)
{
    uint64_t key = key_of(guesses, person, client);
    struct guess_pair *pair = find(guesses, key, now_ms);
    if (right) {
        if (pair != NULL) {
            *pair = (struct guess_pair){0};
        }
        return false;
    }
    if (pair == NULL) {
        pair = lightest(guesses, now_ms);
        *pair = (struct guess_pair){.key = key};
    }
    pair->wrong++;
    pair->last_ms = now_ms;
    return pair->wrong == guesses->max;
}
