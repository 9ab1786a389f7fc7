/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/assets.h"

#include "lib/test.h"

TEST(the_styles_are_there_with_their_type_and_tag)
{
    const struct web_asset *styles = web_asset_find(STR("/assets/console.css"));
    assert_non_null(styles);
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
    assert_null(web_asset_find(STR("/assets/")));
    assert_null(web_asset_find(STR("/assets/console.css/")));
    assert_null(web_asset_find(STR("/assets/../assets/console.css")));
    assert_null(web_asset_find(STR("")));
}

TESTS_MAIN(unit(the_styles_are_there_with_their_type_and_tag),
           unit(the_styles_name_no_licensed_font_no_crown_and_fetch_nothing),
           unit(other_paths_are_no_assets))
