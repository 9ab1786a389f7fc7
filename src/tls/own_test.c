/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/own.h"

#include "lib/test.h"

#include "base/clock.h"
#include "tls/certificate.h"

enum { NOW_S = 1790000000 };
#define NOW ((int64_t)NOW_S * 1000)

struct pair {
    struct buf key, certificate;
    struct host names[3];
};

static void make(struct pair *pair)
{
    buf_init(&pair->key, 1 << 16);
    buf_init(&pair->certificate, 1 << 16);
    assert_ok(host_parse(STR("localhost"), &pair->names[0]));
    assert_ok(host_parse(STR("127.0.0.1"), &pair->names[1]));
    assert_ok(host_parse(STR("[2001:db8::1]"), &pair->names[2]));
    assert_ok(own_make(pair->names, 3, NOW, &pair->key, &pair->certificate));
}

static void drop(struct pair *pair)
{
    buf_fini(&pair->key);
    buf_fini(&pair->certificate);
}

TEST(a_made_certificate_is_for_its_names_and_398_days)
{
    struct pair pair;
    struct certificate read;
    struct host other;
    make(&pair);
    assert_ok(certificate_read(buf_str(&pair.certificate), &read));
    assert_string_equal(read.name, "CN=Lodge console");
    assert_true(read.from_ms == NOW - MS_PER_DAY);
    assert_true(read.until_ms == read.from_ms + 398LL * MS_PER_DAY - 1000);
    assert_true(own_is_for(buf_str(&pair.certificate), pair.names, 3));
    assert_ok(host_parse(STR("other.example"), &other));
    assert_false(own_is_for(buf_str(&pair.certificate), &other, 1));
    assert_false(own_is_for(STR("no certificate"), &other, 1));
    drop(&pair);
}

TEST(a_made_pair_opens)
{
    struct pair pair;
    struct tls_leaf *leaf;
    const char *why = NULL;
    make(&pair);
    assert_ok(own_open(buf_str(&pair.key), buf_str(&pair.certificate), NOW, &leaf, &why));
    assert_true(tls_leaf_until_ms(leaf) > NOW);
    tls_leaf_free(leaf);
    drop(&pair);
}

TEST(what_does_not_belong_together_or_hold_is_refused)
{
    struct pair one;
    struct pair other;
    struct tls_leaf *leaf;
    make(&one);
    make(&other);
    const struct {
        struct str key, certificate;
        int64_t at;
    } rows[] = {
        {buf_str(&one.key), buf_str(&other.certificate), NOW},
        {buf_str(&one.key), buf_str(&one.certificate), NOW + 400LL * MS_PER_DAY},
        {buf_str(&one.key), buf_str(&one.certificate), NOW - 2LL * MS_PER_DAY},
        {STR(""), buf_str(&one.certificate), NOW},
        {buf_str(&one.key), STR(""), NOW},
        {buf_str(&one.certificate), buf_str(&one.key), NOW},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *why = NULL;
        assert_err(own_open(rows[i].key, rows[i].certificate, rows[i].at, &leaf, &why),
                   ERR_INVALID);
        assert_non_null(why);
    }
    drop(&one);
    drop(&other);
}

TEST(no_name_is_no_certificate)
{
    struct buf key;
    struct buf certificate;
    buf_init(&key, 4096);
    buf_init(&certificate, 4096);
    assert_err(own_make(NULL, 0, NOW, &key, &certificate), ERR_INVALID);
    buf_fini(&key);
    buf_fini(&certificate);
}

TESTS_MAIN(unit(a_made_certificate_is_for_its_names_and_398_days), unit(a_made_pair_opens),
           unit(what_does_not_belong_together_or_hold_is_refused), unit(no_name_is_no_certificate))
