/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge doctor: what keeps the gate from working, one line a check, and what to do. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/cmd.h"
#include "cmd/conf_file.h"
#include "cmd/doctor_impl.h"
#include "cmd/images.h"
#include "os/confine.h"
#include "os/sock.h"
#include "proc/images.h"
#include "proc/proc.h"

enum {
    PATH_BYTES = 4096,
    TEXT_MAX = 64 * 1024,
    OTHERS = 0007,
    FILES_PER_CLIENT = 2,
    EARLIEST_YEAR = 2026,
};

static const uint64_t room_warn = UINT64_C(1) << 30;
static const uint64_t room_fail = UINT64_C(64) << 20;

static enum verdict check_options(struct doctor *doctor)
{
    conf_init(&doctor->conf);
    enum err err = conf_file_read(doctor->data, &doctor->conf, &doctor->said);
    if (err != ERR_OK) {
        buf_append(&doctor->todo, STR("correct that line; lodge serve --help lists the options"));
        return VERDICT_FAIL;
    }
    buf_clear(&doctor->said);
    buf_append(&doctor->said, STR("lodge.conf can be read"));
    return VERDICT_OK;
}

static enum verdict check_folder(struct doctor *doctor, const struct folder_row *row)
{
    char path[PATH_BYTES];
    struct stat stat;
    uid_t uid;
    gid_t gid;
    if (!folder_path(doctor->data, row->name, path, sizeof(path)) || lstat(path, &stat) != 0) {
        if (errno == ENOENT && row->name[0] != '\0') {
            return VERDICT_OK; /* lodge serve makes it */
        }
        buf_printf(&doctor->said, "%s: %s. ", path, strerror(errno));
        return VERDICT_FAIL;
    }
    if (!S_ISDIR(stat.st_mode)) {
        buf_printf(&doctor->said, "%s is no folder. ", path);
        return VERDICT_FAIL;
    }
    enum verdict verdict = VERDICT_OK;
    if ((stat.st_mode & ~row->mode & 0777) != 0) {
        buf_printf(&doctor->said, "%s has mode %03o, more than %03o. ", path,
                   (unsigned)stat.st_mode & 0777, row->mode);
        verdict = row->user != NULL ? VERDICT_FAIL : VERDICT_WARN;
    }
    if (row->user != NULL && confine_find_user(row->user, &uid, &gid) == ERR_OK && geteuid() == 0 &&
        stat.st_uid != uid) {
        buf_printf(&doctor->said, "%s does not belong to %s. ", path, row->user);
        verdict = VERDICT_FAIL;
    }
    return verdict;
}

static enum verdict check_folders(struct doctor *doctor)
{
    enum verdict worst = VERDICT_OK;
    for (size_t i = 0; i < n_folder_rows; i++) {
        enum verdict verdict = check_folder(doctor, &folder_rows[i]);
        worst = verdict > worst ? verdict : worst;
    }
    if (worst == VERDICT_OK) {
        buf_printf(&doctor->said, "%s and the folders in it", doctor->data);
    } else {
        buf_append(&doctor->todo, STR("lodge doctor --fix makes and mends them"));
    }
    return worst;
}

static enum verdict check_users(struct doctor *doctor)
{
    uid_t uid;
    gid_t gid;
    size_t missing = 0;
    for (size_t i = 0; i < n_user_names; i++) {
        if (confine_find_user(user_names[i], &uid, &gid) != ERR_OK) {
            buf_printf(&doctor->said, "%s%s", missing > 0 ? ", " : "", user_names[i]);
            missing++;
        }
    }
    if (missing == 0 && proc_store_group(&gid) != ERR_OK) {
        buf_append(&doctor->said, STR("the group " PROC_STORE_GROUP));
        missing++;
    }
    if (missing == 0) {
        buf_append(&doctor->said, STR("each process has a system user of its own"));
        return VERDICT_OK;
    }
    buf_append(&doctor->said, missing > 1 ? STR(" do not exist") : STR(" does not exist"));
    buf_append(&doctor->todo, STR("lodge doctor --fix, as root; until then seccomp and Landlock "
                                  "stand alone"));
    return VERDICT_WARN;
}

