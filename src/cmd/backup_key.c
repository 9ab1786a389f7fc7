/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge backup key: makes the pair of keys that backups are sealed with. */
#include "cmd/backup_key.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "os/file.h"

enum { GROUP = 4, CHECK_DIGITS = 4, DIGITS = 2 * STREAM_KEY_BYTES + CHECK_DIGITS };

static const char secret_head[] =
    "# Lodge: the private half of the key of this school's backups.\n"
    "# Keep it in the safe and at one other place, never on the gate. Without it no backup can be\n"
    "# read; with it and a backup, everything can.\n";
static const char public_head[] = "# Lodge: the public half. Backups are sealed to it.\n";

static const char details[] =
    "The public half stays in DIR/backup/public.key: with it the gate can write backups and read\n"
    "none. The private half is printed, or written to the file of -o, and kept nowhere: print it\n"
    "for the safe, then delete the file. With --replace later backups are sealed to a new key;\n"
    "those that there are still take the old one.\n"
    "\n"
    "Exit codes: 0 made; 1 refused or failed; 2 the command line was wrong.";

/* ---- text ---- */

static void check_digits(const uint8_t key[STREAM_KEY_BYTES], bool secret, uint8_t ret[2])
{
    uint8_t hash[SHA256_BYTES];
    struct sha256 state;
    sha256_init(&state);
    sha256_update(&state, secret ? STR("lodge backup private") : STR("lodge backup public"));
    sha256_update(&state, str_make((const char *)key, STREAM_KEY_BYTES));
    sha256_final(&state, hash);
    memcpy(ret, hash, 2);
}

void backup_key_print(const uint8_t key[STREAM_KEY_BYTES], bool secret, struct buf *to)
{
    uint8_t check[2];
    check_digits(key, secret, check);
    for (size_t i = 0; i < STREAM_KEY_BYTES + sizeof(check); i++) {
        uint8_t byte = i < STREAM_KEY_BYTES ? key[i] : check[i - STREAM_KEY_BYTES];
        buf_printf(to, "%s%02x", i != 0 && i % (GROUP / 2) == 0 ? "-" : "", byte);
    }
}

/* The digits alone; ERR_INVALID where there are others, or not as many as a key has. */
static enum err gather(struct str text, uint8_t ret_bytes[DIGITS / 2])
{
    size_t n = 0;
    while (text.len != 0) {
        struct str line;
        str_cut(text, '\n', &line, &text);
        for (size_t i = 0; i < line.len && line.p[0] != '#'; i++) {
            int digit = ascii_hex(line.p[i]);
            if (digit < 0 && line.p[i] != '-' && line.p[i] != ' ' && line.p[i] != '\r') {
                return ERR_INVALID;
            }
            if (digit >= 0 && n == DIGITS) {
                return ERR_INVALID;
            }
            if (digit >= 0) {
                uint8_t high = n % 2 == 0 ? 0 : ret_bytes[n / 2];
                ret_bytes[n / 2] = (uint8_t)(n % 2 == 0 ? digit << 4 : high | digit);
                n++;
            }
        }
    }
    return n == DIGITS ? ERR_OK : ERR_INVALID;
}

enum err backup_key_parse(struct str text, bool secret, uint8_t ret_key[STREAM_KEY_BYTES])
{
    uint8_t bytes[DIGITS / 2];
    uint8_t mine[2];
    uint8_t other[2];
    enum err err = gather(text, bytes);
    if (err == ERR_OK) {
        check_digits(bytes, secret, mine);
        check_digits(bytes, !secret, other);
        const uint8_t *given = bytes + STREAM_KEY_BYTES;
        err = memcmp(given, mine, 2) == 0    ? ERR_OK
              : memcmp(given, other, 2) == 0 ? ERR_DENIED
                                             : ERR_INVALID;
    }
    if (err == ERR_OK) {
        memcpy(ret_key, bytes, STREAM_KEY_BYTES);
    }
    secret_wipe(bytes, sizeof(bytes));
    return err;
}

