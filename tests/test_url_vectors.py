# SPDX-License-Identifier: GPL-3.0-or-later
"""url_parse and host_parse against the web platform's URL vectors (shared data): what a browser refuses
is refused, what both take has the same scheme, host and port, and the path and query that the
matching form (wire/url.h) makes of the browser's. Where Lodge refuses what a browser takes, a row
of the tables below says why; a row that excuses nothing fails."""
import json
import re
import subprocess
import unicodedata

import pytest

PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "ftp": 21}

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
PATH = UNRESERVED + "!$&'()*+,;=:@/"
QUERY = (PATH + "?").replace("'", "")


@pytest.fixture(scope="module")
def vectors(shared):
    return shared / "data" / "vectors" / "url-wpt"


@pytest.fixture(scope="module")
def ask(build):
    """ask(urls) -> what url_parse makes of each, as tests/tools/urlprobe prints it."""
    def run(urls):
        lines = "".join(usv(url).encode().hex() + "\n" for url in urls)
        done = subprocess.run([build / "tests" / "urlprobe"], input=lines, text=True, check=True,
                              stdout=subprocess.PIPE)
        return [json.loads(line) for line in done.stdout.splitlines()]
    return run


def usv(text):
    """Lone surrogates become U+FFFD, as in a browser's USVString."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def matching(text, allowed):
    """The matching form of what a browser printed, written anew from wire/url.h."""
    def one(found):
        piece = found.group(0)
        if len(piece) == 3:
            char = chr(int(piece[1:], 16))
            return char if char in UNRESERVED else piece.upper()
        return piece if piece in allowed else f"%{ord(piece):02X}"
    return re.sub("%[0-9A-Fa-f]{2}|.", one, text, flags=re.DOTALL)


def load(path):
    return [row for row in json.loads(path.read_text()) if isinstance(row, dict)]


def without_dot(host):
    return host[:-1] if host.endswith(".") else host


def breaks_dns(host):
    """RFC 1035's lengths, which WHATWG leaves to the resolver."""
    host = without_dot(host)
    return len(host) > 253 or any(not 1 <= len(label) <= 63 for label in host.split("."))


# ---- whole URLs

# Refused here, taken by browsers: (why, which).
URL_REFUSALS = [
    ("nothing listens on port 0", lambda row: row["port"] == "0"),
    ("servers differ on what '..' behind an empty segment names",
     lambda row: re.search(r"//+\.\.", row["input"][8:])),
    ("empty and overlong labels cannot be looked up", lambda row: breaks_dns(row["hostname"])),
    ("libidn2 takes no symbols; browsers send such a name in ASCII",
     lambda row: "%e2%98%83" in row["input"]),
]


def scheme_and_rest(text):
    text = re.sub("[\t\n\r]", "", text.strip("".join(map(chr, range(33)))))
    found = re.match("([A-Za-z][A-Za-z0-9+.-]*):(.*)", text, re.DOTALL)
    return (found.group(1).lower(), found.group(2)) if found else (None, text)


def is_absolute(row):
    """True where the base plays no part in the answer."""
    scheme, rest = scheme_and_rest(row["input"])
    base = scheme_and_rest(row.get("base") or "")[0]
    if row.get("failure"):
        return base in (None, "about")
    return scheme in PORTS and "hostname" in row and (base != scheme or rest.startswith("//"))


def expected(row):
    scheme = row["protocol"][:-1]
    return {"scheme": scheme,
            "host": without_dot(row["hostname"]).strip("[]"),
            "port": int(row["port"]) if row["port"] else PORTS[scheme],
            "path": re.sub("/+", "/", matching(row["pathname"], PATH)),
            "query": matching(row["search"][1:], QUERY)}


@pytest.mark.parametrize("name, least", [("urltestdata.json", 400),
                                         ("ada_extra_urltestdata.json", 10),
                                         ("verifydnslength_tests.json", 10)])
def test_urls_are_read_as_browsers_read_them(vectors, ask, name, least):
    rows = [row for row in load(vectors / name) if is_absolute(row)]
    assert len(rows) >= least
    wrong = []
    for row, got in zip(rows, ask([row["input"] for row in rows])):
        got["query"] = got.get("query") or ""
        if row.get("failure"):
            if "error" not in got:
                wrong.append(f"{row['input']!a} is taken: {got}")
        elif "error" in got:
            if not any(excuses(row) for _, excuses in URL_REFUSALS):
                wrong.append(f"{row['input']!a} is refused")
        elif got != expected(row):
            wrong.append(f"{row['input']!a}: {got}, browsers: {expected(row)}")
    assert not wrong, "\n".join(wrong)


