# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor of interception: src/tlsrelay.c, two TLS handshakes and bytes between them, no more.

It checks the site's certificate, as every proxy must, and keeps no session of a site: both of its
handshakes are always full ones.
"""
from benchlib import world as bench_world
from peers import MITM_MODES, Peer


class TlsRelay(Peer):
    modes = MITM_MODES

    def prepare(self):
        world = self.world
        return [bench_world.BIN / "tlsrelay", "--listen", f"127.0.0.1:{self.port}",
                "--ca", world.ca_pem, "--ca-key", world.ca_key, "--verify", world.origin_ca_pem]


THE_PEER = TlsRelay
