# SPDX-License-Identifier: GPL-3.0-or-later
"""The gate's own pages as people meet them: what must stand on each and what must not (R96, U19), in
a real browser, at the sizes of a desk and of a phone. The pictures stay in BUILD/shots/ for people to
look at."""
import html
import json
import re
import shutil
import subprocess
import urllib.parse
from html.parser import HTMLParser
from pathlib import Path

import pytest

import gate as gate_lib

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
            "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--disable-dev-shm-usage", "--hide-scrollbars", "--ignore-certificate-errors",
            "--proxy-bypass-list=<-loopback>"]
SIGNED = {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}
# Who sits at the device, by the name of the voice: group, agreement.
STRANGER = "stranger"  # nobody known: the unknown group
VOICES = {STRANGER: None, "ks1": ("pupils-ks1", SIGNED), "ks2": ("pupils-ks2", SIGNED),
          "staff": ("teaching-staff", SIGNED), "unsigned": ("pupils-ks2", None)}
SECRET = "/secret-path?q=secret-words"
CLOSED, RUDE, SEALED = "slots.example", "rude.example", "sealed.example"
OPEN = "volcano.example:1"  # nobody listens there

KS1 = "Stop. This page is not for school. You have done nothing wrong. Show your grown-up."
KS2 = "This page is closed in school. You are not in trouble."
GUIDANCE = ["It was an accident", "Tell someone", "Ask for it"]
CHILDLINE = "0800 1111"

# Name of the page, voice, host, status, what stands there, what does not.
PAGES = [
    ("block-ks1", "ks1", CLOSED, 403, [KS1, *GUIDANCE, CHILDLINE], ["gambling", "money"]),
    ("block-ks1-sensitive", "ks1", RUDE, 403, [KS1, *GUIDANCE, CHILDLINE], ["porn", "adult"]),
    ("block-ks2", "ks2", CLOSED, 403, [KS2, *GUIDANCE, CHILDLINE, "games for money"], ["gambling"]),
    ("block-ks2-sensitive", "ks2", RUDE, 403, [KS2, *GUIDANCE, CHILDLINE], ["porn", "It is about"]),
    ("block-ks2-sealed", "ks2", SEALED, 403, [KS2, *GUIDANCE, CHILDLINE], ["illegal", "list"]),
    ("block-stranger", STRANGER, RUDE, 403, [KS2, *GUIDANCE, CHILDLINE],
     ["porn", "table/", "It is about"]),  # who has not signed in may be a child
    ("block-staff", "staff", CLOSED, 403,
     [*GUIDANCE, "Gambling and betting", "table/gambling/", "unacceptable", "The head and the governors",
      "lodge log --data DIR --id", "lodge check --policy FILE", "0808 800 5000"], []),
    ("block-staff-sealed", "staff", SEALED, 403,
     ["closed for everyone", "designated safeguarding lead", "It was an accident"],
     ["Ask for it", "abuse", "lodge check", "Category"]),
    ("limited", "unsigned", "games.example", 403,
     ["not open for you yet", "You are not in trouble.", "signed", CHILDLINE], ["games"]),
    ("trouble-502", "ks2", OPEN, 502, ["The site does not work just now", "nothing wrong", "cannot be reached"], []),
]
# The pages that set a device up, by their paths.
SETUP = {"home": "/", "setup": "/setup", "check": "/check",
         **{f"setup-{kind}": f"/setup/{kind}" for kind in (
             "android", "apple", "chromebook", "firefox", "linux", "mac", "windows")}}
NAMES = [page[0] for page in PAGES] + [*SETUP, "sign-in-407", "trouble-400", "trouble-404"]


def state_of(voice):
    if voice == STRANGER:
        return {"lodge_state": 1}
    group, agreement = VOICES[voice]
    person = {"id": f"person-{voice}", "group": group}
    return {"lodge_state": 1, "people": [{**person, "agreement": agreement} if agreement else person],
            "devices": [{"id": f"device-{voice}", "address": "127.0.0.1", "owner": person["id"]}]}


@pytest.fixture(scope="module")
def seats(lodge, tmp_path_factory):
    """A gate for each voice."""
    seats = {}
    try:
        for voice in VOICES:
            folder = tmp_path_factory.mktemp(voice)
            seats[voice] = gate_lib.Gate(
                lodge, folder, state=state_of(voice), workers=1,
                catalog={"gambling": [CLOSED], "pornography": [RUDE], "games": ["games.example"],
                         "child-sexual-abuse": [SEALED]},
                hosts={name: "127.0.0.1" for name in (CLOSED, RUDE, SEALED, "volcano.example")})
            seats[voice].start()
        yield seats
    finally:
        for seat in seats.values():
            seat.stop()


def ask_raw(seat, request):
    with seat.connect() as connection:
        connection.sendall(request)
        got = b""
        while piece := connection.recv(65536):
            got += piece
    return got


