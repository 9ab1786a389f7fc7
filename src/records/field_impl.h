/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the readers and printers of the types share. */
#ifndef LODGE_RECORDS_FIELD_IMPL_H
#define LODGE_RECORDS_FIELD_IMPL_H

#include "records/field.h"

/* One reading. */
struct reading {
    const struct register_field *field;
    const json_t *input; /* all that was given */
    const json_t *given; /* the member of the field's name, or NULL */
    const struct field_reader *reader;
    struct str fault;
};

/* Reads into *ret_value, which is empty before. ERR_INVALID with a fault set by read_fault. */
typedef enum err read_fn(struct reading *reading, struct field_value *ret_value);
typedef void print_fn(const struct register_field *field, const struct field_value *value,
                      struct buf *to);

read_fn read_text, read_long_text, read_email, read_site, read_choice, read_yes_no, read_reference;
read_fn read_date, read_span, read_number, read_money, read_phone, read_upn;
print_fn print_date, print_span, print_number, print_money, print_choice, print_yes_no, print_phone;

/* Notes a fault: the field's subject ("Date of birth", or `noun` where the label is a question or
 * long), a space, and the rest. Gives ERR_INVALID, or ERR_MEMORY. */
MUST_USE enum err read_fault(struct reading *reading, const char *noun, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The text of a member, without white space at its ends, for the types whose values are written on
 * one line: empty for null and for one that is not there. Other JSON types are a fault. */
MUST_USE enum err read_word(struct reading *reading, const json_t *member, const char *noun,
                            struct str *ret_text);

/* text in lower case and without blanks and the characters of `without`, into the arena. */
MUST_USE enum err read_squeezed(struct reading *reading, struct str text, const char *without,
                                struct str *ret_text);

/* A member called NAME and the suffix ("-day"); NULL for none. */
const json_t *read_member(const struct reading *reading, const char *suffix);

/* Appends a number that was scaled by 10 to its decimals: "-1234.50"; with commas "-1,234.50". */
void number_print(int64_t number, unsigned decimals, bool commas, struct buf *to);

/* ---- days ---- */

/* Takes a day off the front of *rest, in any British spelling or ISO 8601's. ERR_INVALID. */
struct date {
    int32_t year, month, day;
};
MUST_USE enum err date_take(struct str *rest, struct date *ret_day);
bool date_exists(const struct date *day);
/* "27 March 2018" */
void date_print(const struct date *day, struct buf *to);
/* Of a canonical text. */
struct date date_of(struct str iso);
/* A whole word as a month, 1 to 12: a number, a name or its first three letters; 0 for none. */
int32_t date_month(struct str word);

#endif
