# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on the gate, each refused or survived (R109, F10, F20, design: attackers).

The pupil who wants past the filter, and the client that wants to confuse it. SECURITY.md names these
tests beside each attack.
"""
import copy
import json
import resource
import socket
import ssl
import struct
import threading

import pytest

import gate as gate_lib
import origin as origin_lib

BLOCKED, ALLOWED = "slots.example", "volcano.example"
BLOCKED_PATH = "mixed.example/bad"


def open_tunnels(policy):
    """A policy whose unknown group may open any tunnel."""
    policy = copy.deepcopy(policy)
    for group in policy["groups"]:
        if group["id"] == policy["unknown_group"]:
            group["tunnels"] = {key: "allow" for key in ("not_tls", "no_sni", "ip_literal",
                                                         "other_ports")}
    return policy


@pytest.fixture
def preset():
    return json.loads(gate_lib.PRESET.read_text())


@pytest.fixture
def gate(gates):
    return gates(
        catalog={"gambling": [BLOCKED, "xn--bcher-kva.example", "127.9.9.9", "2001:db8::bad"],
                 ("gambling", "urls"): [BLOCKED_PATH, "mixed.example/watch?v=1"],
                 ("vpn-proxy", "cidr"): ["127.8.0.0/16"]},
        hosts={name: "127.0.0.1" for name in (ALLOWED, BLOCKED, "mixed.example",
                                              "xn--bcher-kva.example", "xn--slts-6qa.example")}
        | {"rebind.example": "127.8.1.1"})


def exchange(gate, data, timeout=60, end=False):
    """Sends bytes on a connection of their own, reads until the gate closes or says a whole answer."""
    with gate.connect(timeout) as connection:
        connection.sendall(data)
        if end:
            connection.shutdown(socket.SHUT_WR)
        got = b""
        try:
            while piece := connection.recv(65536):
                got += piece
        except (ConnectionResetError, TimeoutError):
            pass
    return got


def status(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else None


def get(gate, target, host=ALLOWED, more=""):
    return exchange(gate, f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{more}\r\n"
                    .encode("latin-1"))


# --- messages that two readers could read in two ways ---

PLAIN = "POST http://{host}:{port}/echo HTTP/1.1\r\nHost: {host}:{port}\r\n"
SMUGGLING = {
    "length and chunked": PLAIN + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": PLAIN + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "two equal lengths": PLAIN + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
    "a list of lengths": PLAIN + "Content-Length: 5, 5\r\n\r\nhello",
    "a signed length": PLAIN + "Content-Length: +5\r\n\r\nhello",
    "a length in hexadecimal": PLAIN + "Content-Length: 0x5\r\n\r\nhello",
    "a length that overflows": PLAIN + "Content-Length: 18446744073709551621\r\n\r\nhello",
    "an empty length": PLAIN + "Content-Length: \r\n\r\n",
    "chunked not last": PLAIN + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "chunked twice": PLAIN + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n",
    "chunked in two headers": PLAIN + "Transfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "a masked coding": PLAIN + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "a quoted coding": PLAIN + 'Transfer-Encoding: "chunked"\r\n\r\n0\r\n\r\n',
    "a tab before the coding's colon": PLAIN + "Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
    "a space before a colon": PLAIN + "Content-Length : 5\r\n\r\nhello",
    "a folded header": PLAIN + "X: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a bare LF": PLAIN + "Content-Length: 0\nX: y\r\n\r\n",
    "a bare CR": PLAIN + "X: a\rContent-Length: 0\r\n\r\n",
    "a NUL": PLAIN + "X: a\0b\r\nContent-Length: 0\r\n\r\n",
    "a header without a colon": PLAIN + "Content-Length\r\n\r\n",
    "an empty header name": PLAIN + ": x\r\n\r\n",
    "a space in a header name": PLAIN + "Content Length: 5\r\n\r\n",
    "a space at the head of the first header": "GET http://{host}:{port}/ HTTP/1.1\r\n Host: {host}\r\n\r\n",
    "two hosts": "GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}\r\nHost: x\r\n\r\n",
    "no host": "GET http://{host}:{port}/ HTTP/1.1\r\n\r\n",
    "chunked in 1.0": "POST http://{host}:{port}/echo HTTP/1.0\r\nHost: {host}\r\n"
                      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown version": "GET http://{host}:{port}/ HTTP/1.2\r\nHost: {host}\r\n\r\n",
    "version 0.9": "GET http://{host}:{port}/\r\n\r\n",
    "a space in the target": "GET http://{host}:{port}/a b HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a tab in the request line": "GET\thttp://{host}:{port}/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "two spaces in the request line": "GET  http://{host}:{port}/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a method that is no token": "G<T http://{host}:{port}/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "user and password in the target": "GET http://u:p@{host}:{port}/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a fragment in the target": "GET http://{host}:{port}/#x HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a port that is none": "GET http://{host}:99999/ HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a CONNECT with a path": "CONNECT {host}:{port}/x HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "a CONNECT without a port": "CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "an asterisk for GET": "GET * HTTP/1.1\r\nHost: {host}\r\n\r\n",
    "another protocol": "SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "the preface of HTTP/2": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
}


@pytest.mark.parametrize("shape", sorted(SMUGGLING))
def test_a_message_with_two_readings_is_refused(gate, origin, shape):
    before = len(origin.requests)
    text = SMUGGLING[shape].replace("{host}", ALLOWED).replace("{port}", str(origin.port))
    answer = exchange(gate, text.encode("latin-1") + b"GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status(answer) == 400, answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1, "what follows a broken message is not read"
    assert len(origin.requests) == before
    assert gate.events()[-1]["reason"] == "malformed"


BAD_CHUNKS = [b"g\r\n", b"-1\r\n", b"0x5\r\nhello\r\n0\r\n\r\n", b"5 \r\nhello\r\n0\r\n\r\n",
              b"5\nhello\r\n0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"5\r\nhello\n0\r\n\r\n",
              b"fffffffffffffffff\r\n", b"5;" + b"x" * 100000 + b"\r\nhello\r\n0\r\n\r\n",
              b"5;a\rb\r\nhello\r\n0\r\n\r\n"]


@pytest.mark.parametrize("chunk", BAD_CHUNKS, ids=lambda chunk: repr(chunk[:12]))
def test_a_broken_chunk_ends_the_connection(gate, origin, chunk):
    head = (f"POST http://{ALLOWED}:{origin.port}/echo HTTP/1.1\r\nHost: {ALLOWED}\r\n"
            "Transfer-Encoding: chunked\r\n\r\n").encode()
    answer = exchange(gate, head + chunk + b"GET http://x.example/smuggled HTTP/1.1\r\nHost: x.example"
                      b"\r\n\r\n")
    assert answer == b"" or status(answer) in (400, 502)
    assert answer.count(b"HTTP/1.1 ") <= 1
    assert not any("smuggled" in target for _, target, _ in origin.requests)


BAD_ANSWERS = {
    "length and chunked": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
    "split head": b"HTTP/1.1 200 OK\r\nX: a\nSet-Cookie: b\r\nContent-Length: 0\r\n\r\n",
    "no status": b"HTTP/1.1 OK\r\n\r\n",
    "not http": b"220 mail.example ESMTP\r\n",
    "folded": b"HTTP/1.1 200 OK\r\nX: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "a 101 that nobody asked for": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
}


@pytest.mark.parametrize("shape", sorted(BAD_ANSWERS))
def test_a_broken_answer_is_a_page_of_ours(gate, origin, shape):
    answer = get(gate, f"http://{ALLOWED}:{origin.port}/raw/{BAD_ANSWERS[shape].hex()}",
                 f"{ALLOWED}:{origin.port}")
    assert status(answer) == 502, answer[:200]


def test_a_head_in_single_bytes_is_one_request(gate, origin):
    data = (f"GET http://{ALLOWED}:{origin.port}/size/3 HTTP/1.1\r\nHost: {ALLOWED}\r\n"
            "Connection: close\r\n\r\n").encode()
    with gate.connect() as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in data:
            connection.sendall(bytes([byte]))
        got = b""
        while piece := connection.recv(65536):
            got += piece
    assert got.endswith(origin_lib.body(3))


def test_a_head_beyond_the_limits_is_refused(gate):
    for text in ("GET http://volcano.example/" + "a" * 20000 + " HTTP/1.1\r\nHost: volcano.example\r\n\r\n",
                 "GET http://volcano.example/ HTTP/1.1\r\nHost: volcano.example\r\n"
                 + "".join(f"X-{n}: y\r\n" for n in range(200)) + "\r\n",
                 "GET http://volcano.example/ HTTP/1.1\r\nHost: volcano.example\r\nX: "
                 + "a" * 70000 + "\r\n\r\n"):
        assert status(exchange(gate, text.encode())) in (400, 414, 431)


# --- the same site by another name ---

SPELLINGS = [BLOCKED, BLOCKED.upper(), "SlOtS.eXaMpLe", BLOCKED + ".", "www." + BLOCKED, "a.b." + BLOCKED,
             "sl%6fts.example", "%73lots.example", "slots%2eexample",
             "xn--bcher-kva.example", "127.9.9.9", "0177.9.9.9", "0x7f.9.9.9", "127.9.2313", "2131298569",
             "0x7f090909", "017702204411", "127.9.9.9.", "127.009.09.011", "[::ffff:127.9.9.9]",
             "[::ffff:7f09:909]", "[0:0:0:0:0:ffff:127.9.9.9]", "[2001:db8::bad]",
             "[2001:0DB8:0:0:0:0:0:0BAD]"]


@pytest.mark.parametrize("host", SPELLINGS)
def test_every_spelling_of_a_blocked_host_is_blocked(gate, origin, host):
    answer = get(gate, f"http://{host}:{origin.port}/size/5", host)
    assert status(answer) in (400, 403), answer[:100]
    assert origin_lib.body(5) not in answer.partition(b"\r\n\r\n")[2] or b"<html" in answer.lower()
    connection, code = tunnel(gate, f"{host}:443")
    assert code == 400 or status(ask_inside(connection, None, host)) == 403


def test_a_look_alike_is_another_site(gate, origin):
    """An IDN look-alike of a blocked name is not that name; nor is a name that ends in it."""
    for host in ("xn--slts-6qa.example", "xslots.example"):
        answer = get(gate, f"http://{host}:{origin.port}/size/5", host)
        assert status(answer) != 403, host


PATHS = ["/bad", "/bad/", "/bad/worse", "/bad?x=1", "//bad", "/./bad", "/x/../bad", "/%62ad", "/b%61d",
         "/x/%2e%2e/bad", "/x/.%2E/bad", "/%2e/bad", "///bad//", "/bad;x", "/watch?v=1", "/watch?a=b&v=1",
         "/watch?v=1&t=3", "/%2Fbad", "/%2fbad%2F", "/x%2F..%2fbad", "/bad%2Fx", "/x/%2e%2e%5cbad"]


@pytest.mark.parametrize("path", PATHS)
def test_every_spelling_of_a_blocked_path_is_blocked(gate, origin, path):
    answer = get(gate, f"http://mixed.example:{origin.port}{path}", "mixed.example")
    if path == "/bad;x":  # another segment: not the listed path
        assert status(answer) == 200
    else:
        assert status(answer) == 403, answer[:100]


@pytest.mark.parametrize("path", ["/", "/badly", "/good", "/watch", "/watch?v=2", "/x/bad"])
def test_its_neighbours_are_open(gate, origin, path):
    assert status(get(gate, f"http://mixed.example:{origin.port}{path}", "mixed.example")) == 200


def test_the_host_header_does_not_decide(gate, origin):
    """RFC 9112 section 3.2.2: the target's authority holds; Host is replaced by it."""
    assert status(get(gate, f"http://{BLOCKED}:{origin.port}/", ALLOWED)) == 403
    answer = get(gate, f"http://{ALLOWED}:{origin.port}/headers", BLOCKED)
    assert status(answer) == 200
    names = dict(json.loads(answer.partition(b"\r\n\r\n")[2]))
    assert names["Host"] == f"{ALLOWED}:{origin.port}"


