/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files of the console's certificate. */
#include "proc/front_certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/log.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "os/file.h"
#include "proc/front_vouch.h"
#include "tls/certificate.h"
#include "tls/own.h"

enum { FILE_MAX = 256 * 1024, LINE_MAX_BYTES = 2048, DER_MAX = 4096 };

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

/* Ours as it is, where it is for all names, holds for a while, and the key is its own. */
static bool is_good(const struct texts *texts, const struct front_names *names, int64_t now_ms)
{
    struct certificate read;
    struct tls_leaf *leaf;
    const char *why;
    if (!own_is_for(buf_str(&texts->certificate), names->hosts, names->n) ||
        certificate_read(buf_str(&texts->certificate), &read) != ERR_OK ||
        read.until_ms - now_ms <= FRONT_RENEW_MS ||
        own_open(buf_str(&texts->key), buf_str(&texts->certificate), now_ms, &leaf, &why) !=
            ERR_OK) {
        return false;
    }
    tls_leaf_free(leaf);
    return true;
}

/* A new key, which the notary signs for. */
static enum err make_signed(int line_fd, struct str chain, struct texts *texts)
{
    struct tls_key *key;
    struct buf der;
    ERR_TRY(tls_key_make(&key));
    buf_init(&der, DER_MAX);
    enum err err = front_vouch_ask(line_fd, key, &der);
    if (err == ERR_OK) {
        err = own_print_key(key, &texts->key);
    }
    if (err == ERR_OK) {
        err = own_print_chain(buf_str(&der), chain, &texts->certificate);
    }
    buf_fini(&der);
    tls_key_free(key);
    return err;
}

/* What becomes of a power cut in between is not good, and made again. */
static enum err write_both(int folder_fd, const struct texts *texts)
{
    ERR_TRY(file_write(folder_fd, FRONT_KEY, buf_str(&texts->key), 0600));
    return file_write(folder_fd, FRONT_CERTIFICATE, buf_str(&texts->certificate), 0644);
}

static enum err open_texts(const struct texts *texts, const char *file, int64_t now_ms,
                           struct tls_leaf **ret_leaf)
{
    const char *why = err_text(ERR_MEMORY);
    enum err err =
        own_open(buf_str(&texts->key), buf_str(&texts->certificate), now_ms, ret_leaf, &why);
    return err == ERR_OK ? ERR_OK : refuse(file, why);
}

/* The certificates of the notary's CA; empty where it does not say. */
static void hear_issuer(int line_fd, struct file_map *ret_chain)
{
    *ret_chain = (struct file_map){.bytes = {.len = 0}};
    enum err err = line_fd >= 0 ? front_vouch_issuer(line_fd, ret_chain) : ERR_NOT_FOUND;
    if (err != ERR_OK) {
        log_line(LOG_WARN, "notary-silent", "err=%s do=\"browsers warn of the console meanwhile\"",
                 err_name(err));
    }
}

/* Signed by the notary where it answers; else, where there is nothing to go on with, by itself. */
static enum err make(int line_fd, struct str chain, const struct front_names *names, bool have_one,
                     int64_t now_ms, struct texts *made, enum certificate_from *ret_from)
{
    enum err err = chain.len != 0 ? make_signed(line_fd, chain, made) : ERR_NOT_FOUND;
    *ret_from = err == ERR_OK ? CERTIFICATE_GATES : CERTIFICATE_OURS;
    if (err != ERR_OK && !have_one) {
        buf_clear(&made->key);
        buf_clear(&made->certificate);
        err = own_make(names->hosts, names->n, now_ms, &made->key, &made->certificate);
    }
    return err;
}

/* Leaves in texts what is to be used. */
static enum err choose(int line_fd, const struct front_names *names, int64_t now_ms,
                       struct texts *texts, bool *ret_new, enum certificate_from *ret_from)
{
    struct file_map chain;
    struct texts made;
    hear_issuer(line_fd, &chain);
    bool good = is_good(texts, names, now_ms);
    *ret_new = false;
    *ret_from = CERTIFICATE_GATES;
    if (good && own_is_from(buf_str(&texts->certificate), chain.bytes)) {
        file_map_fini(&chain);
        return ERR_OK;
    }
    texts_init(&made);
    enum err err = make(line_fd, chain.bytes, names, good, now_ms, &made, ret_from);
    if (err == ERR_OK) {
        struct texts old = *texts;
        *texts = made;
        made = old;
        *ret_new = true;
    }
    texts_fini(&made);
    file_map_fini(&chain);
    return good ? ERR_OK : err;
}

static enum err open_own(int folder_fd, int line_fd, const struct front_names *names,
                         int64_t now_ms, struct texts *texts,
                         struct front_certificate *ret_certificate)
{
    bool new;
    enum err err = read_both(folder_fd, FRONT_KEY, FRONT_CERTIFICATE, texts);
    if (err != ERR_OK && err != ERR_NOT_FOUND) {
        return err;
    }
    err = choose(line_fd, names, now_ms, texts, &new, &ret_certificate->from);
    if (err == ERR_OK && new) {
        err = write_both(folder_fd, texts);
    }
    if (err != ERR_OK) {
        return refuse(FRONT_CERTIFICATE, err == ERR_SYSTEM ? strerror(errno) : err_text(err));
    }
    if (new) {
        log_line(LOG_INFO, "console-certificate-made", "names=%zu", names->n);
    }
    return open_texts(texts, FRONT_CERTIFICATE, now_ms, &ret_certificate->leaf);
}

static enum err open_schools(const struct conf *conf, int64_t now_ms, struct texts *texts,
                             struct front_certificate *ret_certificate)
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
    ret_certificate->from = CERTIFICATE_SCHOOLS;
    return open_texts(texts, certificate, now_ms, &ret_certificate->leaf);
}

/* For whoever compares it with what a browser shows. */
static void tell(const struct texts *texts, enum certificate_from from)
{
    static const char *const names[] = {
        [CERTIFICATE_UNSET] = "?",
        [CERTIFICATE_SCHOOLS] = "school",
        [CERTIFICATE_GATES] = "gate",
        [CERTIFICATE_OURS] = "itself",
    };
    struct certificate read;
    char hex[SHA256_TEXT_MAX];
    char until[CIVIL_TEXT_MAX];
    if (certificate_read(buf_str(&texts->certificate), &read) == ERR_OK) {
        sha256_print(read.sha256, hex);
        (void)civil_print_utc(read.until_ms, until);
        log_line(LOG_INFO, "console-certificate", "signed_by=%s until=%.10s sha256=%s", names[from],
                 until, hex);
    }
}

enum err front_certificate_open(int folder_fd, int line_fd, const struct conf *conf,
                                const struct front_names *names, int64_t now_ms,
                                struct front_certificate *ret_certificate)
{
    struct texts texts;
    struct front_certificate certificate = {.leaf = NULL};
    texts_init(&texts);
    enum err err = conf->console_certificate.len != 0
                       ? open_schools(conf, now_ms, &texts, &certificate)
                       : open_own(folder_fd, line_fd, names, now_ms, &texts, &certificate);
    if (err == ERR_OK) {
        tell(&texts, certificate.from);
        *ret_certificate = certificate;
    }
    texts_fini(&texts);
    return err;
}
