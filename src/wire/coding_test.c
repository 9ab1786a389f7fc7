/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Content codings: what was encoded comes back under every split, and bombs are told from broken
 * bodies. */
#include "wire/coding.h"

#include <brotli/encode.h>
#include <stdbool.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "lib/gen.h"
#include "lib/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct coding_caps plenty = {
    .total = UINT64_MAX, .ratio = 2000, .ratio_from = 1 << 20, .per_call = UINT64_MAX};

enum { BITS_GZIP = 31, BITS_ZLIB = 15, BITS_BARE = -15 };

static void zlib_encode(struct str bytes, int bits, struct buf *to)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    size_t bound = deflateBound(&z, bytes.len) + 64;
    char *p = buf_reserve(to, bound);
    assert_non_null(p);
    char none = 0;
    z.next_in = (Bytef *)(uintptr_t)(bytes.len != 0 ? bytes.p : &none);
    z.avail_in = (unsigned)bytes.len;
    z.next_out = (Bytef *)p;
    z.avail_out = (unsigned)bound;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_commit(to, bound - z.avail_out);
    (void)deflateEnd(&z);
}

static void brotli_encode(struct str bytes, struct buf *to)
{
    size_t len = BrotliEncoderMaxCompressedSize(bytes.len) + 64;
    char *p = buf_reserve(to, len);
    assert_non_null(p);
    assert_true(BrotliEncoderCompress(5, 22, BROTLI_MODE_GENERIC, bytes.len,
                                      (const uint8_t *)bytes.p, &len, (uint8_t *)p));
    buf_commit(to, len);
}

static void zstd_encode(struct str bytes, struct buf *to)
{
    size_t bound = ZSTD_compressBound(bytes.len);
    char *p = buf_reserve(to, bound);
    assert_non_null(p);
    size_t n = ZSTD_compress(p, bound, bytes.p, bytes.len, 3);
    assert_false(ZSTD_isError(n));
    buf_commit(to, n);
}

static void encode(const char *how, struct str bytes, struct buf *to)
{
    if (strcmp(how, "gzip") == 0 || strcmp(how, "x-gzip") == 0) {
        zlib_encode(bytes, BITS_GZIP, to);
    } else if (strcmp(how, "deflate") == 0) {
        zlib_encode(bytes, BITS_ZLIB, to);
    } else if (strcmp(how, "bare") == 0) {
        zlib_encode(bytes, BITS_BARE, to);
    } else if (strcmp(how, "br") == 0) {
        brotli_encode(bytes, to);
    } else {
        zstd_encode(bytes, to);
    }
}

static bool collect(void *context, struct str bytes)
{
    buf_append(context, bytes);
    return true;
}

static enum err decode(const char *names, struct str bytes, size_t piece, struct buf *to)
{
    struct coding *coding = NULL;
    assert_ok(coding_new(str_from(names), &plenty, &coding));
    enum err err = ERR_OK;
    for (size_t at = 0; at < bytes.len && err == ERR_OK; at += piece) {
        err = coding_feed(coding, str_sub(bytes, at, piece), collect, to);
    }
    err = err == ERR_OK ? coding_end(coding) : err;
    coding_free(coding);
    return err;
}

/* Half words, half noise. */
static void sample(struct gen *gen, size_t n, struct buf *to)
{
    while (to->len < n) {
        if (gen_chance(gen, 50)) {
            buf_append(to, STR("the quick brown fox jumps over the lazy dog "));
        } else {
            buf_append_byte(to, (char)gen_u64(gen));
        }
    }
}

static const char *const codings[] = {"gzip", "x-gzip", "deflate", "bare", "br", "zstd"};

static const char *named(const char *how)
{
    return strcmp(how, "bare") == 0 ? "deflate" : how;
}

TEST(what_was_encoded_comes_back_under_every_split)
{
    GEN_RUNS(gen, 30)
    {
        struct buf plain;
        buf_init(&plain, 1 << 20);
        sample(&gen, gen_below(&gen, 60000), &plain);
        for (size_t i = 0; i < COUNT(codings); i++) {
            struct buf coded;
            struct buf back;
            buf_init(&coded, 1 << 20);
            buf_init(&back, 1 << 20);
            encode(codings[i], buf_str(&plain), &coded);
            size_t piece = gen_chance(&gen, 30) ? 1 : gen_below(&gen, 5000) + 1;
            assert_run(gen, decode(named(codings[i]), buf_str(&coded), piece, &back) == ERR_OK);
            assert_run(gen, str_eq(buf_str(&plain), buf_str(&back)));
            buf_fini(&coded);
            buf_fini(&back);
        }
        buf_fini(&plain);
    }
}

