#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures forward proxies against each other: see README.md.

    ./run.py                                              # the plain peers
    ./run.py --peers squid,e2guardian --proxy lodge=127.0.0.1:3128 --pid 4711
    ./run.py --peers squid --proxy lodge=127.0.0.1:3128 --command 'lodge serve ...'
"""
import argparse
import http.client
import json
import resource
import shlex
import subprocess
import sys
import time

import peers
from benchlib import process, report, world as bench_world

FIRST_PORT = 3201
SETTLE_SECONDS = 0.1     # for the closing of connections to be counted with the load
IDLE_SETTLE_SECONDS = 1
CLIENT_GRACE_SECONDS = 15
OPEN_FILES = 20000

# name: (mode of loadgen, path, connections or None for --connections, port of the origin[, its kind])
MODES = {
    "get-keepalive": ("get-keepalive", "/1k", None, bench_world.HTTP_PORT),
    "get-keepalive-32k": ("get-keepalive", "/32k", None, bench_world.HTTP_PORT),
    "get-new-connection": ("get-new-connection", "/1k", None, bench_world.HTTP_PORT),
    "connect-tunnel": ("connect-tunnel", "/1k", None, bench_world.HTTP_PORT),
    "connect-tls": ("connect-tls", "/1k", None, bench_world.TLS_PORT),
    "bulk-tunnel": ("bulk-tunnel", "/100m", 4, bench_world.HTTP_PORT),
    "bulk-get": ("bulk-get", "/100m", 4, bench_world.HTTP_PORT),
    "mitm-cold": ("mitm-new", "/1k", None, bench_world.TLS_PORT, "cold"),
    "mitm-resumed": ("mitm-new", "/1k", None, bench_world.TLS_PORT, "closing"),
    "mitm-new": ("mitm-new", "/1k", None, bench_world.TLS_PORT),
    "mitm-keepalive": ("mitm-keepalive", "/1k", None, bench_world.TLS_PORT),
    "mitm-keepalive-32k": ("mitm-keepalive", "/32k", None, bench_world.TLS_PORT),
    "mitm-bulk": ("mitm-bulk", "/100m", 4, bench_world.TLS_PORT),
}
DEFAULT_PEERS = ("haproxy,tlsrelay,lodge,lodge_mitm,squid,squid_mitm,e2guardian,e2guardian_mitm,"
                 "tinyproxy")
DEFAULT_MODES = ("get-keepalive,get-new-connection,connect-tunnel,bulk-tunnel,"
                 "mitm-cold,mitm-resumed,mitm-new,mitm-keepalive,mitm-bulk")


class Subject:
    """A proxy under load: a peer, or one that the caller names."""

    def __init__(self, name, address, modes, ca_file, relay_address=None, auth=None):
        self.name = name
        self.address = address
        self.modes = modes
        self.ca_file = ca_file
        self.relay_address = relay_address
        self.auth = auth
        self.pid = None
        self.started = None  # the Popen, when the harness started it

    def load_command(self, world, mode, seconds, connections):
        loadgen_mode, path, own_connections, port, *kind = MODES[mode]
        relay = self.relay_address is not None and not mode.startswith(("get", "bulk-get"))
        command = [bench_world.BIN / "loadgen", "--mode", loadgen_mode, "--path", path,
                   "--proxy", self.relay_address if relay else self.address,
                   "--hosts", world.host_list(*kind), "--port", port, "--seconds", seconds,
                   "--connections", own_connections or connections]
        if relay:
            command.append("--relay")
        if mode.startswith("mitm"):
            command += ["--ca", self.ca_file]
        if self.auth:
            command += ["--auth", self.auth]
        return [str(part) for part in command]


def check_filter(subject, world):
    """A filter that lets a listed name through would be measured for work it does not do."""
    host, port = subject.address.split(":")
    client = http.client.HTTPConnection(host, int(port), timeout=10)
    client.request("GET", f"http://{world.listed()[0]}:{bench_world.HTTP_PORT}/1k")
    server = client.getresponse().getheader("Server", "")
    client.close()
    if server == "bench-origin":
        raise RuntimeError(f"{subject.name} let {world.listed()[0]} through, which is listed")


def pinned(command, cpus):
    return ["taskset", "-c", cpus, *command] if cpus else command


def measure(subject, world, mode, options):
    """One slot of one load; CPU is that of the proxy's tree."""
    command = pinned(subject.load_command(world, mode, options.seconds, options.connections),
                     world.load_cpus)
    cpu_before = process.cpu_seconds(subject.pid)
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True,
                          timeout=options.seconds + CLIENT_GRACE_SECONDS)
    wall = time.monotonic() - began
    time.sleep(SETTLE_SECONDS)
    cpu = process.cpu_seconds(subject.pid) - cpu_before
    if done.returncode != 0:
        raise RuntimeError(f"{subject.name}, {mode}: {done.stderr.strip()}")
    sample = json.loads(done.stdout)
    sample |= {"cpu": cpu, "busy": cpu / wall}
    if sample["ok"] > 0:
        sample["cpu_10k"] = cpu / sample["ok"] * 1e4
    if sample["bytes"] > 0:
        sample["cpu_gb"] = cpu / sample["bytes"] * 1e9
    return sample


