/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The pages of registers, as people of a small school get them. */
#include "lib/web.h"
#include "records/account.h"
#include "records/publish.h"

struct oak {
    struct web_rig at;
    struct actor office, dsl, teacher;
};

static void oak_open(struct oak *oak)
{
    web_rig_open(&oak->at);
    oak->office = school_person(&oak->at.school, "Olive Office", "staff", "office");
    oak->dsl = school_person(&oak->at.school, "Dina Lead", "staff", "dsl");
    oak->teacher = school_person(&oak->at.school, "Tess Teacher", "staff", "teacher");
    oak->at.actor = oak->office;
}

/* "/records/people/ID/behind" */
static const char *path_of(const char *plural, struct record_id id, const char *behind)
{
    static char path[512];
    snprintf(path, sizeof(path), "/records/%s/%s%s", plural, id.text, behind);
    return path;
}

TEST(a_list_shows_searches_and_sorts_what_one_may_see)
{
    struct oak oak;
    oak_open(&oak);
    (void)school_somebody(&oak.at.school, "Zoe Ash", "pupil");
    (void)school_somebody(&oak.at.school, "<b>Bo</b>", "pupil");
    (void)web_rig_get(&oak.at, "/records/people?sort=name");
    assert_int_equal(oak.at.exchange.status, 200);
    assert_says(&oak.at, "Zoe Ash");
    assert_says(&oak.at, "&lt;b&gt;Bo&lt;/b&gt;");
    assert_silent(&oak.at, "<b>Bo");
    assert_says(&oak.at, "aria-sort=\"ascending\"");
    assert_says(&oak.at, "/records/people/new");
    (void)web_rig_get(&oak.at, "/records/people?search=zoe");
    assert_says(&oak.at, "Zoe Ash");
    assert_silent(&oak.at, "Tess Teacher");
    (void)web_rig_get(&oak.at, "/records/people?search=nobody+at+all");
    assert_says(&oak.at, "Nothing was found");
    (void)web_rig_get(&oak.at, "/records/nothing");
    assert_int_equal(oak.at.exchange.status, 404);
    (void)web_rig_get(&oak.at, "/records");
    assert_says(&oak.at, "/records/people");
    oak.at.actor.roles = 1U << ROLE_pupil;
    (void)web_rig_get(&oak.at, "/records");
    assert_silent(&oak.at, "/records/posts");
    web_rig_close(&oak.at);
}

TEST(a_record_is_made_changed_and_the_change_taken_back)
{
    struct oak oak;
    char path[512];
    oak_open(&oak);
    (void)web_rig_get(&oak.at, "/records/people/new");
    assert_says(&oak.at, "name=\"born-day\"");
    assert_says(&oak.at, "name=\"csrf\" value=\"token\"");
    (void)web_rig_post(&oak.at, "/records/people/new",
                       "name=Ada+Price&kind=pupil&born-day=27&born-month=3&born-year=2018");
    assert_int_equal(oak.at.exchange.status, 303);
    assert_true(web_concerns_gate(&oak.at.exchange));
    snprintf(path, sizeof(path), "%s", web_rig_location(&oak.at));
    (void)web_rig_get(&oak.at, path);
    assert_says(&oak.at, "Ada Price");
    assert_says(&oak.at, "27 March 2018");
    assert_says(&oak.at, "href=\"/records/people\">People</a>");
    assert_silent(&oak.at, "aria-current=\"page\">Ada Price</li>");
    assert_says(&oak.at, "Saved.");
    *strchr(path, '?') = '\0';
    char edit[600];
    snprintf(edit, sizeof(edit), "%s/edit", path);
    (void)web_rig_get(&oak.at, edit);
    assert_says(&oak.at, "value=\"Ada Price\"");
    assert_says(&oak.at, "value=\"2018\"");
    (void)web_rig_post(&oak.at, edit, "version=1&name=Ada+Prince&kind=pupil&reason=typed+wrong");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, web_rig_location(&oak.at));
    assert_says(&oak.at, "Ada Prince");
    assert_says(&oak.at, "/undo\"");
    snprintf(edit, sizeof(edit), "%s/undo", path);
    (void)web_rig_post(&oak.at, edit, "version=2");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, path);
    assert_says(&oak.at, "Ada Price");
    snprintf(edit, sizeof(edit), "%s/history", path);
    (void)web_rig_get(&oak.at, edit);
    assert_says(&oak.at, "changed by Olive Office");
    assert_says(&oak.at, "undone by Olive Office");
    web_rig_close(&oak.at);
}

