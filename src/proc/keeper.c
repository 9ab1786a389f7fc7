/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of the certificate authority. */
#include "proc/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "crypto/secret.h"
#include "os/file.h"

enum { LINE_MAX_BYTES = 2048, NAME_BYTES = 64, OTHERS = 0077 };

/* Where key and certificate stand. */
struct place {
    int dir_fd;
    const char *key;
    const char *certificate;
};

static enum err refuse(const char *file, const char *why, const char *todo)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    buf_append(&line, STR("file="));
    log_quote(&line, str_from(file));
    buf_append(&line, STR(" why="));
    log_quote(&line, str_from(why));
    buf_append(&line, STR(" do="));
    log_quote(&line, str_from(todo));
    log_line(LOG_ERROR, "ca-refused", "%.*s", STR_ARG(buf_str(&line)));
    buf_fini(&line);
    return ERR_INVALID;
}

static void wipe(struct buf *text)
{
    secret_wipe(text->p, text->cap);
    buf_fini(text);
}

/* Into one piece of memory and by no other, so that wiping it is enough. */
static enum err read_into(int fd, struct buf *text)
{
    ssize_t n;
    do {
        char *room = buf_reserve(text, KEEPER_FILE_MAX - text->len);
        if (room == NULL) {
            return ERR_MEMORY;
        }
        n = read(fd, room, KEEPER_FILE_MAX - text->len);
        if (n < 0 && errno != EINTR) {
            return ERR_SYSTEM;
        }
        buf_commit(text, n > 0 ? (size_t)n : 0);
    } while (n != 0 && text->len < KEEPER_FILE_MAX);
    return n == 0 ? ERR_OK : ERR_LIMIT;
}

static enum err read_whole(int dir_fd, const char *path, struct buf *text)
{
    buf_init(text, KEEPER_FILE_MAX);
    int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno == ENOENT ? ERR_NOT_FOUND : ERR_SYSTEM;
    }
    enum err err = read_into(fd, text);
    int saved = errno;
    close(fd);
    errno = saved;
    return err;
}

static enum err make(const struct place *place, const struct conf *conf, int64_t now_ms)
{
    char name[NAME_BYTES + 1];
    struct buf key;
    struct buf certificate;
    int n = snprintf(name, sizeof(name), "Lodge at %s", conf->school.bytes);
    buf_init(&key, KEEPER_FILE_MAX);
    buf_init(&certificate, KEEPER_FILE_MAX);
    struct str text = str_make(name, n < NAME_BYTES ? (size_t)n : NAME_BYTES);
    enum err err = authority_make(text, now_ms, &key, &certificate);
    if (err == ERR_OK) {
        err = file_write(place->dir_fd, place->key, buf_str(&key), 0600);
    }
    if (err == ERR_OK) {
        err = file_write(place->dir_fd, place->certificate, buf_str(&certificate), 0644);
    }
    wipe(&key);
    buf_fini(&certificate);
    if (err == ERR_OK) {
        log_line(LOG_INFO, "ca-made", "do=\"lodge ca show prints it; devices must be given it\"");
    }
    return err;
}

static bool exists(int dir_fd, const char *name)
{
    struct stat stat;
    return fstatat(dir_fd, name, &stat, 0) == 0;
}

/* A key without a certificate that was never in use is a first run cut short. */
static enum err make_where_absent(const struct place *place, const struct conf *conf,
                                  int64_t now_ms)
{
    bool key = exists(place->dir_fd, place->key);
    bool certificate = exists(place->dir_fd, place->certificate);
    if (key && certificate) {
        return ERR_OK;
    }
    if (!certificate && !exists(place->dir_fd, KEEPER_CURRENT)) {
        return make(place, conf, now_ms);
    }
    if (!certificate && !key) {
        return make(place, conf, now_ms); /* the school's own CA was in use before */
    }
    return refuse(key ? KEEPER_CERTIFICATE : KEEPER_KEY, "missing, while its counterpart is there",
                  "put it back from a backup; or move the folder ca away: a new CA is made, and "
                  "every device must be given it");
}

static void warn_of_mode(const struct place *place)
{
    struct stat stat;
    if (fstatat(place->dir_fd, place->key, &stat, 0) == 0 && (stat.st_mode & OTHERS) != 0) {
        struct buf line;
        buf_init(&line, LINE_MAX_BYTES);
        log_quote(&line, str_from(place->key));
        log_line(LOG_WARN, "ca-key-open",
                 "file=%.*s mode=%03o do=\"chmod 600: whoever reads it "
                 "can feign every site\"",
                 STR_ARG(buf_str(&line)), (unsigned)stat.st_mode & 0777);
        buf_fini(&line);
    }
}

/* What is in use, for `lodge ca show`. */
static enum err publish(int folder_fd, const struct authority *authority)
{
    struct buf now;
    struct buf before;
    buf_init(&now, KEEPER_FILE_MAX);
    buf_init(&before, KEEPER_FILE_MAX);
    enum err err = authority_pem(authority, &now);
    if (err == ERR_OK && (file_read(folder_fd, KEEPER_CURRENT, &before) != ERR_OK ||
                          !str_eq(buf_str(&before), buf_str(&now)))) {
        err = file_write(folder_fd, KEEPER_CURRENT, buf_str(&now), 0644);
    }
    buf_fini(&now);
    buf_fini(&before);
    return err;
}

static enum err refuse_file(const char *path, enum err err)
{
    const char *why = err == ERR_SYSTEM ? strerror(errno) : err_text(err);
    return refuse(path, why, "name files that are there and that the gate may read");
}

static enum err read_both(const struct place *place, int64_t now_ms,
                          struct authority **ret_authority)
{
    struct buf key;
    struct buf certificate;
    const char *why = err_text(ERR_MEMORY);
    buf_init(&key, 0);
    enum err err = read_whole(place->dir_fd, place->certificate, &certificate);
    if (err != ERR_OK) {
        err = refuse_file(place->certificate, err);
    } else if ((err = read_whole(place->dir_fd, place->key, &key)) != ERR_OK) {
        err = refuse_file(place->key, err);
    } else {
        err = authority_open(buf_str(&key), buf_str(&certificate), now_ms, ret_authority, &why);
        if (err != ERR_OK) {
            err = refuse(place->certificate, why, "docs/running.md, \"The CA\"");
        }
    }
    wipe(&key);
    buf_fini(&certificate);
    return err;
}

enum err keeper_open(int folder_fd, const struct conf *conf, int64_t now_ms,
                     struct authority **ret_authority)
{
    struct authority *authority = NULL;
    struct place place = {folder_fd, KEEPER_KEY, KEEPER_CERTIFICATE};
    if (conf->ca.len > 0) {
        place = (struct place){AT_FDCWD, conf->ca_key.bytes, conf->ca.bytes};
    } else {
        enum err err = make_where_absent(&place, conf, now_ms);
        if (err != ERR_OK) {
            return err == ERR_INVALID ? err : refuse_file(KEEPER_FOLDER, err);
        }
    }
    ERR_TRY(read_both(&place, now_ms, &authority));
    warn_of_mode(&place);
    enum err err = publish(folder_fd, authority);
    if (err != ERR_OK) {
        authority_free(authority);
        return refuse_file(KEEPER_FOLDER "/" KEEPER_CURRENT, err);
    }
    *ret_authority = authority;
    return ERR_OK;
}
