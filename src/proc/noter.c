/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The daily note of the ends. */
#include "proc/noter.h"

#include <errno.h>
#include <fcntl.h>

#include "base/clock.h"
#include "base/log.h"
#include "event/spool.h"
#include "records/audit_event.h"
#include "records/audit_heads.h"

struct noter {
    struct child *child;
    struct spool_writer *spool;
    int32_t noted_day; /* 0: not yet */
    int64_t now_ms;
};

enum err noter_new(struct child *child, struct noter **ret_noter)
{
    static struct noter noter;
    int fd = fcntl(child->spool_fd, F_DUPFD_CLOEXEC, 0);
    if (fd < 0) {
        return ERR_SYSTEM;
    }
    noter.child = child;
    ERR_TRY(
        spool_writer_open(fd, STR(AUDIT_EVENT_WRITER), child->conf.segment_bytes, &noter.spool));
    *ret_noter = &noter;
    return ERR_OK;
}

static enum err tell_spool(void *context, struct str school, const struct audit_head *head)
{
    struct noter *noter = context;
    return audit_event_append(noter->spool, conf_str(&noter->child->conf.node), school, head,
                              noter->now_ms, loop_mono_ms(noter->child->loop));
}

enum err noter_run(struct noter *noter, struct store *store)
{
    noter->now_ms = loop_utc_ms(noter->child->loop);
    int32_t today = clock_british_day(noter->now_ms);
    if (noter->noted_day == today) {
        return ERR_OK;
    }
    ERR_TRY(audit_heads_note_all(store, noter->child->audit_fd, noter->now_ms, tell_spool, noter));
    noter->noted_day = today;
    log_line(LOG_INFO, "audit-noted", "file=" AUDIT_FOLDER "/" AUDIT_HEADS_NAME);
    return ERR_OK;
}
