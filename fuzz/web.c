/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any request to the desk, by nobody, the head, the technician, or somebody who has shown no second
 * factor yet. Whatever comes, it is answered; front takes the answer; and no tag of the input
 * stands in a page.
 *
 * A byte of choices, a line with the target, a line with cookies, and the body. In each the bytes
 * 1 to 3 stand for the id of the head, of a child and of the head's account. */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "base/clock.h"
#include "os/file.h"
#include "proc/desk_line.h"
#include "records/first_run.h"
#include "web/web.h"

enum { PATH_BYTES = 256, ROOM = 1 << 20, NOW_DAY = 20779, RUNS = 1000 };
enum { BY_NOBODY, BY_HEAD, BY_TECHNICIAN, BY_HALF };
enum { CHOICE_POST = 1, CHOICE_JSON = 8, CHOICE_GOOD = 16 };

#define NOW_MS ((int64_t)NOW_DAY * MS_PER_DAY)
#define TAG STR("<zq")

static char folder[PATH_BYTES];
static struct engine engine;
static struct web *web;
static struct first_run_made made;
static struct record_id child, technician, technician_account;
static struct record_id teacher_account; /* without a second factor: the provider's */
static struct web_providers providers = {.n = 1, .items = {{"oak", "Oak"}}};
static unsigned runs;

static int remove_one(const char *path, const struct stat *stat, int kind, struct FTW *at)
{
    (void)stat;
    (void)kind;
    (void)at;
    return remove(path);
}

static void leave(void)
{
    web_free(web);
    store_close(engine.store);
    keys_close(engine.keys);
    engine = (struct engine){.store = NULL};
    CHECK(nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0);
}

static void open_store(void)
{
    char place[PATH_BYTES + 16];
    const char *temporary = getenv("TMPDIR");
    struct buf why;
    int fd;
    buf_init(&why, 1024);
    snprintf(folder, sizeof(folder), "%s/lodge-fuzz-XXXXXX",
             temporary != NULL ? temporary : "/tmp");
    CHECK(mkdtemp(folder) != NULL);
    CHECK(file_open_dir(AT_FDCWD, folder, &fd) == ERR_OK);
    snprintf(place, sizeof(place), "%s/store.db", folder);
    CHECK(store_open(place, &engine.store, &why) == ERR_OK);
    CHECK(keys_open(fd, &engine.keys, &why) == ERR_OK);
    close(fd);
    buf_fini(&why);
}

static struct actor operator_of(void)
{
    return (struct actor){
        .school = str_from(made.school.text), .operator= true, .now_ms = NOW_MS, .today = NOW_DAY};
}

static struct record_id make(const char *name, json_t *fields)
{
    const struct actor operator= operator_of();
    struct record_id id;
    json_t *faults = NULL;
    CHECK(engine_make(&engine, &operator, register_find(str_from(name)), fields, &id, &faults) ==
          ERR_OK);
    json_decref(fields);
    json_decref(faults);
    return id;
}

static struct record_id make_staff(const char *name, const char *role, const char *log_on,
                                   struct record_id *ret_account)
{
    const struct actor operator= operator_of();
    struct account_fault fault;
    struct record_id id = make("person", json_pack("{s:s, s:s, s:s+}", "name", name, "kind",
                                                   "staff", "email", log_on, "@oak.example"));
    (void)make("post",
               json_pack("{s:s, s:s, s:s}", "person", id.text, "role", role, "from", "2020-09-01"));
    const struct account_new account = {
        .person = str_from(id.text), .log_on = str_from(log_on), .hash = STR("x")};
    CHECK(account_make(&engine, &operator, & account, ret_account, &fault) == ERR_OK);
    return id;
}

static void make_people(void)
{
    child = make("person", json_pack("{s:s, s:s}", "name", "Ada Price", "kind", "pupil"));
    technician = make_staff("Ken Wood", "technician", "ken", &technician_account);
    (void)make_staff("Tess Reed", "teacher", "tess", &teacher_account);
}

static void start(void)
{
    struct first_run_fault fault;
    const struct first_run first = {.name = STR("Oak Primary"),
                                    .kind = STR("primary"),
                                    .head = {STR("Hanna Dale"), STR("hanna"), STR("x")},
                                    .technician = {STR("Tom Reed"), STR("tom"), STR("x")},
                                    .now_ms = NOW_MS};
    open_store();
    CHECK(first_run_make(&engine, &first, &made, &fault) == ERR_OK);
    make_people();
    const struct web_options options = {.store = engine.store,
                                        .keys = engine.keys,
                                        .school = STR("Oak Primary"),
                                        .providers = &providers};
    CHECK(web_new(&options, &web) == ERR_OK);
}

/* ---- one request ---- */

