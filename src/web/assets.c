/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's styles and pictures. */
#include "web/assets.h"

const struct web_asset *web_asset_find(struct str path)
{
    for (size_t i = 0; i < n_web_assets; i++) {
        if (str_eq(web_assets[i].path, path)) {
            return &web_assets[i];
        }
    }
    return NULL;
}
