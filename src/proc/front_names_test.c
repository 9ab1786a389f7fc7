/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proc/front_names.h"

#include "lib/test.h"

TEST(only_our_names_and_the_address_dialled_are_ours)
{
    static const struct {
        struct str host;
        bool ours;
    } rows[] = {
        {STR_INIT("localhost"), true},
        {STR_INIT("localhost:8443"), true},
        {STR_INIT("LOCALHOST:8443"), true},
        {STR_INIT("Lodge.School.Example."), true},
        {STR_INIT("lodge"), true},
        {STR_INIT("192.0.2.7:8443"), true},
        {STR_INIT("[2001:db8::1]"), true},
        {STR_INIT("192.0.2.8"), false},
        {STR_INIT("lodge.school.example.attacker.example"), false},
        {STR_INIT("attacker.example"), false},
        {STR_INIT(""), false},
        {STR_INIT("localhost:port"), false},
        {STR_INIT("user@localhost"), false},
    };
    struct front_names names;
    struct sock_addr dialled;
    assert_ok(front_names_parse(STR("lodge.school.example, lodge,[2001:db8::1]"), &names));
    assert_ok(sock_addr_parse(STR("192.0.2.7:8443"), &dialled));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (front_names_has(&names, rows[i].host, &dialled) != rows[i].ours) {
            fail_msg("%.*s", STR_ARG(rows[i].host));
        }
    }
}

TEST(an_option_that_is_no_list_of_names_is_refused)
{
    static const struct str rows[] = {STR_INIT(","), STR_INIT("a b"), STR_INIT("a,,b"),
                                      STR_INIT("a:443")};
    struct front_names names;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_err(front_names_parse(rows[i], &names), ERR_INVALID);
    }
}

TEST(a_name_is_added_once)
{
    struct front_names names;
    assert_ok(front_names_parse(STR("localhost,lodge"), &names));
    assert_int_equal(names.n, 2);
    front_names_add(&names, STR("LODGE"));
    front_names_add(&names, STR("not a name"));
    assert_int_equal(names.n, 2);
    front_names_add(&names, STR("gate"));
    assert_int_equal(names.n, 3);
}

TESTS_MAIN(unit(only_our_names_and_the_address_dialled_are_ours),
           unit(an_option_that_is_no_list_of_names_is_refused), unit(a_name_is_added_once))
