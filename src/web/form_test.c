/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "lib/test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "web/web_impl.h"

struct rig {
    struct web web;
    struct arena arena;
    struct web_request request;
    struct web_exchange exchange;
};

static void begin(struct rig *rig, struct str type, struct str body)
{
    *rig = (struct rig){.exchange.status = 0};
    arena_init(&rig->arena, 1 << 20);
    rig->request = (struct web_request){.method = WEB_POST, .content_type = type, .body = body};
    rig->exchange.web = &rig->web;
    rig->exchange.request = &rig->request;
    rig->exchange.arena = &rig->arena;
    buf_init(&rig->exchange.headers, WEB_HEADERS_MAX);
    buf_init(&rig->exchange.body, WEB_ANSWER_MAX);
}

static void end(struct rig *rig)
{
    web_exchange_fini(&rig->exchange);
    arena_fini(&rig->arena);
}

#define ENCODED STR("application/x-www-form-urlencoded; charset=utf-8")
#define MULTIPART STR("multipart/form-data; boundary=X")
#define JSON STR("application/json")
#define PART(name) "--X\r\nContent-Disposition: form-data; name=\"" name "\"\r\n\r\n"
#define FILE_PART(name, file)                                                    \
    "--X\r\nContent-Disposition: form-data; name=\"" name "\"; filename=\"" file \
    "\"\r\nContent-Type: text/csv\r\n\r\n"

