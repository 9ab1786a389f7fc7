# SPDX-License-Identifier: GPL-3.0-or-later
"""A register that nobody has heard of: one file in schema/ and the migration that tools/schema.py
proposes, no C. The tree is copied, built and run, and the register is used through the interface."""
import csv
import io
import os
import shutil
import subprocess
import sys

import pytest

from console import Console
from gate import ROOT
from seed import signed_in

REGISTER = """
name = "trip"
plural = "trips"
label = "Trip"
label_plural = "Trips"
help = "Where classes go."
area = "running"
retention = "running"
title = "place"

[[field]]
name = "place"
type = "text"
label = "Where to"
required = true
listed = true
searchable = true
sortable = true
max = 40

[[field]]
name = "day"
type = "date"
label = "Day"
required = true
listed = true
sortable = true

[[field]]
name = "when"
type = "time span"
label = "From and until"

[[field]]
name = "cost"
type = "money"
label = "Cost a child"
listed = true
min = 0

[[field]]
name = "children"
type = "number"
label = "How many children"
min = 1
max = 400

[[field]]
name = "kind"
type = "choice"
label = "Kind"
listed = true
choices = [{ value = "walk", label = "Walk" }, { value = "coach", label = "By coach" }]

[[field]]
name = "leader"
type = "person"
label = "Led by"
listed = true

[[field]]
name = "phone"
type = "phone"
label = "Telephone there"

[[field]]
name = "notes"
type = "sealed text"
label = "What to know"

[[state]]
name = "planned"
label = "Planned"

[[state]]
name = "done"
label = "Done"

[[move]]
name = "finish"
label = "It took place"
from = ["planned"]
to = "done"
by = ["office"]
demands = ["children"]
"""
PERSON = "a" * 26


def copy_tree(to):
    """What git would give, built beside it."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if parts[0].startswith(("build", ".git")) or "node_modules" in parts or \
                "__pycache__" in parts or not path.is_file():
            continue
        target = to / path.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    modules = ROOT / "assets" / "node_modules"
    if modules.is_dir():
        (to / "assets" / "node_modules").symlink_to(modules)


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    tree = tmp_path_factory.mktemp("tree")
    copy_tree(tree)
    (tree / "schema" / "trip.toml").write_text(REGISTER)
    proposed = subprocess.run([sys.executable, tree / "tools" / "schema.py", "--propose"],
                              check=True, capture_output=True, text=True).stdout
    migrations = tree / "src" / "store" / "migrations"
    number = max(int(path.name[:4]) for path in migrations.glob("*.sql")) + 1
    (migrations / f"{number:04d}-trips.sql").write_text(proposed)
    environment = dict(os.environ, CFLAGS="")
    subprocess.run(["meson", "setup", "build", "-Dbuildtype=debug"], cwd=tree, check=True,
                   env=environment, capture_output=True)
    done = subprocess.run(["ninja", "-C", "build", "lodge"], cwd=tree, env=environment,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:]
    return tree / "build" / "lodge"


@pytest.fixture(scope="module")
def office(program, tmp_path_factory):
    with Console(program, tmp_path_factory.mktemp("school")) as console:
        client = signed_in(console, ["office"])
        assert client.json("GET", "/").status == 200
        yield client


@pytest.fixture(scope="module")
def trip(office):
    made = office.json("POST", "/records/trips/new", {
        "place": "Zo\u00eb's farm", "day": "27 3 2027", "cost": "\u00a312.50", "children": 30,
        "kind": "By coach", "leader": "Olive Office", "phone": "01632 960001",
        "when": {"from": "27 March 2027 09:00", "until": "27 March 2027 3.30pm"},
        "notes": "Two children must not meet the goat."})
    assert made.status == 200, made
    return made.json["location"].split("?")[0]


@pytest.mark.once
def test_it_is_described(office):
    document = office.json("GET", "/api/openapi.json").json
    assert {"/records/trips", "/records/trips/new", "/records/trips/{id}"} <= set(document["paths"])
    assert set(document["components"]["schemas"]["trip_fields"]["properties"]) == {
        "place", "day", "when", "cost", "children", "kind", "leader", "phone", "notes"}


@pytest.mark.once
def test_a_record_is_made_and_read(office, trip):
    record = office.json("GET", trip).json
    assert record["fields"]["place"] == "Zo\u00eb's farm"
    assert record["fields"]["day"] == "2027-03-27"
    assert record["fields"]["cost"] == "12.50"
    assert record["fields"]["children"] == 30
    assert record["fields"]["kind"] == "coach"
    assert record["fields"]["leader"] == PERSON
    assert record["fields"]["phone"] == "+441632960001"
    assert record["fields"]["when"]["until"] == "2027-03-27T15:30:00.000Z"
    assert record["fields"]["notes"] == "Two children must not meet the goat."
    assert record["shown"]["cost"] == "\u00a312.50"
    assert record["shown"]["leader"] == "Olive Office"
    assert record["shown"]["day"] == "27 March 2027"
    assert record["state"] == "planned"


@pytest.mark.once
def test_faults_stand_beside_their_fields_and_nothing_is_stored(office, trip):
    before = office.json("GET", "/records/trips").json["total"]
    refused = office.json("POST", "/records/trips/new", {
        "place": "x" * 41, "day": "31 2 2027", "cost": "-1", "children": 0, "kind": "boat",
        "leader": "Nobody Known", "phone": "12"})
    assert refused.status == 422
    faults = refused.json["faults"]
    assert set(faults) == {"place", "day", "cost", "children", "kind", "leader", "phone"}
    assert faults["day"] == "Day must be a real date, such as 27 3 2018"
    assert office.json("GET", "/records/trips").json["total"] == before


@pytest.mark.once
def test_it_is_found_sorted_and_exported(office, trip):
    found = office.json("GET", "/records/trips?search=zoe&sort=place&down=1").json
    assert [item["title"] for item in found["items"]] == ["Zo\u00eb's farm"]
    assert office.json("GET", "/records/trips?search=nowhere").json["items"] == []
    table = office.get("/records/trips.csv")
    assert table.header("Content-Type").startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(table.body.decode("utf-8-sig"), newline="")))
    assert rows[0]["Where to"] == "Zo\u00eb's farm"


@pytest.mark.once
def test_it_is_changed_undone_and_moved(office, trip):
    version = office.json("GET", trip).json["version"]
    assert office.json("POST", f"{trip}/edit", {"place": "The sea", "version": version}).status == 200
    stale = office.json("POST", f"{trip}/edit", {"place": "The hills", "version": version})
    assert stale.status == 409
    record = office.json("GET", trip).json
    assert record["fields"]["place"] == "The sea"
    assert office.json("POST", f"{trip}/undo", {"version": record["version"]}).status == 200
    record = office.json("GET", trip).json
    assert record["fields"]["place"] == "Zo\u00eb's farm"
    assert office.json("POST", f"{trip}/move/finish", {"version": record["version"]}).status == 200
    assert office.json("GET", trip).json["state"] == "done"
    assert len(office.json("GET", f"{trip}/history").json["history"]) >= 3


@pytest.mark.once
def test_its_pages_are_there(office, trip):
    for path in ("/records/trips", "/records/trips/new", trip, f"{trip}/edit", f"{trip}/history"):
        page = office.get(path)
        assert page.status == 200 and "trip" in page.text.lower(), path
