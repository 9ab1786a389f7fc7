/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Both ends of front's line to the notary, and the console's certificate that comes of it. The
 * notary is a process of its own, as front waits for it. */
#include "proc/vouch.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "lib/folder.h"
#include "lib/test.h"
#include "proc/front_certificate.h"
#include "proc/front_vouch.h"
#include "proc/message.h"
#include "tls/certificate.h"
#include "tls/own.h"

static struct authority *ca;
static struct buf ca_chain;
static struct test_folder folder;
static struct conf conf;
static struct front_names names;

static struct authority *make_ca(void)
{
    struct buf key;
    struct buf certificate;
    struct authority *made;
    const char *why;
    buf_init(&key, 1 << 16);
    buf_init(&certificate, 1 << 16);
    assert_ok(authority_make(STR("Lodge at oak"), clock_utc_ms(), &key, &certificate));
    assert_ok(authority_open(buf_str(&key), buf_str(&certificate), clock_utc_ms(), &made, &why));
    buf_fini(&key);
    buf_fini(&certificate);
    return made;
}

static void take_ca(struct authority *authority)
{
    authority_free(ca);
    ca = authority;
    buf_fini(&ca_chain);
    buf_init(&ca_chain, 1 << 16);
    assert_ok(authority_chain(ca, &ca_chain));
}

static void begin(void)
{
    test_folder_open(&folder);
    take_ca(make_ca());
    memset(&conf, 0, sizeof(conf));
    assert_ok(front_names_parse(STR("lodge.school.example,192.0.2.7"), &names));
}

static void end(void)
{
    authority_free(ca);
    ca = NULL;
    buf_fini(&ca_chain);
    test_folder_close(&folder);
}

/* A notary whose line ends with its work; front's end of it. */
static int start_notary(pid_t *ret_pid)
{
    int pair[2];
    assert_ok(ipc_pair(pair));
    *ret_pid = fork();
    assert_true(*ret_pid >= 0);
    if (*ret_pid == 0) {
        struct loop *loop;
        struct vouch vouch;
        int chain_fd = -1;
        close(pair[1]);
        if (loop_new(&loop) != ERR_OK ||
            file_memory("chain", buf_str(&ca_chain), &chain_fd) != ERR_OK) {
            _exit(1);
        }
        vouch_init(&vouch, loop, ca);
        vouch_take(&vouch, pair[0], &names, chain_fd);
        while (vouch.io.fd >= 0 && loop_turn(loop, -1) == ERR_OK) {
        }
        _exit(0);
    }
    close(pair[0]);
    return pair[1];
}

