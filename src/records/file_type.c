/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a file is. */
#include "records/file_type.h"

#include "wire/sniff.h"
#include "wire/utf8.h"

#define OCTETS STR("application/octet-stream")

static const struct {
    struct str start;
    struct str type;
} starts[] = {
    {STR_INIT("%PDF-"), STR_INIT("application/pdf")},
    {STR_INIT("\x89PNG\r\n\x1a\n"), STR_INIT("image/png")},
    {STR_INIT("\xff\xd8\xff"), STR_INIT("image/jpeg")},
    {STR_INIT("GIF8"), STR_INIT("image/gif")},
    {STR_INIT("II*\0"), STR_INIT("image/tiff")},
    {STR_INIT("MM\0*"), STR_INIT("image/tiff")},
    {STR_INIT("OggS"), STR_INIT("audio/ogg")},
    {STR_INIT("ID3"), STR_INIT("audio/mpeg")},
};

#define OFFICE "application/vnd.openxmlformats-officedocument."

/* In a ZIP archive, where the sender says so. */
static const struct str zipped[] = {
    STR_INIT(OFFICE "wordprocessingml.document"),
    STR_INIT(OFFICE "spreadsheetml.sheet"),
    STR_INIT(OFFICE "presentationml.presentation"),
    STR_INIT("application/vnd.oasis.opendocument.text"),
    STR_INIT("application/vnd.oasis.opendocument.spreadsheet"),
};

static bool is_text(struct str bytes)
{
    while (bytes.len != 0) {
        size_t n = utf8_length(bytes);
        char c = bytes.p[0];
        if (n == 0 || (n == 1 && c < 0x20 && c != '\n' && c != '\r' && c != '\t')) {
            return false;
        }
        bytes = str_skip(bytes, n);
    }
    return true;
}

struct str file_type(struct str bytes, struct str told)
{
    for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        if (str_starts(bytes, starts[i].start)) {
            return starts[i].type;
        }
    }
    if (str_starts(bytes, STR("RIFF")) && str_eq(str_sub(bytes, 8, 4), STR("WEBP"))) {
        return STR("image/webp");
    }
    if (str_eq(str_sub(bytes, 4, 4), STR("ftyp"))) {
        return STR("video/mp4");
    }
    if (str_starts(bytes, STR("PK\x03\x04"))) {
        for (size_t i = 0; i < sizeof(zipped) / sizeof(zipped[0]); i++) {
            if (str_eq(told, zipped[i])) {
                return zipped[i];
            }
        }
        return STR("application/zip");
    }
    return is_text(bytes) ? STR("text/plain; charset=utf-8") : OCTETS;
}

bool file_is_program(struct str bytes, struct str name)
{
    struct sniff sniff;
    sniff_init(&sniff);
    if (!sniff_feed(&sniff, bytes)) {
        sniff_end(&sniff);
    }
    return sniff_is_program(sniff.kind) || sniff_is_program(sniff_name(name));
}
