#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles views/*.html into C: a struct and a function for each page.

    {{name}}                 a text; a member `name` of the page's struct
    {{#name}} ... {{/name}}  only where the text is not empty
    {{> file}}               another file of the folder, as it stands

What a text is written as depends on where it stands: an element's content and a double-quoted
attribute take HTML text, an href or src behind its first literal characters takes a part of a URL. It
may stand nowhere else (a tag, a style, a comment, an unquoted attribute): the build then fails.
The policy that the pages are sent with allows their own style by its hash, and nothing else.
"""
import base64
import hashlib
import re
import sys
from pathlib import Path

PIECE = re.compile(r"\{\{([#/>]?)\s*([A-Za-z_.]+)\}\}")
URL_ATTRIBUTES = ("href", "src")


def fail(path, text):
    sys.exit(f"{path}: {text}")


def read(path):
    """The file with what it includes."""
    def include(match):
        return read(path.parent / match[2]) if match[1] == ">" else match[0]
    return PIECE.sub(include, path.read_text())


def context(path, before):
    """Where a place stands, by all the literal text before it: 'text' or 'url'."""
    before = re.sub(r"<!--.*?-->", "", before, flags=re.S)
    before = re.sub(r"<(style|script)\b.*?</\1>", "", before, flags=re.S | re.I)
    if re.search(r"<!--|<(style|script)\b", before, flags=re.I):
        fail(path, "a text inside a comment, style or script")
    opened = before.rfind("<")
    if opened <= before.rfind(">"):
        return "text"
    tag = before[opened:]
    if tag.count('"') % 2 == 0:
        fail(path, f"a text inside a tag, outside a quoted attribute: {tag}")
    name, _, value = tag[:tag.rfind('"')], None, tag[tag.rfind('"') + 1:]
    name = re.search(r"([A-Za-z-]+)=$", name)
    if name is None or name[1].lower().startswith("on") or name[1].lower() == "style":
        fail(path, f"a text in an attribute that cannot hold one: {tag}")
    if name[1].lower() not in URL_ATTRIBUTES:
        return "text"
    if not re.match(r"https?://|/", value):
        fail(path, f"a URL that does not begin with its scheme or '/': {tag}")
    return "url"


def literal(text):
    lines = []
    for line in text.splitlines(keepends=True):
        escaped = line.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        lines.append(f'        "{escaped}"')
    return "\n".join(lines)


def compile_page(path):
    """(names of its texts, statements)."""
    text, names, statements, open_sections, at = read(path), [], [], [], 0
    before = ""
    for match in PIECE.finditer(text):
        piece, kind, name = text[at:match.start()], match[1], match[2]
        at = match.end()
        before += piece
        if piece:
            statements.append(f"    buf_append(to, STR(\n{literal(piece)}));")
        if name not in names:
            names.append(name)
        if kind == "#":
            open_sections.append(name)
            statements.append(f"    if (view->{name}.len != 0) {{")
        elif kind == "/":
            if not open_sections or open_sections.pop() != name:
                fail(path, f"{{{{/{name}}}}} closes nothing")
            statements.append("    }")
        else:
            writer = {"text": "html_text", "url": "html_url_part"}[context(path, before)]
            statements.append(f"    {writer}(to, view->{name});")
            before += "x"
    if open_sections:
        fail(path, f"{{{{#{open_sections[-1]}}}}} is not closed")
    statements.append(f"    buf_append(to, STR(\n{literal(text[at:])}));")
    return names, statements


def style_hashes(pages):
    hashes = set()
    for path in pages:
        for style in re.findall(r"<style>(.*?)</style>", read(path), flags=re.S):
            digest = hashlib.sha256(style.encode()).digest()
            hashes.add("'sha256-" + base64.b64encode(digest).decode() + "'")
    return " ".join(sorted(hashes))


HEADER = """/* Made by tools/views.py from views/. */
#ifndef LODGE_PROXY_VIEWS_H
#define LODGE_PROXY_VIEWS_H

#include "base/buf.h"
#include "base/str.h"

/* The Content-Security-Policy of every page; a page that takes a style from elsewhere as well is
 * sent with that place between the two. */
#define VIEWS_POLICY_STYLES "default-src 'none'; style-src {hashes}"
#define VIEWS_POLICY_REST "; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
#define VIEWS_POLICY VIEWS_POLICY_STYLES VIEWS_POLICY_REST

{pages}
#endif
"""

SOURCE = """/* Made by tools/views.py from views/. */
#include "proxy/views.h"

#include "wire/html.h"

{pages}"""


def main():
    folder, source, header = Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
    pages = sorted(folder.glob("*.html"))
    declared, defined = [], []
    for path in pages:
        names, statements = compile_page(path)
        members = "".join(f"    struct str {name};\n" for name in names)
        declared.append(f"struct gate_view_{path.stem} {{\n{members}}};\n"
                        f"void gate_view_{path.stem}(struct buf *to, const struct gate_view_{path.stem} "
                        f"*view);\n")
        body = "\n".join(statements)
        defined.append(f"void gate_view_{path.stem}(struct buf *to, const struct gate_view_{path.stem} "
                       f"*view)\n{{\n{body}\n}}\n")
    header.write_text(HEADER.format(hashes=style_hashes(pages), pages="\n".join(declared)))
    source.write_text(SOURCE.format(pages="\n".join(defined)))


main()
