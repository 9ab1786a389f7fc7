#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How soon the gate obeys: ./publish.py LODGE (beside it tests/schoolseed)

In a school of 2,000 people a device is isolated and released again, in the console; the time counts
from the console's answer until the gate answers that device otherwise, which is asked without pause.
To reach: 1 second. On SQLite, and after a move on PostgreSQL."""
import argparse
import http.client
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchlib.school import Console, School, begin_school, on_postgres, percentile

DEVICE = "127.0.0.77"
TARGET_MS = 1000
PATIENCE = 60  # seconds; a bound against hanging for ever


def gate_status(console):
    """What the gate answers the device for a site of which nobody knows the address."""
    connection = http.client.HTTPConnection("127.0.0.1", console.port, timeout=PATIENCE,
                                            source_address=(DEVICE, 0))
    connection.request("GET", "http://nowhere.invalid/", headers={"Host": "nowhere.invalid"})
    status = connection.getresponse().status
    connection.close()
    return status


def obeys_after(console, other_than):
    began = time.monotonic()
    while gate_status(console) == other_than:
        if time.monotonic() - began > PATIENCE:
            sys.exit("the gate did not obey")
    return (time.monotonic() - began) * 1000


def measure(school, console, device, times):
    path, waits = f"/records/devices/{device}", []
    for number in range(2 * times):
        before = gate_status(console)
        version = school.head.json("GET", path).json["version"]
        answer = school.head.json("POST", f"{path}/move/{'release' if number % 2 else 'isolate'}",
                                  {"version": version, "reason": "A measurement"})
        if answer.status not in (200, 303):
            sys.exit(f"a move: {answer}")
        waits.append(obeys_after(console, before))
    return waits


def report(name, waits):
    worst = max(waits)
    print(f"| {name} | {statistics.median(waits):.0f} | {percentile(waits, 0.99):.0f} | {worst:.0f} | "
          f"{'met' if worst <= TARGET_MS else 'missed'} |", flush=True)


def run(lodge, folder, words):
    console = Console(lodge, folder)
    begin_school(lodge.parent, console.data)
    print("| store | p50 ms | p99 ms | worst ms | 1 s |\n|---|---|---|---|---|")
    with console:
        school = School(console, words.people, words.records)
        made = school.head.json("POST", "/records/devices/new",
                                {"tag": "ICT-77", "kind": "laptop", "address": DEVICE})
        device = made.json["location"].rsplit("/", 1)[1].split("?")[0]
        report("SQLite", measure(school, console, device, words.times))
    with on_postgres(lodge, folder, console.data) as (moved, _):
        school.move(moved)
        report("PostgreSQL", measure(school, moved, device, words.times))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lodge", type=Path)
    parser.add_argument("--people", type=int, default=2000)
    parser.add_argument("--records", type=int, default=10000)
    parser.add_argument("--times", type=int, default=50, help="isolations, and as many releases")
    words = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run(words.lodge.resolve(), Path(folder), words)


main()
