/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge: one program, its subcommands in one table. */
#include <stdio.h>
#include <string.h>

#include "cmd/cmd.h"
#include "proc/process.h"

static const struct subcommand commands[] = {
#define COMMAND(name, summary) {#name, cmd_##name, summary},
#include "cmd/command.def"
#undef COMMAND
};

static const size_t n_commands = sizeof(commands) / sizeof(commands[0]);

static void print_help(FILE *to)
{
    fputs("lodge COMMAND ...\n\n"
          "The gatehouse of a school: filters, monitors, records, reminds and reports,\n"
          "from the school's own policy tables.\n\nCommands (each has --help):\n",
          to);
    for (size_t i = 0; i < n_commands; i++) {
        fprintf(to, "  %-12s %s\n", commands[i].name, commands[i].summary);
    }
    fputs("\nExit codes: 0 done; 1 refused or failed, with the reason on standard error;\n"
          "2 the command line was wrong.\n",
          to);
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (argc == 3 && strcmp(name, "process") == 0) {
        return process_run(argv[2]);
    }
    for (size_t i = 0; i < n_commands; i++) {
        const char *given = strcmp(name, "--version") == 0 ? "version" : name;
        if (strcmp(given, commands[i].name) == 0) {
            return commands[i].run(argc - 1, argv + 1);
        }
    }
    if (argc > 1) {
        fprintf(stderr, "lodge: there is no command \"%s\"\n", name);
    }
    print_help(stderr);
    return EXIT_USAGE;
}
