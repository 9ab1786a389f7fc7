# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks by a hostile site and by clients that share a gate with others: what one request brings
never reaches another, and every request that went out is recorded (R99, R109)."""
import base64
import socket
import subprocess
import threading

import pytest

NAME, OTHER = "volcano.example", "magma.example"
TEACHER = {"groups": [], "people": []}


class Site:
    """A site of our own making: script(connection, number of connection, log) for each connection."""

    def __init__(self, script):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        self.script, self.count, self.seen = script, 0, []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.count += 1
            threading.Thread(target=self.one, args=(connection, self.count), daemon=True).start()

    def one(self, connection, number):
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self.script(self, connection, number)
            except OSError:
                pass  # the gate went away

    def head(self, connection):
        """Reads one request's head; its bytes, or b"" at the end."""
        got = b""
        while b"\r\n\r\n" not in got:
            piece = connection.recv(65536)
            if not piece:
                return b""
            got += piece
        self.seen.append(got)
        return got

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()


@pytest.fixture
def gate(gates):
    return gates(hosts={NAME: "127.0.0.1", OTHER: "127.0.0.1"}, workers=1)


def ask(connection, url, more=""):
    host = url.split("/")[2]
    connection.sendall(f"GET {url} HTTP/1.1\r\nHost: {host}\r\n{more}\r\n".encode())


def answer_of(connection):
    """One answer with Content-Length: (status, body)."""
    got = b""
    while b"\r\n\r\n" not in got:
        piece = connection.recv(65536)
        if not piece:
            return None, got
        got += piece
    head, _, body = got.partition(b"\r\n\r\n")
    length = next((int(line.split(b":")[1]) for line in head.split(b"\r\n")
                   if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            break
        body += piece
    return int(head.split(b" ", 2)[1]), body


def path_of(head):
    return head.split(b" ", 2)[1]


# --- one client's answer never reaches another ---

def in_two_pieces(site, connection, _):
    """The head comes in two pieces: the first is kept until the rest is there."""
    while head := site.head(connection):
        body = b"for " + path_of(head)
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nX-Pad: y\r\n\r\n%s" % (len(body), body)
        connection.sendall(answer[:30])
        # The gate has read the first piece once it has acknowledged it and been asked something else.
        site.between()
        connection.sendall(answer[30:])


def test_an_answer_in_pieces_is_not_given_to_the_next_client(gate):
    with Site(in_two_pieces) as site:
        def between():
            assert gate.curl("http://lodge.internal/").returncode == 0
        site.between = between
        for number in range(4):
            with gate.connect() as connection:
                ask(connection, f"http://{NAME}:{site.port}/{number}")
                assert answer_of(connection) == (200, b"for /%d" % number)


# --- a password that is wrong opens nothing ---

def basic(person, password):
    return ("Proxy-Authorization: Basic "
            + base64.b64encode(f"{person}:{password}".encode()).decode() + "\r\n")


PEOPLE = {"lodge_state": 1, "people": [
    {"id": "teacher", "group": "teaching-staff",
     "agreement": {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}}]}


@pytest.mark.parametrize("cache", ["10m", "0s"])
def test_requests_behind_a_wrong_password_are_refused_too(gates, origin, lodge, cache):
    """Pipelined: the second is read in the very turn in which the first is refused."""
    gate = gates(hosts={NAME: "127.0.0.1"}, workers=1, state=PEOPLE, options=["--auth-cache", cache])
    subprocess.run([lodge, "passwd", "--data", gate.data, "teacher"], input="correct-horse-9\n",
                   text=True, check=True, capture_output=True)
    one = (f"GET http://{NAME}:{origin.port}/size/9 HTTP/1.1\r\nHost: {NAME}:{origin.port}\r\n"
           + basic("teacher", "wrong-horse-9") + "\r\n").encode()
    with gate.connect() as connection:
        connection.sendall(3 * one)
        assert [answer_of(connection)[0] for _ in range(3)] == [407, 407, 407]
    assert all(event["person"] != "teacher" for event in gate.events())
    # And where it is right, the three are answered, remembered or not.
    with gate.connect() as connection:
        connection.sendall(3 * one.replace(basic("teacher", "wrong-horse-9").encode(),
                                           basic("teacher", "correct-horse-9").encode()))
        assert [answer_of(connection)[0] for _ in range(3)] == [200, 200, 200]
        blocked = one.replace(b"/size/9", b"/").replace(NAME.encode(), b"games.example")
        connection.sendall(3 * blocked.replace(basic("teacher", "wrong-horse-9").encode(),
                                               basic("teacher", "correct-horse-9").encode()))
        assert [answer_of(connection)[0] for _ in range(3)] == [403, 403, 403]


# --- every request that went out is recorded ---

def hang(site, connection, _):
    site.head(connection)
    connection.recv(1)


def nothing(site, connection, _):
    connection.recv(1)


def recorded(gate, path):
    """The events of a path, once the gate is known to have seen what came before."""
    assert gate.curl("http://lodge.internal/").returncode == 0
    return [event for event in gate.events() if event["path"] == path]


def test_R99_a_request_whose_client_leaves_before_the_answer_is_recorded(gate):
    with Site(hang) as site:
        for number in range(3):
            connection = gate.connect()
            ask(connection, f"http://{NAME}:{site.port}/left/{number}")
            while len(site.seen) <= number:
                pass
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
            events = recorded(gate, f"/left/{number}")
            assert events and len({event["id"] for event in events}) == 1
