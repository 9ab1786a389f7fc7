# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTPS through a gate that inspects, seen by curl and a plain TLS library: what is inspected, what
is a tunnel, what a refusal shows, what lies inside a tunnel gain (T5, F20, F22, R109)."""
import base64
import copy
import hashlib
import json
import os
import socket
import ssl
import struct
import subprocess
import time
import types

import gate as gate_lib
import origin as origin_lib
import pytest

NAME, CLOSED, BANK, BAD = "volcano.example", "slots.example", "bank.example", "mixed.example"
SIGNED = {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}
PUPIL = {"lodge_state": 1,
         "people": [{"id": "person-1", "group": "pupils-ks2", "agreement": SIGNED}],
         "devices": [{"id": "device-1", "address": "127.0.0.1", "owner": "person-1"}]}
VISITOR = {"lodge_state": 1}
BOUND_SECONDS = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    chain, key = origin_lib.make_certificate(tmp_path_factory.mktemp("site"),
                                             (NAME, CLOSED, BANK, BAD))
    with origin_lib.Origin(certificate=types.SimpleNamespace(chain=chain, key=key)) as server:
        server.certificate = chain
        yield server


@pytest.fixture
def start(gates, site, lodge, tmp_path):
    """start(state) is a gate before that site; its `ca` is a file."""
    def run(state, **more):
        options = ["--origin-ca", site.certificate, *more.pop("options", [])]
        one = gates(catalog={"gambling": [CLOSED], "banking": [BANK],
                             ("child-sexual-abuse", "urls", "sealed"): [f"{BAD}/sealed"]},
                    hosts={name: "127.0.0.1" for name in (NAME, CLOSED, BANK, BAD)},
                    state=state, options=options, **more)
        one.ca = tmp_path / "ca.pem"
        one.ca.write_bytes(subprocess.run([lodge, "ca", "show", "--data", one.data], check=True,
                                          capture_output=True).stdout)
        return one
    return run


def tunnel(gate, target, more=""):
    """A socket behind CONNECT, and the status."""
    one = gate.connect()
    one.settimeout(BOUND_SECONDS)
    one.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{more}\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        part = one.recv(1)
        assert part, head
        head += part
    return one, int(head.split()[1])


def inside(gate, target, name, ca=None, **settings):
    """A TLS session inside a CONNECT."""
    one, status = tunnel(gate, target)
    assert status == 200
    context = ssl.create_default_context(cafile=ca or gate.ca)
    for key, value in settings.items():
        setattr(context, key, value)
    return context.wrap_socket(one, server_hostname=name)


def ask(session, text):
    """Sends a request and reads its whole answer: head and body."""
    session.sendall(text.encode() if isinstance(text, str) else text)
    data = b""
    while b"\r\n\r\n" not in data:
        part = session.recv(65536)
        if not part:
            return data, b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
    while len(body) < int(fields.get(b"content-length", 0)):
        body += session.recv(65536)
    return head, body


def get(path, host, more=""):
    return f"GET {path} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n"


def of_host(gate, host):
    return [event for event in gate.events() if event["host"] == host]


def wait_for(found):
    """What found() gives once it gives something."""
    until = time.monotonic() + BOUND_SECONDS
    while time.monotonic() < until:
        result = found()
        if result:
            return result
        time.sleep(0.05)
    raise AssertionError("it did not come")


# --- who is inspected, and who is not ---------------------------------------------------------------

def test_f22_an_allowed_page_arrives_whole_and_is_recorded_with_its_path(start, site):
    gate = start(PUPIL)
    done = gate.curl("--cacert", gate.ca, f"https://{NAME}:{site.port}/size/300000?x=1")
    assert done.returncode == 0, done.stderr
    assert done.stdout == origin_lib.body(300000)
    event = of_host(gate, NAME)[0]
    assert len({one["id"] for one in of_host(gate, NAME)}) == 1
    assert (event["scheme"], event["path"], event["query"]) == ("https", "/size/300000", "x=1")
    assert event["inspected"] is True and event["action"] == "allow"
    assert event["person"] == "person-1" and event["port"] == site.port


def test_a_group_that_is_tunnelled_sees_the_sites_own_certificate(start, site):
    gate = start(VISITOR)
    done = gate.curl("--cacert", site.certificate, f"https://{NAME}:{site.port}/size/1000")
    assert done.stdout == origin_lib.body(1000), done.stderr
    opened, closed = of_host(gate, NAME)
    assert opened["scheme"] == closed["scheme"] == "tunnel"
    assert opened["inspected"] is False and opened["path"] is None


def test_t5_a_bank_is_never_inspected(start, site):
    gate = start(PUPIL)
    done = gate.curl("--cacert", site.certificate, f"https://{BANK}:{site.port}/size/10")
    assert done.stdout == origin_lib.body(10), done.stderr
    assert {event["scheme"] for event in of_host(gate, BANK)} == {"tunnel"}


@pytest.mark.parametrize("state", [PUPIL, VISITOR], ids=["pupil", "visitor"])
def test_f27_a_refused_site_shows_its_page_over_https(start, site, state):
    gate = start(state)
    done = gate.curl("--cacert", gate.ca, "-D", "-", f"https://{CLOSED}:{site.port}/spin?a=1")
    assert done.returncode == 0, done.stderr
    head, _, page = done.stdout.partition(b"\r\n\r\n")
    while page.startswith(b"HTTP/"):
        head, _, page = page.partition(b"\r\n\r\n")
    assert b" 403 " in head.split(b"\r\n")[0] + b" "
    event, = of_host(gate, CLOSED)
    assert event["id"].encode() in page
    assert (event["action"], event["scheme"], event["path"]) == ("block", "https", "/spin")


def test_a_device_that_refuses_the_certificate_gets_403_from_then_on(start, site):
    gate = start(VISITOR, workers=1)
    url = f"https://{CLOSED}:{site.port}/"
    assert gate.curl("--cacert", site.certificate, url).returncode == 60
    event, = of_host(gate, CLOSED)
    assert event["action"] == "block" and event["scheme"] == "tunnel"
    done = gate.curl("--cacert", site.certificate, url)
    assert done.returncode == 56 and b"403" in done.stderr


def test_a_refused_certificate_of_an_allowed_site_is_an_event_that_says_so(start, site):
    gate = start(PUPIL)
    done = gate.curl("--cacert", site.certificate, f"https://{NAME}:{site.port}/")
    assert done.returncode == 60
    event, = of_host(gate, NAME)
    assert (event["action"], event["reason"]) == ("block", "device-refused-certificate")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_leaves_are_short_of_nothing_a_client_checks(start, site, version):
    gate = start(PUPIL)
    session = inside(gate, f"{NAME}:{site.port}", NAME, maximum_version=version)
    certificate = session.getpeercert()
    assert certificate["subjectAltName"] == (("DNS", NAME),)
    head, body = ask(session, get("/size/5", f"{NAME}:{site.port}"))
    assert body == origin_lib.body(5), head


def test_the_gates_own_pages_are_there_over_https(start):
    gate = start(VISITOR)
    name = json.loads(gate_lib.PRESET.read_text())["gate"]["name"]
    done = gate.curl("--cacert", gate.ca, f"https://{name}/proxy.pac")
    assert b"FindProxyForURL" in done.stdout, done.stderr


# --- lies -------------------------------------------------------------------------------------------

@pytest.mark.parametrize("state", [PUPIL, VISITOR], ids=["pupil", "visitor"])
@pytest.mark.parametrize("target, name", [(NAME, CLOSED), (CLOSED, NAME)])
def test_f20_two_names_must_both_be_allowed(start, site, state, target, name):
    gate = start(state)
    before = len(site.requests)
    session = inside(gate, f"{target}:{site.port}", name)
    head, _ = ask(session, get("/size/5", f"{name}:{site.port}"))
    assert b" 403 " in head
    assert len(site.requests) == before
    assert any(event["action"] == "block" for event in gate.events())


def test_what_is_dialled_is_the_name_of_the_hello(start, site):
    """CONNECT to one open site, TLS for another: the second is decided on, asked and recorded."""
    gate = start(PUPIL)
    session = inside(gate, f"{NAME}:{site.port}", BAD)
    head, body = ask(session, get("/size/5", f"{BAD}:{site.port}"))
    assert body == origin_lib.body(5), head
    assert ("host", f"{BAD}:{site.port}") in [
        (key.lower(), value) for key, value in site.requests[-1][2]]
    head, _ = ask(session, get("/sealed", f"{BAD}:{site.port}"))
    assert b" 403 " in head
    assert not of_host(gate, NAME)


@pytest.mark.parametrize("request_text, status", [
    (get("/", CLOSED), 421),
    (get("/", NAME), 421),  # without the port
    (get("/", "127.0.0.1:PORT"), 421),
    (get(f"https://{CLOSED}:PORT/", f"{NAME}:PORT"), 421),
    (get(f"https://{NAME}:PORT/size/1", f"{NAME}:PORT"), 200),
    (get(f"http://{NAME}:PORT/size/1", f"{NAME}:PORT"), 400),
    (get("/size/1", f"{NAME.upper()}.:PORT"), 200),
    (f"CONNECT {CLOSED}:443 HTTP/1.1\r\nHost: {CLOSED}:443\r\n\r\n", 421),
    (f"CONNECT {NAME}:PORT HTTP/1.1\r\nHost: {NAME}:PORT\r\n\r\n", 405),
    (get("/", f"{NAME}:PORT\r\nHost: {CLOSED}"), 400),
    (f"TRACE / HTTP/1.1\r\nHost: {NAME}:PORT\r\n\r\n", 405),
])
def test_a_request_inside_is_for_the_site_of_its_connection(start, site, request_text, status):
    gate = start(PUPIL)
    before = len(site.requests)
    session = inside(gate, f"{NAME}:{site.port}", NAME)
    head, _ = ask(session, request_text.replace("PORT", str(site.port)))
    assert int(head.split()[1]) == status, head
    assert len(site.requests) - before == (status == 200)
    event, = gate.events()
    assert event["scheme"] == "https" and event["status"] == status


def test_credentials_inside_are_nobodys_and_go_nowhere(start, site):
    gate = start(PUPIL)
    session = inside(gate, f"{NAME}:{site.port}", NAME)
    token = base64.b64encode(b"person-1:x").decode()
    head, body = ask(session, get("/headers", f"{NAME}:{site.port}",
                                  f"Proxy-Authorization: Basic {token}\r\nX-Forwarded-For: 1.2.3.4\r\n"))
    names = {key.lower() for key, _ in json.loads(body)}
    assert b" 200 " in head
    assert not names & {"proxy-authorization", "x-forwarded-for", "forwarded"}


@pytest.mark.parametrize("first", [b"SSH-2.0-x\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x00\x05hello",
                                   b"\x80\x2e\x01\x00\x02", b"\x00"])
def test_r109_what_is_no_tls_ends_before_anything_is_dialled(start, site, first):
    gate = start(PUPIL)
    one, status = tunnel(gate, f"{NAME}:{site.port}")
    assert status == 200
    one.sendall(first)
    assert one.recv(100) == b""
    events = wait_for(lambda: of_host(gate, NAME))
    assert events[-1]["action"] == "block" and events[-1]["reason"] == "tunnel-not-tls"


def test_a_tls_1_1_hello_gets_an_alert_and_an_event(start, site):
    gate = start(PUPIL)
    one, _ = tunnel(gate, f"{NAME}:{site.port}")
    name = NAME.encode()
    extension = struct.pack(">HHHBH", 0, len(name) + 5, len(name) + 3, 0, len(name)) + name
    body = (b"\x03\x02" + bytes(32) + b"\x00" + b"\x00\x02\xc0\x13" + b"\x01\x00" +
            struct.pack(">H", len(extension)) + extension)
    hello = b"\x01" + struct.pack(">I", len(body))[1:] + body
    one.sendall(b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello)
    alert = one.recv(100)
    assert alert[:1] == b"\x15" and alert[5:7] == b"\x02\x46", alert  # protocol_version
    assert wait_for(lambda: of_host(gate, NAME))[-1]["reason"] == "device-encryption"


def test_a_hello_in_single_bytes_is_one_hello(start, site):
    gate = start(PUPIL)
    one, _ = tunnel(gate, f"{NAME}:{site.port}")
    one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context(cafile=gate.ca)
    session = context.wrap_bio(incoming, outgoing, server_hostname=NAME)
    while True:
        try:
            session.do_handshake()
            break
        except ssl.SSLWantReadError:
            for byte in outgoing.read():
                one.sendall(bytes([byte]))
            data = one.recv(65536)
            assert data
            incoming.write(data)
    assert session.getpeercert()["subjectAltName"] == (("DNS", NAME),)


@pytest.mark.parametrize("says", [b"", b"\x16\x03\x01\x02\x00\x01\x00"])
def test_who_says_no_hello_is_closed_in_time(start, site, says):
    gate = start(PUPIL, options=["--hello-timeout", "1s"])
    one, _ = tunnel(gate, f"{NAME}:{site.port}")
    one.sendall(says)
    assert one.recv(100) == b""
    assert of_host(gate, NAME)[-1]["end"] == "timeout"


def test_who_stops_in_the_handshake_is_closed_in_time(start, site):
    gate = start(PUPIL, options=["--hello-timeout", "1s"])
    one, _ = tunnel(gate, f"{NAME}:{site.port}")
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl.create_default_context(cafile=gate.ca).wrap_bio(incoming, outgoing,
                                                                  server_hostname=NAME)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    one.sendall(outgoing.read())
    while one.recv(65536):
        pass
    assert wait_for(lambda: of_host(gate, NAME))[-1]["reason"] == "device-encryption"


def test_t5_a_sealed_url_is_refused_over_https_for_everyone_and_its_neighbours_open(start, site):
    for state in (PUPIL, VISITOR):
        gate = start(state)
        host = f"{BAD}:{site.port}"
        session = inside(gate, host, BAD)
        for path in ("/sealed", "/%73ealed", "/./sealed", "/x/../sealed", "/sealed?a=b", "//sealed"):
            head, _ = ask(session, get(path, host))
            if path == "//sealed":
                continue  # another path to a server, and to a list
            assert b" 403 " in head, path
            event = gate.events()[-1]
            assert event["path"] is None and event["sealed"] is True
        head, body = ask(session, get("/size/7", host))
        assert body == origin_lib.body(7), head


def hello_with_ech(name):
    """A real ClientHello for a name, with an encrypted_client_hello extension of noise (RFC 9849
    section 6.2)."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    body = outgoing.read()[9:]
    at = 34                                            # version, random
    at += 1 + body[at]                                 # session id
    at += 2 + struct.unpack_from(">H", body, at)[0]    # suites
    at += 1 + body[at]                                 # compression
    extensions = body[at + 2:]
    noise = b"\x00\x00\x01\x00\x01\x07\x00\x20" + os.urandom(32) + b"\x00\x90" + os.urandom(144)
    extensions = struct.pack(">HH", 0xfe0d, len(noise)) + noise + extensions
    body = body[:at] + struct.pack(">H", len(extensions)) + extensions
    hello = b"\x01" + struct.pack(">I", len(body))[1:] + body
    return b"\x16\x03\x01" + struct.pack(">H", len(hello)) + hello


