/* SPDX-License-Identifier: GPL-3.0-or-later */
/* State images that lie, and state documents. A first byte '{' is a document; else the rest is
 * taken for the sections of an image, under a header and a checksum that fit. */
#include <stdlib.h>

#include "policy/state_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_image(const uint8_t *data, size_t size)
{
    struct state *state = NULL;
    const char *why = NULL;
    struct buf out = {0};
    buf_init(&out, 1 << 22);
    if (state_open_copy(str_make((const char *)data, size), &state, &why) == ERR_OK) {
        struct addr addr = {{0}};
        state_print(state, &out);
        (void)state_device_at(state, &addr);
        (void)state_log_on_find(state, STR("d.w"));
        (void)state_is_nominated(state, STR("games"), STR("p-1"));
        (void)state_ban_find(state, STATE_SUSPENSIONS, WHO_PERSON, STR("p-1"), 0);
        state_free(state);
    }
    buf_fini(&out);
}

static void read_sealed(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size);
    if (copy == NULL) {
        return;
    }
    memcpy(copy, data, size);
    struct state_header *header = (struct state_header *)(void *)copy;
    memcpy(header->magic, "LODGESTA", sizeof(header->magic));
    header->version = STATE_VERSION;
    header->byte_order = STATE_BYTE_ORDER;
    header->size = size;
    struct state peek = {copy, size, false, header};
    header->checksum = state_checksum(&peek);
    read_image(copy, size);
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size != 0 && data[0] == '{') {
        struct buf image = {0};
        struct buf why = {0};
        buf_init(&image, 1 << 22);
        buf_init(&why, 1 << 22);
        if (state_build(str_make((const char *)data, size), &image, &why) == ERR_OK) {
            read_image((const uint8_t *)image.p, image.len);
        }
        buf_fini(&image);
        buf_fini(&why);
    } else {
        read_image(data, size);
        if (size >= sizeof(struct state_header)) {
            read_sealed(data, size);
        }
    }
    return 0;
}
