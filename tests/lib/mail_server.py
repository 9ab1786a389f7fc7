# SPDX-License-Identifier: GPL-3.0-or-later
"""Mail servers for tests: a real one (aiosmtpd), and one that answers as a script says.

    with Server() as server:                 # plain; certificate=Leaf for TLS, login=("name", "password")
        server.wait(1)                       # its mails: .sender, .receivers, .text, .message
"""
import email
import email.policy
import queue
import socket
import ssl
import threading
from dataclasses import dataclass

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult

HOST = "127.0.0.1"
PATIENCE = 60  # seconds; a bound against hanging for ever, not a measure


@dataclass
class Mail:
    sender: str
    receivers: list
    text: bytes
    login: bytes = None

    @property
    def message(self):
        return email.message_from_bytes(self.text, policy=email.policy.default)

    @property
    def body(self):
        return self.message.get_content()


class Box:
    """What arrived."""

    def __init__(self):
        self.queue, self.mails = queue.Queue(), []

    def wait(self, count):
        """The first so many mails."""
        while len(self.mails) < count:
            self.mails.append(self.queue.get(timeout=PATIENCE))
        return self.mails[:count]

    def empty(self):
        return self.queue.empty()


class Handler:
    def __init__(self, server):
        self.server = server

    async def handle_DATA(self, _server, session, envelope):
        data = getattr(session.auth_data, "password", None)
        self.server.queue.put(Mail(envelope.mail_from, envelope.rcpt_tos, envelope.content, data))
        return "250 kept"


class Server(Box):
    def __init__(self, certificate=None, implicit=False, login=None):
        super().__init__()
        context, self.login = None, login
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate.chain, certificate.key)
        server = self

        class Here(Controller):
            def factory(self):
                return SMTP(self.handler, **self.SMTP_kwargs)

        self.controller = Here(
            Handler(server), hostname=HOST, port=0, ready_timeout=30,
            ssl_context=context if implicit else None,
            **({"tls_context": context, "require_starttls": True} if context and not implicit else {}),
            **({"authenticator": self.judge, "auth_required": True,
                "auth_require_tls": context is not None and not implicit} if login else {}))

    def judge(self, _server, _session, _envelope, _mechanism, data):
        right = (data.login.decode(), data.password.decode()) == self.login
        return AuthResult(success=right, handled=False, auth_data=data)

    def __enter__(self):
        with socket.socket() as probe:  # aiosmtpd asks at its own port whether it is there
            probe.bind((HOST, 0))
            self.port = self.controller.port = probe.getsockname()[1]
        self.controller.start()
        self.address = f"{HOST}:{self.port}"
        return self

    def __exit__(self, *_):
        self.controller.stop()


class Script(Box):
    """Answers each connection by the next of its scripts, and the last one for ever after: {command:
    reply}, where a reply None hangs up, bytes are sent as they stand, and bytes in a list before that."""

    GOOD = {"": "220 here", "EHLO": "250 here", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go",
            ".": "250 kept", "QUIT": "221 bye"}

    def __init__(self, *scripts):
        super().__init__()
        self.scripts, self.connections, self.commands = list(scripts), 0, []
        self.listener = socket.create_server((HOST, 0))
        self.port = self.listener.getsockname()[1]
        self.address = f"{HOST}:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.serve, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)  # wakes whoever accepts
        self.listener.close()

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            script = self.scripts[min(self.connections, len(self.scripts) - 1)]
            self.connections += 1
            threading.Thread(target=self.talk, args=(connection, {**self.GOOD, **script}),
                             daemon=True).start()

    def talk(self, connection, script):
        with connection, connection.makefile("rb") as lines:
            command, sender, receivers = "", None, []
            while True:
                reply = script.get(command, "500 what?")
                if reply is None:
                    return
                if isinstance(reply, list):
                    connection.sendall(reply[0])
                    return
                try:
                    connection.sendall(reply if isinstance(reply, bytes) else reply.encode() + b"\r\n")
                    if command == "DATA" and str(reply).startswith("354"):
                        text = self.read_text(lines)
                        if text is None:
                            return
                        command = "."
                        if str(script["."]).startswith("250"):
                            self.queue.put(Mail(sender, receivers, text))
                        continue
                    line = lines.readline()
                except OSError:
                    return
                if not line:
                    return
                self.commands.append(line)
                command = line.split()[0].decode().upper() if line.strip() else "?"
                sender = line if command == "MAIL" else sender
                receivers += [line] if command == "RCPT" else []

    @staticmethod
    def read_text(lines):
        text = b""
        while not text.endswith(b"\r\n.\r\n"):
            line = lines.readline()
            if not line:
                return None
            text += line
        return text[:-3]