static enum verdict check_kernel(struct doctor *doctor)
{
    int landlock = confine_landlock_abi();
    bool seccomp = confine_has_seccomp();
    buf_printf(&doctor->said, "Landlock %s%d, seccomp %s", landlock > 0 ? "version " : "", landlock,
               seccomp ? "yes" : "no");
    if (landlock > 0 && seccomp) {
        return VERDICT_OK;
    }
    buf_append(&doctor->todo, STR("use a kernel with both (Debian's has): a process that is taken "
                                  "over could otherwise open files"));
    return VERDICT_WARN;
}

static enum verdict check_images(struct doctor *doctor)
{
    const struct conf_text *paths[IMAGE_COUNT] = {
        [IMAGE_CATALOG] = &doctor->conf.catalog,
        [IMAGE_POLICY] = &doctor->conf.policy,
        [IMAGE_STATE] = &doctor->conf.state,
    };
    enum verdict worst = VERDICT_OK;
    for (int i = 0; i < IMAGE_COUNT; i++) {
        const char *name = image_name((enum image)i);
        struct buf why;
        buf_init(&why, TEXT_MAX);
        if (paths[i]->len == 0 && i == IMAGE_STATE) {
            buf_append(&doctor->said, STR("state: none, so everybody is of the unknown group. "));
        } else if (paths[i]->len == 0) {
            buf_printf(&doctor->said, "%s: none in lodge.conf. ", name);
            worst = worst > VERDICT_WARN ? worst : VERDICT_WARN;
        } else if (image_check((enum image)i, paths[i]->bytes, &why) == ERR_OK) {
            buf_printf(&doctor->said, "%s: good. ", name);
        } else {
            buf_printf(&doctor->said, "%s: %s: %.*s. ", name, paths[i]->bytes,
                       STR_ARG(buf_str(&why)));
            worst = VERDICT_FAIL;
        }
        buf_fini(&why);
    }
    if (worst == VERDICT_FAIL) {
        buf_append(&doctor->todo, STR("docs/running.md says how each is made"));
    } else if (worst == VERDICT_WARN) {
        buf_append(&doctor->todo, STR("name it there, or on the command line of lodge serve"));
    }
    return worst;
}

static enum verdict check_port(struct doctor *doctor)
{
    struct sock_addr addr;
    int fd;
    const char *text = doctor->conf.proxy.bytes;
    if (text[0] == '\0') {
        buf_append(&doctor->said, STR("no \"proxy\" in lodge.conf"));
        buf_append(&doctor->todo, STR("name one there, or on the command line of lodge serve"));
        return VERDICT_WARN;
    }
    if (sock_addr_parse(conf_str(&doctor->conf.proxy), &addr) != ERR_OK) {
        buf_printf(&doctor->said, "\"%s\" is not ADDR:PORT", text);
        buf_append(&doctor->todo, STR("correct it in lodge.conf, as *:3128"));
        return VERDICT_FAIL;
    }
    if (sock_listen(&addr, &fd) != ERR_OK) {
        buf_printf(&doctor->said, "%s: %s", text, strerror(errno));
        bool in_use = errno == EADDRINUSE;
        buf_append(&doctor->todo, in_use ? STR("fine if it is this gate that runs there")
                                         : STR("choose an address of this machine and a port above "
                                               "1023, or start as root"));
        return in_use ? VERDICT_WARN : VERDICT_FAIL;
    }
    close(fd);
    buf_printf(&doctor->said, "%s is free", text);
    return VERDICT_OK;
}

static enum verdict check_names(struct doctor *doctor)
{
    if (access("/etc/resolv.conf", R_OK) == 0) {
        buf_append(&doctor->said, STR("/etc/resolv.conf can be read"));
        return VERDICT_OK;
    }
    buf_printf(&doctor->said, "/etc/resolv.conf: %s", strerror(errno));
    buf_append(&doctor->todo, STR("name the school's DNS servers there; else 127.0.0.1 is asked"));
    return VERDICT_WARN;
}

static enum verdict check_room(struct doctor *doctor)
{
    struct statvfs disk;
    if (statvfs(doctor->data, &disk) != 0) {
        buf_printf(&doctor->said, "%s: %s", doctor->data, strerror(errno));
        buf_append(&doctor->todo, STR("lodge doctor --fix"));
        return VERDICT_FAIL;
    }
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    buf_printf(&doctor->said, "%llu MiB free for events", (unsigned long long)(room >> 20));
    if (room >= room_warn) {
        return VERDICT_OK;
    }
    buf_append(&doctor->todo, STR("make room: without any, every request is refused"));
    return room < room_fail ? VERDICT_FAIL : VERDICT_WARN;
}

