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
    $4 own     1: rows about the viewer or their child
    $5 class   1: rows about a member of a group that the viewer teaches or covers today
    $6 kin     "all", "own", "made" or "none": of rows about the viewer's own child, which
    $7 passed  ",dsl,head,head<chair,": rows that hide from whoever holds one of these roles today,
               where nobody else holds one behind a "<" of that role

These four are worked out by records/standing.h, whose comment says what they mean. A person in a
field with hidden_from never gets the row, and nobody does who ever was in it: the acts tell who was.

Then WORDS: $8 $9, $10 $11, $12 $13, $14 $15: each found word is from the first up to before the
second; '' for no word. Words are rows of the table `word` (0006), made by engine_words.c.

Two ways: near (what the viewer made, or where a field with `named` names them, and what $4 to $7
say; found from the viewer outwards) and school (all of it; $4, $5 and $7 do nothing).

    get           $1 school $2 id -> ROW. Asks nobody's permission.
    insert        the table's columns; update: the same and the version that is replaced
    remove        $1 school $2 id $3 version
    list_WAY_FIELD_up|down      VIEWER WORDS $16 limit $17 offset -> ROW; FIELD `changed`: the last
                  change. For each sortable field.
    search_FIELD_up|down        the same for the school, found from the first word, never ''
    about_WAY     VIEWER WORDS $16 limit $17 offset $18 person: rows about them, last changed first
    count_WAY, count_search     VIEWER WORDS $16 most -> how many, at most that
    count_about_WAY             VIEWER WORDS $16 most $17 person
    waiting_WAY, count_waiting_WAY: as about_WAY and count_WAY without the person, but only rows that
                  are not in the last state. For registers with `waiting`.
    by_FIELD      $1 school $2 value (of a UPN the digest) -> id. For each unique field.
    refers_FIELD  $1 school $2 id of what is referred to $3 limit -> id, version. For each field of
                  type person, group or device.
