# SPDX-License-Identifier: GPL-3.0-or-later
"""The compiler of pages refuses what it could not escape (tools/views.py)."""
import subprocess
import sys

import pytest

from conftest import ROOT


def build(folder, page):
    (folder / "views").mkdir()
    (folder / "views" / "page.html").write_text(page)
    (folder / "views" / "more.part").write_text("<p>more</p>")
    return subprocess.run([sys.executable, ROOT / "tools" / "views.py", folder / "views",
                           folder / "views.c", folder / "views.h"], capture_output=True, text=True)


@pytest.mark.parametrize("page", [
    "<script>{{x}}</script>", "<style>{{x}}</style>", "<!-- {{x}} -->", "<p {{x}}>", "<p class={{x}}>",
    '<a href="{{x}}">', '<a href="java{{x}}">', '<p onclick="{{x}}">', '<p style="{{x}}">',
    "{{#x}}never closed", "{{/x}}"])
def test_a_text_where_it_cannot_be_escaped_fails_the_build(tmp_path, page):
    done = build(tmp_path, page)
    assert done.returncode != 0
    assert "page.html" in done.stderr


def test_each_place_gets_the_writer_of_its_context(tmp_path):
    done = build(tmp_path, '<p title="{{t}}">{{x}}{{#y}}<a href="http://{{u}}/">{{y}}</a>{{/y}}</p>'
                           "{{> more.part}}")
    assert done.returncode == 0, done.stderr
    source = (tmp_path / "views.c").read_text()
    for line in ("html_text(to, view->t);", "html_text(to, view->x);", "html_url_part(to, view->u);",
                 "if (view->y.len != 0) {", "more"):
        assert line in source
    header = (tmp_path / "views.h").read_text()
    assert "struct str t;" in header and "struct str u;" in header
