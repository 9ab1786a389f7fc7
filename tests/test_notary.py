# SPDX-License-Identifier: GPL-3.0-or-later
"""The notary: the CA is made once, nobody else can read its key, and its death is mended."""
import base64
import os
import re
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import gate as gate_lib
import pytest

ATTEMPTS = ("open", "descriptors", "memory", "trace", "vm", "pidfd")
OTHERS = {"clerk": "$DATA/spool", "auth": "$DATA/auth", "proxy": "$DATA/spool/proxy-0", "fetcher": "-",
          "unpacker": "$DATA/images", "desk": "$DATA/store", "front": "-", "signon": "-",
          "mailer": "-"}


def processes():
    """The rows of proc.def."""
    text = (gate_lib.ROOT / "src" / "proc" / "proc.def").read_text()
    return set(re.findall(r"^PROCESS\((\w+)", text, re.M))


def notary_of(gate):
    for _ in range(2000):
        found = [pid for pid, command in gate.children().items() if "notary" in command]
        if found:
            return found[0]
        time.sleep(0.01)
    raise AssertionError("no notary")


def show(lodge, data, *words):
    return subprocess.run([lodge, "ca", "show", "--data", data, *words], capture_output=True, text=True)


def openssl(*words, **options):
    return subprocess.run(["openssl", *map(str, words)], capture_output=True, text=True, check=True,
                          **options)