"""
import re

WAYS = ("near", "school")
WORDS = 4
FIRST_WORD = 8
LIMIT = FIRST_WORD + 2 * WORDS
NUMBERS = {4, 5}
# What may be referred to: its table, and the column of its name.
REFERRED = {"person": ("reg_person", "f_name"), "group": ("reg_group", "f_name"),
            "device": ("reg_device", "f_tag")}

# What statements of src/store/*.sql.def find in all schools at once: {register: columns}.
EVERYWHERE = {"person": ["k_email"]}


def dated(row):
    return (f"({row}.f_from IS NULL OR {row}.f_from <= $3) AND "
            f"({row}.f_until IS NULL OR {row}.f_until >= $3)")


def flag(number):
    return f"CAST(${number} AS bigint) = 1"


def children():
    """Whom the viewer has responsibility for and may meet today. (|| '' keeps SQLite from the index
    by child, which would go through every family.)"""
    return ("(SELECT a.f_child || '' AS child FROM reg_family a WHERE a.school = $1 AND "
            f"a.f_adult = $2 AND {dated('a')} GROUP BY a.f_child || '' HAVING MIN(a.f_responsibility) = 1 AND "
            "MAX(a.f_no_contact) = 0) c")


def hidden(register):
    return [f"f_{field.name}" for field in register.fields if field.hidden_from]


def was_subject(register, row, person):
    """An act on the row hid from the person: a name that was corrected since."""
    return (f"EXISTS (SELECT 1 FROM act h WHERE h.school = $1 AND h.record = {row}.id AND "
            f"h.area = '{register.name}' AND h.hidden_from = {person})")


def holds(post):
    """The post holds today, and its holder is at the school (actor.sql.def)."""
    return (f"{dated(post)} AND EXISTS (SELECT 1 FROM reg_person h WHERE h.school = $1 AND "
            f"h.id = {post}.f_person AND h.state = 'here')")


def others(register):
    """The holder of the post q is no subject of the row s."""
    now = [f"(s.{column} IS NULL OR q.f_person <> s.{column})" for column in hidden(register)]
    return " AND ".join(now + [f"NOT {was_subject(register, 's', 'q.f_person')}"])


def has_about(register):
    return register.about is not None or register.about_itself


def made_columns(register):
    return ["made_by"] + [f"f_{field.name}" for field in register.fields
                          if field.named]


def allowed(register):
    """What relationship says of the row t."""
    parts = [f"(t.{column} IS NULL OR t.{column} <> $2)" for column in hidden(register)]
    if parts:
        parts.append(f"NOT {was_subject(register, 't', '$2')}")
    if has_about(register):
        parts.append(
            "NOT EXISTS (SELECT 1 FROM reg_family k WHERE k.school = $1 AND k.f_adult = $2 AND "
            f"k.f_child = t.about AND {dated('k')} AND (k.f_no_contact = 1 OR "
            "CAST($6 AS text) = 'none' OR (t.made_by <> $2 AND (CAST($6 AS text) = 'made' OR "
            "(CAST($6 AS text) = 'own' AND k.f_responsibility = 0)))))")
    return parts


def words(row, first=0):
    """The id is asked of where it was found: a row without the words is then not fetched. No EXISTS:
    PostgreSQL would rather read all words into a table first."""
    return [f"(CAST(${at} AS text) = '' OR (SELECT 1 FROM word w WHERE w.school = $1 AND "
            f"w.record = {row}.id AND w.word >= ${at} AND w.word < ${at + 1} LIMIT 1) "
            "IS NOT NULL)"
            for at in range(FIRST_WORD + 2 * first, LIMIT, 2)]


def passed_on(register):
    """The ids of rows whose subject holds, or of whom one who once was the subject holds, a role that
    passes to the viewer."""
    post = (f"p.school = $1 AND CAST($7 AS text) LIKE '%,' || p.f_role || ',%' AND {holds('p')} AND "
            "s.school = $1")
    nobody = ("NOT EXISTS (SELECT 1 FROM reg_post q WHERE q.school = $1 AND "
              f"CAST($7 AS text) LIKE '%,' || p.f_role || '<' || q.f_role || ',%' AND {holds('q')} "
              f"AND {others(register)})")
    table, columns = register.table, hidden(register)
    ways = [f"SELECT s.id FROM reg_post p CROSS JOIN {table} s WHERE {post} AND s.{column} = p.f_person "
            f"AND {nobody}" for column in columns]
    if columns:
        ways.append(f"SELECT s.id FROM reg_post p CROSS JOIN act e CROSS JOIN {table} s WHERE {post} AND "
                    "e.school = $1 AND e.hidden_from = p.f_person AND e.hidden_from <> '' AND "
                    f"e.area = '{register.name}' AND s.id = e.record AND {nobody}")
    return ways


def near(register):
    """The ids of rows that a viewer has by who they are. (|| '' keeps SQLite from the index by
    kind, which would find every member there is.)"""
    table, mine = register.table, "s.school = $1"
    ways = [f"SELECT s.id FROM {table} s WHERE {mine} AND s.{column} = $2"
            for column in made_columns(register)]
    if has_about(register):
        ways += [
            f"SELECT s.id FROM {table} s WHERE {mine} AND s.about = $2 AND {flag(4)}",
            f"SELECT s.id FROM {children()} CROSS JOIN {table} s WHERE {flag(4)} AND {mine} AND "
            "s.about = c.child",
            f"SELECT s.id FROM reg_membership g CROSS JOIN reg_membership m CROSS JOIN {table} s "
            "WHERE g.school = $1 AND g.f_person = $2 AND "
            f"g.f_kind || '' IN ('teacher', 'cover') AND {dated('g')} AND m.school = $1 AND "
            f"m.f_group = g.f_group AND m.f_kind || '' = 'member' AND {dated('m')} AND {flag(5)} "
            f"AND {mine} AND s.about = m.f_person",
        ]
    ways += passed_on(register)
    return f"({' UNION '.join(ways)}) r CROSS JOIN {table} t"


def found(register):
    """The ids of rows with the first word."""
    return (f"(SELECT DISTINCT w.record AS id FROM word w WHERE w.school = $1 AND w.register = "
            f"'{register.name}' AND w.word >= ${FIRST_WORD} AND w.word < ${FIRST_WORD + 1}) r "
            f"CROSS JOIN {register.table} t")


def source(register, way):
    """FROM and WHERE of the rows t."""
    joined = ["t.school = $1"]
    if way == "school":
        return f"{register.table} t", joined + allowed(register) + words("t")
    joined.append("t.id = r.id")
    if way == "near":
        return near(register), words("r") + joined + allowed(register)
    return found(register), words("r", 1) + joined + allowed(register)


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


def waits(register):
    states = ", ".join(f"'{state.name}'" for state in register.states[:-1])
    return f"t.state IN ({states})"


def page(register, way, column, direction, only=None):
    rows, conditions = source(register, way)
    if only:
        conditions.append(only)
    conditions = typed(rows, conditions, LIMIT)
    # Ordered by the page's own columns at last, so that no index of t looks like a way to that order.
    return (f"SELECT {row(register)} FROM (SELECT t.id, t.{column} AS place FROM {rows} "
            f"WHERE {' AND '.join(conditions)} ORDER BY t.{column} {direction}, t.id {direction} "
            f"LIMIT ${LIMIT} OFFSET ${LIMIT + 1}) p CROSS JOIN {register.table} t "
            f"WHERE t.school = $1 AND t.id = p.id ORDER BY p.place {direction}, p.id {direction}")


def count(register, way, only=None):
    rows, conditions = source(register, way)
    if only:
        conditions.append(only)
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
            made += [(f"list_{way}_{name}_{word}", page(register, way, column, direction))
                     for way in WAYS]
            made.append((f"search_{name}_{word}", page(register, "search", column, direction)))
    made += [(f"count_{way}", count(register, way)) for way in (*WAYS, "search")]
    if has_about(register):
        for way in WAYS:
            made.append((f"about_{way}",
                         page(register, way, "changed_ms", "DESC", f"t.about = ${LIMIT + 2}")))
            made.append((f"count_about_{way}", count(register, way, f"t.about = ${LIMIT + 1}")))
    if register.waiting:
        for way in WAYS:
            made.append((f"waiting_{way}", page(register, way, "changed_ms", "DESC", waits(register))))
            made.append((f"count_waiting_{way}", count(register, way, waits(register))))
    return made


def one(register):
    table, names = register.table, [column for column, _ in register.columns]
    places = ", ".join(f"${at + 1}" for at in range(len(names)))
    sets = ", ".join(f"{name} = ${at + 1}" for at, name in enumerate(names)
                     if name not in ("id", "school"))
    made = [
        ("get", f"SELECT {row(register)} FROM {table} t WHERE t.school = $1 AND t.id = $2"),
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
    if register.waiting:
        add(["state", "changed_ms", "id"])
    for field in register.fields:
        if field.sortable:
            add([sort_column(field), "id"])
        if field.type in REFERRED:
            add([f"f_{field.name}"])
    for field in register.fields:
        if field.unique:
            add([field.lookup], "UNIQUE ")
    for column in EVERYWHERE.get(register.name, []):
        if column in dict(register.columns):
            name = f"{table}_{column}_everywhere"
            made[name] = f"CREATE INDEX {name} ON {table} ({column}, school);"
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
               for what in ("get", "insert", "update", "remove", "count_search")]
    members += [f".{what} = {name}_{what}" for what in ("list", "search", "by", "refers")]
    members += [f".{what} = {{{', '.join(statement(f'{what}_{way}') for way in WAYS)}}}"
                for what in ("about", "count", "count_about", "waiting", "count_waiting")]
    return "\n".join([
        c_array(f"{name}_list", "[][2]",
                [pair(f"list_{way}_{column}") for way in WAYS for column in columns]),
        c_array(f"{name}_search", "[][2]", [pair(f"search_{column}") for column in columns]),
        c_array(f"{name}_by", "[]", [statement(f"by_{field.name}") for field in register.fields]),
        c_array(f"{name}_refers", "[]",
                [statement(f"refers_{field.name}") for field in register.fields]),
        f"static const struct register_statements {name}_statements = {{",
        *[f"    {member}," for member in members], "};"])
