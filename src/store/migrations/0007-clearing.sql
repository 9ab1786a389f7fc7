-- SPDX-License-Identifier: GPL-3.0-or-later
-- What a disposal leaves to be done behind its commit, so that it is done even where the process dies.

-- Keys of records that are to be destroyed, noted in the transaction that removes the records.
CREATE TABLE doomed_key (
    school text NOT NULL REFERENCES school (id),
    record text NOT NULL, -- whose key it is: a record's, a file's or an account's id
    noted_ms {{int}} NOT NULL,
    PRIMARY KEY (school, record)
) {{strict}};

-- Tables whose deleted rows still lie in files of the database.
CREATE TABLE unswept (
    school text NOT NULL REFERENCES school (id),
    name text NOT NULL, -- the table's
    noted_ms {{int}} NOT NULL,
    PRIMARY KEY (school, name)
) {{strict}};
