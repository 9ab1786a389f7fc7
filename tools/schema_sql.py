# SPDX-License-Identifier: GPL-3.0-or-later
"""The named statements of a register, the indexes that they need, and the C tables that name them
(register_statements of src/records/register.h). tools/schema.py calls this; src/records/engine*.c
runs them.

    statements(register) -> [(name, text)]
    indexes(register)    -> {name: SQL}, of the register's table
    c_tables(register)   -> C text that defines NAME_statements

A ROW is the table's columns in the order of schema_model.py (COMMON, then the fields'), and behind
them the names of whoever made and changed it, and of what each field of type person, group or
device refers to, in the order of the fields: NULL where there is none.

Who sees a row is said in the statements, so that lists, pages, counts and the search never hold
what the viewer must not see. All of them begin with the VIEWER:

    $1 school  $2 the viewer's id  $3 today (ISO)
    $4 see_self      1: rows about the viewer
    $5 see_child     1: rows about the viewer's child
    $6 see_made      1: rows that the viewer made, or that name them (fields with `named`)
    $7 see_made_own  1: these where they are about the viewer's child, too
    $8 see_class     1: rows about a member of a group that the viewer teaches or covers today
    $9 passed        ",head,dsl,": rows that hide from whoever holds one of these roles today

A person in a field with hidden_from never gets the row. A row about the viewer takes see_self, and
one about their child see_child, whatever else is set (permit.h: relationship before role). Every
tie of family counts to take away, but only one in force gives: today, with parental
responsibility, without "no contact".

Then WORDS: $10 $11, $12 $13, $14 $15, $16 $17: each found word is from the first up to before the
second; '' for no word. Words are rows of the table `word` (0006), made by engine_words.c.

Two reaches: near (what $4 to $9 say, found from the viewer outwards) and school (all of it but for
what relationship takes away; $8 and $9 do nothing).

    get           $1 school $2 id -> ROW. Asks nobody's permission.
    sees          VIEWER $10 see_school (1: all of the school) $11 id -> 1, where the viewer has it
    insert        the table's columns; update: the same and the version that is replaced
    remove        $1 school $2 id $3 version
    list_REACH_FIELD_up|down    VIEWER WORDS $18 limit $19 offset -> ROW; FIELD `changed`: the last
                  change. For each sortable field.
    search_FIELD_up|down        the same for the school, found from the first word, which must not be ''
    about_REACH   VIEWER WORDS $18 limit $19 offset $20 person: rows about them, last changed first
    count_REACH, count_search   VIEWER WORDS $18 most -> how many, at most that
    count_about_REACH           VIEWER WORDS $18 most $19 person
    by_FIELD      $1 school $2 value (of a UPN the digest) -> id. For each unique field.
    refers_FIELD  $1 school $2 id of what is referred to $3 limit -> id, version. For each field of
                  type person, group or device.
"""
import re

REACHES = ("near", "school")
WORDS = 4
FIRST_WORD = 10
LIMIT = FIRST_WORD + 2 * WORDS
NUMBERS = {4, 5, 6, 7, 8}
# What may be referred to: its table, and the column of its name.
REFERRED = {"person": ("reg_person", "f_name"), "group": ("reg_group", "f_name"),
            "device": ("reg_device", "f_tag")}


def dated(row):
    return (f"({row}.f_from IS NULL OR {row}.f_from <= $3) AND "
            f"({row}.f_until IS NULL OR {row}.f_until >= $3)")


def flag(number):
    return f"CAST(${number} AS bigint) = 1"


def family(row, child=None):
    """A tie of the viewer's, whatever it is now."""
    text = f"{row}.school = $1 AND {row}.f_adult = $2"
    return text + (f" AND {row}.f_child = {child}" if child else "")


def in_force(row):
    return f"{row}.f_responsibility = 1 AND {row}.f_no_contact = 0 AND {dated(row)}"


def hidden(register):
    return [f"f_{field.name}" for field in register.fields if field.hidden_from]


def has_about(register):
    return register.about is not None or register.about_itself


def made_columns(register):
    return ["made_by"] + [f"f_{field.name}" for field in register.fields
                          if getattr(field, "named", False)]


def made(register, row):
    return " OR ".join(f"{row}.{column} = $2" for column in made_columns(register))


def allowed(register):
    """What relationship says of the row t."""
    parts = [f"(t.{column} IS NULL OR t.{column} <> $2)" for column in hidden(register)]
    if has_about(register):
        tie = f"SELECT 1 FROM reg_family k WHERE {family('k', 't.about')}"
        mine = f"({made(register, 't')})"
        self = f"{flag(4)} OR ({flag(6)} AND {mine})"
        child = (f"NOT EXISTS ({tie}) OR ({flag(5)} AND EXISTS ({tie} AND {in_force('k')})) OR "
                 f"({flag(7)} AND {mine})")
        parts.append(f"(t.about IS NULL OR (t.about = $2 AND ({self})) OR "
                     f"(t.about <> $2 AND ({child})))")
    return parts


