/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Printing a mail. */
#include "wire/mail.h"

#include <string.h>

#include "base/clock.h"
#include "wire/base64.h"
#include "wire/host.h"
#include "wire/utf8.h"

enum {
    LINE_BYTES = 76,    /* RFC 2045 section 6.7 (5), without the CRLF */
    WORD_BYTES = 42,    /* of text in an encoded word: 56 letters and "=?utf-8?B??=" */
    LOCAL_MAX = 64,     /* RFC 5321 section 4.5.3.1.1 */
    PLAIN_SUBJECT = 60, /* longer ones are encoded, and so have places to fold at */
    SUBJECT_MAX = 4096,
};

/* ---- addresses ---- */

/* RFC 5322 section 3.2.3. */
static bool is_atom_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool is_dot_atom(struct str text)
{
    bool dot = true;
    for (size_t i = 0; i < text.len; i++) {
        if (!is_atom_char(text.p[i]) && (text.p[i] != '.' || dot)) {
            return false;
        }
        dot = text.p[i] == '.';
    }
    return text.len != 0 && !dot;
}

/* "school.example", "[192.0.2.7]" or "[IPv6:2001:db8::1]" (RFC 5321 section 4.1.3). */
static bool is_domain(struct str text)
{
    static const struct str six = STR_INIT("IPv6:");
    struct host host;
    if (!str_starts(text, STR("["))) {
        return host_parse_canonical(text, &host) == ERR_OK && host.kind == HOST_NAME;
    }
    if (!str_ends(text, STR("]"))) {
        return false;
    }
    struct str inside = str_sub(text, 1, text.len - 2);
    bool is_six = str_starts(inside, six);
    inside = is_six ? str_skip(inside, six.len) : inside;
    return host_parse_canonical(inside, &host) == ERR_OK &&
           host.kind == (is_six ? HOST_IPV6 : HOST_IPV4);
}

bool mail_address_is_valid(struct str address)
{
    struct str local, domain;
    return address.len <= MAIL_ADDRESS_MAX && str_cut(address, '@', &local, &domain) &&
           local.len <= LOCAL_MAX && is_dot_atom(local) && is_domain(domain);
}

/* ---- the head ---- */

static bool is_plain(struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.p[i] < ' ' || text.p[i] > '~') {
            return false;
        }
    }
    return str_find(text, STR("=?")) == text.len;
}

/* Words of base64, each whole characters, one a line (RFC 2047 section 2). */
static void put_words(struct buf *to, struct str text)
{
    while (text.len != 0) {
        struct str head = utf8_head(text, WORD_BYTES);
        buf_append(to, STR("=?utf-8?B?"));
        base64_encode(head, to);
        buf_append(to, STR("?="));
        text = str_skip(text, head.len);
        if (text.len != 0) {
            buf_append(to, STR("\r\n "));
        }
    }
}

/* One line of text, without what steers; in `line`, which the caller frees. */
static enum err one_line(struct str text, struct buf *line)
{
    buf_init(line, SUBJECT_MAX);
    if (!utf8_is_text(text)) {
        return ERR_INVALID;
    }
    for (size_t i = 0; i < text.len; i++) {
        bool control = (unsigned char)text.p[i] < ' ' || text.p[i] == 0x7f;
        buf_append_byte(line, control ? ' ' : text.p[i]);
    }
    return buf_err(line);
}

static enum err put_subject(struct buf *to, struct str subject)
{
    struct buf line;
    enum err err = one_line(subject, &line);
    if (err == ERR_OK) {
        buf_append(to, STR("Subject: "));
        if (line.len <= PLAIN_SUBJECT && is_plain(buf_str(&line))) {
            buf_append(to, buf_str(&line));
        } else {
            put_words(to, buf_str(&line));
        }
        buf_append(to, STR("\r\n"));
    }
    buf_fini(&line);
    return err;
}

