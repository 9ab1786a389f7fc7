/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/disposition.h"

#include "lib/test.h"

TEST(names_are_found_in_every_form)
{
    static const struct {
        const char *value;
        const char *names[3];
    } rows[] = {
        {"attachment", {NULL}},
        {"attachment; filename=a.exe", {"a.exe"}},
        {"attachment;filename = \"a b.exe\" ; x=y", {"a b.exe"}},
        {"inline; FileName=\"a\\\"b\\\\.exe\"", {"a\"b\\.exe"}},
        {"attachment; filename=\"a;b.exe\"", {"a;b.exe"}},
        {"attachment; filename*=UTF-8''a%20%E2%82%ac.exe", {"UTF-8''a \xe2\x82\xac.exe"}},
        {"attachment; filename=a.txt; filename*=utf-8'en'b.exe", {"a.txt", "utf-8'en'b.exe"}},
        {"attachment; filename=a%2Eexe", {"a%2Eexe", "a.exe"}},
        {"attachment; filename=\"a.exe", {"a.exe"}},
        {"filename=a.exe", {NULL}},
        {"; filename=a.exe", {"a.exe"}},
        {"attachment; x; y=; filename=", {""}},
        {"attachment; filename=a.txt; filename=b.exe", {"a.txt", "b.exe"}},
        {"attachment; filename=a%2", {"a%2", "a%2"}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct disposition got;
        unsigned n = 0;
        while (n < 3 && rows[i].names[n] != NULL) {
            n++;
        }
        disposition_parse(str_from(rows[i].value), &got);
        assert_int_equal(got.n, n);
        for (unsigned k = 0; k < n; k++) {
            assert_str_eq(disposition_name(&got, k), str_from(rows[i].names[k]));
        }
    }
}

TEST(a_long_name_keeps_its_end_and_many_names_the_last)
{
    char value[2000] = "attachment; filename=";
    struct disposition got;
    size_t len = strlen(value);
    memset(value + len, 'x', 1500);
    memcpy(value + len + 1500, ".exe", 5);
    disposition_parse(str_from(value), &got);
    assert_int_equal(got.n, 1);
    assert_true(str_ends(disposition_name(&got, 0), STR("x.exe")));
    disposition_parse(STR("a;filename=1;filename=2;filename=3;filename=4;filename=5.exe"), &got);
    assert_int_equal(got.n, DISPOSITION_NAMES_MAX);
    assert_str_eq(disposition_name(&got, DISPOSITION_NAMES_MAX - 1), STR("5.exe"));
}

TESTS_MAIN(unit(names_are_found_in_every_form),
           unit(a_long_name_keeps_its_end_and_many_names_the_last))
