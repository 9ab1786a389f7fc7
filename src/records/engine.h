/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The register engine: what holds for every record of every register (design section 6). Permission
 * is checked here, never in a page; every change is one transaction with its act.
 *
 * Records go in and out as JSON (docs/schema.md, "In the API"): what a page shows is what the API
 * answers. A record that the actor may not see does not exist for them: ERR_NOT_FOUND, from
 * every function alike. ERR_DENIED: may see it, but not do that.
 */
#ifndef LODGE_RECORDS_ENGINE_H
#define LODGE_RECORDS_ENGINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "records/actor.h"
#include "records/register.h"
#include "store/keys.h"
#include "store/store.h"

struct engine {
    struct store *store;
    struct keys *keys;
};

struct engine_query {
    struct str search; /* words; empty: all */
    struct str sort;   /* a field's name; empty: last changed first */
    bool down;
    size_t page;      /* from 1 */
    size_t per_page;  /* 1 to 100; 0: 25 */
    struct str about; /* only records about this person; empty: all */
    bool waiting; /* only those not in the last state, of a register with `waiting`: last changed
                   * first, without about and sort */
};

/* {"register", "items": [record...], "page", "per_page", "more": bool, "total": n,
 * "total_is_least": bool (there are more than the total that was counted), "sort", "down",
 * "search", "may": {"make": bool, "take": bool, "bring": bool}}. Each record holds "id", "version",
 * "state", "state_label", "title", "about": null or {"id", "name"}, "made" and "changed": {"ms",
 * "by", "name"}, "fields" (canonical, field_json) and "shown" (as a person reads it; a reference as
 * its name). Of the fields a list has those that are `listed`. Fields that the actor may not see
 * are absent; sensitive ones are null in lists. Pages end behind 10,000 records: who looks further
 * should search. ERR_NOT_FOUND: the actor has nothing to do with this register. */
MUST_USE enum err engine_list(struct engine *engine, const struct actor *actor,
                              const struct register_def *def, const struct engine_query *query,
                              json_t **ret_document);

/* One record as above with all fields, and "may": {"change", "undo", "dispose", "moves": [{"name",
 * "label", "reason": bool, "demands": [field]}], "dispose_for": [{"value", "label"}]}, and where it
 * holds anything sensitive "look": "open" or "needed" (then those values are null and not among
 * "shown": the page asks for a reason and calls look_open for the person in "about"). */
MUST_USE enum err engine_get(struct engine *engine, const struct actor *actor,
                             const struct register_def *def, struct str id, json_t **ret_record);

/* Past versions, newest first, at most 200: [{"version", "act", "ms", "by", "name", "state",
 * "fields": [labels], "reason"}]. */
MUST_USE enum err engine_history(struct engine *engine, const struct actor *actor,
                                 const struct register_def *def, struct str id,
                                 json_t **ret_history);

/* Makes a record from {field: text or typed value}; members that are no field are passed over. A
 * person, group or device is given by id, or by its whole name where only one has it. ERR_INVALID:
 * *ret_faults is {field: sentence}, "" for what concerns no field; nothing is stored, and the
 * caller has what was typed. ERR_DENIED: the actor may not make such a record. */
MUST_USE enum err engine_make(struct engine *engine, const struct actor *actor,
                              const struct register_def *def, const json_t *input,
                              struct record_id *ret_id, json_t **ret_faults);

/* Changes the fields that are given. version: what the person saw; ERR_CONFLICT where somebody
 * changed it since. */
MUST_USE enum err engine_change(struct engine *engine, const struct actor *actor,
                                const struct register_def *def, struct str id, uint64_t version,
                                const json_t *input, struct str reason, json_t **ret_faults);

/* One of the register's moves. */
MUST_USE enum err engine_move(struct engine *engine, const struct actor *actor,
                              const struct register_def *def, struct str id, uint64_t version,
                              struct str move, const json_t *input, struct str reason,
                              json_t **ret_faults);

/* Takes the whole of the last change back (a new version with the values before it), or nothing of
 * it. ERR_NOT_FOUND: nothing to undo. ERR_INVALID, with faults: it touched what the actor may not
 * see (under ""), or what no look is open for, or a value cannot come back. */
