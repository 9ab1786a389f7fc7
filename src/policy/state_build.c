/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the state document to the bytes of an image.
 *
 * Records are laid down in the order of the document, sorted where they lie, checked against each
 * other, and only then sealed with the checksum.
 */
#include <stdlib.h>

#include "base/limits.h"
#include "catalog/category.h"
#include "policy/jread_impl.h"
#include "policy/state_impl.h"

enum { FORMAT = 1, RECORDS_MAX = 1000000, IDS_MAX = 10000, DOCUMENT_MAX = 64 * 1024 * 1024 };

struct builder {
    struct jread reader;
    struct arena arena;
    struct buf sections[STATE_SECTIONS];
};

static struct state_text add_text(struct builder *builder, struct str text)
{
    struct buf *texts = &builder->sections[STATE_TEXTS];
    struct state_text made = {(uint32_t)texts->len, (uint32_t)text.len};
    buf_append(texts, text);
    return made;
}

static struct state_text add_named(struct builder *builder, const char *prefix, struct str id)
{
    struct state_text first = add_text(builder, str_from(prefix));
    struct state_text second = add_text(builder, id);
    return (struct state_text){first.at, first.len + second.len};
}

static void add_record(struct builder *builder, enum state_section section, const void *record)
{
    buf_append(&builder->sections[section], str_make(record, state_record_size[section]));
}

static uint32_t count_of(const struct builder *builder, enum state_section section)
{
    return (uint32_t)(builder->sections[section].len / state_record_size[section]);
}

bool state_id_is_valid(struct str id)
{
    return jread_is_id(id);
}

bool state_log_on_is_valid(struct str log_on)
{
    bool good = log_on.len != 0 && log_on.len <= LIMIT_ID_LEN;
    for (size_t i = 0; good && i < log_on.len; i++) {
        good = log_on.p[i] > ' ' && log_on.p[i] <= '~' && log_on.p[i] != ':';
    }
    return good;
}

static struct str read_log_on(struct jread *reader, const struct place *item, struct str id)
{
    struct place member = jread_member(item, "log_on");
    if (member.value == NULL) {
        return id;
    }
    struct str text = jread_value(reader, &member);
    if (!state_log_on_is_valid(text)) {
        jread_complain(reader, &member,
                       "is no log-on; use 1 to %d letters, digits and signs without spaces and "
                       "colons",
                       (int)LIMIT_ID_LEN);
    }
    return text;
}

static void build_person(struct builder *builder, const struct place *item)
{
    struct jread *reader = &builder->reader;
    if (!jread_object(reader, item, "id log_on credential group agreement")) {
        return;
    }
    struct str id = jread_id(reader, item, "id");
    struct state_person person = {
        .id = add_text(builder, id),
        .log_on = add_text(builder, read_log_on(reader, item, id)),
        .group = add_text(builder, jread_id(reader, item, "group")),
    };
    if (jread_member(item, "credential").value != NULL) {
        person.credential = jread_int(reader, item, "credential", 0, INT64_MAX);
    }
    struct place agreement = jread_member(item, "agreement");
    if (agreement.value != NULL &&
        jread_object(reader, &agreement, "signed current parent until")) {
        person.flags = (jread_bool(reader, &agreement, "signed", false) ? PERSON_SIGNED : 0) |
                       (jread_bool(reader, &agreement, "current", false) ? PERSON_CURRENT : 0) |
                       (jread_bool(reader, &agreement, "parent", false) ? PERSON_PARENT : 0);
        person.agreement_until = jread_utc(reader, &agreement, "until");
    }
    add_record(builder, STATE_PEOPLE, &person);
}

static void build_device(struct builder *builder, const struct place *item)
{
    struct jread *reader = &builder->reader;
    if (!jread_object(reader, item, "id address owner class group supervisor supervised_until")) {
        return;
    }
    bool is_class = jread_member(item, "class").value != NULL;
    bool has_owner = jread_member(item, "owner").value != NULL;
    struct state_device device = {
        .id = add_text(builder, jread_id(reader, item, "id")),
        .owner = add_text(builder, jread_id_or(reader, item, "owner", STR(""))),
        .class_id = add_text(builder, jread_id_or(reader, item, "class", STR(""))),
        .group = add_text(builder, jread_id_or(reader, item, "group", STR(""))),
        .supervisor = add_text(builder, jread_id_or(reader, item, "supervisor", STR(""))),
    };
    struct str address = jread_text_or(reader, item, "address", STR(""));
    if (address.len != 0 && addr_parse(address, &device.addr) != ERR_OK) {
        jread_complain(reader, item,
                       "\"%.*s\" is no address; write it like 192.0.2.7 or 2001:db8::7",
                       address.len < 100 ? (int)address.len : 100, address.p);
    }
    device.flags = address.len != 0 ? DEVICE_HAS_ADDRESS : 0;
    if (is_class && has_owner) {
        jread_complain(reader, item, "has an owner and a class log-on; keep one of them");
    }
    if (is_class) {
        device.supervised_until = jread_utc(reader, item, "supervised_until");
    }
    if (is_class != (device.group.len != 0) || is_class != (device.supervisor.len != 0)) {
        jread_complain(reader, item,
                       "a class log-on needs \"class\", \"group\", \"supervisor\" and "
                       "\"supervised_until\"; other devices have none of them");
    }
    add_record(builder, STATE_DEVICES, &device);
}