TEST(what_was_typed_comes_back_with_the_fault_beside_it)
{
    struct oak oak;
    oak_open(&oak);
    (void)web_rig_post(&oak.at, "/records/people/new",
                       "name=&given=%3Cscript%3E&kind=pupil&born-day=31&born-month=2&born-year=2018"
                       "&email=nonsense");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "There is a problem");
    assert_says(&oak.at, "href=\"#name\"");
    assert_says(&oak.at, "href=\"#born-day\"");
    assert_says(&oak.at, "id=\"name-error\"");
    assert_says(&oak.at, "value=\"&lt;script&gt;\"");
    assert_says(&oak.at, "value=\"nonsense\"");
    assert_says(&oak.at, "value=\"31\"");
    assert_says(&oak.at, "<title>Error: New person");
    assert_false(web_concerns_gate(&oak.at.exchange));
    oak.at.json = true;
    (void)web_rig_ask(&oak.at, WEB_POST, "/records/people/new", "{\"kind\": \"pupil\"}",
                      "application/json");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "\"faults\":{\"name\":");
    web_rig_close(&oak.at);
}

TEST(who_changed_it_meanwhile_is_compared_with)
{
    struct oak oak;
    oak_open(&oak);
    struct record_id id = school_somebody(&oak.at.school, "Ada Price", "pupil");
    (void)web_rig_post(&oak.at, path_of("people", id, "/edit"),
                       "version=1&name=Ada+One&kind=pupil");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_post(&oak.at, path_of("people", id, "/edit"),
                       "version=1&name=Ada+Two&kind=pupil");
    assert_int_equal(oak.at.exchange.status, 409);
    assert_says(&oak.at, "Ada Two");
    assert_says(&oak.at, "now says: <span class=\"lodge-words\">Ada One");
    assert_says(&oak.at, "name=\"version\" value=\"2\"");
    web_rig_close(&oak.at);
}

TEST(a_reason_is_kept_where_somebody_else_moved_it_on)
{
    struct oak oak;
    oak_open(&oak);
    struct record_id id =
        school_add(&oak.at.school, "device", school_json("{'tag': 'L1', 'kind': 'laptop'}"));
    oak.at.actor = school_person(&oak.at.school, "Ted Wire", "staff", "technician");
    (void)web_rig_post(&oak.at, path_of("devices", id, "/edit"), "version=1&tag=L1&room=Hall");
    assert_int_equal(oak.at.exchange.status, 303);
    /* Only changed: it can be sent again. */
    (void)web_rig_post(&oak.at, path_of("devices", id, "/move/isolate"),
                       "version=1&reason=The+DSL+asked");
    assert_int_equal(oak.at.exchange.status, 409);
    assert_says(&oak.at, "value=\"The DSL asked\"");
    assert_says(&oak.at, "Somebody else changed this");
    assert_says(&oak.at, "name=\"version\" value=\"2\"");
    assert_says(&oak.at, "type=\"submit\"");
    /* Moved on: it cannot, but nothing typed is lost. */
    (void)web_rig_post(&oak.at, path_of("devices", id, "/move/withdraw"),
                       "version=2&reason=Broken");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_post(&oak.at, path_of("devices", id, "/move/isolate"),
                       "version=2&reason=The+DSL+asked");
    assert_int_equal(oak.at.exchange.status, 409);
    assert_says(&oak.at, "value=\"The DSL asked\"");
    assert_says(&oak.at, "it is now \u201cWithdrawn\u201d");
    assert_silent(&oak.at, "class=\"govuk-button\"");
    /* Whose move it is not is told so as before. */
    oak.at.actor = oak.teacher;
    (void)web_rig_post(&oak.at, path_of("devices", id, "/move/isolate"), "version=2&reason=x");
    assert_int_equal(oak.at.exchange.status, 404);
    oak.at.actor = oak.office;
    (void)web_rig_post(&oak.at, path_of("devices", id, "/move/isolate"), "version=2&reason=x");
    assert_int_equal(oak.at.exchange.status, 403);
    web_rig_close(&oak.at);
}

TEST(what_was_typed_behind_a_look_comes_back_when_the_look_has_ended)
{
    struct oak oak;
    oak_open(&oak);
    struct record_id ada = school_somebody(&oak.at.school, "Ada Price", "pupil");
    (void)web_rig_post(&oak.at, path_of("people", ada, "/edit"),
                       "version=1&name=Ada+Price&kind=pupil&needs=Sits+in+front");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "Open the record first");
    assert_says(&oak.at, ">Sits in front</textarea>");
    web_rig_close(&oak.at);
}

TEST(whoever_made_what_they_may_not_see_is_told_that_it_was_received)
{
    struct oak oak;
    char path[600];
    oak_open(&oak);
    struct record_id ada = school_somebody(&oak.at.school, "Ada Price", "pupil");
    oak.at.actor = school_person(&oak.at.school, "Ted Wire", "staff", "technician");
    snprintf(path, sizeof(path),
             "child=%s&summary=Cried&kind=peers&happened-day=1&happened-month=5&"
             "happened-year=2026&facts=All+morning",
             ada.text);
    (void)web_rig_post(&oak.at, "/records/concerns/new", path);
    assert_int_equal(oak.at.exchange.status, 303);
    snprintf(path, sizeof(path), "%s", web_rig_location(&oak.at));
    (void)web_rig_get(&oak.at, path);
    assert_int_equal(oak.at.exchange.status, 200);
    assert_says(&oak.at, "It has been received");
    assert_says(&oak.at, "Its number is <strong>");
    assert_silent(&oak.at, "Cried");
    assert_silent(&oak.at, "Look at what you sent");
    /* The only lead has no account yet: that is said, and who it is. */
    assert_says(&oak.at, "Dina Lead, Designated safeguarding lead");
    /* Nobody else is told that there is such a record. */
    oak.at.actor = oak.teacher;
    (void)web_rig_get(&oak.at, path);
    assert_int_equal(oak.at.exchange.status, 404);
    web_rig_close(&oak.at);
}

