"""Known bugs (server/core/canary.h) and the suites that are there to find them."""

import collections
import os
import re

Canary = collections.namedtuple("Canary", "name suite cases environment")

SOURCE = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", ".."))


def canary(name, suite, cases=None, **environment):
    """`cases`: enough to find it; None: the suite's short count."""
    return Canary(name, suite, cases, environment)


CANARIES = (
    canary("drop_a_row_at_a_widening", "K1"),
    canary("acknowledge_before_commit", "K2", TIDEMARK_FAULT_ONLY="apply.before_commit"),
    canary("state_ahead_of_its_rows", "K2"),
    canary("commit_what_a_dead_plugin_left", "K3"),
    canary("assume_a_lost_commit_happened", "K4", 12),
    canary("skip_the_fence_check", "K5"),
    canary("commit_with_synchronous_normal", "P1"),
    canary("believe_a_failed_commit", "D1"),
    canary("believe_a_failed_commit", "D2"),
    canary("believe_a_failed_commit", "D3"),
    canary("forget_that_memory_ran_out", "M1"),
    canary("skip_the_chain_verification", "C1", 30),
    canary("believe_another_history", "C2"),
    canary("apply_a_stale_row", "O1"),
    canary("acknowledge_before_commit", "S1"),
    canary("ids_without_the_seed", "S2"),
)


def names_in_code():
    """Every name that the server's code asks for."""
    names = set()
    for folder, _, files in os.walk(os.path.join(SOURCE, "server")):
        for file in files:
            if file.endswith(".cc"):
                with open(os.path.join(folder, file), encoding="utf-8") as text:
                    names.update(re.findall(r'Canary\("([a-z_]+)"\)', text.read()))
    return names


def sources_with_canaries():
    """Paths below server/ that include core/canary.h."""
    found = set()
    server = os.path.join(SOURCE, "server")
    for folder, _, files in os.walk(server):
        for file in files:
            path = os.path.join(folder, file)
            with open(path, encoding="utf-8") as text:
                if '#include "core/canary.h"' in text.read():
                    found.add(os.path.relpath(path, server))
    return found
