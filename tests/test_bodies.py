# SPDX-License-Identifier: GPL-3.0-or-later
"""Bodies that are read as they stream (R129): programs by what they hold, bombs at bounded memory,
and everything else byte for byte."""
import base64
import contextlib
import gzip
import hashlib
import io
import json
import os
import socketserver
import subprocess
import threading
import time
import types
import zipfile
import zlib
from pathlib import Path

import origin as origin_lib
import pytest

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = b"MZ\x90\0\3\0\0\0\4\0\0\0\xff\xff" + bytes(600) + b"PE\0\0" + os.urandom(20000)
PAGE = b"<!doctype html><title>Volcanoes</title>" + b"<p>Lava is molten rock.</p>" * 400
MIB = 1 << 20
# 256 MiB of zeros, by libbrotli's encoder with a window of 4 MiB.
BROTLI_BOMB = base64.b64decode(
    "y///PwAkAOKxQHLv//j//weABEAcFoDu/R////8AkACIwwLQvf/j//8fABIAcVgAuvd//P//A0ACIA4LQPf+j///fwBI"
    "AMRhAeje//H//w8ACYA4LADd+z/+//8BIAEQhwWge//H//8/ACQA4rAAdO//+P//B4AEQBwWgO79H////wCQAIjDAtC9"
    "/+P//x8AEgBxWAC693/8//8DQAIgDgtA9/6P//9/AEgAxGEB6N7/8f//DwAJgDgsAN37P/7//wEgARCHBaB7/8f//z8A"
    "JADisAB07//4//8HgARAHBaA7v0f////AJAAiMMC0L3/4///HwASAHFYALr3f/z//wNAAiAOC0D3/o///38ASADEYQHo"
    "3v/x//8PAAmAOCwA3fs//v//ASABEIcFoHv/x///PwAkAOKwAHTv//j//weABEAcFoDu/R////8AkACIwwLQvf/j//8f"
    "ABIAcVgAuvd//P//A0ACIA4LQPf+j///fwBIAMRhAeje//H//w8ACYA4LADd+7/8//8DIAEQhwWge/8H")


def brotli(data):
    """A brotli stream of uncompressed meta-blocks (RFC 7932 section 9.2), made by hand: WBITS 16,
    each of 64 KiB."""
    bits, count, out = 0, 0, bytearray()

    def put(value, size):
        nonlocal bits, count
        bits |= value << count
        count += size
        while count >= 8:
            out.append(bits & 255)
            bits >>= 8
            count -= 8

    put(0, 1)
    for at in range(0, len(data), 65536):
        piece = data[at:at + 65536]
        put(0, 1)               # ISLAST
        put(0, 2)               # MNIBBLES: 4
        put(len(piece) - 1, 16)
        put(1, 1)               # ISUNCOMPRESSED
        put(0, -count % 8)
        out.extend(piece)
    put(3, 2)                   # ISLAST, ISLASTEMPTY
    put(0, -count % 8)
    return bytes(out)


def zstd(data):
    """A zstd frame of raw blocks (RFC 8878 section 3.1.1), made by hand: a window of 128 KiB."""
    out = bytearray(b"\x28\xb5\x2f\xfd\x00\x38")
    pieces = [data[at:at + 65536] for at in range(0, len(data), 65536)] or [b""]
    for number, piece in enumerate(pieces):
        header = len(piece) << 3 | (number == len(pieces) - 1)
        out += header.to_bytes(3, "little") + piece
    return bytes(out)


def zstd_bomb(size):
    """The same, of blocks that repeat one byte 128 KiB long."""
    out = bytearray(b"\x28\xb5\x2f\xfd\x00\x38")
    for at in range(0, size, 128 << 10):
        last = at + (128 << 10) >= size
        out += ((128 << 10) << 3 | 2 | last).to_bytes(3, "little") + b"\0"
    return bytes(out)


