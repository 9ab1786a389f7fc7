# SPDX-License-Identifier: GPL-3.0-or-later
"""squid with ssl_bump: every CONNECT is stepped into once its ClientHello is there.

Certificates come from squid's own helper and are kept in memory, so what a new connection costs is
the handshakes. The site's certificate is checked against the harness's CA, as lodge does.
"""
import shutil
import subprocess

from peers import MITM_MODES
from peers.squid import Squid

HELPER = "/usr/lib/squid/security_file_certgen"
STORE_MB = 16


class SquidMitm(Squid):
    modes = MITM_MODES

    def more(self):
        return "\n".join([
            f"sslcrtd_program {HELPER} -s {self.folder}/leaves -M {STORE_MB}MB",
            "sslcrtd_children 4 startup=1 idle=1",
            f"tls_outgoing_options cafile={self.world.origin_ca_pem}",
            "acl hello_is_there at_step SslBump1",
            "ssl_bump peek hello_is_there",
            "ssl_bump bump all",
        ])

    def prepare(self):
        world = self.world
        pair = self.folder / "ca-with-key.pem"
        pair.write_text(world.ca_key.read_text() + world.ca_pem.read_text())
        leaves = self.folder / "leaves"
        subprocess.run([HELPER, "-c", "-s", leaves, "-M", f"{STORE_MB}MB"], check=True,
                       capture_output=True)
        for path in [leaves, *leaves.rglob("*")]:
            shutil.chown(path, "proxy")
        self.port_options = (f" ssl-bump generate-host-certificates=on cert={pair}"
                             f" dynamic_cert_mem_cache_size={STORE_MB}MB")
        return super().prepare()


THE_PEER = SquidMitm
