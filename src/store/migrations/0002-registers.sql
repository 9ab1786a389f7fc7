-- SPDX-License-Identifier: GPL-3.0-or-later
-- The registers: one table for each file of schema/, as tools/schema.py asks for them.

CREATE TABLE reg_person (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_name text,
    k_name text,
    f_given text,
    k_given text,
    f_family text,
    k_family text,
    f_kind text,
    f_year text,
    f_born text,
    f_upn {{blob}},
    f_upn_digest {{blob}},
    f_email text,
    k_email text,
    f_phone text,
    f_looked_after {{int}},
    f_log_on text,
    k_log_on text,
    f_needs {{blob}}
) {{strict}};
CREATE INDEX reg_person_changed_ms ON reg_person (school, changed_ms, id);
CREATE INDEX reg_person_made_by ON reg_person (school, made_by);
CREATE INDEX reg_person_about ON reg_person (school, about, changed_ms, id);
CREATE INDEX reg_person_k_name ON reg_person (school, k_name, id);
CREATE INDEX reg_person_k_family ON reg_person (school, k_family, id);
CREATE INDEX reg_person_f_kind ON reg_person (school, f_kind, id);
CREATE INDEX reg_person_f_year ON reg_person (school, f_year, id);
CREATE UNIQUE INDEX reg_person_f_upn_digest_unique ON reg_person (school, f_upn_digest);
CREATE UNIQUE INDEX reg_person_k_log_on_unique ON reg_person (school, k_log_on);

CREATE TABLE reg_group (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_name text,
    k_name text,
    f_kind text,
    f_policy_group text,
    f_year text,
    k_year text
) {{strict}};
CREATE INDEX reg_group_changed_ms ON reg_group (school, changed_ms, id);
CREATE INDEX reg_group_made_by ON reg_group (school, made_by);
CREATE INDEX reg_group_k_name ON reg_group (school, k_name, id);
CREATE INDEX reg_group_f_kind ON reg_group (school, f_kind, id);
CREATE INDEX reg_group_k_year ON reg_group (school, k_year, id);

CREATE TABLE reg_membership (
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
    f_group text,
    f_kind text,
    f_from text,
    f_until text
) {{strict}};
CREATE INDEX reg_membership_changed_ms ON reg_membership (school, changed_ms, id);
CREATE INDEX reg_membership_made_by ON reg_membership (school, made_by);
CREATE INDEX reg_membership_about ON reg_membership (school, about, changed_ms, id);
CREATE INDEX reg_membership_f_person ON reg_membership (school, f_person);
CREATE INDEX reg_membership_f_group ON reg_membership (school, f_group);
CREATE INDEX reg_membership_f_kind ON reg_membership (school, f_kind, id);
CREATE INDEX reg_membership_f_from ON reg_membership (school, f_from, id);
CREATE INDEX reg_membership_f_until ON reg_membership (school, f_until, id);

CREATE TABLE reg_family (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_child text,
    f_adult text,
    f_relation text,
    f_responsibility {{int}},
    f_no_contact {{int}},
    f_order text,
    f_from text,
    f_until text
) {{strict}};
CREATE INDEX reg_family_changed_ms ON reg_family (school, changed_ms, id);
CREATE INDEX reg_family_made_by ON reg_family (school, made_by);
CREATE INDEX reg_family_about ON reg_family (school, about, changed_ms, id);
CREATE INDEX reg_family_f_child ON reg_family (school, f_child);
CREATE INDEX reg_family_f_adult ON reg_family (school, f_adult);

CREATE TABLE reg_post (
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
    f_role text,
    f_from text,
    f_until text
) {{strict}};
CREATE INDEX reg_post_changed_ms ON reg_post (school, changed_ms, id);
CREATE INDEX reg_post_made_by ON reg_post (school, made_by);
CREATE INDEX reg_post_about ON reg_post (school, about, changed_ms, id);
CREATE INDEX reg_post_f_person ON reg_post (school, f_person);
CREATE INDEX reg_post_f_role ON reg_post (school, f_role, id);
CREATE INDEX reg_post_f_from ON reg_post (school, f_from, id);
CREATE INDEX reg_post_f_until ON reg_post (school, f_until, id);

