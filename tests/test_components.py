# SPDX-License-Identifier: GPL-3.0-or-later
"""The console's components against the HTML fixtures of the npm package govuk-frontend: the same
options give the same HTML, but for what takes a script, and for options that hold markup."""
import html.parser
import json
import re
import subprocess

import pytest

from conftest import ROOT

GOVUK = ROOT / "assets" / "node_modules" / "govuk-frontend" / "dist" / "govuk" / "components"
COMPONENTS = sorted(path.stem for path in (ROOT / "tests" / "components").glob("*.html"))
# Options that our components do not have: markup from outside, free attributes, what a script adds, and
# what no page uses. A fixture with one of them is left out.
LEFT_OUT = re.compile(
    r".*[hH]tml$|attributes|conditional|beforeInputs?|afterInputs?|javascript|isStartButton|card|caller"
    r"|headingLevel|titleHeadingLevel|disableAutoFocus|countType|maxwords|threshold|.*LimitText"
    r"|(show|hide)Password.*|password.*Announcement.*|textareaDescriptionText|preventDoubleClick|_.*")
# And of one component.
LEFT_OUT_OF = {
    "checkboxes": {"values"},  # a document says checked
    "date_input": {"items", "day", "month", "year", "namePrefix"},  # always three boxes, ours to name
    "summary_list": {"card"},
}
VOID = {"input", "br", "img", "meta", "link", "path"}


class Normal(html.parser.HTMLParser):
    """Tags with sorted attributes and classes, texts with single spaces."""

    def __init__(self, text):
        super().__init__()
        self.tokens = []
        self.hidden = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        held = dict(attributes)
        if "govuk-js-password-input-toggle" in (held.get("class") or ""):
            self.hidden = 1  # the button that a script shows
        if self.hidden:
            return
        for name in ("class", "aria-describedby"):
            if name in held:
                held[name] = " ".join(sorted(set((held[name] or "").split()) - SCRIPT_CLASSES))
        # A text's type=text and spellcheck are said or unsaid; an empty value is none.
        held = {name: value for name, value in held.items()
                if not (name == "value" and not value and tag == "input") and name != "data-module"}
        self.tokens.append((tag, tuple(sorted(held.items(), key=str))))

    def handle_endtag(self, tag):
        if self.hidden:
            self.hidden = 0
        elif tag not in VOID:
            self.tokens.append(f"/{tag}")

    def handle_data(self, data):
        words = " ".join(data.split())
        if words and not self.hidden:
            if self.tokens and isinstance(self.tokens[-1], list):
                self.tokens[-1][0] += " " + words
            else:
                self.tokens.append([words])


SCRIPT_CLASSES = {"govuk-js-password-input-input"}


def holds_left_out(options):
    if isinstance(options, dict):
        return any((LEFT_OUT.fullmatch(key) and value is not None) or holds_left_out(value)
                   for key, value in options.items())
    return isinstance(options, list) and any(holds_left_out(item) for item in options)


def fixtures(component):
    told = json.loads((GOVUK / component.replace("_", "-") / "fixtures.json").read_text())
    return [fixture for fixture in told["fixtures"] if not holds_left_out(fixture["options"])
            and not LEFT_OUT_OF.get(component, set()) & set(fixture["options"])]


def render(build, asked):
    lines = "".join(json.dumps({"view": view, "document": {"options": options}}) + "\n"
                    for view, options in asked)
    done = subprocess.run([build / "tests" / "viewprobe"], input=lines, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("component", COMPONENTS)
def test_a_component_renders_as_the_package_s_fixtures_do(build, component):
    told = fixtures(component)
    assert told
    ours = render(build, [(component, fixture["options"]) for fixture in told])
    for fixture, html_ in zip(told, ours):
        assert Normal(html_).tokens == Normal(fixture["html"]).tokens, fixture["name"]
