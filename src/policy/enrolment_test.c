/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy/enrolment.h"

#include "lib/test.h"

#define T0 INT64_C(1795000000000)

/* One observation: "A" accepted, "R" refused, "C" checked, "F" failed the check. */
struct step {
    char what;
    const char *host;
    int64_t after_ms; /* since the step before */
    enum enrolment_change change;
};

enum { STEPS = 12 };

static struct addr addr_of(const char *text)
{
    struct addr addr;
    assert_ok(addr_parse(str_from(text), &addr));
    return addr;
}

static enum enrolment_change note(struct enrolment *enrolment, const char *address, const char *id,
                                  char what, const char *name, int64_t now_ms)
{
    struct addr addr = addr_of(address);
    struct host host;
    enum enrolment_change change = ENROLMENT_SAME;
    assert_ok(host_parse(str_from(name), &host));
    assert_ok(enrolment_note(enrolment, &addr, str_from(id), &host,
                             what == 'A'   ? ENROLMENT_ACCEPTED
                             : what == 'R' ? ENROLMENT_REFUSED
                             : what == 'F' ? ENROLMENT_FAILED
                                           : ENROLMENT_CHECKED,
                             now_ms, &change));
    return change;
}

static bool is_enrolled(const struct enrolment *enrolment, const char *address)
{
    struct addr addr = addr_of(address);
    return enrolment_is_enrolled(enrolment, &addr);
}

static size_t count_pinned(const struct enrolment *enrolment)
{
    struct enrolment_pinned *rows;
    size_t n;
    assert_ok(enrolment_pinned(enrolment, &rows, &n));
    free(rows);
    return n;
}

#define DAY ((int64_t)MS_PER_DAY)

