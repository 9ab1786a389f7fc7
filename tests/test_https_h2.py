# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/2 through a gate that inspects, in any pairing with HTTP/1.1: pages arrive whole, one
protocol smuggles nothing into the other, and floods end in a bounded worker."""
import hashlib
import socket
import ssl
import subprocess
import threading
import time
from pathlib import Path

import gate as gate_lib
import h2_client
import h2_origin
import origin as origin_lib
import pytest

NAME, CLOSED = "volcano.example", "slots.example"
SIGNED = {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}
PUPIL = {"lodge_state": 1,
         "people": [{"id": "person-1", "group": "pupils-ks2", "agreement": SIGNED}],
         "devices": [{"id": "device-1", "address": "127.0.0.1", "owner": "person-1"}]}
BOUND_SECONDS = 30
SIZES = [0, 1, 65535, 1 << 20]


@pytest.fixture(scope="module")
def old_site(tmp_path_factory):
    """An origin of HTTP/1.1."""
    with origin_lib.Origin(tls=tmp_path_factory.mktemp("old")) as server:
        yield server


@pytest.fixture
def new_site(tmp_path_factory):
    """An origin of HTTP/2."""
    with h2_origin.Origin(tmp_path_factory.mktemp("new")) as server:
        yield server


@pytest.fixture
def start(gates, lodge, tmp_path):
    """start(site) is a gate before that site, one worker; its `ca` is a file."""
    def run(site, state=PUPIL, **more):
        one = gates(catalog={"gambling": [CLOSED]},
                    hosts={name: "127.0.0.1" for name in (NAME, CLOSED)},
                    state=state, options=["--origin-ca", site.certificate], workers=1, **more)
        one.ca = tmp_path / "ca.pem"
        one.ca.write_bytes(subprocess.run([lodge, "ca", "show", "--data", one.data], check=True,
                                          capture_output=True).stdout)
        one.site = site
        return one
    return run


def open_tls(gate, name=NAME, alpn=("h2", "http/1.1")):
    """A TLS session inside a CONNECT."""
    one = gate.connect()
    one.settimeout(BOUND_SECONDS)
    one.sendall(f"CONNECT {name}:{gate.site.port} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += one.recv(1)
    assert head.split()[1] == b"200"
    context = ssl.create_default_context(cafile=gate.ca)
    context.set_alpn_protocols(list(alpn))
    return context.wrap_socket(one, server_hostname=name)


def connect(gate, name=NAME, strict=True):
    session = open_tls(gate, name)
    assert session.selected_alpn_protocol() == "h2"
    return h2_client.Client(session, f"{name}:{gate.site.port}", strict)


def curl(gate, path, *words, version="--http2"):
    return gate.curl("--cacert", gate.ca, version, *words, f"https://{NAME}:{gate.site.port}{path}")


# --- whole, in any pairing ----------------------------------------------------------------------------

@pytest.mark.parametrize("size", SIZES)
def test_f22_from_http2_to_http1(start, old_site, size):
    gate = start(old_site)
    client = connect(gate)
    for path in (f"/size/{size}", f"/chunked/{size}"):
        answer = client.get(path)
        assert answer.status == 200 and answer.ended and answer.reset is None
        assert answer.body == origin_lib.body(size)
    answer = client.wait(client.ask("/echo", "POST", body=origin_lib.body(size)))
    assert answer.body == origin_lib.body(size)
    done = curl(gate, f"/size/{size}", "-w", "%{http_version}")
    assert done.stdout == origin_lib.body(size) + b"2", done.stderr


@pytest.mark.parametrize("size", SIZES)
def test_f22_from_http1_to_http2(start, new_site, tmp_path, size):
    gate = start(new_site)
    for path in (f"/size/{size}", f"/stream/{size}"):
        done = curl(gate, path, "-w", "%{http_version}", version="--http1.1")
        assert done.stdout == origin_lib.body(size) + b"1.1", done.stderr
    upload = tmp_path / "upload"
    upload.write_bytes(origin_lib.body(size))
    for words in ((), ("-H", "Transfer-Encoding: chunked")):
        done = curl(gate, "/echo", "--data-binary", f"@{upload}", *words, version="--http1.1")
        assert done.stdout == origin_lib.body(size), done.stderr
    assert new_site.connections == ["h2"]


@pytest.mark.parametrize("size", SIZES)
def test_f22_from_http2_to_http2(start, new_site, size):
    gate = start(new_site)
    client = connect(gate)
    for path in (f"/size/{size}", f"/stream/{size}"):
        answer = client.get(path)
        assert answer.status == 200 and answer.ended and answer.reset is None
        assert answer.body == origin_lib.body(size)
    answer = client.wait(client.ask("/echo", "POST", body=origin_lib.body(size)))
    assert answer.body == origin_lib.body(size)
    assert new_site.connections == ["h2"]


def test_f22_trailers_go_both_ways_in_any_pairing(start, new_site, old_site):
    gate = start(new_site)
    client = connect(gate)
    answer = client.get("/trailers")
    assert answer.body == b"hello" and answer.trailers == [("x-sum", "1")]
    client.wait(client.ask("/echo", "POST", body=b"abc", trailers=[("x-more", "2")]))
    assert ("x-more", "2") in new_site.requests[-1][1] and new_site.requests[-1][2] == b"abc"
    with open_tls(gate, alpn=["http/1.1"]) as one:
        one.sendall(f"POST /trailers HTTP/1.1\r\nHost: {NAME}:{new_site.port}\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-More: 3\r\n\r\n".encode())
        heard = b""
        while b"\r\n\r\n" not in heard.partition(b"0\r\n")[2]:
            heard += one.recv(65536)
        assert heard.endswith(b"5\r\nhello\r\n0\r\nx-sum: 1\r\n\r\n")
    assert ("x-more", "3") in new_site.requests[-1][1]
    other = start(old_site)
    answer = connect(other).get("/trailers")
    assert answer.ended and answer.trailers, answer.headers


def test_heads_without_a_body_and_interim_answers(start, new_site, old_site):
    for site in (new_site, old_site):
        gate = start(site)
        client = connect(gate)
        answer = client.get("/size/1000", method="HEAD")
        assert answer.status == 200 and answer.body == b"" and answer.ended
        answer = client.get("/interim/5")
        assert answer.status == 200 and answer.ended
        assert dict(answer.interim[-1])[":status"] == "103"
    assert client.get("/status/204").status == 204
    assert client.get("/status/304").status == 304


def test_many_streams_share_one_connection_and_are_not_mixed_up(start, new_site):
    gate = start(new_site)
    client = connect(gate)
    client.get("/page")
    sizes = [1000 * number + number for number in range(90)]
    streams = [client.ask(f"/size/{size}") for size in sizes]
    for size, answer in zip(sizes, client.wait(*streams)):
        assert hashlib.sha256(answer.body).hexdigest() == origin_lib.digest(size)
    other = connect(gate)
    assert other.get("/page").status == 200
    assert new_site.connections == ["h2"]


def test_each_request_over_http2_is_one_event(start, new_site):
    gate = start(new_site)
    client = connect(gate)
    client.wait(*[client.ask(f"/size/{number}?n={number}") for number in range(20)])
    seen = [event for event in gate.events() if event["host"] == NAME]
    assert sorted({event["path"] for event in seen}) == sorted(f"/size/{n}" for n in range(20))
    assert len({event["id"] for event in seen}) == 20
    assert {event["scheme"] for event in seen} == {"https"}
    assert {event["person"] for event in seen} == {"person-1"}


@pytest.mark.parametrize("size", [10, 3000, 300000])
def test_f27_a_refused_post_shows_its_page_over_http2(start, old_site, size):
    gate = start(old_site)
    client = connect(gate, CLOSED)
    stream = client.ask("/p", "POST", [("content-length", str(size))], body=b"x" * size)
    answer = client.wait(stream)
    assert answer.status == 403, answer.reset
    assert b"This page is closed in school" in answer.body and answer.body.endswith(b"</html>\n")
    assert answer.reset in (None, 0)  # NO_ERROR: the rest of the body is not wanted
    done = gate.curl("--cacert", gate.ca, "--http2", "--data-binary", "x" * min(size, 100000),
                     f"https://{CLOSED}:{gate.site.port}/p")
    assert done.returncode == 0 and b"This page is closed in school" in done.stdout, done.stderr


def test_f27_a_refused_site_shows_its_page_over_http2(start, old_site):
    gate = start(old_site)
    answer = connect(gate, CLOSED).get("/spin")
    assert answer.status == 403 and answer.ended
    event, = [one for one in gate.events() if one["host"] == CLOSED]
    assert event["id"].encode() in answer.body and event["path"] == "/spin"


def test_another_site_on_the_same_connection_is_421(start, new_site):
    gate = start(new_site)
    client = connect(gate)
    head = [(":method", "GET"), (":scheme", "https"), (":authority", f"{CLOSED}:{new_site.port}"),
            (":path", "/x")]
    answer = client.wait(client.ask("/x", head=head))
    assert answer.status == 421 and new_site.requests == []
    assert client.get("/page").status == 200


def test_a_websocket_over_http2(start, old_site):
    gate = start(old_site)
    client = connect(gate, strict=False)
    head = [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"),
            (":authority", client.authority), (":path", "/ws"), ("sec-websocket-version", "13")]
    stream = client.ask("/ws", head=head, end=False)
    while not client.answers[stream].headers:
        client.read()
    assert client.answers[stream].status == 200
    assert "sec-websocket-accept" not in client.answers[stream].fields
    frame = b"\x81\x85\x01\x02\x03\x04" + bytes(c ^ k for c, k in zip(b"hello", b"\x01\x02\x03\x04\x01"))
    client.send(stream, frame, end=False)
    while len(client.answers[stream].body) < 7:
        client.read()
    assert client.answers[stream].body == b"\x81\x05hello"
    client.send(stream, b"\x88\x80\x00\x00\x00\x00", end=True)
    answer = client.wait(stream)
    assert answer.reset in (None, 0)
    answer = client.wait(client.ask("/page", head=[*head[:4], (":path", "/page"), head[5]], end=False))
    assert answer.status != 200  # no WebSocket: a 200 would say that it is one


# --- the connection's end --------------------------------------------------------------------------------

def test_f22_who_is_not_inspected_any_more_asks_again_on_another_connection(start, old_site):
    gate = start(old_site)
    client = connect(gate)
    assert client.get("/page").status == 200
    slow = client.ask("/slow/20/100")
    gate.write_state({"lodge_state": 1})
    while client.goaway is None and not client.closed:
        client.read()
    assert client.goaway == 0
    answer = client.wait(slow)  # what was open goes on
    assert answer.ended and answer.body == origin_lib.body(20)
    while not client.closed:
        client.read()
    assert open_tls_of_site(gate) == 0


def open_tls_of_site(gate):
    """curl's code for a visit that knows the site's own certificate only."""
    return gate.curl("--cacert", gate.site.certificate,
                     f"https://{NAME}:{gate.site.port}/page").returncode


def test_a_gate_that_stops_lets_streams_end(start, old_site):
    gate = start(old_site)
    client = connect(gate)
    slow = client.ask("/slow/20/50")
    while not client.answers[slow].headers:
        client.read()
    stopper = threading.Thread(target=gate.stop)
    stopper.start()
    answer = client.wait(slow)
    assert answer.ended and answer.body == origin_lib.body(20)
    while not client.closed:
        client.read()
    assert client.goaway == 0
    stopper.join()


def test_a_client_that_goes_leaves_no_stream_behind(start, old_site):
    gate = start(old_site)
    client = connect(gate)
    old_site.requests.clear()
    for _ in range(10):
        client.ask("/hang")
    until = time.monotonic() + BOUND_SECONDS
    while len(old_site.requests) < 10:
        assert time.monotonic() < until
        time.sleep(0.05)
    client.session.close()
    while len(closed := [one for one in gate.events() if one["kind"] == "close"]) < 10:
        assert time.monotonic() < until, closed
        time.sleep(0.05)
    assert {event["end"] for event in closed} == {"client"}


# --- origins that refuse or lie ------------------------------------------------------------------------

def test_a_request_that_the_origin_did_not_look_at_is_asked_again(start, new_site):
    gate = start(new_site)
    assert connect(gate).get("/refuse", method="POST").body == b"a page by HTTP/2"
    assert new_site.connections == ["h2", "h2"]


def test_an_origin_may_ask_for_http1(start, new_site):
    gate = start(new_site)
    assert connect(gate).get("/http1").body == b"a page by HTTP/1.1"
    assert new_site.connections == ["h2", "http/1.1"]


@pytest.mark.parametrize("lie", sorted(h2_origin.LIES))
def test_an_origin_that_lies_over_http2_is_not_passed_on(start, new_site, lie):
    gate = start(new_site)
    done = curl(gate, f"/lie/{lie}", "-i", version="--http1.1")
    assert b"x-smuggled" not in done.stdout.lower() and b"x-a" not in done.stdout.lower()
    # a page of ours, or an end that tells that this was not all
    assert b" 502 " in done.stdout or done.returncode != 0, done.stdout
    answer = connect(gate).get(f"/lie/{lie}")
    assert answer.status == 502 or answer.reset not in (None, 0)
    assert connect(gate).get("/page").status == 200


# --- smuggling ------------------------------------------------------------------------------------------

SMUGGLED = [
    [("content-length", "5"), ("transfer-encoding", "chunked")],
    [("transfer-encoding", "chunked")],
    [("connection", "keep-alive, x-a"), ("x-a", "b")],
    [("upgrade", "h2c")],
    [("x-a", "b\r\ncontent-length: 3")],
    [("x-a", "b\nhost: slots.example")],
    [("x-a", "b\0c")],
    [("x-a\r\nx-b", "c")],
    [("x a", "b")],
    [("x-a:", "b")],
    [("host", "slots.example")],
    [("content-length", "5"), ("content-length", "6")],
    [("te", "gzip")],
]
PATHS = ["/ HTTP/1.1\r\nHost: slots.example\r\n\r\nGET /x", "/a b", "/a\r\nx: y", "/a\tb", "",
         "a", "http://slots.example/", "//\0"]


@pytest.mark.parametrize("kind", ["old", "new"])
def test_nothing_is_smuggled_out_of_http2(start, old_site, new_site, kind):
    """Whatever a stream says: one request, or none; never two, and never a field more."""
    site = new_site if kind == "new" else old_site
    gate = start(site)
    site.requests.clear()
    for fields in SMUGGLED:
        client = connect(gate, strict=False)
        answer = client.wait(client.ask("/smuggle", "POST", fields, body=b"GET /x HTTP/1.1\r\n\r\n"))
        assert answer.reset not in (None, 0) or client.goaway is not None, fields
    malformed = [event for event in gate.events() if event["reason"] == "malformed"]
    assert len(malformed) >= len(SMUGGLED) // 2 and {event["host"] for event in malformed} == {NAME}
    for path in PATHS:
        client = connect(gate, strict=False)
        answer = client.wait(client.ask(path))
        assert answer.reset not in (None, 0) or answer.status in (400, 421), path
    assert site.requests == []


@pytest.mark.parametrize("body", [b"", b"abcd", b"abcdef", b"abcdeGET /x HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_a_body_is_as_long_as_its_head_says(start, old_site, body):
    gate = start(old_site)
    old_site.requests.clear()
    client = connect(gate, strict=False)
    answer = client.wait(client.ask("/echo", "POST", [("content-length", "5")], body=body))
    assert answer.reset not in (None, 0) or answer.status == 400
    assert connect(gate).get("/page").status == 200
    targets = [target for _, target, _ in old_site.requests]
    assert "/x" not in targets and set(targets) <= {"/echo", "/page"}


# --- floods ---------------------------------------------------------------------------------------------

CALM = 11  # ENHANCE_YOUR_CALM
BOUND_KIB = 24 * 1024  # that a worker may grow by, whatever one client sends


def frame(kind, flags, stream, payload=b""):
    return (len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") +
            payload)


def head(method=b"\x82"):
    """A request's header block: :scheme https, :path /page, :authority."""
    name = f"{NAME}:{PORT[0]}".encode()
    return method + b"\x87\x04\x05/page\x01" + bytes([len(name)]) + name