TEST(why_a_change_was_not_taken_back_is_said)
{
    struct oak oak;
    oak_open(&oak);
    struct record_id ada = school_somebody(&oak.at.school, "Ada Price", "pupil");
    (void)web_rig_post(&oak.at, path_of("people", ada, "/edit"),
                       "version=1&name=Ada+Price&kind=pupil&log_on=ada");
    assert_int_equal(oak.at.exchange.status, 303);
    oak.at.actor = oak.dsl;
    (void)web_rig_post(&oak.at, path_of("people", ada, "/undo"), "version=2");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "more than your role may see");
    assert_silent(&oak.at, "User name");
    web_rig_close(&oak.at);
}

TEST(a_person_is_looked_for_by_name_and_chosen_without_a_script)
{
    struct oak oak;
    char body[512];
    oak_open(&oak);
    (void)school_somebody(&oak.at.school, "Sam Hill", "pupil");
    struct record_id sam = school_somebody(&oak.at.school, "Sam Hill", "pupil");
    (void)school_somebody(&oak.at.school, "Ann Only", "pupil");
    oak.at.actor = oak.dsl;
    /* Several: they are shown, and nothing typed is lost. */
    (void)web_rig_post(&oak.at, "/records/concerns/new",
                       "child-find=Sam+Hill&summary=Cried&kind=peers&happened-day=1&"
                       "happened-month=5&happened-year=2026&facts=All+morning");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "Several have this name");
    assert_says(&oak.at, sam.text);
    assert_says(&oak.at, "name=\"child-asked\" value=\"Sam Hill\"");
    assert_says(&oak.at, ">All morning</textarea>");
    /* Chosen from them. */
    snprintf(body, sizeof(body),
             "child=%s&child-asked=Sam+Hill&child-find=Sam+Hill&summary=Cried&kind=peers&"
             "happened-day=1&happened-month=5&happened-year=2026&facts=All+morning",
             sam.text);
    (void)web_rig_post(&oak.at, "/records/concerns/new", body);
    assert_int_equal(oak.at.exchange.status, 303);
    /* One: taken at once. */
    (void)web_rig_post(&oak.at, "/records/concerns/new",
                       "child-find=ann&summary=Fell&kind=other&happened-day=1&happened-month=5&"
                       "happened-year=2026&facts=Once");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, web_rig_location(&oak.at));
    assert_says(&oak.at, "Ann Only");
    /* Where something else is wrong, the form says who was found. */
    (void)web_rig_post(&oak.at, "/records/concerns/new", "child-find=ann&summary=Fell");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "name=\"child-name\" value=\"Ann Only\"");
    /* None. */
    (void)web_rig_post(&oak.at, "/records/concerns/new", "child-find=Nobody+Here");
    assert_says(&oak.at, "There is nobody of this name");
    web_rig_close(&oak.at);
}

TEST(a_teacher_names_a_child_whom_they_do_not_teach_in_a_concern_by_the_whole_name)
{
    struct oak oak;
    oak_open(&oak);
    (void)school_somebody(&oak.at.school, "Ann Only", "pupil");
    oak.at.actor = oak.teacher;
    (void)web_rig_post(&oak.at, "/records/concerns/new",
                       "child-find=ann&summary=Fell&kind=other&happened-day=1&happened-month=5&"
                       "happened-year=2026&facts=Once");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "There is nobody of this name");
    (void)web_rig_post(&oak.at, "/records/concerns/new",
                       "child-find=Ann+Only&summary=Fell&kind=other&happened-day=1&"
                       "happened-month=5&happened-year=2026&facts=Once");
    assert_int_equal(oak.at.exchange.status, 303);
    web_rig_close(&oak.at);
}

static struct record_id concern_by(struct oak *oak, const struct actor *maker)
{
    struct record_id child = school_somebody(&oak->at.school, "Ada Price", "pupil");
    return school_make(&oak->at.school, maker, "concern",
                       school_json("{'child': '%s', 'summary': 'A bruise', 'kind': 'home', "
                                   "'happened': '2026-05-01', 'facts': 'A secret of hers'}",
                                   child.text));
}

static struct record_id concern(struct oak *oak)
{
    return concern_by(oak, &oak->teacher);
}