static void build_sign_in(struct builder *builder, const struct place *item)
{
    struct jread *reader = &builder->reader;
    if (!jread_object(reader, item, "device person until")) {
        return;
    }
    struct state_sign_in sign_in = {
        .device = add_text(builder, jread_id(reader, item, "device")),
        .person = add_text(builder, jread_id(reader, item, "person")),
        .until = jread_utc(reader, item, "until"),
    };
    add_record(builder, STATE_SIGN_INS, &sign_in);
}

static void build_ban(struct builder *builder, const struct place *item, const char *prefix,
                      enum state_section section)
{
    struct jread *reader = &builder->reader;
    bool of_person = jread_member(item, "person").value != NULL;
    if (of_person == (jread_member(item, "device").value != NULL)) {
        jread_complain(reader, item, "must name one person or one device");
        return;
    }
    struct state_ban ban = {
        .id = add_named(builder, prefix, jread_id(reader, item, "id")),
        .who = add_text(builder, jread_id(reader, item, of_person ? "person" : "device")),
        .what = of_person ? WHO_PERSON : WHO_DEVICE,
        .until = jread_utc(reader, item, "until"),
    };
    add_record(builder, section, &ban);
}

static void build_suspension(struct builder *builder, const struct place *item)
{
    if (jread_object(&builder->reader, item, "id person device until")) {
        build_ban(builder, item, STATE_PREFIX_SUSPENDED, STATE_SUSPENSIONS);
    }
}

static void build_isolated(struct builder *builder, const struct place *item)
{
    if (jread_object(&builder->reader, item, "id device until")) {
        build_ban(builder, item, STATE_PREFIX_ISOLATED, STATE_ISOLATED);
    }
}

static int compare_strs(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static struct state_range build_refs(struct builder *builder, const struct place *item,
                                     const char *key)
{
    struct place list = jread_member(item, key);
    size_t n = jread_count(&builder->reader, &list, IDS_MAX);
    struct str *ids = arena_array(&builder->arena, n, sizeof(*ids));
    struct state_range range = {.first = count_of(builder, STATE_REFS)};
    if (n == 0 || ids == NULL) {
        return range;
    }
    for (size_t i = 0; i < n; i++) {
        struct place id = jread_item(&list, i);
        ids[i] = jread_id_value(&builder->reader, &id);
    }
    qsort(ids, n, sizeof(*ids), compare_strs);
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || !str_eq(ids[i], ids[i - 1])) {
            struct state_text text = add_text(builder, ids[i]);
            add_record(builder, STATE_REFS, &text);
            range.n += 1;
        }
    }
    return range;
}

static struct state_range build_matches(struct builder *builder, const struct place *item)
{
    struct place list = jread_member(item, "matches");
    size_t n = jread_count(&builder->reader, &list, IDS_MAX);
    struct state_range range = {.first = count_of(builder, STATE_MATCHES)};
    for (size_t i = 0; i < n; i++) {
        struct place at = jread_item(&list, i);
        struct str text = jread_value(&builder->reader, &at);
        struct pattern pattern = {0};
        if (pattern_parse(text, &builder->arena, &pattern) != ERR_OK) {
            jread_complain(&builder->reader, &at,
                           "is no site; write a host, as example.org, or host "
                           "and path, as example.org/games");
            continue;
        }
        struct state_match match = {
            .text = add_text(builder, text),
            .host = add_text(builder, pattern.host),
            .path = add_text(builder, pattern.path),
            .query = add_text(builder, pattern.query),
            .has_query = pattern.has_query,
        };
        add_record(builder, STATE_MATCHES, &match);
        range.n += 1;
    }
    return range;
}

