# SPDX-License-Identifier: GPL-3.0-or-later
"""`lodge catalog` on small lists written here."""
import hashlib
import os
import pty
import subprocess

import pytest

LISTS = {
    "bets.txt": "bets.example\nslots.example\nbad line here\n",
    "hosts.txt": "0.0.0.0 play.example www.play.example\n127.0.0.1 localhost\n",
    "urls.txt": "http://files.example/a\nwatch.example/watch?v=1\n",
    "ut1/domains": "dirty.example\nname.example\n",
    "ut1/domains.1": "second.example\n",
    "ut1/urls": "host.example/x\n",
    "ut1/expressions": "(a|b)\n[0-9]\n",
    "ut1/usage": "black\n",
    "v2fly/a": "domain:one.example\nfull:two.example @ads\nregexp:x\ninclude:b\ninclude:c @ads\n",
    "v2fly/b": "three.example\ninclude:a\n",
    "v2fly/c": "four.example @ads\nfive.example\n",
    "nets.txt": "192.0.2.0/24\n",
    "except.txt": "name.example  # sells names\n",
}
MANIFEST = """
gambling domains bets.txt
games hosts hosts.txt   # whole sites
malware urls urls.txt
vpn-proxy ut1 ut1
generative-ai v2fly v2fly/a
vpn-proxy cidr nets.txt
except vpn-proxy except.txt
"""


@pytest.fixture
def folder(tmp_path):
    for name, text in LISTS.items():
        path = tmp_path / "lists" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (tmp_path / "lists" / "manifest").write_text(MANIFEST)
    return tmp_path / "lists"


def run(lodge, *words, text=None):
    return subprocess.run([lodge, "catalog", *words], input=text, capture_output=True, text=True)


def build(lodge, folder, *words):
    return run(lodge, "build", "--manifest", folder / "manifest", "-o", folder / "image", *words)


def answers(lodge, folder, *urls):
    done = run(lodge, "lookup", folder / "image", *urls)
    assert done.returncode == 0, done.stderr
    return dict(line.split("\t") for line in done.stdout.splitlines())


def test_every_format_gives_its_category(lodge, folder):
    done = build(lodge, folder)
    assert done.returncode == 0, done.stderr
    want = {"http://bets.example/": "gambling", "https://www.slots.example/x": "gambling",
            "www.play.example": "games", "http://files.example/a/b": "malware",
            "http://files.example/": "-", "http://watch.example/watch?v=1&t=2": "malware",
            "http://watch.example/watch?v=2": "-", "http://dirty.example/": "vpn-proxy",
            "http://second.example/": "vpn-proxy", "http://host.example/x": "vpn-proxy",
            "http://x.one.example/": "generative-ai", "http://two.example/": "generative-ai",
            "http://x.two.example/": "-", "http://three.example/": "generative-ai",
            "http://four.example/": "generative-ai", "http://five.example/": "-",
            "http://192.0.2.44/": "vpn-proxy", "http://name.example/": "-",
            "http://xbets.example/": "-", "http://bets.x.example/": "-"}
    assert answers(lodge, folder, *want) == want


def test_bad_lines_are_shown_with_their_place_and_counted(lodge, folder):
    done = build(lodge, folder)
    assert f"{folder}/bets.txt:3: not a host name or an address: bad line here" in done.stderr
    assert "1 bad lines, 4 of a kind that is not taken" in done.stdout
    details = build(lodge, folder, "--details").stderr
    assert f"{folder}/ut1/expressions: 2 left out: regular expressions" in details
    assert f"{folder}/v2fly/a: 1 line left out: a regular expression" in details


def test_F18_a_poisoned_list_does_not_close_a_whole_country(lodge, folder):
    (folder / "bets.txt").write_text("com\nco.uk\n*.ac.uk\nbets.co.uk\n0.0.0.0/0\n")
    (folder / "nets.txt").write_text("0.0.0.0/0\n192.0.2.0/24\n::/0\n")
    done = build(lodge, folder)
    assert f"{folder}/bets.txt:2: a public suffix" in done.stderr
    want = {"http://bbc.co.uk/": "-", "http://www.ox.ac.uk/": "-", "http://bets.co.uk/": "gambling",
            "http://example.com/": "-", "http://198.51.100.1/": "-"}
    assert answers(lodge, folder, *want) == want


