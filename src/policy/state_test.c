/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "policy/state.h"

#include "base/clock.h"
#include "lib/gen.h"
#include "lib/policy.h"
#include "policy/state_impl.h"

#define END "'until':'2026-12-01T00:00:00.000Z'"
#define WHEN "'from':'2026-11-01T00:00:00.000Z'," END

static const char *const whole =
    "{'lodge_state':1,'people':["
    "{'id':'p-2','group':'ks2','agreement':{'signed':true,'current':true,'parent':true," END "}},"
    "{'id':'p-1','log_on':'d.whitlock','credential':7,'group':'teachers','agreement':{'signed':"
    "true,'current':"
    "true," END "}},"
    "{'id':'p-3','group':'ks1'}],"
    "'devices':[{'id':'d-2','address':'192.0.2.8','class':'year-2','group':'ks1','supervisor':'p-1'"
    ","
    "'supervised_until':'2026-11-23T12:00Z'},"
    "{'id':'d-1','address':'2001:db8::7','owner':'p-2'},{'id':'d-3'}],"
    "'sign_ins':[{'device':'d-3','person':'p-1'," END "}],"
    "'suspensions':[{'id':'s-1','person':'p-3'," END "},{'id':'s-2','device':'d-1'," END "}],"
    "'isolated':[{'id':'i-1','device':'d-2'," END "}],"
    "'grants':[{'id':'g-2','kind':'override','people':['p-1']," WHEN "},"
    "{'id':'g-1','kind':'lesson','groups':['ks2','ks1'],'matches':['site.example/x?y'],"
    "'categories':['drugs','news']," WHEN "}],"
    "'filtering_off':[{'id':'o-1','all':true," WHEN "}],"
    "'nominated':[{'list':'games','person':'p-1'}]}";

static void build(const char *json, struct buf *image, enum err want, struct buf *why)
{
    struct buf text = {0};
    buf_init(&text, 1 << 20);
    buf_append(&text, str_from(json));
    for (size_t i = 0; i < text.len; i++) {
        text.p[i] = text.p[i] == '\'' ? '"' : text.p[i];
    }
    enum err err = state_build(buf_str(&text), image, why);
    if (err != want) {
        fail_msg("ERR_%s: %.*s", err_name(err), STR_ARG(buf_str(why)));
    }
    buf_fini(&text);
}

TEST(what_is_printed_builds_the_same_image)
{
    struct buf first = {0};
    struct buf second = {0};
    struct buf json = {0};
    struct buf why = {0};
    struct state *state = NULL;
    const char *fault = NULL;
    buf_init(&first, 1 << 20);
    buf_init(&second, 1 << 20);
    buf_init(&json, 1 << 20);
    buf_init(&why, 1 << 20);
    build(whole, &first, ERR_OK, &why);
    assert_ok(state_open_copy(buf_str(&first), &state, &fault));
    assert_true(state_generation(state) != 0);
    state_print(state, &json);
    state_free(state);
    assert_ok(state_build(buf_str(&json), &second, &why));
    assert_ok(state_open_copy(buf_str(&second), &state, &fault));
    buf_clear(&first);
    state_print(state, &first);
    state_free(state);
    assert_str_eq(buf_str(&first), buf_str(&json));
    buf_fini(&first);
    buf_fini(&second);
    buf_fini(&json);
    buf_fini(&why);
}

TEST(records_are_found_by_id_address_and_device)
{
    struct state *state = test_state(whole);
    struct addr addr = {{0}};
    assert_ok(addr_parse(STR("192.0.2.8"), &addr));
    assert_str_eq(state_str(state, state_device_at(state, &addr)->id), STR("d-2"));
    assert_ok(addr_parse(STR("2001:db8::7"), &addr));
    assert_str_eq(state_str(state, state_device_at(state, &addr)->owner), STR("p-2"));
    assert_ok(addr_parse(STR("2001:db8::8"), &addr));
    assert_null(state_device_at(state, &addr));
    assert_str_eq(state_str(state, state_person_find(state, STR("p-3"))->group), STR("ks1"));
    assert_null(state_person_find(state, STR("p-4")));
    assert_ptr_equal(state_log_on_find(state, STR("d.whitlock")),
                     state_person_find(state, STR("p-1")));
    assert_ptr_equal(state_log_on_find(state, STR("p-2")), state_person_find(state, STR("p-2")));
    assert_null(state_log_on_find(state, STR("p-1")));
    assert_null(state_person_find(state, STR("")));
    assert_str_eq(state_str(state, state_sign_in_find(state, STR("d-3"))->person), STR("p-1"));
    assert_null(state_sign_in_find(state, STR("d-1")));
    assert_true(state_is_nominated(state, STR("games"), STR("p-1")));
    assert_false(state_is_nominated(state, STR("games"), STR("p-2")));
    state_free(state);
}

