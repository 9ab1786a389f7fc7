/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What holds of every decision, whatever policy, state and request are made of. */
#include "lib/decide.h"
#include "lib/gen.h"

static const char *const names[] = {"news", "games", "gambling", "drugs", "malware", "learning"};
static const char *const groups[] = {"everyone", "pupils",   "ks1",    "ks2",
                                     "staff",    "teachers", "office", "visitors"};
static const char *const hosts[] = {
    "news.example",     "games.example", "gambling.example", "drugs.example",  "malware.example",
    "learning.example", "two.example",   "all.example",      "sealed.example", "nothing.example"};
static const char *const levels[] = {"'level':'acceptable'",
                                     "'level':'unacceptable'",
                                     "'level':'illegal'",
                                     "'level':'certain-times','times':['lunch']",
                                     "'level':'certain-times','times':['off-hours','lunch']",
                                     "'level':'nominated','nominated':'n'"};

enum { N_NAMES = 6, ITEMS_MAX = 24 };

static struct catalog *make_catalog(void)
{
    static const struct test_list lists[] = {
        {"news", LIST_DOMAINS, "news.example\ntwo.example\nall.example\nsealed.example\n"},
        {"games", LIST_DOMAINS, "games.example\nall.example\n"},
        {"gambling", LIST_DOMAINS, "gambling.example\ntwo.example\nall.example\n"},
        {"drugs", LIST_DOMAINS, "drugs.example\nall.example\n"},
        {"malware", LIST_DOMAINS, "malware.example\nall.example\n"},
        {"learning", LIST_DOMAINS, "learning.example\nall.example\n"},
        {"terrorist-content", LIST_DOMAINS, "sealed.example\n", true},
    };
    return test_catalog(lists, sizeof(lists) / sizeof(lists[0]));
}

/* A list of items that can be written down in any order. */
struct items {
    size_t n;
    char text[ITEMS_MAX][512];
};

static void print_items(const struct items *items, const size_t *order, struct buf *to)
{
    buf_append_byte(to, '[');
    for (size_t i = 0; i < items->n; i++) {
        buf_printf(to, "%s%s", i != 0 ? "," : "", items->text[order != NULL ? order[i] : i]);
    }
    buf_append_byte(to, ']');
}

