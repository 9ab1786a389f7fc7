# SPDX-License-Identifier: GPL-3.0-or-later
"""An invented primary school for tests of the console: one account for each role, and hard cases. Its
passwords are for tests; every factor is set up by the test that signs in."""
import json
import subprocess

PASSWORD = "correct horse battery"

STAFF = [  # name, log-on, role
    ("Hanna Head", "hanna", "head"), ("Dina Dale", "dina", "dsl"), ("Rhys Deputy", "rhys", "deputy_dsl"),
    ("Ted Wire", "ted", "technician"), ("Lena Safe", "lena", "lead"), ("Sol Senior", "sol", "senior"),
    ("Tess Teacher", "tess", "teacher"), ("Asha Assistant", "asha", "assistant"),
    ("Olive Office", "olive", "office"), ("Gus Governor", "gus", "governor"),
    ("Sid Online", "sid", "safety_governor"), ("Cora Chair", "cora", "chair"),
    ("Tara Trust", "tara", "trust")]
PUPILS = ["Ada Price", "Ben Okoro", "Cerys Hughes", "Dev Patel", "Ella Novak", "Finn O’Neill", "Gia Rossi",
          "Harun Ali", "Isla McDonald", "Jonas Weber", "Sam Hill", "Sam Hill"]


def rows():
    for name, log_on, role in STAFF:
        kind = "governor" if role in ("governor", "safety_governor", "chair") else "staff"
        yield {"make": "person", "as": log_on, "fields": {"name": name, "kind": kind}}
        yield {"make": "post", "fields": {"person": f"${log_on}", "role": role, "from": "2024-09-01"}}
        yield {"account": log_on, "log_on": log_on, "password": PASSWORD}
    for number, name in enumerate(PUPILS):
        yield {"make": "person", "as": f"pupil{number}",
               "fields": {"name": name, "kind": "pupil", "born": f"20{16 + number % 3}-03-{number + 10}"}}
    yield {"account": "pupil0", "log_on": "ada", "password": PASSWORD}
    yield {"make": "person", "as": "pam", "fields": {"name": "Pam Price", "kind": "parent",
                                                     "email": "pam@home.example"}}
    yield {"account": "pam", "log_on": "pam", "password": PASSWORD}
    yield {"make": "family", "fields": {"adult": "$pam", "child": "$pupil0", "relation": "mother",
                                        "responsibility": True, "no_contact": False,
                                        "from": "2018-03-10"}}
    yield {"make": "group", "as": "oak", "fields": {"name": "Oak class", "kind": "class"}}
    yield {"make": "membership", "fields": {"person": "$tess", "group": "$oak", "kind": "teacher",
                                            "from": "2024-09-01"}}
    for number in range(6):
        yield {"make": "membership", "fields": {"person": f"$pupil{number}", "group": "$oak",
                                                "kind": "member", "from": "2024-09-01"}}
    yield {"make": "device", "as": "ipad", "fields": {"tag": "IPAD-01", "kind": "tablet"}}
    yield {"make": "concern", "as": "concern",
           "fields": {"child": "$pupil0", "summary": "Came to school without a coat again",
                      "kind": "home", "happened": "2026-05-04",
                      "facts": "It was four degrees. She said that it is at her father’s."}}


def make(build, folder, lines=None):
    """Fills a data folder that nothing serves yet, with rows() or others; {name: id} of what was
    made."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in lines or rows())
    done = subprocess.run([build / "tests" / "schoolseed", folder], input=text, text=True,
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
