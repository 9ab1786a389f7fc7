/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/spool.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "event/segment.h"
#include "lib/gen.h"
#include "lib/test.h"

enum { SMALL = SPOOL_SEGMENT_MIN };

struct folder {
    char path[64];
};

static struct folder folder_new(void)
{
    struct folder folder = {"/tmp/lodge-spool-XXXXXX"};
    assert_non_null(mkdtemp(folder.path));
    return folder;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

static void folder_free(struct folder *folder)
{
    assert_int_equal(nftw(folder->path, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int folder_fd(const struct folder *folder)
{
    int fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static int folder_file(const struct folder *folder, const char *name)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder->path, name);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    return fd;
}

static struct spool_writer *writer_of(const struct folder *folder, struct str name)
{
    struct spool_writer *writer = NULL;
    assert_ok(spool_writer_open(folder_fd(folder), name, SMALL, &writer));
    return writer;
}

static struct spool_reader *reader_of(const struct folder *folder)
{
    struct spool_reader *reader = NULL;
    assert_ok(spool_reader_open(folder_fd(folder), &reader));
    return reader;
}

/* The number goes into both times, so that the merge keeps to it. */
static struct event numbered(int64_t number)
{
    return (struct event){
        .kind = EVENT_REQUEST,
        .utc_ms = number,
        .mono_ms = number,
        .node = STR("gate"),
        .host = STR("www.example"),
        .rule = STR("table/games/pupils-ks1"),
    };
}

static void append(struct spool_writer *writer, int64_t number)
{
    struct event event = numbered(number);
    assert_ok(spool_append(writer, &event));
}

static void expect(struct spool_reader *reader, int64_t number)
{
    struct event event;
    struct str where;
    assert_ok(spool_reader_next(reader, &event, &where));
    assert_int_equal(event.mono_ms, number);
    assert_str_eq(event.host, STR("www.example"));
}

static void expect_err(struct spool_reader *reader, enum err want)
{
    struct event event;
    struct str where;
    assert_err(spool_reader_next(reader, &event, &where), want);
}

TEST(events_are_read_in_order_and_each_has_its_place)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder, STR("proxy-0"));
    struct spool_reader *reader = reader_of(&folder);
    struct event event;
    struct str where;
    expect_err(reader, ERR_NOT_FOUND);
    append(writer, 1);
    append(writer, 2);
    assert_ok(spool_reader_next(reader, &event, &where));
    assert_str_eq(where, STR("proxy-0/1/128"));
    expect(reader, 2);
    expect_err(reader, ERR_NOT_FOUND);
    append(writer, 3);
    expect(reader, 3);
    expect_err(reader, ERR_NOT_FOUND);
    spool_reader_free(reader);
    spool_writer_free(writer);
    folder_free(&folder);
}

TEST(a_successor_goes_on_in_the_same_segment)
{
    struct folder folder = folder_new();
    struct event event;
    struct str where;
    for (int64_t i = 1; i <= 300; i++) { /* past half, so that the next one is allocated too */
        struct spool_writer *writer = writer_of(&folder, STR("w"));
        append(writer, i);
        spool_writer_free(writer);
    }
    close(folder_file(&folder, "w/0000000002.seg"));
    struct spool_reader *reader = reader_of(&folder);
    for (int64_t i = 1; i <= 300; i++) {
        assert_ok(spool_reader_next(reader, &event, &where));
        assert_int_equal(event.mono_ms, i);
        assert_true(str_starts(where, STR("w/1/")));
    }
    expect_err(reader, ERR_NOT_FOUND);
    spool_reader_free(reader);
    folder_free(&folder);
}

/* One of: append, a new writer, a new reader, a read; then all is read again. */
static void random_steps(struct gen *gen, const struct folder *folder)
{
    static char text[2048];
    struct spool_writer *writer = writer_of(folder, STR("w"));
    struct spool_reader *reader = reader_of(folder);
    int64_t appended = 0;
    int64_t read = 0;
    struct event event;
    struct str where;
    for (size_t steps = 50 + gen_below(gen, 400); steps != 0; steps--) {
        size_t kind = gen_below(gen, 100);
        if (kind < 60) {
            event = numbered(++appended);
            event.path = str_make(text, gen_below(gen, gen_chance(gen, 30) ? 2048 : 40));
            assert_run(*gen, spool_append(writer, &event) == ERR_OK);
        } else if (kind < 63) {
            spool_writer_free(writer);
            writer = writer_of(folder, STR("w"));
        } else if (kind < 65) {
            spool_reader_free(reader);
            reader = reader_of(folder);
            read = 0;
        } else {
            enum err err = spool_reader_next(reader, &event, &where);
            assert_run(*gen, err == (read < appended ? ERR_OK : ERR_NOT_FOUND));
            assert_run(*gen, err != ERR_OK || event.mono_ms == ++read);
        }
    }
    while (read < appended) {
        expect(reader, ++read);
    }
    expect_err(reader, ERR_NOT_FOUND);
    spool_reader_free(reader);
    spool_writer_free(writer);
}

TEST(whatever_is_appended_and_reopened_is_read_once_and_in_order)
{
    GEN_RUNS(gen, 60)
    {
        struct folder folder = folder_new();
        random_steps(&gen, &folder);
        folder_free(&folder);
    }
}

/* Appends r * ROUND + 1, 2, ... and reports each number after its append, until it is killed. */
enum { ROUNDS = 50, ROUND = 1000000 };

static void append_and_report(const struct folder *folder, int64_t round, int report_fd)
{
    struct spool_writer *writer = NULL;
    int dir_fd = open(folder->path, O_RDONLY | O_DIRECTORY);
    if (dir_fd < 0 || spool_writer_open(dir_fd, STR("proxy-0"), SMALL, &writer) != ERR_OK) {
        _exit(1);
    }
    for (int64_t i = 1;; i++) {
        struct event event = numbered(round * ROUND + i);
        if (spool_append(writer, &event) != ERR_OK ||
            write(report_fd, &event.mono_ms, sizeof(event.mono_ms)) != sizeof(event.mono_ms)) {
            _exit(1);
        }
    }
}

/* The last number that a child reported before it was killed, after `reports` of them or a few
 * more. */
static int64_t run_and_kill(const struct folder *folder, int64_t round, size_t reports)
{
    int pipe_fds[2];
    int64_t number = 0;
    int64_t last = 0;
    int status = 0;
    assert_int_equal(pipe(pipe_fds), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        append_and_report(folder, round, pipe_fds[1]);
    }
    close(pipe_fds[1]);
    while (reports-- != 0 && read(pipe_fds[0], &number, sizeof(number)) == sizeof(number)) {
        last = number;
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(pipe_fds[0], &number, sizeof(number)) == sizeof(number)) {
        last = number;
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    close(pipe_fds[0]);
    return last;
}

TEST(kill_9_at_any_moment_loses_and_doubles_nothing_that_was_reported)
{
    struct folder folder = folder_new();
    struct spool_reader *reader = reader_of(&folder);
    struct gen gen = gen_start(9);
    struct event event;
    struct str where;
    for (int64_t round = 0; round < ROUNDS; round++) {
        int64_t reported = run_and_kill(&folder, round, 1 + gen_below(&gen, 500));
        int64_t seen = round * ROUND;
        while (spool_reader_next(reader, &event, &where) == ERR_OK) {
            assert_int_equal(event.mono_ms, ++seen);
        }
        /* It may have been killed between an append and its report. */
        assert_in_range(seen, reported, reported + 1);
    }
    spool_reader_free(reader);
    folder_free(&folder);
}

TEST(what_a_killed_append_left_is_overwritten)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder, STR("w"));
    append(writer, 1);
    spool_writer_free(writer);
    int fd = folder_file(&folder, "w/0000000001.seg");
    static char torn[6000];
    memset(torn, 0xE5, sizeof(torn));
    size_t behind = SEGMENT_HEADER_BYTES + 512; /* the commit word of a torn frame is still zero */
    assert_int_equal(pwrite(fd, torn, sizeof(torn), (off_t)behind), sizeof(torn));
    close(fd);
    writer = writer_of(&folder, STR("w"));
    struct spool_reader *reader = reader_of(&folder);
    expect(reader, 1);
    for (int64_t i = 2; i < 40; i++) {
        append(writer, i);
        expect(reader, i);
        expect_err(reader, ERR_NOT_FOUND);
    }
    spool_reader_free(reader);
    spool_writer_free(writer);
    folder_free(&folder);
}

