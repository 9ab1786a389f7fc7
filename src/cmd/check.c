/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge check: the production decision, asked by hand (U16). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cmd/cmd.h"
#include "cmd/images.h"
#include "cmd/urls.h"
#include "policy/decide.h"
#include "policy/search.h"
#include "wire/json.h"

enum { TAILS = 256, TAIL_MAX = 1024 };

/* What is printed behind the URL, kept: most URLs of a list get one of a few answers. */
struct tail {
    struct str rule;
    enum action action;
    enum level level;
    enum reason reason;
    struct catset categories;
    size_t len; /* 0: empty */
    char text[TAIL_MAX];
};

struct checking {
    struct policy_images images;
    struct policy_subject subject;
    int64_t now_ms;
    struct arena arena;
    struct tail *tails; /* TAILS of them */
};

/* A text that needs no escape: names from tables and ids. */
static void plain(struct buf *out, struct str key, struct str value)
{
    buf_append(out, key);
    buf_append(out, value);
}

/* A sealed hit is only ever called that: which list it is on is for nobody's eyes (F3). */
static void print_categories(struct buf *out, const struct policy_answer *answer)
{
    bool first = true;
    buf_append(out, STR(",\"categories\":["));
    if (answer->sealed) {
        buf_append(out, STR("\"sealed\""));
    }
    for (unsigned c = catset_next(&answer->categories, 0); c < LIMIT_CATEGORIES && !answer->sealed;
         c = catset_next(&answer->categories, c + 1)) {
        const struct category_row *row = category_row(c);
        if (row != NULL) {
            plain(out, first ? STR("\"") : STR(",\""), row->name);
            buf_append_byte(out, '"');
            first = false;
        }
    }
    buf_append_byte(out, ']');
}

static void print_tail(struct buf *out, const struct policy_answer *answer)
{
    plain(out, STR(",\"action\":\""), action_name(answer->action));
    plain(out, STR("\",\"level\":\""), level_name(answer->level));
    buf_append(out, STR("\",\"rule\":"));
    json_str(out, answer->rule);
    plain(out, STR(",\"reason\":\""), reason_code(answer->reason));
    buf_append_byte(out, '"');
    print_categories(out, answer);
    buf_append(out, STR(",\"overruled\":["));
    for (size_t i = 0; i < answer->n_overruled; i++) {
        json_str(out, answer->overruled[i].name);
    }
    buf_append_byte(out, ']');
}

/* Rules' names are those of the policy's memory, so the place tells them apart. */
static bool is_tail(const struct tail *tail, const struct policy_answer *answer)
{
    return tail->len != 0 && tail->rule.p == answer->rule.p && tail->rule.len == answer->rule.len &&
           tail->action == answer->action && tail->level == answer->level &&
           tail->reason == answer->reason &&
           tail->categories.bits[0] == answer->categories.bits[0] &&
           tail->categories.bits[1] == answer->categories.bits[1];
}

static void print_decision(struct checking *checking, const struct policy_answer *answer,
                           struct buf *out)
{
    uint64_t mixed = (answer->categories.bits[0] * 31 + answer->categories.bits[1]) *
                     UINT64_C(0x9e3779b97f4a7c15);
    struct tail *tail = &checking->tails[mixed >> 56];
    if (answer->n_overruled == 0 && !answer->sealed && is_tail(tail, answer)) {
        buf_append(out, str_make(tail->text, tail->len));
        return;
    }
    size_t before = out->len;
    print_tail(out, answer);
    size_t len = out->len - before;
    if (answer->n_overruled == 0 && !answer->sealed && len <= TAIL_MAX) {
        *tail = (struct tail){.rule = answer->rule,
                              .action = answer->action,
                              .level = answer->level,
                              .reason = answer->reason,
                              .categories = answer->categories,
                              .len = len};
        memcpy(tail->text, out->p + before, len);
    }
}

static void print_text(struct buf *out, struct str key, struct str value)
{
    buf_append(out, key);
    if (value.len != 0) {
        json_str(out, value);
    } else {
        buf_append(out, STR("null"));
    }
}

