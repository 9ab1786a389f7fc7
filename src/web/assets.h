/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's styles and pictures, built into the program (tools/assets.py). */
#ifndef LODGE_WEB_ASSETS_H
#define LODGE_WEB_ASSETS_H

#include <stddef.h>

#include "base/str.h"

struct web_asset {
    struct str path; /* "/assets/console.css" */
    struct str type; /* of the content */
    struct str etag; /* strong, with its quotes */
    struct str bytes;
};

extern const struct web_asset web_assets[];
extern const size_t n_web_assets;

/* The asset of this path; NULL for none. */
const struct web_asset *web_asset_find(struct str path);

#endif
