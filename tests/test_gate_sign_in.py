# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in at the gate (design section 3, "a sign-in bound to the device"): silently where the provider
of single sign-on (npm's oidc-provider) knows the browser, by its page, by a password, or out of a session
of the console. Devices are loopback addresses; a browser is one that follows redirects between the gate,
the console and the provider."""
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import time
import urllib.parse

import pytest

import school
from browsers import trust
from console import HOST, Client, Console, free_port
from gate import PRESET, ROOT
from origin import Origin
from people import totp
from test_single_sign_on import MODULES, Provider, rows as staff_rows

PATIENCE = 30  # seconds; a bound against hanging for ever, not a measure
ROOM, OTHER, PHONE, KEPT, STRANGE = (f"127.0.0.{n}" for n in (5, 6, 7, 8, 9))
HERE = "127.0.0.1"  # where Chromium comes from


def polled(look):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
    return None


def write_policy(folder):
    """The preset, without agreements; what no list knows is closed to whoever is nobody."""
    policy = json.loads(PRESET.read_text())
    for group in policy["groups"]:
        group["agreement"] = {"needed": False, "parent": False}
        if group["id"] == policy["unknown_group"]:
            group["uncategorised"] = "unacceptable"
    path = folder / "policy.json"
    path.write_text(json.dumps(policy))
    return path


def rows():
    yield from staff_rows()
    for tag, address, more in (("ICT-04", ROOM, {}), ("ICT-05", OTHER, {}), ("ICT-01", HERE, {}),
                               ("PHONE-1", PHONE, {"owner": "$hanna"})):
        yield {"make": "device", "as": tag, "fields": {"tag": tag, "kind": "desktop", "address": address,
                                                       **more}}


class Browser:
    """One at an address: cookies of the console and of the provider; follows Location and Refresh."""

    def __init__(self, place, address):
        self.place, self.address, self.theirs, self.way = place, address, {}, []
        self.ours = Client(place.console)
        self.ours.connect = self.connect

    def connect(self):
        context = ssl.create_default_context(cafile=str(self.place.console.certificate))
        port = self.place.console.console_port
        raw = socket.create_connection((HOST, port), 60, source_address=(self.address, 0))
        connection = http.client.HTTPSConnection(HOST, port, context=context, timeout=60)
        connection.sock = context.wrap_socket(raw, server_hostname=HOST)
        return connection

    def from_gate(self, url, **headers):
        connection = http.client.HTTPConnection(HOST, self.place.console.port, timeout=60,
                                                source_address=(self.address, 0))
        sent = {"Accept": "text/html", "Sec-Fetch-Dest": "document", **headers}
        connection.request("GET", url, headers={name: value for name, value in sent.items() if value})
        answer = connection.getresponse()
        answer.text = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer

    def from_provider(self, url):
        parts = urllib.parse.urlsplit(url)
        connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=60,
                                                 context=self.place.provider.context)
        connection.request("GET", f"{parts.path}?{parts.query}", headers={
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.theirs.items())})
        answer = connection.getresponse()
        answer.text = answer.read().decode()
        for line in answer.headers.get_all("Set-Cookie") or ():
            name, _, value = line.split(";")[0].partition("=")
            self.theirs[name] = value
        connection.close()
        return answer

    def one(self, url):
        if url.startswith("http://lodge.internal/signed-in"):  # as a browser does, but at once
            return polled(lambda: (lambda answer: answer.status == 303 and answer)(self.from_gate(url)))
        if url.startswith(self.place.console.console_url + "/"):
            return self.ours.get(url[len(self.place.console.console_url):])
        if url.startswith(self.place.provider.issuer):
            return self.from_provider(url)
        return self.from_gate(url)

    def go(self, url, login=None):
        """Where it ends: (url, answer). login: who signs in at the provider's page, if it asks."""
        self.way = []
        for _ in range(40):
            self.way.append(url)
            answer = self.one(url)
            on = answer.headers["Location"] if answer.status in (302, 303) else None
            if answer.status == 200 and answer.headers["Refresh"]:
                on = answer.headers["Refresh"].partition("url=")[2]
            if answer.status == 200 and "Who are you?" in answer.text and login:
                on = f"{urllib.parse.urlsplit(url).path}?login={login}"
            if on is None:
                return url, answer
            url = urllib.parse.urljoin(url, on)
        raise AssertionError(f"a circle: {self.way}")

    def enrol(self, login):
        """Signs in at the provider, as a managed device does when its user logs on to it."""
        link = "/gate/sign-in/with/school"
        url, answer = self.go(self.place.console.console_url + link, login)
        assert url.endswith("/gate/signed-in"), (self.way, answer.text)
        self.sign_out()

    def sign_out(self):
        """And forgets that it did: as a new day."""
        assert self.ours.post("/gate/sign-out", token=False).status == 303
        self.ours.cookies.pop("__Host-lodge-tried", None)
        assert polled(lambda: self.from_gate(self.place.page).status == 303)


class Place:
    def __init__(self, console, provider, origins, made):
        self.console, self.provider, self.made = console, provider, made
        self.page, self.secure_page = (
            f"{scheme}://volcano.example:{origin.port}/page"
            for scheme, origin in zip(("http", "https"), origins))

    def browser(self, address=ROOM):
        return Browser(self, address)

    def event(self):
        return [event for event in self.console.events() if event["host"] == "volcano.example"][-1]


@pytest.fixture(scope="module")
def place(lodge, build, tmp_path_factory):
    if shutil.which("node") is None or not (MODULES / "oidc-provider").is_dir():
        pytest.fail("make test installs node and the packages of assets/")
    folder = tmp_path_factory.mktemp("gate-sign-in")
    port = free_port()
    provider = Provider(folder, f"https://{HOST}:{port}/sign-in/back")
    providers = folder / "providers.json"
    providers.write_text(json.dumps({"providers": [{
        "name": "school", "label": "The school’s account", "issuer": provider.issuer,
        "client_id": "lodge", "client_secret": "a secret + more", "link": "email",
        "domains": ["school.example"]}]}))
    providers.chmod(stat.S_IRUSR | stat.S_IWUSR)
    console = Console(lodge, folder, (
        "--single-sign-on", str(providers), "--origin-ca", str(provider.authority.certificate)),
        policy=write_policy(folder), hosts={"volcano.example": "127.0.0.1"}, workers=2)
    console.command[console.command.index("--console") + 1] = f"{HOST}:{port}"
    console.console_port, console.console_url = port, f"https://{HOST}:{port}"
    made = school.make(build, console.data, rows())
    leaf = provider.authority.issue("volcano.example")
    with Origin() as origin, Origin(certificate=leaf) as secure, console:
        here = Place(console, provider, (origin, secure), made)
        assert polled(lambda: here.browser().from_gate(here.page).status == 303)
        yield here
    provider.stop()


def technician(place):
    """Ted, who sets his second factor up at his first sign-in."""
    client = place.console.client()
    client.sign_in("ted", school.PASSWORD)
    page = client.request("GET", "/sign-in/set-up", headers={"Accept": "application/json"}).json
    client.csrf = page["page"]["csrf"]
    assert client.post("/sign-in/set-up", {"code": totp(page["secret"])}).status == 303
    client.csrf = None
    return client


def query_of(url, name):
    return urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)[name][0]


