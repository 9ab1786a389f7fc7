/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Policy documents: refused with a reason, or usable for every question that can be asked of them.
 */
#include "base/check.h"
#include "policy/checker.h"
#include "policy/policy.h"
#include "policy/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_make((const char *)data, size);
    struct policy *policy = NULL;
    struct buf out = {0};
    buf_init(&out, 1 << 22);
    if (policy_parse(text, &policy, &out) == ERR_OK) {
        struct str period = {0};
        int64_t until_ms = 0;
        if (policy_local_to_utc(policy, STR("2026-10-25T01:30"), &until_ms) == ERR_OK) {
            CHECK(policy_period(policy, until_ms, &period, &until_ms) == ERR_OK);
        }
        (void)policy_check(policy, INT64_C(1790000000000), &out);
        policy_show(policy, &out);
        policy_free(policy);
    } else {
        CHECK(out.len != 0);
    }
    buf_fini(&out);
    return 0;
}
