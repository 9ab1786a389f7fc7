/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The URLs that a command is asked about. */
#include "cmd/urls.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "os/file.h"

enum { CHUNK = 256 * 1024, BUFFERED_MAX = 64 * 1024 * 1024 };

static enum err flush(struct buf *out)
{
    ERR_TRY(buf_err(out));
    enum err err = file_write_all(STDOUT_FILENO, buf_str(out));
    buf_clear(out);
    return err;
}

static void answer_line(const struct urls_task *task, struct str line, struct buf *out)
{
    struct str url = str_ends(line, STR("\r")) ? str_sub(line, 0, line.len - 1) : line;
    task->answer(task->ctx, url, out);
}

/* The whole lines of in; what is left over stays. */
static enum err answer_lines(const struct urls_task *task, struct buf *in, struct buf *out)
{
    struct str rest = buf_str(in);
    for (size_t end = str_index(rest, '\n'); end < rest.len; end = str_index(rest, '\n')) {
        answer_line(task, str_sub(rest, 0, end), out);
        rest = str_skip(rest, end + 1);
        if (out->len >= CHUNK) {
            ERR_TRY(flush(out));
        }
    }
    buf_consume(in, in->len - rest.len);
    return flush(out);
}

/* ERR_NOT_FOUND at the end of standard input. */
static enum err read_more(struct buf *in)
{
    char *to = buf_reserve(in, CHUNK);
    if (to == NULL) {
        return buf_err(in);
    }
    ssize_t n = read(STDIN_FILENO, to, CHUNK);
    if (n < 0) {
        return errno == EINTR ? ERR_OK : ERR_SYSTEM;
    }
    buf_commit(in, (size_t)n);
    return n != 0 ? ERR_OK : ERR_NOT_FOUND;
}

static enum err answer_stream(const struct urls_task *task, struct buf *out)
{
    struct buf in = {0};
    enum err err = ERR_OK;
    buf_init(&in, BUFFERED_MAX);
    while (err == ERR_OK) {
        err = read_more(&in);
        err = err == ERR_OK ? answer_lines(task, &in, out) : err;
    }
    if (err == ERR_NOT_FOUND) {
        if (in.len != 0) {
            answer_line(task, buf_str(&in), out);
        }
        err = flush(out);
    }
    buf_fini(&in);
    return err;
}

int urls_answer(const struct urls_task *task, int n, char **words)
{
    struct buf out = {0};
    enum err err = ERR_OK;
    buf_init(&out, BUFFERED_MAX);
    for (int i = 0; i < n && err == ERR_OK; i++) {
        if (strcmp(words[i], "-") == 0) {
            err = answer_stream(task, &out);
        } else {
            answer_line(task, str_from(words[i]), &out);
            err = flush(&out);
        }
    }
    const char *why = err == ERR_SYSTEM ? strerror(errno) : err_text(err);
    buf_fini(&out);
    return err == ERR_OK ? EXIT_DONE : cmd_fail(EXIT_REFUSED, task->command, "%s", why);
}
