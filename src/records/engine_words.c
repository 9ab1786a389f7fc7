/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Words to search by: folded (wire/fold.h), cut where a letter or digit ends. A record's are those
 * of its searchable fields and of the names that its list shows; never of a sealed or sensitive
 * field. A query's words must all be found, each as the beginning of one. */
#include "records/engine_impl.h"

#include <stdlib.h>
#include <string.h>

#include "wire/utf8.h"

enum { COUNTED = 1000 };

struct words {
    struct str list[WORDS_MAX];
    size_t n;
};

static bool is_inside(char c)
{
    return ascii_is_digit(c) || ascii_is_alpha(c) || (unsigned char)c >= 0x80;
}

/* The next word of a key: apostrophes within it are passed over ("o'brien" is "obrien"), and it
 * ends at WORD_BYTES. Empty at the end. */
static struct str next_word(struct str *rest, char to[WORD_BYTES])
{
    size_t n = 0;
    while (rest->len != 0 && !is_inside(rest->p[0])) {
        *rest = str_skip(*rest, 1);
    }
    while (rest->len != 0 && (is_inside(rest->p[0]) || rest->p[0] == '\'')) {
        size_t len = utf8_length(*rest);
        len = len != 0 ? len : 1;
        if (rest->p[0] != '\'' && n + len <= WORD_BYTES) {
            memcpy(to + n, rest->p, len);
            n += len;
        }
        *rest = str_skip(*rest, len);
    }
    return str_make(to, n);
}

static bool has_word(const struct words *words, struct str word)
{
    for (size_t i = 0; i < words->n; i++) {
        if (str_eq(words->list[i], word)) {
            return true;
        }
    }
    return false;
}

static enum err add_words(struct arena *arena, struct str key, size_t max, struct words *words)
{
    char room[WORD_BYTES];
    for (struct str word = next_word(&key, room); word.len != 0 && words->n < max;
         word = next_word(&key, room)) {
        if (!has_word(words, word)) {
            words->list[words->n++] = arena_dup(arena, word);
        }
    }
    return arena->failed ? ERR_MEMORY : ERR_OK;
}

static enum err key_of(struct arena *arena, struct str text, struct str *ret_key)
{
    const struct field_value value = {.part = {store_text(text), store_null()}};
    struct store_value key;
    ERR_TRY(field_key(&value, arena, &key));
    *ret_key = key.kind == STORE_TEXT ? key.bytes : STR("");
    return ERR_OK;
}

static enum err add_field(struct work *work, const struct store_value *row, size_t field,
                          struct words *words)
{
    const struct register_field *the = &work->def->fields[field];
    const struct store_value *value = &row[the->column];
    struct str key = STR("");
    if (the->sensitive || value->kind != STORE_TEXT) {
        return ERR_OK;
    }
    if (field_refers(the) && the->listed) {
        enum err err = reference_name(work, the->type, value->bytes, &key);
        if (err != ERR_OK && err != ERR_NOT_FOUND) {
            return err;
        }
        ERR_TRY(key_of(&work->arena, key, &key));
    } else if (the->searchable) {
        ERR_TRY(key_of(&work->arena, value->bytes, &key));
    }
    return add_words(&work->arena, key, WORDS_MAX, words);
}

enum err words_keep(struct work *work, const struct store_value *row)
{
    struct words *words = arena_alloc(&work->arena, sizeof(*words));
    const struct store_value record[] = {row[COLUMN_SCHOOL], row[COLUMN_ID]};
    if (words == NULL) {
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < work->def->n_fields; i++) {
        ERR_TRY(add_field(work, row, i, words));
    }
    ERR_TRY(store_run(work->engine->store, STATEMENT_WORD_REMOVE, record, 2, NULL));
    for (size_t i = 0; i < words->n; i++) {
        const struct store_value values[] = {record[0], record[1], store_text(words->list[i]),
                                             store_text(work->def->name)};
        ERR_TRY(store_run(work->engine->store, STATEMENT_WORD_ADD, values, 4, NULL));
    }
    return ERR_OK;
}

/* ---- queries ---- */

struct wanted {
    struct str word;
    struct str end; /* the first text behind all that begin with it */
    int64_t found;
};

static int longest_first(const void *a, const void *b)
{
    const struct str *left = a;
    const struct str *right = b;
    return left->len < right->len ? 1 : left->len > right->len ? -1 : str_compare(*left, *right);
}

static int rarest_first(const void *a, const void *b)
{
    const struct wanted *left = a;
    const struct wanted *right = b;
    return left->found < right->found   ? -1
           : left->found > right->found ? 1
                                        : longest_first(&left->word, &right->word);
}