PORT = [0]


def rapid_reset():
    for stream in range(1, 40001, 2):
        yield frame(1, 5, stream, head()) + frame(3, 0, stream, b"\0\0\0\x08")


def continuations():
    yield frame(1, 1, 1, head())
    for _ in range(20000):
        yield frame(9, 0, 1, b"\x00\x01x\x01y" * 100)


def bomb():
    block = head() + b"\x40\x01x\x7f\xa1\x1e" + b"y" * 4000 + b"\xbe" * 12000
    for stream in range(1, 2001, 2):
        yield frame(1, 5, stream, block)


def pings():
    for _ in range(50000):
        yield frame(6, 0, 0, b"12345678")


def settings():
    for _ in range(50000):
        yield frame(4, 0, 0, b"\0\x04\0\0\0\x01")


def windows():
    yield frame(1, 4, 1, head(b"\x83"))
    for _ in range(50000):
        yield frame(8, 0, 1, b"\0\0\0\x01")


def empty_data():
    yield frame(1, 4, 1, head(b"\x83"))
    for _ in range(50000):
        yield frame(0, 0, 1)


FLOODS = [rapid_reset, continuations, bomb, pings, settings, windows, empty_data]


def bound_of(gate):
    """AddressSanitizer keeps what was freed for a while."""
    return BOUND_KIB * (16 if b"__asan_init" in Path(gate.lodge).read_bytes() else 1)


