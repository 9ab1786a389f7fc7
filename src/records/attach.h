/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file for one's own record: whoever made a record, and may still make such a one, may add a file
 * where there is none while the record is in its first state, also where they may not see or change
 * it. Nothing is replaced, and nothing can be read this way. */
#ifndef LODGE_RECORDS_ATTACH_H
#define LODGE_RECORDS_ATTACH_H

#include "records/engine.h"

/* The fields that take one: [{"name", "label", "hint"}], empty where there are none. ERR_NOT_FOUND
 * for all but whoever made it, and for whom the record does not exist. */
MUST_USE enum err attach_fields(struct engine *engine, const struct actor *actor,
                                const struct register_def *def, struct str id, json_t **ret_fields);

/* Puts a file of engine_file_keep into one of those fields: a change, with its act. ERR_NOT_FOUND
 * as above; ERR_DENIED: the record is past its first state, or such a field does not take a file
 * this way; ERR_CONFLICT: there is a file now; ERR_INVALID, with faults: the file is not there. */
MUST_USE enum err attach_file(struct engine *engine, const struct actor *actor,
                              const struct register_def *def, struct str id, struct str field,
                              struct str file, json_t **ret_faults);

#endif
