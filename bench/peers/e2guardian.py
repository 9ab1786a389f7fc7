# SPDX-License-Identifier: GPL-3.0-or-later
"""e2guardian with the whole blocklist as banned sites; phrase matching off.

Its configuration is some two hundred files, so this takes the installed one (/etc/e2guardian),
copies it, and changes what must differ.
"""
import re
import shutil
from pathlib import Path

from peers import Peer

INSTALLED = Path("/etc/e2guardian")
# Threads are started beforehand; a held tunnel keeps one busy.
WORKERS = 1300


def set_value(text, key, value):
    """Sets `key = value`, where it stands or stands commented out, or at the end."""
    pattern = re.compile(rf"^[ #]*{re.escape(key)}\s*=.*$", re.MULTILINE)
    line = f"{key} = {value}"
    if pattern.search(text):
        return pattern.sub(line, text, count=1)
    return text + line + "\n"


class E2guardian(Peer):
    filters = True
    packages = "e2guardian"

    def main_values(self):
        """What differs from the installed e2guardian.conf."""
        folder = self.folder
        return {
            "loglevel": "0", "filterports": str(self.port), "weightedphrasemode": "0",
            "httpworkers": str(WORKERS), "loglocation": f"'{folder}/access.log'",
            "errorlogfile": f"'{folder}/error.log'", "pidfilename": f"'{folder}/pid'",
            "ipcfilename": f"'{folder}/ipc'", "urlipcfilename": f"'{folder}/urlipc'",
            "statlocation": f"'{folder}/stat'", "daemonuser": "'root'", "daemongroup": "'root'",
        }

    def group_values(self):
        """What differs from the installed e2guardianf1.conf."""
        return {}

    def prepare(self):
        copy = self.folder / "etc"
        shutil.copytree(INSTALLED, copy)
        for path in copy.rglob("*"):
            content = path.read_bytes() if path.is_file() else b""
            if str(INSTALLED).encode() in content:
                path.write_bytes(content.replace(str(INSTALLED).encode(), str(copy).encode()))
        # Options that the installed file sets for installations of another kind.
        main = re.sub(r"^(checkip|transparenthttpsport)", r"#\1",
                      (copy / "e2guardian.conf").read_text(), flags=re.MULTILINE)
        for key, value in self.main_values().items():
            main = set_value(main, key, value)
        (copy / "e2guardian.conf").write_text(main)
        group = (copy / "e2guardianf1.conf").read_text()
        for key, value in self.group_values().items():
            group = set_value(group, key, value)
        (copy / "e2guardianf1.conf").write_text(group)
        shutil.copy(self.world.listed_file(), copy / "lists" / "bannedsitelist")
        return ["e2guardian", "-N", "-c", copy / "e2guardian.conf"]


THE_PEER = E2guardian
