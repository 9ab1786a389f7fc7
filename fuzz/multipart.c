/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a body of multipart/form-data, whose first line is its boundary. */
#include <stdint.h>

#include "base/buf.h"
#include "base/check.h"
#include "wire/multipart.h"
#include "wire/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str boundary;
    struct str body;
    struct buf type;
    struct multipart multipart;
    struct multipart_part part;
    struct arena arena;
    str_cut(str_make((const char *)data, size), '\n', &boundary, &body);
    buf_init(&type, 4096);
    buf_append(&type, STR("multipart/form-data; boundary="));
    buf_append(&type, boundary);
    arena_init(&arena, 1 << 18);
    enum err err = multipart_open(buf_str(&type), body, &multipart);
    while (err == ERR_OK) {
        err = multipart_next(&multipart, &arena, &part);
        if (err == ERR_OK) {
            CHECK(utf8_is_text(part.name) && utf8_is_text(part.file_name));
            CHECK(part.bytes.p >= body.p && part.bytes.p + part.bytes.len <= body.p + body.len);
        }
    }
    CHECK(err != ERR_OK);
    arena_fini(&arena);
    buf_fini(&type);
    return 0;
}
