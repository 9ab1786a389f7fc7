# SPDX-License-Identifier: GPL-3.0-or-later
"""testssl.sh against the side that a pupil's device sees: nothing weaker than a good server of today,
and none of the known holes (T5). It reaches the gate by a forwarder that says CONNECT first."""
import json
import shutil
import socket
import socketserver
import subprocess
import threading

import pytest

NAME = "volcano.example"
SIGNED = {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}
PUPIL = {"lodge_state": 1, "people": [{"id": "person-1", "group": "pupils-ks2", "agreement": SIGNED}],
         "devices": [{"id": "device-1", "address": "127.0.0.1", "owner": "person-1"}]}
FINE = ("OK", "INFO")
# What follows from being a school's own gate, not from its TLS: nobody outside vouches for the CA,
# and a CA that lives on one machine has no revocation server.
OWN = {"cert_chain_of_trust", "cert_revocation"}


class Forward(socketserver.BaseRequestHandler):
    def handle(self):
        with socket.create_connection(("127.0.0.1", self.server.gate_port), 60) as gate:
            where = f"{NAME}:{self.server.site_port}"
            gate.sendall(f"CONNECT {where} HTTP/1.1\r\nHost: {where}\r\n\r\n".encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                byte = gate.recv(1)
                if not byte:
                    return
                head += byte
            back = threading.Thread(target=pump, args=(gate, self.request), daemon=True)
            back.start()
            pump(self.request, gate)
            back.join(60)


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


@pytest.fixture
def forward():
    class Server(socketserver.ThreadingTCPServer):
        allow_reuse_address = True
        daemon_threads = True

    with Server(("127.0.0.1", 0), Forward) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


@pytest.mark.skipif(shutil.which("testssl") is None, reason="left out: needs testssl.sh")
def test_testssl_finds_nothing_weak_on_the_side_of_the_pupil(gates, tls_origin, forward, tmp_path,
                                                           build):
    gate = gates(hosts={NAME: "127.0.0.1"}, state=PUPIL,
                 options=["--origin-ca", tls_origin.certificate])
    forward.gate_port, forward.site_port = gate.port, tls_origin.port
    report = build / "testssl.json"
    report.unlink(missing_ok=True)
    done = subprocess.run(
        ["testssl", "--color", "0", "--warnings", "off", "--ip", "127.0.0.1", "-n", "none", "-p", "-s",
         "-f", "-S", "-U", "--jsonfile", report, f"{NAME}:{forward.server_address[1]}"],
        capture_output=True, text=True, timeout=900)
    found = {row["id"].split(" ")[0]: row for row in json.loads(report.read_text())}
    for needed in ("TLS1", "TLS1_1", "TLS1_2", "TLS1_3", "heartbleed", "ROBOT", "cert_keySize"):
        assert needed in found, done.stdout[-2000:]
    assert found["TLS1"]["finding"] == "not offered" and found["TLS1_1"]["finding"] == "not offered"
    assert found["TLS1_3"]["finding"].startswith("offered")
    weak = {key: (row["severity"], row["finding"]) for key, row in found.items()
            if row["severity"] not in FINE and key not in OWN}
    assert weak == {}
