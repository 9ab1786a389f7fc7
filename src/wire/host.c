/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Host names: the WHATWG host parser for special schemes. Plain ASCII goes through one scan; only
 * what holds a '%', a byte of UTF-8 or an "xn--" label takes the way over wire/idna.h. */
#include "wire/host.h"

#include "base/num.h"
#include "wire/idna.h"

/* What a byte of a host is, as bits, so that a scan can gather them. */
enum {
    PLAIN = 0,
    UPPER = 1,
    ODD = 2,       /* '%' and UTF-8 */
    FORBIDDEN = 4, /* WHATWG's forbidden domain code points, without '%' */
};

static const uint8_t classes[256] = {
    [0 ... 0x20] = FORBIDDEN, ['#'] = FORBIDDEN,     ['%'] = ODD,       ['/'] = FORBIDDEN,
    [':'] = FORBIDDEN,        ['<'] = FORBIDDEN,     ['>'] = FORBIDDEN, ['?'] = FORBIDDEN,
    ['@'] = FORBIDDEN,        ['A' ... 'Z'] = UPPER, ['['] = FORBIDDEN, ['\\'] = FORBIDDEN,
    [']'] = FORBIDDEN,        ['^'] = FORBIDDEN,     ['|'] = FORBIDDEN, [0x7f] = FORBIDDEN,
    [0x80 ... 0xff] = ODD,
};

/* The bits of all bytes and labels; FORBIDDEN also for a label that is empty or too long. *ret_last
 * is the last label. */
static unsigned scan(struct str text, struct str *ret_last)
{
    unsigned seen = 0;
    size_t start = 0;
    for (size_t i = 0; i <= text.len; i++) {
        if (i != text.len && text.p[i] != '.') {
            seen |= classes[(unsigned char)text.p[i]];
            continue;
        }
        struct str label = {text.p + start, i - start};
        if (label.len == 0 || label.len > LIMIT_LABEL_LEN) {
            seen |= FORBIDDEN;
        }
        *ret_last = label;
        start = i + 1;
    }
    return seen;
}

/* One part of an IPv4 address as the WHATWG standard reads it: decimal, 0octal or 0xhex ("0x" is
 * 0). False where it is none of them; *ret_value is at most 2^32. */
static bool parse_ipv4_number(struct str part, uint64_t *ret_value)
{
    unsigned base = 10;
    uint64_t value = 0;
    if (part.len == 0) {
        return false;
    }
    if (part.len >= 2 && part.p[0] == '0') {
        bool hex = ascii_lower(part.p[1]) == 'x';
        base = hex ? 16 : 8;
        part = str_skip(part, hex ? 2 : 1);
    }
    for (size_t i = 0; i < part.len; i++) {
        int digit = ascii_hex(part.p[i]);
        if (digit < 0 || (unsigned)digit >= base) {
            return false;
        }
        value = value * base + (unsigned)digit;
        value = value <= UINT32_MAX ? value : (uint64_t)UINT32_MAX + 1;
    }
    *ret_value = value;
    return true;
}

/* WHATWG's "ends in a number": the last label is all digits or an IPv4 number. */
static bool is_number(struct str last)
{
    uint64_t value;
    size_t digits = 0;
    while (digits < last.len && ascii_is_digit(last.p[digits])) {
        digits++;
    }
    return digits != 0 && (digits == last.len || parse_ipv4_number(last, &value));
}

/* WHATWG's IPv4 parser; text has no trailing dot. */
static enum err parse_ipv4(struct str text, struct addr *ret_addr)
{
    uint64_t value = 0, address = 0;
    size_t parts = 0;
    for (bool more = true; more; parts++) {
        struct str part;
        more = str_cut(text, '.', &part, &text);
        if (parts == 4 || !parse_ipv4_number(part, &value) || (more && value > 255)) {
            return ERR_INVALID;
        }
        if (more) {
            address |= value << (24 - 8 * parts);
        }
    }
    if (value >> (8 * (5 - parts)) != 0) {
        return ERR_INVALID;
    }
    address |= value;
    *ret_addr = (struct addr){{[10] = 0xff,
                               [11] = 0xff,
                               [12] = (uint8_t)(address >> 24),
                               [13] = (uint8_t)(address >> 16),
                               [14] = (uint8_t)(address >> 8),
                               [15] = (uint8_t)address}};
    return ERR_OK;
}

void host_from_addr(const struct addr *addr, struct host *ret_host)
{
    ret_host->kind = addr_is_ipv4(addr) ? HOST_IPV4 : HOST_IPV6;
    ret_host->addr = *addr;
    ret_host->len = (uint8_t)addr_print(addr, ret_host->text);
}

