# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server for tests, on a loopback address. What it serves depends on the path alone:

    /size/N        N bytes with Content-Length        /chunked/N   the same, chunked
    /close/N       the same, until the connection closes
    /slow/N/MS     N bytes, one each MS milliseconds   /status/CODE that status, a short body
    /headers       the request's headers as JSON       /echo        the request's body
    /interim/N     100 and 103 before a 200 of N bytes /trailers    a chunked body with a trailer
    /ws            a WebSocket that echoes             /raw/HEX     these bytes as the whole answer
    /wspage        a page that shows what /ws echoes
    /hang          takes the request and says nothing  /page        a small HTML page

`body(n)` gives the bytes of /size/n. Every request is kept in `requests` as (method, target, headers).
"""
import base64
import contextlib
import hashlib
import json
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
import time

BLOCK = b"".join(hashlib.sha256(b"block %d" % i).digest() for i in range(2048))  # 64 KiB
PAGE = b"<!doctype html><title>Volcanoes</title><h1>Volcanoes</h1><p>Lava is molten rock.</p>"
WEBSOCKET_KEY = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455 section 1.3


def pieces(size):
    """The bytes of /size/N, in pieces."""
    while size > 0:
        yield BLOCK[:min(size, len(BLOCK))]
        size -= len(BLOCK)


def body(size):
    return b"".join(pieces(size))


def digest(size):
    """SHA-256 of the bytes of /size/N."""
    hasher = hashlib.sha256()
    for piece in pieces(size):
        hasher.update(piece)
    return hasher.hexdigest()


NAMES = ("volcano.example", "slots.example", "localhost")


def make_certificate(folder, names=NAMES):
    """A self-signed certificate; (certificate, key) as paths."""
    certificate, key = folder / "origin.pem", folder / "origin.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
         "-days", "30", "-subj", "/CN=test origin", "-addext",
         "subjectAltName=IP:127.0.0.1," + ",".join(f"DNS:{name}" for name in names),
         "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


class Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True

    def handle(self):
        self.server.connections += 1
        try:
            while self.one_request():
                pass
        except OSError:
            pass  # the client went away

    def one_request(self):
        line = self.rfile.readline(65536).decode("latin-1").rstrip("\r\n")
        if not line:
            return False
        self.method, self.target, self.version = line.split(" ", 2)
        self.fields = []
        while True:
            field = self.rfile.readline(65536).decode("latin-1").rstrip("\r\n")
            if not field:
                break
            name, _, value = field.partition(":")
            self.fields.append((name, value.strip()))
        self.server.requests.append((self.method, self.target, self.fields))
        if self.field("expect").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.body = self.read_body()
        words = self.target.split("?")[0].strip("/").split("/")
        handler = getattr(self, "do_" + words[0].replace("-", "_"), self.do_page)
        go_on = handler(*words[1:])
        return go_on is not False and self.field("connection").lower() != "close"

    def field(self, name):
        return next((value for key, value in self.fields if key.lower() == name), "")

    def read_body(self):
        if self.field("transfer-encoding").lower() == "chunked":
            parts = []
            while True:
                size = int(self.rfile.readline().split(b";")[0], 16)
                parts.append(self.rfile.read(size))
                if size == 0:
                    while self.rfile.readline() not in (b"\r\n", b""):
                        pass
                    return b"".join(parts)
                self.rfile.readline()
        return self.rfile.read(int(self.field("content-length") or 0))

    def send(self, data):
        self.wfile.write(data)

    def head(self, status=200, **fields):
        lines = [f"HTTP/1.1 {status} Test", "Server: test-origin"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode())

    def whole(self, data, kind="application/octet-stream", status=200):
        self.head(status, Content_Type=kind, Content_Length=len(data))
        if self.method != "HEAD":
            self.send(data)

    def do_size(self, size):
        self.head(Content_Type="application/octet-stream", Content_Length=size)
        if self.method != "HEAD":
            for piece in pieces(int(size)):
                self.send(piece)

    def do_chunked(self, size):
        self.head(Transfer_Encoding="chunked")
        for number, piece in enumerate(pieces(int(size))):
            cut = (number * 7919) % len(piece) + 1  # chunks of many sizes
            for part in (piece[:cut], piece[cut:]):
                if part:
                    self.send(b"%x;x=y\r\n%s\r\n" % (len(part), part))
        self.send(b"0\r\n\r\n")

    def do_trailers(self):
        self.head(Transfer_Encoding="chunked", Trailer="X-Sum")
        self.send(b"5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n")

    def do_close(self, size):
        self.head(Connection="close")
        for piece in pieces(int(size)):
            self.send(piece)
        return False

    def do_slow(self, size, milliseconds):
        self.head(Content_Length=size)
        for byte in body(int(size)):
            self.send(bytes([byte]))
            time.sleep(int(milliseconds) / 1000)

    def do_status(self, code):
        if code in ("204", "304"):
            self.head(int(code))
        else:
            self.whole(b"status " + code.encode(), "text/plain", int(code))

    def do_interim(self, size):
        self.send(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n")
        self.do_size(size)

    def do_headers(self):
        self.whole(json.dumps(self.fields).encode(), "application/json")

    def do_echo(self, *_):
        self.whole(self.body)

    def do_raw(self, text):
        self.send(bytes.fromhex(text))
        return False

    def do_hang(self, *_):
        self.rfile.read(1)
        return False

    def do_page(self, *_):
        self.whole(PAGE, "text/html; charset=utf-8")

    def do_wspage(self, *_):
        """Shows what a WebSocket of the same site echoed."""
        self.whole(b"<!doctype html><title>Socket</title><p id=p>waiting</p><script>"
                   b"const s = new WebSocket('wss://' + location.host + '/ws');"
                   b"s.onopen = () => s.send('lava');"
                   b"s.onmessage = m => { document.getElementById('p').textContent = 'said ' + m.data };"
                   b"s.onerror = () => { document.getElementById('p').textContent = 'failed' };"
                   b"</script>", "text/html; charset=utf-8")

    def do_ws(self):
        accept = base64.b64encode(hashlib.sha1(
            self.field("sec-websocket-key").encode() + WEBSOCKET_KEY).digest()).decode()
        self.head(101, Upgrade="websocket", Connection="Upgrade", Sec_WebSocket_Accept=accept)
        while self.echo_frame():
            pass
        return False

    def echo_frame(self):
        """Echoes one frame of RFC 6455; False at a close."""
        start = self.rfile.read(2)
        if len(start) < 2:
            return False
        size = start[1] & 127
        if size == 126:
            size = struct.unpack(">H", self.rfile.read(2))[0]
        elif size == 127:
            size = struct.unpack(">Q", self.rfile.read(8))[0]
        mask = self.rfile.read(4) if start[1] & 128 else bytes(4)
        data = bytes(byte ^ mask[i % 4] for i, byte in enumerate(self.rfile.read(size)))
        head = bytes([start[0]])
        if size < 126:
            head += bytes([size])
        else:
            head += b"\x7f" + struct.pack(">Q", size)
        self.send(head + data)
        return start[0] & 15 != 8


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 1024

    def shutdown_request(self, request):
        if isinstance(request, ssl.SSLSocket):
            with contextlib.suppress(OSError, ValueError):
                request.settimeout(5)
                request.unwrap()  # close_notify: what was sent is all
        super().shutdown_request(request)


class Origin:
    """A server in a thread: `address` is "127.0.0.1:PORT". tls: a folder for its certificate, which
    is for these names."""

    def __init__(self, host="127.0.0.1", port=0, tls=None, names=NAMES, certificate=None):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        kind = type("OneServer", (Server,), {"address_family": family})
        self.server = kind((host, port), Handler)
        self.server.requests = []
        self.server.connections = 0
        self.certificate = None
        self.host, self.port = self.server.server_address[:2]
        self.address = f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"
        if tls is not None:
            self.certificate, key = make_certificate(tls, names)
            self.speak_tls(self.certificate, key)
        elif certificate is not None:
            self.speak_tls(certificate.chain, certificate.key)

    def speak_tls(self, chain, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")  # serves weak certificates too
        context.load_cert_chain(chain, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True,
                                                 do_handshake_on_connect=False)

    @property
    def requests(self):
        return self.server.requests

    @property
    def connections(self):
        """How many connections there have been."""
        return self.server.connections

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
