# SPDX-License-Identifier: GPL-3.0-or-later
"""tools/schema.py: a mistake in a register's file, or a migration that is missing, is told in words
that say what to do."""
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ["schema", "src/records", "src/store/migrations", "docs/schema.md"]

REGISTER = """
name = "visit"
plural = "visits"
label = "Visit"
label_plural = "Visits"
help = "Who came."
area = "running"
retention = "running"
title = "who"

[[field]]
name = "who"
type = "text"
label = "Who"
required = true
"""


@pytest.fixture
def tree(tmp_path):
    for name in NEEDED:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        copy(ROOT / name, tmp_path / name)
    return tmp_path


def run(option, tree):
    done = subprocess.run([sys.executable, ROOT / "tools" / "schema.py", option, tree], text=True,
                          capture_output=True)
    return done.returncode, done.stdout, done.stderr


def migrate(tree, sql):
    number = len(list((tree / "src/store/migrations").glob("*.sql")))
    (tree / f"src/store/migrations/{number:04d}-more.sql").write_text(sql)


def test_the_tree_agrees_with_its_migrations(tree):
    assert run("--check", tree) == (0, "", "")


def test_a_new_register_fails_until_its_migration_is_there(tree):
    (tree / "schema/visit.toml").write_text(REGISTER)
    status, _, words = run("--check", tree)
    assert status == 1
    assert "A new file in src/store/migrations must say" in words
    assert "CREATE TABLE reg_visit (" in words
    migrate(tree, run("--propose", tree)[1])
    assert run("--check", tree) == (0, "", "")


def test_a_new_field_and_one_that_goes_are_proposed(tree):
    path = tree / "schema/contact.toml"
    text = path.read_text()
    before, after = text.split('[[field]]\nname = "out_of_hours"')
    path.write_text(before + '[[field]]\nname = "room"\ntype = "text"\nlabel = "Room"\n'
                    'sortable = true\n\n[[field]]' + after.split("[[field]]", 1)[1])
    _, proposed, _ = run("--propose", tree)
    lines = proposed.splitlines()
    assert "ALTER TABLE reg_contact ADD COLUMN f_room text;" in lines
    assert "ALTER TABLE reg_contact ADD COLUMN k_room text;" in lines
    assert "ALTER TABLE reg_contact DROP COLUMN f_out_of_hours;" in lines
    migrate(tree, proposed)
    assert run("--check", tree) == (0, "", "")


def test_a_register_that_goes_takes_its_table(tree):
    (tree / "schema/restore_test.toml").unlink()
    assert run("--propose", tree)[1].splitlines() == ["DROP TABLE reg_restore_test;"]


@pytest.mark.parametrize("old, new, words", [
    ('name = "visit"\n', 'name = "vist"\n', "name: must be 'visit', as the file's"),
    ('plural = "visits"', 'plural = "Visits"', "plural: must be lower-case words joined by -"),
    ('plural = "visits"', 'plural = "people"', "two registers have the plural 'people'"),
    ('area = "running"', 'area = "walking"', "area: 'walking' is none of accounts"),
    ('retention = "running"', 'retention = "ever"', "is none of the classes of docs/schema.md"),
    ('title = "who"', 'title = "what"', "title: must name a required field"),
    ('help = "Who came."', '', "'help' is missing"),
    ('help = "Who came."', 'help = 7', "'help' must be text in quotes"),
    ('help = "Who came."', 'help = ""', "'help' is empty"),
    ('help = "Who came."', 'halp = "x"', "'halp' is not known; known are about"),
    ('help = "Who came."', 'help = "a', "not TOML"),
    ('type = "text"', 'type = "words"', "field 'who': the type 'words' is none of"),
    ('required = true', 'required = "yes"', "field 'who': 'required' must be true or false"),
    ('required = true', 'required = true\nsearchable = true\nsensitive = true',
     "a sensitive field may not be listed, searchable or sortable"),
    ('required = true', 'required = true\nseen_by = ["dsl"]\nsortable = true',
     "a field with 'seen_by' may not be searchable"),
    ('required = true', 'required = true\nseen_by = ["cook"]', "'seen_by' names 'cook'"),
    ('required = true', 'required = true\nhidden_from = true',
     "'hidden_from' is not for the type 'text'"),
    ('required = true', 'required = true\nmin = 9\nmax = 3', "'min' and 'max' count characters"),
    ('required = true', 'required = true\ndecimals = 2', "'decimals' is for the type 'number'"),
    ('required = true', 'required = true\nchoices = [{ value = "a b", label = "A" }]',
     "the choice 'a b' may hold letters, digits"),
    ('required = true', 'required = true\n[[field]]\nname = "who"\ntype = "date"\nlabel = "x"',
     "the name 'who' is there twice"),
    ('required = true', 'required = true\n[[field]]\nname = "version"\ntype = "date"\nlabel = "x"',
     "'version' is a name of Lodge's own"),
    ('required = true', 'required = true\n[[field]]\nname = "kind"\ntype = "choice"\nlabel = "x"',
     "'choices' and the type 'choice' go together"),
    ('required = true', 'required = true\n[[state]]\nname = "open"\nlabel = "Open"\n'
     '[[state]]\nname = "shut"\nlabel = "Shut"', "state 'shut': no move leads here"),
    ('required = true', 'required = true\n[[state]]\nname = "open"\nlabel = "Open"\n'
     '[[move]]\nname = "go"\nlabel = "Go"\nfrom = ["open"]\nto = "gone"\nby = ["dsl"]',
     "move 'go': 'to' names 'gone'"),
    ('title = "who"', 'title = "who"\nabout = "who"', "about: must name a person field"),
    ('title = "who"', 'title = "who"\nsensitive = true', "sensitive: needs 'about'"),
])
def test_a_mistake_is_told_with_its_place(tree, old, new, words):
    assert old in REGISTER
    (tree / "schema/visit.toml").write_text(REGISTER.replace(old, new, 1))
    status, _, said = run("--check", tree)
    assert status == 1
    assert words in said
    assert said.startswith("schema/visit.toml: ") or said.startswith("schema: two registers")


def test_a_migration_that_is_no_sql_is_named(tree):
    migrate(tree, "CREATE TABEL x;\n")
    status, _, said = run("--check", tree)
    assert status == 1 and "-more.sql: near" in said
