-- SPDX-License-Identifier: GPL-3.0-or-later
-- The list of what was applied. Run at every opening, so it may change nothing that is there.
CREATE TABLE IF NOT EXISTS migration (
    number {{int}} PRIMARY KEY,
    name text NOT NULL,
    digest {{blob}} NOT NULL, -- SHA-256 of the file
    applied_ms {{int}} NOT NULL
) {{strict}};
