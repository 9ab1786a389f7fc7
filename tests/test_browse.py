# SPDX-License-Identifier: GPL-3.0-or-later
"""Real clients browse through the gate: what is allowed arrives byte for byte, what is blocked shows the
page, and each leaves its event (R96, R99, F32, D13)."""
import hashlib
import http.client
import json
import os
import shutil
import socket
import subprocess
import urllib.request

import pytest

import origin as origin_lib

BLOCKED = "slots.example"
ALLOWED = "volcano.example"


@pytest.fixture
def gate(gates):
    return gates(catalog={"gambling": [BLOCKED], "learning": ["school.example"]},
                 hosts={ALLOWED: "127.0.0.1", BLOCKED: "127.0.0.1", "six.example": "::1"})


def url(origin, path, name=ALLOWED, scheme="http"):
    return f"{scheme}://{name}:{origin.port}{path}"


def digest(data):
    return hashlib.sha256(data).hexdigest()


def events_for(gate, name):
    return [event for event in gate.events() if event["host"] == name]


@pytest.mark.parametrize("size", [0, 1, 1024, 65536, 1000003, 100 * 1024 * 1024])
def test_a_body_of_any_size_arrives_byte_for_byte(gate, origin, size):
    done = gate.curl(url(origin, f"/size/{size}"))
    assert done.returncode == 0, done.stderr
    assert digest(done.stdout) == origin_lib.digest(size)


@pytest.mark.parametrize("path", ["/chunked/300007", "/close/300007", "/interim/300007"])
def test_every_framing_of_an_answer_arrives_byte_for_byte(gate, origin, path):
    done = gate.curl(url(origin, path))
    assert done.returncode == 0, done.stderr
    assert digest(done.stdout) == origin_lib.digest(300007)


def test_an_http_1_0_client_gets_a_chunked_answer_unchunked(gate, origin):
    done = gate.curl("--http1.0", url(origin, "/chunked/300007"))
    assert done.returncode == 0, done.stderr
    assert digest(done.stdout) == origin_lib.digest(300007)


def test_posts_arrive_with_length_chunked_and_with_expect(gate, origin, tmp_path):
    sent = tmp_path / "sent"
    sent.write_bytes(origin_lib.body(3 * 1024 * 1024 + 5))
    for words in ([], ["-H", "Transfer-Encoding: chunked"], ["-H", "Expect: 100-continue"],
                  ["-H", "Expect:"]):
        done = gate.curl("--data-binary", f"@{sent}", *words, url(origin, "/echo"))
        assert done.returncode == 0, (words, done.stderr)
        assert digest(done.stdout) == digest(sent.read_bytes()), words


def test_one_connection_carries_many_requests(gate, origin):
    wanted = [url(origin, f"/size/{size}") for size in (10, 70000, 0, 5)]
    done = gate.curl("-v", *wanted)
    assert done.stdout == b"".join(origin_lib.body(size) for size in (10, 70000, 0, 5))
    assert b"Re-using existing connection" in done.stderr or b"Re-using" in done.stderr


def test_answers_without_a_body_keep_the_connection(gate, origin):
    client = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=60)
    for method, path, status in (("HEAD", "/size/500", 200), ("GET", "/status/204", 204),
                                 ("GET", "/status/304", 304), ("GET", "/status/404", 404),
                                 ("GET", "/size/3", 200)):
        client.request(method, url(origin, path))
        answer = client.getresponse()
        answer.read()
        assert answer.status == status
    client.close()


def test_pipelined_requests_are_answered_in_order(gate, origin):
    with gate.connect() as connection:
        connection.sendall("".join(f"GET {url(origin, f'/size/{n}')} HTTP/1.1\r\n"
                                   f"Host: {ALLOWED}:{origin.port}\r\n\r\n"
                                   for n in (1, 2, 3)).encode())
        answers = connection.makefile("rb")
        for size in (1, 2, 3):
            head = []
            while (line := answers.readline().strip()):
                head.append(line.lower())
            assert head[0].startswith(b"http/1.1 200")
            assert b"content-length: %d" % size in head
            assert answers.read(size) == origin_lib.body(size)