def words(first=0):
    return [f"(CAST(${at} AS text) = '' OR EXISTS (SELECT 1 FROM word w WHERE w.school = $1 AND "
            f"w.record = t.id AND w.word >= ${at} AND w.word < ${at + 1}))"
            for at in range(FIRST_WORD + 2 * first, LIMIT, 2)]


def member(person):
    """Of a class of the viewer's. (|| '' keeps SQLite from the index by kind, which would find
    every member there is.)"""
    return ("g.school = $1 AND g.f_person = $2 AND g.f_kind || '' IN ('teacher', 'cover') AND "
            f"{dated('g')} AND m.school = $1 AND m.f_group = g.f_group AND "
            f"m.f_kind || '' = 'member' AND {dated('m')} AND {flag(8)} AND {person} = m.f_person")


def passes(person):
    """To the viewer, by the role of whom it hides from."""
    return (f"p.school = $1 AND CAST($9 AS text) LIKE '%,' || p.f_role || ',%' AND {dated('p')} "
            f"AND {person} = p.f_person")


def near(register):
    """The ids of rows that a viewer has by who they are."""
    table, mine = register.table, "s.school = $1"
    ways = [f"SELECT s.id FROM {table} s WHERE {mine} AND s.{column} = $2 AND {flag(6)}"
            for column in made_columns(register)]
    if has_about(register):
        ways += [
            f"SELECT s.id FROM {table} s WHERE {mine} AND s.about = $2 AND {flag(4)}",
            f"SELECT s.id FROM reg_family a CROSS JOIN {table} s WHERE {family('a')} AND "
            f"{in_force('a')} AND {flag(5)} AND {mine} AND s.about = a.f_child",
            f"SELECT s.id FROM reg_membership g CROSS JOIN reg_membership m CROSS JOIN {table} s "
            f"WHERE {member('s.about')} AND {mine}",
        ]
    ways += [f"SELECT s.id FROM reg_post p CROSS JOIN {table} s WHERE {passes(f's.{column}')} AND "
             f"{mine}" for column in hidden(register)]
    return f"({' UNION '.join(ways)}) r CROSS JOIN {table} t"


def sees(register):
    """near, asked of one row."""
    ways = ["CAST($10 AS bigint) = 1", f"({flag(6)} AND ({made(register, 't')}))"]
    if has_about(register):
        ways += [
            f"({flag(4)} AND t.about = $2)",
            f"({flag(5)} AND EXISTS (SELECT 1 FROM reg_family a WHERE {family('a', 't.about')} AND "
            f"{in_force('a')}))",
            "EXISTS (SELECT 1 FROM reg_membership g CROSS JOIN reg_membership m WHERE "
            f"{member('t.about')})",
        ]
    ways += [f"EXISTS (SELECT 1 FROM reg_post p WHERE {passes(f't.{column}')})"
             for column in hidden(register)]
    table = f"{register.table} t"
    conditions = ["t.school = $1", "t.id = $11", *allowed(register), f"({' OR '.join(ways)})"]
    return f"SELECT 1 FROM {table} WHERE {' AND '.join(typed(table, conditions, 10))}"


def found(register):
    """The ids of rows with the first word."""
    return (f"(SELECT DISTINCT w.record AS id FROM word w WHERE w.school = $1 AND w.register = "
            f"'{register.name}' AND w.word >= ${FIRST_WORD} AND w.word < ${FIRST_WORD + 1}) r "
            f"CROSS JOIN {register.table} t")


def source(register, reach):
    """FROM and WHERE of the rows t."""
    joined = ["t.school = $1"]
    if reach == "school":
        return f"{register.table} t", joined + allowed(register) + words()
    joined.append("t.id = r.id")
    if reach == "near":
        return near(register), joined + allowed(register) + words()
    return found(register), joined + allowed(register) + words(1)


def typed(text, conditions, last):
    """Adds what names the parameters that a statement has no use for: PostgreSQL must know what
    they are."""
    used = {int(number) for number in re.findall(r"\$(\d+)", text + " ".join(conditions))}
    return conditions + [f"CAST(${at} AS {'bigint' if at in NUMBERS else 'text'}) IS NOT NULL"
                         for at in range(1, last) if at not in used]


def references(register):
    return [field for field in register.fields if field.type in REFERRED]


def row(register):
    columns = [f"t.{column}" for column, _ in register.columns]
    names = [("person", "made_by"), ("person", "changed_by")]
    names += [(field.type, f"f_{field.name}") for field in references(register)]
    for kind, column in names:
        table, name = REFERRED[kind]
        columns.append(f"(SELECT n.{name} FROM {table} n WHERE n.school = t.school AND "
                       f"n.id = t.{column})")
    return ", ".join(columns)


def sort_column(field):
    return f"k_{field.name}" if field.keyed else field.columns[0][0]


def page(register, reach, column, direction, about=None):
    rows, conditions = source(register, reach)
    if about:
        conditions.append(f"t.about = {about}")
    order = f"ORDER BY t.{column} {direction}, t.id {direction}"
    conditions = typed(rows, conditions, LIMIT)
    return (f"SELECT {row(register)} FROM (SELECT t.id FROM {rows} "
            f"WHERE {' AND '.join(conditions)} {order} LIMIT ${LIMIT} OFFSET ${LIMIT + 1}) p "
            f"CROSS JOIN {register.table} t WHERE t.school = $1 AND t.id = p.id {order}")


