/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options by table, and the manuals made from the same table. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/check.h"
#include "cmd/cmd.h"

enum { OPTIONS_MAX = 48, HELP_COLUMN = 30, FIRST_VALUE = 256 };

void usage_print(const struct usage *usage)
{
    printf("lodge %s%s%s\n\n%s\n\nOptions:\n", usage->command,
           usage->synopsis[0] != '\0' ? " " : "", usage->synopsis, usage->summary);
    for (size_t i = 0; i < usage->n_options; i++) {
        const struct option_row *row = &usage->options[i];
        int n = printf("  %s%s%s%s", strlen(row->name) == 1 ? "-" : "--", row->name,
                       row->value != NULL ? " " : "", row->value != NULL ? row->value : "");
        printf("%*s%s%s\n", n < HELP_COLUMN - 1 ? HELP_COLUMN - n : 1, "", row->help,
               row->required ? " (needed)" : "");
    }
    printf("  --help%*sprint this\n", HELP_COLUMN - 8, "");
    if (usage->details != NULL) {
        printf("\n%s\n", usage->details);
    }
}

/* Fills getopt's tables; a row's value is FIRST_VALUE plus its index. */
static void make_tables(const struct usage *usage, struct option *longs, char *shorts)
{
    size_t n_long = 0;
    size_t n_short = 0;
    CHECK(usage->n_options < OPTIONS_MAX);
    shorts[n_short++] = ':';
    for (size_t i = 0; i < usage->n_options; i++) {
        const struct option_row *row = &usage->options[i];
        if (strlen(row->name) == 1) {
            shorts[n_short++] = row->name[0];
            if (row->value != NULL) {
                shorts[n_short++] = ':';
            }
        }
        longs[n_long++] = (struct option){
            .name = row->name,
            .has_arg = row->value != NULL ? required_argument : no_argument,
            .val = FIRST_VALUE + (int)i,
        };
    }
    longs[n_long++] = (struct option){.name = "help", .has_arg = no_argument, .val = 'h'};
    longs[n_long] = (struct option){0};
    shorts[n_short] = '\0';
}

static const struct option_row *row_of(const struct usage *usage, int value)
{
    if (value >= FIRST_VALUE) {
        return &usage->options[value - FIRST_VALUE];
    }
    for (size_t i = 0; i < usage->n_options; i++) {
        const char *name = usage->options[i].name;
        if (name[0] == value && name[1] == '\0') {
            return &usage->options[i];
        }
    }
    return NULL;
}

static int check_given(const struct usage *usage, const bool *given, int n_arguments)
{
    for (size_t i = 0; i < usage->n_options; i++) {
        const struct option_row *row = &usage->options[i];
        if (row->required && !given[i]) {
            return cmd_fail(EXIT_USAGE, usage->command, "%s%s %s is needed; see --help",
                            strlen(row->name) == 1 ? "-" : "--", row->name,
                            row->value != NULL ? row->value : "");
        }
    }
    if (n_arguments < usage->min_arguments) {
        return cmd_fail(EXIT_USAGE, usage->command, "an argument is missing: lodge %s %s",
                        usage->command, usage->synopsis);
    }
    if (usage->max_arguments >= 0 && n_arguments > usage->max_arguments) {
        return cmd_fail(EXIT_USAGE, usage->command, "too many arguments: lodge %s %s",
                        usage->command, usage->synopsis);
    }
    return OPTIONS_GO_ON;
}

static int take_option(const struct usage *usage, int value, const char *word, bool *given)
{
    const struct option_row *row = row_of(usage, value);
    if (value == 'h' && row == NULL) {
        usage_print(usage);
        return EXIT_DONE;
    }
    if (value == ':') {
        return cmd_fail(EXIT_USAGE, usage->command, "%s needs a value; see --help", word);
    }
    if (row == NULL) {
        return cmd_fail(EXIT_USAGE, usage->command, "unknown option %s; see --help", word);
    }
    given[row - usage->options] = true;
    if (row->value != NULL) {
        *row->text = optarg;
    } else {
        *row->flag = true;
    }
    return OPTIONS_GO_ON;
}

int options_read(const struct usage *usage, int argc, char **argv, int *ret_first)
{
    struct option longs[OPTIONS_MAX + 2];
    char shorts[2 * OPTIONS_MAX + 2];
    bool given[OPTIONS_MAX] = {false};
    make_tables(usage, longs, shorts);
    opterr = 0;
    optind = 0; /* glibc: start anew, and permute */
    for (;;) {
        int at = optind == 0 ? 1 : optind;
        int value = getopt_long(argc, argv, shorts, longs, NULL);
        if (value == -1) {
            break;
        }
        int code = take_option(usage, value, at < argc ? argv[at] : "", given);
        if (code != OPTIONS_GO_ON) {
            return code;
        }
    }
    *ret_first = optind;
    return check_given(usage, given, argc - optind);
}

int cmd_fail(int code, const char *command, const char *format, ...)
{
    va_list arguments;
    fprintf(stderr, "lodge %s: ", command);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return code;
}

static void list_subcommands(FILE *to, const char *command, const struct subcommand *rows, size_t n)
{
    fprintf(to, "lodge %s COMMAND ...\n\nCommands (each has --help):\n", command);
    for (size_t i = 0; i < n; i++) {
        fprintf(to, "  %-12s %s\n", rows[i].name, rows[i].summary);
    }
}

int subcommand_run(const char *command, const struct subcommand *rows, size_t n, int argc,
                   char **argv)
{
    for (size_t i = 0; argc > 1 && i < n; i++) {
        if (strcmp(argv[1], rows[i].name) == 0) {
            return rows[i].run(argc - 1, argv + 1);
        }
    }
    if (argc > 1 && strcmp(argv[1], "--help") == 0) {
        list_subcommands(stdout, command, rows, n);
        return EXIT_DONE;
    }
    if (argc > 1) {
        (void)cmd_fail(EXIT_USAGE, command, "there is no command \"%s\"", argv[1]);
    }
    list_subcommands(stderr, command, rows, n);
    return EXIT_USAGE;
}
