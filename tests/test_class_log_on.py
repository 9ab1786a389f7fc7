# SPDX-License-Identifier: GPL-3.0-or-later
"""Class log-ons (R85, T2) through the gate itself: tablets of a class of younger children are nobody's
until an adult of the class starts them in the console, the class's beside that adult while it runs, and
nobody's again. Who is who is looked for by asking the gate again and again, never by waiting."""
import datetime
import os
import subprocess
import time

import pytest

import school
from console import Console
from people import totp

PATIENCE = 30  # seconds; a bound against hanging for ever, not a measure
TABLET, OTHER, CLASS = "127.0.0.2", "127.0.0.3", "oak-log-on"


def rows():
    for row in school.rows():
        if row.get("as") == "oak":  # whose part of the policy its tablets have
            row["fields"]["policy_group"] = "pupils-ks1"
        yield row
    for tag, address in (("T-1", TABLET), ("T-2", OTHER)):
        yield {"make": "device", "as": tag, "fields": {
            "tag": tag, "kind": "tablet", "address": address, "room": "Oak", "class_log_on": CLASS,
            "class_group": "$oak"}}
    yield {"make": "membership", "fields": {"person": "$asha", "group": "$oak", "kind": "cover",
                                            "from": "2024-09-01"}}
    yield {"make": "person", "as": "vic", "fields": {"name": "Vic Visitor", "kind": "visitor"}}
    yield {"account": "vic", "log_on": "vic", "password": school.PASSWORD}


class School:
    """The console and the gate of one school, and people at both."""

    def __init__(self, console, made):
        self.console, self.made, self.clients = console, made, {}

    def client(self, name):
        if name not in self.clients:
            client = self.console.client()
            answer = client.sign_in(name, school.PASSWORD)
            if "set-up" in (answer.header("Location") or ""):  # a role that has a second factor
                page = client.json("GET", "/sign-in/set-up").json
                client.csrf = page["page"]["csrf"]
                client.post("/sign-in/set-up", {"code": totp(page["secret"], step=-1)})
                client.csrf = None
            self.clients[name] = client
        return self.clients[name]

    def page(self, name):
        return self.client(name).json("GET", "/class")

    def post(self, name, path, **fields):
        return self.client(name).json("POST", path, fields)

    def start(self, name, **more):
        ends = self.page(name).json.get("ends") or [{"value": soon()}]
        return self.post(name, "/class/start", **{"class": self.made["oak"],
                                                  "until": ends[-1]["value"], **more})

    def end_all(self):
        for item in self.page("sol").json["running"]:
            assert self.post("sol", f"/class/{item['id']}/end").status == 200

    def ask(self, address, credentials=None, url="http://games.example/"):
        """(status, the event) of a request from a device."""
        words = ["curl", "-sS", "-o", os.devnull, "-w", "%{http_code}", "-x", self.console.url,
                 "--interface", address, url]
        words += ["--proxy-user", credentials] if credentials else []
        environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        done = subprocess.run(words, capture_output=True, text=True, env=environment, check=True)
        events = [event for event in self.console.events() if event.get("client") == address]
        return done.stdout, events[-1]

    def is_beside(self, address, person):
        """Asks until the device is beside this person (None: is nobody's)."""
        want = (CLASS, self.made[person]) if person else ("", "")
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            _, event = self.ask(address)
            got = (event.get("class_id") or "", event.get("supervisor") or "")
            if got == want:
                return event
        raise AssertionError((got, want, self.console.log[-6:]))


def soon(minutes=30):
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(minutes=minutes)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


@pytest.fixture(scope="module")
def at(lodge, build, tmp_path_factory):
    folder = tmp_path_factory.mktemp("class")
    made = school.make(build, folder / "data", rows())
    with Console(lodge, folder) as console:
        yield School(console, made)


@pytest.fixture
def quiet(at):
    """Nothing runs, before and after."""
    at.end_all()
    yield at
    at.end_all()


def test_R85_a_tablet_is_nobodys_the_classs_beside_an_adult_and_nobodys_again(quiet, lodge):
    at = quiet
    status, event = at.ask(TABLET)
    assert (event["known"], event["group"], event["supervisor"]) == ("nobody", "visitors", None)
    answer = at.start("tess")
    assert answer.status == 200, answer
    event = at.is_beside(TABLET, "tess")
    assert (event["known"], event["group"], event["person"]) == ("class", "pupils-ks1", None)
    shown = subprocess.run([lodge, "log", "--data", at.console.data, "--id", event["id"]],
                           capture_output=True, text=True, check=True).stdout
    assert CLASS in shown and at.made["tess"] in shown
    at.is_beside(OTHER, "tess")
    running = at.page("tess").json["running"]
    assert [(item["by"]["name"], len(item["devices"]), item["mine"]) for item in running] == \
        [("Tess Teacher", 2, True)]
    assert at.post("tess", f"/class/{running[0]['id']}/end").status == 200
    at.is_beside(TABLET, None)
    at.is_beside(OTHER, None)


