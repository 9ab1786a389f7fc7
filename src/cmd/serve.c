/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge serve: options from the command line and DIR/lodge.conf, then the supervisor. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cmd/cmd.h"
#include "cmd/conf_file.h"
#include "cmd/demo.h"
#include "conf/conf.h"
#include "wire/host.h"
#include "proc/proc.h"

enum { PATH_BYTES = 4096, HELP_BYTES = 160, OWN_ROWS = 2, WHY_MAX = 4096, GUIDE_MAX = 16384 };

static const char *data;
static bool demo;
static const char *given[CONF_COUNT];
static bool given_flags[CONF_COUNT];

static const char details[] =
    "--demo brings its own policy, people, log-ins and a starter catalogue; other options go "
    "before\n"
    "them. Without --data it lives in ~/.local/state/lodge-demo (XDG_STATE_HOME).\n"
    "\n"
    "With --console, policy and people come from the records; --policy FILE fixes the policy (the\n"
    "console shows it and cannot change it), --state FILE the people. Without --console both come\n"
    "from files.\n"
    "\n"
    "Every option but --data and --demo can also stand in DIR/lodge.conf, as a line \"name = "
    "value\"; the\n"
    "command line comes first. TIME is 500ms, 30s, 10m or 2h; SIZE is 64K, 4M or 1G.\n"
    "\n"
    "Runs in the foreground. Prints one line \"ready\" on standard error once every listener\n"
    "accepts; everything else there is the log. SIGTERM: what is in hand is finished first; "
    "again:\n"
    "at once. SIGHUP: looks at policy, catalog and state again, as happens by itself when one of\n"
    "them is replaced. An image that is not good is refused, and the one before stays.\n"
    "\n"
    "Exit codes: 0 ended by SIGTERM; 1 could not start or go on, the log says why; 2 the command\n"
    "line or lodge.conf was wrong.";

/* The rows of the schema as options of the command line, each help with its default. */
static size_t make_rows(struct option_row *rows)
{
    static char helps[CONF_COUNT][HELP_BYTES];
    size_t n = 0;
    rows[n++] = (struct option_row){
        .name = "data",
        .value = "DIR",
        .help = "the data folder; made where absent (needed, but for --demo)",
        .text = &data,
    };
    rows[n++] = (struct option_row){
        .name = "demo",
        .help = "an invented school to try things with: gate on 127.0.0.1:3128, console on "
                "127.0.0.1:8443",
        .flag = &demo,
    };
    for (size_t i = 0; i < CONF_COUNT; i++) {
        const struct conf_row *row = conf_row(i);
        bool shown = row->word != NULL && row->value[0] != '\0';
        snprintf(helps[i], HELP_BYTES, "%s%s%s%s", row->help, shown ? " (" : "",
                 shown ? row->value : "", shown ? ")" : "");
        rows[n++] = (struct option_row){
            .name = row->name,
            .value = row->word,
            .help = helps[i],
            .text = row->word != NULL ? &given[i] : NULL,
            .flag = row->word != NULL ? NULL : &given_flags[i],
        };
    }
    return n;
}

static int read_file(struct conf *conf)
{
    struct buf why;
    buf_init(&why, WHY_MAX);
    enum err err = conf_file_read(data, conf, &why);
    if (err != ERR_OK) {
        (void)cmd_fail(EXIT_USAGE, "serve", "%.*s", STR_ARG(buf_str(&why)));
    }
    buf_fini(&why);
    return err == ERR_OK ? OPTIONS_GO_ON : err == ERR_INVALID ? EXIT_USAGE : EXIT_REFUSED;
}

