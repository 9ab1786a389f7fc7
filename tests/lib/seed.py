# SPDX-License-Identifier: GPL-3.0-or-later
"""A person of a school with roles, and a whole session of theirs, put into the store of a running
console, on either database: for tests that are not about signing in."""
import base64
import hashlib
import os
import sqlite3
import time

ACCOUNT = "b" * 26
COMMON = "id, school, version, state, about, made_ms, made_by, changed_ms, changed_by"
LETTERS = "cdefghijklmnopqrstuvwxyz"


def school_of(store):
    row = store.execute("SELECT id FROM school").fetchone()
    if row:
        return row[0]
    store.execute("INSERT INTO school (id, name, kind, made_ms) VALUES (?, 'Test', 'primary', 1)",
                  ["s" * 26])
    return "s" * 26


def add_person(store, school, person, name, roles):
    store.execute(f"INSERT INTO reg_person ({COMMON}, f_name, k_name, f_kind) VALUES "
                  "(?, ?, 1, 'here', ?, 1, '', 1, '', ?, ?, 'staff')",
                  [person, school, person, name, name.lower()])
    for letter, role in zip(LETTERS, roles):
        store.execute(f"INSERT INTO reg_post ({COMMON}, f_person, f_role, f_from) VALUES "
                      "(?, ?, 1, '', ?, 1, '', 1, '', ?, ?, '2020-01-01')",
                      [letter * 26, school, person, person, role])


def add_session(store, school, person):
    """The cookie's text."""
    token, now = os.urandom(32), int(time.time() * 1000)
    digest = hashlib.blake2b(b"lodge session", key=token, digest_size=32).digest()
    store.execute("INSERT INTO account (id, school, person, log_on, log_on_key, hash, state, "
                  "must_change, password_ms, made_ms, made_by, changed_ms, changed_by) VALUES "
                  "(?, ?, ?, 'olive', 'olive', '', 'active', 0, 1, 1, '', 1, '')",
                  [ACCOUNT, school, person])
    store.execute("INSERT INTO session (id, school, account, person, digest, stage, client, made_ms, "
                  "used_ms, until_ms, factor_ms) VALUES (?, ?, ?, ?, ?, 'whole', '127.0.0.1', ?, ?, "
                  "?, ?)", ["d" * 26, school, ACCOUNT, person, digest, now, now, now + 3600000, now])
    return base64.urlsafe_b64encode(token).decode().rstrip("=")


def signed_in(console, roles, person="a" * 26, name="Olive Office", store=None):
    """A client of a running console, signed in as a person with these roles. store: of
    tests/lib/postgres.py, where the console has one of those."""
    store = store or sqlite3.connect(next((console.data / "store").glob("*.db")), timeout=30)
    with store:
        school = school_of(store)
        add_person(store, school, person, name, roles)
        token = add_session(store, school, person)
    store.close()
    client = console.client()
    client.cookies["__Host-lodge"] = token
    return client
