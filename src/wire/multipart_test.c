/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/multipart.h"

#include "lib/test.h"

#include "base/buf.h"

#define TYPE STR("multipart/form-data; boundary=XX")
#define DISPOSITION "Content-Disposition: form-data; name="

/* "name[file name|type]=bytes" one behind the other, or the error's name. */
static void read_all(struct str type, struct str body, struct buf *to)
{
    struct multipart multipart;
    struct multipart_part part;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    buf_clear(to);
    enum err err = multipart_open(type, body, &multipart);
    while (err == ERR_OK && (err = multipart_next(&multipart, &arena, &part)) == ERR_OK) {
        buf_append(to, part.name);
        if (part.is_file) {
            buf_printf(to, "[%.*s|%.*s]", STR_ARG(part.file_name), STR_ARG(part.type));
        }
        buf_printf(to, "=%.*s;", STR_ARG(part.bytes));
    }
    if (err != ERR_NOT_FOUND) {
        buf_clear(to);
        buf_append(to, str_from(err_name(err)));
    }
    arena_fini(&arena);
}

TEST(parts_are_read_as_browsers_write_them)
{
    static const struct {
        struct str body, want;
    } rows[] = {
        {STR_INIT("--XX--\r\n"), STR_INIT("")},
        {STR_INIT("--XX--"), STR_INIT("")},
        {STR_INIT("--XX\r\n" DISPOSITION "\"a\"\r\n\r\nb\r\n--XX--\r\n"), STR_INIT("a=b;")},
        {STR_INIT("--XX\r\n" DISPOSITION "\"a\"\r\n\r\n\r\n--XX\r\n" DISPOSITION
                  "c\r\n\r\nd\r\n\r\n--XX--\r\n"),
         STR_INIT("a=;c=d\r\n;")},
        {STR_INIT("--XX\r\n" DISPOSITION
                  "\"f\"; filename=\"a%22b.csv\"\r\nContent-Type: text/csv\r\n"
                  "\r\n--XY\r\n--X\r\n--XX--\r\n"),
         STR_INIT("f[a\"b.csv|text/csv]=--XY\r\n--X;")},
        {STR_INIT(
             "--XX\r\ncontent-disposition: FORM-DATA; NAME=\"f\"; FileName=\"\"\r\nX-Other: 1\r\n"
             "\r\n\r\n--XX--\r\n"),
         STR_INIT("f[|]=;")},
        {STR_INIT("--XX\r\n" DISPOSITION "\"a\\b; c\"\r\n\r\nd\r\n--XX--\r\n"),
         STR_INIT("a\\b; c=d;")},
    };
    struct buf got;
    buf_init(&got, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_all(TYPE, rows[i].body, &got);
        assert_str_eq(buf_str(&got), rows[i].want);
    }
    buf_fini(&got);
}

TEST(a_broken_body_is_refused)
{
    static const struct str rows[] = {
        STR_INIT(""),
        STR_INIT("--X"),
        STR_INIT("preamble\r\n--XX--\r\n"),
        STR_INIT("--XX--\r\nepilogue"),
        STR_INIT("--XX\n" DISPOSITION "\"a\"\n\nb\n--XX--\n"),
        STR_INIT("--XX\r\n" DISPOSITION "\"a\"\r\n\r\nno end"),
        STR_INIT("--XX\r\n" DISPOSITION "\"a\"\r\n\r\nb\r\n--XX"),
        STR_INIT("--XX\r\n" DISPOSITION "\"a\"\r\n--XX--\r\n"),
        STR_INIT("--XX\r\n" DISPOSITION "\"a\"\r\n\r\n--XX--\r\n"),
        STR_INIT("--XX\r\n\r\nb\r\n--XX--\r\n"),
        STR_INIT("--XX\r\nContent-Type: a\r\n\r\nb\r\n--XX--\r\n"),
        STR_INIT("--XX\r\nContent-Disposition: attachment; name=\"a\"\r\n\r\nb\r\n--XX--\r\n"),
        STR_INIT("--XX\r\nContent-Disposition: form-data\r\n\r\nb\r\n--XX--\r\n"),
        STR_INIT("--XX\r\n" DISPOSITION "\"a\"; name=\"b\"\r\n\r\nb\r\n--XX--\r\n"),
        STR_INIT("--XX\r\n" DISPOSITION "\"a\"; filename*=utf-8''b\r\n\r\nb\r\n--XX--\r\n"),
        STR_INIT("--XX\r\n" DISPOSITION "\"a\r\n\r\nb\r\n--XX--\r\n"),
        STR_INIT("--XX\r\n" DISPOSITION "\"a\" and more\r\n\r\nb\r\n--XX--\r\n"),
        STR_INIT("--XX\r\n" DISPOSITION "\"\xff\"\r\n\r\nb\r\n--XX--\r\n"),
        STR_INIT("--XX\r\n" DISPOSITION "\"a\"\r\nContent-Transfer-Encoding: base64\r\n\r\nYg==\r\n"
                 "--XX--\r\n"),
        STR_INIT("--XX\r\n" DISPOSITION "\"a\"\r\n" DISPOSITION "\"b\"\r\n\r\nb\r\n--XX--\r\n"),
    };
    struct buf got;
    buf_init(&got, 4096);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        read_all(TYPE, rows[i], &got);
        assert_str_eq(buf_str(&got), STR("INVALID"));
    }
    buf_fini(&got);
}

TEST(a_type_without_one_good_boundary_is_refused)
{
    static const struct str rows[] = {
        STR_INIT("multipart/form-data"),
        STR_INIT("multipart/form-data; boundary="),
        STR_INIT("multipart/form-data; boundary=\"\""),
        STR_INIT("multipart/form-data; boundary=a;boundary=b"),
        STR_INIT("multipart/form-data; boundary=\"a b\""),
        STR_INIT("multipart/mixed; boundary=XX"),
        STR_INIT("multipart/form-data; boundary=1234567890123456789012345678901234567890"
                 "1234567890123456789012345678901"),
    };
    struct multipart multipart;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_err(multipart_open(rows[i], STR("--XX--"), &multipart), ERR_INVALID);
    }
    assert_ok(multipart_open(STR("Multipart/Form-Data; charset=utf-8; Boundary=\"XX\""),
                             STR("--XX--"), &multipart));
}

TEST(many_parts_and_long_heads_are_refused)
{
    struct buf body;
    struct buf got;
    buf_init(&body, 1 << 20);
    buf_init(&got, 1 << 16);
    for (int i = 0; i <= MULTIPART_PARTS_MAX; i++) {
        buf_append(&body, STR("--XX\r\n" DISPOSITION "a\r\n\r\n\r\n"));
    }
    buf_append(&body, STR("--XX--"));
    read_all(TYPE, buf_str(&body), &got);
    assert_str_eq(buf_str(&got), STR("LIMIT"));
    buf_clear(&body);
    buf_append(&body, STR("--XX\r\n" DISPOSITION "a\r\nX: "));
    for (int i = 0; i < MULTIPART_HEAD_MAX; i++) {
        buf_append_byte(&body, 'x');
    }
    buf_append(&body, STR("\r\n\r\n\r\n--XX--"));
    read_all(TYPE, buf_str(&body), &got);
    assert_str_eq(buf_str(&got), STR("LIMIT"));
    buf_fini(&body);
    buf_fini(&got);
}

TESTS_MAIN(unit(parts_are_read_as_browsers_write_them), unit(a_broken_body_is_refused),
           unit(a_type_without_one_good_boundary_is_refused),
           unit(many_parts_and_long_heads_are_refused))
