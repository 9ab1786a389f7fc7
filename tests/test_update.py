# SPDX-License-Identifier: GPL-3.0-or-later
"""`lodge catalog update`: lists fetched, held, compiled and put in place (R97, F18, I3; SECURITY.md: a
poisoned list). The server is a local one that the test steers."""
import fcntl
import hashlib
import http.server
import io
import subprocess
import tarfile
import threading

import pytest


class Lists(http.server.ThreadingHTTPServer):
    """files: {path: bytes, or (status, {header: value})}; seen: (path, If-None-Match)."""
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.seen = {}, []
        self.url = f"http://127.0.0.1:{self.server_port}"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.seen.append((self.path, self.headers.get("If-None-Match")))
        found = self.server.files.get(self.path, (404, {}))
        if isinstance(found, tuple):
            self.answer(found[0], found[1], b"")
            return
        tag = '"' + hashlib.sha256(found).hexdigest()[:16] + '"'
        if self.headers.get("If-None-Match") == tag:
            self.answer(304, {"ETag": tag}, b"")
        else:
            self.answer(200, {"ETag": tag}, found)

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 304:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def lists():
    server = Lists()
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def names(*words, count=10):
    return "".join(f"{word}{n}.example\n" for word in words for n in range(count)).encode()


def archive(files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()


class School:
    def __init__(self, lodge, folder, lists):
        self.lodge, self.folder, self.lists = lodge, folder, lists
        self.data = folder / "data"

    def sources(self, *lines):
        (self.folder / "sources").write_text("".join(f"{line}\n" for line in lines))

    def update(self, *words):
        return subprocess.run([self.lodge, "catalog", "update", "--sources", self.folder / "sources",
                               "--data", self.data, *words], capture_output=True, text=True)

    @property
    def image(self):
        return self.data / "images" / "catalog.img"

    def lookup(self, *urls):
        done = subprocess.run([self.lodge, "catalog", "lookup", self.image, *urls], check=True,
                              capture_output=True, text=True)
        return [line.split("\t")[1] for line in done.stdout.splitlines()]


@pytest.fixture
def school(lodge, tmp_path, lists):
    return School(lodge, tmp_path, lists)


def test_lists_are_fetched_compiled_and_put_in_place(school, lists):
    lists.files = {"/g.txt": names("bet"), "/ut1.tar.gz": archive(
        {"adult/domains": names("adult"), "adult/urls": b"mixed.example/adult\n",
         "games/domains": names("play"), "../escape": b"x", "/etc/lodge-escape": b"x"})}
    (school.folder / "own.txt").write_text("own.example\n")
    (school.folder / "not-games").write_text("play3.example  # a spelling lesson uses it\n")
    school.sources(f"gambling domains {lists.url}/g.txt own",
                   f"pornography ut1 {lists.url}/ut1.tar.gz#adult CC-BY-SA-4.0",
                   f"games ut1 {lists.url}/ut1.tar.gz#games CC-BY-SA-4.0",
                   "vpn-proxy domains own.txt own", "except games not-games")
    done = school.update()
    assert done.returncode == 0, done.stdout + done.stderr
    assert school.lookup("bet1.example", "www.adult2.example", "mixed.example/adult/x", "play1.example",
                         "play3.example", "own.example") == ["gambling", "pornography", "pornography",
                                                             "games", "-", "vpn-proxy"]
    assert [path for path, _ in lists.seen] == ["/g.txt", "/ut1.tar.gz"], "an address is fetched once"
    assert not list(school.folder.parent.glob("**/escape"))


def test_what_has_not_changed_is_not_fetched_again(school, lists):
    lists.files = {"/g.txt": names("bet")}
    school.sources(f"gambling domains {lists.url}/g.txt own")
    assert school.update().returncode == 0
    done = school.update()
    assert done.returncode == 0
    assert "unchanged" in done.stdout
    assert lists.seen[0][1] is None and lists.seen[1][1] is not None


def test_it_says_what_changed(school, lists):
    lists.files = {"/g.txt": names("bet", count=10)}
    school.sources(f"gambling domains {lists.url}/g.txt own")
    school.update()
    lists.files = {"/g.txt": names("bet", count=9) + names("new", count=3)}
    done = school.update()
    assert done.returncode == 0
    assert "12 lines, were 10: 3 more, 1 fewer" in done.stdout
    assert school.lookup("new1.example", "bet9.example") == ["gambling", "-"]


@pytest.mark.parametrize("after, word", [(b"", "empty"), (b"# nothing\n", "empty"),
                                         (names("bet", count=5), "half"),
                                         (names("bet", count=20), "doubled")])
def test_a_list_that_is_empty_halves_or_doubles_is_held(school, lists, after, word):
    lists.files = {"/g.txt": names("bet", count=10), "/h.txt": names("hack")}
    school.sources(f"gambling domains {lists.url}/g.txt own", f"hacking domains {lists.url}/h.txt own")
    assert school.update().returncode == 0
    lists.files = {"/g.txt": after, "/h.txt": names("hack", count=11)}
    done = school.update()
    assert done.returncode == 1
    assert "HELD" in done.stdout and word in done.stdout
    assert school.lookup("bet9.example") == ["gambling"], "the old version stays"
    assert school.lookup("hack10.example") == ["hacking"], "the others go on"
    accepted = school.update("--accept", f"{lists.url}/g.txt")
    if word == "empty":
        assert accepted.returncode == 1, "an empty list is never accepted"
        assert school.lookup("bet9.example") == ["gambling"]
    else:
        assert accepted.returncode == 0, accepted.stdout
        assert school.lookup("bet9.example") == ["-" if word == "half" else "gambling"]


def test_a_server_that_fails_leaves_the_old_list_and_says_so(school, lists):
    lists.files = {"/g.txt": names("bet")}
    school.sources(f"gambling domains {lists.url}/g.txt own")
    assert school.update().returncode == 0
    for broken in ((500, {}), (302, {"Location": "/g.txt?"}), (200, {})):
        lists.files = {"/g.txt": broken}
        done = school.update()
        assert done.returncode == 1, broken
        assert school.lookup("bet1.example") == ["gambling"]


def test_a_list_that_was_never_had_stops_the_swap(school, lists):
    lists.files = {"/g.txt": names("bet")}
    school.sources(f"gambling domains {lists.url}/g.txt own", f"games domains {lists.url}/none own")
    done = school.update()
    assert done.returncode == 1
    assert "404" in done.stdout
    assert not school.image.exists()


def test_redirects_are_followed_but_not_for_ever(school, lists):
    lists.files = {"/a": (302, {"Location": "/b"}), "/b": names("bet"),
                   "/loop": (302, {"Location": "/loop"})}
    school.sources(f"gambling domains {lists.url}/a own")
    assert school.update().returncode == 0
    school.sources(f"gambling domains {lists.url}/loop own")
    done = school.update()
    assert done.returncode == 1 and "too many redirects" in done.stdout


def test_other_schemes_are_refused(school, lists):
    lists.files = {"/a": (302, {"Location": "file:///etc/passwd"})}
    school.sources(f"gambling domains {lists.url}/a own")
    done = school.update()
    assert done.returncode == 1
    assert not school.image.exists()
    school.sources("gambling domains ftp://127.0.0.1/x own")
    assert "line 1" in school.update().stderr


@pytest.mark.parametrize("body", [b"not an archive", b"", archive({"adult/domains": b"x"})[:40],
                                  archive({"adult/.hidden": b"x.example\n"})],
                         ids=["no archive", "empty", "cut", "hidden name"])
def test_a_broken_archive_leaves_everything_as_it_was(school, lists, body):
    good = archive({"adult/domains": names("adult")})
    lists.files = {"/ut1.tar.gz": good}
    school.sources(f"pornography ut1 {lists.url}/ut1.tar.gz#adult CC-BY-SA-4.0")
    assert school.update().returncode == 0
    lists.files = {"/ut1.tar.gz": body}
    assert school.update().returncode == 1
    assert school.lookup("adult1.example") == ["pornography"]


def test_a_sealed_list_is_never_shown(school, lists):
    hosts = [hashlib.sha256(f"host{n}.example".encode()).hexdigest() for n in range(10)]
    lists.files = {"/s": "".join(f"{host}\t-\n" for host in hosts).encode()}
    school.sources(f"child-sexual-abuse hashed {lists.url}/s licensed sealed")
    done = school.update()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "10" not in done.stdout.splitlines()[0]
    assert hosts[0] not in done.stdout + done.stderr
    assert school.lookup("host3.example", "host11.example") == ["sealed", "-"]
    lists.files = {"/s": b"".join(b"nonsense%d\n" % n for n in range(10))}
    done = school.update()
    assert "nonsense" not in done.stdout + done.stderr
    assert done.returncode == 1 and "HELD" in done.stdout, "lines that give nothing are no list"
    assert school.lookup("host3.example") == ["sealed"]


def test_an_error_page_in_place_of_a_list_is_held(school, lists):
    page = b"<!doctype html>\n" + b"<p>Our service is down for the moment\n" * 9
    lists.files = {"/g.txt": page}
    school.sources(f"gambling domains {lists.url}/g.txt own")
    assert school.update().returncode == 1
    lists.files = {"/g.txt": names("bet")}
    assert school.update().returncode == 0
    lists.files = {"/g.txt": page}
    done = school.update()
    assert done.returncode == 1 and "HELD, since it is empty" in done.stdout
    assert school.lookup("bet1.example") == ["gambling"]


def test_a_long_ut1_list_in_pieces_is_counted_whole(school, lists):
    files = {"adult/domains.0": names("adult"), "adult/domains.1": names("more"), "adult/usage": b"black\n"}
    lists.files = {"/ut1.tar.gz": archive(files)}
    school.sources(f"pornography ut1 {lists.url}/ut1.tar.gz#adult CC-BY-SA-4.0")
    done = school.update()
    assert done.returncode == 0 and "20 lines" in done.stdout, done.stdout + done.stderr
    assert school.lookup("adult1.example", "more1.example") == ["pornography", "pornography"]


def test_two_updates_do_not_run_at_once(school, lists):
    lists.files = {"/g.txt": names("bet")}
    school.sources(f"gambling domains {lists.url}/g.txt own")
    assert school.update().returncode == 0
    with open(school.data / "lists" / "lock", "r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = school.update()
    assert done.returncode == 1
    assert "another update" in done.stderr
