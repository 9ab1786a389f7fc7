# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail: the end of the chain of acts reaches the head each day, what waits is announced without a word of
what it is, and a server that is not there, says no, lies or breaks off costs neither a mail nor the gate."""
import os
import signal
import sqlite3
import subprocess
import time

import pytest

import certificates
import school
from console import Console
from mail_server import PATIENCE, Script, Server
from people import People

HEAD = "hanna@oak.example"


def polled(look):
    """Asks until the answer is a true one, which it gives back."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come about")


def rows(address=HEAD):
    """The school, with the head's address alone."""
    for row in school.rows():
        if row.get("as") == "hanna":
            row["fields"]["email"] = address
        yield row


@pytest.fixture(scope="module")
def filled(build, tmp_path_factory):
    """A data folder with a school, to be copied."""
    folder = tmp_path_factory.mktemp("school") / "data"
    return folder, school.make(build, folder, list(rows()))


class Place:
    """A console that sends mail; its store, and its server."""

    def __init__(self, lodge, folder, filled, server, *options, tls="none"):
        subprocess.run(["cp", "-r", filled[0], folder / "data"], check=True)
        self.made, self.lodge = filled[1], lodge
        self.console = Console(lodge, folder, options=[
            "--mail-server", server, "--mail-tls", tls, "--mail-from", "lodge@oak.example", *options])

    def __enter__(self):
        self.console.start()
        return self

    def __exit__(self, *_):
        self.console.stop()

    def sql(self, text, *values):
        with sqlite3.connect(self.console.data / "store" / "lodge.db", timeout=60) as store:
            return store.execute(text, values).fetchall()

    def states(self):
        return [row[0] for row in self.sql("SELECT state FROM outbox ORDER BY made_ms, id")]

    def ring(self):
        (self.console.data / "store" / "ring").write_text("")

    def logged(self, word):
        return [line for line in self.console.log if f" event={word} " in line or f"={word} " in line]

    def due_now(self):
        """What is tried again later is tried now."""
        self.sql("UPDATE outbox SET due_ms = 1 WHERE state = 'waiting'")
        self.ring()


@pytest.fixture
def place(lodge, tmp_path, filled):
    def make(server, *options, **more):
        return Place(lodge, tmp_path, filled, server, *options, **more)
    return make


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return certificates.Authority(tmp_path_factory.mktemp("world") / "authority")


@pytest.fixture(scope="module")
def leaf(world):
    return world.issue("mail.oak.example", sans="IP:127.0.0.1")


def login_file(folder, name="lodge", password="pass word"):
    path = folder / "login"
    path.write_text(f"{name}\n{password}\n")
    path.chmod(0o600)
    return path


def test_U18_the_head_is_mailed_where_the_acts_end_and_verify_takes_it(place):
    with Server() as server, place(server.address) as at:
        mail, = server.wait(1)
        polled(lambda: at.states() == ["sent"])
        at.ring()
        polled(lambda: at.console.client().get("/sign-in").status == 200)
    assert (mail.sender, mail.receivers) == ("lodge@oak.example", [HEAD])
    message = mail.message
    assert not message.defects
    assert message["From"].addresses[0].addr_spec == "lodge@oak.example"
    assert message["To"].addresses[0].addr_spec == HEAD
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@oak.example>")
    assert message["Date"].datetime.tzinfo is not None
    assert "Hanna" not in mail.body and max(map(len, mail.text.split(b"\r\n"))) <= 78
    command = next(line for line in mail.body.splitlines() if line.startswith("lodge audit verify "))
    words = command.replace("DIR", str(at.console.data)).split()[1:]
    assert subprocess.run([at.lodge, *words], capture_output=True).returncode == 0
    at.sql("SELECT 1")
    number, digest = words[-1].split(":")
    with sqlite3.connect(at.console.data / "store" / "lodge.db") as store:
        store.executescript("DROP TRIGGER act_no_update; DROP TRIGGER act_no_delete;"
                            f"DELETE FROM act WHERE seq >= {number};"
                            "UPDATE chain SET seq = (SELECT max(seq) FROM act), hash = "
                            "(SELECT hash FROM act ORDER BY seq DESC LIMIT 1);")
    (at.console.data / "audit" / "heads").unlink()
    subprocess.run(["rm", "-r", at.console.data / "spool"], check=True)
    found = subprocess.run([at.lodge, *words], capture_output=True, text=True)
    assert found.returncode == 1 and f"BROKEN at act {number}" in found.stdout
    assert "(--head)" in found.stdout and digest


