/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small policies and states for tests: JSON in single quotes, in parts; what is left out is that of
 * a small school.
 *
 *     struct policy *policy = test_policy(&(struct test_policy){.table = "[{'id':'a', ...}]"});
 */
#ifndef LODGE_TESTS_POLICY_H
#define LODGE_TESTS_POLICY_H

#include <unistd.h>

#include "base/buf.h"
#include "lib/test.h"
#include "os/file.h"
#include "policy/policy.h"
#include "policy/state.h"

struct test_policy {
    const char *zone;
    const char *groups;
    const char *calendar;
    const char *periods;
    const char *times;
    const char *nominated;
    const char *table;
    const char *deny;
    const char *allow;
    const char *lifelines;
    const char *learning;
    const char *private_hosts;
    const char *ports;
    const char *more; /* further members, each with a comma before it */
};

#define TEST_ZONE                                                                             \
    "{'name':'Europe/London','offset':0,'from':'2026-01-01','until':'2029-12-31','changes':[" \
    "{'from':'2026-03-29T01:00Z','offset':60},{'from':'2026-10-25T01:00Z','offset':0},"       \
    "{'from':'2027-03-28T01:00Z','offset':60},{'from':'2027-10-31T01:00Z','offset':0}]}"

#define TEST_TUNNELS(word)                                                                   \
    "{'not_tls':'" word "','no_sni':'" word "','ip_literal':'" word "','other_ports':'" word \
    "','ech':'" word "'}"

/* Pupils in two key stages, staff in two kinds, visitors who are nobody. */
#define TEST_GROUPS                                                                             \
    "[{'id':'everyone','uncategorised':'acceptable'},"                                          \
    "{'id':'pupils','in':'everyone','voice':'ks2','agreement':{'needed':true,'parent':true},"   \
    "'inspect':'inspect'},"                                                                     \
    "{'id':'ks1','in':'pupils','voice':'ks1'},{'id':'ks2','in':'pupils'},"                      \
    "{'id':'staff','in':'everyone','voice':'staff','agreement':{'needed':true,'parent':false}," \
    "'inspect':'inspect'},"                                                                     \
    "{'id':'teachers','in':'staff'},{'id':'office','in':'staff','tunnels':" TEST_TUNNELS(       \
        "allow") "},{'id':'visitors','in':'everyone','voice':'staff'}]"

#define TEST_CALENDAR                                                     \
    "{'terms':[{'label':'Autumn','from':'2026-09-02','to':'2026-12-18'}," \
    "{'label':'Spring','from':'2027-01-04','to':'2027-03-25'},"           \
    "{'label':'Summer','from':'2027-04-12','to':'2027-07-21'}],"          \
    "'closed':[{'label':'INSET','from':'2026-11-20','to':'2026-11-20'}]}"

#define TEST_PERIODS                                                                           \
    "[{'id':'lesson','from':'09:00','to':'12:00'},{'id':'lunch','from':'12:00','to':'13:00'}," \
    "{'id':'lesson','from':'13:00','to':'15:00','days':['mon','tue','wed','thu']}]"

#define TEST_TIMES                                                    \
    "[{'id':'lunch','periods':['lunch']},"                            \
    "{'id':'hours','days':'school-day','from':'08:00','to':'16:30'}," \
    "{'id':'off-hours','not':'hours'}]"

#define TEST_TABLE                                                        \
    "[{'id':'bets','label':'Betting','categories':['gambling'],'cells':{" \
    "'everyone':{'level':'unacceptable'}}}]"

static inline const char *test_part(const char *given, const char *otherwise)
{
    return given != NULL ? given : otherwise;
}

/* The document, with double quotes, in buf. */
static inline void test_document(const struct test_policy *parts, struct buf *to)
{
    buf_printf(to,
               "{'lodge_policy':1,'title':'A policy','school':'small','zone':%s,"
               "'unknown_group':'visitors','groups':%s,'connect_ports':%s,'private_hosts':%s,"
               "'calendar':%s,'timetable':{'periods':%s},'times':%s,'nominated':%s,'table':%s,"
               "'lists':{'deny':%s,'allow':%s},'lifelines':%s,'learning':%s,"
               "'gate':{'name':'gate.internal'}%s}",
               test_part(parts->zone, TEST_ZONE), test_part(parts->groups, TEST_GROUPS),
               test_part(parts->ports, "[443]"), test_part(parts->private_hosts, "[]"),
               test_part(parts->calendar, TEST_CALENDAR), test_part(parts->periods, TEST_PERIODS),
               test_part(parts->times, TEST_TIMES), test_part(parts->nominated, "[]"),
               test_part(parts->table, TEST_TABLE), test_part(parts->deny, "[]"),
               test_part(parts->allow, "[]"),
               test_part(parts->lifelines, "[{'match':'help.example','why':'help'}]"),
               test_part(parts->learning, "[{'match':'learn.example','why':'learning'}]"),
               test_part(parts->more, ""));
    assert_ok(buf_err(to));
    for (size_t i = 0; i < to->len; i++) {
        to->p[i] = to->p[i] == '\'' ? '"' : to->p[i];
    }
}

static inline struct policy *test_policy(const struct test_policy *parts)
{
    struct buf text = {0};
    struct buf why = {0};
    struct policy *policy = NULL;
    buf_init(&text, 1 << 20);
    buf_init(&why, 1 << 20);
    test_document(parts, &text);
    enum err err = policy_parse(buf_str(&text), &policy, &why);
    if (err != ERR_OK) {
        fail_msg("ERR_%s: %.*s", err_name(err), STR_ARG(buf_str(&why)));
    }
    buf_fini(&text);
    buf_fini(&why);
    return policy;
}

/* A state from its document, in single quotes. */
static inline struct state *test_state(const char *json)
{
    struct buf text = {0};
    struct buf image = {0};
    struct buf why = {0};
    struct state *state = NULL;
    const char *fault = NULL;
    int fd = -1;
    buf_init(&text, 1 << 20);
    buf_init(&image, 1 << 20);
    buf_init(&why, 1 << 20);
    buf_append(&text, str_from(json));
    for (size_t i = 0; i < text.len; i++) {
        text.p[i] = text.p[i] == '\'' ? '"' : text.p[i];
    }
    if (state_build(buf_str(&text), &image, &why) != ERR_OK) {
        fail_msg("%.*s", STR_ARG(buf_str(&why)));
    }
    assert_ok(file_memory("state", buf_str(&image), &fd));
    assert_ok(state_open(fd, &state, &fault));
    (void)close(fd);
    buf_fini(&text);
    buf_fini(&image);
    buf_fini(&why);
    return state;
}

static inline int64_t test_utc(const struct policy *policy, const char *local)
{
    int64_t utc_ms = 0;
    assert_ok(policy_local_to_utc(policy, str_from(local), &utc_ms));
    return utc_ms;
}

#endif
