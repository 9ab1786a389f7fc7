#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of docs/permissions.md, from src/records/permit.def and pass.def:

    permissions.py          writes them into the document
    permissions.py --check  says whether they stand there as they are

The rest of the document is written by hand. rights() is what the tests of permissions read."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECORDS = ROOT / "src" / "records"
DOCUMENT = ROOT / "docs" / "permissions.md"
VERBS = ("see", "make", "change", "dispose", "take", "bring")
SCOPES = ("NONE", "MADE", "OWN", "CLASS", "SCHOOL", "TRUST")
WORDS = dict(zip(SCOPES, ("", "made", "own", "class", "**school**", "**trust**")))
HEADS = ("sees", "adds", "changes", "disposes of", "exports", "imports")
BEGIN, END = "<!-- made by tools/permissions.py -->", "<!-- end -->"


def rows(name, macro):
    """The arguments of each MACRO(...) of a .def file, as texts."""
    text = re.sub(r"/\*.*?\*/", "", (RECORDS / name).read_text(), flags=re.S)
    for match in re.finditer(rf"^{macro}\((.*)\)\s*$", text, flags=re.M):
        yield [part.strip().strip('"') for part in re.findall(r'"[^"]*"|[^,]+', match[1])]


def roles():
    """{name: (label, second factor)}"""
    return {name: (label, factor == "true") for name, label, factor in rows("role.def", "ROLE")}


def areas():
    """{name: label}"""
    return dict(rows("area.def", "AREA"))


def rights():
    """{(role, area, verb): index into SCOPES}; what has no row has no right."""
    made = {(role, area, verb): 0 for role in roles() for area in areas() for verb in VERBS}
    for role, area, *scopes in rows("permit.def", "PERMIT"):
        for verb, scope in zip(VERBS, scopes, strict=True):
            made[role, area, verb] = SCOPES.index(scope)
    return made


def passes():
    """{role: [(next, whether it is so beside those before)]}, in their order"""
    made = {}
    for role, following, how in rows("pass.def", "PASS"):
        made.setdefault(role, []).append((following, how == "ALSO"))
    return made


def tables():
    table, labels = rights(), roles()
    lines = []
    for area, label in areas().items():
        lines += [f"### {label}", "", f"| role | {' | '.join(HEADS)} |", "|---|" + "---|" * len(VERBS)]
        for role, (title, _) in labels.items():
            scopes = [WORDS[SCOPES[table[role, area, verb]]] for verb in VERBS]
            if any(scopes):
                lines.append(f"| {title} | {' | '.join(scopes)} |")
        lines.append("")
    lines += ["### To whom a role passes", "", "| role | passes to the first of |", "|---|---|"]
    for role, following in passes().items():
        names = [labels[to][0] + (" (beside those before)" if also else "") for to, also in following]
        lines.append(f"| {labels[role][0]} | {', '.join(names)} |")
    return "\n".join(lines) + "\n"


def main():
    text = DOCUMENT.read_text()
    head, rest = text.split(BEGIN)
    tail = rest.split(END)[1]
    made = f"{head}{BEGIN}\n\n{tables()}\n{END}{tail}"
    if sys.argv[1:] == ["--check"]:
        sys.exit(0 if made == text else f"{DOCUMENT}: run tools/permissions.py")
    DOCUMENT.write_text(made)


if __name__ == "__main__":
    main()