TEST(U8_what_is_sensitive_opens_for_a_reason)
{
    struct oak oak;
    oak_open(&oak);
    struct record_id id = concern(&oak);
    oak.at.actor = oak.dsl;
    (void)web_rig_get(&oak.at, path_of("concerns", id, ""));
    assert_says(&oak.at, "say why you are looking");
    assert_says(&oak.at, "Hidden until you give a reason");
    assert_silent(&oak.at, "A secret of hers");
    (void)web_rig_get(&oak.at, path_of("concerns", id, "/edit"));
    assert_silent(&oak.at, "name=\"facts\"");
    assert_says(&oak.at, "name=\"summary\"");
    (void)web_rig_get(&oak.at, path_of("concerns", id, "/move/close"));
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, web_rig_location(&oak.at));
    assert_says(&oak.at, "Why are you looking?");
    assert_says(&oak.at, "Ada Price");
    (void)web_rig_post(&oak.at, path_of("concerns", id, "/look"), "words=++");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "Choose a reason, or type one");
    (void)web_rig_post(&oak.at, path_of("concerns", id, "/look"), "reason=concern");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, web_rig_location(&oak.at));
    assert_says(&oak.at, "A secret of hers");
    web_rig_close(&oak.at);
}

TEST(a_move_asks_for_what_it_demands)
{
    struct oak oak;
    oak_open(&oak);
    struct record_id id = concern(&oak);
    oak.at.actor = oak.dsl;
    (void)web_rig_post(&oak.at, path_of("concerns", id, "/look"), "reason=concern");
    (void)web_rig_get(&oak.at, path_of("concerns", id, ""));
    assert_says(&oak.at, "/move/close");
    (void)web_rig_get(&oak.at, path_of("concerns", id, "/move/close"));
    assert_says(&oak.at, "name=\"outcome\"");
    assert_says(&oak.at, "name=\"reason\"");
    (void)web_rig_post(&oak.at, path_of("concerns", id, "/move/close"),
                       "version=1&outcome=&reason=done");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "href=\"#outcome\"");
    (void)web_rig_post(&oak.at, path_of("concerns", id, "/move/close"),
                       "version=1&outcome=No+harm+was+found&reason=done");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, path_of("concerns", id, ""));
    assert_says(&oak.at, "Closed");
    assert_says(&oak.at, "/move/reopen");
    oak.at.actor = oak.office;
    (void)web_rig_get(&oak.at, path_of("concerns", id, "/move/reopen"));
    assert_int_equal(oak.at.exchange.status, 404);
    web_rig_close(&oak.at);
}

TEST(K9_no_upload_is_opened_for_what_may_show_a_child_undressed)
{
    static const char *const answers[] = {"k9=yes", "k9=not_sure"};
    struct oak oak;
    oak_open(&oak);
    struct record_id id = concern(&oak);
    oak.at.actor = oak.dsl;
    (void)web_rig_post(&oak.at, path_of("concerns", id, "/look"), "reason=concern");
    (void)web_rig_get(&oak.at, path_of("concerns", id, "/file/evidence/add"));
    assert_says(&oak.at, "Could it show anybody under 18");
    assert_silent(&oak.at, "type=\"file\"");
    for (size_t i = 0; i < 2; i++) {
        (void)web_rig_post(&oak.at, path_of("concerns", id, "/file/evidence/add"), answers[i]);
        assert_silent(&oak.at, "type=\"file\"");
        assert_says(&oak.at, "Do not upload it");
        assert_says(&oak.at, "Report Remove");
    }
    (void)web_rig_post(&oak.at, path_of("concerns", id, "/file/evidence/add"), "");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_silent(&oak.at, "type=\"file\"");
    (void)web_rig_post(&oak.at, path_of("concerns", id, "/file/evidence/add"), "k9=no");
    assert_says(&oak.at, "type=\"file\"");
    (void)web_rig_ask(&oak.at, WEB_POST, path_of("concerns", id, "/file/evidence/add"),
                      "--b\r\nContent-Disposition: form-data; name=\"k9\"\r\n\r\nno\r\n"
                      "--b\r\nContent-Disposition: form-data; name=\"version\"\r\n\r\n1\r\n"
                      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"n.txt\"\r\n"
                      "Content-Type: text/plain\r\n\r\nA note\r\n--b--\r\n",
                      "multipart/form-data; boundary=b");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, path_of("concerns", id, ""));
    assert_says(&oak.at, "n.txt");
    (void)web_rig_get(&oak.at, path_of("concerns", id, "/file/evidence"));
    assert_int_equal(oak.at.exchange.status, 200);
    assert_str_eq(buf_str(&oak.at.exchange.body), STR("A note"));
    struct str headers = buf_str(&oak.at.exchange.headers);
    assert_true(str_find(headers, STR("attachment")) < headers.len);
    web_rig_close(&oak.at);
}