def measure_idle(subject, world, count, seconds=20):
    """Memory of the proxy before, and while it holds `count` tunnels that say nothing."""
    before = process.memory_mb(subject.pid)
    command = [str(part) for part in [
        bench_world.BIN / "loadgen", "--mode", "idle-tunnels", "--proxy", subject.address,
        "--hosts", world.host_list(), "--port", bench_world.HTTP_PORT, "--connections", count,
        "--seconds", seconds]] + (["--auth", subject.auth] if subject.auth else [])
    client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        ready = client.stderr.readline().strip() == "ready"  # or the client has ended
        time.sleep(IDLE_SETTLE_SECONDS)
        held = process.memory_mb(subject.pid)
    finally:
        client.terminate()
        client.wait()
    return {"before": before, "held": held, "ready": ready, "count": count}


def start_peer(name, world, port, cpus, subjects):
    peer = peers.load(name, world, port)
    command = peer.prepare()
    relay = f"127.0.0.1:{peer.relay_port}" if peer.relay else None
    subject = Subject(name, f"127.0.0.1:{port}", peer.modes, world.ca_pem, relay)
    start_subject(subject, command, world, cpus, subjects)
    if peer.filters and "get-keepalive" in peer.modes and not world.literal:
        check_filter(subject, world)


def start_subject(subject, command, world, cpus, subjects):
    """Starts a proxy and waits for its port; it is in subjects, to be stopped, from the start."""
    log = world.folder / f"{subject.name}.log"
    host, port = subject.address.split(":")
    subject.started = process.start(command, log, world.hosts_file, cpus)
    subject.pid = subject.started.pid
    subjects.append(subject)
    try:
        process.wait_for_port(host, int(port), subject.started)
    except RuntimeError as error:
        raise SystemExit(f"{subject.name} {error}\n{log.read_text()[-2000:]}") from error


def external_command(text, world):
    """The words of --command, with the harness's paths put in."""
    values = {"{hosts}": world.hosts_file, "{ca}": world.ca_pem, "{ca_key}": world.ca_key,
              "{origin_ca}": world.origin_ca_pem, "{name_server}": bench_world.NAME_SERVER}
    if "{listed}" in text:
        values["{listed}"] = world.listed_file()
    for key, value in values.items():
        text = text.replace(key, str(value))
    return shlex.split(text)


def add_external(options, world, cpus, subjects):
    """The proxy that --proxy names, already running (--pid) or to be started (--command)."""
    name, _, address = options.proxy.rpartition("=")
    subject = Subject(name or "lodge", address, tuple(MODES) + ("idle-tunnels",),
                      options.ca or world.ca_pem, auth=options.auth)
    if options.command:
        start_subject(subject, external_command(options.command, world), world, cpus, subjects)
    else:
        subject.pid = options.pid
        subjects.append(subject)


