/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small steps in making and reading documents (jansson). Running out of memory leaves a member out;
 * what a page cannot do without is looked at by whoever answers. */
#ifndef LODGE_WEB_DOCUMENT_H
#define LODGE_WEB_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

/* A new text; NULL where it is no UTF-8. */
json_t *document_text(struct str text);
/* Sets a member to a text, a number or a truth. */
void document_put(json_t *object, const char *name, struct str text);
void document_put_str(json_t *object, struct str name, struct str text);
void document_put_number(json_t *object, const char *name, int64_t number);
void document_put_bool(json_t *object, const char *name, bool truth);
/* A new object or list, set as a member; object keeps it. */
json_t *document_object(json_t *object, const char *name);
json_t *document_list(json_t *object, const char *name);
/* A new object at the end of a list, which keeps it. */
json_t *document_add(json_t *list);

/* A member that is text; empty for all else. The document keeps it. */
struct str document_get(const json_t *object, const char *name);
/* The same for a name that is no literal. */
struct str document_get_str(const json_t *object, struct str name);
json_t *document_member(const json_t *object, struct str name);
/* Whether a member is true. */
bool document_is(const json_t *object, const char *name);
int64_t document_number(const json_t *object, const char *name);

#endif
