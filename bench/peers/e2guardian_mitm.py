# SPDX-License-Identifier: GPL-3.0-or-later
"""e2guardian that intercepts, with the whole blocklist. It checks no certificate of a site: its own
check knows only the system's roots."""
import time

from peers import MITM_MODES
from peers.e2guardian import E2guardian

BACKDATE_SECONDS = 24 * 3600


class E2guardianMitm(E2guardian):
    modes = MITM_MODES

    def main_values(self):
        world = self.world
        leaves = self.folder / "leaves"
        leaves.mkdir(exist_ok=True)
        world.make_certificate("leaf", is_ca=False)
        return {
            **super().main_values(), "enablessl": "on",
            "cacertificatepath": f"'{world.ca_pem}'", "caprivatekeypath": f"'{world.ca_key}'",
            "certprivatekeypath": f"'{world.folder / 'leaf.key'}'",
            "generatedcertpath": f"'{leaves}/'",
            # Without it leaves begin and end at dates that have passed.
            "generatedcertstart": str(int(time.time()) - BACKDATE_SECONDS),
        }

    def group_values(self):
        return {**super().group_values(), "sslmitm": "on", "mitmcheckcert": "off"}


THE_PEER = E2guardianMitm