TEST(a_second_writer_of_the_same_place_is_kept_out)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder, STR("w"));
    struct spool_writer *second = NULL;
    assert_err(spool_writer_open(folder_fd(&folder), STR("w"), SMALL, &second), ERR_SYSTEM);
    spool_writer_free(writer);
    writer = writer_of(&folder, STR("w"));
    spool_writer_free(writer);
    folder_free(&folder);
}

TEST(names_and_sizes_that_cannot_be_are_refused)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = NULL;
    static const struct str names[] = {STR_INIT(""),  STR_INIT("."),   STR_INIT("../w"),
                                       STR_INIT("W"), STR_INIT("w/x"), STR_INIT("w\0x")};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_err(spool_writer_open(folder_fd(&folder), names[i], SMALL, &writer), ERR_INVALID);
    }
    assert_err(spool_writer_open(folder_fd(&folder), STR("w"), SMALL - 1, &writer), ERR_RANGE);
    assert_err(spool_writer_open(-1, STR("w"), SMALL, &writer), ERR_SYSTEM);
    spool_writer_free(NULL);
    spool_reader_free(NULL);
    folder_free(&folder);
}

/* A limit on the size of files stands for a full disk: an allocation fails, a store does not. */
static void disk_is_full(bool full)
{
    static struct rlimit before;
    struct rlimit limit;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    if (full) {
        assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(sigaction(SIGXFSZ, &ignore, NULL), 0);
        limit = (struct rlimit){.rlim_cur = 4096, .rlim_max = before.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    } else {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    }
}

/* An allocation is retried only a while after it failed. */
static void wait_for_room(struct spool_writer *writer)
{
    while (!spool_has_room(writer)) {
        sched_yield();
    }
}

/* How many, numbered from first + 1, went in. */
static int64_t append_until_full(struct spool_writer *writer, enum event_kind kind, int64_t first)
{
    for (int64_t n = 0;; n++) {
        struct event event = numbered(first + n + 1);
        event.kind = kind;
        enum err err = spool_append(writer, &event);
        if (err != ERR_OK) {
            assert_err(err, ERR_SYSTEM);
            return n;
        }
    }
}

TEST(a_full_disk_is_noticed_half_a_segment_ahead_and_the_last_quarter_is_for_closes)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder, STR("w"));
    struct spool_reader *reader = reader_of(&folder);
    int64_t appended = 0;
    disk_is_full(true);
    while (spool_has_room(writer)) {
        append(writer, ++appended);
    }
    int64_t half = appended;
    appended += append_until_full(writer, EVENT_REQUEST, appended);
    int64_t three_quarters = appended;
    appended += append_until_full(writer, EVENT_CLOSE, appended);
    assert_in_range(three_quarters - half, half / 4, half * 3 / 4);
    assert_in_range(appended - three_quarters, half / 4, half * 3 / 4);
    assert_false(spool_has_room(writer));
    disk_is_full(false);
    wait_for_room(writer);
    append(writer, ++appended);
    for (int64_t i = 1; i <= appended; i++) {
        expect(reader, i);
    }
    expect_err(reader, ERR_NOT_FOUND);
    spool_reader_free(reader);
    spool_writer_free(writer);
    folder_free(&folder);
}

