# SPDX-License-Identifier: GPL-3.0-or-later
"""A running gate for tests: makes its catalogue, starts `lodge serve`, reads its events."""
import json
import os
import signal
import socket
import subprocess
import threading
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PRESET = ROOT / "presets" / "church-primary.json"
START_SECONDS = 60   # bounds against hanging for ever, not measures of speed
STOP_SECONDS = 60


def write_catalog(lodge, folder, lists):
    """Compiles {category: [lines]} or {(category, format[, "sealed"]): [lines]} to an image."""
    rows = []
    for number, (key, lines) in enumerate(lists.items()):
        words = (key, "domains") if isinstance(key, str) else key
        name = f"list-{number}"
        (folder / name).write_text("".join(f"{line}\n" for line in lines))
        rows.append(" ".join([words[0], words[1], name, *words[2:]]))
    (folder / "manifest").write_text("\n".join(rows) + "\n")
    image = folder / "catalog.img"
    subprocess.run([lodge, "catalog", "build", "--manifest", folder / "manifest", "-o", image],
                   check=True, capture_output=True)
    return image


class Gate:
    """policy: a dict, a path, or None for a preset; state: a dict in the form of docs/state.md;
    hosts: {name: address}; options: more words for `lodge serve`."""

    def __init__(self, lodge, folder, catalog=None, policy=None, state=None, hosts=None, options=(),
                 private=True, workers=2):
        self.lodge, self.folder, self.process = lodge, folder, None
        self.data = folder / "data"
        self.log = []
        self.policy = self.write_policy(policy)
        self.catalog = write_catalog(lodge, folder, catalog or {"games": ["games.example"]})
        self.command = [lodge, "serve", "--data", self.data, "--policy", self.policy, "--catalog",
                        self.catalog, "--workers", str(workers), *options]
        if private:
            self.command.append("--allow-private")
        if hosts:
            path = folder / "hosts"
            path.write_text("".join(f"{address} {name}\n" for name, address in hosts.items()))
            self.command += ["--hosts", path]
        if state is not None:
            self.state = self.write_state(state)
            self.command += ["--state", self.state]

    def write_policy(self, policy):
        if policy is None:
            return PRESET
        if not isinstance(policy, dict):
            return Path(policy)
        path = self.folder / "policy.json"
        path.write_text(json.dumps(policy))
        return path

    def write_state(self, state):
        """Builds a state image beside the old one and renames it into place."""
        source, image = self.folder / "state.json", self.folder / "state.img"
        source.write_text(json.dumps(state))
        subprocess.run([self.lodge, "state", "build", source, "-o", image], check=True,
                       capture_output=True)
        return image

    def start(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        command = [str(word) for word in self.command] + ["--proxy", self.address]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        ready, before = threading.Event(), len(self.log)
        threading.Thread(target=self.read_log, args=(ready,), daemon=True).start()
        if not ready.wait(START_SECONDS) or "ready\n" not in self.log[before:]:
            self.stop()
            raise RuntimeError("lodge serve did not get ready:\n" + "".join(self.log[-30:]))

    def read_log(self, ready):
        for line in self.process.stderr:
            self.log.append(line)
            if line.strip() == "ready":
                ready.set()
        ready.set()

    def stop(self):
        """SIGTERM and wait; the exit code. A gate that does not end is killed, and fails the test."""
        if self.process is None:
            return None
        process, self.process = self.process, None
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def children(self):
        """PIDs of the supervisor's children, with their command lines."""
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        found = {}
        for pid in text.split():
            try:
                found[int(pid)] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                pass
        return found

    def connect(self, timeout=30):
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def events(self, *words):
        """The events so far, as `lodge log --json` gives them."""
        done = subprocess.run([self.lodge, "log", "--json", "--data", self.data, *words],
                              capture_output=True, text=True, check=True)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def curl(self, *words, **options):
        """curl through this gate; a CompletedProcess with bytes."""
        environment = {key: value for key, value in os.environ.items() if "proxy" not in key.lower()}
        return subprocess.run(["curl", "-sS", "--max-time", "120", "-x", self.url, *map(str, words)],
                              capture_output=True, env=environment, **options)
