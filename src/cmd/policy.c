/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge policy check|show */
#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/limits.h"
#include "cmd/cmd.h"
#include "cmd/images.h"
#include "os/file.h"
#include "policy/checker.h"
#include "policy/show.h"

enum { OUTPUT_MAX = 64 * 1024 * 1024 };

/* Prints what was written, and tells where that failed. */
static int finish(const char *command, struct buf *out, int code)
{
    enum err err = buf_err(out);
    if (err == ERR_OK) {
        err = file_write_all(STDOUT_FILENO, buf_str(out));
    }
    buf_fini(out);
    return err == ERR_OK ? code : cmd_fail(EXIT_REFUSED, command, "%s", err_text(err));
}

static int check_document(const char *path, const char *at, bool strict)
{
    struct policy *policy = NULL;
    int64_t at_ms = clock_utc_ms();
    int code = load_policy("policy check", path, &policy);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    if (at != NULL && policy_local_to_utc(policy, str_from(at), &at_ms) != ERR_OK) {
        policy_free(policy);
        return cmd_fail(EXIT_USAGE, "policy check",
                        "--at %s: write a time of the policy's calendar, like 2026-11-23T10:15",
                        at);
    }
    struct buf lines = {0};
    struct buf out = {0};
    buf_init(&lines, OUTPUT_MAX);
    buf_init(&out, OUTPUT_MAX);
    size_t findings = policy_check(policy, at_ms, &lines);
    struct str rest = buf_str(&lines);
    while (rest.len != 0) {
        struct str line = {0};
        str_cut(rest, '\n', &line, &rest);
        buf_printf(&out, "warning: %.*s\n", STR_ARG(line));
    }
    buf_fini(&lines);
    policy_free(policy);
    fprintf(stderr, "%s: it may be used; %zu findings\n", path, findings);
    return finish("policy check", &out, strict && findings != 0 ? EXIT_REFUSED : EXIT_DONE);
}

static int run_check(int argc, char **argv)
{
    const char *data = NULL;
    const char *at = NULL;
    bool strict = false;
    const struct option_row options[] = {
        {"strict", NULL, "exit 1 for any finding", NULL, &strict, false},
        {"at", "TIME", "judge review dates and terms at this time; else now", &at, NULL, false},
        {"data", "DIR", "the data folder; made where absent", &data, NULL, false},
    };
    const struct usage usage = {
        .command = "policy check",
        .synopsis = "FILE [--strict]",
        .summary = "Looks for what a policy document contradicts or leaves open.",
        .details = "Each finding is a line \"warning: WHERE: sentence [CODE, requirements]\".\n\n"
                   "Exit codes: 0 the document may be used, whatever the findings; 1 it would be\n"
                   "refused, or there are findings and --strict; 2 wrong command line.",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_arguments = 1,
        .max_arguments = 1,
    };
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON) {
        code = make_data("policy check", data);
    }
    return code == OPTIONS_GO_ON ? check_document(argv[first], at, strict) : code;
}

static int show_document(const char *path)
{
    struct policy *policy = NULL;
    int code = load_policy("policy show", path, &policy);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    struct buf out = {0};
    buf_init(&out, OUTPUT_MAX);
    policy_show(policy, &out);
    policy_free(policy);
    return finish("policy show", &out, EXIT_DONE);
}

static int show_json(const char *path)
{
    struct buf text = {0};
    struct buf out = {0};
    struct buf why = {0};
    struct policy *policy = NULL;
    buf_init(&text, LIMIT_POLICY_BYTES);
    buf_init(&out, OUTPUT_MAX);
    buf_init(&why, OUTPUT_MAX);
    int code = load_text("policy show", path, &text);
    if (code == OPTIONS_GO_ON) {
        code = parse_policy("policy show", path, &text, &policy);
    }
    if (code == OPTIONS_GO_ON) {
        enum err err = policy_canonical(buf_str(&text), &out, &why);
        code = err == ERR_OK ? EXIT_DONE
                             : cmd_fail(EXIT_REFUSED, "policy show", "%s: %.*s", path,
                                        STR_ARG(buf_str(&why)));
    }
    policy_free(policy);
    buf_fini(&text);
    buf_fini(&why);
    return finish("policy show", &out, code);
}

static int run_show(int argc, char **argv)
{
    const char *data = NULL;
    bool json = false;
    const struct option_row options[] = {
        {"json", NULL, "print the document itself, members sorted", NULL, &json, false},
        {"data", "DIR", "the data folder; made where absent", &data, NULL, false},
    };
    const struct usage usage = {
        .command = "policy show",
        .synopsis = "FILE [--json]",
        .summary = "Prints a policy document as people read it.",
        .details = "Exit codes: 0 printed; 1 refused, with the reason; 2 wrong command line.",
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
        .min_arguments = 1,
        .max_arguments = 1,
    };
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON) {
        code = make_data("policy show", data);
    }
    return code != OPTIONS_GO_ON ? code
           : json                ? show_json(argv[first])
                                 : show_document(argv[first]);
}

int cmd_policy(int argc, char **argv)
{
    static const struct subcommand rows[] = {
        {"check", run_check, "look for contradictions and gaps"},
        {"show", run_show, "print it as people read it"},
    };
    return subcommand_run("policy", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