TEST(a_writer_starts_on_a_full_disk_and_has_room_later)
{
    struct folder folder = folder_new();
    struct event event = numbered(1);
    disk_is_full(true);
    struct spool_writer *writer = writer_of(&folder, STR("w"));
    assert_false(spool_has_room(writer));
    assert_err(spool_append(writer, &event), ERR_SYSTEM);
    disk_is_full(false);
    wait_for_room(writer);
    append(writer, 1);
    struct spool_reader *reader = reader_of(&folder);
    expect(reader, 1);
    spool_reader_free(reader);
    spool_writer_free(writer);
    folder_free(&folder);
}

static void flip_byte(const struct folder *folder, const char *name, off_t at)
{
    unsigned char byte = 0;
    int fd = folder_file(folder, name);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

TEST(a_broken_frame_costs_the_rest_of_its_segment_only)
{
    /* The commit word's length and mark, the checksum, the payload. */
    static const off_t places[] = {0, 3, 4, 8, 40};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct folder folder = folder_new();
        struct spool_writer *writer = writer_of(&folder, STR("w"));
        append(writer, 1);
        append(writer, 2);
        spool_writer_free(writer);
        flip_byte(&folder, "w/0000000001.seg", SEGMENT_HEADER_BYTES + places[i]);
        writer = writer_of(&folder, STR("w"));
        append(writer, 3);
        struct spool_reader *reader = reader_of(&folder);
        expect_err(reader, ERR_INVALID);
        assert_str_eq(spool_reader_where(reader), STR("w/1/128"));
        expect(reader, 3);
        expect_err(reader, ERR_NOT_FOUND);
        spool_reader_free(reader);
        spool_writer_free(writer);
        folder_free(&folder);
    }
}

