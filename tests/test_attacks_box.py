# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on the box: a worker that was taken over, a colleague at the keyboard, files that change
under the gate, and everything that runs out (R109)."""
import base64
import contextlib
import ctypes
import os
import re
import resource
import signal
import socket
import struct
import subprocess
import threading
import time

import gate as gate_lib
import origin as origin_lib
import pytest

NAME = "volcano.example"
SIGNED = {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}
PEOPLE = {"lodge_state": 1,
          "people": [{"id": "teacher", "group": "teaching-staff", "agreement": SIGNED}]}


PROC_CONTROL_FD = 3
MESSAGES = re.findall(r"^MESSAGE\((\w+)", (gate_lib.ROOT / "src/proc/message.def").read_text(), re.M)
MESSAGE_READY = 1 + MESSAGES.index("READY")
SYS_pidfd_getfd = 438


def copy_descriptor(pid, number):
    """A process's descriptor, copied here (pidfd_getfd(2))."""
    pidfd = os.pidfd_open(pid)
    copy = ctypes.CDLL(None, use_errno=True).syscall(SYS_pidfd_getfd, pidfd, number, 0)
    os.close(pidfd)
    if copy < 0:
        pytest.skip("left out: only root may copy the descriptor of a process that cannot be dumped")
    return copy