static struct catset build_categories(struct builder *builder, const struct place *item)
{
    struct catset set = {{0, 0}};
    struct place list = jread_member(item, "categories");
    size_t n = jread_count(&builder->reader, &list, LIMIT_CATEGORIES);
    for (size_t i = 0; i < n; i++) {
        struct place at = jread_item(&list, i);
        struct str name = jread_value(&builder->reader, &at);
        unsigned number = 0;
        if (category_find(name, &number) != ERR_OK) {
            jread_complain(&builder->reader, &at,
                           "no category has this name; `lodge catalog info` "
                           "lists them");
        } else if (category_row(number)->tier == TIER_SEALED) {
            jread_complain(&builder->reader, &at,
                           "a sealed list cannot be opened by anyone; remove "
                           "it from the grant");
        } else {
            catset_add(&set, number);
        }
    }
    return set;
}

/* Scope and time, common to all that opens something. */
static void build_scope(struct builder *builder, const struct place *item,
                        struct state_grant *grant)
{
    struct jread *reader = &builder->reader;
    grant->people = build_refs(builder, item, "people");
    grant->groups = build_refs(builder, item, "groups");
    grant->devices = build_refs(builder, item, "devices");
    grant->from = jread_utc(reader, item, "from");
    grant->until = jread_utc(reader, item, "until");
    if (grant->until <= grant->from) {
        jread_complain(reader, item, "ends before it begins; mend \"from\" or \"until\"");
    }
    bool anyone = grant->people.n + grant->groups.n + grant->devices.n != 0;
    if (anyone == ((grant->flags & GRANT_ALL) != 0)) {
        jread_complain(reader, item,
                       "is for nobody, or for everyone and somebody; name \"people\", "
                       "\"groups\" or \"devices\"");
    }
}

static void build_grant(struct builder *builder, const struct place *item)
{
    static const struct str kinds[] = {
        [GRANT_LESSON] = STR_INIT("lesson"), [GRANT_OVERRIDE] = STR_INIT("override")};
    struct jread *reader = &builder->reader;
    if (!jread_object(reader, item,
                      "id kind people groups devices matches categories from until")) {
        return;
    }
    struct place kind = jread_member(item, "kind");
    struct state_grant grant = {
        .id = add_named(builder, STATE_PREFIX_GRANT, jread_id(reader, item, "id")),
        .kind = (uint32_t)jread_word(reader, &kind, jread_value(reader, &kind), kinds,
                                     GRANT_OVERRIDE + 1),
        .matches = build_matches(builder, item),
        .categories = build_categories(builder, item),
    };
    build_scope(builder, item, &grant);
    if (grant.kind == GRANT_LESSON && grant.matches.n == 0 && catset_is_empty(&grant.categories)) {
        jread_complain(reader, item, "opens nothing; name \"matches\" or \"categories\"");
    }
    add_record(builder, STATE_GRANTS, &grant);
}

static void build_off(struct builder *builder, const struct place *item)
{
    struct jread *reader = &builder->reader;
    if (!jread_object(reader, item, "id people groups devices all from until")) {
        return;
    }
    struct state_grant grant = {
        .id = add_named(builder, STATE_PREFIX_OFF, jread_id(reader, item, "id")),
        .kind = GRANT_OFF,
        .flags = jread_bool(reader, item, "all", false) ? GRANT_ALL : 0,
    };
    build_scope(builder, item, &grant);
    add_record(builder, STATE_GRANTS, &grant);
}

static void build_nominated(struct builder *builder, const struct place *item)
{
    struct jread *reader = &builder->reader;
    if (!jread_object(reader, item, "list person")) {
        return;
    }
    struct state_nominated nominated = {
        .list = add_text(builder, jread_id(reader, item, "list")),
        .person = add_text(builder, jread_id(reader, item, "person")),
    };
    add_record(builder, STATE_NOMINATED, &nominated);
}

static const struct {
    const char *key;
    void (*build)(struct builder *builder, const struct place *item);
} members[] = {
    {"people", build_person},          {"devices", build_device},      {"sign_ins", build_sign_in},
    {"suspensions", build_suspension}, {"isolated", build_isolated},   {"grants", build_grant},
    {"filtering_off", build_off},      {"nominated", build_nominated},
};

static void build_records(struct builder *builder, const struct place *root)
{
    if (!jread_object(&builder->reader, root,
                      "lodge_state people devices sign_ins suspensions isolated grants "
                      "filtering_off nominated")) {
        return;
    }
    (void)jread_int(&builder->reader, root, "lodge_state", FORMAT, FORMAT);
    for (size_t m = 0; m < sizeof(members) / sizeof(members[0]); m++) {
        struct place list = jread_member(root, members[m].key);
        size_t n = jread_count(&builder->reader, &list, RECORDS_MAX);
        for (size_t i = 0; i < n; i++) {
            struct place item = jread_item(&list, i);
            members[m].build(builder, &item);
        }
    }
}

