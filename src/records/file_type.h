/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a file is, by its bytes where they tell. */
#ifndef LODGE_RECORDS_FILE_TYPE_H
#define LODGE_RECORDS_FILE_TYPE_H

#include <stdbool.h>

#include "base/str.h"

/* A media type: by the first bytes; "text/plain" for UTF-8; else what was told, where it is one of
 * the documents that schools send (Office files are ZIP archives); else octets. Static memory. */
struct str file_type(struct str bytes, struct str told);

/* Programs and installers are not kept, whatever they are called (wire/sniff.h). */
bool file_is_program(struct str bytes, struct str name);

#endif
