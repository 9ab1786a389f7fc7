# SPDX-License-Identifier: GPL-3.0-or-later
"""kill -9 of any process while a day's changes are made in the console, on both databases: what was
acknowledged is there with its values, nothing is there twice, and the chain of acts is whole. When
each kill comes is drawn from a seed, as a number of turns to wait beside a change that is under way."""
import http.client
import json
import os
import random
import select
import signal
import sqlite3
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from console import Console
from gate import PRESET
from postgres import Postgres
from seed import signed_in

SEED = 20261122
CALM = 3            # changes between two kills
TURNS = 12000       # of waiting for a kill, at most: some longer than a change takes
PATIENCE = 60       # seconds; a bound against hanging for ever
GONE = (OSError, http.client.HTTPException)
PROCESSES = ["desk", "front", "clerk", "auth", "supervisor"]
CHANGES = "('made', 'changed', 'moved', 'undone')"


def polled(look):
    """Asks until the answer is a true one, which it gives back."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := look():
            return found
    raise AssertionError("nothing answers any more")


def await_end(pids):
    for pid in pids:
        try:
            descriptor = os.pidfd_open(pid)
        except ProcessLookupError:
            continue
        assert select.select([descriptor], [], [], PATIENCE)[0], "a child outlives its parent"
        os.close(descriptor)


def children_of(pid):
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Sqlite:
    name, processes, rounds = "sqlite", PROCESSES, 10  # each process is killed so often

    def __init__(self):
        self.place = None

    def open(self, console):
        return sqlite3.connect(console.data / "store" / "lodge.db", timeout=30)

    def close(self):
        pass


class Postgresql:
    name, processes, rounds = "postgres", PROCESSES + ["backend", "postmaster"], 4

    def __init__(self):
        self.server = Postgres(durable=True).__enter__()
        self.place = self.server.create()

    def open(self, _console):
        return self.server.store(self.place)

    def backend(self):
        """The server's process behind the desk's connection."""
        found = self.server.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'lodge' "
                                "ORDER BY backend_start").split()
        return int(found[-1]) if found else None

    def kill_postmaster(self):
        children = children_of(self.server.process.pid)
        self.server.end(signal.SIGKILL)
        await_end(children)
        self.server.start()

    def close(self):
        self.server.__exit__()


class Day:
    """The changes of a day, and what must be there: people, accounts, versions of the policy."""

    def __init__(self, console, base):
        self.console, self.base, self.chance = console, base, random.Random(SEED)
        self.head = signed_in(console, ["head", "technician", "office"], store=base.open(console))
        self.count, self.acknowledged, self.unsaid = 0, 0, 0
        self.people, self.before, self.accounts, self.passwords = {}, {}, {}, {}
        self.levels = []

    def sql(self, text):
        store = self.base.open(self.console)
        try:
            return [tuple(map(str, row)) for row in store.execute(text).fetchall()]
        finally:
            store.close()

    def word(self, what):
        self.count += 1
        return f"{what} {self.count}"

    # ---- changes: (path, document, kind, what it is about, what is there afterwards) ----

    def make(self):
        name = self.word("Person")
        return ("/records/people/new", {"name": name, "kind": "pupil", "email": "first@example.org"},
                "person", name, (1, "here", "first@example.org"))

    def change(self, name):
        person, (version, state, _) = self.people[name]
        email = self.word("mail").replace(" ", "-") + "@example.org"
        return (f"/records/people/{person}/edit", {"version": version, "email": email}, "person", name,
                (version + 1, state, email))

    def move(self, name):
        person, (version, state, email) = self.people[name]
        move, to = ("leave", "left") if state == "here" else ("return", "here")
        return (f"/records/people/{person}/move/{move}", {"version": version}, "person", name,
                (version + 1, to, email))

    def undo(self, name):
        person, (version, _, _) = self.people[name]
        return (f"/records/people/{person}/undo", {"version": version}, "person", name,
                (version + 1, *self.before.pop(name)[1:]))

    def account(self, name):
        person, _ = self.people[name]
        if name in self.accounts:
            return f"/accounts/{self.accounts[name][0]}/reset", {}, "account", name, None
        log_on = self.word("log-on").replace(" ", "-")
        return "/accounts/new", {"person": person, "log_on": log_on}, "account", name, log_on

    def cell(self):
        level = self.chance.choice(["acceptable", "unacceptable"])
        why = self.word("Because")
        return ("/policy/rows/personal-email/pupils", {"level": level, "why": why}, "policy", why,
                level)

    def choose(self):
        draw = self.chance.randrange(10)
        if draw < 3 or len(self.people) < 3:
            return self.make()
        name = self.chance.choice(sorted(self.people))
        if draw == 3 and name in self.before:
            return self.undo(name)
        if draw == 4 and (name in self.accounts or self.people[name][1][1] == "here"):
            return self.account(name)
        return self.cell() if draw == 5 else self.move(name) if draw == 6 else self.change(name)

    # ---- what is there ----

    def seen(self, kind, name):
        """What the store holds of it now; None: nothing."""
        if kind == "policy":
            rows = self.sql("SELECT number FROM policy_version WHERE words = '%s'" % name)
            assert len(rows) <= 1, f"{name} is there twice"
            return self.cell_of(rows[0][0]) if rows else None
        if kind == "account":
            rows = self.sql("SELECT id, log_on, hash FROM account WHERE person = '%s'"
                            % self.people[name][0])
            assert len(rows) <= 1, f"{name} has two accounts"
            return rows[0] if rows else None
        rows = self.sql("SELECT id, version, state, f_email FROM reg_person WHERE f_name = '%s'" % name)
        assert len(rows) <= 1, f"{name} is there twice"
        return (rows[0][0], (int(rows[0][1]), *rows[0][2:])) if rows else None

    def cell_of(self, number):
        text = self.sql(f"SELECT document FROM policy_version WHERE number = {number}")[0][0]
        row = next(row for row in json.loads(text)["table"] if row["id"] == "personal-email")
        return row["cells"]["pupils"]["level"]

    def settle(self, change, answer):
        """Notes what is there after a change. answer None: nobody said whether it was kept, and either
        is right; part of it is not."""
        _, _, kind, name, after = change
        seen = self.seen(kind, name)
        if kind == "person":
            old = self.people.get(name)
            new = (seen or old or (None,))[0], after
            assert seen == new if answer else seen in (old, new), (change, seen)
            if seen and old and seen != old and "/edit" in change[0]:
                self.before[name] = old[1]
            elif seen != old:
                self.before.pop(name, None)
            if seen:
                self.people[name] = seen
        elif kind == "policy":
            assert seen == after if answer else seen in (None, after), (change, seen)
            if seen:
                self.levels.append((name, after))
        else:
            self.settle_account(name, after, seen, answer)

    def settle_account(self, name, log_on, seen, answer):
        old = self.accounts.get(name)
        if answer:
            assert seen and seen[1] == (log_on or old[1]) and seen != old
            self.passwords[seen[1]] = answer.json["password"]
        elif seen != old:
            assert seen[1] == (log_on or old[1])
            self.passwords.pop(seen[1], None)  # nobody was told the new one
        if seen:
            self.accounts[name] = seen

    def send(self, change):
        """Its answer; None: there was none, or one that says it is not done."""
        try:
            answer = self.head.json("POST", *change[:2])
        except GONE:
            self.head.close()
            return None
        if answer.status in (200, 303):
            return answer
        assert answer.status in (500, 502, 503, 504), (change, answer)
        return None

    def one(self):
        change = self.choose()
        answer = self.send(change)
        assert answer is not None, change
        self.settle(change, answer)
        self.acknowledged += 1

    def check(self):
        """Every acknowledged change, each once; one act and one row of the history for
        each version; the chain."""
        rows = {name: (record, (int(version), state, email)) for record, name, version, state, email in
                self.sql("SELECT id, f_name, version, state, f_email FROM reg_person "
                         "WHERE f_email LIKE '%@example.org'")}
        assert rows == self.people
        versions = sorted((record, number) for record, (last, _, _) in self.people.values()
                          for number in range(1, last + 1))
        acts = self.sql(f"SELECT record, version FROM act WHERE area = 'person' AND act IN {CHANGES}")
        assert sorted((record, int(number)) for record, number in acts) == versions
        past = self.sql("SELECT record, version FROM past WHERE register = 'person'")
        assert sorted((record, int(number)) for record, number in past) == versions
        words = self.sql("SELECT words FROM policy_version WHERE number > 1 ORDER BY number")
        assert words == [(why,) for why, _ in self.levels]
        done = subprocess.run(
            [self.console.lodge, "audit", "verify", "--data", self.console.data,
             *(["--database", self.base.place] if self.base.place else [])],
            capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    # ---- kills ----

    def kill(self, name):
        if name == "postmaster":
            return self.base.kill_postmaster()
        if name == "supervisor":
            children = children_of(self.console.process.pid)
            process, self.console.process = self.console.process, None
            process.kill()
            process.wait()
            await_end(children)
            return self.console.start()
        if name == "backend":
            pid = self.base.backend()
            return os.kill(pid, signal.SIGKILL) if pid else None
        return os.kill(self.console.child(name), signal.SIGKILL)

    def answers(self):
        try:
            return self.head.json("GET", "/records/people").status == 200
        except GONE:
            self.head.close()
            return False

    def round(self, name):
        for _ in range(CALM):
            self.one()
        change, turns = self.choose(), self.chance.randrange(TURNS)
        self.head.token()
        with ThreadPoolExecutor(1) as pool:
            sent = pool.submit(self.send, change)
            for _ in range(turns):
                os.sched_yield()
            self.kill(name)
            answer = sent.result()
        polled(self.answers)
        self.settle(change, answer)
        self.acknowledged += answer is not None
        self.unsaid += answer is None
        self.check()

    def end(self):
        """By the console's own pages, too."""
        for name, (record, (version, state, email)) in self.people.items():
            page = self.head.json("GET", f"/records/people/{record}").json
            assert (page["version"], page["state"], page["title"]) == (version, state, name)
            assert page["fields"]["email"] == email
        here = {account[1] for name, account in self.accounts.items()
                if self.people[name][1][1] == "here"}  # who has left does not sign in
        known = sorted((log_on, password) for log_on, password in self.passwords.items()
                       if log_on in here)
        assert known
        for log_on, password in known:
            answer = self.console.client().post("/sign-in", {"account": log_on, "password": password},
                                                token=False)
            assert answer.status == 303 and "/sign-in/password" in answer.header("Location"), answer