def bare_deflate(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


CODINGS = {"identity": bytes, "gzip": gzip.compress, "x-gzip": gzip.compress,
           "deflate": zlib.compress, "br": brotli, "zstd": zstd,
           "gzip, br": lambda data: brotli(gzip.compress(data)),
           "zstd, deflate": lambda data: bare_deflate(zstd(data))}


def archive(*names):
    to = io.BytesIO()
    with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as file:
        for name in names:
            file.writestr(name, os.urandom(9000))
    return to.getvalue()


class Site:
    """Answers each path with the bytes that a test put there, whole heads included; a list of
    pieces is sent piece by piece, and a function writes by itself."""

    def __init__(self):
        self.answers = {}
        site = self

        class Handler(socketserver.StreamRequestHandler):
            disable_nagle_algorithm = True

            def handle(self):
                with contextlib.suppress(OSError):
                    while site.answer(self):
                        pass

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = daemon_threads = True

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, handler):
        line = handler.rfile.readline()
        while handler.rfile.readline() not in (b"\r\n", b""):
            pass
        if not line:
            return False
        answer = self.answers[line.split()[1].decode()]
        if callable(answer):
            answer(handler.wfile)
            return False
        for piece in answer if isinstance(answer, list) else [answer]:
            handler.wfile.write(piece)
        return True

    def put(self, path, body, *fields, status="200 OK", chunk=None):
        head = "".join(f"{field}\r\n" for field in (f"HTTP/1.1 {status}", *fields)).encode()
        if chunk:
            pieces = [body[at:at + chunk] for at in range(0, len(body), chunk)]
            self.answers[path] = [head + b"Transfer-Encoding: chunked\r\n\r\n",
                                  *[b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces],
                                  b"0\r\n\r\n"]
        else:
            self.answers[path] = head + b"Content-Length: %d\r\n\r\n" % len(body) + body

    def url(self, path):
        return f"http://site.example:{self.port}{path}"


@pytest.fixture(scope="module")
def site():
    one = Site()
    yield one
    one.server.shutdown()


@pytest.fixture
def gate(gates):
    """A preset in which the visitors that we are may not have programs (R129)."""
    return gates(hosts={"site.example": "127.0.0.1", "update.example": "127.0.0.1"},
                 catalog={"games": ["games.example"], "infrastructure": ["update.example"]},
                 workers=1)


def fetch(gate, url, *words):
    """Status and body; a body that was cut off is an error of curl."""
    done = gate.curl("-o", "-", "-w", "\n%{http_code}", *words, url)
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), body, done.returncode


def refused(gate, url, *words):
    status, body, _ = fetch(gate, url, *words)
    return status == 403 and b"</html>" in body and b"MZ" not in body


@pytest.mark.parametrize("coding", CODINGS)
def test_R129_a_program_under_the_name_of_a_picture_is_refused_in_every_coding(gate, site, coding):
    path = "/photo.jpg"
    field = [] if coding == "identity" else [f"Content-Encoding: {coding}"]
    site.put(path, CODINGS[coding](PROGRAM), "Content-Type: image/jpeg", *field)
    assert refused(gate, site.url(path))
    event = gate.events()[-1]
    assert event["rule"] == "table/executables/everyone"
    assert "executables" in event["categories"]
    assert event["action"] == "block" and event["status"] == 403


def test_R129_pieces_names_archives_and_ranges(gate, site):
    site.put("/chunks", PROGRAM[:900], chunk=1)
    site.put("/zip", archive("a.txt", "b/setup.exe"), "Content-Type: application/zip")
    site.put("/named", b"text", "Content-Disposition: attachment; filename=\"a.bat\"")
    site.put("/a.msi", b"text", "Content-Type: application/octet-stream")
    site.put("/range", PROGRAM[:500], "Content-Range: bytes 0-499/9000", status="206 Partial")
    site.put("/second", PROGRAM[1:500], "Content-Range: bytes 1-499/9000", status="206 Partial")
    site.put("/unknown", b"\x1f\x9d\x90", "Content-Encoding: compress")
    for path in ("/chunks", "/zip", "/named", "/a.msi", "/range", "/second", "/unknown"):
        assert refused(gate, site.url(path)), path
    assert [event["status"] for event in gate.events()] == [403] * 7


def test_R129_servers_of_updates_and_people_who_may_have_programs_get_them(gates, gate, site):
    site.put("/a.exe", PROGRAM, "Content-Type: application/x-msdownload")
    update = f"http://update.example:{site.port}/a.exe"
    assert fetch(gate, update) == (200, PROGRAM, 0)
    assert gate.events()[-1]["action"] == "allow"
    document = json.loads((ROOT / "presets" / "church-primary.json").read_text())
    row = next(row for row in document["table"] if row["id"] == "executables")
    row["cells"]["visitors"] = {"level": "acceptable"}
    other = gates(hosts={"site.example": "127.0.0.1"}, policy=document)
    assert fetch(other, site.url("/a.exe")) == (200, PROGRAM, 0)


@pytest.mark.parametrize("coding", CODINGS)
def test_pages_arrive_byte_for_byte_in_every_coding_and_framing(gate, site, coding):
    field = [] if coding == "identity" else [f"Content-Encoding: {coding}"]
    coded = CODINGS[coding](PAGE)
    kind = "Content-Type: text/html"
    site.put("/whole", coded, kind, *field)
    site.put("/chunks", coded, kind, *field, chunk=7)
    head = "".join(f"{line}\r\n" for line in ("HTTP/1.1 200 OK", kind, *field)).encode()
    site.answers["/close"] = lambda to: to.write(head + b"\r\n" + coded)
    for path in ("/whole", "/chunks", "/close"):
        assert fetch(gate, site.url(path)) == (200, coded, 0), path
    assert all(event["action"] == "allow" for event in gate.events())


