# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration's files hold together: the catalogue builds, the people are known, and what
demo/README.md says of each device and person is what the gate decides."""
import json
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DEMO = ROOT / "demo"
POLICY = ROOT / "presets/trust-primary.json"
LESSON = "2026-11-23T10:15"


def run(lodge, data, *words):
    done = subprocess.run([lodge, *words, "--data", data], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def images(lodge, tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    run(lodge, folder, "catalog", "build", "--manifest", DEMO / "catalogue/manifest", "-o",
        folder / "catalog.image")
    run(lodge, folder, "state", "build", DEMO / "people.json", "-o", folder / "state.image")
    return folder


def ask(lodge, images, person, url):
    out = run(lodge, images, "check", "--policy", POLICY, "--catalog", images / "catalog.image",
              "--state", images / "state.image", "--person", person, "--at", LESSON, url)
    return json.loads(out)


def test_every_person_of_the_state_document_is_in_the_schools_records_with_an_account():
    people = {person["id"] for person in json.loads((DEMO / "people.json").read_text())["people"]}
    rows = json.loads((DEMO / "school.json").read_text())["rows"]
    assert people <= {row["log_on"] for row in rows if "account" in row}


@pytest.mark.parametrize("person, url, action, reason", [
    ("teacher", "http://youtube.com/", "allow", "table-row"),
    ("assistant", "http://youtube.com/", "block", "table-row"),
    ("amara", "http://bet365.com/", "block", "table-row"),
    ("amara", "http://drugs-test.example/", "allow", "grant"),
    ("teacher", "http://drugs-test.example/", "block", "tier-default"),
    ("amara", "https://www.bbc.co.uk/bitesize/subjects", "allow", "tier-default"),
    ("ravi", "http://bbc.co.uk/", "block", "suspended"),
    ("ravi", "http://childline.org.uk/", "allow", "lifeline"),
    ("zofia", "https://www.bbc.co.uk/bitesize/subjects", "allow", "agreement-learning"),
    ("zofia", "http://skysports.com/", "limited", "agreement-missing"),
    ("guest", "http://bet365.com/", "block", "table-row"),
    ("head", "http://sealed-test.example/page", "block", "sealed-list"),
    ("head", "http://www.sealed-host-test.example/", "block", "sealed-list")])
def test_what_the_demonstration_says_is_what_the_gate_decides(lodge, images, person, url, action,
                                                              reason):
    answer = ask(lodge, images, person, url)
    assert (answer["action"], answer["reason"]) == (action, reason), answer
