/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ClientHellos made part by part, whole, cut and broken. */
#include "wire/hello.h"

#include "base/buf.h"
#include "base/limits.h"
#include "lib/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { SERVER_NAME = 0, ALPN = 16, VERSIONS = 43, KEY_SHARE = 51, ECH = 0xfe0d, GREASE = 0x2a2a };

/* An extension's id and bytes. */
struct ext {
    int id;
    struct str data;
};

#define EXT(id, text)      \
    {                      \
        id, STR_INIT(text) \
    }

static void put_number(struct buf *to, size_t n, size_t value)
{
    while (n-- > 0) {
        buf_append_byte(to, (char)(value >> (8 * n)));
    }
}

/* The bytes behind length bytes. */
static void put_vector(struct buf *to, size_t n, struct str bytes)
{
    put_number(to, n, bytes.len);
    buf_append(to, bytes);
}

static void put_body(struct buf *to, const struct ext *exts, size_t n)
{
    struct buf list;
    buf_init(&list, 100000);
    put_number(to, 2, 0x0303);
    buf_append(to, STR("01234567890123456789012345678901"));
    put_vector(to, 1, STR("session"));
    put_vector(to, 2, STR("\x2a\x2a\x13\x01"));
    put_vector(to, 1, STR("\0"));
    for (size_t i = 0; i < n; i++) {
        put_number(&list, 2, (size_t)exts[i].id);
        put_vector(&list, 2, exts[i].data);
    }
    put_vector(to, 2, buf_str(&list));
    buf_fini(&list);
}

static void put_message(struct buf *to, struct str body)
{
    buf_append_byte(to, 1);
    put_vector(to, 3, body);
}

/* The message in records of `piece` bytes. */
static void put_records(struct buf *to, struct str message, size_t piece)
{
    for (size_t at = 0; at < message.len; at += piece) {
        buf_append(to, STR("\x16\x03\x01"));
        put_vector(to, 2, str_sub(message, at, piece));
    }
}

static void put_hello(struct buf *to, const struct ext *exts, size_t n, size_t piece)
{
    struct buf body;
    struct buf message;
    buf_init(&body, 100000);
    buf_init(&message, 100000);
    put_body(&body, exts, n);
    put_message(&message, buf_str(&body));
    put_records(to, buf_str(&message), piece);
    buf_fini(&body);
    buf_fini(&message);
}

/* Parses a copy of just these bytes, so that AddressSanitizer sees a read too far. */
static enum err parse(struct str bytes, struct hello *hello)
{
    char *copy = malloc(bytes.len + 1);
    assert_non_null(copy);
    memcpy(copy, bytes.p, bytes.len);
    enum err err = hello_parse(str_make(copy, bytes.len), hello);
    free(copy);
    return err;
}

static enum err parse_exts(const struct ext *exts, size_t n, struct hello *hello)
{
    struct buf bytes;
    buf_init(&bytes, 100000);
    put_hello(&bytes, exts, n, 16384);
    enum err err = parse(buf_str(&bytes), hello);
    buf_fini(&bytes);
    return err;
}

#define SNI_A_EXAMPLE                 \
    EXT(SERVER_NAME, "\0\x0c\0\0\x09" \
                     "a.example")

static const struct ext browser[] = {
    EXT(GREASE, ""),
    SNI_A_EXAMPLE,
    EXT(ALPN, "\0\x0c\x02h2\x08http/1.1"),
    EXT(VERSIONS, "\x06\x3a\x3a\x03\x04\x03\x03"),
    EXT(KEY_SHARE, "\0\0"),
    EXT(ECH, "any"),
    EXT(0x8a8a, "\0"),
};

static void expect_browser(const struct hello *hello)
{
    assert_true(hello->has_sni);
    assert_str_eq(host_str(&hello->sni), STR("a.example"));
    assert_true(hello->has_ech);
    assert_int_equal(hello->version, 0x0304);
    assert_int_equal(hello->n_alpn, 2);
    assert_str_eq(str_make(hello->alpn[0].text, hello->alpn[0].len), STR("h2"));
    assert_str_eq(str_make(hello->alpn[1].text, hello->alpn[1].len), STR("http/1.1"));
}

TEST(a_hello_tells_its_name_and_protocols)
{
    struct hello hello;
    assert_ok(parse_exts(browser, COUNT(browser), &hello));
    expect_browser(&hello);
}

