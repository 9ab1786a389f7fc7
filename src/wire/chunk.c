/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chunked coding as a state machine: one byte, one step, but for runs of data. */
#include "wire/chunk.h"

#include "base/limits.h"
#include "wire/http1.h"
#include "wire/http1_class.h"

enum state {
    START,     /* the first digit of a size */
    SIZE,      /* more digits, or what ends them */
    EXT_START, /* behind a ';': the first byte of a name */
    EXT_NAME,
    EXT_EQUALS, /* behind a '=': the first byte of a value */
    EXT_TOKEN,
    EXT_QUOTED,
    EXT_ESCAPED,
    EXT_BEHIND, /* behind a quoted value */
    SIZE_LF,
    DATA,
    DATA_CR,
    DATA_LF,
    LINE, /* the first byte of a trailer, or the last CR */
    NAME,
    VALUE,
    VALUE_LF,
    LAST_LF,
    BROKEN,
    STATES
};

enum { SIZE_DIGITS_MAX = 16 };

typedef enum err step_fn(struct chunk *chunk, char c);

static enum err to(struct chunk *chunk, enum state state)
{
    chunk->state = state;
    return ERR_OK;
}

static enum err expect(struct chunk *chunk, char c, char wanted, enum state next)
{
    return c == wanted ? to(chunk, next) : ERR_INVALID;
}

static enum err digit(struct chunk *chunk, char c)
{
    int value = ascii_hex(c);
    if (value < 0) {
        return ERR_INVALID;
    }
    if (chunk->line > SIZE_DIGITS_MAX || chunk->left > (uint64_t)INT64_MAX >> 4) {
        return ERR_LIMIT;
    }
    chunk->left = chunk->left << 4 | (uint64_t)value;
    return ERR_OK;
}

static enum err on_start(struct chunk *chunk, char c)
{
    chunk->line = 1;
    chunk->left = 0;
    chunk->state = SIZE;
    return digit(chunk, c);
}

static enum err on_size(struct chunk *chunk, char c)
{
    if (c == '\r') {
        return to(chunk, SIZE_LF);
    }
    return c == ';' ? to(chunk, EXT_START) : digit(chunk, c);
}

/* RFC 9112 section 7.1.1, without its bad white space. */
static enum err on_ext_start(struct chunk *chunk, char c)
{
    return http1_is(c, HTTP1_TOKEN) ? to(chunk, EXT_NAME) : ERR_INVALID;
}

static enum err on_ext_behind(struct chunk *chunk, char c)
{
    return c == ';' ? to(chunk, EXT_START) : expect(chunk, c, '\r', SIZE_LF);
}

static enum err on_ext_name(struct chunk *chunk, char c)
{
    if (http1_is(c, HTTP1_TOKEN)) {
        return ERR_OK;
    }
    return c == '=' ? to(chunk, EXT_EQUALS) : on_ext_behind(chunk, c);
}

static enum err on_ext_equals(struct chunk *chunk, char c)
{
    if (http1_is(c, HTTP1_TOKEN)) {
        return to(chunk, EXT_TOKEN);
    }
    return expect(chunk, c, '"', EXT_QUOTED);
}

static enum err on_ext_token(struct chunk *chunk, char c)
{
    return http1_is(c, HTTP1_TOKEN) ? ERR_OK : on_ext_behind(chunk, c);
}

static enum err on_ext_quoted(struct chunk *chunk, char c)
{
    if (c == '"' || c == '\\') {
        return to(chunk, c == '"' ? EXT_BEHIND : EXT_ESCAPED);
    }
    return http1_is(c, HTTP1_FIELD) ? ERR_OK : ERR_INVALID;
}

static enum err on_ext_escaped(struct chunk *chunk, char c)
{
    return http1_is(c, HTTP1_FIELD) ? to(chunk, EXT_QUOTED) : ERR_INVALID;
}

static enum err on_size_lf(struct chunk *chunk, char c)
{
    chunk->last = c == '\n' && chunk->left == 0;
    return expect(chunk, c, '\n', chunk->left != 0 ? DATA : LINE);
}

static enum err on_data_cr(struct chunk *chunk, char c)
{
    return expect(chunk, c, '\r', DATA_LF);
}

static enum err on_data_lf(struct chunk *chunk, char c)
{
    return expect(chunk, c, '\n', START);
}

