# SPDX-License-Identifier: GPL-3.0-or-later
"""A DNS server that lies, dawdles or talks nonsense: the gate asks it and nobody gets what was not
decided on (F20, R109)."""
import os
import socket
import struct
import threading

import pytest

import origin as origin_lib

BLOCKED = "bet.example"


def encode(name):
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def name_of(query):
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    return ".".join(labels).lower(), query[12:at + 5], struct.unpack(">H", query[at + 1:at + 3])[0]


def record(name, kind, data, ttl=5):
    return encode(name) + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def reply(query, records, flags=0x8180, question=None, number=None):
    _, asked, _ = name_of(query)
    return (query[:2] if number is None else number) + struct.pack(
        ">HHHHH", flags, 1, len(records), 0, 0) + (asked if question is None else question) + b"".join(records)


A, CNAME = 1, 5
HERE = socket.inet_aton("127.0.0.1")


def good(query, name, kind):
    return [reply(query, [record(name, A, HERE)] if kind == A else [])]


def chain(query, name, kind):
    names = [name] + [f"step-{n}.example" for n in range(5)]
    links = [record(a, CNAME, encode(b)) for a, b in zip(names, names[1:])]
    return [reply(query, links + ([record(names[-1], A, HERE)] if kind == A else []))]


def circle(query, name, kind):
    return [reply(query, [record(name, CNAME, encode("other.example")),
                          record("other.example", CNAME, encode(name))])]


def many(query, name, kind):
    return [reply(query, [record(name, A, HERE)] * 20 if kind == A else [])]


def no_such_name(query, name, kind):
    return [reply(query, [], flags=0x8183)]


def refused(query, name, kind):
    return [reply(query, [], flags=0x8185)]


def wrong_number(query, name, kind):
    number = struct.pack(">H", struct.unpack(">H", query[:2])[0] ^ 0x5555)
    return [reply(query, [record(name, A, HERE)], number=number)]


def wrong_question(query, name, kind):
    return [reply(query, [record("evil.example", A, HERE)],
                  question=encode("evil.example") + struct.pack(">HH", A, 1))]


def poisoned(query, name, kind):
    """A right answer with an address for a name that nobody asked for."""
    more = [record("planted.example", A, HERE, 3600)]
    return [reply(query, ([record(name, A, HERE)] if kind == A else []) + more)]


def cut_short(query, name, kind):
    return [reply(query, [record(name, A, HERE)])[:-3]]


def bare(query, name, kind):
    return [query[:2]]


def loop_of_pointers(query, name, kind):
    return [query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + query[12:] + b"\xc0\x0c" * 40]


def long_data(query, name, kind):
    return [reply(query, [encode(name) + struct.pack(">HHIH", A, 1, 5, 65535) + HERE])]


def silent(query, name, kind):
    return []


class Server:
    """answer(query, name, kind) gives the datagrams that go back."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        self.how = {}
        self.asked = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            name, _, kind = name_of(query)
            self.asked.append(name)
            for datagram in self.how.get(name, no_such_name)(query, name, kind):
                self.socket.sendto(datagram, peer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@pytest.fixture
def server():
    with Server() as one:
        yield one


@pytest.fixture
def gate(gates, server):
    return gates(catalog={"gambling": [BLOCKED]}, workers=1,
                 options=["--dns", server.address, "--connect-timeout", "3s"])


def status(gate, url):
    return int(gate.curl("-o", os.devnull, "-w", "%{http_code}", url).stdout or 0)


LIES = {good: {200}, chain: {200}, many: {200}, poisoned: {200}, circle: {502, 504}, no_such_name: {502},
        refused: {502, 504}, wrong_number: {504, 502}, wrong_question: {504, 502}, cut_short: {504, 502},
        bare: {504, 502}, loop_of_pointers: {504, 502}, long_data: {504, 502}, silent: {504}}


def test_whatever_a_name_server_says_only_its_answers_are_taken(gate, server, origin):
    before = list(gate.children())
    for how, wanted in LIES.items():
        name = how.__name__.replace("_", "-") + ".example"
        server.how[name] = how
        assert status(gate, f"http://{name}:{origin.port}/size/9") in wanted, how.__name__
        events = [event for event in gate.events() if event["host"] == name]
        assert len({event["id"] for event in events}) == 1, how.__name__
    # What a poisoned answer brought along was not kept: the name is asked for, and there is none.
    assert status(gate, f"http://planted.example:{origin.port}/size/9") == 502
    assert "planted.example" in server.asked
    assert list(gate.children()) == before


def test_a_blocked_name_is_not_even_asked_for(gate, server):
    server.how[BLOCKED] = good
    assert status(gate, f"http://{BLOCKED}/") == 403
    assert BLOCKED not in server.asked


def test_a_name_that_changes_to_the_inside_gains_nothing(gates, server, origin):
    """DNS rebinding: each answer is decided on, whatever the one before was."""
    gate = gates(catalog={"gambling": [BLOCKED]}, workers=1, private=False,
                 options=["--dns", server.address])
    before = len(origin.requests)
    server.how["rebind.example"] = good
    for _ in range(3):
        assert status(gate, f"http://rebind.example:{origin.port}/") == 403
    assert len(origin.requests) == before
