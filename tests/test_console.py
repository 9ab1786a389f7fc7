# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of a request to the console and back: front, desk, and what stands between."""
import hashlib
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import time

import pytest

from console import HOST, Client, Console
from gate import ROOT
from postgres import Postgres

ROUTE = re.compile(r'^ROUTE\((\w+), "([^"]+)", (\w+), (\w+),', re.M)
TIMES = ("--head-timeout", "2s", "--body-timeout", "2s", "--idle-timeout", "30s")


def routes():
    """(method, path with its places filled, name, guard) of every route."""
    text = (ROOT / "src" / "web" / "route.def").read_text()
    return [(method, re.sub(r"\{(\w+)\}", r"\1", path), name, guard)
            for method, path, name, guard in ROUTE.findall(text)]


@pytest.fixture(scope="module")
def console(lodge, tmp_path_factory):
    with Console(lodge, tmp_path_factory.mktemp("console"), TIMES) as running:
        yield running


def raw(console, text, host=HOST, timeout=60):
    """Bytes as they stand over TLS; all that comes back until the end."""
    context = ssl.create_default_context(cafile=str(console.certificate))
    context.set_alpn_protocols(["http/1.1"])
    with socket.create_connection((host, console.console_port), timeout) as plain:
        with context.wrap_socket(plain, server_hostname=HOST) as session:
            session.sendall(text)
            return read_all(session)


def read_all(session):
    got = b""
    try:
        while piece := session.recv(65536):
            got += piece
    except (ConnectionError, ssl.SSLError):
        pass
    return got


def head(console, line, *more, name=None):
    fields = [line, f"Host: {name or f'{HOST}:{console.console_port}'}", *more]
    return "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n"


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


# ---- heads -------------------------------------------------------------------------------------

def check_headers(answer):
    policy = dict(part.strip().partition(" ")[::2]
                  for part in answer.header("Content-Security-Policy").split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in answer.header("Content-Security-Policy")
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Referrer-Policy") == "same-origin"
    assert answer.header("Cross-Origin-Opener-Policy") == "same-origin"
    assert answer.header("Cross-Origin-Resource-Policy") == "same-origin"
    assert answer.header("Access-Control-Allow-Origin") is None
    assert answer.header("Strict-Transport-Security") is None  # our own certificate


def test_every_answer_has_the_headers_that_protect_it(console):
    client = console.client()
    styles = asset(client, "console.css")
    paths = ["/", "/no-such-page", styles, "/assets/console.css", "/assets/none"]
    paths += [path for method, path, _, _ in routes() if method == "GET"]
    for path in paths:
        for accept in ("text/html", "application/json"):
            answer = client.get(path, Accept=accept)
            assert answer.status in (200, 302, 303, 401, 403, 404, 422), (path, answer)
            check_headers(answer)
            if path != styles:
                assert answer.header("Cache-Control") == "no-store", path
            for line in answer.headers.get_all("Set-Cookie") or ():
                assert line.startswith("__Host-") and "Secure" in line and "HttpOnly" in line


def test_a_head_request_has_the_head_alone(console):
    answer = console.client().request("HEAD", asset(console.client(), "console.css"))
    assert answer.status == 200 and answer.body == b""
    assert int(answer.header("Content-Length")) > 1000


def asset(client, name):
    """Its address: what any other leads to."""
    answer = client.get(f"/assets/{name}")
    assert answer.status == 302 and answer.header("Cache-Control") == "no-store"
    return answer.header("Location")


def test_an_asset_is_kept_for_a_year_and_asked_for_by_its_tag(console):
    client = console.client()
    address = asset(client, "console.css")
    answer = client.get(address)
    assert answer.status == 200 and answer.header("Content-Type").startswith("text/css")
    assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
    assert f"/assets/{hashlib.sha256(answer.body).hexdigest()[:16]}/console.css" == address
    for tag in (answer.header("ETag"), "W/" + answer.header("ETag"), f'"x", {answer.header("ETag")}'):
        again = client.get(address, **{"If-None-Match": tag})
        assert again.status == 304 and again.body == b""
    assert client.get(address, **{"If-None-Match": '"other"'}).status == 200


def test_pages_name_assets_by_what_is_in_them_and_an_old_address_leads_to_the_new(console):
    client = console.client()
    page = client.get("/no-such-page").text
    named = set(re.findall(r'(?:href|src)="(/assets/[^"]*)"', page))
    assert {asset(client, "console.css"), asset(client, "icon.svg")} <= named
    for path in named:
        assert client.get(path).status == 200, path
    for path in ("/assets/0123456789abcdef/console.css", "/assets/console.css"):
        assert client.get(path).header("Location") == asset(client, "console.css")
    assert client.get("/favicon.ico").header("Location") == asset(client, "icon.svg")
    assert client.get("/assets/a/b/console.css").status == 404


def test_errors_are_pages_or_json_as_is_asked(console):
    client = console.client()
    page = client.get("/no-such-page")
    assert page.status == 404 and page.header("Content-Type").startswith("text/html")
    assert "<h1" in page.text
    answer = client.json("GET", "/no-such-page")
    assert answer.status == 404 and set(answer.json) == {"error", "faults"}


# ---- whose request it is -----------------------------------------------------------------------

@pytest.mark.parametrize("name", ["attacker.example", "localhost.attacker.example", "192.0.2.1",
                                  "[2001:db8::1]:8443", "lodge"])
def test_another_host_is_refused(console, name):
    """DNS rebinding: a page of another site that has pointed its name at this machine."""
    client = Client(console, host=name)
    for path in ("/", "/assets/console.css"):
        answer = client.get(path)
        assert answer.status == 421
        check_headers(answer)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "LOCALHOST:1"])
