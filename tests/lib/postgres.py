# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL of a test's own: Debian's, in a temporary folder, on a Unix socket alone.

    with Postgres() as server:
        place = server.create()      # postgres://... of a new, empty database

Its role `lodge` owns the databases and is neither superuser nor able to pass row-level security by.
As root it runs as the system user postgres, since it refuses to run as root. It writes without
fsync; durable=True is for tests that kill it."""
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

START_SECONDS = 120  # bounds against hanging for ever
STOP_SECONDS = 60
SETTINGS = {
    "listen_addresses": "", "max_connections": "40", "shared_buffers": "32MB",
    "autovacuum": "off", "max_wal_size": "256MB", "log_min_messages": "fatal",
}
QUICK = {"fsync": "off", "full_page_writes": "off"}


def programs():
    """The folder of the newest version that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"),
                   key=lambda path: int(path.parts[-3]))
    if not found:
        raise FileNotFoundError("PostgreSQL is not installed (Debian's package postgresql)")
    return found[-1].parent


class Postgres:
    def __init__(self, durable=False):
        self.settings = SETTINGS | ({} if durable else QUICK)
        self.bin, self.process, self.made = programs(), None, 0
        self.folder = Path(tempfile.mkdtemp(prefix="lodge-postgres-"))
        # It ends with the test, however that ends.
        self.begin = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.folder, user.pw_uid, user.pw_gid)
            self.begin += ["--reuid", str(user.pw_uid), "--regid", str(user.pw_gid),
                           "--clear-groups"]

    def make(self):
        subprocess.run([*self.begin, self.bin / "initdb", "--pgdata", self.folder / "data",
                        "--no-sync", "--auth", "trust", "--username", "postgres", "--encoding",
                        "UTF8", "--locale", "C.UTF-8"],
                       check=True, stdout=subprocess.DEVNULL, cwd=self.folder,
                       timeout=START_SECONDS)
        with open(self.folder / "data" / "postgresql.conf", "a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in self.settings.items())
            conf.write(f"unix_socket_directories = '{self.folder}'\n")

    def start(self):
        """Comes back once it answers."""
        self.process = subprocess.Popen(
            [*self.begin, self.bin / "postgres", "-D", self.folder / "data"], cwd=self.folder,
            stdout=subprocess.DEVNULL, stderr=open(self.folder / "log", "ab"))
        while subprocess.run([self.bin / "pg_isready", "-q", "-t", "1", "-h", self.folder],
                             timeout=START_SECONDS).returncode != 0:
            if self.process.poll() is not None:
                raise RuntimeError((self.folder / "log").read_text())

    def sql(self, sql, database="postgres", role="postgres"):
        """Its answer, unaligned; as the superuser unless told."""
        done = subprocess.run(
            [self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
             "-U", role, "-d", database], input=sql, text=True, check=True, capture_output=True)
        return done.stdout

    def place(self, database):
        return f"postgres://lodge@/{database}?host={self.folder}"

    def create(self, name=None):
        self.made += 1
        name = name or f"lodge_{self.made}"
        self.sql(f"CREATE DATABASE {name} OWNER lodge")
        return self.place(name)

    def end(self, how=signal.SIGQUIT):
        """SIGQUIT: at once, as if it crashed. SIGINT: sessions are ended. SIGKILL leaves its
        children to find out for themselves."""
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(STOP_SECONDS)
            self.process = None

    def __enter__(self):
        try:
            self.make()
            self.start()
            self.sql("CREATE ROLE lodge LOGIN CREATEDB")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)