def test_a_mail_goes_once_a_day_whatever_is_started_again(place):
    with Server() as server:
        at = place(server.address)
        for _ in range(2):
            with at:
                server.wait(1)
                polled(lambda: at.states() == ["sent"])
        at.sql("UPDATE outbox SET made_ms = made_ms - 86400000")
        with at:
            mails = server.wait(2)
            polled(lambda: at.states() == ["sent", "sent"])
    assert server.empty()
    assert len({mail.message["Message-ID"] for mail in mails}) == 2


@pytest.mark.parametrize("implicit", [False, True])
def test_mail_is_encrypted_and_signed_in_for(place, tmp_path, world, leaf, implicit):
    with Server(leaf, implicit=implicit, login=("lodge", "pass word")) as server:
        with place(server.address, "--origin-ca", world.certificate, "--mail-login",
                   login_file(tmp_path), tls="implicit" if implicit else "starttls") as at:
            mail, = server.wait(1)
            polled(lambda: at.states() == ["sent"])
            assert not any("pass word" in line for line in at.console.log)
    assert mail.receivers == [HEAD]


@pytest.mark.parametrize("case", ["stranger", "name", "plain", "password", "old"])
def test_a_server_that_is_not_to_be_trusted_gets_nothing_and_somebody_is_told(
        place, tmp_path, world, leaf, case):
    stranger = certificates.self_signed(tmp_path / "self", "mail.oak.example")
    shown = {"stranger": stranger, "name": world.issue("mail.elm.example"),
             "plain": None, "old": world.issue("mail.oak.example", sans="IP:127.0.0.1", start=-9, end=-1)}
    password = "wrong" if case == "password" else "pass word"
    with Server(shown.get(case, leaf), login=("lodge", "pass word") if case == "password" else None) \
            as server:
        with place(server.address, "--origin-ca", world.certificate, "--mail-login",
                   login_file(tmp_path, password=password), tls="starttls") as at:
            polled(lambda: at.sql("SELECT 1 FROM notice WHERE kind = 'mail_failed'"))
            assert at.states() == ["waiting"] and server.empty()
            polled(lambda: any("mail-not-sent" in line and "again=seldom" in line
                               for line in at.console.log))


def test_a_server_that_is_down_gets_the_mail_when_it_is_back(place):
    with Script({}) as gone:
        pass
    with place(gone.address) as at:
        polled(lambda: any("mail-not-sent" in line for line in at.console.log))
        assert at.states() == ["waiting"]
        with Script({}) as server:
            at.console.stop()
            at.console.command[at.console.command.index(gone.address)] = server.address
            at.console.start()
            server.wait(1)
            polled(lambda: at.states() == ["sent"])


LATER = {
    "greylisted": {"RCPT": "451 later"},
    "busy": {"": "421 too busy"},
    "full": {".": "452 no room"},
    "hangs up at once": {"": None},
    "hangs up in the middle": {"DATA": None},
    "hangs up behind the text": {".": None},
    "nonsense": {"": [b"\x00\xff\x00 HTTP/1.1 200 OK\r\n\r\n"]},
    "a line without an end": {"EHLO": [b"250-" + b"a" * 100000]},
    "a number that is none": {"MAIL": [b"99999999999999999999 ok\r\n"]},
}