def test_our_own_names_are_ours(console, name):
    assert Client(console, host=name).get("/no-such-page").status == 404


def test_a_form_from_elsewhere_is_refused(console):
    client = console.client()
    posts = [(path, name) for method, path, name, guard in routes() if method == "POST"]
    for path, name in posts:
        for more in ({"Origin": "https://attacker.example", "Sec-Fetch-Site": "cross-site"},
                     {"Origin": "null", "Sec-Fetch-Site": None},
                     {"Origin": None, "Sec-Fetch-Site": "same-site"},
                     {"Origin": f"http://{client.host}", "Sec-Fetch-Site": None},
                     {"Origin": None, "Sec-Fetch-Site": None}):
            answer = client.post(path, {"account": "head"}, headers=more, token=False)
            # Signed out most are sent to sign in; none reaches its handler.
            assert answer.status == 403 or (answer.header("Location") or "").startswith("/sign-in"), \
                (path, more, answer)


def test_what_is_no_request_of_a_browser_is_refused(console):
    port = console.console_port
    cases = [
        (head(console, "GET / HTTP/1.1", "Cookie: a=b", "Cookie: c=d"), 400),
        (head(console, "GET / HTTP/1.1", f"Host: {HOST}:{port}"), 400),
        (head(console, f"GET https://{HOST}:{port}/ HTTP/1.1"), 400),
        (head(console, "GET / HTTP/1.1", "X:\x00"), 400),
        (head(console, "GET / HTTP/2.0"), 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (head(console, "TRACE / HTTP/1.1"), 405),
        (head(console, "PUT / HTTP/1.1", "Content-Length: 0"), 405),
        (head(console, "OPTIONS * HTTP/1.1"), 400),
        (head(console, f"CONNECT {HOST}:{port} HTTP/1.1"), 400),
        (head(console, "GET /" + "a" * 9000 + " HTTP/1.1"), 400),
        (head(console, "GET /a HTTP/1.1", "Cookie: " + "a" * 9000), 400),
        (head(console, "GET / HTTP/1.1", *(f"X-{n}: y" for n in range(200))), 400),
        (head(console, "POST /no-such-page HTTP/1.1", "Content-Length: 5",
              "Transfer-Encoding: chunked") + b"0\r\n\r\n", 400),
    ]
    for text, status in cases:
        answer = raw(console, text)
        assert status_of(answer) == status, (text[:80], answer[:300])
        assert answer.count(b"HTTP/1.1 ") == 1


def test_plain_http_gets_a_sentence_and_no_page(console):
    with socket.create_connection((HOST, console.console_port), 60) as plain:
        plain.sendall(b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n\r\n")
        answer = read_all(plain)
    assert status_of(answer) == 400 and b"https://" in answer and b"<" not in answer


def test_old_tls_is_refused(console):
    done = subprocess.run(["openssl", "s_client", "-connect", f"{HOST}:{console.console_port}",
                           "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], stdin=subprocess.DEVNULL,
                          capture_output=True)
    assert done.returncode != 0


# ---- bounds ------------------------------------------------------------------------------------

def chunked(size, piece=65536):
    data = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in
                    (b"a" * min(piece, size - at) for at in range(0, size, piece)))
    return data + b"0\r\n\r\n"


def test_a_body_is_bounded_by_what_it_is(console):
    form = "Content-Type: application/x-www-form-urlencoded"
    files = "Content-Type: multipart/form-data; boundary=b"
    mega = 1024 * 1024
    line = "POST /no-such-page HTTP/1.1"
    for kind, size, status in ((form, mega, 404), (form, mega + 1, 413), (files, 12 * mega + 1, 413),
                               ("Content-Type: application/json", mega + 1, 413)):
        body = b"a" * size if status == 404 else b""
        answer = raw(console, head(console, line, kind, f"Content-Length: {size}",
                                   "Connection: close") + body)
        assert status_of(answer) == status, (kind, size, answer[:300])
    answer = raw(console, head(console, line, form, "Transfer-Encoding: chunked",
                               "Connection: close") + chunked(mega + 1))
    assert status_of(answer) == 413
    answer = raw(console, head(console, line, files, "Transfer-Encoding: chunked",
                               "Connection: close") + chunked(2 * mega))
    assert status_of(answer) == 404


def test_a_client_may_ask_before_it_sends(console):
    text = head(console, "POST /no-such-page HTTP/1.1", "Content-Length: 3", "Expect: 100-continue",
                "Content-Type: application/x-www-form-urlencoded", "Connection: close")
    answer = raw(console, text + b"a=b")
    assert answer.startswith(b"HTTP/1.1 100 ") and b"HTTP/1.1 404 " in answer


def test_requests_one_behind_the_other_are_answered_in_their_order(console):
    text = b"".join(head(console, f"GET {path} HTTP/1.1", "Accept: application/json")
                    for path in (asset(console.client(), "icon.svg"), "/no-such-page", "/assets/none"))
    text += head(console, "HEAD /no-such-page HTTP/1.1", "Connection: close")
    answer = raw(console, text)
    found = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) ", answer)]
    assert found == [200, 404, 404, 404]


@pytest.mark.parametrize("text", [b"", b"GET / HTT", b"POST / HTTP/1.1\r\nHost: localhost\r\n"
                                  b"Content-Length: 10\r\n\r\nabc"])
def test_a_slow_client_is_not_waited_for(console, text):
    """The console ends it: nothing more comes from this side."""
    answer = raw(console, text)
    assert answer == b"" or status_of(answer) == 408


def test_many_connections_keep_nobody_out(console):
    """More than one address may have, none of which says anything: those at rest make room."""
    held = [socket.create_connection((HOST, console.console_port), 60) for _ in range(400)]
    try:
        assert console.client().get("/no-such-page").status == 404
    finally:
        for one in held:
            one.close()


def curl(console, *words):
    return subprocess.run(["curl", "-sS", "--noproxy", "*", "--cacert", console.certificate,
                           "--max-time", "60", *map(str, words)], capture_output=True)


def test_http_2_is_spoken(console):
    url = console.console_url
    done = curl(console, "--http2", "-o", os.devnull, "-w", "%{http_version} %{http_code}\n",
                f"{url}{asset(console.client(), 'console.css')}", "-o", os.devnull,
                f"{url}/no-such-page")
    assert done.stdout.split(b"\n")[:2] == [b"2 200", b"2 404"], done
    done = curl(console, "--http2", "-i", "--data-binary", "@" + str(big_file(console)),
                f"{url}/no-such-page")
    assert b"HTTP/2 413" in done.stdout, done
    done = curl(console, "--http2", "-i", "-H", "Host: attacker.example", f"{url}/")
    assert b"HTTP/2 421" in done.stdout, done


def big_file(console):
    path = console.folder / "big"
    path.write_bytes(b"a" * (1024 * 1024 + 1))
    return path


# ---- rates -------------------------------------------------------------------------------------

def test_an_address_that_asks_too_often_is_told_when_to_come_again(lodge, tmp_path):
    with Console(lodge, tmp_path, ("--console-rate", "1"), rates=False) as console:
        client = console.client()
        answers = [client.get("/assets/icon.svg") for _ in range(30)]
        found = [answer.status for answer in answers]
        assert found[:8] == [302] * 8 and 429 in found
        late = answers[found.index(429)]
        assert int(late.header("Retry-After")) >= 1
        check_headers(late)


def test_S2_tries_to_sign_in_are_counted_apart(lodge, tmp_path):
    with Console(lodge, tmp_path, ("--console-sign-ins", "3"), rates=False) as console:
        client = console.client()
        found = [client.post("/sign-in", {"account": f"a{n}", "password": "x"}, token=False).status
                 for n in range(5)]
        assert 429 not in found[:3] and found[3:] == [429, 429]
        assert client.get("/no-such-page").status == 404


# ---- ends --------------------------------------------------------------------------------------

def waiting(console, text):
    """A request that the desk has and does not answer: it stands still."""
    context = ssl.create_default_context(cafile=str(console.certificate))
    context.set_alpn_protocols(["http/1.1"])
    plain = socket.create_connection((HOST, console.console_port), 60)
    session = context.wrap_socket(plain, server_hostname=HOST)
    session.sendall(text)
    return session


def wait_for_log(console, word, before):
    """Until the log holds it behind these lines; the supervisor writes it."""
    for _ in range(6000):
        if any(word in line for line in console.log[before:]):
            return
        subprocess.run(["sleep", "0.01"], check=True)
    raise AssertionError(f"{word} is not in the log:\n" + "".join(console.log[before:]))


def answered(console):
    """A whole answer of the desk, however often it must be asked for while it starts."""
    for _ in range(600):
        answer = console.client().get("/no-such-page")
        if answer.status == 404:
            return answer
        assert answer.status in (502, 503), answer
        subprocess.run(["sleep", "0.05"], check=True)
    raise AssertionError("the desk does not come back")


def test_a_desk_that_is_killed_is_a_page_and_comes_back(lodge, tmp_path):
    with Console(lodge, tmp_path) as console:
        for _ in range(2):
            answered(console)
            desk = console.child("desk")
            os.kill(desk, signal.SIGSTOP)
            with waiting(console, head(console, "GET /a HTTP/1.1", "Connection: close")) as session:
                before = len(console.log)
                os.kill(desk, signal.SIGKILL)
                answer = read_all(session)
                # 502 where the desk had it, 503 where front did not get to ask.
                assert status_of(answer) in (502, 503), answer
                assert b"Content-Security-Policy" in answer
                wait_for_log(console, "child-ended", before)
        answered(console)
        assert console.child("desk") != desk


def test_what_those_who_left_sent_counts_until_the_desk_has_it(lodge, tmp_path):
    """A desk that is busy is not given bodies without end by clients that come and go."""
    body = b"a" * (12 * 1000 * 1000)
    with Console(lodge, tmp_path) as console:
        answered(console)
        desk = console.child("desk")
        os.kill(desk, signal.SIGSTOP)
        for _ in range(40):
            client = waiting(console, head(
                console, "POST /a HTTP/1.1", "Content-Type: multipart/form-data; boundary=x",
                f"Content-Length: {len(body)}", "Connection: close") + body)
            client.settimeout(0.2)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            with client:  # which is left with a reset
                try:
                    answer = client.recv(4096)
                except TimeoutError:
                    continue  # the desk has it
                assert status_of(answer) == 503, answer
                break
        else:
            raise AssertionError("forty bodies of 12 MB are held for nobody")
        os.kill(desk, signal.SIGCONT)
        answered(console)
        assert console.child("desk") == desk


def test_a_front_that_is_killed_comes_back(lodge, tmp_path):
    with Console(lodge, tmp_path) as console:
        answered(console)
        desk, front = console.child("desk"), console.child("front")
        os.kill(desk, signal.SIGSTOP)
        with waiting(console, head(console, "GET /a HTTP/1.1")) as session:
            before = len(console.log)
            os.kill(front, signal.SIGKILL)
            assert read_all(session) == b""
            wait_for_log(console, "child-ended", before)
        os.kill(desk, signal.SIGCONT)
        answered(console)
        assert console.child("front") != front and console.child("desk") == desk


def asked(console):
    """A request for which the desk must look into the store."""
    client = console.client()
    client.cookies["__Host-lodge"] = "A" * 43
    return client.get("/")


def until(console, status):
    for _ in range(600):
        answer = asked(console)
        if answer.status == status:
            return answer
        assert answer.status in (303, 502, 503), "".join(console.log[-3:])
        subprocess.run(["sleep", "0.05"], check=True)
    raise AssertionError(f"no {status}:\n" + "".join(console.log[-20:]))


def test_a_database_that_goes_away_is_a_page_and_comes_back(lodge, tmp_path):
    with Postgres() as server, Console(lodge, tmp_path, database=server.create()) as console:
        assert asked(console).status == 303
        server.end()
        answer = until(console, 503)
        check_headers(answer)
        assert int(answer.header("Retry-After")) >= 1
        assert console.client().get("/assets/console.css").status == 302
        server.start()
        until(console, 303)


def test_a_console_starts_without_its_database_and_waits_for_it(lodge, tmp_path):
    with Postgres() as server:
        place = server.create()
        server.end()
        with Console(lodge, tmp_path, database=place) as console:
            assert asked(console).status == 503
            server.start()
            until(console, 303)


def test_a_stop_ends_all_in_order(lodge, tmp_path):
    console = Console(lodge, tmp_path)
    console.start()
    client = console.client()
    client.get("/no-such-page")
    assert console.stop() == 0
    assert not [line for line in console.log if "killed" in line or "signal=9" in line]


def test_without_the_option_there_is_no_console(lodge, tmp_path):
    import gate
    plain = gate.Gate(lodge, tmp_path, workers=1)
    plain.start()
    try:
        names = "".join(plain.children().values())
        assert "front" not in names and "desk" not in names
        assert not (plain.data / "store").exists() and not (plain.data / "console").exists()
    finally:
        assert plain.stop() == 0


# ---- the certificate ---------------------------------------------------------------------------

def shown(console):
    return ssl.get_server_certificate((HOST, console.console_port))


def test_its_own_certificate_is_made_once_and_again_for_a_new_name(lodge, tmp_path):
    console = Console(lodge, tmp_path)
    console.start()
    first = shown(console)
    assert console.stop() == 0
    console.start()
    assert shown(console) == first
    assert console.stop() == 0
    assert (console.data / "console" / "key.pem").stat().st_mode & 0o777 == 0o600
    console.command += ["--console-name", "lodge.school.example"]
    console.start()
    try:
        assert shown(console) != first
        context = ssl.create_default_context(cafile=str(console.certificate))
        with socket.create_connection((HOST, console.console_port), 60) as plain:
            context.wrap_socket(plain, server_hostname="lodge.school.example").close()
        assert Client(console, host="lodge.school.example").get("/no-such-page").status == 404
    finally:
        assert console.stop() == 0


def ca_of(console):
    return console.data / "ca" / "current.pem"


def signed_by_the_ca(console, shown_pem):
    done = subprocess.run(["openssl", "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", ca_of(console)],
                          input=shown_pem, capture_output=True, text=True)
    return done.returncode == 0, done.stdout + done.stderr


def open_by(console, name, ca):
    """curl's exit code: by this name, trusting this CA alone."""
    where = f"{name}:{console.console_port}"
    done = subprocess.run(["curl", "-sS", "--noproxy", "*", "--max-time", "60", "-o", "/dev/null", "--cacert", ca,
                           "--connect-to", f"{where}:{HOST}:{console.console_port}", "-w", "%{http_code}",
                           f"https://{where}/no-such-page"], capture_output=True, text=True)
    return done.returncode, done.stdout


def test_F1_whoever_trusts_the_gate_s_ca_trusts_the_console_by_each_of_its_names(lodge, tmp_path):
    with Console(lodge, tmp_path, ("--console-name", "lodge.school.example,[2001:db8::7]")) as console:
        good, why = signed_by_the_ca(console, shown(console))
        assert good, why
        for name in ("127.0.0.1", "localhost", socket.gethostname(), "lodge.school.example", "[::1]", "[2001:db8::7]"):
            assert open_by(console, name, ca_of(console)) == (0, "404"), name
        assert open_by(console, "bank.example", ca_of(console))[0] == 60, "for no other name"
        text = subprocess.run(["openssl", "x509", "-noout", "-text"], input=shown(console), text=True,
                              capture_output=True, check=True).stdout
        assert re.search(r"Subject:\s*$", text, re.M) and "CA:FALSE" in text
        assert "TLS Web Server Authentication" in text and "NIST CURVE: P-256" in text
        lines = [line for line in console.log if "event=console-certificate " in line]
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown(console))).hexdigest()
        assert len(lines) == 1 and "signed_by=gate" in lines[0] and digest in lines[0]