def make_ca(folder, name="own", days=3650, extra=()):
    """A CA as a school's IT department might make it; (certificate, key)."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.pem"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
            key, "-out", certificate, "-days", days, "-subj", f"/CN=School CA {name}",
            "-addext", "keyUsage=critical,keyCertSign,cRLSign", *extra)
    return certificate, key


def refused(gate_folder, lodge, *options):
    """Starts a gate that must not get ready; its log."""
    gate_folder.mkdir()
    gate = gate_lib.Gate(lodge, gate_folder, options=options)
    with pytest.raises(RuntimeError) as error:
        gate.start()
    return str(error.value)


def test_F1_the_ca_is_made_at_the_first_run_and_kept(gates, lodge):
    gate = gates(options=("--school", "oak-primary"))
    folder = gate.data / "ca"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "ca.key").stat().st_mode & 0o777 == 0o600
    assert any("event=ca-made" in line for line in gate.log)
    first = show(lodge, gate.data)
    assert first.returncode == 0 and first.stdout.startswith("-----BEGIN CERTIFICATE-----\n")
    text = openssl("x509", "-noout", "-text", input=first.stdout).stdout
    assert "CN = Lodge at oak-primary" in text and "CA:TRUE, pathlen:0" in text
    gate.stop()
    gate.start()
    assert show(lodge, gate.data).stdout == first.stdout
    assert sum("event=ca-made" in line for line in gate.log) == 1


def test_the_fingerprint_is_the_one_that_others_print(gates, lodge):
    gate = gates()
    facts = show(lodge, gate.data, "--fingerprint").stdout
    theirs = openssl("x509", "-noout", "-fingerprint", "-sha256", input=show(lodge, gate.data).stdout)
    assert theirs.stdout.split("=", 1)[1].strip() in facts
    assert "Lodge at school" in facts and "until    20" in facts


def test_ca_show_before_the_first_run_says_what_to_do(lodge, tmp_path):
    done = show(lodge, tmp_path)
    assert done.returncode == 1 and "lodge serve makes the CA" in done.stderr and done.stdout == ""
    assert subprocess.run([lodge, "ca"], capture_output=True).returncode == 2
    assert subprocess.run([lodge, "ca", "show"], capture_output=True).returncode == 2


def test_a_school_s_own_ca_is_used_and_shown(gates, lodge, tmp_path):
    certificate, key = make_ca(tmp_path)
    gate = gates(options=("--ca", certificate, "--ca-key", key))
    assert show(lodge, gate.data).stdout == certificate.read_text()
    assert not (gate.data / "ca" / "ca.key").exists()
    assert not any("event=ca-key-open" in line for line in gate.log)


def test_a_key_that_others_may_read_is_named(gates, tmp_path):
    certificate, key = make_ca(tmp_path)
    key.chmod(0o644)
    gate = gates(options=("--ca", certificate, "--ca-key", key))
    assert any("event=ca-key-open" in line and "chmod 600" in line for line in gate.log)


def test_a_ca_that_cannot_work_is_refused_with_what_to_do(lodge, tmp_path):
    certificate, key = make_ca(tmp_path)
    other, other_key = make_ca(tmp_path, "other")
    leaf, leaf_key = make_ca(tmp_path, "leaf", extra=("-addext", "basicConstraints=critical,CA:FALSE"))
    empty = tmp_path / "nothing.pem"
    empty.write_text("")
    cases = {
        "not-there": (tmp_path / "nowhere.pem", key),
        "no-key": (certificate, tmp_path / "nowhere.key"),
        "of-another": (certificate, other_key),
        "no-ca": (leaf, leaf_key),
        "empty": (empty, key),
    }
    for name, (one, two) in cases.items():
        log = refused(tmp_path / name, lodge, "--ca", one, "--ca-key", two)
        lines = [line for line in log.splitlines() if "event=ca-refused" in line]
        assert len(lines) == 1, (name, log)
        assert " why=" in lines[0] and " do=" in lines[0], name
    done = subprocess.run([lodge, "serve", "--data", tmp_path, "--policy", "p", "--catalog", "c",
                           "--proxy", "127.0.0.1:0", "--ca", certificate], capture_output=True, text=True)
    assert done.returncode == 2 and "--ca and --ca-key belong together" in done.stderr


def test_half_a_ca_is_refused_and_never_replaced(gates, lodge):
    gate = gates()
    gate.stop()
    for name in ("ca.key", "ca.pem"):
        path = gate.data / "ca" / name
        kept = path.read_bytes()
        path.unlink()
        with pytest.raises(RuntimeError) as error:
            gate.start()
        assert "event=ca-refused" in str(error.value) and not path.exists()
        path.write_bytes(kept)
        path.chmod(0o600)
    gate.start()


def test_certificates_that_are_none_are_refused(lodge, tmp_path):
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("this is no certificate\n")
    assert "event=roots-refused" in refused(tmp_path / "a", lodge, "--origin-ca", wrong)
    assert "event=roots-refused" in refused(tmp_path / "b", lodge, "--origin-ca", tmp_path / "nowhere")


def test_R99_a_notary_that_dies_is_replaced_and_handed_to_every_worker(gates):
    gate = gates()
    for _ in range(5):
        pid = notary_of(gate)
        os.kill(pid, signal.SIGKILL)
        for _ in range(2000):
            if notary_of(gate) != pid:
                break
            time.sleep(0.01)
        assert notary_of(gate) != pid
    assert gate.process.poll() is None
    assert not any("event=no-line" in line or "notary-line-failed" in line for line in gate.log)


# ---- leaves ----

CLOSED = "games.example"  # and all below it


def fetch(gate, name, *words):
    """curl's answer for a page that the policy closes, with the gate's CA."""
    ca = gate.folder / "ca.pem"
    if not ca.exists():
        ca.write_text(show(gate.lodge, gate.data).stdout)
    return gate.curl("--cacert", ca, "-o", "/dev/null", "-w", "%{http_code}", *words, f"https://{name}/")


def test_F1_a_closed_site_s_page_comes_under_a_leaf_of_the_ca(gates):
    gate = gates(private=False)
    for _ in range(3):
        done = fetch(gate, CLOSED)
        assert done.stdout == b"403", done.stderr
    certificate = gate.curl("-k", "-o", "/dev/null", "-v", f"https://{CLOSED}/").stderr.decode()
    assert "issuer: CN=Lodge at school" in certificate
    done = gate.curl("-o", "/dev/null", f"https://{CLOSED}/")
    assert done.returncode == 60, "a device without the CA does not take it"


def test_R99_inspection_goes_on_while_the_notary_is_killed_again_and_again(gates):
    """Names seen before and new ones, while kill -9 meets the notary at any moment."""
    gate = gates(private=False, workers=2)
    for number in range(20):
        os.kill(notary_of(gate), signal.SIGKILL)
        for name in (CLOSED, f"new-{number}.{CLOSED}"):
            done = fetch(gate, name)
            assert done.stdout == b"403", (number, name, done.stderr)
    assert gate.process.poll() is None
    assert sum("event=child-ended name=notary-0" in line for line in gate.log) == 20
    assert not any("process=proxy" in line and "level=error" in line for line in gate.log)


def test_a_school_s_morning_is_signed_whole(gates, tmp_path):
    """More new names at once than the burst: all are answered, those beyond it at the bounded rate."""
    gate = gates(private=False, workers=1)
    fetch(gate, CLOSED)
    names = 540
    config = tmp_path / "urls"
    config.write_text("".join(f'url = "https://n{number}.{CLOSED}/"\noutput = "/dev/null"\n'
                              for number in range(names)))
    done = gate.curl("--cacert", gate.folder / "ca.pem", "-w", "%{http_code}\n", "-Z", "--parallel-max", "50",
                     "-K", config)
    assert done.stdout.decode().split() == ["403"] * names, done.stderr[-500:]


def served_key(gate):
    """The public key of the leaf that the proxy's own port shows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with context.wrap_socket(gate.connect(), server_hostname="lodge.internal") as connection:
        pem = ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))
    return openssl("x509", "-noout", "-pubkey", input=pem).stdout


