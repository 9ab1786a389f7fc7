# SPDX-License-Identifier: GPL-3.0-or-later
"""The commonest mistakes at the command line: each answer says what is wrong, where, and what to do."""
import re
import socket
import subprocess

import pytest

import gate as gate_lib

COMMANDS = ["serve", "ca show", "check", "catalog build", "catalog info", "catalog lookup", "catalog update",
            "policy check", "policy show", "state build", "state show", "log", "doctor", "passwd",
            "version"]
PRESET = gate_lib.PRESET


def run(lodge, *words):
    return subprocess.run([lodge, *map(str, words)], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def folder(lodge, tmp_path_factory):
    """A catalogue and one file for each mistake."""
    folder = tmp_path_factory.mktemp("mistakes")
    gate_lib.write_catalog(lodge, folder, {"gambling": ["slots.example"]})
    (folder / "comma.json").write_text('{ "lodge_policy": 1,\n "title": "x"\n "school": "y"}')
    text = PRESET.read_text()
    assert '"gambling"]' in text and '"unacceptable"' in text
    (folder / "category.json").write_text(text.replace('"gambling"]', '"gamblin"]'))
    (folder / "level.json").write_text(text.replace('"level": "unacceptable"', '"level": "closed"'))
    (folder / "state.json").write_text('{"lodge_state": 1\n "people": []}')
    (folder / "none.manifest").write_text("# nothing yet\n")
    (folder / "empty.manifest").write_text("gambling domains empty\n")
    (folder / "empty").write_text("# nothing yet\n")
    (folder / "sub").mkdir()
    return folder


CHECK = "check --policy {preset} --catalog {folder}/catalog.img"
MISTAKES = [
    ("a file that is not there", "check --policy gone.json --catalog x --group pupils-ks1 a.example", 1,
     ["gone.json: not found"]),
    ("a catalogue that is not there",
     "check --policy {preset} --catalog gone.img --group pupils-ks1 a.example", 1,
     ["gone.img: No such file", "lodge catalog build"]),
    ("another file for a catalogue",
     "check --policy {preset} --catalog {preset} --group pupils-ks1 a.example", 1,
     ["not a catalog image"]),
    ("a folder for a file", "policy check {folder}/sub", 1, ["sub: is not a file"]),
    ("a misspelt option", CHECK + " --grup pupils-ks1 a.example", 2, ["--grup", "--help"]),
    ("a group that is not there", CHECK + " --group year-3 a.example", 1, ["year-3", "pupils-ks1"]),
    ("neither group nor person", CHECK + " a.example", 2, ["--person", "--group"]),
    ("a date of another form", CHECK + " --group pupils-ks1 --at 23/11/2026 a.example", 2,
     ["23/11/2026", "2026-11-23T10:15"]),
    ("a date that no calendar holds", CHECK + " --group pupils-ks1 --at 2050-01-01T10:00 a.example", 1,
     ["2050-01-01T10:00", "calendar"]),
    ("JSON that cannot be read", "policy check {folder}/comma.json", 1,
     ["comma.json", "line 3", "mend the JSON"]),
    ("a misspelt category", "policy check {folder}/category.json", 1,
     ["category.json", "gambling", '"gamblin"', "lodge catalog info"]),
    ("a level that is none", "policy check {folder}/level.json", 1, ['"closed"', "acceptable"]),
    ("a state that cannot be read", "state build {folder}/state.json -o {folder}/s.img", 1,
     ["state.json: ", "line 2", "nothing is built"]),
    ("a manifest without lists",
     "catalog build --manifest {folder}/none.manifest -o {folder}/c.img", 1,
     ["none.manifest", "names no list", "CATEGORY FORMAT PATH"]),
    ("no manifest", "catalog build -o x", 2, ["--manifest FILE is needed", "--help"]),
    ("an image in a folder that is not there",
     "catalog build --manifest {folder}/manifest -o /nowhere/c.img", 1, ["/nowhere/c.img"]),
    ("a time that is none", "log --data {folder}/data --since yesterday", 2, ["yesterday", "15m"]),
    ("a log of another folder", "log --data {folder}/other", 0, ["other", "lodge serve"]),
    ("a command that is none", "chekc", 2, ['"chekc"', "check"]),
    ("an address without its port", "serve --data {folder}/d --policy {preset} "
     "--catalog {folder}/catalog.img --proxy 127.0.0.1", 1, ["127.0.0.1:3128"]),
    ("a port in use", "serve --data {folder}/d --policy {preset} --catalog {folder}/catalog.img "
     "--proxy {taken}", 1, ["{taken}", "Address already in use", "do=", "ss -ltnp"]),
    ("an address of another machine", "serve --data {folder}/d --policy {preset} "
     "--catalog {folder}/catalog.img --proxy 192.0.2.1:3128", 1, ["192.0.2.1:3128", "do="]),
]


@pytest.mark.parametrize("what, line, code, says", MISTAKES, ids=[row[0] for row in MISTAKES])
def test_a_mistake_is_answered_with_what_where_and_what_to_do(lodge, folder, what, line, code, says):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        names = {"preset": PRESET, "folder": folder, "taken": f"127.0.0.1:{taken.getsockname()[1]}"}
        done = run(lodge, *(word.format(**names) for word in line.split()))
    assert done.returncode == code, done.stderr
    for words in says:
        assert words.format(**names) in done.stderr, done.stderr


def test_a_list_that_gives_nothing_is_told(lodge, folder):
    """An empty list is built, because a school may start with one, and is never passed over."""
    done = run(lodge, "catalog", "build", "--manifest", folder / "empty.manifest", "-o", folder / "e.img")
    assert done.returncode == 0
    assert f"warning: {folder}/empty.manifest: line 1: empty gives no entry" in done.stderr


def test_info_without_an_image_lists_every_category(lodge):
    out = run(lodge, "catalog", "info").stdout
    for name in ("gambling", "self-harm", "generative-ai", "learning"):
        assert re.search(rf"^{name}\s", out, re.M), name
    assert len(out.splitlines()) > 50


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_takes_a_data_folder(lodge, command):
    done = run(lodge, *command.split(), "--help")
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"lodge {command}")
    assert "--data DIR" in done.stdout
    assert "Exit codes:" in done.stdout


def test_a_policy_says_what_is_empty(lodge):
    out = run(lodge, "policy", "show", PRESET).stdout
    assert re.search(r"Denied by the school\n-+\n  none\n", out)
