/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's styles and pictures, built into the program (tools/assets.py). The address of each
 * has the hash of its content in it, so that browsers keep it for ever and a new one shows at once;
 * views say {{asset "console.css"}}. */
#ifndef LODGE_WEB_ASSETS_H
#define LODGE_WEB_ASSETS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct web_asset {
    struct str name;    /* "console.css" */
    struct str address; /* "/assets/0123456789abcdef/console.css" */
    struct str type;    /* of the content */
    struct str etag;    /* strong, with its quotes */
    struct str bytes;
};

extern const struct web_asset web_assets[];
extern const size_t n_web_assets;

/* The asset that a path means: its address, or one that it had in another version of the program
 * ("/assets/console.css", "/assets/anything/console.css"), or "/favicon.ico"; NULL for none.
 * *ret_moved: the path is not its address. */
const struct web_asset *web_asset_find(struct str path, bool *ret_moved);

#endif
