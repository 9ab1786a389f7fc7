# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of every kind, made by openssl(1): good ones, bad ones, and what revokes them."""
import datetime
import subprocess
from dataclasses import dataclass
from pathlib import Path

EC = ("ec", "ec_paramgen_curve:P-256")
CONFIG = """\
[ca]
default_ca = this
[this]
database = {folder}/index.txt
serial = {folder}/serial
new_certs_dir = {folder}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
default_md = sha256
policy = anything
unique_subject = no
[anything]
commonName = supplied
[req]
distinguished_name = name
[name]
"""


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def day(offset):
    """So many days from now, as openssl(1) takes it."""
    when = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=offset)
    return when.strftime("%Y%m%d%H%M%SZ")


def key_options(key):
    return ["-newkey", key[0], *[word for option in key[1:] for word in ("-pkeyopt", option)]]


@dataclass
class Leaf:
    certificate: Path  # alone
    chain: Path        # with those behind it
    key: Path


class Authority:
    """A certificate authority in a folder of its own; `issuer`: the one that signed it, if any."""

    def __init__(self, folder, name="Test authority", issuer=None, key=EC):
        self.folder, self.issuer, self.count = folder, issuer, 0
        folder.mkdir()
        self.config = folder / "config"
        self.config.write_text(CONFIG.format(folder=folder))
        (folder / "index.txt").write_text("")
        (folder / "serial").write_text("1000\n")
        self.certificate, self.key = folder / "ca.pem", folder / "ca.key"
        if issuer is None:
            openssl("req", "-x509", "-config", self.config, *key_options(key), "-nodes", "-days",
                    3650, "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.certificate,
                    "-addext", "basicConstraints=critical,CA:TRUE", "-addext",
                    "keyUsage=critical,keyCertSign,cRLSign,digitalSignature", "-addext",
                    "subjectKeyIdentifier=hash")
        else:
            leaf = issuer.issue(name, key=key, extensions="basicConstraints=critical,CA:TRUE\n"
                                "keyUsage=critical,keyCertSign,cRLSign,digitalSignature\n")
            self.certificate.write_bytes(leaf.certificate.read_bytes())
            self.key.write_bytes(leaf.key.read_bytes())

    def issue(self, name, sans=None, start=-1, end=30, key=EC, digest="sha256", extensions=None):
        """A certificate; sans as openssl(1) writes them (default: the name), days from now."""
        self.count += 1
        base = self.folder / f"leaf-{self.count}"
        request, chain = base.with_suffix(".csr"), base.with_suffix(".chain")
        leaf = Leaf(base.with_suffix(".pem"), chain, base.with_suffix(".key"))
        options = base.with_suffix(".ext")
        options.write_text(f"subjectAltName={sans or 'DNS:' + name}\n"
                           f"{extensions or 'extendedKeyUsage=serverAuth'}\n"
                           "authorityKeyIdentifier=keyid\nsubjectKeyIdentifier=hash\n")
        openssl("req", "-new", "-config", self.config, *key_options(key), "-nodes", "-subj",
                f"/CN={name}", "-keyout", leaf.key, "-out", request)
        openssl("ca", "-batch", "-notext", "-config", self.config, "-in", request, "-out",
                leaf.certificate, "-startdate", day(start), "-enddate", day(end), "-md", digest,
                "-extfile", options)
        text = leaf.certificate.read_text()
        above = self
        while above.issuer is not None:
            text += above.certificate.read_text()
            above = above.issuer
        chain.write_text(text)
        return leaf

    def revoke(self, leaf):
        openssl("ca", "-config", self.config, "-revoke", leaf.certificate)

    def staple(self, leaf, days=1):
        """What the authority says of the leaf now, for so many days: a file with an OCSP response."""
        answer = leaf.certificate.with_suffix(".ocsp")
        openssl("ocsp", "-index", self.folder / "index.txt", "-CA", self.certificate, "-rsigner",
                self.certificate, "-rkey", self.key, "-issuer", self.certificate, "-cert",
                leaf.certificate, "-respout", answer, "-ndays", days, "-noverify")
        return answer


def self_signed(folder, name, days=30):
    folder.mkdir()
    leaf = Leaf(folder / "leaf.pem", folder / "leaf.pem", folder / "leaf.key")
    openssl("req", "-x509", *key_options(EC), "-nodes", "-days", days, "-subj", f"/CN={name}",
            "-addext", f"subjectAltName=DNS:{name}", "-keyout", leaf.key, "-out", leaf.certificate)
    return leaf