def run_rounds(subjects, world, modes, options):
    """Interleaves the subjects within each mode and round, in turning order."""
    samples = {}
    for number in range(options.rounds):
        for mode in modes:
            turn = number % len(subjects)
            for subject in subjects[turn:] + subjects[:turn]:
                if mode not in subject.modes:
                    continue
                sample = measure(subject, world, mode, options)
                samples.setdefault(mode, {}).setdefault(subject.name, []).append(sample)
                print(f"round {number + 1} {mode} {subject.name}: "
                      f"{report.one_line(mode, sample)}", file=sys.stderr, flush=True)
    return samples


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--peers", default=DEFAULT_PEERS, help=f"of {', '.join(peers.names())}; '' for none")
    add("--proxy", help="[NAME=]ADDRESS:PORT of a proxy that is not one of the peers")
    add("--pid", type=int, help="its process, or its supervisor's")
    add("--command", help="or start it: {hosts}, {listed}, {ca}, {ca_key}, {origin_ca}, "
                          "{name_server} are replaced by paths and an address")
    add("--ca", help="PEM file of the CA that --proxy intercepts with (default: the harness's)")
    add("--auth", help="USER:PASSWORD for --proxy")
    add("--modes", default=DEFAULT_MODES, help=f"of {', '.join(MODES)}")
    add("--rounds", type=int, default=9)
    add("--seconds", type=int, default=2, help="length of a slot")
    add("--connections", type=int, default=32)
    add("--reference", help="what ratios are taken against (default: the first peer)")
    add("--idle", type=int, default=0, help="also measure memory with this many idle tunnels")
    add("--names", type=int, default=64, help="host names the load asks for")
    add("--listed", type=int, default=1000000, help="names on the blocklist")
    add("--literal", action="store_true", help="ask for addresses instead of names")
    add("--pin", help="PROXY_CPUS:LOAD_CPUS, such as 0:1")
    add("--json", help="file for all samples")
    add("--write-names", metavar="FILE", help="write the hosts file of the load and do nothing")
    add("--keep", action="store_true", help="keep the temporary folder")
    options = parser.parse_args()
    if options.proxy and not (options.pid or options.command):
        parser.error("--proxy needs --pid or --command")
    unknown = [mode for mode in options.modes.split(",") if mode not in MODES]
    if unknown:
        parser.error(f"no such mode: {', '.join(unknown)}")
    return options


def start_all(options, world, proxy_cpus, subjects):
    for i, name in enumerate(filter(None, options.peers.split(","))):
        start_peer(name, world, FIRST_PORT + i, proxy_cpus, subjects)
    if options.proxy:
        add_external(options, world, proxy_cpus, subjects)
    if not subjects:
        raise SystemExit("nothing to measure")


def stop_all(subjects):
    for subject in subjects:
        if subject.started is not None:
            process.stop(subject.started)


def main():
    options = parse_options()
    resource.setrlimit(resource.RLIMIT_NOFILE,
                       (OPEN_FILES, max(OPEN_FILES,
                                        resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    proxy_cpus, _, load_cpus = (options.pin or ":").partition(":")
    modes = options.modes.split(",")
    world = bench_world.make_world(options.names, options.listed, options.literal, load_cpus)
    subjects = []
    try:
        if options.write_names:
            with open(options.write_names, "w", encoding="ascii") as file:
                file.write(world.hosts_file.read_text())
            return
        world.start_origin(any(MODES[mode][3] == bench_world.TLS_PORT for mode in modes))
        world.start_name_server()
        start_all(options, world, proxy_cpus, subjects)
        samples = run_rounds(subjects, world, modes, options)
        memory = {subject.name: process.memory_mb(subject.pid) for subject in subjects}
        idle = {subject.name: measure_idle(subject, world, options.idle) for subject in subjects
                if options.idle and "idle-tunnels" in subject.modes}
    finally:
        stop_all(subjects)
        world.close(options.keep)
    reference = options.reference or subjects[0].name
    print(report.tables(samples, memory, idle, reference))
    if options.json:
        with open(options.json, "w", encoding="ascii") as file:
            json.dump({"samples": samples, "memory": memory, "idle": idle}, file, indent=1)


if __name__ == "__main__":
    main()
