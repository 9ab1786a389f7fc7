/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conf/conf.h"

#include "lib/test.h"

static struct conf conf;
static struct buf why;

static void begin(void)
{
    buf_init(&why, 4096);
    conf_init(&conf);
}

TEST(defaults_are_those_of_the_table)
{
    begin();
    assert_int_equal(conf.head_timeout_ms, 30000);
    assert_int_equal(conf.auth_cache_ms, 600000);
    assert_int_equal(conf.segment_bytes, 4 << 20);
    assert_int_equal(conf.workers, 0);
    assert_false(conf.allow_private);
    assert_str_eq(conf_str(&conf.gate_name), STR("lodge.internal"));
    buf_fini(&why);
}

TEST(values_are_read_by_their_type_and_range)
{
    static const struct {
        const char *name, *value;
        enum err err;
        const char *why;
    } cases[] = {
        {"workers", "4", ERR_OK, ""},
        {"workers", "65", ERR_RANGE, "workers takes a number, from 0 to 64"},
        {"workers", "-1", ERR_INVALID, "workers takes a number, from 0 to 64"},
        {"workers", "", ERR_INVALID, "workers takes a number, from 0 to 64"},
        {"workers", "99999999999999999999", ERR_INVALID, "workers takes a number, from 0 to 64"},
        {"head-timeout", "500ms", ERR_OK, ""},
        {"head-timeout", "2m", ERR_OK, ""},
        {"head-timeout", "2", ERR_INVALID,
         "head-timeout takes a number with ms, s, m, h, from 100ms to 1h"},
        {"head-timeout", "2h", ERR_RANGE,
         "head-timeout takes a number with ms, s, m, h, from 100ms to 1h"},
        {"head-timeout", "99999999999999999h", ERR_RANGE,
         "head-timeout takes a number with ms, s, m, h, from 100ms to 1h"},
        {"segment", "1M", ERR_OK, ""},
        {"segment", "65536", ERR_OK, ""},
        {"segment", "1k", ERR_INVALID, "segment takes a number with K, M, G, from 64K to 1G"},
        {"allow-private", "yes", ERR_OK, ""},
        {"allow-private", "true", ERR_INVALID, "allow-private takes yes or no"},
        {"node", "", ERR_RANGE, "node takes 1 to 64 bytes"},
        {"node", "gate-2", ERR_OK, ""},
        {"allow_private", "yes", ERR_NOT_FOUND, "there is no option allow_private"},
        {"what", "yes", ERR_NOT_FOUND, "there is no option what"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        assert_err(conf_set(&conf, str_from(cases[i].name), str_from(cases[i].value), &why),
                   cases[i].err);
        assert_str_eq(buf_str(&why), str_from(cases[i].why));
        buf_fini(&why);
    }
}

TEST(a_file_sets_options)
{
    begin();
    assert_ok(conf_read(&conf,
                        STR("# comment\n; another\nnode = gate-2  ; here\n\n"
                            "workers=3\nhead-timeout = 5s\r\nallow-private: yes\n"),
                        &why));
    assert_str_eq(conf_str(&conf.node), STR("gate-2"));
    assert_int_equal(conf.workers, 3);
    assert_int_equal(conf.head_timeout_ms, 5000);
    assert_true(conf.allow_private);
    buf_fini(&why);
}

TEST(a_bad_line_of_a_file_is_named)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"node = a\nworkers = many\n", "line 2: workers takes a number, from 0 to 64"},
        {"nothing\n", "line 1: not \"name = value\""},
        {"\n\n[part]\nnode = a\n", "line 4: there are no [sections] here"},
        {"a = b\nworkers = x\n", "line 1: there is no option a"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        begin();
        assert_err(conf_read(&conf, str_from(cases[i].text), &why), ERR_INVALID);
        assert_str_eq(buf_str(&why), str_from(cases[i].why));
        buf_fini(&why);
    }
    begin();
    assert_err(conf_read(&conf, STR("node = a\0b"), &why), ERR_INVALID);
    buf_fini(&why);
}

TEST(every_row_has_a_name_a_help_and_a_default_that_is_allowed)
{
    for (size_t i = 0; i < CONF_COUNT; i++) {
        const struct conf_row *row = conf_row(i);
        begin();
        assert_true(row->help[0] != '\0');
        assert_ok(conf_set(&conf, str_from(row->name), str_from(row->value), &why));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(row->name, conf_row(j)->name);
        }
        buf_fini(&why);
    }
}

TESTS_MAIN(unit(defaults_are_those_of_the_table), unit(values_are_read_by_their_type_and_range),
           unit(a_file_sets_options), unit(a_bad_line_of_a_file_is_named),
           unit(every_row_has_a_name_a_help_and_a_default_that_is_allowed))
