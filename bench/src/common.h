/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every program of the harness shares: fatal errors, numbers, clock, addresses, latencies. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Prints the message (printf-style) with errno's text when it is set, and exits 1. */
_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A peer that has gone is an error of the write, not the end of the program. */
void ignore_sigpipe(void);

/* Whole decimal number within [least, most]; anything else ends the program, naming `what`. */
uint64_t parse_number(const char *text, uint64_t least, uint64_t most, const char *what);

/* "1.2.3.4:80" to an address.  Only IPv4 literals: the harness stays on the loopback. */
struct sockaddr_in parse_address(const char *text);

/* Monotonic time in microseconds. */
int64_t now_us(void);

/* A list of text lines, read once and kept until the program ends. */
struct lines {
    char **line;
    size_t count;
};

/* Reads every non-empty line of a file, without its newline. */
struct lines lines_read(const char *path);

/*
 * Latencies in a logarithmic histogram: fixed memory however long the run, and percentiles exact
 * to about 1.5 % (64 buckets for each doubling).
 */
#define HISTOGRAM_SUB_BITS 6
#define HISTOGRAM_BUCKETS ((64 - HISTOGRAM_SUB_BITS + 1) << HISTOGRAM_SUB_BITS)

struct histogram {
    uint64_t bucket[HISTOGRAM_BUCKETS];
    uint64_t count;
};

void histogram_add(struct histogram *histogram, int64_t value);

/* The value below which `per_mille` thousandths of the samples lie; 0 when there are none. */
uint64_t histogram_percentile(const struct histogram *histogram, unsigned per_mille);

#endif