def worker_memory(gate):
    """Resident KiB of the one worker."""
    pid, = [pid for pid, command in gate.children().items() if " proxy" in command]
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(pid)


def goaways(said):
    """The codes of the GOAWAY frames in these bytes."""
    codes = []
    while len(said) >= 9:
        size = int.from_bytes(said[:3], "big")
        if said[3] == 7 and len(said) >= 17:
            codes.append(int.from_bytes(said[13:17], "big"))
        said = said[9 + size:]
    return codes


def pour(session, pieces):
    """Sends all of it, as far as it is taken."""
    batch = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)
    for piece in [*pieces, b""]:
        batch += piece
        if len(batch) > 65536 or not piece:
            session.sendall(batch)
            batch = b""


@pytest.mark.parametrize("flood", FLOODS, ids=lambda one: one.__name__)
def test_a_flood_ends_the_connection_in_a_bounded_worker(start, old_site, flood):
    gate = start(old_site)
    PORT[0] = old_site.port
    connect(gate).get("/page")
    before = most = worker_memory(gate)
    for _ in range(3):
        session = open_tls(gate)
        said = b""
        try:
            pour(session, flood())
        except OSError:
            pass
        most = max(most, worker_memory(gate))
        try:
            while data := session.recv(65536):
                said += data
        except (ConnectionError, ssl.SSLError):
            pass  # a reset may overtake the last words; a timeout is not caught: it must end
        session.close()
        assert set(goaways(said)) <= {CALM}
    assert most - before < bound_of(gate), (before, most)
    assert connect(gate).get("/page").status == 200


def test_readers_that_do_not_read_are_bounded(start, old_site):
    gate = start(old_site)
    connect(gate).get("/page")
    before = worker_memory(gate)
    clients = [connect(gate) for _ in range(4)]
    for client in clients:
        for _ in range(20):
            client.ask("/size/10000000")
    for _ in range(20):
        assert connect(gate).get("/size/100000").body == origin_lib.body(100000)
    # each stream: a first window, a buffer to the client, one of the origin's reads
    assert worker_memory(gate) - before < 80 * 4 * 64 + bound_of(gate)