def test_F1_the_key_under_the_leaves_is_renewed_and_workers_take_it(gates):
    gate = gates(private=False, options=("--leaf-key", "1s"), workers=2)
    seen = set()
    for _ in range(600):
        seen.add(served_key(gate))
        if len(seen) == 3:
            break
        time.sleep(0.05)
    assert len(seen) == 3
    for number in range(5):
        done = fetch(gate, f"n{number}.{CLOSED}")
        assert done.stdout == b"403", done.stderr
    assert not any("level=error" in line for line in gate.log)


def hello_of(name):
    """A ClientHello for a name."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = ssl.create_default_context().wrap_bio(incoming, outgoing, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        session.do_handshake()
    return outgoing.read()


def test_F1_a_worker_that_does_not_read_gets_the_new_key_later(gates):
    """Its line is full of leaves while the key is renewed: it is not given up."""
    gate = gates(private=False, options=("--leaf-key", "2s", "--watchdog", "10m"), workers=1)
    assert fetch(gate, CLOSED).stdout == b"403"
    notary = notary_of(gate)
    worker = next(pid for pid, command in gate.children().items() if "proxy" in command)
    clients = []
    os.kill(notary, signal.SIGSTOP)
    try:
        for number in range(250):
            client = gate.connect()
            clients.append(client)
            name = f"many-{number}.{CLOSED}"
            client.sendall(f"CONNECT {name}:443 HTTP/1.1\r\nHost: {name}:443\r\n\r\n".encode())
            assert b" 200 " in client.recv(4096)
            client.sendall(hello_of(name))
        os.kill(worker, signal.SIGSTOP)
        before = sum("renewed=yes" in line for line in gate.log)
        os.kill(notary, signal.SIGCONT)
        for _ in range(1000):
            if sum("renewed=yes" in line for line in gate.log) >= before + 2:
                break
            time.sleep(0.01)
    finally:
        os.kill(notary, signal.SIGCONT)
        os.kill(worker, signal.SIGCONT)
        for client in clients:
            client.close()
    for number in range(5):
        done = fetch(gate, f"after-{number}.{CLOSED}")
        assert done.stdout == b"403", done.stderr
    assert not any("level=error" in line for line in gate.log)


def test_F1_a_leaf_is_what_browsers_take(gates):
    """P-256, SAN only, backdated, 90 days, never a CA (CA/Browser Forum BR 6.3.2, 7.1)."""
    gate = gates(private=False)
    context = ssl.create_default_context(cadata=show(gate.lodge, gate.data).stdout)
    with context.wrap_socket(gate.connect(), server_hostname="lodge.internal") as connection:
        pem = ssl.DER_cert_to_PEM_cert(connection.getpeercert(binary_form=True))
    text = openssl("x509", "-noout", "-text", input=pem).stdout
    assert "DNS:lodge.internal" in text and "NIST CURVE: P-256" in text
    assert re.search(r"Subject:\s*$", text, re.M), "the name stands in the SAN alone"
    assert "CA:FALSE" in text and "TLS Web Server Authentication" in text
    dates = dict(re.findall(r"(Not Before|Not After) ?: (.*?) GMT", text))
    begin, end = (ssl.cert_time_to_seconds(dates[key] + " GMT") for key in ("Not Before", "Not After"))
    assert begin <= time.time() - 3600 and end - begin <= 90 * 86400


def test_no_leaf_is_signed_for_many_names(gates):
    """A name with a wildcard: no TLS, and no certificate that holds for more than one name."""
    gate = gates(private=False)
    with gate.connect() as connection:
        connection.sendall(f"CONNECT *.{CLOSED}:443 HTTP/1.1\r\nHost: *.{CLOSED}:443\r\n\r\n".encode())
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 "), answer
    done = gate.curl("-k", "-o", "/dev/null", f"https://*.{CLOSED}/")
    assert done.returncode != 0


# ---- the key ----

THEFT = """
"$LODGE" serve --data "$DATA" 2> "$WORK/log" &
serve=$!
while ! grep -q '^ready$' "$WORK/log"; do kill -0 $serve || exit 9; sleep 0.05; done
for child in $(cat /proc/$serve/task/$serve/children); do
    grep -q notary /proc/$child/cmdline && notary=$child
