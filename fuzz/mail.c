/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any texts in a mail, with NUL between them: what is printed is lines of at most 78 bytes (998
 * with an address), CRLF and nothing else between, and as many headers as there are. */
#include <string.h>

#include "base/check.h"
#include "wire/mail.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(struct str text)
{
    size_t headers = 0;
    bool head = true;
    while (text.len != 0) {
        struct str line;
        CHECK(str_cut(text, '\n', &line, &text) && str_ends(line, STR("\r")));
        line = str_sub(line, 0, line.len - 1);
        CHECK(line.len <= 998 && str_index(line, '\r') == line.len);
        head = head && line.len != 0;
        headers += head && line.p[0] != ' ';
        CHECK(line.len <= 78 || str_index(line, '@') < line.len);
        for (size_t i = 0; i < line.len; i++) {
            CHECK((line.p[i] >= ' ' && line.p[i] <= '~') || (!head && line.p[i] == '\t'));
        }
    }
    CHECK(headers == 9 && !head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size};
    struct mail mail = {.from = STR("lodge@school.example"), .to = STR("head@school.example")};
    struct str *texts[] = {&mail.to, &mail.from_name, &mail.subject, &mail.id, &mail.body};
    struct buf to;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        (void)str_cut(rest, '\0', texts[i], &rest);
    }
    mail.date_ms = (int64_t)size * 86400000 * 7;
    buf_init(&to, 1 << 20);
    if (mail_print(&mail, &to) == ERR_OK) {
        check_lines(buf_str(&to));
    }
    buf_fini(&to);
    return 0;
}
