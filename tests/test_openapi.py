# SPDX-License-Identifier: GPL-3.0-or-later
"""The description of the interface, as others' tools read it."""
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from console import Console
from seed import signed_in

# They would end the session that the others need.
SIGNS_OUT = {"sign_out", "account_sessions_end", "account_compromised"}
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


# ---- what runs, against the description ----

@pytest.fixture(scope="module")
def console(lodge, tmp_path_factory):
    with Console(lodge, tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture(scope="module")
def clients(console):
    return {"nobody": console.client(), "office and head": signed_in(console, ["office", "head"])}


def operations(whole, method):
    for path, item in whole["paths"].items():
        if method in item:
            yield path, re.sub(r"\{\w+\}", "a" * 26, path), item[method]


def fault_of(answer, operation):
    """What an answer has that its description has not, or None."""
    code = str(answer.status)
    if code not in operation["responses"]:
        return f"{code}: {answer.text[:200]}"
    described = operation["responses"][code]
    kind = (answer.header("Content-Type") or "").split(";")[0]
    if "content" in described and kind not in described["content"]:
        return f"{code} with {kind}"
    return None


def walk(client, document, method, signed_in):
    """(how many were asked, {address: fault})"""
    asked, faults = 0, {}
    for path, concrete, operation in operations(json.loads(document.read_text()), method):
        if operation["operationId"] in SIGNS_OUT:
            continue
        answer = client.json(method.upper(), concrete, {})
        fault = fault_of(answer, operation)
        if not signed_in and operation["security"] and answer.status not in (401, 403):
            fault = f"{answer.status}, signed out"
        if fault:
            faults[path] = fault
        asked += 1
    return asked, faults


def test_it_is_read_signed_out_and_is_what_was_made(console, document):
    answer = console.client().get("/api/openapi.json")
    assert answer.status == 200
    assert answer.json["paths"] == json.loads(document.read_text())["paths"]


@pytest.mark.parametrize("who", ["nobody", "office and head"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_every_address_answers_as_is_described(clients, document, who, method):
    """Nothing is filled in, so nothing happens; what comes back is described."""
    asked, faults = walk(clients[who], document, method, who != "nobody")
    assert asked > 50 and faults == {}
