/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Header names to rows of http1_name.def, by length and first letter. */
#include "wire/http1.h"

enum { NAME_LEN_MAX = 31 };

/* The place of a name in `places`: 32 letters for each length. */
#define PLACE(len, first) ((len)*32 + ((first)&31))

static const uint8_t places[(NAME_LEN_MAX + 1) * 32] = {
#define HTTP1_NAME(id, text, first, hop) [PLACE(sizeof(text) - 1, first)] = HTTP1_NAME_##id,
#include "wire/http1_name.def"
#undef HTTP1_NAME
};

static const struct {
    struct str text;
    bool hop;
} names[HTTP1_NAME_COUNT_] = {
    {STR_INIT(""), false},
#define HTTP1_NAME(id, text, first, hop) {STR_INIT(text), hop},
#include "wire/http1_name.def"
#undef HTTP1_NAME
};

enum http1_name http1_name_find(struct str name)
{
    if (name.len == 0 || name.len > NAME_LEN_MAX) {
        return HTTP1_NAME_OTHER;
    }
    enum http1_name id = places[PLACE(name.len, (uint8_t)name.p[0])];
    return id != HTTP1_NAME_OTHER && str_eq_nocase(name, names[id].text) ? id : HTTP1_NAME_OTHER;
}

bool http1_name_is_hop(enum http1_name id)
{
    return names[id].hop;
}

const struct http1_header *http1_find(const struct http1_head *head, enum http1_name id)
{
    for (size_t i = 0; i < head->n_headers; i++) {
        if (head->headers[i].id == id) {
            return &head->headers[i];
        }
    }
    return NULL;
}
