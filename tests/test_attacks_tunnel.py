# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks through tunnels and upgrades: first bytes that mislead, ends that hang, rights that end
while a tunnel is open (R109, design section 3)."""
import copy
import datetime
import json
import socket
import ssl
import struct
import subprocess
import threading
import time

import gate as gate_lib
import pytest

NAME, BLOCKED, GRANTED = "volcano.example", "slots.example", "games.example"


@pytest.fixture
def preset():
    return json.loads(gate_lib.PRESET.read_text())


def open_tunnels(policy):
    policy = copy.deepcopy(policy)
    for group in policy["groups"]:
        if group["id"] == policy["unknown_group"]:
            group["tunnels"] = {key: "allow" for key in ("not_tls", "no_sni", "ip_literal",
                                                         "other_ports")}
    return policy


@pytest.fixture
def gate(gates):
    return gates(catalog={"gambling": [BLOCKED]}, hosts={NAME: "127.0.0.1", BLOCKED: "127.0.0.1"},
                 workers=1, options=["--hello-timeout", "3s"])


class Listener:
    """A site that records what it gets and sends what it is told."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def accept(self):
        self.socket.settimeout(60)
        peer, _ = self.socket.accept()
        peer.settimeout(60)
        return peer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


def connect(gate, target, behind=b"", more=""):
    connection = gate.connect(60)
    connection.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{more}\r\n".encode() + behind)
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(1)
        if not piece:
            return connection, None
        got += piece
    return connection, int(got.split(b" ", 2)[1])


def hello_for(name):
    """A real ClientHello for a name."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    machine = context.wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        machine.do_handshake()
    return outgoing.read()


def rename(hello, old, new):
    """The same hello with another name of the same length in it."""
    assert len(old) == len(new) and hello.count(old) == 1
    return hello.replace(old, new)


def ended(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


def closing(gate, host):
    """The closing events of a host's tunnels, once the gate has told of them."""
    assert gate.curl("http://lodge.internal/").returncode == 0
    return [event for event in gate.events() if event["host"] == host and event["kind"] == "close"]


# --- the first bytes ---

NAMES = [
    ("Volcano.Example", True), ("VOLCANO.EXAMPLE", True), ("volcano.example", True),
    ("slots.example", False), ("SLOTS.example", False),
]


@pytest.mark.parametrize("name,is_open", NAMES)
def test_the_name_in_the_hello_is_read_as_the_target_is(gate, name, is_open):
    hello = rename(hello_for(name.lower()), name.lower().encode(), name.encode())
    with Listener() as site:
        connection, code = connect(gate, f"{NAME}:{site.port}")
        assert code == 200
        peer = site.accept()
        connection.sendall(hello)
        if is_open:
            assert peer.recv(65536) == hello
        else:
            # The site is left, and TLS is answered here: the page of the refusal lies inside.
            assert peer.recv(65536) == b"" and connection.recv(3) == b"\x16\x03\x03"
        connection.close()


@pytest.mark.parametrize("name", ["slots.exampl\0e", "10.0.0.1", "2130706433",
                                  ".slots.example", "slots..example", "slots.example:443", "*.example",
                                  "x" * 64 + ".example", "vol\xffcano.example"])
def test_a_name_that_is_none_is_refused(gate, name):
    raw = name.encode("latin-1")
    fake = "a" * min(len(raw), 60) + ("." + "a" * (len(raw) - 61) if len(raw) > 61 else "")
    hello = rename(hello_for(fake), fake.encode(), raw)
    with Listener() as site:
        connection, code = connect(gate, f"{NAME}:{site.port}")
        assert code == 200
        peer = site.accept()
        connection.sendall(hello)
        assert peer.recv(65536) == b"" and ended(connection)


def test_a_hello_sent_before_the_200_is_examined_all_the_same(gate):
    with Listener() as site:
        for name, is_open in ((NAME, True), (BLOCKED, False)):
            hello = hello_for(name)
            connection, code = connect(gate, f"{NAME}:{site.port}", behind=hello)
            assert code == 200
            peer = site.accept()
            assert peer.recv(65536) == (hello if is_open else b"")
            connection.close()