static void keep_name(struct chunk *chunk, char c)
{
    if (chunk->name_len < CHUNK_NAME_MAX) {
        chunk->name[chunk->name_len++] = c;
    }
}

static enum err on_line(struct chunk *chunk, char c)
{
    if (c == '\r') {
        return to(chunk, LAST_LF);
    }
    if (!http1_is(c, HTTP1_TOKEN)) {
        return ERR_INVALID;
    }
    chunk->line = 1;
    chunk->name_len = 0;
    keep_name(chunk, c);
    return to(chunk, NAME);
}

static enum err on_name(struct chunk *chunk, char c)
{
    if (c == ':') {
        struct str name = str_make(chunk->name, chunk->name_len);
        bool known = http1_name_find(name) != HTTP1_NAME_OTHER;
        return known ? ERR_INVALID : to(chunk, VALUE);
    }
    keep_name(chunk, c);
    return http1_is(c, HTTP1_TOKEN) ? ERR_OK : ERR_INVALID;
}

static enum err on_value(struct chunk *chunk, char c)
{
    if (c == '\r') {
        return to(chunk, VALUE_LF);
    }
    return http1_is(c, HTTP1_FIELD) ? ERR_OK : ERR_INVALID;
}

static enum err on_value_lf(struct chunk *chunk, char c)
{
    return expect(chunk, c, '\n', LINE);
}

static enum err on_last_lf(struct chunk *chunk, char c)
{
    chunk->done = c == '\n';
    return chunk->done ? ERR_OK : ERR_INVALID;
}

static enum err on_broken(struct chunk *chunk, char c)
{
    (void)chunk;
    (void)c;
    return ERR_INVALID;
}

static step_fn *const steps[STATES] = {
    [START] = on_start,
    [SIZE] = on_size,
    [EXT_START] = on_ext_start,
    [EXT_NAME] = on_ext_name,
    [EXT_EQUALS] = on_ext_equals,
    [EXT_TOKEN] = on_ext_token,
    [EXT_QUOTED] = on_ext_quoted,
    [EXT_ESCAPED] = on_ext_escaped,
    [EXT_BEHIND] = on_ext_behind,
    [SIZE_LF] = on_size_lf,
    [DATA] = on_broken,
    [DATA_CR] = on_data_cr,
    [DATA_LF] = on_data_lf,
    [LINE] = on_line,
    [NAME] = on_name,
    [VALUE] = on_value,
    [VALUE_LF] = on_value_lf,
    [LAST_LF] = on_last_lf,
    [BROKEN] = on_broken,
};

/* Counts a byte against the limits of its line, and of all trailers. */
static enum err count(struct chunk *chunk)
{
    bool trailer = chunk->state >= LINE && chunk->state <= LAST_LF;
    if (trailer && ++chunk->trailers > LIMIT_HTTP_TRAILER_LEN) {
        return ERR_LIMIT;
    }
    bool size = chunk->state >= SIZE && chunk->state <= EXT_BEHIND;
    return size && ++chunk->line > LIMIT_CHUNK_LINE_LEN ? ERR_LIMIT : ERR_OK;
}

static enum err step(struct chunk *chunk, char c)
{
    ERR_TRY(count(chunk));
    return steps[chunk->state](chunk, c);
}

void chunk_init(struct chunk *chunk)
{
    *chunk = (struct chunk){.state = START};
}

/* The run of data at the front of `rest`; the chunk has at least one byte left. */
static struct str take_data(struct chunk *chunk, struct str rest)
{
    struct str data = chunk->left < rest.len ? str_sub(rest, 0, (size_t)chunk->left) : rest;
    chunk->left -= data.len;
    chunk->state = chunk->left == 0 ? DATA_CR : DATA;
    return data;
}

enum err chunk_feed(struct chunk *chunk, struct str bytes, size_t *ret_used, struct str *ret_data)
{
    size_t used = 0;
    bool last = chunk->last;
    struct str data = str_make(bytes.p, 0);
    while (used < bytes.len && !chunk->done && data.len == 0 && chunk->last == last) {
        if (chunk->state == DATA) {
            data = take_data(chunk, str_skip(bytes, used));
            used += data.len;
            continue;
        }
        enum err err = step(chunk, bytes.p[used]);
        if (err != ERR_OK) {
            chunk->state = BROKEN;
            return err;
        }
        used++;
    }
    *ret_used = used;
    *ret_data = data;
    return ERR_OK;
}
