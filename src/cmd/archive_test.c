/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/archive.h"

#include "lib/folder.h"

struct pair {
    uint8_t public[STREAM_KEY_BYTES];
    uint8_t secret[STREAM_KEY_BYTES];
};

static void path_of(const struct test_folder *at, char to[TEST_PATH_BYTES + 16])
{
    snprintf(to, TEST_PATH_BYTES + 16, "%s/a.backup", at->path);
}

static void write_one(const struct test_folder *at, const struct pair *pair)
{
    struct archive_out *out;
    assert_ok(archive_new(at->fd, "a.backup", pair->public, &out));
    assert_ok(archive_add_file(out, "ca/ca.pem", STR("certificate")));
    assert_ok(archive_begin_store(out));
    assert_ok(archive_put(out, STR("rows")));
    assert_ok(archive_add_file(out, "lodge.conf", STR("")));
    assert_int_equal(faccessat(at->fd, "a.backup", F_OK, 0), -1);
    assert_ok(archive_commit(out));
}

static enum err read_one(const char *path, const struct pair *pair)
{
    char name[ARCHIVE_NAME_MAX];
    char rows[4];
    enum archive_kind kind;
    struct archive_in *in;
    struct buf bytes;
    ERR_TRY(archive_open(path, pair->secret, &in));
    buf_init(&bytes, 1024);
    enum err err = archive_next(in, &kind);
    while (err == ERR_OK && kind != ARCHIVE_END) {
        err = kind == ARCHIVE_STORE ? archive_get(in, rows, sizeof(rows))
                                    : archive_get_file(in, name, &bytes);
        if (err == ERR_OK && kind == ARCHIVE_STORE) {
            assert_memory_equal(rows, "rows", 4);
        } else if (err == ERR_OK && strcmp(name, "ca/ca.pem") == 0) {
            assert_str_eq(buf_str(&bytes), STR("certificate"));
        }
        err = err == ERR_OK ? archive_next(in, &kind) : err;
    }
    buf_fini(&bytes);
    archive_close(in);
    return err;
}

TEST(what_is_put_in_comes_out_with_the_private_half_alone)
{
    struct pair pair;
    struct pair other;
    struct test_folder at;
    char path[TEST_PATH_BYTES + 16];
    test_folder_open(&at);
    path_of(&at, path);
    stream_key_make(pair.public, pair.secret);
    stream_key_make(other.public, other.secret);
    write_one(&at, &pair);
    assert_ok(read_one(path, &pair));
    assert_err(read_one(path, &other), ERR_DENIED);
    assert_err(read_one("/nonexistent/a.backup", &pair), ERR_NOT_FOUND);
    test_folder_close(&at);
}

TEST(a_file_that_is_cut_changed_or_no_backup_is_refused)
{
    struct pair pair;
    struct test_folder at;
    struct buf file;
    char path[TEST_PATH_BYTES + 16];
    test_folder_open(&at);
    path_of(&at, path);
    stream_key_make(pair.public, pair.secret);
    write_one(&at, &pair);
    buf_init(&file, 1 << 20);
    assert_ok(file_read(at.fd, "a.backup", &file));
    for (size_t n = 0; n < file.len; n++) {
        assert_ok(file_write(at.fd, "a.backup", str_sub(buf_str(&file), 0, n), 0600));
        assert_err(read_one(path, &pair), n < 8 ? ERR_INVALID : ERR_TRUNCATED);
    }
    for (size_t i = 0; i < file.len; i++) {
        file.p[i] = (char)(file.p[i] ^ 1);
        assert_ok(file_write(at.fd, "a.backup", buf_str(&file), 0600));
        assert_true(read_one(path, &pair) != ERR_OK);
        file.p[i] = (char)(file.p[i] ^ 1);
    }
    buf_append_byte(&file, 'x');
    assert_ok(file_write(at.fd, "a.backup", buf_str(&file), 0600));
    assert_err(read_one(path, &pair), ERR_INVALID);
    buf_fini(&file);
    test_folder_close(&at);
}

TEST(names_stay_inside_the_folder)
{
    static const struct {
        const char *name;
        bool fine;
    } cases[] = {{"lodge.conf", true}, {"keys/keys.db", true}, {"a-b_c.d", true},
                 {"", false},          {"/etc/passwd", false}, {"../x", false},
                 {"a/../b", false},    {"a/b/c", false},       {"a//b", false},
                 {"a/", false},        {".hidden", false},     {"a/.hidden", false},
                 {"a\\b", false},      {"a b", false},         {"caf\xc3\xa9", false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (archive_name_is_fine(str_from(cases[i].name)) != cases[i].fine) {
            fail_msg("%s", cases[i].name);
        }
    }
}

TESTS_MAIN(unit(what_is_put_in_comes_out_with_the_private_half_alone),
           unit(a_file_that_is_cut_changed_or_no_backup_is_refused),
           unit(names_stay_inside_the_folder))
