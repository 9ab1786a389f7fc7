# SPDX-License-Identifier: GPL-3.0-or-later
"""Backups: written while the school works, sealed to a key that the gate has not, read back (S4)."""
import json
import subprocess

import pytest
from postgres import Postgres

WORDS = "a tall tale of quinces"


class School:
    """A data folder with a school, a pupil and a concern about her."""

    def __init__(self, build, folder, database=None):
        self.build, self.folder, self.database = build, folder, database
        self.data, self.to, self.key = folder / "data", folder / "backups", folder / "safe.key"
        (self.data / "store").mkdir(parents=True)
        self.probe("found")
        self.pupil = self.probe("make", "person", json.dumps({"name": "Ida Elm", "kind": "pupil"}))
        self.concern = self.probe("make", "concern", json.dumps({
            "child": self.pupil, "summary": WORDS, "kind": "online", "happened": "2026-11-20",
            "facts": "sealed words"}))
        self.lodge("backup", "key", "--data", self.data, "-o", self.key)

    def place(self):
        return self.database or self.data / "store" / "lodge.db"

    def probe(self, *words, data=None, place=None):
        data = data or self.data
        place = place or self.place()
        done = subprocess.run([self.build / "tests" / "storeprobe", place, data / "keys", "oak",
                               *words], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def lodge(self, *words, code=0):
        done = subprocess.run([self.build / "lodge", *words], capture_output=True, text=True)
        assert done.returncode == code, done.stderr
        return done.stderr if code else done.stdout

    def options(self):
        return ["--database", self.database] if self.database else []

    def backup(self):
        """The path of the new backup."""
        before = set(self.to.glob("lodge-*.backup"))
        self.lodge("backup", "--data", self.data, "--to", self.to, *self.options())
        return (set(self.to.glob("lodge-*.backup")) - before).pop()

    def verify(self, backup, code=0, key=None):
        return self.lodge("backup", "verify", backup, "--key", key or self.key, "--data", self.data,
                          *self.options(), code=code)

    def restore(self, backup, data, *words, code=0):
        return self.lodge("restore", backup, "--key", self.key, "--data", data, *words, code=code)

    def tests(self):
        """What the register of restore tests says, newest last."""
        document = json.loads(self.probe("list", "restore_test"))
        items = sorted(document["items"], key=lambda item: item["made"]["ms"])
        return [item["fields"]["result"] for item in items]


@pytest.fixture
def school(build, tmp_path):
    return School(build, tmp_path)


def held(folder, words):
    """The files below a folder that hold these words."""
    return [path for path in folder.rglob("*")
            if path.is_file() and words.encode() in path.read_bytes()]


def test_a_backup_comes_back_whole(school, tmp_path):
    (school.data / "lodge.conf").write_text("school = oak\n")
    (school.data / "ca").mkdir()
    (school.data / "ca" / "ca.key").write_text("key")
    backup = school.backup()
    assert not held(school.to, WORDS) and not held(school.to, "oak")
    again = tmp_path / "again"
    assert "rows of" in school.restore(backup, again)
    place = again / "store" / "lodge.db"
    listed = json.loads(school.probe("list", "concern", data=again, place=place))
    assert [item["id"] for item in listed["items"]] == [school.concern]
    acts = int(school.probe("acts"))
    assert int(school.probe("acts", data=again, place=place)) == acts + 1  # the restore itself
    assert (again / "lodge.conf").read_text() == "school = oak\n"
    assert (again / "ca" / "ca.key").read_text() == "key"
    assert (again / "ca" / "ca.key").stat().st_mode & 0o777 == 0o600
    assert (again / "keys" / "master.key").read_bytes() == \
        (school.data / "keys" / "master.key").read_bytes()


def test_s4_a_test_of_a_backup_is_a_record_and_leaves_nothing_behind(school):
    backup = school.backup()
    assert school.verify(backup).startswith("whole: ")
    assert school.tests() == ["whole"]
    assert sorted(path.name for path in (school.data / "backup").iterdir()) == ["public.key",
                                                                           "written"]
    # The school went on since; the backup's chain is the beginning of today's.
    school.probe("make", "person", json.dumps({"name": "Ben Ash", "kind": "pupil"}))
    assert school.verify(backup).startswith("whole: ")


@pytest.mark.parametrize("damage, words", [
    (lambda whole: whole[:-1], "cut off"),
    (lambda whole: whole[:len(whole) // 2], "cut off"),
    (lambda whole: whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:], "a byte of it differs"),
    (lambda whole: whole + b"x", "a byte of it differs"),
    (lambda whole: b"", "no backup"),
])
def test_a_damaged_backup_is_noticed_noted_and_not_restored(school, tmp_path, damage, words):
    backup = school.backup()
    backup.write_bytes(damage(backup.read_bytes()))
    assert words in school.verify(backup, code=1)
    assert school.tests() == ["broken"]
    assert words in school.restore(backup, tmp_path / "again", code=1)
    assert not list(tmp_path.glob("again*"))


def test_another_key_opens_nothing_and_says_nothing_of_the_backup(school, tmp_path):
    backup = school.backup()
    other = tmp_path / "other.key"
    school.lodge("backup", "key", "--data", school.data, "-o", other, "--replace")
    assert "sealed to another key" in school.verify(backup, key=other, code=1)
    assert "the key's other half" in school.verify(
        backup, key=school.data / "backup" / "public.key", code=1)
    assert school.tests() == []
    assert school.verify(backup).startswith("whole: ")


def test_a_key_is_not_replaced_unless_told(school):
    before = (school.data / "backup" / "public.key").read_bytes()
    assert "--replace" in school.lodge("backup", "key", "--data", school.data, code=1)
    assert (school.data / "backup" / "public.key").read_bytes() == before
    assert school.key.stat().st_mode & 0o777 == 0o600


def test_without_a_key_nothing_is_written(school):
    (school.data / "backup" / "public.key").unlink()
    assert "lodge backup key" in school.lodge("backup", "--data", school.data, "--to", school.to,
                                              code=1)
    assert not school.to.exists()


def test_what_is_there_is_never_restored_over(school, tmp_path):
    backup = school.backup()
    before = school.place().read_bytes()
    assert "not empty" in school.restore(backup, school.data, code=1)
    assert school.place().read_bytes() == before
    empty = tmp_path / "empty"
    empty.mkdir()
    school.restore(backup, empty)
    assert (empty / "store" / "lodge.db").exists()
    assert "not empty" in school.restore(backup, empty, code=1)


def test_keep_removes_what_it_wrote_and_nothing_else(school):
    theirs = school.to / "lodge-20260101T021500Z.backup"
    school.to.mkdir()
    theirs.write_bytes(b"LODGEBK1 of another gate")
    options = ["backup", "--data", school.data, "--to", school.to]
    first = school.backup()
    # Two backups of one second have one name: so the first one is as if it were a day old.
    old = first.rename(school.to / "lodge-20260102T021500Z.backup")
    note = school.data / "backup" / "written"
    note.write_text(note.read_text().replace(first.name, old.name))
    done = school.lodge(*options, "--keep", "1")
    assert f"{old.name}: removed" in done and not old.exists()
    assert theirs.exists() and len(list(school.to.glob("lodge-*.backup"))) == 2
    for wrong in ("0", "-1", "many", ""):
        assert "--keep" in school.lodge(*options, "--keep", wrong, code=2)


def test_a_restore_is_an_act_of_the_operator_with_the_backups_name(school, tmp_path):
    backup = school.backup()
    data = tmp_path / "again"
    school.restore(backup, data)
    shown = school.lodge("audit", "export", "--data", data, "--json")
    acts = [json.loads(line) for line in shown.splitlines()]
    restored = [act for act in acts if act["act"] == "brought_back"]
    assert len(restored) == 1 and backup.name in restored[0]["words"], acts[-2:]
    assert not restored[0]["actor"]
    school.lodge("audit", "verify", "--data", data)


def test_a_disposed_record_is_in_no_backup_after_and_sealed_in_those_before(school, tmp_path):
    before = school.backup()
    assert held(school.data, WORDS)
    keys = school.verify(before).split(", ")[-1]
    school.probe("dispose", "concern", school.concern, "1")
    assert not held(school.data, WORDS)
    after = school.to / "after"
    school.lodge("backup", "--data", school.data, "--to", after)
    school.restore(next(after.glob("lodge-*")), tmp_path / "new")
    assert not held(tmp_path / "new", WORDS)
    # The old records with the newest keys: one key fewer, and all the rest is whole.
    (school.to / "keys.backup").write_bytes((after / "keys.backup").read_bytes())
    found = school.verify(before)
    assert int(found.split(", ")[-1].split()[0]) < int(keys.split()[0])
    school.restore(before, tmp_path / "old")
    assert not held(tmp_path / "old" / "keys", school.concern)


def test_a_chain_that_was_cut_since_is_noticed(school):
    """Whoever rewrites the audit cannot rewrite the backups."""
    backup = school.backup()
    place = school.place()
    cut = "DROP TRIGGER act_no_delete; DELETE FROM act WHERE seq = (SELECT max(seq) FROM act);"
    subprocess.run(["python3", "-c", f"import sqlite3; c = sqlite3.connect({str(place)!r}); "
                    f"c.executescript({cut!r}); c.commit()"], check=True)
    assert "the audit's chain of today" in school.verify(backup, code=1)


@pytest.fixture(scope="module")
def server():
    with Postgres() as running:
        yield running


def test_postgres_is_backed_up_and_moves_to_sqlite_and_back(build, tmp_path, server):
    school = School(build, tmp_path, server.create())
    backup = school.backup()
    assert school.verify(backup).startswith("whole: ")
    assert school.tests() == ["whole"]
    school.restore(backup, tmp_path / "lite")
    place = tmp_path / "lite" / "store" / "lodge.db"
    listed = json.loads(school.probe("list", "concern", data=tmp_path / "lite", place=place))
    assert [item["id"] for item in listed["items"]] == [school.concern]
    back = tmp_path / "to"
    school.lodge("backup", "--data", tmp_path / "lite", "--to", back)
    moved = server.create()
    school.restore(next(back.glob("lodge-*")), tmp_path / "moved", "--database", moved)
    assert "there is a store already" in school.restore(
        next(back.glob("lodge-*")), tmp_path / "other", "--database", moved, code=1)
    assert school.probe("acts", data=tmp_path / "moved", place=moved) == "4"  # each restore is one
