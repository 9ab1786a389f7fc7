/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Who asks (design section 3): the first that is found wins. */
#include "policy/decide.h"
#include "policy/model_impl.h"
#include "policy/state_impl.h"

/* The subject as nobody; the device stays. */
static void be_nobody(const struct policy_images *images, struct policy_subject *subject)
{
    *subject = (struct policy_subject){
        .known = KNOWN_NOBODY,
        .group = policy_unknown_group(images->policy),
        .device = subject->device,
    };
}

static const struct state_person *person_of_id(const struct policy_images *images, struct str id)
{
    return images->state != NULL ? state_person_find(images->state, id) : NULL;
}

static const struct state_person *person_of_log_on(const struct policy_images *images,
                                                   struct str log_on)
{
    return images->state != NULL ? state_log_on_find(images->state, log_on) : NULL;
}

/* Whether the policy knows the group of a person (NULL: nobody). */
static bool has_group(const struct policy_images *images, const struct state_person *person,
                      unsigned *ret_group)
{
    return person != NULL &&
           policy_group_find(images->policy, state_str(images->state, person->group), ret_group) ==
               ERR_OK;
}

/* False, and nobody, for a person that the state or whose group the policy does not know. */
static bool be_person(const struct policy_images *images, const struct state_person *person,
                      enum known known, struct policy_subject *subject)
{
    unsigned group = 0;
    if (!has_group(images, person, &group)) {
        be_nobody(images, subject);
        return false;
    }
    subject->known = known;
    subject->group = group;
    subject->person = state_str(images->state, person->id);
    return true;
}

static bool is_school_adult(const struct policy_images *images, struct str id)
{
    unsigned group = 0;
    return has_group(images, person_of_id(images, id), &group) &&
           policy_group_is_staff(images->policy, group);
}

/* A class log-on runs only beside an adult's (T2): one that the state knows, until its end. */
static void be_class(const struct policy_images *images, const struct state_device *device,
                     int64_t now_ms, struct policy_subject *subject)
{
    const struct state *state = images->state;
    unsigned group = 0;
    struct str supervisor = state_str(state, device->supervisor);
    if (device->class_id.len == 0 || device->supervised_until <= now_ms ||
        !is_school_adult(images, supervisor) ||
        policy_group_find(images->policy, state_str(state, device->group), &group) != ERR_OK) {
        be_nobody(images, subject);
        return;
    }
    subject->known = KNOWN_CLASS;
    subject->group = group;
    subject->class_id = state_str(state, device->class_id);
    subject->supervisor = supervisor;
}

bool policy_identify(const struct policy_images *images, struct str log_on,
                     const struct addr *client, int64_t now_ms, struct policy_subject *ret_subject)
{
    struct policy_subject *subject = ret_subject;
    const struct state_device *device =
        images->state != NULL && client != NULL ? state_device_at(images->state, client) : NULL;
    *subject = (struct policy_subject){0};
    if (device != NULL) {
        subject->device = state_str(images->state, device->id);
    }
    if (log_on.len != 0) {
        return be_person(images, person_of_log_on(images, log_on), KNOWN_CREDENTIALS, subject);
    }
    if (device == NULL) {
        be_nobody(images, subject);
        return true;
    }
    const struct state_sign_in *sign_in = state_sign_in_find(images->state, subject->device);
    if (sign_in != NULL && sign_in->until > now_ms) {
        const struct str id = state_str(images->state, sign_in->person);
        return be_person(images, person_of_id(images, id), KNOWN_SIGN_IN, subject);
    }
    if (device->owner.len != 0) {
        const struct str id = state_str(images->state, device->owner);
        return be_person(images, person_of_id(images, id), KNOWN_OWNER, subject);
    }
    be_class(images, device, now_ms, subject);
    return true;
}

int64_t policy_credential(const struct policy_images *images, struct str log_on)
{
    const struct state_person *person = person_of_log_on(images, log_on);
    return person != NULL ? person->credential : 0;
}

bool policy_identify_person(const struct policy_images *images, struct str person, int64_t now_ms,
                            struct policy_subject *ret_subject)
{
    struct policy_subject *subject = ret_subject;
    if (policy_identify(images, person, NULL, now_ms, subject)) {
        return true;
    }
    *subject = (struct policy_subject){0};
    return be_person(images, person_of_id(images, person), KNOWN_CREDENTIALS, subject);
}

void policy_identify_group(unsigned group, struct policy_subject *ret_subject)
{
    *ret_subject = (struct policy_subject){.known = KNOWN_NOMINAL, .group = group};
}