TEST(a_hello_may_lack_everything)
{
    struct hello hello;
    struct buf body;
    struct buf message;
    struct buf bytes;
    buf_init(&body, 1000);
    buf_init(&message, 1000);
    buf_init(&bytes, 1000);
    put_body(&body, NULL, 0);
    /* Without even the length of the extensions. */
    put_message(&message, str_sub(buf_str(&body), 0, body.len - 2));
    put_records(&bytes, buf_str(&message), 1000);
    assert_ok(parse(buf_str(&bytes), &hello));
    assert_false(hello.has_sni);
    assert_false(hello.has_ech);
    assert_int_equal(hello.n_alpn, 0);
    assert_int_equal(hello.version, 0x0303);
    assert_ok(parse_exts(NULL, 0, &hello));
    buf_fini(&body);
    buf_fini(&message);
    buf_fini(&bytes);
}

TEST(a_hello_may_come_in_records_of_any_size)
{
    for (size_t piece = 1; piece < 300; piece++) {
        struct hello hello;
        struct buf bytes;
        buf_init(&bytes, 100000);
        put_hello(&bytes, browser, COUNT(browser), piece);
        assert_ok(parse(buf_str(&bytes), &hello));
        expect_browser(&hello);
        buf_fini(&bytes);
    }
}

TEST(every_prefix_of_a_hello_asks_for_more)
{
    static const size_t pieces[] = {1, 2, 3, 4, 5, 50, 16384};
    for (size_t i = 0; i < COUNT(pieces); i++) {
        struct hello hello;
        struct buf bytes;
        buf_init(&bytes, 100000);
        put_hello(&bytes, browser, COUNT(browser), pieces[i]);
        for (size_t n = 0; n < bytes.len; n++) {
            assert_err(parse(str_sub(buf_str(&bytes), 0, n), &hello), ERR_AGAIN);
        }
        buf_fini(&bytes);
    }
}

TEST(what_follows_in_later_records_is_not_looked_at)
{
    struct hello hello;
    struct buf bytes;
    buf_init(&bytes, 100000);
    put_hello(&bytes, browser, COUNT(browser), 100);
    buf_append(&bytes, STR("\x17\x03\x03 early data"));
    assert_ok(parse(buf_str(&bytes), &hello));
    buf_fini(&bytes);
}

TEST(what_is_no_hello_is_told_early)
{
    static const struct str cases[] = {
        STR_INIT("G"),
        STR_INIT("SSH-2.0"),
        STR_INIT("\x80\x2e\x01\x03\x01"),
        STR_INIT("\x15"),
        STR_INIT("\x17"),
        STR_INIT("\x16\x02"),
        STR_INIT("\x16\x04"),
        STR_INIT("\x16\x03\x01\0\0"),
        STR_INIT("\x16\x03\x01\x40\x01"),
        STR_INIT("\x16\x03\x01\xff\xff"),
        STR_INIT("\x16\x03\x01\x01\x01\x02"),
        STR_INIT("\x16\x03\x01\x01\x01\0"),
        STR_INIT("\x16\x03\x01\0\x01\x01\x16\x03\x01\0\0"),
        STR_INIT("\x16\x03\x01\0\x01\x01\x17"),
        /* A message of 2 bytes in a record of 7. */
        STR_INIT("\x16\x03\x01\0\x07\x01\0\0\x02"),
    };
    struct hello hello;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_err(parse(cases[i], &hello), ERR_INVALID);
    }
}

TEST(a_server_name_is_canonical)
{
    static const struct {
        struct ext ext;
        struct str name;
    } cases[] = {
        {EXT(0, "\0\x0c\0\0\x09"
                "A.EXAMPLE"),
         STR_INIT("a.example")},
        {EXT(0, "\0\x0d\0\0\x0a"
                "a.example."),
         STR_INIT("a.example")},
        {EXT(0, "\0\x04\0\0\x01"
                "a"),
         STR_INIT("a")},
        {EXT(0, "\0\x0c\0\0\x09"
                "a_b.examp"),
         STR_INIT("a_b.examp")},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hello hello = {0};
        assert_ok(parse_exts(&cases[i].ext, 1, &hello));
        assert_true(hello.has_sni);
        assert_str_eq(host_str(&hello.sni), cases[i].name);
    }
}

