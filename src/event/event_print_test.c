/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "event/event.h"

#include "base/clock.h"
#include "catalog/category.h"
#include "lib/test.h"
#include "policy/decide.h"

static struct event example(void)
{
    return (struct event){
        .id = {{0x01, 0xab, [15] = 0xff}},
        .kind = EVENT_REQUEST,
        .node = STR("gate-1"),
        .school = STR("st-example"),
        .utc_ms = 1795428900123,
        .mono_ms = 86400000,
        .person = STR("p-0042"),
        .device = STR("d-7"),
        .client = {{[10] = 0xff, 0xff, 10, 1, 2, 3}},
        .group = STR("pupils-ks2"),
        .known = KNOWN_SIGN_IN,
        .method = STR("GET"),
        .scheme = STR("http"),
        .host = STR("games.example"),
        .port = 80,
        .path = STR("/play"),
        .query = STR("level=1"),
        .categories = {{UINT64_C(1) << CATEGORY_FRAUD, 0}},
        .level = LEVEL_UNACCEPTABLE,
        .rule = STR("table/fraud/pupils-ks2"),
        .reason = REASON_TABLE,
        .action = ACTION_BLOCK,
        .status = 403,
        .catalog_generation = 11,
        .policy_generation = 0xf234567890abcdef,
        .bytes_down = 2048,
        .duration_ms = 3,
    };
}

static struct str json_of(const struct event *event, struct buf *to)
{
    buf_clear(to);
    event_print_json(event, STR("proxy-0/3/4096"), to);
    assert_ok(buf_err(to));
    return buf_str(to);
}

static struct str line_of(const struct event *event, struct buf *to)
{
    buf_clear(to);
    event_print_line(event, to);
    assert_ok(buf_err(to));
    return buf_str(to);
}

static bool has(struct str text, struct str part)
{
    return str_find(text, part) < text.len;
}

TEST(D13_F32_the_log_says_who_when_what_and_why)
{
    struct buf to;
    struct event event = example();
    buf_init(&to, 65536);
    assert_str_eq(json_of(&event, &to),
                  STR("{\"where\":\"proxy-0/3/4096\",\"time\":\"2026-11-23T10:15:00.123Z\","
                      "\"id\":\"01ab00000000000000000000000000ff\",\"kind\":\"request\","
                      "\"node\":\"gate-1\",\"school\":\"st-example\",\"utc_ms\":1795428900123,"
                      "\"mono_ms\":86400000,\"person\":\"p-0042\",\"device\":\"d-7\","
                      "\"client\":\"10.1.2.3\",\"group\":\"pupils-ks2\",\"class_id\":null,"
                      "\"supervisor\":null,\"known\":\"sign-in\",\"method\":\"GET\","
                      "\"scheme\":\"http\",\"host\":\"games.example\",\"port\":80,"
                      "\"path\":\"/play\",\"query\":\"level=1\",\"categories\":[\"fraud\"],"
                      "\"level\":\"unacceptable\",\"rule\":\"table/fraud/pupils-ks2\","
                      "\"reason\":\"table-row\",\"action\":\"block\",\"status\":403,"
                      "\"catalog_generation\":\"000000000000000b\","
                      "\"policy_generation\":\"f234567890abcdef\","
                      "\"state_generation\":null,\"bytes_up\":0,\"bytes_down\":2048,"
                      "\"duration_ms\":3,\"search\":null,\"inspected\":false,"
                      "\"lifeline\":false,\"sealed\":false,\"end\":null,"
                      "\"ech\":false,\"act\":0,\"act_hash\":null}"));
    assert_str_eq(line_of(&event, &to),
                  STR("2026-11-23T10:15:00.123Z block request pupils-ks2 p-0042 d-7 10.1.2.3 "
                      "GET http://games.example/play?level=1 [ fraud ] rule=table/fraud/pupils-ks2 "
                      "reason=table-row status=403 up=0 down=2048 ms=3 "
                      "id=01ab00000000000000000000000000ff"));
    buf_fini(&to);
}

