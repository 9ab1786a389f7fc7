# SPDX-License-Identifier: GPL-3.0-or-later
"""`lodge doctor`: says what keeps the gate from working, and mends what it can."""
import os
import subprocess

import gate as gate_lib
import pytest


def run(lodge, *words):
    return subprocess.run([lodge, "doctor", *words], capture_output=True, text=True)


def write_conf(folder, image, policy=gate_lib.PRESET, proxy="127.0.0.1:0"):
    (folder / "lodge.conf").write_text(f"policy = {policy}\ncatalog = {image}\nproxy = {proxy}\n")


def verdicts(output):
    """{check: verdict}"""
    lines = [line.split(None, 2) for line in output.splitlines() if not line.startswith(" ")]
    return {words[1].rstrip(":"): words[0] for words in lines}


@pytest.fixture
def image(lodge, tmp_path):
    return gate_lib.write_catalog(lodge, tmp_path, {"games": ["games.example"]})


def test_a_folder_that_is_ready_has_no_failure(lodge, tmp_path, image):
    data = tmp_path / "data"
    data.mkdir(mode=0o750)
    write_conf(data, image)
    done = run(lodge, "--data", data)
    found = verdicts(done.stdout)
    assert done.returncode == 0, done.stdout
    assert set(found) == {"options", "folders", "users", "kernel", "images", "port", "names", "room",
                          "limits", "time", "ca", "roots", "memory", "mail"}
    assert found["options"] == found["folders"] == found["images"] == found["port"] == "ok"


def test_the_folder_is_made_where_absent(lodge, tmp_path):
    run(lodge, "--data", tmp_path / "new")
    assert (tmp_path / "new").is_dir()


def test_each_failure_is_named_with_what_to_do(lodge, tmp_path, image):
    data = tmp_path / "data"
    data.mkdir(mode=0o750)
    image.write_bytes(image.read_bytes()[:-1])
    write_conf(data, image, policy="/nowhere.json", proxy="nowhere")
    done = run(lodge, "--data", data)
    found = verdicts(done.stdout)
    assert done.returncode == 1
    assert found["images"] == found["port"] == "fail"
    assert "/nowhere.json" in done.stdout and str(image) in done.stdout
    assert "ADDR:PORT" in done.stdout and "->" in done.stdout
    (data / "lodge.conf").write_text("what = 1\n")
    done = run(lodge, "--data", data)
    assert done.returncode == 1 and verdicts(done.stdout)["options"] == "fail"
    assert "line 1" in done.stdout


def test_an_auth_folder_that_others_can_read_fails(lodge, tmp_path, image):
    data = tmp_path / "data"
    (data / "auth").mkdir(parents=True)
    data.chmod(0o750)
    (data / "auth").chmod(0o755)
    write_conf(data, image)
    done = run(lodge, "--data", data)
    assert done.returncode == 1 and verdicts(done.stdout)["folders"] == "fail"


def write_ca(data, days):
    (data / "ca").mkdir(mode=0o700)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                    "-nodes", "-keyout", data / "ca" / "ca.key", "-out", data / "ca" / "ca.pem", "-days",
                    str(days), "-subj", "/CN=Lodge at oak"], check=True, capture_output=True)
    return data / "ca" / "ca.key"