/* A scanned name without odd bytes, or an IPv4 address. */
static enum err take_plain(struct str text, struct str last, bool upper, struct host *ret_host)
{
    if (is_number(last)) {
        struct addr addr;
        ERR_TRY(parse_ipv4(text, &addr));
        host_from_addr(&addr, ret_host);
        return ERR_OK;
    }
    if (text.len > LIMIT_HOST_LEN) {
        return ERR_INVALID;
    }
    ret_host->kind = HOST_NAME;
    ret_host->addr = (struct addr){{0}};
    ret_host->len = (uint8_t)text.len;
    memcpy(ret_host->text, text.p, text.len);
    for (size_t i = 0; upper && i < text.len; i++) {
        ret_host->text[i] = ascii_lower(text.p[i]);
    }
    ret_host->text[text.len] = '\0';
    return ERR_OK;
}

static struct str without_dot(struct str text)
{
    return str_ends(text, STR(".")) ? str_make(text.p, text.len - 1) : text;
}

/* Decodes "%xx"; a '%' without two digits stays, and is refused later. ERR_INVALID if it does not
 * fit. */
static enum err decode(struct str text, char to[IDNA_INPUT_MAX], size_t *ret_len)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.p[i];
        int high = i + 2 < text.len ? ascii_hex(text.p[i + 1]) : -1;
        int low = i + 2 < text.len ? ascii_hex(text.p[i + 2]) : -1;
        if (c == '%' && high >= 0 && low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        }
        if (len == IDNA_INPUT_MAX) {
            return ERR_INVALID;
        }
        to[len++] = c;
    }
    *ret_len = len;
    return ERR_OK;
}

static enum err parse_ascii(struct str text, unsigned seen, struct str last, struct host *ret_host)
{
    if ((seen & (ODD | FORBIDDEN)) != 0) {
        return ERR_INVALID;
    }
    return take_plain(text, last, (seen & UPPER) != 0, ret_host);
}

/* The long way: percent-decode, domain to ASCII where it is not, and the same scan. */
static enum err parse_odd(struct str text, struct host *ret_host)
{
    char decoded[IDNA_INPUT_MAX], ascii[IDNA_OUTPUT_MAX];
    size_t len = 0;
    struct str last;
    ERR_TRY(decode(text, decoded, &len));
    text = str_make(decoded, len);
    if (!idna_is_ascii(text)) {
        ERR_TRY(idna_to_ascii(text, ascii, &len));
        text = str_make(ascii, len);
    }
    text = without_dot(text);
    unsigned seen = scan(text, &last);
    return parse_ascii(text, seen, last, ret_host);
}

static enum err parse_bracketed(struct str text, struct host *ret_host)
{
    struct addr addr;
    struct str inside = str_sub(text, 1, text.len - 2);
    if (!str_ends(text, STR("]")) || str_index(inside, ':') == inside.len) {
        return ERR_INVALID;
    }
    ERR_TRY(addr_parse(inside, &addr));
    host_from_addr(&addr, ret_host);
    return ERR_OK;
}

enum err host_parse(struct str text, struct host *ret_host)
{
    struct str last;
    if (text.len >= 2 && text.p[0] == '[') {
        return parse_bracketed(text, ret_host);
    }
    struct str name = without_dot(text);
    unsigned seen = scan(name, &last);
    if ((seen & ODD) != 0) {
        return parse_odd(text, ret_host);
    }
    return parse_ascii(name, seen, last, ret_host);
}

bool host_is_below(struct str name, struct str suffix)
{
    if (!str_ends(name, suffix) || suffix.len == 0) {
        return false;
    }
    return name.len == suffix.len || name.p[name.len - suffix.len - 1] == '.';
}

enum err host_parse_canonical(struct str text, struct host *ret_host)
{
    struct host host;
    struct addr addr;
    if (addr_parse(text, &addr) == ERR_OK) {
        host_from_addr(&addr, &host);
    } else {
        ERR_TRY(host_parse(text, &host));
    }
    if (!str_eq(host_str(&host), text)) {
        return ERR_INVALID;
    }
    *ret_host = host;
    return ERR_OK;
}

enum err host_parse_authority(struct str text, uint16_t default_port, struct host *ret_host,
                              uint16_t *ret_port)
{
    size_t bracket = str_starts(text, STR("[")) ? str_index(text, ']') : 0;
    size_t colon = bracket + str_index(str_skip(text, bracket), ':');
    struct str digits = str_skip(text, colon + 1);
    uint64_t port = default_port;
    if (digits.len != 0 && parse_u64(digits, 1, UINT16_MAX, &port) != ERR_OK) {
        return ERR_INVALID;
    }
    if (port == 0) {
        return ERR_INVALID;
    }
    ERR_TRY(host_parse(str_sub(text, 0, colon), ret_host));
    *ret_port = (uint16_t)port;
    return ERR_OK;
}
