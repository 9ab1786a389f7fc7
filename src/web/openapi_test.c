/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "web/openapi.h"

#include "lib/test.h"
#include "records/register.h"
#include "web/route.h"

static json_t *document;
static struct arena arena;

static int begin(void **state)
{
    (void)state;
    document = json_loadb(web_openapi_document.p, web_openapi_document.len, 0, NULL);
    arena_init(&arena, 1 << 20);
    return document != NULL ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    json_decref(document);
    arena_fini(&arena);
    return 0;
}

/* path with every {place}, or only the one that is named, as text. */
static struct str put_in(struct str path, struct str place, struct str text)
{
    struct buf made;
    buf_init(&made, 1024);
    while (path.len != 0) {
        struct str before, inside = {0};
        if (!str_cut(path, '{', &before, &path)) {
            buf_append(&made, before);
            break;
        }
        buf_append(&made, before);
        str_cut(path, '}', &inside, &path);
        if (place.len == 0 || str_eq(inside, place)) {
            buf_append(&made, text);
        } else {
            buf_printf(&made, "{%.*s}", STR_ARG(inside));
        }
    }
    struct str kept = arena_dup(&arena, buf_str(&made));
    buf_fini(&made);
    return kept;
}

static const char *method_word(enum web_method method)
{
    return method == WEB_POST ? "post" : "get";
}

static const json_t *operation_of(struct str path, enum web_method method)
{
    const json_t *paths = json_object_get(document, "paths");
    return json_object_get(json_object_getn(paths, path.p, path.len), method_word(method));
}

static struct str handler_of(const json_t *operation)
{
    struct str id = str_from(json_string_value(json_object_get(operation, "operationId")));
    return str_sub(id, 0, str_index(id, '.'));
}

TEST(every_address_that_is_described_leads_to_its_handler)
{
    static const char *const guards[] = {
        [GUARD_OPEN] = "OPEN",
        [GUARD_SIGNING] = "SIGNING",
        [GUARD_SIGNED] = "SIGNED",
        [GUARD_FACTOR] = "FACTOR",
    };
    const char *path;
    json_t *item;
    size_t n = 0;
    json_object_foreach(json_object_get(document, "paths"), path, item)
    {
        const char *method;
        json_t *operation;
        json_object_foreach(item, method, operation)
        {
            struct str parameters[WEB_PARAMETERS_MAX];
            const struct web_route *route = NULL;
            struct str asked = put_in(str_from(path), STR(""), STR("aaaaaaaaaaaaaaaaaaaaaaaaaa"));
            enum web_method word = strcmp(method, "post") == 0 ? WEB_POST : WEB_GET;
            assert_ok(
                web_route_find(WEB_ROUTES, N_WEB_ROUTES, word, asked, &arena, &route, parameters));
            assert_str_eq(route->name, handler_of(operation));
            assert_string_equal(json_string_value(json_object_get(operation, "x-guard")),
                                guards[route->guard]);
            n++;
        }
    }
    assert_true(n >= 1);
}

/* Whether a register has what stands at the places of a path. */
static bool has_places(const struct register_def *def, struct str path)
{
    bool file = false;
    for (size_t i = 0; i < def->n_fields; i++) {
        file = file || def->fields[i].type == FIELD_FILE;
    }
    bool move = str_find(path, STR("{move}")) < path.len;
    bool field = str_find(path, STR("{field}")) < path.len;
    return (!move || def->n_moves != 0) && (!field || file);
}

static void assert_described(const struct web_route *route, struct str path)
{
    const json_t *operation = operation_of(path, route->method);
    if (operation == NULL) {
        fail_msg("%s %.*s is not described", method_word(route->method), STR_ARG(path));
    }
    assert_str_eq(handler_of(operation), route->name);
}

TEST(every_address_is_described_for_every_register)
{
    for (size_t i = 0; i < N_WEB_ROUTES; i++) {
        const struct web_route *route = &WEB_ROUTES[i];
        if (str_find(route->path, STR("{register}")) == route->path.len) {
            assert_described(route, route->path);
            continue;
        }
        for (size_t r = 0; r < N_REGISTERS; r++) {
            if (has_places(REGISTERS[r], route->path)) {
                assert_described(route, put_in(route->path, STR("register"), REGISTERS[r]->plural));
            }
        }
    }
}

TEST(every_register_is_described_with_its_fields)
{
    const json_t *schemas = json_object_get(json_object_get(document, "components"), "schemas");
    for (size_t r = 0; r < N_REGISTERS; r++) {
        char name[128];
        (void)snprintf(name, sizeof(name), "%.*s_fields", STR_ARG(REGISTERS[r]->name));
        const json_t *fields = json_object_get(json_object_get(schemas, name), "properties");
        assert_int_equal(json_object_size(fields), REGISTERS[r]->n_fields);
        for (size_t i = 0; i < REGISTERS[r]->n_fields; i++) {
            struct str field = REGISTERS[r]->fields[i].name;
            assert_non_null(json_object_getn(fields, field.p, field.len));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        unit(every_address_that_is_described_leads_to_its_handler),
        unit(every_address_is_described_for_every_register),
        unit(every_register_is_described_with_its_fields),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
