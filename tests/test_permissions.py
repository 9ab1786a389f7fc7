# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what: every route, as every role and relationship, signed out included, in two schools of
one store, on both databases. What is right is worked out in tests/lib/rights.py from the tables alone."""
import csv
import http.client
import io
import itertools
import re
import sqlite3
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import rights
from console import HOST, Client, Console
from gate import ROOT
from postgres import Postgres
from rights import REGISTERS, SCHOOL, World

ROUTE = re.compile(r'^ROUTE\((\w+), "([^"]+)", (\w+), (\w+),\s+"[^"]*",\s+"([^"]+)"\)', re.M)
ELSEWHERE = rights.an_id("nothing")
# What other records refer to by its name: who sees those reads that name.
NAMED = {"person", "group", "device"}
STALE = 999  # a version that no record has: whoever may change gets 409, and nothing is changed


def routes():
    text = (ROOT / "src" / "web" / "route.def").read_text()
    found = ROUTE.findall(text)
    assert len(found) == text.count("\nROUTE(")
    return {name: (method, path, guard, group) for method, path, name, guard, group in found}


def test_the_document_has_the_tables_that_the_program_has():
    done = subprocess.run([sys.executable, ROOT / "tools" / "permissions.py", "--check"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


# ---- the schools -------------------------------------------------------------------------------

def fill_sqlite(console, world, _server):
    text = re.sub(r"\{blob:(\w+)\}", r"X'\1'", world.sql())
    with sqlite3.connect(console.data / "store" / "lodge.db", timeout=60) as store:
        store.executescript(f"PRAGMA foreign_keys = ON; BEGIN; {text} COMMIT;")


def fill_postgres(console, world, server):
    text = re.sub(r"\{blob:(\w+)\}", r"'\\x\1'", world.sql())
    server.sql(f"BEGIN; {text} COMMIT;", database=console.base)


class Browser(Client):
    """One at an address of its own: the rates are for each."""

    def __init__(self, console, number):
        super().__init__(console)
        self.address = f"127.0.0.{number}"

    def connect(self):
        context = ssl.create_default_context(cafile=str(self.console.certificate))
        return http.client.HTTPSConnection(HOST, self.console.console_port, context=context,
                                           timeout=60, source_address=(self.address, 0))


class Schools:
    def __init__(self, console, world, names, every):
        self.names = names  # of those of the first school who walk
        self.every = every  # the how-manieth record each of them asks for one by one
        self.console, self.world, self.addresses = console, world, itertools.count(2)
        self.walked = set()

    def client(self, person):
        client = Browser(self.console, next(self.addresses))
        if person is not None:
            client.cookies["__Host-lodge"], client.csrf = person.cookie, person.csrf
        return client


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.once)])
def schools(request, lodge, tmp_path_factory):
    world, folder = World(), tmp_path_factory.mktemp("permissions")
    if request.param == "sqlite":
        with Console(lodge, folder) as console:
            fill_sqlite(console, world, None)
            yield Schools(console, world, OAK, 1)
        return
    with Postgres() as server:
        place = server.create()
        with Console(lodge, folder, database=place) as console:
            console.base = place.split("/")[3].split("?")[0]
            fill_postgres(console, world, server)
            yield Schools(console, world, CASES, 3)


class Walk:
    """One person's way through all addresses. What is not as the tables say is
    noted, not raised, so that one run tells all of it."""

    def __init__(self, schools, person):
        self.schools, self.world, self.person = schools, schools.world, person
        self.client, self.faults, self.walked, self.n = schools.client(person), [], set(), 0
        self.hidden = [record.mark for record in self.world.records
                       if record.register not in NAMED
                       and not self.world.may(person, record, "see")]

    def ask(self, name, path, want, body=None, form=None):
        """want: a status, or several. No page may hold the mark of a record that one may not see."""
        self.walked.add(name)
        self.n += 1
        method = routes_by_name[name][0]
        if form is not None:
            answer = self.client.post(path, form, headers={"Accept": "application/json"})
        else:
            answer = self.client.json(method, path, body)
        want = want if isinstance(want, tuple) else (want,)
        who = f"{self.person.school} {self.person.name}"
        if answer.status not in want:
            self.faults.append(f"{who}: {method} {path}: {answer.status}, not {want}")
        for mark in self.hidden:
            if mark.encode() + b'"' in answer.body or mark.encode() + b"," in answer.body:
                self.faults.append(f"{who}: {method} {path} tells of {mark}")
        return answer

    def expect(self, what, got, want):
        if got != want:
            self.faults.append(f"{self.person.school} {self.person.name}: {what}: "
                               f"too many {sorted(got - want)}, missing {sorted(want - got)}")

    # ---- registers ----

    def register(self, name):
        plural, area = REGISTERS[name]["plural"], REGISTERS[name]["area"]
        base, any_of = f"/records/{plural}", self.world.has_any
        makes, takes = any_of(self.person, area, "make"), any_of(self.person, area, "take")
        sees = any_of(self.person, area, "see")
        lists = sees or makes or self.world.is_passed(self.person, name)
        records = [record for record in self.world.records if record.register == name]
        seen = {record.id for record in records if self.world.may(self.person, record, "see")}
        for query in ("", f"search={rights.WORD}"):
            self.expect(f"{name} {query}", self.listed(base, query, 200 if lists else 404), seen)
        answer = self.ask("records_csv", f"{base}.csv", 200 if takes else 403 if sees else 404)
        if answer.status == 200:
            rows = list(csv.reader(io.StringIO(answer.text)))
            taken = sum(self.world.may(self.person, record, "take") for record in records)
            if len(rows) - 1 != taken:
                self.faults.append(f"{self.person.name}: {name}.csv: {len(rows) - 1}, not {taken}")
        brings = any_of(self.person, area, "bring")
        self.ask("records_new", f"{base}/new", 200 if makes else 403)
        self.ask("records_make", f"{base}/new", 422 if makes else 403, body={})
        self.ask("records_import", f"{base}/import", 200 if brings else 403)
        self.ask("records_import_csv", f"{base}/import", (400, 413, 422) if brings else 403, body={})

    def listed(self, base, query, want):
        ids, page, more, total = set(), 1, True, None
        while more:
            answer = self.ask("records_list", f"{base}?page={page}&{query}", want)
            if answer.status != 200:
                return ids
            document = answer.json
            ids |= {item["id"] for item in document["items"]}
            total, more, page = document["total"], document["more"], page + 1
        if total != len(ids):
            self.faults.append(f"{self.person.name}: {base} counts {total}, and shows {len(ids)}")
        return ids

    # ---- records ----

    def record(self, record):
        sees = self.world.may(self.person, record, "see")

        def by(verb, allowed):
            return 404 if not sees else allowed if self.world.may(self.person, record, verb) else 403
        self.ask("records_view", record.path, 200 if sees else 404)
        self.ask("records_received", f"{record.path}/received",
                 200 if record.made_by == self.person.id and record.school == self.person.school else 404)
        self.ask("records_history", f"{record.path}/history", 200 if sees else 404)
        about = bool(record.about)
        self.ask("records_look", f"{record.path}/look", (200 if about else (200, 404)) if sees else 404)
        self.ask("records_look_open", f"{record.path}/look", (422 if about else 404) if sees else 404,
                 body={})
        self.ask("records_edit", f"{record.path}/edit", by("change", 200))
        self.ask("records_change", f"{record.path}/edit", by("change", 409), body={"version": STALE})
        self.ask("records_undo", f"{record.path}/undo", by("change", 409), body={"version": STALE})
        self.ask("records_dispose", f"{record.path}/dispose", by("dispose", 200))
        self.ask("records_disposed", f"{record.path}/dispose", by("dispose", 422),
                 body={"version": STALE})
        for move in record.definition.get("move", []):
            may = self.world.may_move(self.person, record, move)
            path = f"{record.path}/move/{move['name']}"
            self.ask("records_move", path, 404 if may is None else 200 if may else 403)
            ever = self.world.may_move(self.person, record, move, "")
            self.ask("records_moved", path, 404 if may is None else (409, 422) if ever else 403,
                     body={"version": STALE})
        for field in rights.fields_of(record.register, type="file"):
            path = f"{record.path}/file/{field}"
            self.ask("records_file", path, (403, 404) if sees else 404)
            adds = (self.world.may(self.person, record, "change") if sees else False) \
                or self.world.may_add_own(self.person, record)
            self.ask("records_file_ask", f"{path}/add", 200 if adds else 403 if sees else 404)
            self.ask("records_file_add", f"{path}/add", 422 if adds else 403 if sees else 404, form={})

    # ---- pages ----

    def pages(self):
        for path, name in (("/", "start"), ("/records", "records_index"), ("/notices", "notices"),
                           ("/account", "account"), ("/account/password", "account_password"),
                           ("/account/sheet", "account_sheet"), ("/api/openapi.json", "openapi"),
                           (f"/search?words={rights.WORD}", "search")):
            self.ask(name, path, 200)
        self.ask("account_totp", "/account/totp", (200, 303))
        self.ask("notice_seen", f"/notices/{ELSEWHERE}/seen", (200, 303, 404), body={})
        reads_audit = self.world.has_any(self.person, "audit", "see")
        self.ask("audit", "/audit", 200 if reads_audit else 403)
        self.accounts()
        self.class_log_ons()

    def class_log_ons(self):
        """One may start those of one's class, and some those of any; nobody's of another school."""
        sees, any_class = (self.world.has_any(self.person, "supervision", verb, scope)
                           for verb, scope in (("see", rights.MADE), ("make", SCHOOL)))
        makes = self.world.has_any(self.person, "supervision", "make")
        answer = self.ask("class", "/class", 200 if sees else 403)
        mine = any_class or (makes and self.world.teaches_any(self.person))
        if answer.status == 200:
            self.expect("classes", {item["id"] for item in answer.json["classes"]},
                        {self.world.class_of(self.person.school).id} if mine else set())
        for school in ("oak", "elm"):
            body = {"class": self.world.class_of(school).id, "until": "2020-01-01T00:00:00.000Z"}
            may = mine and school == self.person.school
            self.ask("class_start", "/class/start", 422 if may else 404 if makes else 403, body=body)
        for change in ("prolong", "take-over", "end"):
            self.ask("class_change", f"/class/{ELSEWHERE}/{change}", 404 if sees else 403, body={})

    def accounts(self):
        sees, makes, changes = (self.world.has_any(self.person, "accounts", verb, SCHOOL)
                                for verb in ("see", "make", "change"))
        answer = self.ask("accounts", "/accounts", 200 if sees else 403)
        if answer.status == 200:
            self.expect("accounts", {item["person"] for item in answer.json["items"]} - {None},
                        {person.id for person in self.world.people.values()
                         if person.school == self.person.school})
        self.ask("accounts_new", "/accounts/new", 200 if makes else 403)
        self.ask("accounts_new_send", "/accounts/new", (404, 409, 422) if makes else 403, body={})
        for person in self.world.people.values():
            if person.name not in ("head", "technician", "teacher", "ann"):
                continue
            account = f"/accounts/{rights.an_id(f'account {person.id}')}"
            mine = person.school == self.person.school
            self.ask("accounts_one", account, (200 if mine else 404) if sees else (403, 404))
            self.ask("accounts_change", f"{account}/disable",
                     ((200, 403) if mine else 404) if changes else (403, 404))
            if not (changes and mine):
                self.ask("accounts_change_send", f"{account}/disable", (403, 404), body={})
        # Their own rules: tests of accounts. Here: nobody without a right gets in.
        if not changes:
            self.ask("accounts_safe", "/accounts/safe", (403, 404))
            self.ask("accounts_safe_ask", "/accounts/safe/ask", (403, 404), body={})
            self.ask("accounts_safe_seal", f"/accounts/safe/{ELSEWHERE}/seal", (403, 404), body={})

    def policy(self):
        """Pages of the policy: by its area, as a whole."""
        sees, changes = (self.world.has_any(self.person, "policy", verb, SCHOOL)
                         for verb in ("see", "change"))
        for name, (method, path, _, group) in routes_by_name.items():
            if group == "policy" and not (changes if method == "POST" else sees):
                self.ask(name, re.sub(r"\{\w+\}", "1", path), (403, 404), body={})

    def records(self):
        """Those of one's school, and one of each register of the other."""
        others = {}
        for number, record in enumerate(self.world.records):
            if record.school == self.person.school:
                if number % self.schools.every == 0:
                    yield record
            elif others.setdefault(record.register, record) is record:
                yield record

    def run(self):
        self.pages()
        self.policy()
        for name in REGISTERS:
            self.register(name)
        for record in self.records():
            self.record(record)
        nowhere = rights.Record(self.person.school, "person", 0, ELSEWHERE)
        self.ask("records_view", nowhere.path, 404)
        self.client.close()
        return self


