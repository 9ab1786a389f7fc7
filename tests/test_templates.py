# SPDX-License-Identifier: GPL-3.0-or-later
"""The compiler of the console's views refuses what it could not escape (tools/templates.py)."""
import subprocess
import sys

import pytest

from conftest import ROOT


def build(folder, page, part="{{params text}}\n<b>{{text}}</b>"):
    parts = folder / "views" / "parts"
    parts.mkdir(parents=True)
    (folder / "views" / "page.html").write_text(page)
    (parts / "part.html").write_text(part)
    (parts / "box.html").write_text("{{params id}}\n<div id=\"{{id}}\">{{content}}</div>")
    (parts / "endless.html").write_text("{{> endless}}")
    return subprocess.run([sys.executable, ROOT / "tools" / "templates.py", folder / "views",
                           folder / "v.c", folder / "v.h", "web/v.h", folder / "v.d"],
                          capture_output=True, text=True)


@pytest.mark.parametrize("page", [
    "<script>{{x}}</script>", "<style>{{x}}</style>", "<!-- {{x}} -->", "<p {{x}}>", "<p {{x}}=\"a\">",
    "<p class={{x}}>", "<p class='{{x}}'>", "<{{x}}>", "<h{{x}}>", '<p onclick="{{x}}">',
    '<p style="{{x}}">', '<p ONCLICK="{{x}}">', '<script src="{{x}}"></script>',
    '<script src="/a/{{x}}"></script>', '<iframe src="{{x}}"></iframe>', '<base href="{{x}}">',
    '<link href="{{x}}">', '<meta content="{{x}}">', '<img srcset="{{x}}">', '<a href="java{{"script:"}}">',
    '<a href="{{"javascript:alert(1)"}}">', "1 < {{x}}",
    # One way leads into a tag, the other does not; a URL that may or may not have begun.
    "<p{{#if x}}>{{/if}}", '<a href="{{#if x}}/a/{{/if}}{{y}}">', "{{#each x}}<p {{/each}}>",
    '<p class="{{#if x}}a"{{/if}}>', '<p{{#if x}} a{{/if}}onclick="{{y}}">', '<p{{#if x}} a{{/if}}b>', "<p>{{x}}</p><a href=\"{{y}}",
    # Flow.
    "{{#if x}}never closed", "{{/if}}", "{{#if x}}{{/unless}}", "{{else}}", "{{#with x}}{{/with}}",
    "{{#if x and y or z}}{{/if}}", "{{#if}}{{/if}}", "{{x y}}", "{{x.}}", "{{@index}}", "{{content}}",
    "{{#each \"text\" as x}}{{/each}}", "{{params x}}", "{{asset name}}", '{{asset "../x.css"}}',
    # Components.
    "{{> none}}", "{{> part other=x}}", "{{> part text}}", "{{> endless}}", "{{#> box}}",
    '<p {{> part text="x"}}>'])
def test_a_text_where_it_cannot_be_escaped_fails_the_build(tmp_path, page):
    done = build(tmp_path, page)
    assert done.returncode == 1, (tmp_path / "v.c").read_text()
    assert done.stderr.startswith("templates: ") and "Traceback" not in done.stderr


def test_a_component_knows_its_parameters_only(tmp_path):
    done = build(tmp_path, '{{> part text="x"}}', "{{params text}}\n{{other}}")
    assert done.returncode == 1 and "not a parameter" in done.stderr


def test_an_asset_is_an_address_that_the_build_knows(tmp_path):
    done = build(tmp_path, '<link rel="stylesheet" href="{{asset "console.css"}}">')
    assert done.returncode == 0, done.stderr
    source = (tmp_path / "v.c").read_text()
    assert "STR(WEB_ASSET_CONSOLE_CSS)" in source and '#include "web/asset_addresses.h"' in source


def test_each_place_gets_the_writer_of_its_context(tmp_path):
    done = build(tmp_path, '<p title="{{t}}">{{x}}<a href="/r/{{u}}?p={{v}}">{{y}}</a>'
                           '<a href="{{w}}{{v}}">z</a>')
    assert done.returncode == 0, done.stderr
    source = (tmp_path / "v.c").read_text()
    for kind, name in (("text", "t"), ("text", "x"), ("url_part", "u"), ("url_part", "v"), ("text", "y"),
                       ("url_whole", "w")):
        assert f'view_{kind}(to, json_object_get(document, "{name}"));' in source
    assert source.count("url_whole") == 1


def test_what_is_known_at_build_time_is_written_then(tmp_path):
    done = build(tmp_path, '{{> part text="<i>"}}{{#> box id=(name "-x")}}{{> part text=inner}}{{/box}}'
                           '<a href="/{{"a b"}}"></a><a href="{{(path "/edit?a b")}}">')
    assert done.returncode == 0, done.stderr
    source = (tmp_path / "v.c").read_text()
    assert "<b>&lt;i&gt;</b>" in source and "/a%20b" in source
    assert "/edit\\077a%20b" in source  # a question mark is written so, for no trigraph
    assert 'json_object_get(document, "name")' in source and 'json_object_get(document, "inner")' in source