static enum verdict check_limits(struct doctor *doctor)
{
    struct rlimit limit;
    uint64_t want = doctor->conf.max_connections * FILES_PER_CLIENT;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        buf_append(&doctor->said, str_from(strerror(errno)));
        return VERDICT_WARN;
    }
    buf_printf(&doctor->said, "%llu open files for a process; max-connections wants %llu",
               (unsigned long long)limit.rlim_max, (unsigned long long)want);
    if (limit.rlim_max >= want) {
        return VERDICT_OK;
    }
    buf_append(&doctor->todo, STR("raise it (LimitNOFILE in the unit, ulimit -Hn), or lower "
                                  "max-connections"));
    return VERDICT_WARN;
}

static enum verdict check_time(struct doctor *doctor)
{
    struct civil now;
    struct timex state = {.modes = 0};
    civil_from_ms(clock_utc_ms(), &now);
    buf_printf(&doctor->said, "%04d-%02d-%02d %02d:%02d UTC", now.year, now.month, now.day,
               now.hour, now.minute);
    if (now.year < EARLIEST_YEAR) {
        buf_append(&doctor->todo, STR("set the clock: the timetable goes by it"));
        return VERDICT_FAIL;
    }
    if (adjtimex(&state) == TIME_ERROR) {
        buf_append(&doctor->said, STR(", not kept by a time server"));
        buf_append(&doctor->todo, STR("switch on systemd-timesyncd or chrony: the timetable goes "
                                      "by this clock"));
        return VERDICT_WARN;
    }
    return VERDICT_OK;
}

/* Options first: others look at them. */
static const struct {
    const char *name;
    enum verdict (*check)(struct doctor *doctor);
} checks[] = {
    {"options", check_options}, {"folders", check_folders}, {"users", check_users},
    {"kernel", check_kernel},   {"images", check_images},   {"ca", check_ca},
    {"roots", check_roots},     {"port", check_port},       {"names", check_names},
    {"room", check_room},       {"limits", check_limits},   {"time", check_time},
    {"mail", check_mail},       {"memory", check_memory},
};

static bool run_checks(struct doctor *doctor)
{
    static const char *const words[] = {[VERDICT_UNSET] = "",
                                        [VERDICT_OK] = "ok",
                                        [VERDICT_WARN] = "warn",
                                        [VERDICT_FAIL] = "fail"};
    bool healthy = true;
    for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
        buf_clear(&doctor->said);
        buf_clear(&doctor->todo);
        enum verdict verdict = checks[i].check(doctor);
        struct str said = str_trim_space(buf_str(&doctor->said));
        printf("%-5s %s: %.*s\n", words[verdict], checks[i].name, STR_ARG(said));
        if (doctor->todo.len > 0) {
            printf("      -> %.*s\n", STR_ARG(buf_str(&doctor->todo)));
        }
        healthy = healthy && verdict != VERDICT_FAIL;
    }
    return healthy;
}

int cmd_doctor(int argc, char **argv)
{
    static struct doctor doctor;
    static bool fix;
    static const struct option_row rows[] = {
        {.name = "data",
         .value = "DIR",
         .help = "the data folder",
         .text = &doctor.data,
         .required = true},
        {.name = "fix", .help = "make system users (as root) and folders", .flag = &fix},
    };
    static const struct usage usage = {
        .command = "doctor",
        .synopsis = "--data DIR [--fix]",
        .summary = "Looks for what keeps the gate from working: one line a check, and what to do.",
        .details = "Checks folders, users, the kernel, the images, the CA and the port that "
                   "DIR/lodge.conf\n"
                   "names, names, room, limits, time and where memory is swapped to.\n\n"
                   "Exit codes: 0 no check failed (warnings are no failures); 1 one did; 2 the\n"
                   "command line was wrong.",
        .options = rows,
        .n_options = sizeof(rows) / sizeof(rows[0]),
    };
    int first;
    int code = options_read(&usage, argc, argv, &first);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    code = make_data("doctor", doctor.data);
    if (code != OPTIONS_GO_ON) {
        return code;
    }
    buf_init(&doctor.said, TEXT_MAX);
    buf_init(&doctor.todo, TEXT_MAX);
    if (fix) {
        doctor_fix(&doctor);
    }
    bool healthy = run_checks(&doctor);
    buf_fini(&doctor.said);
    buf_fini(&doctor.todo);
    return healthy ? EXIT_DONE : EXIT_REFUSED;
}
