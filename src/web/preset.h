/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The policies that a school may begin with: presets/, put into the program by tools/embed.py,
 * since the desk opens nothing outside its own folders. */
#ifndef LODGE_WEB_PRESET_H
#define LODGE_WEB_PRESET_H

#include "base/str.h"

struct web_preset {
    const char *name; /* "presets/church-primary.json" */
    struct str bytes;
};

extern const struct web_preset web_presets[];
extern const size_t n_web_presets;

#endif
