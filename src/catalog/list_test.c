/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/list.h"

#include "base/buf.h"
#include "lib/test.h"

/* Everything a reading says, as text: "1 host a.example", "2 ! why", a line each. */
static void say_text(struct buf *to, struct str text)
{
    buf_append(to, STR(" "));
    buf_append(to, text);
}

static enum err say_entry(void *ctx, const struct list_entry *entry)
{
    static const char *const kinds[] = {"", "host", "exact", "url", "cidr", "hash"};
    struct buf *to = ctx;
    char text[ADDR_TEXT_MAX];
    buf_printf(to, "%u %s", entry->line, kinds[entry->kind]);
    if (entry->kind == LIST_ENTRY_CIDR) {
        size_t len = addr_print(&entry->addr, text);
        say_text(to, str_make(text, len));
        buf_printf(to, "/%u", entry->bits);
    } else if (entry->kind == LIST_ENTRY_HASH) {
        buf_printf(to, " %02x %s", entry->host_hash[0], entry->has_url_hash ? "url" : "-");
    } else {
        say_text(to, host_str(entry->host));
    }
    if (entry->kind == LIST_ENTRY_URL) {
        say_text(to, entry->path);
        say_text(to, entry->has_query ? entry->query : STR("-"));
    }
    buf_append_byte(to, '\n');
    return ERR_OK;
}

static void say_fault(void *ctx, enum list_fault fault, uint32_t line, struct str text)
{
    struct buf *to = ctx;
    buf_printf(to, "%u %s %s:", line, list_fault_is_bad(fault) ? "bad" : "skipped",
               list_fault_text(fault));
    say_text(to, text);
    buf_append_byte(to, '\n');
}

static enum err say_include(void *ctx, struct str name, struct str attributes)
{
    struct buf *to = ctx;
    buf_append(to, STR("include"));
    say_text(to, name);
    say_text(to, attributes);
    buf_append_byte(to, '\n');
    return ERR_OK;
}

static void expect(enum list_format format, struct str text, const char *attributes,
                   const char *want)
{
    struct buf said;
    buf_init(&said, 1 << 20);
    struct list_sink sink = {.ctx = &said,
                             .entry = say_entry,
                             .fault = say_fault,
                             .include = say_include,
                             .attributes = str_from(attributes)};
    assert_ok(list_read(format, text, &sink));
    assert_str_eq(buf_str(&said), str_from(want));
    buf_fini(&said);
}

TEST(domains_are_names_with_comments_and_wildcards_of_several_habits)
{
    expect(LIST_DOMAINS,
           STR("\xef\xbb\xbf# head\na.example\r\n\n  B.Example.  # why\n*.c.example\n.d.example\n"
               "; x\n! y\nb\xc3\xbc"
               "cher.example\n1.2.3.4\n2001:db8::1\nlast.example"),
           "",
           "2 host a.example\n4 host b.example\n5 host c.example\n6 host d.example\n"
           "9 host xn--bcher-kva.example\n10 host 1.2.3.4\n11 host 2001:db8::1\n"
           "12 host last.example\n");
}

TEST(domains_that_are_none_are_counted_and_never_guessed)
{
    expect(LIST_DOMAINS,
           STR("a..example\nlocal\na.example/b\n||ads.example^\nx y.example\n-\n*.*.a\n"), "",
           "1 bad not a host name or an address: a..example\n"
           "2 bad a name of one label, which would close a whole top-level domain: local\n"
           "3 bad not a host name or an address: a.example/b\n"
           "4 skipped a filter pattern of an advertisement blocker: ||ads.example^\n"
           "5 bad not a host name or an address: x y.example\n"
           "6 bad a name of one label, which would close a whole top-level domain: -\n"
           "7 bad not a host name or an address: *.*.a\n");
}

TEST(hosts_files_give_every_name_but_those_of_the_machine)
{
    expect(LIST_HOSTS,
           STR("127.0.0.1 localhost localhost.localdomain\n0.0.0.0 0.0.0.0\nfe80::1%lo0 localhost\n"
               "0.0.0.0\ta.example b.example # c.example\n:: d.example\nnonsense e.example\n"),
           "",
           "1 skipped a name of the machine itself: localhost\n"
           "1 skipped a name of the machine itself: localhost.localdomain\n"
           "2 skipped a name of the machine itself: 0.0.0.0\n"
           "3 skipped a name of the machine itself: localhost\n"
           "4 host a.example\n4 host b.example\n5 host d.example\n"
           "6 bad not an address or a prefix in CIDR form: nonsense\n");
}