@pytest.fixture(scope="module")
def answers(seats, build):
    """{name: (head, page)} of every page; the pages are kept in BUILD/shots/."""
    seat = seats["ks2"]
    raw = {name: seats[voice].curl("-i", f"http://{host}{SECRET}").stdout
           for name, voice, host, _, _, _ in PAGES}
    raw |= {name: seat.curl("-i", f"http://lodge.internal{path}").stdout
            for name, path in SETUP.items()}
    raw["trouble-404"] = seat.curl("-i", "http://lodge.internal" + SECRET).stdout
    raw["sign-in-407"] = seat.curl("-i", "--proxy-user", "somebody:wrong-word",
                                   f"http://{OPEN}{SECRET}").stdout
    raw["trouble-400"] = ask_raw(seat, f"GET http://{CLOSED}{SECRET} HTTP/1.1\r\nHost: {CLOSED}\r\n"
                                 "Content-Length: 1\r\nContent-Length: 2\r\n\r\n".encode())
    shots = build / "shots"
    shots.mkdir(exist_ok=True)
    split = {}
    for name, answer in raw.items():
        head, _, page = answer.decode().partition("\r\n\r\n")
        split[name] = (head, page)
        (shots / f"{name}.html").write_text(page)
    return split


class Outline(HTMLParser):
    """Elements of a page with their attributes, and its text outside style and footer."""

    def __init__(self, page):
        super().__init__()
        self.elements, self.blocks, self.hidden = [], [""], 0
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        self.hidden += tag in ("style", "footer", "svg", "title")
        if tag in ("h1", "h2", "p", "li", "dt", "dd"):
            self.blocks.append("")

    def handle_endtag(self, tag):
        self.hidden -= tag in ("style", "footer", "svg", "title")

    def handle_data(self, text):
        if not self.hidden:
            self.blocks[-1] += text

    def all(self, tag):
        return [attributes for one, attributes in self.elements if one == tag]

    def sentences(self):
        for block in self.blocks:
            yield from (part.split() for part in re.split(r"[.?:;]\s", block + " ") if part.split())


@pytest.mark.parametrize("name, voice, host, status, stands, never", PAGES, ids=[p[0] for p in PAGES])
def test_U19_the_page_says_what_it_must_and_nothing_else(answers, seats, name, voice, host, status,
                                                         stands, never):
    head, page = answers[name]
    assert head.startswith(f"HTTP/1.1 {status} ")
    text = html.unescape(page.partition("</style>")[2])
    for words in stands:
        assert words in text, words
    for words in never:
        assert words.lower() not in text.lower(), words
    identities = {event["id"] for event in seats[voice].events()}
    assert any(identity in page for identity in identities)


@pytest.mark.parametrize("name", NAMES)
def test_no_page_tells_the_address_or_who_asked(answers, name):
    for word in ("secret", CLOSED, RUDE, SEALED, "volcano.example", "games.example", "somebody",
                 *(f"{kind}-{voice}" for kind in ("person", "device") for voice in VOICES)):
        assert word not in answers[name][1], word


@pytest.mark.parametrize("name", NAMES)
def test_every_page_is_whole_and_brings_no_code(answers, name):
    head, page = answers[name]
    assert "default-src 'none'" in head and "no-store" in head.lower()
    assert page.startswith("<!DOCTYPE html>") and page.rstrip().endswith("</html>")
    outline = Outline(page)
    assert outline.all("html") == [{"lang": "en-GB"}]
    assert len(outline.all("h1")) == len(outline.all("main")) == len(outline.all("title")) == 1
    assert re.search(r"<title>[^<]{4,}</title>", page)
    for tag, attributes in outline.elements:
        assert tag not in ("script", "form", "iframe", "object", "embed", "img", "base"), tag
        assert not [key for key in attributes if key.startswith("on") or key in ("src", "style")]
        assert "http-equiv" not in attributes
    # An empty icon, so that no browser asks the site for one: a second event of one visit.
    icon, *others = outline.all("link")
    assert icon == {"rel": "icon", "href": "data:,"}
    # The check takes what makes it "yes" over HTTPS, and from nowhere else.
    assert [link["href"].partition("?")[0] for link in others] == (
        ["https://check.lodge.internal/check.css"] if name == "check" else [])
    for picture in outline.all("svg"):
        assert picture.get("aria-hidden") == "true" or (picture["role"] == "img" and
                                                        picture["aria-label"])
    if name.startswith("block-ks"):
        assert any(picture.get("role") == "img" for picture in outline.all("svg"))


@pytest.mark.parametrize("name, longest", [("block-ks1", 8), ("block-ks2", 14)])
def test_U19_sentences_are_as_long_as_a_child_reads(answers, name, longest):
    """Short sentences for reading ages 6 and 8; the page's number is for grown-ups."""
    for words in Outline(answers[name][1]).sentences():
        assert len(words) <= longest, " ".join(words)


