/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Subcommands: what they share. One file each; main.c finds them in command.def. */
#ifndef LODGE_CMD_CMD_H
#define LODGE_CMD_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Exit codes of every command, part of the manual. */
enum exit_code {
    EXIT_DONE = 0,    /* done; for questions: yes */
    EXIT_REFUSED = 1, /* refused or failed, and said why on standard error */
    EXIT_USAGE = 2,   /* the command line was wrong */
};

/* argv[0] is the subcommand's name; the answer is the exit code. */
#define COMMAND(name, summary) int cmd_##name(int argc, char **argv);
#include "cmd/command.def"
#undef COMMAND

/* `lodge catalog update`, in a file of its own. */
int catalog_update(int argc, char **argv);

/* One option of a command. Exactly one of text and flag is set. */
struct option_row {
    const char *name;  /* "policy", given as --policy; one letter is a short option: "o" for -o */
    const char *value; /* the word for its value in the help, "FILE"; NULL for a flag */
    const char *help;
    const char **text; /* where the value goes (argv's memory); last one wins */
    bool *flag;
    bool required;
};

struct usage {
    const char *command;  /* "catalog build" */
    const char *synopsis; /* what follows the command: "--manifest FILE -o IMAGE" */
    const char *summary;  /* a few lines: what it does */
    const char *details;  /* formats, exit codes, examples; may be NULL */
    const struct option_row *options;
    size_t n_options;
    int min_arguments; /* positional */
    int max_arguments; /* -1: any number */
};

enum { OPTIONS_GO_ON = -1 };

/* Reads argv by the table. OPTIONS_GO_ON: go on, and *ret_first is the index in argv (reordered) of
 * the first positional argument. Else an exit code: EXIT_DONE after --help, EXIT_USAGE after a
 * message. A single "-" is a positional argument. */
int options_read(const struct usage *usage, int argc, char **argv, int *ret_first);

/* Prints the manual of a command on standard output. */
void usage_print(const struct usage *usage);

/* "lodge COMMAND: message" on standard error, with a line end; answers `code`. */
int cmd_fail(int code, const char *command, const char *format, ...) PRINTF_LIKE(3, 4);

/* For commands with commands of their own ("catalog build"). */
struct subcommand {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
};

/* Runs the one that argv[1] names; prints the list for --help, and on standard error where argv[1]
 * is missing or unknown (EXIT_USAGE). */
int subcommand_run(const char *command, const struct subcommand *rows, size_t n, int argc,
                   char **argv);

#endif