TEST(urls_are_hosts_with_paths_and_queries)
{
    expect(
        LIST_URLS,
        STR("# c\nhttp://a.example/x/../y\nb.example/\nc.example/p?q=1\nd.example/i?\n"
            "e.example/?v=1\nf.example/a#part\nhttps://u:p@g.example:8443/s\nhttp://\nlocal/x\n"),
        "",
        "2 url a.example /y -\n3 host b.example\n4 url c.example /p q=1\n5 url d.example /i -\n"
        "6 url e.example / v=1\n7 url f.example /a -\n8 url g.example /s -\n"
        "9 bad not a URL: http://\n"
        "10 bad a name of one label, which would close a whole top-level domain: local/x\n");
}

TEST(a_url_too_long_or_with_too_many_parameters_is_refused)
{
    struct buf text;
    buf_init(&text, 1 << 16);
    buf_append(&text, STR("a.example/"));
    for (size_t i = 0; i < LIST_URL_MAX; i++) {
        buf_append_byte(&text, 'x');
    }
    struct buf said;
    buf_init(&said, 1 << 16);
    struct list_sink sink = {.ctx = &said, .entry = say_entry, .fault = say_fault};
    assert_ok(list_read(LIST_URLS, buf_str(&text), &sink));
    assert_true(str_starts(buf_str(&said), STR("1 bad a URL longer than is matched: a.example/x")));
    buf_clear(&text);
    buf_append(&text, STR("a.example/?1"));
    for (size_t i = 0; i < LIST_PARAMS_MAX; i++) {
        buf_append(&text, STR("&2"));
    }
    buf_clear(&said);
    assert_ok(list_read(LIST_URLS, buf_str(&text), &sink));
    assert_true(str_starts(buf_str(&said), STR("1 bad a URL longer than is matched")));
    buf_fini(&text);
    buf_fini(&said);
}

TEST(v2fly_lists_have_rules_and_attributes)
{
    expect(LIST_V2FLY,
           STR("# c\na.example\ndomain:b.example @ads\nfull:c.example @ads @cn # x\n"
               "regexp:^d[0-9]\\.example$\nkeyword:porn\ninclude:other @ads @-cn\nodd:x.example\n"
               "youtube &group\n"),
           "",
           "2 host a.example\n3 host b.example\n4 exact c.example\n"
           "5 skipped a regular expression: ^d[0-9]\\.example$\n6 skipped a keyword: porn\n"
           "include other @ads @-cn\n8 bad a rule of an unknown kind: odd\n9 host youtube\n");
}

TEST(v2fly_attributes_choose_entries)
{
    static const struct str text = STR_INIT("a.example\nb.example @ads\nc.example @ads @cn\n");
    expect(LIST_V2FLY, text, "@ads", "2 host b.example\n3 host c.example\n");
    expect(LIST_V2FLY, text, "@ads @-cn", "2 host b.example\n");
    expect(LIST_V2FLY, text, "@-ads", "1 host a.example\n");
    expect(LIST_V2FLY, text, "@ad", "");
}

TEST(cidr_lists_are_prefixes_that_do_not_close_the_internet)
{
    expect(LIST_CIDR,
           STR("192.0.2.0/24\n192.0.2.77/24 # x\n203.0.113.9\n2001:db8::/32\n0.0.0.0/0\n::/0\n"
               "10.0.0.0/7\n192.0.2.0/33\na.example\n"),
           "",
           "1 cidr 192.0.2.0/120\n2 cidr 192.0.2.0/120\n3 cidr 203.0.113.9/128\n"
           "4 cidr 2001:db8::/32\n"
           "5 bad a prefix that would close whole parts of the internet: 0.0.0.0/0\n"
           "6 bad a prefix that would close whole parts of the internet: ::/0\n"
           "7 bad a prefix that would close whole parts of the internet: 10.0.0.0/7\n"
           "8 bad not an address or a prefix in CIDR form: 192.0.2.0/33\n"
           "9 bad not an address or a prefix in CIDR form: a.example\n");
    /* All of IPv4 lies in each of these. */
    expect(LIST_CIDR, STR("::/16\n::ffff:192.0.2.0/24\n::ffff:0:0/96\n::ffff:192.0.2.0/120\n"), "",
           "1 bad a prefix that would close whole parts of the internet: ::/16\n"
           "2 bad a prefix that would close whole parts of the internet: ::ffff:192.0.2.0/24\n"
           "3 bad a prefix that would close whole parts of the internet: ::ffff:0:0/96\n"
           "4 cidr 192.0.2.0/120\n");
}

