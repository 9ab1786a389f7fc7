# SPDX-License-Identifier: GPL-3.0-or-later
"""`lodge audit` on both databases: the chain is made again here, in Python, from what is exported;
a row that is changed, taken out or cut off is found and named (U18, F21, R119)."""
import csv
import hashlib
import io
import json
import sqlite3
import subprocess
from datetime import datetime, timezone

import pytest

from console import Console
from postgres import Postgres

ACTS = 6


class Sqlite:
    """The records of a data folder."""

    def __init__(self, data, _server):
        self.options, self.file = ["--data", str(data)], data / "store" / "lodge.db"
        self.file.parent.mkdir()
        self.file.touch()  # a new store is empty, and the first command makes its tables

    def sql(self, text):
        with sqlite3.connect(self.file) as store:
            return store.executescript(text)

    def tamper(self, text):
        self.sql(f"DROP TRIGGER IF EXISTS act_no_update; DROP TRIGGER IF EXISTS act_no_delete; {text}")

    def refuses(self, text):
        with pytest.raises(sqlite3.IntegrityError, match="only grows"):
            self.sql(text)


class Postgresql:
    def __init__(self, data, server):
        place = server.create()
        self.server, self.database = server, place.split("/")[3].split("?")[0]
        self.options = ["--data", str(data), "--database", place]

    def sql(self, text):
        return self.server.sql(text, database=self.database)

    def tamper(self, text):
        self.sql(f"ALTER TABLE act DISABLE TRIGGER ALL; {text}")

    def refuses(self, text):
        with pytest.raises(subprocess.CalledProcessError) as refused:
            self.sql(text)
        assert "only grows" in refused.value.stderr


@pytest.fixture(scope="module")
def server():
    with Postgres() as running:
        yield running


class School:
    """Two schools in one store; the exports of the first are its acts."""

    def __init__(self, store, lodge, data):
        self.store, self.lodge, self.data = store, lodge, data
        assert self.audit("verify").stdout == ""
        for name in ("oak", "elm"):
            store.sql("INSERT INTO school (id, name, kind, urn, made_ms) "
                      f"VALUES ('{name}', '{name.title()} School', 'primary', '', 1);")
        for _ in range(ACTS):
            assert self.audit("export", "--school", "oak").returncode == 0

    def audit(self, command, *words):
        return subprocess.run([self.lodge, "audit", command, *self.store.options, *words],
                              capture_output=True, text=True)

    def broken(self, *words):
        """What verify says of the first school."""
        done = self.audit("verify", "--school", "oak", *words)
        assert done.returncode == 1, done.stdout
        return done.stdout.removeprefix("Oak School (oak): BROKEN at act ").strip()

    def end(self):
        return self.audit("verify", "--school", "oak").stdout.split("ends with ")[1].strip()


@pytest.fixture(params=[Sqlite, Postgresql])
def school(request, lodge, tmp_path, server):
    data = tmp_path / "data"
    data.mkdir()
    return School(request.param(data, server), lodge, data)


def netstring(value):
    value = str(value).encode() if not isinstance(value, bytes) else value
    return b"%d:%b," % (len(value), value)


def chain(acts):
    """docs/audit.md, from JSON lines of a school whose private words are all empty."""
    before = bytes(32)
    for act in acts:
        ms = when_ms(act["when"])
        values = ["lodge act 1", "oak", act["number"], ms, act["act"], act["actor"], act["account"],
                  act["session"], act["address"], act["area"], act["record"], act["about"],
                  act["hidden_from"], act["version"], act["fields"], act["words"], b""]
        before = hashlib.blake2b(before + b"".join(map(netstring, values)), digest_size=32).digest()
        yield act["number"], before.hex(), act["hash"]


def when_ms(text):
    when = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return round(when.timestamp() * 1000)


def test_U18_anybody_can_make_the_chain_again_from_an_export(school):
    done = school.audit("export", "--school", "oak", "--json")
    acts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [act["number"] for act in acts] == list(range(1, ACTS + 2))
    made = list(chain(acts))
    assert [mine for _, mine, _ in made] == [told for _, _, told in made]
    assert school.end() == f"{ACTS + 1}:{made[-1][1]}"


