/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The demonstration school. Nothing here asks the network. */
#include "cmd/demo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "catalog/build.h"
#include "cmd/cmd.h"
#include "cmd/demo_files.h"
#include "cmd/demo_school.h"
#include "os/file.h"
#include "proc/keeper.h"

enum { PATH_BYTES = 4096, FILE_MODE = 0644 };

#define POLICY "presets/trust-primary.json"
#define SCHOOL "demo/school.json"
#define MANIFEST "demo/catalogue/manifest"
#define LISTEN "127.0.0.1:3128"
#define CONSOLE "127.0.0.1:8443"

enum err demo_data_folder(struct buf *to)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (state != NULL && state[0] == '/') {
        buf_printf(to, "%s/lodge-demo", state);
    } else if (home != NULL && home[0] == '/') {
        buf_printf(to, "%s/.local/state/lodge-demo", home);
    } else {
        return ERR_NOT_FOUND;
    }
    return buf_err(to);
}

static struct str find_file(const char *name)
{
    size_t i = 0;
    while (i < n_demo_files && strcmp(demo_files[i].name, name) != 0) {
        i++;
    }
    CHECK(i < n_demo_files);
    return demo_files[i].bytes;
}

static int fail(const char *data, const char *name)
{
    return cmd_fail(EXIT_REFUSED, "serve", "%s/%s: %s", data, name, strerror(errno));
}

/* Writes the built-in files below the data folder, by their names. */
static int write_files(const char *data, int data_fd)
{
    char folder[PATH_BYTES];
    for (size_t i = 0; i < n_demo_files; i++) {
        const struct demo_file *file = &demo_files[i];
        snprintf(folder, sizeof(folder), "%s", file->name);
        *strrchr(folder, '/') = '\0';
        if (file_make_dirs(data_fd, folder, 0755) != ERR_OK ||
            file_write(data_fd, file->name, file->bytes, FILE_MODE) != ERR_OK) {
            return fail(data, file->name);
        }
    }
    return OPTIONS_GO_ON;
}

static void tell_note(void *context, enum build_note note, const char *line)
{
    (void)context;
    if (note == BUILD_ERROR) {
        fprintf(stderr, "%s\n", line);
    }
}

static int make_catalog(const char *data, int data_fd)
{
    struct build_watch watch = {.note = tell_note};
    struct build_totals totals;
    struct str image;
    char manifest[PATH_BYTES];
    snprintf(manifest, sizeof(manifest), "%s/" MANIFEST, data);
    enum err err = catalog_build(manifest, NULL, &watch, &totals, &image);
    if (err != ERR_OK) {
        return cmd_fail(EXIT_REFUSED, "serve", "%s: %s", manifest, err_text(err));
    }
    err = file_write(data_fd, "demo/catalog.img", image, FILE_MODE);
    free((void *)(uintptr_t)image.p);
    return err == ERR_OK ? OPTIONS_GO_ON : fail(data, "demo/catalog.img");
}

static const char *password_of(const struct demo_login *logins, size_t n, const char *log_on)
{
    for (size_t i = 0; i < n; i++) {
        if (strcmp(logins[i].log_on, log_on) == 0) {
            return logins[i].password;
        }
    }
    return "PASSWORD";
}

/* The program that runs, as it is found again: it need not be installed. */
static const char *own_path(char to[PATH_BYTES])
{
    ssize_t n = readlink("/proc/self/exe", to, PATH_BYTES - 1);
    if (n <= 0) {
        return "lodge";
    }
    to[n] = '\0';
    return to;
}

static void write_guide(const char *data, const struct conf *conf, const struct demo_login *logins,
                        size_t n, struct buf *guide)
{
    const char *at = conf->proxy.bytes;
    char path[PATH_BYTES];
    const char *program = own_path(path);
    buf_printf(guide,
               "\nFour things to try, each in another terminal:\n"
               "  1. A pupil asks for what the school closed, and is told so kindly:\n"
               "     curl -x http://amara:%s@%s http://bet365.com/\n"
               "  2. The same over HTTPS, from a device that knows the school's certificate:\n"
               "     curl --cacert %s/" KEEPER_FOLDER "/" KEEPER_CURRENT
               " -x http://amara:%s@%s https://bet365.com/\n"
               "  3. How a device is given that certificate:\n"
               "     curl -x http://%s http://%s/setup\n"
               "  4. What happened, as it happens:\n"
               "     %s log --follow --data %s\n"
               "\nFor a browser: set 127.0.0.1 and the port as HTTP and HTTPS proxy, open\n"
               "http://%s/setup and import the certificate; or\n"
               "     %s ca show --data %s > lodge-ca.pem\n"
               "Remove it from the browser afterwards: it belongs to a demonstration.\n"
               "\nIts records are in %s/store, made anew at every start. Ctrl-C ends it.\n",
               password_of(logins, n, "amara"), at, data, password_of(logins, n, "amara"), at, at,
               conf->gate_name.bytes, program, data, conf->gate_name.bytes, program, data, data);
}

/* Fills an option that nobody set with a file of the demonstration. */
static void fill(struct conf_text *text, const char *data, const char *name)
{
    if (text->len == 0) {
        int len = snprintf(text->bytes, sizeof(text->bytes), "%s/%s", data, name);
        text->len = (size_t)len < sizeof(text->bytes) ? (size_t)len : sizeof(text->bytes) - 1;
    }
}

static int make_school(const char *data, struct conf *conf, struct buf *guide)
{
    struct demo_login logins[DEMO_LOGINS_MAX];
    size_t n = 0;
    int data_fd;
    if (file_make_dirs(AT_FDCWD, data, 0755) != ERR_OK ||
        file_open_dir(AT_FDCWD, data, &data_fd) != ERR_OK) {
        return fail(data, "");
    }
    buf_printf(guide,
               "\nA demonstration school: everybody in it is invented.\n\n"
               "  console    https://%s/   (without its CA, see 3: the browser warns once)\n"
               "  proxy      http://%s\n  data       %s\n\n"
               "Log-ins, new at every start, for the console and the gate alike. Where there are\n"
               "codes, the console asks for one as a second factor; each counts once:\n",
               conf->console.bytes, conf->proxy.bytes, data);
    int code = write_files(data, data_fd);
    code = code == OPTIONS_GO_ON ? make_catalog(data, data_fd) : code;
    if (code == OPTIONS_GO_ON) {
        code = demo_school_make(data, find_file(SCHOOL), find_file(POLICY), logins, &n, guide);
    }
    write_guide(data, conf, logins, n, guide);
    close(data_fd);
    return code;
}

int demo_prepare(const char *data, struct conf *conf, struct buf *guide)
{
    if (strlen(data) + sizeof("/" MANIFEST) > PATH_BYTES) {
        return cmd_fail(EXIT_USAGE, "serve", "--data is too long");
    }
    fill(&conf->catalog, data, "demo/catalog.img");
    if (conf->proxy.len == 0) {
        conf->proxy = (struct conf_text){.len = sizeof(LISTEN) - 1, .bytes = LISTEN};
    }
    if (conf->console.len == 0) {
        conf->console = (struct conf_text){.len = sizeof(CONSOLE) - 1, .bytes = CONSOLE};
    }
    return make_school(data, conf, guide);
}
