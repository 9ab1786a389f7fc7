#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles a folder of views (views/console/) into C; the syntax is in docs/views.md.

    tools/templates.py FOLDER... SOURCE HEADER NAME DEPFILE

Each NAME.html of the last FOLDER becomes `void view_NAME(struct buf *to, const json_t *document)`;
components are looked for in the folders' parts/, in their order. Everything is put in place at build time: what runs later is a walk
of the document and the writers of web/view.h, chosen by where a text stands (html_places.py).
"""
import html
import re
import sys
from pathlib import Path
from urllib.parse import quote

import html_places
from html_places import Place, PlaceError

DEPTH_MAX = 20  # components within components
PIECE = re.compile(r"\{\{(.*?)\}\}", re.S)
WORD = re.compile(r'\s*("(?:[^"\\]|\\.)*"|==|!=|[()=]|\*?@?[A-Za-z_][A-Za-z0-9_.]*)')


class ViewError(Exception):
    pass


# ---- reading: nodes are tuples of a kind and its parts ----

def split_words(text):
    words, at = [], 0
    text = text.strip()
    while at < len(text):
        match = WORD.match(text, at)
        if not match:
            raise ViewError(f"not understood: {text[at:]}")
        words.append(match[1])
        at = match.end()
    return words


def without_lonely_lines(text):
    """A line that holds nothing but {{#...}}, {{/...}}, {{else}}, {{params}} or {{!}} leaves none."""
    lonely = r"^[ \t]*(\{\{(?:[#/!](?!>)|#>|else\b|params\b)[^}]*\}\})[ \t]*\n"
    return re.sub(lonely, r"\1", text, flags=re.M)


class Reader:
    """One file as a tree."""

    def __init__(self, path):
        self.path = path
        text = without_lonely_lines(path.read_text())
        if path.parent.name == "parts":
            text = text.rstrip("\n")  # a component may stand in a line, or in an attribute
        self.pieces = PIECE.split(text)
        self.at = 0
        self.params = None
        self.nodes, end = self.read_nodes()
        if end is not None:
            raise ViewError(f"{{{{{end}}}}} closes nothing")

    def read_nodes(self):
        """Nodes up to a {{/...}} or {{else}}, which is given back."""
        nodes = []
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            self.at += 1
            if self.at % 2 == 0:
                inner = piece.strip()
                if inner.startswith("/") or inner == "else":
                    return nodes, inner
                node = self.read_tag(inner)
                if node:
                    nodes.append(node)
            elif piece:
                nodes.append(("literal", piece))
        return nodes, None

    def read_tag(self, inner):
        if inner.startswith("!"):
            return None
        if inner.startswith("#>"):
            return self.read_component(inner[2:], True)
        if inner.startswith("#"):
            return self.read_block(inner[1:].strip())
        if inner.startswith(">"):
            return self.read_component(inner[1:], False)
        if inner.split()[:1] == ["params"]:
            self.params = set(inner.split()[1:])
            return None
        if inner == "content":
            return ("content",)
        if inner.split()[:1] == ["asset"]:
            return ("asset", read_asset(split_words(inner)[1:]))
        words = split_words(inner)
        values = [read_value(words)]
        while words:
            if words.pop(0) != "or":
                raise ViewError(f"not understood: {{{{{inner}}}}}")
            values.append(read_value(words))
        return ("show", values)

    def read_block(self, inner):
        kind, _, rest = inner.partition(" ")
        if kind == "each":
            return self.read_each(rest)
        if kind not in ("if", "unless"):
            raise ViewError(f"not understood: {{{{#{inner}}}}}")
        condition = read_condition(split_words(rest))
        yes, end = self.read_nodes()
        no = []
        if end == "else":
            no, end = self.read_nodes()
        self.close(kind, end)
        return ("when", condition, yes, no) if kind == "if" else ("when", condition, no, yes)

    def read_each(self, rest):
        words = split_words(rest)
        if len(words) not in (1, 3) or (len(words) == 3 and words[1] != "as"):
            raise ViewError(f"not understood: {{{{#each {rest}}}}}")
        nodes, end = self.read_nodes()
        self.close("each", end)
        return ("each", read_value(words[:1]), words[2] if len(words) == 3 else "this", nodes)

    def read_component(self, inner, block):
        words = split_words(inner)
        if not words or not re.fullmatch(r"[a-z_]+", words[0]):
            raise ViewError(f"no component: {{{{> {inner}}}}}")
        arguments, spread = read_arguments(words[1:])
        content = []
        if block:
            content, end = self.read_nodes()
            self.close(words[0], end)
        return ("component", words[0], arguments, spread, content)

    def close(self, kind, end):
        if end != f"/{kind}":
            found = f"{{{{{end}}}}}" if end else "the end of the file"
            raise ViewError(f"{{{{#{kind}}}}} is closed by {found}")


def read_asset(words):
    if len(words) != 1 or not re.fullmatch(r'"[a-z]+\.[a-z]+"', words[0]):
        raise ViewError('an asset is written {{asset "NAME.css"}}')
    return words[0].strip('"')


def read_value(words):
    """Takes one value off the words: ("text", "...") | ("path", [names]) | ("joined", [values])."""
    if not words:
        raise ViewError("a value is missing")
    word = words.pop(0)
    if word == "(":
        parts = []
        while words and words[0] != ")":
            parts.append(read_value(words))
        if not words:
            raise ViewError("a '(' without its ')'")
        words.pop(0)
        return ("joined", parts)
    if word.startswith('"'):
        return ("text", re.sub(r"\\(.)", r"\1", word[1:-1]))
    if word in ("true", "false"):
        return ("text", "true" if word == "true" else "")
    if not re.fullmatch(r"@(index|number|first|last)|[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*", word):
        raise ViewError(f"not a value: {word}")
    return ("path", word.split("."))


def read_condition(words):
    """One or more tests, joined by the same word."""
    tests, joint = [read_test(words)], None
    while words:
        word = words.pop(0)
        if word not in ("and", "or") or joint not in (None, word):
            raise ViewError("a condition is tests joined by 'and', or by 'or', not by both")
        joint = word
        tests.append(read_test(words))
    return (joint or "and", tests)


def read_test(words):
    negated = bool(words) and words[0] == "not"
    if negated:
        words.pop(0)
    value = read_value(words)
    if words and words[0] in ("==", "!="):
        sign = words.pop(0)
        return ((sign == "!=") != negated, value, read_value(words))
    return (negated, value, None)


def read_arguments(words):
    arguments, spread = {}, None
    while words:
        name = words.pop(0)
        if name.startswith("*"):
            spread = read_value([name[1:]])
        elif len(words) >= 2 and words[0] == "=":
            words.pop(0)
            arguments[name] = read_value(words)
        else:
            raise ViewError(f"an argument is written name=value: {name}")
    return arguments, spread


# ---- values in their scope ----
# A resolved value: ("text", str), ("json", C expression), ("index", C expression),
# ("flag", C condition), ("joined", [resolved]).

EMPTY = ("text", "")


class Scope:
    """What names mean: in a page, members of the document; in a component, its parameters alone. The
    document's `page` (the frame's own) is known everywhere."""

    def __init__(self, names, rest, params, content=None):
        self.names, self.rest, self.params, self.content = names, rest, params, content
        self.loop = None

    def inner(self, name, value, loop):
        scope = Scope({**self.names, name: value}, self.rest, self.params, self.content)
        scope.loop = loop
        return scope

    def resolve(self, value):
        if value[0] == "text":
            return value
        if value[0] == "joined":
            return ("joined", [self.resolve(part) for part in value[1]])
        return self.path(value[1])

    def argument(self, key, value):
        """What a component is given under a name; with all below it, where that was written out."""
        below = ".".join(value[1]) + "." if value[0] == "path" else None
        given = {f"{key}.{name[len(below):]}": known for name, known in self.names.items()
                 if below and name.startswith(below)}
        return given or {key: self.resolve(value)}

    def path(self, names):
        if names[0].startswith("@"):
            return self.counter(names[0])
        for n in range(len(names), 0, -1):
            found = self.names.get(".".join(names[:n]))
            if found is not None:
                return members(found, names[n:])
        if names == ["content"]:
            return ("text", "true" if self.content and self.content[0] else "")
        if names[0] == "page":
            return members(("json", "document"), names)
        beginning = ".".join(names) + "."
        below = [value for name, value in self.names.items() if name.startswith(beginning)]
        if below:
            return ("any", below + ([members(self.rest, names)] if self.rest else []))
        if self.params is not None and names[0] not in self.params:
            raise ViewError(f"not a parameter of this component: {names[0]}")
        return members(self.rest, names) if self.rest else EMPTY

    def counter(self, name):
        if self.loop is None:
            raise ViewError(f"{name} outside of an each of this file")
        at, count = self.loop
        return {"@index": ("index", at), "@number": ("index", f"{at} + 1"),
                "@first": ("flag", f"{at} < 1"), "@last": ("flag", f"{at} + 1 >= {count}")}[name]


def members(value, names):
    if not names:
        return value
    if value[0] != "json":
        return EMPTY
    expression = value[1]
    for name in names:
        expression = f'json_object_get({expression}, "{name}")'
    return ("json", expression)


# ---- writing C ----

def literal_c(text):
    """A C string literal, one line of it for each line of the text."""
    lines = []
    for line in text.splitlines(keepends=True):
        raw = line.encode()
        escaped = "".join(chr(c) if 32 <= c < 127 and c not in b'"\\?' else
                          "\\n" if c == 10 else f"\\{c:03o}" for c in raw)
        lines.append(f'"{escaped}"')
    return "\n".join(lines)


def constant(kind, text):
    """What the writers of web/view.h make of a text that is known now."""
    if kind == "url_part":
        return quote(text, safe="-._~:")
    if kind == "url_whole" and not html_places.URL_BEGINS.match(text):
        raise ViewError(f"a URL that does not begin with its scheme, '/', '#' or '?': {text}")
    return html.escape(text, quote=True).replace("&#x27;", "&#39;")


class Writer:
    """The body of one function."""

    def __init__(self, compiler):
        self.compiler = compiler
        self.lines, self.pending = [], ""
        self.place = Place()
        self.counter = 0
        self.depth = 0

    def flush(self):
        if self.pending:
            self.lines.append(f"buf_append(to, STR(\n{literal_c(self.pending)}));")
            self.pending = ""

    def add(self, line):
        self.flush()
        self.lines.append(line)

    def nodes(self, nodes, scope):
        for node in nodes:
            getattr(self, node[0])(scope, *node[1:])

    def literal(self, _scope, text):
        self.place = html_places.behind(self.place, text)
        self.pending += text

    def asset(self, _scope, name):
        """The address of one of our files, which changes with what is in it: fixed when the program is
        built, so it may stand where no value may."""
        self.place = html_places.behind(self.place, f"/assets/{name}")
        self.add(f"buf_append(to, STR(WEB_ASSET_{re.sub('[.]', '_', name).upper()}));")
        self.compiler.has_assets = True

    def show(self, scope, values):
        """The first value that is there."""
        value = scope.resolve(values[0])
        test = truth_c(value) if len(values) > 1 else "true"
        if test == "false":
            self.show(scope, values[1:])
        elif test == "true":
            self.write(value)
        else:
            self.when(scope, ("and", [(False, values[0], None)]), [("show", values[:1])],
                      [("show", values[1:])])

    def write(self, value):
        if value[0] == "joined":
            for part in value[1]:
                self.write_part(part)
            return
        kind = html_places.writer(self.place)
        if value[0] == "text":
            if value[1]:
                self.pending += constant(kind, value[1])
                self.place = html_places.written(self.place)
            return
        if value[0] == "json":
            self.add(f"view_{kind}(to, {value[1]});")
        elif value[0] == "index":
            self.add(f"buf_append_u64(to, {value[1]});")
        else:
            raise ViewError("a flag or a group of parameters is no text")
        self.place = html_places.written(self.place)

    def write_part(self, part):
        """Of a joined value: what the view itself says is an address's own structure, /edit or ?page=."""
        if part[0] == "text" and html_places.writer(self.place) == "url_part":
            self.pending += html.escape(quote(part[1], safe="-._~:/?&=#"), quote=True)
        else:
            self.write(part)

    def branch(self, nodes, scope, start):
        self.place = start
        self.nodes(nodes, scope)
        self.flush()
        return self.place

    def when(self, scope, condition, yes, no):
        test = condition_c(scope, condition)
        if test in ("true", "false"):
            self.nodes(yes if test == "true" else no, scope)
            return
        start = self.place
        self.add(f"if ({test}) {{")
        one = self.branch(yes, scope, start)
        if no:
            self.lines.append("} else {")
        other = self.branch(no, scope, start)
        self.lines.append("}")
        self.place = html_places.joined(one, other)

    def each(self, scope, value, name, nodes):
        over = scope.resolve(value)
        if over == EMPTY:
            return
        if over[0] != "json":
            raise ViewError("each walks a list of the document")
        self.counter += 1
        n = self.counter
        self.add(f"const json_t *list{n} = {over[1]};\n"
                 f"size_t count{n} = json_array_size(list{n});\n"
                 f"for (size_t at{n} = 0; at{n} < count{n}; at{n}++) {{\n"
                 f"const json_t *item{n} = json_array_get(list{n}, at{n});\n(void)item{n};")
        start = self.place
        inner = scope.inner(name, ("json", f"item{n}"), (f"at{n}", f"count{n}"))
        end = self.branch(nodes, inner, start)
        self.lines.append("}")
        self.place = html_places.joined(start, end)

    def component(self, scope, name, arguments, spread, content):
        part = self.compiler.part(name)
        params = part.params or set()
        for argument in arguments:
            if argument.split(".")[0] not in params:
                raise ViewError(f"{name} has no parameter {argument}")
        names = {}
        for key, value in arguments.items():
            names.update(scope.argument(key, value))
        rest = scope.resolve(spread) if spread else None
        self.depth += 1
        if self.depth > DEPTH_MAX:
            raise ViewError(f"components within components without an end: {name}")
        self.nodes(part.nodes, Scope(names, rest, params, (content, scope)))
        self.depth -= 1

    def content(self, scope):
        if scope.content is None:
            raise ViewError("{{content}} stands in a component")
        nodes, caller = scope.content
        self.nodes(nodes, caller)


def truth_c(value):
    """A C condition, or "true" or "false"."""
    if value[0] == "text":
        return "true" if value[1] else "false"
    if value[0] == "json":
        return f"view_is_true({value[1]})"
    if value[0] == "index":
        return f"({value[1]}) != 0"
    if value[0] == "flag":
        return f"({value[1]})"
    return joined_c("or", [truth_c(part) for part in value[1]])  # joined values, or several members


def equal_c(one, other):
    if one[0] == "text" and other[0] == "text":
        return "true" if one == other else "false"
    if one[0] == "text":
        one, other = other, one
    if one[0] != "json":
        raise ViewError("only a member of the document is compared")
    if other[0] == "text":
        return f"view_equals({one[1]}, STR({literal_c(other[1]) or chr(34) * 2}))"
    if other[0] == "json":
        return f"view_same({one[1]}, {other[1]})"
    raise ViewError("a value is compared with a text or another value")


def joined_c(joint, tests):
    last, first = ("true", "false") if joint == "or" else ("false", "true")
    if last in tests:
        return last
    tests = [test for test in tests if test != first]
    if len(tests) < 2:
        return tests[0] if tests else first
    return "(" + (" || " if joint == "or" else " && ").join(tests) + ")"


def condition_c(scope, condition):
    joint, tests = condition
    written = []
    for negated, value, other in tests:
        value = scope.resolve(value)
        test = truth_c(value) if other is None else equal_c(value, scope.resolve(other))
        if negated:
            test = {"true": "false", "false": "true"}.get(test, f"!({test})")
        written.append(test)
    return joined_c(joint, written)


class Compiler:
    def __init__(self, folders):
        self.has_assets = False
        self.folders = folders
        self.parts = {}
        self.read = []

    def file(self, path):
        self.read.append(path)
        try:
            return Reader(path)
        except ViewError as error:
            raise ViewError(f"{path}: {error}") from None

    def part(self, name):
        if name not in self.parts:
            places = [folder / "parts" / f"{name}.html" for folder in self.folders]
            path = next((place for place in places if place.exists()), None)
            if path is None:
                raise ViewError(f"no component {name}")
            self.parts[name] = self.file(path)
        return self.parts[name]

    def page(self, path):
        """The statements of a page."""
        writer = Writer(self)
        tree = self.file(path)
        if tree.params is not None:
            raise ViewError(f"{path}: a page has no parameters")
        try:
            writer.nodes(tree.nodes, Scope({}, ("json", "document"), None))
            writer.flush()
            if writer.place != Place():
                raise ViewError(f"the page ends inside {writer.place}")
        except (ViewError, PlaceError) as error:
            raise ViewError(f"{path}: {error}") from None
        return "\n".join(writer.lines)


def main():
    *folders, source, header, name, depfile = sys.argv[1:]
    folders = [Path(folder) for folder in folders]
    compiler = Compiler(folders)
    pages = sorted(path for path in folders[-1].glob("*.html"))
    try:
        bodies = {path.stem: compiler.page(path) for path in pages}
        # A component that no page uses yet has to be right all the same.
        for path in sorted(folders[0].glob("parts/*.html")):
            compiler.part(path.stem)
    except (ViewError, PlaceError) as error:
        sys.exit(f"templates: {error}")
    signature = "void view_{}(struct buf *to, const json_t *document)"
    guard = "LODGE_" + re.sub(r"\W", "_", name).upper() + "_"
    comment = "/* Made by tools/templates.py from views. */\n"
    Path(header).write_text(
        f"{comment}#ifndef {guard}\n#define {guard}\n\n#include <jansson.h>\n\n"
        '#include "base/buf.h"\n\n' +
        "".join(signature.format(stem) + ";\n" for stem in bodies) +
        f"\n#define {guard}LIST(VIEW) {' '.join(f'VIEW({stem})' for stem in bodies)}\n\n#endif\n")
    Path(source).write_text(
        f'{comment}#include "{name}"\n\n' +
        ('#include "web/asset_addresses.h"\n' if compiler.has_assets else "") +
        '#include "web/view.h"\n\n' +
        "\n".join(f"{signature.format(stem)}\n{{\n(void)document;\n{body}\n}}\n"
                  for stem, body in bodies.items()))
    # The folders too: a file that is added changes them.
    known = [*folders, folders[0] / "parts", *folders[0].glob("parts/*.html"), *pages,
             *compiler.read]
    Path(depfile).write_text(f"{Path(source).name}: " + " ".join(sorted({str(p) for p in known})) + "\n")


if __name__ == "__main__":
    main()
