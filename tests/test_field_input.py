# SPDX-License-Identifier: GPL-3.0-or-later
"""Bad input to every field of every register: a sentence beside the field, nothing stored, nothing
lost of what was typed. The registers are read from schema/, so a new one is tested unasked."""
import html
import sys

import pytest

from console import Console
from gate import ROOT
from seed import signed_in

sys.path.insert(0, str(ROOT / "tools"))
from schema_model import load  # noqa: E402

PERSON = "a" * 26
REGISTERS = load(ROOT)
ROLES = ["head", "office", "dsl", "technician"]
GOOD = {
    "text": "Good words", "long text": "Good\nwords", "sealed text": "Good words",
    "date": "2026-01-15", "number": 7, "money": "1.50", "yes/no": True, "upn": "H801200001001",
    "phone": "01632 960001", "e-mail": "a@example.org", "address of a site": "https://example.org/",
    "person": PERSON, "time span": {"from": "2026-01-15T10:00Z", "until": "2026-01-15T11:00Z"},
}
# No type takes these.
NEVER = [{"a": 1}, ["a"], "\a", "\u202ecba", "a\u200bb", "\uffff", "\u2028", "x" * 20001]
BAD = {
    "text": ["two\nlines", "tab\there", True, 7], "long text": ["\x1b[2J", 7],
    "sealed text": ["a\x85b", 7], "date": ["31/2/2026", "2026-13-01", "now", 20260115],
    "number": ["seven", "1e9", "1.5", "--1", 2.5], "money": ["ten", "1.234", 0.5],
    "choice": ["nothing of it", 0, "' OR 1=1 --"], "yes/no": ["maybe", 2],
    "upn": ["A801200001001", "X", 7], "phone": ["12", "07700 90012x", 7],
    "e-mail": ["x@", "a b@example.org", "a@example.org\r\nBcc: b@example.org", 7],
    "address of a site": ["javascript:alert(1)", "ftp://example.org/", "http://", 7],
    "person": ["Nobody Known", "z" * 26, 7], "group": ["No such group", "z" * 26, 7],
    "device": ["No such tag", "z" * 26, 7], "file": ["z" * 26, "../../etc/passwd", 7],
    "time span": ["yesterday", {"from": "x"}, {"until": "2026-01-15T11:00Z"}],
}


@pytest.fixture(scope="module")
def client(lodge, tmp_path_factory):
    with Console(lodge, tmp_path_factory.mktemp("console")) as console:
        yield signed_in(console, ROLES)


@pytest.fixture(scope="module")
def others(client):
    """Ids of what may be referred to."""
    def make(plural, document):
        made = client.json("POST", f"/records/{plural}/new", document)
        assert made.status == 200, made
        return made.json["location"].split("?")[0].rsplit("/", 1)[1]
    return {"group": make("groups", {"name": "2A", "kind": "class"}),
            "device": make("devices", {"tag": "T-1", "kind": "laptop"})}


def good_value(field, others):
    if field.type == "choice":
        return field.choices[0][0]
    if field.type == "date" and field.max < 0:
        return "2025-01-15"
    return others.get(field.type, GOOD.get(field.type))


def good_document(register, others):
    return {field.name: good_value(field, others) for field in register.fields if field.required}


def makes(client, register):
    return client.json("GET", f"/records/{register.plural}").json.get("may", {}).get("make")


def total(client, register):
    return client.json("GET", f"/records/{register.plural}").json["total"]


@pytest.mark.parametrize("register", REGISTERS, ids=lambda register: register.name)
def test_every_field_refuses_what_is_not_its_own(client, others, register):
    if not makes(client, register):
        pytest.fail(f"no role of {ROLES} makes records of {register.plural}")
    before = total(client, register)
    for field in register.fields:
        for value in BAD[field.type] + NEVER:
            answer = client.json("POST", f"/records/{register.plural}/new",
                                 {**good_document(register, others), field.name: value})
            place = (field.name, value if len(str(value)) < 99 else "long")
            assert answer.status == 422, (place, answer)
            assert len(answer.json["faults"][field.name]) > 10, place
    assert total(client, register) == before


@pytest.mark.parametrize("register", REGISTERS, ids=lambda register: register.name)
def test_what_is_missing_is_asked_for(client, others, register):
    answer = client.json("POST", f"/records/{register.plural}/new", {})
    assert answer.status == 422
    assert set(answer.json["faults"]) == {field.name for field in register.fields if field.required}


@pytest.mark.parametrize("register", REGISTERS, ids=lambda register: register.name)
def test_markup_is_text_and_comes_back_in_the_form(client, others, register):
    """A refused form holds what was typed, as text."""
    typed = {field.name: '"><script>alert(1)</script>' for field in register.fields
             if field.type in ("text", "phone", "e-mail")}
    page = client.post(f"/records/{register.plural}/new", {**typed, "csrf": client.token()})
    assert page.status == 422
    assert "govuk-error-summary" in page.text
    assert "<script>alert" not in page.text
    for name in typed:
        assert html.escape(typed[name], quote=True).replace("&#x27;", "&#39;") in page.text, name


@pytest.mark.parametrize("body, kind", [
    (b'{"name": "\xff"}', "application/json"), (b'{"name": "\\u0000"}', "application/json"),
    (b'{"name": ', "application/json"), (b"[]", "application/json"),
    (b"[" * 100000, "application/json"), (b'{"name": 1e999}', "application/json"),
    (b"name=%ff%fe", "application/x-www-form-urlencoded"),
    (b"name=a%00b", "application/x-www-form-urlencoded"),
    (b"name=" + b"a" * 3000000, "application/x-www-form-urlencoded"),
    (b"name=x", "text/plain"), (b"--x\r\n\r\n", "multipart/form-data; boundary=x"),
])
def test_bodies_that_cannot_be_read_are_refused_whole(client, body, kind):
    before = client.json("GET", "/records/groups").json["total"]
    answer = client.request("POST", "/records/groups/new", body, {
        "Accept": "application/json", "Content-Type": kind, "X-CSRF-Token": client.token()})
    assert 400 <= answer.status < 500, answer
    assert answer.json["error"]
    assert client.json("GET", "/records/groups").json["total"] == before


def test_formulas_are_defused_on_the_way_out_and_back_on_the_way_in(client, others):
    names = ["=1+1", "+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A0"]
    for name in names:
        made = client.json("POST", "/records/groups/new", {"name": name, "kind": "other"})
        assert made.status == 200
    table = client.get("/records/groups.csv").body.decode("utf-8-sig")
    for name in names:
        assert f"'{name}" in table
    assert not [line for line in table.splitlines() if line[:1] in "=+-@\t"]
    again = client.json("POST", "/records/groups/import", {"csv": "Name,Kind\r\n'=2+2,other\r\n",
                                                           "sure": "yes"})
    assert again.status in (200, 303), again
    found = client.json("GET", "/records/groups?sort=name").json["items"]
    assert "=2+2" in [item["title"] for item in found]