/* The URL, or else the header, that the site gets in place of what was asked for. */
static void print_rewrite(struct checking *checking, const struct url *url,
                          const struct policy_answer *answer, struct buf *out)
{
    struct search_edit edit = {0};
    struct buf text;
    buf_init(&text, 3 * LIMIT_URL_LEN);
    buf_append(&text, url->path);
    buf_append(&text, url->has_query ? STR("?") : STR(""));
    buf_append(&text, url->query);
    enum err err = search_safe(policy_search(checking->images.policy), url, buf_str(&text),
                               answer->safe_search, &checking->arena, &edit);
    buf_clear(&text);
    if (err == ERR_OK && edit.rewritten) {
        bool brackets = url->host.kind == HOST_IPV6;
        buf_printf(&text, "%.*s://%s%.*s%s", STR_ARG(url->scheme), brackets ? "[" : "",
                   STR_ARG(host_str(&url->host)), brackets ? "]" : "");
        if (url->port != url_default_port(url->scheme)) {
            buf_printf(&text, ":%u", url->port);
        }
        buf_append(&text, edit.target);
    } else if (err == ERR_OK && edit.header.len != 0) {
        buf_printf(&text, "%.*s: %.*s", STR_ARG(edit.header), STR_ARG(edit.value));
    }
    print_text(out, STR(",\"rewrite\":"), buf_str(&text));
    buf_fini(&text);
}

/* What rests on the whole URL, and so on no other's answer. */
static void print_url(struct checking *checking, const struct url *url,
                      const struct policy_answer *answer, struct buf *out)
{
    bool kept = answer->sealed || answer->lifeline;
    struct str search = kept ? (struct str){0}
                             : search_terms(policy_search(checking->images.policy), url,
                                            (struct str){0}, CHARSET_UNSET, &checking->arena);
    print_text(out, STR(",\"search\":"), search);
    print_rewrite(checking, url, answer, out);
    if (str_eq(url->scheme, STR("https"))) {
        plain(out, STR(",\"inspect\":"), answer->inspect ? STR("true") : STR("false"));
    }
}

static void check_url(void *ctx, struct str text, struct buf *out)
{
    struct checking *checking = ctx;
    struct policy_answer answer;
    struct url url;
    arena_reset(&checking->arena);
    buf_append(out, STR("{\"url\":"));
    json_str(out, text);
    if (url_parse(text, STR("http"), &checking->arena, &url) == ERR_OK) {
        struct policy_request request = {.kind = REQUEST_URL, .url = &url, .inspected = true};
        policy_decide(&checking->images, &checking->subject, &request, checking->now_ms, &answer);
        print_decision(checking, &answer, out);
        print_url(checking, &url, &answer, out);
    } else {
        answer = (struct policy_answer){.action = ACTION_BLOCK,
                                        .level = LEVEL_NONE,
                                        .reason = REASON_MALFORMED,
                                        .rule = STR("malformed")};
        print_decision(checking, &answer, out);
        buf_append(out, STR(",\"search\":null,\"rewrite\":null"));
    }
    buf_append(out, STR("}\n"));
}

struct words {
    const char *policy;
    const char *catalog;
    const char *state;
    const char *person;
    const char *group;
    const char *at;
    const char *data;
};

static int find_subject(const struct words *words, struct checking *checking)
{
    const struct policy *policy = checking->images.policy;
    if (words->group != NULL) {
        unsigned group = 0;
        if (policy_group_find(policy, str_from(words->group), &group) != ERR_OK) {
            fprintf(stderr, "lodge check: the groups of %s are:", words->policy);
            for (unsigned i = 0; i < policy_group_count(policy); i++) {
                fprintf(stderr, " %.*s", STR_ARG(policy_group_id(policy, i)));
            }
            fputc('\n', stderr);
            return cmd_fail(EXIT_REFUSED, "check", "no group has the id \"%s\"", words->group);
        }
        policy_identify_group(group, &checking->subject);
        return OPTIONS_GO_ON;
    }
    if (!policy_identify_person(&checking->images, str_from(words->person), checking->now_ms,
                                &checking->subject)) {
        return cmd_fail(EXIT_REFUSED, "check",
                        "the state knows no person \"%s\" in a group of the policy", words->person);
    }
    return OPTIONS_GO_ON;
}

