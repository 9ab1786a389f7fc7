/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads of answers that we give ourselves. */
#include "http/answer.h"

#include "wire/http1.h"

void http_answer_print(struct buf *to, const struct http_answer *answer)
{
    http1_print_status_line(to, answer->status, http1_reason(answer->status));
    http1_print_header(to, STR("Content-Type"), answer->type);
    buf_append(to, STR("Content-Length: "));
    buf_append_u64(to, answer->length);
    buf_append(to, STR("\r\n"));
    if (!answer->cacheable) {
        http1_print_header(to, STR("Cache-Control"), STR("no-store"));
    }
    if (answer->policy.len != 0) {
        http1_print_header(to, STR("Content-Security-Policy"), answer->policy);
    }
    buf_append(to, STR("X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"));
    buf_append(to, answer->extra);
    http1_print_header(to, STR("Connection"),
                       answer->keep_alive ? STR("keep-alive") : STR("close"));
    buf_append(to, STR("\r\n"));
}
