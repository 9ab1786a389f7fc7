/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registers and their fields by name; the tables are made by tools/schema.py. */
#include "records/register.h"

const struct register_def *register_find(struct str plural)
{
    for (size_t i = 0; i < N_REGISTERS; i++) {
        if (str_eq(REGISTERS[i]->plural, plural) || str_eq(REGISTERS[i]->name, plural)) {
            return REGISTERS[i];
        }
    }
    return NULL;
}

size_t register_field_find(const struct register_def *def, struct str name)
{
    for (size_t i = 0; i < def->n_fields; i++) {
        if (str_eq(def->fields[i].name, name)) {
            return i;
        }
    }
    return def->n_fields;
}
