-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who uses the internet of a device: sign-ins at the gate. One in force for a device.

CREATE TABLE gate_sign_in (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    device text NOT NULL,
    person text NOT NULL,
    account text NOT NULL REFERENCES account (id),
    how text NOT NULL,    -- silent, provider, password, session
    client text NOT NULL, -- the address that the device had; with another one it does not hold
    begun_ms {{int}} NOT NULL,
    until_ms {{int}} NOT NULL,
    ended_ms {{int}} NOT NULL DEFAULT 0, -- before its time
    ended_why text NOT NULL DEFAULT ''
) {{strict}};
CREATE INDEX gate_sign_in_device ON gate_sign_in (device, ended_ms);
CREATE INDEX gate_sign_in_account ON gate_sign_in (account, ended_ms);
CREATE INDEX gate_sign_in_until ON gate_sign_in (school, until_ms);
