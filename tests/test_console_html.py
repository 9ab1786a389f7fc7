# SPDX-License-Identifier: GPL-3.0-or-later
"""Every page that the unit test of the registers' pages gets is valid HTML (html-validate: standard,
accessibility and document rules, but for what GOV.UK's components are made of: links that look like
buttons, groups that say so, a banner before the heading)."""
import json
import os
import re
import subprocess

from conftest import ROOT


def test_the_pages_of_the_registers_are_valid_html(build, tmp_path):
    done = subprocess.run([build / "tests" / "test-web-records"], capture_output=True, text=True,
                          env=dict(os.environ, LODGE_PAGES=str(tmp_path), LODGE_SOURCE=str(ROOT)))
    assert done.returncode == 0, done.stderr
    # Pages that differ in ids only are looked at once.
    pages = {re.sub("[a-z2-7]{26}", "", page.read_text()): page for page in tmp_path.glob("*.html")}
    pages = sorted(pages.values())
    assert len(pages) > 100
    validator = ROOT / "assets" / "node_modules" / ".bin" / "html-validate"
    done = subprocess.run([validator, "-c", ROOT / "tests" / "html-validate.json", "-f", "json",
                           *pages], capture_output=True, text=True)
    found = [(file["filePath"], message["line"], message["ruleId"], message["message"])
             for file in json.loads(done.stdout or "[]") for message in file["messages"]]
    assert done.returncode == 0 and not found, found[:10]
