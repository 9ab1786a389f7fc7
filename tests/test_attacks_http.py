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


def read_answer(file):
    """One answer with Content-Length from a connection's file: (status, body)."""
    line = file.readline()
    length = 0
    while field := file.readline().strip():
        name, _, value = field.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return (int(line.split(b" ", 2)[1]), file.read(length)) if line else (None, b"")


def answer_of(connection):
    with connection.makefile("rb") as file:
        return read_answer(file)


def statuses(connection, data, count):
    """What comes back to so many requests sent at once."""
    connection.sendall(data)
    with connection.makefile("rb") as file:
        return [read_answer(file)[0] for _ in range(count)]


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
    def one(url, password):
        host = url.split("/")[2]
        return (f"GET {url} HTTP/1.1\r\nHost: {host}\r\n" + basic("teacher", password) + "\r\n").encode()

    is_open, is_blocked = f"http://{NAME}:{origin.port}/size/9", "http://games.example/"
    with gate.connect() as connection:
        assert statuses(connection, 3 * one(is_open, "wrong-horse-9"), 3) == [407, 407, 407]
    assert all(event["person"] != "teacher" for event in gate.events())
    # And where it is right, all are answered, remembered or not.
    with gate.connect() as connection:
        assert statuses(connection, 3 * one(is_open, "correct-horse-9"), 3) == [200, 200, 200]
        assert statuses(connection, 3 * one(is_blocked, "correct-horse-9"), 3) == [403, 403, 403]


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


def test_clients_that_reset_at_once_hold_nothing(gate):
    """Their requests may be read after they have gone; no further news of them comes then."""
    with Site(hang) as site:
        for number in range(100):
            connection = gate.connect()
            ask(connection, f"http://{NAME}:{site.port}/reset")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            connection.close()
        recorded(gate, "/reset")
        # Nothing is in hand, so draining ends at once and not by its limit.
        assert gate.stop() == 0
        assert all(event["end"] in (None, "client") for event in gate.events()
                   if event["path"] == "/reset")


# --- sites that answer too early, too much, or for ever ---