def test_an_origin_form_target_is_explained(gate, origin):
    answer = exchange(gate, f"GET / HTTP/1.1\r\nHost: {ALLOWED}\r\nConnection: close\r\n\r\n".encode())
    assert status(answer) == 400
    assert b"proxy" in answer.lower()


# --- tunnels ---

def tunnel(gate, target):
    connection = gate.connect()
    connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode())
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        if not piece:
            break
        got += piece
    return connection, status(got)


def tls_inside(connection, name, alpn=None):
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(alpn)
    return context.wrap_socket(connection, server_hostname=name)


def ask_inside(connection, name, host):
    """What a request inside gets, whoever answers the TLS."""
    inside = tls_inside(connection, name)
    inside.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    got = b""
    while piece := inside.recv(65536):
        got += piece
    return got


def test_a_tunnel_whose_hello_names_a_blocked_site_is_refused_inside(gate, tls_origin):
    before = len(tls_origin.requests)
    connection, code = tunnel(gate, f"{ALLOWED}:{tls_origin.port}")
    assert code == 200
    assert status(ask_inside(connection, BLOCKED, f"{BLOCKED}:{tls_origin.port}")) == 403
    assert len(tls_origin.requests) == before
    event = [event for event in gate.events() if event["host"] == ALLOWED][-1]
    assert event["action"] == "block"


