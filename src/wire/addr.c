/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Network addresses: text, prefixes, and which of them are not public. */
#include "wire/addr.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/num.h"

enum { IPV4_AT = 12, IPV4_BITS_AT = 96, WORDS = 8 };

static const uint8_t mapped[IPV4_AT] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool addr_is_ipv4(const struct addr *addr)
{
    return memcmp(addr->bytes, mapped, sizeof(mapped)) == 0;
}

bool addr_eq(const struct addr *a, const struct addr *b)
{
    return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static enum err parse_ipv4(struct str text, struct addr *ret_addr)
{
    uint8_t parts[4] = {0};
    size_t at = 0;
    for (size_t part = 0; part < 4; part++) {
        size_t start = at;
        unsigned value = 0;
        while (at < text.len && ascii_is_digit(text.p[at]) && at - start < 3) {
            value = value * 10 + (unsigned)(text.p[at] - '0');
            at++;
        }
        bool leading_zero = at - start > 1 && text.p[start] == '0';
        bool ended = part == 3 ? at == text.len : at < text.len && text.p[at] == '.';
        if (at == start || leading_zero || value > 255 || !ended) {
            return ERR_INVALID;
        }
        parts[part] = (uint8_t)value;
        at++;
    }
    memcpy(ret_addr->bytes, mapped, sizeof(mapped));
    memcpy(ret_addr->bytes + IPV4_AT, parts, sizeof(parts));
    return ERR_OK;
}

enum err addr_parse(struct str text, struct addr *ret_addr)
{
    char terminated[ADDR_TEXT_MAX] = {0};
    if (str_index(text, ':') == text.len) {
        return parse_ipv4(text, ret_addr);
    }
    if (text.len >= sizeof(terminated) || memchr(text.p, '\0', text.len) != NULL) {
        return ERR_INVALID;
    }
    memcpy(terminated, text.p, text.len);
    struct addr addr;
    if (inet_pton(AF_INET6, terminated, addr.bytes) != 1) {
        return ERR_INVALID;
    }
    *ret_addr = addr;
    return ERR_OK;
}

static size_t print_ipv4(const uint8_t parts[4], char to[ADDR_TEXT_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < 4; i++) {
        if (i != 0) {
            to[len++] = '.';
        }
        if (parts[i] >= 100) {
            to[len++] = (char)('0' + parts[i] / 100);
        }
        if (parts[i] >= 10) {
            to[len++] = (char)('0' + parts[i] / 10 % 10);
        }
        to[len++] = (char)('0' + parts[i] % 10);
    }
    to[len] = '\0';
    return len;
}

static unsigned word_at(const struct addr *addr, size_t i)
{
    return (unsigned)(addr->bytes[2 * i] << 8 | addr->bytes[2 * i + 1]);
}

/* The first of the longest runs of at least two zero words (RFC 5952 section 4.2); *ret_len is 0
 * where there is none. */
static size_t longest_zero_run(const struct addr *addr, size_t *ret_len)
{
    size_t best = WORDS, best_len = 0;
    for (size_t i = 0; i < WORDS;) {
        size_t end = i;
        while (end < WORDS && word_at(addr, end) == 0) {
            end++;
        }
        if (end - i >= 2 && end - i > best_len) {
            best = i;
            best_len = end - i;
        }
        i = end + 1;
    }
    *ret_len = best_len;
    return best;
}

static size_t print_hex(unsigned word, char *to)
{
    static const char digits[] = "0123456789abcdef";
    size_t len = 0;
    for (unsigned shift = 16; shift != 0;) {
        shift -= 4;
        if (len != 0 || shift == 0 || word >> shift != 0) {
            to[len++] = digits[word >> shift & 15];
        }
    }
    return len;
}

size_t addr_print(const struct addr *addr, char to[ADDR_TEXT_MAX])
{
    if (addr_is_ipv4(addr)) {
        return print_ipv4(addr->bytes + IPV4_AT, to);
    }
    size_t run_len, len = 0;
    size_t run = longest_zero_run(addr, &run_len);
    for (size_t i = 0; i < WORDS; i++) {
        if (i == run) {
            to[len++] = ':';
            to[len++] = ':';
            i += run_len - 1;
            continue;
        }
        if (i != 0 && i != run + run_len) {
            to[len++] = ':';
        }
        len += print_hex(word_at(addr, i), to + len);
    }
    to[len] = '\0';
    return len;
}

/* Clears the bits behind the first `bits`. */
static void mask(struct addr *addr, unsigned bits)
{
    for (unsigned i = 0; i < sizeof(addr->bytes); i++) {
        unsigned kept = bits > 8 * i ? bits - 8 * i : 0;
        if (kept < 8) {
            addr->bytes[i] &= (uint8_t)(0xff00u >> kept);
        }
    }
}

enum err addr_parse_cidr(struct str text, struct addr *ret_addr, unsigned *ret_bits)
{
    struct str head, tail;
    struct addr addr;
    uint64_t bits = 128;
    bool has_bits = str_cut(text, '/', &head, &tail);
    ERR_TRY(addr_parse(head, &addr));
    bool ipv4 = str_index(head, ':') == head.len;
    if (has_bits) {
        if (tail.len > 3 || parse_u64(tail, 0, ipv4 ? 32 : 128, &bits) != ERR_OK) {
            return ERR_INVALID;
        }
        bits += ipv4 ? IPV4_BITS_AT : 0;
    }
    mask(&addr, (unsigned)bits);
    *ret_addr = addr;
    *ret_bits = (unsigned)bits;
    return ERR_OK;
}

struct prefix {
    uint8_t bytes[6];
    uint8_t bits;
};

/* IANA's registry of special IPv4 addresses (RFC 6890), and multicast. */
static const struct prefix special_ipv4[] = {
    {{0}, 8},             /* "this network" */
    {{10}, 8},            /* private, RFC 1918 */
    {{100, 64}, 10},      /* shared, RFC 6598 */
    {{127}, 8},           /* loopback */
    {{169, 254}, 16},     /* link-local */
    {{172, 16}, 12},      /* private */
    {{192, 0, 0}, 24},    /* protocol assignments */
    {{192, 0, 2}, 24},    /* documentation */
    {{192, 88, 99}, 24},  /* 6to4 relays, ended by RFC 7526 */
    {{192, 168}, 16},     /* private */
    {{198, 18}, 15},      /* benchmarking */
    {{198, 51, 100}, 24}, /* documentation */
    {{203, 0, 113}, 24},  /* documentation */
    {{224}, 4},           /* multicast */
    {{240}, 4},           /* reserved, and broadcast */
};

/* Within 2000::/3; nothing outside it is public unicast but NAT64. */
static const struct prefix special_ipv6[] = {
    {{0x20, 0x01, 0x00, 0x02, 0x00, 0x00}, 48}, /* benchmarking */
    {{0x20, 0x01, 0x00, 0x10}, 28},             /* ORCHID */
    {{0x20, 0x01, 0x00, 0x20}, 28},             /* ORCHIDv2 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32},             /* documentation */
    {{0x3f, 0xff, 0x00}, 20},                   /* documentation, RFC 9637 */
};

static const struct prefix global_unicast = {{0x20}, 3};
static const struct prefix six_to_four = {{0x20, 0x02}, 16};
static const struct prefix teredo = {{0x20, 0x01, 0x00, 0x00}, 32};
/* RFC 6052; the local-use prefix of RFC 8215 lies beside it and is not public. */
static const uint8_t nat64[IPV4_AT] = {0x00, 0x64, 0xff, 0x9b};

static bool has_prefix(const uint8_t *bytes, const struct prefix *prefix)
{
    size_t whole = prefix->bits / 8;
    uint8_t rest = (uint8_t)(0xff00u >> prefix->bits % 8);
    return memcmp(bytes, prefix->bytes, whole) == 0 &&
           (rest == 0 || ((bytes[whole] ^ prefix->bytes[whole]) & rest) == 0);
}

static bool ipv4_is_special(const uint8_t parts[4])
{
    for (size_t i = 0; i < sizeof(special_ipv4) / sizeof(special_ipv4[0]); i++) {
        if (has_prefix(parts, &special_ipv4[i])) {
            return true;
        }
    }
    return false;
}

/* RFC 4380 section 4: the server's IPv4 address, and the client's with all bits flipped. */
static bool teredo_is_special(const uint8_t bytes[16])
{
    uint8_t client[4];
    for (size_t i = 0; i < sizeof(client); i++) {
        client[i] = bytes[IPV4_AT + i] ^ 0xff;
    }
    return ipv4_is_special(bytes + 4) || ipv4_is_special(client);
}

bool addr_is_special(const struct addr *addr)
{
    const uint8_t *bytes = addr->bytes;
    if (addr_is_ipv4(addr) || memcmp(bytes, nat64, sizeof(nat64)) == 0) {
        return ipv4_is_special(bytes + IPV4_AT);
    }
    if (!has_prefix(bytes, &global_unicast)) {
        return true;
    }
    if (has_prefix(bytes, &six_to_four)) {
        return ipv4_is_special(bytes + 2);
    }
    if (has_prefix(bytes, &teredo)) {
        return teredo_is_special(bytes);
    }
    for (size_t i = 0; i < sizeof(special_ipv6) / sizeof(special_ipv6[0]); i++) {
        if (has_prefix(bytes, &special_ipv6[i])) {
            return true;
        }
    }
    return false;
}