def test_a_closed_page_opens_without_a_word_where_the_provider_knows_the_browser(place):
    browser = place.browser()
    browser.enrol("tess")
    url, answer = browser.go(place.page)
    assert url == place.page and answer.status == 200 and "Lava is molten rock" in answer.text
    assert any("prompt=none" in step for step in browser.way)
    event = place.event()
    assert (event["person"], event["group"]) == (place.made["tess"], "teaching-staff")
    assert browser.ours.get("/account").status == 303, "no session of the console was opened"
    browser.sign_out()


def test_a_browser_that_the_provider_does_not_know_is_offered_the_usual_ways(place):
    browser = place.browser()
    url, answer = browser.go(place.page)
    assert url.startswith(place.console.console_url + "/gate/sign-in?to="), browser.way
    for words in ("ICT-04", "Log-on", "Password", "The school’s account", "Go on without signing in",
                  "You were going to volcano.example"):
        assert words in answer.text
    assert len([step for step in browser.way if "prompt=none" in step]) == 1
    assert query_of(url, "to") == place.page
    browser.go(place.page)
    assert not [step for step in browser.way if "prompt=none" in step], "it was tried a moment ago"


def test_going_on_without_ends_at_the_closed_page_and_in_no_circle(place):
    browser = place.browser()
    _, answer = browser.go(place.page)
    link = re.search(r'href="(/gate/without[^"]*)"', answer.text)[1].replace("&amp;", "&")
    for url in (place.console.console_url + link, place.page):
        url, answer = browser.go(url)
        assert url.startswith("http://lodge.internal/closed?to=") and answer.status == 403
        assert "closed in school" in answer.text
    assert place.event()["action"] == "block"


