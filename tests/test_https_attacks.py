# SPDX-License-Identifier: GPL-3.0-or-later
"""Attacks on a gate that inspects HTTPS: pupils who want past it or hold others up, and sites that
answer as no honest one would."""
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