static int find_time(const struct words *words, struct checking *checking)
{
    if (words->at == NULL) {
        checking->now_ms = clock_utc_ms();
        return OPTIONS_GO_ON;
    }
    enum err err =
        policy_local_to_utc(checking->images.policy, str_from(words->at), &checking->now_ms);
    if (err == ERR_RANGE) {
        return cmd_fail(EXIT_REFUSED, "check", "--at %s lies outside the policy's calendar",
                        words->at);
    }
    return err == ERR_OK ? OPTIONS_GO_ON
                         : cmd_fail(EXIT_USAGE, "check", "--at %s: write it like 2026-11-23T10:15",
                                    words->at);
}

static int run_check(const struct words *words, int n, char **urls)
{
    struct policy *policy = NULL;
    struct catalog *catalog = NULL;
    struct state *state = NULL;
    struct checking checking = {0};
    arena_init(&checking.arena, 8 * LIMIT_URL_LEN);
    checking.tails = calloc(TAILS, sizeof(*checking.tails));
    if (checking.tails == NULL) {
        return cmd_fail(EXIT_REFUSED, "check", "%s", err_text(ERR_MEMORY));
    }
    int code = make_data("check", words->data);
    if (code == OPTIONS_GO_ON) {
        code = load_policy("check", words->policy, &policy);
    }
    if (code == OPTIONS_GO_ON) {
        code = load_catalog("check", words->catalog, &catalog);
    }
    if (code == OPTIONS_GO_ON && words->state != NULL) {
        code = load_state("check", words->state, &state);
    }
    checking.images = (struct policy_images){catalog, policy, state};
    if (code == OPTIONS_GO_ON) {
        code = find_time(words, &checking);
    }
    if (code == OPTIONS_GO_ON) {
        code = find_subject(words, &checking);
    }
    if (code == OPTIONS_GO_ON) {
        const struct urls_task task = {"check", &checking, check_url};
        code = urls_answer(&task, n, urls);
    }
    free(checking.tails);
    arena_fini(&checking.arena);
    state_free(state);
    catalog_free(catalog);
    policy_free(policy);
    return code;
}

int cmd_check(int argc, char **argv)
{
    struct words words = {0};
    const struct option_row options[] = {
        {"policy", "FILE", "the school's policy document", &words.policy, NULL, true},
        {"catalog", "IMAGE", "the catalog image", &words.catalog, NULL, true},
        {"state", "FILE", "the state image, or its document", &words.state, NULL, false},
        {"person", "ID", "a person that the state knows", &words.person, NULL, false},
        {"group", "NAME", "instead: a member of a group, signed, not nominated", &words.group, NULL,
         false},
        {"at", "TIME", "local time of the policy's zone; else now", &words.at, NULL, false},
        {"data", "DIR", "the data folder; made where absent", &words.data, NULL, false},
    };
    const struct usage usage = {
        .command = "check",
        .synopsis = "--policy FILE --catalog IMAGE [--state FILE] (--person ID | --group NAME) "
                    "[--at TIME] (URL... | -)",
        .summary = "Says what the gate would decide for URLs, and by which rule.",
        .details =
            "\"-\" as a URL reads URLs from standard input, one a line. Without a scheme, http\n"
            "is meant. A URL is judged as the gate does that sees its path; of an https site that\n"
            "is not inspected it sees the host alone. Each answer is one JSON object on a line:\n"
            "  url, action (allow, block, limited), level, rule (that decided), reason,\n"
            "  categories, overruled (rules that would have said otherwise), search (the words "
            "that\n"
            "  are searched for), rewrite (the URL or header that the site gets instead, for safe\n"
            "  search), and for https: inspect (whether the gate looks inside)\n\n"
            "Example: lodge check --policy presets/trust-primary.json --catalog my.catalog \\\n"
            "           --group pupils-ks2 --at 2026-11-23T10:15 https://example.org/\n\n"
            "Exit codes: 0 answered, whatever the answers; 1 a file, person, group or time is\n"
            "refused; 2 wrong command line.",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_arguments = 1,
        .max_arguments = -1,
    };
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    if ((words.person == NULL) == (words.group == NULL)) {
        return cmd_fail(EXIT_USAGE, "check", "give one of --person ID and --group NAME");
    }
    return run_check(&words, argc - first, argv + first);
}
