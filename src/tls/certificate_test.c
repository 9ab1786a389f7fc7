/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tls/certificate.h"

#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "lib/test.h"
#include "tls/authority.h"

enum { TEXT_MAX = 64 * 1024 };

static const int64_t now_ms = INT64_C(1795348800000); /* 2026-11-22T12:00:00Z */
static struct buf key;
static struct buf pem;

static void make(const char *name)
{
    buf_init(&key, TEXT_MAX);
    buf_init(&pem, TEXT_MAX);
    assert_ok(authority_make(str_from(name), now_ms, &key, &pem));
}

static void end(void)
{
    buf_fini(&key);
    buf_fini(&pem);
}

TEST(a_certificate_says_its_name_its_dates_and_its_fingerprint)
{
    struct certificate one;
    struct certificate other;
    make("Lodge at oak");
    assert_ok(certificate_read(buf_str(&pem), &one));
    assert_true(strstr(one.name, "Lodge at oak") != NULL);
    assert_true(one.from_ms <= now_ms);
    assert_true(one.until_ms > now_ms + 9 * 365 * (int64_t)MS_PER_DAY);
    end();
    make("Lodge at oak");
    assert_ok(certificate_read(buf_str(&pem), &other));
    assert_int_equal(other.until_ms, one.until_ms);
    assert_memory_not_equal(one.sha256, other.sha256, sizeof(one.sha256));
    end();
}

TEST(the_first_of_many_is_read_and_all_are_counted)
{
    struct certificate one;
    struct certificate first;
    make("Lodge at oak");
    assert_ok(certificate_read(buf_str(&pem), &one));
    assert_int_equal(certificate_count(buf_str(&pem)), 1);
    struct buf many;
    buf_init(&many, TEXT_MAX);
    buf_append(&many, STR("# a comment before it\n"));
    buf_append(&many, buf_str(&pem));
    buf_append(&many, STR("# and between\n"));
    buf_append(&many, buf_str(&pem));
    assert_ok(certificate_read(buf_str(&many), &first));
    assert_memory_equal(one.sha256, first.sha256, sizeof(one.sha256));
    assert_int_equal(certificate_count(buf_str(&many)), 2);
    buf_fini(&many);
    end();
}

TEST(what_is_no_certificate_is_refused)
{
    struct certificate one;
    make("Lodge at oak");
    assert_err(certificate_read(STR(""), &one), ERR_INVALID);
    assert_err(certificate_read(STR("no certificate"), &one), ERR_INVALID);
    assert_err(certificate_read(buf_str(&key), &one), ERR_INVALID);
    assert_int_equal(certificate_count(buf_str(&key)), 0);
    assert_int_equal(certificate_count(STR("")), 0);
    for (size_t n = 0; n < pem.len - 2; n += 7) {
        assert_err(certificate_read(str_make(pem.p, n), &one), ERR_INVALID);
    }
    end();
}

/* Chromium takes a certificate only where it is DER to the last bit. */
TEST(the_ca_says_in_der_that_it_is_one)
{
    static const char basic[] = "\x30\x06\x01\x01\xff\x02\x01\x00"; /* cA TRUE, pathlen 0 */
    struct authority *authority;
    struct buf der;
    const char *why;
    make("Lodge at oak");
    buf_init(&der, TEXT_MAX);
    assert_ok(authority_open(buf_str(&key), buf_str(&pem), now_ms, &authority, &why));
    assert_ok(authority_chain(authority, &der));
    assert_true(str_find(buf_str(&der), str_make(basic, sizeof(basic) - 1)) < der.len);
    authority_free(authority);
    buf_fini(&der);
    end();
}

TESTS_MAIN(unit(the_ca_says_in_der_that_it_is_one),
           unit(a_certificate_says_its_name_its_dates_and_its_fingerprint),
           unit(the_first_of_many_is_read_and_all_are_counted),
           unit(what_is_no_certificate_is_refused))