int backup_key_read(const char *command, const char *path, bool secret,
                    uint8_t ret_key[STREAM_KEY_BYTES])
{
    struct buf text;
    buf_init(&text, BACKUP_KEY_FILE_MAX);
    enum err err = file_read(AT_FDCWD, path, &text);
    int saved = errno;
    int code = OPTIONS_GO_ON;
    if (err != ERR_OK) {
        code = cmd_fail(EXIT_REFUSED, command, "%s: %s", path,
                        err == ERR_SYSTEM ? strerror(saved) : err_text(err));
    } else {
        err = backup_key_parse(buf_str(&text), secret, ret_key);
        if (err != ERR_OK) {
            code = cmd_fail(EXIT_REFUSED, command, "%s: %s", path,
                            err == ERR_DENIED ? "this is the key's other half"
                                              : "no key of a backup, or a digit is wrong");
        }
    }
    secret_wipe(text.p, text.len);
    buf_fini(&text);
    return code;
}

/* ---- the command ---- */

static enum err write_half(int data_fd, const char *path, const char *head,
                           const uint8_t key[STREAM_KEY_BYTES], bool secret)
{
    struct buf text;
    buf_init(&text, BACKUP_KEY_FILE_MAX);
    buf_append(&text, str_from(head));
    backup_key_print(key, secret, &text);
    buf_append_byte(&text, '\n');
    enum err err = buf_err(&text);
    if (err == ERR_OK) {
        err = path != NULL ? file_write(data_fd, path, buf_str(&text), 0600)
                           : file_write_all(STDOUT_FILENO, buf_str(&text));
    }
    secret_wipe(text.p, text.len);
    buf_fini(&text);
    return err;
}

/* The private half first: a public one whose other half nobody has would be worse than none. */
static enum err make_pair(int data_fd, const char *output)
{
    uint8_t public[STREAM_KEY_BYTES];
    uint8_t secret[STREAM_KEY_BYTES];
    stream_key_make(public, secret);
    enum err err = write_half(AT_FDCWD, output, secret_head, secret, true);
    secret_wipe(secret, sizeof(secret));
    if (err == ERR_OK) {
        err = file_make_dirs(data_fd, BACKUP_FOLDER, 0700);
    }
    return err == ERR_OK ? write_half(data_fd, BACKUP_PUBLIC, public_head, public, false) : err;
}

static int run(const char *data, const char *output, bool replace)
{
    int data_fd;
    if (file_open_dir(AT_FDCWD, data, &data_fd) != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "backup key", "%s: %s", data, strerror(errno));
    }
    int code = EXIT_DONE;
    if (!replace && faccessat(data_fd, BACKUP_PUBLIC, F_OK, 0) == 0) {
        code = cmd_fail(EXIT_REFUSED, "backup key",
                        "%s/" BACKUP_PUBLIC " is there already; --replace makes another", data);
    } else {
        enum err err = make_pair(data_fd, output);
        if (err != ERR_OK) {
            code = cmd_fail(EXIT_REFUSED, "backup key", "%s",
                            err == ERR_SYSTEM ? strerror(errno) : err_text(err));
        }
    }
    close(data_fd);
    return code;
}

int backup_key(int argc, char **argv)
{
    static const char *data;
    static const char *output;
    static bool replace;
    static const struct option_row rows[] = {
        {"data", "DIR", "the data folder", &data, NULL, true},
        {"o", "FILE", "write the private half there instead of printing it", &output, NULL, false},
        {"replace", NULL, "make another where there is one", NULL, &replace, false},
    };
    static const struct usage usage = {
        .command = "backup key",
        .synopsis = "--data DIR [-o FILE]",
        .summary = "Makes the pair of keys that backups are sealed with.",
        .details = details,
        .options = rows,
        .n_options = sizeof(rows) / sizeof(rows[0]),
    };
    int first;
    int code = options_read(&usage, argc, argv, &first);
    return code == OPTIONS_GO_ON ? run(data, output, replace) : code;
}