TEST(an_opening_and_a_close_are_told_apart_and_share_an_id)
{
    struct buf to;
    struct event event = example();
    buf_init(&to, 65536);
    event.kind = EVENT_OPEN;
    event.method = STR("CONNECT");
    event.scheme = STR("tunnel");
    event.port = 443;
    event.path = event.query = event.person = event.device = STR("");
    event.categories = (struct catset){0};
    event.status = 200;
    event.action = ACTION_ALLOW;
    assert_str_eq(line_of(&event, &to),
                  STR("2026-11-23T10:15:00.123Z allow open pupils-ks2 - - 10.1.2.3 "
                      "CONNECT games.example:443 [] rule=table/fraud/pupils-ks2 "
                      "reason=table-row status=200 id=01ab00000000000000000000000000ff"));
    event.kind = EVENT_CLOSE;
    event.end = EVENT_END_POLICY;
    event.bytes_up = 1;
    assert_str_eq(line_of(&event, &to),
                  STR("2026-11-23T10:15:00.123Z allow close pupils-ks2 - - 10.1.2.3 "
                      "CONNECT games.example:443 [] rule=table/fraud/pupils-ks2 "
                      "reason=table-row status=200 up=1 down=2048 ms=3 end=policy "
                      "id=01ab00000000000000000000000000ff"));
    buf_fini(&to);
}

TEST(T8_a_sealed_hit_shows_neither_list_nor_url)
{
    struct buf to;
    struct event event = example();
    buf_init(&to, 65536);
    catset_add(&event.categories, CATEGORY_CHILD_SEXUAL_ABUSE);
    catset_add(&event.categories, CATEGORY_TERRORIST_CONTENT);
    event.search = STR("term");
    event.sealed = true;
    struct str json = json_of(&event, &to);
    assert_true(has(json, STR("\"path\":null,\"query\":null,"
                              "\"categories\":[\"sealed\"]")));
    assert_true(has(json, STR("\"search\":null")));
    struct str line = line_of(&event, &to);
    assert_true(has(line, STR("GET http://games.example [ sealed ]")));
    assert_false(has(line, STR("term")));
    /* A sealed list may be of any category, which then must not show either. */
    event.categories = (struct catset){{0, 0}};
    catset_add(&event.categories, CATEGORY_FRAUD);
    assert_true(has(json_of(&event, &to), STR("\"categories\":[\"sealed\"]")));
    buf_fini(&to);
}

TEST(nothing_that_was_sent_steers_a_terminal_or_feigns_a_column)
{
    struct buf to;
    struct event event = example();
    buf_init(&to, 65536);
    event.path = STR("/a b\x1b[31m\n\xc2\x9b\x7f");
    event.host = STR("::1");
    event.port = 8080;
    event.search = STR("two words");
    struct str line = line_of(&event, &to);
    assert_true(has(line, STR("http://[::1]:8080/a%20b%1B[31m%0A%C2%9B%7F?level=1 [")));
    assert_true(has(line, STR(" search=two%20words ")));
    buf_fini(&to);
}

TEST(what_this_build_does_not_know_is_called_unknown)
{
    struct buf to;
    struct event event = example();
    buf_init(&to, 65536);
    event.kind = event.known = event.level = event.reason = event.action = event.end = 60000;
    event.categories = (struct catset){{0, UINT64_C(1) << 63}};
    event.utc_ms = INT64_MIN;
    struct str json = json_of(&event, &to);
    assert_true(has(json, STR("\"time\":null")));
    assert_true(has(json, STR("\"kind\":\"unknown\"")));
    assert_true(has(json, STR("\"known\":\"unknown\"")));
    assert_true(has(json, STR("\"level\":\"unknown\"")));
    assert_true(has(json, STR("\"reason\":\"unknown\"")));
    assert_true(has(json, STR("\"action\":\"unknown\"")));
    assert_true(has(json, STR("\"end\":\"unknown\"")));
    assert_true(has(json, STR("\"categories\":[\"unknown\"]")));
    assert_true(str_starts(line_of(&event, &to), STR("- unknown unknown ")));
    buf_fini(&to);
}

static void json_part(struct buf *want, const char *field, const char *name)
{
    buf_clear(want);
    buf_printf(want, "\"%s\":\"%s\"", field, name);
}

/* An event is kept for years: a number that changes its meaning would tell lies about a child. A
 * new name takes a new number; none of these rows is ever changed. */