TEST(a_broken_header_costs_its_segment_only)
{
    for (off_t at = 0; at < SEGMENT_HEADER_BYTES; at++) {
        struct folder folder = folder_new();
        struct spool_writer *writer = writer_of(&folder, STR("w"));
        append(writer, 1);
        spool_writer_free(writer);
        flip_byte(&folder, "w/0000000001.seg", at);
        writer = writer_of(&folder, STR("w"));
        append(writer, 2);
        struct spool_reader *reader = reader_of(&folder);
        expect_err(reader, ERR_INVALID);
        assert_str_eq(spool_reader_where(reader), STR("w/1/0"));
        expect(reader, 2);
        spool_reader_free(reader);
        spool_writer_free(writer);
        folder_free(&folder);
    }
}

TEST(a_reader_follows_a_writer_that_left_a_broken_segment)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder, STR("w"));
    struct spool_reader *reader = reader_of(&folder);
    append(writer, 1);
    append(writer, 2);
    expect(reader, 1);
    expect(reader, 2);
    expect_err(reader, ERR_NOT_FOUND);
    spool_writer_free(writer);
    flip_byte(&folder, "w/0000000001.seg", SEGMENT_HEADER_BYTES + 20);
    writer = writer_of(&folder, STR("w"));
    expect_err(reader, ERR_NOT_FOUND);
    append(writer, 3);
    expect(reader, 3);
    spool_reader_free(reader);
    spool_writer_free(writer);
    folder_free(&folder);
}

TEST(an_event_that_does_not_unpack_costs_itself_only)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder, STR("w"));
    spool_writer_free(writer);
    int dir_fd = folder_fd(&folder);
    int own_fd = openat(dir_fd, "w", O_RDONLY | O_DIRECTORY);
    struct segment segment;
    assert_ok(segment_map(own_fd, STR("w"), 1, true, &segment));
    memcpy(segment.base + SEGMENT_HEADER_BYTES + SEGMENT_FRAME_HEAD, "\0no event", 9);
    segment_commit(&segment, SEGMENT_HEADER_BYTES, 9);
    segment_unmap(&segment);
    close(own_fd);
    close(dir_fd);
    writer = writer_of(&folder, STR("w"));
    append(writer, 1);
    struct spool_reader *reader = reader_of(&folder);
    expect_err(reader, ERR_INVALID);
    assert_str_eq(spool_reader_where(reader), STR("w/1/128"));
    expect(reader, 1);
    spool_reader_free(reader);
    spool_writer_free(writer);
    folder_free(&folder);
}

TEST(writers_are_merged_by_time_and_later_ones_found)
{
    struct folder folder = folder_new();
    struct spool_writer *odd = writer_of(&folder, STR("proxy-0"));
    struct spool_reader *reader = reader_of(&folder);
    append(odd, 1);
    expect(reader, 1);
    expect_err(reader, ERR_NOT_FOUND);
    struct spool_writer *even = writer_of(&folder, STR("proxy-1"));
    append(even, 2);
    expect(reader, 2);
    for (int64_t i = 3; i < 800; i += 2) {
        append(odd, i);
    }
    for (int64_t i = 4; i < 800; i += 2) {
        append(even, i);
    }
    for (int64_t i = 3; i < 800; i++) {
        expect(reader, i);
    }
    expect_err(reader, ERR_NOT_FOUND);
    spool_reader_free(reader);
    spool_writer_free(odd);
    spool_writer_free(even);
    folder_free(&folder);
}

