/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clerk's register of devices: takes what workers tell, keeps it in DIR/devices/enrolment,
 * and tells all workers which devices count as not enrolled (policy/enrolment.h says when). */
#ifndef LODGE_PROC_DEVICES_H
#define LODGE_PROC_DEVICES_H

#include "base/err.h"
#include "os/loop.h"

#define DEVICES_FOLDER "devices"
#define DEVICES_NAME "enrolment"

struct devices;

/* Opens DIR/devices, made where absent; as root it is given to the clerk's user. data_fd is the
 * data folder. Errors as file_make_dirs. */
MUST_USE enum err devices_open_folder(int data_fd, int *ret_fd);

/* Reads the file below folder_fd, which stays usable; one that cannot be read is told in the log,
 * and a new register begun. ERR_MEMORY. */
MUST_USE enum err devices_new(struct loop *loop, int folder_fd, struct devices **ret_devices);

/* A worker's line, taken over; it is told at once what holds. */
void devices_take_line(struct devices *devices, int fd);

/* Before the end: what is not kept yet is. */
void devices_save(struct devices *devices);

#endif