CREATE TABLE reg_device (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_tag text,
    k_tag text,
    f_kind text,
    f_address text,
    k_address text,
    f_owner text,
    f_room text,
    k_room text,
    f_class_log_on text,
    f_class_group text,
    f_supervisor text,
    f_supervised_until text,
    f_model text,
    k_model text,
    f_serial text,
    k_serial text,
    f_purpose text,
    f_authorised_by text,
    f_support_ends text
) {{strict}};
CREATE INDEX reg_device_changed_ms ON reg_device (school, changed_ms, id);
CREATE INDEX reg_device_made_by ON reg_device (school, made_by);
CREATE INDEX reg_device_about ON reg_device (school, about, changed_ms, id);
CREATE INDEX reg_device_k_tag ON reg_device (school, k_tag, id);
CREATE INDEX reg_device_f_kind ON reg_device (school, f_kind, id);
CREATE INDEX reg_device_f_owner ON reg_device (school, f_owner);
CREATE INDEX reg_device_k_room ON reg_device (school, k_room, id);
CREATE INDEX reg_device_f_class_group ON reg_device (school, f_class_group);
CREATE INDEX reg_device_f_supervisor ON reg_device (school, f_supervisor);
CREATE INDEX reg_device_f_authorised_by ON reg_device (school, f_authorised_by);
CREATE INDEX reg_device_f_support_ends ON reg_device (school, f_support_ends, id);
CREATE UNIQUE INDEX reg_device_k_tag_unique ON reg_device (school, k_tag);
CREATE UNIQUE INDEX reg_device_k_address_unique ON reg_device (school, k_address);

CREATE TABLE reg_concern (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_child text,
    f_summary text,
    k_summary text,
    f_kind text,
    f_happened text,
    f_facts {{blob}},
    f_words {{blob}},
    f_opinion {{blob}},
    f_evidence text,
    f_parents_told text,
    f_outcome {{blob}}
) {{strict}};
CREATE INDEX reg_concern_changed_ms ON reg_concern (school, changed_ms, id);
CREATE INDEX reg_concern_made_by ON reg_concern (school, made_by);
CREATE INDEX reg_concern_about ON reg_concern (school, about, changed_ms, id);
CREATE INDEX reg_concern_f_child ON reg_concern (school, f_child);
CREATE INDEX reg_concern_f_kind ON reg_concern (school, f_kind, id);
CREATE INDEX reg_concern_f_happened ON reg_concern (school, f_happened, id);

CREATE TABLE reg_allegation (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_adult text,
    f_child text,
    f_summary text,
    k_summary text,
    f_happened text,
    f_account {{blob}},
    f_officer_told text,
    f_agency_told text,
    f_advice {{blob}},
    f_evidence text,
    f_finding text,
    f_outcome {{blob}}
) {{strict}};
CREATE INDEX reg_allegation_changed_ms ON reg_allegation (school, changed_ms, id);
CREATE INDEX reg_allegation_made_by ON reg_allegation (school, made_by);
CREATE INDEX reg_allegation_about ON reg_allegation (school, about, changed_ms, id);
CREATE INDEX reg_allegation_f_adult ON reg_allegation (school, f_adult);
CREATE INDEX reg_allegation_f_child ON reg_allegation (school, f_child);
CREATE INDEX reg_allegation_f_happened ON reg_allegation (school, f_happened, id);
CREATE INDEX reg_allegation_f_officer_told ON reg_allegation (school, f_officer_told, id);

CREATE TABLE reg_low_level_concern (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_adult text,
    f_summary text,
    k_summary text,
    f_happened text,
    f_account {{blob}},
    f_response {{blob}}
) {{strict}};
CREATE INDEX reg_low_level_concern_changed_ms ON reg_low_level_concern (school, changed_ms, id);
CREATE INDEX reg_low_level_concern_made_by ON reg_low_level_concern (school, made_by);
CREATE INDEX reg_low_level_concern_about ON reg_low_level_concern (school, about, changed_ms, id);
CREATE INDEX reg_low_level_concern_f_adult ON reg_low_level_concern (school, f_adult);
CREATE INDEX reg_low_level_concern_f_happened ON reg_low_level_concern (school, f_happened, id);

