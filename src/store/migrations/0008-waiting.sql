-- SPDX-License-Identifier: GPL-3.0-or-later
-- What is not in its last state, for the start page.

CREATE INDEX reg_concern_state ON reg_concern (school, state, changed_ms, id);
CREATE INDEX reg_allegation_state ON reg_allegation (school, state, changed_ms, id);
CREATE INDEX reg_low_level_concern_state ON reg_low_level_concern (school, state, changed_ms, id);