static const struct {
    const char *what;
    struct step steps[STEPS];
    bool enrolled;
    size_t pinned;
} orders[] = {
    {"nothing is known of it", {{0}}, true, 0},
    {"a browser without the CA refuses the first leaf",
     {{'R', "a.example", 1, ENROLMENT_LOST}},
     false,
     0},
    {"... and the next ones are counted",
     {{'R', "a.example", 1, ENROLMENT_LOST}, {'R', "b.example", 1, ENROLMENT_NOTED}},
     false,
     0},
    {"a warning clicked away is no enrolment",
     {{'R', "a.example", 1, ENROLMENT_LOST}, {'A', "a.example", 1, ENROLMENT_SAME}},
     false,
     0},
    {"... nor is it one for the next refusal",
     {{'R', "a.example", 1, ENROLMENT_LOST},
      {'A', "a.example", 1, ENROLMENT_SAME},
      {'R', "b.example", 1, ENROLMENT_NOTED}},
     false,
     0},
    {"the check makes it enrolled",
     {{'R', "a.example", 1, ENROLMENT_LOST}, {'C', "lodge.internal", 1, ENROLMENT_ENROLLED}},
     true,
     0},
    {"what refuses after the check pins",
     {{'R', "a.example", 1, ENROLMENT_LOST},
      {'C', "lodge.internal", 1, ENROLMENT_ENROLLED},
      {'R', "a.example", 1, ENROLMENT_PINNED}},
     true,
     1},
    {"an application that pins, on a device that knows the CA",
     {{'A', "a.example", 1, ENROLMENT_NOTED},
      {'R', "app.example", 1, ENROLMENT_PINNED},
      {'R', "app.example", 1, ENROLMENT_NOTED},
      {'A', "b.example", 1, ENROLMENT_SAME}},
     true,
     1},
    {"an application that pins was first, on a phone that knows the CA: the check mends it",
     {{'R', "app.example", 1, ENROLMENT_LOST},
      {'C', "lodge.internal", 1, ENROLMENT_ENROLLED},
      {'R', "app.example", 1, ENROLMENT_PINNED}},
     true,
     1},
    {"the gate's own certificate refused: no application pins that",
     {{'A', "a.example", 1, ENROLMENT_NOTED},
      {'R', "app.example", 1, ENROLMENT_PINNED},
      {'F', "lodge.internal", 1, ENROLMENT_LOST},
      {'F', "lodge.internal", 1, ENROLMENT_NOTED}},
     false,
     0},
    {"many hosts of one site are one application",
     {{'A', "a.example", 1, ENROLMENT_NOTED},
      {'R', "a.app.co.uk", 1, ENROLMENT_PINNED},
      {'R', "b.app.co.uk", 1, ENROLMENT_PINNED},
      {'R', "c.app.co.uk", 1, ENROLMENT_PINNED},
      {'R', "d.app.co.uk", 1, ENROLMENT_PINNED},
      {'R', "e.app.co.uk", 1, ENROLMENT_PINNED},
      {'R', "f.app.co.uk", 1, ENROLMENT_PINNED},
      {'R', "g.app.co.uk", 1, ENROLMENT_PINNED},
      {'R', "h.app.co.uk", 1, ENROLMENT_PINNED},
      {'R', "i.app.co.uk", 1, ENROLMENT_PINNED}},
     true,
     9},
    {"everything refused in a row: the CA was removed, and nothing of that pins",
     {{'A', "z.example", 1, ENROLMENT_NOTED},
      {'R', "a.example", 1, ENROLMENT_PINNED},
      {'R', "b.example", 1, ENROLMENT_PINNED},
      {'R', "c.example", 1, ENROLMENT_PINNED},
      {'R', "d.example", 1, ENROLMENT_PINNED},
      {'R', "e.example", 1, ENROLMENT_PINNED},
      {'R', "f.example", 1, ENROLMENT_PINNED},
      {'R', "g.example", 1, ENROLMENT_PINNED},
      {'R', "h.example", 1, ENROLMENT_LOST}},
     false,
     0},
    {"... what was pinned before still is",
     {{'A', "z.example", 1, ENROLMENT_NOTED},
      {'R', "app.example", 1, ENROLMENT_PINNED},
      {'A', "z.example", 1, ENROLMENT_SAME},
      {'R', "b.example", 1, ENROLMENT_PINNED},
      {'R', "c.example", 1, ENROLMENT_PINNED},
      {'R', "d.example", 1, ENROLMENT_PINNED},
      {'R', "e.example", 1, ENROLMENT_PINNED},
      {'R', "f.example", 1, ENROLMENT_PINNED},
      {'R', "g.example", 1, ENROLMENT_PINNED},
      {'R', "h.example", 1, ENROLMENT_PINNED},
      {'R', "i.example", 1, ENROLMENT_LOST}},
     false,
     1},
    {"an acceptance between begins the row anew",
     {{'A', "z.example", 1, ENROLMENT_NOTED},
      {'R', "a.example", 1, ENROLMENT_PINNED},
      {'R', "b.example", 1, ENROLMENT_PINNED},
      {'R', "c.example", 1, ENROLMENT_PINNED},
      {'R', "d.example", 1, ENROLMENT_PINNED},
      {'A', "z.example", 1, ENROLMENT_SAME},
      {'R', "e.example", 1, ENROLMENT_PINNED},
      {'R', "f.example", 1, ENROLMENT_PINNED},
      {'R', "g.example", 1, ENROLMENT_PINNED},
      {'R', "h.example", 1, ENROLMENT_PINNED}},
     true,
     8},
    {"what it accepted long ago says nothing",
     {{'A', "a.example", 1, ENROLMENT_NOTED}, {'R', "a.example", 31 * DAY, ENROLMENT_LOST}},
     false,
     0},
    {"a clock set back says no more than a clock that stands",
     {{'A', "a.example", DAY, ENROLMENT_NOTED}, {'R', "b.example", -DAY, ENROLMENT_PINNED}},
     true,
     1},
};