def test_an_export_is_an_act_and_the_csv_says_the_same_as_the_json(school):
    lines = school.audit("export", "--school", "oak", "--json").stdout.splitlines()
    table = school.audit("export", "--school", "oak").stdout
    rows = list(csv.DictReader(io.StringIO(table.removeprefix("\ufeff"))))
    assert len(rows) == len(lines) + 1
    for row, line in zip(rows, lines):
        assert row == {name: str(value) for name, value in json.loads(line).items()}
    assert rows[-1]["act"] == "taken" and rows[-1]["area"] == "audit" and rows[-1]["actor"] == ""
    assert school.audit("export", "--school", "elm", "--json").stdout.count("\n") == 1


def test_F21_acts_refuse_to_be_changed_or_taken_out(school):
    school.store.refuses("UPDATE act SET words = 'nothing' WHERE seq = 2;")
    school.store.refuses("DELETE FROM act WHERE seq = 2;")
    assert school.audit("verify").returncode == 0


@pytest.mark.parametrize("tamper, said", [
    ("UPDATE act SET words = 'nothing' WHERE seq = 3", "3: the act is not as it was written"),
    ("UPDATE act SET made_ms = made_ms + 1 WHERE seq = 1", "1: the act is not as it was written"),
    ("UPDATE act SET actor = 'somebody' WHERE seq = 6", "6: the act is not as it was written"),
    ("UPDATE act SET hash = (SELECT hash FROM act WHERE seq = 4 AND school = 'oak') WHERE seq = 5",
     "5: the act is not as it was written"),
    ("DELETE FROM act WHERE seq = 4", "4: an act is missing"),
    ("DELETE FROM act WHERE seq = 1", "1: an act is missing"),
    ("DELETE FROM act WHERE seq > 4", "5: the chain is cut: it ended later"),
    ("DELETE FROM act WHERE seq = 2; UPDATE act SET seq = 2 WHERE seq = 6", "2: "),
    ("UPDATE act SET school = 'elm' WHERE seq = 5", "5: an act is missing"),
])
def test_U18_the_first_broken_act_is_named(school, tamper, said):
    school.store.tamper(f"{tamper};")
    assert school.broken().startswith(said)


CUT = ("DELETE FROM act WHERE seq > 4; UPDATE chain SET seq = 4, "
       "hash = (SELECT hash FROM act WHERE seq = 4 AND school = 'oak') WHERE school = 'oak';")


def test_U18_a_tail_that_is_cut_with_the_chains_end_shows_by_the_noted_head(school):
    end = school.end()
    school.store.tamper(CUT)
    assert school.broken() == "5: the chain is cut: a later head was noted (audit/heads)"
    (school.data / "audit" / "heads").unlink()
    assert school.broken("--head", end) == "5: the chain is cut: a later head was noted (--head)"
    assert school.audit("verify").returncode == 0  # who took the file too is found by the copy


def test_a_chain_that_was_written_anew_behind_the_noted_head_shows(school):
    school.end()
    school.store.tamper(CUT)
    for _ in range(ACTS):
        school.audit("export", "--school", "oak")
    assert school.broken() == f"{ACTS}: another act stands where the noted head was (audit/heads)"
    with (school.data / "audit" / "heads").open("a") as heads:  # the clerk notes no end without a look
        heads.write(f"2026-11-22T00:00:00.000Z oak {ACTS + 3} {'0' * 64}\n")
    assert school.broken().startswith(f"{ACTS}: another act stands")


def test_heads_are_noted_once_for_each_end(school):
    for _ in range(3):
        school.audit("verify")
    heads = (school.data / "audit" / "heads").read_text().splitlines()
    assert [line.split()[1:3] for line in heads] == [["oak", str(ACTS)]]
    school.audit("export", "--school", "oak")
    school.audit("verify")
    assert len((school.data / "audit" / "heads").read_text().splitlines()) == 2
    (school.data / "audit" / "heads").write_text("2026 oak none\n")
    assert school.audit("verify").returncode == 1


def test_an_export_is_of_the_days_that_were_asked_for(school):
    school.store.tamper(
        "UPDATE act SET made_ms = 1790463599999 WHERE seq = 1;"  # 26 September, 23:59:59 in Britain
        "UPDATE act SET made_ms = 1790463600000 WHERE seq = 2;"  # midnight
        "UPDATE act SET made_ms = 1790549999999 WHERE seq = 3;"
        "UPDATE act SET made_ms = 1790550000000 WHERE seq = 4;")

    def numbers(*words):
        lines = school.audit("export", "--school", "oak", "--json", *words).stdout.splitlines()
        return [json.loads(line)["number"] for line in lines]
    assert numbers("--from", "2026-09-27", "--until", "2026-09-27") == [2, 3]
    assert numbers("--until", "2026-09-26") == [1]
    for wrong in ("yesterday", "2026-9-27", "2026-02-30", "2026-09-27T00:00"):
        assert school.audit("export", "--school", "oak", "--from", wrong).returncode == 2


