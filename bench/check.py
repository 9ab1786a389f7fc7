#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Decisions per second of `lodge check -`, start-up apart, the best of five.

    bench/check.py LODGE [CATALOG_IMAGE]

Half of a million URLs are on a list of a million names, or below one of them (gen_domains.py). The time
of a run on one URL is taken from that of a run on all, so what is left is reading, deciding, printing.
"""
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gen_domains
from peers.lodge import PRESET

URLS = 1000000
LISTED = 1000000
ROUNDS = 5
PATHS = ["/", "/watch?v=abc", "/news/2026/11/23/a-longer-title-of-a-page.html", "/search?q=volcano"]


def timed(command, source):
    """User and system seconds, and wall seconds, of one run."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    with open(source, "rb") as file:
        subprocess.run(command, stdin=file, stdout=subprocess.DEVNULL, check=True)
    wall = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def main():
    lodge = sys.argv[1]
    with tempfile.TemporaryDirectory(prefix="check-bench-") as name:
        folder = Path(name)
        listed = gen_domains.listed(LISTED)
        image = folder / "catalog.img"
        if len(sys.argv) > 2:
            image = sys.argv[2]
        else:
            (folder / "listed").write_text("\n".join(listed) + "\n")
            (folder / "manifest").write_text("gambling domains listed\n")
            subprocess.run([lodge, "catalog", "build", "--manifest", folder / "manifest", "-o",
                            image], check=True, stdout=subprocess.DEVNULL)
        hosts = gen_domains.mix(listed, URLS)
        urls = [f"https://{host}{PATHS[i % len(PATHS)]}\n" for i, host in enumerate(hosts)]
        (folder / "all").write_text("".join(urls))
        (folder / "one").write_text(urls[0])
        print("| group | decisions per CPU second, best / worst of five | wall s |")
        print("|---|---|---|")
        for group in ("pupils-ks2", "teaching-staff"):
            command = [lodge, "check", "--policy", PRESET, "--catalog", image, "--group", group,
                       "--at", "2026-11-23T10:15", "-"]
            rates, walls = [], []
            for _ in range(ROUNDS):
                start_cpu, start_wall = timed(command, folder / "one")
                cpu, wall = timed(command, folder / "all")
                rates.append(URLS / (cpu - start_cpu))
                walls.append(wall - start_wall)
            print(f"| {group} | {max(rates):,.0f} / {min(rates):,.0f} | {min(walls):.2f} |")


main()
