/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "wire/mail.h"

#include "lib/test.h"

static const struct mail example = {
    .from = STR_INIT("lodge@school.example"),
    .from_name = STR_INIT("Lodge"),
    .to = STR_INIT("head@school.example"),
    .id = STR_INIT("abc234@gate.school.example"),
    .subject = STR_INIT("Hello"),
    .body = STR_INIT("One line.\n"),
    .date_ms = 1795428900123,
};

static bool has(const struct buf *text, const char *part)
{
    return str_find(buf_str(text), str_from(part)) < text->len;
}

static void print(const struct mail *mail, struct buf *to)
{
    buf_clear(to);
    assert_ok(mail_print(mail, to));
}

TEST(a_mail_is_printed_as_RFC_5322_and_MIME_say)
{
    struct buf to;
    buf_init(&to, 65536);
    print(&example, &to);
    assert_str_eq(buf_str(&to), STR("Date: Mon, 23 Nov 2026 10:15:00 +0000\r\n"
                                    "From: Lodge\r\n <lodge@school.example>\r\n"
                                    "To: <head@school.example>\r\n"
                                    "Message-ID: <abc234@gate.school.example>\r\n"
                                    "Subject: Hello\r\n"
                                    "Auto-Submitted: auto-generated\r\n"
                                    "MIME-Version: 1.0\r\n"
                                    "Content-Type: text/plain; charset=utf-8\r\n"
                                    "Content-Transfer-Encoding: quoted-printable\r\n"
                                    "\r\n"
                                    "One line.\r\n"));
    buf_fini(&to);
}

TEST(a_subject_that_is_not_plain_stands_in_encoded_words)
{
    static const struct {
        const char *subject, *printed;
    } cases[] = {
        {"", "\r\nSubject: \r\n"},
        {"St Mary's", "\r\nSubject: St Mary's\r\n"},
        {"Ysgol Tŷ Gwyn", "\r\nSubject: =?utf-8?B?WXNnb2wgVMW3IEd3eW4=?=\r\n"},
        {"=?utf-8?B?feigned?=", "\r\nSubject: =?utf-8?B?PT91dGYtOD9CP2ZlaWduZWQ/PQ==?=\r\n"},
        /* No letter is torn: 41 a's and a ŷ of two bytes do not fit in 42 together. */
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaŷ",
         "\r\nSubject: =?utf-8?B?YWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWE=?=\r\n"
         " =?utf-8?B?xbc=?=\r\n"},
    };
    struct mail mail = example;
    struct buf to;
    buf_init(&to, 65536);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mail.subject = str_from(cases[i].subject);
        print(&mail, &to);
        if (!has(&to, cases[i].printed)) {
            fail_msg("%s became %.*s", cases[i].subject, STR_ARG(buf_str(&to)));
        }
    }
    buf_fini(&to);
}

TEST(no_text_begins_a_header_or_ends_the_head)
{
    static const char *const texts[] = {"x\r\nBcc: all@school.example",
                                        "x\nBcc: all@school.example", "x\r\n\r\nA body",
                                        "x\x01\x7f\ty"};
    struct mail mail = example;
    struct buf to;
    buf_init(&to, 65536);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        mail.subject = str_from(texts[i]);
        mail.from_name = str_from(texts[i]);
        print(&mail, &to);
        assert_false(has(&to, "\nBcc:"));
        struct str head = str_sub(buf_str(&to), 0, str_find(buf_str(&to), STR("\r\n\r\n")));
        assert_true(str_ends(head, STR("quoted-printable")));
    }
    print(&(struct mail){.from = example.from,
                         .to = example.to,
                         .id = example.id,
                         .from_name = STR("St \"Mary\", <x@y>")},
          &to);
    assert_true(has(&to, "\r\nFrom: =?utf-8?B?"));
    buf_fini(&to);
}