def worker_kib(gate):
    """The most memory that the worker has held so far."""
    pid = next(pid for pid, line in gate.children().items() if " proxy" in line or "worker" in line)
    text = Path(f"/proc/{pid}/status").read_text()
    return int(next(line.split()[1] for line in text.splitlines() if line.startswith("VmHWM")))


def zip_bomb(size):
    """An archive's beginning, then zeros: it is read to its end."""
    return archive("a.txt") + bytes(size)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip"])
def test_bombs_are_cut_off_at_bounded_memory(gate, site, coding):
    make = {"gzip": lambda: gzip.compress(zip_bomb(256 * MIB), 9),
            "deflate": lambda: zlib.compress(zip_bomb(256 * MIB), 9),
            "br": lambda: BROTLI_BOMB,
            "zstd": lambda: zstd(archive("a.txt")) + zstd_bomb(256 * MIB),
            "gzip, gzip": lambda: gzip.compress(gzip.compress(zip_bomb(256 * MIB), 9), 9)}
    bomb = make[coding]()
    site.put("/bomb", bomb, f"Content-Encoding: {coding}", "Content-Type: application/zip")
    site.put("/page", PAGE)
    assert fetch(gate, site.url("/page"))[0] == 200
    before = worker_kib(gate)
    status, body, code = fetch(gate, site.url("/bomb"))
    assert status == 403 or (code != 0 and body != bomb)
    print(coding, "KiB more:", worker_kib(gate) - before)
    assert worker_kib(gate) - before < 24 * 1024
    event = gate.events()[-1]
    assert (event["action"], event["reason"]) == ("block", "doubt")


def test_a_zstd_window_over_8_MiB_is_refused(gate, site):
    site.put("/window", b"\x28\xb5\x2f\xfd\x00\xa0\x01\x00\x00", "Content-Encoding: zstd")
    assert refused(gate, site.url("/window"))


def test_a_large_download_takes_constant_memory_and_is_not_slowed(gate, site):
    """An archive is read to its end; what begins like nothing known, too."""
    size = 1024 * MIB
    block = hashlib.sha256(b"block").digest() * 2048

    def stream(to, start):
        to.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + start)
        left = size - len(start)
        while left > 0:
            to.write(block[:min(left, len(block))])
            left -= len(block)

    site.answers["/zip"] = lambda to: stream(to, archive("a.txt"))
    site.answers["/data"] = lambda to: stream(to, b"\x1f\x8b\x08\0")
    site.put("/page", PAGE)
    assert fetch(gate, site.url("/page"))[0] == 200
    before = worker_kib(gate)
    for path in ("/zip", "/data"):
        began = time.monotonic()
        done = gate.curl("-o", "/dev/null", "-w", "%{size_download}", site.url(path))
        print(path, "MiB/s:", round(size / MIB / (time.monotonic() - began)))
        assert int(done.stdout) == size
    print("KiB more:", worker_kib(gate) - before)
    assert worker_kib(gate) - before < 4 * 1024


def test_R129_F22_a_program_over_HTTPS_is_refused_with_the_page(gates, lodge, tmp_path):
    """Inspected, so the same holds inside TLS, over HTTP/1.1 and HTTP/2."""
    chain, key = origin_lib.make_certificate(tmp_path, ("site.example",))
    with origin_lib.Origin(certificate=types.SimpleNamespace(chain=chain, key=key)) as server:
        document = json.loads((ROOT / "presets" / "church-primary.json").read_text())
        for group in document["groups"]:
            group["inspect"] = "inspect"
        gate = gates(hosts={"site.example": "127.0.0.1"}, policy=document,
                     options=["--origin-ca", chain])
        ca = tmp_path / "ca.pem"
        ca.write_bytes(subprocess.run([lodge, "ca", "show", "--data", gate.data], check=True,
                                      capture_output=True).stdout)
        body = gzip.compress(PROGRAM[:3000])
        head = (f"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nContent-Encoding: gzip\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode()
        url = f"https://site.example:{server.port}"
        for version in ("--http1.1", "--http2"):
            words = ("--cacert", ca, version)
            assert refused(gate, f"{url}/raw/{(head + body).hex()}", *words), version
            event = gate.events()[-1]
            assert (event["scheme"], event["rule"]) == ("https", "table/executables/everyone")
            assert fetch(gate, f"{url}/size/300000", *words) == (200, origin_lib.body(300000), 0)
