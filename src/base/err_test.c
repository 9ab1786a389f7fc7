/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/err.h"

#include "lib/test.h"

TEST(every_error_has_a_name_and_a_text)
{
    for (int i = 0; i < ERR_COUNT_; i++) {
        assert_true(strlen(err_name((enum err)i)) > 1);
        size_t len = strlen(err_text((enum err)i));
        assert_true(len > 5);
        assert_true(err_text((enum err)i)[len - 1] != '.');
    }
    assert_string_equal(err_name(ERR_LIMIT), "LIMIT");
}

TESTS_MAIN(unit(every_error_has_a_name_and_a_text))
