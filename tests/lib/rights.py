# SPDX-License-Identifier: GPL-3.0-or-later
"""Two invented schools full of hard cases, and who may do what in them: worked out here from
permit.def, pass.def and schema/ alone, apart from the program's own way, so that the two can be
compared. The cases are written straight into the tables of a store that a console has made."""
import base64
import copy
import datetime
import hashlib
import sys
import time
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import permissions  # noqa: E402

RIGHTS, ROLES = permissions.rights(), list(permissions.roles())
NONE, MADE, OWN, CLASS, SCHOOL, TRUST = range(6)
GOVERN = {"governor", "safety_governor", "chair", "trust"}
APART = {"posts", "accounts", "safeguarding", "allegations"}
TODAY = datetime.date.today()
PAST, AHEAD = (str(TODAY + datetime.timedelta(days)) for days in (-60, 60))
OVER, COMING = (str(TODAY + datetime.timedelta(days)) for days in (-2, 2))
WORD = "zebra"  # what every record is found by


def registers():
    made = {}
    for path in sorted((ROOT / "schema").glob("*.toml")):
        made[path.stem] = tomllib.loads(path.read_text())
    return made


REGISTERS = registers()


def an_id(name):
    return base64.b32encode(hashlib.sha256(name.encode()).digest()).decode().lower()[:26]


def fields_of(register, **wanted):
    return [field["name"] for field in REGISTERS[register]["field"]
            if all(field.get(name) == value for name, value in wanted.items())]


class Person:
    def __init__(self, school, name, kind, *posts):
        self.school, self.name, self.kind, self.posts = school, name, kind, posts
        self.id = an_id(f"{school} {name}")
        self.token = hashlib.sha256(f"token {school} {name}".encode()).digest()

    def derive(self, what):
        return hashlib.blake2b(what, key=self.token, digest_size=32).digest()

    @property
    def cookie(self):
        return base64.urlsafe_b64encode(self.token).decode().rstrip("=")

    @property
    def csrf(self):
        return base64.urlsafe_b64encode(self.derive(b"lodge csrf")).decode().rstrip("=")


class Record:
    """One record of a register; what tells of it on any page is its mark."""

    def __init__(self, school, register, number, about=None, made_by=None, **fields):
        self.school, self.register, self.about, self.made_by = school, register, about, made_by
        self.fields, self.definition = fields, REGISTERS[register]
        self.id = an_id(f"{school} {register} {number}") if register != "person" else about
        self.mark = f"mark-{school}-{register}-{number}"
        self.area = self.definition["area"]
        hidden = fields_of(register, hidden_from=True)
        self.hidden = [about] if hidden else []
        self.sensitive = self.definition.get("sensitive", False)

    @property
    def path(self):
        return f"/records/{self.definition['plural']}/{self.id}"


