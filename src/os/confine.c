/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Giving up rights. Landlock's numbers stand here because Debian 12's headers know only its first
 * version, and nothing but them may be asked of the kernel that runs. */
#include "os/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/seccomp.h>
#include <pwd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/check.h"

/* ---- the user ---- */

enum { USER_TEXT_BYTES = 4096, GROUP_TEXT_BYTES = 64 * 1024, GROUPS_MAX = 32 };

enum err confine_find_user(const char *name, uid_t *ret_uid, gid_t *ret_gid)
{
    struct passwd record;
    struct passwd *found = NULL;
    char text[USER_TEXT_BYTES];
    int failed = getpwnam_r(name, &record, text, sizeof(text), &found);
    if (found == NULL) {
        return failed == 0 || failed == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    *ret_uid = record.pw_uid;
    *ret_gid = record.pw_gid;
    return ERR_OK;
}

enum err confine_find_group(const char *name, gid_t *ret_gid)
{
    struct group record;
    struct group *found = NULL;
    char text[GROUP_TEXT_BYTES];
    int failed = getgrnam_r(name, &record, text, sizeof(text), &found);
    if (found == NULL) {
        return failed == 0 || failed == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    *ret_gid = record.gr_gid;
    return ERR_OK;
}

bool confine_has_group(const char *user, gid_t group)
{
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUPS_MAX];
    int n = GROUPS_MAX;
    if (confine_find_user(user, &uid, &gid) != ERR_OK || getgrouplist(user, gid, groups, &n) < 0) {
        return false;
    }
    for (int i = 0; i < n; i++) {
        if (groups[i] == group) {
            return true;
        }
    }
    return false;
}

static enum err become(const char *user, bool *ret_done)
{
    uid_t uid;
    gid_t gid;
    gid_t groups[GROUPS_MAX];
    int n = GROUPS_MAX;
    enum err err = confine_find_user(user, &uid, &gid);
    if (err != ERR_OK) {
        return err == ERR_NOT_FOUND ? ERR_OK : err;
    }
    if (getgrouplist(user, gid, groups, &n) < 0 || setgroups((size_t)n, groups) != 0 ||
        setresgid(gid, gid, gid) != 0 || setresuid(uid, uid, uid) != 0) {
        return ERR_SYSTEM;
    }
    CHECK(uid == 0 || setuid(0) != 0);
    *ret_done = true;
    /* The kernel forgets this when the user changes. */
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 ? ERR_OK : ERR_SYSTEM;
}

enum err confine_user(const char *user, bool *ret_done)
{
    const struct rlimit none = {0, 0};
    bool done = false;
    if (user != NULL && geteuid() == 0) {
        ERR_TRY(become(user, &done));
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0 ||
        setrlimit(RLIMIT_CORE, &none) != 0) {
        return ERR_SYSTEM;
    }
    *ret_done = done;
    return ERR_OK;
}

/* ---- Landlock (Documentation/userspace-api/landlock.rst) ---- */

struct landlock_ruleset {
    uint64_t handled_fs;
    uint64_t handled_net; /* from ABI 4 */
    uint64_t scoped;      /* from ABI 6 */
};

struct landlock_beneath {
    uint64_t allowed;
    int32_t parent_fd;
} __attribute__((packed));

enum { RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

#define FS_WRITE_FILE (1U << 1)
#define FS_READ_FILE (1U << 2)
#define FS_READ_DIR (1U << 3)
#define FS_REMOVE_DIR (1U << 4)
#define FS_REMOVE_FILE (1U << 5)
#define FS_MAKE_DIR (1U << 7)
#define FS_MAKE_REG (1U << 8)
#define FS_TRUNCATE (1U << 14)
#define NET_BIND_TCP (1U << 0)
#define NET_CONNECT_TCP (1U << 1)
#define SCOPE_ABSTRACT_UNIX (1U << 0)
#define SCOPE_SIGNAL (1U << 1)

#define FS_READ (FS_READ_FILE | FS_READ_DIR)
#define FS_CHANGE \
    (FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_TRUNCATE)

/* What each ABI can forbid. The size tells the kernel how much of the struct it is given. */
static const struct landlock_abi {
    uint64_t fs;
    uint64_t net;
    uint64_t scoped;
    size_t size;
} abis[] = {
    [1] = {(1U << 13) - 1, 0, 0, 8},
    [2] = {(1U << 14) - 1, 0, 0, 8},
    [3] = {(1U << 15) - 1, 0, 0, 8},
    [4] = {(1U << 15) - 1, NET_BIND_TCP | NET_CONNECT_TCP, 0, 16},
    [5] = {(1U << 16) - 1, NET_BIND_TCP | NET_CONNECT_TCP, 0, 16},
    [6] = {(1U << 16) - 1, NET_BIND_TCP | NET_CONNECT_TCP, SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL, 24},
};

enum { ABI_NEWEST = sizeof(abis) / sizeof(abis[0]) - 1 };

int confine_landlock_abi(void)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, RULESET_VERSION);
    return abi < 0 ? 0 : abi > ABI_NEWEST ? ABI_NEWEST : (int)abi;
}

