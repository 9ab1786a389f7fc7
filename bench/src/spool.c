/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What an event costs, on one core: bench-spool NEW-FOLDER prints a table. The folder holds a
 * spool of some 250 MB meanwhile; whether it lies on a disk or in memory shows little, as writers
 * wait for neither. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "event/spool.h"

enum { EVENTS = 1000000, ROUNDS = 5 };

/* The best of the rounds so far, in ns of CPU for each event. */
struct best {
    double pack;
    double unpack;
    double append;
    double read;
};

static double cpu_ns(void)
{
    struct timespec now;
    CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void note(double *best, double start)
{
    double each = (cpu_ns() - start) / EVENTS;
    *best = *best == 0 || each < *best ? each : *best;
}

static struct event usual(void)
{
    return (struct event){
        .id = {{1, 2, 3}},
        .kind = EVENT_REQUEST,
        .node = STR("gate-1"),
        .school = STR("st-example"),
        .utc_ms = 1795428900123,
        .mono_ms = 86400000,
        .person = STR("p-0042"),
        .device = STR("d-7"),
        .group = STR("pupils-ks2"),
        .known = 2,
        .method = STR("GET"),
        .scheme = STR("http"),
        .host = STR("www.games.example"),
        .port = 80,
        .path = STR("/play/some/longer/path/index.html"),
        .query = STR("level=1&sound=2"),
        .level = 5,
        .rule = STR("table/games/pupils-ks2"),
        .reason = 14,
        .action = 2,
        .status = 403,
        .catalog_generation = 0xabcdef0123456789,
        .policy_generation = 0x1234567890abcdef,
        .state_generation = 0xfedcba9876543210,
        .bytes_down = 2048,
        .duration_ms = 3,
    };
}

static size_t measure_packing(struct best *best)
{
    static uint8_t bytes[EVENT_PACKED_MAX];
    struct event event = usual();
    struct event back;
    size_t n = 0;
    double start = cpu_ns();
    for (int i = 0; i < EVENTS; i++) {
        event.utc_ms++;
        n = event_pack(&event, bytes);
    }
    note(&best->pack, start);
    start = cpu_ns();
    for (int i = 0; i < EVENTS; i++) {
        CHECK(event_unpack(str_make((const char *)bytes, n), &back) == ERR_OK);
    }
    note(&best->unpack, start);
    return n;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static void measure_spool(const char *folder, struct best *best)
{
    struct spool_writer *writer = NULL;
    struct spool_reader *reader = NULL;
    struct event event = usual();
    struct str where;
    CHECK(mkdir(folder, 0700) == 0);
    CHECK(spool_writer_open(open(folder, O_RDONLY | O_DIRECTORY), STR("bench"), SPOOL_SEGMENT_BYTES,
                            &writer) == ERR_OK);
    double start = cpu_ns();
    for (int i = 0; i < EVENTS; i++) {
        event.utc_ms++;
        CHECK(spool_has_room(writer) && spool_append(writer, &event) == ERR_OK);
    }
    note(&best->append, start);
    spool_writer_free(writer);
    CHECK(spool_reader_open(open(folder, O_RDONLY | O_DIRECTORY), &reader) == ERR_OK);
    start = cpu_ns();
    for (int i = 0; i < EVENTS; i++) {
        CHECK(spool_reader_next(reader, &event, &where) == ERR_OK);
    }
    note(&best->read, start);
    spool_reader_free(reader);
    CHECK(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

int main(int argc, char **argv)
{
    struct best best = {0};
    size_t bytes = 0;
    if (argc != 2 || access(argv[1], F_OK) == 0) {
        fprintf(stderr, "usage: bench-spool NEW-FOLDER\n");
        return 2;
    }
    for (int i = 0; i < ROUNDS; i++) {
        bytes = measure_packing(&best);
        measure_spool(argv[1], &best);
    }
    printf("| an event of %zu bytes | ns of CPU | a second and core |\n|---|---|---|\n", bytes);
    printf("| pack | %.0f | %.1f million |\n", best.pack, 1e3 / best.pack);
    printf("| unpack | %.0f | %.1f million |\n", best.unpack, 1e3 / best.unpack);
    printf("| append to the spool | %.0f | %.1f million |\n", best.append, 1e3 / best.append);
    printf("| read from it | %.0f | %.1f million |\n", best.read, 1e3 / best.read);
    return 0;
}