#define HASH_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B "BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB"

TEST(I1_hashed_lists_are_pairs_of_hashes_and_a_wrong_line_is_never_repeated)
{
    expect(LIST_HASHED,
           STR(HASH_A "\t-\n" HASH_B "\t" HASH_A "\n# c\nbad.example\n" HASH_A "\n" HASH_A
                      " -\n" HASH_A "\tx\n"),
           "",
           "1 hash aa -\n2 hash bb url\n"
           "4 bad not a SHA-256, a tab, and a SHA-256 or \"-\": \n"
           "5 bad not a SHA-256, a tab, and a SHA-256 or \"-\": \n"
           "6 bad not a SHA-256, a tab, and a SHA-256 or \"-\": \n"
           "7 bad not a SHA-256, a tab, and a SHA-256 or \"-\": \n");
}

TEST(a_sealed_list_of_another_form_may_hold_hashed_lines_too)
{
    struct buf said;
    buf_init(&said, 1 << 16);
    struct list_sink sink = {.ctx = &said, .entry = say_entry, .fault = say_fault, .sealed = true};
    static const struct str text =
        STR_INIT("a.example/x\n" HASH_A "\t-\n" HASH_A "\t" HASH_B "\r\n");
    assert_ok(list_read(LIST_URLS, text, &sink));
    assert_str_eq(buf_str(&said), STR("1 url a.example /x -\n2 hash aa -\n3 hash aa url\n"));
    buf_clear(&said);
    sink.sealed = false;
    assert_ok(list_read(LIST_DOMAINS, text, &sink));
    assert_int_equal(str_find(buf_str(&said), STR("hash")), said.len);
    buf_fini(&said);
}

static enum err full(void *ctx, const struct list_entry *entry)
{
    (void)entry;
    return ++*(int *)ctx == 2 ? ERR_LIMIT : ERR_OK;
}

TEST(an_error_of_the_taker_ends_the_reading)
{
    int count = 0;
    struct list_sink sink = {.ctx = &count, .entry = full, .fault = say_fault};
    assert_err(list_read(LIST_DOMAINS, STR("a.example\nb.example\nc.example\n"), &sink), ERR_LIMIT);
    assert_int_equal(count, 2);
}

TEST(formats_have_names)
{
    enum list_format format = LIST_UNSET;
    assert_ok(list_format_find(STR("v2fly"), &format));
    assert_int_equal(format, LIST_V2FLY);
    assert_string_equal(list_format_name(LIST_UT1), "ut1");
    assert_ok(list_format_find(STR("plain"), &format));
    assert_int_equal(format, LIST_DOMAINS);
    assert_err(list_format_find(STR("dmains"), &format), ERR_NOT_FOUND);
    assert_err(list_format_find(STR(""), &format), ERR_NOT_FOUND);
}

TESTS_MAIN(unit(domains_are_names_with_comments_and_wildcards_of_several_habits),
           unit(domains_that_are_none_are_counted_and_never_guessed),
           unit(hosts_files_give_every_name_but_those_of_the_machine),
           unit(urls_are_hosts_with_paths_and_queries),
           unit(a_url_too_long_or_with_too_many_parameters_is_refused),
           unit(v2fly_lists_have_rules_and_attributes), unit(v2fly_attributes_choose_entries),
           unit(cidr_lists_are_prefixes_that_do_not_close_the_internet),
           unit(I1_hashed_lists_are_pairs_of_hashes_and_a_wrong_line_is_never_repeated),
           unit(a_sealed_list_of_another_form_may_hold_hashed_lines_too),
           unit(an_error_of_the_taker_ends_the_reading), unit(formats_have_names))