def test_a_list_that_nobody_uses_is_told_until_the_manifest_says_why(lodge, folder):
    (folder / "lost").mkdir()
    (folder / "lost" / "a.txt").write_text("a.example\n")
    (folder / "lost" / "b.txt").write_text("b.example\n")
    manifest = folder / "manifest"
    manifest.write_text(MANIFEST + "news domains lost/a.txt\n")
    done = build(lodge, folder)
    assert f"{folder}/lost/b.txt: no category uses it" in done.stderr
    manifest.write_text(MANIFEST + "news domains lost/a.txt\nunused lost/b.txt of last year\n")
    assert "lost/b.txt" not in build(lodge, folder).stderr
    manifest.write_text(MANIFEST + "news domains lost/a.txt\nunused lost/* of last year\n")
    assert "lost/b.txt" not in build(lodge, folder).stderr


@pytest.mark.parametrize("line, want", [
    ("gamblng domains bets.txt", 'line 10: there is no category "gamblng"; near it are gambling'),
    ("games nonsense bets.txt", "line 10: the format is one of"),
    ("games domains missing.txt", "missing.txt: No such file or directory"),
    ("games ut1 missing", "missing: No such file or directory; a UT1 list is a folder"),
    ("games domains ut1", "ut1: is not a file; is the format right?"),
    ("except games reasonless.txt", "reasonless.txt:1: the reason is missing"),
    ("except games notaname.txt", "notaname.txt:2: not a URL"),
])
def test_what_is_wrong_builds_nothing_and_keeps_the_old_image(lodge, folder, line, want):
    assert build(lodge, folder).returncode == 0
    before = (folder / "image").read_bytes()
    (folder / "reasonless.txt").write_text("play.example\n")
    (folder / "notaname.txt").write_text("# x\nhttp:// # why\n")
    (folder / "manifest").write_text(MANIFEST + "\n" + line + "\n")
    done = build(lodge, folder)
    assert done.returncode == 1
    assert want in done.stderr
    assert "nothing is built" in done.stderr
    assert (folder / "image").read_bytes() == before
    assert [path.name for path in folder.iterdir() if ".new." in path.name] == []


def test_an_exception_that_takes_nothing_out_is_told(lodge, folder):
    (folder / "except.txt").write_text("name.example # sells names\nother.example # gone\n")
    done = build(lodge, folder)
    assert done.returncode == 0
    assert f"{folder}/except.txt:2: no list of this category holds other.example" in done.stderr


def test_F18_popular_names_are_warned_of_with_their_list_and_line(lodge, folder):
    (folder / "popular.txt").write_text("dirty.example\nslots.example\nclean.example\n")
    done = build(lodge, folder, "--popular", folder / "popular.txt")
    assert (f"warning: {folder}/ut1/domains:1: dirty.example gives the popular name dirty.example "
            "the category vpn-proxy") in done.stderr
    assert f"{folder}/bets.txt:2: slots.example gives" in done.stderr
    assert "clean.example" not in done.stderr


def test_progress_is_shown_on_a_terminal_and_nowhere_else(lodge, folder):
    assert "\r" not in build(lodge, folder).stderr
    words = [lodge, "catalog", "build", "--manifest", folder / "manifest", "-o", folder / "image"]
    main, side = pty.openpty()
    subprocess.run(words, stderr=side, stdout=subprocess.DEVNULL, check=True)
    shown = os.read(main, 65536).decode()
    assert "lines of the manifest" in shown
    subprocess.run([*words, "--quiet"], stderr=side, stdout=subprocess.DEVNULL, check=True)
    os.close(side)
    with pytest.raises(OSError):
        os.read(main, 65536)
    os.close(main)
    quiet = build(lodge, folder, "--quiet")
    assert quiet.returncode == 0 and quiet.stdout + quiet.stderr == ""


