# SPDX-License-Identifier: GPL-3.0-or-later
"""Everything around the proxies: a temporary folder, names, certificates, origin, name server."""
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import gen_domains
from benchlib import process

BIN = Path(__file__).resolve().parent.parent / "bin"
HTTP_PORT = 8080
# e2guardian intercepts TLS on port 443 only, so the origin's TLS must be there.
TLS_PORT = 443
# Several addresses: new connections to a single one would run out of ports in TIME_WAIT.
ORIGIN_ADDRESSES = [f"127.77.0.{i}" for i in range(1, 9)]
NAME_SERVER = "127.77.0.53"


@dataclass
class World:
    """What a peer may use to write its configuration."""
    folder: Path
    names: int
    listed_count: int
    literal: bool = False
    load_cpus: str | None = None
    started: list = field(default_factory=list)
    _listed: list | None = None

    @property
    def hosts_file(self):
        return None if self.literal else self.folder / "hosts"

    @property
    def host_list(self):
        return self.folder / "host-list"

    @property
    def ca_pem(self):
        return self.folder / "ca.pem"

    @property
    def ca_key(self):
        return self.folder / "ca.key"

    def listed(self):
        """The blocklist, made when first asked for."""
        if self._listed is None:
            self._listed = gen_domains.listed(self.listed_count)
        return self._listed

    def listed_file(self):
        path = self.folder / "listed"
        if not path.exists():
            path.write_text("\n".join(self.listed()) + "\n")
        return path

    def addresses_of_names(self):
        """Pairs of (name, address) for the names the load asks for; none of them is listed."""
        clean = gen_domains.unlisted(self.listed(), self.names)
        return [(name, ORIGIN_ADDRESSES[i % len(ORIGIN_ADDRESSES)])
                for i, name in enumerate(clean)]

    def write_names(self):
        pairs = self.addresses_of_names()
        if self.literal:
            self.host_list.write_text("\n".join(ORIGIN_ADDRESSES) + "\n")
            return
        self.host_list.write_text("".join(f"{name}\n" for name, _ in pairs))
        # A listed name leads to the origin too: what a filter does not stop shall be noticed.
        pairs = [("localhost", "127.0.0.1"), (self.listed()[0], ORIGIN_ADDRESSES[0]), *pairs]
        self.hosts_file.write_text("".join(f"{address} {name}\n" for name, address in pairs))

    def make_certificate(self, name, is_ca):
        """A self-signed certificate: FOLDER/name.pem and FOLDER/name.key."""
        extensions = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"] if is_ca else []
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30",
             "-subj", f"/CN=bench {name}", "-keyout", self.folder / f"{name}.key",
             "-out", self.folder / f"{name}.pem", *extensions],
            check=True, capture_output=True)
        (self.folder / f"{name}.key").chmod(0o644)  # peers run as users of their own

    def start_origin(self, with_tls):
        command = [BIN / "origin"]
        for address in ORIGIN_ADDRESSES:
            command += ["--listen", f"{address}:{HTTP_PORT}"]
        if with_tls:
            for address in ORIGIN_ADDRESSES:
                command += ["--tls-listen", f"{address}:{TLS_PORT}"]
        self._start(command)

    def start_name_server(self):
        """A DNS server that answers at once: see peers/squid.py for why squid needs one."""
        self._start([BIN / "dnsstub", f"{NAME_SERVER}:53", ORIGIN_ADDRESSES[0]])

    def _start(self, command):
        # Their complaints (a port in use, say) go to the terminal of whoever runs the bench.
        self.started.append(process.start(command, "/dev/stderr", cpus=self.load_cpus))

        process.wait_for_port(ORIGIN_ADDRESSES[0], HTTP_PORT, self.started[-1], 10)

    def close(self, keep):
        for started in self.started:
            process.stop(started)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def make_world(names, listed_count, literal, load_cpus):
    folder = Path(tempfile.mkdtemp(prefix="proxy-bench-"))
    folder.chmod(0o755)  # peers run as users of their own
    world = World(folder, names, listed_count, literal, load_cpus)
    world.write_names()
    world.make_certificate("ca", is_ca=True)
    return world
