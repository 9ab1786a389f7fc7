# SPDX-License-Identifier: GPL-3.0-or-later
"""openssl s_server as an origin that a gate visits, for what Python's ssl module cannot say."""
import os
import socket
import subprocess
import threading
import time

START_SECONDS = 30


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class TlsServer:
    """A server that answers any request with a page about the session ("Reused, TLSv1.3, …")."""

    def __init__(self, leaf, *words):
        self.port = free_port()
        self.command = ["openssl", "s_server", "-accept", f"127.0.0.1:{self.port}", "-cert",
                        leaf.certificate, "-cert_chain", leaf.chain, "-key", leaf.key, "-www", *words]

    def __enter__(self):
        environment = {**os.environ, "OPENSSL_CONF": "/dev/null"}  # no least version but its own
        self.process = subprocess.Popen([str(word) for word in self.command], env=environment,
                                        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                assert self.process.poll() is None and time.monotonic() < deadline, self.command
                time.sleep(0.02)

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


class Recorder:
    """Takes connections and keeps the first bytes of each: what a client says before it knows us."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.hellos = []
        self.came = threading.Event()

    def serve(self):
        try:
            while True:
                one, _ = self.listener.accept()
                with one:
                    one.settimeout(30)
                    self.hellos.append(self.read(one))
                    self.came.set()
        except OSError:
            pass  # closed

    @staticmethod
    def read(one):
        """One TLS record."""
        data = b""
        try:
            while len(data) < 5 or len(data) < 5 + int.from_bytes(data[3:5], "big"):
                more = one.recv(65536)
                if not more:
                    break
                data += more
        except OSError:
            pass
        return data

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()


def _vectors(data, width):
    """What is in a vector of TLS whose parts are `width` bytes, as numbers; GREASE left out."""
    numbers = [int.from_bytes(data[at:at + width], "big") for at in range(0, len(data), width)]
    return [one for one in numbers if width != 2 or one & 0x0f0f != 0x0a0a or one >> 8 != one & 255]


class Hello:
    """A ClientHello (RFC 8446 section 4.1.2): what is offered."""

    def __init__(self, record):
        assert record[0] == 22 and record[5] == 1, record[:16]
        at = 5 + 4 + 2 + 32
        at += 1 + record[at]
        size = int.from_bytes(record[at:at + 2], "big")
        self.ciphers = _vectors(record[at + 2:at + 2 + size], 2)
        at += 2 + size
        self.compression = list(record[at + 1:at + 1 + record[at]])
        at += 1 + record[at]
        self.extensions = {}
        end = at + 2 + int.from_bytes(record[at:at + 2], "big")
        at += 2
        while at < end:
            kind, size = (int.from_bytes(record[at + i:at + i + 2], "big") for i in (0, 2))
            self.extensions[kind] = record[at + 4:at + 4 + size]
            at += 4 + size

    @property
    def groups(self):
        return _vectors(self.extensions[10][2:], 2)

    @property
    def signatures(self):
        return _vectors(self.extensions[13][2:], 2)

    @property
    def versions(self):
        return _vectors(self.extensions[43][1:], 2)
