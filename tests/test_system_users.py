# SPDX-License-Identifier: GPL-3.0-or-later
"""Started as root, each process has a system user of its own (design section 4): a school from its first
run to a backup, in a mount namespace with a copy of /etc, so that the machine keeps its users."""
import json
import os
import re
import shutil
import stat
import subprocess
import tempfile
import time
from pathlib import Path

import pytest

from conftest import ROOT
from first_run import PASSWORD, FirstRun, set_up
from postgres import Postgres

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="left out: needs root")

INSIDE = 'mount --bind "$0/etc" /etc && exec "$@"'
PATIENCE = 60  # seconds; a bound against hanging for ever, not a measure
PROCESSES = {"clerk", "auth", "notary", "proxy", "desk", "front", "signon"}
# Whose the folders of DATA are, and all files in them; None: of whoever starts the gate.
OWNERS = {"store": "lodge-desk", "keys": "lodge-desk", "audit": "lodge-clerk", "console": "lodge-front",
          "auth": "lodge-auth", "spool/proxy-0": "lodge-proxy", "images": "lodge-clerk", "ca": "root", "devices": "lodge-clerk"}
# Where some are written before rights are given up, or by the supervisor.
BY_ROOT = ("console", "images")
# What each process must not be able to open, tried as its user: the rest of the folder is Landlock's.
CLOSED = {"lodge-proxy": ("store/lodge.db", "keys/keys.db", "ca/ca.key", "console/key.pem", "auth/passwd",
                          "images/passwd", "../providers.json"),
          "lodge-front": ("store/lodge.db", "keys/keys.db", "ca/ca.key", "auth/passwd"),
          "lodge-clerk": ("keys/keys.db", "ca/ca.key", "console/key.pem", "auth/passwd"),
          "lodge-desk": ("ca/ca.key", "console/key.pem", "auth/passwd"),
          "lodge-auth": ("store/lodge.db", "keys/keys.db", "ca/ca.key", "console/key.pem"),
          "lodge-signon": ("store/lodge.db", "keys/keys.db", "ca/ca.key", "console/key.pem", "auth/passwd"),
          "lodge-notary": ("store/lodge.db", "keys/keys.db", "console/key.pem", "auth/passwd")}


class Machine:
    """A mount namespace's /etc, with the users that `lodge doctor --fix` made in it."""

    def __init__(self, lodge, folder):
        self.lodge, self.folder = lodge, folder
        subprocess.run(["cp", "-a", "/etc", folder / "etc"], check=True)
        done = self.run(lodge, "doctor", "--data", folder / "data", "--fix")
        assert "made  lodge-desk" in done.stdout, done.stdout + done.stderr

    def words(self, *words):
        return ["unshare", "-m", "sh", "-c", INSIDE, str(self.folder), *map(str, words)]

    def run(self, *words, code=None, **options):
        done = subprocess.run(self.words(*words), capture_output=True, text=True, **options)
        assert code is None or done.returncode == code, done.stdout + done.stderr
        return done

    def command(self, *words, code=0, **options):
        """A command of the operator's, as root, beside the running gate."""
        return self.run(self.lodge, *words, code=code, **options).stdout

    def users(self):
        lines = (self.folder / "etc" / "passwd").read_text().splitlines()
        rows = [line.split(":") for line in lines]
        return {row[0]: int(row[2]) for row in rows}


def as_in_the_unit():
    """What begins a command with no more capabilities than packaging/lodge.service leaves to root."""
    text = (ROOT / "packaging" / "lodge.service").read_text()
    names = re.search(r"^CapabilityBoundingSet=(.*)$", text, re.M)[1].split()
    left = ",".join("+" + name.removeprefix("CAP_").lower() for name in names)
    return ["setpriv", "--no-new-privs", "--inh-caps=-all", f"--bounding-set=-all,{left}"]


class School(FirstRun):
    def __init__(self, machine, **more):
        super().__init__(machine.lodge, machine.folder, **more)
        self.machine = machine
        self.command = machine.words(*as_in_the_unit(), *self.command)

    def processes(self):
        """{name: PID}"""
        return {text.split()[2].rsplit("-", 1)[0]: pid for pid, text in self.children().items()
                if " process " in text}


@pytest.fixture
def machine(lodge):
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("left out: this machine allows no mount namespace")
    folder = Path(tempfile.mkdtemp(prefix="lodge-users-"))
    folder.chmod(0o755)  # any user may come here, as to /var/lib
    yield Machine(lodge, folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def server():
    with Postgres() as running:
        running.folder.chmod(0o755)
        yield running


def providers(folder):
    """So that the process for single sign-on runs; nobody answers there."""
    path = folder / "providers.json"
    path.write_text(json.dumps({"providers": [
        {"name": "trust", "label": "The trust", "issuer": "https://127.0.0.1:1", "client_id": "lodge",
         "client_secret": "a secret of the test", "link": "none"}]}))
    path.chmod(0o600)
    return ("--single-sign-on", path)


def polled(look):
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    return None


def status(pid, field):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1:] for line in lines if line.startswith(field + ":"))


