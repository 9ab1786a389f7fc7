/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge ca: the certificate that devices must be given before their HTTPS can be inspected. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cmd/cmd.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "proc/keeper.h"
#include "tls/certificate.h"

enum { PATH_BYTES = 4096 };

static int read_current(const char *data, struct buf *pem)
{
    char path[PATH_BYTES];
    int n = snprintf(path, sizeof(path), "%s/" KEEPER_FOLDER "/" KEEPER_CURRENT, data);
    if (n < 0 || n >= (int)sizeof(path)) {
        return cmd_fail(EXIT_USAGE, "ca", "the data folder's name is too long");
    }
    enum err err = file_read(AT_FDCWD, path, pem);
    if (err == ERR_NOT_FOUND) {
        return cmd_fail(EXIT_REFUSED, "ca",
                        "%s: not there yet; lodge serve makes the CA when it first runs", path);
    }
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "ca", "%s: %s", path,
                        err == ERR_SYSTEM ? strerror(errno) : err_text(err));
    }
    return EXIT_DONE;
}

/* As browsers and devices show it: "AB:CD:...". */
static void print_fingerprint(const uint8_t hash[SHA256_BYTES])
{
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        printf("%s%02X", i > 0 ? ":" : "", hash[i]);
    }
}

static int print_facts(struct str pem)
{
    struct certificate certificate;
    char from[CIVIL_TEXT_MAX];
    char until[CIVIL_TEXT_MAX];
    if (certificate_read(pem, &certificate) != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "ca", "no certificate in it; start lodge serve again");
    }
    (void)civil_print_utc(certificate.from_ms, from);
    (void)civil_print_utc(certificate.until_ms, until);
    printf("name     %s\nfrom     %.10s\nuntil    %.10s\nSHA-256  ", certificate.name, from, until);
    print_fingerprint(certificate.sha256);
    printf("\n");
    return EXIT_DONE;
}

static int ca_show(int argc, char **argv)
{
    static const char *data;
    static bool fingerprint;
    static const struct option_row rows[] = {
        {.name = "data",
         .value = "DIR",
         .help = "the data folder",
         .text = &data,
         .required = true},
        {.name = "fingerprint",
         .help = "its name, dates and SHA-256 instead, to compare with what a device shows",
         .flag = &fingerprint},
    };
    static const struct usage usage = {
        .command = "ca show",
        .synopsis = "--data DIR [--fingerprint]",
        .summary = "Prints the certificate of the CA that the gate signs with, as PEM.",
        .details = "It is no secret: give it to every device (docs/running.md, \"Devices\").\n\n"
                   "Exit codes: 0 printed; 1 there is none yet, or it cannot be read; 2 the\n"
                   "command line was wrong.",
        .options = rows,
        .n_options = sizeof(rows) / sizeof(rows[0]),
    };
    struct buf pem;
    int first;
    int code = options_read(&usage, argc, argv, &first);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    buf_init(&pem, KEEPER_FILE_MAX);
    code = read_current(data, &pem);
    if (code == EXIT_DONE && fingerprint) {
        code = print_facts(buf_str(&pem));
    } else if (code == EXIT_DONE) {
        printf("%.*s", STR_ARG(buf_str(&pem)));
    }
    buf_fini(&pem);
    return code;
}

int cmd_ca(int argc, char **argv)
{
    static const struct subcommand rows[] = {
        {"show", ca_show, "print the CA's certificate, for devices"},
    };
    return subcommand_run("ca", rows, sizeof(rows) / sizeof(rows[0]), argc, argv);
}
