/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/suffix.h"

#include "lib/test.h"

TEST(a_public_suffix_is_one_that_a_registry_sells_names_under)
{
    static const struct {
        const char *name;
        bool want;
    } cases[] = {
        {"com", true},        {"co.uk", true},         {"ac.uk", true},
        {"gov.uk", true},     {"example.com", false},  {"example.co.uk", false},
        {"bbc.co.uk", false}, {"blogspot.com", false}, {"github.io", false},
        {"nonsuch", false},   {"a.nonsuch", false},    {"192.0.2.1", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct host host;
        assert_ok(host_parse(str_from(cases[i].name), &host));
        if (host_is_public_suffix(&host) != cases[i].want) {
            fail_msg("%s", cases[i].name);
        }
    }
}

TESTS_MAIN(unit(a_public_suffix_is_one_that_a_registry_sells_names_under))