class World:
    def __init__(self):
        self.people, self.records, self.ties, self.members = {}, [], [], []
        for school in ("oak", "elm"):
            self.add_people(school)
            self.add_groups(school)
            self.add_records(school)

    def person(self, name, school="oak"):
        return self.people[school, name]

    def add(self, school, register, about=None, made_by="office", **fields):
        number = sum(1 for record in self.records if record.register == register)
        about = self.people[school, about].id if about else None
        maker = self.people[school, made_by].id if made_by else ""
        self.records.append(Record(school, register, number, about, maker, **fields))

    def add_people(self, school):
        now = (PAST, None)
        rows = [(role, "staff", (role, *now)) for role in ROLES
                if role not in ("pupil", "parent") and role not in GOVERN]
        rows += [(role, "governor", (role, *now)) for role in sorted(GOVERN)]
        rows += [("cover", "staff", ("teacher", *now)), ("left", "staff", ("head", PAST, OVER),
                                                         ("teacher", *now)),
                 ("soon", "staff", ("dsl", COMING, None), ("office", PAST, AHEAD)),
                 ("mum", "parent"), ("dad", "parent"), ("step", "parent"), ("was", "parent"),
                 ("ann", "pupil"), ("ben", "pupil"), ("cat", "pupil"), ("dan", "pupil")]
        for name, kind, *posts in rows:
            self.people[school, name] = Person(school, name, kind, *posts)

    def tie(self, school, adult, child, responsible=1, no_contact=0, since=None, until=None):
        self.ties.append((school, self.people[school, adult].id, self.people[school, child].id,
                          responsible, no_contact, since, until))

    def member(self, school, person, group, kind, since=PAST, until=None):
        self.members.append((school, self.people[school, person].id, group, kind, since, until))

    def add_groups(self, school):
        self.tie(school, "mum", "ann")
        self.tie(school, "dad", "ann", no_contact=1)           # separated: the court forbids it
        self.tie(school, "step", "ann", responsible=0)
        self.tie(school, "was", "dan", until=OVER)             # a carer who is none any more
        self.tie(school, "governor", "ben")                    # a governor who is a parent
        self.tie(school, "teacher", "cat")                     # a teacher whose child is in the class
        self.tie(school, "dsl", "dan")                         # a DSL whose child is in the school
        self.tie(school, "assistant", "ann", no_contact=1)     # an order against a member of staff
        for child in ("ann", "cat"):
            self.member(school, child, "class", "member")
        self.member(school, "dan", "class", "member", until=OVER)
        self.member(school, "teacher", "class", "teacher")
        self.member(school, "cover", "class", "cover", until=AHEAD)
        self.member(school, "assistant", "class", "cover")
        self.member(school, "left", "class", "teacher", until=OVER)
        self.member(school, "office", "class", "teacher", since=COMING)

    def add_records(self, school):
        for (of, name), person in list(self.people.items()):
            if of == school:
                self.add(school, "person", name, kind=person.kind)
                for role, since, until in person.posts:
                    self.add(school, "post", name, role=role, **{"from": since, "until": until})
        names = {person.id: name for (of, name), person in self.people.items() if of == school}
        for of, adult, child, responsible, no_contact, since, until in self.ties:
            if of == school:
                self.add(school, "family", names[child], adult=adult, responsibility=responsible,
                         no_contact=no_contact, **{"from": since, "until": until})
        self.add(school, "group", kind="class")
        group = self.records[-1].id
        self.add(school, "device", class_log_on="y2", class_group=group)
        for of, person, _, kind, since, until in self.members:
            if of == school:
                self.add(school, "membership", names[person], group=group, kind=kind,
                         **{"from": since, "until": until})
        for child in ("ann", "ben", "cat", "dan"):
            self.add(school, "concern", child, "head")
            self.add(school, "device", child)
        for child, maker in (("cat", "teacher"), ("dan", "teacher"), ("ann", "assistant"),
                             ("ann", "mum"), ("ann", "dad"), ("ben", "technician")):
            self.add(school, "concern", child, maker)
        for adult, maker in (("head", "teacher"), ("dsl", "office"), ("technician", "teacher"),
                             ("teacher", "dsl"), ("chair", "office"), ("cover", "cover")):
            self.add(school, "allegation", adult, maker)
            self.add(school, "low_level_concern", adult, maker)
        done = {record.register for record in self.records if record.school == school}
        for register, definition in REGISTERS.items():
            if register not in done:
                about = definition.get("about")
                self.add(school, register, "ann" if about else None)
                if about:
                    self.add(school, register, "cat")

    # ---- who may do what ----

    def roles(self, person):
        held = {role for role, since, until in person.posts
                if since <= str(TODAY) and (until is None or until >= str(TODAY))}
        if person.kind == "pupil":
            held.add("pupil")
        children = {tie[2] for tie in self.ties if tie[1] == person.id}
        if any(self.tie_of(person, child) == (True, True) for child in children):
            held.add("parent")
        return held

    def tie_of(self, person, child):
        """None, False (no contact), or (True, whether all ties that hold have responsibility)."""
        holds = [tie for tie in self.ties
                 if tie[1] == person.id and tie[2] == child
                 and (tie[5] is None or tie[5] <= str(TODAY))
                 and (tie[6] is None or tie[6] >= str(TODAY))]
        if not holds:
            return None
        return False if any(tie[4] for tie in holds) else (True, all(tie[3] for tie in holds))

    def teaches(self, person, child):
        groups = [{group for _, who, group, kind, since, until in self.members
                   if who == whom and kind in kinds and since <= str(TODAY)
                   and (until is None or until >= str(TODAY))}
                  for whom, kinds in ((person.id, ("teacher", "cover")), (child, ("member",)))]
        return bool(groups[0] & groups[1])

    def held_in(self, school):
        return set().union(*(self.roles(person) for (of, _), person in self.people.items()
                             if of == school))

    def passed_to(self, person, subjects=()):
        """The roles that pass to somebody: whose holder is a subject, or that nobody holds. Each goes
        to the first that somebody else holds, and beside that to whoever gets it in any case."""
        mine, made = self.roles(person), set()
        others = set().union(*(self.roles(other) for (of, _), other in self.people.items()
                               if of == person.school and other not in subjects))
        theirs = set().union(*map(self.roles, subjects))
        for role, following in permissions.passes().items():
            line = [(role, False)] + following
            held = self.held_in(person.school)
            while line and line[0][0] not in held:
                line = line[1:]
            if not line or (line[0][0] == role and role not in theirs):
                continue
            if line[0][0] in theirs:
                takers = [to for to, _ in line[1:] if to in others][:1]
                takers += [to for to, also in line[1:] if also]
            else:
                takers = [line[0][0]]
            made |= {role} if set(takers) & mine else set()
        return made

    def standing(self, person, record):
        """(roles that count, the narrowest scope that reaches the record, whether it is about
        oneself); None: the record does not exist for this person."""
        if person.school != record.school or person.id in record.hidden:
            return None
        tie = self.tie_of(person, record.about) if record.about else None
        if tie is False:
            return None
        roles = self.roles(person)
        subjects = [subject for subject in self.people.values() if subject.id in record.hidden]
        if fields_of(record.register, hidden_from=True):
            roles |= self.passed_to(person, subjects)
        if tie and (record.sensitive or record.area == "family"):
            roles = {"parent"}
        elif tie:
            roles -= GOVERN
        if record.made_by == person.id:
            nearest = MADE
        elif record.about == person.id or (tie and tie[1]):
            nearest = OWN
        else:
            nearest = CLASS if record.about and self.teaches(person, record.about) else SCHOOL
        return roles, nearest, record.about == person.id

    def teaches_any(self, person):
        return any(who == person.id and kind in ("teacher", "cover") and since <= str(TODAY)
                   and (until is None or until >= str(TODAY))
                   for _, who, _, kind, since, until in self.members)

    def class_of(self, school):
        return next(record for record in self.records
                    if record.school == school and record.register == "group")

    def may(self, person, record, verb):
        standing = self.standing(person, record)
        if standing is None:
            return False
        roles, nearest, self_about = standing
        scopes = [RIGHTS[role, record.area, verb] for role in roles]
        if self_about and verb in ("make", "change", "dispose") and record.area in APART:
            scopes = [scope for scope in scopes if scope < CLASS]
        return max(scopes, default=NONE) >= nearest

    def may_add_own(self, person, record):
        """Whether somebody may add a file to what they made: all of these are in their first state,
        and hold no file."""
        if record.made_by != person.id or len(record.definition.get("state", [])) < 2:
            return False
        anybodys = copy.copy(record)
        anybodys.made_by = ""  # for adding, who made it does not count
        return self.may(person, anybodys, "make")

    def has_any(self, person, area, verb, at_least=MADE):
        return max((RIGHTS[role, area, verb] for role in self.roles(person)), default=NONE) >= at_least

    def is_passed(self, person, register, verb="see"):
        """Whether some record of the register can reach this person by passing."""
        area = REGISTERS[register]["area"]
        return bool(fields_of(register, hidden_from=True)) and any(
            RIGHTS[role, area, verb] >= SCHOOL
            for subject in self.people.values() if subject.school == person.school
            for role in self.passed_to(person, [subject]))

    def may_move(self, person, record, move, state=None):
        """None: the record or the move does not exist for them. state: where the record is; else
        where it began. "": whether they may make it from any."""
        standing = self.standing(person, record)
        if standing is None or not self.may(person, record, "see"):
            return None
        own_case = standing[2] and not self.may(person, record, "change")
        first = record.definition["state"][0]["name"] if state is None else state
        return (bool(set(move["by"]) & standing[0]) and not own_case
                and (first == "" or first in move["from"]))

    # ---- into the tables ----

    def sql(self):
        """Statements for either database."""
        now = int(time.time() * 1000)
        lines = [f"INSERT INTO school (id, name, kind, urn, made_ms) VALUES ('{school}', "
                 f"'{school.title()} Primary', 'primary', '', 1);" for school in ("oak", "elm")]
        for person in self.people.values():
            account = an_id(f"account {person.id}")
            lines += [
                "INSERT INTO account (id, school, person, log_on, log_on_key, hash, state, "
                "must_change, password_ms, made_ms, made_by, changed_ms, changed_by) VALUES "
                f"('{account}', '{person.school}', '{person.id}', '{person.name}', '{person.name}', "
                f"'', 'active', 0, {now}, {now}, '', {now}, '');",
                "INSERT INTO session (id, school, account, person, digest, stage, client, made_ms, "
                f"used_ms, until_ms, factor_ms) VALUES ('{an_id('session ' + person.id)}', "
                f"'{person.school}', '{account}', '{person.id}', "
                f"{{blob:{person.derive(b'lodge session').hex()}}}, 'whole', '127.0.0.1', {now}, "
                f"{now}, {now + 3600000}, {now});"]
        lines += [line for record in self.records for line in self.record_sql(record, now)]
        return "\n".join(lines)

    def record_sql(self, record, now):
        values = {"id": record.id, "school": record.school, "version": 1, "state": "",
                  "about": record.about, "made_ms": now, "made_by": record.made_by,
                  "changed_ms": now, "changed_by": record.made_by}
        if record.definition.get("state"):
            values["state"] = record.definition["state"][0]["name"]
        about = record.definition.get("about")
        for field in record.definition["field"]:
            name = field["name"]
            if name in record.fields:
                values[f"f_{name}"] = record.fields[name]
            elif name == about:
                values[f"f_{name}"] = record.about
        title = record.definition["title"]
        kinds = {field["name"]: field["type"] for field in record.definition["field"]}
        if kinds[title] == "text":
            values[f"f_{title}"] = values[f"k_{title}"] = f"{record.mark}"
        columns = [name for name in values if not name.startswith("k_") or self.is_keyed(record, name)]
        yield (f"INSERT INTO reg_{record.register} ({', '.join(columns)}) VALUES "
               f"({', '.join(quote(values[name]) for name in columns)});")
        yield ("INSERT INTO word (school, record, word, register) VALUES "
               f"('{record.school}', '{record.id}', '{WORD}', '{record.register}');")

    def is_keyed(self, record, column):
        field = next(field for field in record.definition["field"] if f"k_{field['name']}" == column)
        return bool(field.get("searchable") or field.get("sortable"))


def quote(value):
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int) else "'" + value.replace("'", "''") + "'"
