/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A stack of codings over one body. */
#include "wire/coding.h"

#include <stdlib.h>

#include "base/check.h"
#include "wire/coding_impl.h"

struct coding {
    struct coding_caps caps;
    uint64_t in, out;
    enum err err;
    bool enough;
    size_t n;
    struct coding_stage *stages[CODING_STACK_MAX]; /* the outermost first */
};

bool coding_is_identity(struct str names)
{
    static const struct str words[] = {STR_INIT("identity"), STR_INIT("none"), STR_INIT("utf-8"),
                                       STR_INIT("binary")};
    struct str rest = names;
    struct str item;
    while (rest.len != 0) {
        str_cut(rest, ',', &item, &rest);
        item = str_trim(item);
        bool found = item.len == 0;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            found |= str_eq_nocase(item, words[i]);
        }
        if (!found) {
            return false;
        }
    }
    return true;
}

static enum err add_stage(struct coding *coding, struct str name)
{
    if (coding_is_identity(name)) {
        return ERR_OK;
    }
    const struct coding_kind *kind = coding_kind_find(name);
    if (kind == NULL) {
        return ERR_NOT_FOUND;
    }
    if (coding->n == CODING_STACK_MAX) {
        return ERR_LIMIT;
    }
    struct coding_stage *stage = calloc(1, sizeof(*stage));
    if (stage == NULL || !kind->open(stage)) {
        free(stage);
        return ERR_MEMORY;
    }
    stage->kind = kind;
    coding->stages[coding->n++] = stage;
    return ERR_OK;
}

enum err coding_new(struct str names, const struct coding_caps *caps, struct coding **ret_coding)
{
    struct coding *coding = calloc(1, sizeof(*coding));
    struct str rest = names;
    enum err err = coding != NULL ? ERR_OK : ERR_MEMORY;
    while (err == ERR_OK && rest.len != 0) {
        /* The last one named was put on last (RFC 9110 section 8.4) and comes off first. */
        size_t comma = rest.len;
        while (comma > 0 && rest.p[comma - 1] != ',') {
            comma--;
        }
        err = add_stage(coding, str_trim(str_skip(rest, comma)));
        rest = str_sub(rest, 0, comma > 0 ? comma - 1 : 0);
    }
    if (err != ERR_OK) {
        coding_free(coding);
        return err;
    }
    coding->caps = *caps;
    *ret_coding = coding;
    return ERR_OK;
}

void coding_free(struct coding *coding)
{
    if (coding == NULL) {
        return;
    }
    for (size_t i = 0; i < coding->n; i++) {
        coding->stages[i]->kind->close(coding->stages[i]);
        free(coding->stages[i]);
    }
    free(coding);
}

static enum err count(struct coding *coding, size_t n, uint64_t *called)
{
    const struct coding_caps *caps = &coding->caps;
    coding->out += n;
    *called += n;
    bool steep = coding->out > caps->ratio_from && coding->out / caps->ratio > coding->in;
    return coding->out > caps->total || *called > caps->per_call || steep ? ERR_LIMIT : ERR_OK;
}

/* One call of one library; what comes is the next one's, or fn's. */
static enum err run_stage(struct coding *coding, size_t at, uint64_t *called, coding_fn *fn,
                          void *context)
{
    struct coding_stage *stage = coding->stages[at];
    size_t n = 0;
    if (stage->done || stage->err != ERR_OK) {
        stage->in = str_make(NULL, 0);
        stage->more = false;
        return stage->err;
    }
    stage->begun = stage->begun || stage->in.len != 0;
    stage->err = stage->kind->run(stage, &n);
    stage->more = n == CODING_RUN_MAX || stage->replay.len != 0 || stage->err != ERR_OK;
    ERR_TRY(count(coding, n, called));
    if (n == 0) {
        return ERR_OK;
    }
    if (at + 1 < coding->n) {
        coding->stages[at + 1]->in = str_make(stage->out, n);
    } else {
        coding->enough = !fn(context, str_make(stage->out, n));
    }
    return ERR_OK;
}

/* The innermost that has something to do, so that no stage's output is overwritten before it is
 * used. */
static bool find_work(const struct coding *coding, size_t *ret_at)
{
    for (size_t i = coding->n; i > 0; i--) {
        if (coding->stages[i - 1]->in.len != 0 || coding->stages[i - 1]->more) {
            *ret_at = i - 1;
            return true;
        }
    }
    return false;
}

enum err coding_feed(struct coding *coding, struct str bytes, coding_fn *fn, void *context)
{
    uint64_t called = 0;
    size_t at = 0;
    if (coding->err != ERR_OK || coding->enough || bytes.len == 0) {
        return coding->err;
    }
    coding->in += bytes.len;
    if (coding->n == 0) {
        while (bytes.len != 0 && !coding->enough && coding->err == ERR_OK) {
            struct str run = str_sub(bytes, 0, CODING_RUN_MAX);
            coding->err = count(coding, run.len, &called);
            coding->enough = coding->err == ERR_OK && !fn(context, run);
            bytes = str_skip(bytes, run.len);
        }
        return coding->err;
    }
    coding->stages[0]->in = bytes;
    while (coding->err == ERR_OK && !coding->enough && find_work(coding, &at)) {
        coding->err = run_stage(coding, at, &called, fn, context);
    }
    return coding->err;
}

enum err coding_end(const struct coding *coding)
{
    if (coding->err != ERR_OK || coding->enough) {
        return coding->err;
    }
    for (size_t i = 0; i < coding->n; i++) {
        if (!coding->stages[i]->done && coding->stages[i]->begun) {
            return ERR_TRUNCATED;
        }
    }
    return ERR_OK;
}
