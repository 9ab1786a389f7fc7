/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/log.h"

#include <unistd.h>

#include "lib/test.h"

TEST(quotes_keep_a_line_a_line)
{
    struct buf buf;
    buf_init(&buf, 2000);
    log_quote(&buf, STR("a\"b\\c\n\x7f level=error"));
    assert_str_eq(buf_str(&buf), STR("\"a\\\"b\\\\c\\x0a\\x7f level=error\""));
    buf_fini(&buf);
}

TEST(long_values_are_cut)
{
    char many[1000];
    memset(many, 'x', sizeof(many));
    struct buf buf;
    buf_init(&buf, 2000);
    log_quote(&buf, str_make(many, sizeof(many)));
    assert_int_equal(buf.len, 200 + 2 + 3);
    buf_fini(&buf);
}

TEST(a_line_is_written_whole_whatever_its_length)
{
    int pipes[2];
    char many[9000];
    char got[9000];
    memset(many, 'y', sizeof(many));
    many[sizeof(many) - 1] = '\0';
    assert_int_equal(pipe(pipes), 0);
    int saved = dup(STDERR_FILENO);
    dup2(pipes[1], STDERR_FILENO);
    log_set_process("test");
    log_line(LOG_WARN, "thing", "a=%d", 1);
    log_line(LOG_INFO, "long", "v=%s", many);
    dup2(saved, STDERR_FILENO);
    ssize_t n = read(pipes[0], got, sizeof(got) - 1);
    assert_true(n > 4000);
    got[n] = '\0';
    assert_non_null(strstr(got, " level=warn process=test pid="));
    assert_non_null(strstr(got, " event=thing a=1\n"));
    assert_int_equal(got[n - 1], '\n');
    close(saved);
    close(pipes[0]);
    close(pipes[1]);
}

TESTS_MAIN(unit(quotes_keep_a_line_a_line), unit(long_values_are_cut),
           unit(a_line_is_written_whole_whatever_its_length))
