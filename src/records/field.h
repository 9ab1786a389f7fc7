/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The values of fields: from what a person typed, or the API sent, to what the store keeps, and
 * back (docs/schema.md, "Types"). Nothing here asks the store: whether a person exists, a value is
 * unique or a move's demand is met is the engine's to say.
 *
 * A value is refused with a sentence that stands beside the field and says what to do. What holds
 * for all text: valid UTF-8, composed (NFC), no control characters, none that turn its direction
 * (a name that reads backwards) and none that cannot be seen.
 */
#ifndef LODGE_RECORDS_FIELD_H
#define LODGE_RECORDS_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "records/register.h"
#include "store/store.h"

/* Canonical. STORE_NULL: empty. STORE_TEXT: text of all kinds (sealed ones too: sealing is the
 * engine's), a day as 2018-03-27, a choice's value, a telephone number as +442079460018, ids.
 * STORE_NUMBER: numbers times ten to their decimals, pence, 1 or 0, minutes of UTC. A span's from
 * is the first and its until the second; of all others the second is STORE_NULL. */
enum { FIELD_PARTS = 2 };
struct field_value {
    struct store_value part[FIELD_PARTS];
};

static inline bool field_is_empty(const struct field_value *value)
{
    return value->part[0].kind == STORE_NULL && value->part[1].kind == STORE_NULL;
}

struct field_reader {
    struct arena *arena; /* values and sentences point into it, or into the input */
    int32_t today;       /* the school's day, days since 1970-01-01 */
};

/* Whether input says anything of this field: a member of its name, NAME-day, NAME-month and
 * NAME-year (a date), NAME-from and NAME-until (a span). A UPN or a sealed text that is empty text
 * or true says nothing, as forms never show what is kept: null takes it away. */
bool field_is_given(const struct register_field *field, const json_t *input);

/* Reads this field's value from {name: text or typed value}; what is not there, null or blank is
 * empty, which is fine here though the field is required (field_missing). ERR_INVALID: *ret_fault
 * says why. ERR_MEMORY. */
MUST_USE enum err field_read(const struct register_field *field, const json_t *input,
                             const struct field_reader *reader, struct field_value *ret_value,
                             struct str *ret_fault);

/* What stands beside a required field that is empty; {NULL, 0} where the arena is full. */
struct str field_missing(const struct register_field *field, struct arena *arena);
/* Beside one whose value another record has already. */
struct str field_taken(const struct register_field *field, struct arena *arena);

/* Appends the value as a person reads it: "27 March 2018", "£1,234.50", a choice's label, "Yes",
 * "020 7946 0018". Nothing for an empty one; a reference and a file as their id; a UPN as
 * "On record", never itself (K16). */
void field_print(const struct register_field *field, const struct field_value *value,
                 struct buf *to);

/* The value in the API's form, which field_read takes again: null, text, a number without decimals,
 * true or false, a span as {"from", "until"} in UTC; money and numbers with decimals as text
 * ("1234.50"); a UPN as true. NULL: out of memory. */
json_t *field_json(const struct register_field *field, const struct field_value *value);

/* The canonical text of a value, for past versions and the audit's digests: different values have
 * different texts. A span's parts are joined by '/'. */
void field_canonical(const struct field_value *value, struct buf *to);

/* The key by which a text is found, sorted and compared (k_NAME; wire/fold.h); of an e-mail address
 * and other text alike. STORE_NULL for an empty value. ERR_MEMORY. */
MUST_USE enum err field_key(const struct field_value *value, struct arena *arena,
                            struct store_value *ret_key);

/* Form and check letter of a unique pupil number in upper case (DfE's UPN guide: 13 characters; the
 * first is the letter at the sum of position times value over the others, modulo 23). */
bool field_upn_is_valid(struct str upn);

#endif
