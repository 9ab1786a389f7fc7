/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Answers that are read: programs by content (R129), pages in their place, and everything else byte
 * for byte. In the rig pupils-ks2 may not have executables; others may. */
#include <unistd.h>
#include <zlib.h>

#include "lib/proxy_rig.h"
#include "lib/test.h"
#include "policy/decide.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const char GET_A[] = "GET http://a.test:%O/photo.jpg HTTP/1.1\r\nHost: a.test\r\n\r\n";

enum { PROGRAM_LEN = 600 };

static struct str program(void)
{
    static char bytes[PROGRAM_LEN] = "MZ\x90\0\3\0\0\0\4";
    memcpy(bytes + PROGRAM_LEN - 5, "PROOF", 5);
    return str_make(bytes, PROGRAM_LEN);
}

static void gzip(struct str bytes, struct buf *to)
{
    z_stream z = {0};
    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    char *p = buf_reserve(to, bytes.len + 100);
    z.next_in = (Bytef *)(uintptr_t)bytes.p;
    z.avail_in = (unsigned)bytes.len;
    z.next_out = (Bytef *)p;
    z.avail_out = (unsigned)bytes.len + 100;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    buf_commit(to, bytes.len + 100 - z.avail_out);
    (void)deflateEnd(&z);
}

struct pair {
    struct rig rig;
    int client, origin;
};

static void begin(struct pair *pair, const char *group, const char *request)
{
    rig_new(&pair->rig);
    rig_set_unknown(&pair->rig, group);
    pair->client = rig_ask(&pair->rig, request);
    pair->origin = rig_origin(&pair->rig);
    rig_read(&pair->rig, pair->origin, "\r\n\r\n");
}

static void end(struct pair *pair)
{
    close(pair->client);
    close(pair->origin);
    rig_free(&pair->rig);
}

static void answer(struct pair *pair, const char *head, struct str body)
{
    struct buf all;
    buf_init(&all, 1 << 20);
    buf_printf(&all, "HTTP/1.1 200 OK\r\n%sContent-Length: %zu\r\n\r\n", head, body.len);
    buf_append(&all, body);
    rig_say_bytes(&pair->rig, pair->origin, buf_str(&all));
    buf_fini(&all);
}

static void expect_refused(struct pair *pair, enum reason reason)
{
    struct str got = rig_read(&pair->rig, pair->client, "</html>");
    assert_true(str_starts(got, STR("HTTP/1.1 403 Forbidden\r\n")));
    assert_lacks(got, "MZ");
    assert_lacks(got, "PROOF");
    const struct rig_event *event = rig_last(&pair->rig);
    assert_int_equal(pair->rig.n_events, 1);
    assert_int_equal(event->kind, EVENT_REQUEST);
    assert_int_equal(event->action, ACTION_BLOCK);
    assert_int_equal(event->reason, reason);
    assert_int_equal(event->status, 403);
    assert_string_equal(event->rule, "table/programs/pupils-ks2");
}

TEST(R129_a_program_under_the_name_of_a_picture_is_refused_with_the_page)
{
    struct pair pair;
    begin(&pair, "pupils-ks2", GET_A);
    answer(&pair, "Content-Type: image/jpeg\r\n", program());
    expect_refused(&pair, REASON_TABLE);
    assert_has(buf_str(&pair.rig.got), "programs and new apps");
    end(&pair);
}

TEST(R129_who_may_have_programs_gets_it_byte_for_byte)
{
    struct pair pair;
    begin(&pair, "staff", GET_A);
    answer(&pair, "Content-Type: image/jpeg\r\n", program());
    struct str got = rig_read(&pair.rig, pair.client, "PROOF");
    assert_true(str_ends(got, program()));
    assert_int_equal(rig_last(&pair.rig)->action, ACTION_ALLOW);
    end(&pair);
}

TEST(R129_a_program_in_gzip_or_in_two_codings_is_refused)
{
    struct buf once;
    struct buf twice;
    buf_init(&once, 1 << 16);
    buf_init(&twice, 1 << 16);
    gzip(program(), &once);
    gzip(buf_str(&once), &twice);
    struct pair pair;
    begin(&pair, "pupils-ks2", GET_A);
    answer(&pair, "Content-Encoding: gzip\r\n", buf_str(&once));
    expect_refused(&pair, REASON_TABLE);
    end(&pair);
    begin(&pair, "pupils-ks2", GET_A);
    answer(&pair, "Content-Encoding: gzip\r\nContent-Encoding: x-gzip\r\n", buf_str(&twice));
    expect_refused(&pair, REASON_TABLE);
    end(&pair);
    buf_fini(&once);
    buf_fini(&twice);
}