def without_policy_file(console):
    """The policy is the records' own, so that it can be changed."""
    at = console.command.index("--policy")
    del console.command[at:at + 2]


@pytest.fixture(params=[Sqlite, Postgresql], ids=["sqlite", "postgres"])
def day(request, lodge, tmp_path):
    base = request.param()
    console = Console(lodge, tmp_path, database=base.place)
    without_policy_file(console)
    try:
        with console:
            day = Day(console, base)
            store = base.open(console)
            with store:
                store.execute("INSERT INTO policy_version (school, number, document, made_ms, made_by, "
                              "words) VALUES (?, 1, ?, 1, '', 'the preset')",
                              ["s" * 26, json.dumps(json.loads(PRESET.read_text()))])
            store.close()
            yield day
    finally:
        base.close()


def test_kill_9_of_any_process_loses_and_doubles_no_change(day, build):
    kills = day.base.rounds * len(day.base.processes)
    for _ in range(day.base.rounds):
        for name in day.chance.sample(day.base.processes, len(day.base.processes)):
            day.round(name)
    day.end()
    report = build / "reports" / f"kill-{day.base.name}.txt"
    report.parent.mkdir(exist_ok=True)
    report.write_text(f"{kills} kills, {day.acknowledged} changes acknowledged, {day.unsaid} unsaid\n")
    assert day.acknowledged > 3 * kills
    assert day.accounts and day.levels
    assert day.unsaid  # some kills came before the answer
