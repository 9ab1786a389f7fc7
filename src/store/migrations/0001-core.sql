-- SPDX-License-Identifier: GPL-3.0-or-later
-- Schools. Every other table of the record plane has a column `school` that refers to one.

-- only postgres
-- What a row of this school may be seen and written by: a transaction of the school, or one that
-- concerns all schools ('*'). Outside a transaction of Lodge's nothing is seen.
CREATE FUNCTION lodge_school(school text) RETURNS boolean LANGUAGE sql STABLE AS
    $$ SELECT current_setting('lodge.school', true) IN (school, '*') $$;
CREATE FUNCTION lodge_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION '% only grows', TG_TABLE_NAME USING ERRCODE = 'LODGE'; END $$;

-- both
CREATE TABLE school (
    id text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL, -- primary, secondary, all-through, special, college
    urn text NOT NULL DEFAULT '', -- the number by which the government knows it
    made_ms {{int}} NOT NULL
) {{strict}};

-- only postgres
ALTER TABLE school ENABLE ROW LEVEL SECURITY;
ALTER TABLE school FORCE ROW LEVEL SECURITY;
CREATE POLICY by_school ON school USING (lodge_school(id));
