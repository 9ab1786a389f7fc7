/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The lists that a school has fetched, on its disk.
 *
 *     lists/lock               held while an update runs
 *     lists/KEY/               one address: raw (the file as fetched) or files/ (an archive,
 * unpacked), and meta (its ETag and Last-Modified) lists/quarantine/KEY/    the same, fetched but
 * not yet accepted lists/manifest           what the catalogue is compiled from
 *
 * KEY is made from the address. A new version takes the old one's place by one exchange of names,
 * so there is always a whole one.
 */
#ifndef LODGE_OUTBOUND_LIBRARY_H
#define LODGE_OUTBOUND_LIBRARY_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "outbound/fetch.h"
#include "outbound/lines.h"

enum { LIBRARY_KEY_MAX = 24, LIBRARY_PATH_MAX = 512 };

struct library {
    int dir_fd;        /* lists/ */
    int quarantine_fd; /* lists/quarantine/ */
    int lock_fd;
};

/* Opens (and makes) lists/ below the data folder and takes the lock. ERR_AGAIN where another update
 * runs; ERR_SYSTEM with errno. */
MUST_USE enum err library_open(const char *data, struct library *ret_library);
void library_close(struct library *library);

/* The key of an address. */
void library_key(struct str address, char ret_key[LIBRARY_KEY_MAX]);

/* True where the address says that it is an archive (.tar.gz, .tgz, .tar.xz, .tar.bz2, .zip ...).
 */
bool library_is_archive(struct str address);

struct library_meta {
    char etag[FETCH_TEXT_MAX];
    char modified[FETCH_TEXT_MAX];
};

/* What is known of the accepted version; both empty where there is none. */
void library_meta_read(const struct library *library, const char *key,
                       struct library_meta *ret_meta);

/* Empties the key's place in quarantine and opens it: the folder, and a new file `raw` in it. */
MUST_USE enum err library_quarantine(const struct library *library, const char *key, int *ret_dir,
                                     int *ret_raw);

/* One list of a version. */
struct library_list {
    const char *key;
    bool archive;      /* in files/, else `raw` itself */
    struct str member; /* the file or folder there */
    enum list_format format;
    bool sealed;
};

/* Adds the lines of a list in a version (accepted or in quarantine) to lines. A version that is not
 * there adds nothing. ERR_NOT_FOUND where the version is there but not the list: a folder for ut1,
 * a file for each other format. */
MUST_USE enum err library_lines(const struct library *library, bool quarantined,
                                const struct library_list *list, struct lines *lines);

/* Puts the version in quarantine in the place of the accepted one. */
MUST_USE enum err library_accept(const struct library *library, const char *key,
                                 const struct library_meta *meta);

/* Forgets what is in quarantine. */
void library_drop(const struct library *library, const char *key);

/* True where there is an accepted version. */
bool library_has(const struct library *library, const char *key);

#endif
