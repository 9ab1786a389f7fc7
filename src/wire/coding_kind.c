/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Each coding by its library. */
#include <string.h>

#include "wire/coding_impl.h"

enum {
    GZIP_BITS = 15 + 16, /* zlib: its largest window, gzip's header */
    ZLIB_BITS = 15,
    BARE_BITS = -15,
    ZSTD_WINDOW_LOG = 23, /* 8 MiB */
};

/* --- zlib
 * ---------------------------------------------------------------------------------------------- */

static bool gzip_open(struct coding_stage *stage)
{
    return inflateInit2(&stage->zlib, GZIP_BITS) == Z_OK;
}

static bool deflate_open(struct coding_stage *stage)
{
    return inflateInit2(&stage->zlib, ZLIB_BITS) == Z_OK;
}

static void zlib_close(struct coding_stage *stage)
{
    (void)inflateEnd(&stage->zlib);
}

/* One inflate. zlib's counts are unsigned int; a run of input is never that long, and what is left
 * waits for the next call. */
static int inflate_some(struct coding_stage *stage, struct str *in, size_t *ret_n)
{
    enum { MOST = 1 << 30 };
    z_stream *zlib = &stage->zlib;
    unsigned len = (unsigned)(in->len < MOST ? in->len : MOST);
    zlib->next_in = (const Bytef *)in->p;
    zlib->avail_in = len;
    zlib->next_out = (Bytef *)stage->out;
    zlib->avail_out = CODING_RUN_MAX;
    int result = inflate(zlib, Z_NO_FLUSH);
    *in = str_skip(*in, len - zlib->avail_in);
    *ret_n = CODING_RUN_MAX - zlib->avail_out;
    return result;
}

static enum err zlib_err(int result)
{
    switch (result) {
    case Z_OK:
    case Z_STREAM_END:
    case Z_BUF_ERROR: /* it needs more bytes */
        return ERR_OK;
    case Z_MEM_ERROR:
        return ERR_MEMORY;
    }
    return ERR_INVALID;
}

static enum err gzip_run(struct coding_stage *stage, size_t *ret_n)
{
    if (stage->ended) {
        /* What follows a member is another one, or of no matter (zeros, as tape pads). */
        if (stage->in.len == 0) {
            return ERR_OK;
        }
        if (stage->in.p[0] != 0x1f) {
            stage->done = true;
            return ERR_OK;
        }
        (void)inflateReset(&stage->zlib);
    }
    int result = inflate_some(stage, &stage->in, ret_n);
    stage->ended = result == Z_STREAM_END;
    stage->begun = !stage->ended;
    return zlib_err(result);
}

/* As long as zlib has given nothing out, what it read is kept: where it stumbles, the same bytes
 * are tried without its header. */
static enum err deflate_try(struct coding_stage *stage, size_t *ret_n)
{
    struct str some = str_sub(stage->in, 0, sizeof(stage->keep) - stage->kept);
    struct str rest = some;
    int result = inflate_some(stage, &rest, ret_n);
    size_t used = some.len - rest.len;
    if (used != 0) {
        memcpy(stage->keep + stage->kept, some.p, used);
    }
    stage->kept += used;
    stage->in = str_skip(stage->in, used);
    if (*ret_n == 0 && (result == Z_DATA_ERROR || result == Z_NEED_DICT)) {
        stage->settled = true;
        stage->replay = str_make(stage->keep, stage->kept);
        return inflateReset2(&stage->zlib, BARE_BITS) == Z_OK ? ERR_OK : ERR_MEMORY;
    }
    stage->settled = *ret_n != 0 || stage->kept == sizeof(stage->keep);
    stage->done = result == Z_STREAM_END;
    return zlib_err(result);
}

static enum err deflate_run(struct coding_stage *stage, size_t *ret_n)
{
    if (!stage->settled) {
        return deflate_try(stage, ret_n);
    }
    struct str *from = stage->replay.len != 0 ? &stage->replay : &stage->in;
    int result = inflate_some(stage, from, ret_n);
    stage->done = result == Z_STREAM_END;
    return zlib_err(result);
}

/* --- brotli
 * -------------------------------------------------------------------------------------------- */

static bool brotli_open(struct coding_stage *stage)
{
    stage->brotli = BrotliDecoderCreateInstance(NULL, NULL, NULL);
    return stage->brotli != NULL;
}

static void brotli_close(struct coding_stage *stage)
{
    BrotliDecoderDestroyInstance(stage->brotli);
}

static enum err brotli_run(struct coding_stage *stage, size_t *ret_n)
{
    size_t in_len = stage->in.len;
    const uint8_t *in = (const uint8_t *)stage->in.p;
    size_t room = CODING_RUN_MAX;
    uint8_t *out = (uint8_t *)stage->out;
    BrotliDecoderResult result =
        BrotliDecoderDecompressStream(stage->brotli, &in_len, &in, &room, &out, NULL);
    stage->in = str_skip(stage->in, stage->in.len - in_len);
    *ret_n = CODING_RUN_MAX - room;
    stage->done = result == BROTLI_DECODER_RESULT_SUCCESS;
    if (result != BROTLI_DECODER_RESULT_ERROR) {
        return ERR_OK;
    }
    BrotliDecoderErrorCode code = BrotliDecoderGetErrorCode(stage->brotli);
    bool memory = code <= BROTLI_DECODER_ERROR_ALLOC_CONTEXT_MODES &&
                  code >= BROTLI_DECODER_ERROR_ALLOC_BLOCK_TYPE_TREES;
    return memory ? ERR_MEMORY : ERR_INVALID;
}

/* --- zstd
 * ---------------------------------------------------------------------------------------------- */

static bool zstd_open(struct coding_stage *stage)
{
    stage->zstd = ZSTD_createDStream();
    return stage->zstd != NULL &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(stage->zstd, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG));
}

static void zstd_close(struct coding_stage *stage)
{
    (void)ZSTD_freeDStream(stage->zstd);
}

static enum err zstd_err(size_t result)
{
    if (!ZSTD_isError(result)) {
        return ERR_OK;
    }
    ZSTD_ErrorCode code = ZSTD_getErrorCode(result);
    if (code == ZSTD_error_memory_allocation) {
        return ERR_MEMORY;
    }
    return code == ZSTD_error_frameParameter_windowTooLarge ? ERR_LIMIT : ERR_INVALID;
}

static enum err zstd_run(struct coding_stage *stage, size_t *ret_n)
{
    if (stage->ended && stage->in.len == 0) {
        return ERR_OK;
    }
    ZSTD_inBuffer in = {stage->in.p, stage->in.len, 0};
    ZSTD_outBuffer out = {stage->out, CODING_RUN_MAX, 0};
    size_t result = ZSTD_decompressStream(stage->zstd, &out, &in);
    stage->in = str_skip(stage->in, in.pos);
    *ret_n = out.pos;
    stage->ended = result == 0;
    stage->begun = !stage->ended;
    return zstd_err(result);
}

static const struct coding_kind kinds[] = {
    {STR_INIT("gzip"), gzip_open, gzip_run, zlib_close},
    {STR_INIT("x-gzip"), gzip_open, gzip_run, zlib_close},
    {STR_INIT("deflate"), deflate_open, deflate_run, zlib_close},
    {STR_INIT("br"), brotli_open, brotli_run, brotli_close},
    {STR_INIT("zstd"), zstd_open, zstd_run, zstd_close},
};

const struct coding_kind *coding_kind_find(struct str name)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (str_eq_nocase(name, kinds[i].name)) {
            return &kinds[i];
        }
    }
    return NULL;
}
