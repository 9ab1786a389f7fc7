# SPDX-License-Identifier: GPL-3.0-or-later
"""A school of some size in a console that runs, and the reading of what its processes cost."""
import contextlib
import csv
import io
import json
import random
import sqlite3
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "lib"))

from console import Console  # noqa: E402
from postgres import Postgres  # noqa: E402
from seed import signed_in  # noqa: E402

BATCH = 5000          # rows of one import
MEMBERSHIPS = 2000
CONCERNS = 2000       # made one by one: each is sealed under a key of its own
TEACHER, PASSWORD = "tess", "kettle otter lamp"
GIVEN = "Ada Ben Cara Dev Elsie Finn Grace Hana Idris June Kofi Lena Max Nadia Omar Priya".split()
FAMILY = "Ash Brook Clay Dale Elm Fern Glen Hill Isle Jones Kerr Lane Moss Nash Okoro Price".split()


def table(rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0].keys())
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def bring(client, plural, rows):
    for at in range(0, len(rows), BATCH):
        answer = client.post(f"/records/{plural}/import", {"sure": "yes"},
                             files={"file": (f"{plural}.csv", "text/csv", table(rows[at:at + BATCH]))},
                             headers={"Accept": "application/json"})
        if answer.status not in (200, 303):
            sys.exit(f"import of {plural}: {answer}")


def begin_school(build, data):
    """A teacher with a class and an account, before anything is served."""
    data.mkdir(parents=True, exist_ok=True)
    lines = [
        {"make": "person", "as": "tess", "fields": {"name": "Tess Teacher", "kind": "staff"}},
        {"make": "post", "fields": {"person": "$tess", "role": "teacher", "from": "2024-09-01"}},
        {"account": "tess", "log_on": TEACHER, "password": PASSWORD},
        {"make": "group", "as": "oak", "fields": {"name": "Oak class", "kind": "class"}},
        {"make": "membership", "fields": {"person": "$tess", "group": "$oak", "kind": "teacher",
                                          "from": "2024-09-01"}}]
    subprocess.run([build / "tests" / "schoolseed", data], text=True, check=True,
                   input="".join(json.dumps(line) + "\n" for line in lines), capture_output=True)


class School:
    """Made through the console, as a school would: imports, and concerns one by one."""

    def __init__(self, console, people, records):
        self.console, self.chance = console, random.Random(1)
        self.head = signed_in(console, ["head", "dsl"])
        self.teacher = console.client()
        self.teacher.sign_in(TEACHER, PASSWORD)
        bring(self.head, "people", [self.person(number) for number in range(people)])
        store = sqlite3.connect(console.data / "store" / "lodge.db", timeout=30)
        self.pupils = [row[0] for row in store.execute(
            "SELECT id FROM reg_person WHERE f_kind = 'pupil' ORDER BY id")]
        bring(self.head, "groups", [{"name": f"Class {number}", "kind": "class"}
                                    for number in range(60)])
        self.groups = [row[0] for row in store.execute("SELECT id FROM reg_group ORDER BY id")]
        store.close()
        bring(self.head, "memberships", [self.membership(number) for number in range(MEMBERSHIPS)])
        bring(self.head, "assets", [self.asset(number)
                                    for number in range(records - CONCERNS - MEMBERSHIPS)])
        for number in range(CONCERNS):
            self.concern(number)

    def person(self, number):
        given, family = self.chance.choice(GIVEN), self.chance.choice(FAMILY)
        return {"name": f"{given} {family} {number}", "given": given, "family": family,
                "kind": "pupil" if number % 8 else "staff"}

    def membership(self, number):
        year = 2019 + number % 7
        return {"person": self.pupils[number % len(self.pupils)],
                "group": self.groups[self.chance.randrange(len(self.groups))], "kind": "member",
                "from": f"{year}-09-01", "until": f"{year + 1}-07-20" if year < 2025 else ""}

    def asset(self, number):
        return {"name": f"{self.chance.choice(FAMILY)} {number}", "kind": "equipment",
                "where": f"Room {number % 60}"}

    def concern(self, number):
        answer = self.head.json("POST", "/records/concerns/new", {
            "child": self.chance.choice(self.pupils), "kind": "online",
            "summary": f"Invented, number {number}", "happened": "2026-03-02",
            "facts": f"Invented words, number {number}, for a measurement."})
        if answer.status not in (200, 201):
            sys.exit(f"a concern: {answer}")

    def move(self, console):
        """The same school served by another console: the sessions came with its store."""
        cookies, self.console = (self.head.cookies, self.teacher.cookies), console
        self.head, self.teacher = console.client(), console.client()
        self.head.cookies, self.teacher.cookies = cookies


@contextlib.contextmanager
def on_postgres(lodge, folder, data):
    """A console on PostgreSQL with what DIR holds (its school has been stopped), as an operator would
    move it: a backup, restored. Gives the console and the server."""
    key, backups, moved = folder / "safe.key", folder / "backups", folder / "moved"
    with Postgres(durable=True) as server:
        place = server.create()
        moved.mkdir()
        for words in (["backup", "key", "--data", data, "-o", key],
                      ["backup", "--data", data, "--to", backups]):
            subprocess.run([lodge, *words], check=True, capture_output=True)
        console = Console(lodge, moved, database=place)
        subprocess.run([lodge, "restore", next(backups.glob("lodge-*.backup")), "--key", key, "--data",
                        console.data, "--database", place], check=True, capture_output=True)
        server.sql("VACUUM ANALYZE", server.database(place))  # what autovacuum does within a minute
        with console:
            yield console, server


def cpu_ns(pids):
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids)


def backends(server):
    """PostgreSQL's processes that work for somebody."""
    pid = server.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children
            if b"postgres: lodge" in Path(f"/proc/{child}/cmdline").read_bytes()]


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]
