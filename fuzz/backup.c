/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A backup of somebody who has the public half. The first byte says as what the rest is taken: the
 * file as it lies there, what is in it once it is opened, a half of a key as people keep it, or the
 * noted ends of the audit's chains. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "cmd/archive.h"
#include "cmd/backup_key.h"
#include "os/file.h"
#include "records/audit_heads.h"

enum { FILE_ROOM = 1 << 20, PATH_BYTES = 256 };

static const uint8_t SECRET[STREAM_KEY_BYTES] = {1, 2, 3};

static enum err put_fd(void *to, struct str bytes)
{
    return file_write_all(*(int *)to, bytes);
}

static void seal_to(int fd, struct str inside)
{
    uint8_t public[STREAM_KEY_BYTES];
    struct stream_writer *writer;
    stream_key_public(SECRET, public);
    CHECK(file_write_all(fd, STR("LODGEBK1")) == ERR_OK);
    CHECK(stream_writer_new(public, put_fd, &fd, &writer) == ERR_OK);
    CHECK(stream_write(writer, inside) == ERR_OK && stream_end(writer) == ERR_OK);
    stream_writer_free(writer);
}

/* The store's own text is fuzz/dump.c's; here it is passed over by the byte. */
static enum err read_part(struct archive_in *archive, enum archive_kind kind)
{
    char name[ARCHIVE_NAME_MAX];
    char byte;
    struct buf bytes;
    if (kind == ARCHIVE_STORE) {
        return archive_get(archive, &byte, 1);
    }
    buf_init(&bytes, FILE_ROOM);
    enum err err = archive_get_file(archive, name, &bytes);
    if (err == ERR_OK) {
        CHECK(archive_name_is_fine(str_from(name)) && strstr(name, "..") != name);
    }
    buf_fini(&bytes);
    return err;
}

static void try_archive(struct str text, bool whole)
{
    char path[PATH_BYTES];
    struct archive_in *archive = NULL;
    enum archive_kind kind = ARCHIVE_UNSET;
    int fd = memfd_create("backup", MFD_CLOEXEC);
    CHECK(fd >= 0);
    if (whole) {
        CHECK(file_write_all(fd, text) == ERR_OK);
    } else {
        seal_to(fd, text);
    }
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    enum err err = archive_open(path, SECRET, &archive);
    CHECK(err == ERR_OK || whole);
    while (err == ERR_OK && kind != ARCHIVE_END) {
        err = archive_next(archive, &kind);
        if (err == ERR_OK && kind != ARCHIVE_END) {
            err = read_part(archive, kind);
        }
    }
    archive_close(archive);
    close(fd);
}

static void try_key(struct str text, bool secret)
{
    uint8_t key[STREAM_KEY_BYTES];
    uint8_t again[STREAM_KEY_BYTES];
    struct buf printed;
    buf_init(&printed, BACKUP_KEY_FILE_MAX);
    if (backup_key_parse(text, secret, key) == ERR_OK) {
        backup_key_print(key, secret, &printed);
        CHECK(backup_key_parse(buf_str(&printed), secret, again) == ERR_OK);
        CHECK(memcmp(key, again, sizeof(key)) == 0);
    }
    buf_fini(&printed);
}

static void try_heads(struct str text)
{
    char folder[PATH_BYTES];
    struct audit_head head;
    int fd;
    const char *temporary = getenv("TMPDIR");
    snprintf(folder, sizeof(folder), "%s/lodge-fuzz-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    CHECK(mkdtemp(folder) != NULL && file_open_dir(AT_FDCWD, folder, &fd) == ERR_OK);
    CHECK(file_write(fd, AUDIT_HEADS_NAME, text, 0600) == ERR_OK);
    enum err err = audit_heads_last(fd, STR("oak"), &head);
    CHECK(err == ERR_INVALID || (err == ERR_OK && head.seq >= 0));
    CHECK(unlinkat(fd, AUDIT_HEADS_NAME, 0) == 0 && rmdir(folder) == 0);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    struct str text = str_make((const char *)data + 1, size - 1);
    switch (data[0] % 5) {
    case 0:
        try_archive(text, true);
        break;
    case 1:
        try_archive(text, false);
        break;
    case 2:
    case 3:
        try_key(text, data[0] % 5 == 2);
        break;
    default:
        try_heads(text);
        break;
    }
    return 0;
}
