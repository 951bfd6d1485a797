"""The fault suites, in the order in which `make faults` runs them (README.md).

A suite: its ids (one program may print several lines), its program, and its cases. {bin} is the
folder of the programs, {tests} that of the test programs, {source} the project.
"""

import collections
import os
import re

Suite = collections.namedtuple("Suite", "ids command cases")


# Points of the server's own parts, which no sync passes: tests/access and tests/service have them.
ELSEWHERE = ("audit.", "catalog.", "secrets.")


def failpoint_names():
    """Those of server/core/failpoint_names.h that a sync passes."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "server", "core",
                        "failpoint_names.h")
    with open(path, encoding="utf-8") as file:
        names = re.findall(r'^ +"([a-z_.]+)",', file.read(), re.MULTILINE)
    return [name for name in names if not name.startswith(ELSEWHERE)]


CRASH = ["{python}", "{source}/tests/faults/crash_suites.py"]
EVERY = 100_000  # more than there are: each operation and each allocation of a sync fails once


def _test(ids, program, cases, test="*"):
    return Suite(ids, ["{tests}/" + program, f"--gtest_filter={test}"], cases)


SUITES = (
    Suite(("K1",), CRASH + ["K1"], 300),
    Suite(("K2",), CRASH + ["K2"], 2 * len(failpoint_names())),
    Suite(("K3",), CRASH + ["K3"], 19 * 5),
    _test(("K4",), "server_kill_test", 30),
    Suite(("T1",), ["{python}", "{source}/tests/faults/server_suite.py"], 50),
    _test(("T2",), "ingest_kill_test", 50),
    Suite(("K5",), ["{python}", "{source}/tests/faults/zombie_suite.py"], 100),
    _test(("P1",), "power_loss_test", 1000, "*NothingAcknowledgedIsLost"),
    _test(("D1",), "full_disk_test", 200),
    _test(("D2",), "io_error_test", 500, "*AtRandom"),
    _test(("D3",), "io_error_test", EVERY, "*WhicheverOperationFails"),
    _test(("M1", "M1-sync"), "allocation_failure_test", EVERY),
    _test(("C1",), "state_faults_test", 600, "*C1*"),
    _test(("C2",), "state_faults_test", 600, "*C2*"),
    _test(("O1",), "order_test", 100_000),
    _test(("S1",), "simulation_test", 2000, "*Converges"),
    _test(("S2",), "simulation_test", 200, "*SameTrace"),
)
