/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lists, as pages, the search and exports go through them. */
#ifndef LODGE_RECORDS_ENGINE_LIST_IMPL_H
#define LODGE_RECORDS_ENGINE_LIST_IMPL_H

#include "records/engine_impl.h"

/* Calls fn for each row of a query, from `offset`, at most `limit`. */
typedef enum err list_row(struct work *work, const struct store_value *row, void *context);

struct listing {
    struct standing_list standing;
    const struct engine_query *query;
    size_t field; /* by which it is sorted; n_fields: the last change */
    bool down;
    struct store_value words[2 * WORDS_ASKED];
    size_t n_words;
    bool narrow;   /* found from the first word */
    int64_t total; /* of listing_count: LISTING_COUNTED at most */
};
enum { LISTING_COUNTED = 1001 };
MUST_USE enum err listing_start(struct work *work, const struct engine_query *query, enum verb verb,
                                struct listing *ret_listing);
MUST_USE enum err listing_count(struct work *work, struct listing *listing);
MUST_USE enum err listing_rows(struct work *work, const struct listing *listing, size_t limit,
                               size_t offset, list_row *fn, void *context);
/* The actor's roles that count for a row of a list: a pupil's and a parent's for their own only. */
unsigned listing_roles(const struct work *work, const struct store_value *row);

#endif
