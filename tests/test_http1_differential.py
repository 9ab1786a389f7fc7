# SPDX-License-Identifier: GPL-3.0-or-later
"""Lodge against llhttp in its strict mode: what Lodge reads, llhttp must read as the same messages.

llhttp's sources are Debian's (node-llhttp), compiled here and now; without the package the test is
left out, but fails where CI=true. Lodge may refuse more than llhttp does, never less: what it sees
must be the beginning of what llhttp sees, unless EXCUSES names the reason.
"""
import os
import random
import re
import subprocess
from pathlib import Path

import pytest

import probe

ROOT = Path(__file__).resolve().parent.parent
LLHTTP = Path("/usr/share/llhttp")
HEADER = Path("/usr/share/include/llhttp")
SEED = 9112
N_CASES = 20000

REQUESTS = [
    b"GET /index.html?a=b HTTP/1.1\r\nHost: a.example\r\nAccept: */*\r\n\r\n",
    b"GET http://a.example:8080/b HTTP/1.1\r\nHost: a.example:8080\r\nCookie: a=b; c=d\r\n\r\n",
    b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST /form HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5\r\n\r\nhello",
    b"POST /form HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6;a\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n",
    b"PUT /x HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
    b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n\r\n\x16\x03\x01",
    b"GET /ws HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a.example\r\n\r\n",
    b"DELETE /a HTTP/1.1\r\nHost: a.example\r\nConnection: close, te\r\nTE: trailers\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 33\r\n\r\n"
    b"GET /x HTTP/1.1\r\nHost: b.ex\r\n\r\n.",
]
RESPONSES = [
    b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\n\r\nhello",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nServer: a\r\n\r\nuntil the end",
    b"HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n",
    b"HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n",
    b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n\x00\x01",
    b"HTTP/1.1 301 Moved\r\nLocation: http://b.example/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 403\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
]
LINES = [
    b"Content-Length: 5", b"Content-Length: 0", b"Content-Length: +5", b"Content-Length: 5, 5",
    b"content-length: 0x5", b"Content-Length : 5", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: chunked, chunked", b"Transfer-Encoding: gzip, chunked",
    b"Transfer-Encoding: identity", b"Transfer-Encoding:\x0bchunked",
    b"Transfer-Encoding : chunked", b"Transfer-Encoding: chunked\t", b"Transfer-Encoding: xchunked",
    b" folded", b"\tfolded", b"X: y", b"X", b": y", b"Connection: close", b"Connection: keep-alive",
    b"Connection: upgrade", b"Upgrade: h2c", b"Host: b.example", b"X: \xff", b"X: a\x00b", b"",
    b"Keep-Alive: 5", b"Proxy-Connection: keep-alive", b"Trailer: X", b"Expect: 100-continue",
]
BYTES = [b"\r", b"\n", b"\r\n", b"\t", b" ", b"\x00", b"\x0b", b"\x0c", b"\x7f", b"\x80", b"\xff",
         b":", b";", b",", b"=", b"\"", b"\\", b"0", b"1", b"5", b"a", b"f", b"g", b"G", b"/", b"#",
         b"?", b"@", b"[", b"HTTP/1.1", b"0\r\n\r\n", b"-", b"+", b"x"]


def cut(chance, data):
    """Two places in data, in order."""
    return sorted(chance.randrange(len(data) + 1) for _ in range(2))


def put_byte(chance, data):
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(BYTES) + data[at:]


def replace_byte(chance, data):
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(BYTES) + data[at + 1:]


def drop(chance, data):
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.randint(1, 3):]


def put_line(chance, data):
    lines = data.split(b"\r\n")
    lines.insert(chance.randint(1, min(len(lines), 5)), chance.choice(LINES))
    return b"\r\n".join(lines)


def repeat_line(chance, data):
    lines = data.split(b"\r\n")
    lines.insert(chance.randrange(len(lines) + 1), chance.choice(lines))
    return b"\r\n".join(lines)


