/* SPDX-License-Identifier: GPL-3.0-or-later */
/* DIR/lodge.conf, as serve and doctor read it. */
#ifndef LODGE_CMD_CONF_FILE_H
#define LODGE_CMD_CONF_FILE_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"

/* Sets what the file holds; no file is fine. ERR_INVALID for a line that is wrong, ERR_SYSTEM where
 * it cannot be read; *why then says which file, which line and what is allowed. */
MUST_USE enum err conf_file_read(const char *data, struct conf *conf, struct buf *why);

#endif
