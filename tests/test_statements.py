# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements of the registers find their rows by indexes: a page must not take longer because the
school has kept more."""
import re
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import schema_model  # noqa: E402
import schema_sql  # noqa: E402

REGISTERS = schema_model.load(ROOT)


@pytest.fixture(scope="module", name="database")
def empty_database():
    database = sqlite3.connect(":memory:")
    for path in sorted((ROOT / "src/store/migrations").glob("*.sql")):
        database.executescript(subprocess.run(
            [sys.executable, ROOT / "tools/migrations.py", "--print", "sqlite", path],
            check=True, capture_output=True, text=True).stdout)
    return database


def plan(database, text):
    """[(parent, what)] of the steps, by their number."""
    numbers = {number for number in re.findall(r"\$(\d+)", text)}
    rows = database.execute("EXPLAIN QUERY PLAN " + text, dict.fromkeys(numbers))
    return {row[0]: (row[1], row[3]) for row in rows}


def all_statements():
    for register in REGISTERS:
        yield from schema_sql.statements(register)


def written_statements():
    """{name: text} of those of src/store/*.sql.def, as the C preprocessor joins them."""
    source = "#define STATEMENT(name, text) @@ name = text;\n" + "".join(
        f'#include "{ROOT / "src" / path}"\n' for path in
        re.findall(r'#include "(store/\w+\.sql\.def)"', (ROOT / "src/store/statement.def").read_text()))
    text = subprocess.run(["cc", "-E", "-P", "-xc", "-"], input=source, check=True,
                          capture_output=True, text=True).stdout
    return {name: "".join(re.findall(r'"([^"]*)"', parts))
            for name, parts in re.findall(r"@@ (\w+) =(.*?);\s*(?=@@|$)", text, re.DOTALL)}


def test_no_statement_reads_a_whole_table(database):
    """What is scanned are the rows that another part has found: p (a page), r (near or found), c
    (children)."""
    for name, text in all_statements():
        for _, step in plan(database, text).values():
            scanned = re.match(r"SCAN (\w+)", step)
            assert not scanned or scanned[1] in "prc" or re.match(r"SCAN \d+ CONSTANT", step), \
                f"{name}: {step}"


# Tables that stay small, and what another part of the statement has found.
SCANNED = {"NOTICE_UNMAILED_SCHOOLS",  # the clerk's, for which no page waits
           "MIGRATIONS", "SCHOOLS", "DOOMED_KEYS", "UNSWEPT_NEXT", "ACTS_SEEN_OF", "WORD_COUNT"}


def test_no_other_statement_reads_what_all_schools_have(database):
    written = written_statements()
    assert SCANNED <= set(written)
    for name, text in written.items():
        for _, step in plan(database, text).values():
            scanned = re.match(r"SCAN (?!\d+ CONSTANT)", step)
            assert not scanned or name in SCANNED, f"{name}: {step}"


def test_a_page_of_the_school_s_list_comes_in_its_order_from_an_index(database):
    """Only the page itself is sorted again, at the outermost level."""
    pages = 0
    for name, text in all_statements():
        if re.search(r"_list_school_|_about_school$", name) and "count" not in name:
            pages += 1
            sorts = [parent for parent, step in plan(database, text).values()
                     if step == "USE TEMP B-TREE FOR ORDER BY"]
            assert sorts == [0], f"{name}: {sorts}"
    assert pages > len(REGISTERS)


def test_every_list_asks_who_may_see_it():
    """hidden_from and kinship stand in each statement that finds rows, whatever its way."""
    for register in REGISTERS:
        hidden = [field.name for field in register.fields if field.hidden_from]
        for name, text in schema_sql.statements(register):
            if not re.search(r"_(list|search|about|waiting|count)_", name):
                continue
            for field in hidden:
                assert f"(t.f_{field} IS NULL OR t.f_{field} <> $2)" in text, name
            if schema_sql.has_about(register):
                assert "k.f_no_contact = 1" in text, name
            assert text.count("school = $1") >= 2, name


# What runs for each record that is seen, listed or brought, and what it is found by.
BY_PERSON = {
    "ACTOR_ROLES": {"f_person=?"},
    "ACTOR_CHILD": {"f_adult=?"},
    "STANDING_KIN": {"f_adult=?"},
    "STANDING_CLASS": {"f_person=?"},
}


def test_how_one_stands_to_a_record_is_found_by_the_person(database):
    """Not by a day, a kind or the school alone: an import of n memberships would take n * n steps. What is
    found by its id is one row."""
    written = written_statements()
    for name, columns in BY_PERSON.items():
        searches = [step for _, step in plan(database, written[name]).values()
                    if step.startswith("SEARCH") and "(id=?)" not in step]
        assert searches, name
        for step in searches:
            assert set(re.findall(r"AND (f_\w+=\?)", step)) == columns, f"{name}: {step}"


def test_the_children_of_a_viewer_are_found_by_the_viewer(database):
    families = 0
    for name, text in all_statements():
        for _, step in plan(database, text).values():
            if re.match(r"SEARCH a ", step):
                families += 1
                assert "f_adult=?" in step, f"{name}: {step}"
    assert families > len(REGISTERS)
