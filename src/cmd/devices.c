/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge devices: which devices do not know the gate's certificate, and which hosts are pinned by
 * applications, from the register that the clerk keeps. It only reads, so it works beside
 * `lodge serve`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/conf_file.h"
#include "os/file.h"
#include "policy/enrolment.h"
#include "proc/devices.h"
#include "wire/json.h"

enum { PATH_BYTES = 4096, OUT_MAX = 64 * 1024 * 1024, MINUTE_CHARS = 16, WHY_MAX = 4096 };

static const char details[] =
    "The first table holds devices whose TLS refused the certificate of the gate: an address, the\n"
    "device's id in the state image, since when, how often, and the host that was refused last. A\n"
    "device leaves it when the gate's page /check has been loaded on it and says \"yes\".\n"
    "\n"
    "The second table holds hosts that were refused by devices which otherwise accept the gate's\n"
    "certificate: an application there takes no certificate but its own maker's (it pins), or\n"
    "keeps a list of its own. One refusal alone may be a page that was left while it opened.\n"
    "Nothing is opened by that; only a person puts a host on never_inspect.\n"
    "\n"
    "Times are UTC. With --json, one object with not_enrolled and pinned.\n"
    "\n"
    "Exit codes: 0 printed; 1 the register could not be read; 2 the command line was wrong.";

/* ---- reading ---- */

static int read_register(const char *data, struct enrolment **ret_enrolment)
{
    char path[PATH_BYTES];
    struct buf text;
    size_t line = 0;
    int n = snprintf(path, sizeof(path), "%s/" DEVICES_FOLDER, data);
    if (n < 0 || n >= (int)sizeof(path) - 16) {
        return cmd_fail(EXIT_USAGE, "devices", "--data: the name is too long");
    }
    if (access(path, F_OK) != 0) {
        return cmd_fail(EXIT_REFUSED, "devices",
                        "nothing is noted in %s yet; is it the data folder of `lodge serve`?",
                        data);
    }
    snprintf(path + n, sizeof(path) - (size_t)n, "/" DEVICES_NAME);
    buf_init(&text, ENROLMENT_FILE_MAX);
    enum err err = file_read(AT_FDCWD, path, &text);
    const char *why = err == ERR_SYSTEM ? strerror(errno) : err_text(err);
    if (err == ERR_OK) {
        err = enrolment_parse(buf_str(&text), ret_enrolment, &line);
        why = err_text(err);
    } else if (err == ERR_NOT_FOUND) {
        err = enrolment_new(ret_enrolment); /* nothing was refused yet */
    }
    buf_fini(&text);
    if (err != ERR_OK) {
        return line != 0 ? cmd_fail(EXIT_REFUSED, "devices", "%s: line %zu: %s", path, line, why)
                         : cmd_fail(EXIT_REFUSED, "devices", "%s: %s", path, why);
    }
    return OPTIONS_GO_ON;
}

/* ---- printing ---- */