def test_a_certificate_of_another_ca_or_near_its_end_is_replaced_at_a_start(lodge, tmp_path):
    console = Console(lodge, tmp_path)
    with console:
        first = shown(console)
    short = tmp_path / "short.pem"
    subprocess.run(["openssl", "req", "-x509", "-key", console.data / "console" / "key.pem", "-CA",
                    console.data / "ca" / "ca.pem", "-CAkey", console.data / "ca" / "ca.key", "-days", "20", "-subj",
                    "/CN=short", "-addext", f"subjectAltName=IP:{HOST},DNS:localhost", "-out", short],
                   check=True, capture_output=True)
    console.certificate.write_bytes(short.read_bytes())
    with console:
        second = shown(console)
        assert second not in (first, short.read_text()) and signed_by_the_ca(console, second)[0]
    (console.data / "ca").rename(tmp_path / "old-ca")
    with console:
        third = shown(console)
        assert third != second and signed_by_the_ca(console, third)[0]


def test_a_console_without_a_notary_signs_for_itself_and_asks_when_there_is_one(lodge, tmp_path):
    """The notary is killed while front waits for it; its successor vouches."""
    with Console(lodge, tmp_path, ("--watchdog", "10m")) as console:
        notary, front = console.child("notary"), console.child("front")
        os.kill(notary, signal.SIGSTOP)
        for path in (console.data / "console").iterdir():
            path.unlink()
        os.kill(front, signal.SIGKILL)
        wait_for(lambda: console.child("front") != front)
        os.kill(notary, signal.SIGKILL)
        wait_for(lambda: any("signed_by=itself" in line for line in console.log))
        wait_for(lambda: sum("signed_by=gate" in line for line in console.log) == 2)
        wait_for(lambda: signed_by_the_ca(console, shown(console))[0])


