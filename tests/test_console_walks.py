# SPDX-License-Identifier: GPL-3.0-or-later
"""Walks through the console with Debian's Chromium in each role (tests/walks/console.js): signing in with
its second factor, by keyboard; every page accessible (axe-core finds nothing), at 1280, 390 and 320
pixels without a sideways scroll, printed, and without a script; a record made, found, changed, taken
back, exported. The screenshots stay in BUILD/shots/console, for people to look at."""
import json
import os
import socket
import subprocess
import sys

import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "lib"))
import gate as gate_lib  # noqa: E402
import school  # noqa: E402

WALK_SECONDS = 900  # bounds against hanging for ever
ROLES = [["office", "technician", "trust"], ["dsl", "pupil", "chair"], ["head", "parent", "governor"],
         ["teacher", "lead", "safety_governor"], ["deputy_dsl", "senior", "assistant"]]


@pytest.fixture(scope="module")
def console(build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("console")
    port = free_port()
    gate = gate_lib.Gate(build / "lodge", folder, workers=1, options=[
        "--console", f"127.0.0.1:{port}", "--school", "Oak Primary", "--console-rate", "1000",
        "--console-sign-ins", "1000"])
    school.make(build, gate.data)
    gate.start()
    yield f"https://127.0.0.1:{port}"
    gate.stop()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@pytest.mark.once
@pytest.mark.parametrize("roles", ROLES, ids=lambda roles: "-".join(roles))
def test_each_role_walks_through_the_console(build, console, roles):
    shots = build / "shots" / "console"
    shots.mkdir(parents=True, exist_ok=True)
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    done = subprocess.run(
        ["node", ROOT / "tests" / "walks" / "console.js", console, shots, school.PASSWORD,
         ROOT / "assets" / "node_modules", *roles],
        capture_output=True, text=True, timeout=WALK_SECONDS, env=environment)
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert not findings and done.returncode == 0, (findings[:12], done.stderr[-2000:])