def test_a_password_signs_in_at_the_device_and_opens_no_session(place):
    browser = place.browser()
    url, _ = browser.go(place.page)
    answer = browser.ours.post("/gate/sign-in", {"account": "ada", "password": "wrong password",
                                                 "to": place.page}, token=False)
    assert answer.status == 422 and "not right" in answer.text
    answer = browser.ours.post("/gate/sign-in", {"account": "ada", "password": school.PASSWORD,
                                                 "to": place.page}, token=False)
    assert answer.status == 303 and answer.header("Location").startswith("/gate/signed-in?to=")
    url, answer = browser.go(place.console.console_url + answer.header("Location"))
    assert (url, answer.status) == (place.page, 200)
    assert place.event()["group"] == "pupils-ks2"
    assert "__Host-lodge" not in browser.ours.cookies
    page = browser.ours.get("/gate/signed-in").text
    assert "Ada Price" in page and "ICT-04" in page
    browser.sign_out()


def test_a_session_of_the_console_signs_in_by_a_button(place):
    browser = place.browser()
    browser.ours.sign_in("tess", school.PASSWORD)
    url, answer = browser.go(place.page)
    assert "Use the internet here as Tess Teacher" in answer.text
    answer = browser.ours.post("/gate/sign-in", {"to": place.page})
    assert browser.go(place.console.console_url + answer.header("Location"))[0] == place.page
    for path in ("/account", "/"):
        assert "ICT-04" in browser.ours.get(path).text
    token = re.search(r'name="sign_in" value="([^"]+)"', browser.ours.get("/account").text)[1]
    other = place.browser(OTHER)
    other.ours.sign_in("olive", school.PASSWORD)
    assert other.ours.post("/gate/sign-out", {"sign_in": token}).status == 404, "not theirs"
    assert browser.from_gate(place.page).status == 200
    assert browser.ours.post("/gate/sign-out", {"sign_in": token}).status == 303
    assert polled(lambda: browser.from_gate(place.page).status == 303)


def test_a_link_from_another_device_binds_nothing_there(place):
    """What is bound is the device that comes back, in a way that it began itself."""
    pupil, teacher = place.browser(OTHER), place.browser()
    teacher.enrol("tess")
    # The pupil's own way, sent to the teacher: the provider's page, and the way back.
    step = pupil.one(place.console.console_url + "/gate/sign-in/with/school")
    url = step.headers["Location"]
    while url.startswith(place.provider.issuer):
        answer = teacher.from_provider(url)
        url = urllib.parse.urljoin(url, answer.headers["Location"])
    answer = teacher.one(url)
    assert answer.status == 422 and "Begin again" in answer.text
    # The pupil takes the code that the teacher's browser was given: the address that began is the one
    # that comes back, but the code counts for who it was given to, and that is shown.
    teacher_way = teacher.one(place.console.console_url + "/gate/sign-in/with/school").headers["Location"]
    while teacher_way.startswith(place.provider.issuer):
        answer = teacher.from_provider(teacher_way)
        teacher_way = urllib.parse.urljoin(teacher_way, answer.headers["Location"])
    assert pupil.one(teacher_way).status == 422
    # With the teacher's very cookies, from another address.
    pupil.ours.cookies = dict(teacher.ours.cookies)
    answer = pupil.one(teacher_way)
    assert answer.status == 422 and "begun at another device" in answer.text
    for browser in (pupil, teacher):
        assert browser.from_gate(place.page).status == 303


def test_the_address_of_the_connection_counts_and_no_header(place):
    browser = place.browser(STRANGE)
    answer = browser.ours.get("/gate/sign-in", **{"X-Forwarded-For": ROOM, "Forwarded": f"for={ROOM}"})
    assert answer.status == 403 and STRANGE in answer.text


@pytest.mark.parametrize("address, words", [(STRANGE, "not known here"), (PHONE, "one person’s")])
def test_a_device_on_which_nobody_signs_in_says_why(place, address, words):
    browser = place.browser(address)
    for path in ("/gate/sign-in", "/gate/signed-in", "/gate/sign-in/with/school"):
        answer = browser.ours.get(path)
        assert answer.status == 403 and words in answer.text
    answer = browser.ours.post("/gate/sign-in", {"account": "ada", "password": school.PASSWORD},
                               token=False)
    assert answer.status == 403


def test_whom_the_policy_places_nowhere_is_told(place):
    browser = place.browser()
    answer = browser.ours.post("/gate/sign-in", {"account": "pam", "password": school.PASSWORD},
                               token=False)
    assert answer.status == 403 and "does not say what you may use" in answer.text
    assert browser.from_gate(place.page).status == 303


@pytest.mark.parametrize("to", [
    "javascript:alert(1)", "//elsewhere.example/", "ftp://elsewhere.example/", "data:text/html,x",
    "https:elsewhere.example", "http://user@elsewhere.example/", "http://a\\@b.example/",
    "http://a.example/\r\nSet-Cookie: x=1", "http:///", "http://a.example/" + "x" * 3000, " http://a.example/"])
