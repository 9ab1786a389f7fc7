/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The files that set a device up. */
#include "proxy/setup_impl.h"

#include "crypto/hash.h"
#include "wire/base64.h"
#include "proxy/exchange_impl.h"
#include "wire/host.h"
#include "wire/html.h"

enum {
    DER_SEQUENCE = 0x30,
    DER_LONG = 0x80,
    PEM_LINE = 64,
    /* A CA of 4096 bits and many extensions has 3 KiB. */
    BASE64_MAX = 64 * 1024,
    UUID_BYTES = 16,
    UUID_TEXT_MAX = 37,
};

/* The length of the element at the start, its head included. */
static enum err der_size(struct str der, size_t *ret_size)
{
    size_t head = 2;
    if (der.len < head || (uint8_t)der.p[0] != DER_SEQUENCE) {
        return ERR_INVALID;
    }
    size_t len = (uint8_t)der.p[1];
    if (len >= DER_LONG) {
        size_t n = len - DER_LONG;
        if (n == 0 || n > 3 || der.len < head + n) {
            return ERR_INVALID;
        }
        len = 0;
        for (size_t i = 0; i < n; i++) {
            len = len << 8 | (uint8_t)der.p[head + i];
        }
        head += n;
    }
    if (der.len - head < len) {
        return ERR_INVALID;
    }
    *ret_size = head + len;
    return ERR_OK;
}

enum err setup_last_certificate(struct str chain, struct str *ret_der)
{
    struct str rest = chain;
    size_t size;
    do {
        ERR_TRY(der_size(rest, &size));
        *ret_der = str_sub(rest, 0, size);
        rest = str_skip(rest, size);
    } while (rest.len != 0);
    return ERR_OK;
}

void setup_fingerprint(struct str der, char to[SETUP_FINGERPRINT_MAX])
{
    static const char hex[] = "0123456789ABCDEF";
    uint8_t hash[SHA256_BYTES];
    sha256(der, hash);
    for (size_t i = 0; i < SHA256_BYTES; i++) {
        to[3 * i] = hex[hash[i] >> 4];
        to[3 * i + 1] = hex[hash[i] & 15];
        to[3 * i + 2] = i + 1 < SHA256_BYTES ? ':' : '\0';
    }
}

/* Base64 in lines. */
static void print_lines(struct buf *to, struct str der)
{
    struct buf text;
    buf_init(&text, BASE64_MAX);
    base64_encode(der, &text);
    for (size_t at = 0; at < text.len; at += PEM_LINE) {
        buf_append(to, str_sub(buf_str(&text), at, PEM_LINE));
        buf_append_byte(to, '\n');
    }
    if (buf_err(&text) != ERR_OK) {
        to->err = buf_err(&text);
    }
    buf_fini(&text);
}

void setup_pem(struct str der, struct buf *to)
{
    buf_append(to, STR("-----BEGIN CERTIFICATE-----\n"));
    print_lines(to, der);
    buf_append(to, STR("-----END CERTIFICATE-----\n"));
}

/* A browser gives the URL with its path or, of https, without. Some hosts hold signs that would end
 * a text of a script. */
static void print_direct(struct str authority, struct buf *to)
{
    for (size_t i = 0; i < authority.len; i++) {
        if (authority.p[i] == '"' || authority.p[i] == '\\' || authority.p[i] == '<') {
            return;
        }
    }
    buf_append(to, STR("  if (url.indexOf(\"https://"));
    buf_append(to, authority);
    buf_append(to, STR("/\") === 0) { return \"DIRECT\"; }\n"));
}

static void print_names(const struct setup_pac *pac, struct buf *to)
{
    struct str rest = pac->console_names;
    struct str one;
    struct host host;
    while (rest.len != 0) {
        struct buf text;
        str_cut(rest, ',', &one, &rest);
        if (host_parse(str_trim(one), &host) != ERR_OK) {
            continue;
        }
        buf_init(&text, LIMIT_HOST_LEN + 16);
        struct url url = {.host = host, .port = pac->console_port};
        forward_authority(&text, &url, 443);
        if (!str_eq(buf_str(&text), pac->console)) {
            print_direct(buf_str(&text), to);
        }
        buf_fini(&text);
    }
}