TEST(one_form_reads_alike_however_it_was_sent)
{
    const struct {
        struct str type, body;
    } rows[] = {
        {ENCODED, STR("name=Zo%C3%AB&csrf=t&empty=&name=second")},
        {MULTIPART, STR(PART("name") "Zo\xc3\xab\r\n" PART("csrf") "t\r\n" PART(
                        "empty") "\r\n" PART("name") "second\r\n--X--\r\n")},
        {JSON, STR("{\"name\": \"Zo\\u00eb\", \"empty\": \"\"}")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        begin(&rig, rows[i].type, rows[i].body);
        assert_ok(web_form_read(&rig.exchange));
        assert_str_eq(form_text(&rig.exchange, STR("name")), STR("Zo\xc3\xab"));
        assert_true(form_has(&rig.exchange, STR("empty")));
        assert_true(form_text(&rig.exchange, STR("empty")).len == 0);
        assert_false(form_has(&rig.exchange, STR("absent")));
        assert_int_equal(json_object_size(form_json(&rig.exchange)), 2);
        end(&rig);
    }
}

TEST(the_token_is_no_field)
{
    struct rig rig;
    begin(&rig, ENCODED, STR("csrf=one&csrf=two"));
    assert_ok(web_form_read(&rig.exchange));
    assert_str_eq(rig.exchange.form->csrf, STR("one"));
    assert_false(form_has(&rig.exchange, STR("csrf")));
    end(&rig);
}

TEST(a_file_has_its_bytes_and_an_empty_field_is_none)
{
    struct rig rig;
    struct form_file file;
    begin(&rig, MULTIPART,
          STR(FILE_PART("photo", "a.csv") "a\0b\r\n" FILE_PART("none", "") "\r\n--X--"));
    assert_ok(web_form_read(&rig.exchange));
    assert_true(form_file(&rig.exchange, STR("photo"), &file));
    assert_str_eq(file.name, STR("a.csv"));
    assert_str_eq(file.type, STR("text/csv"));
    assert_str_eq(file.bytes, STR("a\0b"));
    assert_false(form_file(&rig.exchange, STR("none"), &file));
    assert_false(form_has(&rig.exchange, STR("photo")));
    end(&rig);
}

TEST(what_is_no_form_is_refused)
{
    const struct {
        struct str type, body;
        enum err want;
    } rows[] = {
        {STR("text/plain"), STR("a=b"), ERR_RANGE},
        {STR(""), STR("a=b"), ERR_RANGE},
        {STR("application/jsonp"), STR("{}"), ERR_RANGE},
        {ENCODED, STR("a=%00"), ERR_INVALID},
        {MULTIPART, STR("--X\r\n"), ERR_INVALID},
        {MULTIPART, STR(PART("a") "\xff\r\n--X--"), ERR_INVALID},
        {JSON, STR(""), ERR_INVALID},
        {JSON, STR("[]"), ERR_INVALID},
        {JSON, STR("\"a\""), ERR_INVALID},
        {JSON, STR("{\"a\": 1, \"a\": 2}"), ERR_INVALID},
        {JSON, STR("{\"a\": \"\\u0000\"}"), ERR_INVALID},
        {JSON, STR("{\"a\": 1} x"), ERR_INVALID},
        {JSON, STR("{\"a\": 99999999999999999999}"), ERR_INVALID},
        {JSON, STR("{\"a\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"), ERR_LIMIT},
        {STR(""), STR(""), ERR_OK},
        {JSON, STR("{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[\"}"), ERR_OK},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        begin(&rig, rows[i].type, rows[i].body);
        enum err got = web_form_read(&rig.exchange);
        if (got != rows[i].want) {
            fail_msg("row %zu: %s", i, err_name(got));
        }
        end(&rig);
    }
}

TEST(a_form_has_only_so_many_fields)
{
    struct rig rig;
    struct buf body;
    buf_init(&body, 1 << 20);
    for (int i = 0; i <= WEB_FORM_FIELDS_MAX; i++) {
        buf_printf(&body, "f%d=1&", i);
    }
    begin(&rig, ENCODED, buf_str(&body));
    assert_err(web_form_read(&rig.exchange), ERR_LIMIT);
    end(&rig);
    buf_fini(&body);
}

TEST(only_paths_of_ours_are_gone_on_to)
{
    static const struct {
        const char *query, *want;
    } rows[] = {
        {"next=%2Frecords%3Fa%3Db", "/records?a=b"},
        {"", "/"},
        {"next=", "/"},
        {"next=https%3A%2F%2Fattacker.example", "/"},
        {"next=%2F%2Fattacker.example", "/"},
        {"next=%2F%5Cattacker.example", "/"},
        {"next=%5C%5Cattacker.example", "/"},
        {"next=%2Fa%0D%0AX%3A%20y", "/"},
        {"next=%2Fa%20b", "/"},
        {"next=javascript%3Aalert(1)", "/"},
        {"other=%2Fa", "/"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        begin(&rig, STR(""), STR(""));
        rig.request.query = str_from(rows[i].query);
        assert_str_eq(web_next_path(&rig.exchange), str_from(rows[i].want));
        end(&rig);
    }
}

TEST(a_path_is_made_of_escaped_parts)
{
    struct rig rig;
    const struct str parts[] = {STR("people"), STR("a/../b?c#d e")};
    begin(&rig, STR(""), STR(""));
    assert_str_eq(web_path(&rig.exchange, "/records/%/%", parts, 2),
                  STR("/records/people/a%2F..%2Fb%3Fc%23d%20e"));
    end(&rig);
}

TEST(bytes_that_a_person_uploaded_are_saved_and_not_shown)
{
    static const struct {
        const char *type, *name, *want_type, *want_headers;
    } rows[] = {
        {"image/png", "", "image/png", ""},
        {"text/html", "", "text/html",
         "Content-Disposition: attachment; filename=\"file\"; filename*=UTF-8''file\r\n"},
        {"image/svg+xml", "", "image/svg+xml",
         "Content-Disposition: attachment; filename=\"file\"; filename*=UTF-8''file\r\n"},
        {"image/png\r\nX: y", "a\"b\xc3\xab.png", "application/octet-stream",
         "Content-Disposition: attachment; filename=\"a_b__.png\"; "
         "filename*=UTF-8''a%22b%C3%AB.png\r\n"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct rig rig;
        begin(&rig, STR(""), STR(""));
        (void)page_bytes(&rig.exchange, str_from(rows[i].type), str_from(rows[i].name), STR("b"));
        assert_str_eq(rig.exchange.type, str_from(rows[i].want_type));
        assert_str_eq(buf_str(&rig.exchange.headers), str_from(rows[i].want_headers));
        assert_str_eq(buf_str(&rig.exchange.body), STR("b"));
        end(&rig);
    }
}

/* ---- the note behind a form ---- */

static struct keys *open_keys(char *folder)
{
    struct keys *keys;
    struct buf why;
    assert_non_null(mkdtemp(folder));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(fd >= 0);
    buf_init(&why, 1024);
    assert_ok(keys_open(fd, &keys, &why));
    buf_fini(&why);
    close(fd);
    return keys;
}

/* The cookie that a Set-Cookie line of the answer sets, "name=value". */
static struct str cookie_of(struct rig *rig)
{
    struct str line = str_skip(buf_str(&rig->exchange.headers), sizeof("Set-Cookie: ") - 1);
    return arena_dup(&rig->arena, str_sub(line, 0, str_index(line, ';')));
}

TEST(a_note_is_shown_to_the_session_that_it_was_left_for)
{
    static char folder[] = "/tmp/lodge-note-XXXXXX";
    struct rig left;
    struct rig shown;
    begin(&left, STR(""), STR(""));
    left.web.options.keys = open_keys(folder);
    left.exchange.session.id = STR("session");
    page_flash(&left.exchange, STR("success"), STR("Saved."));
    struct str cookie = cookie_of(&left);
    const struct {
        struct str session, cookie;
        bool want;
    } rows[] = {
        {STR("session"), cookie, true},
        {STR("other"), cookie, false},
        {STR("session"), str_sub(cookie, 0, cookie.len - 1), false},
        {STR("session"), STR("__Host-note=c3VjY2Vzcw"), false},
        {STR("session"), STR(""), false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(&shown, STR(""), STR(""));
        shown.web.options.keys = left.web.options.keys;
        shown.exchange.session.id = rows[i].session;
        shown.request.cookie = rows[i].cookie;
        json_t *flash = web_flash_take(&shown.exchange);
        assert_int_equal(flash != NULL, rows[i].want);
        if (flash != NULL) {
            assert_string_equal(json_string_value(json_object_get(flash, "kind")), "success");
            assert_string_equal(json_string_value(json_object_get(flash, "text")), "Saved.");
            assert_true(str_find(buf_str(&shown.exchange.headers), STR("Max-Age=0")) <
                        shown.exchange.headers.len);
        }
        json_decref(flash);
        end(&shown);
    }
    keys_close(left.web.options.keys);
    end(&left);
}

TESTS_MAIN(unit(one_form_reads_alike_however_it_was_sent), unit(the_token_is_no_field),
           unit(a_file_has_its_bytes_and_an_empty_field_is_none), unit(what_is_no_form_is_refused),
           unit(a_form_has_only_so_many_fields), unit(only_paths_of_ours_are_gone_on_to),
           unit(a_path_is_made_of_escaped_parts),
           unit(bytes_that_a_person_uploaded_are_saved_and_not_shown),
           unit(a_note_is_shown_to_the_session_that_it_was_left_for))
