/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge passwd: sets or removes a person's password in DIR/auth/passwd. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/limits.h"
#include "cmd/cmd.h"
#include "crypto/secret.h"
#include "proc/passwords.h"

enum {
    LINE_BYTES = LIMIT_PASSWORD_LEN + 3
}; /* a line end, a NUL, and one byte to see too long ones */

static const char details[] =
    "On a terminal it asks twice, without showing what is typed; else it reads one line from\n"
    "standard input. A password has 8 to 512 bytes. ID is the person's id in the state image.\n"
    "A running gate takes the change at the next log-in; one that it already accepted is\n"
    "remembered for as long as the option auth-cache of serve says (10m).\n"
    "\n"
    "Exit codes: 0 set or removed; 1 refused or failed; 2 the command line was wrong.";

/* Reads a line; false at the end of the input. *ret_len without the line end. */
static bool read_line(char line[LINE_BYTES], size_t *ret_len)
{
    if (fgets(line, LINE_BYTES, stdin) == NULL) {
        return false;
    }
    size_t len = strlen(line);
    if (len > 0 && line[len - 1] == '\n') {
        len--;
    }
    if (len > 0 && line[len - 1] == '\r') {
        len--;
    }
    *ret_len = len;
    return true;
}

static bool ask_once(const char *prompt, char line[LINE_BYTES], size_t *ret_len)
{
    struct termios shown;
    if (tcgetattr(STDIN_FILENO, &shown) != 0) {
        return false;
    }
    struct termios hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)ECHO;
    fputs(prompt, stderr);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    bool got = read_line(line, ret_len);
    (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
    fputc('\n', stderr);
    return got;
}

static int read_password(char line[LINE_BYTES], size_t *ret_len)
{
    char again[LINE_BYTES];
    size_t again_len;
    if (isatty(STDIN_FILENO) == 0) {
        return read_line(line, ret_len)
                   ? OPTIONS_GO_ON
                   : cmd_fail(EXIT_REFUSED, "passwd", "no password on standard input");
    }
    bool got = ask_once("New password: ", line, ret_len) &&
               ask_once("The same again: ", again, &again_len);
    bool same = got && secret_eq(str_make(line, *ret_len), str_make(again, again_len));
    secret_wipe(again, sizeof(again));
    return same ? OPTIONS_GO_ON
                : cmd_fail(EXIT_REFUSED, "passwd", "the two are not the same; nothing is changed");
}

static int tell(enum err err, const char *data, const char *id)
{
    if (err == ERR_RANGE) {
        return cmd_fail(EXIT_REFUSED, "passwd", "a password has at least %d characters",
                        PASSWORD_CHARS_MIN);
    }
    if (err == ERR_LIMIT) {
        return cmd_fail(EXIT_REFUSED, "passwd", "a password has at most %d bytes",
                        LIMIT_PASSWORD_LEN);
    }
    if (err == ERR_NOT_FOUND) {
        return cmd_fail(EXIT_REFUSED, "passwd", "%s has no password", id);
    }
    if (err == ERR_INVALID) {
        return cmd_fail(EXIT_REFUSED, "passwd",
                        "%s/" PASSWORDS_FOLDER "/" PASSWORDS_NAME " is damaged: a line is not "
                        "ID:HASH; remove that line",
                        data);
    }
    return err == ERR_OK ? EXIT_DONE
                         : cmd_fail(EXIT_REFUSED, "passwd", "%s/" PASSWORDS_FOLDER ": %s", data,
                                    err == ERR_SYSTEM ? strerror(errno) : err_text(err));
}

static int change(const char *data, const char *id, struct str password)
{
    int folder_fd;
    enum err err = passwords_open_folder(data, &folder_fd);
    if (err == ERR_OK) {
        err = passwords_set(folder_fd, str_from(id), password);
        int saved = errno;
        close(folder_fd);
        errno = saved;
    }
    return tell(err, data, id);
}

int cmd_passwd(int argc, char **argv)
{
    static const char *data;
    static bool delete;
    static const struct option_row rows[] = {
        {.name = "data",
         .value = "DIR",
         .help = "the data folder",
         .text = &data,
         .required = true},
        {.name = "delete", .help = "remove the password instead", .flag = &delete},
    };
    static const struct usage usage = {
        .command = "passwd",
        .synopsis = "--data DIR ID",
        .summary = "Sets a person's password, which only the auth process reads.",
        .details = details,
        .options = rows,
        .n_options = sizeof(rows) / sizeof(rows[0]),
        .min_arguments = 1,
        .max_arguments = 1,
    };
    char line[LINE_BYTES] = "";
    size_t len = 0;
    int first;
    int code = options_read(&usage, argc, argv, &first);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    if (!passwords_id_is_valid(str_from(argv[first]))) {
        return cmd_fail(EXIT_USAGE, "passwd",
                        "an id has 1 to %d printable characters, no space, no colon", LIMIT_ID_LEN);
    }
    if (!delete) {
        code = read_password(line, &len);
        if (code == OPTIONS_GO_ON && len == 0) {
            code = cmd_fail(EXIT_REFUSED, "passwd", "an empty password; --delete removes one");
        }
    }
    if (code == OPTIONS_GO_ON) {
        code = change(data, argv[first], str_make(line, len));
    }
    secret_wipe(line, sizeof(line));
    return code;
}