def test_only_a_page_of_the_web_is_gone_on_to(place, to):
    browser = place.browser()
    words = urllib.parse.quote(to, safe="")
    browser.ours.cookies["__Host-lodge-without"] = "1"
    browser.ours.cookies["__Host-lodge-tried"] = "1"
    for path in ("/gate/sign-in", "/gate/without"):
        answer = browser.ours.get(f"{path}?to={words}")
        assert answer.status in (200, 303, 400) and answer.header("Set-Cookie") != "x=1"
        assert (answer.header("Location") or "/gate/sign-in") == "/gate/sign-in"
    for path in ("signed-in", "closed"):
        assert browser.from_gate(f"http://lodge.internal/{path}?to={words}").status in (400, 404)


def test_disabling_the_account_ends_it_at_the_gate(place, lodge):
    browser = place.browser()
    answer = browser.ours.post("/gate/sign-in", {"account": "asha", "password": school.PASSWORD,
                                                 "to": place.page}, token=False)
    assert browser.go(place.console.console_url + answer.header("Location"))[0] == place.page
    done = subprocess.run([lodge, "user", "disable", "--data", place.console.data, "asha"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert polled(lambda: browser.from_gate(place.page).status == 303)
    assert "Ada" not in browser.ours.get("/gate/sign-in").text


def test_a_device_whose_address_is_changed_loses_its_sign_in(place):
    browser = place.browser(OTHER)
    answer = browser.ours.post("/gate/sign-in", {"account": "ada", "password": school.PASSWORD,
                                                 "to": place.page}, token=False)
    assert browser.go(place.console.console_url + answer.header("Location"))[0] == place.page
    office = technician(place)
    path = f"/records/devices/{place.made['ICT-05']}"
    version = office.json("GET", path).json["version"]
    answer = office.json("POST", f"{path}/edit", {"version": version, "address": KEPT})
    assert answer.status in (200, 303), answer
    moved = place.browser(KEPT)
    assert polled(lambda: moved.from_gate(place.page).status == 303), "the device, at its new address"
    assert browser.from_gate(place.page).status == 403, "the old address is nobody's"


def test_what_a_page_fetches_is_not_sent_to_the_console(place):
    browser = place.browser()
    for headers in ({"Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": "iframe"},
                    {"Sec-Fetch-Dest": None, "Accept": "*/*"}):
        answer = browser.from_gate(place.page, **headers)
        assert answer.status == 403 and "closed in school" in answer.text
    assert browser.from_gate(place.page, **{"Sec-Fetch-Dest": None}).status == 303
    assert place.browser(STRANGE).from_gate(place.page).status == 403, "no device of the register"


def test_the_gate_has_a_way_to_sign_in_and_keeps_the_console_out_of_the_proxy(place):
    browser = place.browser()
    assert 'href="/sign-in"' in browser.from_gate("http://lodge.internal/").text
    answer = browser.from_gate("http://lodge.internal/sign-in")
    assert answer.status == 303
    assert answer.headers["Location"] == f"{place.console.console_url}/gate/sign-in"
    pac = browser.from_gate("http://lodge.internal/proxy.pac").text
    assert f'url.indexOf("{place.console.console_url}/") === 0' in pac


def test_a_browser_that_asks_the_proxy_for_the_console_is_told_how(lodge, tmp_path):
    with Console(lodge, tmp_path, ("--console-name", "lodge.example"), private=False,
                 hosts={"lodge.example": HOST}) as console:
        done = console.curl("--cacert", console.data / "ca" / "ca.pem",
                            f"https://lodge.example:{console.console_port}/gate/sign-in")
        assert b"console is not reached this way" in done.stdout, done


WALK_SECONDS = 600  # a bound against hanging for ever


@pytest.mark.once
def test_a_browser_walks_from_a_closed_page_to_the_open_one(place, build, tmp_path):
    """On a device that was set up: it trusts the school's CA, and the provider's."""
    shots = build / "shots" / "console"
    shots.mkdir(parents=True, exist_ok=True)
    database = tmp_path / ".pki" / "nssdb"
    trust(database, place.console.data / "ca" / "ca.pem")
    subprocess.run(["certutil", "-A", "-d", f"sql:{database}", "-n", "provider", "-t", "CP,,", "-i",
                    place.provider.authority.certificate], check=True, capture_output=True)
    environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
    environment["HOME"] = str(tmp_path)
    done = subprocess.run(
        ["node", ROOT / "tests" / "walks" / "gate.js", place.console.console_url,
         f"{place.console.url}/proxy.pac", place.page, place.secure_page, school.PASSWORD, shots, MODULES],
        capture_output=True, text=True, timeout=WALK_SECONDS, env=environment)
    findings = [json.loads(line) for line in done.stdout.splitlines()]
    assert not findings and done.returncode == 0, (findings[:12], done.stderr[-2000:])
