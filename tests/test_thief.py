# SPDX-License-Identifier: GPL-3.0-or-later
"""A thief of the disk of a running school, or of its backups: no secret lies there as it is (SECURITY.md,
"A thief of the box, or a backup")."""
import base64
import shutil
import subprocess

import pytest

from console import Console
from people import PASSWORD, People, totp

FACTS = "a marmalade kestrel at the gate"
FILE = b"a letter about seven violet umbrellas"


def forms(secret):
    """How somebody might have written it down."""
    plain = secret if isinstance(secret, bytes) else secret.encode()
    found = {plain, plain.hex().encode(), base64.b64encode(plain).rstrip(b"=")}
    try:
        found.add(plain.decode().encode("utf-16-le"))
        found.add(base64.b32decode(plain))
        found.add(base64.urlsafe_b64decode(plain + b"=" * (-len(plain) % 4)))
    except ValueError:
        pass
    return {form for form in found if len(form) >= 6}


class Thief:
    def __init__(self, lodge, folder):
        self.lodge, self.folder, self.secrets = lodge, folder, {"the password": PASSWORD}
        self.temporary = folder / "temporary"
        self.temporary.mkdir()

    def live(self, console):
        """What a head and a technician do on a day; all that nobody else may know is noted."""
        people = People(console)
        people.add("hari", "head", "dsl")
        people.add("tess", "technician")
        hari, self.secrets["the head's app"] = people.set_up("hari")
        tess, self.secrets["the technician's app"] = people.set_up("tess")
        for name, client in (("head", hari), ("technician", tess)):
            self.secrets[f"the {name}'s session"] = client.cookies["__Host-lodge"]
            self.secrets[f"the {name}'s token"] = client.token()
        codes = hari.json("POST", "/account/sheet").json["codes"]
        self.secrets.update({f"code {number} of the sheet": code for number, code in enumerate(codes)})
        self.secrets["the one-time password"] = people.add_new("ann", "teacher")
        tess.json("POST", "/accounts/safe/ask")
        asked = hari.json("GET", "/accounts/safe").json["items"][0]
        self.secrets["the credential of the safe"] = hari.json(
            "POST", f"/accounts/safe/{asked['id']}/seal").json["code"]
        self.write(hari)

    def write(self, hari):
        made = hari.json("POST", "/records/people/new", {"name": "Ida Example", "kind": "pupil"})
        assert made.status == 200, made
        child = made.json["location"].partition("?")[0].rpartition("/")[2]
        made = hari.json("POST", "/records/concerns/new", {
            "child": child, "summary": "Something", "kind": "home", "happened": "2026-05-04",
            "facts": FACTS, "opinion": f"opinion: {FACTS}"})
        assert made.status == 200, made
        path = made.json["location"].partition("?")[0]
        hari.json("POST", f"{path}/look", {"words": "To read it again"})
        added = hari.post(f"{path}/file/evidence/add", {"k9": "no", "version": "1"},
                          files={"file": ("letter.txt", "text/plain", FILE)})
        assert added.status == 303, added
        assert hari.get(f"{path}/file/evidence").body == FILE
        self.secrets["a concern"], self.secrets["a file"] = FACTS, FILE

    def back_up(self, data):
        for words in (("backup", "key", "--data", data, "-o", self.folder / "safe.key"),
                      ("backup", "--data", data, "--to", self.folder / "backups")):
            done = subprocess.run([self.lodge, *words], capture_output=True, text=True)
            assert done.returncode == 0, done.stderr

    def search(self, folder):
        """[(what, where)] of every secret that lies in a folder."""
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert files, f"{folder} is empty"
        found = []
        for path in files:
            content = path.read_bytes()
            found += [(what, str(path.relative_to(folder))) for what, secret in self.secrets.items()
                      if any(form in content for form in forms(secret))]
        return found


@pytest.fixture(scope="module")
def thief(lodge, tmp_path_factory):
    folder = tmp_path_factory.mktemp("thief")
    at = Thief(lodge, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(at.temporary))
        with Console(lodge, folder) as console:
            at.live(console)
            at.back_up(console.data)
            shutil.copytree(console.data, folder / "running", symlinks=True)
            at.left = list(at.temporary.iterdir())
            at.log = "".join(console.log)
        shutil.copytree(console.data, folder / "stopped", symlinks=True)
    return at


@pytest.mark.parametrize("when", ["running", "stopped"])
def test_no_secret_lies_on_the_disk_as_it_is(thief, when):
    assert thief.search(thief.folder / when) == []


def test_no_secret_lies_in_a_backup_as_it_is(thief):
    thief.secrets["a name"] = "Ida Example"
    thief.secrets["the school"] = "Oak Primary"
    try:
        assert thief.search(thief.folder / "backups") == []
        assert ("a name", "store/lodge.db") in thief.search(thief.folder / "stopped")  # it would be seen
    finally:
        del thief.secrets["a name"], thief.secrets["the school"]


def test_nothing_is_left_in_temporary_folders_and_no_secret_in_the_log(thief):
    assert thief.left == []
    assert not [what for what, secret in thief.secrets.items()
                if isinstance(secret, str) and secret in thief.log]