/* A session for this run; without one, where the person has lost the account, nobody's. */
static void begin(unsigned who, struct arena *arena, struct buf *cookie, struct str *ret_csrf)
{
    const struct record_id *ids[][2] = {
        [BY_HEAD] = {&made.head, &made.head_account},
        [BY_TECHNICIAN] = {&technician, &technician_account},
        [BY_HALF] = {&made.head, &made.head_account},
    };
    struct session_token token;
    struct session *session = arena_alloc(arena, sizeof(*session));
    if (who == BY_NOBODY) {
        return;
    }
    const struct actor actor = {.school = str_from(made.school.text),
                                .person = str_from(ids[who][0]->text),
                                .account = str_from(ids[who][1]->text),
                                .now_ms = NOW_MS,
                                .today = NOW_DAY};
    enum session_stage stage = who == BY_HALF ? SESSION_PASSWORD : SESSION_WHOLE;
    if (session_begin(&engine, &actor, stage, who == BY_HALF ? 0 : NOW_MS, &token) != ERR_OK) {
        return;
    }
    CHECK(session_find(engine.store, arena, str_from(token.text), NOW_MS, session) == ERR_OK);
    *ret_csrf = str_from(session->csrf);
    buf_append(cookie, WEB_SESSION_COOKIE);
    buf_append_byte(cookie, '=');
    buf_append(cookie, str_from(token.text));
    buf_append(cookie, STR("; "));
}

static struct str expand(struct str text, struct arena *arena)
{
    const struct record_id *ids[] = {&made.head, &child, &made.head_account};
    struct buf to;
    buf_init(&to, ROOM);
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] >= 1 && text.p[i] <= 3) {
            buf_append(&to, str_from(ids[text.p[i] - 1]->text));
        } else {
            buf_append_byte(&to, text.p[i]);
        }
    }
    struct str whole = arena_dup(arena, buf_str(&to));
    buf_fini(&to);
    return whole;
}

/* What front would take for a request, or nothing. */
static bool read_request(struct str input, unsigned choices, struct arena *arena, struct buf *frame,
                         struct web_request *ret_request)
{
    static const struct str types[] = {
        STR_INIT("application/x-www-form-urlencoded"),
        STR_INIT("multipart/form-data; boundary=x"),
        STR_INIT("application/json"),
        STR_INIT(""),
    };
    struct str target, cookies;
    struct buf cookie;
    struct web_request request = {
        .method = (choices & CHOICE_POST) != 0 ? WEB_POST : WEB_GET,
        .host = STR("console.example"),
        .accept = (choices & CHOICE_JSON) != 0 ? STR("application/json") : STR("text/html"),
        .content_type = types[choices / 32 % 4],
        .fetch_site = STR("same-origin"),
    };
    buf_init(&cookie, ROOM);
    begin(choices / 2 % 4, arena, &cookie, &request.csrf);
    (void)str_cut(input, '\n', &target, &input);
    (void)str_cut(input, '\n', &cookies, &input);
    (void)str_cut(expand(target, arena), '?', &request.path, &request.query);
    buf_append(&cookie, expand(cookies, arena));
    request.cookie = buf_str(&cookie);
    request.body = expand(input, arena);
    bool good = desk_pack_request(&request, frame) == ERR_OK &&
                desk_read_request(buf_str(frame), ret_request) == ERR_OK;
    buf_fini(&cookie);
    ret_request->now_ms = NOW_MS;
    return good;
}

static void answer(struct web_exchange *exchange, enum web_next next, bool good)
{
    for (unsigned turns = 0; next != WEB_DONE; turns++) {
        CHECK(turns < 8);
        exchange->verdict = (struct web_verdict){
            .right = good, .hash = exchange->question.make ? STR("h") : STR("")};
        exchange->provider_answer = (struct web_provider_answer){
            .good = good, .address = "https://oak.example/", .issuer = "https://oak.example"};
        snprintf(exchange->provider_answer.who.subject, OIDC_TEXT_MAX, "1");
        snprintf(exchange->provider_answer.who.match, OIDC_TEXT_MAX, "tess@oak.example");
        next = web_resume(exchange);
    }
}

static void check_answer(const struct web_exchange *exchange)
{
    struct str body = buf_str(&exchange->body);
    struct buf frame;
    struct desk_answer again;
    const struct desk_answer said = {.status = exchange->status,
                                     .type = exchange->type,
                                     .headers = buf_str(&exchange->headers),
                                     .body = body};
    buf_init(&frame, DESK_FRAME_MAX);
    CHECK(desk_pack_answer(&said, &frame) == ERR_OK);
    CHECK(desk_read_answer(buf_str(&frame), &again) == ERR_OK);
    buf_fini(&frame);
    if (str_starts(exchange->type, STR("text/html"))) {
        CHECK(str_find(body, TAG) == body.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct buf frame;
    struct web_request request;
    if (size == 0) {
        return 0;
    }
    if (runs == 0) {
        CHECK(atexit(leave) == 0);
    }
    if (runs++ % RUNS == 0) {
        if (engine.store != NULL) {
            leave();
        }
        start();
    }
    arena_init(&arena, 64 * ROOM);
    buf_init(&frame, DESK_FRAME_MAX);
    struct str input = str_make((const char *)data + 1, size - 1);
    if (read_request(input, data[0], &arena, &frame, &request)) {
        struct web_exchange exchange = {.web = web, .request = &request, .arena = &arena};
        answer(&exchange, web_handle(&exchange), (data[0] & CHOICE_GOOD) != 0);
        check_answer(&exchange);
        web_exchange_fini(&exchange);
    }
    buf_fini(&frame);
    arena_fini(&arena);
    return 0;
}
