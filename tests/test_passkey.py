# SPDX-License-Identifier: GPL-3.0-or-later
"""Passkeys in Chromium with its virtual authenticator: set up, signed in with, taken for one origin and
one challenge."""
import base64
import json

import pytest

from browsers import Chromium
from console import Console
from people import PASSWORD, People, token_of


@pytest.fixture(scope="module")
def console(lodge, tmp_path_factory):
    with Console(lodge, tmp_path_factory.mktemp("passkey")) as running:
        running.people = People(running)
        running.people.add("hari", "head")
        yield running


def sign_in(browser, console):
    browser.open(f"https://localhost:{console.console_port}/sign-in")
    browser.type("#account", "hari")
    browser.type("#password", PASSWORD)
    browser.click("button[type=submit]:not(.lodge-header__button)")


def test_a_passkey_is_set_up_and_signs_in(console, tmp_path):
    with Chromium(tmp_path / "browser", None, ca=console.certificate) as browser:
        browser.add_authenticator()
        sign_in(browser, console)
        browser.click('form[data-passkey="create"] button')
        browser.find('form[action="/sign-out"]')
        browser.open(f"https://localhost:{console.console_port}/account")
        assert "Passkey" in browser.text()
        browser.click('form[action="/sign-out"] button')
        browser.find("#account")
        sign_in(browser, console)
        browser.click('form[data-passkey="get"] button')
        browser.find('form[action="/sign-out"]')
        assert browser.address().startswith(f"https://localhost:{console.console_port}/")
        assert not browser.address().endswith("/sign-in/factor")
        assert_step_up(browser, console)
    assert_not_without_it(console)


def assert_step_up(browser, console):
    """A page that asks for the factor itself takes a passkey too; a second one is added there."""
    browser.open(f"https://localhost:{console.console_port}/account/passkey")
    browser.type("#label", "Blue key")
    browser.add_authenticator("usb")
    browser.click('form[data-passkey="create"] button')
    browser.find(".govuk-notification-banner")
    assert "Blue key" in browser.text()


def assert_not_without_it(console):
    """With the password alone, and answers made up: to no challenge, for another origin, broken."""
    client = console.client(host=f"localhost:{console.console_port}")
    client.post("/sign-in", {"account": "hari", "password": PASSWORD}, token=False)
    page = client.json("GET", "/sign-in/factor").json
    client.csrf = page["page"]["csrf"]
    assert page["passkey"]["challenge"] and len(page["passkey"]["ids"].split()) == 2
    said = {"type": "webauthn.get", "challenge": page["passkey"]["challenge"],
            "origin": f"https://localhost:{console.console_port}"}
    answer = {"id": page["passkey"]["ids"].split()[0], "client": encode(json.dumps(said).encode()),
              "data": encode(bytes(37)), "signature": encode(bytes(70))}
    for sent in ("", "{}", "[]", "{", json.dumps(answer), json.dumps({**answer, "client": "!"}),
                 json.dumps({**answer, "id": "AAAA"}), "x" * 40000):
        assert client.post("/sign-in/passkey", {"answer": sent}).status == 403
        assert client.get("/account").status == 303


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_without_a_session_there_is_no_challenge(console):
    client = console.client()
    assert client.get("/sign-in/factor").status == 303
    assert client.post("/sign-in/passkey", {"answer": "{}"}, token=False).status == 303


def test_the_first_factor_page_names_the_person_to_the_authenticator(console):
    console.people.add("dora", "dsl")
    client = console.client()
    client.post("/sign-in", {"account": "dora", "password": PASSWORD}, token=False)
    first = client.json("GET", "/sign-in/set-up").json["passkey"]
    second = client.json("GET", "/sign-in/set-up").json["passkey"]
    assert first["challenge"] != second["challenge"] and first["name"] == "Dora Example"
    client.csrf = token_of(client, "/sign-in/set-up")
    assert client.post("/sign-in/set-up/passkey", {"answer": "{}"}).status == 403
