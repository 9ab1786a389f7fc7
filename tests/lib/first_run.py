# SPDX-License-Identifier: GPL-3.0-or-later
"""The first run of a console whose store is empty, by whoever has the code that the operator reads."""
import re

from console import Console
from people import token_of, totp

PASSWORD = "kettle otter lamp"
FORM = {
    "school_name": "Elm Primary", "urn": "123456", "kind": "primary",
    "head_name": "Hanna Head", "head_log_on": "h.head", "password": PASSWORD, "again": PASSWORD,
    "tech_name": "Ted Tech", "tech_log_on": "t.tech", "preset": "trust-primary",
}


class FirstRun(Console):
    """Its policy comes from the records; no file gives it."""

    def __init__(self, lodge, folder, **more):
        super().__init__(lodge, folder, **more)
        at = self.command.index("--policy")
        del self.command[at:at + 2]


def code_file(console):
    return console.data / "store" / "first-run-code"


def code(console):
    return code_file(console).read_text().strip()


def form(console, **changes):
    return {"code": code(console), **FORM, **changes}


def set_up(console):
    """The whole way; the head's browser, signed in, and the technician's one-time password."""
    client = console.client()
    for path in ("/", "/sign-in"):
        assert client.get(path).header("Location") == "/first-run"
    page = client.get("/first-run")
    assert page.status == 200 and "Church primary" in page.text
    done = client.post("/first-run", form(console), token=False)
    assert done.status == 200, done
    one_time = re.search(r">([a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4})<", done.text)[1]
    assert "t.tech" in done.text and "Ted Tech" in done.text
    client.csrf = token_of(client, "/sign-in/set-up")
    secret = re.search(r'<code class="lodge-code">([A-Z2-7 ]+)</code>',
                       client.get("/sign-in/set-up").text)[1].replace(" ", "")
    answer = client.post("/sign-in/set-up", {"code": totp(secret)})
    assert answer.status == 303, answer
    client.csrf = None
    assert client.get("/").status == 200
    return client, one_time
