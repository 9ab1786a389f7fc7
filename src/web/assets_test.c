/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/assets.h"

#include "lib/test.h"

TEST(the_styles_are_there_with_their_type_and_tag)
{
    bool moved = false;
    const struct web_asset *styles = web_asset_find(STR("/assets/console.css"), &moved);
    assert_non_null(styles);
    assert_ptr_equal(web_asset_find(styles->address, &moved), styles);
    assert_false(moved);
    assert_str_eq(styles->type, STR("text/css; charset=utf-8"));
    assert_true(str_starts(styles->etag, STR("\"")) && str_ends(styles->etag, STR("\"")));
    assert_true(str_find(styles->bytes, STR(".govuk-button")) < styles->bytes.len);
    assert_true(str_find(styles->bytes, STR(".lodge-header")) < styles->bytes.len);
}

TEST(the_styles_name_no_licensed_font_no_crown_and_fetch_nothing)
{
    static const struct str refused[] = {STR_INIT("Transport"), STR_INIT("crown"),
                                         STR_INIT("crest"),     STR_INIT("url("),
                                         STR_INIT("@import"),   STR_INIT("@font-face")};
    for (size_t i = 0; i < n_web_assets; i++) {
        for (size_t j = 0; j < sizeof(refused) / sizeof(refused[0]); j++) {
            assert_true(str_find(web_assets[i].bytes, refused[j]) == web_assets[i].bytes.len);
        }
    }
}

TEST(other_paths_are_no_assets)
{
    static const struct str rows[] = {
        STR_INIT(""),
        STR_INIT("/assets/"),
        STR_INIT("/assets/console.css/"),
        STR_INIT("/assets/../assets/console.css"),
        STR_INIT("/console.css"),
        STR_INIT("/assets/1/none.css"),
    };
    bool moved;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_null(web_asset_find(rows[i], &moved));
    }
}

TEST(an_asset_has_the_hash_of_its_content_in_its_address_and_is_found_by_older_ones)
{
    static const struct str rows[] = {
        STR_INIT("/assets/console.css"),
        STR_INIT("/assets/0123456789abcdef/console.css"),
        STR_INIT("/favicon.ico"),
    };
    for (size_t i = 0; i < n_web_assets; i++) {
        struct str folder = str_skip(web_assets[i].address, sizeof("/assets/") - 1);
        struct str etag = str_skip(web_assets[i].etag, 1);
        assert_true(str_starts(folder, str_make(etag.p, 16)));
        assert_true(str_ends(folder, web_assets[i].name));
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool moved = false;
        assert_non_null(web_asset_find(rows[i], &moved));
        assert_true(moved);
    }
}

TESTS_MAIN(unit(the_styles_are_there_with_their_type_and_tag),
           unit(the_styles_name_no_licensed_font_no_crown_and_fetch_nothing),
           unit(other_paths_are_no_assets),
           unit(an_asset_has_the_hash_of_its_content_in_its_address_and_is_found_by_older_ones))