def test_a_hello_behind_a_head_in_pieces_is_examined_too(gate):
    hello = hello_for(NAME)
    with Listener() as site:
        connection = gate.connect(60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"CONNECT {NAME}:{site.port} HTTP/1.1\r\nHost: {NAME}:{site.port}\r\n\r\n".encode()
        connection.sendall(head[:20])
        assert gate.curl("http://lodge.internal/").returncode == 0
        connection.sendall(head[20:] + hello)
        assert site.accept().recv(65536) == hello


def two_names(hello, second):
    """The hello with a second entry in its list of names (RFC 6066 section 3 forbids it)."""
    name = NAME.encode()
    at = hello.index(name)
    entry = b"\0" + struct.pack(">H", len(second)) + second
    out = bytearray(hello[:at + len(name)] + entry + hello[at + len(name):])
    extra = len(entry)

    def grow(place, size):
        value = int.from_bytes(out[place:place + size], "big") + extra
        out[place:place + size] = value.to_bytes(size, "big")

    grow(at - 5, 2)  # the list of names
    grow(at - 7, 2)  # the extension
    grow(3, 2)       # the record
    grow(6, 3)       # the message
    session = 5 + 4 + 2 + 32
    ciphers = session + 1 + out[session]
    methods = ciphers + 2 + int.from_bytes(out[ciphers:ciphers + 2], "big")
    grow(methods + 1 + out[methods], 2)  # all extensions
    return bytes(out)


def test_two_names_in_one_hello_are_refused(gate):
    with Listener() as site:
        connection, code = connect(gate, f"{NAME}:{site.port}")
        peer = site.accept()
        connection.sendall(two_names(hello_for(NAME), BLOCKED.encode()))
        assert peer.recv(65536) == b"" and ended(connection)


def test_the_hello_that_never_ends_is_closed_in_time(gate):
    with Listener() as site:
        connection, code = connect(gate, f"{NAME}:{site.port}")
        peer = site.accept()
        connection.sendall(hello_for(NAME)[:100])
        assert ended(connection) and peer.recv(1) == b""
    assert closing(gate, NAME)[-1]["end"] == "timeout"


def test_a_connect_with_a_body_is_no_way_in(gate):
    with Listener() as site:
        connection, code = connect(gate, f"{NAME}:{site.port}", more="Content-Length: 5\r\n",
                                   behind=b"hello" + hello_for(NAME))
        if code == 200:
            assert site.accept().recv(65536) == b""
        else:
            assert code == 400


def test_a_site_that_leaves_during_the_hello_ends_the_tunnel(gate):
    with Listener() as site:
        connection, code = connect(gate, f"{NAME}:{site.port}")
        peer = site.accept()
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        peer.close()
        assert ended(connection)


# --- upgrades ---

UPGRADE = ("GET http://{host}/up HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\n"
           "Upgrade: {token}\r\n\r\n")


def upgrade(gate, site, token, answer, behind=b""):
    connection = gate.connect(60)
    connection.sendall(UPGRADE.format(host=f"{NAME}:{site.port}", token=token).encode() + behind)
    peer = site.accept()
    got = b""
    while b"\r\n\r\n" not in got:
        got += peer.recv(65536)
    peer.sendall(answer)
    return connection, peer, got


@pytest.mark.parametrize("token,answer", [
    ("websocket", b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
    ("websocket", b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\n\r\n"),
    ("websocket", b"HTTP/1.1 101 x\r\nUpgrade: websocket\r\n\r\n"),
    ("h2c", b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"),
])
def test_a_switch_that_nobody_offered_is_refused(gate, token, answer):
    with Listener() as site:
        connection, peer, _ = upgrade(gate, site, token, answer)
        assert connection.recv(65536).startswith(b"HTTP/1.1 502")
        assert peer.recv(1) == b""


def test_a_request_pipelined_behind_an_upgrade_that_is_declined_is_decided_on(gate):
    """It must not reach the site as bytes of a tunnel."""
    behind = f"GET http://{BLOCKED}/ HTTP/1.1\r\nHost: {BLOCKED}\r\nConnection: close\r\n\r\n".encode()
    with Listener() as site:
        connection, peer, got = upgrade(gate, site, "websocket",
                                        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nno", behind)
        assert BLOCKED.encode() not in got
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
        assert answer.startswith(b"HTTP/1.1 200") and b"HTTP/1.1 403" in answer


# --- rights that end ---

SIGNED = {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}


def state_with_grant(until):
    return {"lodge_state": 1, "people": [{"id": "teacher", "group": "teaching-staff", "agreement": SIGNED}],
            "devices": [
        {"id": "d-1", "address": "127.0.0.1", "class": "room", "group": "pupils-ks2",
         "supervisor": "teacher", "supervised_until": "2099-01-01T00:00Z"}],
        "grants": [{"id": "g-1", "kind": "lesson", "people": [], "groups": ["pupils-ks2"], "devices": [],
                    "matches": [GRANTED], "categories": [], "from": "2020-01-01T00:00Z",
                    "until": until}]}


def download(gate, site, name):
    """A download under way: (client's connection, site's connection)."""
    connection = gate.connect(60)
    connection.sendall(f"GET http://{name}:{site.port}/long HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    peer = site.accept()
    assert peer.recv(65536).startswith(b"GET /long")
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 400)
    got = b""
    while not got.endswith(b"x" * 400):
        got += connection.recv(65536)
    return connection, peer


def open_tunnel(gate, site, name):
    connection, code = connect(gate, f"{name}:{site.port}")
    assert code == 200, name
    peer = site.accept()
    hello = hello_for(name)
    connection.sendall(hello)
    assert peer.recv(65536) == hello
    return connection, peer


def check_swap(gate, site, change):
    """After the change what the grant had opened is closed, and nothing else."""
    lost = [open_tunnel(gate, site, GRANTED), download(gate, site, GRANTED)]
    kept = [open_tunnel(gate, site, NAME), download(gate, site, NAME)]
    change()
    for connection, peer in lost:
        assert ended(connection) and ended(peer)
    for number, (connection, peer) in enumerate(kept):
        peer.sendall(b"y" * 600)
        got = b""
        while len(got) < 600:
            piece = connection.recv(65536)
            assert piece, number
            got += piece
        assert got == b"y" * 600
        connection.close()
    assert [event["end"] for event in closing(gate, GRANTED)] == ["policy", "policy"]


def the_granted(gates, until="2099-01-01T00:00Z", **more):
    """A gate that inspects nothing, so that what a grant opens is a tunnel."""
    policy = json.loads(gate_lib.PRESET.read_text())
    for group in policy["groups"]:
        group["inspect"] = "tunnel"
    return gates(catalog={"games": [GRANTED]}, hosts={NAME: "127.0.0.1", GRANTED: "127.0.0.1"}, workers=1,
                 state=state_with_grant(until), **{"policy": policy, **more})


def test_a_grant_that_is_taken_away_closes_what_it_opened_and_nothing_else(gates):
    gate = the_granted(gates)
    with Listener() as site:
        check_swap(gate, site, lambda: gate.write_state(state_with_grant("2020-01-02T00:00Z")))


def test_a_grant_that_ends_by_itself_closes_what_it_opened_and_nothing_else(gates):
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=8)
    gate = the_granted(gates, end.strftime("%Y-%m-%dT%H:%M:%SZ"))
    with Listener() as site:
        check_swap(gate, site, lambda: None)


def test_a_new_policy_closes_tunnels_that_it_no_longer_allows(gates, preset):
    gate = gates(catalog={"games": [GRANTED]}, hosts={NAME: "127.0.0.1"}, workers=1,
                 policy=open_tunnels(preset))
    with Listener() as site:
        raw, code = connect(gate, f"{NAME}:{site.port}")
        assert code == 200
        raw_peer = site.accept()
        raw.sendall(b"SSH-2.0-x\r\n")
        assert raw_peer.recv(100) == b"SSH-2.0-x\r\n"
        waiting, code = connect(gate, f"{NAME}:{site.port}")  # its first bytes are still to come
        waiting_peer = site.accept()
        tls, tls_peer = open_tunnel(gate, site, NAME)
        gate.policy.with_suffix(".new").write_text(gate_lib.PRESET.read_text())
        gate.policy.with_suffix(".new").rename(gate.policy)
        assert ended(raw) and ended(raw_peer)
        waiting.sendall(b"SSH-2.0-x\r\n")
        assert ended(waiting) and waiting_peer.recv(100) == b""
        tls_peer.sendall(b"still here")
        assert tls.recv(100) == b"still here"


def test_a_new_catalog_closes_an_upgraded_connection(gates, lodge, tmp_path):
    gate = gates(catalog={"games": [GRANTED]}, hosts={NAME: "127.0.0.1"}, workers=1)
    (tmp_path / "new").mkdir()
    with Listener() as site:
        connection, peer, _ = upgrade(
            gate, site, "websocket", b"HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 101")
        gate_lib.write_catalog(lodge, tmp_path / "new", {"gambling": [NAME]}).rename(gate.catalog)
        assert ended(connection) and ended(peer)
    assert closing(gate, NAME)[-1]["end"] == "policy"


# --- a reader that does not read ---

def resident(gate):
    """KiB of memory that the workers hold."""
    total = 0
    for pid, command in gate.children().items():
        if "proxy" in command:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total


def test_readers_that_do_not_read_cost_little_memory(gates, preset):
    """Each holds at most what one read brought, and what its pipe holds in the kernel."""
    gate = gates(hosts={NAME: "127.0.0.1"}, policy=open_tunnels(preset), workers=1)
    count, block = 100, b"z" * 65536
    with Listener() as site:
        connections, peers = [], []
        for _ in range(count):
            connection, code = connect(gate, f"{NAME}:{site.port}")
            assert code == 200
            connection.sendall(b"raw")
            connections.append(connection)
            peers.append(site.accept())
            assert peers[-1].recv(3) == b"raw"
        before = resident(gate)
        for peer in peers:
            peer.setblocking(False)
            try:
                while True:  # until nobody takes any more
                    peer.send(block)
            except BlockingIOError:
                pass
        assert gate.curl("http://lodge.internal/").returncode == 0
        assert resident(gate) - before < count * 200
        for connection in connections + peers:
            connection.close()
