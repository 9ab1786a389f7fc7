/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes address and prefix text: what is read is printed and read again as the same. */
#include "base/check.h"
#include "wire/addr.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct addr addr, again;
    unsigned bits;
    char printed[ADDR_TEXT_MAX];
    if (addr_parse_cidr(text, &addr, &bits) == ERR_OK) {
        CHECK(bits <= 128);
        size_t len = addr_print(&addr, printed);
        CHECK(addr_parse(str_make(printed, len), &again) == ERR_OK && addr_eq(&addr, &again));
        CHECK(addr_is_special(&addr) == addr_is_special(&again));
    }
    return 0;
}
