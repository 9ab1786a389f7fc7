# SPDX-License-Identifier: GPL-3.0-or-later
"""`lodge log` beside a running gate and after it, and a disk that is full (R99, F32, D13, issue item 7)."""
import http.client
import json
import os
import re
import signal
import subprocess
import time

import pytest

NAME = "volcano.example"
BLOCKED = "slots.example"
LIFELINE = "childline.org.uk"
DISK_BYTES = 32 * 1024 * 1024
REQUESTS_MAX = 20000
WAIT_SECONDS = 60


@pytest.fixture
def gate(gates):
    return gates(catalog={"gambling": [BLOCKED]},
                 hosts={name: "127.0.0.1" for name in (NAME, BLOCKED, LIFELINE)})


def log(gate, *words):
    return subprocess.run([gate.lodge, "log", "--data", gate.data, *words], capture_output=True,
                          text=True)


def test_D13_F32_the_log_tells_while_the_gate_runs_and_after(gate, origin):
    gate.curl(f"http://{NAME}:{origin.port}/size/10?lesson=3")
    gate.curl(f"http://{BLOCKED}:{origin.port}/")
    running = log(gate)
    assert running.returncode == 0, running.stderr
    lines = running.stdout.splitlines()
    allowed, blocked = lines[0], lines[-1]
    assert " allow " in allowed and f"GET http://{NAME}:{origin.port}/size/10?lesson=3 " in allowed
    assert " block request visitors - - 127.0.0.1 " in blocked and "[ gambling ]" in blocked
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z ", blocked)
    gate.stop()
    assert log(gate).stdout == running.stdout
    only = json.loads(log(gate, "--json", "--category", "gambling", "--blocked").stdout)
    assert (only["host"], only["action"], only["categories"]) == (BLOCKED, "block", ["gambling"])
    assert only["client"] == "127.0.0.1" and only["group"] == "visitors"


def test_a_block_page_gives_the_number_of_its_event(gate, origin):
    page = gate.curl(f"http://{BLOCKED}:{origin.port}/").stdout.decode()
    number = re.search(r"\b[0-9a-f]{32}\b", page).group()
    assert json.loads(log(gate, "--json", "--id", number).stdout)["host"] == BLOCKED


def test_following_shows_events_as_they_come_and_ends_at_a_signal(gate, origin):
    command = [gate.lodge, "log", "--data", gate.data, "--follow", "--host", "example"]
    for number in (signal.SIGINT, signal.SIGTERM):
        following = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for i in range(3):
            gate.curl(f"http://{NAME}:{origin.port}/size/10?n={int(number)}.{i}")
            assert any(f"?n={int(number)}.{i} " in line for line in following.stdout)
        following.send_signal(number)
        assert following.wait(WAIT_SECONDS) == 0


def test_a_visit_to_a_place_of_help_is_in_no_log(gate, origin):
    assert gate.curl(f"http://{LIFELINE}:{origin.port}/size/10").returncode == 0
    gate.curl(f"http://{NAME}:{origin.port}/size/10")
    for words in ([], ["--json"], ["--host", LIFELINE], ["--group", "visitors"]):
        done = log(gate, *words)
        assert done.returncode == 0 and LIFELINE not in done.stdout


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "none", folder],
                          capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip("left out: needs the right to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(path):
    with open(path, "wb", buffering=0) as file:
        for size in (1024 * 1024, 4096):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                pass


class Client:
    """Asks through a gate, over one connection as long as it stays open."""

    def __init__(self, gate, origin):
        self.gate, self.origin, self.connection = gate, origin, None
        self.number = 0

    def ask(self):
        """(status, body) of a request with a number and a query of 1,900 bytes, for large events."""
        self.number += 1
        if self.connection is None:
            self.connection = http.client.HTTPConnection("127.0.0.1", self.gate.port, timeout=60)
        self.connection.request("GET", f"http://{NAME}:{self.origin.port}/size/1"
                                       f"?n={self.number}&{'p' * 1900}", headers={"Host": NAME})
        answer = self.connection.getresponse()
        body = answer.read()
        if answer.will_close:
            self.connection.close()
            self.connection = None
        return answer.status, body


def test_a_full_disk_refuses_with_a_clear_page_and_recovers_by_itself(gates, origin, small_disk):
    gate = gates(hosts={NAME: "127.0.0.1"}, workers=1, options=["--data", small_disk])
    gate.data = small_disk
    client = Client(gate, origin)
    assert client.ask()[0] == 200
    fill(small_disk / "filler")
    status, body = 200, b""
    while status == 200 and client.number < REQUESTS_MAX:
        status, body = client.ask()
    refused_at = client.number
    assert status == 503 and b"record" in body
    for _ in range(3 * refused_at):  # refusals use up their part and go on
        assert client.ask()[0] == 503
    os.unlink(small_disk / "filler")
    deadline = time.monotonic() + WAIT_SECONDS
    while client.ask()[0] != 200:
        assert time.monotonic() < deadline, "it did not recover"
    recovered_at = client.number
    assert client.ask()[0] == 200
    answered = [int(re.match(r"n=(\d+)&", event["query"]).group(1)) for event in gate.events()
                if event["status"] == 200 and event["kind"] in ("request", "open")]
    assert answered == list(range(1, refused_at)) + [recovered_at, recovered_at + 1]
