#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the OpenAPI document of the console: openapi.py ROOT VERSION OUT.c DEPFILE

It is made from the addresses (src/web/route.def) and the registers (schema/): an address with
{register} stands once for each register. What a handler takes and gives beyond a register's fields is
in the tables below, by its name. OUT.c holds web_openapi_document (src/web/openapi.c).
    openapi.py --print ROOT VERSION     prints the document instead"""
import json
import re
import sys
from pathlib import Path

from schema_model import load, read_lists

HERE = Path(__file__).resolve().parent
PER_LINE = 24
ROUTE = re.compile(r'^ROUTE\((GET|POST),\s*"([^"]+)",\s*(\w+),\s*(\w+),\s*((?:"[^"]*"\s*)+),\s*'
                   r'"([^"]+)"\)', re.M)
COOKIE = re.compile(r'#define WEB_SESSION_COOKIE STR\("([^"]+)"\)')
ID = {"type": "string", "pattern": "^[a-z2-7]{26}$", "description": "An id that Lodge issued."}
TEXT = {"type": "string"}
TIME = {"type": "object", "description": "When (ms since 1970, UTC) and by whom.",
        "properties": {"ms": {"type": "integer"}, "by": {"type": ["string", "null"]},
                       "name": {"type": ["string", "null"]}}}


def named(name):
    return {"$ref": f"#/components/schemas/{name}"}


def made_of(properties, needs=(), more=True, text=None):
    schema = {"type": "object", "properties": properties, "additionalProperties": more}
    if needs:
        schema["required"] = list(needs)
    return {"description": text, **schema} if text else schema


# ---- fields ----

FORMS = {
    "text": {}, "long text": {}, "sealed text": {},
    "date": {"format": "date", "examples": ["2018-03-27"]},
    "phone": {"examples": ["+441632960001"]}, "e-mail": {"format": "email"},
    "address of a site": {"format": "uri"}, "money": {"examples": ["1234.50"]},
}
NOTES = {
    "date": "Read also as 27 3 2018, 27/3/2018 or 27 March 2018.",
    "money": "Pounds and pence.",
    "upn": "Taken, matched and never shown: true where it is on record.",
    "phone": "Read also as Britons write theirs.",
    "sealed text": "Sealed under the record's own key; null until a look is open.",
    "person": "A person's id, or in a change their whole name.",
    "group": "A group's id, or in a change its whole name.",
    "device": "A device's id, or in a change its tag.",
    "file": "The id that adding a file gave.",
}


def value_schema(field):
    """What a value looks like in an answer."""
    if field.type == "choice":
        return {"enum": [*[choice[0] for choice in field.choices], None]}
    if field.type in ("yes/no", "upn"):
        return {"type": ["boolean", "null"]}
    if field.type == "number" and not field.decimals:
        return {"type": ["integer", "null"]}
    if field.type == "time span":
        moment = {"type": ["string", "null"], "format": "date-time"}
        return {"type": ["object", "null"], "properties": {"from": moment, "until": moment}}
    if field.type in ("person", "group", "device", "file"):
        return {"type": ["string", "null"], "pattern": ID["pattern"]}
    schema = {"type": ["string", "null"], **FORMS.get(field.type, {})}
    if field.type in ("text", "long text", "sealed text", "e-mail"):
        schema["maxLength"] = field.max
    return schema


def words_of(field):
    parts = [field.label, field.hint, NOTES.get(field.type, "")]
    parts += ["Needs an open look." if field.sensitive else "",
              f"Seen by: {', '.join(field.seen_by)}." if field.seen_by else ""]
    return " ".join(part if part.endswith((".", "?")) else part + "." for part in parts if part)


def input_schema(field):
    """What is taken: the same, or text as a person types it."""
    schema = value_schema(field)
    if field.type in ("text", "long text", "sealed text", "e-mail"):
        return {**schema, "description": words_of(field)}
    kinds = [schema] if schema.get("type") == ["string", "null"] and field.type != "date" and \
        "pattern" not in schema else [schema, TEXT]
    return {"anyOf": kinds, "description": words_of(field)} if len(kinds) > 1 else \
        {**schema, "description": words_of(field)}


def register_schemas(register):
    name = register.name
    fields = {field.name: {**value_schema(field), "description": words_of(field)}
              for field in register.fields}
    inputs = {field.name: input_schema(field) for field in register.fields}
    states = {"state": {"enum": [state.name for state in register.states]},
              "state_label": TEXT} if register.states else {"state": {"type": ["string", "null"]}}
    record = made_of({
        "id": ID, "version": {"type": "integer", "minimum": 1}, **states, "title": TEXT,
        "about": {"type": ["object", "null"], "properties": {"id": ID, "name": TEXT}},
        "made": TIME, "changed": TIME, "fields": made_of(fields),
        "shown": made_of({}, text="The same as a person reads it, by the field's name."),
        "look": {"enum": ["open", "needed"]}, "may": {"type": "object"},
    }, text=register.help)
    needed = [field.name for field in register.fields if field.required]
    return {
        f"{name}_record": record,
        f"{name}_fields": made_of(inputs, text=f"The fields of: {register.label}."),
        f"{name}_new": {"allOf": [named(f"{name}_fields"), {"required": needed}]}
        if needed else named(f"{name}_fields"),
        f"{name}_list": made_of({
            "items": {"type": "array", "items": named(f"{name}_record")},
            "page": {"type": "integer"}, "per_page": {"type": "integer"},
            "total": {"type": "integer"}, "total_is_least": {"type": "boolean"},
            "more": {"type": "boolean"}, "may": {"type": "object"}}),
    }


# ---- what handlers take and give, by name ----

VERSION = {"version": {"anyOf": [{"type": "integer"}, TEXT], "description": "What you saw."}}
REASON = {"reason": {"type": "string", "description": "Why, without names."}}
SURE = {"sure": {"enum": ["yes"], "description": "Said at last."}}
K9 = {"k9": {"enum": ["no", "yes", "not_sure"],
             "description": "Whether the file could show a child undressed or in a sexual act. At "
                            "anything but no, nothing is taken."}}


def fields_and(register, *more):
    properties = {name: schema for part in more for name, schema in part.items()}
    return {"allOf": [named(f"{register.name}_fields"), made_of(properties)]}


# handler: (what the body is made of, its media types)
FORM, BYTES = "application/x-www-form-urlencoded", "multipart/form-data"
JSON = "application/json"
BODIES = {
    "records_make": lambda register: (named(f"{register.name}_new"), (JSON, FORM)),
    "records_change": lambda register: (fields_and(register, VERSION, REASON), (JSON, FORM)),
    "records_moved": lambda register: (fields_and(register, VERSION, REASON), (JSON, FORM)),
    "records_undo": lambda register: (made_of(VERSION, ["version"]), (JSON, FORM)),
    "records_disposed": lambda register: (
        made_of({**VERSION, **REASON, **SURE}, ["version", "reason"]), (JSON, FORM)),
    "records_look_open": lambda register: (
        made_of({"reason": {"type": "string", "description": "One of those that the page offers."},
                 "words": {"type": "string", "description": "Or why, in your own words."}}),
        (JSON, FORM)),
    "records_import_csv": lambda register: (
        made_of({"file": {"type": "string", "format": "binary"}, "csv": TEXT, **SURE,
                 "column-0": {"type": "string", "description":
                              "What the first column is: a field's name, `record`, or empty to "
                              "leave it out; so on for the others. Without it the headings say it."},
                 "skip": {"enum": ["yes"], "description":
                          "Take the other rows where some are not right."},
                 "seen": {"type": "string", "description": "For forms: the columns as shown."}},
                text="A CSV as a file or as text; without `sure` it is only tried. `all-FIELD`: what "
                     "a field is for new records whose row does not say it."),
        (BYTES, JSON)),
    "class_start": lambda register: (
        made_of({"class": {**ID, "description": "The class: a group's id."},
                 "until": {"type": "string", "format": "date-time",
                           "description": "When it ends, in UTC; at most 3 hours ahead, within the "
                                          "school day."},
                 "devices": {"type": "array", "items": ID,
                             "description": "Left out: all that are free."}}, ["class", "until"]),
        (JSON, FORM)),
    "records_file_add": lambda register: (
        made_of({**K9, "file": {"type": "string", "format": "binary"}, **VERSION}, ["k9"]),
        (BYTES,)),
}
ANY_BODY = (made_of({}, more={"anyOf": [TEXT, {"type": "boolean"}, {"type": "number"}]},
                    text="The fields of the page's form, by their names."), (JSON, FORM))

QUERY = {
    "records_list": {
        "search": "Words to look for", "sort": "A field's name; left out, last changed first",
        "down": "1 for the other direction", "page": "From 1",
        "about": "A person's id: only records about them"},
    "records_csv": {"search": "Words to look for", "about": "A person's id"},
    "records_new": {"about": "The id of the person whom it will be about"},
    "search": {"words": "Words to look for"},
}
ANSWERS = {"records_list": "list", "records_view": "record"}
# What is no page: the media type of its answer, by its handler or by how its path ends.
OTHER_TYPES = {"records_file": "application/octet-stream", ".csv": "text/csv", ".json": JSON,
               ".svg": "image/svg+xml"}

TROUBLES = {
    "400": "What was sent could not be read.", "401": "Nobody is signed in.",
    "403": "Your role does not allow this, or the second factor must be shown first; at the gate: "
           "nobody can be signed in on this device.",
    "404": "There is nothing here that you may see.",
    "409": "Somebody else changed it since; load it again.", "413": "That is too big.",
    "422": "Some fields are not right: `faults` holds a sentence for each.",
    "429": "Too many tries; wait a little.",
    "503": "The school's records are busy or cannot be reached; try again.",
}


# Answers that only some handlers give.
# 404: no policy is kept yet; a class that is not one's own.
MORE_CODES = {"sign_in_back": ["422"], "policy_upload": ["404"], "class_start": ["404"]}


def trouble_codes(route):
    post, codes = route["method"] == "POST", {"429", "503", *MORE_CODES.get(route["name"], ())}
    if route["guard"] != "OPEN":
        codes |= {"401", "403"}
    if post:
        codes |= {"400", "403", "409", "413", "422"}
    if "{" in route["path"] or not post:
        codes.add("404")
    if route["group"] == "gate":
        codes.add("403")  # a device on which nobody can be signed in
    return sorted(codes)


# ---- operations ----

def read_routes(root):
    text = (root / "src/web/route.def").read_text()
    routes = [dict(method=method, path=path, name=name, guard=guard,
                   text="".join(re.findall(r'"([^"]*)"', words)), group=group)
              for method, path, name, guard, words, group in ROUTE.findall(text)]
    rows = len(re.findall(r"^ROUTE\(", text, re.M))
    if len(routes) != rows:
        sys.exit(f"src/web/route.def: {rows} routes, of which {len(routes)} could be read")
    return routes


def place_schema(place, register):
    """None where the register has nothing that could stand there."""
    if place == "id" and register:
        return ID
    if place == "move" and register:
        return {"enum": [move.name for move in register.moves]} if register.moves else None
    if place == "field" and register:
        files = [field.name for field in register.fields if field.type == "file"]
        return {"enum": files} if files else None
    return TEXT


def parameters(route, path, register):
    found = []
    for place in re.findall(r"\{(\w+)\}", path):
        schema = place_schema(place, register)
        if schema is None:
            return None
        found.append({"name": place, "in": "path", "required": True, "schema": schema})
    return found + [{"name": name, "in": "query", "description": text + ".", "schema": TEXT}
                    for name, text in QUERY.get(route["name"], {}).items()]


def answer(route, register):
    kind = ANSWERS.get(route["name"])
    schema = named(f"{register.name}_{kind}") if kind and register else named("document")
    other = OTHER_TYPES.get(route["name"]) or OTHER_TYPES.get(Path(route["path"]).suffix)
    if other:
        schema = {"type": "object"} if other == JSON else {"type": "string"}
        return {other: {"schema": schema}}
    if route["method"] == "POST":
        schema = {"anyOf": [named("location"), schema]}
    return {JSON: {"schema": schema}, "text/html": {"schema": TEXT}}


def operation(route, path, register):
    places = parameters(route, path, register)
    if places is None:
        return None
    post = route["method"] == "POST"
    suffix = f".{register.name}" if register else ""
    responses = {"200": {"description": "Done." if post else "The page, or its document.",
                         "content": answer(route, register)}}
    if post:
        responses["303"] = {"description": "Done; a browser goes on to the page that tells so."}
    for code in trouble_codes(route):
        responses[code] = {"$ref": f"#/components/responses/{code}"}
    signed = {"session": []} | ({"csrf": []} if post else {})
    made = {"operationId": f"{route['name']}{suffix}",
            "summary": route["text"] + (f" ({register.label_plural})" if register else ""),
            "tags": [route["group"]], "security": [] if route["guard"] == "OPEN" else [signed],
            "x-guard": route["guard"]}
    if places:
        made["parameters"] = places
    if post:
        schema, types = BODIES.get(route["name"], lambda _: ANY_BODY)(register)
        made["requestBody"] = {"content": {kind: {"schema": schema} for kind in types}}
    return made | {"responses": responses}


def paths(routes, registers):
    found, names = {}, set()
    for route in routes:
        wild = "{register}" in route["path"]
        for register in registers if wild else [None]:
            path = route["path"]
            if register:
                path = path.replace("{register}", register.plural)
            made = operation(route, path, register)
            method = route["method"].lower()
            # The first route that fits is the one that answers.
            if made and method not in found.setdefault(path, {}):
                if made["operationId"] in names:  # one handler of several addresses
                    made["operationId"] += "." + re.sub(r"\W+", "_", f"{method}{path}").strip("_")
                names.add(made["operationId"])
                found[path][method] = made
    return {path: item for path, item in found.items() if item}


def document(root, version):
    registers, routes = load(root), read_routes(root)
    roles = ", ".join(read_lists(root).roles)
    schemas = {
        "document": made_of({"title": TEXT, "page": {"type": "object"}}, text="A page's document."),
        "location": made_of({"location": TEXT}, ["location"], text="Done: where to look."),
        "trouble": made_of({"error": TEXT, "faults": {
            "type": "object", "additionalProperties": TEXT}}, ["error"]),
    }
    for register in registers:
        schemas |= register_schemas(register)
    cookie = COOKIE.search((root / "src/web/web.h").read_text())[1]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Lodge", "version": version,
            "license": {"name": "GPL-3.0-or-later", "identifier": "GPL-3.0-or-later"},
            "description": "Every page of the console is also this interface: send `Accept: "
                           "application/json`. Who may do what is decided by the roles that a "
                           f"person holds today ({roles}) and by what they are to the person whom "
                           "a record is about; what you may not see does not exist for you."},
        "servers": [{"url": "/", "description": "This console."}],
        "tags": [{"name": group, "description": f"The console's pages: {group}."}
                 for group in sorted({route["group"] for route in routes})],
        "paths": paths(routes, registers),
        "components": {
            "schemas": schemas,
            "responses": {code: {"description": text,
                                 "content": {JSON: {"schema": named("trouble")}}}
                          for code, text in TROUBLES.items()},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": cookie,
                            "description": "Given by signing in."},
                "csrf": {"type": "apiKey", "in": "header", "name": "X-CSRF-Token",
                         "description": "`page.csrf` of any document of this session; forms carry "
                                        "it as their field `csrf`."}}},
    }


def c_text(text):
    data = text.encode()
    lines = ["".join(f"{byte}," for byte in data[at:at + PER_LINE])
             for at in range(0, len(data), PER_LINE)]
    return "\n".join(["/* Made by tools/openapi.py. */", '#include "web/openapi.h"', "",
                      "static const unsigned char bytes[] = {", *lines, "};", "",
                      "const struct str web_openapi_document = {(const char *)bytes, "
                      "sizeof(bytes)};", ""])


def main():
    printing = sys.argv[1:2] == ["--print"]
    if len(sys.argv) != (4 if printing else 5):
        sys.exit(__doc__)
    root, version = Path(sys.argv[2 if printing else 1]).resolve(), sys.argv[3 if printing else 2]
    text = json.dumps(document(root, version), ensure_ascii=False, separators=(",", ":"))
    if printing:
        print(text)
        return
    Path(sys.argv[3]).write_text(c_text(text))
    inputs = [root / "schema", *(root / "schema").glob("*.toml"), root / "docs/schema.md",
              root / "src/web/route.def", root / "src/web/web.h",
              *(root / "src/records").glob("*.def"), HERE / "schema_model.py", Path(__file__)]
    Path(sys.argv[4]).write_text(f"{sys.argv[3]}: {' '.join(map(str, inputs))}\n")


if __name__ == "__main__":
    main()