def expect_users(console, users):
    """Each process is its user, in every sense, in the common group, and without capabilities; those
    who read the records are in one more group."""
    found = console.processes()
    records = str((console.data / "store").stat().st_gid)
    assert set(found) == PROCESSES
    for name, pid in found.items():
        assert status(pid, "Uid") == [str(users[f"lodge-{name}"])] * 4, name
        assert len(set(status(pid, "Gid"))) == 1 and status(pid, "Gid")[0] not in ("0", records), name
        more = {records} if name in ("desk", "clerk") else set()
        assert set(status(pid, "Groups")) == {*status(pid, "Gid"), *more}, name
        for capabilities in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
            assert int(status(pid, capabilities)[0], 16) == 0, (name, capabilities)
        assert status(pid, "NoNewPrivs") == ["1"] and status(pid, "Seccomp") == ["2"], name


def expect_owners(data, users):
    """Every folder and every file below it is its process's, and nobody else's to read."""
    for name, user in OWNERS.items():
        folder = data / name
        for path in [folder, *(path for path in folder.rglob("*") if path.is_file())]:
            found = path.stat()
            assert found.st_uid == users[user] or (found.st_uid == 0 and name in BY_ROOT), (path, found)
            assert found.st_mode & stat.S_IRWXO == 0 or user in ("root", "lodge-front", "lodge-clerk"), path
    assert (data / "keys").stat().st_mode & 0o777 == 0o700
    assert (data / "keys" / "keys.db").stat().st_mode & 0o077 == 0


def expect_closed(machine, data):
    users = machine.users()
    gid = (data / "spool").stat().st_gid
    for user, names in CLOSED.items():
        for name in names:
            if name == "store/lodge.db" and not (data / name).exists():
                continue  # it is PostgreSQL's
            assert (data / name).exists(), name
            done = subprocess.run(["setpriv", f"--reuid={users[user]}", f"--regid={gid}", "--clear-groups",
                                   "cat", data / name], capture_output=True)
            assert done.returncode != 0, (user, name)


def expect_published(console, since):
    """What was made after so many lines of the log is at the gate: no password is tried before that, as
    wrong ones lock."""
    assert polled(lambda: any("event=image kind=state" in line for line in console.log[since:])), console.log


def ask(console, credentials, url="http://games.example/"):
    """The status that the gate answers this person with."""
    done = console.curl("-o", os.devnull, "-w", "%{http_code}", "--proxy-user", credentials, url)
    return done.stdout.decode()


@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_a_school_runs_as_root_with_a_user_for_each_process(machine, request, database):
    place = request.getfixturevalue("server").create() if database == "postgres" else None
    options = ("--database", place) if place else ()
    data, users = machine.folder / "data", machine.users()
    with School(machine, database=place, options=providers(machine.folder)) as console:
        assert not any("event=no-user" in line for line in console.log)
        expect_users(console, users)
        before = len(console.log)
        head, _ = set_up(console)
        made = head.json("POST", "/records/people/new", {"name": "Zoe Example", "kind": "staff"})
        assert made.status in (200, 201, 303), made
        # What was published reached the gate, and its passwords auth.
        expect_published(console, before)
        assert ask(console, f"h.head:{PASSWORD}") != "407"
        assert console.events()[-1]["person"]
        # The operator's commands, as root, beside it.
        assert "h.head" in machine.command("user", "list", "--data", data, *options)
        assert "whole" in machine.command("audit", "verify", "--data", data, *options)
        machine.command("user", "reset", "--data", data, "t.tech", *options)
        machine.command("backup", "key", "--data", data, "-o", machine.folder / "safe.key")
        machine.command("backup", "--data", data, "--to", machine.folder / "backups", *options)
        expect_owners(data, users)
        expect_closed(machine, data)
        again = head.json("POST", "/records/people/new", {"name": "Yan Example", "kind": "staff"})
        assert again.status in (200, 201, 303), again
    assert not any("level=error" in line for line in console.log), console.log
    # And while it does not run: nothing is left behind that its processes could not open.
    assert "t.tech" in machine.command("user", "list", "--data", data, *options)
    machine.command("user", "reset", "--data", data, "t.tech", *options)
    expect_owners(data, users)
    with console:
        expect_users(console, users)
        assert console.client().sign_in("h.head", PASSWORD).status == 303
    backup, = (machine.folder / "backups").glob("lodge-*.backup")
    expect_restored(machine, console, backup, request.getfixturevalue("server").create() if place else None)


def expect_restored(machine, console, backup, place):
    """On a new machine, as docs/backup.md says: restore, doctor, start."""
    shutil.rmtree(console.data)
    machine.command("restore", backup, "--key", machine.folder / "safe.key", "--data", console.data,
                    *(("--database", place) if place else ()))
    machine.run(machine.lodge, "doctor", "--data", console.data, "--fix", code=0)
    if place:
        console.command[console.command.index("--database") + 1] = place
    with console:
        expect_users(console, machine.users())
        assert console.client().sign_in("h.head", PASSWORD).status == 303
        assert "whole" in machine.command("audit", "verify", "--data", console.data,
                                          *(("--database", place) if place else ()))
    expect_owners(console.data, machine.users())