MUST_USE enum err engine_undo(struct engine *engine, const struct actor *actor,
                              const struct register_def *def, struct str id, uint64_t version,
                              json_t **ret_faults);

/* Destroys the record, its past versions, files and key; its acts stay and the chain verifies.
 * reason: a name of disposal.def. What refers to it is emptied; where that must not be empty,
 * ERR_INVALID, with a sentence under "". Nobody disposes of their own record. */
MUST_USE enum err engine_dispose(struct engine *engine, const struct actor *actor,
                                 const struct register_def *def, struct str id, uint64_t version,
                                 struct str reason, json_t **ret_faults);

/* ---- tables for spreadsheets (wire/csv.h) ---- */

/* Rows of one import: while they are tried and taken nobody else is answered, about a second for
 * 2,000 and three for this many (measured on two cores; 20,000 took sixteen). */
enum { ENGINE_IMPORT_ROWS_MAX = 5000 };

/* Heads of columns that are no field's. */
#define ENGINE_CSV_ID STR("Record")
#define ENGINE_CSV_STATE STR("State")

/* What a list with this search shows, all pages: an act. Columns are headed by the fields' labels;
 * sealed and sensitive values, files and UPNs are not among them. ERR_DENIED: may see, not export;
 * ERR_LIMIT: more than `to` takes. */
MUST_USE enum err engine_export_csv(struct engine *engine, const struct actor *actor,
                                    const struct register_def *def,
                                    const struct engine_query *query, struct buf *to);
struct engine_import {
    struct str csv;
    /* NULL: columns are headed by labels, names or `headings` of fields, all of them known. Else
     * {"columns": [a field's or part's name, "record", or "" to leave it out; by column]} (absent:
     * by the headings, leaving out what is not known), "all": {field: what it is for new records
     * whose row says nothing}, "skip": true to take the other rows where some have faults}. */
    const json_t *plan;
    bool dry; /* nothing is stored */
};
/* Takes all rows or none (but see "skip"). A record is found by the column "Record" or by a unique
 * field, and changed, else made; an empty cell says nothing; a field without a column is made of
 * its parts (register.h). *ret_report, with ERR_OK and ERR_INVALID: {"rows", "made", "changed",
 * "same", "refused", "columns": [{"heading", "field", "examples": [text]}], "preview": [{"row",
 * "what": "new", "changed", "same" or "refused", "title", "fields": [label] (those that change)}]
 * (the first 500), "faults": [{"row" (a line of the file), "field" (label), "fault"}] (the first
 * 100)}. ERR_INVALID: there are faults, nothing is stored. ERR_LIMIT: the file is too long. */
MUST_USE enum err engine_import_csv(struct engine *engine, const struct actor *actor,
                                    const struct register_def *def,
                                    const struct engine_import *asked, json_t **ret_report);

/* ---- files ---- */

enum { ENGINE_FILE_BYTES = 10 * 1024 * 1024 };
/* Keeps a file sealed, for a file field; *ret_id goes into the field's input within a day. k9: the
 * answer to whether it could show a child undressed or in a sexual act ("no", "yes", "not_sure"):
 * at anything but "no" nothing is kept, and ERR_NOT_TAKEN leads to the page of K9. name and type as
 * the browser tells them (the type is taken from the bytes where they tell it). ERR_LIMIT: longer
 * than ENGINE_FILE_BYTES; ERR_INVALID: empty, or a program. */
MUST_USE enum err engine_file_keep(struct engine *engine, const struct actor *actor,
                                   const struct register_def *def, struct str k9, struct str name,
                                   struct str type, struct str bytes, struct record_id *ret_id);
/* A record's file as it came, to be offered as a download and never shown. ERR_DENIED: a look must
 * be opened first. */
MUST_USE enum err engine_file_read(struct engine *engine, const struct actor *actor,
                                   const struct register_def *def, struct str id, struct str field,
                                   struct arena *arena, struct str *ret_name, struct str *ret_type,
                                   struct buf *ret_bytes);

/* Over all registers that the actor may see: {"groups": [{"register", "label", "items", "more"}]}.
 */
MUST_USE enum err engine_search(struct engine *engine, const struct actor *actor, struct str words,
                                json_t **ret_document);

#endif
