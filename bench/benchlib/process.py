# SPDX-License-Identifier: GPL-3.0-or-later
"""Process trees: their CPU time and memory from /proc, and starting and stopping them by PID."""
import os
import socket
import subprocess
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
STOP_SECONDS = 8
# Makes a file stand over another one for one command only.  `unshare` and `sh` replace themselves
# by the command, so that the PID that was started is the command's.
PRIVATE_FILE = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'


def tree(pid):
    """The PID and all its descendants that live now."""
    result = [pid]
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            children = Path(f"/proc/{pid}/task/{task}/children").read_text()
            for child in children.split():
                result += tree(int(child))
    except OSError:
        pass  # it ended while we looked
    return result


def cpu_seconds(pid):
    """CPU time of the tree, with that of children that have ended and been waited for."""
    ticks = 0
    for member in tree(pid):
        try:
            stat = Path(f"/proc/{member}/stat").read_text()
        except OSError:
            continue
        # After the name in brackets, which may hold spaces: state is field 3, utime field 14.
        fields = stat.rsplit(")", 1)[1].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS


def memory_mb(pid):
    """Proportional set size of the tree: pages that processes share count once, not for each."""
    kilobytes = 0
    for member in tree(pid):
        try:
            for line in Path(f"/proc/{member}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    kilobytes += int(line.split()[1])
        except OSError:
            continue
    return kilobytes / 1024


def start(command, log, hosts_file=None, cpus=None, cwd=None):
    """Starts a command; with hosts_file, that file is its /etc/hosts (needs root)."""
    if hosts_file is not None:
        command = ["unshare", "--mount", "--propagation", "private", "sh", "-c", PRIVATE_FILE,
                   "sh", str(hosts_file), "/etc/hosts", *command]
    if cpus:
        command = ["taskset", "-c", cpus, *command]
    with open(log, "ab") as output:
        return subprocess.Popen([str(part) for part in command], stdin=subprocess.DEVNULL,
                                stdout=output, stderr=output, cwd=cwd)


def stop(process):
    """Ends a process that start() started, and what it left behind."""
    members = tree(process.pid)
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for member in members[1:]:
        try:
            os.kill(member, 9)
        except OSError:
            pass


def wait_for_port(host, port, process, seconds=120):
    """Waits until a port accepts connections; raises when the process ends or time runs out."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process is not None and process.poll() is not None:
            raise RuntimeError(f"ended with status {process.returncode} before it listened")
        try:
            socket.create_connection((host, port), 0.5).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {host}:{port} after {seconds} s")
