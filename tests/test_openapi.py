# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of the interface, as others' tools read it."""
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    done = subprocess.run([sys.executable, ROOT / "tools" / "openapi.py", "--print", ROOT, "0.1.0"],
                          check=True, capture_output=True, text=True)
    path = tmp_path_factory.mktemp("openapi") / "openapi.json"
    path.write_text(done.stdout)
    return path


@pytest.fixture(scope="module")
def redocly(tmp_path_factory):
    folder = tmp_path_factory.mktemp("redocly")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests" / "openapi" / name, folder)
    done = subprocess.run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=folder,
                          capture_output=True, text=True)
    if done.returncode:
        pytest.skip("left out: npm could not install tests/openapi/package-lock.json")
    return folder / "node_modules" / ".bin" / "redocly"


def test_the_document_is_valid_to_others(document, redocly):
    environment = dict(os.environ, REDOCLY_TELEMETRY="off", REDOCLY_SUPPRESS_UPDATE_NOTICE="true",
                       CI="true")
    done = subprocess.run([redocly, "lint", "--format", "json", document], cwd=document.parent,
                          env=environment, capture_output=True, text=True)
    report = json.loads(done.stdout[done.stdout.index("{"):])
    problems = [(problem["ruleId"], problem["message"]) for problem in report["problems"]]
    assert done.returncode == 0 and problems == []


def test_what_it_refers_to_is_there(document):
    text = document.read_text()
    whole = json.loads(text)
    for reference in {part.split('"')[0] for part in text.split('"$ref":"#/')[1:]}:
        place = whole
        for step in reference.split("/"):
            place = place[step]
