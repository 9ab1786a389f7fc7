# SPDX-License-Identifier: GPL-3.0-or-later
"""tinyproxy: a small proxy, a thread for each connection, no keep-alive, no filter set."""
from peers import Peer

CONFIG = """\
Port {port}
Listen 127.0.0.1
Timeout 600
MaxClients 3000
LogLevel Critical
LogFile "{folder}/log"
PidFile "{folder}/pid"
DisableViaHeader Yes
"""


class Tinyproxy(Peer):
    packages = "tinyproxy"

    def prepare(self):
        config = self.folder / "tinyproxy.conf"
        config.write_text(CONFIG.format(port=self.port, folder=self.folder))
        return ["tinyproxy", "-d", "-c", config]


THE_PEER = Tinyproxy
