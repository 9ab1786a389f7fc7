# SPDX-License-Identifier: GPL-3.0-or-later
"""The systemd unit: valid, tight, and no tighter than what the processes do (test_system_users.py runs
them with its capabilities)."""
import re
import shutil
import subprocess

import pytest

from conftest import ROOT

UNIT = ROOT / "packaging" / "lodge.service"
EXPOSURE_MAX = 3.0  # of systemd-analyze security, in its own measure: "OK"


@pytest.fixture
def analyze():
    if not shutil.which("systemd-analyze"):
        pytest.skip("left out: systemd-analyze is not installed")

    def run(*words):
        return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True)
    return run


def test_the_unit_is_valid(analyze, lodge, tmp_path):
    here = tmp_path / "lodge.service"
    here.write_text(UNIT.read_text().replace("/usr/local/bin/lodge", str(lodge)))
    done = analyze("verify", "--man=no", here)
    assert done.returncode == 0 and done.stderr == "", done.stderr


def test_the_unit_leaves_little_open(analyze):
    done = analyze("security", "--offline=true", UNIT)
    level = re.search(r"Overall exposure level for lodge.service: ([0-9.]+)", done.stdout)
    assert level and float(level[1]) <= EXPOSURE_MAX, done.stdout[-2000:] + done.stderr


def test_the_unit_starts_what_the_program_understands(lodge):
    words = re.search(r"^ExecStart=/usr/local/bin/lodge (\w+) (--\w+) (\S+)$", UNIT.read_text(), re.M)
    assert words[1] == "serve" and words[3] == "/var/lib/lodge"
    help_text = subprocess.run([lodge, words[1], "--help"], capture_output=True, text=True).stdout
    assert words[2] in help_text
