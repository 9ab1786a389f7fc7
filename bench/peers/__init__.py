# SPDX-License-Identifier: GPL-3.0-or-later
"""The proxies that lodge is compared with: one file each, found here by name.

A peer is a class with
  modes      the loads it can carry (see MODES in run.py)
  filters    True when it refuses the names on the blocklist (checked before the first load)
  relay      True when its tunnels are plain TCP relays on `relay_port`, without CONNECT
  prepare()  writes its configuration into a folder of its own and returns the command to start
Starting, waiting for the port and stopping by PID are the same for all: see run.py.
"""
import importlib
from pathlib import Path

GET_MODES = ("get-keepalive", "get-keepalive-32k", "get-new-connection", "bulk-get")
TUNNEL_MODES = ("connect-tunnel", "connect-tls", "bulk-tunnel", "idle-tunnels")
MITM_MODES = ("mitm-cold", "mitm-resumed", "mitm-new", "mitm-keepalive", "mitm-keepalive-32k",
              "mitm-bulk")


class Peer:
    """A proxy that the harness configures, starts and stops."""
    modes = GET_MODES + TUNNEL_MODES
    filters = False
    relay = False
    packages = ""

    def __init__(self, world, name, port):
        self.world = world
        self.name = name
        self.port = port
        self.relay_port = port + 100
        self.folder = world.folder / name
        self.folder.mkdir()
        self.folder.chmod(0o777)  # some peers give up root and then write here

    def prepare(self):
        raise NotImplementedError


def names():
    return sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))


def load(name, world, port):
    """The peer defined by peers/NAME.py."""
    if name not in names():
        raise SystemExit(f"no peer '{name}'; there are: {', '.join(names())}")
    return importlib.import_module(f"peers.{name}").THE_PEER(world, name, port)
