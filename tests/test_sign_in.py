# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing in to the console: passwords, second factors, sessions, and what ends them."""
import re
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest

from console import Console
from people import PASSWORD, People, token_of, totp

WRONG = "The log-on or the password is not right"


@pytest.fixture(scope="module")
def console(lodge, tmp_path_factory):
    with Console(lodge, tmp_path_factory.mktemp("sign-in")) as running:
        running.people = People(running)
        running.people.add("ann", "teacher")
        running.people.add("tess", "technician")
        running.people.add("hari", "head")
        running.people.add("cora", "chair")
        running.tess, running.tess_secret = running.people.set_up("tess")
        running.hari, running.hari_secret = running.people.set_up("hari")
        yield running


def sign_in(console, name, password=PASSWORD, **headers):
    client = console.client()
    return client, client.post("/sign-in", {"account": name, "password": password}, token=False,
                               headers=headers)


def is_in(client):
    return client.get("/account").status == 200


def test_S2_the_first_sign_in_asks_for_a_password_of_ones_own(console):
    one_time = console.people.add_new("dev", "teacher")
    client, answer = sign_in(console, "dev", one_time)
    assert answer.status == 303
    assert answer.header("Location") == "/sign-in/password?next=%2F"
    for path in ("/account", "/records", "/accounts", "/"):
        assert client.get(path).status == 303  # nothing else opens
    client.csrf = token_of(client, "/sign-in/password")
    for new, again, why in (("short", "short", "10 characters"),
                            ("password123", "password123", "guess first"),
                            ("dev example 1", "dev example 1", "must not hold your name"),
                            ("kettle otter lamp", "kettle otter", "not the same")):
        answer = client.post("/sign-in/password", {"password": new, "again": again})
        assert answer.status == 422 and why in answer.text
        assert new not in answer.text
    answer = client.post("/sign-in/password", {"password": PASSWORD, "again": PASSWORD})
    assert answer.status == 303
    assert is_in(client)
    client, answer = sign_in(console, "dev", one_time)
    assert answer.status == 422 and WRONG in answer.text


def test_unknown_and_wrong_are_told_in_the_same_words(console):
    pages = []
    for name in ("ann", "nobody-at-all"):
        _, answer = sign_in(console, name, "not this one, no")
        assert answer.status == 422
        pages.append(answer.text.replace(f"\"{name}\"", "NAME"))
    assert pages[0] == pages[1]


def test_S2_unknown_names_lock_like_known_ones(console):
    console.people.add("lena", "teacher")
    answers = {}
    for name in ("lena", "no-lena"):
        answers[name] = [sign_in(console, name, f"wrong number {i}")[1].status for i in range(12)]
    assert answers["lena"] == answers["no-lena"] == [422] * 10 + [429] * 2
    assert sign_in(console, "lena")[1].status == 429  # locked for the right one too
    assert sign_in(console, "ann")[1].status == 303  # and for nobody else


def test_the_cookie_is_the_hosts_own_and_no_script_reads_it(console):
    _, answer = sign_in(console, "ann")
    lines = [line for line in answer.headers.get_all("Set-Cookie") if "__Host-lodge=" in line]
    assert len(lines) == 1
    words = {word.strip().lower() for word in lines[0].split(";")[1:]}
    assert {"path=/", "secure", "httponly", "samesite=lax"} <= words
    assert not any(word.startswith(("domain", "expires", "max-age")) for word in words)


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(console):
    client = console.client()
    planted = "A" * 43
    client.cookies["__Host-lodge"] = planted
    client.post("/sign-in", {"account": "ann", "password": PASSWORD}, token=False)
    assert client.cookies["__Host-lodge"] != planted
    other = console.client()
    other.cookies["__Host-lodge"] = planted
    assert other.get("/account").status == 303


def test_each_step_up_has_a_new_token(console):
    client, answer = sign_in(console, "tess")
    assert answer.header("Location").startswith("/sign-in/factor")
    first = client.cookies["__Host-lodge"]
    client.csrf = token_of(client, "/sign-in/factor")
    answer = client.post("/sign-in/factor", {"code": totp(console.tess_secret, step=1)})
    assert answer.status == 303 and answer.header("Location") == "/"
    assert client.cookies["__Host-lodge"] != first
    old = console.client()
    old.cookies["__Host-lodge"] = first
    assert old.get("/account").status == 303
    assert old.get("/sign-in/factor").status == 303
    # The same code again, from somebody who looked over the shoulder.
    other, _ = sign_in(console, "tess")
    other.csrf = token_of(other, "/sign-in/factor")
    answer = other.post("/sign-in/factor", {"code": totp(console.tess_secret, step=1)})
    assert answer.status == 422
    assert not is_in(other)


