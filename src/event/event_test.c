/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/event.h"

#include "lib/gen.h"
#include "lib/test.h"

static struct event example(void)
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
        .client = {{[10] = 0xff, 0xff, 10, 1, 2, 3}},
        .group = STR("pupils-ks2"),
        .known = 2,
        .method = STR("GET"),
        .scheme = STR("http"),
        .host = STR("games.example"),
        .port = 80,
        .path = STR("/play"),
        .query = STR("level=1"),
        .level = 5,
        .rule = STR("table/games/pupils-ks2"),
        .reason = 13,
        .action = 2,
        .status = 403,
        .catalog_generation = UINT64_MAX,
        .policy_generation = 0x1234567890abcdef,
        .bytes_down = 2048,
        .duration_ms = 3,
        .search = STR("how to win"),
    };
}

static enum err unpack(const uint8_t *bytes, size_t len, struct event *ret_event)
{
    return event_unpack(str_make((const char *)bytes, len), ret_event);
}

#define EQ_U64(name) same = same && a->name == b->name;
#define EQ_I64(name) EQ_U64(name)
#define EQ_ENUM(name) EQ_U64(name)
#define EQ_FLAG(name) EQ_U64(name)
#define EQ_GENERATION(name) EQ_U64(name)
#define EQ_STR(name) same = same && str_eq(a->name, b->name);
#define EQ_DETAIL(name) EQ_STR(name)
#define EQ_ID(name) same = same && memcmp(&a->name, &b->name, sizeof(a->name)) == 0;
#define EQ_ADDR(name) EQ_ID(name)
#define EQ_CATS(name) EQ_ID(name)

static bool events_are_equal(const struct event *a, const struct event *b)
{
    bool same = true;
#define EVENT_FIELD(name, type, max, text) EQ_##type(name)
#include "event/event.def"
#undef EVENT_FIELD
    return same;
}

TEST(an_event_comes_back_as_it_was)
{
    uint8_t bytes[EVENT_PACKED_MAX];
    struct event event = example();
    struct event back;
    catset_add(&event.categories, 17);
    catset_add(&event.categories, 127);
    size_t n = event_pack(&event, bytes);
    assert_in_range(n, 1, 300);
    assert_ok(unpack(bytes, n, &back));
    assert_true(events_are_equal(&event, &back));
}

#define RANDOM_U64(name, max) event.name = gen_u64(gen) >> gen_below(gen, 64);
#define RANDOM_I64(name, max) event.name = (int64_t)gen_u64(gen) >> gen_below(gen, 64);
#define RANDOM_ENUM(name, max) event.name = (unsigned)gen_below(gen, 9);
#define RANDOM_FLAG(name, max) event.name = gen_chance(gen, 30);
#define RANDOM_GENERATION(name, max) RANDOM_U64(name, max)
#define RANDOM_STR(name, max)                                                              \
    event.name = gen_bytes(gen, at, gen_below(gen, gen_chance(gen, 10) ? (max) + 1 : 16)); \
    at += event.name.len;
#define RANDOM_DETAIL(name, max) RANDOM_STR(name, max)
#define RANDOM_ID(name, max) (void)gen_bytes(gen, (char *)&event.name, max);
#define RANDOM_ADDR(name, max) RANDOM_ID(name, max)
#define RANDOM_CATS(name, max) RANDOM_ID(name, max)

/* Every field of any value; strings in the memory at `at`. */
static struct event random_event(struct gen *gen, char *at)
{
    struct event event = {0};
#define EVENT_FIELD(name, type, max, text) RANDOM_##type(name, max)
#include "event/event.def"
#undef EVENT_FIELD
    return event;
}

TEST(any_event_comes_back_as_it_was_but_for_what_sealed_takes)
{
    static char memory[EVENT_PACKED_MAX];
    static uint8_t bytes[EVENT_PACKED_MAX];
    GEN_RUNS(gen, 3000)
    {
        struct event event = random_event(&gen, memory);
        struct event back;
        size_t n = event_pack(&event, bytes);
        assert_run(gen, n <= EVENT_PACKED_MAX);
        assert_run(gen, unpack(bytes, n, &back) == ERR_OK);
        if (event.sealed) {
            event.path = event.query = event.search = STR("");
        }
        assert_run(gen, events_are_equal(&event, &back));
    }
}

TEST(T8_I5_a_sealed_event_keeps_no_path_query_or_search_term)
{
    uint8_t bytes[EVENT_PACKED_MAX];
    struct event event = example();
    struct event back;
    event.sealed = true;
    size_t n = event_pack(&event, bytes);
    struct str packed = {(const char *)bytes, n};
    assert_ok(event_unpack(packed, &back));
    assert_str_eq(back.host, STR("games.example"));
    assert_int_equal(back.path.len + back.query.len + back.search.len, 0);
    assert_int_equal(str_find(packed, event.path), n);
    assert_int_equal(str_find(packed, event.query), n);
    assert_int_equal(str_find(packed, event.search), n);
}

TEST(a_string_beyond_its_maximum_is_cut_and_marked)
{
    static char text[5000];
    uint8_t bytes[EVENT_PACKED_MAX];
    struct event event = example();
    struct event back;
    memset(text, 'a', sizeof(text));
    event.path = str_make(text, sizeof(text));
    event.person = str_make(text, 65);
    event.device = str_make(text, 64);
    assert_ok(unpack(bytes, event_pack(&event, bytes), &back));
    assert_int_equal(back.path.len, 2048);
    assert_true(str_ends(back.path, STR("aaa\xe2\x80\xa6")));
    assert_int_equal(back.person.len, 64);
    assert_true(str_ends(back.person, STR("a\xe2\x80\xa6")));
    assert_str_eq(back.device, event.device);
}