def test_f20_an_ech_of_noise_is_no_ech(start, site):
    """Browsers send one with every hello: the tunnel stays open."""
    gate = start(VISITOR)
    one, _ = tunnel(gate, f"{NAME}:{site.port}")
    one.sendall(hello_with_ech(NAME))
    assert one.recv(3) == b"\x16\x03\x03"
    one.close()
    events = wait_for(lambda: len(of_host(gate, NAME)) == 2 and of_host(gate, NAME))
    assert {event["action"] for event in events} == {"allow"}
    assert {event["ech"] for event in events} == {False}


def test_f20_a_hello_that_hides_a_name_is_answered_here_and_said_so(start, site):
    """The browser is shown a certificate for the outer name, by which it learns to do without (RFC
    9849 section 6.1.6); nothing of it reaches the site."""
    gate = start(VISITOR)
    before = len(site.requests)
    one, _ = tunnel(gate, f"{NAME}:{site.port}")
    one.sendall(hello_with_ech("cloudflare-ech.com"))
    assert one.recv(3) == b"\x16\x03\x03"
    one.close()
    events = wait_for(lambda: [event for event in gate.events() if event["ech"]])
    assert events[-1]["action"] == "block" and events[-1]["reason"] == "tunnel-ech"
    assert len(site.requests) == before