done
try() {
    for attempt in $ATTEMPTS; do
        target=$notary
        [ $attempt = open ] && target="$DATA/ca/ca.key"
        said=$("$THIEF" $1 "$2" $attempt "$target" 2>&1)
        echo "try $1 $attempt $? $said"
    done
}
try anyone -
$TRIES
kill -TERM $serve
wait $serve
"""
USERS = """
set -e
cp -a /etc "$WORK/etc"
mount --bind "$WORK/etc" /etc
"$LODGE" doctor --data "$DATA" --fix
set +e
"""


@pytest.fixture
def vault(lodge, build, tmp_path):
    """A place that any user may enter, with a data folder and the programs."""
    kernel = subprocess.run([lodge, "doctor", "--data", tmp_path], capture_output=True, text=True).stdout
    if "Landlock 0" in kernel or "seccomp no" in kernel:
        pytest.skip("left out: this kernel has no Landlock or seccomp")
    folder = Path(tempfile.mkdtemp(prefix="lodge-vault-"))
    folder.chmod(0o755)
    image = gate_lib.write_catalog(lodge, folder, {"games": ["games.example"]})
    shutil.copy(lodge, folder / "lodge")
    shutil.copy(build / "tests" / "tools" / "keythief", folder / "keythief")
    shutil.copy(gate_lib.PRESET, folder / "policy.json")
    data = folder / "data"
    data.mkdir()
    (data / "store").mkdir()
    (data / "lodge.conf").write_text(f"policy = {folder}/policy.json\ncatalog = {image}\n"
                                     "proxy = 127.0.0.1:0\nworkers = 1\n")
    yield folder
    shutil.rmtree(folder)


def steal(vault, prefix, before=""):
    """{(who, attempt): (exit code, what it said)}"""
    tries = "\n".join(f'try {who} "{folder}"' for who, folder in OTHERS.items())
    done = subprocess.run([*prefix, "sh", "-c", before + THEFT.replace("$TRIES", tries)],
                          capture_output=True, text=True, timeout=300,
                          env={**os.environ, "LODGE": str(vault / "lodge"), "WORK": str(vault),
                               "THIEF": str(vault / "keythief"), "DATA": str(vault / "data"),
                               "ATTEMPTS": " ".join(ATTEMPTS)})
    log = (vault / "log").read_text() if (vault / "log").exists() else ""
    found = {}
    for line in done.stdout.splitlines():
        if line.startswith("try "):
            _, who, attempt, code, *said = line.split(None, 4)
            found[who, attempt] = int(code), said
    assert set(found) == {(who, attempt) for who in ["anyone", *OTHERS] for attempt in ATTEMPTS}, \
        done.stdout + done.stderr + log
    return found


def expect_no_theft(found):
    assert set(OTHERS) >= processes() - {"notary"}, "a new process: say what it may open"
    got = [key for key, (code, _) in found.items() if key[0] != "anyone" and code in (0, 2)]
    assert got == [], {key: found[key] for key in got}


@pytest.mark.skipif(os.geteuid() != 0, reason="left out: needs root")
def test_F1_as_root_no_other_process_can_read_the_key(vault):
    """With a system user for each process; in a mount namespace with a copy of /etc."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0:
        pytest.skip("left out: this machine allows no mount namespace")
    found = steal(vault, ["unshare", "-m"], USERS)
    expect_no_theft(found)
    for attempt in ATTEMPTS:
        assert found["anyone", attempt][0] == 0, "root itself can: so each attempt is a real one"