static void pad(struct buf *buf)
{
    while (buf->len % 8 != 0) {
        buf_append_byte(buf, '\0');
    }
}

/* The devices that have an address, to be sorted by it. */
static void add_addresses(struct builder *builder)
{
    const struct buf *devices = &builder->sections[STATE_DEVICES];
    for (uint64_t i = 0; i < devices->len / sizeof(struct state_device); i++) {
        const struct state_device *device =
            (const struct state_device *)(const void *)devices->p + i;
        if ((device->flags & DEVICE_HAS_ADDRESS) != 0) {
            add_record(builder, STATE_ADDRESSES, &i);
        }
    }
}

static void lay_out(struct builder *builder, struct buf *image)
{
    struct state_header header = {
        .magic = {'L', 'O', 'D', 'G', 'E', 'S', 'T', 'A'},
        .version = STATE_VERSION,
        .byte_order = STATE_BYTE_ORDER,
    };
    uint64_t at = sizeof(header);
    for (enum state_section i = 0; i < STATE_SECTIONS; i++) {
        header.sections[i] =
            (struct state_place){at, builder->sections[i].len / state_record_size[i]};
        at += (builder->sections[i].len + 7) / 8 * 8;
    }
    header.size = at;
    buf_append(image, str_make((const char *)&header, sizeof(header)));
    for (enum state_section i = 0; i < STATE_SECTIONS; i++) {
        buf_append(image, buf_str(&builder->sections[i]));
        pad(image);
    }
}

struct sorting {
    const struct state *state;
    state_order order;
};

static int compare_records(const void *a, const void *b, void *sorting_any)
{
    const struct sorting *sorting = sorting_any;
    return sorting->order(sorting->state, a, b);
}

static struct state provisional(const struct buf *image)
{
    return (struct state){(const uint8_t *)image->p, image->len, false,
                          (const struct state_header *)(const void *)image->p};
}

static void sort_sections(struct buf *image)
{
    struct state state = provisional(image);
    for (enum state_section i = 0; i < STATE_SECTIONS; i++) {
        struct sorting sorting = {&state, state_record_order[i]};
        if (sorting.order != NULL && state_count(&state, i) != 0) {
            qsort_r(image->p + state.header->sections[i].at, state_count(&state, i),
                    state_record_size[i], compare_records, &sorting);
        }
    }
}

static void check_twice(struct builder *builder, const struct state *state)
{
    static const char *const names[STATE_SECTIONS] = {[STATE_PEOPLE] = "people",
                                                      [STATE_DEVICES] = "devices",
                                                      [STATE_ADDRESSES] =
                                                          "devices (their addresses)",
                                                      [STATE_LOG_ONS] = "people (their log-ons)",
                                                      [STATE_SIGN_INS] = "sign_ins (of a device)",
                                                      [STATE_SUSPENSIONS] = "suspensions",
                                                      [STATE_ISOLATED] = "isolated",
                                                      [STATE_GRANTS] = "grants, filtering_off",
                                                      [STATE_NOMINATED] = "nominated"};
    for (enum state_section section = 0; section < STATE_SECTIONS; section++) {
        const char *records = state_records(state, section);
        size_t size = state_record_size[section];
        state_order order = state_record_order[section];
        for (size_t i = 1; order != NULL && i < state_count(state, section); i++) {
            if (order(state, records + (i - 1) * size, records + i * size) == 0) {
                jread_complain(&builder->reader, NULL, "%s: one is there twice; remove one of them",
                               names[section]);
            }
        }
    }
}

static void need_person(struct builder *builder, const struct state *state,
                        struct state_text person, const char *where)
{
    struct str id = state_str(state, person);
    if (id.len != 0 && state_person_find(state, id) == NULL) {
        jread_complain(&builder->reader, NULL,
                       "%s: no person has the id \"%.*s\"; add it to people", where, STR_ARG(id));
    }
}

static void need_device(struct builder *builder, const struct state *state,
                        struct state_text device, const char *where)
{
    struct str id = state_str(state, device);
    if (state_device_find(state, id) == NULL) {
        jread_complain(&builder->reader, NULL,
                       "%s: no device has the id \"%.*s\"; add it to devices", where, STR_ARG(id));
    }
}

