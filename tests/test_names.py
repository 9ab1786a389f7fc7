# SPDX-License-Identifier: GPL-3.0-or-later
"""Names by the DNS, asked by a confined worker: a small server of the test's own answers."""
import os
import socket
import struct
import threading

import origin as origin_lib
import pytest

TYPE_A, TYPE_AAAA = 1, 28
NXDOMAIN = 3


class Dns:
    """Answers by a table {name: [addresses] or NXDOMAIN}; over UDP, and over TCP what it says is too
    long for UDP."""

    def __init__(self):
        while True:  # until one port is free for both
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind(("127.0.0.1", 0))
            try:
                self.tcp = socket.create_server(self.udp.getsockname())
                break
            except OSError:
                self.udp.close()
        self.address = f"127.0.0.1:{self.udp.getsockname()[1]}"
        self.names, self.ttl, self.truncate, self.asked = {}, 300, False, []
        for serve in (self.serve_udp, self.serve_tcp):
            threading.Thread(target=serve, daemon=True).start()

    def answer(self, query, over):
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1:at + 1 + query[at]].decode().lower())
            at += query[at] + 1
        kind = struct.unpack("!H", query[at + 1:at + 3])[0]
        name, question = ".".join(labels), query[12:at + 5]
        self.asked.append((name, kind, over))
        found = self.names.get(name, NXDOMAIN)
        if self.truncate and over == "udp":
            return query[:2] + struct.pack("!HHHHH", 0x8380, 1, 0, 0, 0) + question
        if found == NXDOMAIN:
            return query[:2] + struct.pack("!HHHHH", 0x8183, 1, 0, 0, 0) + question
        family = {TYPE_A: socket.AF_INET, TYPE_AAAA: socket.AF_INET6}.get(kind)
        data = [socket.inet_pton(family, address) for address in found
                if family and (":" in address) == (kind == TYPE_AAAA)]
        rows = b"".join(struct.pack("!HHHIH", 0xC00C, kind, 1, self.ttl, len(one)) + one for one in data)
        return query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(data), 0, 0) + question + rows

    def serve_udp(self):
        while True:
            query, peer = self.udp.recvfrom(4096)
            self.udp.sendto(self.answer(query, "udp"), peer)

    def serve_tcp(self):
        while True:
            with self.tcp.accept()[0] as peer, peer.makefile("rb") as reader:
                while head := reader.read(2):
                    answer = self.answer(reader.read(struct.unpack("!H", head)[0]), "tcp")
                    peer.sendall(struct.pack("!H", len(answer)) + answer)


@pytest.fixture
def dns():
    return Dns()


@pytest.fixture
def gate(gates, dns):
    return gates(options=["--dns", dns.address], workers=1)


def fetch(gate, name, port):
    done = gate.curl("-w", "%{stderr}%{http_code}", f"http://{name}:{port}/size/10")
    return int(done.stderr), done.stdout


def test_a_name_is_asked_once_and_remembered_for_its_ttl(gate, dns, origin):
    dns.names["volcano.example"] = ["127.0.0.1"]
    for _ in range(3):
        assert fetch(gate, "volcano.example", origin.port) == (200, origin_lib.body(10))
    assert sorted(dns.asked) == [("volcano.example", TYPE_A, "udp"), ("volcano.example", TYPE_AAAA, "udp")]


def test_an_address_that_does_not_answer_is_passed_over(gate, dns, origin):
    dns.names["volcano.example"] = ["::1", "127.0.0.1"]  # the origin listens on the second alone
    assert fetch(gate, "volcano.example", origin.port) == (200, origin_lib.body(10))


def test_a_name_that_does_not_exist_is_told_and_remembered(gate, dns, origin):
    assert fetch(gate, "absent.example", origin.port)[0] == 502
    asked = len(dns.asked)
    assert fetch(gate, "absent.example", origin.port)[0] == 502
    assert len(dns.asked) == asked


def test_a_long_answer_comes_over_tcp(gate, dns, origin):
    dns.truncate = True
    dns.names["volcano.example"] = ["127.0.0.1"]
    assert fetch(gate, "volcano.example", origin.port) == (200, origin_lib.body(10))
    assert ("volcano.example", TYPE_A, "tcp") in dns.asked


def test_private_answers_are_refused_unless_allowed(gates, dns, origin):
    dns.names["volcano.example"] = ["127.0.0.1", "10.0.0.1", "::ffff:127.0.0.1"]
    strict = gates(options=["--dns", dns.address], workers=1, private=False)
    code = int(strict.curl("-o", os.devnull, "-w", "%{http_code}", "http://volcano.example/").stdout)
    assert code == 403
    event = strict.events()[-1]
    assert (event["host"], event["action"], event["reason"]) == ("volcano.example", "block",
                                                                 "private-address")
