/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What bodies are: small files of each kind, under every split. */
#include "wire/sniff.h"

#include "base/buf.h"
#include "lib/gen.h"
#include "lib/test.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static enum sniff_kind told(struct str bytes, size_t piece)
{
    struct sniff sniff;
    sniff_init(&sniff);
    for (size_t at = 0; at < bytes.len && !sniff_feed(&sniff, str_sub(bytes, at, piece));
         at += piece) {
    }
    sniff_end(&sniff);
    assert_true(sniff.settled);
    return sniff.kind;
}

/* A start, then so many bytes of filling. */
struct file {
    struct str start;
    char fill;
    size_t filled;
    enum sniff_kind kind;
};

static const struct file files[] = {
    {STR_INIT(""), 0, 0, SNIFF_TEXT},
    {STR_INIT("MZ\x90\0\3\0\0\0\4"), 0, 600, SNIFF_WINDOWS},
    {STR_INIT("ZM\x90\0\3\0\0\0\4"), 0, 60, SNIFF_WINDOWS},
    {STR_INIT("MZ is a music label"), 'x', 600, SNIFF_TEXT},
    {STR_INIT("MZ"), 'x', 3, SNIFF_TEXT},
    {STR_INIT("\x7f"
              "ELF\2\1\1\0\0\0\0\0\0\0\0\0\2\0"),
     0, 100, SNIFF_ELF},
    {STR_INIT("\xcf\xfa\xed\xfe\7\0\0\1"), 0, 100, SNIFF_MACH},
    {STR_INIT("\xfe\xed\xfa\xce"), 0, 100, SNIFF_MACH},
    {STR_INIT("\xca\xfe\xba\xbe\0\0\0\2\1\0\0\7"), 0, 100, SNIFF_MACH},
    {STR_INIT("\xca\xfe\xba\xbe\0\0\0\x34\0\x1d"), 0, 100, SNIFF_JAVA},
    {STR_INIT("L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0\0\0\0\x46"), 0, 100, SNIFF_SHORTCUT},
    {STR_INIT("!<arch>\ndebian-binary   1342943816"), ' ', 100, SNIFF_PACKAGE},
    {STR_INIT("!<arch>\nlib.o/  "), ' ', 600, SNIFF_TEXT},
    {STR_INIT("\xed\xab\xee\xdb\3\0"), 0, 100, SNIFF_PACKAGE},
    {STR_INIT("xar!\0\x1c\0\1"), 0, 100, SNIFF_PACKAGE},
    {STR_INIT("hsqs"), 0, 100, SNIFF_PACKAGE},
    {STR_INIT("dex\n035\0"), 0, 100, SNIFF_PACKAGE},
    {STR_INIT("Cr24\3\0\0\0"), 0, 100, SNIFF_EXTENSION},
    {STR_INIT("encrcdsa\0\0\0\2"), 0, 100, SNIFF_DISK_IMAGE},
    {STR_INIT("#!/bin/sh\nrm -rf x\n"), 'x', 0, SNIFF_SCRIPT},
    {STR_INIT("#! /usr/bin/env python3\n"), 'x', 600, SNIFF_SCRIPT},
    {STR_INIT("#!important { color: red }"), 'x', 600, SNIFF_TEXT},
    {STR_INIT("\r\n@ECHO OFF\r\ndel x\r\n"), 'x', 0, SNIFF_SCRIPT},
    {STR_INIT("\0asm\1\0\0\0"), 0, 100, SNIFF_WASM},
    {STR_INIT("\xff\xd8\xff\xe0\0\x10JFIF"), 0, 100, SNIFF_MEDIA},
    {STR_INIT("\0\0\0\x20"
              "ftypisom"),
     0, 100, SNIFF_MEDIA},
    {STR_INIT("%PDF-1.7\n"), 'x', 100, SNIFF_MEDIA},
    {STR_INIT("<!DOCTYPE html><title>x</title>"), 'x', 700, SNIFF_TEXT},
    {STR_INIT("\xef\xbb\xbfW\xc3\xb6rter"), 'x', 10, SNIFF_TEXT},
    {STR_INIT("\x1f\x8b\x08\0\0\0"), 0, 700, SNIFF_PLAIN},
    {STR_INIT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), 0, 10, SNIFF_OFFICE},
};

TEST(R129_each_kind_is_told_by_its_first_bytes_under_every_split)
{
    for (size_t i = 0; i < COUNT(files); i++) {
        struct buf bytes;
        buf_init(&bytes, 4096);
        buf_append(&bytes, files[i].start);
        for (size_t n = 0; n < files[i].filled; n++) {
            buf_append_byte(&bytes, files[i].fill);
        }
        for (size_t piece = 1; piece <= bytes.len + 1; piece += piece < 70 ? 1 : 97) {
            enum sniff_kind kind = told(buf_str(&bytes), piece);
            if (kind != files[i].kind) {
                fail_msg("file %zu in pieces of %zu: %.*s", i, piece, STR_ARG(sniff_words(kind)));
            }
        }
        buf_fini(&bytes);
    }
}

