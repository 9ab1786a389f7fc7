/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a register is: static tables that tools/schema.py makes from schema/NAME.toml
 * (docs/schema.md). The engine, forms, API and exports read nothing else. */
#ifndef LODGE_RECORDS_REGISTER_H
#define LODGE_RECORDS_REGISTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "records/permit.h"
#include "store/statement.h"

enum field_type {
    FIELD_UNSET,
#define FIELD_TYPE(name, word, column, text) FIELD_##name,
#include "records/field_type.def"
#undef FIELD_TYPE
    FIELD_COUNT
};

/* The columns that every register has, in the order of the statements' rows and values. */
enum register_column {
    COLUMN_ID,
    COLUMN_SCHOOL,
    COLUMN_VERSION,
    COLUMN_STATE, /* empty where the register has no states */
    COLUMN_ABOUT, /* NULL where it is about nobody */
    COLUMN_MADE_MS,
    COLUMN_MADE_BY, /* a person's id; empty for the operator */
    COLUMN_CHANGED_MS,
    COLUMN_CHANGED_BY,
    COLUMN_FIELDS, /* here the fields' begin */
};

struct register_choice {
    struct str value; /* in the store and the API */
    struct str label;
    const struct str *also; /* how others write it ("Y1" for "Year 1"): read, never shown */
    size_t n_also;
};

/* How far a viewer reaches (standing.h works it out). */
enum register_reach {
    REACH_MADE,   /* made by the viewer, or a `named` field names them */
    REACH_OWN,    /* ... or about the viewer or their child */
    REACH_CLASS,  /* ... or about a member of a group that the viewer teaches or covers today */
    REACH_SCHOOL, /* all of the school */
    REACH_COUNT,
};

/* How a statement finds rows; tools/schema_sql.py says what each takes. */
enum register_way {
    WAY_NEAR, /* from the viewer outwards */
    WAY_SCHOOL,
    WAY_COUNT,
};

struct register_field {
    struct str name;
    struct str label;
    struct str hint;
    enum field_type type;
    bool required;
    bool listed;     /* a column of the list */
    bool searchable; /* the search looks here */
    bool sortable;
    bool sensitive;   /* seeing it is an act (audit.h: a look) */
    bool hidden_from; /* a person field: the record does not exist for this person */
    bool named;       /* a person field: this person sees the record, as who made it does */
    bool unique;      /* within the school */
    bool warns;       /* a yes/no: "yes" must catch the eye */
    unsigned seen_by; /* roles, 1U << role, or-ed; 0: whoever sees the record */
    int64_t min, max; /* length in characters, number, pence, days from today; both 0: the type's */
    unsigned decimals;
    const struct register_choice *choices;
    size_t n_choices;
    const struct str
        *headings; /* of a table's column, beside label and name, the likeliest first */
    size_t n_headings;
    bool keyed;    /* a folded copy (field_key of field.h) is the last of its columns */
    size_t column; /* the first of this field in the statements' rows and values */
    size_t n_columns;
};

/* In a table that has no column for a field, its parts make it, in their order, a space between. */
struct register_part {
    struct str name, label;
    size_t of;
    size_t otherwise; /* the field whose cell stands in; n_fields: none */
    const struct str *headings;
    size_t n_headings;
};

struct register_state {
    struct str name;
    struct str label;
};

struct register_move {
    struct str name;
    struct str label;
    unsigned from;    /* states, 1U << index, or-ed */
    size_t to;        /* a state's index */
    unsigned by;      /* roles, 1U << role, or-ed */
    uint64_t demands; /* fields that must be filled, 1 << index, or-ed */
    bool reason;      /* asks for one */
};

/* Statements of one register; STATEMENT_UNSET where it has none. Their parameters and rows are
 * described at the top of tools/schema_sql.py. */
struct register_statements {
    enum store_statement get, insert, update, remove;
    /* [way * (n_fields + 1) + field][0 up, 1 down]; the field n_fields: by its last change. */
    const enum store_statement (*list)[2];
    /* The same for the school, found from the first word: [field][0 up, 1 down]. */
    const enum store_statement (*search)[2];
    enum store_statement about[WAY_COUNT], waiting[WAY_COUNT];
    enum store_statement count[WAY_COUNT], count_about[WAY_COUNT], count_waiting[WAY_COUNT];
    enum store_statement count_search;
    const enum store_statement *by;     /* [field]: by a unique value */
    const enum store_statement *refers; /* [field]: that refer to a person, group or device */
};

struct register_def {
    struct str name;   /* singular, the table's: "concern" */
    struct str plural; /* in URLs: "concerns" */
    struct str label, label_plural, help;
    enum area area;
    struct str retention; /* a class of docs/schema.md (R244) */
    bool subject_access;  /* in the export of the person it is about */
    bool sensitive;       /* opening one is a look, with a reason (audit.h) */
    const struct register_field *fields;
    size_t n_fields;
    const struct register_part *parts;
    size_t n_parts;
    size_t n_columns;   /* of the statements' rows and values: enum register_column, then fields' */
    size_t about;       /* the person field whom a record is about; n_fields: none */
    bool about_itself;  /* the register of people: each record is about itself */
    size_t title;       /* the field that names a record in lists and links */
    struct str waiting; /* heads, on the start page, what is not in its last state; or empty */
    const struct register_state *states; /* the first is where a record begins; none: no states */
    size_t n_states;
    const struct register_move *moves;
    size_t n_moves;
    const struct register_statements *statements;
};

extern const struct register_def *const REGISTERS[];
extern const size_t N_REGISTERS;

/* By its plural or its name; NULL for none. */
const struct register_def *register_find(struct str plural);
/* The index of a field, or def->n_fields. */
size_t register_field_find(const struct register_def *def, struct str name);

#endif
