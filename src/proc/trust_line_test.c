/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/trust_line.h"

#include <string.h>
#include <unistd.h>

#include "lib/test.h"
#include "os/file.h"
#include "proc/message.h"

enum { WORDS_MAX = 16 };

/* A line, its clerk's end, and what the line said to its owner: "+192.0.2.1" for enrolled. */
struct rig {
    struct loop *loop;
    struct trust_line line;
    int clerk;
    char words[WORDS_MAX][ADDR_TEXT_MAX + 1];
    size_t n_words;
};

static void set(void *context, const struct addr *addr, bool enrolled)
{
    struct rig *rig = context;
    assert_true(rig->n_words < WORDS_MAX);
    rig->words[rig->n_words][0] = enrolled ? '+' : '-';
    (void)addr_print(addr, rig->words[rig->n_words++] + 1);
}

static void connect_clerk(struct rig *rig)
{
    int fds[2];
    assert_ok(ipc_pair(fds));
    trust_line_take(&rig->line, fds[0]);
    rig->clerk = fds[1];
}

static struct rig *rig_new(void)
{
    static struct rig rig;
    rig = (struct rig){.clerk = -1};
    assert_ok(loop_new(&rig.loop));
    rig.line.context = &rig;
    rig.line.set = set;
    trust_line_init(&rig.line, rig.loop);
    return &rig;
}

static void rig_free(struct rig *rig)
{
    trust_line_fini(&rig->line);
    loop_free(rig->loop);
    close(rig->clerk);
}

static struct trust_note make_note(const char *address, const char *name)
{
    struct trust_note note = {.seen = ENROLMENT_REFUSED, .id_len = 4, .id = "d-17"};
    assert_ok(addr_parse(str_from(address), &note.addr));
    assert_ok(host_parse(str_from(name), &note.host));
    return note;
}

/* Turns until a note came. */
static struct trust_note read_note(struct rig *rig)
{
    static struct ipc_message message;
    struct trust_note note;
    while (message_receive(rig->clerk, &message) != ERR_OK) {
        assert_ok(loop_turn(rig->loop, 1000));
    }
    assert_ok(trust_note_read(&message, &note));
    return note;
}

/* The clerk says which are not enrolled (in ascending order). */
static void say(struct rig *rig, const char *const *addresses, size_t n)
{
    struct addr all[4];
    int fd;
    for (size_t i = 0; i < n; i++) {
        assert_ok(addr_parse(str_from(addresses[i]), &all[i]));
    }
    assert_ok(file_memory("test", str_make((const char *)all, n * sizeof(all[0])), &fd));
    assert_ok(message_send(rig->clerk, MESSAGE_ENROLMENT, fd, -1));
    close(fd);
    rig->n_words = 0;
    assert_ok(loop_turn(rig->loop, 1000));
}

TEST(a_note_arrives_as_it_was_told)
{
    static const char *const names[] = {"a.example", "192.0.2.200", "[2001:db8::9]"};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct rig *rig = rig_new();
        connect_clerk(rig);
        struct trust_note told = make_note("2001:db8::1", names[i]);
        trust_line_tell(&rig->line, &told);
        struct trust_note note = read_note(rig);
        assert_true(addr_eq(&note.addr, &told.addr));
        assert_true(host_eq(&note.host, &told.host));
        assert_str_eq(trust_note_id(&note), STR("d-17"));
        assert_int_equal(note.seen, ENROLMENT_REFUSED);
        rig_free(rig);
    }
}

TEST(notes_wait_for_a_clerk_that_is_away_and_go_in_order)
{
    struct rig *rig = rig_new();
    char name[32];
    for (int i = 0; i < TRUST_LINE_AT_ONCE + 4; i++) {
        snprintf(name, sizeof(name), "h%d.example", i);
        struct trust_note told = make_note("192.0.2.1", name);
        trust_line_tell(&rig->line, &told);
    }
    assert_ok(loop_turn(rig->loop, 0));
    connect_clerk(rig);
    for (int i = 0; i < TRUST_LINE_AT_ONCE + 4; i++) {
        struct trust_note note = read_note(rig);
        snprintf(name, sizeof(name), "h%d.example", i);
        assert_string_equal(note.host.text, name);
    }
    rig_free(rig);
}

TEST(too_many_notes_are_dropped)
{
    struct rig *rig = rig_new();
    struct trust_note told = make_note("192.0.2.1", "a.example");
    for (int i = 0; i < 2 * TRUST_LINE_WAITING_MAX; i++) {
        trust_line_tell(&rig->line, &told);
    }
    assert_int_equal(rig->line.n_waiting, TRUST_LINE_WAITING_MAX);
    rig_free(rig);
}

TEST(the_owner_hears_what_changed_and_what_it_asked)
{
    static const char *const two[] = {"192.0.2.1", "192.0.2.2"};
    struct rig *rig = rig_new();
    connect_clerk(rig);
    say(rig, two, 2);
    assert_int_equal(rig->n_words, 2);
    assert_string_equal(rig->words[0], "-192.0.2.1");
    assert_string_equal(rig->words[1], "-192.0.2.2");
    say(rig, two + 1, 1);
    assert_int_equal(rig->n_words, 1);
    assert_string_equal(rig->words[0], "+192.0.2.1");
    struct trust_note told = make_note("192.0.2.9", "a.example"); /* it pins, says the clerk */
    trust_line_tell(&rig->line, &told);
    (void)read_note(rig);
    say(rig, two + 1, 1);
    assert_int_equal(rig->n_words, 1);
    assert_string_equal(rig->words[0], "+192.0.2.9");
    say(rig, two + 1, 1);
    assert_int_equal(rig->n_words, 0);
    rig_free(rig);
}

TEST(a_clerk_that_talks_nonsense_is_not_listened_to)
{
    static const char *const falling[] = {"192.0.2.2", "192.0.2.1"};
    struct rig *rig = rig_new();
    connect_clerk(rig);
    say(rig, falling, 2);
    assert_int_equal(rig->n_words, 0);
    assert_int_equal(rig->line.io.fd, -1);
    rig_free(rig);
}

TEST(a_note_of_another_shape_is_refused)
{
    static struct ipc_message message;
    int fds[2];
    struct trust_note told = make_note("192.0.2.1", "a.example");
    struct trust_note note;
    assert_ok(ipc_pair(fds));
    assert_ok(trust_note_send(fds[0], &told));
    assert_ok(message_receive(fds[1], &message));
    struct ipc_message good = message;
    for (size_t len = 0; len < good.len; len++) {
        message.len = len;
        assert_err(trust_note_read(&message, &note), ERR_INVALID);
    }
    message = good;
    message.bytes[sizeof(struct addr)] = ENROLMENT_FAILED + 1;
    assert_err(trust_note_read(&message, &note), ERR_INVALID);
    message.bytes[sizeof(struct addr)] = ENROLMENT_UNSET;
    assert_err(trust_note_read(&message, &note), ERR_INVALID);
    message = good;
    message.bytes[message.len - 1] = 'E'; /* not canonical */
    assert_err(trust_note_read(&message, &note), ERR_INVALID);
    close(fds[0]);
    close(fds[1]);
}

TESTS_MAIN(unit(a_note_arrives_as_it_was_told),
           unit(notes_wait_for_a_clerk_that_is_away_and_go_in_order),
           unit(too_many_notes_are_dropped), unit(the_owner_hears_what_changed_and_what_it_asked),
           unit(a_clerk_that_talks_nonsense_is_not_listened_to),
           unit(a_note_of_another_shape_is_refused))