def count(register, reach, about=None):
    rows, conditions = source(register, reach)
    if about:
        conditions.append(f"t.about = {about}")
    conditions = typed(rows, conditions, LIMIT)
    return (f"SELECT COUNT(*) FROM (SELECT t.id FROM {rows} WHERE {' AND '.join(conditions)} "
            f"LIMIT ${LIMIT}) c")


def sorts(register):
    """[(name, column)]: of the list, the last one by which it was changed."""
    return [(field.name, sort_column(field)) for field in register.fields if field.sortable] + [
        ("changed", "changed_ms")]


def pages(register):
    made = []
    for name, column in sorts(register):
        for direction, word in (("ASC", "up"), ("DESC", "down")):
            made += [(f"list_{reach}_{name}_{word}", page(register, reach, column, direction))
                     for reach in REACHES]
            made.append((f"search_{name}_{word}", page(register, "search", column, direction)))
    made += [(f"count_{reach}", count(register, reach)) for reach in (*REACHES, "search")]
    if has_about(register):
        for reach in REACHES:
            made.append((f"about_{reach}",
                         page(register, reach, "changed_ms", "DESC", f"${LIMIT + 2}")))
            made.append((f"count_about_{reach}", count(register, reach, f"${LIMIT + 1}")))
    return made


def one(register):
    table, names = register.table, [column for column, _ in register.columns]
    places = ", ".join(f"${at + 1}" for at in range(len(names)))
    sets = ", ".join(f"{name} = ${at + 1}" for at, name in enumerate(names)
                     if name not in ("id", "school"))
    made = [
        ("get", f"SELECT {row(register)} FROM {table} t WHERE t.school = $1 AND t.id = $2"),
        ("sees", sees(register)),
        ("insert", f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"),
        ("update", f"UPDATE {table} SET {sets} WHERE id = $1 AND school = $2 AND "
                   f"version = ${len(names) + 1}"),
        ("remove", f"DELETE FROM {table} WHERE school = $1 AND id = $2 AND version = $3"),
    ]
    made += [(f"by_{field.name}",
              f"SELECT id FROM {table} WHERE school = $1 AND {field.lookup} = $2")
             for field in register.fields if field.unique]
    made += [(f"refers_{field.name}", f"SELECT id, version FROM {table} WHERE school = $1 AND "
                                      f"f_{field.name} = $2 ORDER BY id LIMIT $3")
             for field in references(register)]
    return made


def statements(register):
    """[(name, text)]"""
    return [(f"{register.name}_{name}", text) for name, text in one(register) + pages(register)]


def indexes(register):
    """{name: SQL}"""
    table, made = register.table, {}

    def add(columns, unique=""):
        name = f"{table}_{columns[0]}{'_unique' if unique else ''}"
        made[name] = f"CREATE {unique}INDEX {name} ON {table} (school, {', '.join(columns)});"
    add(["changed_ms", "id"])
    for column in made_columns(register):
        add([column])
    if has_about(register):
        add(["about", "changed_ms", "id"])
    for field in register.fields:
        if field.sortable:
            add([sort_column(field), "id"])
        if field.type in REFERRED:
            add([f"f_{field.name}"])
    for field in register.fields:
        if field.unique:
            add([field.lookup], "UNIQUE ")
    return made


def c_array(name, kind, rows):
    return f"static const enum store_statement {name}{kind} = {{\n" + "".join(
        f"    {row},\n" for row in rows) + "};"


def c_tables(register):
    name = register.name
    names = {text for text, _ in statements(register)}
    columns = [*[field.name for field in register.fields], "changed"]

    def statement(what):
        return f"STATEMENT_{name}_{what}" if f"{name}_{what}" in names else "STATEMENT_UNSET"

    def pair(what):
        return f"{{{statement(what + '_up')}, {statement(what + '_down')}}}"
    members = [f".{what} = {statement(what)}"
               for what in ("get", "sees", "insert", "update", "remove", "count_search")]
    members += [f".{what} = {name}_{what}" for what in ("list", "search", "by", "refers")]
    members += [f".{what} = {{{', '.join(statement(f'{what}_{reach}') for reach in REACHES)}}}"
                for what in ("about", "count", "count_about")]
    return "\n".join([
        c_array(f"{name}_list", "[][2]",
                [pair(f"list_{reach}_{column}") for reach in REACHES for column in columns]),
        c_array(f"{name}_search", "[][2]", [pair(f"search_{column}") for column in columns]),
        c_array(f"{name}_by", "[]", [statement(f"by_{field.name}") for field in register.fields]),
        c_array(f"{name}_refers", "[]",
                [statement(f"refers_{field.name}") for field in register.fields]),
        f"static const struct register_statements {name}_statements = {{",
        *[f"    {member}," for member in members], "};"])
