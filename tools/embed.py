#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts files into the program: embed.py ROOT OUT.c OUT.d HEADER NAME PATH...

Each PATH (below ROOT; a folder stands for all files below it) becomes a row of NAMEs, an array of
struct NAME (HEADER), by its path. OUT.d tells ninja what the output depends on."""
import sys
from pathlib import Path

PER_LINE = 24


def find(root, paths):
    for path in paths:
        if path.is_dir():
            yield from sorted(inner for inner in path.rglob("*") if inner.is_file())
        else:
            yield path


def c_bytes(data):
    for at in range(0, len(data), PER_LINE):
        yield "    " + "".join(f"{byte}," for byte in data[at:at + PER_LINE])


def main():
    root, output, depfile = map(Path, sys.argv[1:4])
    header, name = sys.argv[4:6]
    files = list(find(root, [root / path for path in sys.argv[6:]]))
    lines = [f'#include "{header}"', ""]
    rows = []
    for number, path in enumerate(files):
        data = path.read_bytes()
        lines += [f"static const unsigned char file_{number}[] = {{", *c_bytes(data + b"\0"), "};", ""]
        rows.append(f'    {{"{path.relative_to(root)}", {{(const char *)file_{number}, {len(data)}}}}},')
    lines += [f"const struct {name} {name}s[] = {{", *rows, "};", "",
              f"const size_t n_{name}s = {len(rows)};", ""]
    output.write_text("\n".join(lines))
    depfile.write_text(f"{output}: {' '.join(str(path) for path in files)} {Path(__file__)}\n")


main()
