/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The same answers as http1probe.c from llhttp, compiled by tests/test_http1_llhttp.py where
 * Debian's node-llhttp is installed. */
#include "probe.h"

#include <llhttp.h>

static struct probe_text head_text;
static struct probe_text target;
static struct probe_text name;
static struct probe_text value;
static struct probe_text headers;
static struct probe_text body;
static char kind;
static int in_head;

static int on_message_begin(llhttp_t *parser)
{
    (void)parser;
    target.len = name.len = value.len = headers.len = body.len = 0;
    in_head = 1;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t len)
{
    (void)parser;
    probe_add(&target, at, len);
    return 0;
}

static int on_header_field(llhttp_t *parser, const char *at, size_t len)
{
    (void)parser;
    probe_add(&name, at, len);
    return 0;
}

static int on_header_value(llhttp_t *parser, const char *at, size_t len)
{
    (void)parser;
    probe_add(&value, at, len);
    return 0;
}

static int on_header_value_complete(llhttp_t *parser)
{
    (void)parser;
    while (value.len > 0 && strchr(" \t", value.p[value.len - 1]) != NULL) {
        value.len--;
    }
    if (in_head) {
        probe_add(&headers, name.p, name.len);
        probe_add(&headers, ":", 1);
        probe_add(&headers, value.p, value.len);
        probe_add(&headers, "\n", 1);
    }
    name.len = value.len = 0;
    return 0;
}

static int on_headers_complete(llhttp_t *parser)
{
    char line[64];
    head_text.len = 0;
    in_head = 0;
    if (kind == 'q') {
        const char *method = llhttp_method_name((llhttp_method_t)parser->method);
        probe_add(&head_text, method, strlen(method));
        probe_add(&head_text, " ", 1);
        probe_add(&head_text, target.p, target.len);
    }
    snprintf(line, sizeof(line), " %u %u.%u\n", kind == 'q' ? 0U : (unsigned)parser->status_code,
             (unsigned)parser->http_major, (unsigned)parser->http_minor);
    probe_add(&head_text, line, strlen(line));
    probe_add(&head_text, headers.p, headers.len);
    probe_event('H', &head_text);
    if (kind == 'c' && parser->status_code / 100 == 2) {
        return 2;
    }
    return kind == 'h';
}

static int on_body(llhttp_t *parser, const char *at, size_t len)
{
    (void)parser;
    probe_add(&body, at, len);
    return 0;
}

static int on_message_complete(llhttp_t *parser)
{
    (void)parser;
    probe_event('B', &body);
    return 0;
}

int main(void)
{
    static struct probe_text bytes;
    llhttp_settings_t settings;
    llhttp_t parser;
    llhttp_settings_init(&settings);
    settings.on_message_begin = on_message_begin;
    settings.on_url = on_url;
    settings.on_header_field = on_header_field;
    settings.on_header_value = on_header_value;
    settings.on_header_value_complete = on_header_value_complete;
    settings.on_headers_complete = on_headers_complete;
    settings.on_body = on_body;
    settings.on_message_complete = on_message_complete;
    while (probe_next(&kind, &bytes)) {
        llhttp_init(&parser, kind == 'q' ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
        llhttp_errno_t err = llhttp_execute(&parser, bytes.p, bytes.len);
        err = err == HPE_OK ? llhttp_finish(&parser) : err;
        printf("end=%s\n", err == HPE_OK ? "end" : llhttp_errno_name(err));
    }
    return 0;
}