TEST(what_a_killed_allocation_left_is_removed)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder, STR("w"));
    spool_writer_free(writer);
    int dir_fd = folder_fd(&folder);
    close(openat(dir_fd, "w/0000000002.new", O_WRONLY | O_CREAT, 0600));
    close(openat(dir_fd, "w/notes.txt", O_WRONLY | O_CREAT, 0600));
    close(openat(dir_fd, "stray", O_WRONLY | O_CREAT, 0600));
    writer = writer_of(&folder, STR("w"));
    assert_int_equal(faccessat(dir_fd, "w/0000000002.new", F_OK, 0), -1);
    assert_int_equal(faccessat(dir_fd, "w/notes.txt", F_OK, 0), 0);
    for (int64_t i = 1; i < 600; i++) {
        append(writer, i);
    }
    struct spool_reader *reader = reader_of(&folder);
    for (int64_t i = 1; i < 600; i++) {
        expect(reader, i);
    }
    spool_reader_free(reader);
    spool_writer_free(writer);
    close(dir_fd);
    folder_free(&folder);
}

TEST(removed_segments_are_passed_over)
{
    struct folder folder = folder_new();
    struct spool_writer *writer = writer_of(&folder, STR("w"));
    for (int64_t i = 1; i < 3000; i++) {
        append(writer, i);
    }
    struct spool_reader *reader = reader_of(&folder);
    expect(reader, 1);
    int dir_fd = folder_fd(&folder);
    assert_int_equal(unlinkat(dir_fd, "w/0000000002.seg", 0), 0);
    assert_int_equal(unlinkat(dir_fd, "w/0000000003.seg", 0), 0);
    struct event event;
    struct str where;
    int64_t last = 1;
    while (spool_reader_next(reader, &event, &where) == ERR_OK) {
        assert_true(event.mono_ms > last);
        last = event.mono_ms;
    }
    assert_int_equal(last, 2999);
    spool_reader_free(reader);
    spool_writer_free(writer);
    close(dir_fd);
    folder_free(&folder);
}

TEST(a_sync_takes_every_writer_and_those_that_come_later)
{
    struct folder folder = folder_new();
    struct spool_writer *one = writer_of(&folder, STR("proxy-0"));
    struct spool_sync *sync = NULL;
    int dir_fd = folder_fd(&folder);
    assert_ok(spool_sync_new(dir_fd, &sync));
    assert_ok(spool_sync_run(sync));
    for (int64_t i = 1; i < 2000; i++) {
        append(one, i);
    }
    assert_ok(spool_sync_run(sync));
    struct spool_writer *two = writer_of(&folder, STR("proxy-1"));
    append(one, 2000);
    append(two, 2001);
    assert_ok(spool_sync_run(sync));
    assert_ok(spool_sync_run(sync));
    close(dir_fd);
    assert_err(spool_sync_run(sync), ERR_SYSTEM);
    spool_sync_free(sync);
    spool_sync_free(NULL);
    spool_writer_free(one);
    spool_writer_free(two);
    folder_free(&folder);
}

TESTS_MAIN(unit(events_are_read_in_order_and_each_has_its_place),
           unit(a_successor_goes_on_in_the_same_segment),
           unit(whatever_is_appended_and_reopened_is_read_once_and_in_order),
           unit(kill_9_at_any_moment_loses_and_doubles_nothing_that_was_reported),
           unit(what_a_killed_append_left_is_overwritten),
           unit(a_second_writer_of_the_same_place_is_kept_out),
           unit(names_and_sizes_that_cannot_be_are_refused),
           unit(a_full_disk_is_noticed_half_a_segment_ahead_and_the_last_quarter_is_for_closes),
           unit(a_writer_starts_on_a_full_disk_and_has_room_later),
           unit(a_broken_frame_costs_the_rest_of_its_segment_only),
           unit(a_broken_header_costs_its_segment_only),
           unit(a_reader_follows_a_writer_that_left_a_broken_segment),
           unit(an_event_that_does_not_unpack_costs_itself_only),
           unit(writers_are_merged_by_time_and_later_ones_found),
           unit(what_a_killed_allocation_left_is_removed), unit(removed_segments_are_passed_over),
           unit(a_sync_takes_every_writer_and_those_that_come_later))
