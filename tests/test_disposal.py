# SPDX-License-Identifier: GPL-3.0-or-later
"""Disposal behind its commit, on both databases: whatever dies or is busy then, the record's key goes;
and PostgreSQL's tables are swept by the clerk, not by the desk."""
import http.client
import os
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from console import Console
from postgres import Postgres
from seed import signed_in

PATIENCE = 30  # seconds; a bound against hanging for ever
GONE = (OSError, http.client.HTTPException)


def polled(look):
    """Asks until the answer is a true one, which it gives back."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := look():
            return found
    raise AssertionError("it does not happen")


class School:
    """A console with a head, and its store's rows."""

    def __init__(self, lodge, folder, server=None):
        self.server = server
        self.place = server.create() if server else None
        self.console = Console(lodge, folder, database=self.place)

    def __enter__(self):
        self.console.start()
        self.head = signed_in(self.console, ["head", "dsl"], store=self.open())
        return self

    def __exit__(self, *_):
        self.console.stop()

    def open(self):
        return self.server.store(self.place) if self.server else sqlite3.connect(
            self.console.data / "store" / "lodge.db", timeout=30)

    def rows(self, sql):
        store = self.open()
        try:
            return store.execute(sql).fetchall()
        finally:
            store.close()

    def keys(self):
        return sqlite3.connect(self.console.data / "keys" / "keys.db", timeout=30,
                               isolation_level=None)

    def has_key(self, record):
        keys = self.keys()
        try:
            return keys.execute("SELECT 1 FROM record_key WHERE record = ?", [record]).fetchone()
        finally:
            keys.close()

    def make(self, register, **fields):
        answer = self.head.json("POST", f"/records/{register}/new", fields)
        assert answer.status in (200, 303), answer
        return answer

    def concern(self):
        """The id of a new record with sealed words."""
        self.make("people", name="Ada Price", kind="pupil")
        ada = self.rows("SELECT id FROM reg_person WHERE f_name = 'Ada Price'")[0][0]
        self.make("concerns", child=ada, summary="Bruise", kind="home", happened="2026-05-20",
                  facts="A bruise on the arm")
        return self.rows("SELECT id FROM reg_concern")[0][0]

    def dispose(self, path):
        try:
            return self.head.json("POST", f"/records/{path}/dispose",
                                  {"version": 1, "reason": "mistake", "sure": "yes"}).status
        except GONE:
            self.head.close()
            return None

    def answers(self):
        try:
            return self.head.json("GET", "/records/people").status == 200
        except GONE:
            self.head.close()
            return False


@pytest.fixture(params=["sqlite", "postgres"])
def school(request, lodge, tmp_path):
    if request.param == "sqlite":
        with School(lodge, tmp_path) as made:
            yield made
        return
    with Postgres() as server, School(lodge, tmp_path, server) as made:
        yield made


def test_a_key_goes_though_the_desk_is_killed_behind_the_commit(school):
    concern = school.concern()
    assert school.has_key(concern)
    keys = school.keys()
    keys.execute("BEGIN IMMEDIATE")  # the desk commits, and then waits for this
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(school.dispose, f"concerns/{concern}")
        polled(lambda: not school.rows("SELECT id FROM reg_concern"))
        os.kill(school.console.child("desk"), signal.SIGKILL)
        assert sent.result() != 200
    keys.execute("ROLLBACK")
    keys.close()
    polled(school.answers)
    polled(lambda: not school.has_key(concern))
    polled(lambda: not school.rows("SELECT record FROM doomed_key"))


def test_a_disposal_leaves_nothing_to_do(school):
    concern = school.concern()
    assert school.dispose(f"concerns/{concern}") in (200, 303)
    assert not school.has_key(concern)
    assert not school.rows("SELECT record FROM doomed_key")
    polled(lambda: not school.rows("SELECT name FROM unswept"))
    if school.server:
        swept = "SELECT 1 FROM pg_stat_user_tables WHERE last_vacuum IS NOT NULL AND relname = '%s'"
        assert school.rows(swept % "reg_concern") and school.rows(swept % "past")
        assert not school.rows(swept % "act"), "only the tables concerned"
