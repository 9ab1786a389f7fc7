# SPDX-License-Identifier: GPL-3.0-or-later
"""sqlmap and wapiti against the running console, signed in and signed out, on loopback: they find
nothing. What each was given and what it said stands in BUILD/reports/scanners.txt. That they would
find something is shown beside it, on a small page that is as bad as can be. Only the plain build: the
sanitized one has the same code."""
import html
import http.server
import json
import re
import sqlite3
import subprocess
import threading
import urllib.parse

import pytest

from console import HOST, Console
from seed import signed_in

pytestmark = pytest.mark.once

# The product's own options: a scanner is one very busy address that guesses passwords.
LIFTED = ("--console-rate", "1000", "--console-sign-ins", "1000")
MODULES = "sql,xss,exec,file,crlf,redirect,ssrf,xxe"
SECONDS = 150      # of one run; bounds against hanging for ever
ATTACK_SECONDS = 5  # of one module of wapiti
ACCOUNT = "b" * 26  # that of the session
# wapiti 3.0.4 leaves out addresses by a pattern that Python 3.11 refuses; the same by Python's own.
WAPITI = """
import fnmatch, re, sys
from wapitiCore.net import crawler
crawler.wildcard_translate = lambda pattern: re.compile(fnmatch.translate(pattern))
from wapitiCore.main.wapiti import wapiti_main
sys.argv[0] = "wapiti"
wapiti_main()
"""


@pytest.fixture(scope="module")
def console(lodge, tmp_path_factory):
    with Console(lodge, tmp_path_factory.mktemp("scanners"), LIFTED, rates=False) as running:
        running.head = signed_in(running, ["head", "office", "dsl", "technician"])
        for name in ("Zoe Example", "Zoe Other", "Yan Example"):
            made = running.head.json("POST", "/records/people/new", {"name": name, "kind": "pupil"})
            assert made.status == 200
        running.head.close()
        yield running


@pytest.fixture(scope="module")
def report(build):
    path = build / "reports" / "scanners.txt"
    path.parent.mkdir(exist_ok=True)
    with open(path, "w") as file:
        yield file


def run(report, words, said, shown=None, folder=None):
    """What it prints. said: the pattern of the lines that the report keeps."""
    done = subprocess.run(list(map(str, words)), capture_output=True, text=True, timeout=SECONDS,
                          stdin=subprocess.DEVNULL, cwd=folder, errors="replace")
    print(" ".join(map(str, shown or words)), file=report)
    for line in done.stdout.splitlines():
        if re.search(said, line):
            print("    " + line.strip(), file=report)
    report.flush()
    return done.stdout + done.stderr


# ---- sqlmap ------------------------------------------------------------------------------------

def sqlmap(report, folder, url, parameters, data=None, cookie=None, origin=None):
    words = ["sqlmap", "--batch", "--disable-coloring", "--level", "2", "--risk", "1", "--threads", "4",
             "--output-dir", folder, "--flush-session", "-u", url, "-p", ",".join(parameters)]
    if data:
        words += ["--data", data]
    if cookie:
        words += ["--cookie", cookie]
    if origin:
        words += ["--headers", f"Origin: {origin}\nSec-Fetch-Site: same-origin"]
    return run(report, words, "injectable|injection point|Parameter:|HTTP error codes")


CASES = {
    "list": ("/records/people?search=zoe&sort=name&page=1", ["search", "sort", "page"], None, True),
    "search": ("/search?words=zoe", ["words"], None, True),
    "accounts": ("/accounts?search=o&page=1", ["search", "page"], None, True),
    "record": (f"/records/people/{'a' * 26}*", [], None, True),
    "make": ("/records/groups/new", ["name"], "name=Oak&kind=class&csrf={csrf}", True),
    "sign-in": ("/sign-in", ["account"], "account=olive&password=a+wrong+one&next=/", False),
}


@pytest.mark.parametrize("case", CASES)
def test_sqlmap_finds_nothing(console, report, tmp_path, case):
    path, parameters, data, inside = CASES[case]
    head = console.head
    told = sqlmap(report, tmp_path, console.console_url + path, parameters,
                  data=data and data.format(csrf=head.token()),
                  cookie=f"__Host-lodge={head.cookies['__Host-lodge']}" if inside else None,
                  origin=console.console_url if data else None)
    assert "all tested parameters do not appear to be injectable" in told, told[-3000:]
    for name in parameters:
        assert f"parameter '{name}' does not seem to be injectable" in told, told[-3000:]
    assert "identified the following injection point" not in told and "is vulnerable" not in told
    assert head.get("/records/people").status == 200  # it was signed in to the end
    head.close()


