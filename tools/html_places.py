# SPDX-License-Identifier: GPL-3.0-or-later
"""Where in HTML a text stands: what tools/templates.py escapes by.

A small reader of the literal HTML of views, enough to tell an element's content from a double-quoted
attribute and from the places where no text of outside can be written safely.
"""
import re
from typing import NamedTuple

URL_ATTRIBUTES = {"href", "src", "action", "formaction", "cite", "poster", "xlink:href"}
FORBIDDEN_ATTRIBUTES = {"style", "srcdoc", "srcset", "ping", "data", "http-equiv", "nonce"}
FORBIDDEN_ELEMENTS = {"script", "style", "base", "iframe", "object", "embed", "link", "meta"}
URL_BEGINS = re.compile(r"/(?![/\\])|[#?]|https?://|mailto:|tel:")
TEXT_ELEMENTS = {"title", "textarea"}  # markup in them is text: escaping as content is right


class Place(NamedTuple):
    """kind: text, raw (a script's or style's content), comment, tag, name, ended, equals, value,
    bare, single. element and attribute say in what; begun: the attribute holds something already."""
    kind: str = "text"
    element: str = ""
    attribute: str = ""
    begun: bool = False


class PlaceError(Exception):
    pass


def behind(place, literal):
    """The place behind this literal HTML."""
    at = 0
    while at < len(literal):
        place, at = STEPS[place.kind](place, literal, at)
    return place


def in_text(place, literal, at):
    if place.element in TEXT_ELEMENTS:
        end = literal.lower().find(f"</{place.element}", at)
        return (place, len(literal)) if end < 0 else (Place("tag", "/"), end + 2 + len(place.element))
    opened = literal.find("<", at)
    if opened < 0:
        return place, len(literal)
    if literal.startswith("<!--", opened):
        return Place("comment"), opened + 4
    match = re.compile(r"<(/?[A-Za-z][A-Za-z0-9:-]*|!)").match(literal, opened)
    if not match:
        raise PlaceError("a '<' that begins no tag: write &lt;")
    if match[1] == "!":
        return Place("tag", "/"), match.end()
    return Place("ended", match[1].lower() if match[1][0] != "/" else "/"), match.end()


def in_raw(place, literal, at):
    end = literal.lower().find(f"</{place.element}", at)
    return (place, len(literal)) if end < 0 else (Place("tag", "/"), end + 2 + len(place.element))


def in_comment(place, literal, at):
    end = literal.find("-->", at)
    return (place, len(literal)) if end < 0 else (Place(), end + 3)


def in_tag(place, literal, at):
    char = literal[at]
    if char == ">":
        if place.element in ("script", "style"):
            return Place("raw", place.element), at + 1
        return Place("text", place.element if place.element in TEXT_ELEMENTS else ""), at + 1
    if char.isspace() or char == "/":
        return Place("tag", place.element), at + 1
    return Place("name", place.element, ""), at


def in_name(place, literal, at):
    match = re.compile(r"[^\s=>/]*").match(literal, at)
    name = place.attribute + match[0].lower()
    if "<" in name:
        raise PlaceError("a tag inside a tag")
    if match.end() == len(literal):
        return Place("name", place.element, name), match.end()
    if literal[match.end()] == "=":
        return Place("equals", place.element, name), match.end() + 1
    return Place("tag", place.element), match.end()


def in_ended(place, literal, at):
    if literal[at] not in " \t\r\n>/":
        raise PlaceError("a space is missing behind an attribute that may be left out")
    return Place("tag", place.element), at


def in_equals(place, literal, at):
    kind = {'"': "value", "'": "single"}.get(literal[at], "bare")
    return Place(kind, place.element, place.attribute), at + (kind != "bare")


def in_value(place, literal, at):
    end = literal.find('"', at)
    if place.attribute in URL_ATTRIBUTES and not place.begun and end != at:
        if not URL_BEGINS.match(literal, at):
            raise PlaceError("a URL begins with its scheme, '/', '#' or '?'")
    if end < 0:
        return place._replace(begun=True), len(literal)
    return Place("tag", place.element), end + 1


def in_single(place, literal, at):
    end = literal.find("'", at)
    return (place, len(literal)) if end < 0 else (Place("tag", place.element), end + 1)


def in_bare(place, literal, at):
    match = re.compile(r"[^\s>]*").match(literal, at)
    if match.end() == len(literal):
        return place, match.end()
    return Place("tag", place.element), match.end()


STEPS = {"text": in_text, "raw": in_raw, "comment": in_comment, "tag": in_tag, "name": in_name, "ended": in_ended,
         "equals": in_equals, "value": in_value, "single": in_single, "bare": in_bare}


def writer(place):
    """What writes a text at this place: text, url_part or url_whole. PlaceError: nothing can."""
    if place.kind == "text":
        return "text"
    if place.kind != "value":
        where = {"raw": "inside a script or style", "comment": "inside a comment"}
        raise PlaceError("a text " + where.get(place.kind, "in a tag outside a double-quoted attribute"))
    name = place.attribute
    if name.startswith("on") or name in FORBIDDEN_ATTRIBUTES:
        raise PlaceError(f"a text in an attribute that cannot hold one: {name}")
    if place.element in FORBIDDEN_ELEMENTS:
        raise PlaceError(f"a text in <{place.element}>")
    if name not in URL_ATTRIBUTES:
        return "text"
    return "url_part" if place.begun else "url_whole"


def written(place):
    """The place behind a text that was written there."""
    return place._replace(begun=True) if place.kind == "value" else place


def joined(one, other):
    """The place where two ways meet, or PlaceError. begun matters only in a URL; behind an attribute
    that one of them has, and that has no value, a new one must begin."""
    if one.attribute not in URL_ATTRIBUTES:
        begun = one.begun or other.begun
        one, other = one._replace(begun=begun), other._replace(begun=begun)
    ends = {"tag", "name", "ended"}
    if one != other and one.element == other.element and {one.kind, other.kind} <= ends:
        return Place("ended", one.element)
    if one != other:
        raise PlaceError(f"two ways end in different places: {one} and {other}")
    return one
