-- SPDX-License-Identifier: GPL-3.0-or-later
-- Row-level security asks once a statement which school it is, not once a row; and the planner may
-- estimate what it leaves. New tables get the same from postgres_connect.c.

-- only postgres
DO $$ DECLARE fenced record; BEGIN
    FOR fenced IN SELECT p.polrelid::regclass AS tab,
        CASE WHEN c.relname = 'school' THEN 'id' ELSE 'school' END AS school
        FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
        WHERE p.polname = 'by_school' AND c.relnamespace = current_schema()::regnamespace
    LOOP
        EXECUTE format('ALTER POLICY by_school ON %s USING (%I = (SELECT current_setting(%L, true)) '
            'OR (SELECT current_setting(%L, true)) = %L)', fenced.tab, fenced.school,
            'lodge.school', 'lodge.school', '*');
    END LOOP;
END $$;
DROP FUNCTION lodge_school(text);