def test_the_ca_s_end_and_who_may_read_its_key_are_looked_at(lodge, tmp_path, image):
    data = tmp_path / "data"
    data.mkdir(mode=0o750)
    write_conf(data, image)
    key = write_ca(data, 3650)
    assert verdicts(run(lodge, "--data", data).stdout)["ca"] == "ok"
    key.chmod(0o644)
    done = run(lodge, "--data", data)
    assert verdicts(done.stdout)["ca"] == "fail" and "chmod 600" in done.stdout
    key.unlink()
    assert verdicts(run(lodge, "--data", data).stdout)["ca"] == "fail"
    (data / "ca" / "ca.pem").unlink()
    (data / "ca").rmdir()
    write_ca(data, 30)
    done = run(lodge, "--data", data)
    assert verdicts(done.stdout)["ca"] == "warn" and "every device" in done.stdout
    (data / "ca").chmod(0o755)
    assert verdicts(run(lodge, "--data", data).stdout)["folders"] != "ok"
    with (data / "lodge.conf").open("a") as conf:
        conf.write("ca = /nowhere.pem\n")
    done = run(lodge, "--data", data)
    assert verdicts(done.stdout)["ca"] == "fail" and "ca-key" in done.stdout
    with (data / "lodge.conf").open("a") as conf:
        conf.write("ca-key = /nowhere.key\nroots = /nowhere.crt\n")
    done = run(lodge, "--data", data)
    assert verdicts(done.stdout)["ca"] == verdicts(done.stdout)["roots"] == "fail"
    assert "/nowhere.pem" in done.stdout and "ca-certificates" in done.stdout


def test_wrong_command_lines_and_help(lodge):
    assert run(lodge).returncode == 2
    assert run(lodge, "--data", "x", "more").returncode == 2
    assert run(lodge, "--help").returncode == 0


FIX = """
set -e
cp -a /etc "$WORK/etc"
mount --bind "$WORK/etc" /etc
echo three random words | "$LODGE" passwd --data "$DATA" p-1
"$LODGE" doctor --data "$DATA" --fix
"$LODGE" serve --data "$DATA" 2> "$WORK/log" &
serve=$!
while ! grep -q '^ready$' "$WORK/log"; do kill -0 $serve; sleep 0.05; done
for child in $(cat /proc/$serve/task/$serve/children); do
    echo "$(tr '\\0' ' ' < /proc/$child/cmdline) is $(stat -c %U /proc/$child/cmdline) $(awk '/^Uid/ {print $2}' /proc/$child/status)"
done
getent passwd | awk -F: '/^lodge-/ {print "user", $1, $3}'
echo "passwords are $(stat -c %U "$DATA/auth/passwd")"
kill -TERM $serve
wait $serve
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="left out: only root can make users")
def test_fix_makes_users_and_each_process_runs_as_its_own(lodge, tmp_path, image):
    """In a mount namespace with a copy of /etc, so that the machine keeps its users."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("left out: this machine allows no mount namespace")
    data = tmp_path / "data"
    (data / "spool" / "proxy-0").mkdir(parents=True)
    (data / "spool" / "proxy-0" / "lock").write_text("")  # as if it had run as root before
    (data / "store").mkdir()
    (data / "store" / "lodge.db").write_text("")  # as `lodge restore` leaves it
    write_conf(data, image)
    done = subprocess.run(["unshare", "-m", "sh", "-c", FIX], capture_output=True, text=True,
                          timeout=120, env={**os.environ, "LODGE": str(lodge), "DATA": str(data),
                                            "WORK": str(tmp_path)})
    log = (tmp_path / "log").read_text() if (tmp_path / "log").exists() else ""
    assert done.returncode == 0, done.stdout + done.stderr + log
    users = {words[1]: words[2] for words in map(str.split, done.stdout.splitlines())
             if words[:1] == ["user"]}
    assert set(users) == {"lodge-proxy", "lodge-auth", "lodge-clerk", "lodge-notary", "lodge-fetcher",
                          "lodge-desk", "lodge-front", "lodge-signon", "lodge-mailer"}
    assert str((data / "store" / "lodge.db").stat().st_uid) == users["lodge-desk"]
    seen = {}
    for line in done.stdout.splitlines():
        if line.startswith("lodge process "):
            words = line.split()
            seen[words[2].split("-")[0]] = words[-1]
    assert seen == {name: users[f"lodge-{name}"] for name in ("proxy", "auth", "clerk", "notary")}
    assert (data / "auth").stat().st_mode & 0o777 == 0o700
    assert "passwords are lodge-auth" in done.stdout, "set before there were users, and still read"