@pytest.mark.parametrize("case", LATER)
def test_a_server_that_fails_once_is_tried_again_with_the_same_mail(place, case):
    with Script(LATER[case], {}) as server, place(server.address) as at:
        polled(lambda: server.connections)
        mail, = server.wait(1)
        polled(lambda: at.states() == ["sent"])
        assert server.empty()
        assert f"<{at.sql('SELECT id FROM outbox')[0][0]}@oak.example>".encode() in mail.text
        assert at.sql("SELECT tries FROM outbox") == [(2,)]


def test_a_server_that_says_never_is_announced_once_and_the_mail_is_given_up_in_the_end(place):
    with Script({"RCPT": "550 no such box"}) as server, place(server.address) as at:
        polled(lambda: at.sql("SELECT 1 FROM notice WHERE kind = 'mail_failed'"))
        for tries in (2, 3):
            at.due_now()
            polled(lambda: at.sql("SELECT tries FROM outbox") == [(tries,)])
        assert at.states() == ["waiting"]
        at.sql("UPDATE outbox SET made_ms = made_ms - 4 * 86400000")
        at.due_now()
        polled(lambda: "given_up" in at.states())
        assert at.sql("SELECT count(*) FROM notice") == [(1,)]
        assert b"DATA\r\n" not in server.commands


@pytest.mark.parametrize("name", ["mailer", "clerk"])
def test_no_mail_is_lost_by_kill_9(place, name):
    """Killed while the server keeps it waiting for an answer: it is sent again, as the same mail."""
    with Script({".": b""}, {}) as server, place(server.address) as at:
        polled(lambda: any(line.startswith(b"DATA") for line in server.commands))
        os.kill(at.console.child(name), signal.SIGKILL)
        mail, = server.wait(1)
        polled(lambda: at.states() == ["sent"])
        assert f"<{at.sql('SELECT id FROM outbox')[0][0]}@oak.example>".encode() in mail.text


@pytest.mark.parametrize("silent", ["EHLO", "DATA", "."])
def test_a_server_that_hangs_keeps_nobody_from_ending(place, silent):
    before = "DATA" if silent == "." else silent
    with Script({silent: b""}) as server, place(server.address) as at:
        polled(lambda: any(line.startswith(before.encode()) for line in server.commands))
        assert at.console.stop() == 0


def test_nothing_of_the_records_steers_a_mail(place, filled):
    """A school's name with a header in it, and an address with a command: as the database's owner might
    write them; the forms refuse both."""
    with Script({}) as server:
        at = place(server.address)
        at.sql("UPDATE school SET name = ?", "Oak\r\nBcc: all@elm.example\r\n\r\nŷ")
        with at:
            mail, = server.wait(1)
            polled(lambda: at.states() == ["sent"])
        head = mail.text.split(b"\r\n\r\n")[0]
        assert b"\r\nBcc" not in head and b"Subject: =?utf-8?B?" in head
        at.sql("UPDATE outbox SET made_ms = made_ms - 86400000")
        at.sql("UPDATE reg_person SET f_email = ? WHERE id = ?",
               f"{HEAD}>\r\nRCPT TO:<all@elm.example", filled[1]["hanna"])
        with at:
            polled(lambda: at.states()[-1] == "nobody")
        assert not any(b"elm" in line for line in server.commands)


def test_who_has_left_gets_none(place, filled):
    with Script({"RCPT": "451 later"}, {}) as server, place(server.address) as at:
        polled(lambda: at.sql("SELECT tries FROM outbox") == [(1,)])
        at.sql("UPDATE reg_person SET state = 'left' WHERE id = ?", filled[1]["hanna"])
        at.due_now()
        polled(lambda: at.states() == ["nobody"])
        assert server.empty()


