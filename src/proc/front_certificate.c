/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of the console's certificate. */
#include "proc/front_certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "tls/certificate.h"
#include "tls/own.h"

enum { FILE_MAX = 256 * 1024, LINE_MAX_BYTES = 2048 };

struct texts {
    struct buf key;
    struct buf certificate;
};

static void texts_init(struct texts *texts)
{
    buf_init(&texts->key, FILE_MAX);
    buf_init(&texts->certificate, FILE_MAX);
    /* In one piece, so that wiping it is enough. */
    (void)!buf_reserve(&texts->key, FILE_MAX);
}

static void texts_fini(struct texts *texts)
{
    secret_wipe(texts->key.p, texts->key.cap);
    buf_fini(&texts->key);
    buf_fini(&texts->certificate);
}

static enum err refuse(const char *file, const char *why)
{
    struct buf line;
    buf_init(&line, LINE_MAX_BYTES);
    buf_append(&line, STR("file="));
    log_quote(&line, str_from(file));
    buf_append(&line, STR(" why="));
    log_quote(&line, str_from(why));
    log_line(LOG_ERROR, "console-certificate-refused", "%.*s do=\"docs/running.md, The console\"",
             STR_ARG(buf_str(&line)));
    buf_fini(&line);
    return ERR_INVALID;
}

static enum err read_file(int dir_fd, const char *path, struct buf *to)
{
    enum err err = file_read(dir_fd, path, to);
    if (err == ERR_OK || err == ERR_NOT_FOUND) {
        return err;
    }
    return refuse(path, err == ERR_SYSTEM ? strerror(errno) : err_text(err));
}

static enum err read_both(int dir_fd, const char *key, const char *certificate, struct texts *texts)
{
    ERR_TRY(read_file(dir_fd, certificate, &texts->certificate));
    return read_file(dir_fd, key, &texts->key);
}

/* Ours as it is, where it is for all names and holds for a while. */
static bool is_good(const struct texts *texts, const struct front_names *names, int64_t now_ms)
{
    struct certificate read;
    return texts->key.len != 0 &&
           own_is_for(buf_str(&texts->certificate), names->hosts, names->n) &&
           certificate_read(buf_str(&texts->certificate), &read) == ERR_OK &&
           read.from_ms <= now_ms && read.until_ms - now_ms > FRONT_RENEW_MS;
}

static enum err make(int folder_fd, const struct front_names *names, int64_t now_ms,
                     struct texts *texts)
{
    buf_clear(&texts->key);
    buf_clear(&texts->certificate);
    enum err err = own_make(names->hosts, names->n, now_ms, &texts->key, &texts->certificate);
    if (err == ERR_OK) {
        err = file_write(folder_fd, FRONT_KEY, buf_str(&texts->key), 0600);
    }
    if (err == ERR_OK) {
        err = file_write(folder_fd, FRONT_CERTIFICATE, buf_str(&texts->certificate), 0644);
    }
    if (err != ERR_OK) {
        return refuse(FRONT_CERTIFICATE, err == ERR_SYSTEM ? strerror(errno) : err_text(err));
    }
    log_line(LOG_INFO, "console-certificate-made", "names=%zu", names->n);
    return ERR_OK;
}

static enum err open_texts(const struct texts *texts, const char *file, int64_t now_ms,
                           struct tls_leaf **ret_leaf)
{
    const char *why = err_text(ERR_MEMORY);
    enum err err =
        own_open(buf_str(&texts->key), buf_str(&texts->certificate), now_ms, ret_leaf, &why);
    return err == ERR_OK ? ERR_OK : refuse(file, why);
}

static enum err open_own(int folder_fd, const struct front_names *names, int64_t now_ms,
                         struct texts *texts, struct tls_leaf **ret_leaf)
{
    enum err err = read_both(folder_fd, FRONT_KEY, FRONT_CERTIFICATE, texts);
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        return err;
    }
    if (err == ERR_NOT_FOUND || !is_good(texts, names, now_ms)) {
        ERR_TRY(make(folder_fd, names, now_ms, texts));
    }
    return open_texts(texts, FRONT_CERTIFICATE, now_ms, ret_leaf);
}

static enum err open_schools(const struct conf *conf, int64_t now_ms, struct texts *texts,
                             struct tls_leaf **ret_leaf)
{
    const char *certificate = conf->console_certificate.bytes;
    if (conf->console_key.len == 0) {
        return refuse(certificate, "console-key is missing: both are given, or neither");
    }
    enum err err = read_both(AT_FDCWD, conf->console_key.bytes, certificate, texts);
    if (err == ERR_NOT_FOUND) {
        return refuse(certificate, "it, or the file of console-key, is not there");
    }
    ERR_TRY(err);
    return open_texts(texts, certificate, now_ms, ret_leaf);
}

enum err front_certificate_open(int folder_fd, const struct conf *conf,
                                const struct front_names *names, int64_t now_ms,
                                struct tls_leaf **ret_leaf)
{
    struct texts texts;
    texts_init(&texts);
    enum err err = conf->console_certificate.len != 0
                       ? open_schools(conf, now_ms, &texts, ret_leaf)
                       : open_own(folder_fd, names, now_ms, &texts, ret_leaf);
    texts_fini(&texts);
    return err;
}