TEST(K9_whoever_made_a_record_adds_a_photo_to_it_by_the_same_question)
{
    struct oak oak;
    char page[600];
    char add[600];
    oak_open(&oak);
    struct actor ted = school_person(&oak.at.school, "Ted Wire", "staff", "technician");
    struct record_id id = concern_by(&oak, &ted);
    snprintf(page, sizeof(page), "%s", path_of("concerns", id, "/received"));
    snprintf(add, sizeof(add), "%s", path_of("concerns", id, "/file/evidence/add"));
    oak.at.actor = ted;
    (void)web_rig_get(&oak.at, page);
    assert_says(&oak.at, "Add a photo or file");
    assert_says(&oak.at, add);
    (void)web_rig_get(&oak.at, add);
    assert_says(&oak.at, "Could it show anybody under 18");
    assert_silent(&oak.at, "A bruise");
    (void)web_rig_post(&oak.at, add, "k9=not_sure");
    assert_says(&oak.at, "Do not upload it");
    assert_silent(&oak.at, "type=\"file\"");
    (void)web_rig_post(&oak.at, add, "k9=no");
    assert_says(&oak.at, "type=\"file\"");
    (void)web_rig_post(&oak.at, add, "k9=no&tried=1");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "Choose a file");
    (void)web_rig_ask(&oak.at, WEB_POST, add,
                      "--b\r\nContent-Disposition: form-data; name=\"k9\"\r\n\r\nno\r\n"
                      "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"n.txt\"\r\n"
                      "Content-Type: text/plain\r\n\r\nA note\r\n--b--\r\n",
                      "multipart/form-data; boundary=b");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, web_rig_location(&oak.at));
    assert_says(&oak.at, "The file was added");
    assert_silent(&oak.at, "Add a photo or file");
    /* No second one, nor the first one back, nor a word of it to anybody else. */
    (void)web_rig_get(&oak.at, add);
    assert_int_equal(oak.at.exchange.status, 404);
    (void)web_rig_get(&oak.at, path_of("concerns", id, "/file/evidence"));
    assert_int_equal(oak.at.exchange.status, 404);
    oak.at.actor = oak.teacher;
    (void)web_rig_get(&oak.at, add);
    assert_int_equal(oak.at.exchange.status, 404);
    web_rig_close(&oak.at);
}

TEST(a_teacher_adds_a_file_from_the_page_of_their_own_concern)
{
    struct oak oak;
    char add[600];
    oak_open(&oak);
    struct record_id id = concern(&oak);
    snprintf(add, sizeof(add), "%s", path_of("concerns", id, "/file/evidence/add"));
    oak.at.actor = oak.teacher;
    (void)web_rig_get(&oak.at, path_of("concerns", id, ""));
    assert_says(&oak.at, add);
    assert_silent(&oak.at, "/edit\"");
    (void)web_rig_get(&oak.at, add);
    assert_int_equal(oak.at.exchange.status, 200);
    /* Once it is somebody's work, it is theirs alone. */
    oak.at.actor = oak.dsl;
    (void)web_rig_post(&oak.at, path_of("concerns", id, "/move/refer"), "version=1&reason=Police");
    assert_int_equal(oak.at.exchange.status, 303);
    oak.at.actor = oak.teacher;
    (void)web_rig_get(&oak.at, path_of("concerns", id, ""));
    assert_silent(&oak.at, add);
    (void)web_rig_get(&oak.at, add);
    assert_int_equal(oak.at.exchange.status, 403);
    web_rig_close(&oak.at);
}

TEST(disposal_asks_why_and_whether_one_is_sure)
{
    struct oak oak;
    oak_open(&oak);
    struct record_id id = school_somebody(&oak.at.school, "Ada Price", "pupil");
    (void)web_rig_get(&oak.at, path_of("people", id, "/dispose"));
    assert_int_equal(oak.at.exchange.status, 403);
    oak.at.actor = school_person(&oak.at.school, "Hanna Head", "staff", "head");
    (void)web_rig_get(&oak.at, path_of("people", id, "/dispose"));
    assert_says(&oak.at, "It cannot be brought back");
    (void)web_rig_post(&oak.at, path_of("people", id, "/dispose"), "version=1&reason=mistake");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "Tick the box");
    (void)web_rig_post(&oak.at, path_of("people", id, "/dispose"),
                       "version=1&reason=mistake&sure=yes");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, path_of("people", id, ""));
    assert_int_equal(oak.at.exchange.status, 404);
    web_rig_close(&oak.at);
}

TEST(a_table_is_tried_before_it_is_taken)
{
    struct oak oak;
    oak_open(&oak);
    (void)web_rig_get(&oak.at, "/records/people/import");
    assert_says(&oak.at, "type=\"file\"");
    (void)web_rig_post(&oak.at, "/records/people/import", "csv=");
    assert_int_equal(oak.at.exchange.status, 422);
    (void)web_rig_post(&oak.at, "/records/people/import",
                       "csv=name,kind%0D%0ABea+Bow,pupil%0D%0A,pupil%0D%0A");
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "What is not right");
    (void)web_rig_post(&oak.at, "/records/people/import",
                       "csv=name,kind%0D%0ABea+Bow,pupil%0D%0ACy+Day,pupil%0D%0A");
    assert_says(&oak.at, "2 would be added");
    (void)web_rig_get(&oak.at, "/records/people?search=Bea");
    assert_silent(&oak.at, "Bea Bow");
    (void)web_rig_post(&oak.at, "/records/people/import",
                       "sure=yes&csv=name,kind%0D%0ABea+Bow,pupil%0D%0ACy+Day,pupil%0D%0A");
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, "/records/people?search=Bea");
    assert_says(&oak.at, "Bea Bow");
    (void)web_rig_get(&oak.at, "/records/people.csv?search=Bea");
    assert_says(&oak.at, "Bea Bow");
    assert_silent(&oak.at, "Tess Teacher");
    web_rig_close(&oak.at);
}