static int take_given(struct conf *conf)
{
    for (size_t i = 0; i < CONF_COUNT; i++) {
        const char *value = given_flags[i] ? "yes" : given[i];
        struct buf why;
        if (value == NULL) {
            continue;
        }
        buf_init(&why, WHY_MAX);
        enum err err = conf_set(conf, str_from(conf_row(i)->name), str_from(value), &why);
        if (err != ERR_OK) {
            (void)cmd_fail(EXIT_USAGE, "serve", "--%.*s", STR_ARG(buf_str(&why)));
        }
        buf_fini(&why);
        if (err != ERR_OK) {
            return EXIT_USAGE;
        }
    }
    return OPTIONS_GO_ON;
}

/* Host names are canonical the moment they enter. */
static int make_canonical(struct conf *conf)
{
    struct host host;
    if (host_parse(conf_str(&conf->gate_name), &host) != ERR_OK || host.kind != HOST_NAME) {
        return cmd_fail(EXIT_USAGE, "serve", "--gate-name takes a host name, as lodge.internal");
    }
    conf->gate_name = (struct conf_text){.len = host.len};
    memcpy(conf->gate_name.bytes, host.text, host.len);
    return OPTIONS_GO_ON;
}

static int check_needed(const struct conf *conf)
{
    const struct {
        const struct conf_text *text;
        const char *name;
    } needed[] = {{&conf->policy, "policy"}, {&conf->catalog, "catalog"}, {&conf->proxy, "proxy"}};
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        bool from_records = needed[i].text == &conf->policy && conf->console.len != 0;
        if (needed[i].text->len == 0 && !from_records) {
            return cmd_fail(EXIT_USAGE, "serve",
                            "--%s is needed, here or in %s/lodge.conf; see --help", needed[i].name,
                            data);
        }
    }
    if ((conf->ca.len > 0) != (conf->ca_key.len > 0)) {
        return cmd_fail(EXIT_USAGE, "serve", "--ca and --ca-key belong together");
    }
    return OPTIONS_GO_ON;
}

/* The data folder, the file in it, the command line, and what --demo adds. */
static int make_conf(struct conf *conf, struct buf *folder, struct buf *guide)
{
    if (data == NULL && demo && demo_data_folder(folder) == ERR_OK) {
        data = buf_cstr(folder);
    }
    if (data == NULL || data[0] == '\0') {
        return cmd_fail(EXIT_USAGE, "serve", "--data DIR is needed; see --help");
    }
    conf_init(conf);
    int code = read_file(conf);
    code = code == OPTIONS_GO_ON ? take_given(conf) : code;
    code = code == OPTIONS_GO_ON ? make_canonical(conf) : code;
    if (code == OPTIONS_GO_ON && demo) {
        code = demo_prepare(data, conf, guide);
    }
    return code == OPTIONS_GO_ON ? check_needed(conf) : code;
}

/* Once the gate is ready. */
static void print_guide(void *context)
{
    const struct buf *guide = context;
    printf("%.*s\n", STR_ARG(buf_str(guide)));
    fflush(stdout);
}

int cmd_serve(int argc, char **argv)
{
    static struct conf conf;
    static struct option_row rows[OWN_ROWS + CONF_COUNT];
    struct buf folder;
    struct buf guide;
    struct usage usage = {
        .command = "serve",
        .synopsis = "--data DIR --console ADDR:PORT --catalog IMAGE --proxy ADDR:PORT [...]",
        .summary = "Runs the gate: a filtering proxy, decided by the school's policy.",
        .details = details,
        .options = rows,
        .n_options = make_rows(rows),
    };
    int first;
    int code = options_read(&usage, argc, argv, &first);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    buf_init(&folder, PATH_BYTES);
    buf_init(&guide, GUIDE_MAX);
    code = make_conf(&conf, &folder, &guide);
    if (code == OPTIONS_GO_ON) {
        struct supervisor_setup setup = {
            .conf = &conf,
            .data = data,
            .ready = demo ? print_guide : NULL,
            .ready_context = &guide,
        };
        code = supervisor_main(&setup);
    }
    buf_fini(&folder);
    buf_fini(&guide);
    return code;
}