def test_some_tablets_go_over_to_another_adult_and_an_end_is_that_persons(quiet):
    at = quiet
    assert at.start("tess").status == 200
    first = at.page("tess").json["running"][0]["id"]
    assert at.start("asha", devices=[at.made["T-2"]]).status == 200
    at.is_beside(OTHER, "asha")
    at.is_beside(TABLET, "tess")
    assert at.post("asha", f"/class/{first}/take-over").status == 200
    at.is_beside(TABLET, "asha")
    assert at.post("tess", f"/class/{first}/prolong", until=soon(10)).status == 404  # it is over


def test_it_ends_with_the_adults_account(quiet, lodge):
    at = quiet
    assert at.start("asha").status == 200
    at.is_beside(TABLET, "asha")
    done = subprocess.run([lodge, "user", "disable", "--data", at.console.data, "asha"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    at.is_beside(TABLET, None)
    done = subprocess.run([lodge, "user", "enable", "--data", at.console.data, "asha"],
                          capture_output=True, text=True)
    at.clients.pop("asha")
    if done.returncode == 0:  # once ended, it stays so
        assert at.page("asha").json["running"] == []


def test_it_ends_when_the_adult_leaves(quiet):
    at = quiet
    assert at.start("tess").status == 200
    at.is_beside(TABLET, "tess")
    path = f"/records/people/{at.made['tess']}"
    version = at.client("olive").json("GET", path).json["version"]
    assert at.post("olive", f"{path}/move/leave", version=version).status == 200
    at.is_beside(TABLET, None)
    version = at.client("olive").json("GET", path).json["version"]
    assert at.post("olive", f"{path}/move/return", version=version).status == 200
    at.clients.pop("tess")


def test_T2_a_class_log_on_is_no_name_to_sign_in_with(quiet):
    """It has no password: not at the console, not at the gate, while it runs either."""
    at = quiet
    for running in (False, True):
        if running:
            assert at.start("tess").status == 200
            at.is_beside(TABLET, "tess")
        for password in ("", CLASS, school.PASSWORD):
            answer = at.console.client().post("/sign-in", {"account": CLASS, "password": password},
                                              token=False)
            assert answer.status == 422, answer
            assert at.ask("127.0.0.9", f"{CLASS}:{password}")[0] == "407"
            assert at.ask(TABLET, f"{CLASS}:{password}")[0] == "407"


@pytest.mark.parametrize("name, status", [
    ("rhys", 404), ("dina", 404), ("ted", 403), ("olive", 403), ("gus", 403), ("cora", 403),
    ("pam", 403), ("ada", 403)])
def test_who_is_no_adult_of_the_class_starts_nothing(quiet, name, status):
    at = quiet
    answer = at.post(name, "/class/start", **{"class": at.made["oak"], "until": soon()})
    assert answer.status == status, answer
    assert at.page("sol").json["running"] == []


def test_a_visitor_has_no_console_and_no_class(quiet):
    client = quiet.console.client()
    client.sign_in("vic", school.PASSWORD)
    assert client.json("GET", "/class").status == 401
    assert client.json("POST", "/class/start", {"class": quiet.made["oak"]}).status in (401, 403)


@pytest.mark.parametrize("fields, field, words", [
    ({"until": ""}, "until", "passed"), ({"until": "tomorrow"}, "until", "passed"),
    ({"until": "9999-01-01T00:00:00.000Z"}, "until", "within the next"),
    ({"until": soon(-1)}, "until", "passed"), ({"devices": []}, "devices", "at least one"),
    ({"devices": ["x" * 26, 7, None]}, "devices", "at least one")])
def test_what_is_not_right_is_said_and_starts_nothing(quiet, fields, field, words):
    answer = quiet.start("tess", **fields)
    assert answer.status == 422, answer
    assert words in answer.json["faults"][field]
    assert quiet.page("tess").json["running"] == []


def test_the_form_starts_with_one_button_and_tells_what_was_ticked(quiet):
    at = quiet
    client = at.client("tess")
    page = at.page("tess").json
    boxes = [box["name"] for box in page["classes"][0]["boxes"]]
    sent = {"class": at.made["oak"], "until": page["usual"]}
    answer = client.post("/class/start", sent)
    assert answer.status == 422 and "Choose at least one computer." in answer.text
    answer = client.post("/class/start", {**sent, boxes[0]: "yes"})
    assert answer.status == 303, answer
    text = client.follow(answer).text
    assert "Oak class · 1 tablet · until " in text and "Started." in text


def test_each_step_is_an_act(quiet, lodge):
    at = quiet
    before = len(at.client("sol").json("GET", "/audit?area=supervision").json["items"])
    assert at.start("tess").status == 200
    running = at.page("tess").json["running"][0]
    assert at.post("tess", f"/class/{running['id']}/prolong", until=soon(20)).status == 200
    assert at.post("tess", f"/class/{running['id']}/end").status == 200
    items = at.client("sol").json("GET", "/audit?area=supervision").json["items"]
    assert [item["act"] for item in items][:3] == ["ended", "changed", "started"], items[:3]
    assert len(items) == before + 3
    done = subprocess.run([lodge, "audit", "verify", "--data", at.console.data], capture_output=True,
                          text=True)
    assert done.returncode == 0, done.stderr
