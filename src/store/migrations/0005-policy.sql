-- SPDX-License-Identifier: GPL-3.0-or-later
-- The policy's versions, and what could not be published to the gate.

-- The last one is in force. None is ever changed: an older one that is taken back is a new version.
CREATE TABLE policy_version (
    school text NOT NULL REFERENCES school (id),
    number {{int}} NOT NULL,
    document text NOT NULL, -- canonical JSON (docs/policy.md)
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL, -- a person; empty: the operator
    words text NOT NULL,   -- why
    PRIMARY KEY (school, number)
) {{strict}};

-- What of the records the gate could not be given, and why. Made anew when it changes.
CREATE TABLE publish_fault (
    school text NOT NULL REFERENCES school (id),
    number {{int}} NOT NULL,
    register text NOT NULL, -- empty: the whole image
    record text NOT NULL,
    person text NOT NULL, -- who made the change; empty: the operator
    words text NOT NULL,
    noted_ms {{int}} NOT NULL,
    PRIMARY KEY (school, number)
) {{strict}};


CREATE TABLE reg_agreement (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_person text,
    f_signed text,
    f_parent {{int}},
    f_form text,
    k_form text,
    f_until text
) {{strict}};
CREATE INDEX reg_agreement_changed_ms ON reg_agreement (school, changed_ms, id);
CREATE INDEX reg_agreement_made_by ON reg_agreement (school, made_by);
CREATE INDEX reg_agreement_about ON reg_agreement (school, about, changed_ms, id);
CREATE INDEX reg_agreement_f_person ON reg_agreement (school, f_person);
CREATE INDEX reg_agreement_f_signed ON reg_agreement (school, f_signed, id);
CREATE INDEX reg_agreement_f_until ON reg_agreement (school, f_until, id);

CREATE TABLE reg_suspension (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_person text,
    f_from text,
    f_until text,
    f_why {{blob}}
) {{strict}};
CREATE INDEX reg_suspension_changed_ms ON reg_suspension (school, changed_ms, id);
CREATE INDEX reg_suspension_made_by ON reg_suspension (school, made_by);
CREATE INDEX reg_suspension_about ON reg_suspension (school, about, changed_ms, id);
CREATE INDEX reg_suspension_f_person ON reg_suspension (school, f_person);
CREATE INDEX reg_suspension_f_from ON reg_suspension (school, f_from, id);
CREATE INDEX reg_suspension_f_until ON reg_suspension (school, f_until, id);
