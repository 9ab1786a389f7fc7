/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "records/attach.h"

#include "lib/records.h"

#define EVIDENCE STR("evidence")

struct oak {
    struct school at;
    struct actor maker, other, lead;
    const struct register_def *def;
    struct record_id concern;
};

static struct record_id lodge_concern(struct oak *oak, const struct actor *by, const char *child)
{
    return school_make(&oak->at, by, "concern",
                       school_json("{'child': '%s', 'summary': 'Cried', 'kind': 'home',"
                                   " 'happened': '2026-03-01', 'facts': 'All morning'}",
                                   child));
}

/* A concern that a technician lodged, which technicians may not see. */
static void oak_open(struct oak *oak)
{
    school_open(&oak->at);
    oak->maker = school_person(&oak->at, "Ted Wire", "staff", "technician");
    oak->other = school_person(&oak->at, "Tina Wire", "staff", "technician");
    oak->lead = school_person(&oak->at, "Dina Lead", "staff", "dsl");
    oak->def = school_register("concern");
    struct record_id ada = school_somebody(&oak->at, "Ada Price", "pupil");
    oak->concern = lodge_concern(oak, &oak->maker, ada.text);
}

static enum err attach(struct oak *oak, const struct actor *by, struct str field,
                       json_t **ret_faults)
{
    struct record_id file;
    assert_ok(engine_file_keep(&oak->at.engine, by, oak->def, STR("no"), STR("note.txt"),
                               STR("text/plain"), STR("a note"), &file));
    return attach_file(&oak->at.engine, by, oak->def, school_id(&oak->concern), field,
                       school_id(&file), ret_faults);
}

static size_t count(struct oak *oak, const struct actor *by)
{
    json_t *fields = NULL;
    assert_ok(attach_fields(&oak->at.engine, by, oak->def, school_id(&oak->concern), &fields));
    size_t n = json_array_size(fields);
    json_decref(fields);
    return n;
}

TEST(whoever_made_a_record_adds_a_file_without_seeing_it)
{
    struct oak oak;
    struct str name;
    struct str type;
    struct buf bytes;
    oak_open(&oak);
    buf_init(&bytes, 64);
    struct str id = school_id(&oak.concern);
    assert_int_equal(count(&oak, &oak.maker), 1);
    assert_ok(attach(&oak, &oak.maker, EVIDENCE, NULL));
    /* Not to be read by the way it came. */
    assert_err(engine_file_read(&oak.at.engine, &oak.maker, oak.def, id, EVIDENCE, &oak.at.arena,
                                &name, &type, &bytes),
               ERR_NOT_FOUND);
    /* One file, once. */
    assert_int_equal(count(&oak, &oak.maker), 0);
    assert_err(attach(&oak, &oak.maker, EVIDENCE, NULL), ERR_CONFLICT);
    /* It is a change like any other: a version, by whom, with its act. */
    json_t *history = NULL;
    assert_ok(engine_history(&oak.at.engine, &oak.lead, oak.def, id, &history));
    assert_int_equal(json_array_size(history), 2);
    const json_t *last = json_array_get(history, 0);
    assert_str_eq(school_text(last, "act"), STR("changed"));
    assert_str_eq(school_text(last, "name"), STR("Ted Wire"));
    assert_int_equal(json_array_size(json_object_get(last, "fields")), 1);
    json_decref(history);
    buf_fini(&bytes);
    school_close(&oak.at);
}

TEST(nobody_else_adds_a_file_so_and_no_other_field_is_reached)
{
    struct oak oak;
    json_t *fields = NULL;
    json_t *faults = NULL;
    oak_open(&oak);
    struct str id = school_id(&oak.concern);
    assert_err(attach_fields(&oak.at.engine, &oak.other, oak.def, id, &fields), ERR_NOT_FOUND);
    assert_err(attach(&oak, &oak.other, EVIDENCE, NULL), ERR_NOT_FOUND);
    assert_err(attach(&oak, &oak.lead, EVIDENCE, NULL), ERR_NOT_FOUND);
    assert_err(attach(&oak, &oak.maker, STR("summary"), NULL), ERR_DENIED);
    assert_err(attach(&oak, &oak.maker, STR("nothing"), NULL), ERR_DENIED);
    /* A file that somebody else sent. */
    struct record_id file;
    assert_ok(engine_file_keep(&oak.at.engine, &oak.other, oak.def, STR("no"), STR("n"), STR(""),
                               STR("x"), &file));
    assert_err(
        attach_file(&oak.at.engine, &oak.maker, oak.def, id, EVIDENCE, school_id(&file), &faults),
        ERR_INVALID);
    assert_true(school_text(faults, "evidence").len != 0);
    json_decref(faults);
    school_close(&oak.at);
}

TEST(behind_its_first_state_a_record_takes_no_more_from_its_maker)
{
    struct oak oak;
    oak_open(&oak);
    json_t *input = json_object();
    assert_ok(engine_move(&oak.at.engine, &oak.lead, oak.def, school_id(&oak.concern), 1,
                          STR("refer"), input, STR("To the council"), NULL));
    json_decref(input);
    assert_int_equal(count(&oak, &oak.maker), 0);
    assert_err(attach(&oak, &oak.maker, EVIDENCE, NULL), ERR_DENIED);
    school_close(&oak.at);
}

TEST(R184_a_maker_who_is_the_subject_or_may_have_no_contact_adds_nothing)
{
    struct oak oak;
    json_t *fields = NULL;
    oak_open(&oak);
    /* The subject, as it turned out. */
    struct actor head = school_person(&oak.at, "Hanna Dale", "staff", "head");
    oak.def = school_register("allegation");
    oak.concern = school_make(&oak.at, &oak.maker, "allegation",
                              school_json("{'adult': 'Dina Lead', 'summary': 'A word',"
                                          " 'account': 'Said it'}"));
    assert_int_equal(count(&oak, &oak.maker), 1);
    json_t *input = school_json("{'adult': 'Ted Wire'}");
    assert_ok(engine_change(&oak.at.engine, &head, oak.def, school_id(&oak.concern), 1, input,
                            STR(""), NULL));
    json_decref(input);
    assert_err(attach_fields(&oak.at.engine, &oak.maker, oak.def, school_id(&oak.concern), &fields),
               ERR_NOT_FOUND);
    assert_err(attach(&oak, &oak.maker, EVIDENCE, NULL), ERR_NOT_FOUND);
    /* An order that came after the concern. */
    oak.def = school_register("concern");
    struct record_id ben = school_somebody(&oak.at, "Ben Wire", "pupil");
    oak.concern = lodge_concern(&oak, &oak.other, ben.text);
    assert_int_equal(count(&oak, &oak.other), 1);
    (void)school_add(&oak.at, "family",
                     school_json("{'adult': 'Tina Wire', 'child': 'Ben Wire',"
                                 " 'relation': 'mother', 'responsibility': 'yes',"
                                 " 'no_contact': 'yes'}"));
    assert_err(attach(&oak, &oak.other, EVIDENCE, NULL), ERR_NOT_FOUND);
    school_close(&oak.at);
}

TESTS_MAIN(unit(whoever_made_a_record_adds_a_file_without_seeing_it),
           unit(nobody_else_adds_a_file_so_and_no_other_field_is_reached),
           unit(behind_its_first_state_a_record_takes_no_more_from_its_maker),
           unit(R184_a_maker_who_is_the_subject_or_may_have_no_contact_adds_nothing))
