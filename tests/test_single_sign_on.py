# SPDX-License-Identifier: GPL-3.0-or-later
"""Single sign-on to the console (R83, R95): against a real provider, npm's oidc-provider."""
import http.client
import json
import re
import shutil
import ssl
import stat
import subprocess
import urllib.parse

import pytest

import school
from certificates import Authority
from console import HOST, Console, free_port
from gate import ROOT

MODULES = ROOT / "assets" / "node_modules"
PEOPLE = {
    "tess": {"email": "Tess@School.example", "email_verified": True, "name": "Tess Teacher"},
    "hanna": {"email": "hanna@school.example", "email_verified": True, "name": "Hanna Head"},
    "liar": {"email": "tess@school.example", "email_verified": False, "name": "Not Tess"},
    "stranger": {"email": "tess@elsewhere.example", "email_verified": True, "name": "Tess Other"},
    "olive": {"email": "olive@home.example", "email_verified": True, "name": "Olive Office"},
}


class Provider:
    """The provider's process, and a browser's way through its pages."""

    def __init__(self, folder, redirect):
        self.authority = Authority(folder / "provider-ca")
        leaf = self.authority.issue("localhost")
        self.process = subprocess.Popen(
            ["node", ROOT / "tests" / "lib" / "oidc_provider.mjs", MODULES, leaf.chain, leaf.key,
             "lodge", "a secret + more", redirect, json.dumps(PEOPLE)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.issuer = self.process.stdout.readline().strip()
        assert self.issuer.startswith("https://"), "the provider did not start"
        self.context = ssl.create_default_context(cafile=str(self.authority.certificate))

    def stop(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def go(self, address, login):
        """Follows the provider's pages, signs in as `login` where asked; the address of ours that it
        ends at."""
        cookies = {}
        while address.startswith(self.issuer):
            parts = urllib.parse.urlsplit(address)
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=60,
                                                     context=self.context)
            connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""), headers={
                "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())})
            answer = connection.getresponse()
            page = answer.read().decode()
            for line in answer.headers.get_all("Set-Cookie") or ():
                name, _, value = line.split(";")[0].partition("=")
                cookies[name] = value
            connection.close()
            if answer.status == 200:
                assert "Who are you?" in page
                address = urllib.parse.urljoin(address, f"{parts.path}?login={login}")
            else:
                assert answer.status in (302, 303), (answer.status, page)
                address = urllib.parse.urljoin(address, answer.headers["Location"])
        return address


def rows():
    for line in school.rows():
        if line.get("make") == "person" and line.get("as") in ("tess", "hanna"):
            line["fields"]["email"] = f"{line['as']}@school.example"
        yield line


@pytest.fixture(scope="module")
def place(lodge, build, tmp_path_factory):
    """(console, provider): one school, one provider."""
    if shutil.which("node") is None or not (MODULES / "oidc-provider").is_dir():
        pytest.fail("make test installs node and the packages of assets/")
    folder = tmp_path_factory.mktemp("sign-on")
    port = free_port()
    provider = Provider(folder, f"https://{HOST}:{port}/sign-in/back")
    providers = folder / "providers.json"
    providers.write_text(json.dumps({"providers": [{
        "name": "school", "label": "The school’s account", "issuer": provider.issuer,
        "client_id": "lodge", "client_secret": "a secret + more", "link": "email",
        "domains": ["school.example"]}]}))
    providers.chmod(stat.S_IRUSR | stat.S_IWUSR)
    console = Console(lodge, folder, ("--single-sign-on", str(providers), "--origin-ca",
                                      str(provider.authority.certificate)))
    console.command[console.command.index("--console") + 1] = f"{HOST}:{port}"
    console.console_port, console.console_url = port, f"https://{HOST}:{port}"
    school.make(build, console.data, rows())
    with console:
        yield console, provider
    provider.stop()


def begin(client, next_path="/"):
    """The address of the provider that the browser is sent to."""
    page = client.get(f"/sign-in?next={next_path}")
    if page.status == 303:  # signed in: the page that adds it
        page = client.get("/account")
    link = re.search(r'href="(/sign-in/with/school\?next=[^"]*)"[^>]*>(Add )?The school’s account<',
                     page.text)
    answer = client.get(link[1].replace("&amp;", "&"))
    assert answer.status == 303
    return answer.header("Location")


def come_back(client, provider, login, next_path="/"):
    address = provider.go(begin(client, next_path), login)
    parts = urllib.parse.urlsplit(address)
    return client.get(f"{parts.path}?{parts.query}")


def test_R83_a_verified_address_of_the_people_s_register_opens_the_account(place):
    console, provider = place
    client = console.client()
    answer = come_back(client, provider, "tess", "/account")
    assert answer.status == 303 and answer.header("Location") == "/account"
    assert client.get("/account").status == 200
    assert "Tess Teacher" in client.get("/").text


def test_a_way_on_that_is_too_long_for_the_cookie_leads_to_the_start(place):
    """It once ended the desk, and so did a cookie that names no path of ours."""
    console, provider = place
    desk = console.child("desk")
    long = console.client()
    answer = come_back(long, provider, "tess", "/records/people?search=" + 1600 * "a")
    assert answer.status == 303 and answer.header("Location") == "/"
    client = console.client()
    address = urllib.parse.urlsplit(provider.go(begin(client), "tess"))
    name = "__Host-lodge-with"
    client.cookies[name] = client.cookies[name].rpartition(".")[0] + ".Ly9l"  # //e
    assert client.get(f"{address.path}?{address.query}").status == 422
    assert console.child("desk") == desk


def test_S2_a_role_with_a_second_factor_is_asked_for_it(place):
    console, provider = place
    client = console.client()
    answer = come_back(client, provider, "hanna")
    assert answer.status == 303 and answer.header("Location").startswith("/sign-in/set-up")
    assert client.get("/records/people").status != 200


@pytest.mark.parametrize("login", ["liar", "stranger", "olive"])
def test_who_is_not_vouched_for_opens_nothing(place, login):
    console, provider = place
    client = console.client()
    answer = come_back(client, provider, login)
    assert answer.status == 422 and "Nobody here is known by that sign-in" in answer.text
    assert client.get("/account").status != 200


def test_a_link_made_under_ones_account_opens_it_from_then_on(place):
    console, provider = place
    client = console.client()
    client.sign_in("olive", school.PASSWORD)
    assert come_back(client, provider, "olive").header("Location") == "/account"
    other = console.client()
    assert come_back(other, provider, "olive", "/account").header("Location") == "/account"
    assert "Olive Office" in other.get("/").text
    third = console.client()
    third.sign_in("tess", school.PASSWORD)
    assert come_back(third, provider, "olive").status == 409


def test_a_code_of_another_browser_s_sign_in_opens_nothing(place):
    """A link with somebody else's code signs nobody in as them (RFC 6749 section 10.12)."""
    console, provider = place
    attacker, victim = console.client(), console.client()
    address = urllib.parse.urlsplit(provider.go(begin(attacker), "tess"))
    begin(victim)
    for client in (console.client(), victim):
        answer = client.get(f"{address.path}?{address.query}")
        assert answer.status == 422 and "Begin again" in answer.text
        assert client.get("/account").status != 200


def test_a_code_counts_once(place):
    console, provider = place
    client = console.client()
    address = urllib.parse.urlsplit(provider.go(begin(client), "tess"))
    kept = dict(client.cookies)
    assert client.get(f"{address.path}?{address.query}").status == 303
    thief = console.client()
    thief.cookies = kept
    assert thief.get(f"{address.path}?{address.query}").status == 422


@pytest.mark.parametrize("query", [
    "", "code=x", "state=x", "error=access_denied&state=x", "code=&state=", "code=" + "x" * 5000,
    "code=x&state=%00", "code=%F0%28&state=x"])
def test_a_broken_way_back_is_a_page_that_says_what_to_do(place, query):
    console, provider = place
    client = console.client()
    begin(client)
    answer = client.get(f"/sign-in/back?{query}")
    assert answer.status in (400, 422)
    assert client.get("/account").status != 200


def test_a_code_that_the_provider_did_not_give_is_refused(place):
    console, provider = place
    client = console.client()
    state = urllib.parse.parse_qs(urllib.parse.urlsplit(begin(client)).query)["state"][0]
    answer = client.get(f"/sign-in/back?code=made-up&state={state}")
    assert answer.status == 422 and "Try again" in answer.text


def test_an_unknown_provider_is_no_page(place):
    assert place[0].client().get("/sign-in/with/other").status == 404


def test_the_secret_is_told_to_nobody(place):
    """Neither a log nor a page nor another process's options hold the client's secret."""
    console, _ = place
    assert "a secret + more" not in "".join(console.log)
    assert "a secret" not in console.client().get("/sign-in").text


def test_a_signon_that_dies_is_started_again(place):
    import os
    import signal
    console, provider = place
    os.kill(console.child("signon"), signal.SIGKILL)
    for _ in range(100):
        client = console.client()
        page = client.get("/sign-in/with/school?next=%2F")
        if page.status == 303:
            break
        assert page.status == 503 and "Use your log-on and password" in page.text
    assert page.status == 303