def test_a_form_from_elsewhere_signs_nobody_in_or_out(console):
    client = console.client()
    for headers in ({"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
                    {"Origin": "null", "Sec-Fetch-Site": None},
                    {"Origin": None, "Sec-Fetch-Site": None}):
        answer = client.post("/sign-in", {"account": "ann", "password": PASSWORD}, token=False,
                             headers=headers)
        assert answer.status == 403
    client, _ = sign_in(console, "ann")
    assert client.post("/sign-out", token=False).status == 403
    assert client.post("/account/compromised", token="B" * 43).status == 403
    assert is_in(client)


def test_signing_out_ends_the_session_and_not_only_the_cookie(console):
    client, _ = sign_in(console, "ann")
    kept = client.cookies["__Host-lodge"]
    client.csrf = token_of(client, "/account")
    answer = client.post("/sign-out")
    assert answer.status == 303 and "__Host-lodge" not in client.cookies
    client.cookies["__Host-lodge"] = kept
    assert client.get("/account").status == 303


@pytest.mark.parametrize("next_path", ["https://evil.example/", "//evil.example", "/\\evil.example",
                                       "javascript:alert(1)", "/a\r\nSet-Cookie: x=y"])
def test_going_on_leads_nowhere_else(console, next_path):
    client = console.client()
    answer = client.post("/sign-in", {"account": "ann", "password": PASSWORD, "next": next_path},
                         token=False)
    assert answer.status == 303 and answer.header("Location") == "/"
    assert "evil" not in str(answer.headers)


def test_going_on_leads_to_the_page_that_was_asked_for(console):
    client = console.client()
    answer = client.get("/account/password")
    assert answer.header("Location") == "/sign-in?next=%2Faccount%2Fpassword"
    assert 'value="/account/password"' in client.get(answer.header("Location")).text


def test_S2_disabled_at_once_by_the_operator(console):
    console.people.add("otto", "teacher")
    client, _ = sign_in(console, "otto")
    assert is_in(client)
    console.people.user("disable", "otto")
    assert not is_in(client)
    assert WRONG in sign_in(console, "otto")[1].text
    assert "otto\tOtto Example\tdisabled" in console.people.user("list")


def change(client, account, what):
    client.csrf = None
    return client.json("POST", f"/accounts/{account}/{what}")


def account_of(console, name):
    items = console.tess.json("GET", f"/accounts?search={name}").json["items"]
    return next(item["id"] for item in items if item["log_on"] == name)


def test_a_technician_resets_disables_and_enables_but_not_their_own(console):
    console.people.add("rosa", "teacher")
    client, _ = sign_in(console, "rosa")
    rosa = account_of(console, "rosa")
    answer = change(console.tess, rosa, "reset")
    assert answer.status == 200 and not is_in(client)
    one_time = answer.json["password"]
    assert re.fullmatch(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}", one_time)
    assert sign_in(console, "rosa", one_time)[1].header("Location").startswith("/sign-in/password")
    assert sign_in(console, "rosa")[1].status == 422
    assert change(console.tess, rosa, "disable").status == 200
    assert sign_in(console, "rosa", one_time)[1].status == 422
    assert change(console.tess, rosa, "disable").status == 409
    assert change(console.tess, rosa, "enable").status == 200
    assert sign_in(console, "rosa", one_time)[1].status == 303
    assert change(console.tess, account_of(console, "tess"), "reset").status == 403
    teacher, _ = sign_in(console, "ann")
    assert teacher.get("/accounts").status == 403
    assert teacher.json("GET", f"/accounts/{rosa}").status in (403, 404)


def test_R95_somebody_knows_my_password(console):
    console.people.add("nell", "teacher")
    other, _ = sign_in(console, "nell")
    client, _ = sign_in(console, "nell")
    client.csrf = token_of(client, "/account")
    answer = client.post("/account/compromised")
    assert answer.header("Location").startswith("/sign-in/password")
    assert not is_in(other) and not is_in(client)
    assert WRONG in sign_in(console, "nell")[1].text
    client.csrf = token_of(client, "/sign-in/password")
    answer = client.post("/sign-in/password", {"password": "marble spoon river",
                                               "again": "marble spoon river"})
    assert answer.status == 303 and is_in(client)
    notices = console.hari.json("GET", "/notices").json["items"]
    assert any(item["kind"] == "compromised" and item["name"] == "Nell Example" for item in notices)


def test_a_person_changes_their_password_and_needs_the_old_one(console):
    console.people.add("iris", "teacher")
    client, _ = sign_in(console, "iris")
    other, _ = sign_in(console, "iris")
    client.csrf = token_of(client, "/account")
    new = {"password": "copper window tide", "again": "copper window tide"}
    assert client.post("/account/password", {"old": "not it at all", **new}).status == 422
    assert client.post("/account/password", {"old": PASSWORD, **new}).status == 303
    assert is_in(client) and not is_in(other)
    assert sign_in(console, "iris", "copper window tide")[1].status == 303


def test_a_sheet_replaces_the_phone_and_each_code_counts_once(console):
    console.people.add("sami", "dsl")
    client, answer = sign_in(console, "sami")
    assert answer.header("Location").startswith("/sign-in/set-up")
    assert client.get("/account").status == 303
    client.csrf = token_of(client, "/sign-in/set-up")
    answer = client.post("/sign-in/set-up/sheet")
    codes = re.findall(r'<code class="lodge-code">([^<]+)</code>', answer.text)
    assert len(codes) == 10
    assert client.post("/sign-in/set-up/sheet").status == 303  # not again without showing a code
    answer = client.post("/sign-in/factor", {"code": codes[0].upper(), "remember": "yes"})
    assert answer.status == 303 and is_in(client)
    assert "__Host-lodge-computer" in client.cookies
    # This computer is remembered, but not where a page asks for the factor itself.
    computer = client.cookies["__Host-lodge-computer"]
    again = console.client()
    again.cookies["__Host-lodge-computer"] = computer
    answer = again.post("/sign-in", {"account": "sami", "password": PASSWORD}, token=False)
    assert answer.header("Location") == "/"
    answer = again.get("/account/totp")
    assert answer.header("Location").startswith("/sign-in/factor")
    again.csrf = token_of(again, "/sign-in/factor")
    assert again.post("/sign-in/factor", {"code": codes[0]}).status == 422
    answer = again.post("/sign-in/factor", {"code": codes[1], "next": "/account/totp"})
    assert answer.header("Location") == "/account/totp"
    assert again.get("/account/totp").status == 200
    # Another's account on the same computer is asked.
    other = console.client()
    other.cookies["__Host-lodge-computer"] = computer
    answer = other.post("/sign-in", {"account": "tess", "password": PASSWORD}, token=False)
    assert answer.header("Location").startswith("/sign-in/factor")


def test_the_picture_for_an_app_is_an_image_that_only_its_owner_sees(console):
    client, _ = sign_in(console, "cora")
    answer = client.get("/sign-in/set-up/totp.svg")
    assert answer.status == 200 and answer.header("Content-Type") == "image/svg+xml"
    ElementTree.fromstring(answer.text)
    assert console.client().get("/sign-in/set-up/totp.svg").status == 303
    # Whoever knows only the password of an account that has a factor sets none up.
    thief, _ = sign_in(console, "hari")
    assert thief.get("/sign-in/set-up").header("Location").startswith("/sign-in/factor")
    assert thief.get("/sign-in/set-up/totp.svg").status == 403
    assert thief.get("/sign-in/password").header("Location") == "/sign-in"


def test_R89_the_sealed_credential(console):
    tess, hari = console.tess, console.hari
    assert tess.json("POST", "/accounts/safe/ask").status == 200
    asked = hari.json("GET", "/accounts/safe").json["items"][0]
    assert tess.json("POST", f"/accounts/safe/{asked['id']}/seal").status == 403
    code = hari.json("POST", f"/accounts/safe/{asked['id']}/seal").json["code"]
    client = console.client()
    sent = {"code": code, "name": "Sam Lee", "reason": "The head cannot be reached"}
    assert client.post("/sign-in/emergency", {**sent, "name": ""}, token=False).status == 422
    assert client.post("/sign-in/emergency", {**sent, "code": code[:-1]}, token=False).status == 422
    assert client.post("/sign-in/emergency", sent, token=False).status == 303
    assert client.get("/accounts").status == 200
    assert client.get("/account").status == 404
    assert console.client().post("/sign-in/emergency", sent, token=False).status == 422
    notices = hari.json("GET", "/notices").json["items"]
    assert any(item["kind"] == "broke_glass" and item["words"] == "Sam Lee" for item in notices)


def test_the_last_role_takes_the_session_with_it(console):
    console.people.add("luke", "teacher")
    client, _ = sign_in(console, "luke")
    assert is_in(client)
    console.people.execute("UPDATE reg_post SET f_until = '2020-12-31' WHERE f_person = 'luke'")
    assert not is_in(client)
    assert "You have no role" in sign_in(console, "luke")[1].text
    console.people.execute("UPDATE reg_post SET f_until = NULL WHERE f_person = 'luke'")
    assert not is_in(client)  # it is over, not asleep


def test_passwords_and_tokens_are_in_no_log_and_not_in_the_store(console):
    client, _ = sign_in(console, "ann")
    token = client.cookies["__Host-lodge"]
    sign_in(console, "ann", "a wrong one that is not to be kept")
    secrets = [PASSWORD, token, "a wrong one that is not to be kept", console.tess_secret]
    log = "\n".join(console.log)
    files = [path for path in console.data.rglob("*") if path.is_file() and path.suffix != ".image"]
    for secret in secrets:
        assert secret not in log
        for path in files:
            assert secret.encode() not in path.read_bytes(), path


def test_the_acts_of_accounts_are_a_whole_chain(console):
    done = subprocess.run([console.lodge, "audit", "verify", "--data", console.data],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "whole" in done.stdout, done.stdout + done.stderr
