/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "catalog/key.h"

void key_suffixes(struct str host, bool is_name, struct suffixes *ret_suffixes)
{
    struct suffixes *all = ret_suffixes;
    uint64_t hash = 0;
    size_t end = host.len;
    all->count = 0;
    if (!is_name) {
        all->at[0] = 0;
        all->hash[0] = fasthash64(host, 0);
        all->count = 1;
        return;
    }
    for (size_t at = host.len; at-- > 0 && all->count < KEY_LABELS_MAX;) {
        if (at != 0 && host.p[at - 1] != '.') {
            continue;
        }
        hash = fasthash64(str_make(host.p + at, end - at), hash);
        all->at[all->count] = (uint8_t)at;
        all->hash[all->count++] = hash;
        end = at != 0 ? at - 1 : 0;
    }
}

uint64_t key_hash_host(struct str host, bool is_name)
{
    uint64_t hash = 0;
    size_t end = host.len;
    if (!is_name) {
        return fasthash64(host, 0);
    }
    for (size_t at = host.len; at-- > 0;) {
        if (at == 0 || host.p[at - 1] == '.') {
            hash = fasthash64(str_make(host.p + at, end - at), hash);
            end = at != 0 ? at - 1 : 0;
        }
    }
    return hash;
}

struct str key_fold(struct str text, char *to, size_t max)
{
    size_t len = text.len < max ? text.len : max;
    for (size_t i = 0; i < len; i++) {
        to[i] = ascii_lower(text.p[i]);
    }
    return str_make(to, len);
}

struct str key_trim_path(struct str path)
{
    while (path.len != 0 && path.p[path.len - 1] == '/') {
        path.len--;
    }
    return path;
}

size_t key_path_border(struct str path, size_t from)
{
    if (from >= path.len) {
        return path.len;
    }
    return from + 1 + str_index(str_skip(path, from + 1), '/');
}

bool key_is(const struct key *key, struct str text)
{
    if (text.len != key_len(key) || !str_starts(text, key->host)) {
        return false;
    }
    struct str rest = str_skip(text, key->host.len);
    if (!str_starts(rest, key->path)) {
        return false;
    }
    rest = str_skip(rest, key->path.len);
    return key->query.len == 0 || (rest.p[0] == '?' && str_eq(str_skip(rest, 1), key->query));
}
