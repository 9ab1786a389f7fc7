#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes HTML's named character references as a C table, from Python's own list of the standard's.

usage: entities.py OUT.c"""
import html.entities
import sys

FOUND = html.entities.html5
NAMES = sorted(name[:-1] for name in FOUND if name.endswith(";"))
assert all(name in NAMES for name in FOUND if not name.endswith(";"))

lines = ["/* Made by tools/entities.py. */", '#include "wire/markup_impl.h"', "",
         "const struct markup_entity markup_entities[] = {"]
for name in NAMES:
    codes = [ord(c) for c in FOUND[name + ";"]] + [0]
    legacy = "true" if name in FOUND else "false"
    lines.append(f'    {{"{name}", {len(name)}, {legacy}, {{{codes[0]:#x}, {codes[1]:#x}}}}},')
lines += ["};", "", f"const size_t markup_n_entities = {len(NAMES)};", ""]
with open(sys.argv[1], "w", encoding="ascii") as file:
    file.write("\n".join(lines))
