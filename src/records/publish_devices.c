/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the register of devices to the gate: addresses, owners, class log-ons, isolation. */
#include "base/clock.h"
#include "policy/state.h"
#include "records/publish_impl.h"
#include "wire/addr.h"

/* Isolation ends when somebody ends it. */
#define NO_END "9999-12-31T00:00:00.000Z"

struct device {
    struct str id, state, address, owner, class_id, group, by;
    struct str supervisor; /* who is beside its class log-on; empty: nobody */
    int64_t until_ms;
};

static bool is_placed(const struct publishing *publishing, struct str person)
{
    return person.len != 0 && json_object_getn(publishing->placed, person.p, person.len) != NULL;
}

static void take_address(struct publishing *publishing, const struct device *device, json_t *to)
{
    struct addr addr;
    char text[ADDR_TEXT_MAX];
    if (device->address.len == 0) {
        return;
    }
    if (addr_parse(device->address, &addr) != ERR_OK) {
        publish_fault(publishing, "device", device->id, device->by,
                      "Its address is none: write it like 10.0.2.17. Until then the gate does not "
                      "know the device.");
        return;
    }
    size_t len = addr_print(&addr, text);
    if (json_object_getn(publishing->seen, text, len) != NULL) {
        publish_fault(publishing, "device", device->id, device->by,
                      "Another device has the same address. Correct one of them.");
        return;
    }
    publish_put(publishing, publishing->seen, str_make(text, len), json_true());
    publish_put(publishing, to, STR("address"), json_stringn(text, len));
}

/* What is wrong with a class log-on; NULL: nothing. */
static const char *class_fault(const struct publishing *publishing, const struct device *device)
{
    unsigned group;
    if (device->owner.len != 0) {
        return "It is assigned to a person and has a class log-on. Keep one of them.";
    }
    if (!state_id_is_valid(device->class_id)) {
        return "Its class log-on takes letters, digits and - _ . only.";
    }
    if (policy_group_find(publishing->policy, device->group, &group) != ERR_OK) {
        return "Its class log-on needs a group of the policy.";
    }
    return policy_group_is_adult(publishing->policy, group)
               ? "Its class log-on needs a group of pupils: that of its class is for adults."
               : NULL;
}

/* A class log-on that cannot be used is told; one that can is the gate's while an adult runs it
 * (records/supervision.h). */
static void take_class(struct publishing *publishing, const struct device *device, json_t *to)
{
    const char *fault = class_fault(publishing, device);
    char until[CIVIL_TEXT_MAX];
    if (fault != NULL) {
        publish_fault(publishing, "device", device->id, device->by, fault);
        return;
    }
    if (!is_placed(publishing, device->supervisor) || device->until_ms <= publishing->now_ms) {
        return;
    }
    (void)civil_print_utc(device->until_ms, until);
    publish_put(publishing, to, STR("class"), publish_text(device->class_id));
    publish_put(publishing, to, STR("group"), publish_text(device->group));
    publish_put(publishing, to, STR("supervisor"), publish_text(device->supervisor));
    publish_put(publishing, to, STR("supervised_until"), json_string(until));
}

void publish_take_device(struct publishing *publishing, struct store_rows *rows)
{
    const struct device device = {
        .id = store_rows_bytes(rows, 0),
        .state = store_rows_bytes(rows, 1),
        .address = store_rows_bytes(rows, 2),
        .owner = store_rows_bytes(rows, 3),
        .class_id = store_rows_bytes(rows, 4),
        .group = store_rows_bytes(rows, 5),
        .supervisor = store_rows_bytes(rows, 6),
        .until_ms = store_rows_number(rows, 7),
        .by = store_rows_bytes(rows, 8),
    };
    json_t *to = json_pack("{s:o}", "id", publish_text(device.id));
    take_address(publishing, &device, to);
    if (is_placed(publishing, device.owner)) {
        publish_put(publishing, to, STR("owner"), publish_text(device.owner));
    }
    if (device.class_id.len != 0) {
        take_class(publishing, &device, to);
    }
    if (str_eq(device.state, STR("isolated"))) {
        publish_add(publishing, publishing->isolated,
                    json_pack("{s:o, s:o, s:s}", "id", publish_text(device.id), "device",
                              publish_text(device.id), "until", NO_END));
    }
    publish_add(publishing, publishing->devices, to);
}
