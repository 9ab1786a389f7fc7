# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what (docs/permissions.md)."""
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_the_document_has_the_tables_that_the_program_has():
    done = subprocess.run([sys.executable, ROOT / "tools" / "permissions.py", "--check"],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