/* A member of an archive: header, name, and bytes of content. */
static void add_member(struct buf *to, const char *name, size_t content)
{
    size_t len = strlen(name);
    char header[30] = "PK\3\4\x14\0\x08\0\x08\0";
    header[26] = (char)(len & 255);
    header[27] = (char)(len >> 8);
    buf_append(to, str_make(header, sizeof(header)));
    buf_append(to, str_from(name));
    for (size_t i = 0; i < content; i++) {
        buf_append_byte(to, i % 7 == 3 ? 'P' : i % 7 == 4 ? 'K' : 'x');
    }
}

static void add_directory(struct buf *to, const char *name)
{
    char header[46] = "PK\1\2\x14\0\x14";
    header[28] = (char)strlen(name);
    buf_append(to, str_make(header, sizeof(header)));
    buf_append(to, str_from(name));
}

TEST(R129_an_archive_is_what_the_names_of_its_members_say)
{
    static const struct {
        const char *names[3];
        enum sniff_kind kind;
    } rows[] = {
        {{"a.txt", "b/c.png"}, SNIFF_ARCHIVE},
        {{"[Content_Types].xml", "_rels/.rels", "word/document.xml"}, SNIFF_ARCHIVE},
        {{"mimetype", "META-INF/manifest.xml"}, SNIFF_ARCHIVE},
        {{"a.txt", "b/Setup.EXE"}, SNIFF_ARCHIVED},
        {{"a.txt", "b/setup.exe. "}, SNIFF_ARCHIVED},
        {{"a.txt", "b.txt", "run.ps1"}, SNIFF_ARCHIVED},
        {{"META-INF/", "META-INF/MANIFEST.MF", "a/B.class"}, SNIFF_JAVA},
        {{"res/x.png", "AndroidManifest.xml"}, SNIFF_PACKAGE},
        {{"manifest.json", "META-INF/mozilla.rsa"}, SNIFF_EXTENSION},
        {{"a.txt", "exe", "x.exe.txt"}, SNIFF_ARCHIVE},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t content = 0; content < 6000; content = content * 3 + 50) {
            struct buf bytes;
            buf_init(&bytes, 1 << 16);
            for (size_t m = 0; m < COUNT(rows[i].names) && rows[i].names[m] != NULL; m++) {
                add_member(&bytes, rows[i].names[m], content);
            }
            for (size_t piece = 1; piece < 5000; piece = piece * 3 + 1) {
                enum sniff_kind kind = told(buf_str(&bytes), piece);
                if (kind != rows[i].kind) {
                    fail_msg("archive %zu in pieces of %zu: %.*s", i, piece,
                             STR_ARG(sniff_words(kind)));
                }
            }
            buf_fini(&bytes);
        }
    }
}

TEST(R129_the_directory_of_an_archive_counts_where_its_headers_lie)
{
    struct buf bytes;
    buf_init(&bytes, 1 << 16);
    add_member(&bytes, "a.txt", 3000);
    add_directory(&bytes, "a.txt");
    assert_int_equal(told(buf_str(&bytes), 700), SNIFF_ARCHIVE);
    add_directory(&bytes, "game.exe");
    assert_int_equal(told(buf_str(&bytes), 700), SNIFF_ARCHIVED);
    assert_int_equal(told(buf_str(&bytes), 1), SNIFF_ARCHIVED);
    buf_fini(&bytes);
}

TEST(names_too_long_to_be_any_do_not_stop_the_reading)
{
    struct buf bytes;
    char name[4000];
    memset(name, 'P', sizeof(name));
    name[sizeof(name) - 1] = 0;
    buf_init(&bytes, 1 << 16);
    add_member(&bytes, name, 10);
    add_member(&bytes, "x.exe", 10);
    for (size_t piece = 1; piece < 5000; piece = piece * 2 + 1) {
        assert_int_equal(told(buf_str(&bytes), piece), SNIFF_ARCHIVED);
    }
    buf_fini(&bytes);
}

static void put32(char *at, uint32_t value)
{
    for (unsigned i = 0; i < 4; i++) {
        at[i] = (char)(value >> (8 * i) & 255);
    }
}

