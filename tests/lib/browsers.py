# SPDX-License-Identifier: GPL-3.0-or-later
"""Real browsers behind a gate: Chromium by chromedriver, Firefox by its Marionette port, both with
the commands of W3C WebDriver.

    with Chromium(folder, gate.port, ca=path) as browser:
        browser.open("https://volcano.example/")     # Refused for the browser's own error pages
        browser.text()                               # what a person reads

proxy_port None (Chromium only): straight, as to the console. `ca` is a PEM file that the browser trusts, as an enrolled device does; None: not enrolled."""
import base64
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request

START_SECONDS = 120  # bounds against hanging for ever, not measures of speed
PAGE_SECONDS = 90


class Refused(Exception):
    """The browser shows an error page of its own; its code is the text."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def trust(database, ca):
    """Adds a CA to an NSS database, made where absent."""
    database.mkdir(parents=True, exist_ok=True)
    where = f"sql:{database}"
    subprocess.run(["certutil", "-N", "--empty-password", "-d", where], check=True,
                   capture_output=True)
    if ca is not None:
        subprocess.run(["certutil", "-A", "-d", where, "-n", "school", "-t", "CP,,", "-i", ca],
                       check=True, capture_output=True)


class Browser:
    """What both have: a process, and commands by name."""

    def __init__(self, folder, proxy_port, ca=None, size=(1280, 900), proxy_scheme="http"):
        self.folder, self.proxy_port, self.ca, self.size = folder, proxy_port, ca, size
        self.proxy_scheme = proxy_scheme
        self.process = None
        folder.mkdir(parents=True, exist_ok=True)

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_):
        self.stop()

    def spawn(self, command, **environment):
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, start_new_session=True,
                env=dict(os.environ, HOME=str(self.folder), MOZ_HEADLESS="1", no_proxy="",
                         **environment))

    def stop(self):
        if self.process is None:
            return
        try:
            os.killpg(self.process.pid, signal.SIGKILL)  # its own session: it and its children
        except ProcessLookupError:
            pass
        self.process.wait()
        self.process = None

    def open(self, url):
        self.navigate(url)
        return self

    def text(self):
        return self.script("return document.body ? document.body.innerText : ''")

    def title(self):
        return self.script("return document.title")

    def address(self):
        return self.script("return location.href")

    def protocol(self):
        """How the page came: "h2", "http/1.1"."""
        return self.script("return performance.getEntriesByType('navigation')[0].nextHopProtocol")

    def picture(self, path):
        """Keeps a picture of the page for people to look at."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(self.screenshot()))


class Chromium(Browser):
    name = "chromium"

    def start(self):
        for place in (".pki", ".local/share/pki"):  # of older and newer versions
            trust(self.folder / place / "nssdb", self.ca)
        port = free_port()
        self.spawn(["chromedriver", f"--port={port}"])
        self.base = f"http://127.0.0.1:{port}"
        self.wait()
        width, height = self.size
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--disable-component-update", "--disable-background-networking", "--no-first-run",
                 f"--window-size={width},{height}", f"--user-data-dir={self.folder / 'profile'}",
                 *(["--no-proxy-server"] if self.proxy_port is None else
                   ["--proxy-bypass-list=<-loopback>",
                    f"--proxy-server={self.proxy_scheme}://127.0.0.1:{self.proxy_port}"])]
        answer = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": words, "binary": shutil.which("chromium")},
            "timeouts": {"pageLoad": PAGE_SECONDS * 1000}}}})
        self.base += f"/session/{answer['sessionId']}"

    def wait(self):
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.call("GET", "/status")
                return
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.base + path, method=method,
            data=json.dumps(body).encode() if body is not None else None,
            headers={"Content-Type": "application/json"})
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=START_SECONDS) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as failed:
            message = json.load(failed)["value"]["message"]
            code = re.search(r"net::(ERR_\w+)", message)
            if code:
                raise Refused(code.group(1)) from None
            raise RuntimeError(message) from None

    def navigate(self, url):
        self.call("POST", "/url", {"url": url})
        # A warning about a certificate counts as a page for the driver.
        code = self.script("return document.body && document.body.className.match(/\\bssl\\b/) ?"
                           " document.getElementById('error-code').textContent : ''")
        if code:
            raise Refused(code.replace("net::", ""))

    def script(self, source):
        return self.call("POST", "/execute/sync", {"script": source, "args": []})

    def script_async(self, source):
        """The script calls its last argument with the result."""
        return self.call("POST", "/execute/async", {"script": source, "args": []})

    def screenshot(self):
        return self.call("GET", "/screenshot")

    def find(self, selector):
        """The id of an element, waited for."""
        until = time.monotonic() + PAGE_SECONDS
        while True:
            try:
                found = self.call("POST", "/element", {"using": "css selector", "value": selector})
                return next(iter(found.values()))
            except RuntimeError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def click(self, selector):
        self.call("POST", f"/element/{self.find(selector)}/click", {})

    def type(self, selector, text):
        self.call("POST", f"/element/{self.find(selector)}/value", {"text": text})

    def add_authenticator(self, transport="internal"):
        """A virtual one, with a person who says yes (Web Authentication Level 2, section 11)."""
        return self.call("POST", "/webauthn/authenticator", {
            "protocol": "ctap2", "transport": transport, "hasUserVerification": True,
            "isUserVerified": True, "isUserConsenting": True})

    def stop(self):
        if self.process is not None and "/session/" in getattr(self, "base", ""):
            try:
                self.call("DELETE", "")
            except (OSError, RuntimeError):
                pass
        super().stop()