TEST(R201_a_ban_holds_until_its_end_and_the_longest_counts)
{
    struct state *state =
        test_state("{'lodge_state':1,'people':[{'id':'p','group':'g'}],'suspensions':["
                   "{'id':'a','person':'p','until':'2026-11-01T00:00Z'},"
                   "{'id':'b','person':'p','until':'2026-11-03T00:00Z'},"
                   "{'id':'c','person':'p','until':'2026-11-02T00:00Z'}]}");
    struct civil civil = {0};
    assert_ok(civil_parse(STR("2026-11-03T00:00Z"), &civil));
    int64_t end_ms = civil_to_ms(&civil);
    const struct state_ban *ban =
        state_ban_find(state, STATE_SUSPENSIONS, WHO_PERSON, STR("p"), end_ms - 1);
    assert_str_eq(state_str(state, ban->id), STR("suspended/b"));
    assert_null(state_ban_find(state, STATE_SUSPENSIONS, WHO_PERSON, STR("p"), end_ms));
    assert_null(state_ban_find(state, STATE_SUSPENSIONS, WHO_DEVICE, STR("p"), 0));
    assert_null(state_ban_find(state, STATE_ISOLATED, WHO_DEVICE, STR("p"), 0));
    state_free(state);
}

TEST(F3_doubt_is_refusal_and_no_grant_names_a_sealed_list)
{
    static const struct {
        const char *json;
        const char *want;
    } cases[] = {
        {"{'lodge_state':2}", "lodge_state: must be a whole number from 1 to 1"},
        {"{'lodge_state':1,'pupils':[]}", "unknown member \"pupils\""},
        {"{'lodge_state':1,'people':[{'id':'p'}]}", "people[0](p).group: is missing"},
        {"{'lodge_state':1,'people':[{'id':'p','group':'g'},{'id':'p','group':'g'}]}",
         "people: one is there twice"},
        {"{'lodge_state':1,'people':[{'id':'p','group':'g'},{'id':'q','log_on':'p','group':'g'}]}",
         "people (their log-ons): one is there twice"},
        {"{'lodge_state':1,'people':[{'id':'p','log_on':'a b','group':'g'}]}",
         "people[0](p).log_on: is no log-on"},
        {"{'lodge_state':1,'devices':[{'id':'d','address':'300.1.1.1'}]}", "is no address"},
        {"{'lodge_state':1,'devices':[{'id':'d','address':'192.0.2.1'},"
         "{'id':'e','address':'192.0.2.1'}]}",
         "devices (their addresses): one is there twice"},
        {"{'lodge_state':1,'devices':[{'id':'d','owner':'p'}]}", "no person has the id \"p\""},
        {"{'lodge_state':1,'devices':[{'id':'d','class':'c','group':'g',"
         "'supervised_until':'2026-11-23T12:00Z'}]}",
         "a class log-on needs"},
        {"{'lodge_state':1,'sign_ins':[{'device':'d','person':'p'," END "}]}",
         "no device has the id \"d\""},
        {"{'lodge_state':1,'suspensions':[{'id':'s','person':'p'," END "}]}",
         "suspensions: no person has the id \"p\""},
        {"{'lodge_state':1,'suspensions':[{'id':'s'," END "}]}", "one person or one device"},
        {"{'lodge_state':1,'isolated':[{'id':'s','device':'d'}]}",
         "isolated[0](s).until: is missing"},
        {"{'lodge_state':1,'grants':[{'id':'g','kind':'lesson','groups':['ks2'],"
         "'categories':['child-sexual-abuse']," WHEN "}]}",
         "a sealed list cannot be opened by anyone"},
        {"{'lodge_state':1,'grants':[{'id':'g','kind':'lesson','groups':['ks2']," WHEN "}]}",
         "opens nothing"},
        {"{'lodge_state':1,'grants':[{'id':'g','kind':'lesson','matches':['a.example']," WHEN "}]}",
         "is for nobody"},
        {"{'lodge_state':1,'grants':[{'id':'g','kind':'always','groups':['ks2'],"
         "'matches':['a.example']," WHEN "}]}",
         "use one of: lesson, override"},
        {"{'lodge_state':1,'grants':[{'id':'g','kind':'lesson','groups':['ks2'],"
         "'matches':['a b']," WHEN "}]}",
         "is no site"},
        {"{'lodge_state':1,'grants':[{'id':'g','kind':'lesson','groups':['ks2'],"
         "'matches':['a.example'],'until':'2026-11-01T00:00Z'}]}",
         "grants[0](g).from: is missing"},
        {"{'lodge_state':1,'filtering_off':[{'id':'o','all':true,'from':'2026-11-02T00:00Z',"
         "'until':'2026-11-01T00:00Z'}]}",
         "ends before it begins"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf image = {0};
        struct buf why = {0};
        buf_init(&image, 1 << 20);
        buf_init(&why, 1 << 20);
        build(cases[i].json, &image, ERR_INVALID, &why);
        assert_int_equal(image.len, 0);
        if (str_find(buf_str(&why), str_from(cases[i].want)) == why.len) {
            fail_msg("\"%s\" is not in: %.*s", cases[i].want, STR_ARG(buf_str(&why)));
        }
        buf_fini(&image);
        buf_fini(&why);
    }
}

TEST(a_cut_or_changed_image_is_refused)
{
    struct buf image = {0};
    struct buf why = {0};
    buf_init(&image, 1 << 20);
    buf_init(&why, 1 << 20);
    build(whole, &image, ERR_OK, &why);
    for (size_t len = 0; len < image.len; len++) {
        struct state *state = NULL;
        const char *fault = NULL;
        assert_err(state_open_copy(str_make(image.p, len), &state, &fault), ERR_INVALID);
        assert_non_null(fault);
    }
    GEN_RUNS(gen, 3000)
    {
        struct state *state = NULL;
        const char *fault = NULL;
        size_t at = gen_below(&gen, image.len);
        char bit = (char)(1 << gen_below(&gen, 8));
        image.p[at] = (char)(image.p[at] ^ bit);
        assert_run(gen, state_open_copy(buf_str(&image), &state, &fault) == ERR_INVALID);
        image.p[at] = (char)(image.p[at] ^ bit);
    }
    buf_fini(&image);
    buf_fini(&why);
}

/* Damage under a checksum that fits: the structure itself is checked, and what passes can be read.
 */
TEST(an_image_that_lies_is_refused_or_read_within_bounds)
{
    struct buf image = {0};
    struct buf why = {0};
    buf_init(&image, 1 << 20);
    buf_init(&why, 1 << 20);
    build(whole, &image, ERR_OK, &why);
    GEN_RUNS(gen, 3000)
    {
        char *copy = malloc(image.len);
        assert_non_null(copy);
        memcpy(copy, image.p, image.len);
        for (size_t n = 1 + gen_below(&gen, 3); n != 0; n--) {
            size_t at = offsetof(struct state_header, sections) +
                        gen_below(&gen, image.len - offsetof(struct state_header, sections));
            copy[at] = gen_chance(&gen, 50) ? (char)gen_u64(&gen) : (char)(copy[at] + 1);
        }
        struct state *state = NULL;
        const char *fault = NULL;
        struct state peek = {(const uint8_t *)copy, image.len, false,
                             (const struct state_header *)(const void *)copy};
        ((struct state_header *)(void *)copy)->checksum = state_checksum(&peek);
        if (state_open_copy(str_make(copy, image.len), &state, &fault) == ERR_OK) {
            buf_clear(&why);
            state_print(state, &why);
            (void)state_person_find(state, STR("p-2"));
        }
        state_free(state);
        free(copy);
    }
    buf_fini(&image);
    buf_fini(&why);
}

TESTS_MAIN(unit(what_is_printed_builds_the_same_image),
           unit(records_are_found_by_id_address_and_device),
           unit(R201_a_ban_holds_until_its_end_and_the_longest_counts),
           unit(F3_doubt_is_refusal_and_no_grant_names_a_sealed_list),
           unit(a_cut_or_changed_image_is_refused),
           unit(an_image_that_lies_is_refused_or_read_within_bounds))
