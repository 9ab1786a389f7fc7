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
# Kinds of TLS origins, with names of their own: the common one keeps connections open; a closing one
# closes after each answer, so that each request needs a handshake; a cold one gives no tickets
# either, so that it is a full one.
KINDS = {
    "common": ("--tls-listen", ORIGIN_ADDRESSES),
    "closing": ("--tls-listen-closing", [f"127.77.1.{i}" for i in range(1, 9)]),
    "cold": ("--tls-listen-cold", [f"127.77.2.{i}" for i in range(1, 9)]),
}
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

    def host_list(self, kind="common"):
        """The names of one kind of origin, one a line."""
        return self.folder / f"host-list-{kind}"

    @property
    def ca_pem(self):
        return self.folder / "ca.pem"

    @property
    def ca_key(self):
        return self.folder / "ca.key"

    @property
    def origin_ca_pem(self):
        """The CA of the origins' certificates."""
        return self.folder / "origin-ca.pem"

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
        """Pairs of (name, address) for the names the load asks for, those of each kind behind each
        other; none of them is listed."""
        clean = gen_domains.unlisted(self.listed(), self.names * len(KINDS))
        pairs = []
        for at, (_, addresses) in enumerate(KINDS.values()):
            of_kind = clean[at * self.names:(at + 1) * self.names]
            pairs += [(name, addresses[i % len(addresses)]) for i, name in enumerate(of_kind)]
        return pairs

    def write_names(self):
        pairs = self.addresses_of_names()
        for at, (kind, (_, addresses)) in enumerate(KINDS.items()):
            of_kind = pairs[at * self.names:(at + 1) * self.names]
            lines = addresses if self.literal else [name for name, _ in of_kind]
            self.host_list(kind).write_text("".join(f"{line}\n" for line in lines))
        if self.literal:
            return
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

    def make_origin_ca(self):
        """ECDSA P-256, as many sites show now."""
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "30", "-subj", "/CN=bench origins", "-keyout",
             self.folder / "origin-ca.key", "-out", self.origin_ca_pem, "-addext",
             "keyUsage=critical,keyCertSign,cRLSign"], check=True, capture_output=True)

    def start_origin(self, with_tls):
        command = [BIN / "origin"]
        for address in ORIGIN_ADDRESSES:
            command += ["--listen", f"{address}:{HTTP_PORT}"]
        if with_tls:
            self.make_origin_ca()
            command += ["--ca", self.origin_ca_pem, "--ca-key", self.folder / "origin-ca.key"]
            for word, addresses in KINDS.values():
                for address in addresses:
                    command += [word, f"{address}:{TLS_PORT}"]
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
