/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bodies by their first bytes. */
#include "wire/sniff_impl.h"

struct magic {
    unsigned at;
    struct str bytes;
    enum sniff_kind kind;
};

/* The first that fits. Formats by their own specifications. */
static const struct magic magics[] = {
    {0,
     STR_INIT("\x7f"
              "ELF"),
     SNIFF_ELF},
    {0, STR_INIT("\xfe\xed\xfa\xce"), SNIFF_MACH},
    {0, STR_INIT("\xfe\xed\xfa\xcf"), SNIFF_MACH},
    {0, STR_INIT("\xce\xfa\xed\xfe"), SNIFF_MACH},
    {0, STR_INIT("\xcf\xfa\xed\xfe"), SNIFF_MACH},
    {0, STR_INIT("\xca\xfe\xba\xbf"), SNIFF_MACH},
    {0, STR_INIT("\xca\xfe\xd0\x0d"), SNIFF_JAVA},
    {0, STR_INIT("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), SNIFF_OFFICE},
    {0, STR_INIT("PK\3\4"), SNIFF_ARCHIVE},
    {0, STR_INIT("PK\5\6"), SNIFF_ARCHIVE},
    {0, STR_INIT("PK00PK\3\4"), SNIFF_ARCHIVE},
    {0, STR_INIT("Cr24"), SNIFF_EXTENSION},
    {0, STR_INIT("L\0\0\0\1\x14\2\0\0\0\0\0\xc0\0\0\0"), SNIFF_SHORTCUT},
    {0, STR_INIT("!<arch>\ndebian"), SNIFF_PACKAGE},
    {0, STR_INIT("\xed\xab\xee\xdb"), SNIFF_PACKAGE},
    {0, STR_INIT("xar!"), SNIFF_PACKAGE},
    {0, STR_INIT("hsqs"), SNIFF_PACKAGE},
    {0, STR_INIT("flatpak\0"), SNIFF_PACKAGE},
    {0, STR_INIT("dex\n0"), SNIFF_PACKAGE},
    {0, STR_INIT("encrcdsa"), SNIFF_DISK_IMAGE},
    {0, STR_INIT("\0asm"), SNIFF_WASM},
    {0, STR_INIT("\x89PNG\r\n\x1a\n"), SNIFF_MEDIA},
    {0, STR_INIT("\xff\xd8\xff"), SNIFF_MEDIA},
    {0, STR_INIT("GIF8"), SNIFF_MEDIA},
    {0, STR_INIT("RIFF"), SNIFF_MEDIA},
    {0, STR_INIT("%PDF-"), SNIFF_MEDIA},
    {4, STR_INIT("ftyp"), SNIFF_MEDIA},
    {0, STR_INIT("\x1a\x45\xdf\xa3"), SNIFF_MEDIA},
    {0, STR_INIT("OggS"), SNIFF_MEDIA},
    {0, STR_INIT("ID3"), SNIFF_MEDIA},
    {0, STR_INIT("fLaC"), SNIFF_MEDIA},
    {0, STR_INIT("wOFF"), SNIFF_MEDIA},
    {0, STR_INIT("wOF2"), SNIFF_MEDIA},
    {0, STR_INIT("\0\0\1\0"), SNIFF_MEDIA},
};

/* Only these may be told before the head is long enough for the rest. */
enum { MZ_LEN = 64, CLASS_LEN = 8, CLASS_FIRST = 45 };

/* A program's header holds zeros within these bytes (where its new header lies, if nowhere else);
 * a text that begins with the letters MZ does not. */
static enum sniff_kind mz(struct str head, bool end)
{
    if (head.len < MZ_LEN) {
        return end ? SNIFF_TEXT : SNIFF_UNSET;
    }
    return memchr(head.p, 0, MZ_LEN) != NULL ? SNIFF_WINDOWS : SNIFF_TEXT;
}

/* Java's classes and Apple's programs for several processors begin alike: the one goes on with its
 * version, from 45 up, the other with how many there are. */
static enum sniff_kind cafebabe(struct str head, bool end)
{
    if (head.len < CLASS_LEN) {
        return end ? SNIFF_PLAIN : SNIFF_UNSET;
    }
    return (uint8_t)head.p[7] >= CLASS_FIRST ? SNIFF_JAVA : SNIFF_MACH;
}

/* The line that names an interpreter, or that a batch file begins with. */
static bool is_script(struct str head)
{
    static const struct str batch[] = {STR_INIT("@echo off"), STR_INIT("@echo on"),
                                       STR_INIT("@setlocal")};
    if (str_starts(head, STR("#!"))) {
        struct str path = str_trim(str_sub(str_skip(head, 2), 0, 64));
        return path.len != 0 && path.p[0] == '/';
    }
    for (size_t i = 0; i < sizeof(batch) / sizeof(batch[0]); i++) {
        if (str_eq_nocase(str_sub(str_trim_space(head), 0, batch[i].len), batch[i])) {
            return true;
        }
    }
    return false;
}

static bool is_text(struct str head)
{
    for (size_t i = 0; i < head.len; i++) {
        unsigned char c = (unsigned char)head.p[i];
        if (c < 0x20 && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b) {
            return false;
        }
    }
    return true;
}

enum sniff_kind sniff_head(struct str head, bool end)
{
    if (str_starts(head, STR("MZ")) || str_starts(head, STR("ZM"))) {
        return mz(head, end);
    }
    if (str_starts(head, STR("\xca\xfe\xba\xbe"))) {
        return cafebabe(head, end);
    }
    for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++) {
        if (str_starts(str_skip(head, magics[i].at), magics[i].bytes)) {
            return magics[i].kind;
        }
    }
    if (!end && head.len < SNIFF_HEAD) {
        return SNIFF_UNSET;
    }
    if (is_script(head)) {
        return SNIFF_SCRIPT;
    }
    return is_text(head) ? SNIFF_TEXT : SNIFF_PLAIN;
}