def test_hop_by_hop_headers_stay_here_and_via_is_sent(gate, origin):
    done = gate.curl("-H", "Connection: X-Mine", "-H", "X-Mine: 1", "-H", "X-Forwarded-For: 1.2.3.4",
                     "-H", "Proxy-Connection: keep-alive", "-H", "Keep-Alive: 5", "-H", "TE: trailers",
                     url(origin, "/headers"))
    names = {name.lower(): value for name, value in json.loads(done.stdout)}
    for gone in ("x-mine", "x-forwarded-for", "forwarded", "proxy-connection", "keep-alive",
                 "proxy-authorization"):
        assert gone not in names, gone
    assert "lodge" in names["via"]
    assert names["host"] == f"{ALLOWED}:{origin.port}"


def test_an_origin_on_ipv6(gate):
    with origin_lib.Origin("::1") as six:
        done = gate.curl(url(six, "/size/5000", "six.example"))
        assert done.stdout == origin_lib.body(5000)


def test_wget_browses(gate, origin, tmp_path):
    target = tmp_path / "got"
    environment = dict(os.environ, http_proxy=gate.url, no_proxy="")
    done = subprocess.run(["wget", "-q", "-O", target, url(origin, "/chunked/100000")],
                          env=environment)
    assert done.returncode == 0
    assert digest(target.read_bytes()) == origin_lib.digest(100000)


def test_pythons_client_browses(gate, origin):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"http": gate.url}))
    with opener.open(url(origin, "/size/12345"), timeout=60) as answer:
        assert answer.read() == origin_lib.body(12345)


def test_tls_goes_through_a_tunnel_unchanged(gate, tls_origin):
    for size in (1024, 20 * 1024 * 1024):
        done = gate.curl("--cacert", tls_origin.certificate,
                         url(tls_origin, f"/size/{size}", scheme="https"))
        assert done.returncode == 0, done.stderr
        assert digest(done.stdout) == origin_lib.digest(size)
    kinds = [event["kind"] for event in events_for(gate, ALLOWED)]
    assert kinds.count("open") == kinds.count("close") == 2


def upgrade(connection, head):
    connection.sendall(head.encode())
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(4096)
        assert piece, got
        got += piece
    return got