TEST(codings_over_each_other_come_off_in_their_order)
{
    GEN_RUNS(gen, 40)
    {
        struct buf now;
        struct buf plain;
        struct buf names;
        struct buf back;
        buf_init(&now, 1 << 20);
        buf_init(&plain, 1 << 20);
        buf_init(&names, 256);
        buf_init(&back, 1 << 20);
        sample(&gen, gen_below(&gen, 50000), &plain);
        buf_append(&now, buf_str(&plain));
        size_t n = gen_below(&gen, CODING_STACK_MAX) + 1;
        for (size_t i = 0; i < n; i++) {
            const char *how = GEN_PICK(&gen, codings);
            struct buf next;
            buf_init(&next, 1 << 20);
            encode(how, buf_str(&now), &next);
            buf_fini(&now);
            now = next;
            buf_append(&names, names.len != 0 ? STR(" ,\t") : STR(""));
            buf_append(&names, str_from(named(how)));
        }
        size_t piece = gen_below(&gen, 3000) + 1;
        assert_run(gen, decode(buf_cstr(&names), buf_str(&now), piece, &back) == ERR_OK);
        assert_run(gen, str_eq(buf_str(&plain), buf_str(&back)));
        buf_fini(&now);
        buf_fini(&plain);
        buf_fini(&names);
        buf_fini(&back);
    }
}

TEST(names_of_codings)
{
    static const struct {
        const char *names;
        bool identity;
        enum err err;
    } rows[] = {
        {"", true, ERR_OK},
        {"identity", true, ERR_OK},
        {"Identity, none", true, ERR_OK},
        {"UTF-8", true, ERR_OK},
        {"GZip", false, ERR_OK},
        {" gzip ,, br", false, ERR_OK},
        {"compress", false, ERR_NOT_FOUND},
        {"dcb", false, ERR_NOT_FOUND},
        {"gzip, exi", false, ERR_NOT_FOUND},
        {"gzip,gzip,gzip,gzip,gzip", false, ERR_LIMIT},
        {"gzip,gzip,identity,gzip,gzip", false, ERR_OK},
        {"gzip;q=1", false, ERR_NOT_FOUND},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct coding *coding = NULL;
        assert_true(coding_is_identity(str_from(rows[i].names)) == rows[i].identity);
        assert_err(coding_new(str_from(rows[i].names), &plenty, &coding), rows[i].err);
        coding_free(coding);
    }
}

TEST(gzip_may_have_members_and_what_follows_the_end_is_passed_over)
{
    struct buf coded;
    struct buf back;
    buf_init(&coded, 4096);
    buf_init(&back, 4096);
    encode("gzip", STR("one "), &coded);
    encode("gzip", STR("two"), &coded);
    size_t whole = coded.len;
    buf_append(&coded, STR("\0\0\0garbage"));
    for (size_t piece = 1; piece <= coded.len; piece++) {
        buf_clear(&back);
        assert_ok(decode("gzip", buf_str(&coded), piece, &back));
        assert_str_eq(buf_str(&back), STR("one two"));
    }
    buf_clear(&back);
    assert_err(decode("gzip", str_sub(buf_str(&coded), 0, whole - 1), 7, &back), ERR_TRUNCATED);
    assert_str_eq(buf_str(&back), STR("one two"));
    buf_fini(&coded);
    buf_fini(&back);
}

TEST(a_body_that_ends_early_or_is_broken_is_told_so)
{
    for (size_t i = 0; i < COUNT(codings); i++) {
        struct buf coded;
        struct buf back;
        struct gen gen = gen_start(i);
        struct buf plain;
        buf_init(&plain, 1 << 16);
        buf_init(&coded, 1 << 16);
        buf_init(&back, 1 << 16);
        sample(&gen, 9000, &plain);
        encode(codings[i], buf_str(&plain), &coded);
        assert_err(
            decode(named(codings[i]), str_sub(buf_str(&coded), 0, coded.len - 1), 100, &back),
            ERR_TRUNCATED);
        buf_clear(&back);
        assert_ok(decode(named(codings[i]), STR(""), 1, &back));
        assert_int_equal(back.len, 0);
        memset(coded.p + coded.len / 2, 0xff, coded.len / 2);
        assert_true(decode(named(codings[i]), buf_str(&coded), 100, &back) != ERR_OK);
        assert_true(decode(named(codings[i]), STR("MZ\xff\xff\xff none of them"), 3, &back) !=
                    ERR_OK);
        buf_fini(&plain);
        buf_fini(&coded);
        buf_fini(&back);
    }
}

TEST(what_came_before_a_fault_is_given_out)
{
    struct buf coded;
    struct buf back;
    buf_init(&coded, 4096);
    buf_init(&back, 4096);
    encode("gzip", STR("MZ the beginning"), &coded);
    coded.p[coded.len - 8] ^= 1; /* its checksum */
    assert_err(decode("gzip", buf_str(&coded), coded.len, &back), ERR_INVALID);
    assert_str_eq(buf_str(&back), STR("MZ the beginning"));
    buf_fini(&coded);
    buf_fini(&back);
}

