# SPDX-License-Identifier: GPL-3.0-or-later
"""TLS between the gate and the sites: who does not prove to be the site is a page that says so, and
nothing of it gets through; what is offered is no weaker than a browser's; sessions and connections
are used again; a body that was cut short is not passed off as whole."""
import hashlib
import json
import re
import shutil
import socket
import ssl
import subprocess
import threading

import certificates
import origin as origin_lib
import pytest
import tls_server
from gate import PRESET

SITE = "volcano.example"
ALL = {key: "allow" for key in ("not_tls", "no_sni", "ip_literal", "other_ports")}
RSA = ("rsa", "rsa_keygen_bits:2048")
WEAK_RSA = ("rsa", "rsa_keygen_bits:1024")
MUST_STAPLE = "tlsfeature=status_request\nextendedKeyUsage=serverAuth"  # RFC 7633
# IANA's numbers. Forward secrecy and AEAD; TLS 1.3, then ECDHE for 1.2.
STRONG = {0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9}
RENEGOTIATION = 0x00ff  # a signal, not a cipher (RFC 5746)


def inspecting(policy):
    """The preset, with visitors inspected on every port."""
    for group in policy["groups"]:
        if group["id"] == policy["unknown_group"]:
            group["tunnels"] = ALL
            group["inspect"] = "inspect"
            group["uncategorised"] = "acceptable"
    return policy


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """An authority that the gate trusts beside the system's."""
    return certificates.Authority(tmp_path_factory.mktemp("world") / "authority")


class Inspector:
    """A gate that inspects, and a client that trusts it."""

    def __init__(self, gates, world, lodge, tmp_path, **options):
        policy = inspecting(json.loads(PRESET.read_text()))
        self.gate = gates(policy=policy, hosts={SITE: "127.0.0.1", "other.example": "127.0.0.1"},
                          options=["--origin-ca", world.certificate, *options.pop("options", [])],
                          workers=1, **options)
        self.ca = tmp_path / "gate-ca.pem"
        shown = subprocess.run([lodge, "ca", "show", "--data", self.gate.data], check=True,
                               capture_output=True)
        self.ca.write_bytes(shown.stdout)

    def get(self, port, path="/page", name=SITE, words=()):
        return self.gate.curl("--cacert", self.ca, "--suppress-connect-headers", *words,
                              f"https://{name}:{port}{path}")

    def last(self):
        """The event of the last request over https."""
        return [event for event in self.gate.events() if event["scheme"] == "https"][-1]


@pytest.fixture
def inspector(gates, world, lodge, tmp_path):
    return Inspector(gates, world, lodge, tmp_path)


def serve(leaf, **options):
    return origin_lib.Origin(certificate=leaf, **options)


def assert_refused(inspector, server, code, sentence, name=SITE):
    done = inspector.get(server.port, name=name, words=["-i"])
    assert done.returncode == 0, done.stderr
    assert done.stdout.split(b"\r\n")[0].split()[1] == b"502"
    assert sentence.encode() in done.stdout
    assert b"test-origin" not in done.stdout and b"Lava" not in done.stdout
    event = inspector.last()
    assert event["action"] == "block" and event["status"] == 502
    assert event["reason"] in ("origin-certificate", "origin-encryption")
    assert event["rule"] == code


# --- certificates ---


def test_a_good_certificate_gives_the_page(inspector, world):
    with serve(world.issue(SITE)) as server:
        done = inspector.get(server.port)
        assert done.stdout == origin_lib.PAGE
        event = inspector.last()
        assert (event["host"], event["path"], event["action"]) == (SITE, "/page", "allow")


def test_intermediates_that_the_site_sends_are_used(inspector, world, tmp_path):
    between = certificates.Authority(tmp_path / "between", "Between", issuer=world)
    leaf = between.issue(SITE)
    with serve(leaf) as server:
        assert inspector.get(server.port).stdout == origin_lib.PAGE
    with serve(certificates.Leaf(leaf.certificate, leaf.certificate, leaf.key)) as server:
        assert_refused(inspector, server, "untrusted", "somebody this gate does not trust")