# --- what goes through ------------------------------------------------------------------------------

def test_requests_on_one_connection_come_one_behind_the_other(start, site):
    gate = start(PUPIL)
    host = f"{NAME}:{site.port}"
    session = inside(gate, host, NAME)
    session.sendall("".join(get(f"/size/{n}", host) for n in (10, 0, 20)).encode() +
                    f"POST /echo HTTP/1.1\r\nHost: {host}\r\nContent-Length: 5\r\n\r\nlava!".encode() +
                    get("/chunked/30", host, "Connection: close\r\n").encode())
    data = b""
    while part := session.recv(65536):
        data += part
    assert data.count(b"HTTP/1.1 200 ") == 5
    assert data.find(origin_lib.body(20)) > 0 and b"lava!" in data
    assert data.endswith(b"0\r\n\r\n")
    assert [event["path"] for event in gate.events()] == [
        "/size/10", "/size/0", "/size/20", "/echo", "/chunked/30"]


def test_much_goes_up_and_down(start, site):
    gate = start(PUPIL)
    big = origin_lib.body(5_000_000)
    done = gate.curl("--cacert", gate.ca, "--data-binary", "@-", "-H", "Expect:",
                     f"https://{NAME}:{site.port}/echo", input=big)
    assert done.stdout == big, done.stderr