def test_what_waits_is_announced_without_a_word_of_what_it_is(place, filled):
    with Server() as server, place(server.address) as at:
        server.wait(1)
        teacher = at.console.client()
        teacher.sign_in("tess", school.PASSWORD)
        assert teacher.post("/account/compromised").status == 303
        mail = server.wait(2)[1]
        sent = "SELECT kind, state FROM outbox WHERE person = ? ORDER BY kind"
        polled(lambda: at.sql(sent, filled[1]["hanna"]) == [("audit_head", "sent"), ("waiting", "sent")])
        assert at.sql(sent, filled[1]["ted"]) == [("waiting", "nobody")]  # has no address
    assert mail.receivers == [HEAD] and mail.message["Subject"] == "Something waits for you in Lodge"
    assert at.console.console_url in mail.body and "password" not in mail.body
    assert "Tess" not in mail.text.decode()


@pytest.mark.parametrize("case, said", [
    ("good", "ok    mail: smtp://{0} answers, and takes the login"),
    ("password", "warn  mail: smtp://{0}: Login denied (535)"),
    ("stranger", "warn  mail: smtp://{0}: SSL peer certificate or SSH remote key was not OK"),
    ("down", "warn  mail: smtp://{0}: Couldn't connect to server"),
    ("mode", "warn  mail: "),
    ("lines", "fail  mail: the file of mail-login is not two lines"),
    ("address", "fail  mail: mail-from is no address"),
])
def test_the_doctor_tries_the_server_and_sends_nothing(lodge, tmp_path, world, leaf, case, said):
    login = login_file(tmp_path, password="wrong" if case == "password" else "pass word")
    if case == "mode":
        login.chmod(0o644)
    if case == "lines":
        login.write_text("lodge\n")
    shown = certificates.self_signed(tmp_path / "self", "x.example") if case == "stranger" else leaf
    with Server(shown, login=("lodge", "pass word")) as server:
        if case == "down":
            with Script({}) as gone:
                server.address = gone.address
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "lodge.conf").write_text(
            f"mail-server = {server.address}\nmail-login = {login}\norigin-ca = {world.certificate}\n"
            f"mail-from = {'nobody' if case == 'address' else 'lodge@oak.example'}\n")
        done = subprocess.run([lodge, "doctor", "--data", tmp_path / "data"], capture_output=True,
                              text=True)
        assert said.format(server.address) in done.stdout
        assert server.empty() and "pass word" not in done.stdout + done.stderr


def audit_says(console, who):
    client, _ = People(console).set_up(who, school.PASSWORD)
    return client.json("GET", "/audit").json.get("mailed")


def test_the_audit_says_to_whom_it_concerns_whether_its_end_is_mailed(lodge, tmp_path, place, filled):
    with Server() as server, place(server.address) as at:
        server.wait(1)
        polled(lambda: at.states() == ["sent"])
        assert audit_says(at.console, "hanna").startswith("The end of this record was last mailed to")
        teacher = at.console.client()
        teacher.sign_in("tess", school.PASSWORD)
        assert teacher.json("GET", "/audit").json.get("mailed") is None
    folder = tmp_path / "without"
    folder.mkdir()
    subprocess.run(["cp", "-r", filled[0], folder / "data"], check=True)
    with Console(lodge, folder) as console:
        assert "no mail server is set" in audit_says(console, "ted")
        with sqlite3.connect(console.data / "store" / "lodge.db") as store:
            assert store.execute("SELECT count(*) FROM outbox").fetchone() == (0,)


@pytest.mark.parametrize("options, why", [
    (("--mail-server", "nowhere"), "HOST:PORT"),
    (("--mail-server", "mail.oak.example:25", "--mail-from", "nobody"), "mail-from"),
    (("--mail-server", "mail.oak.example:25", "--mail-from", "a@b.example", "--mail-tls", "some"),
     "mail-tls"),
    (("--mail-server", "mail.oak.example:25", "--mail-from", "a@b.example", "--mail-tls", "none",
      "--mail-login", "LOGIN"), "in the clear"),
])
def test_settings_that_cannot_work_are_told_at_the_start(lodge, tmp_path, options, why):
    words = [str(login_file(tmp_path)) if word == "LOGIN" else word for word in options]
    console = Console(lodge, tmp_path, options=words)
    with pytest.raises(RuntimeError, match=why):
        console.start()