routes_by_name = routes()
SAMPLE = World()

# One's own session, and what is asked before there is one: tests/test_accounts.py and its like.
SIGNING = {"signing in", "account", "first run", "gate"}


def walk(schools, *people):
    """Two at a time: each is one browser."""
    with ThreadPoolExecutor(2) as pool:
        walks = list(pool.map(lambda person: Walk(schools, person).run(), people))
    schools.walked |= set().union(*(one.walked for one in walks))
    faults = [fault for one in walks for fault in one.faults]
    assert not faults, f"{len(faults)} of {sum(one.n for one in walks)}:\n" + "\n".join(faults[:40])


# Who holds no role today has no session: they are signed out.
OAK = sorted(person.name for (school, _), person in SAMPLE.people.items()
             if school == "oak" and SAMPLE.roles(person))
# Each relationship once: what statements ask differs by these, and the second database asks the same.
CASES = ["head", "dsl", "technician", "chair", "teacher", "assistant", "governor", "mum", "ann"]
NOBODY = sorted(person.name for person in SAMPLE.people.values()
                if person.school == "oak" and not SAMPLE.roles(person))
SUBJECTS = ("head", "dsl", "technician", "chair")


@pytest.mark.parametrize("part", range(4))
def test_R184_K11_everybody_finds_what_the_tables_say_and_nothing_else(schools, part):
    walk(schools, *[schools.world.person(name) for name in schools.names[part::4]])