def wait_for(holds):
    for _ in range(6000):
        try:
            if holds():
                return
        except (OSError, RuntimeError):
            pass  # between two processes
        time.sleep(0.01)
    raise AssertionError("it did not come")


def test_the_schools_certificate_is_used_where_there_is_one(lodge, tmp_path):
    key, certificate = school_pair(tmp_path)
    console = Console(lodge, tmp_path, ("--console-certificate", certificate, "--console-key", key))
    console.certificate = certificate
    with console:
        answer = console.client().get("/no-such-page")
        assert answer.status == 404
        assert answer.header("Strict-Transport-Security") == "max-age=31536000"
        assert not (console.data / "console" / "key.pem").exists()


def school_pair(folder):
    key, certificate = folder / "school.key", folder / "school.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", key, "-out", certificate, "-days", "30", "-subj", "/CN=school",
                    "-addext", f"subjectAltName=IP:{HOST}"], check=True, capture_output=True)
    return key, certificate


def test_a_certificate_that_cannot_be_is_told_and_ends_the_start(lodge, tmp_path):
    key, certificate = school_pair(tmp_path)
    other = tmp_path / "other"
    other.mkdir()
    wrong, _ = school_pair(other)
    for words, why in ((("--console-certificate", certificate, "--console-key", wrong),
                        "do not belong together"),
                       (("--console-certificate", certificate), "console-key is missing"),
                       (("--console-name", "a b"), "console-name-refused")):
        console = Console(lodge, tmp_path, words)
        with pytest.raises(RuntimeError):
            console.start()
        assert why in "".join(console.log)