TEST(T5_the_order_of_what_a_device_did_says_what_it_is)
{
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        struct enrolment *enrolment;
        int64_t now_ms = T0;
        assert_ok(enrolment_new(&enrolment));
        for (const struct step *step = orders[i].steps; step->what != '\0'; step++) {
            now_ms += step->after_ms;
            enum enrolment_change change =
                note(enrolment, "192.0.2.7", "", step->what, step->host, now_ms);
            if (change != step->change) {
                fail_msg("%s: %s gave %d, want %d", orders[i].what, step->host, (int)change,
                         (int)step->change);
            }
        }
        if (is_enrolled(enrolment, "192.0.2.7") != orders[i].enrolled ||
            count_pinned(enrolment) != orders[i].pinned) {
            fail_msg("%s: enrolled %d, pinned %zu", orders[i].what,
                     is_enrolled(enrolment, "192.0.2.7"), count_pinned(enrolment));
        }
        enrolment_free(enrolment);
    }
}

TEST(a_host_that_others_pin_does_not_tell_of_a_new_device)
{
    struct enrolment *enrolment;
    struct enrolment_pinned *rows;
    size_t n;
    assert_ok(enrolment_new(&enrolment));
    note(enrolment, "192.0.2.1", "", 'A', "a.example", T0);
    note(enrolment, "192.0.2.2", "", 'A', "a.example", T0);
    note(enrolment, "192.0.2.1", "", 'R', "app.example", T0 + 1);
    note(enrolment, "192.0.2.2", "", 'R', "app.example", T0 + 2);
    assert_int_equal(note(enrolment, "192.0.2.3", "", 'R', "app.example", T0 + 3),
                     ENROLMENT_PINNED);
    assert_true(is_enrolled(enrolment, "192.0.2.3"));
    assert_ok(enrolment_pinned(enrolment, &rows, &n));
    assert_int_equal(n, 1);
    assert_string_equal(rows[0].host, "app.example");
    assert_int_equal(rows[0].devices, 3);
    assert_int_equal(rows[0].refusals, 3);
    assert_int_equal(rows[0].first_ms, T0 + 1);
    assert_int_equal(rows[0].last_ms, T0 + 3);
    free(rows);
    assert_int_equal(note(enrolment, "192.0.2.3", "", 'R', "b.example", T0 + 4), ENROLMENT_LOST);
    assert_false(is_enrolled(enrolment, "192.0.2.3"));
    enrolment_free(enrolment);
}

TEST(one_device_alone_makes_no_host_pinned_for_others)
{
    struct enrolment *enrolment;
    assert_ok(enrolment_new(&enrolment));
    note(enrolment, "192.0.2.1", "", 'C', "lodge.internal", T0);
    note(enrolment, "192.0.2.1", "", 'R', "app.example", T0);
    note(enrolment, "192.0.2.1", "", 'R', "app.example", T0 + 1);
    assert_int_equal(note(enrolment, "192.0.2.2", "", 'R', "app.example", T0 + 2), ENROLMENT_LOST);
    enrolment_free(enrolment);
}

TEST(a_device_with_an_id_is_known_at_its_next_address)
{
    struct enrolment *enrolment;
    struct enrolment_device device;
    size_t at = 0;
    assert_ok(enrolment_new(&enrolment));
    note(enrolment, "192.0.2.1", "tablet-1", 'R', "a.example", T0);
    note(enrolment, "192.0.2.2", "", 'A', "a.example", T0);
    note(enrolment, "192.0.2.2", "tablet-1", 'R', "b.example", T0 + 1);
    assert_true(is_enrolled(enrolment, "192.0.2.1"));
    assert_false(is_enrolled(enrolment, "192.0.2.2"));
    assert_true(enrolment_next_device(enrolment, &at, &device));
    assert_str_eq(device.id, STR("tablet-1"));
    assert_str_eq(device.host, STR("b.example"));
    assert_int_equal(device.since_ms, T0);
    assert_int_equal(device.refused_ms, T0 + 1);
    assert_int_equal(device.refusals, 2);
    assert_false(enrolment_next_device(enrolment, &at, &device));
    enrolment_free(enrolment);
}

