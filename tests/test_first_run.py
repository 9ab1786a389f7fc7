# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run: a school in an empty store, by whoever has the code that the operator reads."""
import json
import os
import stat
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import ROOT
from console import Console
from first_run import FORM, PASSWORD, FirstRun, code, code_file, form, set_up
from postgres import Postgres

PATIENCE = 60  # seconds; a bound against hanging for ever, not a measure


@pytest.fixture
def fresh(lodge, tmp_path):
    with FirstRun(lodge, tmp_path) as console:
        yield console


@pytest.fixture(scope="module")
def server():
    with Postgres() as running:
        yield running


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_school_is_made_with_its_head_technician_and_policy(lodge, tmp_path, request, database):
    place = request.getfixturevalue("server").create() if database == "postgres" else None
    with FirstRun(lodge, tmp_path, database=place) as console:
        mode = stat.S_IMODE(os.stat(code_file(console)).st_mode)
        assert mode == 0o600
        secret = code(console)
        client, one_time = set_up(console)
        assert not code_file(console).exists()
        people = client.json("GET", "/records/people").json["items"]
        assert {person["title"] for person in people} == {"Hanna Head", "Ted Tech"}
        posts = client.json("GET", "/records/posts").json["items"]
        assert {post["fields"]["role"] for post in posts} == {"head", "technician"}
        accounts = client.json("GET", "/accounts").json["items"]
        assert {account["log_on"] for account in accounts} == {"h.head", "t.tech"}
        history = client.json("GET", "/policy/history").json["items"]
        assert [version["number"] for version in history] == [1]
        # The technician's card opens nothing but the page for a password of their own.
        tech = console.client()
        answer = tech.post("/sign-in", {"account": "t.tech", "password": one_time}, token=False)
        assert answer.header("Location").startswith("/sign-in/password")
        # Not a second time, by nobody.
        other = console.client()
        assert other.get("/first-run").header("Location") == "/sign-in"
        assert other.post("/first-run", {"code": secret, **FORM}, token=False).status == 409
        assert other.get("/sign-in").status == 200
        log = "\n".join(console.log)
        for word in (secret, PASSWORD, one_time, "Hanna", "h.head"):
            assert word not in log
    if not place:
        done = subprocess.run([lodge, "audit", "verify", "--data", console.data],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0 and "whole" in done.stdout, done.stdout + done.stderr


def test_a_wrong_code_makes_nothing_and_whoever_guesses_keeps_out_nobody_else(fresh):
    pupil, school = fresh.client(source="127.0.0.2"), fresh.client()
    assert pupil.post("/first-run", {**FORM}, token=False).status == 422
    for _ in range(9):
        answer = pupil.post("/first-run", {**FORM, "code": "aaaa-bbbb-cccc"}, token=False)
        assert answer.status == 422 and "This is not the code" in answer.text
    answer = pupil.post("/first-run", form(fresh), token=False)
    assert answer.status == 429 and "Wait a minute" in answer.text
    assert pupil.get("/first-run").status == 200  # there is still no school
    assert school.post("/first-run", form(fresh), token=False).status == 200


def test_the_header_names_lodge_and_then_the_school(fresh):
    client = fresh.client()
    assert client.json("GET", "/first-run").json["page"]["school"] == "Lodge"
    set_up(fresh)
    assert fresh.client().json("GET", "/sign-in").json["page"]["school"] == FORM["school_name"]


def polled(look):
    """Asks until the answer is a true one."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if look():
            return True
    return False


def test_after_the_first_run_people_browse_by_the_policy_that_was_chosen(fresh):
    """Who was made in the console signs in at the proxy; before, and without a password, it is refused."""
    def ask(*words):
        done = fresh.curl("-o", os.devnull, "-w", "%{http_code}", *words, "http://games.example/")
        return done.stdout.decode()

    assert ask("--proxy-user", f"h.head:{PASSWORD}") in ("403", "407", "503"), "nobody is known yet"
    before = len(fresh.log)
    head, _ = set_up(fresh)
    made = head.json("POST", "/records/people/new", {"name": "Ada Price", "kind": "pupil", "born": "2017-03-10"})
    assert made.status in (200, 201), made
    added = subprocess.run([fresh.lodge, "user", "list", "--data", fresh.data], capture_output=True, text=True)
    assert "h.head" in added.stdout and "t.tech" in added.stdout, added
    # No password is tried before it is there: wrong ones lock.
    assert polled(lambda: any("event=image kind=state" in line for line in fresh.log[before:])), fresh.log
    assert ask("--proxy-user", f"h.head:{PASSWORD}") != "407"
    event = [event for event in fresh.events() if event["host"] == "games.example"][-1]
    people = {item["title"]: item["id"] for item in head.json("GET", "/records/people").json["items"]}
    assert event["person"] == people["Hanna Head"] and event["group"] != "unknown", event
    assert ask("--proxy-user", "t.tech:no password yet") == "407"


@pytest.mark.parametrize("field, value, why", [
    ("school_name", " ", "Enter the school"), ("urn", "12x456", "six digits"),
    ("kind", "castle", "Choose what kind"), ("preset", "../x", "Choose the policy"),
    ("head_name", "", "Enter the head"), ("head_log_on", "", "Enter a log-on"),
    ("password", "short", "10 characters"), ("again", "kettle otter", "not the same"),
    ("tech_name", "", "Enter the technician"), ("tech_log_on", "H.Head", "The head has this log-on"),
    ("tech_log_on", "téch", "letters without accents"), ("head_log_on", "a b", "letters without"),
    ("head_name", "x" * 121, "120"), ("school_name", "x" * 201, "up to 200"),
])
def test_a_fault_stands_beside_its_field_and_nothing_is_lost_or_kept(shared, field, value, why):
    """Also what the last part refuses, when school and head were made before it in the same whole."""
    client = shared.client()
    answer = client.post("/first-run", form(shared, **{field: value}), token=False)
    assert answer.status == 422 and why in answer.text, answer
    assert f'id="{field}-error"' in answer.text
    for name in ("school_name", "head_name", "tech_name", "tech_log_on"):
        if name != field:
            assert f'value="{FORM[name]}"' in answer.text
    assert PASSWORD not in answer.text
    assert client.get("/first-run").status == 200  # it can be begun again


@pytest.fixture(scope="module")
def shared(lodge, tmp_path_factory):
    with FirstRun(lodge, tmp_path_factory.mktemp("faults")) as console:
        yield console


def test_of_two_browsers_at_once_one_makes_the_school(fresh):
    sent = [form(fresh, school_name=name) for name in ("Elm Primary", "Oak Primary")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(
            lambda fields: fresh.client().post("/first-run", fields, token=False), sent))
    assert sorted(answer.status for answer in answers) == [200, 409], answers


def test_with_a_policy_of_a_file_there_is_nothing_to_choose(lodge, tmp_path):
    with Console(lodge, tmp_path) as console:
        page = console.client().get("/first-run")
        assert "There is nothing to choose" in page.text and 'name="preset"' not in page.text
        fields = form(console)
        del fields["preset"]
        assert console.client().post("/first-run", fields, token=False).status == 200


def test_a_form_from_elsewhere_makes_no_school(fresh):
    answer = fresh.client().post("/first-run", form(fresh), token=False, headers={
        "Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"})
    assert answer.status == 403
    assert fresh.client().get("/first-run").status == 200


@pytest.mark.once
def test_the_first_run_in_a_browser_at_a_phones_and_a_desks_size(build, lodge, tmp_path):
    shots = build / "shots" / "console"
    shots.mkdir(parents=True, exist_ok=True)
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    with FirstRun(lodge, tmp_path) as console:
        done = subprocess.run(
            ["node", ROOT / "tests" / "walks" / "first_run.js", console.console_url, shots,
             code(console), ROOT / "assets" / "node_modules"],
            capture_output=True, text=True, timeout=300, env=environment)
        findings = [json.loads(line) for line in done.stdout.splitlines()]
        assert not findings and done.returncode == 0, (findings[:12], done.stderr[-2000:])
