# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables that the files of schema/ ask for, against those that the migrations make."""
import sqlite3
import subprocess
import sys
from pathlib import Path

from schema_model import MAY_BE_NULL
from schema_sql import indexes

TRANSLATE = [sys.executable, Path(__file__).with_name("migrations.py"), "--print", "sqlite"]

TYPES = {"text": "text", "int": "{{int}}", "blob": "{{blob}}"}
SQLITE_TYPES = {"text": "TEXT", "int": "INTEGER", "blob": "BLOB"}


def definition(column, kind, common):
    """One column; those of fields may be null, so that a later migration can add one."""
    extra = " NOT NULL" if common and column not in MAY_BE_NULL else ""
    if column == "id":
        extra = " PRIMARY KEY"
    if column == "school":
        extra = " NOT NULL REFERENCES school (id)"
    return f"{column} {TYPES[kind]}{extra}"


def create(register):
    lines = [definition(column, kind, at < register.fields[0].column)
             for at, (column, kind) in enumerate(register.columns)]
    body = ",\n".join(f"    {line}" for line in lines)
    return [f"\nCREATE TABLE {register.table} (\n{body}\n) {{{{strict}}}};",
            *indexes(register).values()]


def migrated(folder):
    """An empty database after all migrations."""
    database = sqlite3.connect(":memory:")
    for path in sorted(folder.glob("*.sql")):
        sql = subprocess.run([*TRANSLATE, path], check=True, stdout=subprocess.PIPE, text=True)
        try:
            database.executescript(sql.stdout)
        except sqlite3.Error as error:
            raise SystemExit(f"{path}: {error}") from None
    return database


def compare(register, database):
    """The SQL that is missing for one register."""
    found = {name: (kind, bool(strict) or bool(key)) for _, name, kind, strict, _, key in
             database.execute(f"PRAGMA table_info({register.table})")}
    if not found:
        return create(register)
    missing, common = [], register.fields[0].column
    for at, (column, kind) in enumerate(register.columns):
        must = column not in MAY_BE_NULL and at < common
        if column not in found:
            missing.append(f"ALTER TABLE {register.table} ADD COLUMN "
                           f"{definition(column, kind, at < common)};")
        elif found[column] != (SQLITE_TYPES[kind], must):
            missing.append(f"-- {register.table}.{column} is not {definition(column, kind, at < common)}"
                           ": make a new table, copy, and rename")
    asked = {column for column, _ in register.columns}
    there = dict(database.execute(
        "SELECT name, sql || ';' FROM sqlite_master WHERE type = 'index' AND tbl_name = ? "
        "AND sql IS NOT NULL", [register.table]))
    wanted = indexes(register)
    missing += [f"DROP INDEX {name};" for name, sql in there.items() if wanted.get(name) != sql]
    missing += [f"ALTER TABLE {register.table} DROP COLUMN {column};"
                for column in found if column not in asked]
    return missing + [sql for name, sql in wanted.items() if there.get(name) != sql]


def proposal(registers, folder):
    """The SQL that the migrations lack for these registers; empty: they agree."""
    database = migrated(folder)
    missing = [sql for register in registers for sql in compare(register, database)]
    tables = {register.table for register in registers}
    there = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' "
                             r"AND name LIKE 'reg\_%' ESCAPE '\'")
    return missing + [f"DROP TABLE {name};" for name, in there if name not in tables]
