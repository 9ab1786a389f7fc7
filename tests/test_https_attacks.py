# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on a gate that inspects HTTPS: pupils who want past it or hold others up, and sites that
answer as no honest one would."""
import json

import origin as origin_lib
from test_https_h2 import connect, new_site, start  # noqa: F401 (fixtures)


def test_who_does_not_read_holds_up_nobody_on_a_shared_connection(start, new_site):  # noqa: F811
    """A paused video on one device, and the same site on another."""
    gate = start(new_site)
    assert connect(gate).get("/page").status == 200
    idle = connect(gate)
    streams = [idle.ask("/size/3000000") for _ in range(12)]
    while not all(idle.answers[one].body for one in streams):
        idle.read()
    other = connect(gate)
    other.session.settimeout(15)
    for _ in range(5):
        assert other.get("/size/300000").body == origin_lib.body(300000)
    assert new_site.connections == ["h2"]


def ask_and_leave(client, name, count):
    """Streams that are asked, some of them left at once or a little later; those that are kept."""
    kept = {}
    for number in range(count):
        tag = f"{name}-{number}"
        stream = client.ask(f"/headers?tag={tag}", fields=[("cookie", f"id={tag}")])
        if number % 4 == 3:
            client.read()
        if number % 2 == 0:
            kept[stream] = tag
        elif not client.answers[stream].over:
            client.h2.reset_stream(stream, 8)
            client.answers[stream].reset = 8
            client.flush()
    return kept


def test_an_answer_is_its_askers_whoever_leaves_in_between(start, new_site):  # noqa: F811
    gate = start(new_site)
    assert connect(gate).get("/page").status == 200
    for turn in range(5):
        clients = [connect(gate) for _ in range(4)]
        kept = [ask_and_leave(one, f"turn{turn}client{number}", 40)
                for number, one in enumerate(clients)]
        clients.pop().session.close()
        for client, tags in zip(clients, kept):
            client.wait(*tags)
            for stream, tag in tags.items():
                fields = dict(json.loads(client.answers[stream].body))
                assert fields[":path"] == f"/headers?tag={tag}" and fields["cookie"] == f"id={tag}"
    assert set(new_site.connections) == {"h2"}