#ifdef LODGE_SANITIZED /* the leak checker reads it, at exit */
static const char sanitizer_folder[] = "/proc";
#else
static const char sanitizer_folder[] = "";
#endif

static enum err add_dir(int ruleset_fd, const struct confine_dir *dir, uint64_t handled)
{
    struct landlock_beneath rule = {
        .allowed = (FS_READ | (dir->write ? FS_CHANGE : 0)) & handled,
        .parent_fd = dir->fd,
    };
    long failed = syscall(SYS_landlock_add_rule, ruleset_fd, RULE_PATH_BENEATH, &rule, 0);
    return failed == 0 ? ERR_OK : ERR_SYSTEM;
}

static enum err add_dirs(int ruleset_fd, const struct confine *confine, uint64_t handled)
{
    enum err err = ERR_OK;
    for (size_t i = 0; i < confine->n_dirs && err == ERR_OK; i++) {
        err = add_dir(ruleset_fd, &confine->dirs[i], handled);
    }
    if (err == ERR_OK && sanitizer_folder[0] != '\0') {
        struct confine_dir dir = {.fd = open(sanitizer_folder, O_PATH | O_CLOEXEC)};
        err = dir.fd >= 0 ? add_dir(ruleset_fd, &dir, handled) : ERR_SYSTEM;
        close(dir.fd);
    }
    return err;
}

static enum err apply_landlock(const struct confine *confine, int *ret_abi)
{
    int abi = confine_landlock_abi();
    *ret_abi = 0;
    if (abi == 0) {
        return ERR_OK;
    }
    struct landlock_ruleset rules = {
        .handled_fs = abis[abi].fs,
        .handled_net = abis[abi].net & ~(confine->dial ? (uint64_t)NET_CONNECT_TCP : 0),
        .scoped = abis[abi].scoped,
    };
    int fd = (int)syscall(SYS_landlock_create_ruleset, &rules, abis[abi].size, 0);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    enum err err = add_dirs(fd, confine, rules.handled_fs);
    if (err == ERR_OK && syscall(SYS_landlock_restrict_self, fd, 0) != 0) {
        err = ERR_SYSTEM;
    }
    close(fd);
    if (err == ERR_OK) {
        *ret_abi = abi;
    }
    return err;
}

/* ---- seccomp ---- */

enum { GROUP_BASE = 1 << 16, GROUP_DEADLY = 1 << 17 };

static const struct call_row {
    unsigned group;
    const char *name;
} calls[] = {
#define GROUP_TCP_UDP CONFINE_TCP_UDP
#define GROUP_FILES CONFINE_FILES
#define GROUP_LIBRARY CONFINE_LIBRARY
#define GROUP_MEMORY CONFINE_MEMORY
#define CALL(group, name) {GROUP_##group, #name},
#include "os/confine.def"
#ifdef LODGE_SANITIZED
#include "os/confine_sanitized.def"
#endif
#undef CALL
};

bool confine_has_seccomp(void)
{
    /* Asks for a filter without giving one: EFAULT where the kernel can. */
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, NULL, 0, 0) != 0 && errno == EFAULT;
}

static bool allowed(const char *name, unsigned groups)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        if ((calls[i].group & groups) != 0 && strcmp(calls[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool add_rules(scmp_filter_ctx filter, unsigned groups)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        const struct call_row *row = &calls[i];
        bool deadly = row->group == GROUP_DEADLY;
        int number = seccomp_syscall_resolve_name(row->name);
        if (number < 0 || (deadly ? allowed(row->name, groups) : (row->group & groups) == 0)) {
            continue;
        }
        uint32_t action = deadly ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ALLOW;
        int failed = seccomp_rule_add(filter, action, number, 0);
        if (failed != 0 && failed != -EEXIST) {
            return false;
        }
    }
    if ((groups & CONFINE_LIBRARY) != 0 &&
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                         SCMP_A0(SCMP_CMP_EQ, AF_NETLINK)) != 0) {
        return false;
    }
    if ((groups & CONFINE_TCP_UDP) == 0) {
        return true;
    }
    return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                            SCMP_A0(SCMP_CMP_EQ, AF_INET)) == 0 &&
           seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
                            SCMP_A0(SCMP_CMP_EQ, AF_INET6)) == 0;
}

static enum err apply_seccomp(unsigned groups, bool *ret_done)
{
    *ret_done = false;
    if (!confine_has_seccomp()) {
        return ERR_OK;
    }
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EPERM));
    if (filter == NULL) {
        return ERR_MEMORY;
    }
    /* A tree instead of a chain of comparisons: less to do per call. */
    (void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    bool done = add_rules(filter, groups | GROUP_BASE) && seccomp_load(filter) == 0;
    seccomp_release(filter);
    *ret_done = done;
    return done ? ERR_OK : ERR_SYSTEM;
}

enum err confine_self(const struct confine *confine, struct confine_report *ret_report)
{
    struct confine_report report = {0};
    ERR_TRY(apply_landlock(confine, &report.landlock));
    ERR_TRY(apply_seccomp(confine->calls, &report.seccomp));
    *ret_report = report;
    return ERR_OK;
}