static void shuffle(struct gen *gen, size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        size_t other = gen_below(gen, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
}

struct document {
    struct items table;
    struct items deny;
    struct items allow;
    struct items lifelines;
};

static void gen_row(struct gen *gen, struct items *table)
{
    size_t group = gen_below(gen, 8);
    size_t second = (group + 1 + gen_below(gen, 7)) % 8;
    snprintf(table->text[table->n], sizeof(table->text[0]),
             "{'id':'r%zu','label':'R','categories':['%s','%s'],'cells':{'%s':{%s},'%s':{%s}}}",
             table->n, GEN_PICK(gen, names), GEN_PICK(gen, names), groups[group],
             GEN_PICK(gen, levels), groups[second], GEN_PICK(gen, levels));
    table->n += 1;
}

static void gen_entry(struct gen *gen, struct items *list)
{
    char scope[64] = "";
    if (gen_chance(gen, 40)) {
        snprintf(scope, sizeof(scope), "'%s'", GEN_PICK(gen, groups));
    }
    snprintf(list->text[list->n], sizeof(list->text[0]),
             "{'match':'%s','who':'w','why':'y','review':'2027-01-01','groups':[%s]}",
             GEN_PICK(gen, hosts), scope);
    list->n += 1;
}

static void gen_document(struct gen *gen, struct document *document)
{
    memset(document, 0, sizeof(*document));
    for (size_t n = 1 + gen_below(gen, 10); n != 0; n--) {
        gen_row(gen, &document->table);
    }
    for (size_t n = gen_below(gen, 6); n != 0; n--) {
        gen_entry(gen, &document->deny);
        gen_entry(gen, &document->allow);
    }
    if (gen_chance(gen, 30)) {
        snprintf(document->lifelines.text[document->lifelines.n++], 512, "{'match':'%s','why':'y'}",
                 GEN_PICK(gen, hosts));
    }
}

/* The policy; in the document's order, or in another. */
static struct policy *make_policy(const struct document *document, struct gen *shuffled)
{
    const struct items *all[4] = {&document->table, &document->deny, &document->allow,
                                  &document->lifelines};
    struct buf texts[4] = {{0}};
    for (size_t i = 0; i < 4; i++) {
        size_t order[ITEMS_MAX] = {0};
        if (shuffled != NULL) {
            shuffle(shuffled, order, all[i]->n);
        }
        buf_init(&texts[i], 1 << 16);
        print_items(all[i], shuffled != NULL ? order : NULL, &texts[i]);
    }
    struct policy *policy =
        test_policy(&(struct test_policy){.table = buf_cstr(&texts[0]),
                                          .deny = buf_cstr(&texts[1]),
                                          .allow = buf_cstr(&texts[2]),
                                          .lifelines = buf_cstr(&texts[3]),
                                          .nominated = "[{'id':'n','people':['p-pupil']}]"});
    for (size_t i = 0; i < 4; i++) {
        buf_fini(&texts[i]);
    }
    return policy;
}

#define ALWAYS "'from':'2026-01-01T00:00Z','until':'2028-01-01T00:00Z'"

/* People of each kind; grants, bans and filtering off at random. */
static struct state *gen_state(struct gen *gen, bool with_grants)
{
    struct buf text = {0};
    buf_init(&text, 1 << 16);
    buf_printf(&text,
               "{'lodge_state':1,'people':[{'id':'p-pupil','group':'ks2','agreement':{'signed':%s,"
               "'current':true,'parent':true,'until':'2027-09-01T00:00Z'}},"
               "{'id':'p-teacher','group':'teachers','agreement':{'signed':true,'current':true,"
               "'until':'2027-09-01T00:00Z'}}]",
               gen_chance(gen, 70) ? "true" : "false");
    if (gen_chance(gen, 20)) {
        buf_append(&text, STR(",'suspensions':[{'id':'s','person':'p-pupil',"
                              "'until':'2026-11-23T12:00Z'}]"));
    }
    if (with_grants && gen_chance(gen, 30)) {
        buf_append(&text, STR(",'filtering_off':[{'id':'o','all':true," ALWAYS "}]"));
    }
    if (with_grants) {
        buf_append(&text, STR(",'grants':["));
        for (size_t i = 0, n = gen_below(gen, 4); i < n; i++) {
            buf_printf(&text,
                       "%s{'id':'g%zu','kind':'%s','people':['p-teacher'],'groups':['%s'],"
                       "'matches':['%s'],'categories':['%s']," ALWAYS "}",
                       i != 0 ? "," : "", i, gen_chance(gen, 30) ? "override" : "lesson",
                       GEN_PICK(gen, groups), GEN_PICK(gen, hosts), GEN_PICK(gen, names));
        }
        buf_append(&text, STR("]"));
    }
    buf_append(&text, STR("}"));
    struct state *state = test_state(buf_cstr(&text));
    buf_fini(&text);
    return state;
}

static void gen_subject(struct gen *gen, struct question *question)
{
    if (gen_chance(gen, 50)) {
        question_person(question, gen_chance(gen, 50) ? "p-pupil" : "p-teacher");
    } else {
        policy_identify_group((unsigned)gen_below(gen, 8), &question->subject);
    }
    question->now_ms = test_utc(question->images.policy, "2026-11-20T00:00") +
                       gen_between(gen, 0, 7 * 24 * 60) * 60000;
}

struct world {
    struct document document;
    struct policy *policy;
    struct state *state;
    struct question question;
    char url[128];
};

static void gen_world(struct gen *gen, struct catalog *catalog, struct world *world)
{
    gen_document(gen, &world->document);
    world->policy = make_policy(&world->document, NULL);
    world->state = gen_state(gen, true);
    question_init(&world->question, catalog, world->policy, world->state, "ks2");
    gen_subject(gen, &world->question);
    snprintf(world->url, sizeof(world->url), "http://%s%s/", gen_chance(gen, 30) ? "www." : "",
             GEN_PICK(gen, hosts));
}

static void world_fini(struct world *world)
{
    question_fini(&world->question);
    state_free(world->state);
    policy_free(world->policy);
}

TEST(F3_a_sealed_hit_is_blocked_whatever_else_the_images_hold)
{
    struct catalog *catalog = make_catalog();
    GEN_RUNS(gen, 400)
    {
        struct world world;
        gen_world(&gen, catalog, &world);
        const struct policy_answer *answer = ask(&world.question, "http://x.sealed.example/y");
        assert_run(gen, answer->action == ACTION_BLOCK && answer->reason == REASON_SEALED &&
                            answer->sealed && answer->level == LEVEL_ILLEGAL);
        world_fini(&world);
    }
    catalog_free(catalog);
}

TEST(adding_a_deny_never_allows)
{
    struct catalog *catalog = make_catalog();
    GEN_RUNS(gen, 400)
    {
        struct world world;
        gen_world(&gen, catalog, &world);
        enum action before = ask(&world.question, world.url)->action;
        gen_entry(&gen, &world.document.deny);
        struct policy *stricter = make_policy(&world.document, NULL);
        world.question.images.policy = stricter;
        enum action after = ask(&world.question, world.url)->action;
        assert_run(gen, before == ACTION_ALLOW || after != ACTION_ALLOW);
        policy_free(stricter);
        world_fini(&world);
    }
    catalog_free(catalog);
}

TEST(no_grant_reaches_an_illegal_row)
{
    struct catalog *catalog = make_catalog();
    size_t illegal = 0;
    GEN_RUNS(gen, 800)
    {
        struct world world;
        gen_world(&gen, catalog, &world);
        const struct policy_answer with = *ask(&world.question, world.url);
        struct gen again = gen;
        struct state *bare = gen_state(&again, false);
        world.question.images.state = bare;
        (void)ask(&world.question, world.url);
        bool closed_by_law = world.question.answer.level == LEVEL_ILLEGAL;
        illegal += closed_by_law;
        assert_run(gen,
                   !closed_by_law || with.action != ACTION_ALLOW || with.reason == REASON_LIFELINE);
        state_free(bare);
        world_fini(&world);
    }
    assert_true(illegal > 50);
    catalog_free(catalog);
}

TEST(the_answer_does_not_depend_on_the_order_of_the_document)
{
    struct catalog *catalog = make_catalog();
    GEN_RUNS(gen, 400)
    {
        struct world world;
        gen_world(&gen, catalog, &world);
        const struct policy_answer one = *ask(&world.question, world.url);
        struct policy *other = make_policy(&world.document, &gen);
        world.question.images.policy = other;
        const struct policy_answer *two = ask(&world.question, world.url);
        assert_run(gen, one.action == two->action && one.level == two->level &&
                            one.reason == two->reason && str_eq(one.rule, two->rule) &&
                            one.until_ms == two->until_ms && one.n_overruled == two->n_overruled);
        for (size_t i = 0; i < one.n_overruled; i++) {
            assert_run(gen, str_eq(one.overruled[i].name, two->overruled[i].name));
        }
        policy_free(other);
        world_fini(&world);
    }
    catalog_free(catalog);
}

TEST(an_answer_holds_until_the_time_that_it_names)
{
    struct catalog *catalog = make_catalog();
    GEN_RUNS(gen, 400)
    {
        struct world world;
        gen_world(&gen, catalog, &world);
        const struct policy_answer now = *ask(&world.question, world.url);
        assert_run(gen, now.until_ms > world.question.now_ms);
        int64_t end_ms = now.until_ms < world.question.now_ms + INT64_C(86400000)
                             ? now.until_ms
                             : world.question.now_ms + INT64_C(86400000);
        world.question.now_ms = gen_between(&gen, world.question.now_ms, end_ms - 1);
        const struct policy_answer *later = ask(&world.question, world.url);
        assert_run(gen, now.action == later->action && str_eq(now.rule, later->rule));
        world_fini(&world);
    }
    catalog_free(catalog);
}

TESTS_MAIN(unit(F3_a_sealed_hit_is_blocked_whatever_else_the_images_hold),
           unit(adding_a_deny_never_allows), unit(no_grant_reaches_an_illegal_row),
           unit(the_answer_does_not_depend_on_the_order_of_the_document),
           unit(an_answer_holds_until_the_time_that_it_names))
