-- SPDX-License-Identifier: GPL-3.0-or-later
-- Accounts, their second factors, sessions, the sealed credential, notices.

-- Who may sign in. One of person and class_group is empty: a class's log-on opens the gate on the
-- class's computers, never the console (R85).
CREATE TABLE account (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    person text NOT NULL,
    class_group text NOT NULL DEFAULT '',
    log_on text NOT NULL,      -- as it is written
    log_on_key text NOT NULL,  -- folded: what is compared
    hash text NOT NULL,        -- argon2id; empty: nobody can sign in by a password
    state text NOT NULL,       -- active, disabled, compromised
    must_change {{int}} NOT NULL, -- 1: a one-time password
    password_ms {{int}} NOT NULL, -- when the hash was set
    wrong_codes {{int}} NOT NULL DEFAULT 0, -- second factors, since the last right one
    wrong_code_ms {{int}} NOT NULL DEFAULT 0,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    UNIQUE (school, log_on_key)
) {{strict}};
CREATE INDEX account_log_on ON account (log_on_key);
CREATE INDEX account_person ON account (person);

-- Who somebody is at a provider of single sign-on.
CREATE TABLE identity (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    account text NOT NULL REFERENCES account (id),
    issuer text NOT NULL,
    subject text NOT NULL,
    made_ms {{int}} NOT NULL,
    used_ms {{int}} NOT NULL DEFAULT 0,
    UNIQUE (issuer, subject)
) {{strict}};
CREATE INDEX identity_account ON identity (account);

-- Second factors. totp: secret is sealed under the account's key. passkey: secret is the public key
-- (COSE), name the credential's id.
CREATE TABLE factor (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    account text NOT NULL REFERENCES account (id),
    kind text NOT NULL,
    state text NOT NULL, -- awaited (the first code has not been shown), active
    label text NOT NULL,
    name {{blob}} NOT NULL,
    secret {{blob}} NOT NULL,
    last {{int}} NOT NULL, -- totp: the step of the last code that counted; passkey: its counter
    made_ms {{int}} NOT NULL,
    used_ms {{int}} NOT NULL DEFAULT 0
) {{strict}};
CREATE INDEX factor_account ON factor (account);
CREATE UNIQUE INDEX factor_name ON factor (name) WHERE kind = 'passkey';

-- Printed sheets of codes, for rooms without phones. One sheet for an account: a new one replaces it.
CREATE TABLE sheet_code (
    account text NOT NULL REFERENCES account (id),
    number {{int}} NOT NULL,
    school text NOT NULL REFERENCES school (id),
    digest {{blob}} NOT NULL, -- under the account's key
    made_ms {{int}} NOT NULL,
    used_ms {{int}} NOT NULL DEFAULT 0,
    PRIMARY KEY (account, number)
) {{strict}};

-- School computers that need no second factor for some hours.
CREATE TABLE computer (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    account text NOT NULL REFERENCES account (id),
    digest {{blob}} NOT NULL UNIQUE,
    client text NOT NULL, -- the address
    made_ms {{int}} NOT NULL,
    until_ms {{int}} NOT NULL
) {{strict}};
CREATE INDEX computer_account ON computer (account);

CREATE TABLE session (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    account text NOT NULL, -- empty: opened by the sealed credential
    person text NOT NULL,
    glass text NOT NULL DEFAULT '', -- the sealed credential that opened it
    digest {{blob}} NOT NULL UNIQUE, -- of the token
    stage text NOT NULL, -- password, whole
    client text NOT NULL,
    made_ms {{int}} NOT NULL,
    used_ms {{int}} NOT NULL,
    until_ms {{int}} NOT NULL,
    factor_ms {{int}} NOT NULL,
    challenge {{blob}}, -- of a passkey, asked for in this session and not answered yet
    challenge_ms {{int}} NOT NULL DEFAULT 0,
    ended_ms {{int}} NOT NULL DEFAULT 0,
    ended_why text NOT NULL DEFAULT ''
) {{strict}};
CREATE INDEX session_account ON session (account, ended_ms);
CREATE INDEX session_person ON session (person, ended_ms);

-- The sealed credential of the safe (R89): asked for by a technician, confirmed by the head.
CREATE TABLE glass (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    state text NOT NULL, -- asked, sealed, used, withdrawn
    digest {{blob}}, -- of the code; null until it is sealed
    asked_by text NOT NULL, -- a person
    asked_ms {{int}} NOT NULL,
    sealed_by text NOT NULL DEFAULT '',
    sealed_ms {{int}} NOT NULL DEFAULT 0,
    used_ms {{int}} NOT NULL DEFAULT 0,
    used_name text NOT NULL DEFAULT '', -- what whoever broke it wrote as their name
    used_reason text NOT NULL DEFAULT ''
) {{strict}};
CREATE UNIQUE INDEX glass_digest ON glass (digest);

-- What start pages announce, to those whom notice.def names, until each of them has seen it.
CREATE TABLE notice (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    kind text NOT NULL,
    about text NOT NULL, -- a person, or empty
    record text NOT NULL, -- an account's or a sealed credential's id
    words text NOT NULL,
    made_ms {{int}} NOT NULL
) {{strict}};
CREATE INDEX notice_made ON notice (school, made_ms);
CREATE TABLE notice_seen (
    notice text NOT NULL REFERENCES notice (id),
    person text NOT NULL,
    school text NOT NULL REFERENCES school (id),
    seen_ms {{int}} NOT NULL,
    PRIMARY KEY (notice, person)
) {{strict}};