def bare_line_end(chance, data):
    parts = data.split(b"\r\n")
    at = chance.randrange(len(parts))
    return (b"\r\n".join(parts[:at]) + chance.choice([b"\r", b"\n", b"\n\r", b"\r\r\n"])
            + b"\r\n".join(parts[at:]))


def repeat_part(chance, data):
    start, end = cut(chance, data)
    return data[:end] + data[start:]


def swap_case(chance, data):
    start, end = cut(chance, data)
    return data[:start] + data[start:end].swapcase() + data[end:]


MUTATORS = [put_byte, put_byte, replace_byte, replace_byte, drop, put_line, put_line, repeat_line,
            bare_line_end, repeat_part, swap_case]


def make_cases(chance, n):
    cases = []
    while len(cases) < n:
        kind, seeds = chance.choice([
            (probe.REQUEST, REQUESTS), (probe.REQUEST, REQUESTS), (probe.RESPONSE, RESPONSES),
            (probe.RESPONSE_TO_HEAD, RESPONSES), (probe.RESPONSE_TO_CONNECT, RESPONSES)])
        data = b"".join(chance.choice(seeds) for _ in range(chance.choice([1, 1, 2, 3])))
        for _ in range(chance.choice([1, 1, 1, 2, 3])):
            data = chance.choice(MUTATORS)(chance, data)
        cases.append((kind, data))
    return cases


def first_difference(mine, other):
    """The first event of Lodge's that llhttp does not have, and llhttp's in its place or None."""
    for index, event in enumerate(mine.events):
        if index >= len(other.events):
            return event, None
        if event != other.events[index]:
            return event, other.events[index]
    return None, None


def last_head(mine, event):
    """The head before or at this event of Lodge's."""
    index = next(i for i, one in enumerate(mine.events) if one is event)
    return next(text for kind, text in reversed(mine.events[:index + 1]) if kind == "H")


def has_unknown_method(case, mine, other):
    """RFC 9110 section 9.1: any token is a method. llhttp has a list of 46."""
    (kind, text), _ = first_difference(mine, other)
    method = text.split(b" ")[0]
    return kind == "H" and other.end == "HPE_INVALID_METHOD" and method not in KNOWN_METHODS


def has_many_extensions(case, mine, other):
    """RFC 9112 section 7.1.1: a chunk may have several extensions, and values in quotes. llhttp 8.1
    takes one, of token bytes and '='."""
    return (other.end in ("HPE_INVALID_CHUNK_SIZE", "HPE_STRICT")
            and re.search(rb"[0-9a-fA-F];[^\r\n]*[\";]", case[1]) is not None)


def has_announced_no_body(case, mine, other):
    """RFC 9112 section 6.3, rule 1: 1xx, 204 and 304 have no body whatever they announce. llhttp
    8.1 reads one."""
    event, _ = first_difference(mine, other)
    announced = re.match(rb"(?is) (1..|204|304) .*\n(content-length|transfer-encoding):",
                         last_head(mine, event))
    return event == ("B", b"") and announced is not None


def has_interim_close(case, mine, other):
    """RFC 9110 section 15.2: a final response follows an interim one. llhttp 8.1 closes at once."""
    return (other.end == "HPE_CLOSED_CONNECTION"
            and re.search(rb"HTTP/1\.[01] 1..", case[1]) is not None)


def has_tab_behind_value(case, mine, other):
    """RFC 9112 section 5: white space behind a value may be a tab. llhttp 8.1 knows only spaces in
    the headers it looks at."""
    return re.search(rb"(?i)\n(content-length|transfer-encoding|connection):[^\r\n]*\t[ \t]*\r\n",
                     case[1]) is not None


def has_upgrade_in_10(case, mine, other):
    """RFC 9110 section 7.8: an Upgrade in HTTP/1.0 is ignored. llhttp 8.1 stops there."""
    return (other.end == "HPE_PAUSED_UPGRADE"
            and re.search(rb"(?i)HTTP/1\.0\r\n(.+\r\n)*Upgrade:", case[1]) is not None)