TEST(another_device_at_an_address_gets_its_own_try)
{
    struct enrolment *enrolment;
    assert_ok(enrolment_new(&enrolment));
    note(enrolment, "192.0.2.1", "tablet-1", 'R', "a.example", T0);
    note(enrolment, "192.0.2.1", "tablet-2", 'A', "a.example", T0 + 1);
    assert_true(is_enrolled(enrolment, "192.0.2.1"));
    note(enrolment, "192.0.2.9", "", 'R', "a.example", T0); /* named later: the same device */
    note(enrolment, "192.0.2.9", "tablet-9", 'A', "a.example", T0 + 1);
    assert_false(is_enrolled(enrolment, "192.0.2.9"));
    enrolment_free(enrolment);
}

TEST(what_is_old_is_forgotten)
{
    struct enrolment *enrolment;
    assert_ok(enrolment_new(&enrolment));
    note(enrolment, "192.0.2.1", "", 'R', "a.example", T0);
    note(enrolment, "192.0.2.2", "tablet-2", 'R', "a.example", T0);
    note(enrolment, "192.0.2.3", "", 'A', "a.example", T0);
    note(enrolment, "192.0.2.3", "", 'R', "app.example", T0);
    assert_false(enrolment_sweep(enrolment, T0 + 7 * DAY));
    assert_true(enrolment_sweep(enrolment, T0 + 7 * DAY + 1));
    assert_true(is_enrolled(enrolment, "192.0.2.1"));  /* an address is leased */
    assert_false(is_enrolled(enrolment, "192.0.2.2")); /* a device is a device */
    assert_int_equal(count_pinned(enrolment), 1);
    assert_true(enrolment_sweep(enrolment, T0 + 91 * DAY));
    assert_int_equal(count_pinned(enrolment), 0);
    assert_false(is_enrolled(enrolment, "192.0.2.2"));
    enrolment_free(enrolment);
}

TEST(the_oldest_makes_room_whoever_knocks)
{
    struct enrolment *enrolment;
    struct buf all;
    char text[ADDR_TEXT_MAX];
    assert_ok(enrolment_new(&enrolment));
    for (int i = 0; i < ENROLMENT_DEVICES_MAX + 2; i++) {
        snprintf(text, sizeof(text), "10.0.%d.%d", i / 256, i % 256);
        note(enrolment, text, "", 'R', "a.example", T0 + i);
    }
    assert_true(is_enrolled(enrolment, "10.0.0.1"));
    assert_false(is_enrolled(enrolment, "10.0.0.2"));
    buf_init(&all, ENROLMENT_FILE_MAX);
    enrolment_addresses(enrolment, &all);
    assert_ok(buf_err(&all));
    assert_int_equal(all.len, ENROLMENT_DEVICES_MAX * sizeof(struct addr));
    assert_int_equal(all.p[sizeof(struct addr) - 1], 2);
    buf_fini(&all);
    enrolment_free(enrolment);
}

TEST(one_device_fills_no_table_of_pinned_hosts)
{
    struct enrolment *enrolment;
    char name[64];
    assert_ok(enrolment_new(&enrolment));
    for (int i = 0; i < 3 * ENROLMENT_PINS_PER_DEVICE; i++) {
        snprintf(name, sizeof(name), "h%d.example", i);
        note(enrolment, "192.0.2.1", "", 'A', "a.example", T0 + 2 * i);
        note(enrolment, "192.0.2.1", "", 'R', name, T0 + 2 * i + 1);
    }
    assert_int_equal(count_pinned(enrolment), ENROLMENT_PINS_PER_DEVICE);
    enrolment_free(enrolment);
}

static void assert_reads_back(const struct enrolment *enrolment)
{
    struct enrolment *again;
    struct buf one;
    struct buf two;
    size_t line;
    buf_init(&one, ENROLMENT_FILE_MAX);
    buf_init(&two, ENROLMENT_FILE_MAX);
    enrolment_print(enrolment, &one);
    assert_ok(buf_err(&one));
    assert_ok(enrolment_parse(buf_str(&one), &again, &line));
    enrolment_print(again, &two);
    assert_str_eq(buf_str(&two), buf_str(&one));
    enrolment_free(again);
    buf_fini(&one);
    buf_fini(&two);
}