TEST(R129_a_program_in_chunks_of_one_byte_is_refused)
{
    struct pair pair;
    begin(&pair, "pupils-ks2", GET_A);
    rig_say(&pair.rig, pair.origin, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    struct str bytes = program();
    for (size_t i = 0; i < 70; i++) {
        struct buf chunk;
        buf_init(&chunk, 16);
        buf_append(&chunk, STR("1\r\n"));
        buf_append_byte(&chunk, bytes.p[i]);
        buf_append(&chunk, STR("\r\n"));
        rig_say_bytes(&pair.rig, pair.origin, buf_str(&chunk));
        buf_fini(&chunk);
    }
    expect_refused(&pair, REASON_TABLE);
    end(&pair);
}

TEST(R129_names_and_types_are_refused_before_the_body)
{
    static const char *const heads[] = {
        "Content-Type: application/x-msdownload\r\n",
        "Content-Disposition: attachment; filename=\"game.EXE\"\r\n",
        "Content-Disposition: attachment; filename=a.txt; filename*=UTF-8''run%2Eps1\r\n",
    };
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct pair pair;
        begin(&pair, "pupils-ks2", GET_A);
        answer(&pair, heads[i], STR("just a text"));
        expect_refused(&pair, REASON_TABLE);
        end(&pair);
    }
    struct pair pair;
    begin(&pair, "pupils-ks2", "GET http://a.test:%O/game%2eexe HTTP/1.1\r\nHost: a.test\r\n\r\n");
    answer(&pair, "", STR("just a text"));
    expect_refused(&pair, REASON_TABLE);
    end(&pair);
    begin(&pair, "pupils-ks2", "GET http://a.test:%O/game.exe HTTP/1.1\r\nHost: a.test\r\n\r\n");
    answer(&pair, "Content-Type: text/html\r\n", STR("<p>A page about it</p>"));
    assert_has(rig_read(&pair.rig, pair.client, "</p>"), "HTTP/1.1 200 OK");
    end(&pair);
}

TEST(R129_what_cannot_be_decoded_is_refused_for_doubt)
{
    static const char *const heads[] = {
        "Content-Encoding: compress\r\n",
        "Content-Encoding: gzip\r\n",
        "Content-Encoding: gzip, gzip, gzip, gzip, gzip\r\n",
        "Content-Encoding: dcb\r\n",
    };
    for (size_t i = 0; i < COUNT(heads); i++) {
        struct pair pair;
        begin(&pair, "pupils-ks2", GET_A);
        answer(&pair, heads[i], STR("\x1f\x9d\x90 none of these"));
        expect_refused(&pair, REASON_DOUBT);
        end(&pair);
        begin(&pair, "staff", GET_A);
        answer(&pair, heads[i], STR("\x1f\x9d\x90 none of these"));
        assert_has(rig_read(&pair.rig, pair.client, "of these"), "HTTP/1.1 200 OK");
        end(&pair);
    }
}

TEST(R129_ranges_are_read_from_their_start_and_doubted_just_behind_it)
{
    static const struct {
        const char *range;
        bool program, refused;
        enum reason reason;
    } rows[] = {
        {"Content-Range: bytes 0-599/600\r\n", true, true, REASON_TABLE},
        {"Content-Range: bytes 0-599/600\r\n", false, false, REASON_UNSET},
        {"Content-Range: bytes 1-600/601\r\n", false, true, REASON_DOUBT},
        {"Content-Range: bytes 4095-4694/9000\r\n", false, true, REASON_DOUBT},
        {"Content-Range: bytes 4096-4695/9000\r\n", false, false, REASON_UNSET},
        {"Content-Range: items 0-599/600\r\n", false, true, REASON_DOUBT},
        {"Content-Type: multipart/byteranges; boundary=x\r\n", false, true, REASON_DOUBT},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair pair;
        struct buf all;
        char text[PROGRAM_LEN];
        memset(text, 'x', sizeof(text));
        begin(&pair, "pupils-ks2", GET_A);
        buf_init(&all, 1 << 16);
        buf_printf(&all, "HTTP/1.1 206 Partial\r\n%sContent-Length: 600\r\n\r\n", rows[i].range);
        buf_append(&all, rows[i].program ? program() : str_make(text, sizeof(text)));
        rig_say_bytes(&pair.rig, pair.origin, buf_str(&all));
        if (rows[i].refused) {
            expect_refused(&pair, rows[i].reason);
        } else {
            assert_has(rig_read(&pair.rig, pair.client, "xxx"), "HTTP/1.1 206 Partial");
        }
        buf_fini(&all);
        end(&pair);
    }
}