/* Private addresses too: the policy may name them. Only the device itself and the console are asked
 * directly. */
void setup_pac(const struct setup_pac *pac, struct buf *to)
{
    buf_append(to, STR("function FindProxyForURL(url, host) {\n"
                       "  if (host === \"localhost\" || host === \"127.0.0.1\" || host === \"::1\")"
                       " { return \"DIRECT\"; }\n"));
    if (pac->console.len != 0) {
        print_direct(pac->console, to);
        print_names(pac, to);
    }
    buf_append(to, STR("  return \""));
    if (pac->over_tls) {
        buf_append(to, STR("HTTPS "));
        buf_append(to, pac->proxy);
        buf_append(to, STR("; "));
    }
    buf_append(to, STR("PROXY "));
    buf_append(to, pac->proxy);
    buf_append(to, STR("\";\n}\n"));
}

/* A UUID of version 8 (RFC 9562 section 5.8) out of what it names. */
static void print_uuid(struct str what, struct str der, char to[UUID_TEXT_MAX])
{
    static const char hex[] = "0123456789ABCDEF";
    struct sha256 state;
    uint8_t hash[SHA256_BYTES];
    size_t at = 0;
    sha256_init(&state);
    sha256_update(&state, what);
    sha256_update(&state, der);
    sha256_final(&state, hash);
    hash[6] = (uint8_t)(0x80 | (hash[6] & 15));
    hash[8] = (uint8_t)(0x80 | (hash[8] & 63));
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) {
            to[at++] = '-';
        }
        to[at++] = hex[hash[i] >> 4];
        to[at++] = hex[hash[i] & 15];
    }
    to[at] = '\0';
}

static void print_key(struct buf *to, const char *key, struct str value, struct str more)
{
    buf_printf(to, "<key>%s</key>\n<string>", key);
    html_text(to, value); /* escapes what XML asks for */
    html_text(to, more);
    buf_append(to, STR("</string>\n"));
}

/* What payload and profile both have. */
static void print_common(struct buf *to, struct str type, struct str gate, struct str suffix,
                         struct str uuid)
{
    print_key(to, "PayloadType", type, STR(""));
    print_key(to, "PayloadIdentifier", gate, suffix);
    print_key(to, "PayloadUUID", uuid, STR(""));
    buf_append(to, STR("<key>PayloadVersion</key>\n<integer>1</integer>\n"));
}

static void print_root(struct buf *to, struct str gate, struct str der)
{
    char uuid[UUID_TEXT_MAX];
    print_uuid(STR("lodge root"), der, uuid);
    buf_append(to, STR("<dict>\n"));
    print_common(to, STR("com.apple.security.root"), gate, STR(".lodge.root"), str_from(uuid));
    print_key(to, "PayloadDisplayName", STR("Certificate of "), gate);
    buf_append(to, STR("<key>PayloadCertificateFileName</key>\n<string>ca.crt</string>\n"
                       "<key>PayloadContent</key>\n<data>\n"));
    print_lines(to, der);
    buf_append(to, STR("</data>\n</dict>\n"));
}

void setup_profile(struct str school, struct str gate, struct str der, struct buf *to)
{
    char uuid[UUID_TEXT_MAX];
    print_uuid(STR("lodge profile"), der, uuid);
    buf_append(to, STR("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                       "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
                       "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
                       "<plist version=\"1.0\">\n<dict>\n"));
    print_common(to, STR("Configuration"), gate, STR(".lodge"), str_from(uuid));
    print_key(to, "PayloadDisplayName", STR("School internet: "), school);
    print_key(
        to, "PayloadDescription",
        STR("Lets this device trust the certificate of the school's internet gate. Then switch "
            "it on in Settings, General, About, Certificate Trust Settings."),
        STR(""));
    print_key(to, "PayloadOrganization", school, STR(""));
    buf_append(to, STR("<key>PayloadRemovalDisallowed</key>\n<false/>\n"
                       "<key>PayloadContent</key>\n<array>\n"));
    print_root(to, gate, der);
    buf_append(to, STR("</array>\n</dict>\n</plist>\n"));
}