TEST(the_file_holds_the_register)
{
    struct enrolment *enrolment;
    struct buf text;
    assert_ok(enrolment_new(&enrolment));
    assert_reads_back(enrolment);
    note(enrolment, "2001:db8::7", "laptop.7", 'A', "a.example", T0);
    note(enrolment, "2001:db8::7", "laptop.7", 'R', "b.app.example", T0 + 1);
    note(enrolment, "2001:db8::7", "laptop.7", 'R', "app.example", T0 + 2);
    note(enrolment, "192.0.2.7", "", 'R', "192.0.2.200", T0 + 3);
    buf_init(&text, ENROLMENT_FILE_MAX);
    enrolment_print(enrolment, &text);
    assert_str_eq(buf_str(&text),
                  STR("lodge-enrolment 1\n"
                      "device 192.0.2.7 * no 1795000000003 0 1795000000003 1 192.0.2.200\n"
                      "device 2001:db8::7 laptop.7 yes 0 1795000000000 0 0 *\n"
                      "pinned app.example 1795000000002 1795000000002 1\n"
                      "pinned b.app.example 1795000000001 1795000000001 1\n"));
    assert_reads_back(enrolment);
    buf_fini(&text);
    enrolment_free(enrolment);
}

TEST(a_file_that_was_not_written_so_is_refused_with_its_line)
{
    static const struct {
        const char *text;
        size_t line;
    } cases[] = {
        {"", 1},
        {"lodge-enrolment 2\n", 1},
        {"lodge-enrolment 1", 1},
        {"lodge-enrolment 1\n\n", 2},
        {"lodge-enrolment 1\r\n", 1},
        {"lodge-enrolment 1\nperson 192.0.2.7 * yes 0 1 0 0 *\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.07 * yes 0 1 0 0 *\n", 2},
        {"lodge-enrolment 1\ndevice ::ffff:192.0.2.7 * yes 0 1 0 0 *\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 a/b yes 0 1 0 0 *\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * maybe 0 1 0 0 *\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 0 01 0 0 *\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 0 -1 0 0 *\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 0 999999999999999 0 0 *\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 5 1 0 0 *\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * no 1 0 1 0 a.example\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * no 1 0 1 1 A.example\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * no 1 0 1 1 *\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 0 1 0 0\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 0 1 0 0 * \n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 0 1 0 0 * 1\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7  * yes 0 1 0 0 *\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 0 1 0 0 *\n"
         "device 192.0.2.7 * yes 0 1 0 0 *\n",
         3},
        {"lodge-enrolment 1\ndevice 192.0.2.7 a yes 0 1 0 0 *\n"
         "device 192.0.2.8 a yes 0 1 0 0 *\n",
         3},
        {"lodge-enrolment 1\npinned a.example 1 1 1\n", 2},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * no 1 0 1 1 a.example\npinned a.example 1 1 1\n", 3},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 0 1 0 0 *\npinned a.example 2 1 1\n", 3},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 0 1 0 0 *\npinned a.example 1 1 0\n", 3},
        {"lodge-enrolment 1\ndevice 192.0.2.7 * yes 0 1 0 0 *\npinned b.example 1 1 1\n"
         "pinned a.example 1 1 1\n",
         4},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct enrolment *enrolment;
        size_t line = 0;
        enum err err = enrolment_parse(str_from(cases[i].text), &enrolment, &line);
        if (err != ERR_INVALID || line != cases[i].line) {
            fail_msg("case %zu: ERR_%s, line %zu", i, err_name(err), line);
        }
    }
}

TESTS_MAIN(unit(T5_the_order_of_what_a_device_did_says_what_it_is),
           unit(a_host_that_others_pin_does_not_tell_of_a_new_device),
           unit(one_device_alone_makes_no_host_pinned_for_others),
           unit(a_device_with_an_id_is_known_at_its_next_address),
           unit(another_device_at_an_address_gets_its_own_try), unit(what_is_old_is_forgotten),
           unit(the_oldest_makes_room_whoever_knocks),
           unit(one_device_fills_no_table_of_pinned_hosts), unit(the_file_holds_the_register),
           unit(a_file_that_was_not_written_so_is_refused_with_its_line))