def frame(data):
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[i % 4] for i, byte in enumerate(data))
    return b"\x82" + bytes([0x80 | 126]) + struct.pack(">H", len(data)) + mask + masked


def test_a_websocket_inside_is_passed_on_and_recorded(start, site):
    gate = start(PUPIL)
    host = f"{NAME}:{site.port}"
    session = inside(gate, host, NAME)
    key = base64.b64encode(b"0123456789abcdef").decode()
    session.sendall(get("/ws", host, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n").encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += session.recv(1)
    accept = base64.b64encode(hashlib.sha1(key.encode() + origin_lib.WEBSOCKET_KEY).digest())
    assert b" 101 " in head and accept in head
    for size in (200, 60000, 300):
        data = os.urandom(size)
        session.sendall(frame(data))
        got = b""
        while len(got) < 10 + size:
            got += session.recv(65536)
        assert got[10:] == data  # behind the echo's head
    session.close()
    opened, closed = wait_for(lambda: [e for e in of_host(gate, NAME)] if
                              len(of_host(gate, NAME)) == 2 else None)
    assert opened["scheme"] == closed["scheme"] == "https"
    assert opened["status"] == 101 and opened["path"] == "/ws" and closed["inspected"] is True
    assert closed["bytes_up"] >= 60500


def test_a_session_is_resumed_for_the_same_host_and_no_other(start, site):
    gate = start(PUPIL)
    context = ssl.create_default_context(cafile=gate.ca)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    kept = None
    for host, resumed in ((NAME, False), (NAME, True), (BAD, False)):
        one, _ = tunnel(gate, f"{host}:{site.port}")
        session = context.wrap_socket(one, server_hostname=host, session=kept)
        head, body = ask(session, get("/size/5", f"{host}:{site.port}"))
        assert body == origin_lib.body(5), head
        assert session.session_reused is resumed
        kept = session.session
        session.close()


def test_a_new_policy_holds_inside_what_is_open(start, site):
    policy = json.loads(gate_lib.PRESET.read_text())
    gate = start(PUPIL, policy=policy, workers=1)
    host = f"{NAME}:{site.port}"
    session = inside(gate, host, NAME)
    assert b" 200 " in ask(session, get("/size/5", host))[0]
    denied = copy.deepcopy(policy)
    denied.setdefault("lists", {}).setdefault("deny", []).append(
        {"match": NAME, "who": "person-9", "why": "a test", "review": "2099-01-01"})
    fresh = gate.folder / "fresh.json"
    fresh.write_text(json.dumps(denied))
    os.replace(fresh, gate.policy)

    def refused():
        return b" 403 " in ask(session, get("/size/5", host))[0]
    wait_for(refused)


def test_the_end_is_said_inside_too(start, site):
    gate = start(PUPIL)
    host = f"{NAME}:{site.port}"
    session = inside(gate, host, NAME)
    head, body = ask(session, get("/size/5", host, "Connection: close\r\n"))
    assert body == origin_lib.body(5), head
    assert session.recv(10) == b""  # close_notify: a bare end would be an error
    assert not isinstance(session.version(), type(None))


def test_a_site_that_cannot_be_reached_is_a_page(start, site):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    gate = start(PUPIL)
    done = gate.curl("--cacert", gate.ca, "-w", "%{http_code}", f"https://{NAME}:{port}/")
    assert done.stdout.endswith(b"502"), done.stderr
    assert of_host(gate, NAME)[0]["status"] == 502
