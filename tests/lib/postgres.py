# SPDX-License-Identifier: GPL-3.0-or-later
"""A PostgreSQL of a test's own: Debian's, in a temporary folder, on a Unix socket alone.

    with Postgres() as server:
        place = server.create()      # postgres://... of a new, empty database

Its role `lodge` owns the databases and is neither superuser nor able to pass row-level security by.
As root it runs as the system user postgres, since it refuses to run as root. It writes without
fsync; durable=True is for tests that kill it."""
import csv
import io
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


def literal(value):
    if value is None or isinstance(value, int):
        return "NULL" if value is None else str(value)
    if isinstance(value, bytes):
        return f"'\\x{value.hex()}'"
    return "'" + value.replace("'", "''") + "'"


class Store:
    """Just enough of a connection of sqlite3: each statement is kept at once, and what it answers is
    text."""

    def __init__(self, server, database):
        self.server, self.database, self.rows = server, database, []

    def execute(self, sql, values=()):
        first, *rest = sql.split("?")
        text = first + "".join(literal(value) + part for value, part in zip(values, rest))
        answer = self.server.sql(text, self.database, words=["--csv"])
        self.rows = [tuple(row) for row in csv.reader(io.StringIO(answer))]
        return self

    def fetchone(self):
        return self.rows[0] if self.rows else None

    def fetchall(self):
        return self.rows

    def close(self):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


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

    def sql(self, sql, database="postgres", role="postgres", words=()):
        """Its answer, unaligned; as the superuser unless told. words: more options of psql."""
        done = subprocess.run(
            [self.bin / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", self.folder,
             "-U", role, "-d", database, *words], input=sql, text=True, check=True, capture_output=True)
        return done.stdout

    def place(self, database):
        return f"postgres://lodge@/{database}?host={self.folder}"

    def database(self, place):
        return place.split("/")[3].split("?")[0]

    def store(self, place):
        """What a test puts straight into the database of a place, as by a connection of sqlite3."""
        return Store(self, self.database(place))

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