static size_t longer(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* "2026-11-23 10:15" */
static const char *minute(int64_t ms, char to[CIVIL_TEXT_MAX])
{
    (void)civil_print_utc(ms, to);
    to[MINUTE_CHARS] = '\0';
    to[sizeof("2026-11-23") - 1] = ' ';
    return to;
}

static void print_devices(struct buf *to, const struct enrolment *enrolment, const char *gate)
{
    struct enrolment_device device;
    char addr[ADDR_TEXT_MAX];
    char since[CIVIL_TEXT_MAX];
    size_t n = 0;
    size_t wide = sizeof("address") - 1;
    size_t id_wide = sizeof("device") - 1;
    for (size_t at = 0; enrolment_next_device(enrolment, &at, &device); n++) {
        wide = longer(wide, addr_print(&device.addr, addr));
        id_wide = longer(id_wide, device.id.len);
    }
    buf_printf(to, "Devices that are not enrolled: %zu\n", n);
    if (n == 0) {
        return;
    }
    buf_printf(to, "  %-*s  %-*s  %-16s  %8s  %s\n", (int)wide, "address", (int)id_wide, "device",
               "since", "refusals", "last refused");
    for (size_t at = 0; enrolment_next_device(enrolment, &at, &device);) {
        (void)addr_print(&device.addr, addr);
        buf_printf(to, "  %-*s  %-*.*s  %-16s  %8llu  %.*s\n", (int)wide, addr, (int)id_wide,
                   STR_ARG(device.id.len != 0 ? device.id : STR("-")),
                   minute(device.since_ms, since), (unsigned long long)device.refusals,
                   STR_ARG(device.host));
    }
    buf_printf(to,
               "  What to do: open http://%s/setup on the device and follow the steps, then\n"
               "  http://%s/check until it says yes. For many at once see docs/https.md.\n",
               gate, gate);
}

static void print_pinned(struct buf *to, const struct enrolment_pinned *rows, size_t n)
{
    char first[CIVIL_TEXT_MAX];
    char last[CIVIL_TEXT_MAX];
    size_t wide = sizeof("host") - 1;
    for (size_t i = 0; i < n; i++) {
        wide = longer(wide, strlen(rows[i].host));
    }
    buf_printf(to, "\nHosts that applications pin: %zu\n", n);
    if (n == 0) {
        return;
    }
    buf_printf(to, "  %-*s  %7s  %8s  %-16s  %s\n", (int)wide, "host", "devices", "refusals",
               "first", "last");
    for (size_t i = 0; i < n; i++) {
        buf_printf(to, "  %-*s  %7zu  %8llu  %-16s  %s\n", (int)wide, rows[i].host, rows[i].devices,
                   (unsigned long long)rows[i].refusals, minute(rows[i].first_ms, first),
                   minute(rows[i].last_ms, last));
    }
    buf_append(to, STR("  What to do: nothing, where the site is closed anyway. Where the school "
                       "wants the\n"
                       "  application to work, put its host on never_inspect in the policy, with "
                       "who, why\n"
                       "  and a review date (docs/policy.md). Until then it stays inspected, and "
                       "does not work.\n"));
}

static void json_time(struct buf *to, struct str name, int64_t ms)
{
    char text[CIVIL_TEXT_MAX];
    json_name(to, name);
    json_str(to, str_make(text, civil_print_utc(ms, text)));
}

static void json_device(struct buf *to, const struct enrolment_device *device)
{
    char addr[ADDR_TEXT_MAX];
    json_open_object(to);
    json_name(to, STR("address"));
    json_str(to, str_make(addr, addr_print(&device->addr, addr)));
    json_name(to, STR("device"));
    if (device->id.len != 0) {
        json_str(to, device->id);
    } else {
        json_none(to);
    }
    json_time(to, STR("since"), device->since_ms);
    json_time(to, STR("last"), device->refused_ms);
    json_name(to, STR("refusals"));
    json_u64(to, device->refusals);
    json_name(to, STR("host"));
    json_str(to, device->host);
    json_close_object(to);
}

static void print_json(struct buf *to, const struct enrolment *enrolment,
                       const struct enrolment_pinned *rows, size_t n)
{
    struct enrolment_device device;
    json_open_object(to);
    json_name(to, STR("not_enrolled"));
    json_open_array(to);
    for (size_t at = 0; enrolment_next_device(enrolment, &at, &device);) {
        json_device(to, &device);
    }
    json_close_array(to);
    json_name(to, STR("pinned"));
    json_open_array(to);
    for (size_t i = 0; i < n; i++) {
        json_open_object(to);
        json_name(to, STR("host"));
        json_str(to, str_from(rows[i].host));
        json_name(to, STR("devices"));
        json_u64(to, rows[i].devices);
        json_name(to, STR("refusals"));
        json_u64(to, rows[i].refusals);
        json_time(to, STR("first"), rows[i].first_ms);
        json_time(to, STR("last"), rows[i].last_ms);
        json_close_object(to);
    }
    json_close_array(to);
    json_close_object(to);
    buf_append_byte(to, '\n');
}

static int print_all(const char *data, struct enrolment *enrolment, bool json)
{
    struct conf conf;
    struct enrolment_pinned *rows = NULL;
    struct buf out = {0};
    struct buf why = {0};
    size_t n = 0;
    conf_init(&conf);
    buf_init(&why, WHY_MAX);
    if (conf_file_read(data, &conf, &why) != ERR_OK) {
        conf_init(&conf); /* only for the gate's name; serve and doctor say what is wrong */
    }
    buf_fini(&why);
    buf_init(&out, OUT_MAX);
    (void)enrolment_sweep(enrolment, clock_utc_ms());
    enum err err = enrolment_pinned(enrolment, &rows, &n);
    if (err == ERR_OK && json) {
        print_json(&out, enrolment, rows, n);
    } else if (err == ERR_OK) {
        print_devices(&out, enrolment, conf.gate_name.bytes);
        print_pinned(&out, rows, n);
    }
    err = err == ERR_OK ? buf_err(&out) : err;
    if (err == ERR_OK) {
        err = file_write_all(STDOUT_FILENO, buf_str(&out));
    }
    free(rows);
    buf_fini(&out);
    return err == ERR_OK ? EXIT_DONE : cmd_fail(EXIT_REFUSED, "devices", "%s", err_text(err));
}

int cmd_devices(int argc, char **argv)
{
    const char *data = NULL;
    bool json = false;
    const struct option_row options[] = {
        {"data", "DIR", "the data folder of `lodge serve`", &data, NULL, true},
        {"json", NULL, "as JSON", NULL, &json, false},
    };
    const struct usage usage = {
        .command = "devices",
        .synopsis = "--data DIR [--json]",
        .summary = "Lists devices that do not know the gate's certificate, and hosts that\n"
                   "applications pin.",
        .details = details,
        .options = options,
        .n_options = sizeof(options) / sizeof(options[0]),
    };
    struct enrolment *enrolment = NULL;
    int first = 0;
    int code = options_read(&usage, argc, argv, &first);
    if (code == OPTIONS_GO_ON) {
        code = read_register(data, &enrolment);
    }
    if (code == OPTIONS_GO_ON) {
        code = print_all(data, enrolment, json);
    }
    enrolment_free(enrolment);
    return code;
}
