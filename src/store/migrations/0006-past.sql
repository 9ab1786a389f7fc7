-- SPDX-License-Identifier: GPL-3.0-or-later
-- What the engine keeps beside the registers' tables: versions, words to search by, files.

-- Every version of every record, the one that holds too: for undo and history. It goes with the
-- record (disposal). fields: JSON, canonical values, sealed ones as the store keeps them, in base64.
CREATE TABLE past (
    school text NOT NULL REFERENCES school (id),
    record text NOT NULL,
    version {{int}} NOT NULL,
    register text NOT NULL,
    act text NOT NULL, -- act.def: made, changed, moved, undone
    ms {{int}} NOT NULL,
    person text NOT NULL, -- who; empty for the operator
    state text NOT NULL,
    touched text NOT NULL, -- names of fields, with spaces between
    reason text NOT NULL,
    fields text NOT NULL,
    PRIMARY KEY (school, record, version)
) {{strict}};

-- Folded words of the searchable fields of each record, and of the names that it refers to.
CREATE TABLE word (
    school text NOT NULL REFERENCES school (id),
    record text NOT NULL,
    word text NOT NULL,
    register text NOT NULL,
    PRIMARY KEY (school, record, word)
) {{strict}};
-- only postgres
-- Ranges of words are ranges of bytes.
ALTER TABLE word ALTER COLUMN word TYPE text COLLATE "C";
-- both
CREATE INDEX word_found ON word (school, register, word, record);

-- Files, each sealed under a key of its own (its id names the key). One without a record was sent
-- with a form that was not finished, and goes after a day.
CREATE TABLE file (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    register text NOT NULL,
    record text, -- NULL: not yet
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    label {{blob}} NOT NULL, -- its name and type, sealed
    bytes {{blob}} NOT NULL  -- sealed
) {{strict}};
CREATE INDEX file_record ON file (school, record, made_ms);
