/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Any bytes as a frame between front and desk; what is read is packed to the same bytes. */
#include <stdint.h>

#include "base/check.h"
#include "proc/desk_line.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str frame = {(const char *)data, size};
    struct web_request request;
    struct desk_answer answer;
    struct buf again;
    buf_init(&again, DESK_FRAME_MAX);
    if (desk_read_request(frame, &request) == ERR_OK) {
        CHECK(desk_pack_request(&request, &again) == ERR_OK);
        CHECK(str_eq(buf_str(&again), frame));
    }
    buf_clear(&again);
    if (desk_read_answer(frame, &answer) == ERR_OK) {
        CHECK(desk_pack_answer(&answer, &again) == ERR_OK);
        CHECK(str_eq(buf_str(&again), frame));
    }
    buf_fini(&again);
    return 0;
}
