# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input to every form of every page, on both databases: the forms are read from the pages as a
browser reads them. What is refused keeps nothing, says why on the page, and gives back all that was
typed, as text; what is written wrongly never reaches a handler."""
import html.parser
import json
import re
import sqlite3
import sys
import urllib.parse

import pytest

from console import Console, multipart
from gate import PRESET, ROOT
from postgres import Postgres
from seed import signed_in
from test_field_input import GOOD

sys.path.insert(0, str(ROOT / "tools"))
from schema_model import load  # noqa: E402

ROUTE = re.compile(r'^ROUTE\(POST, "([^"]+)", (\w+), (\w+),', re.M)
ROUTES = {name: (path, guard)
          for path, name, guard in ROUTE.findall((ROOT / "src" / "web" / "route.def").read_text())}
REGISTERS = {register.name: register for register in load(ROOT)}
FORM = "application/x-www-form-urlencoded"
# Their forms hold nothing to type but passwords, codes and what a script says, or stand on none of
# the pages of a whole session.
BARE = {"sign_out", "account_sessions_end", "account_session_end", "account_compromised",
        "account_factor_remove", "notice_seen", "accounts_safe_ask", "accounts_safe_seal",
        "accounts_change_send", "records_undo", "account_sheet_send", "sign_in_sheet",
        "sign_in_set_up_send", "sign_in_password_send", "sign_in_passkey",
        "sign_in_passkey_add", "account_passkey_add", "sign_in_factor_send",
        "class_start", "class_change",  # tests/test_class_log_on.py
        "first_run_send",  # tests/test_first_run.py
        "gate_sign_in_send", "gate_sign_out"}  # tests/test_gate_sign_in.py
OUTSIDE = ("/sign-in", "/sign-in/emergency")
# What is never given back: passwords and codes.
SECRET = {"password", "again", "old", "code", "csrf"}
MARKUP = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>&amp;{{7*7}}"
LONG = "é" * 12000
TYPED = {"a bell": "ding\aling", "long": LONG, "long and odd": "x" + LONG, "markup": MARKUP,
         "turned about": "abc\u202ecba", "a line's end": "two\r\nlines", "spaces": "   ",
         "a formula": "=1+1", "no character": "\uffff", "quotes": "Robert'); DROP TABLE account;--"}


class Page(html.parser.HTMLParser):
    """The forms of a page: {name: [values]} of each, and what may be typed into."""

    def __init__(self, text):
        super().__init__()
        self.forms, self.form, self.area, self.select, self.scripts = [], None, None, None, 0
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        one = {name: value or "" for name, value in attributes}
        self.scripts += tag == "script" and not one.get("src", "").startswith("/assets/")
        self.scripts += any(name.startswith("on") for name in one)
        if tag == "form":
            self.form = {"action": one.get("action", ""), "kind": one.get("enctype", FORM),
                         "method": one.get("method", "get"), "values": {}, "typed": [], "files": []}
            self.forms.append(self.form)
        elif self.form is not None and one.get("name"):
            self.field(tag, one)
        elif tag == "option" and self.select and ("selected" in one or self.select not in
                                                  self.form["values"]):
            self.form["values"][self.select] = one.get("value", "")

    def field(self, tag, one):
        name, kind = one["name"], one.get("type", "text")
        if tag == "textarea":
            self.area = name
            self.form["values"][name] = ""
            self.form["typed"].append(name)
        elif tag == "select":
            self.select = name
        elif tag == "input" and kind == "file":
            self.form["files"].append(name)
        elif tag == "input" and kind in ("radio", "checkbox"):
            if "checked" in one or (kind == "radio" and name not in self.form["values"]):
                self.form["values"][name] = one.get("value", "on")
        elif tag == "input":
            self.form["values"][name] = one.get("value", "")
            if kind != "hidden":
                self.form["typed"].append(name)

    def handle_data(self, data):
        if self.area is not None:
            self.form["values"][self.area] += data

    def handle_endtag(self, tag):
        if tag == "form":
            self.form = None
        elif tag == "textarea":
            # The parser of a browser leaves the first line's end out.
            text = self.form["values"][self.area]
            self.form["values"][self.area] = text[1:] if text.startswith("\n") else text
            self.area = None
        elif tag == "select":
            self.select = None


class Sqlite:
    def __init__(self, console, _server, _place):
        self.path = console.data / "store" / "lodge.db"

    def open(self):
        return sqlite3.connect(self.path, timeout=30)


class Postgresql:
    def __init__(self, _console, server, place):
        self.server, self.place = server, place

    def open(self):
        return self.server.store(self.place)


class School:
    """A console with something behind each form."""

    def __init__(self, console, base):
        self.console, self.base = console, base
        self.client = signed_in(console, ["head", "office", "dsl", "technician"], store=base.open())
        store = base.open()
        with store:
            store.execute("INSERT INTO policy_version (school, number, document, made_ms, made_by, "
                          "words) VALUES (?, 1, ?, 1, '', 'the preset')",
                          ["s" * 26, json.dumps(json.loads(PRESET.read_text()))])
        store.close()
        self.pupil = self.make("people", {"name": "Ada Price", "kind": "pupil"})
        self.others = {"group": self.make("groups", {"name": "2A", "kind": "class"}),
                       "device": self.make("devices", {"tag": "T-1", "kind": "laptop"})}
        changed = self.client.json("POST", "/policy/rows/personal-email/pupils",
                                   {"level": "acceptable", "why": "So that there is one before"})
        assert changed.status == 200, changed

    def make(self, plural, document):
        made = self.client.json("POST", f"/records/{plural}/new", document)
        assert made.status == 200, made
        return made.json["location"].split("?")[0].rsplit("/", 1)[1]

    def make_one(self, register):
        """A record of a register, with what it needs."""
        def good(field):
            if field.type == "choice":
                return field.choices[0][0]
            if field.type == "date" and field.max < 0:
                return "2025-01-15"
            if field.type == "person":
                return self.pupil
            return self.others.get(field.type, GOOD.get(field.type))
        return self.make(register.plural, {field.name: good(field) for field in register.fields
                                           if field.required})

    def kept(self):
        """How much there is, and in which versions."""
        tables = [f"reg_{name}" for name in REGISTERS]
        text = " UNION ALL ".join(f"SELECT '{name}', count(*), coalesce(sum(version), 0) FROM {name}"
                                  for name in tables)
        text += "".join(f" UNION ALL SELECT '{name}', count(*), 0 FROM {name}"
                        for name in ("past", "file", "account", "policy_version", "look", "factor"))
        store = self.base.open()
        try:
            return sorted(tuple(map(str, row)) for row in store.execute(text).fetchall())
        finally:
            store.close()

    def pages(self):
        """Where the forms are."""
        pages = ["/sign-in", "/sign-in/emergency", "/sign-in/factor", "/account/password",
                 "/account/totp", "/account/sheet", "/accounts/new", "/policy/versions/1",
                 "/policy/rows/personal-email/pupils", "/policy/upload"]
        document = json.loads(PRESET.read_text())
        pages += [f"/policy/times/{time['id']}" for time in document["times"] if "not" not in time][:2]
        for register in REGISTERS.values():
            pages += [f"/records/{register.plural}/new", f"/records/{register.plural}/import"]
        for name in ("person", "concern", "device", "agreement"):
            record = f"/records/{REGISTERS[name].plural}/{self.make_one(REGISTERS[name])}"
            self.client.post(f"{record}/look", {"words": "To test"})  # else its moves ask for that
            pages += [f"{record}/{page}" for page in ("edit", "dispose", "look")]
            pages += [f"{record}/move/{move['name'] if isinstance(move, dict) else move.name}"
                      for move in REGISTERS[name].moves]
        for register in REGISTERS.values():
            for field in register.fields:
                if field.type == "file":
                    pages.append(f"/records/{register.plural}/{self.make_one(register)}"
                                 f"/file/{field.name}/add")
        return pages


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgres", marks=pytest.mark.once)])
def school(request, lodge, tmp_path_factory):
    folder = tmp_path_factory.mktemp("forms")

    def running(base, server=None, place=None):
        console = Console(lodge, folder, database=place)
        at = console.command.index("--policy")
        del console.command[at:at + 2]  # the policy is the records' own
        with console:
            yield School(console, base(console, server, place))
    if request.param == "sqlite":
        yield from running(Sqlite)
        return
    with Postgres() as server:
        yield from running(Postgresql, server, server.create())


def route_of(path):
    """The route that a form is sent to."""
    for name, (pattern, _) in ROUTES.items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
            return name
    raise AssertionError(f"a form is sent to {path}, which takes none")


def forms_of(school):
    """(where it is sent, the form) of all pages."""
    found = []
    for path in school.pages():
        client = school.console.client() if path in OUTSIDE else school.client
        page = client.follow(client.get(path))
        if page.status in (403, 404):
            continue  # no move of this state, about nobody, or nobody's right
        assert page.status == 200, (path, page)
        for form in Page(page.text).forms:
            if form["method"] == "post":
                found.append((urllib.parse.urljoin(path, form["action"] or path), form))
    return found


@pytest.fixture(scope="module")
def forms(school):
    return [(path, form) for path, form in forms_of(school) if not path.startswith("/sign-out")]


def send(client, path, form, values):
    """As a browser sends it, whatever kind of form it is."""
    if form["kind"] == FORM:
        body = urllib.parse.urlencode(values, doseq=True).encode()
        kind = FORM
    else:
        body, kind = multipart(values, {})
    return raw(client, path, body, kind)


def raw(client, path, body, kind=FORM):
    return client.request("POST", path, body, {
        "Content-Type": kind, "Origin": f"https://{client.host}", "Sec-Fetch-Site": "same-origin"})


def fresh(school, guard):
    return school.console.client() if guard == "OPEN" else school.client


def test_every_route_that_takes_a_form_was_found_on_a_page(forms):
    found = {route_of(path) for path, _ in forms}
    assert set(ROUTES) - found - BARE == set()


def test_what_is_typed_badly_is_told_of_and_comes_back_as_text(school, forms):
    faults, refused = [], 0
    for path, form in forms:
        route = route_of(path)
        if not form["typed"] or route in BARE:
            continue
        client = fresh(school, ROUTES[route][1])
        before = school.kept()
        for what, text in TYPED.items():
            typed = {name: text for name in form["typed"]}
            values = {**form["values"], **typed}
            answer = send(client, path, form, values)
            where = f"{path}: {what}: {answer.status}"
            if answer.status in (200, 303):
                page = client.follow(answer)
                if Page(page.text).scripts:
                    faults.append(f"{where}: a script came back")
                if "/move/" in path:
                    break  # moved on: the form is not offered again
                before = school.kept()
                continue
            refused += 1
            if answer.status in (403, 409) and "/move/" in path:
                break  # moved on by another form
            if answer.status not in (400, 409, 413, 422, 429):
                faults.append(f"{where}: it is no answer to a form")
                continue
            faults += [f"{where}: {fault}" for fault in look_at(answer, form, typed, path)]
            if school.kept() != before:
                faults.append(f"{where}: something was kept")
    assert not faults, f"{len(faults)} of {refused}:\n" + "\n".join(faults[:60])
    assert refused > 200


def look_at(answer, form, typed, path):
    page = Page(answer.text)
    if page.scripts:
        yield "a script came back"
    if answer.status in (413, 429):
        return
    again = [one for one in page.forms
             if urllib.parse.urljoin(path, one["action"] or path) == path
             and set(form["typed"]) <= set(one["values"])]
    if not again:
        yield f"the form is not there again: {sorted(typed)}"
        return
    if "govuk-error-summary" not in answer.text:
        yield "no summary of errors"
    for name, text in typed.items():
        got = again[0]["values"][name]
        want = text.replace("\a", "\ufffd")  # no page can hold it
        if name not in SECRET and text.strip() and got.split() != want.split():
            yield f"{name} came back as {got[:40]!r} ({len(got)} of {len(text)})"


@pytest.mark.parametrize("what, body, kind, status", [
    ("no UTF-8", b"name=%ff%fe", FORM, 400), ("raw Latin-1", b"name=\xe9t\xe9", FORM, 400),
    ("a NUL", b"name=a%00b", FORM, 400), ("a broken escape", b"name=%zz", FORM, 400),
    ("a surrogate", b"name=%ed%a0%80", FORM, 400), ("too long a way round", b"name=%c0%af", FORM, 400),
    ("plain text", b"name=a", "text/plain", 415), ("UTF-7", b"+ADw-script+AD4-", "text/html", 415),
    ("no boundary", b"name", "multipart/form-data", 400),
    ("half a part", b"--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nhalf",
     "multipart/form-data; boundary=x", 400),
    ("broken JSON", b"{\"name\":", "application/json", 400), ("a list", b"[1]", "application/json", 400),
    ("twice in JSON", b"{\"name\":\"a\",\"name\":\"b\"}", "application/json", 400),
    ("deep JSON", b"{\"a\":" + b"[" * 5000 + b"]" * 5000 + b"}", "application/json", 413),
    ("many fields", b"&".join(b"f%d=1" % number for number in range(2100)), FORM, 413),
], ids=lambda value: value if isinstance(value, str) and " " in value else "")
def test_what_is_written_wrongly_reaches_no_handler(school, forms, what, body, kind, status):
    before = school.kept()
    for name, (pattern, guard) in ROUTES.items():
        path = next((path for path, _ in forms if route_of(path) == name),
                    re.sub(r"\{\w+\}", "a" * 26, pattern))
        answer = raw(fresh(school, guard), path, body, kind)
        assert answer.status == status, (what, path, answer)
    assert school.kept() == before


def test_no_form_is_taken_without_its_token(school, forms):
    before = school.kept()
    for path, form in forms:
        for token in (None, "", "A" * 43, [school.client.token()[:-1]]):
            values = {name: value for name, value in form["values"].items() if name != "csrf"}
            values |= {"csrf": token} if token is not None else {}
            if ROUTES[route_of(path)][1] != "OPEN":
                answer = send(school.client, path, {**form, "kind": FORM}, values)
                assert answer.status == 403, (path, token, answer)
    assert school.kept() == before


def test_the_first_of_a_repeated_field_holds(school):
    token = school.client.token()
    for first, second, status in (("other", "nothing of it", 303), ("nothing of it", "other", 422)):
        body = urllib.parse.urlencode([("csrf", token), ("csrf", "B" * 43), ("name", "Repeated"),
                                       ("name", "Second"), ("kind", first), ("kind", second)])
        answer = raw(school.client, "/records/groups/new", body.encode())
        assert answer.status == status, answer
        if status == 303:
            page = school.client.follow(answer)
            assert "Repeated" in page.text and "Second" not in page.text


def test_every_form_takes_repeated_fields_without_falling_over(school, forms):
    for path, form in forms:
        route = route_of(path)
        values = {name: [MARKUP, value, MARKUP] for name, value in form["values"].items()
                  if name != "csrf"}
        values["csrf"] = form["values"].get("csrf", "")
        if route not in BARE and form["kind"] == FORM:
            answer = send(fresh(school, ROUTES[route][1]), path, form, values)
            assert answer.status < 500, (path, answer)
            assert not Page(answer.text).scripts


def test_formulas_typed_into_forms_are_defused_in_the_csv(school):
    names = ["=1+1", "+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0", "\t=2", "'=3"]
    for name in names:
        school.client.post("/records/groups/new", {"name": name, "kind": "other"})
    table = school.client.get("/records/groups.csv").body.decode("utf-8-sig")
    cells = [cell for line in table.splitlines() for cell in re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)',
                                                                      line)]
    assert not [cell for cell in cells if cell.strip('"')[:1] in tuple("=+-@\t\r") and cell.strip('"')]
    for name in names[:5]:
        assert f"'{name}" in table