TEST(R129_an_installer_is_told_from_an_office_document_wherever_its_directory_lies)
{
    static const char class[] = "\x84\x10\x0c\0\0\0\0\0\xc0\0\0\0\0\0\0\x46";
    static const unsigned sectors[] = {0, 1, 7, 40};
    for (size_t s = 0; s < COUNT(sectors); s++) {
        for (unsigned shift = 9; shift <= 12; shift += 3) {
            size_t at = ((size_t)sectors[s] + 1) << shift;
            size_t size = at + 512;
            char *file = calloc(1, size);
            assert_non_null(file);
            memcpy(file, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8);
            file[30] = (char)shift;
            put32(file + 48, sectors[s]);
            memcpy(file + at + 80, class, 16);
            for (size_t piece = 1; piece < size + 4000; piece = piece * 3 + 1) {
                assert_int_equal(told(str_make(file, size), piece), SNIFF_INSTALLER);
                assert_int_equal(told(str_make(file, at + 90), piece), SNIFF_OFFICE);
            }
            file[at + 80] = 0x06; /* another class */
            assert_int_equal(told(str_make(file, size), 100), SNIFF_OFFICE);
            free(file);
        }
    }
}

TEST(R129_a_disk_image_is_told_before_its_last_bytes_are_let_go)
{
    struct buf bytes;
    buf_init(&bytes, 1 << 16);
    buf_append(&bytes, STR("x\xda\x63\x60\x18\x05\0"));
    for (size_t i = 0; i < 9000; i++) {
        buf_append_byte(&bytes, (char)(i * 31));
    }
    size_t before = bytes.len;
    assert_int_equal(told(buf_str(&bytes), 100), SNIFF_PLAIN);
    buf_append(&bytes, STR("koly\0\0\0\4\0\0\2\0"));
    for (size_t i = 0; i < 500; i++) {
        buf_append_byte(&bytes, 0);
    }
    for (size_t piece = 1; piece < 20000; piece = piece * 2 + 1) {
        struct sniff sniff;
        size_t at = 0;
        sniff_init(&sniff);
        while (at < bytes.len && !sniff_feed(&sniff, str_sub(buf_str(&bytes), at, piece))) {
            at += piece;
        }
        assert_int_equal(sniff.kind, SNIFF_DISK_IMAGE);
        assert_true(at <= before + 512 && at < bytes.len);
    }
    buf_fini(&bytes);
}

TEST(R129_names_and_types_claim)
{
    static const struct {
        const char *name;
        enum sniff_kind name_kind, path_kind;
    } names[] = {
        {"setup.exe", SNIFF_WINDOWS, SNIFF_WINDOWS},
        {"/a/b/SETUP.Exe", SNIFF_WINDOWS, SNIFF_WINDOWS},
        {"a.exe.. ", SNIFF_WINDOWS, SNIFF_WINDOWS},
        {"command.com", SNIFF_WINDOWS, SNIFF_UNSET},
        {"/web/http://example.com", SNIFF_WINDOWS, SNIFF_UNSET},
        {"photo.exe.jpg", SNIFF_UNSET, SNIFF_UNSET},
        {"exe", SNIFF_UNSET, SNIFF_UNSET},
        {"a.exe/b", SNIFF_UNSET, SNIFF_UNSET},
        {"app.AppImage", SNIFF_ELF, SNIFF_ELF},
        {"x.ps1", SNIFF_SCRIPT, SNIFF_SCRIPT},
        {"x.js", SNIFF_UNSET, SNIFF_UNSET},
        {"", SNIFF_UNSET, SNIFF_UNSET},
    };
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_int_equal(sniff_name(str_from(names[i].name)), names[i].name_kind);
        assert_int_equal(sniff_path(str_from(names[i].name)), names[i].path_kind);
    }
    assert_int_equal(sniff_type(STR(" application/X-MSDownload ; x=1")), SNIFF_WINDOWS);
    assert_int_equal(sniff_type(STR("application/octet-stream")), SNIFF_UNSET);
    assert_true(sniff_type_is_shown(STR("text/HTML; charset=utf-8")));
    assert_true(sniff_type_is_shown(STR("image/png")));
    assert_false(sniff_type_is_shown(STR("text/plain")));
    assert_false(sniff_type_is_shown(STR("")));
}

TEST(only_programs_are_programs)
{
    assert_true(sniff_is_program(SNIFF_WINDOWS));
    assert_true(sniff_is_program(SNIFF_ARCHIVED));
    assert_false(sniff_is_program(SNIFF_UNSET));
    assert_false(sniff_is_program(SNIFF_WASM));
    assert_false(sniff_is_program(SNIFF_OFFICE));
}

TESTS_MAIN(unit(R129_each_kind_is_told_by_its_first_bytes_under_every_split),
           unit(R129_an_archive_is_what_the_names_of_its_members_say),
           unit(R129_the_directory_of_an_archive_counts_where_its_headers_lie),
           unit(names_too_long_to_be_any_do_not_stop_the_reading),
           unit(R129_an_installer_is_told_from_an_office_document_wherever_its_directory_lies),
           unit(R129_a_disk_image_is_told_before_its_last_bytes_are_let_go),
           unit(R129_names_and_types_claim), unit(only_programs_are_programs))
