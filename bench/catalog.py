#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""A catalogue of five million names: built, checked, mapped and looked up.

    bench/catalog.py LODGE

Half of a million requests are on the list or below it (gen_domains.py). The build is wall time and CPU
time, the best of three; checks and lookups are CPU time of one process, the best of five; the sealed image has a hashed list beside the
names, so that every suffix of a host is hashed with SHA-256 too.
"""
import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import gen_domains

NAMES = 5000000
REQUESTS = 1000000
SEALED = 10000
ROUNDS = 3
PATHS = ["/", "/watch?v=abc", "/news/2026/11/23/a-longer-title-of-a-page.html", "/search?q=volcano"]


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def write_lists(folder, listed):
    (folder / "names").write_text("\n".join(listed) + "\n")
    (folder / "hashed").write_text("".join(
        f"{sha(f'sealed-{i}.example')}\t{sha(f'sealed-{i}.example/{i}')}\n" for i in range(SEALED)))
    (folder / "plain.manifest").write_text("gambling domains names\n")
    (folder / "sealed.manifest").write_text("gambling domains names\nchild-sexual-abuse hashed hashed\n")
    hosts = gen_domains.mix(listed, REQUESTS)
    (folder / "requests").write_text("".join(
        f"https://{host}{PATHS[i % len(PATHS)]}\n" for i, host in enumerate(hosts)))


def build(lodge, folder, name):
    image = folder / f"{name}.image"
    walls, cpus = [], []
    for _ in range(ROUNDS):
        began, before = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([lodge, "catalog", "build", "--quiet", "--manifest",
                        folder / f"{name}.manifest", "-o", image], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        walls.append(time.monotonic() - began)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return image, min(walls), min(cpus)


def main():
    lodge = Path(sys.argv[1]).resolve()
    program = lodge.parent / "bench" / "bench-catalog"
    with tempfile.TemporaryDirectory(prefix="catalog-bench-") as name:
        folder = Path(name)
        write_lists(folder, gen_domains.listed(NAMES))
        print("| image | build s | CPU s | MB | whole check ms | map ms | lookups/s, host | "
              "lookups/s, URL with parsing |")
        print("|---|---|---|---|---|---|---|---|")
        for kind in ("plain", "sealed"):
            image, wall, cpu = build(lodge, folder, kind)
            text = subprocess.run([program, image, folder / "requests"], check=True,
                                  capture_output=True, text=True).stdout
            got = {key: int(value) for key, value in map(str.split, text.splitlines())}
            assert got["keys"] == NAMES and abs(got["found"] / got["urls"] - 0.5) < 0.01, got
            print(f"| {kind}: {got['keys']:,} names, {got['sealed']:,} sealed | {wall:.2f} | {cpu:.2f} | "
                  f"{got['bytes'] / 1e6:.1f} | {got['verify_ms']} | {got['map_us'] / 1000:.2f} | "
                  f"{1e9 / got['host_ns']:,.0f} | {1e9 / got['url_ns']:,.0f} |")


main()