def test_a_websocket_goes_through(gate, origin):
    with gate.connect() as connection:
        got = upgrade(connection, f"GET {url(origin, '/ws')} HTTP/1.1\r\nHost: {ALLOWED}:{origin.port}"
                      "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
        assert got.startswith(b"HTTP/1.1 101")
        assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in got
        for text in (b"hello", b"x" * 70000):
            frame = b"\x82" + (bytes([128 | len(text)]) if len(text) < 126 else
                               b"\xff" + len(text).to_bytes(8, "big")) + b"\0\0\0\0" + text
            connection.sendall(frame)
            want = b"\x82" + (bytes([len(text)]) if len(text) < 126 else
                              b"\x7f" + len(text).to_bytes(8, "big")) + text
            back = b""
            while len(back) < len(want):
                piece = connection.recv(65536)
                assert piece
                back += piece
            assert back == want


def test_what_is_blocked_shows_the_page_and_says_nothing_of_the_site(gate, origin):
    done = gate.curl("-i", url(origin, "/secret-path?q=words", BLOCKED))
    head, _, page = done.stdout.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 403")
    assert b"no-store" in head.lower()
    assert b"<script" not in page.lower()
    for word in (b"secret-path", b"words"):
        assert word not in page
    event = events_for(gate, BLOCKED)[-1]
    assert event["action"] == "block"
    assert event["id"].encode() in page
    assert event["categories"] == ["gambling"]
    assert event["path"] == "/secret-path"


def test_a_blocked_connect_is_answered_403_inside(gate, tls_origin):
    done = gate.curl("-k", "-w", "%{http_code}", url(tls_origin, "/", BLOCKED, "https"))
    assert done.stdout.endswith(b"403"), done.stderr
    assert events_for(gate, BLOCKED)[-1]["method"] == "GET"


def test_every_request_leaves_exactly_one_event_or_a_pair(gate, origin):
    for n in range(20):
        gate.curl(url(origin, f"/size/{n}"))
    gate.curl(url(origin, "/size/2000000"))
    of_host = events_for(gate, ALLOWED)
    requests = [event for event in of_host if event["kind"] == "request"]
    opens = {event["id"] for event in of_host if event["kind"] == "open"}
    closes = {event["id"] for event in of_host if event["kind"] == "close"}
    assert len(requests) + len(opens) == 21
    assert opens == closes
    assert len({event["id"] for event in of_host}) == 21


def chromium(gate, address, tmp_path):
    program = shutil.which("chromium")
    assert program, "chromium is missing: tools/install test"
    done = subprocess.run(
        [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-dev-shm-usage", f"--user-data-dir={tmp_path / 'profile'}",
         f"--proxy-server={gate.url}", "--proxy-bypass-list=<-loopback>",
         "--ignore-certificate-errors", "--virtual-time-budget=10000", "--dump-dom", address],
        capture_output=True, timeout=300)
    return done.stdout.decode()


def test_chromium_sees_the_page_and_the_block_page(gate, origin, tmp_path):
    assert "Lava is molten rock" in chromium(gate, url(origin, "/page"), tmp_path)
    blocked = chromium(gate, url(origin, "/page", BLOCKED), tmp_path)
    assert "Lava" not in blocked
    assert events_for(gate, BLOCKED)[0]["id"] in blocked


def test_chromium_browses_https_through_a_tunnel(gate, tls_origin, tmp_path):
    assert "Lava is molten rock" in chromium(gate, url(tls_origin, "/page", scheme="https"), tmp_path)


def test_the_gate_answers_for_its_own_name(gate):
    page = gate.curl("http://lodge.internal/")
    assert page.returncode == 0
    assert b"<html" in page.stdout.lower()
    pac = gate.curl("-i", "http://lodge.internal/proxy.pac").stdout
    assert b"application/x-ns-proxy-autoconfig" in pac.lower()
    assert f"PROXY {gate.address}".encode() in pac
    with gate.connect() as connection:  # as a browser that fetches the PAC file without a proxy
        connection.sendall(b"GET /proxy.pac HTTP/1.1\r\nHost: lodge.internal\r\n"
                           b"Connection: close\r\n\r\n")
        got = b""
        while piece := connection.recv(65536):
            got += piece
    assert b"FindProxyForURL" in got


VOICES = {
    "pupils-ks1": ["Stop.", "This page is not for school.", "You have done nothing wrong.",
                   "Show your grown-up."],
    "pupils-ks2": ["This page is closed in school.", "You are not in trouble."],
    "teaching-staff": ["gambling"],
}


@pytest.mark.parametrize("group", sorted(VOICES))
def test_R96_the_page_speaks_to_who_asks(gates, origin, group):
    state = {"lodge_state": 1,
             "people": [{"id": "p-1", "group": group, "agreement": {
                 "signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}}],
             "devices": [{"id": "d-1", "address": "127.0.0.1", "owner": "p-1"}]}
    one = gates(catalog={"gambling": [BLOCKED], "self-harm": ["sad.example"]},
                hosts={BLOCKED: "127.0.0.1"}, state=state)
    page = one.curl(url(origin, "/", BLOCKED)).stdout.decode()
    for sentence in VOICES[group]:
        assert sentence in page
    sensitive = one.curl(url(origin, "/", "sad.example")).stdout.decode().lower()
    if group.startswith("pupils"):
        assert "self-harm" not in sensitive and "self harm" not in sensitive
        assert "p-1" not in page
    event = [event for event in one.events() if event["host"] == BLOCKED][-1]
    assert (event["person"], event["device"], event["group"]) == ("p-1", "d-1", group)


def test_a_full_socket_buffer_does_not_stop_others(gate, origin):
    slow = socket.create_connection(("127.0.0.1", gate.port))
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    slow.sendall(f"GET {url(origin, '/size/50000000')} HTTP/1.1\r\nHost: {ALLOWED}:{origin.port}"
                 "\r\n\r\n".encode())
    for _ in range(5):
        assert gate.curl(url(origin, "/size/100")).stdout == origin_lib.body(100)
    slow.close()


def test_a_device_without_a_name_server_gets_its_pac_file_by_address(gates):
    """As docs/running.md says it: http://GATE:3128/proxy.pac, before anything else is set up."""
    one = gates(private=False)
    for target in (f"http://{one.address}/proxy.pac", f"http://{one.address}/"):
        done = subprocess.run(["curl", "-sS", "--noproxy", "*", "-D", "-", target], capture_output=True)
        assert b" 200 " in done.stdout.splitlines()[0], target
    assert one.events() == [], "the gate's own pages are lifelines, which no view shows"
    through = one.curl("-i", f"http://{one.address}/proxy.pac")
    assert b" 403 " in through.stdout.splitlines()[0], "as a site, the box is inside"
