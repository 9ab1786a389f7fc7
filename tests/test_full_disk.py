# SPDX-License-Identifier: GPL-3.0-or-later
"""A store that takes nothing any more, as on a full disk: pages that read are shown, one that changes
says what is the matter, and what was typed can be sent again from there."""
import html
import re
import sqlite3

import pytest

from console import Console
from postgres import Postgres
from seed import signed_in

NAME = 'Ada "Ace" Price & Sons'


class Sqlite:
    place, says = None, "Something went wrong"

    def open(self, console):
        return sqlite3.connect(console.data / "store" / "lodge.db", timeout=30)

    def refuse(self, store, table, what):
        store.execute(f"CREATE TRIGGER full_{table} BEFORE {what} ON {table} "
                      "BEGIN SELECT RAISE(ABORT, 'full'); END")

    def allow(self, store, table):
        store.execute(f"DROP TRIGGER full_{table}")

    def close(self):
        pass


class Postgresql:
    says = "The disk of the school"

    def __init__(self):
        self.server = Postgres().__enter__()
        self.place = self.server.create()

    def open(self, _console):
        return self.server.store(self.place)

    def refuse(self, store, table, what):
        store.execute("CREATE OR REPLACE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS "
                      "$$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = 'disk_full'; END $$")
        store.execute(f"CREATE TRIGGER full_{table} BEFORE {what} ON {table} FOR EACH ROW "
                      "EXECUTE FUNCTION full_disk()")

    def allow(self, store, table):
        store.execute(f"DROP TRIGGER full_{table} ON {table}")

    def close(self):
        self.server.__exit__()


@pytest.fixture(params=[Sqlite, Postgresql], ids=["sqlite", "postgres"])
def base(request):
    made = request.param()
    yield made
    made.close()


def test_pages_go_on_and_what_was_typed_is_kept(base, lodge, tmp_path):
    with Console(lodge, tmp_path, database=base.place) as console:
        head = signed_in(console, ["head"], store=base.open(console))
        store = base.open(console)
        with store:
            store.execute("UPDATE session SET used_ms = used_ms - 180000")
            base.refuse(store, "session", "UPDATE")
            base.refuse(store, "reg_person", "INSERT")
        assert head.get("/records/people").status == 200
        form = {"name": NAME, "kind": "pupil"}
        answer = head.post("/records/people/new", form)
        assert answer.status in (500, 503) and base.says in html.unescape(answer.text)
        sent = {html.unescape(name): html.unescape(value) for name, value in
                re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', answer.text)}
        assert sent.pop("csrf") and sent == form
        assert 'action="/records/people/new"' in answer.text
        with store:
            base.allow(store, "reg_person")
        assert head.post("/records/people/new", sent).status == 303
        assert store.execute("SELECT COUNT(*) FROM reg_person WHERE f_kind = 'pupil'").fetchone()[0] in (
            1, "1")
        store.close()


def test_no_page_holds_a_secret_that_was_typed(base, lodge, tmp_path):
    with Console(lodge, tmp_path, database=base.place) as console:
        head = signed_in(console, ["head"], store=base.open(console))
        store = base.open(console)
        with store:
            base.refuse(store, "session", "UPDATE")
            base.refuse(store, "account", "UPDATE")
        for path, form in (("/account/password", {"old": "kettle otter", "password": "lamp kettle otter",
                                                  "again": "lamp kettle otter"}),
                           ("/account/totp", {"code": "123456"})):
            answer = head.post(path, form)
            assert answer.status >= 400, answer
            assert not any(value in answer.text for value in form.values())
        store.close()