def test_a_head_of_another_school_finds_nothing_of_this_one(schools):
    walk(schools, *[schools.world.person(name, "elm") for name in ("head", "technician", "mum")])


def test_R184_subjects_of_allegations_are_among_those_who_walked(schools):
    """So that the walk shows what it says: each is a subject, and somebody else reads of it."""
    world = schools.world
    for name in SUBJECTS:
        about = [record for record in world.records if world.person(name).id in record.hidden]
        assert {record.register for record in about} == {"allegation", "low_level_concern"}
        for record in about:
            readers = [person.name for (school, _), person in world.people.items()
                       if world.may(person, record, "see")]
            assert name not in readers and len(readers) >= 2
    by_head = [record for record in world.records if world.person("head").id in record.hidden]
    assert all(world.may(world.person("chair"), record, "change") for record in by_head)


@pytest.mark.parametrize("name", [None, *NOBODY])
def test_whoever_is_signed_out_or_has_no_role_today_finds_nothing(schools, name):
    client = schools.client(schools.world.person(name) if name else None)
    for route, (method, path, guard, _) in routes_by_name.items():
        if guard != "OPEN":
            answer = client.json(method, re.sub(r"\{\w+\}", ELSEWHERE, path), {})
            assert answer.status == 401, f"{route}: {answer.status}"
            assert "items" not in answer.json
    client.close()


