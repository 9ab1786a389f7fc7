# SPDX-License-Identifier: GPL-3.0-or-later
"""A worker killed with kill -9 under load, 100 times: no event whose answer was begun is lost, none is
doubled (R99, design section 2)."""
import collections
import os
import signal
import socket
import threading
import time

import origin as origin_lib

KILLS = 100
NAME = "volcano.example"


class Load(threading.Thread):
    """Asks for /size/N, N counting up in steps, a connection each; notes every N whose answer began."""

    def __init__(self, gate, origin, first, step):
        super().__init__()
        self.gate, self.origin, self.next, self.step = gate, origin, first, step
        self.asked, self.begun, self.stop = 0, [], False

    def run(self):
        while not self.stop:
            number, self.next = self.next, self.next + self.step
            try:
                self.ask(number)
            except OSError:
                pass  # the worker died under us; only what began counts

    def ask(self, number):
        with socket.create_connection(("127.0.0.1", self.gate.port), 60) as connection:
            self.asked += 1
            connection.sendall(f"GET http://{NAME}:{self.origin.port}/size/10?n={number} HTTP/1.1\r\n"
                               f"Host: {NAME}\r\nConnection: close\r\n\r\n".encode())
            if connection.recv(1):
                self.begun.append(number)
            while connection.recv(65536):
                pass


def workers(gate):
    return [pid for pid, command in gate.children().items() if "proxy" in command]


def test_R99_kill_9_of_workers_loses_and_doubles_no_event(gates, origin):
    gate = gates(hosts={NAME: "127.0.0.1"})
    loads = [Load(gate, origin, first, 4) for first in range(4)]
    for load in loads:
        load.start()
    killed = 0
    try:
        while killed < KILLS:
            begun = sum(len(load.begun) for load in loads)
            alive = workers(gate)
            assert gate.process.poll() is None, "the supervisor ended"
            if alive:
                os.kill(alive[killed % len(alive)], signal.SIGKILL)
                killed += 1
            # Some answers between two kills, however slow the machine.
            for _ in range(2000):
                if sum(len(load.begun) for load in loads) >= begun + 5:
                    break
                time.sleep(0.01)
            else:
                raise AssertionError("no answer after a kill:\n" + "".join(gate.log[-20:]))
    finally:
        for load in loads:
            load.stop = True
        for load in loads:
            load.join()
    begun = [number for load in loads for number in load.begun]
    seen = collections.Counter()
    ids = collections.Counter()
    for event in gate.events():
        if event["host"] == NAME and event["kind"] in ("request", "open"):
            seen[int(event["query"].split("=")[1])] += 1
            ids[event["id"]] += 1
    assert len(begun) >= 5 * KILLS
    assert [number for number in begun if number not in seen] == [], "lost"
    assert [number for number, times in seen.items() if times > 1] == [], "doubled"
    assert max(ids.values()) == 1


def test_the_listening_socket_outlives_every_worker(gates, origin):
    gate = gates(hosts={NAME: "127.0.0.1"}, workers=1)
    for _ in range(5):
        for pid in workers(gate):
            os.kill(pid, signal.SIGKILL)
        assert gate.curl(f"http://{NAME}:{origin.port}/size/10").stdout == origin_lib.body(10)