# ---- wapiti ------------------------------------------------------------------------------------

class Endpoint(http.server.BaseHTTPRequestHandler):
    """Where wapiti wants to see who comes back to it: its own questions, and whoever was led here."""

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path not in ("/get_ssrf.php", "/get_xxe.php", "/"):
            self.server.visits.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_PUT = do_GET

    def log_message(self, *_):
        pass


class Bad(Endpoint):
    """A page with every fault that a test of the tests needs."""

    def do_GET(self):
        words = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query).get("name", [""])[0]
        store = sqlite3.connect(":memory:")
        store.executescript("CREATE TABLE t (name text); INSERT INTO t VALUES ('zoe'), ('yan');")
        try:
            rows = store.execute(f"SELECT name FROM t WHERE name = '{words}'").fetchall()
            text = f"<p>{words}: {len(rows)} {html.escape(str(rows))}</p>"
        except sqlite3.Error as error:
            text = f"<p>sqlite3.OperationalError: {error}</p>"
        body = f"<!DOCTYPE html><html><body><a href='/?name=zoe'>a</a>{text}</body></html>".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_GET


@pytest.fixture
def serve():
    running = []

    def start(handler):
        server = http.server.ThreadingHTTPServer((HOST, 0), handler)
        server.visits = []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        return server, f"http://{HOST}:{server.server_port}/"
    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def wapiti(report, folder, url, endpoint, *more, modules=MODULES):
    """{category: findings}"""
    out = folder / "wapiti.json"
    words = ["-u", url, "--scope", "domain", "-m", modules, "--max-scan-time", "15",
             "--max-attack-time", ATTACK_SECONDS, "-d", "4", "--max-links-per-page", "30",
             "--max-files-per-dir", "30", "--endpoint", endpoint, "--verify-ssl", "0",
             "--flush-session", "--no-bugreport", "--store-session", folder / "session",
             "--store-config", folder / "config", "-v", "1", "-f", "json", "-o", out, *more]
    told = run(report, ["/usr/bin/python3", "-c", WAPITI, *words],
               r"^\[\*\] (?!Asking)|^Evil|vulnerab|injection", ["wapiti", *words], folder)
    assert out.exists(), told[-3000:]
    found = json.loads(out.read_text())
    found = {name: rows for name, rows in {**found["vulnerabilities"], **found["anomalies"]}.items()
             if rows}
    print(f"    found: {json.dumps(found)}", file=report)
    return told, found


def requested(told):
    return set(re.findall(r"^\[\+\] (?:GET|POST) (\S+)", told, re.M))


def cookie_file(folder, client):
    path = folder / "cookies.json"
    path.write_text(json.dumps({HOST: {"/": {"__Host-lodge": {
        "version": 0, "expires": None, "secure": True, "port": None,
        "value": client.cookies["__Host-lodge"]}}}}))
    return path


def test_wapiti_finds_nothing_signed_in(console, report, serve, tmp_path):
    server, endpoint = serve(Endpoint)
    url, head = console.console_url, console.head
    out = []
    for path in ("/sign-out*", "/account/*", f"/accounts/{ACCOUNT}*"):  # what would end its session
        out += ["-x", url + path]
    told, found = wapiti(report, tmp_path, f"{url}/", endpoint, "-s",
                         f"{url}/records/people?search=zoe&sort=name&page=1", "-s",
                         f"{url}/search?words=zoe", "-c", cookie_file(tmp_path, head), *out)
    assert found == {}
    assert server.visits == []
    assert "/records/people/new" in told
    assert head.get("/records/people").status == 200  # it was signed in to the end
    head.close()


def test_wapiti_finds_nothing_signed_out(console, report, serve, tmp_path):
    server, endpoint = serve(Endpoint)
    told, found = wapiti(report, tmp_path, f"{console.console_url}/sign-in", endpoint)
    assert found == {}
    assert server.visits == []
    assert "/sign-in" in told


# ---- the scanners themselves -------------------------------------------------------------------

def test_both_find_what_is_there(report, serve, tmp_path):
    _, endpoint = serve(Endpoint)
    _, url = serve(Bad)
    told = sqlmap(report, tmp_path / "sqlmap", f"{url}?name=zoe", ["name"])
    assert "identified the following injection point" in told, told[-3000:]
    _, found = wapiti(report, tmp_path, url, endpoint, modules="sql,xss")
    assert {"SQL Injection", "Cross Site Scripting"} <= set(found)