def early(site, connection, _):
    """Answers before it was asked, and closes, since it could not tell a second request from the first."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nearly")
    site.head(connection)
    connection.recv(1)


def test_an_answer_before_the_request_is_passed_on_at_once(gate):
    """Or refused at once: the client does not wait for a limit of time."""
    with Site(early) as site:
        for _ in range(5):
            with gate.connect() as connection:
                connection.settimeout(40)
                ask(connection, f"http://{NAME}:{site.port}/")
                assert answer_of(connection)[0] in (200, 502)


def splitting(site, connection, _):
    """Every answer is followed by another that nobody asked for."""
    while head := site.head(connection):
        body = b"for " + path_of(head)
        one = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        if path_of(head).endswith(b"/late"):
            connection.sendall(one)
            site.asked.wait(60)
            site.asked.clear()
            connection.sendall(evil)
            site.said.set()
        else:
            connection.sendall(one + evil)


@pytest.mark.parametrize("way", ["", "/late"])
def test_what_a_site_says_behind_its_answer_reaches_nobody(gate, way):
    with Site(splitting) as site:
        site.asked, site.said = threading.Event(), threading.Event()
        for number in range(50):
            with gate.connect() as connection:
                ask(connection, f"http://{NAME}:{site.port}/{number}{way}")
                assert answer_of(connection) == (200, b"for /%d%s" % (number, way.encode()))
            if way:  # the next request comes when the second answer is there, and no sooner
                site.asked.set()
                assert site.said.wait(60)
                site.said.clear()


@pytest.mark.parametrize("kind", ["head", "line", "interim"])
def test_a_head_without_an_end_is_cut_off(gate, kind):
    def endless(site, connection, _):
        site.head(connection)
        if kind != "interim":
            connection.sendall(b"HTTP/1.1 200 OK\r\n")
        piece = {"head": b"X-A: y\r\n" * 100, "line": b"x" * 1000,
                 "interim": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"}[kind]
        while True:
            connection.sendall(piece)

    with Site(endless) as site:
        with gate.connect() as connection:
            ask(connection, f"http://{NAME}:{site.port}/endless/{kind}")
            got = b""
            while piece := connection.recv(65536):
                got += piece
                if b"502" in got:
                    break
        assert len(got) < 1_000_000
        assert len(recorded(gate, f"/endless/{kind}")) in (1, 2)


# --- many people at once: each gets what is theirs ---

def shuffled(site, connection, number):
    """Heads and bodies in odd pieces, connections that end now and then, bodies where none may be."""
    served = 0
    while head := site.head(connection):
        served += 1
        method, path = head.split(b" ", 2)[:2]
        host = next(line for line in head.split(b"\r\n") if line.lower().startswith(b"host:"))
        body = host.split(b":")[1].strip() + path
        body = body * (1 + number % 50)
        if method == b"HEAD":
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
            if served % 7 == 0:
                connection.sendall(body)
        elif served % 5 == 0:
            parts = [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chun", b"ked\r\n\r\n",
                     b"%x\r\n%s\r\n0\r" % (len(body), body), b"\n\r\n"]
            for part in parts:
                connection.sendall(part)
        elif served % 11 == 0:
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + body)
            return
        else:
            cut = served % 60
            whole = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
            connection.sendall(whole[:cut])
            connection.sendall(whole[cut:])
        if served % 13 == 0:
            return


def test_many_clients_at_once_get_their_own_answers(gates, tmp_path):
    gate = gates(hosts={NAME: "127.0.0.1", OTHER: "127.0.0.1"}, workers=2)
    wrong, pages = [], []

    def browse(person, site):
        for step in range(15):
            name = (NAME, OTHER)[(person + step) % 2]
            path = f"/p{person}/s{step}"
            words = ["-I"] if step % 6 == 5 else []
            done = gate.curl(*words, f"http://{name}:{site.port}{path}")
            unit = (name + path).encode()
            # Bytes behind an answer to HEAD may reach us only when the connection was taken again: then
            # the next answer is not valid, and is a page of ours. Never is it somebody else's.
            ours = b"The site does not work just now" in done.stdout
            pages.extend([path] if ours else [])
            if done.returncode != 0 or (not words and not ours
                                        and (not done.stdout or done.stdout.replace(unit, b""))):
                wrong.append((path, done.returncode, done.stdout[:200], done.stderr[:200]))

    with Site(shuffled) as site:
        people = [threading.Thread(target=browse, args=(person, site)) for person in range(12)]
        for person in people:
            person.start()
        for person in people:
            person.join()
    assert not wrong, wrong[:5]
    assert len(pages) <= 12 * 2, "each answer to HEAD can spoil one at the most"
    paths = [event["path"] for event in gate.events() if event["kind"] in ("request", "open")]
    assert sorted(path for path in paths if path.startswith("/p")) == sorted(
        f"/p{person}/s{step}" for person in range(12) for step in range(15))


@pytest.mark.parametrize("target", ["http:x://{host}/", "http:///{host}/", "http://{host}:99999/",
                                    "http://{host}:80:80/", "http://a@{host}/", "http://{host}\\@b/",
                                    "http://{host}%2F/", "http://{host}%00/", "http:/{host}/"])
def test_odd_absolute_forms_are_refused(gate, target):
    url = target.format(host=NAME)
    with gate.connect() as connection:
        connection.sendall(f"GET {url} HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        assert answer_of(connection)[0] == 400


# --- one event for each answer, whatever it was, and nothing told that should not be ---

BAD_CREDENTIALS = {
    "no scheme": b"Proxy-Authorization: \r\n",
    "another scheme": b"Proxy-Authorization: Bearer abc\r\n",
    "not base64": b"Proxy-Authorization: Basic !!!!\r\n",
    "base64 cut short": b"Proxy-Authorization: Basic dGVhY2hlcjp3cm9uZ\r\n",
    "no colon": b"Proxy-Authorization: Basic " + base64.b64encode(b"teacher") + b"\r\n",
    "no name": b"Proxy-Authorization: Basic " + base64.b64encode(b":secret-word-1") + b"\r\n",
    "no password": b"Proxy-Authorization: Basic " + base64.b64encode(b"teacher:") + b"\r\n",
    "a NUL": b"Proxy-Authorization: Basic " + base64.b64encode(b"teacher\0:secret-word-1") + b"\r\n",
    "not UTF-8": b"Proxy-Authorization: Basic " + base64.b64encode(b"\xff\xfe:\xff\xfd-secret-word-1") + b"\r\n",
    "a colon in the password": b"Proxy-Authorization: Basic " + base64.b64encode(b"teacher:a:b:c") + b"\r\n",
    "a long name": b"Proxy-Authorization: Basic " + base64.b64encode(b"t" * 65 + b":secret-word-1") + b"\r\n",
    "a long password": b"Proxy-Authorization: Basic " + base64.b64encode(b"teacher:" + b"s" * 4000) + b"\r\n",
    "a line end": b"Proxy-Authorization: Basic " + base64.b64encode(b"teacher\r\nx:secret-word-1") + b"\r\n",
}


def one_of(status, line, more=b"", body=b""):
    return status, line + b" HTTP/1.1\r\nHost: x.example\r\nConnection: close\r\n" + more + b"\r\n" + body


ANSWERS = {
    "a good one": one_of({200}, b"GET http://%(name)s:%(port)d/secret-path"),
    "blocked": one_of({403}, b"GET http://games.example/secret-path?secret-query"),
    "blocked tunnel": one_of({200}, b"CONNECT games.example:443", b"", b"secret, and no TLS"),
    "blocked with a body": one_of({403}, b"POST http://games.example/secret-path", b"Content-Length: 9\r\n",
                                  b"secret-1\n"),
    "not a proxy request": one_of({400}, b"GET /secret-path"),
    "no address": one_of({400}, b"GET http:///secret-path"),
    "a tunnel to nowhere": one_of({400}, b"CONNECT secret-path"),
    "another scheme": one_of({501}, b"GET ftp://secret-path.example/"),
    "TRACE": one_of({405}, b"TRACE http://%(name)s:%(port)d/secret-path"),
    "a loop": one_of({508}, b"GET http://%(name)s:%(port)d/secret-path", b"Via: 1.1 lodge\r\n"),
    "a head too long": one_of({431, 400}, b"GET http://%(name)s:%(port)d/", b"X: " + b"y" * 70000 + b"\r\n"),
    "a target too long": one_of({431, 400}, b"GET http://%(name)s:%(port)d/" + b"y" * 40000),
    "nobody listens": one_of({502}, b"GET http://%(name)s:1/secret-path"),
    "no such name": one_of({502, 504}, b"GET http://secret-path.invalid/"),
    "no such page of ours": one_of({404}, b"GET http://lodge.internal/secret-path"),
    "no such method of ours": one_of({405}, b"POST http://lodge.internal/"),
    "our home": one_of({200}, b"GET http://lodge.internal/"),
    "a tunnel to us": one_of({200}, b"CONNECT lodge.internal:443", b"", b"secret, and no TLS"),
    "a broken answer": one_of({502}, b"GET http://%(name)s:%(bad)d/secret-path"),
    "a broken body": one_of({400, 502}, b"POST http://%(name)s:%(hang)d/secret-path",
                            b"Transfer-Encoding: chunked\r\n", b"zz\r\nsecret\r\n"),
}
for _name, _line in BAD_CREDENTIALS.items():
    ANSWERS["credentials: " + _name] = one_of({407, 400}, b"GET http://%(name)s:%(port)d/secret-path", _line)


def nonsense(site, connection, _):
    site.head(connection)
    connection.sendall(b"HTTP/9.9 what\r\n\r\n")


def test_R99_each_answer_has_exactly_one_event_and_the_log_tells_nothing(gates, origin, lodge):
    gate = gates(hosts={NAME: "127.0.0.1"}, workers=1, state=PEOPLE)
    subprocess.run([lodge, "passwd", "--data", gate.data, "teacher"], input="correct-horse-9\n",
                   text=True, check=True, capture_output=True)
    seen = set()
    with Site(nonsense) as bad, Site(hang) as hanging:
        for what, (wanted, data) in ANSWERS.items():
            for key, value in ((b"%(name)s", NAME.encode()), (b"%(port)d", b"%d" % origin.port),
                               (b"%(bad)d", b"%d" % bad.port), (b"%(hang)d", b"%d" % hanging.port)):
                data = data.replace(key, value)
            with gate.connect(120) as connection:
                connection.sendall(data)
                answer = b""
                while piece := connection.recv(65536):
                    answer += piece
            assert int(answer.split(b" ", 2)[1]) in wanted, (what, answer[:100])
            assert b"secret" not in answer.partition(b"\r\n\r\n")[2] or what == "a good one", what
            new = [event for event in gate.events() if event["id"] not in seen]
            if b"lodge.internal" in data:
                assert new == [], what  # a lifeline: recorded, and shown in no log
                continue
            assert len({event["id"] for event in new}) == 1, (what, new)
            assert [event["kind"] for event in new] in (["request"], ["open", "close"]), (what, new)
            assert new[0]["status"] == int(answer.split(b" ", 2)[1]), (what, new)
            assert new[0]["person"] is None, what
            seen |= {event["id"] for event in new}
    log = "".join(gate.log)
    for word in ("secret", "teacher", "correct-horse", "games.example", NAME, "127.0.0.1:%d" % origin.port):
        assert word not in log.replace(str(gate.folder), ""), word