def test_wrong_commands_say_what_is_wrong(school, lodge, tmp_path):
    nowhere = subprocess.run([lodge, "audit", "verify", "--data", str(tmp_path)],
                             capture_output=True, text=True)
    assert nowhere.returncode == 1 and "no records" in nowhere.stderr
    assert "say --school" in school.audit("export").stderr
    assert school.audit("export", "--school", "ash").returncode == 1
    assert school.audit("verify", "--head", "1:00").returncode == 2
    assert school.audit("verify", "--school", "oak", "--head", "1:00").returncode == 2


def test_the_clerk_notes_where_the_chains_end_when_it_starts_and_each_day(lodge, tmp_path):
    console = Console(lodge, tmp_path)
    with console:
        with sqlite3.connect(console.data / "store" / "lodge.db", timeout=60) as store:
            store.execute("INSERT INTO school (id, name, kind, urn, made_ms) "
                          "VALUES ('oak', 'Oak School', 'primary', '', 1)")
    command = [lodge, "audit", "export", "--data", str(console.data)]
    assert subprocess.run(command, capture_output=True).returncode == 0
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    last = json.loads(done.stdout.splitlines()[-1])
    heads = console.data / "audit" / "heads"
    with console:
        for _ in range(1000):  # each is an answer of the console
            noted = heads.read_text().splitlines()[-1].split()[1:] if heads.exists() else ["", "0"]
            if int(noted[1]) >= last["number"]:
                break
            console.client().get("/sign-in")
    shown = subprocess.run([lodge, "log", "--data", str(console.data), "--json"], capture_output=True,
                           text=True, check=True).stdout
    events = [event for event in map(json.loads, shown.splitlines()) if event["kind"] == "audit"]
    assert [event["school"] for event in events if event["act_hash"] == noted[2]] == ["oak"]
    assert events[-1]["act"] == int(noted[1]) and events[-1]["where"].startswith("clerk-0/")
    text = subprocess.run([lodge, "log", "--data", str(console.data)], capture_output=True, text=True)
    assert f" - audit - - - - - - [] school=oak act={noted[1]} hash={noted[2]} id=" in text.stdout
    blocked = subprocess.run([lodge, "log", "--data", str(console.data), "--blocked"],
                             capture_output=True, text=True)
    assert "audit" not in blocked.stdout
    # What the clerk itself did at its start may stand behind what was last seen.
    done = subprocess.run([*command, "--json"], capture_output=True, text=True)
    acts = [json.loads(line) for line in done.stdout.splitlines()]
    assert noted in [["oak", str(act["number"]), act["hash"]] for act in acts]
    assert int(noted[1]) >= last["number"]


def test_F21_a_tail_that_is_cut_with_the_noted_file_shows_by_the_event_spool(lodge, tmp_path):
    console = Console(lodge, tmp_path)
    with console:
        pass  # the store is made
    file = console.data / "store" / "lodge.db"
    with sqlite3.connect(file) as store:
        store.execute("INSERT INTO school (id, name, kind, urn, made_ms) "
                      "VALUES ('oak', 'Oak School', 'primary', '', 1)")
    command = [lodge, "audit", "export", "--school", "oak", "--data", str(console.data)]
    for _ in range(ACTS):
        assert subprocess.run(command, capture_output=True).returncode == 0
    with console:
        pass  # the clerk has noted before the gate is ready

    def verify(*words):
        return subprocess.run([lodge, "audit", "verify", "--data", str(console.data), *words],
                              capture_output=True, text=True)
    assert verify().returncode == 0
    with sqlite3.connect(file) as store:
        store.executescript("DROP TRIGGER act_no_update; DROP TRIGGER act_no_delete; " + CUT)
    (console.data / "audit" / "heads").unlink()
    found = verify()
    assert found.returncode == 1
    assert "BROKEN at act 5: the chain is cut: a later head was noted (the event spool)" in found.stdout
    with console:
        pass  # what the clerk notes now is the cut chain's end
    assert "(the event spool)" in verify().stdout
    for segment in (console.data / "spool" / "clerk-0").glob("*.seg"):
        segment.write_bytes(bytes(4096))
    wiped = verify()
    assert "is broken and was passed over" in wiped.stderr
