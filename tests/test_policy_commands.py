# SPDX-License-Identifier: GPL-3.0-or-later
"""`lodge check`, `policy` and `state` as others rely on them: output, exit codes, errors."""
import hashlib
import json
import subprocess

import pytest

from conftest import ROOT

POLICY = ROOT / "presets" / "trust-primary.json"
LESSON = "2026-11-23T10:15"
KEYS = ["url", "action", "level", "rule", "reason", "categories", "overruled", "search", "rewrite"]
STATE = {
    "lodge_state": 1,
    "people": [{"id": "p-1", "group": "pupils-ks2",
                "agreement": {"signed": True, "current": True, "parent": True,
                              "until": "2028-09-01T00:00Z"}},
               {"id": "p-2", "group": "teaching-staff"}],
    "grants": [{"id": "g-1", "kind": "lesson", "groups": ["pupils-ks2"], "categories": ["gambling"],
                "from": "2026-11-23T10:00Z", "until": "2026-11-23T11:00Z"}],
}


def run(lodge, *words, text=None):
    return subprocess.run([lodge, *map(str, words)], input=text, capture_output=True, text=True)


@pytest.fixture(scope="module")
def folder(lodge, tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    sealed = hashlib.sha256(b"sealed.example").hexdigest()
    (folder / "bets").write_text("bets.example\nboth.example\n")
    (folder / "news").write_text("news.example\nboth.example\n")
    (folder / "sealed").write_text(f"{sealed}\t-\n")
    (folder / "manifest").write_text("gambling domains bets\nnews domains news\n"
                                     "child-sexual-abuse hashed sealed sealed\n")
    (folder / "state.json").write_text(json.dumps(STATE))
    built = run(lodge, "catalog", "build", "--manifest", folder / "manifest", "-o", folder / "catalog")
    assert built.returncode == 0, built.stderr
    built = run(lodge, "state", "build", folder / "state.json", "-o", folder / "state.image")
    assert built.returncode == 0, built.stderr
    return folder


def check(lodge, folder, *words, text=None):
    return run(lodge, "check", "--policy", POLICY, "--catalog", folder / "catalog", *words, text=text)


def answers(done):
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_answer_has_these_members_in_this_order(lodge, folder):
    done = check(lodge, folder, "--group", "pupils-ks2", "--at", LESSON, "http://both.example/a?b=\"c\"")
    (answer,) = answers(done)
    assert list(answer) == KEYS
    assert answer == {
        "url": "http://both.example/a?b=\"c\"", "action": "block", "level": "unacceptable",
        "rule": "table/gambling/everyone", "reason": "table-row", "categories": ["gambling", "news"],
        "overruled": ["tier/ordinary/pupils-ks2"], "search": None, "rewrite": None}


def test_answers_come_line_by_line_for_odd_input_too(lodge, folder):
    lines = ["bets.example", "", "http://a b/", "HTTP://NEWS.example.:80/\r", "x" * 20000, "\x01",
             "http://nobody.example/\u00e9", "news.example"]
    done = check(lodge, folder, "--group", "visitors", "--at", LESSON, "-", text="\n".join(lines))
    got = answers(done)
    assert [answer["url"] for answer in got] == [line.rstrip("\r") for line in lines]
    assert [answer["reason"] for answer in got] == [
        "table-row", "malformed", "malformed", "tier-default", "malformed", "malformed",
        "uncategorised", "tier-default"]
    assert all(answer["action"] == "block" for answer in got if answer["reason"] == "malformed")


def test_F3_a_sealed_hit_is_never_called_by_its_list(lodge, folder):
    (answer,) = answers(check(lodge, folder, "--group", "teaching-staff", "http://sealed.example/x"))
    assert answer["categories"] == ["sealed"] and answer["level"] == "illegal"
    assert "child" not in json.dumps(answer)


@pytest.mark.parametrize("name", ["state.image", "state.json"])
def test_U2_a_person_is_decided_by_the_state(lodge, folder, name):
    words = ["--state", folder / name, "--person"]
    for at, action, reason in [("2026-11-23T10:15", "allow", "grant"),
                               ("2026-11-23T11:00", "block", "table-row")]:
        (answer,) = answers(check(lodge, folder, *words, "p-1", "--at", at, "bets.example"))
        assert (answer["action"], answer["reason"]) == (action, reason)
    (answer,) = answers(check(lodge, folder, *words, "p-2", "--at", LESSON, "nobody.example"))
    assert (answer["action"], answer["reason"]) == ("limited", "agreement-missing")


@pytest.mark.parametrize("words, code, says", [
    ([], 2, "--person"),
    (["--group", "visitors", "--person", "p-1"], 2, "--person"),
    (["--group", "pupils"], 0, ""),
    (["--group", "wizards"], 1, "visitors"),
    (["--person", "p-1"], 1, "p-1"),
    (["--group", "visitors", "--at", "soon"], 2, "2026-11-23T10:15"),
    (["--group", "visitors", "--at", "2040-01-01"], 1, "calendar"),
    (["--group", "visitors", "--state", "/nowhere"], 1, "/nowhere"),
])
def test_what_cannot_be_asked_is_refused_with_a_reason(lodge, folder, words, code, says):
    done = check(lodge, folder, *words, "news.example")
    assert done.returncode == code
    assert says in done.stderr


def test_a_damaged_image_is_refused(lodge, folder, tmp_path):
    for name, option in [("catalog", "--catalog"), ("state.image", "--state")]:
        whole = (folder / name).read_bytes()
        for damaged in [whole[:-1], whole[:len(whole) // 2], b"", b"\0" * 4096,
                        whole[:300] + bytes([whole[300] ^ 1]) + whole[301:]]:
            (tmp_path / "bad").write_bytes(damaged)
            done = check(lodge, folder, "--group", "visitors", option, tmp_path / "bad", "news.example")
            assert done.returncode == 1 and "bad" in done.stderr, done.stderr


def test_state_show_prints_what_state_build_takes(lodge, folder, tmp_path):
    shown = run(lodge, "state", "show", folder / "state.image")
    assert shown.returncode == 0
    built = run(lodge, "state", "build", "-", "-o", tmp_path / "again", text=shown.stdout)
    assert built.returncode == 0, built.stderr
    again = run(lodge, "state", "show", tmp_path / "again")
    assert json.loads(again.stdout) == json.loads(shown.stdout)


def test_a_wrong_state_document_builds_nothing(lodge, tmp_path):
    document = dict(STATE, grants=[dict(STATE["grants"][0], categories=["child-sexual-abuse"])])
    (tmp_path / "state.json").write_text(json.dumps(document))
    done = run(lodge, "state", "build", tmp_path / "state.json", "-o", tmp_path / "image")
    assert done.returncode == 1
    assert "grants[0](g-1).categories[0]" in done.stderr and "sealed" in done.stderr
    assert not (tmp_path / "image").exists()


def test_T6_findings_are_warnings_and_strict_refuses(lodge):
    done = run(lodge, "policy", "check", POLICY)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert lines and all(line.startswith("warning: ") for line in lines)
    assert run(lodge, "policy", "check", POLICY, "--strict").returncode == 1


def test_a_document_that_would_be_refused_is_refused_by_the_checker(lodge, tmp_path):
    document = json.loads(POLICY.read_text())
    document["table"][0]["cells"]["adults"]["level"] = "forbidden"
    (tmp_path / "policy.json").write_text(json.dumps(document))
    for command in ("check", "show"):
        done = run(lodge, "policy", command, tmp_path / "policy.json")
        assert done.returncode == 1
        assert "policy.json: table[0](" in done.stderr and ").cells.adults.level" in done.stderr


def test_policy_show_prints_the_table_and_the_document(lodge, tmp_path):
    shown = run(lodge, "policy", "show", POLICY)
    assert shown.returncode == 0
    for row in json.loads(POLICY.read_text())["table"]:
        assert row["label"] in shown.stdout
    canonical = run(lodge, "policy", "show", "--json", POLICY).stdout
    assert json.loads(canonical) == json.loads(POLICY.read_text())
    (tmp_path / "again.json").write_text(canonical)
    assert run(lodge, "policy", "show", "--json", tmp_path / "again.json").stdout == canonical


@pytest.mark.parametrize("words", [["check"], ["policy"], ["policy", "check"], ["policy", "show"],
                                   ["state"], ["state", "build"], ["state", "show"]])
def test_each_command_has_a_manual(lodge, words):
    done = run(lodge, *words, "--help")
    assert done.returncode == 0 and "lodge" in done.stdout


def test_the_data_folder_is_made_where_it_is_absent(lodge, folder, tmp_path):
    for words in (["policy", "check", POLICY], ["state", "show", folder / "state.image"]):
        data = tmp_path / words[0] / "deep"
        assert run(lodge, *words, "--data", data).returncode == 0
        assert data.is_dir()


@pytest.mark.parametrize("json_too", [[], ["--json"]])
def test_what_is_no_policy_is_not_shown_as_one(lodge, tmp_path, json_too):
    (tmp_path / "policy.json").write_text('{"lodge_policy": 1}')
    done = run(lodge, "policy", "show", tmp_path / "policy.json", *json_too)
    assert done.returncode == 1 and done.stdout == ""
    assert "title: is missing" in done.stderr


@pytest.mark.parametrize("words", [
    ["check", "--policy", POLICY, "--catalog", "catalog", "--group", "visitors", "news.example"],
    ["policy", "check", POLICY], ["policy", "show", POLICY],
    ["state", "build", "state.json", "-o", "again.image"], ["state", "show", "state.image"],
    ["catalog", "build", "--manifest", "manifest", "-o", "again"], ["catalog", "info", "catalog"],
    ["catalog", "lookup", "catalog", "news.example"], ["log"], ["doctor"],
], ids=lambda words: " ".join(map(str, words[:2])))
def test_every_command_makes_the_data_folder(lodge, folder, tmp_path, words):
    data = tmp_path / "new" / "data"
    done = subprocess.run([lodge, *map(str, words), "--data", str(data)], cwd=folder, capture_output=True,
                          text=True)
    assert data.is_dir(), done.stderr
    assert done.returncode == 0 or words == ["doctor"], done.stderr