static void check_bans(struct builder *builder, const struct state *state,
                       enum state_section section, const char *where)
{
    const struct state_ban *bans = state_records(state, section);
    for (size_t i = 0; i < state_count(state, section); i++) {
        if (bans[i].what == WHO_PERSON) {
            need_person(builder, state, bans[i].who, where);
        } else {
            need_device(builder, state, bans[i].who, where);
        }
    }
}

/* What one record says of another must be there: a slip of the pen would suspend nobody. */
static void check_links(struct builder *builder, const struct state *state)
{
    const struct state_device *devices = state_records(state, STATE_DEVICES);
    for (size_t i = 0; i < state_count(state, STATE_DEVICES); i++) {
        need_person(builder, state, devices[i].owner, "devices");
        need_person(builder, state, devices[i].supervisor, "devices");
    }
    const struct state_sign_in *sign_ins = state_records(state, STATE_SIGN_INS);
    for (size_t i = 0; i < state_count(state, STATE_SIGN_INS); i++) {
        need_device(builder, state, sign_ins[i].device, "sign_ins");
        need_person(builder, state, sign_ins[i].person, "sign_ins");
    }
    check_bans(builder, state, STATE_SUSPENSIONS, "suspensions");
    check_bans(builder, state, STATE_ISOLATED, "isolated");
    const struct state_nominated *nominated = state_records(state, STATE_NOMINATED);
    for (size_t i = 0; i < state_count(state, STATE_NOMINATED); i++) {
        need_person(builder, state, nominated[i].person, "nominated");
    }
}

static void add_log_ons(struct builder *builder)
{
    for (uint64_t i = 0; i < count_of(builder, STATE_PEOPLE); i++) {
        add_record(builder, STATE_LOG_ONS, &i);
    }
}

static void take_sorted(struct builder *builder, const struct state *state,
                        enum state_section section)
{
    struct buf *records = &builder->sections[section];
    if (records->len != 0) {
        memcpy(records->p, state_records(state, section), records->len);
    }
}

/* Addresses and log-ons point at records by number, so those are sorted before. */
static enum err sort_numbered(struct builder *builder, struct buf *image)
{
    lay_out(builder, image);
    ERR_TRY(buf_err(image));
    sort_sections(image);
    struct state state = provisional(image);
    take_sorted(builder, &state, STATE_DEVICES);
    take_sorted(builder, &state, STATE_PEOPLE);
    add_addresses(builder);
    add_log_ons(builder);
    buf_clear(image);
    ERR_TRY(buf_err(&builder->sections[STATE_LOG_ONS]));
    return buf_err(&builder->sections[STATE_ADDRESSES]);
}

static enum err finish(struct builder *builder, struct buf *image)
{
    ERR_TRY(sort_numbered(builder, image));
    lay_out(builder, image);
    ERR_TRY(buf_err(image));
    sort_sections(image);
    struct state state = provisional(image);
    check_twice(builder, &state);
    check_links(builder, &state);
    ((struct state_header *)(void *)image->p)->checksum = state_checksum(&state);
    return builder->reader.complaints != 0 ? ERR_INVALID : ERR_OK;
}

static enum err build(struct builder *builder, struct str json, struct buf *image)
{
    json_t *document = NULL;
    ERR_TRY(jread_load(&builder->reader, json, DOCUMENT_MAX, &document));
    struct place root = {.value = document};
    build_records(builder, &root);
    json_decref(document);
    for (enum state_section i = 0; i < STATE_SECTIONS; i++) {
        ERR_TRY(buf_err(&builder->sections[i]));
    }
    if (builder->arena.failed) {
        return ERR_MEMORY;
    }
    return builder->reader.complaints != 0 ? ERR_INVALID : finish(builder, image);
}

enum err state_build(struct str json, struct buf *image, struct buf *why)
{
    struct builder builder = {.reader = {.why = why, .arena = &builder.arena}};
    struct buf made = {0};
    arena_init(&builder.arena, STATE_BYTES_MAX);
    buf_init(&made, STATE_BYTES_MAX);
    for (enum state_section i = 0; i < STATE_SECTIONS; i++) {
        buf_init(&builder.sections[i], STATE_BYTES_MAX / STATE_SECTIONS);
    }
    enum err err = build(&builder, json, &made);
    if (err == ERR_OK) {
        buf_append(image, buf_str(&made));
        err = buf_err(image);
    }
    for (enum state_section i = 0; i < STATE_SECTIONS; i++) {
        buf_fini(&builder.sections[i]);
    }
    buf_fini(&made);
    arena_fini(&builder.arena);
    return err;
}