/* A member's header of an archive. */
static const char TEXT_MEMBER[] =
    "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0a.txt";
static const char EXE_MEMBER[] =
    "PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5\0\0\0b.exe";

TEST(R129_an_archive_is_cut_off_before_the_name_of_a_program_in_it)
{
    struct pair pair;
    struct buf body;
    begin(&pair, "pupils-ks2", GET_A);
    buf_init(&body, 1 << 16);
    buf_append(&body, str_make(TEXT_MEMBER, sizeof(TEXT_MEMBER) - 1));
    for (size_t i = 0; i < 9000; i++) {
        buf_append_byte(&body, 'x');
    }
    rig_say(&pair.rig, pair.origin, "HTTP/1.1 200 OK\r\nContent-Length: 20000\r\n\r\n");
    rig_say_bytes(&pair.rig, pair.origin, buf_str(&body));
    assert_has(rig_read(&pair.rig, pair.client, "xxxx"), "HTTP/1.1 200 OK");
    rig_settle(&pair.rig);
    rig_say_bytes(&pair.rig, pair.origin, str_make(EXE_MEMBER, sizeof(EXE_MEMBER) - 1));
    struct str got = rig_read_end(&pair.rig, pair.client);
    assert_lacks(got, "b.exe");
    rig_events(&pair.rig);
    assert_int_equal(pair.rig.n_events, 2);
    assert_int_equal(pair.rig.events[0].action, ACTION_ALLOW);
    assert_int_equal(pair.rig.events[1].kind, EVENT_CLOSE);
    assert_int_equal(pair.rig.events[1].end, EVENT_END_POLICY);
    assert_string_equal(pair.rig.events[1].rule, "table/programs/pupils-ks2");
    buf_fini(&body);
    end(&pair);
}

TEST(R129_an_archive_that_begins_with_a_program_is_refused_with_the_page)
{
    struct pair pair;
    begin(&pair, "pupils-ks2", GET_A);
    answer(&pair, "", str_make(EXE_MEMBER, sizeof(EXE_MEMBER) - 1));
    expect_refused(&pair, REASON_TABLE);
    end(&pair);
}