/* The page's "seen", as the browser sends it, behind what the body holds. */
static void add_seen(const struct oak *oak, char *body, size_t size)
{
    struct str page = buf_str(&oak->at.exchange.body);
    struct str name = STR("name=\"seen\" value=\"");
    struct str rest = str_skip(page, str_find(page, name) + name.len);
    size_t len = strlen(body);
    len += (size_t)snprintf(body + len, size - len, "&seen=");
    while (rest.len != 0 && rest.p[0] != '"') {
        bool quote = str_starts(rest, STR("&quot;"));
        len += (size_t)snprintf(body + len, size - len, "%%%02x", quote ? '"' : rest.p[0]);
        rest = str_skip(rest, quote ? 6 : 1);
    }
}

TEST(K16_a_school_s_export_is_mapped_by_its_headings_and_corrected_by_the_person)
{
    static const char csv[] = "csv=Adno,UPN,Surname,Forename,Preferred+Forename,DOB,Year,Reg%0D%0A"
                              "1,Z820200000001,Wood,Elizabeth,Liz,16/04/2022,Year++R,RA%0D%0A"
                              "2,,Wood,Benjamin,,2/8/2021,Y1,1B%0D%0A";
    static const char columns[] = "&column-0=&column-1=upn&column-2=family&column-3=given&column-4="
                                  "known_given&column-5=born&column-6=year&column-7=";
    struct oak oak;
    char body[4096];
    oak_open(&oak);
    (void)web_rig_post(&oak.at, "/records/people/import", csv);
    assert_int_equal(oak.at.exchange.status, 200);
    assert_says(&oak.at, "What Surname is");
    assert_says(&oak.at, "<option value=\"family\" selected>Last name</option>");
    assert_says(&oak.at, "<option value=\"known_given\" selected>");
    assert_says(&oak.at, "16/04/2022, 2/8/2021");
    assert_says(&oak.at, "id=\"all-kind\"");
    assert_silent(&oak.at, "There is a problem");
    /* What no column says must be said. */
    snprintf(body, sizeof(body), "%s%s&all-kind=", csv, columns);
    (void)web_rig_post(&oak.at, "/records/people/import", body);
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "href=\"#all-kind\"");
    /* What was not shown is shown first, also where one is sure. */
    snprintf(body, sizeof(body), "%s%s&all-kind=pupil&sure=yes", csv, columns);
    (void)web_rig_post(&oak.at, "/records/people/import", body);
    assert_int_equal(oak.at.exchange.status, 200);
    assert_says(&oak.at, "2 would be added");
    assert_says(&oak.at, "Liz Wood");
    assert_says(&oak.at, "Benjamin Wood");
    assert_says(&oak.at, "Import 2 rows");
    add_seen(&oak, body, sizeof(body));
    (void)web_rig_post(&oak.at, "/records/people/import", body);
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, "/records/people?search=wood");
    assert_says(&oak.at, "Liz Wood");
    assert_says(&oak.at, "Reception");
    assert_says(&oak.at, "Year 1");
    web_rig_close(&oak.at);
}

TEST(rows_that_are_not_right_are_left_out_only_where_one_says_so)
{
    static const char csv[] = "csv=Name,Kind,UPN%0D%0AEva+Wood,pupil,Z820200000002%0D%0A"
                              "Liz+Wood,pupil,Z820200000001%0D%0A";
    static const char columns[] = "&column-0=name&column-1=kind&column-2=upn";
    struct oak oak;
    char body[4096];
    oak_open(&oak);
    (void)web_rig_post(&oak.at, "/records/people/import", csv);
    assert_int_equal(oak.at.exchange.status, 422);
    assert_says(&oak.at, "Some rows are not right");
    assert_says(&oak.at, "1 are not right");
    assert_says(&oak.at, "name=\"skip\"");
    assert_silent(&oak.at, "name=\"sure\"");
    snprintf(body, sizeof(body), "%s%s&skip=yes", csv, columns);
    (void)web_rig_post(&oak.at, "/records/people/import", body);
    assert_int_equal(oak.at.exchange.status, 200);
    assert_says(&oak.at, "Import 1 row<");
    snprintf(body, sizeof(body), "%s%s&skip=yes&sure=yes", csv, columns);
    add_seen(&oak, body, sizeof(body));
    (void)web_rig_post(&oak.at, "/records/people/import", body);
    assert_int_equal(oak.at.exchange.status, 303);
    (void)web_rig_get(&oak.at, "/records/people?search=wood");
    assert_says(&oak.at, "Liz Wood");
    assert_silent(&oak.at, "Eva Wood");
    web_rig_close(&oak.at);
}