TEST(what_is_no_address_is_refused)
{
    static const struct {
        const char *text;
        bool valid;
    } cases[] = {
        {"head@school.example", true},
        {"h.e+ad'x@a.b", true},
        {"root@localhost", true},
        {"x@[192.0.2.7]", true},
        {"x@[IPv6:2001:db8::1]", true},
        {"", false},
        {"head", false},
        {"@school.example", false},
        {"head@", false},
        {"a@b@c", false},
        {".a@b", false},
        {"a.@b", false},
        {"a..b@c", false},
        {"\"a b\"@c", false},
        {"a b@c", false},
        {"a@b c", false},
        {"a@b\r\nRCPT TO:<x@y>", false},
        {"a\r\n@b", false},
        {"a@b>", false},
        {"<a@b>", false},
        {"a@B.example", false},
        {"a@[192.0.2.7", false},
        {"a@[2001:db8::1]", false},
        {"t\xc5\xb7@school.example", false},
        {"a@192.0.2.7", false},
    };
    struct mail mail = example;
    struct buf to;
    buf_init(&to, 65536);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct str text = str_from(cases[i].text);
        if (mail_address_is_valid(text) != cases[i].valid) {
            fail_msg("%s", cases[i].text);
        }
        for (size_t place = 0; place < 3; place++) {
            mail = example;
            *(place == 0 ? &mail.to : place == 1 ? &mail.from : &mail.id) = text;
            buf_clear(&to);
            assert_int_equal(mail_print(&mail, &to), cases[i].valid ? ERR_OK : ERR_INVALID);
        }
    }
    char longest[MAIL_ADDRESS_MAX + 2];
    memset(longest, 'a', sizeof(longest));
    longest[1] = '@';
    for (size_t i = 62; i < sizeof(longest); i += 60) {
        longest[i] = '.';
    }
    assert_true(mail_address_is_valid(str_make(longest, 200)));
    assert_false(mail_address_is_valid(str_make(longest, MAIL_ADDRESS_MAX + 1)));
    buf_fini(&to);
}

TEST(a_body_is_quoted_where_it_must_be_and_broken_in_lines)
{
    static const struct {
        const char *body, *printed;
    } cases[] = {
        {"", "\r\n\r\n"},
        {"a = b\n", "\r\n\r\na =3D b\r\n"},
        {"no end", "\r\n\r\nno end\r\n"},
        {".\nFrom me\n", "\r\n\r\n=2E\r\n=46rom me\r\n"},
        {"space \ntab\t\n\n", "\r\n\r\nspace=20\r\ntab=09\r\n\r\n"},
        {"Tŷ\r\n", "\r\n\r\nT=C5=B7=0D\r\n"},
        {"0123456789012345678901234567890123456789012345678901234567890123456789012345678",
         "\r\n\r\n012345678901234567890123456789012345678901234567890123456789012345678901234=\r\n"
         "5678\r\n"},
    };
    struct mail mail = example;
    struct buf to;
    buf_init(&to, 65536);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mail.body = str_from(cases[i].body);
        print(&mail, &to);
        if (!str_ends(buf_str(&to), str_from(cases[i].printed))) {
            fail_msg("%s became %.*s", cases[i].body, STR_ARG(buf_str(&to)));
        }
    }
    buf_fini(&to);
}

TEST(what_is_not_UTF_8_is_refused)
{
    struct mail mail = example;
    struct buf to;
    buf_init(&to, 65536);
    mail.subject = STR("\xff");
    assert_err(mail_print(&mail, &to), ERR_INVALID);
    mail = example;
    mail.from_name = STR("\xc0\x80");
    assert_err(mail_print(&mail, &to), ERR_INVALID);
    mail = example;
    mail.body = STR("\xed\xa0\x80");
    assert_err(mail_print(&mail, &to), ERR_INVALID);
    buf_fini(&to);
    buf_init(&to, 100);
    assert_err(mail_print(&example, &to), ERR_LIMIT);
    buf_fini(&to);
}

TESTS_MAIN(unit(a_mail_is_printed_as_RFC_5322_and_MIME_say),
           unit(a_subject_that_is_not_plain_stands_in_encoded_words),
           unit(no_text_begins_a_header_or_ends_the_head), unit(what_is_no_address_is_refused),
           unit(a_body_is_quoted_where_it_must_be_and_broken_in_lines),
           unit(what_is_not_UTF_8_is_refused))
