# SPDX-License-Identifier: GPL-3.0-or-later
"""haproxy, the floor: a fast proxy that filters nothing.

It has no CONNECT.  As a forward proxy it looks the request's host up in a map of names, and its
tunnels are a plain TCP relay on a port of its own, so tunnel loads compare less work with more.
"""
from benchlib import world as bench_world
from peers import GET_MODES, Peer

CONFIG = """\
global
    nbthread 1
    maxconn 4000
defaults
    timeout connect 5s
    timeout client 600s
    timeout server 600s
frontend forward
    mode http
    bind 127.0.0.1:{port}
    use_backend anywhere
backend anywhere
    mode http
    http-reuse always
    http-request set-dst hdr(host),host_only,map_str_ip({folder}/names)
    http-request set-dst-port int({origin_port})
    server any 0.0.0.0:0
listen relay
    mode tcp
    bind 127.0.0.1:{relay_port}
    server origin {origin}:{origin_port}
"""


class Haproxy(Peer):
    packages = "haproxy"
    modes = GET_MODES + ("connect-tunnel", "bulk-tunnel")
    relay = True

    def prepare(self):
        addresses = bench_world.ORIGIN_ADDRESSES
        pairs = self.world.addresses_of_names() + [(address, address) for address in addresses]
        (self.folder / "names").write_text("".join(f"{n} {a}\n" for n, a in pairs))
        config = self.folder / "haproxy.cfg"
        config.write_text(CONFIG.format(port=self.port, relay_port=self.relay_port,
                                        folder=self.folder, origin=addresses[0],
                                        origin_port=bench_world.HTTP_PORT))
        return ["haproxy", "-db", "-f", config]


THE_PEER = Haproxy