TEST(the_start_page_shows_what_waits_for_this_person)
{
    struct oak oak;
    oak_open(&oak);
    (void)concern(&oak);
    struct record_id group =
        school_add(&oak.at.school, "group", school_json("{'name': '3B', 'kind': 'class'}"));
    struct record_id ann = school_somebody(&oak.at.school, "Ann Only", "pupil");
    (void)school_add(&oak.at.school, "membership",
                     school_json("{'person': '%s', 'group': '%s', 'kind': 'member', "
                                 "'from': '2025-09-01', 'until': '2026-06-01'}",
                                 ann.text, group.text));
    (void)web_rig_get(&oak.at, "/");
    assert_says(&oak.at, "Memberships that end soon");
    assert_says(&oak.at, "Ann Only");
    assert_silent(&oak.at, "A bruise");
    oak.at.actor = oak.dsl;
    (void)web_rig_get(&oak.at, "/");
    assert_says(&oak.at, "Concerns that are open");
    assert_says(&oak.at, "A bruise</a> <span class=\"lodge-quiet\">Ada Price");
    oak.at.actor = school_person(&oak.at.school, "Ted Technician", "staff", "technician");
    (void)web_rig_get(&oak.at, "/");
    assert_says(&oak.at, "A restore test is due");
    assert_silent(&oak.at, "without their second factor");
    const struct actor operator= school_operator(&oak.at.school);
    const struct account_new fresh = {oak.at.actor.person, STR("ted.wire"), STR("$argon2id$"),
                                      false};
    struct account_fault fault;
    struct record_id id;
    assert_ok(account_make(&oak.at.school.engine, &operator, & fresh, &id, &fault));
    (void)web_rig_get(&oak.at, "/");
    assert_says(&oak.at, "without their second factor");
    assert_says(&oak.at, "ted.wire");
    assert_silent(&oak.at, "A bruise");
    web_rig_close(&oak.at);
}

TEST(the_start_page_counts_what_is_open_however_much_was_closed_since)
{
    enum { CLOSED = 120 };
    struct oak oak;
    oak_open(&oak);
    struct record_id open = concern(&oak);
    struct record_id child = school_somebody(&oak.at.school, "Sam Hill", "pupil");
    oak.at.actor = oak.dsl;
    for (int i = 0; i < CLOSED; i++) {
        struct record_id id =
            school_make(&oak.at.school, &oak.teacher, "concern",
                        school_json("{'child': '%s', 'summary': 'An old one', 'kind': 'home', "
                                    "'happened': '2026-05-01', 'facts': 'Once'}",
                                    child.text));
        (void)web_rig_post(&oak.at, path_of("concerns", id, "/look"), "reason=concern");
        (void)web_rig_post(&oak.at, path_of("concerns", id, "/move/close"),
                           "version=1&outcome=None&reason=done");
    }
    (void)web_rig_get(&oak.at, "/");
    assert_says(&oak.at, "lodge-card__count\">1<");
    assert_says(&oak.at, open.text);
    assert_silent(&oak.at, "An old one");
    web_rig_close(&oak.at);
}

TEST(a_child_s_page_shows_the_family_and_who_must_not_have_contact)
{
    struct oak oak;
    oak_open(&oak);
    struct record_id child = school_somebody(&oak.at.school, "Ann Only", "pupil");
    struct record_id mother = school_somebody(&oak.at.school, "Eva Only", "parent");
    struct record_id father = school_somebody(&oak.at.school, "Max Only", "parent");
    (void)school_add(&oak.at.school, "family",
                     school_json("{'child': '%s', 'adult': '%s', 'relation': 'mother', "
                                 "'responsibility': true, 'no_contact': false}",
                                 child.text, mother.text));
    (void)school_add(&oak.at.school, "family",
                     school_json("{'child': '%s', 'adult': '%s', 'relation': 'father', "
                                 "'responsibility': true, 'no_contact': true}",
                                 child.text, father.text));
    oak.at.actor = oak.dsl;
    (void)web_rig_get(&oak.at, path_of("people", child, ""));
    assert_says(&oak.at, "Must not have contact with the child: Max Only");
    assert_silent(&oak.at, "Must not have contact with the child: Eva Only");
    assert_says(&oak.at, ">Eva Only</a> <span class=\"lodge-quiet\">Mother \xc2\xb7 Has parental");
    (void)web_rig_get(&oak.at, "/search?words=max");
    assert_says(&oak.at, "govuk-tag--red\">Must not have contact with the child<");
    oak.at.actor = school_person(&oak.at.school, "Ted Technician", "staff", "technician");
    (void)web_rig_get(&oak.at, path_of("people", child, ""));
    assert_int_equal(oak.at.exchange.status, 404);
    web_rig_close(&oak.at);
}

