# SPDX-License-Identifier: GPL-3.0-or-later
"""From the records to the gate: who is added in the console browses as who they are; who has left, or
whose account is disabled, does not. Looked for by asking the gate again and again, never by waiting."""
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

import school
from console import Console

PATIENCE = 30  # seconds; a bound against hanging for ever, not a measure


def polled(look):
    """Asks until the answer is a true one, which it gives back."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
    return None


@pytest.fixture(scope="module")
def running(lodge, build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("publish")
    made = school.make(build, folder / "data")
    with Console(lodge, folder) as console:
        console.made = made
        console.office = console.client()
        console.office.sign_in("olive", school.PASSWORD)
        yield console


def ask(console, credentials, url="http://games.example/"):
    """The status that the gate answers this person with."""
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    return subprocess.run(["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "-x",
                           console.url, "--proxy-user", credentials, url],
                          capture_output=True, text=True, env=environment, check=True).stdout


def test_an_account_of_the_records_is_known_at_the_gate_by_its_opaque_id(running):
    assert polled(lambda: ask(running, f"ada:{school.PASSWORD}") == "403")
    event = [event for event in running.events() if event["host"] == "games.example"][-1]
    assert event["person"] == running.made["pupil0"]
    assert event["group"] == "pupils-ks2"
    assert ask(running, "ada:wrong-password") == "407"


def test_a_role_decides_on_the_group(running):
    assert polled(lambda: ask(running, f"tess:{school.PASSWORD}") != "407")
    event = [event for event in running.events() if event["host"] == "games.example"][-1]
    assert (event["person"], event["group"]) == (running.made["tess"], "teaching-staff")


def test_who_has_left_no_longer_browses_and_who_is_back_does(running):
    path = f"/records/people/{running.made['pupil0']}"
    assert polled(lambda: ask(running, f"ada:{school.PASSWORD}") == "403")
    for move, status in (("leave", "407"), ("return", "403")):
        version = running.office.json("GET", path).json["version"]
        answer = running.office.json("POST", f"{path}/move/{move}", {"version": version})
        assert answer.status in (200, 303), answer
        assert polled(lambda want=status: ask(running, f"ada:{school.PASSWORD}") == want), (
            move, ask(running, f"ada:{school.PASSWORD}"), running.log[-8:])


def test_a_changed_year_changes_the_group(running):
    path = f"/records/people/{running.made['pupil0']}"
    version = running.office.json("GET", path).json["version"]
    answer = running.office.json("POST", f"{path}/edit", {"version": version, "year": "2"})
    assert answer.status in (200, 303), answer

    def is_ks1():
        ask(running, f"ada:{school.PASSWORD}")
        events = [event for event in running.events() if event["person"] == running.made["pupil0"]]
        return events and events[-1]["group"] == "pupils-ks1"
    assert polled(is_ks1)


def test_an_older_password_ends_at_the_gate_at_once_and_the_new_one_begins(running):
    """Far within auth-cache (10 minutes), in which an accepted pair is remembered."""
    new = "seven green bicycles"
    assert polled(lambda: ask(running, f"ada:{school.PASSWORD}") == "403")
    ada = running.client()
    ada.sign_in("ada", school.PASSWORD)
    answer = ada.post("/account/password",
                      {"old": school.PASSWORD, "password": new, "again": new})
    assert answer.status == 303, answer
    assert polled(lambda: ask(running, f"ada:{school.PASSWORD}") == "407"), running.log[-8:]
    assert polled(lambda: ask(running, f"ada:{new}") == "403"), running.log[-8:]
    back = ada.post("/account/password",
                    {"old": new, "password": school.PASSWORD, "again": school.PASSWORD})
    assert back.status == 303, back
    assert polled(lambda: ask(running, f"ada:{new}") == "407"), running.log[-8:]


def test_a_command_rings_too(lodge, running):
    assert polled(lambda: ask(running, f"sol:{school.PASSWORD}") != "407")
    done = subprocess.run([lodge, "user", "disable", "--data", running.data, "sol"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert polled(lambda: ask(running, f"sol:{school.PASSWORD}") == "407"), (
        ask(running, f"sol:{school.PASSWORD}"), running.log[-8:])


def wakings(pid):
    text = Path(f"/proc/{pid}/status").read_text()
    return sum(int(count) for count in re.findall(r"ctxt_switches:\s+(\d+)", text))


def test_before_there_is_a_school_the_clerk_waits_to_be_rung(lodge, tmp_path):
    """A second of pages: the clerk, which syncs once in it, has no reason to wake more often."""
    with Console(lodge, tmp_path) as console:
        client, clerk = console.client(), console.child("clerk")
        assert client.get("/").status in (200, 303)
        before, end = wakings(clerk), time.monotonic() + 1
        while time.monotonic() < end:
            client.get("/sign-in")
        assert wakings(clerk) - before < 100


def test_a_policy_of_the_command_line_is_shown_and_cannot_be_changed(running):
    page = polled(lambda: (lambda answer: answer.status == 200 and answer)(running.office.get("/policy")))
    assert page and "--policy" in page.text
    assert running.office.json("GET", "/policy").json["fixed"] is True


def test_an_image_of_an_older_program_is_made_anew(lodge, build, tmp_path):
    school.make(build, tmp_path / "data")
    with Console(lodge, tmp_path) as console:
        assert polled(lambda: ask(console, f"ada:{school.PASSWORD}") == "403")
    (tmp_path / "data" / "images" / "state.img").write_bytes(b"an older form")
    with console:
        assert polled(lambda: ask(console, f"ada:{school.PASSWORD}") == "403"), console.log[-8:]
        assert any("image-refused" in line and "the clerk makes it anew" in line for line in console.log)
