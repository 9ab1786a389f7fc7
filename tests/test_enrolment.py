# SPDX-License-Identifier: GPL-3.0-or-later
"""Which devices know the gate's certificate (T5, F22): those that refuse it are listed until the check
passes, applications that pin are named, all workers agree, and a restart forgets nothing. A device is an
address of the loopback here. And the files that set a device up."""
import hashlib
import json
import os
import plistlib
import re
import signal
import ssl
import subprocess
import time

import pytest

from test_pages import chromium

CLOSED = [f"slots-{letter}.example" for letter in "abcdefghijkl"]
GATE = "lodge.internal"
CHECK = f"https://check.{GATE}/check.css"
OPEN = "volcano.example"
TABLET, LAPTOP, PHONE, PUPIL = (f"127.0.0.{n}" for n in range(21, 25))
STATE = {"lodge_state": 1,
         "people": [{"id": "pupil-24", "group": "pupils-ks2", "agreement": {
             "signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}}],
         "devices": [{"id": "tablet-21", "address": TABLET},
                     {"id": "laptop-24", "address": PUPIL, "owner": "pupil-24"}]}
CONNECTIONS = 16  # enough that the kernel gives some to each of two workers
TIMES_OUT = 30    # a bound against waiting for ever, not a measure of speed


@pytest.fixture
def gate(gates):
    return gates(catalog={"gambling": CLOSED}, state=STATE, workers=2,
                 hosts={name: "127.0.0.1" for name in [*CLOSED, OPEN]})


@pytest.fixture
def ca(gate, tmp_path):
    """The certificate as a device gets it."""
    path = tmp_path / "ca.pem"
    path.write_bytes(gate.curl(f"http://{GATE}/ca.pem").stdout)
    return path


def listed(gate):
    done = subprocess.run([gate.lodge, "devices", "--json", "--data", gate.data],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def wait_for(what, gate):
    """What the register says, once `what` of it is true."""
    end = time.monotonic() + TIMES_OUT
    while not what(found := listed(gate)):
        assert time.monotonic() < end, found
        time.sleep(0.05)
    return found


def wait_until_noted(gate, device):
    """Two workers tell by two lines: what one says may be heard before what the other said before."""
    register = gate.data / "devices" / "enrolment"
    end = time.monotonic() + TIMES_OUT
    while not register.exists() or f"device {device} " not in register.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)


def refuse_soon(gate, device, host):
    """A worker takes a first refusal for what it looks like until the register has answered."""
    end = time.monotonic() + TIMES_OUT
    while not refuse(gate, device, host):
        assert time.monotonic() < end
        time.sleep(0.05)


def addresses(found):
    return [device["address"] for device in found["not_enrolled"]]


def ask(gate, device, host, *words):
    url = host if "/" in host else f"https://{host}/"
    return gate.curl("--interface", device, "-w", "\n%{http_connect}", *words, url)


def refuse(gate, device, host=CLOSED[0]):
    """A browser without the CA; true where TLS was offered to it and refused."""
    return ask(gate, device, host).returncode == 60


def is_shown(gate, device, ca, host=CLOSED[0]):
    """Whether a browser with the CA is shown the page."""
    return b"closed in school" in ask(gate, device, host, "--cacert", ca).stdout


def is_offered_nowhere(gate, device, ca):
    """A refused connection is closed without TLS, whichever worker has it."""
    return all(ask(gate, device, CLOSED[1], "--cacert", ca).returncode == 56
               for _ in range(CONNECTIONS))


def test_T5_who_refuses_is_listed_until_the_check_passes(gate, ca):
    assert listed(gate) == {"not_enrolled": [], "pinned": []}
    assert refuse(gate, LAPTOP)
    found = wait_for(lambda found: found["not_enrolled"], gate)
    device, = found["not_enrolled"]
    assert (device["address"], device["device"], device["host"]) == (LAPTOP, None, CLOSED[0])
    assert device["since"] == device["last"] and device["refusals"] == 1
    assert is_offered_nowhere(gate, LAPTOP, ca)
    assert is_shown(gate, PHONE, ca)
    done = ask(gate, LAPTOP, CHECK, "--cacert", ca)
    assert done.returncode == 0 and b".yes" in done.stdout
    assert addresses(wait_for(lambda found: not found["not_enrolled"], gate)) == []
    assert all(is_shown(gate, LAPTOP, ca) for _ in range(CONNECTIONS))


def test_a_device_that_the_state_image_knows_is_listed_by_its_id(gate):
    assert refuse(gate, TABLET)
    device, = wait_for(lambda found: found["not_enrolled"], gate)["not_enrolled"]
    assert device["device"] == "tablet-21"
    words = subprocess.run([gate.lodge, "devices", "--data", gate.data], capture_output=True,
                           text=True, check=True).stdout
    for part in ("Devices that are not enrolled: 1", TABLET, "tablet-21", CLOSED[0],
                 f"http://{GATE}/setup", "Hosts that applications pin: 0"):
        assert part in words


def test_T5_an_application_that_pins_is_named_and_its_device_stays_enrolled(gate, ca):
    for device in (LAPTOP, PHONE):
        assert is_shown(gate, device, ca)
        wait_until_noted(gate, device)
        assert refuse(gate, device, CLOSED[3])
    refuse_soon(gate, PHONE, CLOSED[4])
    found = wait_for(lambda found: sum(row["devices"] for row in found["pinned"]) == 3, gate)
    assert found["not_enrolled"] == []
    assert [(row["host"], row["devices"]) for row in found["pinned"]] == [
        (CLOSED[3], 2), (CLOSED[4], 1)]
    assert all(row["first"] <= row["last"] and row["refusals"] for row in found["pinned"])
    assert all(is_shown(gate, device, ca, CLOSED[3]) for device in (LAPTOP, PHONE))
    words = subprocess.run([gate.lodge, "devices", "--data", gate.data], capture_output=True,
                           text=True, check=True).stdout
    assert CLOSED[3] in words and "never_inspect" in words


def test_T5_who_refuses_on_purpose_gains_nothing(gate, ca):
    """A pupil's device whose browser refuses, so that it is taken for one that is not set up: what is
    inspected for pupils is still answered under the gate's certificate, and what is closed is closed."""
    assert refuse(gate, PUPIL)
    wait_for(lambda found: found["not_enrolled"], gate)
    assert is_offered_nowhere(gate, PUPIL, ca)
    for _ in range(CONNECTIONS):
        assert refuse(gate, PUPIL, OPEN)
        done = ask(gate, PUPIL, OPEN, "-k", "-w", "%{http_code} %{num_connects}", "-v")
        assert b"Lodge at school" in done.stderr
    assert addresses(listed(gate)) == [PUPIL]


def test_the_gates_own_certificate_refused_is_certain(gate, ca):
    assert is_shown(gate, LAPTOP, ca)
    assert refuse(gate, LAPTOP, CHECK)
    assert addresses(wait_for(lambda found: found["not_enrolled"], gate)) == [LAPTOP]


def test_a_device_whose_ca_was_removed_is_listed_and_nothing_of_it_pins(gate, ca):
    assert is_shown(gate, LAPTOP, ca)
    for host in CLOSED:
        refuse(gate, LAPTOP, host)
    found = wait_for(lambda found: found["not_enrolled"], gate)
    assert addresses(found) == [LAPTOP] and found["pinned"] == []


def test_a_restart_forgets_nothing(gate, ca):
    assert is_shown(gate, PHONE, ca)
    assert refuse(gate, PHONE, CLOSED[3])
    assert refuse(gate, LAPTOP)
    before = wait_for(lambda found: found["not_enrolled"] and found["pinned"], gate)
    assert gate.stop() == 0
    assert listed(gate) == before
    gate.start()
    assert is_offered_nowhere(gate, LAPTOP, ca)
    assert is_shown(gate, PHONE, ca)
    assert listed(gate) == before


@pytest.mark.parametrize("name", ["proxy-", "clerk-"])
def test_a_process_that_dies_is_told_again(gate, ca, name):
    assert refuse(gate, LAPTOP)
    wait_for(lambda found: found["not_enrolled"], gate)
    before = {pid for pid, command in gate.children().items() if name in command}
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    end = time.monotonic() + TIMES_OUT
    while len({pid for pid, command in gate.children().items() if name in command} - before) < len(
            before):
        assert time.monotonic() < end
        time.sleep(0.05)
    while not is_offered_nowhere(gate, LAPTOP, ca):
        assert time.monotonic() < end
    assert refuse(gate, PHONE)  # and what is new still arrives
    wait_for(lambda found: addresses(found) == [LAPTOP, PHONE], gate)


def test_a_register_that_is_broken_is_told_and_begun_anew(gate, ca):
    gate.stop()
    register = gate.data / "devices" / "enrolment"
    register.write_text("lodge-enrolment 1\nnonsense\n")
    done = subprocess.run([gate.lodge, "devices", "--data", gate.data], capture_output=True, text=True)
    assert done.returncode == 1 and "line 2" in done.stderr
    gate.start()
    assert any("devices-refused" in line and "line=2" in line for line in gate.log)
    assert refuse(gate, LAPTOP)
    wait_for_file(register)
    assert addresses(wait_for(lambda found: found["not_enrolled"], gate)) == [LAPTOP]


def wait_for_file(register):
    end = time.monotonic() + TIMES_OUT
    while "nonsense" in register.read_text():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_log_says_that_something_changed_and_not_who(gate):
    assert refuse(gate, LAPTOP)
    wait_for(lambda found: found["not_enrolled"], gate)
    line, = [line for line in gate.log if "event=devices " in line]
    assert "not_enrolled=1" in line and "lodge devices" in line
    assert LAPTOP not in "".join(gate.log) and CLOSED[0] not in "".join(gate.log)


def test_a_folder_that_is_none_of_lodge_serve_is_refused(lodge, tmp_path):
    done = subprocess.run([lodge, "devices", "--data", tmp_path], capture_output=True, text=True)
    assert done.returncode == 1 and "lodge serve" in done.stderr


def head_and_body(gate, path, *words):
    head, _, body = gate.curl("-i", *words, f"http://{GATE}{path}").stdout.partition(b"\r\n\r\n")
    return head.decode().lower(), body


def test_the_files_for_devices_hold_the_same_certificate(gate, ca):
    head, der = head_and_body(gate, "/ca.crt")
    assert "content-type: application/x-x509-ca-cert" in head
    assert ssl.PEM_cert_to_DER_cert(ca.read_text()) == der
    shown = subprocess.run([gate.lodge, "ca", "show", "--data", gate.data], capture_output=True,
                           text=True, check=True).stdout
    assert ssl.PEM_cert_to_DER_cert(shown) == der
    said = subprocess.run(["openssl", "x509", "-in", ca, "-noout", "-text"], capture_output=True,
                          text=True, check=True).stdout
    assert "CA:TRUE" in said and "Private" not in said
    fingerprint = ":".join(f"{byte:02X}" for byte in hashlib.sha256(der).digest())
    for page in ("/setup", "/setup/windows", "/setup/apple"):
        assert fingerprint in head_and_body(gate, page)[1].decode()


def test_the_apple_profile_is_a_plist_with_a_trusted_root(gate):
    head, body = head_and_body(gate, "/lodge.mobileconfig")
    assert "content-type: application/x-apple-aspen-config" in head
    assert body == head_and_body(gate, "/lodge.mobileconfig")[1]
    profile = plistlib.loads(body)
    root, = profile["PayloadContent"]
    assert profile["PayloadType"] == "Configuration" and profile["PayloadVersion"] == 1
    assert root["PayloadType"] == "com.apple.security.root"
    assert root["PayloadContent"] == head_and_body(gate, "/ca.crt")[1]
    uuids = {profile["PayloadUUID"], root["PayloadUUID"]}
    assert len(uuids) == 2
    for uuid in uuids:
        assert re.fullmatch(r"[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}", uuid)


def test_the_check_is_new_each_time_and_yes_comes_over_https_only(gate, ca):
    links = []
    for _ in range(2):
        head, page = head_and_body(gate, "/check")
        assert "cache-control: no-store" in head
        assert "style-src 'sha256-" in head and f" https://check.{GATE};" in head
        links += re.findall(r'href="(https://check[^"]*)"', page.decode())
    assert len(set(links)) == 2 and all(link.startswith(CHECK + "?") for link in links)
    assert gate.curl("-f", f"http://check.{GATE}/check.css").returncode == 22
    assert b"200" in gate.curl("--cacert", ca, "-o", "/dev/null", "-w", "%{http_code}", links[0]).stdout


@pytest.mark.parametrize("page", [f"http://{GATE}/check", f"https://check.{GATE}/check"])
def test_F22_chromium_tells_whether_it_is_set_up(gate, ca, build, tmp_path, monkeypatch, page):
    """Without the certificate the page says "not yet" and the device is listed; with it "yes", and the
    device is listed no more. The pictures are in BUILD/shots/."""
    shots = build / "shots"
    shots.mkdir(exist_ok=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    database = tmp_path / "home" / ".pki" / "nssdb"
    database.mkdir(parents=True)
    words = [f"--proxy-server={gate.url}", "--window-size=500,800"]
    subprocess.run(["certutil", "-d", f"sql:{database}", "-N", "--empty-password"], check=True)
    chromium(tmp_path / "without", *words, f"--screenshot={shots / 'check-not-yet.png'}",
             f"http://{GATE}/check", enrolled=True)
    assert addresses(wait_for(lambda found: found["not_enrolled"], gate)) == ["127.0.0.1"]
    subprocess.run(["certutil", "-d", f"sql:{database}", "-A", "-t", "C,,", "-n", "lodge", "-i", ca],
                   check=True)
    chromium(tmp_path / "with", *words, f"--screenshot={shots / 'check-yes.png'}", page,
             enrolled=True)
    wait_for(lambda found: not found["not_enrolled"], gate)