# What a new record says, with {} for whom it is about.
NEW = {
    "concern": {"child": "{}", "summary": "Tired", "kind": "home", "happened": rights.PAST,
                "facts": "Asleep in class"},
    "allegation": {"adult": "{}", "summary": "A word", "happened": rights.PAST, "account": "Seen"},
    "post": {"person": "{}", "role": "governor", "from": rights.PAST},
}


@pytest.mark.parametrize("register, about", [
    ("concern", ("ann", "ben", "dan")), ("allegation", ("head", "teacher")),
    ("post", ("head", "technician")),
])
def test_everybody_adds_about_whom_they_may_and_nobody_else(schools, register, about):
    world = schools.world
    for person in (world.person(name) for name in OAK):
        client = schools.client(person)
        for name in about:
            subject = world.person(name)
            record = rights.Record("oak", register, 0, subject.id)
            body = {field: value.format(subject.id) for field, value in NEW[register].items()}
            path = f"/records/{record.definition['plural']}/new"
            answer = client.json("POST", path, body)
            may = world.may(person, record, "make")
            assert (answer.status == 200) == may and answer.status in (200, 403, 422), \
                f"{person.name}: {register} about {name}: {answer}"
        client.close()
    other = schools.client(world.person("head", "elm"))
    assert other.json("POST", path, body).status in (403, 422)  # about a person of another school
    other.close()


