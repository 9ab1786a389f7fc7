-- SPDX-License-Identifier: GPL-3.0-or-later
-- Acts, one hash chain for each school (docs/audit.md), and the looks that are open.

CREATE TABLE act (
    school text NOT NULL REFERENCES school (id),
    seq {{int}} NOT NULL, -- from 1, without gaps
    made_ms {{int}} NOT NULL,
    act text NOT NULL,
    actor text NOT NULL, -- a person's id; empty for the operator and for nobody
    account text NOT NULL,
    session text NOT NULL,
    client text NOT NULL, -- an address; empty for the operator
    area text NOT NULL,
    record text NOT NULL,
    about text NOT NULL,
    hidden_from text NOT NULL,
    version {{int}} NOT NULL,
    fields text NOT NULL, -- "name:digest name:digest"
    words text NOT NULL,
    private {{blob}} NOT NULL, -- sealed under the record's key; empty for none
    hash {{blob}} NOT NULL,
    PRIMARY KEY (school, seq)
) {{strict}};
CREATE INDEX act_actor ON act (school, actor, seq);
CREATE INDEX act_about ON act (school, about, seq);
CREATE INDEX act_record ON act (school, record, seq);
CREATE INDEX act_made_ms ON act (school, made_ms, seq);
{{only_grows act}};

-- The end of each chain; writing it is the lock that sets acts one behind the other.
CREATE TABLE chain (
    school text PRIMARY KEY REFERENCES school (id),
    seq {{int}} NOT NULL,
    hash {{blob}} NOT NULL
) {{strict}};

CREATE TABLE look (
    school text NOT NULL REFERENCES school (id),
    actor text NOT NULL,
    child text NOT NULL,
    opened_ms {{int}} NOT NULL,
    until_ms {{int}} NOT NULL,
    PRIMARY KEY (school, actor, child)
) {{strict}};