def has_digit_in_scheme(case, mine, other):
    """RFC 3986 section 3.1: a scheme may hold digits, '+', '-' and '.'. llhttp takes letters."""
    (kind, text), _ = first_difference(mine, other)
    return (kind == "H" and other.end == "HPE_INVALID_URL"
            and re.match(rb"\S+ [A-Za-z]+[0-9+.-][A-Za-z0-9+.-]*://", text) is not None)


KNOWN_METHODS = {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH", b"TRACE",
                 b"CONNECT"}
# Why Lodge may read what llhttp refuses or reads otherwise, each with a case that shows it.
EXCUSES = {
    has_unknown_method: (probe.REQUEST, b"LODGE / HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    has_digit_in_scheme: (probe.REQUEST,
                          b"GET svn+ssh://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
    has_many_extensions: (probe.RESPONSE, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                          b"1;a=b;c=d\r\nx\r\n0\r\n\r\n"),
    has_announced_no_body: (probe.RESPONSE, b"HTTP/1.1 204 None\r\nContent-Length: 5\r\n\r\nhello"),
    has_interim_close: (probe.RESPONSE, b"HTTP/1.1 100 Continue\r\nConnection: close\r\n\r\n"
                        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    has_upgrade_in_10: (probe.REQUEST, b"GET / HTTP/1.0\r\nConnection: keep-alive, upgrade\r\n"
                        b"Upgrade: x\r\n\r\nGET / HTTP/1.0\r\n\r\n"),
    has_tab_behind_value: (probe.RESPONSE, b"HTTP/1.1 200 OK\r\nContent-Length: 1\t\r\n\r\nx"),
}


@pytest.fixture(scope="module")
def llhttp(tmp_path_factory):
    """The probe around llhttp, compiled in its strict mode."""
    if not (LLHTTP / "llhttp.c").exists():
        if os.environ.get("CI") == "true":
            pytest.fail("node-llhttp is not installed")
        pytest.skip("left out: needs Debian's node-llhttp")
    program = tmp_path_factory.mktemp("llhttp") / "llhttpprobe"
    subprocess.run(["cc", "-O1", "-DLLHTTP_STRICT_MODE=1", f"-I{HEADER}", "-o", program,
                    ROOT / "tests" / "tools" / "llhttpprobe.c", *sorted(LLHTTP.glob("*.c"))],
                   check=True)
    return program


def test_both_read_the_unchanged_messages_alike(llhttp, build):
    cases = ([(probe.REQUEST, data) for data in REQUESTS]
             + [(probe.RESPONSE, data) for data in RESPONSES])
    ours = probe.run(build / "tests" / "tools" / "http1probe", cases)
    for case, mine, other in zip(cases, ours, probe.run(llhttp, cases)):
        assert mine.events and mine.events == other.events, case


def differ(mine, other):
    return mine.events != other.events[:len(mine.events)]


@pytest.mark.parametrize("excuse", EXCUSES, ids=lambda excuse: excuse.__name__)
def test_an_excuse_is_still_needed(excuse, llhttp, build):
    case = EXCUSES[excuse]
    (mine,) = probe.run(build / "tests" / "tools" / "http1probe", [case])
    (other,) = probe.run(llhttp, [case])
    assert differ(mine, other) and excuse(case, mine, other)


def test_what_lodge_reads_llhttp_reads_as_the_same(llhttp, build):
    cases = make_cases(random.Random(SEED), N_CASES)
    ours = probe.run(build / "tests" / "tools" / "http1probe", cases)
    theirs = probe.run(llhttp, cases)
    unexplained = [(case, mine, other) for case, mine, other in zip(cases, ours, theirs)
                   if differ(mine, other)
                   and not any(excuse(case, mine, other) for excuse in EXCUSES)]
    assert not unexplained, f"{len(unexplained)} cases, the first: {unexplained[0]}"
    # The cases are worth their name: many are read, many refused, and Lodge refuses some alone.
    assert sum(bool(mine.events) for mine in ours) > N_CASES // 4
    assert sum(mine.refused for mine in ours) > N_CASES // 4
    assert sum(mine.refused and not other.refused for mine, other in zip(ours, theirs)) > 0
