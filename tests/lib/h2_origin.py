# SPDX-License-Identifier: GPL-3.0-or-later
"""A web server of HTTP/2 for tests, by python3-h2, on a loopback address; what it serves depends on
the path, as in origin.py:

    /size/N     N bytes with content-length     /stream/N  the same without
    /echo       the request's body              /headers   the request's fields as JSON
    /trailers   a body with a trailer           /interim   103 before a 200
    /hang       says nothing                    /refuse    REFUSED_STREAM, the first time
    /http1      HTTP_1_1_REQUIRED               /lie/NAME  what no honest origin says: LIES

A client that does not offer h2 gets HTTP/1.1: one answer a connection, which says so. Every request
is kept in `requests` as (connection, fields, body), every connection in `connections`.
"""
import json
import socket
import ssl
import threading

import h2.config
import h2.connection
import h2.errors
import h2.events
import origin as origin_lib

# What a lie sends: (fields, body).
LIES = {
    "connection": ([(":status", "200"), ("connection", "close")], b"x"),
    "coding": ([(":status", "200"), ("transfer-encoding", "chunked")], b"5\r\nhello\r\n0\r\n\r\n"),
    "short": ([(":status", "200"), ("content-length", "9")], b"x"),
    "long": ([(":status", "200"), ("content-length", "1")], b"xHTTP/1.1 200 OK\r\n\r\n"),
    "line": ([(":status", "200"), ("x-a", "b\r\nx-smuggled: c")], b"x"),
    "status": ([(":status", "20"), ("x-a", "b")], b"x"),
    "switch": ([(":status", "101"), ("x-a", "b")], b"x"),
    "upper": ([(":status", "200"), ("X-Upper", "b")], b"x"),
}


class Connection:
    def __init__(self, server, session):
        config = h2.config.H2Configuration(
            client_side=False, header_encoding="latin-1", validate_outbound_headers=False,
            normalize_outbound_headers=False)
        self.server, self.session = server, session
        self.h2 = h2.connection.H2Connection(config)
        self.streams = {}
        self.waiting = {}   # stream: (bytes, trailers) still to be sent

    def run(self):
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(1 << 24)
        self.session.sendall(self.h2.data_to_send())
        while data := self.session.recv(65536):
            for event in self.h2.receive_data(data):
                self.take(event)
            for stream in list(self.waiting):
                self.pump(stream)
            self.session.sendall(self.h2.data_to_send())

    def take(self, event):
        if isinstance(event, h2.events.RequestReceived):
            self.streams[event.stream_id] = [event.headers, b"", []]
        elif isinstance(event, h2.events.DataReceived):
            self.streams[event.stream_id][1] += event.data
            if event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.TrailersReceived):
            self.streams[event.stream_id][2] = event.headers
        elif isinstance(event, h2.events.StreamEnded):
            self.answer(event.stream_id)
        elif isinstance(event, h2.events.StreamReset):
            self.waiting.pop(event.stream_id, None)

    def answer(self, stream):
        fields, body, trailers = self.streams.pop(stream)
        self.server.requests.append((self, fields + trailers, body))
        path = dict(fields)[":path"].partition("?")[0]
        word, _, rest = path[1:].partition("/")
        getattr(self, f"on_{word}", self.on_page)(stream, fields + trailers, body, rest)

    def reply(self, stream, fields, body, trailers=()):
        self.h2.send_headers(stream, [(":status", "200"), *fields])
        self.waiting[stream] = (body, list(trailers))
        self.pump(stream)

    def pump(self, stream):
        body, trailers = self.waiting[stream]
        while True:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room <= 0 and body:
                self.waiting[stream] = (body, trailers)
                return
            piece, body = body[:room], body[room:]
            last = not body
            self.h2.send_data(stream, piece, end_stream=last and not trailers)
            if last:
                del self.waiting[stream]
                if trailers:
                    self.h2.send_headers(stream, trailers, end_stream=True)
                return

    def on_size(self, stream, _fields, _body, rest):
        data = origin_lib.body(int(rest))
        self.reply(stream, [("content-length", str(len(data))), ("content-type", "text/plain")], data)

    def on_stream(self, stream, _fields, _body, rest):
        self.reply(stream, [("content-type", "text/plain")], origin_lib.body(int(rest)))

    def on_echo(self, stream, _fields, body, _rest):
        self.reply(stream, [("content-type", "application/octet-stream")], body)

    def on_headers(self, stream, fields, _body, _rest):
        self.reply(stream, [("content-type", "application/json")], json.dumps(fields).encode())

    def on_trailers(self, stream, _fields, _body, _rest):
        self.reply(stream, [("content-type", "text/plain")], b"hello", [("x-sum", "1")])

    def on_interim(self, stream, fields, body, rest):
        self.h2.send_headers(stream, [(":status", "103"), ("link", "</a.css>")])
        self.on_page(stream, fields, body, rest)

    def on_hang(self, _stream, _fields, _body, _rest):
        pass

    def on_refuse(self, stream, fields, body, rest):
        if self.server.refused:
            self.on_page(stream, fields, body, rest)
        else:
            self.server.refused = True
            self.h2.reset_stream(stream, h2.errors.ErrorCodes.REFUSED_STREAM)

    def on_http1(self, stream, _fields, _body, _rest):
        self.h2.reset_stream(stream, h2.errors.ErrorCodes.HTTP_1_1_REQUIRED)

    def on_lie(self, stream, _fields, _body, rest):
        fields, body = LIES[rest]
        self.h2.send_headers(stream, fields)
        self.h2.send_data(stream, body, end_stream=True)

    def on_page(self, stream, _fields, _body, _rest):
        self.reply(stream, [("content-type", "text/plain")], b"a page by HTTP/2")


class Origin:
    """tls: a folder for the certificate."""

    def __init__(self, tls):
        self.certificate, key = origin_lib.make_certificate(tls)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.certificate, key)
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.requests, self.connections = [], []
        self.refused = False

    def serve(self):
        while True:
            try:
                one, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(one,), daemon=True).start()

    def one(self, plain):
        try:
            with self.context.wrap_socket(plain, server_side=True) as session:
                self.connections.append(session.selected_alpn_protocol())
                if session.selected_alpn_protocol() == "h2":
                    Connection(self, session).run()
                else:
                    self.old(session)
        except (OSError, h2.exceptions.ProtocolError):
            pass  # the client went away, or was refused

    @staticmethod
    def old(session):
        head = b""
        while b"\r\n\r\n" not in head:
            head += session.recv(65536) or b"\r\n\r\n"
        session.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 18\r\n"
                        b"Connection: close\r\n\r\na page by HTTP/1.1")

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.close()
