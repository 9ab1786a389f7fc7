# SPDX-License-Identifier: GPL-3.0-or-later
"""wire/markup against html5lib's tokenizer vectors (shared data): the characters that a browser's
tokenizer gives are the text that Lodge reads. White space, which Lodge makes one, is not compared,
nor are the cases that start inside an element or hold one whose content is not markup."""
import json
import subprocess

import pytest

# Elements whose content the vectors, which know no elements, read as markup.
RAW = {"iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "textarea",
       "title", "xmp", "svg", "math"}


def cases(folder):
    for path in sorted((folder / "tokenizer").glob("*.test")):
        for case in json.loads(path.read_text()).get("tests", []):
            if "initialStates" in case and case["initialStates"] != ["Data state"]:
                continue
            if any(token[0] == "StartTag" and token[1] in RAW for token in case["output"]):
                continue
            text, want = case["input"], "".join(token[1] for token in case["output"]
                                                if token[0] == "Character")
            if case.get("doubleEscaped"):
                text, want = (json.loads('"' + one.replace('"', '\\"') + '"') if "\\\"" not in one
                              else one for one in (text, want))
            yield f"{path.stem}: {case['description']}", text, want


def squeeze(text):
    return "".join(text.split())


def test_text_is_what_a_tokenizer_gives(shared, build):
    found = [case for case in cases(shared / "data" / "vectors" / "html5lib")
             if not any(0xd800 <= ord(c) <= 0xdfff for c in case[1] + case[2])]
    assert len(found) > 5000
    done = subprocess.run([build / "tests" / "tools" / "markupprobe"],
                          input="".join(text.encode().hex() + "\n" for _, text, _ in found),
                          capture_output=True, text=True, check=True)
    wrong = []
    for (name, text, want), line in zip(found, done.stdout.splitlines(), strict=True):
        got = bytes.fromhex(line).decode()
        # A NUL is passed on by the tokenizer and dropped by what follows it; a CR is a LF.
        if squeeze(got.replace("\0", "\ufffd")) != squeeze(want.replace("\0", "\ufffd")):
            wrong.append((name, text, want, got))
    assert not wrong, wrong[:8]