TEST(a_cut_leaves_no_half_of_a_letter)
{
    static char text[200];
    uint8_t bytes[EVENT_PACKED_MAX];
    struct event event = example();
    struct event back;
    for (size_t i = 0; i < sizeof(text); i += 2) {
        memcpy(text + i, "\xc3\xa9", 2);
    }
    event.person = str_make(text, sizeof(text));
    assert_ok(unpack(bytes, event_pack(&event, bytes), &back));
    assert_int_equal(back.person.len, 63);
    assert_true(str_ends(back.person, STR("\xc3\xa9\xe2\x80\xa6")));
    memset(text, 0x80, sizeof(text));
    assert_ok(unpack(bytes, event_pack(&event, bytes), &back));
    assert_str_eq(back.person, STR("\xe2\x80\xa6"));
}

TEST(the_longest_event_fits)
{
    static char text[4096];
    static uint8_t bytes[EVENT_PACKED_MAX];
    struct event event = {0};
    memset(text, 'z', sizeof(text));
#define FULL_U64(name) event.name = UINT64_MAX;
#define FULL_I64(name) event.name = INT64_MIN;
#define FULL_ENUM(name) event.name = UINT16_MAX;
#define FULL_GENERATION(name) FULL_U64(name)
#define FULL_FLAG(name) event.name = false;
#define FULL_STR(name) event.name = str_make(text, sizeof(text));
#define FULL_DETAIL(name) FULL_STR(name)
#define FULL_ID(name) memset(&event.name, 0xff, sizeof(event.name));
#define FULL_ADDR(name) FULL_ID(name)
#define FULL_CATS(name) FULL_ID(name)
#define EVENT_FIELD(name, type, max, text) FULL_##type(name)
#include "event/event.def"
#undef EVENT_FIELD
    struct event back;
    size_t n = event_pack(&event, bytes);
    assert_in_range(n, 5000, EVENT_PACKED_MAX);
    assert_ok(unpack(bytes, n, &back));
    assert_int_equal(back.utc_ms, INT64_MIN);
}

TEST(every_shorter_piece_is_refused)
{
    uint8_t bytes[EVENT_PACKED_MAX];
    struct event event = example();
    struct event back;
    size_t n = event_pack(&event, bytes);
    for (size_t i = 0; i < n; i++) {
        uint8_t *copy = malloc(i + 1); /* for AddressSanitizer: exactly i bytes may be read */
        assert_non_null(copy);
        memcpy(copy + 1, bytes, i);
        assert_err(unpack(copy + 1, i, &back), ERR_TRUNCATED);
        free(copy);
    }
}

TEST(a_later_version_may_have_more_behind_and_this_one_may_not)
{
    uint8_t bytes[EVENT_PACKED_MAX + 3];
    struct event event = example();
    struct event back;
    size_t n = event_pack(&event, bytes);
    memcpy(bytes + n, "new", 3);
    assert_err(unpack(bytes, n + 3, &back), ERR_INVALID);
    bytes[0] = EVENT_VERSION + 1;
    assert_ok(unpack(bytes, n + 3, &back));
    assert_true(events_are_equal(&event, &back));
    bytes[0] = 0;
    assert_err(unpack(bytes, n, &back), ERR_INVALID);
}

/* In the example `ech`, `act` and `act_hash` take one byte each: a flag, 0, the length 0. */
TEST(an_event_of_an_earlier_version_is_read_and_what_it_lacks_is_unset)
{
    static const struct {
        uint8_t version;
        size_t lacks;
        bool ech;
    } cases[] = {{1, 3, false}, {2, 2, true}, {3, 0, true}};
    uint8_t bytes[EVENT_PACKED_MAX];
    struct event event = example();
    struct event back;
    event.ech = true;
    size_t n = event_pack(&event, bytes);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t len = n - cases[i].lacks;
        bytes[0] = cases[i].version;
        event.ech = cases[i].ech;
        assert_ok(unpack(bytes, len, &back));
        assert_true(events_are_equal(&event, &back));
        assert_err(unpack(bytes, len - 1, &back), ERR_TRUNCATED);
        if (cases[i].lacks != 0) {
            assert_err(unpack(bytes, len + 1, &back), ERR_INVALID);
        }
    }
}

/* From the end: the length of `act_hash`, `act`, the flag `ech`. */
TEST(numbers_out_of_their_range_are_refused)
{
    static const struct {
        const char *name;
        size_t from_end;
        uint8_t byte;
    } cases[] = {{"a flag of 2", 3, 2}, {"a number that goes on behind the end", 1, 0x80}};
    struct event event = example();
    struct event back;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint8_t bytes[EVENT_PACKED_MAX];
        size_t n = event_pack(&event, bytes);
        bytes[n - cases[i].from_end] = cases[i].byte;
        if (unpack(bytes, n, &back) == ERR_OK) {
            fail_msg("%s was taken", cases[i].name);
        }
    }
    uint8_t eleven[64] = {EVENT_VERSION};
    memset(eleven + 17, 0xff, 11);
    assert_err(unpack(eleven, sizeof(eleven), &back), ERR_INVALID);
}

TESTS_MAIN(unit(an_event_comes_back_as_it_was),
           unit(any_event_comes_back_as_it_was_but_for_what_sealed_takes),
           unit(T8_I5_a_sealed_event_keeps_no_path_query_or_search_term),
           unit(a_string_beyond_its_maximum_is_cut_and_marked),
           unit(a_cut_leaves_no_half_of_a_letter), unit(the_longest_event_fits),
           unit(every_shorter_piece_is_refused),
           unit(a_later_version_may_have_more_behind_and_this_one_may_not),
           unit(an_event_of_an_earlier_version_is_read_and_what_it_lacks_is_unset),
           unit(numbers_out_of_their_range_are_refused))
