"""The fault suites, in the order in which `make faults` runs them (README.md).

A suite: its ids (one program may print several lines), its program, and its cases. {bin} is the
folder of the programs, {tests} that of the test programs, {source} the project.
"""

import collections
import os
import re

Suite = collections.namedtuple("Suite", "ids command cases")


def failpoint_names():
    """Those of server/core/failpoint_names.h."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "server", "core",
                        "failpoint_names.h")
    with open(path, encoding="utf-8") as file:
        return re.findall(r'^ +"([a-z_.]+)",', file.read(), re.MULTILINE)


CRASH = ["{python}", "{source}/tests/faults/crash_suites.py"]

SUITES = (
    Suite(("K1",), CRASH + ["K1"], 300),
    Suite(("K2",), CRASH + ["K2"], 2 * len(failpoint_names())),
    Suite(("K3",), CRASH + ["K3"], 19 * 5),
)
