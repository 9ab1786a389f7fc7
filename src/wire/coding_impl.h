/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One coding of a stack (coding.c), as each library is called. */
#ifndef LODGE_WIRE_CODING_IMPL_H
#define LODGE_WIRE_CODING_IMPL_H

#define ZLIB_CONST
#include <brotli/decode.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "wire/coding.h"

/* A bare deflate stream may look like zlib's at first: so many bytes are kept until zlib has given
 * any out. The longest header of a dynamic block has 290 bytes. */
enum { CODING_REPLAY_MAX = 512 };

struct coding_stage;

/* Decodes from stage->in, which it shortens, into stage->out; *ret_n is what came, also beside an
 * error. Sets stage->done at the coding's end. */
typedef enum err stage_run_fn(struct coding_stage *stage, size_t *ret_n);

struct coding_kind {
    struct str name;
    bool (*open)(struct coding_stage *stage); /* false: out of memory */
    stage_run_fn *run;
    void (*close)(struct coding_stage *stage);
};

struct coding_stage {
    const struct coding_kind *kind;
    struct str in; /* of the body, or of the stage before */
    bool more;     /* it may give out more without new bytes */
    bool begun;    /* it has seen a byte, and its end is missing */
    bool done;
    enum err err;
    union {
        z_stream zlib;
        BrotliDecoderState *brotli;
        ZSTD_DStream *zstd;
    };
    bool ended;        /* gzip, zstd: a member or frame has ended, and another may follow */
    bool settled;      /* deflate: whether zlib's header is there is known */
    struct str replay; /* deflate: of keep, what must be read again */
    size_t kept;
    char keep[CODING_REPLAY_MAX];
    char out[CODING_RUN_MAX];
};

/* NULL for a name that is none. */
const struct coding_kind *coding_kind_find(struct str name);

#endif
