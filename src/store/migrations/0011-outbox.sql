-- SPDX-License-Identifier: GPL-3.0-or-later
-- Mails on their way, and which notices have been announced by one.

-- To a person, never to an address: that is read from the register when the mail is sent.
CREATE TABLE outbox (
    id text PRIMARY KEY, -- and the left side of its Message-ID
    school text NOT NULL REFERENCES school (id),
    kind text NOT NULL, -- mail.def
    person text NOT NULL,
    subject text NOT NULL,
    body text NOT NULL,
    made_ms {{int}} NOT NULL,
    due_ms {{int}} NOT NULL, -- the next try
    tries {{int}} NOT NULL DEFAULT 0,
    state text NOT NULL, -- waiting, sent, given_up, nobody (has left, or has no address)
    settled_ms {{int}} NOT NULL DEFAULT 0
) {{strict}};
CREATE INDEX outbox_due ON outbox (state, due_ms);
CREATE INDEX outbox_person ON outbox (school, person, kind, made_ms);

CREATE TABLE notice_mailed (
    notice text PRIMARY KEY REFERENCES notice (id),
    school text NOT NULL REFERENCES school (id),
    mailed_ms {{int}} NOT NULL
) {{strict}};
