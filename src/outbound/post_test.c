/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "outbound/post.h"

#include "lib/test.h"

static enum err set(struct conf *conf, const char *name, const char *value)
{
    struct buf why;
    buf_init(&why, 1024);
    enum err err = conf_set(conf, str_from(name), str_from(value), &why);
    buf_fini(&why);
    return err;
}

TEST(what_the_operator_says_of_the_server_is_read_and_faults_are_named)
{
    static const struct {
        const char *server, *tls, *from, *login, *address, *why;
    } cases[] = {
        {"mail.oak.example:587", "starttls", "l@oak.example", "", "smtp://mail.oak.example:587",
         ""},
        {"Mail.Oak.Example:465", "implicit", "l@oak.example", "x", "smtps://mail.oak.example:465",
         ""},
        {"127.0.0.1:25", "none", "l@oak.example", "x", "smtp://127.0.0.1:25", ""},
        {"[::1]:25", "none", "l@oak.example", "x", "smtp://[::1]:25", ""},
        {"192.0.2.7:25", "none", "l@oak.example", "", "smtp://192.0.2.7:25", ""},
        {"192.0.2.7:25", "none", "l@oak.example", "x", NULL, "in the clear"},
        {"localhost:25", "none", "l@oak.example", "x", NULL, "in the clear"},
        {"mail.oak.example", "starttls", "l@oak.example", "", NULL, "HOST:PORT"},
        {"mail.oak.example:0", "starttls", "l@oak.example", "", NULL, "HOST:PORT"},
        {"u@mail.oak.example:25", "starttls", "l@oak.example", "", NULL, "HOST:PORT"},
        {"mail.oak.example:25/x", "starttls", "l@oak.example", "", NULL, "HOST:PORT"},
        {"mail.oak.example:25", "maybe", "l@oak.example", "", NULL, "mail-tls"},
        {"mail.oak.example:25", "starttls", "", "", NULL, "mail-from"},
        {"mail.oak.example:25", "starttls", "l@oak.example> SIZE=1", "", NULL, "mail-from"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct post_server server;
        struct conf conf;
        struct buf why;
        buf_init(&why, 1024);
        conf_init(&conf);
        assert_ok(set(&conf, "mail-server", cases[i].server));
        assert_ok(set(&conf, "mail-tls", cases[i].tls));
        assert_ok(set(&conf, "mail-from", cases[i].from));
        assert_ok(set(&conf, "mail-login", cases[i].login));
        enum err err = post_server_read(&conf, &server, &why);
        assert_int_equal(err, cases[i].address != NULL ? ERR_OK : ERR_INVALID);
        if (err == ERR_OK) {
            assert_string_equal(server.address, cases[i].address);
            assert_string_equal(server.from, cases[i].from);
        }
        if (str_find(buf_str(&why), str_from(cases[i].why)) == why.len && why.len != 0) {
            fail_msg("%s: %.*s", cases[i].server, STR_ARG(buf_str(&why)));
        }
        buf_fini(&why);
    }
}

TEST(a_login_is_two_lines)
{
    static const struct {
        const char *text, *name, *password;
    } cases[] = {
        {"lodge\nsecret word\n", "lodge", "secret word"},
        {"lodge@oak.example\r\ns:=x", "lodge@oak.example", "s:=x"},
        {"lodge\np\n\n", "lodge", "p"},
        {"", NULL, NULL},
        {"lodge", NULL, NULL},
        {"lodge\n\n", NULL, NULL},
        {"\np\n", NULL, NULL},
        {"lodge\np\nmore\n", NULL, NULL},
        {"lod\rge\np\n", NULL, NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct post_server server = {{0}};
        struct buf why;
        buf_init(&why, 1024);
        enum err err = post_login_read(str_from(cases[i].text), &server, &why);
        assert_int_equal(err, cases[i].name != NULL ? ERR_OK : ERR_INVALID);
        assert_string_equal(server.name, cases[i].name != NULL ? cases[i].name : "");
        assert_string_equal(server.password, cases[i].name != NULL ? cases[i].password : "");
        buf_fini(&why);
    }
    char long_line[2 * POST_LOGIN_MAX];
    memset(long_line, 'a', sizeof(long_line));
    long_line[2] = '\n';
    struct post_server server = {{0}};
    struct buf why;
    buf_init(&why, 1024);
    assert_err(post_login_read(str_make(long_line, sizeof(long_line)), &server, &why), ERR_INVALID);
    assert_string_equal(server.name, "");
    buf_fini(&why);
}

TESTS_MAIN(unit(what_the_operator_says_of_the_server_is_read_and_faults_are_named),
           unit(a_login_is_two_lines))