TEST(a_server_name_that_is_none_or_not_alone_is_refused)
{
    static const struct ext cases[] = {
        EXT(0, "\0\x0e\0\0\x0b"
               "a.example.."),
        EXT(0, "\0\x0c\0\0\x09"
               "a\0example"),
        EXT(0, "\0\x0d\0\0\x0a"
               "a.example\0"),
        EXT(0, "\0\x0c\0\0\x09"
               "a.e%61ple"),
        EXT(0, "\0\x0c\0\0\x09"
               "a.ex\xc3\xa9ple"),
        EXT(0, "\0\x0d\0\0\x0a"
               "a.example/"),
        EXT(0, "\0\x0c\0\0\x09"
               "a:example"),
        EXT(0, "\0\x0c\0\0\x09"
               "127.0.0.1"),
        EXT(0, "\0\x09\0\0\x06"
               "0x7f.1"),
        EXT(0, "\0\x08\0\0\x05"
               "[::1]"),
        EXT(0, "\0\x06\0\0\x03"
               "::1"),
        EXT(0, "\0\x04\0\0\x01"
               "."),
        /* no name, no list */
        EXT(0, "\0\x03\0\0\0"),
        EXT(0, ""),
        EXT(0, "\0\0"),
        /* another type, another name */
        EXT(0, "\0\x04\x01\0\x01"
               "a"),
        EXT(0, "\0\x08\0\0\x01"
               "a"
               "\0\0\x01"
               "b"),
        EXT(0, "\0\x08\0\0\x01"
               "a"
               "\x01\0\x01"
               "b"),
        /* bytes behind or missing */
        EXT(0, "\0\x05\0\0\x01"
               "ab"),
        EXT(0, "\0\x04\0\0\x01"
               "ab"),
        EXT(0, "\0\x04\0\0\x02"
               "a"),
        EXT(0, "\0\x06\0\0\x01"
               "a"),
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hello hello;
        enum err err = parse_exts(&cases[i], 1, &hello);
        if (err != ERR_INVALID) {
            fail_msg("case %zu: ERR_%s", i, err_name(err));
        }
    }
}

TEST(an_extension_comes_once)
{
    static const struct ext names[] = {SNI_A_EXAMPLE, EXT(GREASE, ""), SNI_A_EXAMPLE};
    static const struct ext unknown[] = {EXT(GREASE, ""), EXT(0x3a3a, ""), EXT(GREASE, "a")};
    struct hello hello;
    assert_err(parse_exts(names, COUNT(names), &hello), ERR_INVALID);
    assert_err(parse_exts(unknown, COUNT(unknown), &hello), ERR_INVALID);
    assert_ok(parse_exts(unknown, 2, &hello));
}

