/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/qr.h"

#include "lib/test.h"

TEST(a_code_is_an_image_with_a_quiet_zone)
{
    struct buf svg;
    buf_init(&svg, 65536);
    assert_ok(qr_print_svg(STR("HELLO"), &svg));
    /* Version 1 has 21 modules; a finder pattern begins at its corner with a run of seven. */
    assert_true(str_find(buf_str(&svg), STR("viewBox=\"0 0 29 29\"")) < svg.len);
    assert_true(str_find(buf_str(&svg), STR("M4 4h7v1h-7z")) < svg.len);
    assert_true(str_find(buf_str(&svg), STR("M18 4h7v1h-7z")) < svg.len);
    assert_true(str_ends(buf_str(&svg), STR("</svg>")));
    buf_fini(&svg);
}

TEST(what_no_code_holds_is_refused)
{
    static char text[4000];
    struct buf svg;
    struct buf small;
    buf_init(&svg, 1 << 20);
    buf_init(&small, 100);
    memset(text, 'a', sizeof(text));
    assert_err(qr_print_svg(STR(""), &svg), ERR_INVALID);
    assert_err(qr_print_svg(STR("a\0b"), &svg), ERR_INVALID);
    assert_err(qr_print_svg(str_make(text, sizeof(text)), &svg), ERR_LIMIT);
    assert_err(qr_print_svg(STR("HELLO"), &small), ERR_LIMIT);
    buf_fini(&svg);
    buf_fini(&small);
}

TESTS_MAIN(unit(a_code_is_an_image_with_a_quiet_zone), unit(what_no_code_holds_is_refused))
