# SPDX-License-Identifier: GPL-3.0-or-later
"""What the small checks of tools/ share: where the sources are, and how a complaint is printed."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SRC = ROOT / "src"


def sources(*patterns, base=SRC):
    """The files below base that match one of the patterns, sorted."""
    found = set()
    for pattern in patterns or ("*.c", "*.h"):
        found.update(base.rglob(pattern))
    return sorted(found)


def without_comments_and_strings(text):
    """The text with comments and literals blanked; lines stay where they are."""
    def blank(match):
        return re.sub(r"[^\n]", " ", match.group(0))
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def finish(name, complaints, looked_at):
    """Prints complaints and ends with 1, or says how much was looked at; nothing looked at is a
    failure too."""
    for complaint in complaints:
        print(complaint)
    if not looked_at:
        print(f"{name}: found nothing to look at")
        sys.exit(1)
    print(f"{name}: {looked_at} looked at, {len(complaints)} complaints")
    sys.exit(1 if complaints else 0)


def at(path, line=None):
    shown = path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
    return f"{shown}:{line}" if line else str(shown)