def test_every_listed_refusal_of_a_url_is_one(vectors, ask):
    rows = [row for row in load(vectors / "urltestdata.json")
            if not row.get("failure") and is_absolute(row)]
    refused = [row for row, got in zip(rows, ask([row["input"] for row in rows])) if "error" in got]
    for why, excuses in URL_REFUSALS:
        assert any(excuses(row) for row in refused), why


def test_queries_are_escaped_as_browsers_escape_utf_8(vectors, ask):
    rows = load(vectors / "percent-encoding.json")
    assert len(rows) >= 5
    for row, got in zip(rows, ask([f"http://h/?{row['input']}" for row in rows])):
        assert got["query"] == matching(row["output"]["utf-8"], QUERY), ascii(row["input"])


def test_schemes_without_an_authority_are_refused(vectors, ask):
    rows = [row for row in load(vectors / "urltestdata.json")
            if scheme_and_rest(row["input"])[0] not in (None, *PORTS)]
    assert len(rows) >= 200
    for row, got in zip(rows, ask([row["input"] for row in rows])):
        assert "error" in got, ascii(row["input"])


# ---- hosts

# Code points that libidn2 2.3.3 refuses although they are letters to UTS 46 of today. Browsers send
# such a name in ASCII, and that is taken.
LATER = {
    "Georgian capitals have small letters since Unicode 11": range(0x10A0, 0x10C6),
    "capitals without small letters when IDNA2003 was made": (0x04C0, 0x2132, 0x2183),
    "single Hangul parts and fillers": [*range(0x1100, 0x1200), 0xD7F6, 0xFFA0],
    "format characters once forbidden, now left out": (0x180E, 0x206B),
    "Adlam and Mende, right to left by its marks": range(0x1E800, 0x1E960),
    "compatibility ideographs whose mapping was mended":
        (0x2F868, 0x2F874, 0x2F91F, 0x2F95F, 0x2F9BF),
    "ideographs newer than libidn2's tables": range(0x30000, 0x33480),
}


def has_symbol(text):
    return any(unicodedata.category(char)[0] in "SP" and ord(char) > 0x7F or
               unicodedata.category(char) == "No" for char in text)


def has_edge_hyphen(host):
    """A hyphen first, last, or third and fourth in a label that is not ASCII."""
    for label in host.split("."):
        if label.startswith("xn--"):
            label = label[4:].encode().decode("punycode")
            if label.startswith("-") or label.endswith("-") or label[2:4] == "--":
                return True
    return False


# Refused here, taken by browsers: (why, which). The host is the browser's answer.
HOST_REFUSALS = [
    ("empty and overlong labels cannot be looked up", lambda text, host: breaks_dns(host)),
    ("IDNA2008 takes no symbols, punctuation and odd numbers", lambda text, host: has_symbol(text)),
    ("IDNA2008 takes no hyphens at a label's edges and in its third and fourth place",
     lambda text, host: has_edge_hyphen(host)),
    *((why, lambda text, host, points=frozenset(points): not points.isdisjoint(map(ord, text)))
      for why, points in LATER.items()),
]


def as_url(host):
    """As the platform's own test: what would end the host is escaped."""
    return "https://" + re.sub(r"[:/?#\\]", lambda found: f"%{ord(found.group(0)):02X}", host) + "/x"


def host_rows(vectors):
    rows = []
    for name in ("IdnaTestV2.json", "IdnaTestV2-removed.json", "toascii.json"):
        # Without a host, "https:///x" is the host x.
        rows += [row for row in load(vectors / name) if row["input"]]
    return rows


def test_hosts_become_ascii_as_in_browsers(vectors, ask):
    rows = host_rows(vectors)
    assert len(rows) > 2500
    wrong, unused = [], {why for why, _ in HOST_REFUSALS}
    for row, got in zip(rows, ask([as_url(row["input"]) for row in rows])):
        want = row["output"]
        if want is None:
            if "error" not in got:
                wrong.append(f"{row['input']!a} is taken: {got['host']}")
        elif "error" in got:
            reasons = {why for why, excuses in HOST_REFUSALS if excuses(row["input"], want)}
            unused -= reasons
            if not reasons:
                wrong.append(f"{row['input']!a} is refused, browsers: {want}")
        elif got["host"] != without_dot(want):
            wrong.append(f"{row['input']!a}: {got['host']}, browsers: {want}")
    assert not wrong, "\n".join(wrong)
    assert not unused, "these excuse nothing"


def test_what_browsers_send_is_taken(vectors, ask):
    """A browser sends the ASCII form; that one is never refused but for DNS's own lengths."""
    hosts = sorted({row["output"] for row in host_rows(vectors) if row["output"]})
    hosts = [host for host in hosts if not breaks_dns(host)]
    assert len(hosts) > 400
    for host, got in zip(hosts, ask([as_url(host) for host in hosts])):
        assert got.get("host") == without_dot(host), ascii(host)
