/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The demonstration school of `lodge serve --demo`. */
#ifndef LODGE_CMD_DEMO_H
#define LODGE_CMD_DEMO_H

#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"

/* The data folder where none is given: lodge-demo in XDG_STATE_HOME, or in ~/.local/state.
 * ERR_NOT_FOUND where neither is known. */
MUST_USE enum err demo_data_folder(struct buf *to);

/* Writes the school's files into DATA/demo and its records into DATA/store (anew at every start),
 * compiles its catalogue, and fills the options that are not set. *guide gets what to print once
 * the gate is ready. An exit code, or OPTIONS_GO_ON. */
int demo_prepare(const char *data, struct conf *conf, struct buf *guide);

#endif
