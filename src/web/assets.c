/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The console's styles and pictures. */
#include "web/assets.h"

#define FOLDER STR("/assets/")

/* What browsers ask for by themselves. */
#define FAVICON STR("/favicon.ico")
#define FAVICON_NAME STR("icon.svg")

/* "console.css" of "/assets/console.css" and "/assets/1a2b/console.css"; empty for other paths. */
static struct str name_of(struct str path)
{
    struct str folder;
    struct str name;
    if (str_eq(path, FAVICON)) {
        return FAVICON_NAME;
    }
    if (!str_starts(path, FOLDER)) {
        return STR("");
    }
    path = str_skip(path, FOLDER.len);
    return str_cut(path, '/', &folder, &name) ? name : path;
}

const struct web_asset *web_asset_find(struct str path, bool *ret_moved)
{
    struct str name = name_of(path);
    for (size_t i = 0; i < n_web_assets; i++) {
        if (str_eq(web_assets[i].name, name)) {
            *ret_moved = !str_eq(web_assets[i].address, path);
            return &web_assets[i];
        }
    }
    return NULL;
}
