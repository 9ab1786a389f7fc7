# SPDX-License-Identifier: GPL-3.0-or-later
"""A small school in the records of a running console, with accounts: for tests of signing in.

    people = People(console)
    people.add("tess", "technician")      # a person, a post, an account with a password of their own
"""
import base64
import hmac
import sqlite3
import struct
import subprocess
import time

SCHOOL = "oak"
PASSWORD = "kettle otter lamp"


def totp(secret, now=None, step=0):
    """RFC 6238 for a secret in base 32."""
    counter = int((time.time() if now is None else now) // 30) + step
    mac = hmac.digest(base64.b32decode(secret), struct.pack(">Q", counter), "sha1")
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06d}"


class People:
    def __init__(self, console):
        self.console = console
        self.execute("INSERT INTO school (id, name, kind, urn, made_ms) VALUES (?, ?, ?, ?, ?)",
                     (SCHOOL, "Oak Primary", "primary", "123456", 1))

    def execute(self, sql, values=()):
        """Straight into the store, as no page does: what a test needs before the first sign-in."""
        store = sqlite3.connect(self.console.data / "store" / "lodge.db", timeout=30)
        with store:
            rows = store.execute(sql, values).fetchall()
        store.close()
        return rows

    def add_person(self, person, kind="staff"):
        self.execute("INSERT INTO reg_person (id, school, version, state, made_ms, made_by, changed_ms,"
                     " changed_by, f_name, f_kind) VALUES (?, ?, 1, 'here', 1, '', 1, '', ?, ?)",
                     (person, SCHOOL, person.title() + " Example", kind))

    def add_post(self, person, role, until=None):
        self.execute("INSERT INTO reg_post (id, school, version, state, about, made_ms, made_by,"
                     " changed_ms, changed_by, f_person, f_role, f_from, f_until)"
                     " VALUES (?, ?, 1, '', ?, 1, '', 1, '', ?, ?, '2020-01-01', ?)",
                     (f"post-{person}-{role}", SCHOOL, person, person, role, until))

    def user(self, *words):
        """`lodge user`; what it prints."""
        done = subprocess.run([self.console.lodge, "user", words[0], "--data", self.console.data,
                               *words[1:]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def add_new(self, person, *roles):
        """With a one-time password, which is the answer."""
        self.add_person(person)
        for role in roles:
            self.add_post(person, role)
        return self.user("add", "--person", person, person)

    def add(self, person, *roles, password=PASSWORD):
        """With a password of their own, set as a person sets it: by the page of the first sign-in."""
        one_time = self.add_new(person, *roles)
        client = self.console.client()
        answer = client.post("/sign-in", {"account": person, "password": one_time}, token=False)
        assert answer.header("Location").startswith("/sign-in/password"), answer
        client.csrf = token_of(client, "/sign-in/password")
        answer = client.post("/sign-in/password", {"password": password, "again": password})
        assert answer.status == 303, answer
        return answer.header("Location")

    def set_up(self, person, password=PASSWORD):
        """Signs in and sets up an authenticator application: the client and the secret."""
        client = self.console.client()
        client.post("/sign-in", {"account": person, "password": password}, token=False)
        page = client.json("GET", "/sign-in/set-up").json
        client.csrf = page["page"]["csrf"]
        answer = client.post("/sign-in/set-up", {"code": totp(page["secret"], step=-1)})
        assert answer.status == 303, answer
        client.csrf = None
        return client, page["secret"]


def token_of(client, path):
    return client.json("GET", path).json["page"]["csrf"]
