# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of HTTP/2 for tests, by python3-h2, which may also say what no honest client would."""
import h2.config
import h2.connection
import h2.events
import h2.exceptions
import h2.settings


class Answer:
    """What was heard of one stream: `interim` and `headers` are lists of pairs."""

    def __init__(self):
        self.interim, self.headers, self.trailers = [], [], []
        self.body = b""
        self.ended = False
        self.reset = None

    @property
    def status(self):
        return int(dict(self.headers).get(":status", 0))

    @property
    def fields(self):
        return dict(self.headers)

    @property
    def over(self):
        return self.ended or self.reset is not None


class Client:
    """session: a TLS socket on which h2 was chosen. strict: say nothing that is wrong."""

    def __init__(self, session, authority, strict=True):
        config = h2.config.H2Configuration(
            client_side=True, header_encoding="latin-1", validate_outbound_headers=strict,
            normalize_outbound_headers=strict, validate_inbound_headers=True)
        self.session, self.authority = session, authority
        self.h2 = h2.connection.H2Connection(config)
        self.answers = {}
        self.goaway = None
        self.closed = False
        self.heard = b""
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(1 << 24)
        self.flush()

    def flush(self):
        data = self.h2.data_to_send()
        if data:
            try:
                self.session.sendall(data)
            except OSError:
                self.closed = True

    def head(self, method, path, fields):
        return [(":method", method), (":scheme", "https"), (":authority", self.authority),
                (":path", path), *fields]

    def ask(self, path, method="GET", fields=(), body=None, trailers=None, head=None, end=True):
        """Begins a request and sends its body; the stream's number."""
        stream = self.h2.get_next_available_stream_id()
        self.answers[stream] = Answer()
        bare = body is None and trailers is None
        self.h2.send_headers(stream, head or self.head(method, path, list(fields)),
                             end_stream=bare and end)
        if body is not None:
            self.send(stream, body, end and trailers is None)
        if trailers is not None:
            self.h2.send_headers(stream, list(trailers), end_stream=True)
        self.flush()
        return stream

    def send(self, stream, body, end=True):
        at = 0
        while at < len(body) and not self.answers[stream].over and not self.closed:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room <= 0:
                self.flush()
                self.read()
                continue
            piece = body[at:at + room]
            at += len(piece)
            self.h2.send_data(stream, piece, end_stream=end and at == len(body))
            self.flush()
        if not body and end:
            self.h2.send_data(stream, b"", end_stream=True)
            self.flush()

    def read(self):
        """One read, and what it means."""
        try:
            data = self.session.recv(65536)
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return
        self.heard += data
        while len(self.heard) >= 9 + (size := int.from_bytes(self.heard[:3], "big")):
            frame, self.heard = self.heard[:9 + size], self.heard[9 + size:]
            for event in self.h2.receive_data(frame):
                self.take(event)
        self.flush()

    def take(self, event):
        answer = self.answers.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.ConnectionTerminated):
            self.goaway = int(event.error_code)
            # python3-h2 hears nothing more, but streams that are open go on (RFC 9113 section 6.8).
            self.h2.state_machine.state = h2.connection.ConnectionState.CLIENT_OPEN
        elif answer is None:
            return
        elif isinstance(event, h2.events.InformationalResponseReceived):
            answer.interim.append(event.headers)
        elif isinstance(event, h2.events.ResponseReceived):
            answer.headers = event.headers
        elif isinstance(event, h2.events.TrailersReceived):
            answer.trailers = event.headers
        elif isinstance(event, h2.events.DataReceived):
            answer.body += event.data
            if event.flow_controlled_length:
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, h2.events.StreamEnded):
            answer.ended = True
        elif isinstance(event, h2.events.StreamReset):
            answer.reset = int(event.error_code)

    def wait(self, *streams):
        """Reads until these are over (or the connection is); their answers."""
        while not self.closed and not all(self.answers[one].over for one in streams):
            self.read()
        found = [self.answers[one] for one in streams]
        return found[0] if len(found) == 1 else found

    def get(self, path, **more):
        return self.wait(self.ask(path, **more))
