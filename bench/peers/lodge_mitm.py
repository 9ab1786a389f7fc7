# SPDX-License-Identifier: GPL-3.0-or-later
"""lodge that inspects everything: by the same catalogue and preset, whose unknown group is inspected."""
from peers import MITM_MODES
from peers.lodge import Lodge, bench_policy


class LodgeMitm(Lodge):
    modes = MITM_MODES

    def policy(self):
        policy = bench_policy()
        for group in policy["groups"]:
            if group["id"] == policy["unknown_group"]:
                group["inspect"] = "inspect"
        return policy

    def prepare(self):
        world = self.world
        return [*super().prepare(), "--ca", str(world.ca_pem), "--ca-key", str(world.ca_key),
                "--origin-ca", str(world.origin_ca_pem)]


THE_PEER = LodgeMitm
