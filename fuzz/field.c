/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fuzzes the reading of fields: what is taken is given back by the API's form, reads the same
 * again, and is printed as valid text. */
#include "base/check.h"
#include "records/field.h"
#include "wire/fold.h"

enum { ROOM = 1 << 20, TODAY = 20779 };

static const struct register_choice CHOICES[] = {{STR_INIT("R"), STR_INIT("Reception")},
                                                 {STR_INIT("1"), STR_INIT("Year 1")}};

static struct register_field field_of(uint8_t byte)
{
    struct register_field field = {.name = STR("x"), .label = STR("It"), .max = 40};
    field.type = (enum field_type)(FIELD_UNSET + 1 + byte % (FIELD_COUNT - 1));
    if (field.type == FIELD_CHOICE) {
        field.choices = CHOICES;
        field.n_choices = 2;
    }
    if (field.type > FIELD_SEALED_TEXT) {
        field.max = 0;
    }
    field.decimals = field.type == FIELD_NUMBER ? byte / 32 % 4 : 0;
    return field;
}

static void check_again(const struct register_field *field, const struct field_reader *reader,
                        const struct field_value *value)
{
    struct field_value again = {0};
    struct str fault = {0};
    struct buf before, after;
    json_t *input = json_pack("{s:o}", "x", field_json(field, value));
    CHECK(input != NULL);
    buf_init(&before, ROOM);
    buf_init(&after, ROOM);
    if (field_is_given(field, input)) {
        CHECK(field_read(field, input, reader, &again, &fault) == ERR_OK);
        field_canonical(value, &before);
        field_canonical(&again, &after);
        CHECK(str_eq(buf_str(&before), buf_str(&after)));
    }
    buf_fini(&before);
    buf_fini(&after);
    json_decref(input);
}

static void check_printed(const struct register_field *field, const struct field_value *value,
                          struct arena *arena)
{
    size_t characters = 0;
    struct store_value key = store_null();
    struct buf text;
    buf_init(&text, ROOM);
    field_print(field, value, &text);
    CHECK(buf_err(&text) == ERR_OK && fold_check(buf_str(&text), &characters) == FOLD_FINE);
    buf_fini(&text);
    CHECK(field_key(value, arena, &key) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct field_value value = {0};
    struct str fault = {0};
    if (size == 0) {
        return 0;
    }
    struct register_field field = field_of(data[0]);
    arena_init(&arena, ROOM);
    struct field_reader reader = {.arena = &arena, .today = TODAY};
    json_t *input = json_object();
    json_object_set_new_nocheck(input, "x", json_stringn_nocheck((const char *)data + 1, size - 1));
    enum err err = field_read(&field, input, &reader, &value, &fault);
    CHECK(err != ERR_INVALID || fault.len != 0);
    if (err == ERR_OK) {
        check_again(&field, &reader, &value);
        check_printed(&field, &value, &arena);
    }
    json_decref(input);
    arena_fini(&arena);
    return 0;
}
