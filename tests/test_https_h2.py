# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/2 through a gate that inspects, in any pairing with HTTP/1.1: pages arrive whole, one
protocol smuggles nothing into the other, and floods end in a bounded worker."""
import hashlib
import socket
import ssl
import subprocess

import gate as gate_lib
import h2_client
import origin as origin_lib
import pytest

NAME, CLOSED = "volcano.example", "slots.example"
SIGNED = {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}
PUPIL = {"lodge_state": 1,
         "people": [{"id": "person-1", "group": "pupils-ks2", "agreement": SIGNED}],
         "devices": [{"id": "device-1", "address": "127.0.0.1", "owner": "person-1"}]}
BOUND_SECONDS = 60


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with origin_lib.Origin(tls=tmp_path_factory.mktemp("site")) as server:
        yield server


@pytest.fixture
def start(gates, site, lodge, tmp_path):
    """start() is a gate before that site, one worker; its `ca` is a file."""
    def run(state=PUPIL, **more):
        one = gates(catalog={"gambling": [CLOSED]},
                    hosts={name: "127.0.0.1" for name in (NAME, CLOSED)},
                    state=state, options=["--origin-ca", site.certificate], workers=1, **more)
        one.ca = tmp_path / "ca.pem"
        one.ca.write_bytes(subprocess.run([lodge, "ca", "show", "--data", one.data], check=True,
                                          capture_output=True).stdout)
        return one
    return run


def open_tls(gate, name, port, alpn=("h2", "http/1.1")):
    """A TLS session inside a CONNECT."""
    one = gate.connect()
    one.settimeout(BOUND_SECONDS)
    one.sendall(f"CONNECT {name}:{port} HTTP/1.1\r\nHost: {name}\r\n\r\n".encode())
    head = b""
    while b"\r\n\r\n" not in head:
        head += one.recv(1)
    assert head.split()[1] == b"200"
    context = ssl.create_default_context(cafile=gate.ca)
    context.set_alpn_protocols(list(alpn))
    return context.wrap_socket(one, server_hostname=name)


def connect(gate, site, name=NAME, strict=True):
    session = open_tls(gate, name, site.port)
    assert session.selected_alpn_protocol() == "h2"
    return h2_client.Client(session, f"{name}:{site.port}", strict)


# --- whole ------------------------------------------------------------------------------------------

@pytest.mark.parametrize("size", [0, 1, 65535, 1 << 20])
def test_f22_a_page_arrives_whole_over_http2(start, site, size):
    gate = start()
    client = connect(gate, site)
    for path in (f"/size/{size}", f"/chunked/{size}"):
        answer = client.get(path)
        assert answer.status == 200 and answer.ended and answer.reset is None
        assert answer.body == origin_lib.body(size)
    done = gate.curl("--cacert", gate.ca, "--http2", "-w", "%{http_version}",
                     f"https://{NAME}:{site.port}/size/{size}")
    assert done.stdout == origin_lib.body(size) + b"2", done.stderr
