-- SPDX-License-Identifier: GPL-3.0-or-later
-- Indexes for what pages ask for, so that none takes longer because other schools, or other years, have
-- more. The school stands behind what tells more: SQLite keeps no statistics, and would else find
-- other statements' rows by the school alone.

CREATE INDEX session_used ON session (used_ms, school);
CREATE INDEX session_glass ON session (glass) WHERE glass <> '';
CREATE INDEX computer_until ON computer (until_ms, school);
CREATE INDEX glass_asked ON glass (school, asked_ms);
CREATE INDEX notice_about ON notice (about, school);
CREATE INDEX notice_seen_person ON notice_seen (person, school);
CREATE INDEX look_child ON look (child, school);
CREATE INDEX file_sent ON file (school, made_by) WHERE record IS NULL;
CREATE INDEX act_area ON act (school, area, seq);
-- Single sign-on does not know the school yet.
CREATE INDEX reg_person_k_email_everywhere ON reg_person (k_email, school);
