/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "common.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *format, ...)
{
    int saved_errno = errno;
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    if (saved_errno != 0) {
        fprintf(stderr, ": %s", strerror(saved_errno));
    }
    fputc('\n', stderr);
    exit(1);
}

void ignore_sigpipe(void)
{
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &action, NULL);
}

uint64_t parse_number(const char *text, uint64_t least, uint64_t most, const char *what)
{
    uint64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        uint64_t digit = (uint64_t)(*p - '0');
        if (value > (UINT64_MAX - digit) / 10) {
            break;
        }
        value = value * 10 + digit;
    }
    if (p == text || *p != '\0' || value < least || value > most) {
        errno = 0;
        die("%s: '%s' is not a number from %llu to %llu", what, text, (unsigned long long)least,
            (unsigned long long)most);
    }
    return value;
}

struct sockaddr_in parse_address(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    char host[INET_ADDRSTRLEN];
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? 0 : (size_t)(colon - text);
    if (length == 0 || length >= sizeof host) {
        errno = 0;
        die("'%s' is not ADDRESS:PORT", text);
    }
    memcpy(host, text, length);
    host[length] = '\0';
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        errno = 0;
        die("'%s' is not an IPv4 address", host);
    }
    address.sin_port = htons((uint16_t)parse_number(colon + 1, 1, UINT16_MAX, "port"));
    return address;
}

int64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct lines lines_read(const char *path)
{
    struct lines lines = {0};
    FILE *file = fopen(path, "r");
    if (file == NULL) {
        die("%s", path);
    }
    size_t room = 0;
    char *line = NULL;
    size_t line_room = 0;
    ssize_t length;
    while ((length = getline(&line, &line_room, file)) >= 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '\0') {
            continue;
        }
        if (lines.count == room) {
            room = room == 0 ? 1024 : room * 2;
            lines.line = realloc(lines.line, room * sizeof *lines.line);
        }
        char *copy = strdup(line);
        if (lines.line == NULL || copy == NULL) {
            die("out of memory");
        }
        lines.line[lines.count++] = copy;
    }
    free(line);
    fclose(file);
    if (lines.count == 0) {
        errno = 0;
        die("%s: no lines", path);
    }
    return lines;
}

/*
 * Values below 2^SUB_BITS have a bucket each; above, the bucket is the position of the highest bit
 * and the SUB_BITS bits that follow it.
 */
static size_t bucket_of(uint64_t value)
{
    if (value < (1u << HISTOGRAM_SUB_BITS)) {
        return (size_t)value;
    }
    unsigned shift = 63u - (unsigned)__builtin_clzll(value) - HISTOGRAM_SUB_BITS;
    return ((size_t)(shift + 1) << HISTOGRAM_SUB_BITS) +
           (size_t)((value >> shift) - (1u << HISTOGRAM_SUB_BITS));
}

static uint64_t value_of(size_t bucket)
{
    size_t group = bucket >> HISTOGRAM_SUB_BITS;
    uint64_t rest = bucket & ((1u << HISTOGRAM_SUB_BITS) - 1);
    return group == 0 ? rest : (rest + (1u << HISTOGRAM_SUB_BITS)) << (group - 1);
}

void histogram_add(struct histogram *histogram, int64_t value)
{
    histogram->bucket[bucket_of(value < 0 ? 0 : (uint64_t)value)]++;
    histogram->count++;
}

uint64_t histogram_percentile(const struct histogram *histogram, unsigned per_mille)
{
    uint64_t wanted = histogram->count * per_mille / 1000;
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM_BUCKETS; i++) {
        seen += histogram->bucket[i];
        if (seen > wanted) {
            return value_of(i);
        }
    }
    return 0;
}
