/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decisions in tests: images once, then questions of one line. */
#ifndef LODGE_TESTS_DECIDE_H
#define LODGE_TESTS_DECIDE_H

#include "base/arena.h"
#include "lib/catalog.h"
#include "lib/policy.h"
#include "policy/decide.h"

struct question {
    struct policy_images images;
    struct policy_subject subject;
    struct arena arena;
    struct url url;
    struct addr addr;
    struct hello hello;
    struct policy_request request;
    int64_t now_ms;
    struct policy_answer answer;
};

/* In a lesson of a school day. */
#define TEST_LESSON "2026-11-23T10:15"

/* A question about plain HTTP; the subject is a nominal member of the group. */
static inline void question_init(struct question *question, struct catalog *catalog,
                                 struct policy *policy, struct state *state, const char *group)
{
    unsigned index = 0;
    memset(question, 0, sizeof(*question));
    question->images = (struct policy_images){catalog, policy, state};
    question->now_ms = test_utc(policy, TEST_LESSON);
    arena_init(&question->arena, 1 << 20);
    assert_ok(policy_group_find(policy, str_from(group), &index));
    policy_identify_group(index, &question->subject);
    question->request = (struct policy_request){.kind = REQUEST_URL, .inspected = true};
}

static inline void question_fini(struct question *question)
{
    arena_fini(&question->arena);
}

static inline void question_person(struct question *question, const char *person)
{
    assert_true(policy_identify_person(&question->images, str_from(person), question->now_ms,
                                       &question->subject));
}

static inline const struct policy_answer *ask(struct question *question, const char *url)
{
    arena_reset(&question->arena);
    assert_ok(url_parse(str_from(url), STR("http"), &question->arena, &question->url));
    question->request.url = &question->url;
    policy_decide(&question->images, &question->subject, &question->request, question->now_ms,
                  &question->answer);
    return &question->answer;
}

static inline void expect_answer(struct question *question, const char *url, enum action action,
                                 enum reason reason, const char *rule)
{
    const struct policy_answer *answer = ask(question, url);
    if (answer->action != action || answer->reason != reason ||
        !str_eq(answer->rule, str_from(rule))) {
        fail_msg("%s: %.*s by %.*s (%.*s), not %.*s by %s", url,
                 STR_ARG(action_name(answer->action)), STR_ARG(answer->rule),
                 STR_ARG(reason_code(answer->reason)), STR_ARG(action_name(action)), rule);
    }
}

static inline bool is_overruled(const struct policy_answer *answer, const char *rule)
{
    for (size_t i = 0; i < answer->n_overruled; i++) {
        if (str_eq(answer->overruled[i].name, str_from(rule))) {
            return true;
        }
    }
    return false;
}

#endif