@pytest.mark.skipif(os.geteuid() != 0, reason="left out: needs root")
def test_F1_as_root_without_system_users_confinement_alone_keeps_the_key(vault):
    expect_no_theft(steal(vault, []))


def test_F1_as_a_user_no_other_process_can_read_the_key(vault):
    prefix = []
    if os.geteuid() == 0:
        for path in [vault, *vault.rglob("*")]:
            os.chown(path, 12345, 12345)
        prefix = ["setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"]
    found = steal(vault, prefix)
    expect_no_theft(found)
    assert found["anyone", "open"][0] == 0, "the file is this user's own"
    for attempt in ("descriptors", "memory", "trace", "vm", "pidfd"):
        assert found["anyone", attempt][0] == 1, "not even a program of the same user looks into it"


def memory_of(pid):
    """All that the process can write to, as root sees it."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for line in maps:
            span, rights = line.split()[:2]
            begin, end = (int(word, 16) for word in span.split("-"))
            if "w" in rights:
                try:
                    memory.seek(begin)
                    found.append(memory.read(end - begin))
                except OSError:
                    pass  # a guard page, or what no memory stands behind
    return b"\0".join(found)


def expect_wiped(gate):
    """The key stands once in the notary's memory, as a number, and nowhere else."""
    pid = notary_of(gate)
    lines = (gate.data / "ca" / "ca.key").read_text().strip().splitlines()[1:-1]
    der = base64.b64decode("".join(lines))
    start = der.index(b"\x02\x01\x01\x04\x20") + 5  # RFC 5915: the version, then the number
    number = der[start:start + 32]
    memory = memory_of(pid)
    assert memory.count(number[::-1]) == 1, "this is the notary's memory"
    for trace in (lines[0].encode(), lines[1].encode(), der, number):
        assert trace not in memory
    for other in [*gate.children(), gate.process.pid]:
        if other != pid:
            memory = memory_of(other)
            for trace in (lines[0].encode(), lines[1].encode(), der, number, number[::-1]):
                assert trace not in memory, other
    status = Path(f"/proc/{pid}/status").read_text()
    assert int(re.search(r"VmLck:\s*(\d+)", status).group(1)) > 0
    assert re.search(r"Max core file size\s+0\s+0", Path(f"/proc/{pid}/limits").read_text())


@pytest.mark.skipif(os.geteuid() != 0, reason="left out: needs root")
def test_F1_the_key_is_locked_in_memory_and_its_copies_are_wiped(gates):
    gate = gates()
    if b"__asan_init" in Path(gate.lodge).read_bytes():
        pytest.skip("left out: AddressSanitizer keeps what was freed, and locks nothing")
    expect_wiped(gate)  # it was made
    gate.stop()
    gate.start()
    expect_wiped(gate)  # it was read
    fetch(gate, CLOSED)
    expect_wiped(gate)  # and used
