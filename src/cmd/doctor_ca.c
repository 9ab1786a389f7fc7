/* SPDX-License-Identifier: GPL-3.0-or-later */
/* lodge doctor: the CA, its key, and who may vouch for sites. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "cmd/doctor_impl.h"
#include "os/file.h"
#include "proc/keeper.h"
#include "tls/certificate.h"

enum { PATH_BYTES = 4096, OTHERS = 0077, ROOTS_MAX = 16 * 1024 * 1024, SOON_DAYS = 90 };

struct paths {
    char key[PATH_BYTES];
    char certificate[PATH_BYTES];
};

static void find_paths(const struct doctor *doctor, struct paths *paths)
{
    if (doctor->conf.ca.len > 0) {
        snprintf(paths->certificate, PATH_BYTES, "%s", doctor->conf.ca.bytes);
        snprintf(paths->key, PATH_BYTES, "%s", doctor->conf.ca_key.bytes);
        return;
    }
    snprintf(paths->certificate, PATH_BYTES, "%.3500s/" KEEPER_FOLDER "/" KEEPER_CERTIFICATE,
             doctor->data);
    snprintf(paths->key, PATH_BYTES, "%.3500s/" KEEPER_FOLDER "/" KEEPER_KEY, doctor->data);
}

static enum verdict judge_key(struct doctor *doctor, const char *path)
{
    struct stat stat;
    if (lstat(path, &stat) != 0) {
        buf_printf(&doctor->said, "%s: %s. ", path, strerror(errno));
        buf_append(&doctor->todo, STR("put it back from a backup. "));
        return VERDICT_FAIL;
    }
    if ((stat.st_mode & OTHERS) != 0) {
        buf_printf(&doctor->said, "%s has mode %03o. ", path, (unsigned)stat.st_mode & 0777);
        buf_append(&doctor->todo,
                   STR("chmod 600: whoever reads it can feign every site; if anybody "
                       "may have, make a new CA. "));
        return VERDICT_FAIL;
    }
    return VERDICT_OK;
}

static enum verdict judge_dates(struct doctor *doctor, const char *path, struct str pem)
{
    struct certificate certificate;
    char until[CIVIL_TEXT_MAX];
    int64_t now_ms = clock_utc_ms();
    if (certificate_read(pem, &certificate) != ERR_OK) {
        buf_printf(&doctor->said, "%s: no certificate in it. ", path);
        buf_append(&doctor->todo, STR("name the CA's PEM file. "));
        return VERDICT_FAIL;
    }
    (void)civil_print_utc(certificate.until_ms, until);
    buf_printf(&doctor->said, "%s until %.10s. ", certificate.name, until);
    int64_t left_ms = certificate.until_ms - now_ms;
    if (left_ms > (int64_t)SOON_DAYS * MS_PER_DAY && certificate.from_ms <= now_ms) {
        return VERDICT_OK;
    }
    buf_append(&doctor->todo,
               STR("make or name a new CA and give it to every device before this one "
                   "ends (docs/running.md). "));
    return left_ms > 0 && certificate.from_ms <= now_ms ? VERDICT_WARN : VERDICT_FAIL;
}

static enum verdict read_and_judge(struct doctor *doctor, const struct paths *paths)
{
    struct buf pem;
    buf_init(&pem, KEEPER_FILE_MAX);
    enum verdict verdict = VERDICT_FAIL;
    enum err err = file_read(AT_FDCWD, paths->certificate, &pem);
    if (err == ERR_OK) {
        verdict = judge_dates(doctor, paths->certificate, buf_str(&pem));
        enum verdict key = judge_key(doctor, paths->key);
        verdict = key > verdict ? key : verdict;
    } else if (err == ERR_NOT_FOUND && doctor->conf.ca.len == 0) {
        buf_append(&doctor->said, STR("none yet: lodge serve makes it when it first runs. "));
        verdict = VERDICT_OK;
    } else {
        buf_printf(&doctor->said, "%s: %s. ", paths->certificate,
                   err == ERR_SYSTEM ? strerror(errno) : err_text(err));
        buf_append(&doctor->todo, STR("name files that are there. "));
    }
    buf_fini(&pem);
    return verdict;
}

enum verdict check_ca(struct doctor *doctor)
{
    static struct paths paths;
    if ((doctor->conf.ca.len > 0) != (doctor->conf.ca_key.len > 0)) {
        buf_append(&doctor->said, STR("one of \"ca\" and \"ca-key\" in lodge.conf"));
        buf_append(&doctor->todo, STR("name both, or neither"));
        return VERDICT_FAIL;
    }
    find_paths(doctor, &paths);
    return read_and_judge(doctor, &paths);
}

enum verdict check_roots(struct doctor *doctor)
{
    struct buf pem;
    const char *path = doctor->conf.roots.bytes;
    buf_init(&pem, ROOTS_MAX);
    enum err err = file_read(AT_FDCWD, path, &pem);
    size_t n = err == ERR_OK ? certificate_count(buf_str(&pem)) : 0;
    buf_fini(&pem);
    if (n > 0) {
        buf_printf(&doctor->said, "%zu certificates in %s", n, path);
        return VERDICT_OK;
    }
    buf_printf(&doctor->said, "%s: %s", path,
               err == ERR_OK       ? "no certificate in it"
               : err == ERR_SYSTEM ? strerror(errno)
                                   : err_text(err));
    buf_append(&doctor->todo, STR("apt-get install ca-certificates: without them no site that is "
                                  "inspected opens"));
    return VERDICT_FAIL;
}
