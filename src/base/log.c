/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The log: each line is written with one write(2), so that processes do not mix theirs. */
#include "base/log.h"

#include <stdio.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"

enum { LINE_MAX_BYTES = 4096, QUOTED_MAX = 200 };

static const char *process_name = "lodge";

void log_set_process(const char *name)
{
    process_name = name;
}

static const char *level_name(enum log_level level)
{
    switch (level) {
    case LOG_ERROR:
        return "error";
    case LOG_WARN:
        return "warn";
    case LOG_INFO:
        return "info";
    case LOG_UNSET:
        break;
    }
    CHECK(level != LOG_UNSET);
    return "";
}

void log_line(enum log_level level, const char *event, const char *format, ...)
{
    char time[CIVIL_TEXT_MAX];
    char text[LINE_MAX_BYTES];
    size_t n = civil_print_utc(clock_utc_ms(), time);
    int head = snprintf(text, sizeof(text) - 1, "%.*s level=%s process=%s pid=%d event=%s%s",
                        (int)n, time, level_name(level), process_name, (int)getpid(), event,
                        format[0] != '\0' ? " " : "");
    CHECK(head > 0 && (size_t)head < sizeof(text) - 1);
    va_list arguments;
    va_start(arguments, format);
    int rest = vsnprintf(text + head, sizeof(text) - 1 - (size_t)head, format, arguments);
    va_end(arguments);
    size_t len = (size_t)head + (rest > 0 ? (size_t)rest : 0);
    len = len < sizeof(text) - 2 ? len : sizeof(text) - 2;
    text[len] = '\n';
    ssize_t written = write(STDERR_FILENO, text, len + 1);
    (void)written; /* nobody is left to tell */
}

void log_quote(struct buf *to, struct str value)
{
    struct str shown = str_sub(value, 0, QUOTED_MAX);
    buf_append_byte(to, '"');
    for (size_t i = 0; i < shown.len; i++) {
        char c = shown.p[i];
        if (c == '"' || c == '\\') {
            buf_append_byte(to, '\\');
            buf_append_byte(to, c);
        } else if (c >= ' ' && c <= '~') {
            buf_append_byte(to, c);
        } else {
            buf_printf(to, "\\x%02x", (unsigned)(unsigned char)c);
        }
    }
    if (shown.len < value.len) {
        buf_append(to, STR("..."));
    }
    buf_append_byte(to, '"');
}
