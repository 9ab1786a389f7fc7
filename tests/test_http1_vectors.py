# SPDX-License-Identifier: GPL-3.0-or-later
"""llhttp's own cases (Markdown, from the shared data) through Lodge's parser.

A case whose log ends in an error must be refused, as must each that needs one of llhttp's lenient
flags; any other must be accepted. Where Lodge decides otherwise, DIFFERENT says why; a row that no
longer differs fails as well.
"""
import json
import re
from dataclasses import dataclass

import pytest

import probe

PART = re.compile(r"^#{2,4} (?P<title>[^\n]*)$|^<!-- meta=(?P<meta>\{.*?\}) -->$"
                  r"|^```(?P<kind>http|log)\n(?P<text>.*?)^```$", re.M | re.S)
SPAN = re.compile(r'^off=(\d+) len=(\d+) span\[\w+\]="([^\\\n]*)"$', re.M)
ERROR = re.compile(r'error code=(\d+) reason="')
# Of llhttp's error codes: pauses that the case asked for, upgrades, and bytes behind a message that
# closes the connection (Lodge does not read those at all).
NO_FAULT = {"5", "21", "22", "23"}
HOSTLESS = re.compile(rb"(?m)^([A-Z-]+ \S+ HTTP/1\.1\r\n)(?!(?:[^\r\n]+\r\n)*?[Hh][Oo][Ss][Tt]:)")

CLOSED = "the bytes behind a message that closes the connection are not read"
METHOD = "RFC 9110 section 9.1: any token is a method; policy decides, not the parser"
EARLY = "the lines are right so far; what they say together is judged when the head is whole"
EMPTY = "RFC 9112 section 2.2: one empty line before a request, none before a response"
PROTOCOL = "only HTTP/1.0 and HTTP/1.1 are spoken"
FRAGMENT = "RFC 9112 section 3.2: no target has a fragment"
CODING = "RFC 9112 section 6.1: what is not exactly \"chunked\" ends where two readers may differ"
ASTERISK = "RFC 9112 section 3.2.4: \"*\" is for OPTIONS"
DIFFERENT = {
    ("request/connection", "Resetting flags when keep-alive is off (1.0, lenient)"): CLOSED,
    ("request/connection", "CRLF between requests, implicit `keep-alive`"): EMPTY,
    ("request/connection", "CRLF between requests, explicit `close` (lenient)"): CLOSED,
    ("request/content-length", "Error on `Content-Length` overflow"): EARLY,
    ("request/content-length", "Error on duplicate `Content-Length`"): EARLY,
    ("request/invalid", "HTTP protocol and ANNOUNCE method"): METHOD,
    ("request/invalid", "Invalid method"): METHOD,
    ("request/method", "CONNECT with body"): "RFC 9110 section 9.3.6: what follows is the tunnel's",
    ("request/method", "M-SEARCH request"): ASTERISK,
    ("request/method", "SOURCE request with ICE"): PROTOCOL,
    ("request/method", "OPTIONS request with RTSP"): PROTOCOL,
    ("request/method", "ANNOUNCE request with RTSP"): PROTOCOL,
    ("request/method", "PRI request HTTP2"): ASTERISK,
    ("request/sample", "No HTTP version"): PROTOCOL,
    ("request/transfer-encoding", "Trailing headers"):
    "RFC 9110 section 6.5.1: Content-Type does not come behind what it is about",
    ("request/transfer-encoding", "POST with `chunked` as last transfer-encoding"): FRAGMENT,
    ("request/transfer-encoding",
     "POST with `chunked` as last transfer-encoding (multiple headers)"): FRAGMENT,
    ("request/uri", "Fragment in URI"): FRAGMENT,
    ("request/uri", "`host:port` and basic auth"):
        "RFC 9110 section 4.2.4: a user name in a target hides the host",
    ("response/connection", "HTTP/1.1 with keep-alive disabled, content-length (lenient)"): CLOSED,
    ("response/connection", "HTTP/1.1 with keep-alive disabled and 204 status (lenient)"): CLOSED,
    ("response/connection", "HTTP 304 with Content-Length"): EMPTY,
    ("response/connection", "HTTP 100 first, then 400"): EMPTY,
    ("response/pipelining", "Should parse multiple events"): EMPTY,
    ("response/sample", "RTSP response"): PROTOCOL,
    ("response/sample", "ICE response"): PROTOCOL,
    ("response/sample", "HTTP version 0.9"): PROTOCOL,
    ("response/sample", "Response starting with CRLF"): EMPTY,
    ("response/transfer-encoding", "`chunked` before other transfer-encoding"): CODING,
    ("response/transfer-encoding",
     "multiple transfer-encoding where chunked is not the last one"): CODING,
    ("response/transfer-encoding",
     "`chunkedchunked` transfer-encoding does not enable chunked enconding"): CODING,
}


