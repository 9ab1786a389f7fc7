# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxy's own port reached by TLS (PAC `HTTPS host:port`), and passwords taken only there."""
import hashlib
import json
import shutil
import socket
import ssl
import subprocess
import time

import gate as gate_lib
import origin as origin_lib
import pytest

NAME = "volcano.example"
CLOSED = "games.example"
STAFF = {"lodge_state": 1, "people": [
    {"id": "teacher", "group": "teaching-staff",
     "agreement": {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}}]}
BIG = 3_000_000


def ca_of(gate):
    path = gate.folder / "ca.pem"
    path.write_text(subprocess.run([gate.lodge, "ca", "show", "--data", gate.data], capture_output=True,
                                   text=True, check=True).stdout)
    return path


def curl(gate, *words, proxy=None):
    """curl through the gate's port by TLS, the gate's CA known for the proxy."""
    return gate.curl("--proxy-cacert", ca_of(gate), "-x", proxy or f"https://{gate.address}", *words)


@pytest.fixture
def gate(gates):
    return gates(hosts={NAME: "127.0.0.1", CLOSED: "127.0.0.1"})


def test_pages_arrive_whole_and_closed_ones_are_closed(gate, origin):
    done = curl(gate, f"http://{NAME}:{origin.port}/size/{BIG}")
    assert hashlib.sha256(done.stdout).hexdigest() == origin_lib.digest(BIG), done.stderr
    done = curl(gate, f"http://{NAME}:{origin.port}/chunked/70000", f"http://{NAME}:{origin.port}/size/10")
    assert done.stdout == origin_lib.body(70000) + origin_lib.body(10)
    done = curl(gate, "-o", "/dev/null", "-w", "%{http_code}", f"http://{CLOSED}:{origin.port}/")
    assert done.stdout == b"403"
    events = [event for event in gate.events() if event["kind"] in ("request", "open")]
    assert [event["host"] for event in events] == [NAME, NAME, NAME, CLOSED]
    assert {event["scheme"] for event in events} == {"http"}