static void end_notary(int fd, pid_t pid)
{
    int status;
    close(fd);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* Opens the console's certificate as front does at its start; its text is left in `text`. */
static enum certificate_from open_at(int64_t now_ms, bool with_notary, struct buf *text)
{
    struct front_certificate certificate;
    pid_t pid = 0;
    int line = with_notary ? start_notary(&pid) : -1;
    assert_ok(front_certificate_open(folder.fd, line, &conf, &names, now_ms, &certificate));
    if (with_notary) {
        end_notary(line, pid);
    }
    tls_leaf_free(certificate.leaf);
    buf_init(text, 1 << 16);
    assert_ok(file_read(folder.fd, FRONT_CERTIFICATE, text));
    return certificate.from;
}

static bool is_ours(const struct buf *text)
{
    return own_is_for(buf_str(text), names.hosts, names.n) &&
           own_is_from(buf_str(text), buf_str(&ca_chain));
}

TEST(the_notary_signs_for_the_console_s_names_and_no_other)
{
    struct buf text;
    struct certificate read;
    struct host other;
    int64_t now = clock_utc_ms();
    begin();
    assert_int_equal(open_at(now, true, &text), CERTIFICATE_GATES);
    assert_true(is_ours(&text));
    assert_ok(host_parse(STR("bank.example"), &other));
    assert_false(own_is_for(buf_str(&text), &other, 1));
    assert_ok(certificate_read(buf_str(&text), &read));
    assert_true(read.until_ms - read.from_ms < 398LL * MS_PER_DAY);
    assert_true(read.until_ms > now + 390LL * MS_PER_DAY);
    assert_int_equal(certificate_count(buf_str(&text)), 2);
    buf_fini(&text);
    end();
}

TEST(a_certificate_stays_until_something_is_wrong_with_it)
{
    struct buf first;
    struct buf then;
    int64_t now = clock_utc_ms();
    static const struct {
        int64_t days; /* later */
        bool name;    /* one more */
        bool ca;      /* another */
        bool notary;
        bool same;
        enum certificate_from from;
    } rows[] = {
        {.notary = true, .same = true, .from = CERTIFICATE_GATES},
        {.days = 360, .notary = true, .same = true, .from = CERTIFICATE_GATES},
        {.days = 368, .notary = true, .from = CERTIFICATE_GATES},
        {.name = true, .notary = true, .from = CERTIFICATE_GATES},
        {.ca = true, .notary = true, .from = CERTIFICATE_GATES},
        {.same = true, .from = CERTIFICATE_OURS},
        {.days = 368, .from = CERTIFICATE_OURS},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin();
        assert_int_equal(open_at(now, true, &first), CERTIFICATE_GATES);
        if (rows[i].name) {
            front_names_add(&names, STR("lodge"));
        }
        if (rows[i].ca) {
            take_ca(make_ca());
        }
        enum certificate_from from =
            open_at(now + rows[i].days * MS_PER_DAY, rows[i].notary, &then);
        assert_int_equal(from, rows[i].from);
        assert_int_equal(str_eq(buf_str(&first), buf_str(&then)), rows[i].same);
        assert_int_equal(is_ours(&then), rows[i].notary || rows[i].same);
        buf_fini(&first);
        buf_fini(&then);
        end();
    }
}

TEST(without_a_notary_the_console_signs_for_itself_until_there_is_one)
{
    struct buf text;
    int64_t now = clock_utc_ms();
    begin();
    assert_int_equal(open_at(now, false, &text), CERTIFICATE_OURS);
    assert_false(is_ours(&text));
    assert_int_equal(certificate_count(buf_str(&text)), 1);
    buf_fini(&text);
    assert_int_equal(open_at(now, true, &text), CERTIFICATE_GATES);
    assert_true(is_ours(&text));
    buf_fini(&text);
    end();
}

TEST(a_key_and_a_certificate_that_a_power_cut_left_apart_are_made_again)
{
    struct buf text;
    struct test_folder other;
    int64_t now = clock_utc_ms();
    begin();
    assert_int_equal(open_at(now, true, &text), CERTIFICATE_GATES);
    buf_fini(&text);
    test_folder_open(&other);
    struct test_folder first = folder;
    folder = other;
    assert_int_equal(open_at(now, true, &text), CERTIFICATE_GATES);
    folder = first;
    assert_ok(file_write(folder.fd, FRONT_CERTIFICATE, buf_str(&text), 0644));
    buf_fini(&text);
    assert_int_equal(open_at(now, true, &text), CERTIFICATE_GATES);
    assert_true(is_ours(&text));
    buf_fini(&text);
    test_folder_close(&other);
    end();
}

/* The answer to one message of front's; *ret_closed: the line ends behind it. */
static size_t ask(enum message type, struct str bytes, size_t times)
{
    struct ipc_message message;
    size_t answers = 0;
    pid_t pid;
    int fd = start_notary(&pid);
    struct file_map chain;
    assert_ok(front_vouch_issuer(fd, &chain));
    file_map_fini(&chain);
    for (size_t i = 0; i < times; i++) {
        (void)!message_send_bytes(fd, type, bytes);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid); /* it has closed the line */
    assert_int_equal(status, 0);
    enum err err = message_receive(fd, &message);
    for (; err == ERR_OK; err = message_receive(fd, &message)) {
        answers += message.type == MESSAGE_CERTIFICATE && message.len != 0;
        ipc_message_fini(&message);
    }
    close(fd);
    return answers;
}

TEST(a_front_that_was_taken_over_gets_no_leaf_for_a_site_and_no_second_certificate)
{
    struct buf public_key;
    struct tls_key *key;
    begin();
    buf_init(&public_key, 1024);
    assert_ok(tls_key_make(&key));
    assert_ok(tls_key_print_public(key, &public_key));
    assert_int_equal(ask(MESSAGE_PUBLIC_KEY, buf_str(&public_key), 1), 1);
    /* What was not read when the line closed may take the answer away too (unix(7)). */
    assert_true(ask(MESSAGE_PUBLIC_KEY, buf_str(&public_key), 5) <= 1);
    assert_int_equal(ask(MESSAGE_SIGN, STR("bank.example"), 1), 0);
    assert_int_equal(ask(MESSAGE_PUBLIC_KEY, STR("bank.example"), 1), 0);
    assert_int_equal(ask(MESSAGE_PUBLIC_KEY, STR(""), 1), 0);
    buf_append(&public_key, STR("x"));
    assert_int_equal(ask(MESSAGE_PUBLIC_KEY, buf_str(&public_key), 1), 0);
    tls_key_free(key);
    buf_fini(&public_key);
    end();
}

TEST(a_name_that_holds_for_many_is_not_vouched_for)
{
    struct buf text;
    begin();
    names.hosts[0] = names.hosts[1];
    memcpy(names.hosts[0].text, "*", 1);
    assert_int_equal(open_at(clock_utc_ms(), true, &text), CERTIFICATE_OURS);
    buf_fini(&text);
    end();
}

TESTS_MAIN(unit(the_notary_signs_for_the_console_s_names_and_no_other),
           unit(a_certificate_stays_until_something_is_wrong_with_it),
           unit(without_a_notary_the_console_signs_for_itself_until_there_is_one),
           unit(a_key_and_a_certificate_that_a_power_cut_left_apart_are_made_again),
           unit(a_front_that_was_taken_over_gets_no_leaf_for_a_site_and_no_second_certificate),
           unit(a_name_that_holds_for_many_is_not_vouched_for))
