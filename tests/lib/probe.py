# SPDX-License-Identifier: GPL-3.0-or-later
"""The probes of tests/tools/: cases in, what was seen out."""
import struct
import subprocess
from dataclasses import dataclass

# The kinds of a case: what its bytes are.
REQUEST, RESPONSE, RESPONSE_TO_HEAD, RESPONSE_TO_CONNECT = "q", "s", "h", "c"


@dataclass
class Seen:
    """What one probe saw of one case: events ("H" or "B", text), then why it ended."""
    events: list
    end: str

    @property
    def refused(self):
        return self.end.startswith("bad") or self.end.startswith("HPE_")


def run(program, cases):
    """The Seen of each (kind, bytes) of cases, in their order."""
    data = b"".join(kind.encode() + struct.pack(">I", len(case)) + case for kind, case in cases)
    done = subprocess.run([program], input=data, capture_output=True, timeout=600)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-2000:]
    lines = done.stdout.decode("ascii").splitlines()
    assert len(lines) == len(cases)
    return [parse(line) for line in lines]


def parse(line):
    front, _, end = line.partition("end=")
    return Seen([(event[0], bytes.fromhex(event[1:])) for event in front.split()], end)
