-- SPDX-License-Identifier: GPL-3.0-or-later
-- Who once was the subject of a record is asked for of its acts (K11).

CREATE INDEX act_hidden_from ON act (school, hidden_from, area) WHERE hidden_from <> '';
