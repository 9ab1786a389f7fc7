/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines are appended by one write each, so that two processes never mix theirs. */
#include "records/audit_heads.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/num.h"
#include "crypto/hash.h"
#include "os/file.h"

enum { HEADS_MAX = 64 * 1024 * 1024, LINE_MAX_BYTES = 256, HEADS_MODE = 0600 };
enum { SCHOOLS_MAX = 4096, ARENA_MAX = 1 << 20 };

_Static_assert((int)AUDIT_HASH_BYTES == (int)SHA256_BYTES, "printed as SHA-256 is");

/* seq stays 0 where the line is another school's. */
static enum err read_line(struct str line, struct str school, struct audit_head *head)
{
    uint64_t seq;
    (void)str_next_word(&line); /* when it was noted */
    if (!str_eq(str_next_word(&line), school)) {
        return ERR_OK;
    }
    ERR_TRY(parse_u64(str_next_word(&line), 1, INT64_MAX, &seq));
    ERR_TRY(sha256_parse(str_next_word(&line), head->hash));
    head->seq = (int64_t)seq;
    head->noted = AUDIT_FOLDER "/" AUDIT_HEADS_NAME;
    return ERR_OK;
}

void audit_ends_fini(struct audit_ends *ends)
{
    free(ends->at);
    *ends = (struct audit_ends){0};
}

enum err audit_ends_add(struct audit_ends *ends, const struct audit_head *head)
{
    if (ends->n == ends->cap) {
        size_t cap = ends->cap != 0 ? 2 * ends->cap : 64;
        struct audit_head *at = reallocarray(ends->at, cap, sizeof(*at));
        if (at == NULL) {
            return ERR_MEMORY;
        }
        ends->at = at;
        ends->cap = cap;
    }
    ends->at[ends->n++] = *head;
    return ERR_OK;
}

static enum err read_lines(struct str rest, struct str school, struct audit_ends *ends)
{
    while (rest.len != 0) {
        struct audit_head head = {0};
        struct str line;
        (void)str_cut(rest, '\n', &line, &rest);
        if (read_line(line, school, &head) != ERR_OK) {
            ends->damaged = true;
        } else if (head.seq != 0) {
            ERR_TRY(audit_ends_add(ends, &head));
        }
    }
    return ERR_OK;
}

enum err audit_heads_read(int folder_fd, struct str school, struct audit_ends *ends)
{
    struct buf text;
    buf_init(&text, HEADS_MAX);
    enum err err = file_read(folder_fd, AUDIT_HEADS_NAME, &text);
    if (err == ERR_OK) {
        err = read_lines(buf_str(&text), school, ends);
    }
    buf_fini(&text);
    return err == ERR_NOT_FOUND ? ERR_OK : err;
}

enum err audit_heads_last(int folder_fd, struct str school, struct audit_head *ret_head)
{
    struct audit_ends ends = {0};
    enum err err = audit_heads_read(folder_fd, school, &ends);
    if (err == ERR_OK && ends.damaged) {
        err = ERR_INVALID;
    }
    if (err == ERR_OK) {
        *ret_head = ends.n != 0 ? ends.at[ends.n - 1] : (struct audit_head){0};
    }
    audit_ends_fini(&ends);
    return err;
}

static enum err append(int folder_fd, struct str line)
{
    int fd =
        openat(folder_fd, AUDIT_HEADS_NAME, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, HEADS_MODE);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    enum err err = file_give(fd, folder_fd); /* the clerk's, where the operator began it */
    if (err == ERR_OK) {
        err = file_write_all(fd, line);
    }
    if (err == ERR_OK && fsync(fd) != 0) {
        err = ERR_SYSTEM;
    }
    int saved = errno;
    close(fd);
    errno = saved;
    return err;
}

enum err audit_heads_note(struct store *store, int folder_fd, struct str school, int64_t now_ms)
{
    char when[CIVIL_TEXT_MAX];
    char digits[SHA256_TEXT_MAX];
    struct audit_head last;
    struct audit_head now;
    struct buf line;
    ERR_TRY(audit_head(store, school, &now.seq, now.hash));
    ERR_TRY(audit_heads_last(folder_fd, school, &last));
    if (now.seq == 0 ||
        (now.seq == last.seq && memcmp(now.hash, last.hash, sizeof(now.hash)) == 0)) {
        return ERR_OK;
    }
    sha256_print(now.hash, digits);
    buf_init(&line, LINE_MAX_BYTES);
    buf_append(&line, str_make(when, civil_print_utc(now_ms, when)));
    buf_append_byte(&line, ' ');
    buf_append(&line, school);
    buf_append_byte(&line, ' ');
    buf_append_i64(&line, now.seq);
    buf_append_byte(&line, ' ');
    buf_append(&line, str_from(digits));
    buf_append_byte(&line, '\n');
    enum err err = buf_err(&line);
    err = err == ERR_OK ? append(folder_fd, buf_str(&line)) : err;
    buf_fini(&line);
    return err;
}

/* ---- all schools ---- */

static enum err read_schools(struct store *store, struct arena *arena, struct str *ids,
                             size_t *ret_n)
{
    struct store_rows *rows;
    size_t n = 0;
    enum err err;
    ERR_TRY(store_begin(store, STR(""), STORE_READ));
    err = store_query(store, STATEMENT_SCHOOLS, NULL, 0, &rows);
    if (err == ERR_OK) {
        while (n < SCHOOLS_MAX && store_rows_next(rows, &err)) {
            ids[n++] = arena_dup(arena, store_rows_bytes(rows, 0));
        }
        store_rows_free(rows);
    }
    store_rollback(store);
    *ret_n = n;
    return err == ERR_OK && arena->failed ? ERR_MEMORY : err;
}

struct noting {
    struct store *store;
    int folder_fd;
    int64_t now_ms;
    audit_noted noted;
    void *context;
};

static enum err note_one(const struct noting *noting, struct str school)
{
    struct audit_head head = {0};
    ERR_TRY(store_begin(noting->store, school, STORE_READ));
    enum err err = audit_heads_note(noting->store, noting->folder_fd, school, noting->now_ms);
    if (err == ERR_OK) {
        err = audit_head(noting->store, school, &head.seq, head.hash);
    }
    if (err == ERR_OK && head.seq != 0 && noting->noted != NULL) {
        err = noting->noted(noting->context, school, &head);
    }
    store_rollback(noting->store);
    return err;
}

enum err audit_heads_note_all(struct store *store, int folder_fd, int64_t now_ms, audit_noted noted,
                              void *context)
{
    const struct noting noting = {store, folder_fd, now_ms, noted, context};
    struct arena arena;
    size_t n = 0;
    arena_init(&arena, ARENA_MAX);
    struct str *ids = arena_array(&arena, SCHOOLS_MAX, sizeof(*ids));
    enum err err = ids != NULL ? read_schools(store, &arena, ids, &n) : ERR_MEMORY;
    for (size_t i = 0; err == ERR_OK && i < n; i++) {
        err = note_one(&noting, ids[i]);
    }
    arena_fini(&arena);
    return err;
}
