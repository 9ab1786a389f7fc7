-- SPDX-License-Identifier: GPL-3.0-or-later
-- A class log-on runs only beside an adult who signed in for it (R85): who was written into a device's
-- record once is not beside the children.

DROP INDEX reg_device_f_supervisor;
ALTER TABLE reg_device DROP COLUMN f_supervisor;
ALTER TABLE reg_device DROP COLUMN f_supervised_until;

CREATE TABLE supervision (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    class_group text NOT NULL, -- whose class log-on: a group's id
    person text NOT NULL, -- the adult beside it
    account text NOT NULL, -- by which they signed in
    made_ms {{int}} NOT NULL,
    until_ms {{int}} NOT NULL,
    ended_ms {{int}} NOT NULL DEFAULT 0, -- before its time
    ended_by text NOT NULL DEFAULT '', -- a person; empty: the operator
    ended_why text NOT NULL DEFAULT ''
) {{strict}};
CREATE INDEX supervision_until ON supervision (school, until_ms);
CREATE INDEX supervision_person ON supervision (person, ended_ms);

CREATE TABLE supervision_device (
    supervision text NOT NULL REFERENCES supervision (id),
    device text NOT NULL,
    school text NOT NULL REFERENCES school (id),
    left_ms {{int}} NOT NULL DEFAULT 0, -- ended, or went over to another adult; 0: neither
    PRIMARY KEY (supervision, device)
) {{strict}};
CREATE UNIQUE INDEX supervision_device_held ON supervision_device (school, device) WHERE left_ms = 0;
