-- SPDX-License-Identifier: GPL-3.0-or-later
-- For the tests of the migrations themselves: every word of the dialect once.
CREATE TABLE grown (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    number {{int}} NOT NULL,
    bytes {{blob}}
) {{strict}};
{{only_grows grown}};
-- only sqlite
CREATE INDEX grown_number ON grown (number) WHERE number > 0;
-- only postgres
CREATE INDEX grown_number ON grown USING btree (number);
-- both
INSERT INTO school (id, name, kind, made_ms) VALUES ('ash', 'Ash "Primary" \ Ash', 'primary', 1);