class Firefox(Browser):
    name = "firefox"

    def start(self):
        profile = self.folder / "profile"
        trust(profile, self.ca)
        port = free_port()
        settings = {
            "marionette.port": port,
            "network.proxy.type": 1, "network.proxy.http": "127.0.0.1",
            "network.proxy.http_port": self.proxy_port, "network.proxy.ssl": "127.0.0.1",
            "network.proxy.ssl_port": self.proxy_port,
            "network.proxy.allow_hijacking_localhost": True, "network.proxy.no_proxies_on": "",
            "network.captive-portal-service.enabled": False,
            "network.connectivity-service.enabled": False, "app.update.enabled": False,
            "browser.shell.checkDefaultBrowser": False, "datareporting.policy.dataSubmissionEnabled":
            False, "dom.security.https_first": False, "browser.safebrowsing.update.enabled": False,
            "security.OCSP.enabled": 0, "network.prefetch-next": False,
        }
        (profile / "user.js").write_text("".join(
            f"user_pref({json.dumps(key)}, {json.dumps(value)});\n"
            for key, value in settings.items()))
        width, height = self.size
        self.spawn(["firefox-esr", "--headless", "--marionette", "--no-remote", "--profile",
                    str(profile), "--width", str(width), "--height", str(height)])
        self.connect(port)
        self.number = 0
        self.command("WebDriver:NewSession", {"acceptInsecureCerts": False, "timeouts": {
            "pageLoad": PAGE_SECONDS * 1000}})
        self.command("WebDriver:SetWindowRect", {"width": width, "height": height})

    def connect(self, port):
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), timeout=PAGE_SECONDS)
                self.stream = self.socket.makefile("rb")
                self.receive()
                return
            except OSError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.1)

    def receive(self):
        length = b""
        while (byte := self.stream.read(1)) != b":":
            if byte == b"":
                raise ConnectionError("Firefox has gone")
            length += byte
        return json.loads(self.stream.read(int(length)))

    def command(self, name, parameters):
        self.number += 1
        message = json.dumps([0, self.number, name, parameters]).encode()
        self.socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, value = self.receive()
        if error is not None:
            code = re.search(r"about:(?:neterror|certerror)\?e=(\w+)", error["message"])
            if code:
                raise Refused(code.group(1))
            if error["error"] == "insecure certificate":
                raise Refused(self.script_error())
            raise RuntimeError(f"{error['error']}: {error['message']}")
        return value

    def script_error(self):
        """What the warning about a certificate says is wrong."""
        address = self.command("WebDriver:GetCurrentURL", {})["value"]
        return re.search(r"[?&]e=(\w+)", address).group(1) if "?e=" in address else address

    def navigate(self, url):
        self.command("WebDriver:Navigate", {"url": url})

    def script(self, source):
        return self.command("WebDriver:ExecuteScript", {"script": source, "args": []})["value"]

    def script_async(self, source):
        return self.command("WebDriver:ExecuteAsyncScript", {"script": source, "args": []})["value"]

    def screenshot(self):
        return self.command("WebDriver:TakeScreenshot", {"full": False})["value"]


BROWSERS = (Chromium, Firefox)
