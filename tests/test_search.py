# SPDX-License-Identifier: GPL-3.0-or-later
"""Safe search and search terms (F33, D13, D14): through the running gate, and how much of the shared
tables of sites Lodge knows."""
import json
import subprocess
import types
from urllib.parse import quote

import pytest

import gate as gate_lib
import origin as origin_lib

ROOT = gate_lib.ROOT
SCHOOLS = ["church-primary", "trust-primary"]
LESSON = "2026-11-23T10:15"
WORDS = "zebra crossing"


@pytest.fixture(scope="module")
def catalog(lodge, tmp_path_factory):
    folder = tmp_path_factory.mktemp("search")
    return gate_lib.write_catalog(lodge, folder, {"games": ["games.example"]})


def check(lodge, catalog, school, group, urls):
    done = subprocess.run(
        [lodge, "check", "--policy", ROOT / "presets" / f"{school}.json", "--catalog", catalog,
         "--group", group, "--at", LESSON, "--data", catalog.parent / "data", "-"],
        input="".join(f"{url}\n" for url in urls), capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("school", SCHOOLS)
def test_F33_D13_check_shows_the_words_and_what_the_site_gets(lodge, catalog, school):
    google, video, page, yahoo = check(lodge, catalog, school, "pupils-ks1", [
        "https://www.google.co.uk/search?q=red+cats&safe=off", "https://www.youtube.com/watch?v=1",
        "https://news.example/", "https://search.yahoo.com/search?p=cats"])
    assert google["search"] == "red cats" and google["inspect"] is True
    assert google["rewrite"] == "https://www.google.co.uk/search?q=red+cats&safe=active&ssui=on"
    assert video["rewrite"] == "YouTube-Restrict: Strict"
    assert page["search"] is None and page["rewrite"] is None
    assert (yahoo["action"], yahoo["reason"]) == ("block", "no-safe-search")
    (staff,) = check(lodge, catalog, school, "teaching-staff", ["https://www.youtube.com/"])
    assert staff["rewrite"] == "YouTube-Restrict: Moderate"


@pytest.mark.parametrize("school", SCHOOLS)
def test_T5_pupils_and_staff_are_inspected_visitors_are_not(lodge, catalog, school):
    url = "https://news.example/"
    for group in ("pupils-ks1", "pupils-ks2", "teaching-staff", "support-staff", "governors"):
        assert check(lodge, catalog, school, group, [url])[0]["inspect"] is True, group
    assert check(lodge, catalog, school, "visitors", [url])[0]["inspect"] is False


def test_F33_D13_what_a_visitor_searches_for_goes_out_safe_and_into_the_event(gates, origin):
    one = gates(hosts={"www.google.com": "127.0.0.1", "shop.example": "127.0.0.1"})
    for words in ([f"http://www.google.com:{origin.port}/search?q=red+cats&safe=off"],
                  ["-d", "q=big+dogs&page=2", f"http://shop.example:{origin.port}/echo"]):
        answer = one.curl(*words)
        assert answer.returncode == 0, answer.stderr
    assert "/search?q=red+cats&safe=active&ssui=on" in [target for _, target, _ in origin.requests]
    found = {event["host"]: event for event in one.events() if event["kind"] != "close"}
    assert found["www.google.com"]["search"] == "red cats"
    assert found["www.google.com"]["query"] == "q=red+cats&safe=off"
    assert found["shop.example"]["search"] == "big dogs"


SIGNED = {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}
PUPIL = {"lodge_state": 1,
         "people": [{"id": "person-1", "group": "pupils-ks2", "agreement": SIGNED}],
         "devices": [{"id": "device-1", "address": "127.0.0.1", "owner": "person-1"}]}


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_F33_D13_a_pupil_s_searches_inside_HTTPS_are_safe_and_in_the_events(lodge, gates, tmp_path,
                                                                           version):
    names = ("www.google.co.uk", "www.youtube.com", "duckduckgo.com", "search.yahoo.com")
    chain, key = origin_lib.make_certificate(tmp_path, names)
    with origin_lib.Origin(certificate=types.SimpleNamespace(chain=chain, key=key)) as site:
        one = gates(hosts={name: "127.0.0.1" for name in names}, state=PUPIL,
                    options=["--origin-ca", chain])
        ca = tmp_path / "ca.pem"
        ca.write_bytes(subprocess.run([lodge, "ca", "show", "--data", one.data], check=True,
                                      capture_output=True).stdout)

        def get(*words):
            return one.curl(version, "--cacert", ca, *words)

        get(f"https://www.google.co.uk:{site.port}/search?q=red+cats&%73afe=off")
        get("-H", "YouTube-Restrict: Off",
            f"https://www.youtube.com:{site.port}/results?search_query=dances")
        get("-b", "p=-2; a=1", f"https://duckduckgo.com:{site.port}/?q=!safeoff+dogs&kp=-2")
        closed = get(f"https://search.yahoo.com:{site.port}/search?p=cats")
        form = get("-d", "q=cats&kp=-2", f"https://duckduckgo.com:{site.port}/html")
        sent = {target: {name.lower(): value for name, value in dict(headers).items()}
                for _, target, headers in site.requests}
    assert set(sent) == {"/search?q=red+cats&safe=active&ssui=on", "/results?search_query=dances",
                         "/?q=safeoff+dogs&kp=1&p=1"}
    assert sent["/results?search_query=dances"]["youtube-restrict"] == "Strict"
    assert sent["/?q=safeoff+dogs&kp=1&p=1"]["cookie"] == "a=1; p=1"
    assert b"</html>" in closed.stdout
    assert b"</html>" in form.stdout
    found = {(event["host"], event["search"]) for event in one.events()
             if event["kind"] != "close" and event["inspected"]}
    assert {("www.google.co.uk", "red cats"), ("www.youtube.com", "dances"),
            ("duckduckgo.com", "!safeoff dogs"), ("search.yahoo.com", "cats")} <= found


# --- the shared tables ---

def rows(path):
    lines = path.read_text().splitlines()[1:]
    return [(line.split("\t") + [""] * 4)[:4] for line in lines]


def share_found(lodge, catalog, urls):
    answers = check(lodge, catalog, "trust-primary", "pupils-ks2", urls)
    return sum(1 for answer in answers if WORDS in (answer["search"] or "")) / len(answers)


def test_D13_words_in_queries_of_known_sites_are_found(lodge, catalog, shared):
    table = rows(shared / "data" / "safesearch" / "search_terms_by_site.tsv")
    urls = [f"https://{host}{path}?{quote(name, safe='')}={WORDS.replace(' ', '+')}"
            for host, path, where, name in table if where == "query"]
    assert share_found(lodge, catalog, urls) >= 0.88


def test_D13_words_in_paths_of_known_sites_are_found_where_the_path_says_search(lodge, catalog,
                                                                                shared):
    table = rows(shared / "data" / "safesearch" / "search_terms_by_site.tsv")
    urls = [f"https://{host}{path.replace('{s}', quote(WORDS))}"
            for host, path, where, _ in table if where == "path"]
    # Most of the rest are looked up, not searched for: pages of a wiki, numbers, names of users.
    assert share_found(lodge, catalog, urls) >= 0.25


def test_F33_every_host_of_the_safe_search_map_is_rewritten_or_closed(lodge, catalog, shared):
    hosts = [row[1] for row in rows(shared / "data" / "safesearch" / "safesearch_map.tsv")]
    answers = check(lodge, catalog, "trust-primary", "pupils-ks2",
                    [f"https://{host}/search?q=x" for host in hosts])
    open_ = [answer["url"] for answer in answers
             if answer["action"] == "allow" and answer["rewrite"] is None]
    assert open_ == []
    closed = {answer["url"].split("/")[2] for answer in answers if answer["action"] != "allow"}
    assert closed == {"startpage.com", "eu.startpage.com"}
