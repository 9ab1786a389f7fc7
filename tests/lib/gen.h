/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inputs for property tests: seeded, the same on every machine.
 *
 *     GEN_RUNS(gen, 1000) { char name[GEN_HOST_MAX]; ... assert_run(gen, holds(gen_host(&gen,
 * name))); }
 *
 * A run depends on its number alone; assert_run names it, and GEN_RUN(gen, 17) repeats that one.
 */
#ifndef LODGE_TESTS_GEN_H
#define LODGE_TESTS_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct gen {
    uint64_t run;
    uint64_t state;
};

enum { GEN_HOST_MAX = 128 };

/* splitmix64 (Steele, Lea, Flood 2014). */
static inline uint64_t gen_u64(struct gen *gen)
{
    uint64_t z = gen->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static inline struct gen gen_start(uint64_t run)
{
    struct gen gen = {.run = run, .state = run};
    gen.state = gen_u64(&gen);
    return gen;
}

#define GEN_RUNS(gen, runs) \
    for (struct gen gen = gen_start(0); gen.run < (runs); gen = gen_start(gen.run + 1))
#define GEN_RUN(gen, number) \
    for (struct gen gen = gen_start(number); gen.run == (number); gen = gen_start((number) + 1))

#define assert_run(gen, condition)                                               \
    do {                                                                         \
        if (!(condition)) {                                                      \
            fail_msg("run %llu: %s", (unsigned long long)(gen).run, #condition); \
        }                                                                        \
    } while (0)

/* 0..n-1; n is not 0. The bias of a remainder is of no matter here. */
static inline size_t gen_below(struct gen *gen, size_t n)
{
    return (size_t)(gen_u64(gen) % n);
}

/* min..max, both included. */
static inline int64_t gen_between(struct gen *gen, int64_t min, int64_t max)
{
    uint64_t count = (uint64_t)max - (uint64_t)min + 1;
    return (int64_t)((uint64_t)min + (count != 0 ? gen_u64(gen) % count : gen_u64(gen)));
}

/* True in `percent` of a hundred cases. */
static inline bool gen_chance(struct gen *gen, unsigned percent)
{
    return gen_below(gen, 100) < percent;
}

/* One item of an array (not of a pointer). */
#define GEN_PICK(gen, array) ((array)[gen_below((gen), sizeof(array) / sizeof((array)[0]))])

/* n bytes of any value. */
static inline struct str gen_bytes(struct gen *gen, char *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = (char)gen_u64(gen);
    }
    return str_make(to, n);
}

/* n bytes, each one of alphabet's. */
static inline struct str gen_text(struct gen *gen, struct str alphabet, char *to, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = alphabet.p[gen_below(gen, alphabet.len)];
    }
    return str_make(to, n);
}

/* A canonical host name of one to four labels. Labels are short and of few letters, so that two
 * names are often equal or one below the other. */
static inline struct str gen_host(struct gen *gen, char to[GEN_HOST_MAX])
{
    static const struct str tops[] = {STR_INIT("example"), STR_INIT("test"), STR_INIT("co.uk"),
                                      STR_INIT("org")};
    size_t len = 0;
    for (size_t labels = gen_below(gen, 4); labels != 0; labels--) {
        len += gen_text(gen, STR("ab0"), to + len, 1 + gen_below(gen, 3)).len;
        to[len++] = '.';
    }
    struct str top = GEN_PICK(gen, tops);
    memcpy(to + len, top.p, top.len);
    return str_make(to, len + top.len);
}

#endif
