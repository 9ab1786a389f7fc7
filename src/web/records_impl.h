/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the pages of registers share; private to records*.c, start.c and search.c. */
#ifndef LODGE_WEB_RECORDS_IMPL_H
#define LODGE_WEB_RECORDS_IMPL_H

#include "records/engine.h"
#include "web/document.h"
#include "web/web_impl.h"

/* The engine over the console's store. */
struct engine records_engine(const struct web_exchange *exchange);
/* The register that the address names; NULL for none. */
const struct register_def *records_def(const struct web_exchange *exchange);
/* "/records/people", "/records/people/ID" and with "/edit" or the like behind it, in the arena. */
struct str records_path(struct web_exchange *exchange, const struct register_def *def,
                        struct str id, const char *behind);
/* A document with title and crumbs: Start, Records, the register, the record where it has a title.
 * NULL: out of memory. */
json_t *records_document(struct web_exchange *exchange, const struct register_def *def,
                         struct str title, const json_t *record);
/* One more crumb at the end: where one is. */
void records_crumb(json_t *document, struct str text, struct str href);
/* The day and minute of a moment, in British time: "22 November 2026, 10:15". */
struct str records_when(struct web_exchange *exchange, int64_t ms);
/* A change was committed: to the record's page (id empty: the list's), which says so. */
enum web_next records_done(struct web_exchange *exchange, const struct register_def *def,
                           struct str id, const char *done);
/* Where the maker of a new record goes on: to it, or to the page that says that it was received. */
struct str records_after_making(struct web_exchange *exchange, const struct register_def *def,
                                struct str id);
/* The version that a form was made from (text or number); 0 where it says none. */
uint64_t records_version(const struct web_exchange *exchange);
/* Loads the record of the address. What fails is answered: then NULL. */
json_t *records_load(struct web_exchange *exchange, const struct register_def *def);
/* The register's kind of thing in a sentence: "concern". */
struct str records_noun(struct web_exchange *exchange, const struct register_def *def);

/* The beginning of the id, as one says it on the telephone: "ABCD-EFGH". */
struct str records_number(struct web_exchange *exchange, struct str id);
/* The file fields that take a file from this person as whoever made it (attach_fields); [] for all
 * others. */
MUST_USE enum err records_adding(struct web_exchange *exchange, const struct register_def *def,
                                 struct str id, json_t **ret_fields);

/* ---- one line of each ---- */

/* Fills "title", "note", "href" and "warning" (a label, where a field that warns says yes).
 * without_about: on the page of whom it is about. */
void records_line(struct web_exchange *exchange, const struct register_def *def,
                  const json_t *record, bool without_about, json_t *line);
/* Adds [{"label", "items": [line], "href" where there are more}] of all that is about a person and
 * may be seen, by register; and to warnings [{"text"}] what of it must catch the eye. */
MUST_USE enum err records_related(struct web_exchange *exchange, struct str person, json_t *groups,
                                  json_t *warnings);

/* ---- forms ---- */

/* What a form shows in its fields. */
struct records_form {
    const struct register_def *def;
    const json_t *record;  /* what is kept; NULL for a new one */
    const json_t *typed;   /* what was sent; NULL where the form is fresh */
    const json_t *faults;  /* {field: sentence} */
    const json_t *choices; /* {field: [{value, text, hint}]}: candidates of what was looked for */
    uint64_t only;         /* fields, 1 << index, or-ed; 0: all that the person may see */
    unsigned roles;
};
/* Adds "fields", "errors" and "multipart" to the document. */
void records_form_fill(struct web_exchange *exchange, json_t *document,
                       const struct records_form *form);

/* From what a form sent to what the engine takes: people, groups and devices that were looked for
 * by name become ids. Faults and candidates of those that did not are added to both. A new object.
 */
MUST_USE enum err records_choose(struct web_exchange *exchange, const struct register_def *def,
                                 json_t **ret_input, json_t *faults, json_t *choices);

/* ---- the start page ---- */

/* Adds the way to the class's computers to "actions", and a card of those that the person is beside
 * to "cards" (class.c). */
MUST_USE enum err class_add_to_start(struct web_exchange *exchange, json_t *document);

#endif