CREATE TABLE reg_contact (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_name text,
    k_name text,
    f_kind text,
    f_organisation text,
    k_organisation text,
    f_phone text,
    f_out_of_hours text,
    f_email text,
    k_email text,
    f_site text,
    f_notes text
) {{strict}};
CREATE INDEX reg_contact_changed_ms ON reg_contact (school, changed_ms, id);
CREATE INDEX reg_contact_made_by ON reg_contact (school, made_by);
CREATE INDEX reg_contact_k_name ON reg_contact (school, k_name, id);
CREATE INDEX reg_contact_f_kind ON reg_contact (school, f_kind, id);

CREATE TABLE reg_contract (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_name text,
    k_name text,
    f_kind text,
    f_supplier text,
    k_supplier text,
    f_cost {{int}},
    f_licences {{int}},
    f_starts text,
    f_ends text,
    f_personal_data {{int}},
    f_site text,
    f_looked_after_by text,
    f_document text,
    f_notes text,
    k_notes text
) {{strict}};
CREATE INDEX reg_contract_changed_ms ON reg_contract (school, changed_ms, id);
CREATE INDEX reg_contract_made_by ON reg_contract (school, made_by);
CREATE INDEX reg_contract_k_name ON reg_contract (school, k_name, id);
CREATE INDEX reg_contract_f_kind ON reg_contract (school, f_kind, id);
CREATE INDEX reg_contract_k_supplier ON reg_contract (school, k_supplier, id);
CREATE INDEX reg_contract_f_starts ON reg_contract (school, f_starts, id);
CREATE INDEX reg_contract_f_ends ON reg_contract (school, f_ends, id);
CREATE INDEX reg_contract_f_looked_after_by ON reg_contract (school, f_looked_after_by);

CREATE TABLE reg_asset (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_name text,
    k_name text,
    f_kind text,
    f_where text,
    k_where text,
    f_looked_after_by text,
    f_value {{int}},
    f_licence_ends text,
    f_support_ends text,
    f_notes text,
    k_notes text
) {{strict}};
CREATE INDEX reg_asset_changed_ms ON reg_asset (school, changed_ms, id);
CREATE INDEX reg_asset_made_by ON reg_asset (school, made_by);
CREATE INDEX reg_asset_k_name ON reg_asset (school, k_name, id);
CREATE INDEX reg_asset_f_kind ON reg_asset (school, f_kind, id);
CREATE INDEX reg_asset_f_looked_after_by ON reg_asset (school, f_looked_after_by);
CREATE INDEX reg_asset_f_licence_ends ON reg_asset (school, f_licence_ends, id);
CREATE INDEX reg_asset_f_support_ends ON reg_asset (school, f_support_ends, id);

CREATE TABLE reg_restore_test (
    id text PRIMARY KEY,
    school text NOT NULL REFERENCES school (id),
    version {{int}} NOT NULL,
    state text NOT NULL,
    about text,
    made_ms {{int}} NOT NULL,
    made_by text NOT NULL,
    changed_ms {{int}} NOT NULL,
    changed_by text NOT NULL,
    f_backup text,
    k_backup text,
    f_tested text,
    f_result text,
    f_records {{int}},
    f_by text,
    f_notes text
) {{strict}};
CREATE INDEX reg_restore_test_changed_ms ON reg_restore_test (school, changed_ms, id);
CREATE INDEX reg_restore_test_made_by ON reg_restore_test (school, made_by);
CREATE INDEX reg_restore_test_f_tested ON reg_restore_test (school, f_tested, id);
CREATE INDEX reg_restore_test_f_result ON reg_restore_test (school, f_result, id);
CREATE INDEX reg_restore_test_f_by ON reg_restore_test (school, f_by);

CREATE TABLE reg_training (
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
    f_topic text,
    k_topic text,
    f_kind text,
    f_held text,
    f_due text,
    f_given_by text,
    k_given_by text,
    f_certificate text,
    f_notes text
) {{strict}};
CREATE INDEX reg_training_changed_ms ON reg_training (school, changed_ms, id);
CREATE INDEX reg_training_made_by ON reg_training (school, made_by);
CREATE INDEX reg_training_about ON reg_training (school, about, changed_ms, id);
CREATE INDEX reg_training_f_person ON reg_training (school, f_person);
CREATE INDEX reg_training_k_topic ON reg_training (school, k_topic, id);
CREATE INDEX reg_training_f_kind ON reg_training (school, f_kind, id);
CREATE INDEX reg_training_f_held ON reg_training (school, f_held, id);
CREATE INDEX reg_training_f_due ON reg_training (school, f_due, id);
