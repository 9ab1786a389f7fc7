#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers as data (docs/schema.md): checks schema/*.toml and makes what the program is built of.

    schema.py ROOT TABLES.c STATEMENTS.def DEPFILE
        TABLES.c holds REGISTERS (src/records/register.h), STATEMENTS.def the registers' statements
        (src/store/statement.def). Fails where a file has a mistake, or where the migrations make
        other tables than the files ask for; it then prints the migration that is missing.
    schema.py --check [ROOT]
        Only checks.
    schema.py --propose [ROOT]
        Prints the SQL that is missing from the migrations; nothing where they agree.
"""
import sys
from pathlib import Path

import schema_sql
from schema_model import load
from schema_tables import proposal

HERE = Path(__file__).resolve().parent
MIGRATIONS = "src/store/migrations"


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def slice_of(text):
    return f"STR_INIT({quoted(text)})"


def truth(value):
    return "true" if value else "false"


def bits(names):
    return " | ".join(names) or "0"


def roles(names):
    return bits(f"1U << ROLE_{name}" for name in names)


def field_row(register, field):
    choices = f"{register.name}_{field.name}_choices" if field.choices else "NULL"
    headings = f"{register.name}_{field.name}_headings" if field.headings else "NULL"
    flags = [flag for flag in ("required", "listed", "searchable", "sortable", "sensitive",
                               "hidden_from", "named", "unique", "warns",
                               "keyed") if getattr(field, flag)]
    members = [f".name = {slice_of(field.name)}", f".label = {slice_of(field.label)}",
               f".hint = {slice_of(field.hint)}", f".type = {field.enum}",
               *[f".{flag} = true" for flag in flags], f".seen_by = {roles(field.seen_by)}",
               f".min = {field.min}LL", f".max = {field.max}LL", f".decimals = {field.decimals}",
               f".choices = {choices}", f".n_choices = {len(field.choices)}",
               f".headings = {headings}", f".n_headings = {len(field.headings)}",
               f".column = {field.column}", f".n_columns = {len(field.columns)}"]
    return "    {" + ", ".join(members) + "},"


def table(kind, name, rows):
    """A static table, or nothing where it has no rows; and how to name it."""
    if not rows:
        return [], "NULL"
    return [f"static const struct {kind} {name}[] = {{", *rows, "};"], name


def state_tables(register):
    name, states = register.name, [state.name for state in register.states]
    lines, state_table = table("register_state", f"{name}_states", [
        f"    {{{slice_of(state.name)}, {slice_of(state.label)}}}," for state in register.states])
    fields = [field.name for field in register.fields]
    more, move_table = table("register_move", f"{name}_moves", [
        f"    {{.name = {slice_of(move.name)}, .label = {slice_of(move.label)}, "
        f".from = {bits(f'1U << {states.index(state)}' for state in move.from_states)}, "
        f".to = {states.index(move.to)}, .by = {roles(move.by)}, "
        f".demands = {bits(f'1ULL << {fields.index(field)}' for field in move.demands)}, "
        f".reason = {truth(move.reason)}}}," for move in register.moves])
    return lines + more, state_table, move_table


def texts(name, words):
    return table("str", name, [f"    {slice_of(word)}," for word in words])


def choice_tables(register, field):
    name, lines, rows = f"{register.name}_{field.name}", [], []
    for at, (value, label, also) in enumerate(field.choices):
        more, also_table = texts(f"{name}_also_{at}", also)
        lines += more
        rows.append(f"    {{{slice_of(value)}, {slice_of(label)}, {also_table}, {len(also)}}},")
    return lines + table("register_choice", f"{name}_choices", rows)[0]


def part_table(register):
    lines, rows, n_fields = [], [], len(register.fields)
    for part in register.parts:
        more, headings = texts(f"{register.name}_{part.name}_headings", part.headings)
        lines += more
        otherwise = part.otherwise.index if part.otherwise else n_fields
        rows.append(f"    {{{slice_of(part.name)}, {slice_of(part.label)}, {part.of.index}, "
                    f"{otherwise}, {headings}, {len(part.headings)}}},")
    more, name = table("register_part", f"{register.name}_parts", rows)
    return lines + more, name


def register_tables(register):
    name, lines = register.name, []
    for field in register.fields:
        lines += choice_tables(register, field)
        lines += texts(f"{name}_{field.name}_headings", field.headings)[0]
    lines += table("register_field", f"{name}_fields",
                   [field_row(register, field) for field in register.fields])[0]
    part_lines, parts = part_table(register)
    more, states, moves = state_tables(register)
    lines += part_lines
    about = register.about.index if register.about else len(register.fields)
    return lines + more + [
        schema_sql.c_tables(register),
        f"static const struct register_def {name} = {{",
        f"    .name = {slice_of(name)},", f"    .plural = {slice_of(register.plural)},",
        f"    .label = {slice_of(register.label)},",
        f"    .label_plural = {slice_of(register.label_plural)},",
        f"    .help = {slice_of(register.help)},", f"    .area = AREA_{register.area},",
        f"    .retention = {slice_of(register.retention)},",
        f"    .subject_access = {truth(register.subject_access)},",
        f"    .sensitive = {truth(register.sensitive)},",
        f"    .fields = {name}_fields, .n_fields = {len(register.fields)},",
        f"    .parts = {parts}, .n_parts = {len(register.parts)},",
        f"    .n_columns = {len(register.columns)},",
        f"    .about = {about}, .about_itself = {truth(register.about_itself)},",
        f"    .title = {register.title.index}, .waiting = {slice_of(register.waiting)},",
        f"    .states = {states}, .n_states = {len(register.states)},",
        f"    .moves = {moves}, .n_moves = {len(register.moves)},",
        f"    .statements = &{name}_statements,", "};", ""]


def c_text(registers):
    lines = ["/* Made by tools/schema.py from schema/. */", '#include "records/register.h"', ""]
    for register in registers:
        lines += register_tables(register)
    return "\n".join(lines + [
        "const struct register_def *const REGISTERS[] = {",
        *[f"    &{register.name}," for register in registers], "};",
        f"const size_t N_REGISTERS = {len(registers)};", ""])


def statements_text(registers):
    lines = ["/* Made by tools/schema.py from schema/. */"]
    for register in registers:
        lines += [f"STATEMENT({name}, {quoted(text)})"
                  for name, text in schema_sql.statements(register)]
    return "\n".join(lines + [""])


def inputs(root):
    """What the outputs depend on; the folders too, as a file that is added or goes changes them."""
    folders = [root / "schema", root / MIGRATIONS]
    return [*folders, *folders[0].glob("*.toml"), *folders[1].glob("*.sql"),
            *(root / "src/records").glob("*.def"), root / "docs/schema.md",
            *HERE.glob("schema*.py"), HERE / "migrations.py"]


def main():
    option = sys.argv[1] if sys.argv[1:] and sys.argv[1].startswith("--") else None
    root = HERE.parent
    if option is None and len(sys.argv) == 5:
        root = Path(sys.argv[1]).resolve()
    elif option in ("--check", "--propose") and len(sys.argv) <= 3:
        root = Path(sys.argv[2]).resolve() if sys.argv[2:] else root
    else:
        sys.exit(__doc__)
    registers = load(root)
    missing = proposal(registers, root / MIGRATIONS)
    if option == "--propose":
        print("\n".join(missing))
        return
    if missing:
        sys.exit("The migrations do not make the tables that schema/ asks for. A new file in "
                 f"{MIGRATIONS} must say:\n\n" + "\n".join(missing) + "\n")
    if option is None:
        Path(sys.argv[2]).write_text(c_text(registers), encoding="utf-8")
        Path(sys.argv[3]).write_text(statements_text(registers), encoding="utf-8")
        outputs = f"{sys.argv[2]} {sys.argv[3]}"
        Path(sys.argv[4]).write_text(f"{outputs}: {' '.join(map(str, inputs(root)))}\n")


if __name__ == "__main__":
    main()