TEST(numbers_on_the_disk_keep_their_meaning)
{
    static const char *kinds[] = {"request", "open", "close", "audit"};
    static const char *knowns[] = {"credentials", "sign-in", "owner", "class", "nobody", "nominal"};
    static const char *levels[] = {"none",      "acceptable",   "certain-times",
                                   "nominated", "unacceptable", "illegal"};
    static const char *reasons[] = {"doubt",
                                    "malformed",
                                    "sealed-list",
                                    "sealed-host-not-inspected",
                                    "device-isolated",
                                    "lifeline",
                                    "suspended",
                                    "agreement-learning",
                                    "agreement-missing",
                                    "filtering-off",
                                    "grant",
                                    "list-deny",
                                    "list-allow",
                                    "table-row",
                                    "tier-default",
                                    "infrastructure",
                                    "uncategorised",
                                    "tunnel-port",
                                    "tunnel-ip-literal",
                                    "tunnel-no-sni",
                                    "tunnel-not-tls",
                                    "private-address",
                                    "tunnel-ech",
                                    "origin-certificate",
                                    "origin-encryption",
                                    "device-refused-certificate",
                                    "device-encryption",
                                    "no-safe-search"};
    static const char *actions[] = {"allow", "block", "limited"};
    static const char *ends[] = {"done", "client", "origin", "timeout", "policy", "drain", "error"};
    struct buf to;
    struct buf want;
    buf_init(&to, 65536);
    buf_init(&want, 256);
#define EACH(field, names)                                                 \
    for (unsigned i = 0; i < sizeof(names) / sizeof((names)[0]); i++) {    \
        struct event event = {.field = i + 1};                             \
        json_part(&want, #field, (names)[i]);                              \
        if (!has(json_of(&event, &to), buf_str(&want))) {                  \
            fail_msg(#field " %u is no longer \"%s\"", i + 1, (names)[i]); \
        }                                                                  \
    }
    EACH(kind, kinds)
    EACH(known, knowns)
    EACH(level, levels)
    EACH(reason, reasons)
    EACH(action, actions)
    EACH(end, ends)
    buf_fini(&want);
    buf_fini(&to);
}

TEST(U18_the_end_of_the_acts_names_its_school_its_number_and_its_hash)
{
    struct buf to;
    const struct event event = {
        .id = {{0x0a}},
        .kind = EVENT_AUDIT,
        .node = STR("gate-1"),
        .school = STR("oak"),
        .utc_ms = 1795428900123,
        .act = 17,
        .act_hash = STR("00ff"),
    };
    buf_init(&to, 65536);
    assert_str_eq(line_of(&event, &to),
                  STR("2026-11-23T10:15:00.123Z - audit - - - - - - [] school=oak act=17 "
                      "hash=00ff id=0a000000000000000000000000000000"));
    assert_true(has(json_of(&event, &to), STR("\"kind\":\"audit\"")));
    assert_true(has(json_of(&event, &to), STR("\"act\":17,\"act_hash\":\"00ff\"}")));
    buf_fini(&to);
}

TEST(every_field_stands_in_the_documentation)
{
    static const char *fields[] = {
#define EVENT_FIELD(name, type, max, text) #name,
#include "event/event.def"
#undef EVENT_FIELD
    };
    static char document[65536];
    char path[4096];
    const char *source = getenv("LODGE_SOURCE");
    assert_non_null(source);
    snprintf(path, sizeof(path), "%s/docs/events.md", source);
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    struct str text = {document, fread(document, 1, sizeof(document), file)};
    fclose(file);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        char row[64];
        snprintf(row, sizeof(row), "\n| `%s` |", fields[i]);
        if (!has(text, str_from(row))) {
            fail_msg("docs/events.md has no row for %s", fields[i]);
        }
    }
}

TESTS_MAIN(unit(D13_F32_the_log_says_who_when_what_and_why),
           unit(an_opening_and_a_close_are_told_apart_and_share_an_id),
           unit(T8_a_sealed_hit_shows_neither_list_nor_url),
           unit(nothing_that_was_sent_steers_a_terminal_or_feigns_a_column),
           unit(what_this_build_does_not_know_is_called_unknown),
           unit(numbers_on_the_disk_keep_their_meaning),
           unit(U18_the_end_of_the_acts_names_its_school_its_number_and_its_hash),
           unit(every_field_stands_in_the_documentation))