TEST(what_is_no_program_arrives_byte_for_byte_in_every_framing)
{
    static const struct {
        const char *request, *answer, *until, *has;
    } rows[] = {
        {GET_A, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "hello", "\r\n\r\nhello"},
        {GET_A, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "\r\n\r\n", "200 OK"},
        {GET_A,
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\n"
         "X-Sum: 1\r\n\r\n",
         "X-Sum: 1\r\n\r\n", "\r\n\r\n3;x=y\r\nhel\r\n2\r\nlo\r\n0\r\nX-Sum: 1\r\n\r\n"},
        {GET_A, "HTTP/1.1 304 Not Modified\r\nETag: \"x\"\r\n\r\n", "\r\n\r\n", "304 Not"},
        {GET_A, "HTTP/1.1 204 No Content\r\n\r\n", "\r\n\r\n", "204 No"},
        {"HEAD http://a.test:%O/x.exe HTTP/1.1\r\nHost: a.test\r\n\r\n",
         "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", "\r\n\r\n", "Content-Length: 500"},
        {"GET http://a.test:%O/ HTTP/1.0\r\nHost: a.test\r\n\r\n",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
         "hello", "\r\n\r\nhello"},
        {GET_A,
         "HTTP/1.1 103 Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"
         "ok",
         "ok", "103 Hints"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct pair pair;
        begin(&pair, "pupils-ks2", rows[i].request);
        rig_say(&pair.rig, pair.origin, rows[i].answer);
        assert_has(rig_read(&pair.rig, pair.client, rows[i].until), rows[i].has);
        assert_int_equal(rig_last(&pair.rig)->action, ACTION_ALLOW);
        end(&pair);
    }
}

TEST(an_answer_that_ends_with_its_connection_is_read_to_its_end)
{
    struct pair pair;
    begin(&pair, "pupils-ks2", GET_A);
    rig_say(&pair.rig, pair.origin, "HTTP/1.1 200 OK\r\n\r\n#!/bin/sh\n");
    rig_settle(&pair.rig);
    assert_true(rig_is_quiet(&pair.rig, pair.client));
    close(pair.origin);
    expect_refused(&pair, REASON_TABLE);
    close(pair.client);
    rig_free(&pair.rig);
    begin(&pair, "pupils-ks2", GET_A);
    rig_say(&pair.rig, pair.origin, "HTTP/1.1 200 OK\r\n\r\nhello");
    close(pair.origin);
    struct str got = rig_read_end(&pair.rig, pair.client);
    assert_true(str_ends(got, STR("\r\n\r\nhello")));
    assert_int_equal(rig_last(&pair.rig)->end == EVENT_END_DONE ||
                         rig_last(&pair.rig)->kind == EVENT_REQUEST,
                     true);
    close(pair.client);
    rig_free(&pair.rig);
}

TEST(an_answer_held_back_goes_out_when_its_site_is_slow)
{
    struct pair pair;
    begin(&pair, "pupils-ks2", GET_A);
    rig_say(&pair.rig, pair.origin, "HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\nslow");
    assert_has(rig_read(&pair.rig, pair.client, "slow"), "HTTP/1.1 200 OK");
    rig_say(&pair.rig, pair.origin, "more");
    assert_str_eq(rig_read(&pair.rig, pair.client, "more"), STR("more"));
    end(&pair);
}

TEST(R129_a_program_that_drips_is_cut_off)
{
    struct pair pair;
    begin(&pair, "pupils-ks2", GET_A);
    rig_say(&pair.rig, pair.origin, "HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\nMZ");
    assert_has(rig_read(&pair.rig, pair.client, "\r\n\r\nMZ"), "HTTP/1.1 200 OK");
    rig_say_bytes(&pair.rig, pair.origin, str_skip(program(), 2));
    assert_int_equal(rig_read_end(&pair.rig, pair.client).len, 0);
    assert_int_equal(rig_last(&pair.rig)->end, EVENT_END_POLICY);
    end(&pair);
}

TEST(a_site_that_goes_while_its_answer_is_held_gives_a_page)
{
    struct pair pair;
    begin(&pair, "pupils-ks2", GET_A);
    rig_say(&pair.rig, pair.origin, "HTTP/1.1 200 OK\r\nContent-Length: 600\r\n\r\nhello");
    rig_settle(&pair.rig);
    close(pair.origin);
    struct str got = rig_read(&pair.rig, pair.client, "</html>");
    assert_true(str_starts(got, STR("HTTP/1.1 502 ")));
    rig_events(&pair.rig);
    assert_int_equal(pair.rig.n_events, 1);
    close(pair.client);
    rig_free(&pair.rig);
}

TEST(a_kept_connection_goes_on_behind_answers_that_were_read)
{
    struct pair pair;
    begin(&pair, "pupils-ks2", GET_A);
    for (int i = 0; i < 3; i++) {
        answer(&pair, "", STR("hello"));
        rig_read(&pair.rig, pair.client, "hello");
        rig_say(&pair.rig, pair.client, GET_A);
        rig_read(&pair.rig, pair.origin, "\r\n\r\n");
    }
    answer(&pair, "", program());
    struct str got = rig_read(&pair.rig, pair.client, "</html>");
    assert_true(str_starts(got, STR("HTTP/1.1 403 Forbidden\r\n")));
    end(&pair);
}

TESTS_MAIN(unit(R129_a_program_under_the_name_of_a_picture_is_refused_with_the_page),
           unit(R129_who_may_have_programs_gets_it_byte_for_byte),
           unit(R129_a_program_in_gzip_or_in_two_codings_is_refused),
           unit(R129_a_program_in_chunks_of_one_byte_is_refused),
           unit(R129_names_and_types_are_refused_before_the_body),
           unit(R129_what_cannot_be_decoded_is_refused_for_doubt),
           unit(R129_ranges_are_read_from_their_start_and_doubted_just_behind_it),
           unit(R129_an_archive_is_cut_off_before_the_name_of_a_program_in_it),
           unit(R129_an_archive_that_begins_with_a_program_is_refused_with_the_page),
           unit(what_is_no_program_arrives_byte_for_byte_in_every_framing),
           unit(an_answer_that_ends_with_its_connection_is_read_to_its_end),
           unit(an_answer_held_back_goes_out_when_its_site_is_slow),
           unit(R129_a_program_that_drips_is_cut_off),
           unit(a_site_that_goes_while_its_answer_is_held_gives_a_page),
           unit(a_kept_connection_goes_on_behind_answers_that_were_read))