BAD = {
    "expired": ({"start": -60, "end": -1}, "expired", "certificate has run out"),
    "not-yet": ({"start": 1}, "not-yet", "does not hold yet"),
    "another-name": ({"sans": "DNS:other.example"}, "wrong-name", "for another name"),
    "name-without-san": ({"sans": "email:a@b.example"}, "wrong-name", "for another name"),
    "wildcard-of-others": ({"sans": "DNS:*.other.example"}, "wrong-name", "for another name"),
    "weak-key": ({"key": WEAK_RSA}, "weak", "too weak"),
    "sha-1": ({"digest": "sha1"}, "weak", "too weak"),
    "not-for-servers": ({"extensions": "extendedKeyUsage=clientAuth"}, "certificate", "not valid"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_certificate_is_a_page_and_nothing_of_the_site(inspector, world, case):
    options, code, sentence = BAD[case]
    with serve(world.issue(SITE, **options)) as server:
        assert_refused(inspector, server, code, sentence)
        assert not server.requests


def test_a_certificate_that_nobody_vouches_for_is_a_page(inspector, world, tmp_path):
    with serve(certificates.self_signed(tmp_path / "own", SITE)) as server:
        assert_refused(inspector, server, "self-signed", "made its own certificate")
        assert not server.requests
    stranger = certificates.Authority(tmp_path / "stranger", "Stranger")
    with serve(stranger.issue(SITE)) as server:
        assert_refused(inspector, server, "untrusted", "somebody this gate does not trust")
        assert not server.requests


def test_a_leaf_is_no_authority(inspector, world, tmp_path):
    leaf = world.issue(SITE)
    fake = certificates.Authority(tmp_path / "fake", "Fake")
    fake.certificate.write_bytes(leaf.certificate.read_bytes())
    fake.key.write_bytes(leaf.key.read_bytes())
    fake.issuer = world
    with serve(fake.issue("other.example")) as server:
        done = inspector.get(server.port, name="other.example", words=["-i"])
        assert b" 502 " in done.stdout.split(b"\r\n")[0] + b" "
        assert not server.requests


def test_a_revoked_certificate_is_a_page(inspector, world):
    leaf = world.issue(SITE)
    with tls_server.TlsServer(leaf, "-status_file", world.staple(leaf)) as server:
        assert b"s_server" in inspector.get(server.port).stdout
    world.revoke(leaf)
    with tls_server.TlsServer(leaf, "-status_file", world.staple(leaf)) as server:
        assert_refused(inspector, server, "revoked", "has been taken back")


def test_a_certificate_that_promises_a_staple_must_have_one(inspector, world):
    leaf = world.issue(SITE, extensions=MUST_STAPLE)
    with tls_server.TlsServer(leaf, "-status_file", world.staple(leaf)) as server:
        assert b"s_server" in inspector.get(server.port).stdout
    with serve(leaf) as server:
        assert_refused(inspector, server, "staple", "does not prove that its certificate still holds")


# --- what is offered ---

WEAK_SERVERS = {
    "tls-1.0": ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
    "tls-1.1": ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
    "cbc": ["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA:AES128-SHA:@SECLEVEL=0"],
    "no-forward-secrecy": ["-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"],
    "finite-field-dh": ["-tls1_2", "-cipher", "DHE-RSA-AES128-GCM-SHA256:@SECLEVEL=0"],
    "old-curve": ["-tls1_2", "-curves", "P-192", "-cipher", "ECDHE+AESGCM:@SECLEVEL=0"],
    "no-encryption": ["-tls1_2", "-cipher", "NULL:@SECLEVEL=0"],
}


@pytest.mark.parametrize("case", WEAK_SERVERS)
def test_a_weak_protocol_is_a_page(inspector, world, case):
    with tls_server.TlsServer(world.issue(SITE, key=RSA), *WEAK_SERVERS[case]) as server:
        done = inspector.get(server.port, words=["-i"])
        assert done.stdout.split(b"\r\n")[0].split()[1] == b"502"
        assert b"s_server" not in done.stdout
        event = inspector.last()
        assert (event["action"], event["reason"]) == ("block", "origin-encryption")


@pytest.mark.parametrize("words", [["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"],
                                   ["-tls1_2", "-cipher", "ECDHE-RSA-CHACHA20-POLY1305"],
                                   ["-tls1_3", "-curves", "X25519"], ["-tls1_3", "-curves", "P-384"]])
def test_strong_protocols_are_spoken(inspector, world, words):
    with tls_server.TlsServer(world.issue(SITE, key=RSA), *words) as server:
        assert b"s_server" in inspector.get(server.port).stdout


def offered_by_the_gate(inspector):
    with tls_server.Recorder() as recorder:
        inspector.get(recorder.port)
        return tls_server.Hello(recorder.hellos[0])


def test_what_the_gate_offers_is_strong(inspector):
    hello = offered_by_the_gate(inspector)
    assert set(hello.ciphers) - {RENEGOTIATION} <= STRONG
    assert set(hello.versions) <= {0x0303, 0x0304}
    assert hello.compression == [0]
    assert 0x0304 in hello.versions and 0x1301 in hello.ciphers
    assert 22 not in hello.signatures and not any(one >> 8 in (1, 2, 3) for one in hello.signatures)
    assert 5 in hello.extensions  # a staple is asked for
    assert 42 not in hello.extensions  # no early data


def test_nothing_weaker_is_offered_than_chromium_does(inspector, tmp_path):
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("left out: chromium is not installed")
    with tls_server.Recorder() as recorder:
        browser = subprocess.Popen(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
             f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", "--timeout=20000",
             f"--host-resolver-rules=MAP {SITE} 127.0.0.1", f"https://{SITE}:{recorder.port}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            assert recorder.came.wait(60)
        finally:
            browser.terminate()
            browser.wait(60)
        theirs = tls_server.Hello(recorder.hellos[0])
    ours = offered_by_the_gate(inspector)
    assert set(ours.ciphers) - {RENEGOTIATION} <= set(theirs.ciphers)
    assert set(ours.versions) <= set(theirs.versions)
    assert set(ours.groups) <= set(theirs.groups)
    assert set(ours.signatures) <= set(theirs.signatures)


def test_no_byte_of_a_request_goes_out_in_the_clear(inspector):
    with tls_server.Recorder() as recorder:  # speaks no TLS
        done = inspector.get(recorder.port, words=["-i"])
        assert b" 502 " in done.stdout.split(b"\r\n")[0]
        assert [hello[0] for hello in recorder.hellos] == [22]
        assert inspector.last()["status"] == 502


# --- connections, sessions, bodies ---


def test_a_session_is_resumed_with_the_site(inspector, world):
    with tls_server.TlsServer(world.issue(SITE), "-tls1_3") as server:  # closes after each answer
        pages = [inspector.get(server.port).stdout for _ in range(3)]
    assert b"New, TLSv1.3" in pages[0]
    assert b"Reused, TLSv1.3" in pages[1] and b"Reused, TLSv1.3" in pages[2]


def test_a_connection_serves_many_requests(inspector, world):
    with serve(world.issue(SITE)) as server:
        for _ in range(5):
            assert inspector.get(server.port).stdout == origin_lib.PAGE
        assert len(server.requests) == 5
        assert server.connections == 1


def test_a_big_body_arrives_whole(inspector, world):
    size = 100 * 1024 * 1024
    with serve(world.issue(SITE)) as server:
        for kind in ("size", "chunked", "close"):
            done = inspector.get(server.port, f"/{kind}/{size}")
            assert hashlib.sha256(done.stdout).hexdigest() == origin_lib.digest(size), kind


@pytest.mark.parametrize("proper", [True, False])
def test_a_body_without_a_length_is_whole_only_with_close_notify(inspector, world, proper):
    leaf = world.issue(SITE)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.chain, leaf.key)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def run():
            one, _ = listener.accept()
            tls = context.wrap_socket(one, server_side=True)
            tls.recv(65536)
            tls.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1000)
            if proper:
                try:
                    tls.unwrap()
                except OSError:
                    pass
                tls.close()
            else:
                socket.socket(fileno=tls.detach()).close()
        thread = threading.Thread(target=run)
        thread.start()
        done = inspector.get(listener.getsockname()[1])
        thread.join()
    assert (done.returncode == 0) == proper
    assert inspector.last()["end"] == ("done" if proper else "origin")


def test_headers_that_lead_round_the_gate_are_taken_out(inspector, world):
    head = (b"HTTP/1.1 200 OK\r\nAlt-Svc: h3=\":443\"\r\nStrict-Transport-Security: max-age=5\r\n"
            b"Content-Length: 2\r\n\r\nok")
    with serve(world.issue(SITE)) as server:
        done = inspector.get(server.port, "/raw/" + head.hex(), words=["-i"])
    assert not re.search(rb"(?i)alt-svc", done.stdout)
    assert b"strict-transport-security: max-age=5\r\n" in done.stdout.lower()


def test_a_websocket_works_over_tls(inspector, world):
    with serve(world.issue(SITE)) as server:
        with inspector.gate.connect() as plain:
            plain.sendall(f"CONNECT {SITE}:{server.port} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert b" 200 " in plain.recv(65536)
            context = ssl.create_default_context(cafile=inspector.ca)
            with context.wrap_socket(plain, server_hostname=SITE) as tls:
                tls.sendall(f"GET /ws HTTP/1.1\r\nHost: {SITE}:{server.port}\r\nUpgrade: websocket"
                            "\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode())
                stream = tls.makefile("rb")
                assert b" 101 " in stream.readline()
                while stream.readline() != b"\r\n":
                    pass
                for size in (5, 60000, 1000000):
                    sent = bytes([0x82, 127]) + size.to_bytes(8, "big") + b"x" * size
                    tls.sendall(sent)
                    head = stream.read(2)
                    more = {126: 2, 127: 8}.get(head[1] & 127, 0)
                    stream.read(more)
                    assert stream.read(size) == b"x" * size