def test_a_tunnel_whose_hello_agrees_is_open(gate, tls_origin):
    connection, code = tunnel(gate, f"{ALLOWED}:{tls_origin.port}")
    assert code == 200
    inside = tls_inside(connection, ALLOWED)
    inside.sendall(f"GET /size/9 HTTP/1.1\r\nHost: {ALLOWED}\r\nConnection: close\r\n\r\n".encode())
    got = b""
    while piece := inside.recv(65536):
        got += piece
    assert got.endswith(origin_lib.body(9))


def test_a_blocked_target_with_an_innocent_hello_is_refused(gate, tls_origin):
    before = len(tls_origin.requests)
    connection, code = tunnel(gate, f"{BLOCKED}:{tls_origin.port}")
    assert code == 200
    assert status(ask_inside(connection, ALLOWED, f"{ALLOWED}:{tls_origin.port}")) == 403
    assert len(tls_origin.requests) == before


def test_a_tunnel_without_a_name_is_refused_inside(gate, tls_origin):
    before = len(tls_origin.requests)
    connection, code = tunnel(gate, f"{ALLOWED}:{tls_origin.port}")
    assert code == 200
    assert status(ask_inside(connection, None, f"{ALLOWED}:{tls_origin.port}")) == 403
    assert len(tls_origin.requests) == before


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"SSH-2.0-x\r\n", b"\x00" * 40,
                                   b"\x16\x03\x01\x00\x05\x02\x00\x00\x01\x00",
                                   b"\x16\x03\x01\x40\x01" + b"\x01" * 17000])