static bool is_simple_name(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        if (!is_atom_char(name.p[i]) && name.p[i] != ' ') {
            return false;
        }
    }
    return name.len <= WORD_BYTES && is_plain(name);
}

static enum err put_from(struct buf *to, struct str name, struct str address)
{
    struct buf line;
    enum err err = one_line(name, &line);
    if (err == ERR_OK) {
        buf_append(to, STR("From: "));
        if (is_simple_name(buf_str(&line))) {
            buf_append(to, buf_str(&line));
        } else {
            put_words(to, buf_str(&line));
        }
        buf_append(to, line.len != 0 ? STR("\r\n <") : STR("<"));
        buf_append(to, address);
        buf_append(to, STR(">\r\n"));
    }
    buf_fini(&line);
    return err;
}

/* "Date: Mon, 23 Nov 2026 10:15:00 +0000" (RFC 5322 section 3.3). */
static void put_date(struct buf *to, int64_t date_ms)
{
    static const char days[7][4] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};
    static const char months[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    struct civil civil;
    civil_from_ms(date_ms, &civil);
    int weekday = civil_weekday(civil_days(civil.year, civil.month, civil.day));
    buf_printf(to, "Date: %s, %d %s %04d %02d:%02d:%02d +0000\r\n", days[weekday], civil.day,
               months[civil.month - 1], civil.year, civil.hour, civil.minute, civil.second);
}

/* ---- the body ---- */

/* How a byte stands in quoted-printable (RFC 2045 section 6.7): as itself, or as =HH. A space at
 * the end of a line would be lost on the way; a line that begins with "From " or a dot is changed
 * by some. */
static bool stands_for_itself(struct str line, size_t i)
{
    char c = line.p[i];
    if (c == ' ' || c == '\t') {
        return i + 1 < line.len;
    }
    if (i == 0 && (c == '.' || c == 'F')) {
        return false;
    }
    return c > ' ' && c <= '~' && c != '=';
}

static void put_line(struct buf *to, struct str line)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t column = 0;
    for (size_t i = 0; i < line.len; i++) {
        bool itself = stands_for_itself(line, i);
        size_t wants = itself ? 1 : 3;
        if (column + wants > LINE_BYTES - 1) {
            buf_append(to, STR("=\r\n"));
            column = 0;
        }
        if (itself) {
            buf_append_byte(to, line.p[i]);
        } else {
            unsigned char byte = (unsigned char)line.p[i];
            const char hex[3] = {'=', digits[byte >> 4], digits[byte & 15]};
            buf_append(to, str_make(hex, sizeof(hex)));
        }
        column += wants;
    }
    buf_append(to, STR("\r\n"));
}

static void put_body(struct buf *to, struct str body)
{
    while (body.len != 0) {
        struct str line;
        (void)str_cut(body, '\n', &line, &body);
        put_line(to, line);
    }
}

enum err mail_print(const struct mail *mail, struct buf *to)
{
    if (!mail_address_is_valid(mail->from) || !mail_address_is_valid(mail->to) ||
        !mail_address_is_valid(mail->id) || !utf8_is_text(mail->body)) {
        return ERR_INVALID;
    }
    put_date(to, mail->date_ms);
    ERR_TRY(put_from(to, mail->from_name, mail->from));
    const struct str head[] = {STR("To: <"), mail->to, STR(">\r\nMessage-ID: <"), mail->id,
                               STR(">\r\n")};
    for (size_t i = 0; i < sizeof(head) / sizeof(head[0]); i++) {
        buf_append(to, head[i]);
    }
    ERR_TRY(put_subject(to, mail->subject));
    buf_append(to, STR("Auto-Submitted: auto-generated\r\n" /* RFC 3834 section 5 */
                       "MIME-Version: 1.0\r\n"
                       "Content-Type: text/plain; charset=utf-8\r\n"
                       "Content-Transfer-Encoding: quoted-printable\r\n"
                       "\r\n"));
    put_body(to, mail->body);
    return buf_err(to);
}