def test_uploads_go_up_whole(gate, origin, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(origin_lib.body(BIG))
    done = curl(gate, "--data-binary", f"@{path}", f"http://{NAME}:{origin.port}/echo")
    assert done.stdout == path.read_bytes(), done.stderr


def test_a_tunnel_inside_carries_tls_to_the_site(gate, tls_origin):
    done = curl(gate, "-k", f"https://{NAME}:{tls_origin.port}/size/{BIG}")
    assert hashlib.sha256(done.stdout).hexdigest() == origin_lib.digest(BIG), done.stderr
    done = curl(gate, "-k", f"https://{NAME}:{tls_origin.port}/size/10",
                f"https://{NAME}:{tls_origin.port}/size/20")
    assert done.stdout == origin_lib.body(10) + origin_lib.body(20)
    assert {event["scheme"] for event in gate.events()} == {"tunnel"}


def test_a_closed_site_s_page_comes_in_tls_in_tls(gate):
    done = curl(gate, "--cacert", gate.folder / "ca.pem", "-o", "/dev/null", "-w", "%{http_code}",
                f"https://{CLOSED}/")
    assert done.stdout == b"403", done.stderr
    event = gate.events()[-1]
    assert event["host"] == CLOSED and event["scheme"] == "https"


def test_an_inspected_site_in_tls_in_tls(gates, tls_origin):
    certificate = tls_origin.certificate
    gate = gates(hosts={NAME: "127.0.0.1"}, state=STAFF, options=("--origin-ca", certificate))
    set_password(gate)
    done = curl(gate, "--proxy-user", "teacher:three random words", "--cacert", ca_of(gate),
                f"https://{NAME}:{tls_origin.port}/size/{BIG}")
    assert hashlib.sha256(done.stdout).hexdigest() == origin_lib.digest(BIG), done.stderr
    event = gate.events()[0]
    assert event["scheme"] == "https" and event["person"] == "teacher"


def test_the_leaf_is_for_the_name_or_address_that_the_proxy_has(gates, origin):
    gate = gates(hosts={NAME: "127.0.0.1"}, options=("--proxy-name", "gate.school.example:3128"))
    page = f"http://{NAME}:{origin.port}/page"
    for name in ("gate.school.example", "lodge.internal"):
        context = ssl.create_default_context(cafile=ca_of(gate))
        with context.wrap_socket(gate.connect(), server_hostname=name) as connection:
            assert connection.version() == "TLSv1.3"
            connection.sendall(f"GET {page} HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 200 ")
    context = ssl.create_default_context(cafile=ca_of(gate))
    with pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(gate.connect(), server_hostname=NAME)
    context = ssl.create_default_context(cafile=ca_of(gate))
    context.set_alpn_protocols(["h2", "http/1.1"])
    with context.wrap_socket(gate.connect(), server_hostname="127.0.0.1") as connection:
        assert connection.selected_alpn_protocol() == "http/1.1"


def test_a_device_without_the_ca_does_not_go_on(gate, origin):
    done = gate.curl("-x", f"https://{gate.address}", f"http://{NAME}:{origin.port}/page")
    assert done.returncode in (35, 60) and done.stdout == b""
    assert gate.events() == []


def test_slow_and_broken_hellos_hold_nothing_up(gates, origin):
    gate = gates(hosts={NAME: "127.0.0.1"}, options=("--head-timeout", "300ms"), workers=1)
    silent = gate.connect()
    silent.sendall(b"\x16\x03\x01\x02\x00\x01")
    assert silent.recv(1) == b"", "closed when the time for a head is over"
    with gate.connect() as connection:
        connection.sendall(b"\x16\x03\x01" + bytes(40000))
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")
    for size in (1, 5, 6, 100):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        tls = context.wrap_bio(incoming, outgoing, server_hostname="lodge.internal")
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        with gate.connect() as connection:
            connection.sendall(outgoing.read()[:size])
            connection.shutdown(socket.SHUT_WR)
            assert connection.recv(1) == b""
    assert curl(gate, f"http://{NAME}:{origin.port}/size/10").stdout == origin_lib.body(10)


# ---- passwords ----


def set_password(gate, text="three random words"):
    subprocess.run([gate.lodge, "passwd", "--data", gate.data, "teacher"], input=text + "\n", text=True,
                   check=True, capture_output=True)


def test_passwords_are_taken_over_tls_only_once_a_school_says_so(gates, origin):
    gate = gates(hosts={NAME: "127.0.0.1"}, state=STAFF, options=("--passwords-over-tls",))
    set_password(gate)
    target = f"http://{NAME}:{origin.port}/size/10"
    user = ("--proxy-user", "teacher:three random words")
    plain = gate.curl(*user, "-w", "%{http_code}", target).stdout.decode()
    assert plain.endswith("403") and "/setup" in plain and origin_lib.body(10) not in plain.encode()
    tunnel = gate.curl(*user, "-p", "-o", "/dev/null", "-w", "%{http_connect}", target).stdout
    assert tunnel == b"403"
    assert curl(gate, *user, target).stdout == origin_lib.body(10)
    assert curl(gate, "--proxy-user", "teacher:wrong", "-o", "/dev/null", "-w", "%{http_code}",
                target).stdout == b"407"
    assert gate.curl(target).stdout == origin_lib.body(10), "who brings no password is a visitor as ever"
    events = [event for event in gate.events() if event["kind"] in ("request", "open")]
    assert [event.get("person") for event in events if event.get("person")] == ["teacher"]
    assert [event["reason"] for event in events[:2]] == ["password-unprotected"] * 2
    assert "three" not in "".join(gate.log)


ONLY_TLS = "data:application/x-ns-proxy-autoconfig,function FindProxyForURL(u,h){{return 'HTTPS {}';}}"


@pytest.mark.parametrize("pac", ["http://{}/proxy.pac", ONLY_TLS], ids=["the gate's", "TLS and no other"])
def test_chromium_reaches_the_port_by_a_pac_file(gates, origin, tmp_path, pac):
    """PAC `HTTPS`: the connection that carries the page is TLS from the browser to the gate."""
    program = shutil.which("chromium")
    assert program, "chromium is missing: tools/install test"
    gate = gates(hosts={NAME: "127.0.0.1"}, options=("--passwords-over-tls",))
    done = subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", f"--user-data-dir={tmp_path / 'profile'}",
         f"--proxy-pac-url={pac.format(gate.address)}", "--ignore-certificate-errors",
         "--virtual-time-budget=10000", "--dump-dom", f"http://{NAME}:{origin.port}/page"],
        capture_output=True, timeout=300)
    assert "Lava is molten rock" in done.stdout.decode(), done.stderr[-2000:]


def test_a_device_that_refuses_the_port_s_certificate_is_listed_as_not_enrolled(gate, origin):
    """Not as one of whose applications one pins its certificate."""
    gate.curl("-x", f"https://{gate.address}", f"http://{NAME}:{origin.port}/page")
    for _ in range(2000):
        listed = json.loads(subprocess.run([gate.lodge, "devices", "--data", gate.data, "--json"],
                                           capture_output=True, text=True).stdout or "{}")
        if listed.get("not_enrolled"):
            break
        time.sleep(0.01)
    assert [row["address"] for row in listed["not_enrolled"]] == ["127.0.0.1"] and not listed["pinned"]
