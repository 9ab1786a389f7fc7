/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What our own binary does when we start it again as one of our processes. */
#ifndef LODGE_PROC_PROCESS_H
#define LODGE_PROC_PROCESS_H

/* Runs the process of this name ("fetcher", "proxy-0"); the exit status. 1 for a name that is none.
 * Only lodge itself calls it, as `lodge process NAME`, with the descriptors that the process knows.
 */
int process_run(const char *name);

#endif