static bool count_bytes(void *context, struct str bytes)
{
    *(uint64_t *)context += bytes.len;
    return true;
}

TEST(a_bomb_is_told_from_a_broken_body_and_stops_early)
{
    static const struct coding_caps caps[] = {
        {.total = 1 << 20, .ratio = 100000000, .ratio_from = 0, .per_call = UINT64_MAX},
        {.total = UINT64_MAX, .ratio = 100, .ratio_from = 1 << 20, .per_call = UINT64_MAX},
        {.total = UINT64_MAX, .ratio = 100000000, .ratio_from = 0, .per_call = 1 << 20},
    };
    enum { ZEROS = 32 << 20 };
    char *zeros = calloc(1, ZEROS);
    assert_non_null(zeros);
    for (size_t i = 0; i < COUNT(codings); i++) {
        struct buf coded;
        buf_init(&coded, 64 << 20);
        encode(codings[i], str_make(zeros, ZEROS), &coded);
        for (size_t c = 0; c < COUNT(caps); c++) {
            struct coding *coding = NULL;
            uint64_t n = 0;
            assert_ok(coding_new(str_from(named(codings[i])), &caps[c], &coding));
            assert_err(coding_feed(coding, buf_str(&coded), count_bytes, &n), ERR_LIMIT);
            assert_true(n <= (uint64_t)ZEROS / 4);
            assert_err(coding_feed(coding, STR("more"), count_bytes, &n), ERR_LIMIT);
            assert_err(coding_end(coding), ERR_LIMIT);
            coding_free(coding);
        }
        buf_fini(&coded);
    }
    free(zeros);
}

TEST(zstd_with_a_window_over_8_MiB_is_a_bomb)
{
    struct buf coded;
    struct buf back;
    buf_init(&coded, 1 << 20);
    buf_init(&back, 1 << 20);
    /* RFC 8878 section 3.1.1.1.2: exponent 14 is 16 MiB, 13 is 8 MiB. */
    assert_err(decode("zstd", STR("\x28\xb5\x2f\xfd\x00\x70\x01\x00\x00"), 9, &back), ERR_LIMIT);
    assert_ok(decode("zstd", STR("\x28\xb5\x2f\xfd\x00\x68\x01\x00\x00"), 9, &back));
    buf_fini(&coded);
    buf_fini(&back);
}

static bool take_one(void *context, struct str bytes)
{
    *(uint64_t *)context += bytes.len;
    return false;
}

TEST(whoever_has_enough_is_given_no_more)
{
    struct buf plain;
    buf_init(&plain, 1 << 20);
    struct gen gen = gen_start(1);
    sample(&gen, 200000, &plain);
    for (size_t i = 0; i < COUNT(codings); i++) {
        struct buf coded;
        struct coding *coding = NULL;
        uint64_t n = 0;
        buf_init(&coded, 1 << 20);
        encode(codings[i], buf_str(&plain), &coded);
        assert_ok(coding_new(str_from(named(codings[i])), &plenty, &coding));
        assert_ok(coding_feed(coding, buf_str(&coded), take_one, &n));
        assert_ok(coding_feed(coding, buf_str(&coded), take_one, &n));
        assert_true(n > 0 && n <= CODING_RUN_MAX);
        assert_ok(coding_end(coding));
        coding_free(coding);
        buf_fini(&coded);
    }
    buf_fini(&plain);
}

/* A bare stream whose first two bytes are a zlib header: stored, with padding bits set. */
TEST(deflate_without_a_header_is_told_however_it_begins)
{
    static const char bare[] = "\x78\x01\x00\xfe\xff"
                               "M"
                               "\x01\x04\x00\xfb\xffZ\x90\x00\x03";
    struct buf back;
    buf_init(&back, 4096);
    for (size_t piece = 1; piece < sizeof(bare); piece++) {
        buf_clear(&back);
        assert_ok(decode("deflate", str_make(bare, sizeof(bare) - 1), piece, &back));
        assert_str_eq(buf_str(&back), STR("MZ\x90\x00\x03"));
    }
    buf_fini(&back);
}

TESTS_MAIN(unit(what_was_encoded_comes_back_under_every_split),
           unit(codings_over_each_other_come_off_in_their_order), unit(names_of_codings),
           unit(gzip_may_have_members_and_what_follows_the_end_is_passed_over),
           unit(a_body_that_ends_early_or_is_broken_is_told_so),
           unit(what_came_before_a_fault_is_given_out),
           unit(a_bomb_is_told_from_a_broken_body_and_stops_early),
           unit(zstd_with_a_window_over_8_MiB_is_a_bomb), unit(whoever_has_enough_is_given_no_more),
           unit(deflate_without_a_header_is_told_however_it_begins))
