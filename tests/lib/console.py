# SPDX-License-Identifier: GPL-3.0-or-later
"""The console for tests: a gate that has one, and a client that signs in and keeps what a browser keeps.

    with Console(lodge, tmp_path) as console:
        page = console.client().get("/sign-in")
        head = console.client()
        head.sign_in("head", "password")          # and code=... where a second factor is asked for
        people = head.json("GET", "/records/people")
        head.json("POST", "/records/people/new", {"name": "Zoe Example"})
"""
import http.client
import json
import socket
import ssl
import urllib.parse
from http.cookies import SimpleCookie

from gate import Gate

HOST = "127.0.0.1"
# Tests are one very busy address; those about the rates themselves set their own.
RATES = ("--console-rate", "1000", "--console-sign-ins", "1000")


def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    def header(self, name):
        return self.headers.get(name)

    def __repr__(self):
        return f"<{self.status} {dict(self.headers)} {self.body[:500]!r}>"


class Client:
    """One browser, or one program: cookies, and the token of the session."""

    def __init__(self, console, host=None, source=None):
        self.console, self.cookies, self.csrf = console, {}, None
        self.source = (source, 0) if source else None  # an address of loopback to come from
        self.host = host or f"{HOST}:{console.console_port}"
        self.connection = None

    def connect(self):
        context = ssl.create_default_context(cafile=str(self.console.certificate))
        connection = http.client.HTTPSConnection(HOST, self.console.console_port, context=context,
                                                 timeout=60, source_address=self.source)
        connection.connect()
        return connection

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def request(self, method, path, body=None, headers=()):
        """One request as it stands, over a connection that is kept; cookies are sent and kept."""
        fields = {"Host": self.host, "Accept": "text/html"}
        if self.cookies:
            fields["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        fields.update(dict(headers))
        fields = {name: value for name, value in fields.items() if value is not None}
        for attempt in (0, 1):
            fresh = self.connection is None
            self.connection = self.connection or self.connect()
            try:
                self.connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
                for name, value in fields.items():
                    self.connection.putheader(name, value)
                if body is not None:
                    self.connection.putheader("Content-Length", str(len(body)))
                self.connection.endheaders(body)
                got = self.connection.getresponse()
                answer = Answer(got.status, got.headers, got.read())
                break
            except (http.client.RemoteDisconnected, ConnectionError, ssl.SSLEOFError):
                self.close()
                if fresh or attempt or method != "GET":
                    raise  # a kept connection may have been closed between two requests
        if got.will_close:
            self.close()
        self.keep_cookies(answer)
        return answer

    def keep_cookies(self, answer):
        for line in answer.headers.get_all("Set-Cookie") or ():
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)

    def token(self):
        """The token of this session, as any page tells it to programs."""
        if self.csrf is None:
            answer = self.request("GET", "/", headers={"Accept": "application/json"})
            self.csrf = answer.json.get("page", {}).get("csrf") if answer.status == 200 else None
        return self.csrf

    def post(self, path, fields=None, files=None, headers=(), token=True):
        """A form as a browser sends it. files: {field: (name, type, bytes)}. token False: without the
        session's token; a text: with that one."""
        fields = dict(fields or {})
        if token is True and self.token():
            fields.setdefault("csrf", self.token())
        elif token and token is not True:
            fields["csrf"] = token
        body, kind = multipart(fields, files) if files else (
            urllib.parse.urlencode(fields, doseq=True).encode(), "application/x-www-form-urlencoded")
        sent = {"Content-Type": kind, "Origin": f"https://{self.host}",
                "Sec-Fetch-Site": "same-origin"}
        return self.request("POST", path, body, {**sent, **dict(headers)})

    def json(self, method, path, document=None, headers=()):
        """A call of the API: the answer, whose .json is the document."""
        sent = {"Accept": "application/json"}
        body = None
        if method == "POST":
            body = json.dumps(document if document is not None else {}).encode()
            sent["Content-Type"] = "application/json"
            if self.token():
                sent["X-CSRF-Token"] = self.token()
        return self.request(method, path, body, {**sent, **dict(headers)})

    def follow(self, answer):
        """The page that a form led to."""
        while answer.status == 303:
            answer = self.get(answer.header("Location"))
        return answer

    def sign_in(self, account, password, code=None):
        """Signs in by the forms; the last answer. code: of the second factor, or a function that gives
        it."""
        self.csrf = None
        answer = self.post("/sign-in", {"account": account, "password": password}, token=False)
        self.csrf = None
        if answer.status == 303 and answer.header("Location").startswith("/sign-in/factor") and code:
            page = self.request("GET", "/sign-in/factor", headers={"Accept": "application/json"})
            self.csrf = page.json["page"]["csrf"]
            answer = self.post("/sign-in/factor", {"code": code() if callable(code) else code})
            self.csrf = None
        return answer


def multipart(fields, files, boundary="lodge-test-boundary"):
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
             for name, value in fields.items()]
    for name, (file_name, kind, data) in files.items():
        parts.append(f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; '
                     f'filename="{file_name}"\r\nContent-Type: {kind}\r\n\r\n'.encode() + data + b"\r\n")
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


class Console(Gate):
    """A gate with a console. Options of Gate; database: a URI of PostgreSQL; rates: False for those of
    the product."""

    def __init__(self, lodge, folder, options=(), database=None, rates=True, **more):
        self.console_port = free_port()
        words = ["--console", f"{HOST}:{self.console_port}", *(RATES if rates else ()), *options]
        if database:
            words += ["--database", database]
        super().__init__(lodge, folder, options=words, **{"workers": 1, **more})
        self.certificate = self.data / "console" / "certificate.pem"
        self.console_url = f"https://{HOST}:{self.console_port}"

    def client(self, **options):
        return Client(self, **options)

    def child(self, name):
        """The PID of one of the processes ("desk", "front")."""
        for pid, command in self.children().items():
            if f"process {name}-" in command:
                return pid
        raise RuntimeError(f"no process {name}")

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