@dataclass
class Case:
    name: tuple
    type: str
    bytes: bytes
    log: str

    @property
    def must_be_refused(self):
        code = ERROR.search(self.log)
        return "lenient" in self.type or (code is not None and code[1] not in NO_FAULT)


def unescape(text):
    """Bytes as the cases mean them: lines end in CRLF, escapes stand for bytes."""
    text = text.removesuffix("\n").replace("\\\n", "").replace("\n", "\r\n")
    for escape, byte in (("\\r", "\r"), ("\\n", "\n"), ("\\t", "\t"), ("\\f", "\f")):
        text = text.replace(escape, byte)
    text = re.sub(r"\\x([0-9a-fA-F]{2})", lambda found: chr(int(found[1], 16)), text)
    return text.encode()


def read_cases(path):
    cases = []
    title = meta = text = None
    for part in PART.finditer(path.read_text()):
        title = part["title"] or title
        meta = json.loads(part["meta"]) if part["meta"] else meta
        if part["kind"] == "http":
            text = unescape(part["text"])
        elif part["kind"] == "log" and text is not None:
            kind = meta.get("type", path.parent.name)
            cases.append(Case((f"{path.parent.name}/{path.stem}", title), kind, text, part["text"]))
            text = None
    return cases


@pytest.fixture(scope="module")
def cases(shared):
    folder = shared / "data" / "vectors" / "llhttp"
    return [case for path in sorted(folder.glob("re*/*.md")) for case in read_cases(path)]


def test_the_cases_are_read_as_they_are_meant(cases):
    """The logs quote the input by offset: what they quote must stand there."""
    quoted = 0
    for case in cases:
        for offset, length, text in SPAN.findall(case.log):
            found = case.bytes[int(offset):int(offset) + int(length)]
            assert found == text.encode(), case.name
            quoted += 1
    assert len(cases) > 200 and quoted > 1000


def test_lodge_is_as_strict_as_llhttp_says_or_has_a_reason(cases, build):
    inputs = []
    for case in cases:
        request = case.type.startswith("request")
        # Most requests lack the Host that HTTP/1.1 demands, which is not what they are about.
        data = HOSTLESS.sub(rb"\1Host: a.example\r\n", case.bytes) if request else case.bytes
        inputs.append((probe.REQUEST if request else probe.RESPONSE, data))
    different = {}
    for case, seen in zip(cases, probe.run(build / "tests" / "tools" / "http1probe", inputs)):
        if seen.refused != case.must_be_refused:
            different[case.name] = f"{seen.end}: {case.log.splitlines()[-1]}"
    unexplained = {name: why for name, why in different.items() if name not in DIFFERENT}
    assert not unexplained
    assert not set(DIFFERENT) - set(different), "these no longer differ"


def test_a_request_without_a_host_is_refused(cases, build):
    inputs = [(probe.REQUEST, case.bytes) for case in cases
              if case.type == "request" and re.match(rb"GET / HTTP/1\.1\r\n(?!Host)", case.bytes)]
    assert inputs
    for seen in probe.run(build / "tests" / "tools" / "http1probe", inputs):
        assert seen.refused or seen.end == "more"
