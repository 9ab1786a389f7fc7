/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cmd/doctor_impl.h"
#include "lib/test.h"

TEST(swap_on_a_disk_is_told_from_compressed_memory)
{
    static const struct {
        const char *line;
        bool safe;
    } cases[] = {
        {"/dev/zram0                              partition\t1048572\t\t0\t\t100", true},
        {"/dev/sda2                               partition\t1048572\t\t0\t\t-2", false},
        {"/swapfile                               file\t\t2097148\t\t0\t\t-2", false},
        {"/dev/dm-99999                           partition\t1048572\t\t0\t\t-2", false},
        {"/dev/dm-../../../etc/passwd             partition\t1\t\t0\t\t-2", false},
        {"", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_true(doctor_swap_is_safe(str_from(cases[i].line)) == cases[i].safe);
    }
}

TESTS_MAIN(unit(swap_on_a_disk_is_told_from_compressed_memory))
