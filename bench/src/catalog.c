/* SPDX-License-Identifier: GPL-3.0-or-later */
/* catalog IMAGE URLS: maps an image, checks it whole, and looks up every line of URLS, best of
 * five. Linked with Lodge's own code: what is timed is what a worker does. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/check.h"
#include "catalog/catalog.h"

enum { ROUNDS = 5, NS = 1000000000, URLS_MAX = 1 << 22 };

static int64_t cpu_ns(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (int64_t)now.tv_sec * NS + now.tv_nsec;
}

static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        perror(path);
        exit(1);
    }
    return fd;
}

static struct str map(const char *path)
{
    struct stat info;
    int fd = open_file(path);
    CHECK(fstat(fd, &info) == 0);
    void *bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    CHECK(bytes != MAP_FAILED);
    (void)close(fd);
    return str_make(bytes, (size_t)info.st_size);
}

/* Nanoseconds for each line, parsed and looked up. */
static int64_t look_up_parsed(const struct catalog *catalog, struct str text, uint64_t *ret_found)
{
    struct arena arena;
    int64_t start = cpu_ns();
    int64_t n = 0;
    arena_init(&arena, 1 << 20);
    *ret_found = 0;
    for (struct str line; text.len != 0; n++) {
        struct catalog_hit hit;
        struct url url;
        (void)str_cut(text, '\n', &line, &text);
        arena_reset(&arena);
        CHECK(url_parse(line, STR("http"), &arena, &url) == ERR_OK);
        catalog_lookup(catalog, &url, &hit);
        *ret_found += !catset_is_empty(&hit.categories);
    }
    arena_fini(&arena);
    return (cpu_ns() - start) / n;
}

static int64_t look_up_hosts(const struct catalog *catalog, const struct host *hosts, int64_t n)
{
    uint64_t found = 0;
    int64_t start = cpu_ns();
    for (int64_t i = 0; i < n; i++) {
        struct catalog_hit hit;
        catalog_lookup_host(catalog, &hosts[i], &hit);
        found += hit.sealed;
    }
    CHECK(found <= (uint64_t)n);
    return (cpu_ns() - start) / n;
}

static struct host *parse_hosts(struct str text, int64_t *ret_n)
{
    struct host *hosts = calloc(URLS_MAX, sizeof(*hosts));
    struct arena arena;
    int64_t n = 0;
    CHECK(hosts != NULL);
    arena_init(&arena, 1 << 20);
    for (struct str line; text.len != 0 && n < URLS_MAX; n++) {
        struct url url;
        (void)str_cut(text, '\n', &line, &text);
        arena_reset(&arena);
        CHECK(url_parse(line, STR("http"), &arena, &url) == ERR_OK);
        hosts[n] = url.host;
    }
    arena_fini(&arena);
    *ret_n = n;
    return hosts;
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int main(int argc, char **argv)
{
    struct catalog *catalog = NULL;
    const char *why = NULL;
    int64_t open_ns = INT64_MAX;
    int64_t verify_ns = INT64_MAX;
    int64_t url_ns = INT64_MAX;
    int64_t host_ns = INT64_MAX;
    uint64_t found = 0;
    int64_t n = 0;
    if (argc != 3) {
        fputs("usage: catalog IMAGE URLS\n", stderr);
        return 2;
    }
    struct str text = map(argv[2]);
    struct host *hosts = parse_hosts(text, &n);
    int fd = open_file(argv[1]);
    for (int i = 0; i < ROUNDS; i++) {
        catalog_free(catalog);
        int64_t start = cpu_ns();
        CHECK(catalog_open(fd, &catalog, &why) == ERR_OK);
        open_ns = least(open_ns, cpu_ns() - start);
        start = cpu_ns();
        CHECK(catalog_verify(catalog, &why) == ERR_OK);
        verify_ns = least(verify_ns, cpu_ns() - start);
        url_ns = least(url_ns, look_up_parsed(catalog, text, &found));
        host_ns = least(host_ns, look_up_hosts(catalog, hosts, n));
    }
    printf("bytes %llu\nkeys %llu\nsealed %llu\nmap_us %lld\nverify_ms %lld\nurl_ns %lld\n"
           "host_ns %lld\nurls %lld\nfound %llu\n",
           (unsigned long long)catalog_size(catalog),
           (unsigned long long)catalog_key_count(catalog),
           (unsigned long long)catalog_sealed_count(catalog), (long long)open_ns / 1000,
           (long long)verify_ns / 1000000, (long long)url_ns, (long long)host_ns, (long long)n,
           (unsigned long long)found);
    return 0;
}