TEST(what_the_gate_could_not_be_given_waits_for_those_who_can_mend_it)
{
    struct oak oak;
    struct store *store;
    char link[128];
    oak_open(&oak);
    store = oak.at.school.store.store;
    struct record_id tablet =
        school_add(&oak.at.school, "device", school_json("{'tag': 'T1', 'kind': 'tablet'}"));
    struct record_id ada = school_somebody(&oak.at.school, "Ada Price", "pupil");
    json_t *faults = school_json(
        "[{'register': 'device', 'record': '%s', 'person': '', 'words': 'Its address is none.'},"
        " {'register': 'person', 'record': '%s', 'person': '', 'words': 'Their user name.'},"
        " {'register': '', 'record': '', 'person': '', 'words': 'The whole image.'}]",
        tablet.text, ada.text);
    assert_ok(publish_note(store, oak.at.school.id, faults, 1));
    json_decref(faults);
    snprintf(link, sizeof(link), "/records/devices/%s", tablet.text);
    oak.at.actor = school_person(&oak.at.school, "Ted Wire", "staff", "technician");
    (void)web_rig_get(&oak.at, "/");
    assert_says(&oak.at, "The gate could not be given everything");
    assert_says(&oak.at, link);
    assert_says(&oak.at, "The whole image.");
    assert_silent(&oak.at, ada.text); /* not a technician's to see */
    oak.at.actor = oak.office;
    (void)web_rig_get(&oak.at, "/");
    assert_says(&oak.at, "Their user name.");
    assert_says(&oak.at, ada.text);
    assert_silent(&oak.at, "Its address is none.");
    oak.at.actor = oak.teacher;
    (void)web_rig_get(&oak.at, "/");
    assert_silent(&oak.at, "The gate could not");
    web_rig_close(&oak.at);
}

TEST(the_search_finds_what_one_may_see_and_nothing_else)
{
    struct oak oak;
    oak_open(&oak);
    (void)concern(&oak);
    (void)web_rig_get(&oak.at, "/search?words=price");
    assert_says(&oak.at, "Ada Price");
    (void)web_rig_get(&oak.at, "/search?words=bruise");
    assert_says(&oak.at, "Nothing was found");
    oak.at.actor = oak.dsl;
    (void)web_rig_get(&oak.at, "/search?words=bruise");
    assert_says(&oak.at, "A bruise");
    web_rig_close(&oak.at);
}

TEST(every_register_has_its_pages_from_its_file_alone)
{
    struct oak oak;
    char path[256];
    oak_open(&oak);
    for (int role = 0; role < ROLE_COUNT; role++) {
        oak.at.actor = oak.office;
        oak.at.actor.roles = 1U << role;
        (void)web_rig_get(&oak.at, "/");
        assert_int_equal(oak.at.exchange.status, 200);
        for (size_t i = 0; i < N_REGISTERS; i++) {
            struct str plural = REGISTERS[i]->plural;
            bool makes = permit_widest(1U << role, REGISTERS[i]->area, VERB_make) > SCOPE_NONE;
            snprintf(path, sizeof(path), "/records/%.*s/new", STR_ARG(plural));
            (void)web_rig_get(&oak.at, path);
            assert_int_equal(oak.at.exchange.status, makes ? 200 : 403);
            snprintf(path, sizeof(path), "/records/%.*s", STR_ARG(plural));
            (void)web_rig_get(&oak.at, path);
            assert_true(oak.at.exchange.status == 200 || oak.at.exchange.status == 404);
        }
    }
    web_rig_close(&oak.at);
}

TESTS_MAIN(unit(a_list_shows_searches_and_sorts_what_one_may_see),
           unit(a_record_is_made_changed_and_the_change_taken_back),
           unit(what_was_typed_comes_back_with_the_fault_beside_it),
           unit(who_changed_it_meanwhile_is_compared_with),
           unit(a_reason_is_kept_where_somebody_else_moved_it_on),
           unit(what_was_typed_behind_a_look_comes_back_when_the_look_has_ended),
           unit(whoever_made_what_they_may_not_see_is_told_that_it_was_received),
           unit(why_a_change_was_not_taken_back_is_said),
           unit(a_person_is_looked_for_by_name_and_chosen_without_a_script),
           unit(a_teacher_names_a_child_whom_they_do_not_teach_in_a_concern_by_the_whole_name),
           unit(U8_what_is_sensitive_opens_for_a_reason), unit(a_move_asks_for_what_it_demands),
           unit(K9_no_upload_is_opened_for_what_may_show_a_child_undressed),
           unit(K9_whoever_made_a_record_adds_a_photo_to_it_by_the_same_question),
           unit(a_teacher_adds_a_file_from_the_page_of_their_own_concern),
           unit(disposal_asks_why_and_whether_one_is_sure),
           unit(a_table_is_tried_before_it_is_taken),
           unit(K16_a_school_s_export_is_mapped_by_its_headings_and_corrected_by_the_person),
           unit(rows_that_are_not_right_are_left_out_only_where_one_says_so),
           unit(the_start_page_shows_what_waits_for_this_person),
           unit(the_start_page_counts_what_is_open_however_much_was_closed_since),
           unit(a_child_s_page_shows_the_family_and_who_must_not_have_contact),
           unit(what_the_gate_could_not_be_given_waits_for_those_who_can_mend_it),
           unit(the_search_finds_what_one_may_see_and_nothing_else),
           unit(every_register_has_its_pages_from_its_file_alone))