def wait_for(what, seconds=60):
    """Until what() is true; the bound is against hanging for ever."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it never came"
        time.sleep(0.02)


def status(gate, url, *words):
    return int(gate.curl("-o", os.devnull, "-w", "%{http_code}", *words, url).stdout or 0)


def lines(gate, event):
    return [line for line in gate.log if f"event={event} " in line + " "]


def pids_of(gate, name):
    return [pid for pid, command in gate.children().items() if name in command]


@pytest.fixture
def gate(gates):
    return gates(hosts={NAME: "127.0.0.1"}, catalog={"gambling": ["bet.example"]})


def works(gate, origin):
    assert status(gate, "http://bet.example/") == 403
    assert status(gate, f"http://{NAME}:{origin.port}/size/10") == 200


# --- files that change under the gate ---

def test_an_image_that_is_no_file_is_refused_and_the_old_one_stays(gate, origin, tmp_path):
    """A FIFO would hold up whoever opens it; a folder and a device are no images either."""
    good = gate.catalog.read_bytes()
    beside = gate.catalog.with_name("beside")
    os.mkfifo(beside)
    beside.rename(gate.catalog)
    wait_for(lambda: len(lines(gate, "image-refused")) == 1)
    beside.symlink_to("/dev/zero")
    beside.rename(gate.catalog)
    wait_for(lambda: len(lines(gate, "image-refused")) == 2)
    beside.symlink_to(tmp_path / "nowhere")
    beside.rename(gate.catalog)
    wait_for(lambda: len(lines(gate, "image-refused")) == 3)
    works(gate, origin)
    beside.write_bytes(good)
    beside.rename(gate.catalog)
    gate.process.send_signal(signal.SIGHUP)
    works(gate, origin)
    assert gate.stop() == 0


def test_images_that_are_deleted_are_missed_by_nobody(gate, origin):
    gate.catalog.unlink()
    for image in (gate.data / "images").iterdir():
        image.unlink()
    gate.process.send_signal(signal.SIGHUP)
    wait_for(lambda: lines(gate, "image-refused"))
    for pid in pids_of(gate, "proxy"):  # those that start now are handed the old ones too
        os.kill(pid, signal.SIGKILL)
    works(gate, origin)


# --- two gates, one folder ---

def test_a_second_gate_on_the_same_folder_or_port_is_refused(gate, origin):
    words = [str(word) for word in gate.command]
    for address in ("127.0.0.1:0", gate.address):
        done = subprocess.run([*words, "--proxy", address], capture_output=True, text=True, timeout=120)
        assert done.returncode == 1, address
        assert "do=" in done.stderr or "why=" in done.stderr
        assert "ready" not in done.stderr.split()
    works(gate, origin)
    folder = gate.data
    assert gate.stop() == 0
    gate.start()  # and afterwards it is free again
    works(gate, origin)
    assert folder == gate.data


# --- processes that die or stand still ---

def test_all_processes_killed_at_once_come_back(gate, origin):
    for _ in range(3):
        for pid in gate.children():
            os.kill(pid, signal.SIGKILL)
        works(gate, origin)
        wait_for(lambda: len(gate.children()) == 5)


def test_a_worker_that_stands_still_is_replaced_and_holds_up_nobody_for_long(gates, origin):
    gate = gates(hosts={NAME: "127.0.0.1"}, catalog={"gambling": ["bet.example"]},
                 options=["--watchdog", "2s"])
    stopped = pids_of(gate, "proxy-0")[0]
    os.kill(stopped, signal.SIGSTOP)
    for _ in range(20):
        works(gate, origin)
    gate.process.send_signal(signal.SIGHUP)
    works(gate, origin)
    wait_for(lambda: pids_of(gate, "proxy-0") not in ([], [stopped]))
    assert gate.stop() == 0


# --- everything that runs out ---

def reset(connection):
    """Closes so that the other side hears of it at once."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def test_few_descriptors_refuse_some_and_recover(gates, origin):
    gate = gates(hosts={NAME: "127.0.0.1"}, catalog={"gambling": ["bet.example"]}, workers=1)
    pid = pids_of(gate, "proxy-0")[0]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (128, 128))
    held = []
    for _ in range(300):
        connection = gate.connect()
        connection.sendall(f"GET http://{NAME}:{origin.port}/hang HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode())
        held.append(connection)
    for connection in held:
        reset(connection)
    wait_for(lambda: status(gate, f"http://{NAME}:{origin.port}/size/10") == 200)
    works(gate, origin)
    assert pids_of(gate, "proxy-0") == [pid]


# --- a worker that was taken over ---

def test_a_worker_holds_only_what_its_work_needs(gate):
    """No file but its spool's and the images; sockets, pipes and kernel objects beside."""
    for pid in pids_of(gate, "proxy"):
        for name in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{name}")
            except OSError:
                continue
            if target.startswith("/") and not target.startswith("/memfd"):
                assert (str(gate.data / "spool") in target or str(gate.data / "images") in target
                        or target == "/dev/null" or target.startswith("/dev/pts")), target
                assert "auth" not in target


def test_a_process_that_is_not_the_auth_process_never_holds_the_passwords(gate, lodge):
    subprocess.run([lodge, "passwd", "--data", gate.data, "teacher"], input="correct-horse-9\n",
                   text=True, check=True, capture_output=True)
    for pid, command in gate.children().items():
        held = [os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")]
        assert any(str(gate.data / "auth") in path for path in held) == ("auth" in command)


def test_a_worker_that_shouts_at_the_supervisor_is_ended(gate, origin):
    """Through a copy of the worker's own line, as somebody who runs inside it would."""
    supervisor, worker = gate.process.pid, pids_of(gate, "proxy-0")[0]
    line = socket.socket(fileno=copy_descriptor(worker, PROC_CONTROL_FD))
    os.kill(supervisor, signal.SIGSTOP)
    try:
        line.setblocking(False)
        for _ in range(200):
            line.send(struct.pack("=I", MESSAGE_READY))
    except BlockingIOError:
        pass
    finally:
        os.kill(supervisor, signal.SIGCONT)
    line.close()
    wait_for(lambda: any("name=proxy-0" in one for one in lines(gate, "bad-message")))
    wait_for(lambda: pids_of(gate, "proxy-0") not in ([], [worker]))
    works(gate, origin)


# --- passwords without end ---

def ask_with(connection, gate, url, person, password):
    host = url.split("/")[2]
    pair = base64.b64encode(f"{person}:{password}".encode()).decode()
    connection.sendall(f"GET {url} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
                       f"Proxy-Authorization: Basic {pair}\r\n\r\n".encode())


def code_of(connection):
    with connection.makefile("rb") as file:
        return int(file.readline().split(b" ")[1])


def test_somebody_who_guesses_without_end_keeps_nobody_else_out(gates, origin, lodge):
    gate = gates(hosts={NAME: "127.0.0.1"}, state=PEOPLE, workers=1)
    subprocess.run([lodge, "passwd", "--data", gate.data, "teacher"], input="correct-horse-9\n",
                   text=True, check=True, capture_output=True)
    url = f"http://{NAME}:{origin.port}/size/9"
    auth = pids_of(gate, "auth")[0]
    os.kill(auth, signal.SIGSTOP)  # so that none of the questions is answered meanwhile
    try:
        guessers = [gate.connect(60) for _ in range(40)]
        for number, connection in enumerate(guessers):
            ask_with(connection, gate, url, f"person-{number}", "some-password")
        assert gate.curl("http://lodge.internal/").returncode == 0
        teacher = socket.create_connection(("127.0.0.1", gate.port), 60, ("127.0.0.9", 0))
        ask_with(teacher, gate, url, "teacher", "correct-horse-9")
        refused = [code_of(connection) for connection in guessers[16:]]
    finally:
        os.kill(auth, signal.SIGCONT)
    assert refused == [503] * 24
    assert code_of(teacher) == 200
    assert [code_of(connection) for connection in guessers[:16]] == [407] * 16
    for connection in guessers + [teacher]:
        connection.close()


def test_an_auth_process_that_dies_says_of_nobody_that_the_password_was_wrong(gates, origin, lodge):
    """503, try again: a browser would ask a child for the password anew after 407."""
    gate = gates(hosts={NAME: "127.0.0.1"}, state=PEOPLE, workers=1)
    subprocess.run([lodge, "passwd", "--data", gate.data, "teacher"], input="correct-horse-9\n",
                   text=True, check=True, capture_output=True)
    url = f"http://{NAME}:{origin.port}/size/9"
    auth = pids_of(gate, "auth")[0]
    os.kill(auth, signal.SIGSTOP)
    with gate.connect(60) as connection:
        ask_with(connection, gate, url, "teacher", "correct-horse-9")
        assert gate.curl("http://lodge.internal/").returncode == 0
        os.kill(auth, signal.SIGKILL)
        assert code_of(connection) == 503
    wait_for(lambda: status(gate, url, "--proxy-user", "teacher:correct-horse-9") == 200)