static struct str behind(struct arena *arena, struct str word)
{
    char room[WORD_BYTES + 4];
    memcpy(room, word.p, word.len);
    memcpy(room + word.len, "\xf4\x8f\xbf\xbf", 4); /* U+10FFFF */
    return arena_dup(arena, str_make(room, word.len + 4));
}

/* The rarest leads the search: whatever it does not find is not looked at. */
static enum err order_words(struct work *work, struct wanted *wanted, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct store_value values[] = {
            store_text(work->actor->school), store_text(work->def->name),
            store_text(wanted[i].word), store_text(wanted[i].end), store_number(COUNTED)};
        struct store_value found;
        ERR_TRY(store_row(work->engine->store, STATEMENT_WORD_COUNT, values, 5, &work->arena,
                          &found, 1));
        wanted[i].found = found.number;
    }
    qsort(wanted, n, sizeof(*wanted), rarest_first);
    return ERR_OK;
}

enum err words_asked(struct work *work, struct str query,
                     struct store_value values[2 * WORDS_ASKED], size_t *ret_n, bool *ret_rare)
{
    struct words *words = arena_alloc(&work->arena, sizeof(*words));
    struct wanted wanted[WORDS_ASKED] = {0};
    struct str key;
    if (words == NULL) {
        return ERR_MEMORY;
    }
    ERR_TRY(key_of(&work->arena, query, &key));
    ERR_TRY(add_words(&work->arena, key, WORDS_MAX, words));
    qsort(words->list, words->n, sizeof(words->list[0]), longest_first);
    size_t n = words->n < WORDS_ASKED ? words->n : WORDS_ASKED;
    for (size_t i = 0; i < n; i++) {
        wanted[i].word = words->list[i];
        wanted[i].end = behind(&work->arena, words->list[i]);
    }
    ERR_TRY(order_words(work, wanted, n));
    for (size_t i = 0; i < WORDS_ASKED; i++) {
        values[2 * i] = store_text(wanted[i].word);
        values[2 * i + 1] = store_text(wanted[i].end);
    }
    *ret_n = n;
    *ret_rare = n != 0 && wanted[0].found < COUNTED;
    return work->arena.failed ? ERR_MEMORY : ERR_OK;
}

/* ---- a name that changed ---- */

enum { RENAMED_MAX = 100000 };

/* The ids first: one statement cannot be open twice. */
static enum err referring(struct work *work, enum store_statement statement, struct str id,
                          struct str **ret_ids, size_t *ret_n)
{
    const struct store_value values[] = {store_text(work->actor->school), store_text(id),
                                         store_number(RENAMED_MAX)};
    struct store_rows *rows;
    enum err err;
    size_t n = 0;
    size_t room = 64;
    struct str *ids = arena_array(&work->arena, room, sizeof(*ids));
    ERR_TRY(store_query(work->engine->store, statement, values, 3, &rows));
    while (store_rows_next(rows, &err) && ids != NULL) {
        if (n == room) {
            struct str *more = arena_array(&work->arena, room * 2, sizeof(*ids));
            if (more != NULL) {
                memcpy(more, ids, room * sizeof(*ids));
            }
            ids = more;
            room *= 2;
        }
        if (ids != NULL) {
            ids[n++] = arena_dup(&work->arena, store_rows_bytes(rows, 0));
        }
    }
    store_rows_free(rows);
    *ret_ids = ids;
    *ret_n = n;
    return err != ERR_OK ? err : work->arena.failed ? ERR_MEMORY : ERR_OK;
}

static enum err renamed_in(struct work *work, const struct register_def *def, size_t field,
                           struct str id)
{
    struct work other = {.engine = work->engine, .actor = work->actor, .def = def};
    struct str *ids;
    size_t n;
    ERR_TRY(referring(work, def->statements->refers[field], id, &ids, &n));
    arena_init(&other.arena, ENGINE_ARENA_BYTES);
    enum err err = ERR_OK;
    for (size_t i = 0; i < n && err == ERR_OK; i++) {
        struct store_value *row;
        arena_reset(&other.arena);
        err = row_get(&other, ids[i], &row);
        err = err == ERR_OK ? words_keep(&other, row) : err;
    }
    arena_fini(&other.arena);
    return err;
}

enum err words_renamed(struct work *work, struct str id)
{
    for (size_t r = 0; r < N_REGISTERS; r++) {
        const struct register_def *def = REGISTERS[r];
        for (size_t i = 0; i < def->n_fields; i++) {
            bool fits = field_refers(&def->fields[i]) && def->fields[i].listed &&
                        register_of(def->fields[i].type) == work->def;
            if (fits) {
                ERR_TRY(renamed_in(work, def, i, id));
            }
        }
    }
    return ERR_OK;
}
