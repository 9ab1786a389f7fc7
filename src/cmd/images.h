/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The images that commands are given as files, loaded with errors that name file and remedy. Each
 * answers OPTIONS_GO_ON, or the exit code after a message on standard error. */
#ifndef LODGE_CMD_IMAGES_H
#define LODGE_CMD_IMAGES_H

#include "base/buf.h"
#include "catalog/catalog.h"
#include "policy/policy.h"
#include "policy/state.h"

/* A whole file, or standard input for "-". *text is to be an open buffer. */
int load_text(const char *command, const char *path, struct buf *text);
/* The policy in text, which came from path. */
int parse_policy(const char *command, const char *path, const struct buf *text,
                 struct policy **ret_policy);
int load_policy(const char *command, const char *path, struct policy **ret_policy);
int load_catalog(const char *command, const char *path, struct catalog **ret_catalog);
/* A state image, or the document that one is built from. */
int load_state(const char *command, const char *path, struct state **ret_state);
/* EXIT_REFUSED, after each line of *why with the file's name before it. */
int fail_document(const char *command, const char *path, enum err err, const struct buf *why);
/* Makes the data folder where it is given and absent. */
int make_data(const char *command, const char *data);

#endif
