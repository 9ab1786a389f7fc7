# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of schema/, read and checked: what tools/schema.py, schema_sql.py and openapi.py work
with. A mistake is told with its file, its field and what to do, and ends the program.

load(ROOT) -> [register]; a register has the members of its file (docs/schema.md) as attributes,
`fields` [field], `states`, `moves`, and
    table            "reg_NAME"
    about            a field, or None; `about_itself` where a record is about itself
    title            a field
A field has the members of its file as attributes (False, "" or None where they are left out), and
    index            its place in `fields`
    keyed            a folded copy k_NAME stands beside it
    columns          [(column, "text" | "int" | "blob")]: f_NAME, or f_NAME_from and f_NAME_until, or
                     f_NAME and f_NAME_digest, and then k_NAME
    column           the first of them among all columns of the table (COMMON come first)
    lookup           the column that tells equal values: for unique fields
"""
import re
import sys
import tomllib
from types import SimpleNamespace

# The columns that every register's table has, in the order of the statements' rows and values.
COMMON = [("id", "text"), ("school", "text"), ("version", "int"), ("state", "text"),
          ("about", "text"), ("made_ms", "int"), ("made_by", "text"), ("changed_ms", "int"),
          ("changed_by", "text")]
MAY_BE_NULL = {"about"}
MAX_FIELDS, MAX_STATES = 64, 32

DEF_ROW = re.compile(r'^[A-Z_]+\((\w+)((?:,\s*(?:"[^"]*"|[\w.]+))*)\)', re.M)
NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
PLURAL = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
RETENTION_ROW = re.compile(r"^\| `([a-z-]+)` \|", re.M)
# Names that forms, addresses and JSON use themselves.
TAKEN_FIELDS = {"id", "version", "state", "about", "school", "title", "csrf", "reason", "move"}
TAKEN_PLURALS = {"new", "import"}

REGISTER_KEYS = {
    "name": str, "plural": str, "label": str, "label_plural": str, "help": str, "area": str,
    "retention": str, "subject_access": bool, "sensitive": bool, "about": str, "title": str,
    "order": int, "waiting": str, "field": list, "part": list, "state": list, "move": list,
}
REGISTER_NEEDS = ("name", "plural", "label", "label_plural", "help", "area", "retention", "title",
                  "field")
FIELD_KEYS = {
    "name": str, "type": str, "label": str, "hint": str, "required": bool, "listed": bool,
    "searchable": bool, "sortable": bool, "sensitive": bool, "hidden_from": bool, "named": bool,
    "unique": bool, "warns": bool, "headings": list, "seen_by": list, "min": int, "max": int, "decimals": int, "choices": list,
    "choices_from": str, "choices_without": list,
}
STATE_KEYS = {"name": str, "label": str}
MOVE_KEYS = {"name": str, "label": str, "from": list, "to": str, "by": list, "demands": list,
             "reason": bool}
CHOICE_KEYS = {"value": str, "label": str, "also": list}
PART_KEYS = {"name": str, "label": str, "of": str, "otherwise": str, "headings": list}

# What a type allows.
SEARCHABLE = {"text", "long text", "e-mail", "phone"}
SORTABLE = {"text", "e-mail", "date", "number", "money", "choice", "yes/no", "time span"}
UNIQUE = {"text", "e-mail", "phone", "upn"}
BOUNDED = {"text", "long text", "sealed text", "e-mail", "date", "number", "money"}
TITLES = {"text", "long text", "choice", "date", "person", "group", "device"}
CHARACTERS = {"text": 200, "long text": 4000, "sealed text": 8000, "e-mail": 254}
COLUMNS = {"TEXT": "text", "INTEGER": "int", "BLOB": "blob"}


class Mistakes:
    def __init__(self, path):
        self.path, self.found = path, []

    def add(self, where, sentence):
        self.found.append(f"{self.path}: {where + ': ' if where else ''}{sentence}")


def read_def(path):
    """{row: [its other members as text]} of a .def list, in its order."""
    return {row: re.findall(r'"[^"]*"|[\w.]+', rest)
            for row, rest in DEF_ROW.findall(path.read_text())}


def read_lists(root):
    records = root / "src/records"
    types = {}
    for row, rest in read_def(records / "field_type.def").items():
        word, columns = rest[0].strip('"'), rest[1].strip('"').split()
        types[word] = SimpleNamespace(enum=f"FIELD_{row}", keyed="KEY" in columns,
                                      columns=[COLUMNS[c] for c in columns if c != "KEY"])
    roles = {row: rest[0].strip('"') for row, rest in read_def(records / "role.def").items()}
    areas = set(read_def(records / "area.def"))
    retention = set(RETENTION_ROW.findall((root / "docs/schema.md").read_text()))
    return SimpleNamespace(root=root, types=types, roles=roles, areas=areas, retention=retention)


def check_keys(mistakes, where, table, keys, needs):
    """Whether it is a table with the keys that are known, of their types, and those it needs."""
    if not isinstance(table, dict):
        mistakes.add(where, "write it as a table")
        return False
    before = len(mistakes.found)
    for key, value in table.items():
        if key not in keys:
            mistakes.add(where, f"'{key}' is not known; known are {', '.join(sorted(keys))}")
        elif type(value) is not keys[key]:
            word = {str: "text in quotes", bool: "true or false", int: "a whole number",
                    list: "a list"}[keys[key]]
            mistakes.add(where, f"'{key}' must be {word}")
        elif value == "":
            mistakes.add(where, f"'{key}' is empty; fill it or leave it out")
    for key in needs:
        if key not in table:
            mistakes.add(where, f"'{key}' is missing")
    return len(mistakes.found) == before


def check_words(mistakes, where, key, values, allowed):
    for value in values:
        if not isinstance(value, str) or value not in allowed:
            mistakes.add(where, f"'{key}' names '{value}', which is none of "
                                f"{', '.join(sorted(allowed))}")
    if len(set(map(str, values))) != len(values):
        mistakes.add(where, f"'{key}' names one twice")


def check_texts(mistakes, where, key, texts):
    if not all(isinstance(text, str) and text for text in texts):
        mistakes.add(where, f"'{key}' lists texts in quotes")


def check_name(mistakes, where, name, seen):
    if not NAME.fullmatch(name) or len(name) > 40:
        mistakes.add(where, f"the name '{name}' must be lower-case words joined by _, at most 40")
    if name in seen:
        mistakes.add(where, f"the name '{name}' is there twice")
    seen.add(name)


def read_choices(mistakes, where, table, lists):
    if "choices_from" in table:
        path = lists.root / "src" / table["choices_from"]
        if "choices" in table or not path.is_file() or path.suffix != ".def":
            mistakes.add(where, "'choices_from' must name a .def list of src/ and stand without "
                                "'choices'")
            return []
        rows = {row: rest[0].strip('"') for row, rest in read_def(path).items()}
        check_words(mistakes, where, "choices_without", table.get("choices_without", []), rows)
        return [(row, label, []) for row, label in rows.items()
                if row not in table.get("choices_without", [])]
    choices = []
    for choice in table.get("choices", []):
        if check_keys(mistakes, f"{where}, choices", choice, CHOICE_KEYS, ("value", "label")):
            if not re.fullmatch(r"[A-Za-z0-9_.-]{1,40}", choice["value"]):
                mistakes.add(where, f"the choice '{choice['value']}' may hold letters, digits and "
                                    "_ . - only")
            check_texts(mistakes, where, "also", choice.get("also", []))
            choices.append((choice["value"], choice["label"], choice.get("also", [])))
    if len({value for value, *_ in choices}) != len(choices):
        mistakes.add(where, "a choice's value is there twice")
    return choices


def check_flags(mistakes, where, field):
    for flag, allowed in (("searchable", SEARCHABLE), ("sortable", SORTABLE), ("unique", UNIQUE),
                          ("hidden_from", {"person"}), ("named", {"person"}),
                          ("warns", {"yes/no"})):
        if getattr(field, flag) and field.type not in allowed:
            mistakes.add(where, f"'{flag}' is not for the type '{field.type}'; it is for "
                                f"{', '.join(sorted(allowed))}")
    if field.sensitive and (field.listed or field.searchable or field.sortable):
        mistakes.add(where, "a sensitive field may not be listed, searchable or sortable: it is "
                            "seen only while a look is open")
    if field.seen_by and (field.searchable or field.sortable or field.hidden_from):
        mistakes.add(where, "a field with 'seen_by' may not be searchable, sortable or hidden_from: "
                            "an order or a hit would tell what it holds")
    if field.hidden_from and not field.required:
        mistakes.add(where, "a 'hidden_from' field must be required")
    if (field.type == "choice") != bool(field.choices):
        mistakes.add(where, "'choices' and the type 'choice' go together")
    if field.decimals and field.type != "number":
        mistakes.add(where, "'decimals' is for the type 'number'")
    if not 0 <= field.decimals <= 6:
        mistakes.add(where, "'decimals' must be 0 to 6")


def check_bounds(mistakes, where, field, table):
    if ("min" in table or "max" in table) and field.type not in BOUNDED:
        mistakes.add(where, f"'min' and 'max' are not for the type '{field.type}'")
    if field.type in CHARACTERS:
        most = CHARACTERS[field.type]
        field.min, field.max = table.get("min", 0), table.get("max", most)
        if not 0 <= field.min <= field.max <= 20000 or field.max == 0:
            mistakes.add(where, "'min' and 'max' count characters: 0 to 20000, min first")
    else:
        field.min = table.get("min", -(10 ** 15) if "max" in table else 0)
        field.max = table.get("max", 10 ** 15 if "min" in table else 0)
        if field.min > field.max:
            mistakes.add(where, "'min' is above 'max'")


def read_field(mistakes, table, index, lists, seen):
    where = f"field {index + 1}"
    if isinstance(table, dict) and isinstance(table.get("name"), str):
        where = f"field '{table['name']}'"
    if not check_keys(mistakes, where, table, FIELD_KEYS, ("name", "type", "label")):
        return None
    field = SimpleNamespace(**{key: table.get(key, kind()) for key, kind in FIELD_KEYS.items()})
    field.index = index
    check_name(mistakes, where, field.name, seen)
    if field.name in TAKEN_FIELDS:
        mistakes.add(where, f"'{field.name}' is a name of Lodge's own; take another")
    if field.type not in lists.types:
        mistakes.add(where, f"the type '{field.type}' is none of {', '.join(sorted(lists.types))}")
        return None
    field.choices = read_choices(mistakes, where, table, lists)
    check_words(mistakes, where, "seen_by", field.seen_by, lists.roles)
    check_texts(mistakes, where, "headings", field.headings)
    check_flags(mistakes, where, field)
    check_bounds(mistakes, where, field, table)
    add_columns(field, lists.types[field.type])
    return field


def add_columns(field, kind):
    name = f"f_{field.name}"
    names = {"time span": [f"{name}_from", f"{name}_until"],
             "upn": [name, f"{name}_digest"]}.get(field.type, [name])
    field.enum = kind.enum
    field.keyed = kind.keyed and (field.searchable or field.sortable or field.unique)
    field.columns = list(zip(names, kind.columns, strict=True))
    field.lookup = names[-1]
    if field.keyed:
        field.lookup = f"k_{field.name}"
        field.columns.append((field.lookup, "text"))


def read_states(mistakes, register, tables):
    seen = set()
    for at, table in enumerate(tables):
        if check_keys(mistakes, f"state {at + 1}", table, STATE_KEYS, STATE_KEYS):
            check_name(mistakes, f"state '{table['name']}'", table["name"], seen)
            register.states.append(SimpleNamespace(**table))
    if len(tables) > MAX_STATES:
        mistakes.add("", f"at most {MAX_STATES} states")


def read_moves(mistakes, register, tables, lists):
    states, fields, seen = [s.name for s in register.states], [f.name for f in register.fields], set()
    for at, table in enumerate(tables):
        where = f"move {at + 1}"
        if not check_keys(mistakes, where, table, MOVE_KEYS, ("name", "label", "from", "to", "by")):
            continue
        where = f"move '{table['name']}'"
        check_name(mistakes, where, table["name"], seen)
        check_words(mistakes, where, "from", table["from"], states)
        check_words(mistakes, where, "to", [table["to"]], states)
        check_words(mistakes, where, "by", table["by"], lists.roles)
        check_words(mistakes, where, "demands", table.get("demands", []), fields)
        if not table["from"] or not table["by"]:
            mistakes.add(where, "'from' and 'by' name one at least")
        register.moves.append(SimpleNamespace(
            name=table["name"], label=table["label"], from_states=table["from"], to=table["to"],
            by=table["by"], demands=table.get("demands", []), reason=table.get("reason", False)))
    for state in states[1:]:
        if not any(move.to == state for move in register.moves):
            mistakes.add(f"state '{state}'", "no move leads here")


def read_parts(mistakes, register, tables, seen):
    """What a field is made of in a table that has no column for it."""
    fields = {field.name: field for field in register.fields}
    for at, table in enumerate(tables):
        where = f"part {at + 1}"
        if not check_keys(mistakes, where, table, PART_KEYS, ("name", "label", "of")):
            continue
        check_name(mistakes, where, table["name"], seen)
        check_texts(mistakes, where, "headings", table.get("headings", []))
        check_words(mistakes, where, "of", [table["of"]], fields)
        check_words(mistakes, where, "otherwise", [table["otherwise"]] if "otherwise" in table else [],
                    fields)
        if table["of"] in fields and fields[table["of"]].type not in ("text", "person"):
            mistakes.add(where, "'of' must name a field of type text or person")
        register.parts.append(SimpleNamespace(
            name=table["name"], label=table["label"], of=fields.get(table["of"]),
            otherwise=fields.get(table.get("otherwise")), headings=table.get("headings", [])))


def check_headings(mistakes, register):
    """A heading leads to one field or part."""
    seen = {}
    for target in [*register.fields, *register.parts]:
        for heading in target.headings:
            other = seen.setdefault(heading.casefold(), target.name)
            if other != target.name or target.headings.count(heading) > 1:
                mistakes.add(target.name, f"the heading '{heading}' is there twice")


def place_columns(register):
    register.columns = list(COMMON)
    for field in register.fields:
        field.column = len(register.columns)
        register.columns += field.columns


def check_whole(mistakes, register, lists):
    """What concerns a register's parts together."""
    by_name = {field.name: field for field in register.fields}
    if register.area not in lists.areas:
        mistakes.add("area", f"'{register.area}' is none of {', '.join(sorted(lists.areas))}")
    if register.retention not in lists.retention:
        mistakes.add("retention", f"'{register.retention}' is none of the classes of docs/schema.md: "
                                  f"{', '.join(sorted(lists.retention))}")
    if not PLURAL.fullmatch(register.plural) or register.plural in TAKEN_PLURALS:
        mistakes.add("plural", "must be lower-case words joined by -, and none of "
                               f"{', '.join(sorted(TAKEN_PLURALS))}")
    title = by_name.get(register.title)
    if title is None or title.type not in TITLES or not title.required or title.sensitive or \
            title.seen_by:
        mistakes.add("title", "must name a required field that everyone who sees the record sees, "
                              f"of a type among {', '.join(sorted(TITLES))}")
    register.title = title
    name, register.about = register.about, None
    register.about_itself = name == "itself"
    if name and not register.about_itself:
        register.about = by_name.get(name)
        if register.about is None or register.about.type != "person":
            mistakes.add("about", "must name a person field, or be \"itself\" in the register of "
                                  "people")
    if register.about_itself and register.name != "person":
        mistakes.add("about", "\"itself\" is for the register of people")
    if register.waiting and len(register.states) < 2:
        mistakes.add("waiting", "needs two states: what waits is not in the last one")
    if register.subject_access and not name:
        mistakes.add("subject_access", "needs 'about': whose export would it be in?")
    if register.sensitive and not name:
        mistakes.add("sensitive", "needs 'about': a look is opened for a person")
    for field in register.fields:
        if field.sensitive and not name:
            mistakes.add(f"field '{field.name}'", "'sensitive' needs the register's 'about'")
    # A column of one field may not bear another's name (f_x_from of a span x, and a field x_from).
    names = [column for column, _ in register.columns]
    for column in {column for column in names if names.count(column) > 1}:
        mistakes.add("", f"two fields would have the column {column}; rename one")


