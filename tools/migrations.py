#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the migrations into the program: migrations.py FOLDER OUT.c OUT.d [NAME]

FOLDER holds NNNN-name.sql, each number once, in SQL that both databases read, and with

    {{int}} {{blob}}     the types: 64 bits, bytes (text is text, in both)
    {{strict}}           behind a table's closing bracket
    {{only_grows TABLE}} triggers that refuse UPDATE and DELETE
    -- only sqlite       what follows is for one database, until another such line
    -- only postgres
    -- both

Each becomes a row of NAME (store_migrations) with its text for each database and the SHA-256 of the file.
Called with --print DATABASE and files it prints their SQL instead."""
import hashlib
import re
import sys
from pathlib import Path

NAME = re.compile(r"(\d{4})-([a-z0-9-]+)\.sql")
SECTION = re.compile(r"^-- (only sqlite|only postgres|both)$")
WORD = re.compile(r"\{\{(\w+)((?: \w+)*)\}\}")
SQLITE, POSTGRES = "sqlite", "postgres"

WORDS = {
    SQLITE: {
        "int": "INTEGER",
        "blob": "BLOB",
        "strict": "STRICT",
        "only_grows": "CREATE TRIGGER {0}_no_update BEFORE UPDATE ON {0} "
                      "BEGIN SELECT RAISE(ABORT, '{0} only grows'); END; "
                      "CREATE TRIGGER {0}_no_delete BEFORE DELETE ON {0} "
                      "BEGIN SELECT RAISE(ABORT, '{0} only grows'); END",
    },
    POSTGRES: {
        "int": "bigint",
        "blob": "bytea",
        "strict": "",
        "only_grows": "CREATE TRIGGER {0}_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON {0} "
                      "FOR EACH STATEMENT EXECUTE FUNCTION lodge_refuse()",
    },
}


def translate(path, database):
    """The SQL of one file for one database, without comments on lines of their own."""
    lines, mine = [], True
    for line in path.read_text().splitlines():
        section = SECTION.match(line)
        if section:
            mine = section[1] in ("both", f"only {database}")
        elif mine and line.strip() and not line.lstrip().startswith("--"):
            lines.append(line)

    def word(match):
        if match[1] not in WORDS[database]:
            sys.exit(f"{path}: {match[0]} is not a word of this dialect")
        return WORDS[database][match[1]].format(*match[2].split())
    return WORD.sub(word, "\n".join(lines)) + "\n"


def literal(text):
    lines = [line.replace("\\", "\\\\").replace('"', '\\"') for line in text.splitlines()]
    return "\n".join(f'     "{line}\\n"' for line in lines) or '     ""'


def row(path, seen):
    match = NAME.fullmatch(path.name)
    if match is None or match[1] in seen:
        sys.exit(f"{path}: a migration is called NNNN-name.sql, and each number stands once")
    seen.add(match[1])
    number = int(match[1])
    digest = ",".join(str(byte) for byte in hashlib.sha256(path.read_bytes()).digest())
    return (f'    {{{number}, "{match[2]}", {{{digest}}},\n'
            f'{literal(translate(path, SQLITE))},\n{literal(translate(path, POSTGRES))}}},')


def main():
    if sys.argv[1] == "--print":
        for name in sys.argv[3:]:
            sys.stdout.write(translate(Path(name), sys.argv[2]))
        return
    folder, output, depfile = map(Path, sys.argv[1:4])
    paths = sorted(folder.glob("*.sql"))
    name = sys.argv[4] if len(sys.argv) > 4 else "store_migrations"
    seen = set()
    rows = [row(path, seen) for path in paths]
    output.write_text("\n".join(
        ['/* Made by tools/migrations.py. */', '#include "store/migrate_impl.h"', "",
         f"const struct store_migration {name}[] = {{", *rows, "};", "",
         f"const size_t n_{name} = {len(rows)};", ""]))
    # The folder too: a file that is added or goes changes its time.
    depfile.write_text(f"{output}: {' '.join(map(str, [folder, *paths, Path(__file__)]))}\n")


main()