@pytest.mark.parametrize("preset", ["trust-primary", "church-primary"])
def test_the_help_that_pages_name_is_open_to_everyone(answers, seats, lodge, preset):
    """Each link of each page is a lifeline in both presets, or the gate's own."""
    links = sorted({urllib.parse.urljoin("http://lodge.internal/", attributes["href"])
                    for _, page in answers.values() for attributes in Outline(page).all("a")})
    assert len(links) >= 5
    done = subprocess.run(
        [lodge, "check", "--policy", ROOT / "presets" / f"{preset}.json", "--catalog",
         seats["ks1"].catalog, "--group", "pupils-ks1", "--at", "2026-11-23T10:15", *links],
        capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        answer = json.loads(line)
        assert (answer["action"], answer["reason"]) == ("allow", "lifeline"), answer


def chromium(profile, *words, enrolled=False):
    """enrolled: certificates are looked at, by the database in HOME."""
    program = shutil.which("chromium")
    assert program, "chromium is missing: tools/install test"
    common = CHROMIUM
    if enrolled:  # the old headless mode has no database
        common = [word for word in CHROMIUM if "ignore-certificate" not in word and word != "--headless"]
        common += ["--headless=new"]
    done = subprocess.run([program, *common, f"--user-data-dir={profile}", *map(str, words)],
                          capture_output=True, timeout=300)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.parametrize("name, voice, url", [
    *((name, voice, f"http://{host}{SECRET}") for name, voice, host, _, _, _ in PAGES
      if name != "trouble-502"),  # a browser has ports that it does not ask for
    *((name, "ks2", f"http://lodge.internal{path}") for name, path in SETUP.items())],
    ids=lambda value: None)
def test_chromium_shows_the_page_through_the_gate(seats, build, tmp_path, name, voice, url):
    (build / "shots").mkdir(exist_ok=True)
    shot = build / "shots" / f"{name}.png"
    shot.unlink(missing_ok=True)
    before = len(seats[voice].events())
    chromium(tmp_path, f"--proxy-server={seats[voice].url}", "--window-size=1280,1300",
             f"--screenshot={shot}", url)
    assert shot.read_bytes().startswith(b"\x89PNG")
    own = [event for event in seats[voice].events()[before:]
           if event["host"] == urllib.parse.urlsplit(url).hostname]  # a browser asks others as well
    if name not in SETUP:  # which are lifelines, and not shown
        assert len(own) == 1, "one visit is one event"


SHEET = """<!DOCTYPE html><meta charset="utf-8"><title>Pages</title>
<style>body{margin:0;display:flex;background:#888}iframe{border:0;margin:8px;flex:none;background:#fff}</style>
%s<pre id="measures">not measured</pre><script>
addEventListener("load", () => {
  const measures = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, root = page.documentElement;
    measures[frame.title] = {
      over: root.scrollWidth - frame.clientWidth,
      links: [...page.querySelectorAll("a")].map(link => link.getClientRects()[0].height),
      small: [...page.querySelectorAll("p, li, dd, h1, h2")].map(
        text => parseFloat(frame.contentWindow.getComputedStyle(text).fontSize)),
    };
  }
  document.getElementById("measures").textContent = JSON.stringify(measures);
});
</script>"""


@pytest.mark.parametrize("width", [360, 320])
def test_every_page_fits_a_phone_and_small_fingers(answers, build, tmp_path, width):
    """Nothing to scroll sideways at 320 pixels (WCAG 2.2, 1.4.10), nothing smaller than 16 pixels,
    and links of 24 pixels or more (2.5.8), 40 for children."""
    frames = "".join(f'<iframe title="{name}" width="{width}" height="2200" srcdoc="'
                     f'{html.escape(page)}"></iframe>' for name, (_, page) in sorted(answers.items()))
    sheet = tmp_path / "sheet.html"
    sheet.write_text(SHEET % frames)
    shot = build / "shots" / f"all-at-{width}.png"
    chromium(tmp_path / "a", f"--window-size={len(answers) * (width + 16)},2216",
             f"--screenshot={shot}", sheet.as_uri())
    assert shot.read_bytes().startswith(b"\x89PNG")
    dom = chromium(tmp_path / "b", "--dump-dom", sheet.as_uri())
    measures = json.loads(html.unescape(re.search(r'id="measures">([^<]*)<', dom)[1]))
    assert sorted(measures) == sorted(NAMES)
    for name, measure in measures.items():
        assert measure["over"] <= 0, name
        assert min(measure["small"]) >= 16, name
        least = 40 if name.startswith("block-ks1") else 24
        assert all(height >= least for height in measure["links"]), (name, measure["links"])