def test_F3_a_sealed_entry_that_closes_a_popular_name_is_told_without_it(lodge, folder):
    (folder / "hashed.txt").write_text(f"# head\n{sha('famous.example')}\t-\n")
    (folder / "manifest").write_text("child-sexual-abuse hashed hashed.txt\n")
    (folder / "popular.txt").write_text("famous.example\n")
    done = build(lodge, folder, "--popular", folder / "popular.txt")
    assert f"{folder}/hashed.txt:2: a sealed entry closes a popular name" in done.stderr
    assert "famous" not in done.stdout + done.stderr
    assert "child-sexual-abuse" not in done.stdout + done.stderr


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_I1_sealed_entries_are_answered_and_never_shown(lodge, folder):
    (folder / "hashed.txt").write_text(
        f"{sha('worst.example')}\t{sha('worst.example/a/b')}\n{sha('whole.example')}\t-\nnot a hash\n")
    (folder / "plain.txt").write_text("http://secretname.example/hiddenpath\nwrong host name/x\n")
    (folder / "manifest").write_text(
        MANIFEST + "child-sexual-abuse hashed hashed.txt\nterrorist-content urls plain.txt\n"
        "violence domains more.txt sealed\n")
    (folder / "more.txt").write_text("thirdname.example\nwrong name\n")
    done = build(lodge, folder, "--details")
    assert done.returncode == 0, done.stderr
    assert f"{folder}/hashed.txt:3: not a SHA-256" in done.stderr
    assert f"{folder}/more.txt:2: not a host name or an address" in done.stderr
    info = run(lodge, "info", folder / "image").stdout
    assert "sealed: 4 entries" in info
    everything = done.stdout + done.stderr + info + (folder / "image").read_bytes().decode("latin-1")
    for word in ("secretname", "hiddenpath", "thirdname", "not a hash", "wrong host", "wrong name"):
        assert word not in everything, word
    shown = info.split("category")[1]
    assert "violence" not in shown and "terrorist-content" not in shown
    want = {"http://www.worst.example/a/b/c?d": "sealed", "http://worst.example/a": "-",
            "https://whole.example/": "sealed", "http://secretname.example/hiddenpath/x": "sealed",
            "http://secretname.example/": "-", "http://thirdname.example/": "sealed"}
    assert answers(lodge, folder, *want) == want


def test_lookup_answers_what_came_before_it_waits_for_more(lodge, folder):
    build(lodge, folder)
    with subprocess.Popen([lodge, "catalog", "lookup", folder / "image", "-"], text=True,
                          stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        for name, want in (("bets.example", "gambling"), ("http://nothing.example/", "-")):
            process.stdin.write(name + "\n")
            process.stdin.flush()
            assert process.stdout.readline() == f"{name}\t{want}\n"
        process.stdin.write("play.example")
        process.stdin.close()
        assert process.stdout.read() == "play.example\tgames\n"
        assert process.wait() == 0


def test_a_line_that_is_no_url_has_no_category_and_is_told(lodge, folder):
    build(lodge, folder)
    done = run(lodge, "lookup", folder / "image", "-", text="bets.example\n\nhttp://\n")
    assert done.stdout == "bets.example\tgambling\n\t-\nhttp://\t-\n"
    assert "2 of these are not URLs" in done.stderr


def test_a_damaged_image_is_refused_with_a_sentence(lodge, folder):
    build(lodge, folder)
    image = (folder / "image").read_bytes()
    flipped = bytearray(image)
    flipped[len(image) // 2] ^= 1
    for damaged, want in ((b"", "too short"), (image[:5000], "cut short"), (b"x" * 9000, "not a catalog"),
                          (bytes(flipped), "damaged")):
        (folder / "damaged").write_bytes(damaged)
        for words in (("info", folder / "damaged"), ("lookup", folder / "damaged", "a.example")):
            done = run(lodge, *words)
            assert done.returncode == 1
            assert want in done.stderr and str(folder / "damaged") in done.stderr
            assert done.stdout == ""


def test_the_same_lists_give_the_same_image(lodge, folder):
    build(lodge, folder)
    first = (folder / "image").read_bytes()
    build(lodge, folder)
    assert (folder / "image").read_bytes() == first


@pytest.mark.parametrize("words", [("build",), ("info",), ("lookup",)])
def test_help_is_given(lodge, words):
    done = run(lodge, *words, "--help")
    assert done.returncode == 0 and "lodge catalog" in done.stdout
    assert run(lodge, *words).returncode == (0 if words == ("info",) else 2)