def test_a_tunnel_that_is_not_tls_is_closed(gate, origin, first):
    before = len(origin.requests)
    connection, code = tunnel(gate, f"{ALLOWED}:{origin.port}")
    assert code == 200
    try:
        connection.sendall(first)
        assert connection.recv(100) == b""
    except ConnectionError:
        pass
    assert len(origin.requests) == before


def test_the_hello_may_come_in_pieces(gate, tls_origin):
    """Split at every few bytes over reads, as a slow network or an evader would. A blocked name is
    answered by the gate's TLS: the site sees nothing of it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    for name, is_open in ((ALLOWED, True), (BLOCKED, False)):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        machine = context.wrap_bio(incoming, outgoing, server_hostname=name)
        with pytest.raises(ssl.SSLWantReadError):
            machine.do_handshake()
        hello = outgoing.read()
        connection, code = tunnel(gate, f"{ALLOWED}:{tls_origin.port}")
        before = len(gate.events())
        assert code == 200
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # One handshake message over many records, each in reads of its own (RFC 8446 section 5.1).
        message = hello[5:]
        try:
            for at in range(0, len(message), 40):
                part = message[at:at + 40]
                connection.sendall(b"\x16\x03\x01" + struct.pack(">H", len(part)))
                connection.sendall(part)
            got = connection.recv(100)
        except ConnectionError:
            got = b""
        assert got[:1] == b"\x16", name
        assert all(event["action"] == "allow" for event in gate.events()[before:]) == is_open, name
        connection.close()


def test_tunnels_to_addresses_and_odd_ports_are_refused_for_visitors(gates, tls_origin):
    one = gates(hosts={ALLOWED: "203.0.113.9"}, private=False)
    for port in (22, 8443, 80):
        assert tunnel(one, f"{ALLOWED}:{port}")[1] == 403, port
    for host in ("203.0.113.9", "[2001:db8::9]", "3405803785", "0xcb.0.0x7109"):
        for name, inside in ((None, host), (ALLOWED, ALLOWED)):
            connection, code = tunnel(one, f"{host}:443")
            assert code == 200 and status(ask_inside(connection, name, inside)) == 403, host


# --- the inside of the school, and the address behind a name ---

@pytest.mark.parametrize("target", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.1", "[::1]",
                                    "[::ffff:127.0.0.1]", "10.0.0.1", "192.168.1.1", "169.254.169.254",
                                    "100.64.0.1", "0.0.0.0", "[::]", "[fe80::1]", "[fd00::1]",
                                    "inside.example", "[64:ff9b::7f00:1]"])
def test_the_inside_is_refused(gates, origin, target):
    one = gates(hosts={"inside.example": "127.0.0.1", "localhost": "127.0.0.1"}, private=False)
    before = len(origin.requests)
    assert status(get(one, f"http://{target}:{origin.port}/", target)) in (400, 403)
    assert len(origin.requests) == before


def test_a_name_that_points_at_a_blocked_address_is_blocked(gate, origin):
    """DNS rebinding: what the name resolves to is decided too, and it is what would be dialled."""
    answer = get(gate, f"http://rebind.example:{origin.port}/", "rebind.example")
    assert status(answer) == 403
    assert "vpn-proxy" in [event for event in gate.events() if event["host"] == "rebind.example"
                           ][-1]["categories"]


def test_the_gate_does_not_loop_into_itself(gate):
    answer = get(gate, f"http://127.0.0.1:{gate.port}/", f"127.0.0.1:{gate.port}")
    assert status(answer) in (400, 403, 502, 508)
    direct = exchange(gate, f"GET http://{ALLOWED}:{gate.port}/ HTTP/1.1\r\nHost: {ALLOWED}:{gate.port}"
                      "\r\nConnection: close\r\n\r\n".encode())
    assert status(direct) in (400, 403, 502, 508)


# --- clients that are slow, many or half there ---

def test_slow_heads_do_not_hold_up_others(gates, origin):
    one = gates(hosts={ALLOWED: "127.0.0.1"}, options=["--head-timeout", "2s"])
    slow = [one.connect() for _ in range(200)]
    for connection in slow:
        connection.sendall(b"GET http://volcano.example/ HTTP/1.1\r\nX: ")
    assert one.curl(f"http://{ALLOWED}:{origin.port}/size/10").stdout == origin_lib.body(10)
    for connection in slow:  # each is answered 408 or closed when its time is up, however it drips
        connection.settimeout(60)
        try:
            connection.sendall(b"y")
            assert status(connection.recv(65536)) in (408, None)
        except ConnectionError:
            pass
        connection.close()


def test_a_half_closed_client_still_gets_its_answer(gate, origin):
    answer = exchange(gate, f"GET http://{ALLOWED}:{origin.port}/size/70000 HTTP/1.1\r\n"
                      f"Host: {ALLOWED}\r\n\r\n".encode(), end=True)
    assert answer.endswith(origin_lib.body(70000)[-100:])


def test_a_half_open_tunnel_passes_the_end_on(gates, preset):
    listener = socket.create_server(("127.0.0.1", 0))
    one = gates(policy=open_tunnels(preset), hosts={ALLOWED: "127.0.0.1"})
    got = []

    def serve():
        peer, _ = listener.accept()
        while piece := peer.recv(65536):
            got.append(piece)
        peer.sendall(b"after the end")
        peer.close()

    thread = threading.Thread(target=serve)
    thread.start()
    connection, code = tunnel(one, f"{ALLOWED}:{listener.getsockname()[1]}")
    assert code == 200
    connection.sendall(b"hello")
    connection.shutdown(socket.SHUT_WR)
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    thread.join(60)
    listener.close()
    assert b"".join(got) == b"hello"
    assert answer == b"after the end"


def test_ten_thousand_idle_tunnels_are_held(gates, preset):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = 10000
    if hard != resource.RLIM_INFINITY and hard < 2 * count + 1000:
        count = hard // 2 - 500
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 2 * count + 1000)
                                                if hard != resource.RLIM_INFINITY
                                                else 2 * count + 1000, hard))
    listeners = [socket.create_server((f"127.0.1.{n}", 0), backlog=4096) for n in range(1, 5)]
    one = gates(policy=open_tunnels(preset),
                hosts={f"idle{n}.example": f"127.0.1.{n}" for n in range(1, 5)})
    held, peers, stop = [], [], threading.Event()

    def accept(listener):
        listener.settimeout(0.5)
        while not stop.is_set():
            try:
                peers.append(listener.accept()[0])
            except TimeoutError:
                pass

    threads = [threading.Thread(target=accept, args=(listener,)) for listener in listeners]
    for thread in threads:
        thread.start()
    try:
        for n in range(count):
            which = n % len(listeners)
            connection, code = tunnel(
                one, f"idle{which + 1}.example:{listeners[which].getsockname()[1]}")
            assert code == 200, f"tunnel {n}"
            connection.sendall(b"x")
            held.append(connection)
        held[0].sendall(b"still here")
        held[-1].sendall(b"still here")
        assert len(one.children()) >= 2
        assert one.curl("http://lodge.internal/").returncode == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()
        for connection in held + peers + listeners:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_credentials_never_reach_an_origin_or_the_log(gate, origin):
    gate.curl("--proxy-user", "p-1:sesame-secret", f"http://{ALLOWED}:{origin.port}/headers")
    assert not any("sesame" in str(fields) for _, _, fields in origin.requests)
    assert "sesame" not in "".join(gate.log)
    assert "c2VzYW1l" not in "".join(gate.log)
