# SPDX-License-Identifier: GPL-3.0-or-later
"""The bare relay, resuming the sites' sessions where they allow it."""
from peers.tlsrelay import TlsRelay


class TlsRelayResume(TlsRelay):
    def prepare(self):
        return [*super().prepare(), "--resume"]


THE_PEER = TlsRelayResume
