/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A file of the register that is taken is written again as the same bytes, whatever was noted in it
 * meanwhile can be read back. */
#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "policy/enrolment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void print_again(const struct enrolment *enrolment, struct buf *text)
{
    struct enrolment *again;
    size_t line;
    buf_clear(text);
    enrolment_print(enrolment, text);
    CHECK(buf_err(text) == ERR_OK);
    CHECK(enrolment_parse(buf_str(text), &again, &line) == ERR_OK);
    enrolment_free(again);
}

static void note(struct enrolment *enrolment, uint8_t step)
{
    static const enum enrolment_seen seen[] = {ENROLMENT_ACCEPTED, ENROLMENT_REFUSED,
                                               ENROLMENT_REFUSED, ENROLMENT_CHECKED};
    struct addr addr = {{[10] = 0xff, [11] = 0xff, [12] = 192, [14] = 2, [15] = step & 3}};
    char name[] = "a0.example";
    struct host host;
    enum enrolment_change change;
    name[1] = (char)('0' + (step >> 4 & 7));
    CHECK(host_parse(str_from(name), &host) == ERR_OK);
    CHECK(enrolment_note(enrolment, &addr, (step & 128) != 0 ? STR("d-1") : STR(""), &host,
                         seen[step >> 2 & 3], 1000 + step, &change) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str bytes = str_make((const char *)data, size);
    struct enrolment *enrolment;
    struct buf text;
    size_t line;
    if (enrolment_parse(bytes, &enrolment, &line) != ERR_OK) {
        return 0;
    }
    buf_init(&text, ENROLMENT_FILE_MAX);
    enrolment_print(enrolment, &text);
    CHECK(str_eq(buf_str(&text), bytes));
    for (size_t i = 0; i < size && i < 256; i++) {
        note(enrolment, data[i]);
    }
    print_again(enrolment, &text);
    buf_fini(&text);
    enrolment_free(enrolment);
    return 0;
}