def test_every_route_was_walked(schools):
    """A new route must say here who may use it."""
    left = {name for name, (_, _, _, group) in routes_by_name.items()
            if group not in SIGNING and group != "policy"} - schools.walked
    assert not left


def test_K11_whoever_was_once_the_subject_finds_no_trace_when_the_name_is_corrected(schools):
    """Away from the head and back: what was written while it said another name tells nothing either,
    and all the while it reaches the chair."""
    world = schools.world
    head, teacher, chair, maker = (schools.client(world.person(name))
                                   for name in ("head", "teacher", "chair", "assistant"))
    subject, other = world.person("head").id, world.person("teacher").id
    body = {**NEW["allegation"], "adult": subject, "summary": "Heliotrope"}
    made = maker.json("POST", "/records/allegations/new", body)
    assert made.status == 200, made
    path = made.json["location"].removesuffix("/received")
    record = path.rsplit("/", 1)[1]

    def counts():
        lists = [head.json("GET", address).json for address in
                 ("/records/allegations", f"/records/allegations?about={other}",
                  "/records/allegations?search=heliotrope")]
        waiting = head.json("GET", "/").text
        return [document["total"] for document in lists] + [waiting]

    before, version = counts(), 1
    for now in (other, subject, other):
        chair.json("POST", f"{path}/look", {"reason": "correction"})
        changed = chair.json("POST", f"{path}/edit", {"version": version, "adult": now})
        assert changed.status == 200, changed
        version += 1
        assert chair.json("GET", path).json["may"]["change"]
        for address in ("", "/history", "/edit", "/look", "/received", "/dispose", "/file/evidence"):
            assert head.json("GET", path + address).status == 404, (now == other, address)
        for address in ("/undo", "/edit", "/dispose", "/move/tell"):
            assert head.json("POST", path + address, {"version": version}).status == 404
        assert counts() == before
        for address in ("/audit", "/audit?area=allegation", f"/audit?person={other}",
                        "/search?words=heliotrope", "/records/allegations.csv"):
            text = head.json("GET", address).text
            assert record not in text and "Heliotrope" not in text, address
        assert teacher.json("GET", path).status == 404
        assert record in chair.json("GET", "/audit?area=allegation").text
    own = head.json("GET", f"/audit?person={subject}").json
    assert own["items"] and not any("seq" in item for item in own["items"])
    for client in (head, teacher, chair, maker):
        client.close()


def test_a_name_tells_nobody_under_a_no_contact_order_that_the_child_is_here(schools):
    """A member of staff may write of anybody by their whole name: of this child there is nobody."""
    world = schools.world
    client = schools.client(world.person("assistant"))
    mark = {name: next(record.mark for record in world.records
                       if record.register == "person" and record.id == world.person(name).id)
            for name in ("ann", "ben")}
    for register, field in (("concern", "child"), ("allegation", "child")):
        body = {name: value.format(world.person("teacher").id) for name, value in NEW[register].items()}
        path = f"/records/{REGISTERS[register]['plural']}/new"
        told = {}
        for name in (mark["ann"], "Nobody Example", mark["ben"]):
            answer = client.json("POST", path, {**body, field: name})
            told[name] = (answer.status, answer.json.get("faults"))
        assert told[mark["ann"]] == told["Nobody Example"] and told[mark["ben"]][0] == 200, told
    client.close()