def read_register(path, lists):
    mistakes = Mistakes(path.relative_to(lists.root))
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        mistakes.add("", f"not TOML: {error}")
        return None, mistakes.found
    if not check_keys(mistakes, "", table, REGISTER_KEYS, REGISTER_NEEDS):
        return None, mistakes.found
    register = SimpleNamespace(**{key: table.get(key, kind()) for key, kind in
                                  REGISTER_KEYS.items()
                                  if key not in ("field", "part", "state", "move")})
    register.order = table.get("order", 1000)
    register.path, register.table = path, f"reg_{register.name}"
    check_name(mistakes, "name", register.name, set())
    if register.name != path.stem:
        mistakes.add("name", f"must be '{path.stem}', as the file's")
    seen, register.states, register.moves, register.parts = set(), [], [], []
    fields = [read_field(mistakes, field, index, lists, seen)
              for index, field in enumerate(table["field"])]
    register.fields = [field for field in fields if field is not None]
    if not 1 <= len(fields) <= MAX_FIELDS:
        mistakes.add("", f"1 to {MAX_FIELDS} fields")
    read_parts(mistakes, register, table.get("part", []), seen)
    check_headings(mistakes, register)
    read_states(mistakes, register, table.get("state", []))
    read_moves(mistakes, register, table.get("move", []), lists)
    place_columns(register)
    if not mistakes.found:
        check_whole(mistakes, register, lists)
    return register, mistakes.found


def load(root):
    """All registers in their order; ends the program where there are mistakes."""
    lists = read_lists(root)
    read = [read_register(path, lists) for path in sorted((root / "schema").glob("*.toml"))]
    mistakes = [sentence for _, found in read for sentence in found]
    registers = [register for register, _ in read if register is not None]
    for key in ("name", "plural"):
        values = [getattr(register, key) for register in registers]
        mistakes += [f"schema: two registers have the {key} '{value}'"
                     for value in sorted({v for v in values if values.count(v) > 1})]
    if not read:
        mistakes.append("schema: no files")
    if mistakes:
        sys.exit("\n".join(mistakes))
    return sorted(registers, key=lambda register: (register.order, register.name))
