#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the console's styles and puts them, with its other files, into the program.

    tools/assets.py ASSETS OUT.c OUT.h OUT.d

ASSETS/console.scss is compiled by sass; the result and the pictures of ASSETS become rows of web_assets
(web/assets.h), each under an address that its content gives: /assets/HASH/NAME. OUT.h has a macro for
each address (WEB_ASSET_CONSOLE_CSS), for views: {{asset "console.css"}}. Fails where the styles name the licensed font or the crown, or fetch anything.
"""
import hashlib
import re
import subprocess
import sys
from pathlib import Path

PER_LINE = 24
ADDRESS_DIGITS = 16
TYPES = {".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
         ".js": "text/javascript; charset=utf-8"}
REFUSED = re.compile(rb"GDS Transport|crown|crest|opengraph|@font-face|@import|url\(", re.I)


def fail(text):
    sys.exit(f"assets: {text}")


def styles(folder):
    if subprocess.run([Path(__file__).parent / "node-modules"]).returncode:
        fail("npm could not install what the styles are built from: tools/node-modules says why")
    modules = folder / "node_modules"
    done = subprocess.run([modules / ".bin" / "sass", "--load-path", modules, "--style", "compressed",
                           "--no-source-map", "--quiet-deps", "--stop-on-error",
                           folder / "console.scss"], capture_output=True)
    if done.returncode:
        fail(done.stderr.decode())
    refused = REFUSED.search(done.stdout)
    if refused:
        fail(f"the styles hold {refused[0].decode()}")
    return done.stdout


def c_bytes(data):
    for at in range(0, len(data), PER_LINE):
        yield "    " + "".join(f"{byte}," for byte in data[at:at + PER_LINE])


def main():
    folder, output, header, depfile = map(Path, sys.argv[1:])
    files = {"console.css": styles(folder)}
    for path in sorted([*folder.glob("*.js"), *folder.glob("*.svg")]):
        files[path.name] = path.read_bytes()
    lines, rows, macros = ['#include "web/assets.h"', ""], [], ["/* Made by tools/assets.py. */"]
    for number, (name, data) in enumerate(files.items()):
        etag = hashlib.sha256(data).hexdigest()[:32]
        lines += [f"static const unsigned char file_{number}[] = {{", *c_bytes(data), "};", ""]
        address = f"/assets/{etag[:ADDRESS_DIGITS]}/{name}"
        macros.append(f'#define WEB_ASSET_{name.replace(".", "_").upper()} "{address}"')
        rows.append(f'    {{STR_INIT("{name}"), STR_INIT("{address}"), STR_INIT("{TYPES[Path(name).suffix]}"),\n'
                    f'     STR_INIT("\\"{etag}\\""), {{(const char *)file_{number}, {len(data)}}}}},')
    lines += ["const struct web_asset web_assets[] = {", *rows, "};", "",
              f"const size_t n_web_assets = {len(rows)};", ""]
    output.write_text("\n".join(lines))
    header.write_text("\n".join(macros) + "\n")
    known = [folder, *folder.glob("*.scss"), *folder.glob("*.svg"),
             *folder.glob("*.js"), folder / "package-lock.json"]
    depfile.write_text(f"{output.name}: {' '.join(map(str, known))}\n")


main()
