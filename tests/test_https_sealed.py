# SPDX-License-Identifier: GPL-3.0-or-later
"""A URL on a sealed list over HTTPS: closed in every spelling, for a child, a visitor, and a head with
filtering off; what stands beside it on the same host opens (F1, F2, F3). The addresses are invented."""
import hashlib
import json
import subprocess

import pytest

import origin as origin_lib

HOST, HASHED, OTHER = "pictures.example", "hosting.example", "volcano.example"
PATH = "/albums/worst/one"
SIGNED = {"signed": True, "current": True, "parent": True, "until": "2099-01-01T00:00Z"}
LONG = {"from": "2020-01-01T00:00Z", "until": "2099-01-01T00:00Z"}

SPELLINGS = [PATH, PATH + "/", PATH + "/deeper", PATH + "?any=1", PATH + "#part", "/albums//worst/one",
             "/albums/./worst/one", "/albums/x/../worst/one", "/albums%2Fworst%2Fone",
             "/%61lbums/worst/%6fne", "/albums/worst%2fone", "/albums/%2e/worst/one",
             "/albums/x/%2e%2e/worst/one", "//albums/worst/one"]
NEIGHBOURS = ["/", "/albums", "/albums/worst", "/albums/worst/oneself", "/albums/other/one",
              "/other?path=/albums/worst/one"]


def state(group, filtering_off=False):
    made = {"lodge_state": 1,
            "people": [{"id": "person-1", "group": group, "agreement": SIGNED}],
            "devices": [{"id": "device-1", "address": "127.0.0.1", "owner": "person-1"}]}
    if filtering_off:
        made["filtering_off"] = [{"id": "off-1", "all": True, **LONG}]
    return made


WHO = {"pupil": state("pupils-ks2"), "visitor": {"lodge_state": 1},
       "head-with-filtering-off": state("teaching-staff", filtering_off=True)}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with origin_lib.Origin(tls=tmp_path_factory.mktemp("site"),
                           names=(HOST, HASHED, OTHER, f"www.{HOST}")) as server:
        yield server


def hashed(text):
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture(params=WHO, ids=list(WHO))
def gate(request, gates, site):
    lists = {("child-sexual-abuse", "urls", "sealed"): [f"{HOST}{PATH}"],
             ("terrorist-content", "hashed", "sealed"):
             [f"{hashed(HASHED)}\t{hashed(HASHED + PATH)}"]}
    return gates(catalog=lists, state=WHO[request.param],
                 hosts={name: "127.0.0.1" for name in (HOST, HASHED, OTHER, f"www.{HOST}")},
                 options=["--origin-ca", site.certificate])


def get(gate, site, host, path, *words):
    done = gate.curl("-o", "/dev/null", "-w", "%{http_code} %{ssl_verify_result} %{http_connect}",
                     "--path-as-is", "--cacert", gate.data / "ca" / "ca.pem", *words,
                     f"https://{host}:{site.port}{path}")
    return done.stdout.decode(), done.stderr.decode()


@pytest.mark.parametrize("version", ["--http1.1", "--http2"])
def test_F3_a_sealed_url_is_closed_over_https_in_every_spelling(gate, site, version):
    before = len(site.requests)
    spellings = SPELLINGS if version == "--http1.1" else SPELLINGS[:6]
    for host in (HOST, f"www.{HOST}", HOST.upper(), HASHED):
        for path in spellings:
            answer, trouble = get(gate, site, host, path, version)
            assert answer.startswith("403 0"), (host, path, answer, trouble)
    assert len(site.requests) == before, "nothing reached the site"
    for path in NEIGHBOURS:
        for host in (HOST, HASHED):
            answer, trouble = get(gate, site, host, path, version)
            assert answer.startswith("200 0"), (host, path, answer, trouble)


def test_F3_the_event_of_a_sealed_hit_holds_no_path_and_no_words(gate, site):
    get(gate, site, HOST, PATH + "?q=secret")
    done = subprocess.run([gate.lodge, "log", "--json", "--data", gate.data], capture_output=True,
                          text=True, check=True)
    hits = [json.loads(line) for line in done.stdout.splitlines() if '"sealed-list"' in line]
    assert hits, "the hit left its event"
    for event in hits:
        assert not event["path"] and not event["query"] and not event["search"]
    assert "worst" not in done.stdout and "secret" not in done.stdout


def test_F3_a_client_that_refuses_inspection_reaches_nothing_of_the_host(gate, site):
    before = len(site.requests)
    for _ in range(2):  # the second time it is known not to be enrolled
        done = gate.curl("--cacert", site.certificate, f"https://{HOST}:{site.port}/")
        assert done.returncode != 0
    assert len(site.requests) == before


def test_another_host_by_the_same_connection_is_not_reached(gate, site):
    """A request that names the sealed host inside a connection for another."""
    answer, _ = get(gate, site, OTHER, PATH, "-H", f"Host: {HOST}:{site.port}", "--http1.1")
    assert answer.split()[0] in ("421", "000", "200")
    if answer.startswith("200"):  # tunnelled: the site sees its own name's connection, as it would
        assert "visitor" in str(gate.folder) or gate.events()[-1]["scheme"] == "tunnel"