TEST(the_highest_version_offered_counts)
{
    static const struct {
        struct ext ext;
        enum err err;
        unsigned version;
    } cases[] = {
        {EXT(VERSIONS, "\x02\x03\x03"), ERR_OK, 0x0303},
        {EXT(VERSIONS, "\x06\x03\x01\x03\x04\x03\x02"), ERR_OK, 0x0304},
        {EXT(VERSIONS, "\x04\xfa\xfa\x03\x02"), ERR_OK, 0x0302},
        {EXT(VERSIONS, "\x04\x7f\x1c\x03\x03"), ERR_OK, 0x0303},
        {EXT(VERSIONS, "\x02\x1a\x1a"), ERR_INVALID, 0},
        {EXT(VERSIONS, "\x03\x03\x03\x03"), ERR_INVALID, 0},
        {EXT(VERSIONS, "\x02\x03\x03\x03"), ERR_INVALID, 0},
        {EXT(VERSIONS, "\0"), ERR_INVALID, 0},
        {EXT(VERSIONS, ""), ERR_INVALID, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hello hello = {0};
        assert_err(parse_exts(&cases[i].ext, 1, &hello), cases[i].err);
        assert_int_equal(hello.version, cases[i].version);
    }
}

TEST(protocols_are_kept_as_far_as_there_is_room)
{
    static const struct {
        struct ext ext;
        enum err err;
        size_t n;
    } cases[] = {
        {EXT(ALPN, "\0\x09\x08http/1.1"), ERR_OK, 1},
        {EXT(ALPN, "\0\x14\x01"
                   "1\x01"
                   "2\x01"
                   "3\x01"
                   "4\x01"
                   "5\x01"
                   "6\x01"
                   "7\x01"
                   "8\x01"
                   "9\x01"
                   "a"),
         ERR_OK, HELLO_ALPN_MAX},
        {EXT(ALPN, "\0\x25\x21"
                   "123456789012345678901234567890123\x02h2"),
         ERR_OK, 1},
        {EXT(ALPN, "\0\x21\x20"
                   "12345678901234567890123456789012"),
         ERR_OK, 1},
        {EXT(ALPN, "\0\0"), ERR_INVALID, 0},
        {EXT(ALPN, "\0\x02\0\0"), ERR_INVALID, 0},
        {EXT(ALPN, "\0\x03\x03h2"), ERR_INVALID, 0},
        {EXT(ALPN, "\0\x04\x02h2"), ERR_INVALID, 0},
        {EXT(ALPN, "\0\x03\x02h2x"), ERR_INVALID, 0},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hello hello = {0};
        enum err err = parse_exts(&cases[i].ext, 1, &hello);
        if (err != cases[i].err) {
            fail_msg("case %zu: ERR_%s", i, err_name(err));
        }
        assert_int_equal(hello.n_alpn, cases[i].n);
    }
}

/* One byte of the body changed, or its end cut off; offsets as put_body writes. */
TEST(a_body_whose_lengths_do_not_fit_is_refused)
{
    static const struct {
        size_t at;
        char byte;
    } cases[] = {
        {0, 2},     /* legacy_version */
        {0, 0x7f},  /* the same */
        {34, 33},   /* session id: too long */
        {34, 6},    /* session id: the rest shifts */
        {43, 0},    /* cipher suites: none */
        {43, 3},    /* cipher suites: odd */
        {43, 0x7f}, /* cipher suites: beyond the end */
        {48, 0},    /* compression: none */
        {51, 12},   /* extensions: a byte left */
        {51, 14},   /* extensions: a byte missing */
    };
    static const struct ext ext = EXT(GREASE, "123456789");
    struct hello hello;
    struct buf bytes;
    buf_init(&bytes, 1000);
    put_hello(&bytes, &ext, 1, 1000);
    assert_ok(parse(buf_str(&bytes), &hello));
    for (size_t i = 0; i < COUNT(cases); i++) {
        size_t at = 5 + 4 + cases[i].at;
        char was = bytes.p[at];
        bytes.p[at] = cases[i].byte;
        if (parse(buf_str(&bytes), &hello) != ERR_INVALID) {
            fail_msg("case %zu is taken", i);
        }
        bytes.p[at] = was;
    }
    buf_fini(&bytes);
}

TEST(a_hello_is_as_long_as_the_limit_at_most)
{
    static char zeros[LIMIT_HELLO_LEN];
    struct hello hello;
    struct buf bytes;
    buf_init(&bytes, 100000);
    put_hello(&bytes, &(struct ext){GREASE, {zeros, 0}}, 1, 16384);
    size_t rest = LIMIT_HELLO_LEN - bytes.len;
    for (size_t extra = 0; extra <= 1; extra++) {
        buf_clear(&bytes);
        put_hello(&bytes, &(struct ext){GREASE, {zeros, rest + extra}}, 1, 16384);
        assert_int_equal(bytes.len, LIMIT_HELLO_LEN + extra);
        assert_err(parse(buf_str(&bytes), &hello), extra == 0 ? ERR_OK : ERR_LIMIT);
    }
    /* Told by the header of the message, and by records that never end. */
    assert_err(parse(STR("\x16\x03\x01\x10\0\x01\x01\0\0"), &hello), ERR_LIMIT);
    buf_clear(&bytes);
    put_hello(&bytes, &(struct ext){GREASE, {zeros, 8000}}, 1, 1);
    assert_err(parse(buf_str(&bytes), &hello), ERR_LIMIT);
    buf_fini(&bytes);
}

/* As captured from real clients asked for https://www.school.example/. */
TEST(the_hellos_of_real_clients_are_read)
{
    static const struct {
        const char *file;
        bool ech;
        unsigned version;
        size_t n_alpn;
    } cases[] = {
        {"chromium", true, 0x0304, 2},
        {"curl", false, 0x0304, 2},
        {"openssl", false, 0x0304, 2},
        {"openssl12", false, 0x0303, 0},
        {"openssl_split", false, 0x0304, HELLO_ALPN_MAX},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct hello hello;
        char path[4096];
        static char bytes[LIMIT_HELLO_LEN];
        snprintf(path, sizeof(path), "%s/fuzz/corpus/hello/%s", getenv("LODGE_SOURCE"),
                 cases[i].file);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        size_t n = fread(bytes, 1, sizeof(bytes), file);
        fclose(file);
        assert_ok(parse(str_make(bytes, n), &hello));
        assert_str_eq(host_str(&hello.sni), STR("www.school.example"));
        assert_int_equal(hello.has_ech, cases[i].ech);
        assert_int_equal(hello.version, cases[i].version);
        assert_int_equal(hello.n_alpn, cases[i].n_alpn);
    }
}

TESTS_MAIN(unit(a_hello_tells_its_name_and_protocols), unit(a_hello_may_lack_everything),
           unit(a_hello_may_come_in_records_of_any_size),
           unit(every_prefix_of_a_hello_asks_for_more),
           unit(what_follows_in_later_records_is_not_looked_at),
           unit(what_is_no_hello_is_told_early), unit(a_server_name_is_canonical),
           unit(a_server_name_that_is_none_or_not_alone_is_refused), unit(an_extension_comes_once),
           unit(the_highest_version_offered_counts),
           unit(protocols_are_kept_as_far_as_there_is_room),
           unit(a_body_whose_lengths_do_not_fit_is_refused),
           unit(a_hello_is_as_long_as_the_limit_at_most), unit(the_hellos_of_real_clients_are_read))
