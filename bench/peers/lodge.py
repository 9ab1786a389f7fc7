# SPDX-License-Identifier: GPL-3.0-or-later
"""lodge itself, with the whole catalogue, decisions and events on.

The program is --lodge (default build-release/lodge). The catalogue is compiled from
tests/shared.manifest where the shared lists are beside the checkout, and from the generated blocklist
where they are not; the blocklist's names are in it either way. The policy is a preset whose unknown
group may open any tunnel, since the load speaks plain HTTP inside CONNECT.
"""
import json
import os
import subprocess
from pathlib import Path

from peers import Peer

ROOT = Path(__file__).resolve().parent.parent.parent
PRESET = ROOT / "presets" / "church-primary.json"
MANIFEST = ROOT / "tests" / "shared.manifest"
BLOCKED_CATEGORY = "gambling"
TUNNELS_OPEN = {"not_tls": "allow", "no_sni": "allow", "ip_literal": "allow",
                "other_ports": "allow"}


def program():
    return Path(os.environ.get("LODGE", ROOT / "build-release" / "lodge")).resolve()


def bench_policy():
    policy = json.loads(PRESET.read_text())
    for group in policy["groups"]:
        if group["id"] == policy["unknown_group"]:
            group["tunnels"] = TUNNELS_OPEN
    return policy


class Lodge(Peer):
    filters = True
    workers = 1

    def policy(self):
        return bench_policy()

    def manifest(self):
        """The shared manifest, if its lists are there, and the blocklist behind it."""
        lines = []
        if (ROOT.parent / "shared").is_dir() and MANIFEST.exists():
            for line in MANIFEST.read_text().splitlines():
                lines.append(self.absolute(line.split()) if line.strip() else "")
        lines.append(f"{BLOCKED_CATEGORY} domains {self.world.listed_file()}")
        return "\n".join(lines) + "\n"

    @staticmethod
    def absolute(words):
        """A manifest line with its path made absolute, since this manifest lies elsewhere."""
        if words[0].startswith("#"):
            return ""
        at = 2 if words[0] == "except" or words[0] != "unused" else 1
        if at < len(words):
            words[at] = str((MANIFEST.parent / words[at]).resolve())
        return " ".join(words)

    def prepare(self):
        manifest = self.folder / "manifest"
        manifest.write_text(self.manifest())
        image = self.folder / "catalog.img"
        subprocess.run([program(), "catalog", "build", "--manifest", manifest, "-o", image],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        policy = self.folder / "policy.json"
        policy.write_text(json.dumps(self.policy()))
        command = [program(), "serve", "--data", self.folder / "data", "--policy", policy,
                   "--catalog", image, "--proxy", f"127.0.0.1:{self.port}", "--allow-private",
                   "--workers", str(self.workers)]
        if not self.world.literal:
            command += ["--hosts", self.world.hosts_file]
        return [str(part) for part in command]


THE_PEER = Lodge
